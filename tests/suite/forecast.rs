//! The forecast: the study holds, ranges are sane on any history, and paths are rated, not scaled.

#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "helpers of tests may panic as tests do; equal bytes are meant"
)]

use std::{collections::BTreeMap, process::Command, sync::Arc};

use chrono::{Datelike, NaiveDate};
use pipebill::{
    domain::{
        allowance::FreeTier,
        catalog::{Catalog, Lookup},
        ids::{Currency, Meter, Region, ResourceId},
        money::Money,
        period::Month,
        price_book::PriceBook,
        quantity::{Quantity, Unit},
        rating::RatingOptions,
        tariff::Rate,
        usage::{ChargeKind, UsageKey, UsageRecord},
    },
    forecast::{
        self, Backtest, Coverage, ForecastOptions, ForecastResult, Rating,
        calendar::{Calendar, Country},
    },
    pricing,
};
use rust_decimal::Decimal;

#[path = "../../benches/study/study.rs"]
#[allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    dead_code,
    reason = "statistics, not money; the program of the study prints what is not tested"
)]
mod study;

const WINDOWS: &str = "tests/fixtures/forecast/windows.jsonl.gz";
const BASELINES: &str = "tests/fixtures/forecast/baselines.csv";

#[test]
fn the_study_holds() {
    let calendar = Calendar::of([Country::default()]);
    let windows = study::windows(WINDOWS.as_ref()).unwrap();
    assert_eq!(windows.len(), 401);
    let answers: Vec<_> = windows.iter().map(|one| one.answer(&calendar)).collect();
    let baselines = study::baselines(BASELINES.as_ref()).unwrap();
    let study = study::study(&windows, &answers, &baselines).unwrap();
    assert!(
        study.relae_autoets.value <= 0.94,
        "{:?}",
        study.relae_autoets
    );
    assert!(study.relae_autoets.high < 1.0, "{:?}", study.relae_autoets);
    assert!(study.relae_snaive.value <= 0.72, "{:?}", study.relae_snaive);
    let coverage = study.coverage80.value;
    assert!((77.0..=83.0).contains(&coverage), "{coverage}");
    assert!(study.pinball < study.pinball_autoets.unwrap());
    for part in study
        .parts
        .iter()
        .filter(|part| part.name.starts_with("cut"))
    {
        assert!((72.0..=88.0).contains(&part.coverage80), "{part:?}");
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn usage(meter: &Meter, day: NaiveDate, value: Decimal, unit: Unit) -> UsageRecord {
    UsageRecord {
        month: Month::of(day),
        day,
        last_day: day,
        key: UsageKey {
            payer: None,
            account: None,
            region: Region::new("us-east-1"),
            meter: meter.clone(),
        },
        kind: ChargeKind::Usage,
        resource: None,
        tags: Arc::default(),
        quantity: Some(Quantity::new(value, unit)),
        consumed: None,
        metering: None,
        billed: None,
        currency: Currency::new("USD"),
        origin: Arc::from("test"),
    }
}

fn small() -> Meter {
    Meter::new("CodeBuild", "Build-Min:Linux:g1.small")
}

/// Minutes of the small Linux machine, from a day to a day, both included.
fn minutes(from: &str, to: &str, value: impl Fn(i64) -> i64) -> Vec<UsageRecord> {
    let start = day(from);
    start
        .iter_days()
        .take_while(|at| *at <= day(to))
        .map(|at| {
            let value = Decimal::from(value((at - start).num_days()));
            usage(&small(), at, value, Unit::Minute)
        })
        .collect()
}

struct Desk {
    catalog: Catalog,
}

impl Desk {
    fn new() -> Self {
        let catalog = pricing::embedded().unwrap();
        Self { catalog }
    }

    fn with<T>(&self, free_tier: FreeTier, ask: impl FnOnce(&Rating<'_>) -> T) -> T {
        let book = PriceBook::new(&self.catalog);
        let options = |month| RatingOptions {
            free_tier,
            ..RatingOptions::new(month)
        };
        ask(&Rating {
            book: &book,
            options: &options,
        })
    }

    fn forecast(&self, records: &[UsageRecord], options: &ForecastOptions) -> ForecastResult {
        let coverage = Coverage::of(records).unwrap();
        self.covered(records, &coverage, options)
    }

    fn covered(
        &self,
        records: &[UsageRecord],
        coverage: &Coverage,
        options: &ForecastOptions,
    ) -> ForecastResult {
        self.with(FreeTier::Payer, |rating| {
            forecast::forecast(records, coverage, options, rating)
        })
        .unwrap()
        .unwrap()
    }

    fn backtest(&self, records: &[UsageRecord]) -> Backtest {
        let coverage = Coverage::of(records).unwrap();
        self.with(FreeTier::Payer, |rating| {
            forecast::backtest(records, &coverage, &few_paths(), rating)
        })
        .unwrap()
    }
}

fn few_paths() -> ForecastOptions {
    ForecastOptions {
        paths: 500,
        ..ForecastOptions::default()
    }
}

/// The ordered, finite and not negative ranges of a forecast, as dollars.
fn checked(forecast: &ForecastResult) -> Vec<[f64; 3]> {
    let dollars = |money: Money| money.amount().to_string().parse::<f64>().unwrap();
    let months = forecast.months.iter().map(|month| {
        let range = [month.total.p10, month.total.p50, month.total.p90].map(dollars);
        assert!(
            range[0] >= 0.0 && range[0] <= range[1] && range[1] <= range[2],
            "{range:?}"
        );
        assert!(range[2] < 1e9, "{range:?}");
        assert!(month.total.p10.amount() + Decimal::ONE >= month.known.amount());
        range
    });
    months.collect()
}

#[test]
fn any_history_gets_a_sensible_answer() {
    let desk = Desk::new();
    let options = few_paths();
    let run = |records: Vec<UsageRecord>| checked(&desk.forecast(&records, &options));
    // Nothing was ever used: nothing is expected.
    let zeros = run(minutes("2026-07-01", "2026-11-10", |_| 0));
    assert!(
        zeros.iter().flatten().all(|value| *value == 0.0),
        "{zeros:?}"
    );
    // One day of history goes on as it is.
    assert_eq!(run(minutes("2026-11-10", "2026-11-10", |_| 50)).len(), 4);
    // One spike in a year is no new level: a month costs less than a tenth of it.
    let spike = run(minutes("2025-11-01", "2026-11-10", |at| {
        if at == 200 { 100_000 } else { 0 }
    }));
    assert!(spike[1][1] < 50.0, "{spike:?}");
    // A step: the forecast has left the old level.
    let step = run(minutes("2026-01-01", "2026-11-10", |at| {
        if at < 250 { 100 } else { 400 }
    }));
    assert!(
        step[1][1] > 35.0 && step[1][2] - step[1][0] > 1.0,
        "{step:?}"
    );
    // A machine that was left six weeks ago does not come back.
    let left = run(minutes("2026-01-01", "2026-11-10", |at| {
        if at < 270 { 1000 } else { 0 }
    }));
    assert!(left.iter().all(|range| range[1] < 1.0), "{left:?}");
    // Ten years, growing: no more than twice the last month.
    let decade = run(minutes("2016-11-11", "2026-11-10", |at| at / 10));
    assert!((40.0..120.0).contains(&decade[1][1]), "{decade:?}");
    // A constant stays: 31 days of 100 minutes, 100 of them free, at half a cent.
    let constant = run(minutes("2026-01-01", "2026-11-10", |_| 100));
    assert!((constant[1][1] - 15.0).abs() < 1.0, "{constant:?}");
    // Corrections below zero.
    let negative = run(minutes("2026-01-01", "2026-11-10", |at| {
        if at % 10 == 0 { -50 } else { 100 }
    }));
    assert!((10.0..20.0).contains(&negative[1][1]), "{negative:?}");
    run(minutes("2026-01-01", "2026-11-10", |_| -5));
    // The first day of a month, the last, and a leap February.
    assert_eq!(run(minutes("2026-01-01", "2026-11-01", |_| 100)).len(), 4);
    let last = run(minutes("2026-01-01", "2026-11-30", |_| 100));
    assert_eq!(last[0][0], last[0][2]);
    let leap = run(minutes("2027-06-01", "2028-02-10", |_| 100));
    assert!((leap[0][1] - 14.0).abs() < 0.7, "{leap:?}");
}

#[test]
fn a_gap_is_not_a_stretch_of_zeros() {
    let desk = Desk::new();
    let all = minutes("2026-03-01", "2026-11-10", |_| 100);
    let (from, to) = (day("2026-08-01"), day("2026-09-15"));
    let holed: Vec<UsageRecord> = all
        .iter()
        .filter(|record| !(from..=to).contains(&record.day))
        .cloned()
        .collect();
    let zeros = Coverage::of(&holed).unwrap();
    let gap = Coverage {
        gaps: vec![(from, to)],
        ..zeros.clone()
    };
    let options = few_paths();
    let whole = checked(&desk.forecast(&all, &options));
    let filled = desk.covered(&holed, &gap, &options);
    assert_eq!(filled.drivers[0].filled, 46);
    assert!((checked(&filled)[2][1] - whole[2][1]).abs() < 0.2);
    let quiet = checked(&desk.covered(&holed, &zeros, &options));
    assert!(quiet[3][1] < whole[3][1] - 0.5, "{quiet:?} {whole:?}");
}

#[test]
fn short_histories_and_new_levels_have_wider_ranges() {
    let desk = Desk::new();
    let noisy = |at: i64| 90 + (at * 7) % 21;
    let width = |records: Vec<UsageRecord>| {
        let range = checked(&desk.forecast(&records, &few_paths()))[1];
        (range[2] - range[0]) / range[1]
    };
    let old = width(minutes("2026-01-01", "2026-11-10", noisy));
    let young = width(minutes("2026-10-10", "2026-11-10", noisy));
    let newborn = width(minutes("2026-11-03", "2026-11-10", noisy));
    assert!(old < young && young < newborn, "{old} {young} {newborn}");
    let shifted = width(minutes("2026-01-01", "2026-11-10", |at| {
        noisy(at) * if at > 302 { 4 } else { 1 }
    }));
    assert!(shifted > old, "{shifted} {old}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed: &str| {
        let arguments = [
            "forecast", "--demo", "--months", "1", "--format", "json", "--seed", seed,
        ];
        let output = Command::new(env!("CARGO_BIN_EXE_pipebill"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let first = run("7");
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
    assert!(first.contains("\"schema\": \"pipebill.forecast/1\""));
    assert!(!first.contains("NaN") && !first.contains("inf"));
}

/// What a month comes to does not depend on how many months after it are asked for.
#[test]
fn a_month_is_the_same_however_many_follow() {
    let run = |months: &str| -> serde_json::Value {
        let output = Command::new(env!("CARGO_BIN_EXE_pipebill"))
            .args(["forecast", "--demo", "--months", months, "--format", "json"])
            .args(["--growth", "2%/month"])
            .output()
            .unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (few, many) = (run("2"), run("12"));
    for at in 0..3 {
        for point in ["p10", "p50", "p90"] {
            assert_eq!(
                few["rows"][at][point], many["rows"][at][point],
                "{at} {point}"
            );
        }
    }
}

/// Pipelines are whole: one that was active in each of the last months is one more dollar a month,
/// however many minutes it ran.
#[test]
fn active_pipelines_are_counted_whole() {
    let desk = Desk::new();
    let meter = Meter::new("AWSCodePipeline", "activePipeline");
    let mut records = Vec::new();
    let mut month: Month = "2026-01".parse().unwrap();
    while month.first_day() < day("2026-11-01") {
        for name in ["api", "web", "jobs"] {
            records.push(UsageRecord {
                resource: Some(ResourceId::new(name)),
                ..usage(&meter, month.first_day(), Decimal::ONE, Unit::Pipeline)
            });
        }
        month = month.next();
    }
    let forecast = desk.forecast(&records, &few_paths());
    // Three active, one of them free.
    for range in &checked(&forecast)[1..] {
        assert_eq!(range[1], 2.0, "{range:?}");
        assert!(
            range.iter().all(|dollars| dollars.fract() == 0.0),
            "{range:?}"
        );
    }
}

/// Twelve minutes a day, 100 free a month. On the 14th the month has cost $0.34; scaled to 30 days
/// that is $0.73. The month costs (360 − 100) × $0.005 = $1.30.
#[test]
fn paths_are_rated_where_scaling_dollars_is_wrong() {
    let desk = Desk::new();
    let forecast = desk.forecast(&minutes("2026-01-01", "2026-11-14", |_| 12), &few_paths());
    let month = &forecast.months[0];
    assert_eq!(month.known.to_string(), "0.34");
    let scaled = 0.34 * 30.0 / 14.0;
    let ours = checked(&forecast)[0][1];
    assert!((ours - 1.30).abs() / 1.30 < 0.02, "{ours}");
    assert!((scaled - 1.30_f64).abs() / 1.30 > 0.20);
}

/// A single driver's cost rises with its usage, so the median path costs what the median usage
/// costs, rated exactly, whatever the shape of the price.
#[test]
fn fast_rating_agrees_with_exact_rating_on_every_meter() {
    let desk = Desk::new();
    let region = Region::new("us-east-1");
    let last = day("2026-11-17");
    let mut tried = BTreeMap::new();
    for info in desk
        .catalog
        .services
        .values()
        .flat_map(|service| &service.meters)
    {
        let Lookup::Found(tariff) = desk.catalog.lookup(&info.meter, &region, last) else {
            continue;
        };
        let shape = match tariff.rate {
            Rate::Unknown | Rate::NotOffered => continue,
            Rate::Flat(_) => "flat",
            Rate::PerUnit(_) => "per unit",
            Rate::Graduated(_) => "graduated",
            Rate::Volume(_) => "volume",
            Rate::Package { .. } => "package",
        };
        let start = day("2026-07-01");
        let records: Vec<UsageRecord> = start
            .iter_days()
            .take_while(|at| *at <= last)
            .map(|at| {
                usage(
                    &info.meter,
                    at,
                    Decimal::from(40 + at.day0() % 9),
                    tariff.unit,
                )
            })
            .collect();
        for free_tier in [FreeTier::Payer, FreeTier::None] {
            let coverage = Coverage::of(&records).unwrap();
            // An odd number of paths has a middle one.
            let options = ForecastOptions {
                paths: 301,
                months: 1,
                ..ForecastOptions::default()
            };
            let forecast = desk
                .with(free_tier, |rating| {
                    forecast::forecast(&records, &coverage, &options, rating)
                })
                .unwrap()
                .unwrap();
            for month in &forecast.months {
                let (fast, exact) = (month.total.p50.amount(), month.exact.total().amount());
                let close = (fast - exact).abs() <= Decimal::new(1, 3) + exact * Decimal::new(1, 4);
                assert!(close, "{}: {fast} is not {exact}", info.meter);
            }
        }
        *tried.entry(shape).or_insert(0) += 1;
    }
    assert!(tried.values().sum::<i32>() > 20, "{tried:?}");
}

#[test]
fn events_and_growth_change_what_they_say() {
    let desk = Desk::new();
    let records = minutes("2026-01-01", "2026-10-31", |_| 1000);
    let base = checked(&desk.forecast(&records, &few_paths()));
    let with = |event: Option<&str>, growth: &str| {
        let options = ForecastOptions {
            events: event
                .into_iter()
                .map(|text| text.parse().unwrap())
                .collect(),
            growth: growth.parse().unwrap(),
            ..few_paths()
        };
        checked(&desk.forecast(&records, &options))
    };
    // November's 30 days at half: half of the minutes, and the 100 free ones stay.
    let halved = with(Some("2026-11-01..2026-11-30=-50%"), "0%/month");
    assert!(
        (halved[1][1] * 2.0 / base[1][1] - 1.0).abs() < 0.02,
        "{halved:?} {base:?}"
    );
    assert_eq!(halved[2], base[2]);
    // Growth beyond all bounds ends at the largest amount there is.
    let beyond = ForecastOptions {
        months: 36,
        growth: "1000%/month".parse().unwrap(),
        ..few_paths()
    };
    assert_eq!(desk.forecast(&records, &beyond).months.len(), 37);
    let grown = with(None, "10%/month");
    assert!(
        (grown[3][1] / base[3][1] - 1.27).abs() < 0.05,
        "{grown:?} {base:?}"
    );
}

#[test]
fn parts_add_up_to_about_the_whole() {
    let desk = Desk::new();
    let mut records = minutes("2026-06-01", "2026-11-10", |_| 100);
    for (at, record) in records.iter_mut().enumerate() {
        record.resource = Some(ResourceId::new(if at % 4 == 0 { "api" } else { "web" }));
    }
    let options = ForecastOptions {
        by: Some(pipebill::domain::allocation::Dimension::Resource),
        ..few_paths()
    };
    let forecast = desk.forecast(&records, &options);
    for month in &forecast.months {
        let parts: Money = month.parts.iter().map(|(_, range)| range.p50).sum();
        let off = (parts - month.total.p50).amount().abs();
        assert!(off <= month.total.p50.amount() / Decimal::TEN, "{month:?}");
        assert_eq!(month.parts[0].0.as_deref(), Some("web"));
    }
}

#[test]
fn the_chance_of_passing_a_budget_is_that_of_the_paths() {
    let desk = Desk::new();
    let records = minutes("2026-01-01", "2026-10-31", |at| 900 + at % 200);
    let with = |budget: i64| {
        let options = ForecastOptions {
            budget: Some(Money::new(Decimal::from(budget))),
            ..few_paths()
        };
        desk.forecast(&records, &options).months[1]
            .over_budget
            .unwrap()
    };
    assert_eq!(with(0), Decimal::ONE_HUNDRED);
    assert_eq!(with(100_000), Decimal::ZERO);
}

#[test]
fn a_backtest_says_when_a_history_is_too_short() {
    let desk = Desk::new();
    let short = desk.backtest(&minutes("2026-10-10", "2026-11-10", |_| 100));
    assert!(short.trials.is_empty() && !short.enough);
    let long = desk.backtest(&minutes("2026-01-01", "2026-11-10", |at| {
        90 + (at * 7) % 21
    }));
    assert!(long.enough);
    assert!(long.median_error < Decimal::from(5), "{long:?}");
}

proptest::proptest! {
    #![proptest_config(crate::laws::cases(48))]

    /// Whatever the history, ranges are ordered, finite and above what is known.
    #[test]
    fn ranges_are_ordered_on_any_history(
        values in proptest::collection::vec(-20_i64..1000, 1..150),
        quiet in 0_u8..4,
        shift in 0_i64..60,
        months in 0_u32..14,
    ) {
        let desk = Desk::new();
        let start = day("2027-10-15") + chrono::Duration::days(shift);
        let records: Vec<UsageRecord> = start
            .iter_days()
            .zip(&values)
            .map(|(at, value)| {
                let value = if value % 4 < i64::from(quiet) { 0 } else { *value };
                usage(&small(), at, Decimal::from(value), Unit::Minute)
            })
            .collect();
        let options = ForecastOptions { months, paths: 40, ..ForecastOptions::default() };
        let forecast = desk.forecast(&records, &options);
        proptest::prop_assert_eq!(forecast.months.len(), months as usize + 1);
        for month in &forecast.months {
            proptest::prop_assert!(month.total.p10 <= month.total.p50);
            proptest::prop_assert!(month.total.p50 <= month.total.p90);
            proptest::prop_assert!(month.total.p90 < Money::new(Decimal::from(10_000_000)));
            proptest::prop_assert!(month.total.p10.amount() >= month.known.amount() - Decimal::ONE);
        }
    }
}

#[test]
fn the_forecast_of_aws_needs_an_account_and_a_build_that_can_ask() {
    let output = Command::new(env!("CARGO_BIN_EXE_pipebill"))
        .args(["forecast", "--demo", "--with-aws"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let why = if cfg!(feature = "aws") {
        "the sample organization has no account"
    } else {
        "made without the feature `aws`"
    };
    assert!(said.contains(why), "{said}");
}
