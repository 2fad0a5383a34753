//! FOCUS, read by its validators.

use std::{path::Path, process::Command};

use serde_json::Value;

use super::{Folder, OCTOBER, reader, sum_of};
use crate::support::{dec, may_skip, read, root};

#[test]
fn a_validator_accepts_focus() {
    let folder = Folder::new();
    let Some(_) = reader("focus-toolkit") else {
        return;
    };
    for (content, name) in [("lines", "actual.csv"), ("forecast", "forecast.csv")] {
        let arguments = [
            "--demo",
            "--month",
            "2026-10",
            "--format",
            "focus",
            "--focus-version",
            "1.4",
            "--content",
            content,
        ];
        let file = folder.report(&arguments, name);
        let mut toolkit = reader("focus-toolkit").unwrap();
        let checked = toolkit
            .args(["validate", "--dataset", "cost-and-usage"])
            .arg(&file)
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{report}");
        assert!(report.contains("lint OK"), "{report}");
    }
    // A validator that accepts everything would be none.
    let text = read(&folder.path("actual.csv")).replace(",Usage,", ",usage,");
    std::fs::write(folder.path("broken.csv"), text).unwrap();
    let mut toolkit = reader("focus-toolkit").unwrap();
    let checked = toolkit
        .args(["validate", "--dataset", "cost-and-usage"])
        .arg(folder.path("broken.csv"))
        .output()
        .unwrap();
    assert!(!checked.status.success());
}

/// The validator of those who write FOCUS. It runs on Python 3.12 only: where `scripts/test` found
/// none, the test says so and passes, in CI too.
#[test]
fn the_validator_of_focus_1_2_finds_nothing_but_its_own_contradiction() {
    let python = root().join("target/focus-validator/bin/python");
    if !python.is_file() {
        may_skip("no focus-validator, which needs Python 3.12");
        return;
    }
    let validated = |file: &Path, damage: &[&str]| -> (u64, Vec<String>) {
        let output = Command::new(&python)
            .arg(root().join("tests/oracles/focus_1_2.py"))
            .arg(file)
            .args(damage)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let failed = found["failed"].as_array().unwrap().iter();
        let failed = failed.map(|name| name.as_str().unwrap().to_owned());
        (found["held"].as_u64().unwrap(), failed.collect())
    };
    let folder = Folder::new();
    // InvoiceId must be null by one rule and must not be by the next, whatever the row.
    for (content, name, contradiction) in [
        (
            "lines",
            "actual.parquet",
            "InvoiceId-C-004-C :: Nullability",
        ),
        (
            "forecast",
            "forecast.parquet",
            "InvoiceId-C-005-C :: Nullability",
        ),
    ] {
        let file = folder.report(
            &[
                "--demo",
                "--month",
                "2026-10",
                "--format",
                "focus-parquet",
                "--content",
                content,
            ],
            name,
        );
        let (held, failed) = validated(&file, &[]);
        assert!(held > 250, "{held} rules");
        assert_eq!(failed, [contradiction], "{content}");
    }
    // A validator that accepts everything would be none.
    let damage = "'usage' as ChargeCategory";
    let (_, failed) = validated(&folder.path("actual.parquet"), &[damage]);
    assert!(
        failed
            .iter()
            .any(|rule| rule.starts_with("ChargeCategory-")),
        "{failed:?}"
    );
}

#[test]
fn focus_tells_actual_from_forecast_and_keeps_the_invoice_total() {
    let folder = Folder::new();
    let file = folder.october("focus", "focus.csv");
    assert_eq!(sum_of(&file, "BilledCost"), dec(OCTOBER));
    let basis = |file: &Path| {
        let mut reader = csv::Reader::from_path(file).unwrap();
        let headers = reader.headers().unwrap().clone();
        let at = headers
            .iter()
            .position(|name| name == "x_ChargeBasis")
            .unwrap();
        let mut found: Vec<String> = reader
            .records()
            .map(|row| row.unwrap()[at].to_owned())
            .collect();
        found.dedup();
        found
    };
    assert_eq!(basis(&file), ["actual"]);
    let arguments = [
        "--demo",
        "--month",
        "2026-10",
        "--format",
        "focus",
        "--content",
        "forecast",
    ];
    assert_eq!(
        basis(&folder.report(&arguments, "future.csv")),
        ["forecast"]
    );
}
