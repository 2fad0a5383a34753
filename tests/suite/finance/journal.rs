//! Journals: read by hledger and beancount, posted where a mapping says, accrued and reversed.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Folder, read_by, reader, said, sum_of};
use crate::support::{dec, read};

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
    assert!(balance.contains("\"-477.60 USD\""), "{balance}");
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
    assert_eq!(found["sums"]["Liabilities:AWS"], "-477.60");
    let checked = reader("bean-check")
        .unwrap()
        .arg(&journal)
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
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
        assert_eq!(sum_of(&file, debit), dec("477.60"), "{format}");
        assert_eq!(sum_of(&file, credit), dec("477.60"), "{format}");
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
    // Everything but builds has no rule: 477.59893 - 348.98893.
    let output = folder.run(&[&["report", "--out", "again.csv"], &arguments[..]].concat());
    assert!(
        said(&output).contains("128.61 USD, match no rule and are posted to 9999"),
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
