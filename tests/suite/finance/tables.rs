//! Tables: Parquet, CSV, workbooks and metrics, read by others with types and the same total.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use super::{Folder, OCTOBER, close, float, read_by, said, sum_of};
use crate::support::{dec, interrupt, read, root};

#[test]
fn duckdb_reads_parquet_with_types_and_the_same_total() {
    let folder = Folder::new();
    let file = folder.october("focus-parquet", "focus.parquet");
    let Some(found) = read_by("parquet", &file) else {
        return;
    };
    assert_eq!(found["cost"], "477.598930000000000000");
    assert_eq!(found["types"]["BilledCost"], "DECIMAL(38,18)");
    assert_eq!(found["types"]["BillingAccountId"], "VARCHAR");
    assert_eq!(
        found["types"]["ChargePeriodStart"],
        "TIMESTAMP WITH TIME ZONE"
    );
    assert_eq!(found["from"], "2026-10-01 00:00:00+00");
}

#[test]
fn duckdb_and_pandas_read_the_csv_with_types() {
    let folder = Folder::new();
    let file = folder.october("csv", "lines.csv");
    let Some(found) = read_by("table", &file) else {
        return;
    };
    assert_eq!(found["rows"], 36);
    assert_eq!(dec(found["cost"].as_str().unwrap()), dec(OCTOBER));
    assert!(close(float(&found["pandas_cost"]), OCTOBER), "{found}");
    for (column, kind) in [
        ("usage_start", "DATE"),
        ("cost", "DOUBLE"),
        ("service", "VARCHAR"),
    ] {
        assert_eq!(found["types"][column], kind, "{column}");
    }
    assert_eq!(found["pandas_types"]["cost"], "float64");
    assert!(
        found["accounts"]
            .as_array()
            .unwrap()
            .contains(&Value::from("044455556666")),
        "{found}"
    );
}

#[test]
fn openpyxl_reads_numbers_formulas_and_their_results() {
    let folder = Folder::new();
    let file = folder.october("xlsx", "book.xlsx");
    let Some(found) = read_by("workbook", &file) else {
        return;
    };
    assert_eq!(
        found["sheets"],
        serde_json::json!(["Summary", "Lines", "Forecast", "Assumptions"])
    );
    assert_eq!(found["frozen"], "A2");
    assert_eq!(found["charts"], serde_json::json!([1, 0, 1, 0]));
    assert!(close(float(&found["cost"]), OCTOBER), "{found}");
    let row = |of: &str| {
        let rows = found[of].as_array().unwrap().iter();
        rows.clone().find(|row| row[0] == "To pay").unwrap().clone()
    };
    assert!(close(float(&row("values")[2]), OCTOBER));
    assert_eq!(row("formulas")[2], "=SUM(C5:C8)");
    assert!(
        found["accounts"]
            .as_array()
            .unwrap()
            .contains(&Value::from("044455556666"))
    );
}

#[test]
fn a_parser_of_metrics_reads_them() {
    let folder = Folder::new();
    let file = folder.october("openmetrics", "pipebill.prom");
    let Some(found) = read_by("metrics", &file) else {
        return;
    };
    let costs = &found["pipebill_cost_usd"];
    assert_eq!(
        (&costs["unit"], &costs["type"]),
        (&Value::from("usd"), &Value::from("gauge"))
    );
    let samples = costs["samples"].as_array().unwrap();
    let sum: f64 = samples.iter().map(|sample| float(&sample[1])).sum();
    assert!(close(sum, OCTOBER), "{costs}");
    assert_eq!(
        found["pipebill_forecast_cost_usd"]["samples"]
            .as_array()
            .unwrap()
            .len(),
        12
    );
}

#[test]
fn costs_are_shared_by_cost_centre_as_the_mapping_has_it() {
    let folder = Folder::new();
    let arguments = [
        "--demo",
        "--month",
        "2026-10",
        "--format",
        "csv",
        "--by",
        "cost-center",
    ];
    let file = folder.report(&arguments, "centres.csv");
    assert_eq!(sum_of(&file, "cost"), dec(OCTOBER));
    let mut reader = csv::Reader::from_path(&file).unwrap();
    assert_eq!(reader.headers().unwrap().get(2), Some("cost_center"));
    let centres: Vec<String> = reader
        .records()
        .map(|row| row.unwrap()[2].to_owned())
        .collect();
    // What has no tag is a row without a name, and none comes twice.
    assert_eq!(centres[0], "");
    assert!(
        centres.len() > 3 && centres.iter().any(|name| name == "CC-1010"),
        "{centres:?}"
    );
    // By hand: the sum of the lines tagged so, from the allocation.
    let arguments = [
        &arguments[..5],
        &[
            "--content",
            "allocation",
            "--by",
            "account",
            "--by",
            "cost-center",
        ],
    ]
    .concat();
    let file = folder.report(&arguments, "allocation.csv");
    assert_eq!(sum_of(&file, "cost"), dec(OCTOBER));
    let text = read(&file);
    assert_eq!(
        text.lines().next().unwrap().matches("cost_center").count(),
        1
    );
}

/// Ctrl-C while the second of two files is made: no file, no draft of one.
#[cfg(unix)]
#[test]
fn what_is_stopped_leaves_nothing_behind() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let export = root().join("tests/fixtures/import/cur2.csv");
    let imported = folder.run(&["import", export.to_str().unwrap(), "--ledger", "l.sqlite"]);
    assert!(imported.status.success(), "{}", said(&imported));
    // A browser that takes its time.
    let browser = folder.path("browser");
    std::fs::write(&browser, "#!/bin/sh\nsleep 2\nexit 1\n").unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let definition = "about = \"two\"\n[[file]]\nformat = \"csv\"\n[[file]]\nformat = \"pdf\"\n";
    std::fs::write(folder.path("own.toml"), definition).unwrap();
    let running = Command::new(cargo_bin("pipebill"))
        .args(["report", "--definition", "own.toml", "--out", "out/"])
        .args(["--ledger", "l.sqlite", "--as-of", "2026-11-22"])
        .env("CHROME", &browser)
        .current_dir(folder.0.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let drafts = || std::fs::read_dir(folder.path("out")).map_or(0, Iterator::count);
    let begun = std::time::Instant::now();
    while drafts() < 2 && begun.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(drafts(), 2, "a draft of each file");
    interrupt(running);
    assert_eq!(drafts(), 0);
}
