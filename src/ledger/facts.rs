//! What AWS's APIs said happened: builds, runs, actions, updates, and how far each listing was read.
//!
//! A page of facts and the place the reading has come to are one transaction, so that the next
//! reading goes on where the last one ended, whatever ended it. Facts are keyed by their id: reading
//! one twice changes nothing.

use std::fmt;

use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::{Ledger, LedgerError, Replaced, SqlResult, Texts, decode, replace_slices};
use crate::{
    collect::exports::Slice,
    domain::{
        ids::{AccountId, Region},
        metering::{
            codecommit::Identity,
            observed::{Action, Build, Execution, FleetSeen, Pipeline, Place, Target},
        },
        period::Month,
    },
};

/// What is collected, one listing of AWS or several that belong together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// A whole account, where it cannot be opened.
    Account,
    /// Cost Explorer.
    CostExplorer,
    /// Builds of `CodeBuild`.
    Builds,
    /// Reserved fleets of `CodeBuild`.
    Fleets,
    /// Pipelines and their runs.
    Pipelines,
    /// Action executions of V2 pipelines.
    Actions,
    /// Deployments and their on-premises targets.
    Deployments,
    /// Identities that touched `CodeCommit`, from CloudTrail.
    Identities,
    /// Repositories of `CodeCommit`.
    Repositories,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 9] = [
        Self::Account,
        Self::CostExplorer,
        Self::Builds,
        Self::Fleets,
        Self::Pipelines,
        Self::Actions,
        Self::Deployments,
        Self::Identities,
        Self::Repositories,
    ];

    /// Returns the name used in the ledger and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::CostExplorer => "cost-explorer",
            Self::Builds => "builds",
            Self::Fleets => "fleets",
            Self::Pipelines => "pipelines",
            Self::Actions => "actions",
            Self::Deployments => "deployments",
            Self::Identities => "identities",
            Self::Repositories => "repositories",
        }
    }

    /// Reads [`Source::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Account => "everything",
            Self::CostExplorer => "Cost Explorer",
            Self::Builds => "CodeBuild builds",
            Self::Fleets => "CodeBuild fleets",
            Self::Pipelines => "CodePipeline pipelines",
            Self::Actions => "CodePipeline actions",
            Self::Deployments => "CodeDeploy deployments",
            Self::Identities => "CodeCommit users (CloudTrail)",
            Self::Repositories => "CodeCommit repositories",
        }
    }
}

/// Which source of which account and region.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Scope {
    /// Where.
    pub place: Place,
    /// What.
    pub source: Source,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { account, region } = &self.place;
        let title = self.source.title();
        if *region == Region::global() {
            return write!(f, "{title} of account {account}");
        }
        write!(f, "{title} in {region}, account {account}")
    }
}

/// How far a listing was read. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    id: i64,
    /// Everything from here...
    pub newest: Option<i64>,
    /// ...back to here was read.
    pub oldest: Option<i64>,
    /// A reading that did not come to its end.
    pub unfinished: Option<Pass>,
}

/// The earliest and the latest of some moments, in milliseconds.
pub type Stretch = (i64, i64);

/// A reading from the newest item towards older ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pass {
    /// Down to where it is to go.
    pub until: i64,
    /// The newest item it met.
    pub newest: Option<i64>,
    /// The page it would read next. AWS may have forgotten it.
    pub cursor: String,
}

/// Where a reading has come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// There is more to read.
    Reading(Pass),
    /// Everything between the two was read.
    Done {
        /// The newest item, if there is any.
        newest: Option<i64>,
        /// Down to here.
        oldest: i64,
    },
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A build, by its id. Its project is what is listed.
    Build(String, Build),
    /// A run of a pipeline, by its id, and whether it goes on. Its pipeline is what is listed.
    Execution(String, Execution, bool),
    /// An action of a run, by its id. Its pipeline is what is listed.
    Action(String, Action),
    /// A deployment, by its id; none of its targets where it costs nothing.
    Deployment {
        /// Its id.
        id: String,
        /// When it was made, in milliseconds.
        created: i64,
        /// It goes on.
        open: bool,
        /// The on-premises ones, by their names.
        targets: Vec<(String, Target)>,
    },
    /// An identity seen on a day.
    Identity(NaiveDate, Identity),
}

/// Something that could not be collected.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NotCollected {
    /// Of what.
    pub scope: Scope,
    /// Which part of it; empty for all.
    pub part: String,
    /// Why.
    pub reason: String,
}

impl NotCollected {
    /// Names what is missing.
    pub fn what(&self) -> String {
        match self.part.as_str() {
            "" => self.scope.to_string(),
            part => format!("{}: {part}", self.scope),
        }
    }
}

/// For which days a source was collected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    /// Which source.
    pub scope: Scope,
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

impl Ledger {
    /// Finds a listing of a source, or begins it.
    pub fn listing(&mut self, scope: &Scope, resource: &str) -> Result<Listing, LedgerError> {
        self.write(|transaction| {
            let key = (
                scope.place.account.as_str(),
                scope.place.region.as_str(),
                scope.source.name(),
                resource,
            );
            transaction.execute(
                "INSERT INTO listing (account, region, source, resource) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                key,
            )?;
            transaction.query_row(
                "SELECT id, newest, oldest, pass_until, pass_newest, pass_cursor FROM listing
                 WHERE account = ?1 AND region = ?2 AND source = ?3 AND resource = ?4",
                key,
                |row| {
                    let until: Option<i64> = row.get(3)?;
                    let cursor: Option<String> = row.get(5)?;
                    let pass_newest = row.get(4)?;
                    Ok(Listing {
                        id: row.get(0)?,
                        newest: row.get(1)?,
                        oldest: row.get(2)?,
                        unfinished: until.zip(cursor).map(|(until, cursor)| Pass {
                            until,
                            newest: pass_newest,
                            cursor,
                        }),
                    })
                },
            )
        })
    }

    /// Keeps a page of facts and where the reading has come to, both or neither.
    pub fn keep_page(
        &mut self,
        listing: &Listing,
        facts: &[Fact],
        progress: &Progress,
    ) -> Result<(), LedgerError> {
        self.write(|transaction| {
            keep_facts(transaction, listing.id, facts)?;
            match progress {
                Progress::Reading(pass) => transaction.execute(
                    "UPDATE listing SET pass_until = ?2, pass_newest = ?3, pass_cursor = ?4
                     WHERE id = ?1",
                    (listing.id, pass.until, pass.newest, &pass.cursor),
                )?,
                Progress::Done { newest, oldest } => transaction.execute(
                    "UPDATE listing SET newest = nullif(max(ifnull(newest, -1), ifnull(?2, -1)), -1),
                            oldest = min(ifnull(oldest, ?3), ?3),
                            pass_until = NULL, pass_newest = NULL, pass_cursor = NULL
                     WHERE id = ?1",
                    (listing.id, newest, oldest),
                )?,
            };
            Ok(())
        })
    }

    /// Keeps facts of a listing without moving it: things that were open when they were read.
    pub fn keep_again(&mut self, listing: &Listing, facts: &[Fact]) -> Result<(), LedgerError> {
        self.write(|transaction| keep_facts(transaction, listing.id, facts))
    }

    /// Returns which of the builds are not known to have ended, and the earliest and latest
    /// submission of the others.
    pub fn unknown_builds(
        &self,
        listing: &Listing,
        ids: &[String],
    ) -> Result<(Vec<String>, Option<Stretch>), LedgerError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT submitted FROM build WHERE listing = ?1 AND id = ?2 AND ended IS NOT NULL",
            )?;
            let mut unknown = Vec::new();
            let mut known: Option<Stretch> = None;
            for id in ids {
                match find
                    .query_row((listing.id, id), |row| row.get::<_, i64>(0))
                    .optional()?
                {
                    Some(at) => {
                        known = Some(known.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
                    }
                    None => unknown.push(id.clone()),
                }
            }
            Ok((unknown, known))
        })
    }

    /// Returns the builds of a listing that had not ended when they were read.
    pub fn open_builds(&self, listing: &Listing) -> Result<Vec<String>, LedgerError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT id FROM build WHERE listing = ?1 AND ended IS NULL AND gone = 0 ORDER BY id",
            )?;
            find.query_map([listing.id], |row| row.get(0))?.collect()
        })
    }

    /// Notes that AWS no longer has these builds.
    pub fn builds_gone(&mut self, listing: &Listing, ids: &[String]) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let mut update =
                transaction.prepare("UPDATE build SET gone = 1 WHERE listing = ?1 AND id = ?2")?;
            for id in ids {
                update.execute((listing.id, id))?;
            }
            Ok(())
        })
    }

    /// Returns the start of the oldest run, action or deployment of a listing that went on.
    pub fn oldest_open(&self, listing: &Listing) -> Result<Option<i64>, LedgerError> {
        self.read(|connection| {
            connection.query_row(
                "SELECT min(at) FROM (
                    SELECT min(started) AS at FROM execution WHERE listing = ?1 AND open
                    UNION ALL SELECT min(started) FROM action WHERE listing = ?1 AND ended IS NULL
                    UNION ALL SELECT min(created) FROM deployment WHERE listing = ?1 AND open)",
                [listing.id],
                |row| row.get(0),
            )
        })
    }

    /// Returns which of the deployments are not known to be over.
    pub fn unknown_deployments(
        &self,
        listing: &Listing,
        ids: &[String],
    ) -> Result<Vec<String>, LedgerError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT 1 FROM deployment WHERE listing = ?1 AND id = ?2 AND NOT open",
            )?;
            let mut unknown = Vec::new();
            for id in ids {
                if !find.exists((listing.id, id))? {
                    unknown.push(id.clone());
                }
            }
            Ok(unknown)
        })
    }

    /// Keeps the pipelines of a place as they are now.
    pub fn keep_pipelines(
        &mut self,
        place: &Place,
        pipelines: &[Pipeline],
    ) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let mut add = transaction.prepare(
                "INSERT INTO pipeline VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET kind = excluded.kind, created = excluded.created",
            )?;
            for pipeline in pipelines {
                add.execute((
                    place.account.as_str(),
                    place.region.as_str(),
                    &pipeline.name,
                    &pipeline.kind,
                    pipeline.created.map(|at| at.timestamp_millis()),
                ))?;
            }
            Ok(())
        })
    }

    /// Keeps what fleets were seen to be.
    pub fn keep_fleets(&mut self, place: &Place, fleets: &[FleetSeen]) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let mut add = transaction.prepare(
                "INSERT INTO fleet VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO UPDATE SET since = excluded.since, machines = excluded.machines,
                    compute = excluded.compute, overflows = excluded.overflows",
            )?;
            for fleet in fleets {
                add.execute(params![
                    place.account.as_str(),
                    place.region.as_str(),
                    fleet.arn,
                    fleet.seen.timestamp_millis(),
                    fleet.created.map(|at| at.timestamp_millis()),
                    fleet.since.map(|at| at.timestamp_millis()),
                    fleet.machines,
                    fleet.compute,
                    fleet.overflows,
                ])?;
            }
            Ok(())
        })
    }

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
        slices: &[Slice],
        is_final: bool,
    ) -> Result<Vec<Replaced>, LedgerError> {
        self.write(|transaction| {
            let replaced = replace_slices(transaction, slices)?;
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

    fn write<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> SqlResult<T>,
    ) -> Result<T, LedgerError> {
        let failed = |error| LedgerError::of(&self.path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let done = write(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }
}

fn keep_facts(transaction: &Transaction<'_>, listing: i64, facts: &[Fact]) -> SqlResult<()> {
    let mut texts = Texts::new(transaction)?;
    for fact in facts {
        match fact {
            Fact::Build(id, build) => {
                let compute = texts.id(&build.compute)?;
                let mut text = |value: &Option<String>| match value {
                    Some(value) => texts.id(value).map(Some),
                    None => Ok(None),
                };
                let (fleet, pipeline) = (text(&build.fleet)?, text(&build.pipeline)?);
                let status = text(&build.status)?;
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO build VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)",
                    )?
                    .execute(params![
                        listing,
                        id,
                        build.submitted.timestamp_millis(),
                        build.provisioned.map(|at| at.timestamp_millis()),
                        build.ended.map(|at| at.timestamp_millis()),
                        compute,
                        fleet,
                        pipeline,
                        status,
                    ])?;
            }
            Fact::Execution(id, run, open) => {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO execution VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        listing,
                        id,
                        run.started.timestamp_millis(),
                        run.revisions,
                        run.rollback,
                        open,
                    ])?;
            }
            Fact::Action(id, action) => {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO action VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        listing,
                        id,
                        action.started.timestamp_millis(),
                        action.ended.map(|at| at.timestamp_millis()),
                        action.category,
                        action.owner,
                    ])?;
            }
            Fact::Deployment {
                id,
                created,
                open,
                targets,
            } => {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO deployment VALUES (?1, ?2, ?3, ?4)")?
                    .execute((listing, id, created, open))?;
                let mut add = transaction.prepare_cached(
                    "INSERT OR REPLACE INTO target VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?;
                for (name, target) in targets {
                    add.execute((
                        listing,
                        id,
                        name,
                        &target.application,
                        target.day.to_string(),
                        &target.status,
                    ))?;
                }
            }
            Fact::Identity(day, identity) => {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO identity VALUES (?1, ?2, ?3, ?4)")?
                    .execute((
                        listing,
                        day.to_string(),
                        &identity.principal,
                        identity.session.as_deref().unwrap_or_default(),
                    ))?;
            }
        }
    }
    Ok(())
}

fn scope_key(scope: &Scope) -> (&str, &str, &'static str) {
    (
        scope.place.account.as_str(),
        scope.place.region.as_str(),
        scope.source.name(),
    )
}

/// Reads the account and region that a row begins with.
pub(super) fn place(row: &Row<'_>) -> SqlResult<Place> {
    Ok(Place {
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
