//! Costs without quantities, services that are not known, discounts that recur: what the forecast, the gate,
//! an accrual, a what-if and a page make of them. Expectations are arithmetic of the files.

use std::{fmt::Write, fs, path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::support::dec;

/// A folder with a ledger of these files.
fn ledger(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
        let (code, _, error) = run(folder.path(), &["import", name]);
        assert_eq!(code, 0, "{name}: {error}");
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(cargo_bin("pipebill"))
        .current_dir(folder)
        .args(["--ledger", "x.db", "--as-of", "2026-11-30"])
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn answer(folder: &Path, args: &[&str]) -> Value {
    let (code, text, error) = run(folder, &[args, &["--format", "json"]].concat());
    assert!(code == 0 || code == 3, "{args:?}: {error}");
    serde_json::from_str(&text).unwrap()
}

fn amount(value: &Value) -> Decimal {
    dec(value.as_str().unwrap())
}

/// P10, P50 and P90 of a month.
fn range(forecast: &Value, month: &str) -> [Decimal; 3] {
    let rows = forecast["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["month"] == month).unwrap();
    ["p10", "p50", "p90"].map(|key| amount(&row[key]))
}

/// Tells whether an amount is another to a twentieth.
fn is_about(amount: Decimal, cost: Decimal) -> bool {
    (amount - cost).abs() * Decimal::from(20) < cost
}

/// A month that costs so much in the middle, in a range around it.
fn assert_about(forecast: &Value, month: &str, cost: &str) {
    let (cost, [p10, p50, p90]) = (dec(cost), range(forecast, month));
    assert!(is_about(p50, cost), "{p50} is not about {cost}");
    assert!(p10 < cost && cost < p90, "{p10} to {p90} around {cost}");
}

fn notes(answer: &Value) -> String {
    answer["notes"].to_string()
}

/// What a page says, as one line.
fn page(folder: &Path) -> String {
    let (code, _, error) = run(
        folder,
        &[
            "report",
            "--format",
            "html",
            "--out",
            "page.html",
            "--force",
        ],
    );
    assert_eq!(code, 0, "{error}");
    fs::read_to_string(folder.join("page.html")).unwrap()
}

/// Six months of the console: a cost each, no quantity.
fn console(months: std::ops::RangeInclusive<u32>) -> String {
    let count = months.clone().count() * 60;
    let mut text = format!(
        "\"Usage type\",\"USE1-Build-Min:Linux:g1.medium($)\",\"Total costs($)\"\n\
         \"Usage type total\",\"{count}\",\"{count}\"\n"
    );
    for month in months {
        writeln!(text, "\"2026-{month:02}-01\",\"60\",\"60\"").unwrap();
    }
    text
}

const CUR: &str = "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_account_id,\
                   line_item_usage_start_date,line_item_line_item_type,line_item_product_code,\
                   line_item_usage_type,line_item_usage_amount,line_item_unblended_rate,\
                   line_item_unblended_cost,line_item_currency_code,pricing_unit\n";

fn row(month: u32, day: u32, kind: &str, amount: &str, cost: &str) -> String {
    let rate = if kind == "Usage" { "0.01" } else { "" };
    format!(
        "999988887777,2026-{month:02}-01,111122223333,2026-{month:02}-{day:02},{kind},CodeBuild,\
         USE1-Build-Min:Linux:g1.medium,{amount},{rate},{cost},USD,Minutes\n"
    )
}

/// Days of a month, each 1,000 minutes at 0.01: $10.00.
fn usage(month: u32, days: u32) -> String {
    (1..=days)
        .map(|day| row(month, day, "Usage", "1000", "10"))
        .collect()
}

/// A month of usage and what EDP (9 %) and private rates (15 %) take off it: 24 %.
fn discounted(month: u32, days: u32) -> String {
    let edp = format!("-{}.{}", days * 9 / 10, days * 9 % 10);
    let private = format!("-{}.{}", days * 15 / 10, days * 15 % 10);
    usage(month, days)
        + &row(month, 1, "EdpDiscount", "0", &edp)
        + &row(month, 1, "PrivateRateDiscount", "0", &private)
}

#[test]
fn costs_are_forecast_as_costs() {
    let folder = ledger(&[("costs.csv", &console(5..=10))]);
    let folder = folder.path();
    let forecast = answer(folder, &["forecast", "--months", "1", "--explain"]);
    assert_about(&forecast, "2026-11", "60");
    assert!(notes(&forecast).contains("CodeBuild: the exports have costs but no quantities"));
    assert!(notes(&forecast).contains("--metrics UnblendedCost UsageQuantity"));
    assert!(forecast.to_string().contains("Linux medium, costs"));
    // The gate is about the current month, which the ledger does not reach.
    let check = |budget| run(folder, &["check", "--budget", budget]);
    let (code, text, _) = check("70");
    assert!(code == 0 && text.contains("2026-11"), "{text}");
    assert_eq!(check("50").0, 3);
}

#[test]
fn what_needs_quantities_says_which_export_has_them() {
    let folder = ledger(&[("costs.csv", &console(5..=10))]);
    let folder = folder.path();
    for command in [
        &["whatif", "--set", "builds*=2"][..],
        &["optimize"],
        &["whatif", "--set", "builds*=2", "--against", "forecast"],
    ] {
        let (code, text, error) = run(folder, command);
        assert!(code == 1 && text.is_empty(), "{command:?}: {text}");
        assert!(
            error.contains("(Cost Explorer CSV) has costs but no quantities"),
            "{error}"
        );
        let months = "--time-period Start=2026-10-01,End=2026-11-01";
        assert!(error.contains(months), "{error}");
        assert!(error.contains("UnblendedCost UsageQuantity"), "{error}");
    }
    let (_, text, _) = run(folder, &["bill", "--reconcile"]);
    assert!(text.contains("Not compared: $60.00"), "{text}");
    assert!(!text.contains("difference is explained"), "{text}");
    let page = page(folder);
    let why = "the export of October 2026 has costs but no quantities";
    // Cost drivers, savings, scenario, reconciliation.
    assert_eq!(page.matches(why).count(), 4, "{page}");
    assert!(!page.contains("difference is explained"));
}

#[test]
fn months_of_costs_before_months_of_quantities_count_once() {
    let cur = |months: &[(u32, u32)]| {
        let months = months.iter().map(|(month, days)| {
            let day = |day| row(*month, day, "Usage", "200", "2");
            (1..=*days).map(day).collect::<String>()
        });
        CUR.to_owned() + &months.collect::<String>()
    };
    // 200 minutes a day at 0.01: 60.00 in November, and no 60.00 of the old costs beside it.
    let later = cur(&[(9, 30), (10, 31)]);
    let folder = ledger(&[("costs.csv", &console(5..=8)), ("cur.csv", &later)]);
    let forecast = answer(folder.path(), &["forecast", "--months", "1"]);
    assert_about(&forecast, "2026-11", "60");
    let says = notes(&forecast);
    assert!(
        says.contains("CodeBuild: 2026-05 to 2026-08 have costs but no quantities"),
        "{says}"
    );
    assert!(!says.contains("billed costs are forecast"), "{says}");
    // The other way round the quantities are continued by what they cost.
    let earlier = cur(&[(8, 31), (9, 30)]);
    let folder = ledger(&[("cur.csv", &earlier), ("costs.csv", &console(10..=10))]);
    let forecast = answer(folder.path(), &["forecast", "--months", "1"]);
    assert_about(&forecast, "2026-11", "60");
    let says = notes(&forecast);
    assert!(says.contains("its costs are forecast as one sum"), "{says}");
}

/// Usage of CodeBuild in minutes, of CodePipeline as a cost: 2.00 and 1.00 a day.
#[test]
fn quantities_and_costs_of_one_month_are_both_continued() {
    let group = |service: &str, meter: &str, metrics: &str| {
        format!("{{\"Keys\":[\"{service}\",\"{meter}\"],\"Metrics\":{{{metrics}}}}}")
    };
    let money =
        |cost: &str| format!("\"UnblendedCost\":{{\"Amount\":\"{cost}\",\"Unit\":\"USD\"}}");
    let days = (1..=31).map(|day| {
        let minutes = money("2") + ",\"UsageQuantity\":{\"Amount\":\"200\",\"Unit\":\"Minutes\"}";
        let groups = [
            group("AWS CodeBuild", "USE1-Build-Min:Linux:g1.medium", &minutes),
            group(
                "AWS CodePipeline",
                "USE1-actionExecutionMinute",
                &money("1"),
            ),
        ];
        let end = if day == 31 {
            "2026-11-01".to_owned()
        } else {
            format!("2026-10-{:02}", day + 1)
        };
        format!(
            "{{\"TimePeriod\":{{\"Start\":\"2026-10-{day:02}\",\"End\":\"{end}\"}},\"Total\":{{}},\
             \"Groups\":[{}],\"Estimated\":false}}",
            groups.join(",")
        )
    });
    let json = format!(
        "{{\"GroupDefinitions\":[{{\"Type\":\"DIMENSION\",\"Key\":\"SERVICE\"}},\
         {{\"Type\":\"DIMENSION\",\"Key\":\"USAGE_TYPE\"}}],\"ResultsByTime\":[{}],\
         \"DimensionValueAttributes\":[]}}",
        days.collect::<Vec<_>>().join(",")
    );
    let folder = ledger(&[("ce.json", &json)]);
    let folder = folder.path();
    let forecast = answer(folder, &["forecast", "--months", "1"]);
    // 30 days of 2.00 and of 1.00.
    assert_about(&forecast, "2026-11", "90");
    assert!(notes(&forecast).contains("CodePipeline: the exports have costs but no quantities"));
    let (code, text, _) = run(folder, &["whatif", "--set", "minutes*=2", "--strict"]);
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains("$62.00") && text.contains("$124.00"),
        "{text}"
    );
    assert!(text.contains("CodePipeline ($31.00)"), "{text}");
    let (_, text, _) = run(folder, &["optimize"]);
    assert!(text.contains("CodePipeline ($31.00)"), "{text}");
    // Whether its free minutes were used is not known; that nobody used CodeCommit's is.
    assert!(!text.contains("free V2 action minutes"), "{text}");
    assert!(text.contains("free active users"), "{text}");
}

#[test]
fn services_that_are_not_known_are_not_nothing() {
    let text = "\"Linked account\",\"prod (111122223333)($)\",\"dev, old (044455556666)($)\",\
                \"Total costs($)\"\n\"Linked account total\",\"90\",\"10\",\"100\"\n\
                \"2026-10-01\",\"90\",\"10\",\"100\"\n";
    let folder = ledger(&[("costs.csv", text)]);
    let folder = folder.path();
    for command in [
        &["forecast"][..],
        &["whatif", "--set", "builds*=2"],
        &["optimize"],
        &["check", "--budget", "70"],
    ] {
        let (code, text, error) = run(folder, command);
        assert!(code == 1 && text.is_empty(), "{command:?}: {text}");
        assert!(
            error.contains("the services of 2026-10 are not known"),
            "{error}"
        );
        assert!(error.contains("100.00 USD"), "{error}");
        assert!(error.contains("group by usage type"), "{error}");
    }
    assert!(page(folder).contains("the services of October 2026 are not known"));
}

#[test]
fn a_ledger_with_months_and_no_usage_is_not_empty() {
    let folder = ledger(&[("cur.csv", &(CUR.to_owned() + &row(10, 1, "Tax", "0", "7")))]);
    let (code, _, error) = run(folder.path(), &["forecast"]);
    assert_eq!(code, 1);
    assert!(
        error.contains("nothing to forecast: 2026-10 has no usage"),
        "{error}"
    );
    assert!(!error.contains("empty"), "{error}");
}

/// Discounts of 24 % in each month; 15 days of November known.
fn negotiated(november: &str) -> tempfile::TempDir {
    let past = discounted(8, 31) + &discounted(9, 30) + &discounted(10, 31);
    ledger(&[("cur.csv", &(CUR.to_owned() + &past + november))])
}

#[test]
fn a_discount_of_every_month_is_carried() {
    let folder = negotiated(&discounted(11, 15));
    let folder = folder.path();
    let forecast = answer(folder, &["forecast", "--months", "1"]);
    // 30 days of 10.00, less 24 %; of 15 days, 150.00 less 36.00 are on the bill.
    assert_about(&forecast, "2026-11", "228");
    let known = &forecast["rows"][0]["known"];
    assert_eq!(amount(known), dec("114"));
    let says = notes(&forecast);
    assert!(
        says.contains("less 24 % recurring discounts, as in 2026-08 to 2026-10: −$7"),
        "{says}"
    );
    assert!(!says.contains("did not recur"), "{says}");
    let check = |budget| run(folder, &["check", "--budget", budget]);
    assert_eq!(check("250").0, 0);
    let (code, text, _) = check("200");
    assert!(code == 3 && text.contains("24 % recurring"), "{text}");
}

/// What is owed to AWS for November, as a journal accrues it.
fn accrued(folder: &Path) -> Decimal {
    let report = [
        "report", "--month", "2026-11", "--format", "journal", "--out", "j.csv", "--force",
    ];
    let (code, _, error) = run(folder, &report);
    assert_eq!(code, 0, "{error}");
    let mut reader = csv::Reader::from_path(folder.join("j.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|field| field == name).unwrap();
    let (kind, account, credit) = (at("entry_kind"), at("gl_account"), at("credit"));
    let rows = reader.records().map(Result::unwrap);
    let mut owed = rows.filter(|row| &row[kind] == "accrual" && row[account].starts_with("Liab"));
    dec(&owed.next().unwrap()[credit])
}

/// What will be invoiced is accrued: the middle of the forecast, whether or not the month to date shows its
/// discounts yet.
#[test]
fn an_accrual_is_what_will_be_invoiced() {
    for november in [discounted(11, 15), usage(11, 15)] {
        let folder = negotiated(&november);
        let folder = folder.path();
        let [_, p50, _] = range(&answer(folder, &["forecast"]), "2026-11");
        let accrued = accrued(folder);
        assert_eq!(accrued, p50.round_dp(2), "to the cent");
        assert!(is_about(accrued, dec("228")), "{accrued}");
    }
}

#[test]
fn both_sides_of_a_comparison_carry_the_discount() {
    let folder = negotiated("");
    let folder = folder.path();
    let compared = answer(folder, &["whatif", "--set", "minutes*=2"]);
    // October: 310.00 less 24 %, and twice that.
    assert_eq!(amount(&compared["scenarios"][0]["baseline"]), dec("235.6"));
    assert_eq!(amount(&compared["scenarios"][0]["scenario"]), dec("471.2"));
    let says = format!("{} {}", notes(&compared), notes(&compared["scenarios"][0]));
    assert!(says.contains("less 24 % recurring discounts"), "{says}");
    assert!(
        !says.contains("AWS billed") && !says.contains("left out"),
        "{says}"
    );
    // What a scenario states stands in place of what recurs: 310.00 less 5 %.
    let other = answer(folder, &["whatif", "--set", "discount=5%"]);
    assert_eq!(amount(&other["scenarios"][0]["scenario"]), dec("294.5"));
    let ahead = answer(
        folder,
        &[
            "whatif",
            "--set",
            "minutes*=2",
            "--against",
            "forecast",
            "--months",
            "1",
        ],
    );
    let sum = &ahead["scenarios"][0]["forecast"]["sum"];
    let november = amount(&sum["baseline_p50"]);
    assert!(is_about(november, dec("228")), "{november}");
    let twice = november + november;
    assert!((amount(&sum["scenario_p50"]) - twice).abs() < dec("0.01"));
}

#[test]
fn what_came_once_is_named_and_stays_out() {
    let october = usage(10, 31) + &row(10, 1, "Discount", "0", "-62");
    let past = usage(8, 31) + &usage(9, 30) + &october + &row(10, 2, "Credit", "0", "-50");
    let folder = ledger(&[("cur.csv", &(CUR.to_owned() + &past))]);
    let forecast = answer(folder.path(), &["forecast", "--months", "1"]);
    assert_about(&forecast, "2026-11", "300");
    let says = notes(&forecast);
    assert!(
        says.contains("−$62.00 of discounts in 2026-10 did not recur"),
        "{says}"
    );
    assert!(!says.contains("recurring"), "{says}");
    assert!(says.contains("(−$112.00) are excluded"), "{says}");
}

#[test]
fn a_stated_discount_stands_in_place_of_the_bills() {
    let folder = negotiated("");
    let forecast = answer(
        folder.path(),
        &["forecast", "--months", "1", "--discount", "10%"],
    );
    // Not 300.00 less 24 % less 10 %.
    assert_about(&forecast, "2026-11", "270");
    let says = notes(&forecast);
    assert!(
        says.contains("your discount replaces the billed 24 %"),
        "{says}"
    );
}

/// Usage that a Savings Plan covers is billed at 0 and has a quantity: 2.50 + 0.00, nothing free, nothing
/// unexplained, and no other export would say more.
#[test]
fn what_a_commitment_pays_for_is_as_billed_and_named() {
    let header = "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,ChargeCategory,\
                  ChargePeriodStart,ContractedUnitPrice,ListUnitPrice,PricingCategory,PricingQuantity,\
                  PricingUnit,ServiceName,SkuMeter,RegionId,CommitmentDiscountType,CommitmentDiscountStatus";
    let row = |cost: &str, unit_price: &str, category: &str, usage: &str, plan: &str| {
        format!(
            "{cost},999988887777,USD,2026-10-01T00:00:00Z,Usage,2026-10-07T00:00:00Z,{unit_price},\
             {unit_price},{category},{usage},us-east-1,{plan}"
        )
    };
    let lambda = "1000,Seconds,AWS CodeBuild,USE1-Build-Sec:Linux:Lambda:arm.1GB";
    let covered = row("0", "0.00001", "Committed", lambda, "Savings Plan,Used");
    let small = "500,Minutes,AWS CodeBuild,USE1-Build-Min:Linux:g1.small";
    let paid = row("2.5", "0.005", "Standard", small, ",");
    let folder = ledger(&[("focus.csv", &format!("{header}\n{covered}\n{paid}\n"))]);
    let bill = answer(folder.path(), &["bill"]);
    assert_eq!(bill["total"], "2.5", "{bill}");
    let reconciled = answer(folder.path(), &["bill", "--reconcile"]);
    assert_eq!(reconciled["unexplained"], "0", "{reconciled}");
    let (_, text, _) = run(folder.path(), &["bill", "--reconcile"]);
    assert!(text.contains("(Savings Plan)"), "{text}");
    assert!(!text.contains("quantities"), "{text}");
}
