//! Files in the repository that show what the program prints, kept equal to it.
//!
//! `TRYCMD=overwrite cargo test` writes them anew, as it does the console examples.

use std::{path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;
use pipebill::report::page::pictures::KINDS;

fn kept_equal(path: &str, content: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var("TRYCMD").is_ok_and(|mode| mode == "overwrite") {
        std::fs::write(&file, content).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
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
    kept_equal("docs/cli.md", &pipebill::cli::reference());
}

#[test]
fn the_sample_reports_are_what_the_demo_prints() {
    let bill = ["bill", "--demo", "--month", "2026-10"];
    kept_equal("reports/samples/bill.txt", &printed(&bill));
    for (format, file) in [("markdown", "bill.md"), ("json", "bill.json")] {
        let arguments = [&bill[..], &["--format", format]].concat();
        kept_equal(&format!("reports/samples/{file}"), &printed(&arguments));
    }
    let reconciliation = [&bill[..], &["--reconcile", "--format", "csv"]].concat();
    kept_equal(
        "reports/samples/reconciliation.csv",
        &printed(&reconciliation),
    );
}

#[test]
fn the_sample_page_and_its_pictures_are_what_the_demo_writes() {
    let folder = crate::page::TEAM.path();
    let mut names = vec!["report.html".to_owned()];
    names.extend(KINDS.iter().map(|kind| format!("report-{}.svg", kind.name)));
    for name in names {
        let content = std::fs::read_to_string(folder.join(&name)).unwrap();
        kept_equal(&format!("reports/samples/{name}"), &content);
    }
}

#[test]
fn the_sample_finance_file_has_its_manifest_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that is not there yet is made.
    let out = folder.path().join("bills/");
    printed(&[
        "report",
        "--demo",
        "--month",
        "2026-10",
        "--format",
        "csv",
        "--out",
        out.to_str().unwrap(),
    ]);
    for suffix in ["csv", "manifest.json"] {
        let written = out.join(format!("pipebill-2026-10.{suffix}"));
        let content = std::fs::read_to_string(written).unwrap();
        kept_equal(
            &format!("reports/samples/pipebill-2026-10.{suffix}"),
            &content,
        );
    }
}
