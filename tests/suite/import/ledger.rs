//! What an import does to the ledger: replace, whole or not at all.

use std::{cell::Cell, io::Cursor, path::Path};

use pipebill::{
    exports::{ImportError, ImportOptions, Watch, import_reader},
    ledger::{Ledger, LedgerError},
};
use tempfile::TempDir;

use super::{
    BUILD, build_of, catalog, cur2, gzip, import, import_fixture, import_text, ledger_cost, month,
    write,
};

#[test]
fn the_parts_of_a_bill_take_the_place_of_the_bill_in_one_file() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_text("all.csv", cur2(&[BUILD])).unwrap().slices)
        .unwrap();
    let part = import_text("x-00002.csv", cur2(&[build_of("1", "0.01")])).unwrap();
    ledger.replace(&part.slices).unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.01");
}

#[test]
fn a_day_stated_as_empty_replaces_what_was_known_of_it() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-service-daily.csv").slices)
        .unwrap();
    let text = "\"Service\",\"CodeBuild($)\"\n\"2026-10-02\",\"\"\n";
    ledger
        .replace(&import_text("later.csv", text).unwrap().slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "3.25");
}

#[test]
fn the_parts_of_a_bill_add_up_however_they_are_given() {
    let directory = TempDir::new().unwrap();
    let part = |number: u32, cost| {
        write(
            directory.path().join(format!("x-0000{number}.csv")),
            cur2(&[build_of("1", cost)]),
        )
    };
    let parts = [part(1, "0.1"), part(2, "0.02"), part(3, "0.003")];
    let mut at_once = Ledger::in_memory().unwrap();
    at_once.replace(&import(&parts).unwrap().slices).unwrap();
    assert_eq!(ledger_cost(&at_once, "2026-10"), "0.123");
    let mut one_by_one = Ledger::in_memory().unwrap();
    for _ in 0..2 {
        for part in &parts {
            one_by_one
                .replace(&import(std::slice::from_ref(part)).unwrap().slices)
                .unwrap();
        }
        assert_eq!(ledger_cost(&one_by_one, "2026-10"), "0.123");
    }
    assert_eq!(
        at_once.records(month("2026-10")).unwrap(),
        one_by_one.records(month("2026-10")).unwrap()
    );
}

#[test]
fn importing_the_same_again_changes_nothing() {
    let mut ledger = Ledger::in_memory().unwrap();
    let delivery = import_fixture("cur2.csv");
    let first = ledger.replace(&delivery.slices).unwrap();
    assert!(!first[0].unchanged);
    assert_eq!(first[0].rows_before, 0);
    let again = ledger.replace(&delivery.slices).unwrap();
    assert!(again[0].unchanged);
    assert_eq!(again[0].rows_before, again[0].rows_after);
    assert_eq!(again[0].cost_before, again[0].cost_after);
    let stored = ledger.records(month("2026-10")).unwrap();
    assert_eq!(stored, delivery.slices[0].records);
}

#[test]
fn a_corrected_bill_takes_the_place_of_the_old_one() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_text("x.csv", cur2(&[BUILD])).unwrap().slices)
        .unwrap();
    let corrected = import_text("x.csv", cur2(&[build_of("8", "0.04")])).unwrap();
    let replaced = ledger.replace(&corrected.slices).unwrap();
    assert_eq!(replaced[0].cost_before.to_string(), "0.05");
    assert_eq!(replaced[0].cost_after.to_string(), "0.04");
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.04");
}

#[test]
fn sums_of_part_of_a_month_replace_their_days_only() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-service-daily.csv").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "5.75");
    let later = "\"Service\",\"CodeBuild($)\"\n\"2026-10-02\",\"3\"\n\"2026-10-04\",\"4\"\n";
    let replaced = ledger
        .replace(&import_text("later.csv", later).unwrap().slices)
        .unwrap();
    assert_eq!((replaced[0].rows_before, replaced[0].rows_after), (1, 2));
    assert_eq!(ledger_cost(&ledger, "2026-10"), "10.25");
    let outside = ledger.outside(month("2026-10")).unwrap();
    assert_eq!(outside[0].cost.to_string(), "50");
    let monthly = "\"Service\",\"CodeBuild($)\"\n\"2026-09-01\",\"2\"\n\"2026-10-01\",\"20\"\n";
    ledger
        .replace(&import_text("months.csv", monthly).unwrap().slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "20");
}

#[test]
fn a_bill_takes_precedence_over_sums_of_the_same_month() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-service-daily.csv").slices)
        .unwrap();
    ledger
        .replace(&import_fixture("focus-1.2.csv").slices)
        .unwrap();
    ledger
        .replace(&import_text("x.csv", cur2(&[BUILD])).unwrap().slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.05");
    let sources = ledger.sources(month("2026-10")).unwrap();
    let used: Vec<_> = sources
        .iter()
        .map(|s| (s.kind.name(), s.is_whole_month(), s.used))
        .collect();
    assert_eq!(
        used,
        [
            ("cur2", true, true),
            ("focus", true, false),
            ("ce-csv", false, false)
        ]
    );
    // Another payer's bill is other money.
    ledger
        .replace(&import_fixture("legacy-cur.csv").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.122");
}

#[test]
fn a_whole_month_takes_precedence_over_a_part_of_it() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger
        .replace(&import_fixture("ce-pages.json").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "1.1596");
    ledger
        .replace(&import_fixture("ce-usage-type-monthly.csv").slices)
        .unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "10");
}

#[test]
fn stopping_leaves_the_ledger_as_it_was() {
    struct Impatient(Cell<u32>);
    impl Watch for Impatient {
        fn progress(&self, _: &Path, _: u64, total: Option<u64>, _: u64) {
            assert!(total.is_some());
            self.0.set(self.0.get() + 1);
        }
        fn cancelled(&self) -> bool {
            self.0.get() > 2
        }
    }
    let rows: Vec<_> = (0..20_000).map(|_| BUILD).collect();
    for text in [cur2(&rows).into_bytes(), gzip(cur2(&rows).as_bytes())] {
        let options = ImportOptions::default();
        let watch = Impatient(Cell::new(0));
        let result = import_reader("x.csv", Cursor::new(text), &catalog(), &options, &watch);
        assert!(matches!(result, Err(ImportError::Cancelled)));
        assert_eq!(watch.0.get(), 3);
    }
}

#[test]
fn a_ledger_that_another_process_writes_to_is_locked() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("deep/ledger.sqlite");
    let mut ledger = Ledger::open(&path).unwrap();
    let delivery = import_text("x.csv", cur2(&[BUILD])).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = ledger.replace(&delivery.slices).unwrap_err();
    assert!(matches!(error, LedgerError::Locked { .. }), "{error:?}");
    other.execute_batch("ROLLBACK").unwrap();
    ledger.replace(&delivery.slices).unwrap();
    drop(ledger);
    let ledger = Ledger::open_existing(&path).unwrap();
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.05");
}

#[test]
fn what_is_no_ledger_is_not_written_into() {
    let directory = TempDir::new().unwrap();
    let none = directory.path().join("none.sqlite");
    assert!(matches!(
        Ledger::open_existing(&none),
        Err(LedgerError::NoLedger { .. })
    ));
    assert!(!none.exists());
    let text = write(
        directory.path().join("notes.txt"),
        "not a database, but long enough to be read as one\n".repeat(40),
    );
    assert!(matches!(
        Ledger::open(&text),
        Err(LedgerError::NotALedger { .. })
    ));
    let foreign = directory.path().join("foreign.sqlite");
    let other = rusqlite::Connection::open(&foreign).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(
        Ledger::open(&foreign),
        Err(LedgerError::NotALedger { .. })
    ));
    let newer = directory.path().join("newer.sqlite");
    drop(Ledger::open(&newer).unwrap());
    let other = rusqlite::Connection::open(&newer).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(
        Ledger::open(&newer),
        Err(LedgerError::NewerSchema { found: 99, .. })
    ));
}

#[test]
fn a_failure_in_the_middle_of_an_import_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("ledger.sqlite");
    let mut ledger = Ledger::open(&path).unwrap();
    let first = import_text("x.csv", cur2(&[BUILD])).unwrap();
    ledger.replace(&first.slices).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER stop BEFORE INSERT ON slice WHEN NEW.source = '000000001234'
             BEGIN SELECT RAISE(ABORT, 'stopped'); END",
        )
        .unwrap();
    let mut slices = import_text("x.csv", cur2(&[build_of("1", "9")]))
        .unwrap()
        .slices;
    slices.extend(import_fixture("legacy-cur.csv").slices);
    assert!(ledger.replace(&slices).is_err());
    assert_eq!(ledger_cost(&ledger, "2026-10"), "0.05");
}
