//! Hostile names are harmless in every format.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use pipebill::report::formats::{FORMATS, Format};
use serde_json::Value;

use super::{Folder, read_by, reader, said};
use crate::support::skipped;

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

#[test]
fn what_is_no_text_is_kept_from_a_terminal() {
    // util-linux's `script` gives the program a terminal.
    let Ok(found) = Command::new("script").arg("--version").output() else {
        skipped("no script(1)");
        return;
    };
    assert!(found.status.success());
    let program = cargo_bin("pipebill");
    for (format, says) in [
        ("xlsx", "error: refusing to write xlsx to a terminal"),
        (
            "focus-parquet",
            "error: refusing to write focus-parquet to a terminal",
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
