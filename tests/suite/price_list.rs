//! AWS's bulk price lists: what is taken from them, what is not, and that free units stay single.
//!
//! The files here are made up in the form of AWS's; the User-Month tiers are those it publishes.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use pipebill::{
    domain::{
        catalog::{Catalog, Tariffs},
        ids::{Meter, Region},
        number::parse_decimal,
        tariff::{Rate, Tier},
    },
    pricing::{
        self,
        price_list::{self, PriceListError},
    },
};

const HEADER: &str = "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"as is\"\n\
    \"Publication Date\",\"2026-09-11T12:46:25Z\"\n\"Version\",\"20260911124625\"\n\
    \"OfferCode\",\"CodeBuild\"\n\
    \"SKU\",\"OfferTermCode\",\"RateCode\",\"TermType\",\"PriceDescription\",\"EffectiveDate\",\
    \"StartingRange\",\"EndingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"serviceCode\",\
    \"Location\",\"usageType\",\"operation\",\"Region Code\"\n";

/// A row of the CSV: SKU, from, tier, unit, price, currency, service, usage type, region.
fn row(fields: [&str; 10]) -> String {
    let [
        sku,
        from,
        begin,
        end,
        unit,
        price,
        currency,
        service,
        usage_type,
        region,
    ] = fields;
    format!(
        "\"{sku}\",\"T\",\"{sku}.T.R\",\"OnDemand\",\"text\",\"{from}\",\"{begin}\",\"{end}\",\
         \"{unit}\",\"{price}\",\"{currency}\",\"{service}\",\"somewhere\",\"{usage_type}\",\"\",\
         \"{region}\"\n"
    )
}

fn build_minutes(sku: &str, from: &str, price: &str) -> String {
    let usage_type = "EUW2-Build-Min:Linux:g1.small";
    row([
        sku,
        from,
        "0",
        "Inf",
        "Minutes",
        price,
        "USD",
        "CodeBuild",
        usage_type,
        "eu-west-2",
    ])
}

fn catalog() -> Catalog {
    pricing::embedded().unwrap()
}

fn tariffs(csv: &str) -> (Tariffs, Vec<String>) {
    let catalog = catalog();
    let list = price_list::read("index.csv", csv, &catalog).unwrap();
    price_list::tariffs(&list.prices, &catalog)
}

fn small_in_london() -> (Meter, Region) {
    (
        Meter::new("CodeBuild", "Build-Min:Linux:g1.small"),
        Region::new("eu-west-2"),
    )
}

#[test]
fn a_listed_price_is_in_force_from_its_effective_date() {
    let csv = HEADER.to_owned()
        + &build_minutes("A", "2026-01-01", "0.0050000000")
        + &build_minutes("B", "2026-07-01", "0.0060000000");
    let (tariffs, contradictions) = tariffs(&csv);
    let listed = &tariffs[&small_in_london()];
    assert_eq!(contradictions, Vec::<String>::new());
    assert_eq!(listed[0].validity.until, Some(listed[1].validity.from));
    assert_eq!(listed[1].validity.from.to_string(), "2026-07-01");
    assert_eq!(
        listed[1].rate,
        Rate::PerUnit(parse_decimal("0.006").unwrap())
    );
    assert_eq!(listed[1].source.date.unwrap().to_string(), "2026-09-11");
}

#[test]
fn two_prices_of_one_usage_type_at_once_are_a_contradiction_not_a_choice() {
    let csv = HEADER.to_owned()
        + &build_minutes("A", "2026-01-01", "0.005")
        + &build_minutes("B", "2026-01-01", "0.009");
    let (tariffs, contradictions) = tariffs(&csv);
    assert!(!tariffs.contains_key(&small_in_london()));
    assert_eq!(contradictions.len(), 1, "{contradictions:?}");
}

#[test]
fn five_free_users_are_granted_once() {
    let user = |begin, end, price| {
        row([
            "U",
            "2015-07-01",
            begin,
            end,
            "User-Month",
            price,
            "USD",
            "AWSCodeCommit",
            "User-Month",
            "",
        ])
    };
    let csv =
        HEADER.to_owned() + &user("0", "5", "0.0000000000") + &user("5", "Inf", "1.0000000000");
    let (tariffs, _) = tariffs(&csv);
    let users = &tariffs[&(Meter::new("AWSCodeCommit", "User-Month"), Region::global())];
    assert_eq!(users[0].rate, Rate::PerUnit(parse_decimal("1").unwrap()));
}

#[test]
fn tiers_are_kept_and_must_join() {
    let tier = |begin, end, price| {
        let usage_type = "EU-ConfigRuleEvaluations";
        row([
            "C",
            "2026-01-01",
            begin,
            end,
            "ConfigRuleEvaluations",
            price,
            "USD",
            "AWSConfig",
            usage_type,
            "eu-west-1",
        ])
    };
    let id = (
        Meter::new("AWSConfig", "ConfigRuleEvaluations"),
        Region::new("eu-west-1"),
    );
    let dec = |text| parse_decimal(text).unwrap();
    let whole =
        HEADER.to_owned() + &tier("0", "100000", "0.001") + &tier("100000", "Inf", "0.0008");
    let expected = Rate::Graduated(vec![
        Tier {
            up_to: Some(dec("100000")),
            unit_price: Some(dec("0.001")),
        },
        Tier {
            up_to: None,
            unit_price: Some(dec("0.0008")),
        },
    ]);
    assert_eq!(tariffs(&whole).0[&id][0].rate, expected);
    let with_a_hole =
        HEADER.to_owned() + &tier("0", "100000", "0.001") + &tier("200000", "Inf", "0.0008");
    let (tariffs, contradictions) = tariffs(&with_a_hole);
    assert!(!tariffs.contains_key(&id));
    assert_eq!(contradictions.len(), 1);
}

#[test]
fn what_is_not_taken_is_counted_by_reason() {
    let other = |usage_type, unit, currency, service| {
        row([
            "X",
            "2026-01-01",
            "0",
            "Inf",
            unit,
            "0.1",
            currency,
            service,
            usage_type,
            "eu-west-2",
        ])
    };
    let csv = HEADER.to_owned()
        + &build_minutes("A", "2026-01-01", "0.005")
        + &other(
            "Global-Build-Min:Linux:g1.small",
            "Minutes",
            "USD",
            "CodeBuild",
        )
        + &other(
            "EUW2-Build-Min:Quantum:g1.small",
            "Minutes",
            "USD",
            "CodeBuild",
        )
        + &other("EUW2-Build-Min:Linux:g1.large", "Hrs", "USD", "CodeBuild")
        + &other(
            "EUW2-Build-Min:Linux:g1.medium",
            "Minutes",
            "CNY",
            "CodeBuild",
        )
        + &other("EUW2-Thing", "Minutes", "USD", "AmazonThing");
    let list = price_list::read("index.csv", &csv, &catalog()).unwrap();
    assert_eq!(
        (
            list.rows,
            list.prices.len(),
            list.left_out.values().sum::<usize>()
        ),
        (6, 1, 5)
    );
    assert_eq!(list.left_out.len(), 5, "{:?}", list.left_out);
}

#[test]
fn a_bad_price_names_its_line() {
    let csv = HEADER.to_owned() + &build_minutes("A", "2026-01-01", "a lot");
    let error = price_list::read("index.csv", &csv, &catalog()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "index.csv, line 7: `a lot` is not a number"
    );
    let error = price_list::read("x.csv", "a,b\n1,2\n", &catalog()).unwrap_err();
    assert!(
        matches!(error, PriceListError::NotAPriceList { .. }),
        "{error}"
    );
}

const JSON: &str = r#"{"formatVersion":"v1.0","publicationDate":"2026-09-11T12:46:25Z",
  "products":{"A":{"sku":"A","productFamily":"Compute","attributes":{"servicecode":"CodeBuild",
    "regionCode":"eu-west-2","usagetype":"EUW2-Build-Min:Linux:g1.small"}}},
  "terms":{"OnDemand":{"A":{"A.JRTCKXETXF":{"effectiveDate":"2026-01-01T00:00:00Z","priceDimensions":{
    "A.JRTCKXETXF.6YS6EN2CT7":{"unit":"Minutes","beginRange":"0","endRange":"Inf",
      "pricePerUnit":{"USD":"0.0050000000"}}}}}}}}"#;

#[test]
fn the_json_form_says_the_same_as_the_csv_form() {
    let csv = HEADER.to_owned() + &build_minutes("A", "2026-01-01", "0.0050000000");
    let from_json = price_list::read("index.csv", JSON, &catalog()).unwrap();
    let from_csv = price_list::read("index.csv", &csv, &catalog()).unwrap();
    assert_eq!(from_json.prices, from_csv.prices);
}

#[test]
fn an_imported_price_ends_an_unpriced_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("index.json");
    let json = JSON.replace("eu-west-2", "ca-west-1");
    std::fs::write(&file, json.replace("EUW2", "CAN2")).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(cargo_bin("pipebill"))
            .args(arguments)
            .arg("--ledger")
            .arg(folder.path().join("ledger.sqlite"))
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let estimate = [
        "estimate",
        "--month",
        "2026-11",
        "--region",
        "ca-west-1",
        "--codebuild",
        "general1.small=150",
        "--strict",
        "--format",
        "json",
    ];
    assert_eq!(run(&estimate).0, Some(4));
    assert_eq!(
        run(&["prices", "import", file.to_str().unwrap()]).0,
        Some(0)
    );
    #[cfg(feature = "aws")]
    {
        let (_, json) = run(&[
            "prices",
            "import",
            file.to_str().unwrap(),
            "--format",
            "json",
        ]);
        let answer = file.with_file_name("answer.json");
        std::fs::write(&answer, json).unwrap();
        crate::json::validated(&[answer]);
    }
    let (code, json) = run(&estimate);
    let bill: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(bill["total"], "0.25"); // (150 - 100) x 0.005
    assert_eq!(bill["lines"][0]["price"]["origin"], "price-list");
}
