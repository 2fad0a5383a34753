//! What several tests need: the embedded catalogue, decimals, records, and the files on disk.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Arc, LazyLock},
};

use chrono::NaiveDate;
use pipebill::{
    domain::{
        catalog::{Catalog, Prices, Tariffs},
        ids::{AccountId, Currency, Meter, Region},
        number::parse_decimal,
        period::Month,
        quantity::{Quantity, Unit},
        tariff::{Rate, Tier},
        usage::{ChargeKind, UsageKey, UsageRecord},
    },
    pricing,
};
use rust_decimal::Decimal;

/// Says by its name that a test looked at nothing, because something is not there. In CI it fails, as
/// it could not tell a good program from a bad one.
pub(crate) fn skipped(why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{why}: scripts/test installs it"
    );
    may_skip(why);
}

/// Says by its name that a test looked at nothing, for what only some machines can have.
pub(crate) fn may_skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let line = format!("SKIPPED {test}: {why}\n");
    // Not by `println!`: the runner keeps what a passing test prints to itself.
    drop(std::io::stderr().write_all(line.as_bytes()));
    // `scripts/test` counts these at its end.
    if let Some(file) = std::env::var_os("PIPEBILL_SKIPPED") {
        let mut all = OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
        all.write_all(line.as_bytes()).unwrap();
    }
}

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| pricing::embedded().unwrap_or_else(|error| panic!("{error}")));

/// The embedded catalogue, read once.
pub(crate) fn catalog() -> &'static Catalog {
    &CATALOG
}

/// The embedded catalogue with another price in one place.
pub(crate) fn catalog_with(meter: &Meter, region: &str, rate: &Rate) -> Catalog {
    let mut all = catalog().clone();
    let own = all.tariffs();
    let mut tariffs: Tariffs = own
        .filter(|((of, _), _)| of.service == meter.service)
        .map(|(key, tariffs)| (key.clone(), tariffs.clone()))
        .collect();
    for tariff in tariffs
        .get_mut(&(meter.clone(), Region::new(region)))
        .into_iter()
        .flatten()
    {
        Arc::make_mut(tariff).rate = rate.clone();
    }
    let prices = Prices::later(move || tariffs);
    all.prices.insert(meter.service.clone(), prices);
    all
}

/// S3 storage as it would be if only the first tier were known.
pub(crate) fn storage_with_an_unknown_tier() -> Catalog {
    let tier = |up_to: Option<&str>, price: Option<&str>| Tier {
        up_to: up_to.map(dec),
        unit_price: price.map(dec),
    };
    let tiers = vec![tier(Some("51200"), Some("0.023")), tier(None, None)];
    let meter = Meter::new("AmazonS3", "TimedStorage-ByteHrs");
    catalog_with(&meter, "us-east-1", &Rate::Graduated(tiers))
}

pub(crate) fn dec(text: &str) -> Decimal {
    parse_decimal(text).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse()
        .unwrap_or_else(|_| panic!("`{text}` is no day"))
}

/// Usage of one day by nobody in particular.
pub(crate) fn usage(
    meter: &Meter,
    region: &str,
    day: NaiveDate,
    value: Decimal,
    unit: Unit,
) -> UsageRecord {
    UsageRecord {
        month: Month::of(day),
        day,
        last_day: day,
        key: UsageKey {
            payer: Some(AccountId::new("111122223333")),
            account: Some(AccountId::new("111122223333")),
            region: Region::new(region),
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
        origin: Arc::from("a test"),
    }
}

/// The directory of `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a directory of the package, in order; nothing if there is no such directory.
pub(crate) fn files_under(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a directory entry reads").path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A path as messages show it: from the package on, with slashes.
pub(crate) fn shown(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}

/// The ledger does not look up what a row refers to, so this does.
pub(crate) fn check_references(ledger: &Path) {
    let ledger = rusqlite::Connection::open(ledger).unwrap();
    let mut check = ledger.prepare("PRAGMA foreign_key_check").unwrap();
    let lost = check.query_map([], |row| row.get(0)).unwrap();
    let lost: Vec<String> = lost.map(Result::unwrap).collect();
    assert!(
        lost.is_empty(),
        "rows that refer to nothing, by table: {lost:?}"
    );
}

/// Stops a program as Ctrl-C does, which its code then says.
pub(crate) fn interrupt(child: Child) {
    let told = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
}
