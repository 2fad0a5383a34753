//! The sources of a month, and which of them are used: several may tell the same money.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rusqlite::Connection;

use super::{Ledger, LedgerError, SqlResult, count, decode};
use crate::domain::{export::ExportKind, period::Month};

/// What the ledger holds of one source's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceInfo {
    /// The kind of export.
    pub kind: ExportKind,
    /// The payer, or the name given to the source.
    pub source: String,
    /// The first day it speaks for.
    pub first_day: NaiveDate,
    /// The last day it speaks for.
    pub last_day: NaiveDate,
    /// It speaks for every day of the month.
    pub whole_month: bool,
    /// Rows of its files that could not be read.
    pub skipped: u64,
    /// How many records it has.
    pub records: u64,
    /// Its records are read; those of the others tell the same money again.
    pub used: bool,
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
        "SELECT kind, source, first_day, last_day, whole_month,
                (SELECT count(*) FROM record WHERE record.slice = slice.id AND aside = 0),
                skipped
         FROM slice WHERE month = ?1",
    )?;
    let mut found: BTreeMap<(ExportKind, String), (SourceInfo, BTreeSet<NaiveDate>)> =
        BTreeMap::new();
    let mut rows = query.query([month.to_string()])?;
    while let Some(row) = rows.next()? {
        let kind = decode(&row.get::<_, String>(0)?, ExportKind::from_name)?;
        let source: String = row.get(1)?;
        let first_day: NaiveDate = decode(&row.get::<_, String>(2)?, |text| text.parse().ok())?;
        let last_day: NaiveDate = decode(&row.get::<_, String>(3)?, |text| text.parse().ok())?;
        let (info, days) = found.entry((kind, source.clone())).or_insert_with(|| {
            let info = SourceInfo {
                kind,
                source,
                first_day,
                last_day,
                whole_month: false,
                skipped: 0,
                records: 0,
                used: false,
            };
            (info, BTreeSet::new())
        });
        info.first_day = info.first_day.min(first_day);
        info.last_day = info.last_day.max(last_day);
        info.whole_month |= row.get::<_, bool>(4)?;
        info.records += count(row, 5)?;
        info.skipped += count(row, 6)?;
        days.extend(first_day.iter_days().take_while(|day| *day <= last_day));
    }
    let mut sources: Vec<SourceInfo> = found
        .into_values()
        .map(|(mut info, days)| {
            info.whole_month |= month.days().all(|day| days.contains(&day));
            info
        })
        .collect();
    choose_sources(&mut sources);
    Ok(sources)
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
        .map(|info| (!info.whole_month, info.kind))
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
