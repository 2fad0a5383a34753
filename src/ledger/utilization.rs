//! What builds used of their machines: kept with how far each project was asked, read by month.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use rust_decimal::Decimal;

use super::{
    Ledger, LedgerError, SqlResult,
    coverage::{place, scope_key},
    decode,
};
use crate::domain::{
    collection::{Scope, Source},
    metering::from_events::AccountRegion,
    number::{parse_decimal, plain},
    period::Month,
    utilization::{Measured, Utilization},
};

/// For which time a project was asked, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// From here on.
    pub from: i64,
    /// Until here.
    pub until: i64,
}

impl Ledger {
    /// Returns for which time each project of a place was asked for its measurements.
    pub fn measured_projects(&self, scope: &Scope) -> Result<BTreeMap<String, Asked>, LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT resource, oldest, newest FROM listing
                 WHERE account = ?1 AND region = ?2 AND source = ?3 AND newest IS NOT NULL",
            )?;
            query
                .query_map(scope_key(scope), |row| {
                    let asked = Asked {
                        from: row.get(1)?,
                        until: row.get(2)?,
                    };
                    Ok((row.get(0)?, asked))
                })?
                .collect()
        })
    }

    /// Keeps what was measured of projects, and that they were asked for this time: both or neither.
    pub fn keep_utilization(
        &mut self,
        scope: &Scope,
        projects: &[String],
        measured: &[Utilization],
        asked: Asked,
    ) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let (account, region, source) = scope_key(scope);
            let mut listing = transaction.prepare(
                "INSERT INTO listing (account, region, source, resource, newest, oldest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET newest = max(ifnull(newest, ?5), ?5),
                    oldest = min(ifnull(oldest, ?6), ?6)
                 RETURNING id",
            )?;
            let mut ids = BTreeMap::new();
            for project in projects {
                let key = (account, region, source, project, asked.until, asked.from);
                let id: i64 = listing.query_row(key, |row| row.get(0))?;
                ids.insert(project.as_str(), id);
            }
            let mut add = transaction.prepare(
                "INSERT OR REPLACE INTO utilization VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for day in measured {
                let Some(id) = ids.get(day.project.as_str()) else {
                    continue;
                };
                let average = |of: Option<Measured>| of.map(|of| plain(of.average));
                let maximum = |of: Option<Measured>| of.map(|of| plain(of.maximum));
                add.execute(params![
                    id,
                    day.day.to_string(),
                    i64::try_from(day.points).unwrap_or(i64::MAX),
                    average(day.cpu),
                    maximum(day.cpu),
                    average(day.memory),
                    maximum(day.memory),
                    day.memory_percent.map(plain),
                ])?;
            }
            Ok(())
        })
    }

    /// Hands over what was measured in a month, in order of place, project and day.
    pub fn each_utilization(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountRegion, Utilization),
    ) -> Result<(), LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT account, region, resource, day, points, cpu_average, cpu_maximum,
                        memory_average, memory_maximum, memory_percent
                 FROM utilization JOIN listing ON listing.id = utilization.listing
                 WHERE day >= ?1 AND day < ?2 ORDER BY account, region, resource, day",
            )?;
            let bounds = (month.first_day().to_string(), month.end().to_string());
            let mut rows = query.query(bounds)?;
            while let Some(row) = rows.next()? {
                let of = Utilization {
                    project: row.get(2)?,
                    day: decode(&row.get::<_, String>(3)?, |text| text.parse().ok())?,
                    points: row.get::<_, i64>(4)?.max(0).cast_unsigned(),
                    cpu: measured(row, 5)?,
                    memory: measured(row, 7)?,
                    memory_percent: number(row, 9)?,
                };
                each(&place(row)?, of);
            }
            Ok(())
        })
    }

    /// Tells whether builds of a place are known.
    pub fn has_builds(&self, place: &AccountRegion) -> Result<bool, LedgerError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT 1 FROM build JOIN listing ON listing.id = build.listing
                     WHERE account = ?1 AND region = ?2 AND source = ?3",
                )?
                .exists((
                    place.account.as_str(),
                    place.region.as_str(),
                    Source::Builds.name(),
                ))
        })
    }
}

fn measured(row: &Row<'_>, at: usize) -> SqlResult<Option<Measured>> {
    let both = number(row, at)?.zip(number(row, at + 1)?);
    Ok(both.map(|(average, maximum)| Measured { average, maximum }))
}

fn number(row: &Row<'_>, at: usize) -> SqlResult<Option<Decimal>> {
    let text: Option<String> = row.get(at)?;
    text.map(|text| decode(&text, |text| parse_decimal(text).ok()))
        .transpose()
}
