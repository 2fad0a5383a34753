//! Jobs of CI systems as they were imported, and which projects run them. Nothing is joined here:
//! which comes first, the jobs or the builds, makes no difference.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{
    Ledger, LedgerError, SqlResult, count,
    coverage::place,
    damaged, decode,
    larger::Smaller,
    write::{Texts, replace_slices},
};
use crate::domain::{
    ci_jobs::{CiJob, RunnerOf},
    import::{Delivery, JobsKept, Replaced},
    metering::events::AccountRegion,
    period::Month,
};

/// The columns of a job, in the order in which they are read.
const COLUMNS: &str = "host.value, repository.value, run, attempt, ci_job.id, workflow.value,
    name.value, runner, labels, created, started, completed, status, conclusion
    FROM ci_job JOIN text AS host ON host.id = ci_job.host
    JOIN text AS repository ON repository.id = ci_job.repository
    JOIN text AS name ON name.id = ci_job.name
    LEFT JOIN text AS workflow ON workflow.id = ci_job.workflow";

impl Ledger {
    /// Puts what files say into the ledger, all or none: charges in place of those it has of them,
    /// jobs in place of what it knew of them.
    pub fn keep_delivery(
        &mut self,
        delivery: &Delivery,
    ) -> Result<(Vec<Replaced>, Vec<JobsKept>), LedgerError> {
        let smaller = if delivery.may_be_smaller {
            Smaller::IsRight
        } else {
            Smaller::IsSuspect
        };
        self.write(|transaction| {
            let replaced = replace_slices(transaction, &delivery.slices, smaller)?;
            Ok((replaced, keep_jobs(transaction, &delivery.jobs)?))
        })
    }

    /// Returns how many jobs the ledger has, and from which day to which.
    pub fn known_jobs(&self) -> Result<Option<(u64, NaiveDate, NaiveDate)>, LedgerError> {
        self.read(|connection| {
            connection.query_row(
                "SELECT count(*), min(coalesce(started, created, completed)),
                        max(coalesce(started, created, completed)) FROM ci_job",
                [],
                |row| {
                    let day = |at: Option<i64>| at.map(time).transpose();
                    let (first, last) = (day(row.get(1)?)?, day(row.get(2)?)?);
                    let (first, last) = match (first, last) {
                        (Some(first), Some(last)) => (first.date_naive(), last.date_naive()),
                        _ => return Ok(None),
                    };
                    Ok(Some((count(row, 0)?, first, last)))
                },
            )
        })
    }

    /// Returns the jobs of a month and of the days around it, in order.
    pub fn jobs_around(&self, month: Month) -> Result<Vec<CiJob>, LedgerError> {
        let from = midnight(month.first_day()) - AROUND;
        let until = midnight(month.end()) + AROUND;
        self.read(|connection| {
            let mut query = connection.prepare(&format!(
                "SELECT {COLUMNS} WHERE coalesce(started, created, completed) >= ?1
                 AND coalesce(started, created, completed) < ?2 ORDER BY 1, 2, 3, 4, 5"
            ))?;
            query.query_map((from, until), job)?.collect()
        })
    }

    /// Keeps which projects of a place run jobs of whom, in place of what was known of them.
    pub fn keep_runners(
        &mut self,
        place: &AccountRegion,
        runners: &[(String, RunnerOf)],
    ) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let (account, region) = (place.account.as_str(), place.region.as_str());
            transaction.execute(
                "DELETE FROM runner WHERE account = ?1 AND region = ?2",
                (account, region),
            )?;
            let mut add = transaction.prepare("INSERT INTO runner VALUES (?1, ?2, ?3, ?4)")?;
            for (project, of) in runners {
                add.execute((account, region, project, of.name()))?;
            }
            Ok(())
        })
    }

    /// Returns the projects that run jobs, and of whom.
    pub fn runners(&self) -> Result<BTreeMap<(AccountRegion, String), RunnerOf>, LedgerError> {
        self.read(|connection| {
            let mut query =
                connection.prepare("SELECT account, region, project, runs_for FROM runner")?;
            query
                .query_map([], |row| {
                    let of = decode(row.get_ref(3)?.as_str()?, RunnerOf::from_name)?;
                    Ok(((place(row)?, row.get(2)?), of))
                })?
                .collect()
        })
    }
}

/// Jobs wait, run and end on other days than their builds are billed for: so many milliseconds before and
/// after a month are looked at, too.
const AROUND: i64 = 36 * 60 * 60 * 1000;

fn midnight(day: NaiveDate) -> i64 {
    let midnight = day.and_hms_opt(0, 0, 0).expect("midnight exists");
    midnight.and_utc().timestamp_millis()
}

fn time(milliseconds: i64) -> SqlResult<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds).ok_or_else(|| damaged("a time out of range"))
}

fn job(row: &Row<'_>) -> SqlResult<CiJob> {
    let time = |at| row.get::<_, Option<i64>>(at)?.map(time).transpose();
    let labels: String = row.get(8)?;
    Ok(CiJob {
        host: row.get(0)?,
        repository: row.get(1)?,
        run: count(row, 2)?,
        attempt: count(row, 3)?,
        id: count(row, 4)?,
        workflow: row.get(5)?,
        name: row.get(6)?,
        runner: row.get(7)?,
        labels: decode(&labels, |text| serde_json::from_str(text).ok())?,
        created: time(9)?,
        started: time(10)?,
        completed: time(11)?,
        status: row.get(12)?,
        conclusion: row.get(13)?,
    })
}

/// Keeps jobs, and tells by repository what was new. A job that is done does not become one that runs.
fn keep_jobs(transaction: &Transaction<'_>, jobs: &[CiJob]) -> SqlResult<Vec<JobsKept>> {
    let mut kept: BTreeMap<String, JobsKept> = BTreeMap::new();
    let mut texts = Texts::new(transaction)?;
    let mut find = transaction.prepare(&format!(
        "SELECT {COLUMNS} WHERE ci_job.host = ?1 AND ci_job.repository = ?2
         AND ci_job.id = ?3 AND attempt = ?4"
    ))?;
    let mut put = transaction.prepare(
        "INSERT OR REPLACE INTO ci_job
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for job in jobs {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (host, repository) = (texts.id(&job.host)?, texts.id(&job.repository)?);
        let key = (host, repository, number(job.id), number(job.attempt));
        let known = find.query_row(key, self::job).optional()?;
        let of = kept
            .entry(job.repository_name())
            .or_insert_with(|| JobsKept {
                repository: job.repository_name(),
                ..JobsKept::default()
            });
        of.jobs += 1;
        if let Some(day) = job.when().map(|at| at.date_naive()) {
            of.days = Some(
                of.days
                    .map_or((day, day), |(first, last)| (first.min(day), last.max(day))),
            );
        }
        match known {
            None => of.new += 1,
            Some(known) if known == *job => {
                of.unchanged += 1;
                continue;
            }
            Some(known) if known.completed.is_some() && job.completed.is_none() => {
                of.unchanged += 1;
                continue;
            }
            Some(_) => of.changed += 1,
        }
        let workflow = match &job.workflow {
            Some(workflow) => Some(texts.id(workflow)?),
            None => None,
        };
        let name = texts.id(&job.name)?;
        let labels = serde_json::to_string(&job.labels).expect("texts are JSON");
        let time = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_millis());
        put.execute(params![
            host,
            repository,
            key.2,
            key.3,
            number(job.run),
            workflow,
            name,
            job.runner,
            labels,
            time(job.created),
            time(job.started),
            time(job.completed),
            job.status,
            job.conclusion,
        ])?;
    }
    Ok(kept.into_values().collect())
}
