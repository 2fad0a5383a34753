use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::domain::{
    ids::{AccountId, Region},
    metering::events::{AccountRegion, Build},
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn place() -> AccountRegion {
    AccountRegion {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    }
}

/// A job of CI that asks for a project, runs from minute to minute of an hour, and was made two
/// minutes before.
fn job(id: u64, project: &str, from: i64, to: i64) -> CiJob {
    let hour = at("2026-10-05T10:00:00Z");
    let minute = |minute| Some(hour + TimeDelta::minutes(minute));
    CiJob {
        host: "github.com".to_owned(),
        repository: "octo-org/octo-repo".to_owned(),
        run: 29_679_449,
        attempt: 1,
        id,
        workflow: Some("CI".to_owned()),
        name: format!("job {id}"),
        runner: None,
        labels: vec![format!("codebuild-{project}-29679449-1")],
        created: minute(from - 2),
        started: minute(from),
        completed: minute(to),
        status: Some("completed".to_owned()),
        conclusion: Some("success".to_owned()),
    }
}

/// A build from minute to minute of the same hour, submitted a minute before.
fn build(project: &str, uuid: u8, from: i64, to: i64) -> JobBuild {
    let hour = at("2026-10-05T10:00:00Z");
    let minute = |minute| hour + TimeDelta::minutes(minute);
    JobBuild {
        place: place(),
        id: format!("{project}:{uuid:08x}-0000-4000-8000-000000000000"),
        build: Build {
            project: project.to_owned(),
            submitted: minute(from - 1),
            provisioned: Some(minute(from)),
            ended: Some(minute(to)),
            compute: "LINUX_CONTAINER/BUILD_GENERAL1_SMALL".to_owned(),
            fleet: None,
            pipeline: None,
            docker_server: false,
            status: Some("SUCCEEDED".to_owned()),
            started_by: None,
            auto_retry: false,
        },
    }
}

fn named(uuid: u8, job: CiJob) -> CiJob {
    let runner = Some(format!("{uuid:08x}-0000-4000-8000-000000000000"));
    CiJob { runner, ..job }
}

#[test]
fn the_label_names_the_project_whatever_stands_after_it() {
    // As AWS's user guide and public workflows write them.
    for (label, project) in [
        ("codebuild-myProject-29679449-1", Some("myProject")),
        ("codebuild-my-project-2-29679449-12", Some("my-project-2")),
        ("codebuild-p-29679449-1-arm-3.0-small", Some("p")),
        ("codebuild-p-29679449-1 instance-size:large", Some("p")),
        ("image:arm-3.0 codebuild-p-29679449-2", Some("p")),
        ("codebuild-29679449-29679449-1", Some("29679449")),
        ("codebuild-without-a-run", Some("without-a-run")),
        ("codebuild-", None),
        ("ubuntu-latest", None),
        ("my-codebuild-p", None),
    ] {
        let job = CiJob {
            labels: vec!["self-hosted".to_owned(), label.to_owned()],
            ..job(1, "x", 0, 1)
        };
        assert_eq!(job.project(), project, "{label}");
    }
}

#[test]
fn a_runner_is_named_after_its_build_and_time_is_not_asked() {
    let builds = [build("p", 1, 0, 5), build("p", 2, 0, 5)];
    let jobs = [named(2, job(1, "p", 50, 55)), named(1, job(2, "p", 51, 55))];
    let joined = join(&jobs, &builds);
    assert_eq!(joined.jobs[0], Ok((1, JoinedBy::Runner)));
    assert_eq!(joined.jobs[1], Ok((0, JoinedBy::Runner)));
    let whole = CiJob {
        runner: Some(builds[0].id.clone()),
        ..job(3, "p", 0, 1)
    };
    assert_eq!(join(&[whole], &builds).jobs[0], Ok((0, JoinedBy::Runner)));
}

#[test]
fn what_one_build_only_fits_is_joined_by_label_and_leaves_the_rest_a_choice_less() {
    let builds = [
        build("p", 1, 2, 5),
        build("p", 2, 3, 9),
        build("q", 3, 0, 9),
    ];
    // The second ran on to minute eight: one build only lasts so long. Then one is left for the first.
    let jobs = [job(1, "p", 3, 4), job(2, "p", 3, 8)];
    let joined = join(&jobs, &builds);
    assert_eq!(
        joined.jobs,
        [Ok((0, JoinedBy::Label)), Ok((1, JoinedBy::Label))]
    );
    assert_eq!(joined.builds, [Some(0), Some(1), None]);
    // Two that fit the same two builds are not guessed.
    let jobs = [job(1, "p", 3, 4), job(2, "p", 3, 4)];
    let joined = join(&jobs, &builds);
    assert_eq!(joined.jobs, [Err(NoBuild::Ambiguous); 2]);
    // Nor are two that fit one.
    let joined = join(&jobs, &builds[..1]);
    assert_eq!(joined.jobs, [Err(NoBuild::Ambiguous); 2]);
}

#[test]
fn every_job_without_a_build_has_its_reason() {
    use NoBuild::{Elsewhere, NeverRan, NotCollected, Repeated};
    let builds = [build("p", 1, 0, 5)];
    let unrun = |conclusion: &str| CiJob {
        conclusion: Some(conclusion.to_owned()),
        ..job(2, "p", 0, 1)
    };
    let queued = CiJob {
        status: Some("queued".to_owned()),
        conclusion: None,
        completed: None,
        ..job(3, "p", 0, 1)
    };
    let hosted = CiJob {
        labels: vec!["ubuntu-latest".to_owned()],
        runner: Some("GitHub Actions 2".to_owned()),
        ..job(4, "p", 0, 1)
    };
    let jobs = [
        named(1, job(1, "p", 0, 1)),
        // Tried again in part, a run lists what it did not try again as it was.
        CiJob {
            attempt: 2,
            ..named(1, job(9, "p", 0, 1))
        },
        unrun("skipped"),
        unrun("cancelled"),
        queued,
        hosted,
        job(5, "p", 30, 31),
        job(6, "unknown", 0, 1),
        // Runners of this project have names of builds: this one is of another build.
        named(7, job(7, "p", 0, 1)),
    ];
    assert_eq!(
        join(&jobs, &builds).jobs,
        [
            Ok((0, JoinedBy::Runner)),
            Err(Repeated),
            Err(NeverRan),
            Err(NeverRan),
            Err(NeverRan),
            Err(Elsewhere),
            Err(NotCollected),
            Err(NotCollected),
            Err(NotCollected),
        ]
    );
}

#[test]
fn a_job_that_runs_fits_a_build_that_does() {
    let mut running = build("p", 1, 0, 5);
    running.build.ended = None;
    let mut job = job(1, "p", 0, 1);
    (job.status, job.conclusion, job.completed) = (Some("in_progress".to_owned()), None, None);
    assert_eq!(
        join(&[job.clone()], &[running]).jobs[0],
        Ok((0, JoinedBy::Label))
    );
    let ended = [build("p", 1, 0, 5)];
    assert_eq!(join(&[job], &ended).jobs[0], Err(NoBuild::NotCollected));
}

fn jobs_and_builds() -> impl Strategy<Value = (Vec<CiJob>, Vec<JobBuild>)> {
    let job = (
        0_u64..6,
        0..3_usize,
        0..40_i64,
        1..9_i64,
        prop::option::of(0..8_u8),
    )
        .prop_map(|(id, project, from, length, runner)| {
            let job = job(id, ["p", "q", "r"][project], from, from + length);
            runner.map_or(job.clone(), |uuid| named(uuid, job))
        });
    let build = (0..3_usize, 0..40_i64, 1..9_i64);
    (
        prop::collection::vec(job, 0..12),
        prop::collection::vec(build, 0..12),
    )
        .prop_map(|(mut jobs, builds)| {
            for (at, job) in jobs.iter_mut().enumerate() {
                job.id = job.id * 100 + at as u64;
            }
            let numbered = (0_u8..).zip(builds);
            let builds = numbered.map(|(uuid, (project, from, length))| {
                build_of(project, uuid, from, from + length)
            });
            (jobs, builds.collect())
        })
}

fn build_of(project: usize, uuid: u8, from: i64, to: i64) -> JobBuild {
    build(["p", "q", "r"][project], uuid, from, to)
}

proptest! {
    #[test]
    fn one_build_ran_at_most_one_job_and_the_order_is_irrelevant(
        (jobs, builds) in jobs_and_builds()
    ) {
        let joined = join(&jobs, &builds);
        for (job, found) in joined.jobs.iter().enumerate() {
            if let Ok((build, by)) = found {
                prop_assert_eq!(joined.builds[*build], Some(job));
                if *by == JoinedBy::Label {
                    let project = jobs[job].project();
                    prop_assert_eq!(project, Some(builds[*build].build.project.as_str()));
                }
            }
        }
        let taken = joined.builds.iter().flatten().count();
        prop_assert_eq!(taken, joined.jobs.iter().filter(|found| found.is_ok()).count());
        let backwards: Vec<CiJob> = jobs.iter().rev().cloned().collect();
        let other: Vec<JobBuild> = builds.iter().rev().cloned().collect();
        let again = join(&backwards, &other);
        for (at, found) in joined.jobs.iter().enumerate() {
            let mirrored = again.jobs[jobs.len() - 1 - at];
            prop_assert_eq!(mirrored.map(|(build, by)| (builds.len() - 1 - build, by)), *found);
        }
    }
}

mod sharing {
    use std::sync::Arc;

    use chrono::NaiveDate;

    use super::*;
    use crate::{
        domain::{
            allocation::Dimension,
            ids::{Currency, Meter, ResourceId},
            metering::options::QueuedTime,
            money::Money,
            period::Month,
            quantity::{Quantity, Unit},
            usage::{Billed, ChargeKind, Tags, UsageKey, UsageRecord},
        },
        pricing,
    };

    fn billed(day: u32, minutes: i64, cost: &str) -> UsageRecord {
        let day = NaiveDate::from_ymd_opt(2026, 10, day).expect("a day");
        UsageRecord {
            month: Month::of(day),
            day,
            last_day: day,
            key: UsageKey {
                payer: None,
                account: Some(place().account),
                region: place().region,
                meter: Meter::new("CodeBuild", "Build-Min:Linux:g1.small"),
            },
            kind: ChargeKind::Usage,
            resource: Some(ResourceId::new(
                "arn:aws:codebuild:us-east-1:111122223333:project/p",
            )),
            tags: Tags::default(),
            quantity: Some(Quantity::new(Decimal::from(minutes), Unit::Minute)),
            consumed: None,
            metering: None,
            billed: Some(Billed {
                cost: Money::new(cost.parse().expect("a decimal")),
                ..Billed::default()
            }),
            currency: Currency::new("USD"),
            origin: Arc::from("test"),
        }
    }

    fn shares(jobs: &[CiJob], builds: &[JobBuild]) -> JobShares {
        let catalog = pricing::embedded().expect("the embedded prices");
        let of = ("2026-10".parse().expect("a month"), QueuedTime::Free);
        let joined = join(jobs, builds);
        JobShares::new(&catalog, of, jobs, builds, &joined, &BTreeMap::new())
    }

    #[test]
    fn a_day_is_shared_by_billed_minutes_and_what_is_of_no_job_stays_so() {
        // Builds of 5, 5 and 2 minutes; the bill has 24 minutes, twice as many, for 12 cents.
        let builds = [
            build("p", 1, 0, 5),
            build("p", 2, 10, 15),
            build("p", 3, 20, 22),
        ];
        let jobs = [named(1, job(1, "p", 1, 4)), named(2, job(2, "p", 11, 14))];
        let mut jobs = jobs;
        jobs[1].name = "other".to_owned();
        let shares = shares(&jobs, &builds);
        let records = shares.split_records(&[billed(5, 24, "0.12"), billed(6, 7, "0.035")]);
        let found: Vec<_> = records
            .iter()
            .map(|record| {
                let part = Dimension::Job.of(record);
                let cost = record.billed.as_ref().map(|billed| billed.cost);
                (part, record.quantity, cost)
            })
            .collect();
        let minutes = |n: i64| Some(Quantity::new(Decimal::from(n), Unit::Minute));
        let cents = |text: &str| Some(Money::new(text.parse().expect("a decimal")));
        assert_eq!(
            found,
            [
                (None, minutes(4), cents("0.02")),
                (Some("CI / job 1".to_owned()), minutes(10), cents("0.05")),
                (Some("CI / other".to_owned()), minutes(10), cents("0.05")),
                // No build of that day is known.
                (None, minutes(7), cents("0.035")),
            ]
        );
        let summary = &shares.summary;
        assert_eq!((summary.jobs, summary.joined[&JoinedBy::Runner]), (2, 2));
        let [unclaimed] = &summary.without_job[..] else {
            panic!("{summary:?}");
        };
        assert_eq!((unclaimed.builds, unclaimed.of_no_job), (1, false));
        assert_eq!(Some(unclaimed.billed[0]), minutes(2));
    }

    #[test]
    fn jobs_of_several_repositories_are_named_with_theirs() {
        let builds = [build("p", 1, 0, 5), build("p", 2, 10, 15)];
        let mut jobs = [named(1, job(1, "p", 1, 4)), named(2, job(1, "p", 11, 14))];
        jobs[1].repository = "octo-org/other".to_owned();
        jobs[1].workflow = None;
        let records = shares(&jobs, &builds).split_records(&[billed(5, 10, "0.05")]);
        let names: Vec<_> = records
            .iter()
            .filter_map(|it| Dimension::Job.of(it))
            .collect();
        assert_eq!(
            names,
            [
                "octo-org/octo-repo: CI / job 1",
                "octo-org/other: (workflow not stated) / job 1"
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_made_up(
            (jobs, builds) in jobs_and_builds(),
            days in prop::collection::vec((4_u32..7, 0_i64..90, 0_i64..100_000), 1..5),
        ) {
            let records: Vec<UsageRecord> = days
                .iter()
                .map(|(day, minutes, cost)| billed(*day, *minutes, &format!("{}", Decimal::new(*cost, 7))))
                .collect();
            let split = shares(&jobs, &builds).split_records(&records);
            let sum = |records: &[UsageRecord]| {
                let minutes: Decimal = records.iter().filter_map(|r| Some(r.quantity?.value)).sum();
                let costs = records.iter().filter_map(|r| Some(r.billed.as_ref()?.cost));
                (minutes, costs.sum::<Money>())
            };
            prop_assert_eq!(sum(&split), sum(&records));
        }
    }
}
