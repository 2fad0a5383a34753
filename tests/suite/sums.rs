//! The ledger's rows against sums of `DuckDB` over the same files (`tests/double/sums.py`): every key
//! that an import keeps, every amount to its last digit.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use pipebill::{
    domain::{
        ids::{AccountId, ResourceId},
        quantity::Quantity,
    },
    ledger::Ledger,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    cloud::{Exports, MONTH, import_files},
    double::{place, python, said},
    support::{dec, root},
};

/// Amounts by the keys that go with them.
type Sums = BTreeMap<String, (Decimal, Decimal)>;

fn plain(value: Option<Decimal>) -> Option<String> {
    value.map(|value| value.normalize().to_string())
}

/// What the ledger says of the month.
fn of_ledger(kind: &str, ledger: &Path) -> (Sums, BTreeSet<String>) {
    let ledger = Ledger::open_existing(ledger).unwrap();
    let month = MONTH.parse().unwrap();
    let mut sums = Sums::new();
    for record in ledger.records(month).unwrap() {
        let billed = record.billed.as_ref().unwrap();
        let tags = record.tags.iter().map(|(key, value)| match kind {
            // The oracle knows them by the names that Athena gives them.
            "legacy" => (key.to_lowercase(), value.to_owned()),
            _ => (key.to_owned(), value.to_owned()),
        });
        let tags: BTreeMap<String, String> = tags.collect();
        // Whoever has no region is in none, and has no word for it.
        let region = record.key.region.as_str();
        let region = (region != "global").then_some(region);
        let key = json!([
            record.day.to_string(),
            record.key.payer.as_ref().map(AccountId::as_str),
            record.key.account.as_ref().map(AccountId::as_str),
            region,
            record.key.meter.service.as_str(),
            record.key.meter.usage_type.as_str(),
            record.kind.name(),
            record.resource.as_ref().map(ResourceId::as_str),
            tags,
            record.quantity.is_some(),
            plain(billed.rate),
            plain(billed.list_rate),
            billed.invoice.as_deref(),
            record.currency.as_str(),
        ]);
        let quantity = record.quantity.map_or(Decimal::ZERO, |q: Quantity| q.value);
        let sum = sums.entry(key.to_string()).or_default();
        sum.0 += quantity;
        sum.1 += billed.cost.amount();
    }
    let outside = ledger.outside(month).unwrap();
    let outside = outside.iter().map(|total| {
        let cost = plain(Some(total.cost.amount()));
        json!([
            total.service,
            total.kind.name(),
            total.currency.as_str(),
            total.rows,
            cost
        ])
        .to_string()
    });
    (sums, outside.collect())
}

/// What `DuckDB` says of the files.
fn of_duckdb(kind: &str, format: &str, files: &[std::path::PathBuf]) -> (Sums, BTreeSet<String>) {
    let output = Command::new(python().unwrap())
        .arg(root().join("tests/double/sums.py"))
        .args([kind, format])
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut sums = Sums::new();
    for row in found["records"].as_array().unwrap() {
        let row = row.as_array().unwrap();
        let (key, amounts) = row.split_at(row.len() - 2);
        let mut key = key.to_vec();
        let tags: BTreeMap<String, String> =
            serde_json::from_str(key[8].as_str().unwrap()).unwrap();
        key[8] = json!(tags);
        let amount = |at: usize| dec(amounts[at].as_str().unwrap());
        let known = sums.insert(json!(key).to_string(), (amount(0), amount(1)));
        assert!(known.is_none(), "{key:?}");
    }
    let outside = found["outside"].as_array().unwrap();
    (sums, outside.iter().map(Value::to_string).collect())
}

#[test]
fn every_sum_is_the_one_that_duckdb_finds() {
    let Some(exports) = Exports::of_each_kind() else {
        return;
    };
    for (name, kind) in [
        ("sample", "cur2"),
        ("cur2", "cur2"),
        ("legacy", "legacy"),
        ("focus", "focus"),
    ] {
        for format in ["csv", "parquet"] {
            let files = exports.files(name, kind, format);
            let (_folder, ledger) = place();
            import_files(&ledger, &files);
            let (found, outside) = of_ledger(kind, &ledger);
            let (expected, expected_outside) = of_duckdb(kind, format, &files);
            assert!(!found.is_empty() && expected.values().any(|sum| sum.1 > Decimal::ZERO));
            let other = found
                .iter()
                .filter(|(key, sum)| expected.get(*key) != Some(sum));
            let missing = expected.keys().filter(|key| !found.contains_key(*key));
            let (other, missing): (Vec<_>, Vec<_>) =
                (other.take(3).collect(), missing.take(3).collect());
            assert!(
                other.is_empty() && missing.is_empty(),
                "{name} {format}: {other:#?}, not {missing:#?}"
            );
            assert_eq!(outside, expected_outside, "{name} {format}");
        }
    }
}
