//! Billing exports into the ledger and back: exact, once, and with every doubt named.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod kinds;
mod laws;
mod ledger;
mod once;
mod people;
mod ragged;
mod unreadable;
mod values;

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use flate2::{Compression, write::GzEncoder};
use pipebill::{
    domain::{
        catalog::{Catalog, MeterInfo, RegionInfo, Service, ServiceKind},
        ids::{Currency, Meter, Region, ServiceCode},
        import::Delivery,
        money::Money,
        number::plain,
        period::Month,
        quantity::Unit,
        usage::UsageRecord,
    },
    exports::{ImportError, ImportOptions, Unwatched, import_files, import_reader},
    ledger::Ledger,
};

type Meters<'m> = &'m [(String, Unit)];

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for (id, prefix) in [
        ("us-east-1", "USE1"),
        ("eu-west-1", "EU"),
        ("eu-west-2", "EUW2"),
    ] {
        catalog.regions.insert(
            Region::new(id),
            RegionInfo {
                id: Region::new(id),
                prefix: prefix.to_owned(),
                name: id.to_owned(),
                location: id.to_owned(),
                partition: "aws".to_owned(),
                currency: Currency::new("USD"),
                opened: None,
            },
        );
    }
    let build = ["small", "medium", "large", "xlarge", "2xlarge"]
        .map(|size| (format!("Build-Min:Linux:g1.{size}"), Unit::Minute));
    let pipeline = [
        ("activePipeline".to_owned(), Unit::Pipeline),
        ("actionExecutionMinute".to_owned(), Unit::Minute),
    ];
    let commit = [("User-Month".to_owned(), Unit::User)];
    let deploy = [("On-Premises-Instance".to_owned(), Unit::Update)];
    let s3 = [("Requests-Tier1".to_owned(), Unit::Request)];
    let services: [(&str, &str, ServiceKind, Meters<'_>); 5] = [
        ("CodeBuild", "AWS CodeBuild", ServiceKind::Code, &build),
        (
            "AWSCodePipeline",
            "AWS CodePipeline",
            ServiceKind::Code,
            &pipeline,
        ),
        (
            "AWSCodeCommit",
            "AWS CodeCommit",
            ServiceKind::Code,
            &commit,
        ),
        (
            "AWSCodeDeploy",
            "AWS CodeDeploy",
            ServiceKind::Code,
            &deploy,
        ),
        ("AmazonS3", "Amazon S3", ServiceKind::Adjacent, &s3),
    ];
    for (code, name, kind, meters) in services {
        catalog.services.insert(
            ServiceCode::new(code),
            Service {
                code: ServiceCode::new(code),
                name: name.to_owned(),
                aliases: Vec::new(),
                kind,
                global: false,
                rules: Vec::new(),
                meters: meters
                    .iter()
                    .map(|(usage_type, unit)| MeterInfo {
                        meter: Meter::new(code, usage_type),
                        name: usage_type.clone(),
                        unit: *unit,
                        aliases: Vec::new(),
                        note: None,
                        listed: Vec::new(),
                    })
                    .collect(),
                allowances: Vec::new(),
                list: None,
                utilization: None,
                any: Vec::new(),
            },
        );
    }
    catalog
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/import")
        .join(name)
}

fn import(paths: &[PathBuf]) -> Result<Delivery, ImportError> {
    import_files(paths, &catalog(), &ImportOptions::default(), &Unwatched)
}

fn import_fixture(name: &str) -> Delivery {
    import(&[fixture(name)]).unwrap()
}

fn import_text(name: &str, text: impl AsRef<[u8]>) -> Result<Delivery, ImportError> {
    import_bytes(name, text, &ImportOptions::default())
}

fn import_bytes(
    name: &str,
    text: impl AsRef<[u8]>,
    options: &ImportOptions,
) -> Result<Delivery, ImportError> {
    let reader = Cursor::new(text.as_ref().to_vec());
    import_reader(name, reader, &catalog(), options, &Unwatched)
}

const CUR2_HEADER: &str = "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_start_date,\
    line_item_line_item_type,line_item_product_code,line_item_usage_type,line_item_usage_amount,\
    line_item_unblended_cost,line_item_currency_code,resource_tags\n";

/// A row of CUR 2.0: day, line type, product, usage type, amount, cost.
fn cur2_row(row: [&str; 6]) -> String {
    let [day, kind, product, usage_type, amount, cost] = row;
    format!(
        "999988887777,2026-10-01T00:00:00Z,{day},{kind},{product},{usage_type},{amount},{cost},USD,\n"
    )
}

fn cur2(rows: &[[&str; 6]]) -> String {
    let rows: String = rows.iter().map(|row| cur2_row(*row)).collect();
    format!("{CUR2_HEADER}{rows}")
}

const BUILD: [&str; 6] = [
    "2026-10-05T01:00:00.000Z",
    "Usage",
    "CodeBuild",
    "EUW2-Build-Min:Linux:g1.small",
    "10",
    "0.05",
];

fn build_of(amount: &'static str, cost: &'static str) -> [&'static str; 6] {
    let mut row = BUILD;
    (row[4], row[5]) = (amount, cost);
    row
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn write(path: PathBuf, content: impl AsRef<[u8]>) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn records(delivery: &Delivery) -> Vec<&UsageRecord> {
    delivery
        .slices
        .iter()
        .flat_map(|slice| &slice.records)
        .collect()
}

fn cost(delivery: &Delivery) -> String {
    let costs = records(delivery)
        .into_iter()
        .map(|r| r.billed.as_ref().unwrap().cost);
    plain(costs.sum::<Money>().amount())
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn quantity(record: &UsageRecord) -> Option<String> {
    record.quantity.map(|q| q.to_string())
}

fn ledger_cost(ledger: &Ledger, text: &str) -> String {
    let records = ledger.records(month(text)).unwrap();
    let costs = records.iter().map(|r| r.billed.as_ref().unwrap().cost);
    plain(costs.sum::<Money>().amount())
}
