//! Files in the repository that show what the program prints, kept equal to it.
//!
//! `TRYCMD=overwrite cargo test` writes them anew, as it does the console examples.

use std::{path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;
use pipebill::report::formats::FORMATS;

fn kept_equal(path: &str, content: impl AsRef<[u8]>) {
    let content = content.as_ref();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var("TRYCMD").is_ok_and(|mode| mode == "overwrite") {
        std::fs::write(&file, content).unwrap();
    }
    let kept = std::fs::read(&file).unwrap_or_default();
    assert!(
        kept == content,
        "{path} is out of date: run TRYCMD=overwrite cargo test and read the difference"
    );
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(cargo_bin("pipebill"))
        .args(arguments)
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("PIPEBILL_AS_OF")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[cfg(feature = "aws")]
fn the_command_line_reference_is_the_help() {
    kept_equal("docs/cli.md", pipebill::cli::reference());
}

#[test]
fn the_sample_reports_are_what_the_demo_prints() {
    let bill = ["bill", "--demo", "--month", "2026-10"];
    kept_equal("reports/samples/bill.txt", printed(&bill));
    for (format, file) in [("markdown", "bill.md"), ("json", "bill.json")] {
        let arguments = [&bill[..], &["--format", format]].concat();
        kept_equal(&format!("reports/samples/{file}"), printed(&arguments));
    }
    let reconciliation = [&bill[..], &["--reconcile", "--format", "csv"]].concat();
    kept_equal(
        "reports/samples/reconciliation.csv",
        printed(&reconciliation),
    );
}

/// What each format is called among the samples, and what is asked for it.
#[test]
fn there_is_a_sample_of_every_format() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that is not there yet is made.
    let out = folder.path().join("bills/");
    let report = |arguments: &[&str]| {
        let report = ["report", "--demo", "--month", "2026-10", "--force", "--out"];
        printed(&[&report[..], &[out.to_str().unwrap()], arguments].concat());
    };
    for format in FORMATS {
        let codes = ["--gl", "examples/gl-mapping.toml"];
        let codes = if format.name == "xero" {
            &codes[..]
        } else {
            &[]
        };
        report(&[&["--format", format.name], codes].concat());
    }
    // The definition comes last: its files are among those of the formats, or have names of their own.
    report(&["--definition", "month-end"]);
    let mut samples: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    samples.sort();
    assert!(samples.len() > FORMATS.len());
    for sample in samples {
        let name = sample.file_name().unwrap().to_str().unwrap();
        let manifest = name.ends_with(".manifest.json");
        if !manifest || name == "pipebill-2026-10-month-end.manifest.json" {
            let content = std::fs::read(&sample).unwrap();
            kept_equal(&format!("reports/samples/{name}"), &content);
        }
    }
}
