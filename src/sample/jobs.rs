//! The jobs of GitHub Actions that one project of the sample organization runs, one build each.
//!
//! Most are found by the name of their runner, some by label and time. A build has no job, and some jobs
//! have no build, as it is with everybody.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::Resource;
use crate::domain::{ci_jobs::CiJob, metering::events::Build};

/// The project that runs them.
pub(super) const RUNNER: &str = "storefront-preview";

/// How many of a hundred builds run which job.
const JOBS: [(i64, &str, &str); 5] = [
    (30, "Pull request", "unit (node 22)"),
    (25, "Pull request", "unit (node 24)"),
    (27, "Pull request", "preview"),
    (12, "Pull request", "accessibility"),
    (6, "Release", "smoke test"),
];

/// Returns the jobs of a day, given its builds with their ids.
pub(super) fn of_day<'b>(
    resource: &Resource,
    day: NaiveDate,
    builds: impl Iterator<Item = (&'b str, &'b Build)>,
) -> Vec<CiJob> {
    let mut jobs = Vec::new();
    for (event, (id, build)) in (0_i64..).zip(builds) {
        let chance = |salt: i64| resource.roll(0, day, 20_000_000 + 10 * event + salt, 100);
        // A runner that lost its session ran nothing, and is billed all the same.
        if chance(0) < 2 {
            continue;
        }
        let (mut left, mut found) = (chance(1), JOBS[0]);
        for job in JOBS {
            found = job;
            left -= job.0;
            if left < 0 {
                break;
            }
        }
        let (_, workflow, name) = found;
        let started = build.provisioned.unwrap_or(build.submitted) + TimeDelta::seconds(3);
        let uuid = id.split_once(':').map_or(id, |(_, uuid)| uuid);
        let conclusion = match build.status.as_deref() {
            Some("SUCCEEDED") => "success",
            _ => "failure",
        };
        jobs.push(CiJob {
            runner: (chance(2) >= 5).then(|| uuid.to_owned()),
            created: Some(build.submitted - TimeDelta::seconds(5)),
            started: Some(started),
            completed: build.ended.map(|ended| ended - TimeDelta::seconds(2)),
            conclusion: Some(conclusion.to_owned()),
            ..job(day, event, workflow, name)
        });
        // What else a run has: a job elsewhere, and one that is left out.
        if event == 0 {
            let beside = |at: i64, name: &str, conclusion: &str| CiJob {
                labels: vec!["ubuntu-latest".to_owned()],
                created: Some(started),
                started: Some(started),
                completed: Some(started + TimeDelta::seconds(at)),
                conclusion: Some(conclusion.to_owned()),
                runner: (at > 0).then(|| "GitHub Actions 17".to_owned()),
                ..job(day, 900 + at, "Pull request", name)
            };
            jobs.push(beside(41, "title", "success"));
            jobs.push(beside(0, "publish", "skipped"));
        }
    }
    jobs
}

fn job(day: NaiveDate, event: i64, workflow: &str, name: &str) -> CiJob {
    let number = i64::from(day.num_days_from_ce()) * 1000 + event;
    let id = number.unsigned_abs();
    // Four jobs a run.
    let run = 18_000_000_000 + id / 4;
    CiJob {
        host: "github.com".to_owned(),
        repository: "northpay/storefront".to_owned(),
        run,
        attempt: 1,
        id: 51_000_000_000 + id,
        workflow: Some(workflow.to_owned()),
        name: name.to_owned(),
        runner: None,
        labels: vec![format!("codebuild-{RUNNER}-{run}-1")],
        created: None::<DateTime<Utc>>,
        started: None,
        completed: None,
        status: Some("completed".to_owned()),
        conclusion: None,
    }
}
