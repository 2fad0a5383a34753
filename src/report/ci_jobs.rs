//! CI jobs beside the builds that ran them, for programs.

use super::value::{Measure, object};
use crate::domain::ci_jobs::{JobSummary, JoinedBy};

object! {
    /// How the CI jobs of a month and the builds that ran them came together.
    pub struct CiJobs {
        /// Jobs of the month.
        jobs: u64,
        /// Of them joined to a build by the name of their runner.
        joined_by_runner: u64,
        /// Of them joined to a build by their label and time.
        joined_by_label: u64,
        /// Of them without a build, by reason.
        without_build: Vec<JobsWithoutBuild>,
        /// Builds of runners that no job is known of.
        builds_without_job: Vec<BuildsWithoutJob>,
    }
}

object! {
    /// Jobs that have no build.
    pub struct JobsWithoutBuild {
        /// Why: `no_build_collected`, `several_builds_fit`, `ran_in_an_earlier_attempt`, `never_ran` or
        /// `not_on_codebuild`.
        reason: &'static str,
        /// How many.
        jobs: u64,
    }
}

object! {
    /// Builds of one runner that no job is known of, and what they bill.
    pub struct BuildsWithoutJob {
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// The project.
        project: String,
        /// How many.
        builds: u64,
        /// What they bill, by unit.
        billed: Vec<BilledTime>,
    }
}

object! {
    /// Time that builds bill.
    pub struct BilledTime {
        /// How much.
        quantity: Measure,
        /// In what.
        unit: &'static str,
    }
}

impl CiJobs {
    /// Returns what a program is told of a month's jobs.
    pub(super) fn of(summary: &JobSummary) -> Self {
        let joined = |by| summary.joined.get(&by).copied().unwrap_or_default();
        let without_build = summary.without_build.iter();
        let without_job = summary.without_job.iter();
        Self {
            jobs: summary.jobs,
            joined_by_runner: joined(JoinedBy::Runner),
            joined_by_label: joined(JoinedBy::Label),
            without_build: without_build
                .map(|(reason, jobs)| JobsWithoutBuild {
                    reason: reason.code(),
                    jobs: *jobs,
                })
                .collect(),
            builds_without_job: without_job
                .map(|of| BuildsWithoutJob {
                    account: of.place.account.to_string(),
                    region: of.place.region.to_string(),
                    project: of.project.clone(),
                    builds: of.builds,
                    billed: of
                        .billed
                        .iter()
                        .map(|billed| BilledTime {
                            quantity: Measure(*billed),
                            unit: billed.unit.name(),
                        })
                        .collect(),
                })
                .collect(),
        }
    }
}
