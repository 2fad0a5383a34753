//! Reading listings page by page: newest first to where the last reading ended, or window by window
//! where AWS filters by time. Whatever ends a reading, the next one goes on from what is kept.

use chrono::{DateTime, Utc};

use super::{error::Failure, operations::Operation, pages::Pages, run::Run};
use crate::{
    domain::collection::Scope,
    ledger::{Fact, Listing, Pass, Progress},
};

/// How much of what was read is read again, for what AWS lists late: an hour.
pub(super) const OVERLAP: i64 = 3_600_000;

/// Windows of time are no longer than this: 31 days.
const WINDOW: i64 = 31 * 86_400_000;

/// A page of a listing.
#[derive(Default)]
pub(super) struct Page {
    pub(super) facts: Vec<Fact>,
    /// When its oldest and its newest item began.
    pub(super) span: Option<(i64, i64)>,
    pub(super) next: Option<String>,
    /// Its items did not come from the newest to the oldest, so that what follows may be newer.
    pub(super) unordered: bool,
}

impl Page {
    /// Widens the span of the page.
    pub(super) fn saw(&mut self, at: i64) {
        self.span = Some(self.span.map_or((at, at), |(oldest, newest)| {
            (oldest.min(at), newest.max(at))
        }));
    }
}

/// Returns down to where a listing has to be read: to what is known if that joins what is wanted,
/// and to the oldest item that went on when it was read.
pub(super) fn floor(listing: &Listing, wanted: i64, oldest_open: Option<i64>) -> i64 {
    let floor = match (listing.newest, listing.oldest) {
        (Some(newest), Some(oldest)) if oldest <= wanted => newest - OVERLAP,
        _ => wanted,
    };
    oldest_open.map_or(floor, |open| floor.min(open))
}

/// Reads a listing that AWS orders from the newest item to the oldest.
pub(super) async fn newest_first(
    run: &Run<'_>,
    scope: &Scope,
    resource: &str,
    operation: Operation,
    fetch: impl AsyncFn(&Listing, &Pages) -> Result<Page, Failure>,
) -> Result<(), Failure> {
    let wanted = run.first_millisecond();
    loop {
        let listing = run.ledger().listing(scope, resource)?;
        let open = run.ledger().oldest_open(&listing)?;
        let floor = floor(&listing, wanted, open);
        let mut resumed = listing.unfinished.clone();
        let mut pass = Pass {
            until: resumed.as_ref().map_or(floor, |pass| pass.until.min(floor)),
            newest: resumed.as_ref().and_then(|pass| pass.newest),
            cursor: String::new(),
        };
        let goes_on = resumed.is_some();
        let mut pages = Pages::from(resumed.as_ref().map(|pass| pass.cursor.clone()));
        loop {
            let page = match fetch(&listing, &pages).await {
                // The page to go on with is forgotten: begin anew. What is known is not fetched
                // again, only listed.
                Err(Failure::StaleToken(_) | Failure::OrderRefused(_) | Failure::Failed { .. })
                    if resumed.is_some() =>
                {
                    resumed = None;
                    pages = Pages::default();
                    continue;
                }
                other => other?,
            };
            resumed = None;
            let goes_further = pages.turn(operation, page.next)?;
            if let Some((_, newest)) = page.span {
                pass.newest = pass.newest.max(Some(newest));
            }
            let is_past =
                !page.unordered && page.span.is_some_and(|(_, newest)| newest < pass.until);
            let progress = match pages.token() {
                Some(next) if goes_further && !is_past => {
                    pass.cursor = next;
                    Progress::Reading(pass.clone())
                }
                _ => Progress::Done {
                    newest: pass.newest,
                    oldest: pass.until,
                },
            };
            run.ledger().keep_page(&listing, &page.facts, &progress)?;
            run.read(scope, page.facts.len());
            if matches!(progress, Progress::Done { .. }) {
                break;
            }
        }
        if !goes_on {
            return Ok(());
        }
        // What began while nobody was reading is above the place where this reading began.
    }
}

/// Returns the stretches of time to read so that what is known stays in one piece: later ones
/// upwards from what is known, then earlier ones downwards.
pub(super) fn windows(
    listing: &Listing,
    wanted: i64,
    now: i64,
    oldest_open: Option<i64>,
) -> Vec<(i64, i64)> {
    let mut windows = Vec::new();
    let (newest, oldest) = match (listing.newest, listing.oldest) {
        (Some(newest), Some(oldest)) => (newest, oldest),
        _ => (now, now),
    };
    let mut from = newest.saturating_sub(OVERLAP).max(oldest);
    if let Some(open) = oldest_open {
        from = from.min(open);
    }
    if listing.newest.is_some() {
        while from < now {
            let until = (from + WINDOW).min(now);
            windows.push((from, until));
            from = until;
        }
    }
    let mut until = oldest;
    while until > wanted {
        let from = (until - WINDOW).max(wanted);
        windows.push((from, until));
        until = from;
    }
    windows
}

/// Reads a listing that AWS filters by time.
pub(super) async fn by_windows(
    run: &Run<'_>,
    scope: &Scope,
    operation: Operation,
    wanted: i64,
    fetch: impl AsyncFn(&Listing, (DateTime<Utc>, DateTime<Utc>), &Pages) -> Result<Page, Failure>,
) -> Result<(), Failure> {
    let listing = run.ledger().listing(scope, "")?;
    let open = run.ledger().oldest_open(&listing)?;
    let now = run.now().timestamp_millis();
    for (from, until) in windows(&listing, wanted, now, open) {
        let at = |milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
        let mut pages = Pages::default();
        loop {
            let page = fetch(&listing, (at(from), at(until)), &pages).await?;
            run.read(scope, page.facts.len());
            if pages.turn(operation, page.next)? {
                run.ledger().keep_again(&listing, &page.facts)?;
                continue;
            }
            let done = Progress::Done {
                newest: Some(until),
                oldest: from,
            };
            run.ledger().keep_page(&listing, &page.facts, &done)?;
            break;
        }
    }
    Ok(())
}
