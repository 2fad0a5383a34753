//! Each kind of export, packed and not.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Write},
};

use pipebill::{
    domain::{
        export::ExportKind,
        ids::{Meter, Region, ResourceId, ServiceCode},
        number::parse_decimal,
        usage::ChargeKind,
    },
    exports::ImportOptions,
};
use rust_decimal::Decimal;

use super::{
    BUILD, CUR2_HEADER, cost, cur2, day, fixture, gzip, import_bytes, import_fixture, import_text,
    month, quantity, records,
};

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
    assert!(slice.other_services.is_empty());
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
    assert_eq!(slice.other_services[0].service, "AmazonEC2");
    assert_eq!(slice.other_services[0].cost.to_string(), "7.5");
}

#[test]
fn focus_1_0_with_literal_nulls_is_read() {
    let delivery = import_fixture("focus-1.0.csv");
    assert_eq!(delivery.files[0].kind, ExportKind::Focus);
    assert_eq!(
        (delivery.files[0].rows_read, delivery.files[0].rows_kept),
        (25, 0)
    );
    let outside: Vec<_> = delivery
        .slices
        .iter()
        .flat_map(|s| &s.other_services)
        .collect();
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
    assert_eq!(
        delivery.slices[1].other_services[0].cost.to_string(),
        "50.5"
    );
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
    assert_eq!(
        delivery.slices[0].other_services[0].service,
        "BoxUsage:t3.micro"
    );
}

#[test]
fn a_total_that_its_columns_do_not_reach_is_named() {
    let text = "\"Service\",\"CodeBuild($)\",\"Total costs($)\"\n\"2026-10-02\",\"1\",\"1.5\"\n";
    let delivery = import_text("costs.csv", text).unwrap();
    assert_eq!(
        delivery.notes,
        [
            "costs.csv, line 2: the total is 1.5, the columns add up to 1; the rest is of services that \
             it does not name"
        ]
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
        delivery.slices[0].other_services[0].cost.to_string(),
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
        [
            "page.json: incomplete, the last page names a next one; ask for the rest with \
             `--next-page-token` and import all pages"
        ]
    );
}

#[test]
fn an_answer_without_costs_names_the_metric() {
    let text = fs::read_to_string(fixture("ce-pages.json")).unwrap();
    let error = import_text("page.json", text.replace("UnblendedCost", "BlendedCost")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "page.json has BlendedCost and UsageQuantity and no UnblendedCost"
    );
    let error = import_text("page.json", "{\n\"a\": 1}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "page.json is JSON of another kind, not an answer of get-cost-and-usage"
    );
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
