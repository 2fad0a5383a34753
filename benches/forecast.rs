//! The forecast's time: a series' point forecast and range, and a year of twenty drivers with ten
//! thousand rated paths.
//!
//! `cargo bench --bench forecast`

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use pipebill::{
    domain::{
        ids::{AccountId, Currency, Meter, Region},
        period::Month,
        price_book::PriceBook,
        quantity::{Quantity, Unit},
        rating::RatingOptions,
        usage::{ChargeKind, UsageKey, UsageRecord},
    },
    forecast::{
        Coverage, ForecastOptions, Rating,
        calendar::{Calendar, Country},
        forecast, remainder,
    },
    pricing,
};
use rust_decimal::Decimal;

fn main() {
    divan::main();
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Four hundred days of working weeks.
fn value(n: i64) -> i64 {
    let working = if n % 7 < 5 { 200 } else { 0 };
    working + (n * n * 7 + n * 13) % 97
}

#[divan::bench]
fn a_series(bencher: divan::Bencher<'_, '_>) {
    let history: Vec<f64> = (0..400)
        .map(|n| f64::from(i32::try_from(value(n)).expect("a small number")))
        .collect();
    let calendar = Calendar::of([Country::UnitedStates]);
    bencher.bench_local(|| remainder(&history, day("2026-11-01"), 30, &calendar));
}

/// Five accounts with four machines each.
fn records() -> Vec<UsageRecord> {
    let mut records = Vec::new();
    for account in 0..5 {
        for size in ["g1.small", "g1.medium", "g1.large", "g1.xlarge"] {
            let key = UsageKey {
                payer: None,
                account: Some(AccountId::new(format!("11112222333{account}"))),
                region: Region::new("us-east-1"),
                meter: Meter::new("CodeBuild", format!("Build-Min:Linux:{size}")),
            };
            let days = day("2025-10-07").iter_days().take(400);
            records.extend(days.map(|day| UsageRecord {
                month: Month::of(day),
                day,
                last_day: day,
                key: key.clone(),
                kind: ChargeKind::Usage,
                resource: None,
                tags: Arc::default(),
                quantity: Some(Quantity::new(
                    Decimal::from(value(i64::from(day.num_days_from_ce()) + account)),
                    Unit::Minute,
                )),
                consumed: None,
                metering: None,
                billed: None,
                currency: Currency::new("USD"),
                origin: Arc::from("benchmark"),
            }));
        }
    }
    records
}

#[divan::bench(sample_count = 10)]
fn a_year_of_twenty_drivers(bencher: divan::Bencher<'_, '_>) {
    let catalog = pricing::embedded().expect("the embedded catalogue reads");
    let book = PriceBook::new(&catalog);
    let options = RatingOptions::new;
    let rating = Rating {
        book: &book,
        options: &options,
    };
    let records = records();
    let coverage = Coverage::of(&records).expect("there are records");
    let options = ForecastOptions {
        months: 12,
        ..ForecastOptions::default()
    };
    bencher.bench_local(|| forecast(&records, &coverage, &options, &rating));
}
