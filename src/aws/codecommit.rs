//! `CodeCommit`: how many repositories there are. Asking makes the asking role an active user of the
//! month, so it is done only when asked for.

use aws_sdk_codecommit::Client;

use super::{accounts::Account, error::Failure, operations::Operation, pages::Pages, run::Run};
use crate::domain::{collection::Source, metering::from_events::AccountRegion};

/// Counts the repositories of a place.
pub(super) async fn repositories(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Repositories)?;
    let mut pages = Pages::default();
    loop {
        let request = client.list_repositories().set_next_token(pages.token());
        let answer = run
            .ask_page(place, Operation::ListRepositories, &pages, request.send())
            .await?;
        run.read(&scope, answer.repositories().len());
        if !pages.turn(Operation::ListRepositories, answer.next_token)? {
            return run.end(&scope, true, run.today());
        }
    }
}
