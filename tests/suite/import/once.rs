//! The same money counts once, however often it is told.

use std::fs;

use pipebill::exports::{ImportError, ImportOptions};
use tempfile::TempDir;

use super::{BUILD, build_of, cost, cur2, fixture, gzip, import, import_bytes, write};

#[test]
fn only_the_newest_delivery_of_a_month_counts() {
    let directory = TempDir::new().unwrap();
    let month = directory.path().join("x/data/BILLING_PERIOD=2026-10");
    let file = |delivery: &str, text: String| {
        write(
            month.join(delivery).join("x-00001.csv.gz"),
            gzip(text.as_bytes()),
        )
    };
    let old = file("2026-11-01T00:00:00.000Z-9f", cur2(&[BUILD]));
    let new = file(
        "2026-11-02T00:00:00.000Z-1a",
        cur2(&[build_of("20", "0.1")]),
    );
    let delivery = import(&[new, old]).unwrap();
    assert_eq!(cost(&delivery), "0.1");
    assert_eq!(delivery.files.len(), 1);
    assert_eq!(delivery.notes.len(), 1);
    assert!(delivery.notes[0].contains("2026-11-01T00:00:00.000Z-9f"));
}

#[test]
fn the_manifest_says_which_legacy_delivery_counts() {
    let directory = TempDir::new().unwrap();
    let month = directory.path().join("x/20261001-20261101");
    let text = fs::read_to_string(fixture("legacy-cur.csv")).unwrap();
    let paths = ["aaaa", "bbbb"].map(|id| {
        write(
            month.join(id).join("x-1.csv"),
            format!("{text}\n{}", if id == "aaaa" { "" } else { "\n" }),
        )
    });
    let error = import(&paths).unwrap_err();
    assert!(
        matches!(error, ImportError::AmbiguousDelivery { .. }),
        "{error}"
    );
    write(month.join("x-Manifest.json"), r#"{"assemblyId": "aaaa"}"#);
    let delivery = import(&paths).unwrap();
    assert_eq!(delivery.files[0].path, paths[0]);
    assert_eq!(delivery.files.len(), 1);
}

#[test]
fn a_file_given_twice_counts_once() {
    let directory = TempDir::new().unwrap();
    let a = write(directory.path().join("a/x.csv"), cur2(&[BUILD]));
    let copy = write(directory.path().join("b/x.csv"), cur2(&[BUILD]));
    let delivery = import(&[a.clone(), a, copy]).unwrap();
    assert_eq!(cost(&delivery), "0.05");
    assert_eq!(delivery.notes.len(), 2);
}

#[test]
fn two_exports_of_one_payer_and_month_are_refused() {
    let directory = TempDir::new().unwrap();
    let a = write(directory.path().join("a-00001.csv"), cur2(&[BUILD]));
    let b = write(directory.path().join("b-00002.csv"), cur2(&[BUILD]));
    let error = import(&[a, b]).unwrap_err();
    assert!(matches!(error, ImportError::SameCharges { .. }), "{error}");
}

#[test]
fn two_listings_of_one_day_are_refused_and_pages_are_added() {
    let directory = TempDir::new().unwrap();
    let header = "date,service,usage_type,usage_amount,unit,unblended_cost,currency\n";
    let row = |usage_type: &str| format!("2026-10-01,CodeBuild,{usage_type},1,Minutes,1,USD\n");
    let file = |name: &str, usage_type| {
        write(
            directory.path().join(name),
            format!("{header}{}", row(usage_type)),
        )
    };
    let small = file("a.csv", "Build-Min:Linux:g1.small");
    let large = file("b.csv", "Build-Min:Linux:g1.large");
    let again = file("c.csv", "Build-Min:Linux:g1.small");
    assert_eq!(cost(&import(&[small.clone(), large]).unwrap()), "2");
    let error = import(&[small, again]).unwrap_err();
    assert!(matches!(error, ImportError::SameCharges { .. }), "{error}");
}

#[test]
fn a_month_whose_rows_were_all_skipped_replaces_nothing() {
    let options = ImportOptions {
        skip_bad_rows: true,
        ..ImportOptions::default()
    };
    let delivery = import_bytes("x.csv", cur2(&[build_of("ten", "0.05")]), &options).unwrap();
    assert_eq!(delivery.slices, []);
}
