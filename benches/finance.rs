//! Writing what finance imports: a million lines as CSV, Parquet and a workbook.
//!
//! `cargo bench --bench finance`; the allocations say whether memory grows with the lines.

use pipebill::{
    domain::{
        catalog::Catalog,
        ids::{AccountId, Currency, Meter, Region},
        price_book::PriceBook,
        quantity::{Quantity, Unit},
        rating::{Rated, RatedMonth, RatingOptions, rate},
        usage::{ChargeKind, UsageKey, UsageRecord},
    },
    pricing,
    report::{
        formats::by_name,
        input::{Options, ReportInput},
    },
};
use rust_decimal::Decimal;
use std::sync::{Arc, LazyLock};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| pricing::embedded().expect("the embedded catalogue reads"));

/// A bill of a million lines: one line rated, a million times.
static MONTHS: LazyLock<Vec<RatedMonth>> = LazyLock::new(|| {
    let month = "2026-10".parse().expect("a month");
    let records: Vec<UsageRecord> = ["g1.small", "g1.medium", "g1.large", "g1.xlarge"]
        .into_iter()
        .map(|size| UsageRecord {
            month,
            day: month.first_day(),
            last_day: month.first_day(),
            key: UsageKey {
                payer: Some(AccountId::new("111122223333")),
                account: Some(AccountId::new("044455556666")),
                region: Region::new("us-east-1"),
                meter: Meter::new("CodeBuild", format!("Build-Min:Linux:{size}")),
            },
            kind: ChargeKind::Usage,
            resource: None,
            tags: Arc::default(),
            quantity: Some(Quantity::new(Decimal::new(123_456_789, 3), Unit::Minute)),
            consumed: None,
            metering: None,
            billed: None,
            currency: Currency::new("USD"),
            origin: Arc::from("benchmark"),
        })
        .collect();
    let rated = rate(
        &records,
        &PriceBook::new(&CATALOG),
        &RatingOptions::new(month),
    )
    .expect("one currency");
    let mut bill = rated.bill;
    let lines: Vec<_> = bill.lines.iter().cycle().take(1_000_000).cloned().collect();
    bill.lines = lines;
    vec![RatedMonth {
        rated: Rated {
            bill,
            line_of: Vec::new(),
        },
        records: Vec::new(),
    }]
});

#[divan::bench(args = ["csv", "focus", "focus-parquet", "xlsx"], sample_count = 1, sample_size = 1)]
fn a_million_lines(format: &str) -> u64 {
    let format = by_name(format).expect("a format");
    let material = ReportInput {
        catalog: &CATALOG,
        today: "2026-11-22".parse().expect("a day"),
        months: &MONTHS,
        by_jobs: &[],
        forecast: None,
        overview: None,
        savings: None,
        scenario: None,
        sample: false,
    };
    let mut nowhere = std::io::sink();
    let written = (format.write)(&material, &Options::default(), &mut nowhere);
    written.expect("nowhere takes it all").rows
}
