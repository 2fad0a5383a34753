//! Reading listings page by page: newest first to where the last reading ended, or window by window
//! where AWS filters by time. Whatever ends a reading, the next one goes on from what is kept.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::{DateTime, Utc};

use super::{error::Failure, operations::Operation, run::Run};
use crate::ledger::{Fact, Listing, Pass, Progress, Scope};

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
}

impl Page {
    /// Widens the span of the page.
    pub(super) fn saw(&mut self, at: i64) {
        self.span = Some(self.span.map_or((at, at), |(oldest, newest)| {
            (oldest.min(at), newest.max(at))
        }));
    }
}

/// Page tokens met in one reading. One that comes back means an endless listing.
#[derive(Default)]
pub(super) struct Tokens(HashSet<u64>);

impl Tokens {
    /// Notes the token of the next page. AWS writes the end of a listing as none or as empty.
    pub(super) fn next(
        &mut self,
        operation: Operation,
        token: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        if self.0.insert(hasher.finish()) {
            Ok(Some(token))
        } else {
            Err(Failure::RepeatedToken(operation))
        }
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
    fetch: impl AsyncFn(&Listing, Option<String>) -> Result<Page, Failure>,
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
        let mut token = resumed.as_ref().map(|pass| pass.cursor.clone());
        let mut tokens = Tokens::default();
        loop {
            let mut page = match fetch(&listing, token.take()).await {
                // The page to go on with is forgotten: begin anew. What is known is not fetched
                // again, only listed.
                Err(Failure::StaleToken(_) | Failure::Failed { .. }) if resumed.is_some() => {
                    resumed = None;
                    continue;
                }
                other => other?,
            };
            resumed = None;
            page.next = tokens.next(operation, page.next)?;
            if let Some((_, newest)) = page.span {
                pass.newest = pass.newest.max(Some(newest));
            }
            let is_past = page.span.is_some_and(|(_, newest)| newest < pass.until);
            let progress = match &page.next {
                Some(next) if !is_past => {
                    pass.cursor.clone_from(next);
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
            token = page.next;
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
    fetch: impl AsyncFn(
        &Listing,
        (DateTime<Utc>, DateTime<Utc>),
        Option<String>,
    ) -> Result<Page, Failure>,
) -> Result<(), Failure> {
    let listing = run.ledger().listing(scope, "")?;
    let open = run.ledger().oldest_open(&listing)?;
    let now = run.now().timestamp_millis();
    for (from, until) in windows(&listing, wanted, now, open) {
        let at = |milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
        let mut tokens = Tokens::default();
        let mut token = None;
        loop {
            let page = fetch(&listing, (at(from), at(until)), token).await?;
            run.read(scope, page.facts.len());
            token = tokens.next(operation, page.next)?;
            if token.is_some() {
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
