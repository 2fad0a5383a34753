//! What finance gets, read by programs that are not ours: hledger, beancount, openpyxl, `DuckDB`,
//! pandas, a parser of metrics, a validator of FOCUS.

#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use pipebill::report::formats::{FORMATS, Format};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::support::{dec, read, root};

/// What October costs in the sample, as `pipebill bill` says and `samples/bill.json` shows.
const OCTOBER: &str = "428.85893";

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
    assert!(
        std::env::var_os("CI").is_none(),
        "{program} is not there: scripts/test installs it"
    );
    println!("SKIPPED: no {program}; scripts/test installs it");
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
    if said.contains("ModuleNotFoundError") && std::env::var_os("CI").is_none() {
        println!("SKIPPED: {function}; scripts/test installs what it needs");
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

#[test]
fn hledger_accepts_the_journal_and_finds_the_same_total() {
    let folder = Folder::new();
    let journal = folder.october("hledger", "october.journal");
    let Some(mut hledger) = reader("hledger") else {
        return;
    };
    let checked = hledger
        .args(["check", "--strict", "-f"])
        .arg(&journal)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
    let arguments = ["bal", "Liabilities", "-N", "-O", "csv", "-f"];
    let balance = reader("hledger")
        .unwrap()
        .args(arguments)
        .arg(&journal)
        .output()
        .unwrap();
    let balance = String::from_utf8(balance.stdout).unwrap();
    assert!(balance.contains("\"-428.86 USD\""), "{balance}");
}

#[test]
fn an_accrual_and_its_reversal_come_to_nothing_and_stay_the_same() {
    let folder = Folder::new();
    let open = ["--demo", "--month", "2026-11", "--format", "hledger"];
    let journal = folder.report(&open, "open.journal");
    let text = read(&journal);
    assert!(
        text.contains("2026-11-30 * (PA202611-") && text.contains("2026-12-01 * (PR202611-"),
        "{text}"
    );
    // The same input has the same references.
    assert_eq!(text, read(&folder.report(&open, "again.journal")));
    let Some(mut hledger) = reader("hledger") else {
        return;
    };
    let arguments = ["bal", "-N", "-E", "-O", "csv", "-f"];
    let balance = hledger.args(arguments).arg(&journal).output().unwrap();
    let balance = String::from_utf8(balance.stdout).unwrap();
    let amounts = balance
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap());
    assert!(amounts.clone().count() >= 5, "{balance}");
    for amount in amounts {
        assert_eq!(amount, "\"0\"", "{balance}");
    }
}

#[test]
fn beancount_accepts_the_journal_and_finds_the_same_total() {
    let folder = Folder::new();
    let journal = folder.october("beancount", "october.beancount");
    let Some(found) = read_by("beancount", &journal) else {
        return;
    };
    assert_eq!(found["errors"].as_array().unwrap().len(), 0, "{found}");
    assert_eq!(found["sums"]["Liabilities:AWS"], "-428.86");
    let checked = reader("bean-check")
        .unwrap()
        .arg(&journal)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
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

#[test]
fn every_importer_gets_a_journal_that_balances() {
    let folder = Folder::new();
    let mapping = folder.path("codes.toml");
    let rules = "suspense = \"9999\"\npayable = \"2100\"\nentity = \"ACME\"\n[[rule]]\nservice = \"CodeBuild\"\n\
                 gl_account = \"0610\"\ncost_center = { tag = \"cost_center\" }\n";
    std::fs::write(&mapping, rules).unwrap();
    for (format, debit, credit) in [
        ("journal", "debit", "credit"),
        ("quickbooks", "Debits", "Credits"),
        ("netsuite", "Debit", "Credit"),
    ] {
        let arguments = [
            "--demo",
            "--month",
            "2026-10",
            "--format",
            format,
            "--gl",
            "codes.toml",
        ];
        let file = folder.report(&arguments, &format!("{format}.csv"));
        assert_eq!(sum_of(&file, debit), dec("428.86"), "{format}");
        assert_eq!(sum_of(&file, credit), dec("428.86"), "{format}");
        // An account keeps its leading zero.
        assert!(read(&file).contains(",0610,"), "{}", read(&file));
    }
    let arguments = [
        "--demo",
        "--month",
        "2026-10",
        "--format",
        "xero",
        "--gl",
        "codes.toml",
    ];
    let file = folder.report(&arguments, "xero.csv");
    assert_eq!(sum_of(&file, "*Amount"), Decimal::ZERO);
    assert!(read(&file).contains(",31/10/2026,"));
    // Everything but builds has no rule: 428.85893 - 305.24893.
    let output = folder.run(&[&["report", "--out", "again.csv"], &arguments[..]].concat());
    assert!(
        said(&output).contains("123.61 USD, match no rule and are posted to 9999"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_mapping_is_refused_with_line_and_column() {
    let folder = Folder::new();
    for (text, problem) in [
        ("suspense = \"9\"\n", "missing field `payable`"),
        (
            "suspense = \"9\"\npayable = \"2\"\ncolour = 1\n",
            "line 3, column 1",
        ),
        (
            "suspense = \"9\"\npayable = \"2\"\n[[rule]]\nservice = \"CodeBild\"\ngl_account = \"1\"\n",
            "line 4, column 11: unknown service `CodeBild`: did you mean `CodeBuild`?",
        ),
        (
            "suspense = \"9\"\npayable = \"2\"\ndates = \"31.12.2026\"\n",
            "line 3, column 9: choose YYYY-MM-DD",
        ),
    ] {
        std::fs::write(folder.path("own.toml"), text).unwrap();
        let arguments = [
            "report", "--demo", "--format", "journal", "--gl", "own.toml",
        ];
        let refused = folder.run(&arguments);
        assert_eq!(refused.status.code(), Some(1));
        assert!(refused.stdout.is_empty());
        let said = said(&refused);
        assert!(
            said.contains(problem) && said.contains("own.toml"),
            "{said}"
        );
    }
}

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
        println!("SKIPPED: no focus-validator; scripts/test installs it where Python 3.12 is");
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

#[test]
fn duckdb_reads_parquet_with_types_and_the_same_total() {
    let folder = Folder::new();
    let file = folder.october("focus-parquet", "focus.parquet");
    let Some(found) = read_by("parquet", &file) else {
        return;
    };
    assert_eq!(found["cost"], "428.858930000000000000");
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
    assert_eq!(found["rows"], 38);
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
fn a_rate_is_never_silent_and_both_amounts_stand_in_the_file() {
    let folder = Folder::new();
    let euro = [
        "--demo",
        "--month",
        "2026-10",
        "--currency",
        "EUR",
        "--fx-rate",
        "0.92",
    ];
    let refused = folder.run(&[&["report"], &euro[..]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        said(&refused).contains("needs --currency, --fx-date and --fx-source"),
        "{}",
        said(&refused)
    );
    let euro = [
        &euro[..],
        &["--fx-date", "2026-10-31", "--fx-source", "ECB"],
    ]
    .concat();
    let lines = folder.report(&euro, "lines.csv");
    assert_eq!(sum_of(&lines, "cost"), dec(OCTOBER));
    // 428.85893 x 0.92
    assert_eq!(sum_of(&lines, "converted_cost"), dec("394.5502156"));
    for (content, ours, theirs) in [
        ("forecast", "p50", "converted_p50"),
        ("reconciliation", "ours", "converted_ours"),
    ] {
        let arguments = [&euro[..], &["--format", "csv", "--content", content]].concat();
        let file = folder.report(&arguments, &format!("{content}.csv"));
        let amount = sum_of(&file, ours);
        assert_eq!(sum_of(&file, theirs), amount * dec("0.92"), "{content}");
        assert!(
            read(&file).contains(",EUR,0.92,2026-10-31,ECB"),
            "{content}"
        );
    }
    // The page has both for each figure and each amount of a table.
    let page = folder.report(
        &[&euro[..], &["--format", "html", "--ahead", "1"]].concat(),
        "p.html",
    );
    let page = read(&page);
    assert!(page.contains("Billed in USD: amounts in words and pictures are USD."));
    let mut pairs = 0;
    for cell in page.split("<data value=\"").skip(1) {
        let (amount, rest) = cell.split_once('"').unwrap();
        let end = rest
            .find("</td>")
            .unwrap_or(rest.len())
            .min(rest.find("</div>").unwrap_or(rest.len()));
        if let Some((_, other)) = rest[..end].split_once("<data class=\"other\" value=\"") {
            let other = other.split_once('"').unwrap().0;
            assert_eq!(dec(amount) * dec("0.92"), dec(other));
            pairs += 1;
        } else {
            assert!(
                !rest[..end].contains('$') || rest.starts_with(">−"),
                "{amount}: {}",
                &rest[..end]
            );
        }
    }
    assert!(pairs > 80, "{pairs} amounts");
    let focus = folder.report(&[&euro[..], &["--format", "focus"]].concat(), "focus.csv");
    assert_eq!(sum_of(&focus, "BilledCost"), dec(OCTOBER));
    assert_eq!(sum_of(&focus, "x_ConvertedCost"), dec("394.5502156"));
    let journal = folder.report(
        &[&euro[..], &["--format", "journal"]].concat(),
        "journal.csv",
    );
    assert_eq!(sum_of(&journal, "debit"), dec("394.55"));
    assert!(
        read(&journal).contains(",110.59,,EUR,120.20,USD,0.92,2026-10-31,ECB,"),
        "{}",
        read(&journal)
    );
    for (format, amount) in [
        ("markdown", "EUR 394.55"),
        ("openmetrics", "394.5502156"),
        ("hledger", "110.59 EUR"),
    ] {
        let file = folder.report(&[&euro[..], &["--format", format]].concat(), format);
        assert!(read(&file).contains(amount), "{format}");
    }
}

/// Names that somebody may give a project or a tag.
const HOSTILE: [&str; 7] = [
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "</title><script>alert(1)</script>",
    "two\nlines",
    "nul\u{0}byte",
    "\u{202e}txt.exe",
    "🚀 équipe, \"R&D\"; x|y",
    "@cmd  tag:value",
];

fn hostile_books() -> Folder {
    let folder = Folder::new();
    let mut export = csv::Writer::from_path(folder.path("cur.csv")).unwrap();
    let columns = "bill_billing_period_start_date bill_payer_account_id line_item_usage_account_id \
                   line_item_usage_start_date line_item_line_item_type line_item_product_code \
                   line_item_usage_type line_item_resource_id line_item_usage_amount \
                   line_item_currency_code line_item_unblended_rate line_item_unblended_cost \
                   pricing_unit product_region_code resource_tags";
    export.write_record(columns.split_whitespace()).unwrap();
    for (at, name) in HOSTILE.iter().enumerate() {
        let tags = serde_json::json!({"user_team": name, "user_cost_center": name}).to_string();
        let resource = format!(
            "arn:aws:codebuild:us-east-1:044455556666:project/{}",
            name.replace('\0', "")
        );
        let usage_type = if at == 0 {
            "USE1-=1+1"
        } else {
            "USE1-Build-Min:Linux:g1.medium"
        };
        export
            .write_record([
                "2026-10-01T00:00:00Z",
                "111122223333",
                "044455556666",
                "2026-10-05T00:00:00Z",
                "Usage",
                "CodeBuild",
                usage_type,
                &resource,
                "10",
                "USD",
                "0.01",
                "0.1",
                "Minutes",
                "us-east-1",
                &tags,
            ])
            .unwrap();
    }
    export.flush().unwrap();
    drop(export);
    let imported = folder.run(&["import", "cur.csv", "--ledger", "ledger.sqlite"]);
    assert!(imported.status.success(), "{}", said(&imported));
    folder
}

#[test]
fn hostile_names_are_harmless_in_every_format() {
    let folder = hostile_books();
    let of_month = ["--month", "2026-10", "--ledger", "ledger.sqlite"];
    // The page and its pictures are looked at in a browser, by `page.rs`.
    let written = |format: &&Format| format.name != "xero" && !format.needs_overview();
    for format in FORMATS.iter().filter(written) {
        let name = format!("hostile{}", format.ending);
        let arguments = [&of_month[..], &["--format", format.name, "--force"]].concat();
        let file = folder.report(&arguments, &name);
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.is_empty(), "{name}");
        if !format.binary && !format.name.starts_with("focus") {
            let text = String::from_utf8(bytes).unwrap();
            assert!(
                !text.contains('\0') && !text.contains('\u{202e}'),
                "{name}: {text}"
            );
            // Only here is it more than a name.
            assert!(
                format.name != "markdown" || !text.contains("<script"),
                "{text}"
            );
        }
    }
    // Safe, and readable: the name is there.
    let by = [&of_month[..], &["--by", "tag:team"]].concat();
    let mut teams = csv::Reader::from_path(folder.report(&by, "teams.csv")).unwrap();
    let teams: Vec<String> = teams
        .records()
        .map(|row| row.unwrap()[2].to_owned())
        .collect();
    for team in &teams {
        assert!(
            !team.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
                && !team.contains(['\0', '\u{202e}']),
            "{team}"
        );
    }
    assert!(
        teams
            .iter()
            .any(|team| team == "'=HYPERLINK(\"http://evil.example\",\"x\")"),
        "{teams:?}"
    );
    // FOCUS keeps text as it is: one apostrophe would make it another text.
    let focus = folder.report(
        &[&of_month[..], &["--format", "focus"]].concat(),
        "plain.csv",
    );
    let mut rows = csv::Reader::from_path(focus).unwrap();
    let at = rows
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "Tags")
        .unwrap();
    let mut found: Vec<String> = rows
        .records()
        .map(|row| {
            let tags: Value = serde_json::from_str(&row.unwrap()[at]).unwrap();
            tags["team"].as_str().unwrap().to_owned()
        })
        .collect();
    found.sort();
    let mut expected = HOSTILE.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
    // The programs that read journals take them.
    if let Some(mut hledger) = reader("hledger") {
        let checked = hledger
            .args(["check", "--strict", "-f"])
            .arg(folder.path("hostile.journal"))
            .output()
            .unwrap();
        assert!(checked.status.success(), "{}", said(&checked));
    }
    if let Some(found) = read_by("beancount", &folder.path("hostile.beancount")) {
        assert_eq!(found["errors"].as_array().unwrap().len(), 0, "{found}");
    }
    if let Some(found) = read_by("workbook", &folder.path("hostile.xlsx")) {
        // No cell of the lines is a formula.
        assert!(
            !found["types"]
                .as_array()
                .unwrap()
                .contains(&Value::from("f")),
            "{found}"
        );
        assert!(
            found["usage_types"]
                .as_array()
                .unwrap()
                .contains(&Value::from("=1+1")),
            "{found}"
        );
    }
    read_by("metrics", &folder.path("hostile.prom"));
}

/// A bill of China: the lines of an export, in yuan.
fn yuan(text: &str) -> String {
    text.replace(",USD,", ",CNY,")
        .replace("us-east-1", "cn-north-1")
        .replace(",USE1-", ",CNN1-")
        .replace(",$", ",CNY")
}

#[test]
fn a_bill_in_yuan_stays_in_yuan_in_every_format() {
    let folder = Folder::new();
    let export = read(&root().join("tests/fixtures/import/cur2.csv"));
    std::fs::write(folder.path("cn.csv"), yuan(&export)).unwrap();
    let run = |arguments: &[&str]| folder.run(&[arguments, &["--ledger", "l.sqlite"]].concat());
    let imported = run(&["import", "cn.csv"]);
    assert!(imported.status.success(), "{}", said(&imported));
    let bill = run(&["bill", "--month", "2026-10", "--format", "json"]);
    let bill: Value = serde_json::from_slice(&bill.stdout).unwrap();
    assert_eq!(bill["currency"], "CNY");
    let total = bill["total"].as_str().unwrap().to_owned();
    assert_ne!(dec(&total), Decimal::ZERO);
    for format in FORMATS.iter().filter(|format| format.name != "pdf") {
        let file = folder.path(&format!("out{}", format.ending));
        let mut arguments = vec![
            "report",
            "--month",
            "2026-10",
            "--force",
            "--format",
            format.name,
            "--out",
        ];
        arguments.push(file.to_str().unwrap());
        let codes = root().join("examples/gl-mapping.toml");
        match format.name {
            "svg" => arguments.extend(["--chart", "services"]),
            "xero" => arguments.extend(["--gl", codes.to_str().unwrap()]),
            _ => {}
        }
        let output = run(&arguments);
        assert!(
            output.status.success(),
            "{}: {}",
            format.name,
            said(&output)
        );
        let manifest = read(&file.with_extension("manifest.json"));
        assert!(!manifest.contains("USD"), "{}", format.name);
        if format.binary {
            let function = if format.name == "xlsx" {
                "workbook"
            } else {
                "parquet"
            };
            let Some(found) = read_by(function, &file) else {
                continue;
            };
            let text = found.to_string();
            assert!(!text.contains("USD"), "{text}");
            if format.name == "xlsx" {
                assert!(text.contains("Amounts in CNY"), "{text}");
            }
            continue;
        }
        let text = read(&file);
        assert!(
            text.contains("CNY") || text.contains("cny"),
            "{}",
            format.name
        );
        let dollars = text
            .match_indices('$')
            .filter(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(dollars.count(), 0, "{}", format.name);
        for wrong in ["USD", "usd", "EUR"] {
            assert!(!text.contains(wrong), "{}: {wrong}", format.name);
        }
    }
    let sums = [("out.csv", "cost"), ("out-focus.csv", "BilledCost")];
    for (file, column) in sums {
        assert_eq!(sum_of(&folder.path(file), column), dec(&total), "{file}");
    }
}

#[test]
fn yuan_and_dollars_are_kept_apart() {
    let folder = Folder::new();
    let header = "date,service,usage_type,usage_amount,unit,unblended_cost,currency\n";
    let row = |day: &str, currency: &str, region: &str| {
        format!("{day},CodeBuild,{region}-Build-Min:Linux:g1.small,500,Minutes,2.5,{currency}\n")
    };
    let rows = [
        header.to_owned(),
        row("2026-09-03", "CNY", "CNN1"),
        row("2026-10-03", "CNY", "CNN1"),
        row("2026-10-04", "USD", "USE1"),
    ];
    std::fs::write(folder.path("mixed.csv"), rows.concat()).unwrap();
    let run = |arguments: &[&str]| folder.run(&[arguments, &["--ledger", "l.sqlite"]].concat());
    let imported = run(&["import", "mixed.csv"]);
    assert!(imported.status.success(), "{}", said(&imported));
    for format in ["csv", "html", "xlsx", "openmetrics", "hledger"] {
        let out = folder.path("refused");
        let output = run(&[
            "report",
            "--month",
            "2026-10",
            "--format",
            format,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(said(&output).contains("2026-10 has charges in CNY and USD"));
        assert!(!out.exists(), "{format}");
    }
    let chosen = run(&[
        "report",
        "--month",
        "2026-10",
        "--currency",
        "CNY",
        "--format",
        "csv",
    ]);
    let text = String::from_utf8(chosen.stdout).unwrap();
    assert!(text.contains(",CNY,") && !text.contains(",USD,"), "{text}");
    // Nothing in the comment says that what has no price costs nothing.
    let comment = run(&[
        "report",
        "--month",
        "2026-10",
        "--currency",
        "CNY",
        "--format",
        "markdown",
    ]);
    let text = String::from_utf8(comment.stdout).unwrap();
    assert!(text.contains("| CodeBuild | CNY unknown |"), "{text}");
    let metrics = run(&[
        "report",
        "--month",
        "2026-10",
        "--currency",
        "CNY",
        "--format",
        "openmetrics",
    ]);
    let text = String::from_utf8(metrics.stdout).unwrap();
    assert!(!text.contains("pipebill_cost_cny{"), "{text}");
    // A month of each adds up to nothing.
    let header = [header.to_owned(), row("2026-11-03", "USD", "USE1")].concat();
    std::fs::write(folder.path("next.csv"), header).unwrap();
    assert!(run(&["import", "next.csv"]).status.success());
    let months = [
        "report", "--from", "2026-09", "--to", "2026-11", "--format", "xlsx",
    ];
    let output = run(&[&months[..], &["--out", "both.xlsx"]].concat());
    assert!(!output.status.success());
    assert!(!folder.path("both.xlsx").exists());
}

#[test]
fn what_is_no_text_is_kept_from_a_terminal() {
    // util-linux's `script` gives the program a terminal.
    let Ok(found) = Command::new("script").arg("--version").output() else {
        assert!(std::env::var_os("CI").is_none(), "no script(1)");
        println!("SKIPPED: no script(1)");
        return;
    };
    assert!(found.status.success());
    let program = cargo_bin("pipebill");
    for (format, says) in [
        ("xlsx", "error: xlsx is no text for a terminal"),
        (
            "focus-parquet",
            "error: focus-parquet is no text for a terminal",
        ),
        ("csv", "schema_version,billing_period"),
    ] {
        let command = format!(
            "'{}' report --demo --month 2026-10 --format {format}",
            program.display()
        );
        let output = Command::new("script")
            .env("NO_COLOR", "1")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(says), "{format}: {text}");
        let refused = format != "csv";
        assert_eq!(
            output.status.code(),
            Some(if refused { 2 } else { 0 }),
            "{format}"
        );
        assert!(!refused || !text.contains("PK\u{3}"), "{format}");
    }
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
    let mut running = Command::new(cargo_bin("pipebill"))
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
    let told = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let code = running.wait().unwrap().code();
    assert_eq!(code, Some(130));
    assert_eq!(drafts(), 0);
}

/// What a journal owes: the sum of its credits to the payable account.
fn owed(folder: &Folder, accrue: &[&str]) -> Decimal {
    let arguments = [
        &[
            "--demo", "--force", "--month", "2026-11", "--format", "journal",
        ],
        accrue,
    ]
    .concat();
    let file = folder.report(&arguments, "accrual.csv");
    let mut reader = csv::Reader::from_path(&file).unwrap();
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (kind, debit, credit) = (at("entry_kind"), at("debit"), at("credit"));
    let amount = |text: &str| {
        if text.is_empty() {
            Decimal::ZERO
        } else {
            dec(text)
        }
    };
    let mut sums = std::collections::BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        let sum: &mut [Decimal; 2] = sums.entry(row[kind].to_owned()).or_default();
        sum[0] += amount(&row[debit]);
        sum[1] += amount(&row[credit]);
    }
    // Both balance, and the reversal takes back what was accrued.
    assert_eq!(sums["accrual"], sums["reversal"]);
    assert_eq!(sums["accrual"][0], sums["accrual"][1]);
    sums["accrual"][0]
}

#[test]
fn an_open_month_is_accrued_as_expected_or_to_date() {
    let folder = Folder::new();
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_slice(&folder.run(arguments).stdout).unwrap()
    };
    let bill = json(&["bill", "--demo", "--month", "2026-11", "--format", "json"]);
    let to_date = dec(bill["total"].as_str().unwrap());
    let forecast = json(&["forecast", "--demo", "--format", "json"]);
    let month = &forecast["rows"][0];
    assert_eq!(month["month"], "2026-11");
    let expected = dec(month["p50"].as_str().unwrap());
    assert!(expected > to_date);
    assert_eq!(owed(&folder, &["--accrue", "to-date"]), to_date.round_dp(2));
    assert_eq!(owed(&folder, &[]), expected.round_dp(2));
    // Users are billed for the month from their first day on: they grow no more, and are accrued at
    // what the forecast says of them, to the cent that balances the entry.
    let file = folder.path("accrual.csv");
    let mut reader = csv::Reader::from_path(&file).unwrap();
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let users: Decimal = reader
        .records()
        .map(|row| row.unwrap())
        .filter(|row| &row[at("entry_kind")] == "accrual")
        .filter(|row| row[at("gl_account")].ends_with("CodeCommit"))
        .map(|row| dec(&row[at("debit")]))
        .sum();
    assert_eq!(users, dec("32.00"));
    // A month that is over has nothing to expect.
    let over = ["--demo", "--month", "2026-10", "--format", "journal"];
    let one = read(&folder.report(&over, "over.csv"));
    let other = [&over[..], &["--accrue", "to-date"]].concat();
    assert_eq!(one, read(&folder.report(&other, "over2.csv")));
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
