//! Rating a large organization's month: a million usage records to one bill.
//!
//! `cargo bench --bench rating`

use std::sync::Arc;

use pipebill::{
    domain::{
        catalog::Catalog,
        ids::{AccountId, Currency, Meter, Region, ResourceId},
        period::Month,
        price_book::PriceBook,
        quantity::{Quantity, Unit},
        rating::{RatingOptions, rate},
        usage::{ChargeKind, UsageKey, UsageRecord},
    },
    pricing,
};
use rust_decimal::Decimal;

fn main() {
    divan::main();
}

/// A month of builds: 40 accounts, 3 regions, 4 compute types, 2,000 projects, every day.
fn records(count: u32) -> Vec<UsageRecord> {
    let month: Month = "2026-10".parse().expect("a month");
    let accounts: Vec<_> = (0..40)
        .map(|n| AccountId::new(format!("1111222233{n:02}")))
        .collect();
    let regions = ["us-east-1", "ap-northeast-1", "eu-west-2"].map(Region::new);
    let meters = ["g1.small", "g1.medium", "g1.large", "g1.xlarge"]
        .map(|size| Meter::new("CodeBuild", format!("Build-Min:Linux:{size}")));
    let projects: Vec<_> = (0..2000)
        .map(|n| ResourceId::new(format!("project-{n}")))
        .collect();
    let days: Vec<_> = month.days().collect();
    let origin: Arc<str> = Arc::from("benchmark");
    let at = |n: u32, length: usize| (n as usize) % length;
    (0..count)
        .map(|n| UsageRecord {
            month,
            day: days[at(n, days.len())],
            last_day: days[at(n, days.len())],
            key: UsageKey {
                payer: Some(accounts[0].clone()),
                account: Some(accounts[at(n / 7, accounts.len())].clone()),
                region: regions[at(n / 11, regions.len())].clone(),
                meter: meters[at(n / 13, meters.len())].clone(),
            },
            kind: ChargeKind::Usage,
            resource: Some(projects[at(n / 3, projects.len())].clone()),
            tags: Arc::default(),
            quantity: Some(Quantity::new(Decimal::from(n % 17 + 1), Unit::Minute)),
            consumed: None,
            metering: None,
            billed: None,
            currency: Currency::new("USD"),
            origin: origin.clone(),
        })
        .collect()
}

fn catalog() -> Catalog {
    pricing::embedded().expect("the embedded catalogue reads")
}

#[divan::bench(args = [10_000, 1_000_000], sample_count = 10)]
fn rate_a_month(bencher: divan::Bencher<'_, '_>, count: u32) {
    let catalog = catalog();
    let records = records(count);
    let book = PriceBook::new(&catalog);
    let options = RatingOptions::new(records[0].month);
    bencher.bench_local(|| rate(&records, &book, &options));
}

#[divan::bench]
fn read_the_catalogue() -> Catalog {
    catalog()
}
