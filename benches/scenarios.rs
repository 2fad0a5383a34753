//! Scenarios on a large month: 1,000 pipelines and projects, 200,000 builds.
//!
//! `cargo bench --bench scenarios`

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use pipebill::{
    domain::{
        catalog::Catalog,
        ids::{AccountId, Currency, Meter, Region, ResourceId},
        metering::codepipeline::V1Activity,
        metering::events::{AccountRegion, Build, Pipeline},
        money::Money,
        optimize::{PastMonth, optimize},
        period::Month,
        plan::{PipelineType, PricingTerms},
        price_book::{BilledPrices, PriceBook},
        quantity::{Quantity, Unit},
        scenario::{
            Adjust, Change, Scenario, ScenarioRater, Selector, Target, Total, compare,
            parameter::{Axis, Parameter, sweep},
            workload::{BuildEvent, MonthEvents, PipelineActivity, Workload},
        },
        storage::History,
        usage::{ChargeKind, UsageKey, UsageRecord},
    },
    pricing,
};
use rust_decimal::Decimal;

const BUILDS: u32 = 200_000;
const PROJECTS: u32 = 1_000;

fn main() {
    divan::main();
}

struct Large {
    catalog: Catalog,
    records: Vec<UsageRecord>,
    facts: MonthEvents,
    month: Month,
}

impl Large {
    fn new() -> Self {
        let month: Month = "2026-10".parse().expect("a month");
        let catalog = pricing::embedded().expect("the embedded catalogue reads");
        let computes = [
            "general1.small",
            "general1.medium",
            "general1.large",
            "arm1.small",
        ];
        let place = |project: u32| AccountRegion {
            account: AccountId::new(format!("1111222233{:02}", project % 10)),
            region: Region::new(if project.is_multiple_of(4) {
                "eu-west-1"
            } else {
                "us-east-1"
            }),
        };
        let mut minutes: Vec<i64> = vec![0; PROJECTS as usize];
        let midnight = month
            .first_day()
            .and_hms_opt(0, 0, 0)
            .expect("midnight exists");
        let mut facts = MonthEvents::default();
        for n in 0..BUILDS {
            let project = n % PROJECTS;
            // Spread over the month without chance: a step that meets no period.
            let submitted = midnight.and_local_timezone(Utc).unwrap()
                + TimeDelta::seconds(i64::from(n) * 7919 % (31 * 86_400));
            let length = TimeDelta::milliseconds(
                30_000 + i64::from(n * 31 % 900) * 1_000 + i64::from(n % 977),
            );
            minutes[project as usize] += (length.num_milliseconds() + 59_999) / 60_000;
            facts.builds.push(BuildEvent {
                place: place(project),
                build: Build {
                    project: format!("project-{project}"),
                    submitted,
                    provisioned: Some(submitted + TimeDelta::seconds(10)),
                    ended: Some(submitted + TimeDelta::seconds(10) + length),
                    compute: computes[project as usize % computes.len()].to_owned(),
                    fleet: None,
                    pipeline: Some(format!("pipeline-{project}")),
                    docker_server: false,
                    started_by: None,
                    auto_retry: false,
                    status: Some("SUCCEEDED".to_owned()),
                },
            });
        }
        let record = |project: u32, meter: Meter, name: String, value: Decimal, unit| UsageRecord {
            month,
            day: month.first_day(),
            last_day: month.first_day(),
            key: UsageKey {
                payer: Some(AccountId::new("111122223300")),
                account: Some(place(project).account),
                region: place(project).region,
                meter,
            },
            kind: ChargeKind::Usage,
            resource: Some(ResourceId::new(name)),
            tags: Arc::default(),
            quantity: Some(Quantity::new(value, unit)),
            consumed: None,
            metering: None,
            billed: None,
            currency: Currency::new("USD"),
            origin: Arc::from("benchmark"),
        };
        let mut records = Vec::new();
        for project in 0..PROJECTS {
            let compute = catalog.compute(computes[project as usize % computes.len()]);
            let meter = compute.expect("known").meter.clone();
            let billed = Decimal::from(minutes[project as usize]);
            records.push(record(
                project,
                meter,
                format!("project-{project}"),
                billed,
                Unit::Minute,
            ));
            let (usage_type, value, unit) = if project % 2 == 0 {
                ("activePipeline", Decimal::ONE, Unit::Pipeline)
            } else {
                (
                    "actionExecutionMinute",
                    Decimal::from(project * 3),
                    Unit::Minute,
                )
            };
            let name = format!("pipeline-{project}");
            let meter = Meter::new("AWSCodePipeline", usage_type);
            records.push(record(project, meter, name.clone(), value, unit));
            facts.pipelines.push(PipelineActivity {
                place: place(project),
                pipeline: Pipeline {
                    name,
                    kind: (if project % 2 == 0 { "V1" } else { "V2" }).to_owned(),
                    created: None,
                },
                runs: 200,
                code_changes: 200,
                activity: V1Activity::Active,
            });
        }
        Self {
            catalog,
            records,
            facts,
            month,
        }
    }

    fn workload(&self) -> Workload {
        let book = PriceBook::new(&self.catalog);
        let currency = Currency::new("USD");
        Workload::recorded(self.month, currency, &self.records, &book, &self.facts)
    }

    fn to_arm(&self) -> Change {
        Change::Compute {
            only: Selector::compute("general1.small"),
            to: Target::OnDemand(self.catalog.compute("arm1.small").expect("known").clone()),
            speed: Decimal::new(12, 1),
        }
    }
}

/// Users, all pipelines to V2 and a quarter of the builds to ARM, with the waterfall.
fn scenario(large: &Large) -> Scenario {
    Scenario {
        name: "benchmark".to_owned(),
        note: None,
        changes: vec![
            Change::Total {
                of: Total::ActiveUsers,
                only: Selector::default(),
                to: Adjust::By(Decimal::TEN),
            },
            Change::PipelineType {
                only: Selector::default(),
                to: PipelineType::V2,
                minutes: None,
            },
            large.to_arm(),
        ],
    }
}

#[divan::bench(sample_count = 5)]
fn gather_the_month(bencher: divan::Bencher<'_, '_>) {
    let large = Large::new();
    bencher.bench_local(|| large.workload());
}

#[divan::bench(sample_count = 10)]
fn compare_a_scenario(bencher: divan::Bencher<'_, '_>) {
    let large = Large::new();
    let workload = large.workload();
    assert_eq!(workload.builds, u64::from(BUILDS));
    let terms = PricingTerms::default();
    let scenario = scenario(&large);
    bencher.bench_local(|| {
        let rater = ScenarioRater::new(&workload, &large.catalog, &terms, BilledPrices::default());
        compare(&[rater], &scenario)
    });
}

#[divan::bench(sample_count = 3)]
fn find_savings(bencher: divan::Bencher<'_, '_>) {
    let large = Large::new();
    let workload = large.workload();
    let terms = PricingTerms::default();
    bencher.bench_local(|| {
        let month = PastMonth {
            rater: ScenarioRater::new(&workload, &large.catalog, &terms, BilledPrices::default()),
            facts: &large.facts,
            book: PriceBook::new(&large.catalog),
            costs_only: std::collections::BTreeSet::new(),
        };
        optimize(
            &[month],
            &History::default(),
            Money::new(Decimal::ONE),
            None,
        )
    });
}

#[divan::bench(sample_count = 3)]
fn sweep_twenty_by_twenty(bencher: divan::Bencher<'_, '_>) {
    let large = Large::new();
    let workload = large.workload();
    let terms = PricingTerms::default();
    let scenario = Scenario {
        changes: vec![large.to_arm()],
        ..Scenario::default()
    };
    let axis = |parameter: Parameter, step: Decimal| Axis {
        parameter,
        values: (1..=20).map(|n| Decimal::from(n) * step).collect(),
    };
    let turned = [
        axis(Parameter::Speed, Decimal::new(1, 1)),
        axis(Parameter::Builds(Selector::default()), Decimal::new(1, 1)),
    ];
    bencher.bench_local(|| {
        let rater = ScenarioRater::new(&workload, &large.catalog, &terms, BilledPrices::default());
        sweep(&[rater], &scenario, &turned)
    });
}
