//! What AWS's APIs said happened: builds, runs, actions, updates, and how far each listing was read.
//!
//! A page of facts and the place the reading has come to are one transaction, so that the next
//! reading goes on where the last one ended, whatever ended it. Facts are keyed by their id: reading
//! one twice changes nothing.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Ledger, LedgerError, SqlResult, coverage::scope_key, write::Texts};
use crate::domain::{
    collection::Scope,
    metering::{
        codecommit::Identity,
        from_events::{
            AccountRegion, Action, Build, Execution, FleetSeen, Pipeline, Sandbox, StartedBy,
            Target,
        },
    },
};

/// How far a listing was read. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    id: i64,
    /// What is listed; empty if it is everything of the source.
    resource: String,
    /// Everything from here...
    pub newest: Option<i64>,
    /// ...back to here was read.
    pub oldest: Option<i64>,
    /// A reading that did not come to its end.
    pub unfinished: Option<Pass>,
}

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
    /// A build, by its id. It is kept with those of its project.
    Build(String, Build),
    /// A sandbox, by its id.
    Sandbox(String, Sandbox),
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
                        resource: resource.to_owned(),
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
            keep_facts(transaction, listing, facts)?;
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
        self.write(|transaction| keep_facts(transaction, listing, facts))
    }

    /// Returns when builds of a source were submitted and whether they are known to have ended, as
    /// far as they are known at all.
    pub fn known_builds(
        &self,
        scope: &Scope,
        ids: &[String],
    ) -> Result<BTreeMap<String, (i64, bool)>, LedgerError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT submitted, ended IS NOT NULL FROM listing
                 JOIN build ON build.listing = listing.id AND build.id = ?5
                 WHERE account = ?1 AND region = ?2 AND source = ?3 AND resource = ?4",
            )?;
            let (account, region, source) = scope_key(scope);
            let mut known = BTreeMap::new();
            for id in ids {
                let found = find
                    .query_row((account, region, source, project_of(id), id), |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()?;
                known.extend(found.map(|found| (id.clone(), found)));
            }
            Ok(known)
        })
    }

    /// Returns the builds of a source that had not ended when they were read.
    pub fn open_builds(&self, scope: &Scope) -> Result<Vec<String>, LedgerError> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT build.id FROM listing JOIN build ON build.listing = listing.id
                 WHERE account = ?1 AND region = ?2 AND source = ?3 AND ended IS NULL AND gone = 0
                 ORDER BY resource, build.id",
            )?;
            find.query_map(scope_key(scope), |row| row.get(0))?
                .collect()
        })
    }

    /// Notes that AWS no longer has these builds.
    pub fn builds_gone(&mut self, scope: &Scope, ids: &[String]) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let mut update = transaction.prepare(
                "UPDATE build SET gone = 1 WHERE id = ?5 AND listing = (SELECT id FROM listing
                 WHERE account = ?1 AND region = ?2 AND source = ?3 AND resource = ?4)",
            )?;
            let (account, region, source) = scope_key(scope);
            for id in ids {
                update.execute((account, region, source, project_of(id), id))?;
            }
            Ok(())
        })
    }

    /// Returns which of the sandboxes are not known to have ended.
    pub fn unknown_sandboxes(
        &self,
        listing: &Listing,
        ids: &[String],
    ) -> Result<Vec<String>, LedgerError> {
        self.read(|connection| {
            let known =
                "SELECT 1 FROM sandbox WHERE listing = ?1 AND id = ?2 AND ended IS NOT NULL";
            unknown(connection, known, listing, ids)
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
            let known = "SELECT 1 FROM deployment WHERE listing = ?1 AND id = ?2 AND NOT open";
            unknown(connection, known, listing, ids)
        })
    }

    /// Keeps the pipelines of a place as they are now.
    pub fn keep_pipelines(
        &mut self,
        place: &AccountRegion,
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
    pub fn keep_fleets(
        &mut self,
        place: &AccountRegion,
        fleets: &[FleetSeen],
    ) -> Result<(), LedgerError> {
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

    pub(super) fn write<T>(
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

/// Returns which ids a query does not find.
fn unknown(
    connection: &Connection,
    known: &str,
    listing: &Listing,
    ids: &[String],
) -> SqlResult<Vec<String>> {
    let mut find = connection.prepare_cached(known)?;
    let mut unknown = Vec::new();
    for id in ids {
        if !find.exists((listing.id, id))? {
            unknown.push(id.clone());
        }
    }
    Ok(unknown)
}

/// The id of a build is its project and one word more.
fn project_of(id: &str) -> &str {
    id.rsplit_once(':').map_or("", |(project, _)| project)
}

/// Returns the listing of a project beside the one that a build was met in, so that a build is kept
/// once wherever it is met.
fn listing_of_project(
    transaction: &Transaction<'_>,
    listing: &Listing,
    project: &str,
) -> SqlResult<i64> {
    if listing.resource == project {
        return Ok(listing.id);
    }
    transaction
        .prepare_cached(
            "INSERT INTO listing (account, region, source, resource)
             SELECT account, region, source, ?2 FROM listing WHERE id = ?1 ON CONFLICT DO NOTHING",
        )?
        .execute((listing.id, project))?;
    transaction
        .prepare_cached(
            "SELECT other.id FROM listing JOIN listing AS other USING (account, region, source)
             WHERE listing.id = ?1 AND other.resource = ?2",
        )?
        .query_row((listing.id, project), |row| row.get(0))
}

fn keep_facts(transaction: &Transaction<'_>, of: &Listing, facts: &[Fact]) -> SqlResult<()> {
    let listing = of.id;
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
                        "INSERT OR REPLACE INTO build
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11, ?12)",
                    )?
                    .execute(params![
                        listing_of_project(transaction, of, project_of(id))?,
                        id,
                        build.submitted.timestamp_millis(),
                        build.provisioned.map(|at| at.timestamp_millis()),
                        build.ended.map(|at| at.timestamp_millis()),
                        compute,
                        fleet,
                        pipeline,
                        build.docker_server,
                        status,
                        build.started_by.map(StartedBy::name),
                        build.auto_retry,
                    ])?;
            }
            Fact::Sandbox(id, sandbox) => {
                let fleet = match &sandbox.fleet {
                    Some(fleet) => Some(texts.id(fleet)?),
                    None => None,
                };
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO sandbox VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute((
                        listing,
                        id,
                        &sandbox.project,
                        sandbox.began.timestamp_millis(),
                        sandbox.ended.map(|at| at.timestamp_millis()),
                        fleet,
                    ))?;
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
