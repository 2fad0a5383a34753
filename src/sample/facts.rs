//! What AWS's APIs would say of the sample organization: the builds, runs and actions behind its bill.
//!
//! They come from the same chance as the bill, so that metering them gives the quantities it shows.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    BTreeMap, Counts, Meter, NaiveDate, ORGANIZATION, Organization, Resource, date, jobs,
    metrics::Metrics, resource_day, today,
};
use crate::{
    domain::{
        ci_jobs::RunnerOf,
        collection::{Scope, Source},
        ids::{AccountId, Region},
        import::Delivery,
        metering::events::{AccountRegion, Action, Build, Execution, Pipeline, StartedBy},
        services::{CODEBUILD, CODEPIPELINE},
    },
    ledger::{Asked, Fact, Ledger, LedgerError, Progress},
};

/// The first day that was collected: builds are listed no further back than they were looked at.
fn collected_from() -> NaiveDate {
    date(2026, 8, 1)
}

/// Puts the facts from a day on into a ledger, as a collection would.
pub fn keep_facts(ledger: &mut Ledger, from: NaiveDate) -> Result<(), LedgerError> {
    let from = from.max(collected_from());
    let organization: Organization =
        toml::from_str(ORGANIZATION).expect("the embedded organization is read by the tests");
    let mut listings: BTreeMap<(Scope, String), Vec<Fact>> = BTreeMap::new();
    let mut pipelines: BTreeMap<AccountRegion, Vec<Pipeline>> = BTreeMap::new();
    let mut metrics = Metrics::new();
    for resource in &organization.resource {
        let meter = &organization.meter[&resource.meter];
        let place = AccountRegion {
            account: AccountId::new(&organization.account[&resource.account].id),
            region: Region::new(&resource.region),
        };
        let sources: &[Source] = match (meter.service.as_str(), resource.meter.as_str()) {
            (CODEBUILD, _) => &[Source::Builds],
            (CODEPIPELINE, kind) => {
                let created = if resource.from.0 > super::first_day() {
                    resource.from.0
                } else {
                    date(2024, 2, 1)
                };
                pipelines.entry(place.clone()).or_default().push(Pipeline {
                    name: resource.name.clone(),
                    kind: kind.to_owned(),
                    created: Some(at(created, 0)),
                });
                match kind {
                    "V2" => &[Source::Pipelines, Source::Actions],
                    _ => &[Source::Pipelines],
                }
            }
            _ => continue,
        };
        for source in sources {
            let scope = Scope {
                place: place.clone(),
                source: *source,
            };
            let days = resource.from.0.max(from).iter_days();
            let days = days.take_while(|day| *day < resource.until.0.min(today()));
            let facts = days.flat_map(|day| match source {
                Source::Builds => {
                    let builds = builds(resource, meter, day, &organization);
                    metrics.measure(&place, resource, day, &builds);
                    builds
                }
                Source::Pipelines => runs(resource, day, &organization),
                _ => actions(resource, day, &organization),
            });
            listings
                .entry((scope, resource.name.clone()))
                .or_default()
                .extend(facts);
        }
    }
    for (place, pipelines) in &pipelines {
        ledger.keep_pipelines(place, pipelines)?;
    }
    for ((scope, name), facts) in &listings {
        let listing = ledger.listing(scope, name)?;
        let done = Progress::Done {
            newest: Some(at(today(), 0).timestamp_millis()),
            oldest: at(from, 0).timestamp_millis(),
        };
        ledger.keep_page(&listing, facts, &done)?;
    }
    let asked = Asked {
        from: at(from, 0).timestamp_millis(),
        until: at(today(), 0).timestamp_millis(),
    };
    metrics.keep(ledger, asked)?;
    keep_jobs(ledger, &organization, &listings)
}

/// Keeps the jobs that one project runs, and that it does.
fn keep_jobs(
    ledger: &mut Ledger,
    organization: &Organization,
    listings: &BTreeMap<(Scope, String), Vec<Fact>>,
) -> Result<(), LedgerError> {
    let runners = organization
        .resource
        .iter()
        .filter(|it| it.name == jobs::RUNNER);
    let mut delivery = Delivery::default();
    for resource in runners {
        for ((scope, _), facts) in listings
            .iter()
            .filter(|((_, name), _)| name == jobs::RUNNER)
        {
            let runner = (resource.name.clone(), RunnerOf::GitHubActions);
            ledger.keep_runners(&scope.place, &[runner])?;
            let mut days: BTreeMap<NaiveDate, Vec<(&str, &Build)>> = BTreeMap::new();
            for fact in facts {
                if let Fact::Build(id, build) = fact {
                    let day = days.entry(build.submitted.date_naive()).or_default();
                    day.push((id.as_str(), build));
                }
            }
            for (day, builds) in days {
                let of_day = jobs::of_day(resource, day, builds.into_iter());
                delivery.jobs.extend(of_day);
            }
        }
    }
    ledger.keep_delivery(&delivery)?;
    Ok(())
}

/// A moment of a day.
fn at(day: NaiveDate, seconds: i64) -> DateTime<Utc> {
    let midnight = day.and_hms_opt(0, 0, 0).expect("midnight exists").and_utc();
    midnight + TimeDelta::seconds(seconds)
}

/// When the event of a day comes: between seven and nineteen o'clock, most around eleven and three.
fn time_of(resource: &Resource, day: NaiveDate, event: i64) -> i64 {
    let hour = |salt: i64| resource.roll(0, day, 7_000_000 + 10 * event + salt, 21_600);
    25_200 + hour(0) + hour(1)
}

fn builds(
    resource: &Resource,
    meter: &Meter,
    day: NaiveDate,
    organization: &Organization,
) -> Vec<Fact> {
    if meter.counts != Counts::Started {
        return Vec::new();
    }
    // The first builds of a day belong to the pipeline of that name; pull requests bring the others.
    let of_pipeline = organization.resource.iter().find(|pipeline| {
        let stage = resource.name.strip_prefix(&pipeline.name);
        organization.meter[&pipeline.meter].service == CODEPIPELINE
            && matches!(stage, Some("-build" | "-integration" | "-e2e"))
            && (pipeline.from.0..pipeline.until.0).contains(&day)
    });
    let runs = of_pipeline.map_or(0, |pipeline| pipeline.events(0, day, organization));
    let mut tried_again: Option<DateTime<Utc>> = None;
    (0..resource.events(0, day, organization))
        .map(|event| {
            let again = tried_again.is_some();
            let submitted = tried_again
                .take()
                .unwrap_or_else(|| at(day, time_of(resource, day, event)));
            let queued = 4 + resource.roll(0, day, 8_000_000 + event, resource.queue);
            let provisioned = submitted + TimeDelta::seconds(queued);
            let mut length = resource.length(day, event, 0, organization);
            if resource.just_over && length > meter.grain {
                length = (length - 1) / meter.grain * meter.grain + 1 + length % 5;
            }
            let ended = provisioned + TimeDelta::seconds(length);
            let failed = resource.roll(0, day, 9_000_000 + event, 100) < 7;
            // Every other failed build is started again as soon as somebody looks.
            if failed && resource.roll(0, day, 10_000_000 + event, 2) == 0 {
                tried_again = Some(ended + TimeDelta::seconds(90));
            }
            let build = Build {
                project: resource.name.clone(),
                submitted,
                provisioned: Some(provisioned),
                ended: Some(ended),
                compute: resource.meter.clone(),
                fleet: None,
                pipeline: of_pipeline
                    .filter(|_| event < runs)
                    .map(|pipeline| pipeline.name.clone()),
                docker_server: false,
                status: Some((if failed { "FAILED" } else { "SUCCEEDED" }).to_owned()),
                started_by: Some(match event {
                    _ if event < runs => StartedBy::Pipeline,
                    _ if again => StartedBy::Caller,
                    _ => StartedBy::Webhook,
                }),
                auto_retry: false,
            };
            Fact::Build(format!("{}:{day}-{event}", resource.name), build)
        })
        .collect()
}

fn runs(resource: &Resource, day: NaiveDate, organization: &Organization) -> Vec<Fact> {
    // Nothing but a nightly rebuild runs through an image pipeline, after one change a month.
    let changes_monthly = resource.name == "golden-image";
    let (_, quantity) = resource_day(organization, resource, 0, day);
    if quantity.is_zero() {
        return Vec::new();
    }
    (0..resource.events(0, day, organization))
        .map(|event| {
            let revision = if changes_monthly {
                day.format("%Y-%m").to_string()
            } else {
                format!("{day}:{event}")
            };
            let run = Execution {
                started: at(day, 25_200) + TimeDelta::minutes(7 * event),
                revisions: Some(revision.into_bytes()),
                rollback: false,
            };
            Fact::Execution(format!("{day}:{event:04}"), run, false)
        })
        .collect()
}

fn actions(resource: &Resource, day: NaiveDate, organization: &Organization) -> Vec<Fact> {
    let last = resource.seconds.len() - 1;
    let mut facts = Vec::new();
    for event in 0..resource.events(0, day, organization) {
        let mut started = at(day, 25_200) + TimeDelta::minutes(7 * event);
        for action in 0..resource.seconds.len() {
            let n = i64::try_from(action).expect("few actions");
            let length = resource.length(day, event, n, organization);
            let ended = started + TimeDelta::seconds(length);
            let category = match action {
                0 => "Source",
                at if at == last => "Deploy",
                _ => "Build",
            };
            let fact = Action {
                pipeline: resource.name.clone(),
                started,
                ended: Some(ended),
                category: category.to_owned(),
                owner: "AWS".to_owned(),
            };
            facts.push(Fact::Action(format!("{day}:{event:04}:{action}"), fact));
            started = ended;
        }
    }
    facts
}
