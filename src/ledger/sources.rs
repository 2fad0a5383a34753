//! The sources of a month, and which of them are used: several may tell the same money.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use chrono::NaiveDate;
use rusqlite::Connection;

use super::{Ledger, LedgerError, SqlResult, count, decode, standing};
use crate::domain::{
    export::{ExportKind, Standing},
    period::Month,
};

/// What the ledger holds of one source's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceInfo {
    /// The kind of export.
    pub kind: ExportKind,
    /// The payer, or the name given to the source.
    pub source: String,
    /// What it speaks for, in order.
    pub stretches: Vec<Stretch>,
    /// Days of the month that it does not speak for: the first and the last of each run of them.
    pub uncovered: Vec<(NaiveDate, NaiveDate)>,
    /// The numbers of its files among those of its export; empty where there is but one.
    pub parts: BTreeSet<u32>,
    /// How final it calls its figures, all of them together.
    pub standing: Standing,
    /// Rows of its files that could not be read.
    pub skipped: u64,
    /// How many records it has.
    pub records: u64,
    /// Its records are read; those of the others tell the same money again.
    pub used: bool,
}

/// Days that a source speaks for as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The first of them.
    pub first: NaiveDate,
    /// The last of them.
    pub last: NaiveDate,
    /// The day it was read, if they were not over then.
    pub read_while_open: Option<NaiveDate>,
}

impl Stretch {
    /// Returns the latest day that it can know of, if it sums up several that were not over when it was
    /// read or are not over today: which of them it has it does not tell.
    pub fn open_until(self, today: NaiveDate) -> Option<NaiveDate> {
        let is_open = self.read_while_open.is_some() || today < self.last;
        let read = self.read_while_open.map_or(today, |day| day.min(today));
        (self.first < self.last && is_open).then_some(read)
    }
}

impl SourceInfo {
    /// Tells whether it speaks for every day of the month.
    pub fn is_whole_month(&self) -> bool {
        self.uncovered.is_empty()
    }

    /// Returns the last day it knows, where it says so itself: a bill speaks for its whole month from
    /// the first day on.
    pub fn known_until(&self, today: NaiveDate) -> Option<NaiveDate> {
        let told = self.stretches.iter().filter(|_| !self.kind.is_by_day());
        told.filter(|days| days.open_until(today).is_none())
            .map(|days| days.last)
            .filter(|last| *last <= today)
            .max()
    }

    /// Returns the latest day that a sum can know of which does not tell how far it reaches.
    pub fn open_until(&self, today: NaiveDate) -> Option<NaiveDate> {
        let sums = self.stretches.iter().filter(|_| !self.kind.is_by_day());
        sums.filter_map(|days| days.open_until(today)).max()
    }

    /// Returns the numbers of files that are not there although later ones are.
    pub fn missing_parts(&self) -> Vec<u32> {
        let last = self.parts.last().copied().unwrap_or_default();
        (1..last)
            .filter(|part| !self.parts.contains(part))
            .collect()
    }
}

impl Ledger {
    /// Returns what the ledger holds of a month, in order of precedence, and which of it is used.
    ///
    /// Each payer's bill is used, in the most detailed kind there is. Sums without a payer are
    /// used only where no payer's bill is there, for they are likely to be the same money.
    pub fn sources(&self, month: Month) -> Result<Vec<SourceInfo>, LedgerError> {
        self.read(|connection| sources(connection, month))
    }
}

fn sources(connection: &Connection, month: Month) -> SqlResult<Vec<SourceInfo>> {
    let mut query = connection.prepare(
        "SELECT kind, source, first_day, last_day, standing,
                (SELECT count(*) FROM record WHERE record.slice = slice.id AND aside = 0),
                skipped, part
         FROM slice WHERE month = ?1 ORDER BY first_day, last_day, part",
    )?;
    let mut found: BTreeMap<(ExportKind, String), SourceInfo> = BTreeMap::new();
    let mut rows = query.query([month.to_string()])?;
    while let Some(row) = rows.next()? {
        let kind = decode(&row.get::<_, String>(0)?, ExportKind::from_name)?;
        let source: String = row.get(1)?;
        let first = decode(&row.get::<_, String>(2)?, |text| text.parse().ok())?;
        let last = decode(&row.get::<_, String>(3)?, |text| text.parse().ok())?;
        let standing = standing::read(row.get(4)?)?;
        let stretch = Stretch {
            first,
            last,
            read_while_open: standing.read_while_open,
        };
        let (records, skipped) = (count(row, 5)?, count(row, 6)?);
        let part: u32 = row.get(7)?;
        match found.entry((kind, source)) {
            Entry::Occupied(mut entry) => {
                let info = entry.get_mut();
                info.standing = together(&info.standing, standing);
                info.stretches.push(stretch);
                info.records += records;
                info.skipped += skipped;
                info.parts.extend((part > 0).then_some(part));
            }
            Entry::Vacant(entry) => {
                let (kind, source) = entry.key().clone();
                entry.insert(SourceInfo {
                    kind,
                    source,
                    stretches: vec![stretch],
                    uncovered: Vec::new(),
                    parts: (part > 0).then_some(part).into_iter().collect(),
                    standing,
                    skipped,
                    records,
                    used: false,
                });
            }
        }
    }
    let mut sources: Vec<SourceInfo> = found.into_values().collect();
    for info in &mut sources {
        info.uncovered = uncovered(month, &info.stretches);
    }
    choose_sources(&mut sources);
    Ok(sources)
}

/// Returns what two slices of one source say together: the worse of each.
fn together(one: &Standing, other: Standing) -> Standing {
    Standing {
        estimated: one.estimated || other.estimated,
        invoiced: match (one.invoiced, other.invoiced) {
            (Some(one), Some(other)) => Some(one && other),
            (one, other) => one.or(other),
        },
        is_cut: one.is_cut || other.is_cut,
        services_unknown: one.services_unknown || other.services_unknown,
        read_while_open: one.read_while_open.or(other.read_while_open),
        larger_before: one.larger_before.clone().or(other.larger_before),
    }
}

/// Returns the runs of days of a month that no stretch has; stretches stand in order.
fn uncovered(month: Month, stretches: &[Stretch]) -> Vec<(NaiveDate, NaiveDate)> {
    let mut runs = Vec::new();
    let mut next = month.first_day();
    for stretch in stretches {
        if stretch.first > next
            && let Some(before) = stretch.first.pred_opt()
        {
            runs.push((next, before.min(month.last_day())));
        }
        next = next.max(stretch.last.succ_opt().unwrap_or(stretch.last));
    }
    if next <= month.last_day() {
        runs.push((next, month.last_day()));
    }
    runs
}

/// Marks the sources that are read. They stand in order of precedence.
fn choose_sources(sources: &mut [SourceInfo]) {
    let is_payers = |info: &SourceInfo| info.kind.is_bill() && !info.source.is_empty();
    if sources.iter().any(is_payers) {
        let mut payers = BTreeSet::new();
        for info in sources.iter_mut().filter(|info| is_payers(info)) {
            info.used = payers.insert(info.source.clone());
        }
        return;
    }
    let best = sources
        .iter()
        .map(|info| {
            (
                !info.is_whole_month() || info.standing.read_while_open.is_some(),
                info.kind,
            )
        })
        .min()
        .map(|(_, kind)| kind);
    // Sums that name their account, as collected ones do, stand above those that name nobody.
    let is_accounts = |info: &SourceInfo| {
        info.source.len() == 12 && info.source.bytes().all(|byte| byte.is_ascii_digit())
    };
    let has_accounts = sources
        .iter()
        .any(|info| Some(info.kind) == best && is_accounts(info));
    for info in sources {
        info.used = Some(info.kind) == best && !(has_accounts && info.source.is_empty());
    }
}

pub(super) fn used_slices(connection: &Connection, months: &[Month]) -> SqlResult<Vec<i64>> {
    let mut query = connection.prepare(
        "SELECT id FROM slice WHERE month = ?1 AND kind = ?2 AND source = ?3
         ORDER BY first_day, part, id",
    )?;
    let mut slices = Vec::new();
    for month in months {
        for info in sources(connection, *month)?.iter().filter(|info| info.used) {
            let key = (month.to_string(), info.kind.name(), &info.source);
            for id in query.query_map(key, |row| row.get(0))? {
                slices.push(id?);
            }
        }
    }
    Ok(slices)
}
