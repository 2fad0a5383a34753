//! Scenarios against answers that are not ours: brute force, bisection, a clock that ticks, and laws.

use chrono::TimeDelta;
use pipebill::{
    app::{App, Baseline, DataSource, RatingTerms},
    domain::{
        ids::{AccountId, Currency, Region},
        metering::{
            events::{AccountRegion, Build},
            from_events::MeteringOptions,
        },
        money::Money,
        percentiles::Percentiles,
        period::Month,
        plan::PricingTerms,
        price_book::{BilledPrices, PriceBook},
        quantity::Unit,
        scenario::{
            Change, Comparison, Scenario, ScenarioRater, Selector, Total,
            break_even::break_even,
            compare,
            fleet::simulate,
            parameter::{Axis, Parameter, sweep},
            remark::{Unknown, Warning},
            workload::{BuildEvent, MonthEvents, Workload},
        },
    },
    forecast::{ComparedMonth, ForecastOptions},
    inputs::scenario_file,
    inputs::usage_file,
    ledger::Ledger,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{
    laws::cases,
    support::{catalog, day, dec, usage},
};

pub(crate) fn change(text: &str) -> Change {
    scenario_file::parse_set("--set", text, catalog()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn scenario(changes: &[&str]) -> Scenario {
    Scenario {
        name: "test".to_owned(),
        note: None,
        changes: changes.iter().map(|text| change(text)).collect(),
    }
}

pub(crate) fn stated(text: &str) -> Workload {
    let file = usage_file::parse("test.toml", text, catalog()).unwrap();
    let region = file
        .region
        .clone()
        .unwrap_or_else(|| Region::new("us-east-1"));
    let plan = file.plan("2026-10".parse().unwrap(), region);
    Workload::stated(&plan, Currency::new("USD"), &PriceBook::new(catalog()))
}

fn compared(workload: &Workload, changes: &[&str]) -> Comparison {
    let terms = PricingTerms::default();
    let rater = ScenarioRater::new(workload, catalog(), &terms, BilledPrices::default());
    compare(&[rater], &scenario(changes)).unwrap()
}

fn cost(workload: &Workload, changes: &[&str]) -> Money {
    compared(workload, changes).total.scenario
}

/// A bill of minutes with the builds behind it: project `api` on medium, so many seconds each.
pub(crate) fn recorded(seconds: &[i64], billed: i64) -> Workload {
    let first = day("2026-10-05");
    let medium = &catalog().compute("general1.medium").unwrap().meter;
    let mut record = usage(
        medium,
        "us-east-1",
        first,
        Decimal::from(billed),
        Unit::Minute,
    );
    record.resource = Some("arn:aws:codebuild:us-east-1:111122223333:project/api".into());
    let place = AccountRegion {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    };
    let builds = seconds.iter().zip(0..).map(|(seconds, n)| {
        let begun = first.and_hms_opt(8, 0, 0).unwrap().and_utc() + TimeDelta::minutes(n);
        BuildEvent {
            place: place.clone(),
            build: Build {
                project: "api".to_owned(),
                submitted: begun,
                provisioned: Some(begun),
                ended: Some(begun + TimeDelta::seconds(*seconds)),
                compute: "LINUX_CONTAINER/BUILD_GENERAL1_MEDIUM".to_owned(),
                fleet: None,
                pipeline: None,
                docker_server: false,
                started_by: None,
                auto_retry: false,
                status: None,
            },
        }
    });
    let facts = MonthEvents {
        builds: builds.collect(),
        pipelines: Vec::new(),
        utilization: Vec::new(),
    };
    let book = PriceBook::new(catalog());
    let month: Month = "2026-10".parse().unwrap();
    Workload::recorded(month, Currency::new("USD"), &[record], &book, &facts)
}

/// What a number of medium and ARM large minutes costs, by hand: neither has a free tier.
const MEDIUM: &str = "0.01";
const ARM_LARGE: &str = "0.015";

#[test]
fn builds_are_rounded_one_by_one_and_totals_are_not() {
    // 61 s are two minutes; a tenth less is 54.9 s, one minute. As totals, 20 minutes become 18.
    let known = recorded(&[61; 10], 20);
    assert_eq!(
        cost(&known, &["minutes[project:api]*=0.9"]),
        Money::new(dec("0.1"))
    );
    let unknown = recorded(&[], 20);
    assert_eq!(
        cost(&unknown, &["minutes[project:api]*=0.9"]),
        Money::new(dec("0.18"))
    );
    let comparison = compared(&known, &["minutes[project:api]*=0.9"]);
    assert_eq!(comparison.reach[0].builds, 10);
    assert!(
        comparison.reach[0].totals.is_empty(),
        "{:?}",
        comparison.reach
    );
    // A bill of more than its builds explain: ten of twelve builds are known.
    let partly = recorded(&[61; 10], 24);
    assert_eq!(
        cost(&partly, &["minutes[project:api]*=0.9"]),
        Money::new(dec("0.136"))
    );
}

#[test]
fn a_build_on_lambda_bills_seconds_and_ends_after_fifteen_minutes() {
    let workload = recorded(&[61, 95, 901], 2 + 2 + 16);
    let comparison = compared(&workload, &["compute[general1.medium]=lambda.arm.1GB"]);
    // 156 s within the 6,000 free ones; the third is too long and stays: 16 minutes.
    assert_eq!(comparison.total.scenario, Money::new(dec("0.16")));
    assert!(
        comparison
            .warnings
            .iter()
            .any(|warning| { matches!(warning, Warning::TooLong { builds: 1, .. }) })
    );
    assert!(comparison.warnings.contains(&Warning::LambdaLimits));
}

#[test]
fn what_a_region_does_not_price_is_unknown_and_not_nothing() {
    let workload = recorded(&[61], 2);
    let custom = "compute[general1.medium]=reserved.custom,machines=1";
    let comparison = compared(&workload, &[custom]);
    assert!(comparison.total.whole.baseline && !comparison.total.whole.scenario);
    assert!(
        matches!(
            &comparison.unknown[0],
            Unknown::Price { meter, .. } if meter.usage_type.as_str().contains("Reserved-EC2-Custom")
        ),
        "{:?}",
        comparison.unknown
    );
}

#[test]
fn what_a_region_does_not_sell_stays_and_is_named() {
    let text = "[[codebuild]]\ncompute = \"gpu1.small\"\nminutes = 100\n\
                [[codebuild]]\ncompute = \"general1.medium\"\nminutes = 100\n";
    let comparison = compared(&stated(text), &["region=eu-west-3"]);
    assert!(comparison.total.whole.both());
    // 100 x 0.05 stay in us-east-1, 100 x 0.01 cost the same in Paris.
    assert_eq!(comparison.total.scenario, Money::new(dec("6")));
    let stays = Warning::StaysInRegion {
        service: "CodeBuild".to_owned(),
        meter: "Linux GPU small".to_owned(),
        region: Region::new("us-east-1"),
        to: Region::new("eu-west-3"),
        listed: day("2025-11-04"),
    };
    assert_eq!(comparison.warnings, [stays]);
}

#[test]
fn a_fleet_has_the_machines_that_its_builds_had() {
    let fleet = "compute[general1.medium]=reserved,machines=2";
    let comparison = compared(&recorded(&[61], 2), &[fleet]);
    // 2 x 30 days of 1,440 minutes at 0.006, AWS's price of reserved.x86-64.g1.medium.
    let days = comparison.months[0].month.days().count();
    let minutes = dec("2") * Decimal::from(days) * dec("1440");
    assert_eq!(
        comparison.total.scenario,
        Money::new(minutes * dec("0.006"))
    );
}

#[test]
fn people_pipelines_and_services_are_totals() {
    let team = "[codecommit]\nactive_users = 12\n[codepipeline]\nv1_pipelines = 3\n\
                v2_action_minutes = 1200\n[codedeploy]\non_premises_updates = 40\n";
    let workload = stated(team);
    // By hand: 7 users, 2 pipelines, 1,100 minutes, 40 updates.
    assert_eq!(cost(&workload, &[]), Money::new(dec("12.00")));
    for (changes, expected) in [
        (&["active_users=+10"][..], "22"),
        (&["active_users=4"], "5"),
        (&["v1_pipelines=12"], "21"),
        (&["v2_action_minutes*=0.5"], "10.8"),
        (&["on_premises_targets*=3"], "13.6"),
        (&["on_premises_targets=5,deployments=30"], "14.2"),
        (&["free_tier=off"], "18.2"),
        (&["discount=50%"], "6"),
        (&["discount[CodeCommit]=50%"], "8.5"),
        (&["price[User-Month]=2"], "19"),
        (&["usage[AWSCodeDeploy:On-Premises-Instance]=0"], "11.2"),
        (&["active_users=+10", "discount=50%"], "11"),
    ] {
        assert_eq!(
            cost(&workload, changes),
            Money::new(dec(expected)),
            "{changes:?}"
        );
    }
}

#[test]
fn a_stated_pipeline_is_exactly_what_its_other_type_bills() {
    let pipeline = "[[pipeline]]\nname = \"web\"\ntype = \"V1\"\nruns = 200\n\
                    [[pipeline.stage]]\nname = \"source\"\nseconds = 20\n\
                    [[pipeline.stage]]\nname = \"deploy\"\nseconds = 61\n";
    let workload = stated(pipeline);
    // 200 runs of 1 + 2 minutes, 100 of them free.
    assert_eq!(cost(&workload, &[]), Money::ZERO);
    assert_eq!(
        cost(&workload, &["pipeline_type[web]=V2"]),
        Money::new(dec("1"))
    );
    assert_eq!(
        cost(&workload, &["pipeline_type[w*]=V2,minutes=1100"]),
        Money::new(dec("2"))
    );
}

proptest! {
    #![proptest_config(cases(64))]

    /// The steps of a waterfall add up, and their order does not matter.
    #[test]
    fn a_waterfall_adds_up_in_any_order(
        seconds in prop::collection::vec(1_i64..2000, 1..40),
        rotate in 0_usize..4,
    ) {
        let workload = recorded(&seconds, 500);
        let mut changes = vec![
            "minutes[project:api]*=0.7",
            "compute[general1.medium]=arm1.large,speed=1.3",
            "builds*=1.7",
            "discount=13%",
        ];
        let first = compared(&workload, &changes);
        changes.rotate_left(rotate);
        let second = compared(&workload, &changes);
        for comparison in [&first, &second] {
            let sum: Money = comparison.waterfall.steps.iter().map(|step| step.amount).sum();
            prop_assert_eq!(sum, comparison.total.difference);
            let total = comparison.total.baseline + comparison.total.difference;
            prop_assert_eq!(total, comparison.total.scenario);
        }
        for step in &first.waterfall.steps {
            let same = second.waterfall.steps.iter().find(|other| other.label == step.label);
            // Rounding to the tenth place may land on another step.
            let apart = (same.unwrap().amount - step.amount).amount().abs();
            prop_assert!(apart <= dec("0.000000001"), "{} {apart}", step.label);
        }
    }

    /// A scenario that changes nothing changes nothing, to the last digit.
    #[test]
    fn what_is_not_changed_costs_the_same(
        seconds in prop::collection::vec(0_i64..4000, 0..40),
        billed in 0_i64..3000,
    ) {
        let workload = recorded(&seconds, billed);
        for changes in [
            &[][..],
            &["builds*=1"],
            &["minutes*=1"],
            &["compute[general1.medium]=general1.medium"],
            &["region=us-east-1"],
            &["usage[CodeBuild:Build-Min:Linux:g1.medium]=+0"],
            &["active_users=+0"],
            &["free_tier=on"],
        ] {
            let comparison = compared(&workload, changes);
            prop_assert_eq!(comparison.total.difference, Money::ZERO, "{:?}", changes);
            prop_assert_eq!(comparison.total.scenario, comparison.total.baseline);
        }
    }

    /// Against arithmetic by hand on whole numbers: where ARM large begins to cost no more.
    #[test]
    fn a_break_even_speed_is_the_first_that_pays(
        seconds in prop::collection::vec(1_i64..3000, 1..30),
    ) {
        let minutes = |milliseconds: i128, billionths: i128| {
            // Started minutes of a duration at a speed of so many billionths.
            let work = milliseconds * 1_000_000_000;
            let minute = 60_000 * billionths;
            work / minute + i128::from(work % minute > 0)
        };
        let all = |billionths: i128| -> i128 {
            seconds.iter().map(|s| minutes(i128::from(*s) * 1000, billionths)).sum()
        };
        let before = all(1_000_000_000);
        let workload = recorded(&seconds, i64::try_from(before).unwrap());
        let terms = PricingTerms::default();
        let rater = ScenarioRater::new(&workload, catalog(), &terms, BilledPrices::default());
        let moved = scenario(&["compute[general1.medium]=arm1.large"]);
        let range = (dec("0.1"), dec("10"));
        let even = break_even(&[rater], &moved, &Parameter::Speed, range).unwrap();
        let pays = |billionths: i128| {
            Decimal::from(all(billionths)) * dec(ARM_LARGE) <= Decimal::from(before) * dec(MEDIUM)
        };
        if let Some(crossing) = even.sign_changes.iter().find(|crossing| crossing.pays) {
            let at = i128::try_from(crossing.at * Decimal::from(1_000_000_000)).unwrap();
            prop_assert!(pays(at) && !pays(at - 1), "{}", crossing.at);
        } else {
            prop_assert_eq!(pays(100_000_000), pays(10_000_000_000));
        }
    }

    /// Against a clock that ticks every second.
    #[test]
    fn a_fleet_runs_as_a_ticking_clock_says(
        builds in prop::collection::vec((0_i64..600, 1_i64..120), 0..60),
        machines in 1_u32..6,
        overflow in any::<bool>(),
    ) {
        let mut builds = builds;
        builds.sort_unstable();
        let run = simulate(&builds, machines, overflow);
        let mut left = vec![0_i64; machines as usize];
        let mut queue = std::collections::VecDeque::new();
        let (mut overflowed, mut waited, mut longest, mut busy) = (Vec::new(), 0, 0, 0_i128);
        for now in 0..20_000_i64 {
            for (at, build) in builds.iter().enumerate() {
                if build.0 == now {
                    queue.push_back(at);
                }
            }
            for machine in &mut left {
                if *machine == 0 && let Some(at) = queue.pop_front() {
                    *machine = builds[at].1;
                    waited += u64::from(builds[at].0 < now);
                    longest = longest.max(now - builds[at].0);
                }
            }
            if overflow {
                overflowed.extend(queue.drain(..));
            }
            for machine in &mut left {
                busy += i128::from(*machine > 0);
                *machine = (*machine - 1).max(0);
            }
        }
        prop_assert_eq!(run.overflowed, overflowed);
        prop_assert_eq!((run.waited, run.longest_wait, run.busy), (waited, longest, busy));
    }

    /// More of anything never costs less, and the free tier never makes it dearer.
    #[test]
    fn more_never_costs_less(
        users in 0_u32..60, pipelines in 0_u32..20, minutes in 0_u32..4000, builds in 0_u32..4000,
        more in 1_u32..50,
    ) {
        let workload = stated(&format!(
            "[codecommit]\nactive_users = {users}\ngit_requests = {builds}\n\
             [codepipeline]\nv1_pipelines = {pipelines}\nv2_action_minutes = {minutes}\n\
             [[codebuild]]\ncompute = \"general1.small\"\nbuilds = {builds}\nseconds = 61\n"
        ));
        let now = cost(&workload, &[]);
        for change in [
            format!("active_users=+{more}"),
            format!("v1_pipelines=+{more}"),
            format!("v2_action_minutes=+{more}"),
            format!("git_requests=+{more}"),
            format!("builds*=1.{more:02}"),
            format!("minutes*=1.{more:02}"),
            "security_baseline=on".to_owned(),
            "free_tier=off".to_owned(),
        ] {
            // A further user brings storage and requests along, which may save more than it costs.
            if change.starts_with("active_users") && builds > 10_000 {
                continue;
            }
            prop_assert!(cost(&workload, &[&change]) >= now, "{change}");
        }
    }

    /// All pipelines as V2 cost what their minutes cost together.
    #[test]
    fn everything_on_v2_is_the_sum(runs in prop::collection::vec(1_u32..200, 1..8)) {
        let pipelines: String = runs
            .iter()
            .zip(0..)
            .map(|(runs, n)| {
                let kind = if n % 2 == 0 { "V1" } else { "V2" };
                format!(
                    "[[pipeline]]\nname = \"p{n}\"\ntype = \"{kind}\"\nruns = {runs}\n\
                     [[pipeline.stage]]\nname = \"a\"\nseconds = 130\n"
                )
            })
            .collect();
        let workload = stated(&pipelines);
        let minutes: u32 = runs.iter().map(|runs| runs * 3).sum();
        let paid = Decimal::from(minutes.saturating_sub(100));
        prop_assert_eq!(
            cost(&workload, &["pipeline_type=V2"]),
            Money::new(paid * dec("0.002"))
        );
    }
}

pub(crate) fn demo() -> (App, Vec<Month>) {
    let app = App::new(day("2026-11-22"), DataSource::Sample).unwrap();
    let months = ["2026-09", "2026-10"].map(|month| month.parse().unwrap());
    (app, months.to_vec())
}

/// October of the sample, to be continued by a month with and without changes.
struct October {
    app: App,
    ledger: Ledger,
    baseline: Baseline,
}

impl October {
    fn new() -> Self {
        let (app, months) = demo();
        let mut ledger = app.ledger().unwrap();
        app.add_sample_facts(&mut ledger, months[1]).unwrap();
        let baseline = app.baseline(&ledger, &months[1..], 0, &RatingTerms::default());
        Self {
            baseline: baseline.unwrap(),
            app,
            ledger,
        }
    }

    fn ahead(&self, changes: &[&str]) -> ComparedMonth {
        let question = ForecastOptions {
            months: 1,
            paths: 500,
            ..ForecastOptions::default()
        };
        let Self {
            app,
            ledger,
            baseline,
        } = self;
        let (changes, request) = (scenario(changes), RatingTerms::default());
        let compared = app.compare_ahead(ledger, baseline, &changes, &question, &request);
        compared.unwrap().months[0]
    }
}

#[test]
fn futures_differ_by_what_the_scenario_makes_of_them() {
    let october = October::new();
    let same = october.ahead(&["minutes*=1"]);
    assert_eq!(same.difference, Percentiles::default());
    assert_eq!(same.scenario, same.baseline);
    // Users beyond the free five cost a dollar each, whatever else comes.
    let users = october.ahead(&["active_users=+7"]);
    let seven = users.difference;
    assert_eq!([seven.p10, seven.p90].map(Money::to_cents), [dec("7"); 2]);
    // The discount is exact on every path: half of everything.
    let half = october.ahead(&["discount=50%"]);
    let twice = half.scenario.p50 + half.scenario.p50;
    assert_eq!(twice.to_cents(), half.baseline.p50.to_cents());
    // A price has the effect it has on last month's bill, in proportion.
    let builds = october.ahead(&["compute[general1.large,region:us-east-1]=arm1.large"]);
    let answer = october
        .app
        .compare(
            &october.baseline,
            &scenario(&["compute[general1.large,region:us-east-1]=arm1.large"]),
        )
        .unwrap();
    let total = answer.comparison.total;
    let share = |difference: Money, of: Money| difference.amount() / of.amount();
    let (then, now) = (
        share(builds.difference.p50, builds.baseline.p50),
        share(total.difference, total.baseline),
    );
    assert!((then - now).abs() < dec("0.02"), "{then} {now}");
}

/// A fleet stands in every future and takes its builds off demand: at no price it never costs more, and
/// each cent of its price is paid for every minute of the month.
#[test]
fn a_fleet_costs_the_same_in_every_future() {
    let october = October::new();
    let ahead = |price: &str| {
        let fleet = "compute[project:storefront-e2e]=reserved,machines=2,overflow=queue";
        let price = format!("price[Reserved:Linux:x86-64.g1.large]={price}");
        october.ahead(&[fleet, &price])
    };
    let free = ahead("0");
    assert!(free.difference.p90 < Money::ZERO);
    let paid = ahead("0.001");
    // Two machines through the 31 days of October, from which it was learnt.
    let fleet = dec("2") * dec("31") * dec("1440") * dec("0.001");
    for (paid, free) in [
        (paid.difference.p10, free.difference.p10),
        (paid.difference.p50, free.difference.p50),
        (paid.difference.p90, free.difference.p90),
    ] {
        assert_eq!((paid - free).to_cents(), fleet.round_dp(2));
    }
}

/// A quantity that is turned is turned first; what the scenario does to it, it does to the turned one.
#[test]
fn a_turned_quantity_and_a_change_of_it_hold_together() {
    let workload = stated("[codecommit]\nactive_users = 8\n");
    let terms = PricingTerms::default();
    let rater = || ScenarioRater::new(&workload, catalog(), &terms, BilledPrices::default());
    let parameter = Parameter::Total(Total::ActiveUsers, Selector::default());
    let axis = Axis {
        parameter: parameter.clone(),
        values: vec![dec("10"), dec("20")],
    };
    let more = scenario(&["active_users=+3"]);
    let sweep = sweep(&[rater()], &more, &[axis]).unwrap();
    // Five are free, each further one a dollar: 10 and 13, 20 and 23.
    let costs: Vec<[Decimal; 2]> = sweep
        .points
        .iter()
        .map(|point| [point.total.baseline.amount(), point.total.scenario.amount()])
        .collect();
    assert_eq!(costs, [[dec("5"), dec("8")], [dec("15"), dec("18")]]);
    assert!(parameter.is_set_by(&more).is_none());
    assert!(
        parameter
            .is_set_by(&scenario(&["active_users=9"]))
            .is_some()
    );
}

#[test]
fn the_builds_of_the_sample_explain_its_bill_to_the_minute() {
    let (app, months) = demo();
    let mut ledger = app.ledger().unwrap();
    app.add_sample_facts(&mut ledger, months[0]).unwrap();
    let request = RatingTerms::default();
    let baseline = app.baseline(&ledger, &months, 2, &request).unwrap();
    for month in &baseline.months {
        assert!(month.workload.builds > 8_000, "{}", month.workload.builds);
        for group in &month.workload.groups {
            if group.key.meter.service.as_str() == "CodeBuild" {
                assert!(group.rest.is_zero(), "{:?} {}", group.name(), group.rest);
            }
        }
        // Metered again by the rules, the month has the quantities of the bill.
        let metered = app
            .metered(&ledger, month.workload.month, MeteringOptions::default())
            .unwrap();
        for usage_type in ["activePipeline", "actionExecutionMinute", "trialPipeline"] {
            let sum = |records: &[pipebill::domain::usage::UsageRecord]| -> Decimal {
                let of = |r: &&pipebill::domain::usage::UsageRecord| {
                    r.key.meter.usage_type.as_str() == usage_type
                };
                let records = records.iter().filter(of);
                records.filter_map(|r| r.quantity).map(|q| q.value).sum()
            };
            let billed = ledger.records(month.workload.month).unwrap();
            assert_eq!(sum(&metered.records), sum(&billed), "{usage_type}");
        }
    }
}

/// One change takes usage to where it has no price, another states one: only one order is known.
#[test]
fn a_price_that_is_missing_on_the_way_is_no_saving() {
    let workload = stated("[[codebuild]]\ncompute = \"arm1.large\"\nminutes = 1000\n");
    let moved = ["region=ca-west-1", "price_like=us-east-1"];
    let both = compared(&workload, &moved);
    assert!(both.total.whole.both());
    // It costs the same there by assumption, so neither change makes a difference.
    let amounts: Vec<Money> = both
        .waterfall
        .steps
        .iter()
        .map(|step| step.amount)
        .collect();
    assert_eq!(amounts, [Money::ZERO; 2]);
    assert!(!both.waterfall.every_order);
}

#[test]
fn a_range_is_over_months_that_rest_on_the_same() {
    let (app, months) = demo();
    let mut ledger = app.ledger().unwrap();
    let first: Month = "2025-11".parse().unwrap();
    app.add_sample_facts(&mut ledger, first).unwrap();
    let baseline = app
        .baseline(&ledger, &months[1..], 12, &RatingTerms::default())
        .unwrap();
    let answer = app
        .compare(&baseline, &scenario(&["pipeline_type[*]=V2"]))
        .unwrap();
    let (range, over) = answer.history.unwrap();
    // Runs are known of three months; before, pipelines would be taken to be like others.
    assert_eq!(over, 3);
    let mut differences: Vec<Money> = ["2026-08", "2026-09", "2026-10"]
        .into_iter()
        .map(|month| {
            let month = [month.parse().unwrap()];
            let alone = app.baseline(&ledger, &month, 1, &RatingTerms::default());
            let scenario = scenario(&["pipeline_type[*]=V2"]);
            let answer = app.compare(&alone.unwrap(), &scenario).unwrap();
            answer.comparison.total.difference
        })
        .collect();
    differences.sort();
    assert_eq!(range.p50, differences[1]);
    assert!(differences[0] <= range.p10 && range.p90 <= differences[2]);
}

#[test]
fn a_move_of_all_pipelines_means_those_that_are_only_counted() {
    let workload = stated("[codepipeline]\nv1_pipelines = 3\n");
    // One is free: 2 dollars, against 3 × 200 minutes of which 100 are free.
    let moved = compared(&workload, &["pipeline_type[*]=V2,minutes=200"]);
    assert_eq!(moved.total.baseline, Money::new(dec("2")));
    assert_eq!(moved.total.scenario, Money::new(dec("1")));
}

#[test]
fn every_change_that_the_help_lists_is_one() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_pipebill"))
        .args(["whatif", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, listed) = help.split_once("Changes, with --set").unwrap();
    // A row is a word for its changes, two spaces or more, and these with commas and spaces between.
    let rows = listed
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    let changes: Vec<&str> = rows
        .filter_map(|row| row.trim().split_once("  "))
        .flat_map(|(_, changes)| changes.trim().split(", "))
        .collect();
    assert!(changes.len() >= 20, "{changes:?}");
    for text in changes {
        change(text);
    }
}
