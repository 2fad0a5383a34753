//! CI jobs beside the builds that ran them: joined whenever somebody asks, from what the ledger has.

use std::collections::BTreeMap;

use super::{App, AppError};
use crate::{
    domain::{
        allocation::Dimension,
        ci_jobs::{JobBuild, JobShares, join},
        metering::options::QueuedTime,
        period::Month,
        rating::RatedMonth,
        usage::UsageRecord,
    },
    ledger::Ledger,
};

impl App {
    /// Returns what the jobs of a month used. A month without jobs is an error: all of it would belong to
    /// none.
    pub(super) fn job_shares(
        &self,
        ledger: &Ledger,
        month: Month,
        queued_time: QueuedTime,
    ) -> Result<JobShares, AppError> {
        let shares = self.known_job_shares(ledger, month, queued_time)?;
        if shares.summary.jobs == 0 {
            let known = ledger.known_jobs()?;
            return Err(AppError::NoJobs { month, known });
        }
        Ok(shares)
    }

    fn known_job_shares(
        &self,
        ledger: &Ledger,
        month: Month,
        queued_time: QueuedTime,
    ) -> Result<JobShares, AppError> {
        let jobs = ledger.jobs_around(month)?;
        let mut builds = Vec::new();
        // A job may run on a build of the day before or after.
        for month in [month.previous(), month, month.next()] {
            ledger.each_build(month, |place, id, build| {
                builds.push(JobBuild {
                    place: place.clone(),
                    id: id.to_owned(),
                    build: build.clone(),
                });
            })?;
        }
        builds.sort_by(|a, b| (&a.id, &a.place).cmp(&(&b.id, &b.place)));
        let joined = join(&jobs, &builds);
        let runners = ledger.runners()?;
        let of = (month, queued_time);
        Ok(JobShares::new(
            &self.catalog,
            of,
            &jobs,
            &builds,
            &joined,
            &runners,
        ))
    }

    /// Shares a rated month among jobs, where it is asked for by them.
    pub(super) fn month_by_jobs(
        &self,
        ledger: &Ledger,
        rated: &RatedMonth,
        by: Option<&Dimension>,
        queued_time: Option<QueuedTime>,
    ) -> Result<Option<(RatedMonth, JobShares)>, AppError> {
        if !by.is_some_and(Dimension::is_of_jobs) {
            return Ok(None);
        }
        let queued = queued_time.unwrap_or_default();
        let shares = self.job_shares(ledger, rated.rated.bill.month, queued)?;
        Ok(Some((shares.split_month(rated), shares)))
    }

    /// Shares rated months among jobs, as far as these are known: of one of them at least.
    pub(super) fn months_by_jobs(
        &self,
        ledger: &mut Ledger,
        months: &[RatedMonth],
    ) -> Result<Vec<RatedMonth>, AppError> {
        let first = months.iter().map(|month| month.rated.bill.month).min();
        if let Some(first) = first {
            self.add_sample_facts(ledger, first.previous())?;
        }
        let (mut split, mut jobs) = (Vec::new(), 0);
        for rated in months {
            let month = rated.rated.bill.month;
            let shares = self.known_job_shares(ledger, month, QueuedTime::default())?;
            jobs += shares.summary.jobs;
            split.push(shares.split_month(rated));
        }
        match months.last().map(|month| month.rated.bill.month) {
            Some(month) if jobs == 0 => {
                let known = ledger.known_jobs()?;
                Err(AppError::NoJobs { month, known })
            }
            _ => Ok(split),
        }
    }

    /// Shares records of several months among jobs, as far as these are known.
    pub(super) fn records_by_jobs(
        &self,
        ledger: &Ledger,
        records: &[UsageRecord],
    ) -> Result<Vec<UsageRecord>, AppError> {
        let mut months: BTreeMap<Month, Vec<UsageRecord>> = BTreeMap::new();
        for record in records {
            months.entry(record.month).or_default().push(record.clone());
        }
        let (mut split, mut jobs) = (Vec::new(), 0);
        for (month, records) in &months {
            let shares = self.known_job_shares(ledger, *month, QueuedTime::default())?;
            jobs += shares.summary.jobs;
            split.extend(shares.split_records(records));
        }
        match months.keys().last() {
            Some(&month) if jobs == 0 => {
                let known = ledger.known_jobs()?;
                Err(AppError::NoJobs { month, known })
            }
            _ => Ok(split),
        }
    }
}
