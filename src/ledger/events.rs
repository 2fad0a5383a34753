//! Reading back what happened in a month, for metering.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::{Ledger, LedgerError, SqlResult, coverage::place, damaged, decode};
use crate::domain::{
    ids::AccountId,
    metering::{
        codecommit::Identity,
        from_events::{
            AccountRegion, Action, Build, Execution, FleetSeen, Pipeline, Sandbox, StartedBy,
            Target,
        },
    },
    period::Month,
};

/// A handle on one bound of a query of facts: the days of a month in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Span(i64, i64);

impl Span {
    fn of(month: Month) -> Self {
        let at = |day: NaiveDate| {
            day.and_hms_opt(0, 0, 0)
                .expect("midnight exists")
                .and_utc()
                .timestamp_millis()
        };
        Self(at(month.first_day()), at(month.end()))
    }
}

impl Ledger {
    /// Tells whether anything was collected from AWS's APIs besides costs.
    pub fn has_facts(&self) -> Result<bool, LedgerError> {
        self.read(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM listing UNION ALL SELECT 1 FROM pipeline
                    UNION ALL SELECT 1 FROM fleet)",
                [],
                |row| row.get(0),
            )
        })
    }

    /// Hands over every build submitted in a month, and its id.
    pub fn each_build(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountRegion, &str, &Build),
    ) -> Result<(), LedgerError> {
        self.each(
            "SELECT account, region, resource, submitted, provisioned, ended,
                    compute.value, fleet.value, pipeline.value, docker_server, status.value,
                    started_by, auto_retry, build.id
             FROM build JOIN listing ON listing.id = build.listing
             LEFT JOIN text AS compute ON compute.id = build.compute
             LEFT JOIN text AS fleet ON fleet.id = build.fleet
             LEFT JOIN text AS pipeline ON pipeline.id = build.pipeline
             LEFT JOIN text AS status ON status.id = build.status
             WHERE submitted >= ?1 AND submitted < ?2",
            month,
            |place, row| {
                let build = Build {
                    project: row.get(2)?,
                    submitted: time(row.get(3)?)?,
                    provisioned: maybe_time(row.get(4)?)?,
                    ended: maybe_time(row.get(5)?)?,
                    compute: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                    fleet: row.get(7)?,
                    pipeline: row.get(8)?,
                    docker_server: row.get(9)?,
                    status: row.get(10)?,
                    started_by: row
                        .get::<_, Option<String>>(11)?
                        .and_then(|name| StartedBy::ALL.into_iter().find(|way| way.name() == name)),
                    auto_retry: row.get(12)?,
                };
                each(place, row.get_ref(13)?.as_str()?, &build);
                Ok(())
            },
        )
    }

    /// Hands over every sandbox that began in a month.
    pub fn each_sandbox(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountRegion, &Sandbox),
    ) -> Result<(), LedgerError> {
        self.each(
            "SELECT account, region, project, began, ended, fleet.value
             FROM sandbox JOIN listing ON listing.id = sandbox.listing
             LEFT JOIN text AS fleet ON fleet.id = sandbox.fleet
             WHERE began >= ?1 AND began < ?2",
            month,
            |place, row| {
                let sandbox = Sandbox {
                    project: row.get(2)?,
                    began: time(row.get(3)?)?,
                    ended: maybe_time(row.get(4)?)?,
                    fleet: row.get(5)?,
                };
                each(place, &sandbox);
                Ok(())
            },
        )
    }

    /// Hands over every action that ran in a month.
    pub fn each_action(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountRegion, &Action),
    ) -> Result<(), LedgerError> {
        self.each(
            "SELECT account, region, resource, started, ended, category, owner
             FROM action JOIN listing ON listing.id = action.listing
             WHERE started < ?2 AND (ended IS NULL OR ended > ?1)",
            month,
            |place, row| {
                let action = Action {
                    pipeline: row.get(2)?,
                    started: time(row.get(3)?)?,
                    ended: maybe_time(row.get(4)?)?,
                    category: row.get(5)?,
                    owner: row.get(6)?,
                };
                each(place, &action);
                Ok(())
            },
        )
    }

    /// Hands over every on-premises update of a month.
    pub fn each_target(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountRegion, &Target),
    ) -> Result<(), LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT account, region, application, day, status
                 FROM target JOIN listing ON listing.id = target.listing
                 WHERE day >= ?1 AND day < ?2",
            )?;
            let bounds = (month.first_day().to_string(), month.end().to_string());
            let mut rows = query.query(bounds)?;
            while let Some(row) = rows.next()? {
                let target = Target {
                    application: row.get(2)?,
                    day: decode(&row.get::<_, String>(3)?, |text| text.parse().ok())?,
                    status: row.get(4)?,
                };
                each(&place(row)?, &target);
            }
            Ok(())
        })
    }

    /// Returns each pipeline with the run before a month and the runs of the month.
    pub fn each_pipeline(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountRegion, &Pipeline, Option<&Execution>, &[Execution]),
    ) -> Result<(), LedgerError> {
        let Span(from, until) = Span::of(month);
        self.read(|connection| {
            let mut pipelines = connection.prepare(
                "SELECT pipeline.account, pipeline.region, name, kind, created, listing.id
                 FROM pipeline LEFT JOIN listing ON listing.account = pipeline.account
                    AND listing.region = pipeline.region AND listing.source = 'pipelines'
                    AND listing.resource = name
                 ORDER BY 1, 2, 3",
            )?;
            let mut before = connection.prepare(
                "SELECT started, revisions, rollback FROM execution
                 WHERE listing = ?1 AND started < ?2 AND NOT rollback AND revisions IS NOT NULL
                 ORDER BY started DESC, id DESC LIMIT 1",
            )?;
            let mut runs = connection.prepare(
                "SELECT started, revisions, rollback FROM execution
                 WHERE listing = ?1 AND started >= ?2 AND started < ?3 ORDER BY started, id",
            )?;
            let execution = |row: &Row<'_>| {
                Ok(Execution {
                    started: time(row.get(0)?)?,
                    revisions: row.get(1)?,
                    rollback: row.get(2)?,
                })
            };
            let mut rows = pipelines.query([])?;
            while let Some(row) = rows.next()? {
                let pipeline = Pipeline {
                    name: row.get(2)?,
                    kind: row.get(3)?,
                    created: maybe_time(row.get(4)?)?,
                };
                let listing: Option<i64> = row.get(5)?;
                let (mut last, mut of_month) = (None, Vec::new());
                if let Some(listing) = listing {
                    last = before.query_row((listing, from), execution).optional()?;
                    of_month = runs
                        .query_map((listing, from, until), execution)?
                        .collect::<SqlResult<_>>()?;
                }
                each(&place(row)?, &pipeline, last.as_ref(), &of_month);
            }
            Ok(())
        })
    }

    /// Returns each fleet with what was seen of it, in order of time.
    pub fn fleets(&self) -> Result<Vec<(AccountRegion, Vec<FleetSeen>)>, LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT account, region, arn, seen, created, since, machines, compute, overflows
                 FROM fleet
                 ORDER BY account, region, arn, seen",
            )?;
            let mut fleets: Vec<(AccountRegion, Vec<FleetSeen>)> = Vec::new();
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let place = place(row)?;
                let seen = FleetSeen {
                    arn: row.get(2)?,
                    seen: time(row.get(3)?)?,
                    created: maybe_time(row.get(4)?)?,
                    since: maybe_time(row.get(5)?)?,
                    machines: row.get(6)?,
                    compute: row.get(7)?,
                    overflows: row.get(8)?,
                };
                match fleets.last_mut() {
                    Some((at, looks)) if *at == place && looks[0].arn == seen.arn => {
                        looks.push(seen);
                    }
                    _ => fleets.push((place, vec![seen])),
                }
            }
            Ok(fleets)
        })
    }

    /// Hands over every identity seen in a month.
    pub fn each_identity(
        &self,
        month: Month,
        mut each: impl FnMut(&AccountId, Identity),
    ) -> Result<(), LedgerError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT DISTINCT account, principal, session
                 FROM identity JOIN listing ON listing.id = identity.listing
                 WHERE day >= ?1 AND day < ?2 ORDER BY 1, 2, 3",
            )?;
            let bounds = (month.first_day().to_string(), month.end().to_string());
            let mut rows = query.query(bounds)?;
            while let Some(row) = rows.next()? {
                let session: String = row.get(2)?;
                let identity = Identity {
                    principal: row.get(1)?,
                    session: Some(session).filter(|session| !session.is_empty()),
                };
                each(&AccountId::new(row.get::<_, String>(0)?), identity);
            }
            Ok(())
        })
    }

    fn each(
        &self,
        sql: &str,
        month: Month,
        mut each: impl FnMut(&AccountRegion, &Row<'_>) -> SqlResult<()>,
    ) -> Result<(), LedgerError> {
        let Span(from, until) = Span::of(month);
        self.read(|connection: &Connection| {
            let mut query = connection.prepare(sql)?;
            let mut rows = query.query(params_from_iter([from, until]))?;
            while let Some(row) = rows.next()? {
                each(&place(row)?, row)?;
            }
            Ok(())
        })
    }
}

fn time(milliseconds: i64) -> SqlResult<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds).ok_or_else(|| damaged("a time out of range"))
}

fn maybe_time(milliseconds: Option<i64>) -> SqlResult<Option<DateTime<Utc>>> {
    milliseconds.map(time).transpose()
}
