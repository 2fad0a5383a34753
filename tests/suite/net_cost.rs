//! Discounts that stand in the column of net unblended costs: they count where no rows tell them, and once.
//! Expectations are arithmetic of the files.

use std::{fmt::Write, fs, path::Path};

use pipebill::domain::usage::{ChargeKind, UsageRecord};
use rust_decimal::Decimal;

use crate::{
    cloud::{Exports, ask, import_files, rows},
    double::place,
    support::dec,
};

const COLUMNS: [&str; 13] = [
    "bill_payer_account_id",
    "bill_billing_period_start_date",
    "line_item_usage_account_id",
    "line_item_usage_start_date",
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_usage_amount",
    "line_item_unblended_rate",
    "line_item_unblended_cost",
    "line_item_net_unblended_cost",
    "line_item_currency_code",
    "resource_tags",
];
const LEGACY: [&str; 13] = [
    "bill/PayerAccountId",
    "bill/BillingPeriodStartDate",
    "lineItem/UsageAccountId",
    "lineItem/UsageStartDate",
    "lineItem/LineItemType",
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/UsageAmount",
    "lineItem/UnblendedRate",
    "lineItem/UnblendedCost",
    "lineItem/NetUnblendedCost",
    "lineItem/CurrencyCode",
    "resourceTags/user:team",
];

/// A row of the second of October 2026.
fn row(kind: &str, service: &str, usage_type: &str, cost: &str, net: &str) -> String {
    format!(
        "999988887777,2026-10-01,111122223333,2026-10-02,{kind},{service},{usage_type},1000,0.01,{cost},\
         {net},USD,\n"
    )
}

fn build(kind: &str, cost: &str, net: &str) -> String {
    row(
        kind,
        "CodeBuild",
        "USE1-Build-Min:Linux:g1.medium",
        cost,
        net,
    )
}

/// Usage of 10.00, 20.00 and 5.00, of which the second was given 10 % and the third states no net cost;
/// usage that a Savings Plan covers, with what takes it back; a service that is only summed.
fn usage() -> String {
    build("Usage", "10", "10")
        + &build("Usage", "20", "18")
        + &build("Usage", "5", "")
        + &build("SavingsPlanCoveredUsage", "8", "7.2")
        + &build("SavingsPlanNegation", "-8", "-7.2")
        + &row(
            "Usage",
            "AWSCodePipeline",
            "EUC1-activePipeline",
            "3",
            "2.7",
        )
        + &row("Usage", "AmazonEC2", "EUW1-BoxUsage:m5.large", "100", "90")
}

fn file(columns: &[&str], rows: &str) -> String {
    columns.join(",") + "\n" + rows
}

/// What an import of files says, and the records of its ledger.
fn imported(files: &[(&str, String)]) -> (String, Vec<UsageRecord>) {
    let (folder, ledger) = place();
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        paths.push(path.to_str().unwrap().to_owned());
    }
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let output = crate::double::pipebill(&ledger, &[&["import"][..], &paths].concat())
        .output()
        .unwrap();
    let said = crate::double::said(&output);
    assert!(output.status.success(), "{said}");
    (said, rows(&ledger).0)
}

/// Service, region and cost of each discount.
fn discounts(records: &[UsageRecord]) -> Vec<(&str, &str, Decimal)> {
    let discounts = records.iter().filter(|r| r.kind == ChargeKind::Discount);
    let told = discounts.map(|record| {
        let (service, region) = (&record.key.meter.service, &record.key.region);
        let cost = record.billed.as_ref().unwrap().cost.amount();
        (service.as_str(), region.as_str(), cost)
    });
    let mut told: Vec<_> = told.collect();
    told.sort_unstable();
    told
}

#[test]
fn usage_alone_has_the_discounts_of_its_net_cost() {
    for columns in [&COLUMNS, &LEGACY] {
        let (said, records) = imported(&[("cur.csv", file(columns, &usage()))]);
        assert_eq!(
            discounts(&records),
            [
                ("AWSCodePipeline", "eu-central-1", dec("-0.3")),
                ("CodeBuild", "us-east-1", dec("-2")),
            ],
        );
        assert!(
            said.contains(
                "2026-10: -2 USD of discounts on CodeBuild are the difference between its net unblended"
            ),
            "{said}"
        );
        assert!(
            said.contains("-0.3 USD of discounts on AWSCodePipeline"),
            "{said}"
        );
    }
}

/// The rows of one service are in another file than its usage; those of another service tell nothing of it.
#[test]
fn where_rows_tell_a_discount_the_column_does_not_count_too() {
    let edp = build("EdpDiscount", "-2", "0");
    for files in [
        vec![("cur.csv", file(&COLUMNS, &(usage() + &edp)))],
        vec![
            ("cur-00001.csv", file(&COLUMNS, &usage())),
            ("cur-00002.csv", file(&COLUMNS, &edp)),
        ],
    ] {
        let (said, records) = imported(&files);
        assert_eq!(
            discounts(&records),
            [
                ("AWSCodePipeline", "eu-central-1", dec("-0.3")),
                ("CodeBuild", "us-east-1", dec("-2")),
            ],
        );
        assert!(!said.contains("of discounts on CodeBuild"), "{said}");
        let of_column = records.iter().filter(|record| {
            record.kind == ChargeKind::Discount && record.key.meter.usage_type.as_str().is_empty()
        });
        assert_eq!(of_column.count(), 1);
    }
}

/// The first file has the usage, the second the discount row.
#[test]
fn files_imported_one_by_one_count_a_discount_once() {
    let usage = ("cur-00001.csv", file(&COLUMNS, &usage()));
    let edp = (
        "cur-00002.csv",
        file(&COLUMNS, &build("EdpDiscount", "-2", "0")),
    );
    let (folder, ledger) = place();
    for (name, text) in [&usage, &edp] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        import_files(&ledger, &[path]);
    }
    let records = rows(&ledger).0;
    let expected = [
        ("AWSCodePipeline", "eu-central-1", dec("-0.3")),
        ("CodeBuild", "us-east-1", dec("-2")),
    ];
    assert_eq!(discounts(&records), expected);
}

#[test]
fn a_net_cost_that_is_no_lower_is_no_discount() {
    let rows = build("Usage", "10", "10") + &build("Usage", "10", "11");
    let (said, records) = imported(&[("cur.csv", file(&COLUMNS, &rows))]);
    assert!(
        discounts(&records).is_empty() && !said.contains("discounts on"),
        "{said}"
    );
}

#[test]
fn every_way_to_read_an_export_finds_the_same() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    for (name, columns) in [("cur2", &COLUMNS), ("legacy", &LEGACY)] {
        let path = exports.path(&format!("{name}.csv"));
        fs::write(&path, file(columns, &usage())).unwrap();
        exports.deliver(name, name, Path::new(&path));
    }
    let double = exports.athena();
    for name in ["cur2", "legacy"] {
        let (_folder, ledger) = place();
        import_files(&ledger, &exports.files(name, name, "csv"));
        let by_file = rows(&ledger);
        assert_eq!(discounts(&by_file.0).len(), 2);
        let (_folder, ledger) = place();
        import_files(&ledger, &exports.files(name, name, "parquet"));
        assert_eq!(rows(&ledger), by_file, "{name}");
        for format in ["csv", "parquet"] {
            let (_folder, ledger) = place();
            let said = ask(&double, &ledger, &format!("{name}_{format}"), &[], 0);
            assert_eq!(rows(&ledger), by_file, "{name} {format}");
            assert!(said.contains("-2 USD of discounts on CodeBuild"), "{said}");
        }
    }
}

/// Days of 10.00, each 9 % less by its net cost.
fn days(month: u32, days: u32) -> String {
    let mut text = String::new();
    for day in 1..=days {
        let row = build("Usage", "10", "9.1");
        let row = row.replace("2026-10-01", &format!("2026-{month:02}-01"));
        let row = row.replace("2026-10-02", &format!("2026-{month:02}-{day:02}"));
        write!(text, "{row}").unwrap();
    }
    text
}

#[test]
fn it_recurs_as_any_discount_does() {
    let (folder, ledger) = place();
    let path = folder.path().join("cur.csv");
    let months = [days(8, 31), days(9, 30), days(10, 31), days(11, 15)];
    fs::write(&path, file(&COLUMNS, &months.concat())).unwrap();
    import_files(&ledger, &[path]);
    let says = |arguments: &[&str]| {
        let arguments = [&["--as-of", "2026-11-30"][..], arguments].concat();
        let output = crate::double::pipebill(&ledger, &arguments)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    // 310.00 less 9 %.
    let bill = says(&["bill", "--month", "2026-10"]);
    assert!(bill.contains("282.10"), "{bill}");
    // About 300.00 less 9 %.
    let forecast = says(&["forecast", "--months", "1"]);
    let note = "less 9 % recurring discounts, as in 2026-08 to 2026-10: -$27.";
    assert!(forecast.contains(note), "{forecast}");
}
