//! How far a month reaches and how final it is: what AWS and its files say, and what they do not.

use std::{
    fs,
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A ledger and the files around it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, today: &str, args: &[&str]) -> Output {
        Command::new(cargo_bin("pipebill"))
            .current_dir(self.0.path())
            .args(["--ledger", "x.db", "--as-of", today])
            .args(args)
            .output()
            .unwrap()
    }

    /// What a command says, which must end with an exit code.
    fn says(&self, today: &str, args: &[&str], code: i32) -> String {
        let output = self.run(today, args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        // Lines are folded for the terminal.
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn json(&self, today: &str, args: &[&str]) -> Value {
        let output = self.run(today, &[args, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"))
    }

    fn manifest(&self, today: &str, args: &[&str]) -> Value {
        let args = [
            &["report", "--format", "csv", "--force", "--out", "out/"],
            args,
        ]
        .concat();
        self.says(today, &args, 0);
        let mut files = fs::read_dir(self.0.path().join("out")).unwrap();
        let file = files.find_map(|file| {
            let path = file.unwrap().path();
            path.to_string_lossy()
                .ends_with("manifest.json")
                .then_some(path)
        });
        let manifest: Value =
            serde_json::from_str(&fs::read_to_string(file.unwrap()).unwrap()).unwrap();
        fs::remove_dir_all(self.0.path().join("out")).unwrap();
        manifest["bills"][0].clone()
    }
}

fn contains(said: &str, words: &str) {
    assert!(said.contains(words), "`{words}` is not in: {said}");
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// An answer of get-cost-and-usage: intervals with what medium builds cost in each, at $0.01 a minute.
fn answer(intervals: &[(&str, &str, u32)], estimated: &str) -> String {
    let result = |(start, end, dollars): &(&str, &str, u32)| {
        let metric = |amount: u32, unit: &str| json!({"Amount": amount.to_string(), "Unit": unit});
        json!({
            "TimePeriod": {"Start": start, "End": end},
            "Total": {},
            "Groups": [{
                "Keys": ["AWS CodeBuild", "USE1-Build-Min:Linux:g1.medium"],
                "Metrics": {
                    "UnblendedCost": metric(*dollars, "USD"),
                    "UsageQuantity": metric(*dollars * 100, "Minutes"),
                },
            }],
            "Estimated": *start == estimated,
        })
    };
    let groups = ["SERVICE", "USAGE_TYPE"].map(|key| json!({"Type": "DIMENSION", "Key": key}));
    let results: Vec<Value> = intervals.iter().map(result).collect();
    json!({"GroupDefinitions": groups, "ResultsByTime": results}).to_string()
}

const MONTHS: [(&str, &str, u32); 5] = [
    ("2026-06-01", "2026-07-01", 60),
    ("2026-07-01", "2026-08-01", 60),
    ("2026-08-01", "2026-09-01", 60),
    ("2026-09-01", "2026-10-01", 60),
    ("2026-10-01", "2026-11-01", 60),
];

/// $40 in 20 days of November are $2 a day, so the month comes to 40 + 10 × 2 = $60.
#[test]
fn an_interval_of_the_running_month_is_known_to_its_last_day() {
    let desk = Desk::new();
    let running = ("2026-11-01", "2026-11-21", 40);
    desk.write(
        "ce.json",
        &answer(&[&MONTHS[..], &[running]].concat(), "2026-11-01"),
    );
    let today = "2026-11-21";
    desk.says(today, &["import", "ce.json"], 0);
    contains(
        &desk.says(today, &["bill"], 0),
        "2026-11 is open: usage to 2026-11-20.",
    );
    desk.says(today, &["bill", "--strict"], 0);

    let forecast = desk.json(today, &["forecast", "--months", "0"]);
    assert_eq!(forecast["known_until"], "2026-11-20");
    let middle = number(&forecast["rows"][0]["p50"]);
    assert!((58.0..62.0).contains(&middle), "{middle}");
    desk.says(today, &["check", "--budget", "65"], 0);
    desk.says(today, &["check", "--budget", "55"], 3);

    let by_day = desk.json(today, &["usage", "--by", "day"]);
    let days = by_day["rows"].as_array().unwrap();
    assert_eq!(days.len(), 20);
    assert!(
        days.iter()
            .all(|day| day["aws_cost"] == "2" && day["quantity"] == "200"),
        "{by_day}"
    );
    contains(&by_day["notes"].to_string(), "spread evenly");
    let by_day = desk.json(today, &["bill", "--by", "day"]);
    contains(&by_day["notes"].to_string(), "spread evenly");
    assert_eq!(by_day["rows"].as_array().unwrap().len(), 20, "{by_day}");

    // What the month is expected to come to is accrued, once.
    let journal = desk.says(today, &["report", "--format", "hledger"], 0);
    let accrued = journal
        .split_whitespace()
        .skip_while(|word| *word != "Expenses:Cloud:CodeBuild");
    let accrued: Vec<f64> = accrued.filter_map(|word| word.parse().ok()).collect();
    assert!((58.0..62.0).contains(&accrued[0]), "{journal}");

    // When the month is over, its last ten days are missing.
    let later = desk.says("2026-12-05", &["bill", "--month", "2026-11", "--strict"], 4);
    contains(
        &later,
        "Missing: usage of 2026-11-21 to 2026-11-30: not imported.",
    );
}

const RUNNING: &str = "\"Service\",\"CodeBuild($)\",\"Total costs($)\"
\"Service total\",\"200\",\"200\"
\"2026-08-01\",\"60\",\"60\"
\"2026-09-01\",\"60\",\"60\"
\"2026-10-01\",\"60\",\"60\"
\"2026-11-01\",\"20\",\"20\"
";

/// A monthly download dates the running month its 1st and says nothing of how much of it is there:
/// neither $20 for all of November nor for its first day would be true.
#[test]
fn a_running_month_of_the_console_does_not_tell_how_far_it_reaches() {
    let desk = Desk::new();
    desk.write("costs.csv", RUNNING);
    let today = "2026-11-10";
    let import = desk.says(today, &["import", "costs.csv"], 0);
    contains(
        &import,
        "2026-11: the Cost Explorer CSV does not say how far it reaches",
    );
    let bill = desk.says(today, &["bill", "--strict"], 0);
    contains(&bill, "2026-11 is open.");
    contains(
        &bill,
        "does not say how far it reaches into the month (2026-11-10 at the latest)",
    );
    let manifest = desk.manifest(today, &[]);
    assert_eq!(manifest["final"], false);
    contains(
        &manifest["why"].to_string(),
        "does not say how far it reaches",
    );

    // Once the month is over, what is there is a part of it; the same file says no more than before.
    for _ in 0..2 {
        let bill = desk.says("2026-12-05", &["bill", "--month", "2026-11", "--strict"], 4);
        contains(&bill, "was read on 2026-11-10, before the month was over");
        desk.says("2026-12-05", &["import", "costs.csv"], 0);
    }
    desk.says("2026-12-05", &["bill", "--month", "2026-10", "--strict"], 0);

    let known = Desk::new();
    known.write("costs.csv", RUNNING);
    known.says(
        today,
        &["import", "costs.csv", "--known-until", "2026-11-09"],
        0,
    );
    contains(
        &known.says(today, &["bill"], 0),
        "2026-11 is open: usage to 2026-11-09.",
    );
    let months = ["import", "costs.csv", "--known-until", "2026-12-24"];
    contains(
        &known.says("2026-12-25", &months, 0),
        "--known-until changes nothing",
    );
}

/// The console adds what it expects of days to come.
#[test]
fn rows_of_days_to_come_are_no_charges() {
    let rows = |days: std::ops::RangeInclusive<u32>| -> String {
        days.map(|day| format!("2026-11-{day:02},2,2\n")).collect()
    };
    let text = format!(
        "Service,CodeBuild($),Total costs($)\nService total,24,24\n{}",
        rows(1..=12)
    );
    let today = "2026-11-10";
    // The rest of the days is left out on import, and where the file was imported at a later day.
    for imported_on in [today, "2026-11-30"] {
        let desk = Desk::new();
        desk.write("costs.csv", &text);
        let import = desk.says(imported_on, &["import", "costs.csv"], 0);
        let bill = desk.json(today, &["bill"]);
        assert_eq!(bill["total"], "20", "{imported_on}: {bill}");
        let said = import + &bill["notes"].to_string();
        contains(&said, "2026-11-11 to 2026-11-12");
    }
}

/// AWS adds to a closed month for days: until it no longer calls it estimated, nobody should.
#[test]
fn a_closed_month_that_is_still_estimated_is_not_final() {
    let desk = Desk::new();
    let today = "2026-11-03";
    desk.write("ce.json", &answer(&MONTHS, "2026-10-01"));
    desk.says(today, &["import", "ce.json"], 0);
    // Not final is not missing.
    contains(
        &desk.says(today, &["bill", "--strict"], 0),
        "Not final: AWS still calls it estimated.",
    );
    let manifest = desk.manifest(today, &[]);
    assert_eq!(
        (&manifest["complete"], &manifest["final"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(manifest["why"], json!(["AWS still calls it estimated"]));
    let before = desk.manifest(today, &["--month", "2026-09"]);
    assert_eq!(
        (&before["final"], &before["why"]),
        (&json!(true), &json!([]))
    );
    desk.write("codes.toml", CODES);
    for format in [
        "journal",
        "hledger",
        "beancount",
        "quickbooks",
        "xero",
        "netsuite",
    ] {
        let mut journal = vec!["report", "--format", format];
        // Xero knows accounts by short codes only.
        if format == "xero" {
            journal.extend(["--gl", "codes.toml"]);
        }
        contains(&desk.says(today, &journal, 0), "not final");
        journal.extend(["--month", "2026-09"]);
        assert!(!desk.says(today, &journal, 0).contains("not final"));
    }
    let page = desk.says(today, &["report", "--format", "html"], 0);
    contains(&page, "AWS still calls it estimated");
    desk.write("ce.json", &answer(&MONTHS, ""));
    desk.says(today, &["import", "ce.json"], 0);
    assert_eq!(desk.manifest(today, &[])["final"], true);
}

const CODES: &str = "suspense = '6199'\npayable = '2100'\n[[rule]]\ngl_account = '6110'\n";

const CUR: &str = "line_item_usage_start_date,bill_billing_period_start_date,bill_payer_account_id,\
bill_invoice_id,line_item_line_item_type,line_item_product_code,line_item_usage_type,\
line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_currency_code\n";

/// A report of October: so many days with 200 minutes at a cost each, on an invoice or not.
fn report(days: u32, cost: &str, invoice: &str) -> String {
    let row = |day| {
        format!(
            "2026-10-{day:02}T00:00:00Z,2026-10-01T00:00:00Z,999988887777,{invoice},Usage,CodeBuild,\
             USE1-Build-Min:Linux:g1.small,200,Minutes,{cost},USD\n"
        )
    };
    CUR.to_owned() + &(1..=days).map(row).collect::<String>()
}

/// AWS writes the invoice into every row once it has billed a month.
#[test]
fn a_report_without_invoices_is_not_invoiced_yet() {
    let desk = Desk::new();
    let today = "2026-11-03";
    desk.write("x.csv", &report(31, "1", ""));
    desk.says(today, &["import", "x.csv"], 0);
    contains(
        &desk.says(today, &["bill", "--strict"], 0),
        "Not final: not invoiced yet.",
    );
    let manifest = desk.manifest(today, &[]);
    assert_eq!(
        (&manifest["complete"], &manifest["final"]),
        (&json!(true), &json!(false))
    );
    contains(
        &desk.says(today, &["report", "--format", "journal"], 0),
        "not final: not invoiced yet",
    );
    // Corrected and invoiced: a lower total is AWS's last word, and no loss.
    desk.write("x.csv", &report(31, "0.9", "2026-1"));
    let import = desk.says(today, &["import", "x.csv", "--strict"], 0);
    assert!(!import.contains("--allow-smaller"), "{import}");
    assert_eq!(desk.manifest(today, &[])["final"], true);
    assert!(!desk.says(today, &["bill"], 0).contains("Not final"));
}

/// Some exports have no place for the invoice: then nobody knows.
#[test]
fn what_does_not_tell_is_neither_final_nor_not() {
    let desk = Desk::new();
    desk.write("costs.csv", RUNNING);
    let today = "2026-11-10";
    desk.says(today, &["import", "costs.csv"], 0);
    let manifest = desk.manifest(today, &["--month", "2026-10"]);
    assert_eq!(
        (&manifest["complete"], &manifest["final"]),
        (&json!(true), &Value::Null)
    );
    contains(&manifest["why"].to_string(), "does not state");
}

/// A report in several files is whole with all of them.
#[test]
fn the_second_file_of_a_report_alone_is_not_the_month() {
    let desk = Desk::new();
    let today = "2026-11-20";
    desk.write("x-00002.csv", &report(31, "1", "2026-1"));
    desk.says(today, &["import", "x-00002.csv"], 0);
    let bill = desk.says(today, &["bill", "--strict"], 4);
    contains(
        &bill,
        "Missing: file 1: file 1 of the Cost and Usage Report 2.0 not imported",
    );
    assert_eq!(desk.manifest(today, &[])["final"], false);
    desk.write("x-00001.csv", &report(3, "1", "2026-1"));
    desk.says(today, &["import", "x-00001.csv", "x-00002.csv"], 0);
    desk.says(today, &["bill", "--strict"], 0);
    assert_eq!(desk.manifest(today, &[])["final"], true);
}

/// Whoever exports less by mistake would lose the rest of the month without a word.
#[test]
fn a_smaller_report_over_a_larger_one_leaves_the_month_incomplete() {
    let today = "2026-11-20";
    let both = |desk: &Desk, days: u32, cost: &str, code: i32| {
        desk.write("x.csv", &report(days, cost, ""));
        desk.says(today, &["import", "x.csv", "--strict"], code)
    };
    for (days, cost, now) in [(9, "1", "9.00"), (31, "0.5", "15.50"), (9, "5", "45.00")] {
        let desk = Desk::new();
        both(&desk, 31, "1", 0);
        let import = both(&desk, days, cost, 4);
        contains(
            &import,
            &format!("{days} days of usage ({now} USD) replaced 31 days of usage (31.00 USD)"),
        );
        contains(
            &desk.says(today, &["bill", "--strict"], 4),
            "Missing: a part of 2026-10",
        );
        assert_eq!(desk.manifest(today, &[])["final"], false);
        // The same again, or a little more, does not bring back what is lost.
        both(&desk, days, cost, 0);
        desk.says(today, &["bill", "--strict"], 4);
        // All of it does.
        both(&desk, 31, "2", 0);
        desk.says(today, &["bill", "--strict"], 0);
        // And so does the word of whoever knows better.
        both(&desk, days, cost, 4);
        desk.says(
            today,
            &["import", "x.csv", "--allow-smaller", "--strict"],
            0,
        );
        desk.says(today, &["bill", "--strict"], 0);
    }
    let desk = Desk::new();
    both(&desk, 31, "1", 0);
    both(&desk, 9, "1", 4);
    both(&desk, 12, "1", 4);
    desk.says(today, &["bill", "--strict"], 4);
}

/// Days between two downloads are missing, not quiet.
#[test]
fn a_hole_in_the_middle_of_a_month_is_missing() {
    let desk = Desk::new();
    let days = [1..=9, 13..=31].into_iter().flatten();
    let rows: String = days.map(|day| format!("2026-10-{day:02},2,2\n")).collect();
    desk.write(
        "x.csv",
        &format!("Service,CodeBuild($),Total costs($)\n{rows}"),
    );
    desk.says("2026-11-20", &["import", "x.csv"], 0);
    let bill = desk.says("2026-11-20", &["bill", "--strict"], 4);
    contains(
        &bill,
        "Missing: usage of 2026-10-10 to 2026-10-12: not imported.",
    );
}
