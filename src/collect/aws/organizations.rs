//! The accounts of an organization.

use aws_sdk_organizations::{Client, types::AccountState};

use super::{
    error::Failure,
    listing::Tokens,
    operations::Operation,
    run::{Account, Run},
};
use crate::domain::{
    ids::{AccountId, Region},
    metering::observed::Place,
};

/// Lists the accounts that are active.
pub(super) async fn accounts(run: &Run<'_>, base: &Account) -> Result<Vec<AccountId>, Failure> {
    let region = Region::new(match base.partition.as_str() {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    });
    let place = Place {
        account: base.id.clone(),
        region,
    };
    let client = Client::new(&base.in_region(&place.region));
    let mut tokens = Tokens::default();
    let mut token = None;
    let mut accounts = Vec::new();
    loop {
        let request = client.list_accounts().set_next_token(token);
        let answer = run
            .ask(&place, Operation::ListAccounts, request.send())
            .await?;
        for account in answer.accounts() {
            let is_closed = matches!(
                account.state(),
                Some(AccountState::Suspended | AccountState::Closed)
            );
            if let Some(id) = account.id().filter(|_| !is_closed) {
                accounts.push(AccountId::new(id));
            }
        }
        token = tokens.next(Operation::ListAccounts, answer.next_token)?;
        if token.is_none() {
            accounts.sort();
            return Ok(accounts);
        }
    }
}
