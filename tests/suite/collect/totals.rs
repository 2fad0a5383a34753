//! What is collected comes to the totals worked out by hand, and stands beside the bill.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::double::{Double, metered, place, python, said};

/// What AWS billed for October is what the double says.
fn assert_billed(double: &Double, ledger: &Path) {
    let bill = double.run(ledger, &["bill", "--month", "2026-10", "--format", "json"]);
    let bill: Value = serde_json::from_slice(&bill.stdout).unwrap();
    assert_eq!(
        bill["aws_total"].as_str().or(bill["total"].as_str()),
        Some("0.187"),
        "{bill}"
    );
}

#[test]
fn totals_are_those_worked_out_by_hand() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let announced = double.collect(&ledger, &["--deep"], 0);
    assert!(announced.contains("$0.26 for 26 requests"), "{announced}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/double/expected.csv");
    let mut expected: BTreeMap<String, BTreeMap<(String, String), String>> = BTreeMap::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let meter = (row[1].to_owned(), row[2].to_owned());
        expected
            .entry(row[0].to_owned())
            .or_default()
            .insert(meter, row[3].to_owned());
    }
    for (month, totals) in expected {
        assert_eq!(metered(&ledger, &month), totals, "{month}");
    }
    let usage = double.run(&ledger, &["usage", "--metered", "--month", "2026-10"]);
    let usage = said(&usage);
    for gap in [
        "Docker servers of CodeBuild builds in us-east-1",
        "CodeBuild time of 2 minutes of pipeline commands in us-east-1",
    ] {
        assert!(usage.contains(gap), "{gap}: {usage}");
    }
    // What AWS billed stands beside it, untouched.
    assert_billed(&double, &ledger);
}

#[test]
fn another_client_arrives_at_the_same_totals() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--deep"], 0);
    let reference = Command::new(python().unwrap())
        .args([
            "tests/double/reference.py",
            &double.port.to_string(),
            "2026-10",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(reference.status.success(), "{}", said(&reference));
    let theirs: BTreeMap<(String, String), String> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&reference.stdout[..])
        .records()
        .map(|row| {
            let row = row.unwrap();
            ((row[0].to_owned(), row[1].to_owned()), row[2].to_owned())
        })
        .collect();
    assert_eq!(metered(&ledger, "2026-10"), theirs);
}

#[test]
fn costs_that_were_imported_before_are_not_added_to_collected_ones() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (folder, ledger) = place();
    let file = folder.path().join("ce.json");
    let charge = json!({"Keys": ["CodeBuild", "USE1-Build-Min:Linux:g1.small"], "Metrics": {
        "UnblendedCost": {"Amount": "0.015", "Unit": "USD"},
        "UsageQuantity": {"Amount": "3", "Unit": "Minutes"}}});
    let answer = json!({
        "GroupDefinitions": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
        "ResultsByTime": [{"TimePeriod": {"Start": "2026-10-05", "End": "2026-10-06"}, "Groups": [charge]}],
    });
    fs::write(&file, answer.to_string()).unwrap();
    let imported = double.run(&ledger, &["import", file.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", said(&imported));
    double.collect(&ledger, &[], 0);
    assert_billed(&double, &ledger);
}

#[test]
fn values_of_the_future_and_running_builds_are_gaps() {
    let Some(double) = Double::start("future") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &[], 0);
    let output = double.run(&ledger, &["usage", "--metered", "--month", "2026-10"]);
    let text = said(&output);
    for gap in [
        "no meter is known for LINUX_CONTAINER/FUTURE_SIZE",
        "still running",
        "pipeline type FUTURE_V3 is not known",
        "status FUTURE_STATUS is not known",
    ] {
        assert!(text.contains(gap), "{gap}: {text}");
    }
    let strict = double.run(
        &ledger,
        &["usage", "--metered", "--month", "2026-10", "--strict"],
    );
    assert_eq!(strict.status.code(), Some(4));
    // Builds that went on are fetched again.
    double.faults(json!({}));
    double.collect(&ledger, &["--services", "codebuild"], 0);
    assert!(double.operations()["codebuild.BatchGetBuilds"] >= 1);
}
