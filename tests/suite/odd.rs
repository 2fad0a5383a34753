//! Ledgers that are hardly there: a day of a month, corrections below zero; quantities without halves.

use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;

use crate::{
    scenario::{change, recorded},
    support::{catalog, dec},
};

fn pipebill(folder: &std::path::Path, args: &[&str]) -> Output {
    Command::new(cargo_bin("pipebill"))
        .current_dir(folder)
        .args(["--ledger", "x.db", "--as-of", "2026-09-15"])
        .args(args)
        .output()
        .unwrap()
}

fn imported(minutes: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let header = "date,service,usage_type,usage_amount,unit,unblended_cost,currency";
    let row = format!("2026-08-24,CodeBuild,USE1-Build-Min:Linux:g1.small,{minutes},Minutes,0,USD");
    std::fs::write(folder.path().join("x.csv"), format!("{header}\n{row}\n")).unwrap();
    let output = pipebill(folder.path(), &["import", "x.csv"]);
    assert!(output.status.success(), "{output:?}");
    folder
}

fn answer(folder: &std::path::Path, args: &[&str]) -> String {
    String::from_utf8(pipebill(folder, args).stdout).unwrap()
}

/// `bill` says which days are missing; so does everything that rests on the same month.
#[test]
fn days_that_are_missing_are_named_by_each_command() {
    let folder = imported(500);
    let json = ["--format", "json"];
    let gap = "usage of 2026-08-01 to 2026-08-23";
    for command in [
        vec!["bill", "--month", "2026-08"],
        vec!["whatif", "--month", "2026-08", "--set", "builds*=2"],
        vec!["optimize", "--month", "2026-08"],
    ] {
        let text = answer(folder.path(), &[&command[..], &json].concat());
        assert!(text.contains(gap), "{command:?}: {text}");
    }
    std::fs::write(folder.path().join("s.toml"), "active_users = 1\n").unwrap();
    for way in [["--against", "bill"], ["--scenario", "s.toml"]] {
        let check = [
            &["check", "--budget", "9", "--month", "2026-08"][..],
            &way,
            &json,
        ]
        .concat();
        let text = answer(folder.path(), &check);
        assert!(text.contains("\"complete\": false"), "{way:?}: {text}");
    }
}

#[test]
fn corrections_leave_no_more_free_than_there_is() {
    let folder = imported(-400);
    let text = answer(
        folder.path(),
        &["optimize", "--month", "2026-08", "--explain"],
    );
    assert!(text.contains("100 min of 100 free build minutes"), "{text}");
}

#[test]
fn a_range_without_whole_numbers_is_refused() {
    let folder = imported(500);
    let turn = [
        "--set",
        "active_users=+1",
        "--breakeven",
        "active_users=0.2..0.8",
    ];
    let output = pipebill(folder.path(), &[&["whatif"][..], &turn].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("active_users must be a whole number"),
        "{text}"
    );
}

/// Each build of any length bills a minute.
#[test]
fn builds_shortened_beyond_measure_still_bill_a_minute() {
    use pipebill::domain::{plan::PricingTerms, price_book::BilledPrices, scenario::ScenarioRater};

    let workload = recorded(&[100, 700], 14);
    let terms = PricingTerms::default();
    let rater = ScenarioRater::new(&workload, catalog(), &terms, BilledPrices::default());
    for times in ["0.001", "0.000000001", "0.0000000001"] {
        let applied = rater.applied(&[&change(&format!("minutes*={times}"))]);
        let billed: Vec<_> = applied
            .pieces
            .iter()
            .map(|piece| piece.quantity.value)
            .collect();
        assert_eq!(
            billed.iter().sum::<rust_decimal::Decimal>(),
            dec("2"),
            "{times}"
        );
    }
}

/// What has no price is not expected to cost nothing.
#[test]
fn a_forecast_without_any_price_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let first = crate::support::day("2026-07-01");
    let rows: String = first
        .iter_days()
        .take(70)
        .map(|day| format!("{day},CodeBuild,Build-Min:Quantum:q1,10,Minutes,0,USD\n"))
        .collect();
    let header = "date,service,usage_type,usage_amount,unit,unblended_cost,currency";
    std::fs::write(folder.path().join("x.csv"), format!("{header}\n{rows}")).unwrap();
    assert!(
        pipebill(folder.path(), &["import", "x.csv"])
            .status
            .success()
    );
    for by in [&[][..], &["--by", "service"]] {
        let text = answer(
            folder.path(),
            &[&["forecast", "--months", "2"], by].concat(),
        );
        assert!(
            text.contains("USD unknown") && !text.contains('$'),
            "{text}"
        );
    }
    let html = ["report", "--format", "html", "--out", "x.html"];
    assert!(pipebill(folder.path(), &html).status.success());
    let page = std::fs::read_to_string(folder.path().join("x.html")).unwrap();
    assert!(page.contains("The forecast of") && !page.contains("is forecast at $"));
}

/// AWS's newest list of CodeCommit is of 2024: whatever rests on it says so, and how to refresh it.
#[test]
fn prices_older_than_a_year_are_said_by_whatever_rests_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let header = "date,service,usage_type,usage_amount,unit,unblended_cost,currency";
    let row = "2026-08-01,AWSCodeCommit,User-Month,10,Users,5,USD";
    std::fs::write(folder.path().join("x.csv"), format!("{header}\n{row}\n")).unwrap();
    pipebill(folder.path(), &["import", "x.csv"]);
    let month = ["--month", "2026-08"];
    for command in [
        [&["bill"][..], &month].concat(),
        [&["report", "--format", "csv"][..], &month].concat(),
        [&["whatif", "--set", "active_users=+1"][..], &month].concat(),
        vec!["forecast"],
    ] {
        let output = pipebill(folder.path(), &command);
        let said = String::from_utf8(output.stderr).unwrap();
        let hint = ". Refresh: `pipebill prices update`.";
        assert!(said.contains(hint), "{command:?}: {said}");
    }
}
