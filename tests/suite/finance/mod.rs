//! What finance gets, read by programs that are not ours: hledger, beancount, openpyxl, `DuckDB`,
//! pandas, a parser of metrics, a validator of FOCUS.

mod currencies;
mod focus;
mod hostile;
mod journal;
mod tables;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::support::{dec, root, skipped};

/// What October costs in the sample, as `pipebill bill` says and `samples/bill.json` shows.
const OCTOBER: &str = "477.59893";

/// A program that reads what we write. Without it a test says so and passes, but in CI it fails.
fn reader(program: &str) -> Option<Command> {
    let venv = root().join("target/venv/bin").join(program);
    let command = if venv.exists() {
        venv
    } else {
        PathBuf::from(program)
    };
    if Command::new(&command).arg("--version").output().is_ok() {
        return Some(Command::new(command));
    }
    skipped(&format!("no {program}"));
    None
}

/// Reads a file by a function of `tests/oracles/read.py`.
pub(crate) fn read_by(function: &str, file: &Path) -> Option<Value> {
    let mut python = reader("python3")?;
    let output = python
        .arg(root().join("tests/oracles/read.py"))
        .args([function, file.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ModuleNotFoundError") {
        skipped(&format!("no Python modules for {function}"));
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(cargo_bin("pipebill"))
            .args(arguments)
            .args(["--as-of", "2026-11-22"])
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Writes a report and returns its file.
    fn report(&self, arguments: &[&str], name: &str) -> PathBuf {
        let output = self.run(&[&["report", "--out", name], arguments].concat());
        assert!(output.status.success(), "{}", said(&output));
        self.path(name)
    }

    /// Writes October of the sample.
    fn october(&self, format: &str, name: &str) -> PathBuf {
        self.report(&["--demo", "--month", "2026-10", "--format", format], name)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn float(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Tells whether a float is an amount, as far as floats go.
fn close(value: f64, amount: &str) -> bool {
    let amount: f64 = amount.parse().unwrap();
    // Subtraction of two floats of a test, not of money.
    #[expect(
        clippy::float_arithmetic,
        reason = "what spreadsheets and pandas add up are floats"
    )]
    let off = (value - amount).abs();
    off < 1e-9
}

/// Adds up a column of a CSV, exactly.
fn sum_of(file: &Path, column: &str) -> Decimal {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let at = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == column)
        .unwrap();
    let fields = reader.records().map(|row| row.unwrap()[at].to_owned());
    fields
        .filter(|field| !field.is_empty())
        .map(|field| dec(&field))
        .sum()
}
