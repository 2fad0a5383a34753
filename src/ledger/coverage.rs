//! What was collected for which days, what could not be, and which months no longer change.

use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row};

use super::{Ledger, LedgerError, SqlResult, decode, larger::Smaller, write::replace_slices};
use crate::domain::{
    collection::{Covered, NotCollected, Scope, Source},
    export::ImportedPeriod,
    ids::{AccountId, Region},
    import::Replaced,
    metering::from_events::AccountRegion,
    period::Month,
};

impl Ledger {
    /// Forgets what was missing of a source: it is about to be collected again.
    pub fn begin_source(&mut self, scope: &Scope) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction.execute(
                "DELETE FROM not_collected WHERE account = ?1 AND region = ?2 AND source = ?3",
                scope_key(scope),
            )?;
            Ok(())
        })
    }

    /// Notes what could not be collected.
    pub fn keep_missing(&mut self, missing: &NotCollected) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let (account, region, source) = scope_key(&missing.scope);
            transaction.execute(
                "INSERT INTO not_collected VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET reason = excluded.reason",
                (account, region, source, &missing.part, &missing.reason),
            )?;
            Ok(())
        })
    }

    /// Notes that a source was collected whole between two days. Days that do not join those
    /// collected before take their place.
    pub fn cover(&mut self, covered: &Covered) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let (account, region, source) = scope_key(&covered.scope);
            let before: Option<(String, String)> = transaction
                .query_row(
                    "SELECT first_day, last_day FROM covered
                     WHERE account = ?1 AND region = ?2 AND source = ?3",
                    (account, region, source),
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let (mut first, mut last) = (covered.first, covered.last);
            if let Some((known_first, known_last)) = before {
                let known_first: NaiveDate = decode(&known_first, |text| text.parse().ok())?;
                let known_last: NaiveDate = decode(&known_last, |text| text.parse().ok())?;
                let joins = |a: NaiveDate, b: NaiveDate| a <= b.succ_opt().unwrap_or(b);
                if joins(first, known_last) && joins(known_first, last) {
                    first = first.min(known_first);
                    last = last.max(known_last);
                }
            }
            transaction.execute(
                "INSERT INTO covered VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET first_day = excluded.first_day,
                    last_day = excluded.last_day",
                (account, region, source, first.to_string(), last.to_string()),
            )?;
            Ok(())
        })
    }

    /// Puts a month of Cost Explorer in place, and closes it if it no longer changes.
    pub fn keep_costs(
        &mut self,
        source: &str,
        month: Month,
        slices: &[ImportedPeriod],
        is_final: bool,
    ) -> Result<Vec<Replaced>, LedgerError> {
        self.write(|transaction| {
            let replaced = replace_slices(transaction, slices, Smaller::IsRight)?;
            if is_final {
                transaction.execute(
                    "INSERT INTO closed VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    (source, month.to_string()),
                )?;
            }
            Ok(replaced)
        })
    }

    /// Tells whether Cost Explorer called a month final.
    pub fn is_closed(&self, source: &str, month: Month) -> Result<bool, LedgerError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT 1 FROM closed WHERE source = ?1 AND month = ?2")?
                .exists((source, month.to_string()))
        })
    }

    /// Returns what could not be collected, in order.
    pub fn missing(&self) -> Result<Vec<NotCollected>, LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT account, region, source, part, reason FROM not_collected
                 ORDER BY account, region, source, part",
            )?;
            query
                .query_map([], |row| {
                    Ok(NotCollected {
                        scope: scope(row)?,
                        part: row.get(3)?,
                        reason: row.get(4)?,
                        remedy: None,
                    })
                })?
                .collect()
        })
    }

    /// Returns for which days each source was collected, in order.
    pub fn covered(&self) -> Result<Vec<Covered>, LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT account, region, source, first_day, last_day FROM covered
                 ORDER BY account, region, source",
            )?;
            query
                .query_map([], |row| {
                    let day = |at| decode(&row.get::<_, String>(at)?, |text| text.parse().ok());
                    Ok(Covered {
                        scope: scope(row)?,
                        first: day(3)?,
                        last: day(4)?,
                    })
                })?
                .collect()
        })
    }
}

/// The three columns that name a source.
pub(super) fn scope_key(scope: &Scope) -> (&str, &str, &'static str) {
    (
        scope.place.account.as_str(),
        scope.place.region.as_str(),
        scope.source.name(),
    )
}

/// Reads the account and region that a row begins with.
pub(super) fn place(row: &Row<'_>) -> SqlResult<AccountRegion> {
    Ok(AccountRegion {
        account: AccountId::new(row.get_ref(0)?.as_str()?),
        region: Region::new(row.get_ref(1)?.as_str()?),
    })
}

fn scope(row: &Row<'_>) -> SqlResult<Scope> {
    Ok(Scope {
        place: place(row)?,
        source: decode(row.get_ref(2)?.as_str()?, Source::from_name)?,
    })
}
