//! The accounts of an organization.

use aws_sdk_organizations::{Client, types::AccountState};

use super::{accounts::Account, error::Failure, listing::Pages, operations::Operation, run::Run};
use crate::domain::{
    ids::{AccountId, Region},
    metering::from_events::AccountRegion,
};

/// Lists the accounts that are active.
pub(super) async fn accounts(run: &Run<'_>, base: &Account) -> Result<Vec<AccountId>, Failure> {
    let region = Region::new(match base.partition.as_str() {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    });
    let place = AccountRegion {
        account: base.id.clone(),
        region,
    };
    let client = Client::new(&base.in_region(&place.region));
    let mut pages = Pages::default();
    let mut accounts = Vec::new();
    loop {
        let request = client.list_accounts().set_next_token(pages.token());
        let answer = run
            .ask_page(&place, Operation::ListAccounts, &pages, request.send())
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
        if !pages.turn(Operation::ListAccounts, answer.next_token)? {
            accounts.sort();
            return Ok(accounts);
        }
    }
}
