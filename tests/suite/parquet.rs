//! Parquet exports: the same answer as their CSV twins, whoever wrote them and in what encodings.
//!
//! The fixtures are written by pyarrow, `DuckDB` and Polars (`tests/fixtures/import/parquet.py`).

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use pipebill::{
    domain::{
        export::{ExportKind, OtherServices},
        ids::ServiceCode,
        import::Delivery,
        usage::UsageRecord,
    },
    exports::{ImportError, ImportOptions, Unwatched, import_files},
};
use tempfile::TempDir;

use crate::support::{catalog, root};

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/import").join(name)
}

fn import(path: &Path, included: &[&str]) -> Result<Delivery, ImportError> {
    let options = ImportOptions {
        include_services: included.iter().copied().map(ServiceCode::new).collect(),
        ..ImportOptions::default()
    };
    import_files(&[path.to_owned()], catalog(), &options, &Unwatched)
}

/// What a delivery says, without the file that says it.
fn said(delivery: &Delivery) -> (Vec<UsageRecord>, Vec<OtherServices>) {
    let mut records = Vec::new();
    for slice in &delivery.slices {
        let all = slice.records.iter().chain(&slice.storage);
        records.extend(all.cloned().map(|mut record| {
            record.origin = "".into();
            record
        }));
    }
    let outside = delivery
        .slices
        .iter()
        .flat_map(|slice| &slice.other_services);
    (records, outside.cloned().collect())
}

#[test]
fn every_writer_and_encoding_says_what_the_csv_says() {
    for (parquet, csv, kind) in [
        ("cur2.snappy.parquet", "cur2.csv", ExportKind::Cur2),
        ("cur2-v2.gz.parquet", "cur2.csv", ExportKind::Cur2),
        ("cur2-entries.zstd.parquet", "cur2.csv", ExportKind::Cur2),
        ("cur2-wide.lz4.parquet", "cur2.csv", ExportKind::Cur2),
        ("focus-1.2.parquet", "focus-1.2.csv", ExportKind::Focus),
        ("focus-1.0.parquet", "focus-1.0.csv", ExportKind::Focus),
    ] {
        let included = ["AWS Lambda", "AmazonEC2"];
        let (from_parquet, from_csv) = (
            import(&fixture(parquet), &included).unwrap_or_else(|error| panic!("{error}")),
            import(&fixture(csv), &included).unwrap_or_else(|error| panic!("{error}")),
        );
        assert_eq!(from_parquet.files[0].kind, kind, "{parquet}");
        assert_eq!(from_parquet.files[0].rows_read, from_csv.files[0].rows_read);
        assert_eq!(from_parquet.files[0].rows_kept, from_csv.files[0].rows_kept);
        assert!(from_csv.files[0].rows_kept > 0, "{csv}");
        let (mut expected, outside) = said(&from_csv);
        if parquet == "focus-1.0.parquet" {
            // Polars writes no maps: the twin has no tags.
            for record in &mut expected {
                record.tags = Arc::default();
            }
        }
        let found = said(&from_parquet);
        assert_eq!(found.0, expected, "{parquet}");
        assert_eq!(found.1, outside, "{parquet}");
    }
}

#[test]
fn the_older_report_is_known_by_the_names_that_athena_gives_it() {
    let parquet = import(&fixture("legacy-cur.parquet"), &[]).expect("it reads");
    let csv = import(&fixture("legacy-cur.csv"), &[]).expect("it reads");
    assert_eq!(parquet.files[0].kind, ExportKind::LegacyCur);
    let (mut found, outside) = said(&parquet);
    let (mut expected, outside_expected) = said(&csv);
    // Athena writes names in lower case, so the tag `Team` is `team` there.
    let tags: Vec<_> = found[0].tags.iter().collect();
    assert_eq!(
        format!("{tags:?}"),
        r#"[("cost_category/unit", "Platform"), ("team", "web")]"#
    );
    for record in found.iter_mut().chain(&mut expected) {
        record.tags = Arc::default();
    }
    assert_eq!(found, expected);
    assert_eq!(outside, outside_expected);
}

#[test]
fn no_byte_of_a_file_can_be_changed_into_a_panic_or_a_hang() {
    let directory = TempDir::new().expect("a directory");
    for name in [
        "cur2.snappy.parquet",
        "cur2-v2.gz.parquet",
        "cur2-entries.zstd.parquet",
        "cur2-wide.lz4.parquet",
    ] {
        let whole = fs::read(fixture(name)).expect("the fixture");
        let path = directory.path().join(name);
        let (mut refused, mut read) = (0, 0);
        let changes = [0xff, 0x01, 0x80].into_iter().cycle();
        for (at, change) in (0..whole.len()).step_by(whole.len() / 300).zip(changes) {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            fs::write(&path, &bytes).expect("it is written");
            match import(&path, &[]) {
                Ok(_) => read += 1,
                Err(error) => {
                    assert!(error.to_string().contains(name), "{at}: {error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 20, "{name}: {refused} refused, {read} read");
        for length in (0..whole.len()).step_by(whole.len() / 40) {
            fs::write(&path, &whole[..length]).expect("it is written");
            let error = import(&path, &[]).expect_err("a part is no whole");
            assert!(error.to_string().contains(name), "{length}: {error}");
        }
    }
}
