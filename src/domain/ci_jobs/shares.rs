//! What jobs used: billed minutes of their builds, by which recorded usage is shared.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{CiJob, JobBuild, Join, JoinedBy, NoBuild, RunnerOf};
use crate::domain::{
    allocation::{Dimension, portions, short_name, sum_by_key},
    catalog::Catalog,
    ids::{AccountId, Currency, Region, UsageType},
    metering::{
        codebuild::{NotBilled, build_usage},
        events::AccountRegion,
        options::QueuedTime,
    },
    money::Money,
    period::Month,
    quantity::Quantity,
    rating::{Rated, RatedMonth},
    services::CODEBUILD,
    share_out::{Policy, share_money, share_quantity},
    usage::{
        Billed, ChargeKind, JOB_TAG, NO_JOB_TAG, REPOSITORY_TAG, Tags, UsageRecord, WORKFLOW_TAG,
    },
};

/// What tells jobs apart: those of one name in one workflow are one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct JobName {
    repository: String,
    workflow: Option<String>,
    name: String,
}

impl JobName {
    fn of(job: &CiJob) -> Self {
        Self {
            repository: job.repository_name(),
            workflow: job.workflow.clone(),
            name: job.name.clone(),
        }
    }
}

/// Builds of a runner that no job is known of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnclaimedBuilds {
    /// Where.
    pub place: AccountRegion,
    /// Of which project.
    pub project: String,
    /// How many.
    pub builds: u64,
    /// What they bill, by unit.
    pub billed: Vec<Quantity>,
    /// No job of this project is known at all.
    pub of_no_job: bool,
}

/// How the jobs and builds of a month came together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobSummary {
    /// Jobs of the month.
    pub jobs: u64,
    /// Of them with a build, by how that was found.
    pub joined: BTreeMap<JoinedBy, u64>,
    /// Of them without one, by reason.
    pub without_build: BTreeMap<NoBuild, u64>,
    /// Projects that such jobs ask for, and of which no build was collected.
    pub unknown_projects: BTreeSet<String>,
    /// Builds of runners without a job.
    pub without_job: Vec<UnclaimedBuilds>,
    /// Builds of jobs that ran on a fleet, whose machines are billed in their place.
    pub on_fleets: u64,
}

/// What an answer by jobs has to say of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MonthJobs {
    /// How jobs and builds came together.
    pub summary: JobSummary,
    /// How often jobs ran on builds, by the parts of the dimension that a bill is shared by.
    pub runs: BTreeMap<String, u64>,
    /// What a bill comes to by jobs and beside them, where one was shared.
    pub costs: Option<JobCosts>,
    /// It was billed: what a project was billed is shared by the billed time of its builds.
    pub is_billed: bool,
}

type Place = (String, Region, UsageType);
type Weights = BTreeMap<Option<JobName>, Decimal>;

/// By project and meter, day and account: which job billed how much.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobShares {
    weights: BTreeMap<Place, BTreeMap<(NaiveDate, AccountId), Weights>>,
    /// How often each job ran on a build of the month.
    runs: BTreeMap<JobName, u64>,
    /// Jobs are of several repositories, and named with theirs.
    many_repositories: bool,
    /// How the jobs and builds came together.
    pub summary: JobSummary,
}

impl JobShares {
    /// Adds up what the builds of a month bill, by job. Builds and jobs around the month may be among
    /// those that were joined.
    pub fn new(
        catalog: &Catalog,
        (month, queued_time): (Month, QueuedTime),
        jobs: &[CiJob],
        builds: &[JobBuild],
        joined: &Join,
        runners: &BTreeMap<(AccountRegion, String), RunnerOf>,
    ) -> Self {
        let in_month = |build: &JobBuild| month.contains(build.build.submitted.date_naive());
        let mut shares = Self::default();
        let summary = &mut shares.summary;
        let mut repositories = BTreeSet::new();
        let known: BTreeSet<&str> = builds.iter().map(|b| b.build.project.as_str()).collect();
        for (job, found) in jobs.iter().zip(&joined.jobs) {
            let is_of_month = match found {
                Ok((build, _)) => in_month(&builds[*build]),
                Err(_) => job.when().is_some_and(|at| month.contains(at.date_naive())),
            };
            if !is_of_month {
                continue;
            }
            summary.jobs += 1;
            match found {
                Ok((build, by)) => {
                    *summary.joined.entry(*by).or_default() += 1;
                    summary.on_fleets += u64::from(builds[*build].build.fleet.is_some());
                    repositories.insert(job.repository_name());
                    *shares.runs.entry(JobName::of(job)).or_default() += 1;
                }
                Err(reason) => {
                    *summary.without_build.entry(*reason).or_default() += 1;
                    let project = job.project().filter(|project| !known.contains(project));
                    if let (NoBuild::NotCollected, Some(project)) = (reason, project) {
                        summary.unknown_projects.insert(project.to_owned());
                    }
                }
            }
        }
        shares.many_repositories = repositories.len() > 1;
        let with_jobs: BTreeSet<(&AccountRegion, &str)> = builds
            .iter()
            .zip(&joined.builds)
            .filter(|(_, job)| job.is_some())
            .map(|(build, _)| (&build.place, build.build.project.as_str()))
            .collect();
        let mut without_job: BTreeMap<(&AccountRegion, &str), UnclaimedBuilds> = BTreeMap::new();
        for (build, job) in builds.iter().zip(&joined.builds) {
            if !in_month(build) {
                continue;
            }
            let usage = build_usage(catalog, queued_time, &build.build);
            let runner = (&build.place, build.build.project.as_str());
            let of_no_job = !with_jobs.contains(&runner);
            let is_runner =
                !of_no_job || runners.contains_key(&(runner.0.clone(), runner.1.to_owned()));
            if job.is_none() && is_runner {
                let unclaimed = without_job
                    .entry(runner)
                    .or_insert_with(|| UnclaimedBuilds {
                        place: runner.0.clone(),
                        project: runner.1.to_owned(),
                        builds: 0,
                        billed: Vec::new(),
                        of_no_job,
                    });
                unclaimed.builds += 1;
                if let Ok(usage) = &usage {
                    add(&mut unclaimed.billed, usage.billed);
                }
            }
            let usage = match usage {
                Ok(usage) => usage,
                Err(NotBilled::Running | NotBilled::OnFleet | NotBilled::NoMeter) => continue,
            };
            let meter = usage.compute.meter.usage_type.clone();
            let place = (
                build.build.project.clone(),
                build.place.region.clone(),
                meter,
            );
            let day = build.build.submitted.date_naive();
            let of_day = shares.weights.entry(place).or_default();
            let weights = of_day
                .entry((day, build.place.account.clone()))
                .or_default();
            let name = job.map(|job| JobName::of(&jobs[job]));
            *weights.entry(name).or_default() += usage.billed.value;
        }
        shares.summary.without_job = without_job.into_values().collect();
        shares
    }

    /// Shares recorded usage among the jobs whose builds used it, each a record of its own, without
    /// loss. The rest stays as it is. Beside each stands which record it is a part of.
    fn split(&self, records: &[UsageRecord]) -> Vec<(usize, UsageRecord)> {
        let mut split = Vec::new();
        for (at, record) in records.iter().enumerate() {
            match self.weights_of(record) {
                Some(weights) => {
                    split.extend(self.parts(record, &weights).map(|part| (at, part)));
                }
                None => split.push((at, record.clone())),
            }
        }
        split
    }

    /// Returns how often jobs ran on builds of the month, by the parts of a dimension.
    pub fn runs(&self, by: &Dimension) -> BTreeMap<String, u64> {
        let mut runs = BTreeMap::new();
        for (name, count) in &self.runs {
            let [repository, job, workflow] = self.tags(name).map(|(_, value)| value);
            let part = match by {
                Dimension::Repository => repository,
                Dimension::Workflow => workflow,
                Dimension::Job => job,
                _ => continue,
            };
            *runs.entry(part).or_default() += count;
        }
        runs
    }

    /// Shares recorded usage among the jobs whose builds used it.
    pub fn split_records(&self, records: &[UsageRecord]) -> Vec<UsageRecord> {
        let split = self.split(records).into_iter();
        split.map(|(_, record)| record).collect()
    }

    /// Shares the records of a rated month.
    pub fn split_month(&self, month: &RatedMonth) -> RatedMonth {
        let (of, records): (Vec<usize>, Vec<UsageRecord>) =
            self.split(&month.records).into_iter().unzip();
        RatedMonth {
            rated: Rated {
                bill: month.rated.bill.clone(),
                line_of: of.into_iter().map(|at| month.rated.line_of[at]).collect(),
            },
            records,
        }
    }

    /// Returns which jobs used how much on the days of a record; none where nothing is known of them.
    fn weights_of(&self, record: &UsageRecord) -> Option<Weights> {
        let is_build =
            record.kind == ChargeKind::Usage && record.key.meter.service.as_str() == CODEBUILD;
        let project = short_name(record.resource.as_ref().filter(|_| is_build)?.as_str());
        let place = (
            project,
            record.key.region.clone(),
            record.key.meter.usage_type.clone(),
        );
        let mut sum = Weights::new();
        for ((day, account), weights) in self.weights.get(&place)? {
            let is_of = (record.day..=record.last_day).contains(day)
                && record.key.account.as_ref().is_none_or(|of| of == account);
            if is_of {
                for (name, weight) in weights {
                    *sum.entry(name.clone()).or_default() += *weight;
                }
            }
        }
        let is_any = sum.values().any(|weight| !weight.is_zero());
        is_any.then_some(sum)
    }

    fn parts<'s>(
        &'s self,
        record: &'s UsageRecord,
        weights: &'s Weights,
    ) -> impl Iterator<Item = UsageRecord> + 's {
        let of: Vec<Decimal> = weights.values().copied().collect();
        let share = |quantity: Option<Quantity>| -> Vec<Option<Quantity>> {
            match quantity {
                Some(all) => share_quantity(all.value, &of)
                    .into_iter()
                    .map(|part| Some(Quantity::new(part, all.unit)))
                    .collect(),
                None => vec![None; of.len()],
            }
        };
        let quantities = share(record.quantity);
        let consumed = share(record.consumed);
        let costs = record.billed.as_ref().map(|all| share_money(all.cost, &of));
        weights.keys().enumerate().map(move |(at, name)| {
            let mut tags = (*record.tags).clone();
            match name {
                Some(name) => tags.extend(self.tags(name)),
                None => {
                    tags.insert(NO_JOB_TAG.to_owned(), "build".to_owned());
                }
            }
            UsageRecord {
                tags: Tags::new(tags),
                quantity: quantities[at],
                consumed: consumed[at],
                billed: record
                    .billed
                    .clone()
                    .zip(costs.as_ref())
                    .map(|(all, costs)| Billed {
                        cost: costs[at],
                        ..all
                    }),
                metering: record.metering.as_ref().map(Arc::clone),
                ..record.clone()
            }
        })
    }

    fn tags(&self, name: &JobName) -> [(String, String); 3] {
        let JobName {
            repository,
            workflow,
            name,
        } = name;
        let workflow = match (self.many_repositories, workflow) {
            (false, Some(workflow)) => workflow.clone(),
            (false, None) => "(workflow not stated)".to_owned(),
            (true, Some(workflow)) => format!("{repository}: {workflow}"),
            (true, None) => format!("{repository}: (workflow not stated)"),
        };
        [
            (REPOSITORY_TAG.to_owned(), repository.clone()),
            (JOB_TAG.to_owned(), format!("{workflow} / {name}")),
            (WORKFLOW_TAG.to_owned(), workflow),
        ]
    }
}

/// What a bill comes to by jobs and beside them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobCosts {
    /// What they are in.
    pub currency: Currency,
    /// Builds that ran a job.
    pub jobs: Money,
    /// Builds that no job is known of, or whose job has no build.
    pub other_builds: Money,
    /// Builds whose project the bill does not name.
    pub unnamed_builds: Money,
    /// Everything else.
    pub other: Money,
}

impl JobCosts {
    /// Adds up a month that was shared among jobs.
    pub fn of(month: &RatedMonth, policy: Policy) -> Self {
        let kind = |record: &UsageRecord| {
            let is_build =
                record.kind == ChargeKind::Usage && record.key.meter.service.as_str() == CODEBUILD;
            match (
                record.tags.contains_key(JOB_TAG),
                is_build,
                &record.resource,
            ) {
                (true, ..) => 0,
                (_, true, Some(_)) => 1,
                (_, true, None) => 2,
                _ => 3,
            }
        };
        let portions = portions(&month.rated, &month.records, policy, kind, |_| 3);
        let sums = sum_by_key(&month.rated.bill, portions);
        let cost = |kind: i32| sums.get(&kind).map(|sum| sum.cost).unwrap_or_default();
        Self {
            currency: month.rated.bill.currency.clone(),
            jobs: cost(0),
            other_builds: cost(1),
            unnamed_builds: cost(2),
            other: cost(3),
        }
    }
}

/// Adds a quantity to those of its unit.
fn add(sums: &mut Vec<Quantity>, quantity: Quantity) {
    match sums.iter_mut().find(|sum| sum.unit == quantity.unit) {
        Some(sum) => sum.value += quantity.value,
        None => sums.push(quantity),
    }
}
