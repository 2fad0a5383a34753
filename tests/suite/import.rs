//! Billing exports into the ledger and back: exact, once, and with every doubt named.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::NaiveDate;
use flate2::{Compression, write::GzEncoder};
use pipebill::{
    collect::exports::{
        Delivery, ExportKind, ImportError, ImportOptions, RowFault, Slice, Watch, import_files,
        import_reader,
    },
    domain::{
        catalog::{Catalog, MeterInfo, RegionInfo, Service, ServiceKind},
        ids::{AccountId, Currency, Meter, Region, ResourceId, ServiceCode},
        money::Money,
        number::{parse_decimal, plain},
        period::Month,
        quantity::{Quantity, Unit},
        usage::{Billed, ChargeKind, Tags, UsageKey, UsageRecord},
    },
    ledger::{Ledger, LedgerError},
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tempfile::TempDir;

struct Quiet;

impl Watch for Quiet {
    fn progress(&self, _: &Path, _: u64, _: Option<u64>, _: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

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
                partition: "aws".to_owned(),
                currency: Currency::new("USD"),
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
                    })
                    .collect(),
                allowances: Vec::new(),
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
    import_files(paths, &catalog(), &ImportOptions::default(), &Quiet)
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
    import_reader(name, reader, &catalog(), options, &Quiet)
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

// Each kind of export.

#[test]
fn cur2_is_read_from_the_columns_of_data_exports() {
    let delivery = import_fixture("cur2.csv");
    assert_eq!(delivery.files[0].kind, ExportKind::Cur2);
    assert_eq!(delivery.slices.len(), 1);
    let slice = &delivery.slices[0];
    assert_eq!(slice.source, "999988887777");
    assert_eq!(slice.month, month("2026-10"));
    assert_eq!(slice.covers, (day("2026-10-01"), day("2026-10-31")));
    assert!(slice.whole_month);
    assert!(slice.outside.is_empty());
    let first = slice
        .records
        .iter()
        .find(|r| {
            r.resource
                .as_ref()
                .is_some_and(|id| id.as_str().ends_with("project/p-3"))
        })
        .unwrap();
    assert_eq!(quantity(first).as_deref(), Some("10.95321 minutes"));
    assert_eq!(first.tags.get("team").map(String::as_str), Some("payments"));
    assert_eq!(&*first.origin, "cur2 cur2.csv");
}

#[test]
fn legacy_cur_is_read_from_names_with_slashes() {
    let delivery = import_fixture("legacy-cur.csv");
    assert_eq!(delivery.files[0].kind, ExportKind::LegacyCur);
    let slice = &delivery.slices[0];
    assert_eq!(slice.source, "000000001234");
    let usage = &slice.records[0];
    assert_eq!(quantity(usage).as_deref(), Some("30 minutes"));
    assert_eq!(usage.billed.as_ref().unwrap().cost.to_string(), "0.06");
    let tags = BTreeMap::from([
        ("Team".to_owned(), "web".to_owned()),
        ("cost_category/Unit".to_owned(), "Platform".to_owned()),
    ]);
    assert_eq!(*usage.tags, tags);
    assert_eq!(slice.records[1].kind, ChargeKind::Tax);
    assert_eq!(slice.records[1].key.region, Region::global());
    assert_eq!(slice.outside[0].service, "AmazonEC2");
    assert_eq!(slice.outside[0].cost.to_string(), "7.5");
}

#[test]
fn focus_1_0_with_literal_nulls_is_read() {
    let delivery = import_fixture("focus-1.0.csv");
    assert_eq!(delivery.files[0].kind, ExportKind::Focus);
    assert_eq!(
        (delivery.files[0].rows_read, delivery.files[0].rows_kept),
        (25, 0)
    );
    let outside: Vec<_> = delivery.slices.iter().flat_map(|s| &s.outside).collect();
    assert_eq!(outside.iter().map(|o| o.rows).sum::<u64>(), 25);
    assert!(outside.iter().any(|o| o.kind == ChargeKind::Credit));
    let options = ImportOptions {
        include_services: vec![ServiceCode::new("AWS Lambda")],
        ..ImportOptions::default()
    };
    let file = fs::read(fixture("focus-1.0.csv")).unwrap();
    let delivery = import_bytes("focus-1.0.csv", file, &options).unwrap();
    let lambda = records(&delivery)[0];
    assert_eq!(lambda.day, day("2024-09-02"));
    assert_eq!(
        lambda.quantity.unwrap().value,
        parse_decimal("142.628").unwrap()
    );
    let billed = lambda.billed.as_ref().unwrap();
    assert_eq!(billed.cost.to_string(), "0.0023771381");
    assert_eq!(billed.rate, None);
    assert_eq!(billed.list_rate, parse_decimal("0.0000166667").ok());
    assert_eq!(billed.invoice, None);
    assert_eq!(&*lambda.origin, "focus 1.0 focus-1.0.csv");
}

#[test]
fn focus_1_2_keeps_free_units_corrections_and_purchases_apart() {
    let delivery = import_fixture("focus-1.2.csv");
    let records = records(&delivery);
    assert_eq!(records.len(), 5);
    let named = |kind: &str| records.iter().filter(|r| r.kind.name() == kind).count();
    assert_eq!(
        (named("usage"), named("fee"), named("Correction")),
        (3, 1, 1)
    );
    let free = records
        .iter()
        .find(|r| r.billed.as_ref().unwrap().rate == Some(Decimal::ZERO))
        .unwrap();
    assert_eq!(quantity(free).as_deref(), Some("100 minutes"));
    assert!(
        records
            .iter()
            .any(|r| r.key.meter == Meter::new("AWSCodePipeline", "activePipeline"))
    );
    let project = "arn:aws:codebuild:eu-west-2:111122223333:project/api";
    assert_eq!(free.resource, Some(ResourceId::new(project)));
    assert_eq!(free.tags.get("team").map(String::as_str), Some("web"));
    assert_eq!(
        free.billed.as_ref().unwrap().invoice.as_deref(),
        Some("1700000001")
    );
}

#[test]
fn a_daily_file_is_read_exactly() {
    let delivery = import_fixture("daily.csv");
    assert_eq!(delivery.files[0].kind, ExportKind::DailyCsv);
    assert_eq!(delivery.slices.len(), 2);
    let first = &delivery.slices[0].records[0];
    assert_eq!(quantity(first).as_deref(), Some("2 minutes"));
    assert_eq!(first.billed.as_ref().unwrap().cost.to_string(), "0.1596");
    assert_eq!(first.key.region, Region::new("us-east-1"));
    assert_eq!(
        delivery.slices[0].covers,
        (day("2026-08-24"), day("2026-08-24"))
    );
    assert_eq!(cost(&delivery), "14.1836");
}

#[test]
fn the_console_s_file_gives_costs_by_day_and_no_quantities() {
    let delivery = import_fixture("ce-service-daily.csv");
    assert_eq!(delivery.files[0].kind, ExportKind::CostExplorerCsv);
    assert_eq!(delivery.slices.len(), 3);
    assert_eq!(cost(&delivery), "5.75");
    assert!(records(&delivery).iter().all(|r| r.quantity.is_none()));
    assert_eq!(delivery.slices[1].outside[0].cost.to_string(), "50.5");
    assert_eq!(delivery.notes, Vec::<String>::new());
}

#[test]
fn the_console_s_file_by_usage_type_and_month_finds_its_services() {
    let delivery = import_fixture("ce-usage-type-monthly.csv");
    assert_eq!(
        delivery.slices[0].covers,
        (day("2026-09-01"), day("2026-09-30"))
    );
    assert!(delivery.slices[0].whole_month);
    let record = records(&delivery)[0];
    assert_eq!(
        record.key.meter,
        Meter::new("CodeBuild", "Build-Min:Linux:g1.small")
    );
    assert_eq!(record.key.region, Region::new("eu-west-2"));
    assert_eq!(
        record.billed.as_ref().unwrap().cost.to_string(),
        "2.3456789012345"
    );
    assert_eq!(delivery.slices[0].outside[0].service, "BoxUsage:t3.micro");
}

#[test]
fn a_total_that_its_columns_do_not_reach_is_named() {
    let text = "\"Service\",\"CodeBuild($)\",\"Total costs($)\"\n\"2026-10-02\",\"1\",\"1.5\"\n";
    let delivery = import_text("costs.csv", text).unwrap();
    assert_eq!(
        delivery.notes,
        ["costs.csv, line 2: the total is 1.5, the columns add up to 1"]
    );
}

#[test]
fn pages_of_the_api_are_read_one_after_the_other() {
    let delivery = import_fixture("ce-pages.json");
    assert_eq!(delivery.files[0].kind, ExportKind::CostExplorerJson);
    let records = records(&delivery);
    assert_eq!(records.len(), 2);
    assert_eq!(quantity(records[0]).as_deref(), Some("20 minutes"));
    assert_eq!(records[1].quantity, None);
    assert_eq!(
        delivery.slices[0].outside[0].cost.to_string(),
        "0.0000000149"
    );
    assert_eq!(delivery.notes.len(), 1);
    assert!(delivery.notes[0].ends_with("calls 2026-10-02 to 2026-10-02 estimated"));
}

#[test]
fn an_answer_whose_next_page_is_missing_is_called_incomplete() {
    let text = fs::read_to_string(fixture("ce-pages.json")).unwrap();
    let first = &text[..text.find("\n}\n").unwrap() + 3];
    let delivery = import_text("page.json", first).unwrap();
    assert_eq!(
        delivery.notes,
        ["page.json: incomplete, the last page names a next one"]
    );
}

#[test]
fn an_answer_without_costs_names_the_metric() {
    let text = fs::read_to_string(fixture("ce-pages.json")).unwrap();
    let error = import_text("page.json", text.replace("UnblendedCost", "BlendedCost")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "page.json looks like Cost Explorer JSON but has no column UnblendedCost"
    );
    let error = import_text("page.json", "{\n\"a\": 1}").unwrap_err();
    assert!(
        matches!(error, ImportError::NotCostExplorerJson { line: 2, .. }),
        "{error}"
    );
}

// Values.

#[test]
fn both_forms_of_a_timestamp_and_exponents_are_the_same_charge() {
    let mut other = build_of("1E+1", "5E-2");
    other[0] = "2026-10-05 23:59:59+00:00";
    let delivery = import_text("x.csv", cur2(&[BUILD, other])).unwrap();
    assert_eq!(records(&delivery).len(), 1);
    assert_eq!(
        quantity(records(&delivery)[0]).as_deref(),
        Some("20 minutes")
    );
    assert_eq!(cost(&delivery), "0.1");
}

#[test]
fn null_is_absent_and_not_zero() {
    let delivery = import_text("x.csv", cur2(&[build_of("NULL", "0.05")])).unwrap();
    assert_eq!(records(&delivery)[0].quantity, None);
    let error = import_text("x.csv", cur2(&[build_of("1", "NULL")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.csv, line 2, column line_item_unblended_cost: there is no value"
    );
}

#[test]
fn an_unknown_line_type_is_kept_and_named() {
    let mut row = BUILD;
    row[1] = "SolarSurcharge";
    let delivery = import_text("x.csv", cur2(&[row, BUILD])).unwrap();
    assert_eq!(cost(&delivery), "0.1");
    assert_eq!(
        delivery.notes,
        [
            "cur2 x.csv: line type `SolarSurcharge` is none we know: 1 row, cost 0.05 USD, kept as they are"
        ]
    );
}

#[test]
fn an_unknown_usage_type_is_kept_and_named_with_its_cost() {
    let mut row = BUILD;
    row[3] = "EUW2-Build-Min:Quantum";
    let delivery = import_text("x.csv", cur2(&[row, row])).unwrap();
    assert_eq!(records(&delivery)[0].key.region, Region::new("eu-west-2"));
    assert_eq!(
        delivery.notes,
        [
            "cur2 x.csv: the catalogue has no meter CodeBuild:Build-Min:Quantum: 2 rows, cost 0.1 USD, kept as billed"
        ]
    );
}

#[test]
fn other_services_are_summed_unless_they_are_asked_for() {
    let mut row = BUILD;
    (row[2], row[3]) = ("AmazonS3", "EUW2-Requests-Tier1");
    let text = cur2(&[row, row, BUILD]);
    let delivery = import_text("x.csv", &text).unwrap();
    let outside = &delivery.slices[0].outside[0];
    assert_eq!((outside.service.as_str(), outside.rows), ("AmazonS3", 2));
    assert_eq!(outside.cost.to_string(), "0.1");
    let options = ImportOptions {
        include_services: vec![ServiceCode::new("AmazonS3")],
        ..ImportOptions::default()
    };
    let delivery = import_bytes("x.csv", &text, &options).unwrap();
    assert_eq!(delivery.slices[0].outside, []);
    assert_eq!(delivery.files[0].rows_kept, 3);
}

#[test]
fn a_late_refund_stays_in_the_month_it_is_billed_in() {
    let mut refund = build_of("1", "-0.05");
    (refund[0], refund[1]) = ("2026-08-30T00:00:00Z", "Refund");
    let delivery = import_text("x.csv", cur2(&[refund])).unwrap();
    let record = records(&delivery)[0];
    assert_eq!(
        (record.month, record.day),
        (month("2026-10"), day("2026-08-30"))
    );
    let mut ledger = Ledger::in_memory().unwrap();
    ledger.replace(&delivery.slices).unwrap();
    assert_eq!(ledger.months().unwrap(), [month("2026-10")]);
    assert_eq!(ledger.records(month("2026-10")).unwrap().len(), 1);
    let august = ledger
        .records_between(day("2026-08-01"), day("2026-08-31"))
        .unwrap();
    assert_eq!(august.len(), 1);
}

// What cannot be read.

#[test]
fn a_malformed_row_names_file_line_and_column() {
    let text = cur2(&[BUILD, build_of("ten", "0.05"), BUILD]);
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let error = import_text("x.csv", &text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x.csv, line 3, column line_item_usage_amount: `ten` is not a number"
        );
        let options = ImportOptions {
            skip_bad_rows: true,
            ..ImportOptions::default()
        };
        let delivery = import_bytes("x.csv", &text, &options).unwrap();
        assert_eq!(cost(&delivery), "0.1");
        assert_eq!(
            delivery.notes,
            [
                "x.csv: 1 row skipped",
                "skipped: x.csv, line 3, column line_item_usage_amount: `ten` is not a number"
            ]
        );
    }
}

#[test]
fn a_row_after_an_embedded_newline_has_its_own_line_number() {
    let mut text = cur2(&[BUILD]);
    text = text.trim_end().to_owned() + "\"{\"\"user_note\"\":\"\"a\\nb\"\"}\"\n";
    text = text.replace("\\n", " \n ");
    let error = import_text("x.csv", &text).unwrap_err();
    assert!(matches!(
        error,
        ImportError::Row {
            line: 2,
            fault: RowFault::Tags(_),
            ..
        }
    ));
    let error = import_text("x.csv", cur2(&[BUILD]) + "1,2\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.csv, line 3: the header has 10 fields, the row 2"
    );
}

#[test]
fn a_truncated_gzip_names_the_file() {
    let rows: Vec<_> = (0..5000).map(|_| BUILD).collect();
    let mut zipped = gzip(cur2(&rows).as_bytes());
    zipped.truncate(zipped.len() - 20);
    let length = zipped.len();
    let error = import_text("october.csv.gz", zipped).unwrap_err();
    assert!(matches!(error, ImportError::Truncated { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("october.csv.gz ends at byte {length}, in the middle of its compressed data")
    );
}

#[test]
fn what_is_no_text_is_refused_by_what_it_is() {
    for (bytes, expected) in [
        (
            &b"PAR1\x15\x04"[..],
            "x is an Apache Parquet file, not CSV or JSON text",
        ),
        (
            b"\x7fELF\x00\x01\x02",
            "x is a binary file, not CSV or JSON text",
        ),
        (b"\xff\xfed\x00", "x is UTF-16 text, not CSV or JSON text"),
        (b"", "x is empty"),
        (b" \n", "x is empty"),
        (
            b"a,b\n1,2\n",
            "x is no known billing export; it begins with the columns a, b",
        ),
    ] {
        assert_eq!(import_text("x", bytes).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_missing_column_is_named_with_the_nearest_kind() {
    let text = cur2(&[BUILD]).replace("line_item_unblended_cost", "cost");
    let error = import_text("x.csv", text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.csv looks like Cost and Usage Report 2.0 but has no column line_item_unblended_cost"
    );
}

#[test]
fn a_directory_and_a_missing_file_are_named() {
    let directory = TempDir::new().unwrap();
    let error = import(&[directory.path().to_owned()]).unwrap_err();
    assert!(matches!(error, ImportError::Directory { .. }));
    let error = import(&[directory.path().join("none.csv")]).unwrap_err();
    assert!(matches!(error, ImportError::Open { .. }));
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
    let text = cur2(&[BUILD]) + "\"" + &"x".repeat(20 << 20);
    let error = import_text("x.csv", text).unwrap_err();
    assert!(
        matches!(error, ImportError::RecordTooLong { line: 3, .. }),
        "{error}"
    );
}

// Packed files.

#[test]
fn gzip_in_several_members_zip_and_a_byte_order_mark_are_read() {
    let text = cur2(&[BUILD]);
    let (header, rows) = text.split_at(CUR2_HEADER.len());
    let members = [gzip(header.as_bytes()), gzip(rows.as_bytes())].concat();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [
        ("readme.txt", "no csv"),
        ("data/x-00001.csv", &text),
        ("data/x-00002.csv", &text),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    let archive = archive.finish().unwrap().into_inner();
    let marked = format!("\u{feff}{}", text.replace(',', " ,").replacen(" ,", ",", 1));
    for (bytes, expected) in [
        (members, "0.05"),
        (archive, "0.1"),
        (marked.into_bytes(), "0.05"),
    ] {
        assert_eq!(cost(&import_text("x.csv", bytes).unwrap()), expected);
    }
}

#[test]
fn a_zip_without_csv_is_an_error() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("readme.txt", options).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let error = import_text("x.zip", archive).unwrap_err();
    assert_eq!(error.to_string(), "x.zip holds no .csv file");
}

// The same money once.

#[test]
fn only_the_newest_delivery_of_a_month_counts() {
    let directory = TempDir::new().unwrap();
    let month = directory.path().join("x/data/BILLING_PERIOD=2026-10");
    let file = |delivery: &str, text: String| {
        write(
            month.join(delivery).join("x-00001.csv.gz"),
            gzip(text.as_bytes()),
        )
    };
    let old = file("2026-11-01T00:00:00.000Z-9f", cur2(&[BUILD]));
    let new = file(
        "2026-11-02T00:00:00.000Z-1a",
        cur2(&[build_of("20", "0.1")]),
    );
    let delivery = import(&[new, old]).unwrap();
    assert_eq!(cost(&delivery), "0.1");
    assert_eq!(delivery.files.len(), 1);
    assert_eq!(delivery.notes.len(), 1);
    assert!(delivery.notes[0].contains("2026-11-01T00:00:00.000Z-9f"));
}

#[test]
fn the_manifest_says_which_legacy_delivery_counts() {
    let directory = TempDir::new().unwrap();
    let month = directory.path().join("x/20261001-20261101");
    let text = fs::read_to_string(fixture("legacy-cur.csv")).unwrap();
    let paths = ["aaaa", "bbbb"].map(|id| {
        write(
            month.join(id).join("x-1.csv"),
            format!("{text}\n{}", if id == "aaaa" { "" } else { "\n" }),
        )
    });
    let error = import(&paths).unwrap_err();
    assert!(
        matches!(error, ImportError::AmbiguousDelivery { .. }),
        "{error}"
    );
    write(month.join("x-Manifest.json"), r#"{"assemblyId": "aaaa"}"#);
    let delivery = import(&paths).unwrap();
    assert_eq!(delivery.files[0].path, paths[0]);
    assert_eq!(delivery.files.len(), 1);
}

#[test]
fn a_file_given_twice_counts_once() {
    let directory = TempDir::new().unwrap();
    let a = write(directory.path().join("a/x.csv"), cur2(&[BUILD]));
    let copy = write(directory.path().join("b/x.csv"), cur2(&[BUILD]));
    let delivery = import(&[a.clone(), a, copy]).unwrap();
    assert_eq!(cost(&delivery), "0.05");
    assert_eq!(delivery.notes.len(), 2);
}

#[test]
fn two_exports_of_one_payer_and_month_are_refused() {
    let directory = TempDir::new().unwrap();
    let a = write(directory.path().join("a-00001.csv"), cur2(&[BUILD]));
    let b = write(directory.path().join("b-00002.csv"), cur2(&[BUILD]));
    let error = import(&[a, b]).unwrap_err();
    assert!(matches!(error, ImportError::SameCharges { .. }), "{error}");
}

#[test]
fn two_listings_of_one_day_are_refused_and_pages_are_added() {
    let directory = TempDir::new().unwrap();
    let header = "date,service,usage_type,usage_amount,unit,unblended_cost,currency\n";
    let row = |usage_type: &str| format!("2026-10-01,CodeBuild,{usage_type},1,Minutes,1,USD\n");
    let file = |name: &str, usage_type| {
        write(
            directory.path().join(name),
            format!("{header}{}", row(usage_type)),
        )
    };
    let small = file("a.csv", "Build-Min:Linux:g1.small");
    let large = file("b.csv", "Build-Min:Linux:g1.large");
    let again = file("c.csv", "Build-Min:Linux:g1.small");
    assert_eq!(cost(&import(&[small.clone(), large]).unwrap()), "2");
    let error = import(&[small, again]).unwrap_err();
    assert!(matches!(error, ImportError::SameCharges { .. }), "{error}");
}

#[test]
fn only_columns_of_money_make_a_console_file() {
    let text = cur2(&[BUILD]).replace("resource_tags", "resource_tags (EUR)");
    assert_eq!(
        import_text("x.csv", text).unwrap().files[0].kind,
        ExportKind::Cur2
    );
}

#[test]
fn a_month_whose_rows_were_all_skipped_replaces_nothing() {
    let options = ImportOptions {
        skip_bad_rows: true,
        ..ImportOptions::default()
    };
    let delivery = import_bytes("x.csv", cur2(&[build_of("ten", "0.05")]), &options).unwrap();
    assert_eq!(delivery.slices, []);
}

// The ledger.

#[test]
fn the_parts_of_a_bill_take_the_place_of_the_bill_in_one_file() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_text("all.csv", cur2(&[BUILD])).unwrap().slices)
        .unwrap();
    let part = import_text("x-00002.csv", cur2(&[build_of("1", "0.01")])).unwrap();
    ledger.replace(&part.slices).unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.01");
}

#[test]
fn a_day_stated_as_empty_replaces_what_was_known_of_it() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-service-daily.csv").slices)
        .unwrap();
    let text = "\"Service\",\"CodeBuild($)\"\n\"2026-10-02\",\"\"\n";
    ledger
        .replace(&import_text("later.csv", text).unwrap().slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "3.25");
}

#[test]
fn the_parts_of_a_bill_add_up_however_they_are_given() {
    let directory = TempDir::new().unwrap();
    let part = |number: u32, cost| {
        write(
            directory.path().join(format!("x-0000{number}.csv")),
            cur2(&[build_of("1", cost)]),
        )
    };
    let parts = [part(1, "0.1"), part(2, "0.02"), part(3, "0.003")];
    let mut at_once = Ledger::in_memory().unwrap();
    at_once.replace(&import(&parts).unwrap().slices).unwrap();
    assert_eq!(ledger_cost(&at_once, "2026-10"), "0.123");
    let mut one_by_one = Ledger::in_memory().unwrap();
    for _ in 0..2 {
        for part in &parts {
            one_by_one
                .replace(&import(std::slice::from_ref(part)).unwrap().slices)
                .unwrap();
        }
        assert_eq!(ledger_cost(&one_by_one, "2026-10"), "0.123");
    }
    assert_eq!(
        at_once.records(month("2026-10")).unwrap(),
        one_by_one.records(month("2026-10")).unwrap()
    );
}

#[test]
fn importing_the_same_again_changes_nothing() {
    let mut ledger = Ledger::in_memory().unwrap();
    let delivery = import_fixture("cur2.csv");
    let first = ledger.replace(&delivery.slices).unwrap();
    assert!(!first[0].unchanged);
    assert_eq!(first[0].rows_before, 0);
    let again = ledger.replace(&delivery.slices).unwrap();
    assert!(again[0].unchanged);
    assert_eq!(again[0].rows_before, again[0].rows_after);
    assert_eq!(again[0].cost_before, again[0].cost_after);
    let stored = ledger.records(month("2026-10")).unwrap();
    assert_eq!(stored, delivery.slices[0].records);
}

#[test]
fn a_corrected_bill_takes_the_place_of_the_old_one() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_text("x.csv", cur2(&[BUILD])).unwrap().slices)
        .unwrap();
    let corrected = import_text("x.csv", cur2(&[build_of("8", "0.04")])).unwrap();
    let replaced = ledger.replace(&corrected.slices).unwrap();
    assert_eq!(replaced[0].cost_before.to_string(), "0.05");
    assert_eq!(replaced[0].cost_after.to_string(), "0.04");
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.04");
}

#[test]
fn sums_of_part_of_a_month_replace_their_days_only() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-service-daily.csv").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "5.75");
    let later = "\"Service\",\"CodeBuild($)\"\n\"2026-10-02\",\"3\"\n\"2026-10-04\",\"4\"\n";
    let replaced = ledger
        .replace(&import_text("later.csv", later).unwrap().slices)
        .unwrap();
    assert_eq!((replaced[0].rows_before, replaced[0].rows_after), (1, 2));
    assert_eq!(ledger_cost(&ledger, "2026-10"), "10.25");
    let outside = ledger.outside(month("2026-10")).unwrap();
    assert_eq!(outside[0].cost.to_string(), "50");
    let monthly = "\"Service\",\"CodeBuild($)\"\n\"2026-09-01\",\"2\"\n\"2026-10-01\",\"20\"\n";
    ledger
        .replace(&import_text("months.csv", monthly).unwrap().slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "20");
}

#[test]
fn a_bill_takes_precedence_over_sums_of_the_same_month() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-service-daily.csv").slices)
        .unwrap();
    ledger
        .replace(&import_fixture("focus-1.2.csv").slices)
        .unwrap();
    ledger
        .replace(&import_text("x.csv", cur2(&[BUILD])).unwrap().slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.05");
    let sources = ledger.sources(month("2026-10")).unwrap();
    let used: Vec<_> = sources
        .iter()
        .map(|s| (s.kind.name(), s.whole_month, s.used))
        .collect();
    assert_eq!(
        used,
        [
            ("cur2", true, true),
            ("focus", true, false),
            ("ce-csv", false, false)
        ]
    );
    // Another payer's bill is other money.
    ledger
        .replace(&import_fixture("legacy-cur.csv").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.122");
}

#[test]
fn a_whole_month_takes_precedence_over_a_part_of_it() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-pages.json").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "1.1596");
    ledger
        .replace(&import_fixture("ce-usage-type-monthly.csv").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "10");
}

#[test]
fn stopping_leaves_the_ledger_as_it_was() {
    struct Impatient(Cell<u32>);
    impl Watch for Impatient {
        fn progress(&self, _: &Path, _: u64, total: Option<u64>, _: u64) {
            assert!(total.is_some());
            self.0.set(self.0.get() + 1);
        }
        fn cancelled(&self) -> bool {
            self.0.get() > 2
        }
    }
    let rows: Vec<_> = (0..20_000).map(|_| BUILD).collect();
    for text in [cur2(&rows).into_bytes(), gzip(cur2(&rows).as_bytes())] {
        let options = ImportOptions::default();
        let watch = Impatient(Cell::new(0));
        let result = import_reader("x.csv", Cursor::new(text), &catalog(), &options, &watch);
        assert!(matches!(result, Err(ImportError::Cancelled)));
        assert_eq!(watch.0.get(), 3);
    }
}

#[test]
fn a_ledger_that_another_process_writes_to_is_locked() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("deep/ledger.sqlite");
    let mut ledger = Ledger::open(&path).unwrap();
    let delivery = import_text("x.csv", cur2(&[BUILD])).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = ledger.replace(&delivery.slices).unwrap_err();
    assert!(matches!(error, LedgerError::Locked { .. }), "{error:?}");
    other.execute_batch("ROLLBACK").unwrap();
    ledger.replace(&delivery.slices).unwrap();
    drop(ledger);
    let ledger = Ledger::open_existing(&path).unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.05");
}

#[test]
fn what_is_no_ledger_is_not_written_into() {
    let directory = TempDir::new().unwrap();
    let none = directory.path().join("none.sqlite");
    assert!(matches!(
        Ledger::open_existing(&none),
        Err(LedgerError::NoLedger { .. })
    ));
    assert!(!none.exists());
    let text = write(
        directory.path().join("notes.txt"),
        "not a database, but long enough to be read as one\n".repeat(40),
    );
    assert!(matches!(
        Ledger::open(&text),
        Err(LedgerError::NotALedger { .. })
    ));
    let foreign = directory.path().join("foreign.sqlite");
    let other = rusqlite::Connection::open(&foreign).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(
        Ledger::open(&foreign),
        Err(LedgerError::NotALedger { .. })
    ));
    let newer = directory.path().join("newer.sqlite");
    drop(Ledger::open(&newer).unwrap());
    let other = rusqlite::Connection::open(&newer).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(
        Ledger::open(&newer),
        Err(LedgerError::NewerSchema { found: 99, .. })
    ));
}

#[test]
fn a_failure_in_the_middle_of_an_import_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("ledger.sqlite");
    let mut ledger = Ledger::open(&path).unwrap();
    let first = import_text("x.csv", cur2(&[BUILD])).unwrap();
    ledger.replace(&first.slices).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER stop BEFORE INSERT ON slice WHEN NEW.source = '000000001234'
             BEGIN SELECT RAISE(ABORT, 'stopped'); END",
        )
        .unwrap();
    let mut slices = import_text("x.csv", cur2(&[build_of("1", "9")]))
        .unwrap()
        .slices;
    slices.extend(import_fixture("legacy-cur.csv").slices);
    assert!(ledger.replace(&slices).is_err());
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.05");
}

fn any_amount() -> impl Strategy<Value = Decimal> {
    (-10_000_000_000_000_i64..10_000_000_000_000, 0_u32..=12)
        .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn any_record() -> impl Strategy<Value = UsageRecord> {
    let quantity = prop::option::of((any_amount(), 0..Unit::ALL.len()));
    let billed = prop::option::of((
        any_amount(),
        prop::option::of(any_amount()),
        prop::option::of("[0-9]{1,10}"),
    ));
    let tags = prop::collection::btree_map("[a-z:/]{1,5}", "\\PC{0,6}", 0..3);
    let ids = (prop::option::of("[0-9]{12}"), prop::option::of("\\PC{0,9}"));
    (1_u32..=31, quantity, billed, tags, ids).prop_map(|(day, quantity, billed, tags, ids)| {
        UsageRecord {
            month: month("2026-10"),
            day: NaiveDate::from_ymd_opt(2026, 10, day).unwrap(),
            key: UsageKey {
                payer: None,
                account: ids.0.map(AccountId::new),
                region: Region::new("eu-west-2"),
                meter: Meter::new("CodeBuild", "Build-Min:Linux:g1.small"),
            },
            kind: ChargeKind::Usage,
            resource: ids.1.map(ResourceId::new),
            tags: Tags::new(tags),
            quantity: quantity.map(|(value, unit)| Quantity::new(value, Unit::ALL[unit])),
            consumed: None,
            metering: None,
            billed: billed.map(|(cost, rate, invoice)| Billed {
                cost: Money::new(cost),
                rate,
                list_rate: rate,
                invoice: invoice.map(Arc::from),
            }),
            currency: Currency::new("USD"),
            origin: Arc::from("test"),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_reader_panic(
        head in prop::sample::select(vec![
            String::new(),
            CUR2_HEADER.to_owned(),
            cur2(&[BUILD]),
            "\"Service\",\"CodeBuild($)\"\n".to_owned(),
            "{\"ResultsByTime\":[".to_owned(),
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
        text in "[-0-9T:.,\"\n{}E]{0,80}",
        packed in any::<bool>(),
    ) {
        let mut bytes = [head.as_bytes(), text.as_bytes(), &tail].concat();
        if packed {
            bytes = gzip(&bytes);
            bytes.extend(tail);
        }
        let options = ImportOptions { skip_bad_rows: true, ..ImportOptions::default() };
        if let Ok(delivery) = import_bytes("x", bytes, &options) {
            let mut ledger = Ledger::in_memory().unwrap();
            ledger.replace(&delivery.slices).unwrap();
            for month in ledger.months().unwrap() {
                ledger.records(month).unwrap();
            }
        }
    }

    #[test]
    fn the_ledger_returns_what_it_was_given(records in prop::collection::vec(any_record(), 0..20)) {
        let slice = Slice {
            kind: ExportKind::Cur2,
            source: "1".to_owned(),
            month: month("2026-10"),
            covers: (day("2026-10-01"), day("2026-10-31")),
            whole_month: true,
            part: 0,
            records,
            outside: Vec::new(),
            storage: Vec::new(),
            names_resources: true,
            skipped: 0,
            delivery: None,
        };
        let mut ledger = Ledger::in_memory().unwrap();
        ledger.replace(std::slice::from_ref(&slice)).unwrap();
        prop_assert_eq!(ledger.records(month("2026-10")).unwrap(), slice.records);
    }

    #[test]
    fn csv_to_ledger_to_records_keeps_every_decimal(
        rows in prop::collection::vec((any_amount(), any_amount(), 1_u32..=31), 1..40)
    ) {
        let mut text = CUR2_HEADER.to_owned();
        for (amount, cost, day) in &rows {
            let day = format!("2026-10-{day:02}");
            // Half of the amounts with an exponent, as some bills write them.
            let cost = if cost.scale() % 2 == 0 {
                format!("{}E-{}", cost.mantissa(), cost.scale())
            } else {
                cost.to_string()
            };
            text += &cur2_row([&day, "Usage", "CodeBuild", "Build-Min:Linux:g1.small", &amount.to_string(), &cost]);
        }
        let mut ledger = Ledger::in_memory().unwrap();
        ledger.replace(&import_text("x.csv", text).unwrap().slices).unwrap();
        let records = ledger.records(month("2026-10")).unwrap();
        let quantity: Decimal = records.iter().map(|r| r.quantity.unwrap().value).sum();
        let cost: Money = records.iter().map(|r| r.billed.as_ref().unwrap().cost).sum();
        prop_assert_eq!(quantity, rows.iter().map(|row| row.0).sum::<Decimal>());
        prop_assert_eq!(cost.amount(), rows.iter().map(|row| row.1).sum::<Decimal>());
    }
}
