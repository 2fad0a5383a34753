//! `CodeCommit`: how many repositories there are. Asking makes the asking role an active user of the
//! month, so it is done only when asked for.

use aws_sdk_codecommit::Client;

use super::{
    error::Failure,
    listing::Tokens,
    operations::Operation,
    run::{Account, Run},
};
use crate::{domain::metering::observed::Place, ledger::Source};

/// Counts the repositories of a place.
pub(super) async fn repositories(
    run: &Run<'_>,
    account: &Account,
    place: &Place,
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Repositories)?;
    let mut tokens = Tokens::default();
    let mut token = None;
    loop {
        let request = client.list_repositories().set_next_token(token);
        let answer = run
            .ask(place, Operation::ListRepositories, request.send())
            .await?;
        run.read(&scope, answer.repositories().len());
        token = tokens.next(Operation::ListRepositories, answer.next_token)?;
        if token.is_none() {
            return run.end(&scope, true, run.today());
        }
    }
}
