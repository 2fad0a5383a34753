//! Other currencies: converted at a stated rate, or billed in.

use pipebill::report::formats::FORMATS;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{Folder, OCTOBER, read_by, said, sum_of};
use crate::support::{dec, read, root};

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
    // 477.59893 x 0.92
    assert_eq!(sum_of(&lines, "converted_cost"), dec("439.3910156"));
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
        &[&euro[..], &["--format", "html", "--months", "1"]].concat(),
        "p.html",
    );
    let page = read(&page);
    assert!(page.contains("Billed in USD; amounts in text and charts are in USD."));
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
                !rest[..end].contains('$') || rest.starts_with(">−") || rest.starts_with(">+"),
                "{amount}: {}",
                &rest[..end]
            );
        }
    }
    assert!(pairs > 80, "{pairs} amounts");
    let focus = folder.report(&[&euro[..], &["--format", "focus"]].concat(), "focus.csv");
    assert_eq!(sum_of(&focus, "BilledCost"), dec(OCTOBER));
    assert_eq!(sum_of(&focus, "x_ConvertedCost"), dec("439.3910156"));
    let journal = folder.report(
        &[&euro[..], &["--format", "journal"]].concat(),
        "journal.csv",
    );
    assert_eq!(sum_of(&journal, "debit"), dec("439.39"));
    assert!(
        read(&journal).contains(",120.82,,EUR,131.32,USD,0.92,2026-10-31,ECB,"),
        "{}",
        read(&journal)
    );
    for (format, amount) in [
        ("markdown", "EUR 439.39"),
        ("openmetrics", "439.3910156"),
        ("hledger", "120.82 EUR"),
    ] {
        let file = folder.report(&[&euro[..], &["--format", format]].concat(), format);
        assert!(read(&file).contains(amount), "{format}");
    }
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
