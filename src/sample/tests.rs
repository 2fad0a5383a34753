use std::{collections::HashMap, sync::LazyLock};

use super::*;

type Rows = Vec<HashMap<String, String>>;

/// The sample, read back once for all tests.
static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let rows = csv::Reader::from_reader(bytes().as_slice())
        .deserialize()
        .collect::<Result<Rows, _>>();
    rows.expect("a CSV of text")
});

fn bytes() -> Vec<u8> {
    let mut out = Vec::new();
    write_cur(&mut out).expect("memory takes it");
    out
}

fn number(row: &HashMap<String, String>, column: &str) -> Decimal {
    Decimal::from_str_exact(&row[column]).expect("an exact decimal")
}

fn usage(rows: &Rows) -> impl Iterator<Item = &HashMap<String, String>> {
    rows.iter()
        .filter(|row| row["line_item_line_item_type"] == "Usage")
}

fn distinct<'a>(rows: &'a Rows, column: &'a str) -> BTreeSet<&'a str> {
    usage(rows).map(|row| row[column].as_str()).collect()
}

#[test]
fn written_twice_it_is_the_same_bytes_and_small() {
    let once = bytes();
    assert!(once == bytes());
    assert!(once.len() < 6_000_000, "{} bytes", once.len());
}

#[test]
fn every_closed_month_shows_all_four_services_and_codebuild_above_all() {
    let mut months: BTreeMap<&str, BTreeMap<&str, Decimal>> = BTreeMap::new();
    for row in usage(&ROWS).filter(|row| !row["bill_invoice_id"].is_empty()) {
        let month = &row["bill_billing_period_start_date"];
        let costs = months.entry(month).or_default();
        *costs.entry(&row["line_item_product_code"]).or_default() +=
            number(row, "line_item_unblended_cost");
    }
    assert_eq!(months.len(), 13);
    for (month, costs) in &months {
        let others = ["AWSCodePipeline", "AWSCodeCommit", "AWSCodeDeploy"].map(|s| costs[s]);
        let code = costs["CodeBuild"] + others.iter().sum::<Decimal>();
        assert!(others.iter().all(|&cost| cost > Decimal::TEN), "{month}");
        assert!(
            others.iter().sum::<Decimal>() < costs["CodeBuild"],
            "{month}"
        );
        assert!(
            code > Decimal::from(250) && code < Decimal::from(500),
            "{month}: {code}"
        );
    }
}

#[test]
fn it_lasts_from_october_2025_to_the_day_before_today() {
    let days = distinct(&ROWS, "line_item_usage_start_date");
    assert_eq!(days.first(), Some(&"2025-10-01T00:00:00.000Z"));
    assert_eq!(days.last(), Some(&"2026-11-20T00:00:00.000Z"));
    for row in ROWS.iter() {
        let open = row["bill_billing_period_start_date"].starts_with("2026-11");
        assert_eq!(row["bill_invoice_id"].is_empty(), open);
    }
}

#[test]
fn every_cost_is_quantity_times_rate() {
    for row in usage(&ROWS) {
        let quantity = number(row, "line_item_usage_amount");
        assert!(quantity > Decimal::ZERO);
        for (rate, cost) in [
            ("line_item_unblended_rate", "line_item_unblended_cost"),
            (
                "pricing_public_on_demand_rate",
                "pricing_public_on_demand_cost",
            ),
        ] {
            assert_eq!(quantity * number(row, rate), number(row, cost), "{row:?}");
        }
    }
}

#[test]
fn free_units_are_used_up_each_month_and_never_exceeded() {
    let mut free: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for row in usage(&ROWS) {
        let pool = match row["line_item_usage_type"].split_once('-') {
            _ if row["line_item_unblended_rate"] != "0" => continue,
            _ if row["pricing_public_on_demand_rate"] == "0" => continue,
            Some((_, rest)) if rest.starts_with("Build-Min") => "minutes".to_owned(),
            _ => row["line_item_usage_type"].clone(),
        };
        let month = row["bill_billing_period_start_date"].clone();
        *free.entry((pool, month)).or_default() += number(row, "line_item_usage_amount");
    }
    for (pool, grant) in [
        ("minutes", 100),
        ("USE1-Build-Sec:Linux:Lambda:arm.1GB", 6000),
        ("Global-actionExecutionMinute", 100),
        ("Global-activePipeline", 1),
        ("User-Month", 5),
        ("USE1-DataProcessing-Bytes", 5),
    ] {
        let months = free.iter().filter(|((name, _), _)| name == pool);
        let granted: Vec<_> = months.map(|(_, free)| *free).collect();
        // In October another account of the payer took the free users.
        let months = if pool == "User-Month" { 13 } else { 14 };
        assert_eq!(granted, vec![Decimal::from(grant); months], "{pool}");
    }
    assert_eq!(free.len(), 6 * 14 - 1);
}

#[test]
fn it_has_three_accounts_several_regions_and_both_types_of_pipeline() {
    let accounts = distinct(&ROWS, "line_item_usage_account_id");
    assert_eq!(accounts.len(), 3);
    assert!(accounts.iter().any(|id| id.starts_with('0')));
    let regions = distinct(&ROWS, "product_region_code");
    let known = BTreeSet::from(["", "eu-central-1", "eu-west-1", "us-east-1"]);
    assert_eq!(regions, known);
    let usage_types = distinct(&ROWS, "line_item_usage_type");
    for usage_type in [
        "USE1-activePipeline",
        "EU-trialPipeline",
        "USE1-actionExecutionMinute",
        "EU-Build-Min:Linux:g1.medium",
        "User-Month",
        "On-Premises-Instance",
    ] {
        assert!(usage_types.contains(usage_type), "{usage_type}");
    }
    assert!(distinct(&ROWS, "line_item_resource_id").len() >= 38);
}

#[test]
fn checkout_moves_to_arm_in_june() {
    let arm = |row: &&HashMap<String, String>| row["line_item_usage_type"].contains("ARM");
    let (after, before): (Vec<_>, Vec<_>) = usage(&ROWS)
        .filter(|row| row["line_item_resource_id"].ends_with("project/checkout-api-build"))
        .partition(arm);
    let start = |row: &&HashMap<String, String>| row["line_item_usage_start_date"].clone();
    assert!(before.iter().map(start).max() < after.iter().map(start).min());
}

#[test]
fn hostile_text_arrives_unharmed() {
    let resources = distinct(&ROWS, "line_item_resource_id");
    let formula = r#"=HYPERLINK("http://evil.example","x")"#;
    assert!(resources.iter().any(|arn| arn.ends_with(formula)));
    let values: BTreeSet<String> = distinct(&ROWS, "resource_tags")
        .into_iter()
        .flat_map(|json| serde_json::from_str::<BTreeMap<String, String>>(json).expect("JSON"))
        .map(|(_, value)| value)
        .collect();
    for hostile in [
        "</title><script>alert(1)</script>",
        "Équipe \"R&D\", Lyon",
        "CC-5050\u{1b}[31m",
    ] {
        assert!(values.contains(hostile), "{hostile:?}");
    }
}

#[test]
fn a_refund_lies_in_a_month_before_its_bill() {
    let refund = |row: &&HashMap<String, String>| row["line_item_line_item_type"] == "Refund";
    let refunds: Vec<_> = ROWS.iter().filter(refund).collect();
    assert_eq!(refunds.len(), 1);
    assert!(refunds[0]["bill_billing_period_start_date"].starts_with("2026-08"));
    assert!(refunds[0]["line_item_usage_start_date"].starts_with("2026-07"));
    assert!(number(refunds[0], "line_item_unblended_cost") < Decimal::ZERO);
}
