//! Files as people have them: read rightly, or refused by what they are.

use std::{
    fs,
    io::{Cursor, Write},
    path::PathBuf,
    sync::OnceLock,
};

use pipebill::{
    domain::{
        catalog::Catalog,
        export::ExportKind,
        import::Delivery,
        money::Money,
        price_book::{BilledPrices, PriceBook},
        rating::{RatingOptions, rate},
        reconcile::reconcile,
        usage::{ChargeKind, Commitment},
    },
    exports::{ImportError, ImportOptions, RowFault, Unwatched, import_local, import_reader},
    ledger::Ledger,
};
use tempfile::TempDir;

use super::{BUILD, cost, cur2, day, fixture, quantity, records, write};

/// The catalogue as it is delivered: services go by several names.
fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| pipebill::pricing::embedded().unwrap())
}

fn import_bytes(
    name: &str,
    text: impl AsRef<[u8]>,
    options: &ImportOptions,
) -> Result<Delivery, ImportError> {
    let reader = Cursor::new(text.as_ref().to_vec());
    import_reader(name, reader, catalog(), options, &Unwatched)
}

fn import_text(name: &str, text: impl AsRef<[u8]>) -> Result<Delivery, ImportError> {
    import_bytes(name, text, &ImportOptions::default())
}

fn skipping() -> ImportOptions {
    ImportOptions {
        skip_bad_rows: true,
        ..ImportOptions::default()
    }
}

fn people(name: &str) -> Vec<u8> {
    fs::read(fixture("people").join(name)).unwrap()
}

/// What was counted and not kept.
fn outside(delivery: &Delivery) -> String {
    let rows = delivery
        .slices
        .iter()
        .flat_map(|slice| &slice.other_services);
    rows.map(|row| row.cost).sum::<Money>().to_string()
}

fn services_unknown(delivery: &Delivery) -> bool {
    delivery
        .slices
        .iter()
        .all(|slice| slice.standing.services_unknown)
}

/// October of the console's file: what was kept, what was not.
fn october(text: impl AsRef<[u8]>) -> (String, String) {
    let mut costs = Vec::new();
    for options in [ImportOptions::default(), skipping()] {
        let mut delivery = import_bytes("costs.csv", &text, &options).unwrap();
        assert!(
            !delivery
                .slices
                .iter()
                .any(|slice| slice.standing.services_unknown)
        );
        delivery
            .slices
            .retain(|slice| slice.month.to_string() == "2026-10");
        costs.push((cost(&delivery), outside(&delivery)));
    }
    // Leaving rows out that cannot be read never makes a total a charge.
    assert_eq!(costs[0], costs[1]);
    costs.swap_remove(0)
}

/// The sums are the file's own arithmetic: the total column less the services of code.
#[test]
fn the_console_s_file_is_read_in_any_language() {
    for (name, rest) in [("ce-ja.csv", "20.3"), ("ce-es.csv", "20")] {
        assert_eq!(october(people(name)), ("15.5".to_owned(), rest.to_owned()));
    }
    for (heading, total_row, total) in [
        ("Service", "Service total", "Total costs"),
        ("Serviço", "Total de Serviço", "Custos totais"),
        ("Service", "Total Service", "Coûts totaux"),
        ("Dienst", "Dienst gesamt", "Gesamtkosten"),
        ("서비스", "서비스 합계", "총 비용"),
        ("服务", "服务总计", "总成本"),
        // No word of it is known: names of services and arithmetic are.
        ("Palvelu", "Yhteensä", "Kustannukset yhteensä"),
        ("Palvelu", "", "Summa"),
    ] {
        let text = format!(
            "\u{feff}\"{heading}\",\"EC2-Muut($)\",\"CodeBuild($)\",\"CodePipeline($)\",\"{total}($)\"\n\
             \"{total_row}\",\"30\",\"24.5\",\"6\",\"60.5\"\n\
             \"2026-09-01\",\"10\",\"12\",\"3\",\"25\"\n\"2026-10-01\",\"20\",\"12.5\",\"3\",\"35.5\"\n"
        );
        assert_eq!(
            october(text),
            ("15.5".to_owned(), "20".to_owned()),
            "{heading}"
        );
    }
}

#[test]
fn usage_types_are_known_by_their_spelling() {
    let text = "\"Tipo\",\"EUW2-Build-Min:Linux:g1.small($)\",\"EUW2-Build-Min:Quantum($)\",\
                \"USE1-BoxUsage:t3.micro($)\",\"Suma($)\"\n\"Suma\",\"2\",\"3\",\"4\",\"9\"\n\
                \"2026-10-01\",\"2\",\"3\",\"4\",\"9\"\n";
    // One that the catalogue lacks is of the service whose usage types begin like it.
    assert_eq!(october(text), ("5".to_owned(), "4".to_owned()));
}

#[test]
fn a_total_column_is_the_sum_of_the_others_and_nothing_else() {
    let of = |header: &str, row: &str| october(format!("{header}\n2026-10-01,{row}\n"));
    for (header, row, expected) in [
        // One group: the total is what the group is, and stands last.
        ("Service,CodeBuild($),Total costs($)", "5,5", ("5", "0")),
        ("Service,CodeBuild($),Yhteensä($)", "5,5", ("5", "0")),
        // No total: two services that cost the same.
        ("Service,CodeBuild($),CodePipeline($)", "5,5", ("10", "0")),
        ("Service,CodeBuild($)", "5", ("5", "0")),
        // Each column was rounded by itself.
        (
            "Service,CodeBuild($),S3($),Total costs($)",
            "0.33,0.33,0.67",
            ("0.33", "0.33"),
        ),
        // It need not stand last.
        ("Service,Summa($),CodeBuild($),S3($)", "7,5,2", ("5", "2")),
        // A month without costs.
        ("Service,CodeBuild($),Total costs($)", ",", ("0", "0")),
    ] {
        let (kept, rest) = expected;
        assert_eq!(
            of(header, row),
            (kept.to_owned(), rest.to_owned()),
            "{header}"
        );
    }
}

/// What the total has more than the columns is of services whose columns somebody took out.
#[test]
fn the_rest_of_a_total_is_of_services_that_are_not_known() {
    let text = "Service,CodeBuild($),Total costs($)\n2026-10-01,5,9\n2026-11-01,5,5\n";
    let delivery = import_text("costs.csv", text).unwrap();
    assert_eq!(
        (cost(&delivery), outside(&delivery)),
        ("10".to_owned(), "4".to_owned())
    );
    let unknown = delivery
        .slices
        .iter()
        .map(|slice| slice.standing.services_unknown);
    assert_eq!(unknown.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_total_row_with_another_sum_than_the_rows_is_named() {
    let text = "Service,CodeBuild($),Total costs($)\nTotal,15,15\n2026-10-01,5,5\n";
    let delivery = import_text("costs.csv", text).unwrap();
    assert_eq!(
        delivery.notes,
        ["costs.csv: the total row says 15, the rows below add up to 5: some may be missing"]
    );
}

#[test]
fn what_tells_no_service_is_counted_and_not_shown_as_known() {
    let accounts = String::from_utf8(people("ce-accounts.csv")).unwrap();
    let one_line = "\"Linked account\",\"prod (111122223333)($)\",\"dev, old (044455556666)($)\",\
                    \"Total costs($)\"\n\"Linked account total\",\"90\",\"10\",\"100\"\n\"2026-10-01\",\"90\",\"10\",\"100\"\n";
    let tags = "component,CodeBuild($),CodePipeline($),No tag key: component($),Total costs($)\n\
                component total,50,40,10,100\n2026-10-01,50,40,10,100\n";
    for text in [
        &accounts,
        one_line,
        tags,
        "\"\",\"Total costs($)\"\n\"Total\",\"100\"\n\"2026-10-01\",\"100\"\n",
        "\"\",\"合計コスト($)\"\n\"合計\",\"100\"\n\"2026-10-01\",\"100\"\n",
        "Region,us-east-1($),eu-west-2($),Total costs($)\nRegion total,60,40,100\n2026-10-01,60,40,100\n",
        "Región,us-east-1($),eu-west-2($),Costos totales($)\nTotal,60,40,100\n2026-10-01,60,40,100\n",
        "Charge type,Usage($),Tax($),Total costs($)\nCharge type total,80,20,100\n2026-10-01,80,20,100\n",
    ] {
        let delivery = import_text("costs.csv", text).unwrap();
        assert_eq!(
            (cost(&delivery), outside(&delivery)),
            ("0".to_owned(), "100".to_owned()),
            "{text}"
        );
        assert!(services_unknown(&delivery), "{text}");
        let notes = delivery.notes.join("\n");
        assert!(
            notes.contains("group by Service or Usage type and download again"),
            "{notes}"
        );
    }
}

/// A tag may have any value: `CodeBuild` among `web` and `db` is most likely one.
#[test]
fn a_column_that_may_be_a_service_or_a_tag_is_not_guessed() {
    let text = "app,CodeBuild($),web($),db($),Total costs($)\nTotal,50,40,10,100\n2026-10-01,50,40,10,100\n";
    let error = import_text("costs.csv", text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "costs.csv: `CodeBuild` may be a service or a value of `app`"
    );
}

#[test]
fn a_download_of_quantities_is_no_bill() {
    for text in [
        "Usage type,EUW2-Build-Min:Linux:g1.small(Minutes),Total usage(Minutes)\n2026-10-01,10,10\n",
        "Tipo,EUW2-Build-Min:Linux:g1.small(Minutes),Uso(Minutes)\n2026-10-01,10,10\n",
    ] {
        let error = import_text("usage.csv", text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "usage.csv is a download of usage quantities (Minutes) without costs"
        );
    }
    let error = import_text("x.csv", "time,indoor(C),outdoor(C)\n2026-10-01,20,5\n").unwrap_err();
    assert!(matches!(error, ImportError::Unrecognised { .. }), "{error}");
}

/// Leaving single rows out would leave others in that only look right.
#[test]
fn what_a_spreadsheet_changed_is_refused_as_a_whole() {
    let ce = |row: &str| format!("Service,CodeBuild($),Total costs($)\nTotal,1,1\n{row}\n");
    let mut build = BUILD;
    build[0] = "05.10.2026 00:00";
    for (text, expected) in [
        (
            ce("01/10/2026,1,1"),
            "line 3, column Service: `01/10/2026` is not a date as AWS writes it",
        ),
        (
            ce("Oct 2026,1,1"),
            "`Oct 2026` is not a date as AWS writes it",
        ),
        (ce("46296,1,1"), "`46296` is not a date as AWS writes it"),
        (
            ce("2026-10-01,\"1,5\",1"),
            "column CodeBuild($): `1,5` has a comma",
        ),
        (ce("2026-10-01,\"1,234.56\",1"), "`1,234.56` has a comma"),
        (
            cur2(&[BUILD]).replace("0.05", "\"0,05\""),
            "column line_item_unblended_cost: `0,05` has a comma",
        ),
        (
            cur2(&[build]),
            "line 2, column line_item_usage_start_date: `05.10.2026 00:00` is not a date as AWS",
        ),
    ] {
        let error = import_text("x.csv", &text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        // With a comma only its own row is in doubt.
        let is_doubtful = !expected.contains("has a comma");
        assert_eq!(
            import_bytes("x.csv", &text, &skipping()).is_err(),
            is_doubtful
        );
    }
}

#[test]
fn a_day_is_told_once() {
    let text = "Service,CodeBuild($),Total costs($)\n2026-10-02,1,1\n2026-10-02,1,1\n";
    let error = import_text("costs.csv", text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "costs.csv, line 3, column Service: 2026-10-02 is there twice"
    );
    // By the hour a day has several rows.
    let text =
        "Service,CodeBuild($),Total costs($)\n2026-10-01T00:00:00Z,1,1\n2026-10-01T01:00:00Z,1,1\n";
    let delivery = import_text("costs.csv", text).unwrap();
    assert_eq!(cost(&delivery), "2");
    assert_eq!(
        delivery.slices[0].covers,
        (day("2026-10-01"), day("2026-10-01"))
    );
}

#[test]
fn an_account_id_has_twelve_digits_in_every_text_format() {
    let legacy = fs::read_to_string(fixture("legacy-cur.csv")).unwrap();
    let focus = fs::read_to_string(fixture("focus-1.2.csv")).unwrap();
    let daily = "date,service,usage_type,usage_amount,unit,unblended_cost,currency,account_id\n\
                 2026-10-01,CodeBuild,Build-Min:Linux:g1.small,1,Minutes,1,USD,44455556666\n"
        .to_owned();
    let bill = String::from_utf8(people("bill-month.csv")).unwrap();
    for (text, id) in [
        (cur2(&[BUILD]).replace("999988887777", "1E+12"), "1E+12"),
        (legacy.replace("111122223333", "1.11122E+11"), "1.11122E+11"),
        (legacy.replace("000000001234", "1234"), "1234"),
        (focus.replace("111122223333", "11122223333"), "11122223333"),
        (daily, "44455556666"),
        (bill.replace("044455556666", "44455556666"), "44455556666"),
    ] {
        for options in [ImportOptions::default(), skipping()] {
            let error = import_bytes("x.csv", &text, &options)
                .unwrap_err()
                .to_string();
            let expected = format!("`{id}` is not an account ID, which has 12 digits");
            assert!(error.ends_with(&expected), "{error}");
        }
    }
}

/// One page of Cost Explorer: its grouping, days, sums by key, and the name of a next page.
fn page(by: &[&str], days: [&str; 2], sums: &[(&[&str], &str)], next: Option<&str>) -> String {
    let by: Vec<_> = by
        .iter()
        .map(|key| serde_json::json!({"Type": "DIMENSION", "Key": key}))
        .collect();
    let metrics =
        |cost: &str| serde_json::json!({"UnblendedCost": {"Amount": cost, "Unit": "USD"}});
    let total: Vec<_> = sums.iter().filter(|(keys, _)| keys.is_empty()).collect();
    let groups: Vec<_> = sums
        .iter()
        .filter(|(keys, _)| !keys.is_empty())
        .map(|(keys, cost)| serde_json::json!({"Keys": keys, "Metrics": metrics(cost)}))
        .collect();
    let total = total
        .first()
        .map_or(serde_json::json!({}), |(_, cost)| metrics(cost));
    let mut page = serde_json::json!({
        "GroupDefinitions": by,
        "ResultsByTime": [{"TimePeriod": {"Start": days[0], "End": days[1]}, "Total": total,
                           "Groups": groups, "Estimated": days[0] >= "2026-11"}],
    });
    if let Some(next) = next {
        page["NextPageToken"] = next.into();
    }
    page.to_string()
}

const OCTOBER: [&str; 2] = ["2026-10-01", "2026-11-01"];

#[test]
fn pages_count_as_a_whole_if_the_last_has_no_next() {
    let first = page(
        &["SERVICE"],
        OCTOBER,
        &[(&["AWS CodeBuild"], "5")],
        Some("a"),
    );
    let last = page(&["SERVICE"], OCTOBER, &[(&["AWS CodePipeline"], "2")], None);
    for (text, expected, is_cut) in [
        (format!("[{first},{last}]"), "7", false),
        (format!("{first}\n{last}"), "7", false),
        (first.clone(), "5", true),
        (format!("[{first}]"), "5", true),
        (format!("{last}{first}"), "7", true),
    ] {
        let delivery = import_text("ce.json", &text).unwrap();
        assert_eq!(cost(&delivery), expected, "{text}");
        assert!(
            delivery
                .slices
                .iter()
                .all(|slice| slice.standing.is_cut == is_cut),
            "{text}"
        );
    }
}

#[test]
fn estimated_is_what_the_interval_says() {
    let october = page(&["SERVICE"], OCTOBER, &[(&["AWS CodeBuild"], "5")], None);
    let november = page(
        &["SERVICE"],
        ["2026-11-01", "2026-11-21"],
        &[(&["AWS CodeBuild"], "4")],
        None,
    );
    let delivery = import_text("ce.json", format!("[{october},{november}]")).unwrap();
    let estimated = delivery.slices.iter().map(|slice| slice.standing.estimated);
    assert_eq!(estimated.collect::<Vec<_>>(), [false, true]);
    assert_eq!(
        delivery.slices[1].covers,
        (day("2026-11-01"), day("2026-11-20"))
    );
}

#[test]
fn an_answer_that_tells_no_service_is_counted_and_not_kept() {
    for (by, keys) in [
        (&["LINKED_ACCOUNT"][..], &["111122223333"][..]),
        (&["REGION", "RECORD_TYPE"], &["us-east-1", "Usage"]),
        (&[], &[]),
    ] {
        let delivery = import_text("ce.json", page(by, OCTOBER, &[(keys, "100")], None)).unwrap();
        assert_eq!(
            (cost(&delivery), outside(&delivery)),
            ("0".to_owned(), "100".to_owned())
        );
        assert!(services_unknown(&delivery));
    }
    let by_service = page(&["SERVICE"], OCTOBER, &[(&["AWS CodeBuild"], "5")], None);
    assert!(!services_unknown(
        &import_text("ce.json", by_service).unwrap()
    ));
}

#[test]
fn the_same_money_is_not_counted_twice_within_a_file() {
    let by_service = page(&["SERVICE"], OCTOBER, &[(&["AWS CodeBuild"], "5")], None);
    let by_type = page(
        &["USAGE_TYPE"],
        OCTOBER,
        &[(&["EUW2-Build-Min:Linux:g1.small"], "5")],
        None,
    );
    let error = import_text("ce.json", format!("{by_service}{by_service}")).unwrap_err();
    assert!(
        matches!(
            &error,
            ImportError::Value {
                fault: RowFault::Twice(_),
                ..
            }
        ),
        "{error}"
    );
    let error = import_text("ce.json", format!("[{by_service},{by_type}]")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ce.json has the costs of 2026-10-01 by SERVICE and by USAGE_TYPE: the same money twice"
    );
    // What is no usage is another question's answer.
    let tax = page(
        &["SERVICE", "RECORD_TYPE"],
        OCTOBER,
        &[(&["AWS CodeBuild", "Tax"], "1")],
        None,
    );
    assert_eq!(
        cost(&import_text("ce.json", format!("{by_service}{tax}")).unwrap()),
        "6"
    );
}

#[test]
fn an_interval_over_two_months_is_not_shared_by_guess() {
    let text = page(
        &["SERVICE"],
        ["2026-10-15", "2026-11-15"],
        &[(&["AWS CodeBuild"], "5")],
        None,
    );
    let error = import_text("ce.json", text).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the sum of 2026-10-15 to 2026-11-14 spans two months"),
        "{error}"
    );
}

#[test]
fn other_metrics_are_never_counted_as_what_was_billed() {
    let text = page(&["SERVICE"], OCTOBER, &[(&["AWS CodeBuild"], "5")], None);
    for metric in [
        "BlendedCost",
        "AmortizedCost",
        "NetUnblendedCost",
        "UsageQuantity",
    ] {
        let error = import_text("ce.json", text.replace("UnblendedCost", metric)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("ce.json has {metric} and no UnblendedCost")
        );
    }
}

/// None of these is refused in the words of a parser.
#[test]
fn what_is_no_export_is_named_by_what_it_is() {
    let utf16: Vec<u8> = "\u{feff}Service\tCodeBuild($)\tTotal costs($)\r\n2026-10-01\t1\t1\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let semicolons = cur2(&[BUILD]).replace(',', ";");
    let dbr = "InvoiceID,PayerAccountId,LinkedAccountId,RecordType,RecordId,ProductName,RateId,SubscriptionId,\
               PricingPlanId,UsageType,Operation,AvailabilityZone,ReservedInstance,ItemDescription,UsageStartDate,\
               UsageEndDate,UsageQuantity,BlendedRate,BlendedCost,UnBlendedRate,UnBlendedCost,ResourceId,user:team\n";
    for (bytes, expected) in [
        (&b"GROUPDEFINITIONS\tSERVICE\tDIMENSION\nRESULTSBYTIME\tFalse\n"[..], "is an answer of the AWS CLI as text"),
        (b"--------------------------\n|    GetCostAndUsage     |\n", "is an answer of the AWS CLI as a table"),
        (b"DimensionValueAttributes: []\nGroupDefinitions:\n- Key: SERVICE\n", "is an answer of the AWS CLI as YAML"),
        (b"[{\"Keys\":[\"AWS CodeBuild\"],\"Metrics\":{}}]", "is a part of an answer, as `--query` cuts it"),
        (b"[[\"2026-10-01\",\"5\"]]", "is a part of an answer"),
        (b"[\"AWS CodeBuild\"]", "is a part of an answer"),
        (b"{\"TimePeriod\":{\"Start\":\"2026-10-01\"},\"Total\":{}}", "is a part of an answer"),
        (b"{'GroupDefinitions': [], 'ResultsByTime': []}", "is an answer as Python prints it"),
        (b"[]", "is an answer with nothing in it"),
        (b" {}\n", "is an answer with nothing in it"),
        (b"{\"Total\":{},\"ForecastResultsByTime\":[]}", "is an answer of `aws ce get-cost-forecast`"),
        (b"{\"DimensionValues\":[{\"Value\":\"x\"}]}", "is an answer of `aws ce get-dimension-values`"),
        (b"{\"SavingsPlansUtilizationsByTime\":[]}", "is an answer of `aws ce get-savings-plans-utilization`"),
        (b"{\"Anomalies\":[]}", "is an answer of `aws ce get-anomalies`"),
        (b"{\"ReportDefinitions\":[]}", "is an answer of `aws cur describe-report-definitions`"),
        (b"{\"ids\":[\"a:b\"]}", "is an answer of `aws codebuild list-builds`"),
        (
            b"An error occurred (AccessDeniedException) when calling the GetCostAndUsage operation: no\n",
            "is an error message: An error occurred (AccessDeniedException)",
        ),
        (b"{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}", "is an error message: {\"__type\""),
        (
            b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
            "is an error message: AccessDenied: Access Denied",
        ),
        (b"<!DOCTYPE html>\n<html><title>Sign in</title></html>", "is a web page, not CSV text"),
        (b"%PDF-1.7\n", "is a PDF document, not CSV text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "is a workbook (Excel 97), not CSV text"),
        (dbr.as_bytes(), "is a detailed billing report, which is not read here"),
        (semicolons.as_bytes(), "is text with semicolons between its columns"),
        (b"sep=;\nService;CodeBuild($)\n", "is text with semicolons between its columns"),
        (b"Service;CodeBuild($);Total costs($)\n2026-10-01;1,5;1,5\n", "is text with semicolons"),
        (b"Service\tCodeBuild($)\tTotal costs($)\n2026-10-01\t1\t1\n", "is text with tabs between its columns"),
        (&utf16, "is text with tabs between its columns"),
        (b"{\"assemblyId\":\"1\",\"reportKeys\":[\"x.csv.gz\"]}", "is a manifest"),
        (b"{\"ResultsByTime\":[{\"TimePeriod\":{\"Start\":", "line 1: the JSON ends in the middle"),
        (b"{\"ResultsByTime\":[\n{,}]}", "line 2: this is not JSON"),
        (b"{\"ResultsByTime\":\n7}", "line 2: this is not as `aws ce get-cost-and-usage` writes it"),
    ] {
        let error = import_text("x", bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for (names, expected) in [
        (
            &["[Content_Types].xml", "xl/workbook.xml"][..],
            "x.csv is a workbook (Excel), not CSV text",
        ),
        (
            &["mimetype", "content.xml"],
            "x.csv is a workbook (OpenDocument), not CSV text",
        ),
    ] {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(*name, options).unwrap();
        }
        let archive = archive.finish().unwrap().into_inner();
        assert_eq!(
            import_text("x.csv", archive).unwrap_err().to_string(),
            expected
        );
    }
}

#[test]
fn utf_16_with_a_mark_is_read() {
    let text = String::from_utf8(people("ce-es.csv")).unwrap();
    let text = format!("\u{feff}{text}");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        assert_eq!(october(bytes), ("15.5".to_owned(), "20".to_owned()));
    }
}

/// As Athena writes it: quoted throughout, maps with `=`, times with a blank. The tags are those of the
/// same rows as JSON.
#[test]
fn what_athena_wrote_is_what_the_export_says() {
    let tagged = |tags: &str| cur2(&[BUILD]).replace(",USD,\n", &format!(",USD,{tags}\n"));
    let json = tagged("\"{\"\"user_team\"\":\"\"web, api\"\",\"\"user_env\"\":\"\"prod\"\"}\"");
    let athena = tagged("\"{user_team=web, api, user_env=prod}\"")
        .replace("T01:00:00.000Z", " 01:00:00.000");
    let [json, athena] = [json, athena].map(|text| import_text("x.csv", text).unwrap());
    assert_eq!(records(&athena), records(&json));
    assert_eq!(records(&athena)[0].tags["team"], "web, api");
}

/// The prefixes are those that AWS documents for the column.
#[test]
fn tags_of_every_kind_have_names_of_their_own() {
    let header = cur2(&[BUILD]).replace("resource_tags", "tags");
    let tags = "\"{\"\"resourceTags/team\"\":\"\"web\"\",\"\"costCategory/Unit\"\":\"\"Platform\"\",\
                \"\"accountTag/team\"\":\"\"core\"\",\"\"iamPrincipal/team\"\":\"\"jo\"\"}\"";
    let text = header.replace(",USD,\n", &format!(",USD,{tags}\n"));
    let delivery = import_text("x.csv", text).unwrap();
    assert_eq!(delivery.files[0].kind, ExportKind::Cur2);
    let found: Vec<(&str, &str)> = records(&delivery)[0]
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("account_tag/team", "core"),
            ("cost_category/Unit", "Platform"),
            ("iam_principal/team", "jo"),
            ("team", "web")
        ]
    );
}

/// The statement's total is 64.304: 60.00 of the payer's rows are the linked accounts' again.
#[test]
fn a_monthly_bill_adds_up_to_its_total_rows() {
    let delivery = import_text("bill.csv", people("bill-month.csv")).unwrap();
    assert_eq!(delivery.files[0].kind, ExportKind::MonthlyBill);
    let slice = &delivery.slices[0];
    assert_eq!(slice.source, "999988887777");
    assert_eq!(slice.covers, (day("2026-10-01"), day("2026-10-31")));
    let of = |kind: ChargeKind| {
        let of_kind = records(&delivery)
            .into_iter()
            .filter(move |record| record.kind == kind);
        let costs = of_kind.map(|record| record.billed.as_ref().unwrap().cost);
        costs.sum::<Money>().to_string()
    };
    assert_eq!(of(ChargeKind::Usage), "60");
    assert_eq!(of(ChargeKind::Credit), "-5");
    assert_eq!(of(ChargeKind::Tax), "7");
    assert_eq!(outside(&delivery), "2.304");
    let first = records(&delivery)[0];
    assert_eq!(first.key.account.as_ref().unwrap().as_str(), "044455556666");
    assert_eq!(quantity(first).as_deref(), Some("2000 minutes"));
    assert_eq!((first.day, first.last_day), slice.covers);
    // The month is open: it has no invoice yet.
    assert_eq!(first.billed.as_ref().unwrap().invoice, None);
    assert!(
        delivery
            .notes
            .iter()
            .any(|note| note.contains("1 row left out")),
        "{:?}",
        delivery.notes
    );
}

#[test]
fn a_monthly_bill_without_some_of_its_rows_is_refused() {
    let text = String::from_utf8(people("bill-month.csv")).unwrap();
    let without = |what: &str| -> String {
        let kept = text.lines().filter(|line| !line.contains(what));
        kept.map(|line| format!("{line}\n")).collect()
    };
    let error = import_text("bill.csv", without("AmazonS3")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bill.csv: its rows add up to 122.004 USD, its total rows say 64.304"
    );
    // Without total rows the payer's are told from the others only if both are the same.
    let bare = without("Total\"");
    let delivery = import_text("bill.csv", &bare).unwrap();
    assert!(
        delivery
            .notes
            .iter()
            .any(|note| note.contains("no total row says")),
        "{:?}",
        delivery.notes
    );
    // One account by itself, below a line about tags.
    let payer: String = without("LinkedLineItem")
        .lines()
        .filter(|l| !l.contains("Total\"") && !l.contains("Rounding"))
        .map(|line| format!("{line}\n"))
        .collect();
    let hint = "\"Don't see your tags in the report? New tags are excluded by default\"\n";
    let tagged = payer
        .replace("\"TotalCost\"", "\"TotalCost\",\"user:team\"")
        .replace("\"60.000000\"\n", "\"60.000000\",\"web\"\n");
    let delivery = import_text("bill.csv", format!("{hint}{tagged}")).unwrap();
    let record = records(&delivery)[0];
    assert_eq!(record.tags["team"], "web");
    assert_eq!(
        record.key.account.as_ref().unwrap().as_str(),
        "999988887777"
    );
}

#[test]
fn a_file_without_rows_says_so() {
    let folder = TempDir::new().unwrap();
    let header = cur2(&[]);
    for (name, text) in [
        ("cur.csv", header.as_str()),
        ("costs.csv", "Service,CodeBuild($),Total costs($)\n"),
        ("ce.json", "{\"GroupDefinitions\":[],\"ResultsByTime\":[]}"),
    ] {
        let path = write(folder.path().join(name), text);
        let error = import_all(&[path]).unwrap_err();
        assert!(matches!(error, ImportError::NoRows { .. }), "{error}");
    }
}

fn import_all(paths: &[PathBuf]) -> Result<Delivery, ImportError> {
    import_local(
        paths,
        &|_| false,
        catalog(),
        &ImportOptions::default(),
        &Unwatched,
    )
}

/// As shells name them: everything in a folder, and the folder itself.
#[test]
fn what_lies_beside_a_delivery_is_named_and_left_out() {
    let folder = TempDir::new().unwrap();
    let month = folder.path().join("20261001-20261101");
    let export = write(month.join("report-1.csv"), cur2(&[BUILD]));
    let mut archive = zip::ZipWriter::new(fs::File::create(month.join("costs.xlsx")).unwrap());
    archive
        .start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default())
        .unwrap();
    archive.write_all(b"<workbook/>").unwrap();
    archive.finish().unwrap();
    for (name, content) in [
        (
            "report-Manifest.json",
            "{\"reportKeys\":[\"a/20261001-20261101/report-1.csv\"]}",
        ),
        (
            "report-create-table.sql",
            "CREATE EXTERNAL TABLE IF NOT EXISTS x.y(\n",
        ),
        ("README.md", "# Our bills\n"),
        (".DS_Store", "\0\0\0\u{1}Bud1"),
        (
            "report-1.csv.md5",
            "d41d8cd98f00b204e9800998ecf8427e  report-1.csv\n",
        ),
        ("people.csv", "name,date,service\nJo,2026-10-01,desk\n"),
        ("builds.json", "{\"ids\":[\"a:b\"]}"),
        ("cost_and_usage_data_status/status.parquet", "PAR1"),
    ] {
        write(month.join(name), content);
    }
    let mut all: Vec<PathBuf> = fs::read_dir(&month)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    for (paths, strangers) in [
        // Of a folder only what its name tells is opened.
        (vec![month.clone()], 1),
        (vec![month.join("")], 1),
        (all, 7),
    ] {
        let delivery = import_all(&paths).unwrap();
        assert_eq!(cost(&delivery), "0.05", "{paths:?}");
        let left_out = delivery
            .notes
            .iter()
            .filter(|note| note.contains(": left out, "));
        assert!(left_out.count() >= strangers, "{:?}", delivery.notes);
        for name in [
            "people.csv",
            "README.md",
            "report-1.csv.md5",
            "create-table.sql",
            "costs.xlsx",
            "builds.json",
        ] {
            assert!(
                delivery.notes.iter().any(|note| note.contains(name)),
                "{name}: {:?}",
                delivery.notes
            );
        }
    }
    // Named alone, each is an error; so is a folder of nothing else.
    fs::remove_file(export).unwrap();
    fs::remove_file(month.join("report-Manifest.json")).unwrap();
    for path in [
        month.join("people.csv"),
        month.join("README.md"),
        month.join("builds.json"),
        month,
    ] {
        assert!(import_all(&[path]).is_err());
    }
}

/// A file that was meant as an export stops the import, whatever is beside it.
#[test]
fn an_export_that_cannot_be_read_is_not_left_out() {
    let folder = TempDir::new().unwrap();
    let good = write(folder.path().join("good.csv"), cur2(&[BUILD]));
    for (name, content) in [
        ("saved.csv", cur2(&[BUILD]).replace(',', ";")),
        ("cut.json", "{\"ResultsByTime\":[".to_owned()),
        (
            "refused.json",
            "An error occurred (AccessDeniedException) when calling x: no".to_owned(),
        ),
        (
            "columns.csv",
            cur2(&[BUILD]).replace("line_item_unblended_cost", "cost"),
        ),
    ] {
        let other = write(folder.path().join(name), content);
        assert!(import_all(&[good.clone(), other]).is_err(), "{name}");
    }
}

/// Our own cost of a month and AWS's, and what of the free units was used.
fn rated(delivery: &Delivery) -> (String, String, String) {
    let records: Vec<_> = records(delivery).into_iter().cloned().collect();
    let book = PriceBook {
        observed: BilledPrices::collect(&records),
        ..PriceBook::new(catalog())
    };
    let rated = rate(&records, &book, &RatingOptions::new(records[0].month)).unwrap();
    let lines = &rated.bill.lines;
    let unexplained = reconcile(&rated, &records)
        .into_iter()
        .map(|line| line.unexplained);
    (
        lines
            .iter()
            .map(|line| line.cost)
            .sum::<Money>()
            .to_string(),
        lines
            .iter()
            .filter_map(|line| line.aws_cost)
            .sum::<Money>()
            .to_string(),
        unexplained.sum::<Money>().to_string(),
    )
}

/// The billed cost of such a row is 0, for the commitment was paid apart: 0 is what it costs, and its
/// units are not free ones of the free tier.
#[test]
fn usage_that_a_commitment_pays_for_costs_what_its_row_says() {
    let header = "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,ChargeCategory,ChargePeriodStart,\
                  ContractedUnitPrice,ListUnitPrice,PricingCategory,PricingQuantity,PricingUnit,RegionId,ServiceName,\
                  SkuMeter,CommitmentDiscountId,CommitmentDiscountType\n";
    let covered = "0,999988887777,USD,2026-10-01T00:00:00Z,Usage,2026-10-07T00:00:00Z,0.0000083,0.00001,Committed,1000,\
                   Seconds,us-east-1,AWS CodeBuild,USE1-Build-Sec:Linux:Lambda:arm.1GB,\
                   arn:aws:savingsplans::999988887777:savingsplan/x,Savings Plan\n";
    let paid = "2.5,999988887777,USD,2026-10-01T00:00:00Z,Usage,2026-10-07T00:00:00Z,0.005,0.005,Standard,500,Minutes,\
                us-east-1,AWS CodeBuild,USE1-Build-Min:Linux:g1.small,,\n";
    for (covered, by) in [
        (covered.to_owned(), Commitment::SavingsPlan),
        (
            covered.replace(",Savings Plan\n", ",\n"),
            Commitment::SavingsPlan,
        ),
        (
            covered.replace("Savings Plan", "Reserved"),
            Commitment::Reservation,
        ),
        (
            covered.replace(
                "arn:aws:savingsplans::999988887777:savingsplan/x,Savings Plan",
                ",",
            ),
            Commitment::Other,
        ),
    ] {
        let delivery = import_text("focus.csv", format!("{header}{covered}{paid}")).unwrap();
        let of = |usage_type: &str| {
            let mut found = records(&delivery).into_iter();
            found
                .find(|record| record.key.meter.usage_type.as_str() == usage_type)
                .unwrap()
        };
        assert_eq!(of("Build-Sec:Linux:Lambda:arm.1GB").covered_by(), Some(by));
        assert_eq!(of("Build-Min:Linux:g1.small").covered_by(), None);
        assert_eq!(
            rated(&delivery),
            ("2.5".to_owned(), "2.5".to_owned(), "0".to_owned())
        );
    }
}

/// Covered usage at its list price and its negation add up to what was paid: nothing.
#[test]
fn covered_usage_and_its_negation_add_up_to_what_was_paid() {
    let mut covered = BUILD;
    covered[1] = "SavingsPlanCoveredUsage";
    let mut negation = covered;
    (negation[1], negation[5]) = ("SavingsPlanNegation", "-0.05");
    let delivery = import_text("cur.csv", cur2(&[covered, negation])).unwrap();
    assert_eq!(
        records(&delivery)[0].covered_by(),
        Some(Commitment::SavingsPlan)
    );
    assert_eq!(
        rated(&delivery),
        ("0".to_owned(), "0".to_owned(), "0".to_owned())
    );
    let mut ledger = Ledger::in_memory().unwrap();
    ledger.replace(&delivery.slices).unwrap();
    let kept = ledger.records(records(&delivery)[0].month).unwrap();
    assert_eq!(kept.iter().collect::<Vec<_>>(), records(&delivery));
}
