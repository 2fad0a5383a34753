//! Folders that AWS delivers exports to: what counts, what is left out, what is read again; and
//! files that are damaged or mean harm.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, SystemTime},
};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use crate::support::root;

pub(crate) const HEADER: &str = "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_start_date,\
    line_item_line_item_type,line_item_product_code,line_item_usage_type,line_item_usage_amount,\
    line_item_unblended_cost,line_item_currency_code\n";

/// A month with one row of this cost.
pub(crate) fn month(month: &str, cost: &str) -> String {
    format!(
        "{HEADER}999988887777,{month}-01T00:00:00Z,{month}-05T01:00:00Z,Usage,CodeBuild,\
         EUW2-Build-Min:Linux:g1.small,10,{cost},USD\n"
    )
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        fs::write(&path, content).expect("it is written");
        path
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipebill"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("COLUMNS", "300")
            .env("HOME", self.directory.path())
            .env("PIPEBILL_LEDGER", self.path("ledger/l.sqlite"))
            .env("PIPEBILL_AS_OF", "2026-11-22");
        command
    }

    /// Imports, and returns what was said; it must end with this code.
    pub(crate) fn import(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(&[&["import"], arguments].concat());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        said
    }

    pub(crate) fn refuses(&self, arguments: &[&str]) -> String {
        let said = self.import(arguments, 1);
        assert!(!self.path("ledger/l.sqlite").exists(), "{said}");
        said
    }
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn the_newest_complete_delivery_of_each_month_counts() {
    let place = Place::new();
    let data = |month: &str, run: &str, name: &str| {
        format!("cur/data/BILLING_PERIOD={month}/{run}/x-{name}.csv")
    };
    let manifest = |run: &str, files: &[&str]| {
        let files: Vec<String> = files
            .iter()
            .map(|name| format!("\"s3://b/cur/data/BILLING_PERIOD=2026-10/{run}/x-{name}.csv\""))
            .collect();
        place.write(
            &format!("cur/metadata/BILLING_PERIOD=2026-10/{run}/x-Manifest.json"),
            format!("{{\"dataFiles\": [{}]}}", files.join(",")),
        )
    };
    let (first, second, third) = (
        "2026-11-01T00:00:00.000Z-a",
        "2026-11-02T00:00:00.000Z-b",
        "2026-11-03T00:00:00.000Z-c",
    );
    place.write(&data("2026-10", first, "00001"), month("2026-10", "1"));
    manifest(first, &["00001"]);
    place.write(&data("2026-10", second, "00001"), month("2026-10", "20"));
    place.write(&data("2026-10", second, "00002"), month("2026-10", "300"));
    // A leftover of a run that was repeated.
    place.write(&data("2026-10", second, "00003"), month("2026-10", "7"));
    manifest(second, &["00001", "00002"]);
    place.write(&data("2026-10", third, "00001"), month("2026-10", "9000"));
    let said = place.import(&["cur"], 0);
    assert!(said.contains("$320.00"), "{said}");
    assert!(
        said.contains(&format!("{third} is ignored: it is still being written")),
        "{said}"
    );
    assert!(
        said.contains(&format!("{first} is ignored: a newer delivery")),
        "{said}"
    );
    assert!(
        said.contains("x-00003.csv left out, its manifest does not list it"),
        "{said}"
    );
    // The third is done: it takes the place of the second.
    manifest(third, &["00001"]);
    let said = place.import(&["cur"], 0);
    assert!(said.contains("$9,000.00"), "{said}");
    // A manifest that promises more than there is.
    manifest(third, &["00001", "00002"]);
    let said = place.import(&["cur"], 1);
    assert!(
        said.contains("its manifest lists x-00002.csv, which is not there"),
        "{said}"
    );
}

#[test]
fn the_older_layouts_are_known_and_a_month_prunes_without_opening() {
    let place = Place::new();
    place.write("a/20260901-20261001/x-1.csv", month("2026-09", "1"));
    place.write("b/year=2026/month=9/x.csv", "not opened\n");
    place.write("b/year=2026/month=10/x.csv", month("2026-10", "2"));
    let said = place.import(&["a"], 0);
    assert!(said.contains("2026-09"), "{said}");
    let said = place.import(&["b", "--month", "2026-10"], 0);
    assert!(
        said.contains("$2.00") && !said.contains("month=9"),
        "{said}"
    );
    let said = place.import(&["b", "--month", "2026-08"], 1);
    assert!(said.contains("has no export of 2026-08"), "{said}");
    // Assemblies have no date: the manifest above says which one counts.
    place.write("c/20261001-20261101/bbb/x-1.csv", month("2026-10", "30"));
    place.write("c/20261001-20261101/aaa/x-1.csv", month("2026-10", "400"));
    let said = place.import(&["c"], 1);
    assert!(said.contains("which is newer is not stated"), "{said}");
    place.write(
        "c/20261001-20261101/x-Manifest.json",
        "{\"assemblyId\": \"aaa\", \"reportKeys\": [\"c/20261001-20261101/aaa/x-1.csv\"]}",
    );
    let said = place.import(&["c"], 0);
    assert!(said.contains("$400.00"), "{said}");
}

#[test]
fn of_24_months_one_is_opened() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use pipebill::exports::{
        Entry, Folder, ImportError, ImportOptions, Input, Store, Unwatched, import_store,
    };

    struct Counting(Folder, Arc<AtomicUsize>);
    impl Store for Counting {
        fn name(&self) -> String {
            self.0.name()
        }
        fn list(&self) -> Result<Vec<Entry>, ImportError> {
            self.0.list()
        }
        fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.read(entry)
        }
        fn input(&self, entry: &Entry) -> Result<Input, ImportError> {
            let (input, opened) = (self.0.input(entry)?, self.1.clone());
            let open = input.open;
            Ok(Input {
                open: Box::new(move || {
                    opened.fetch_add(1, Ordering::Relaxed);
                    open()
                }),
                ..input
            })
        }
    }
    let place = Place::new();
    let parquet = fs::read(root().join("tests/fixtures/import/cur2.snappy.parquet"));
    let parquet = parquet.expect("the fixture");
    for year in [2025, 2026] {
        for number in 1..=12 {
            let at = format!("{year}-{number:02}");
            place.write(
                &format!("csv/BILLING_PERIOD={at}/x-00001.csv"),
                month(&at, "1"),
            );
            place.write(
                &format!("parquet/BILLING_PERIOD={at}/x-00001.parquet"),
                &parquet,
            );
        }
    }
    for format in ["csv", "parquet"] {
        let opened = Arc::new(AtomicUsize::new(0));
        let store = Counting(Folder(place.path(format)), opened.clone());
        let options = ImportOptions {
            month: "2026-10".parse().ok(),
            ..ImportOptions::default()
        };
        let catalog = crate::support::catalog();
        let delivery = import_store(&store, &|_| false, None, catalog, &options, &Unwatched);
        let delivery = delivery.expect("it reads");
        assert_eq!(delivery.slices.len(), 1, "{format}");
        assert_eq!(opened.load(Ordering::Relaxed), 1, "{format}");
    }
}

#[test]
fn only_what_changed_is_read_again() {
    let place = Place::new();
    let ninth = place.write(
        "d/BILLING_PERIOD=2026-09/x-00001.csv",
        month("2026-09", "1"),
    );
    place.write(
        "d/BILLING_PERIOD=2026-10/x-00001.csv",
        month("2026-10", "2"),
    );
    let said = place.import(&["d"], 0);
    assert!(!said.contains("not read"), "{said}");
    let said = place.import(&["d"], 0);
    assert!(said.contains("2 files not read, nothing changed"), "{said}");
    fs::write(&ninth, month("2026-09", "5")).expect("it is written");
    let later = SystemTime::now() + Duration::from_secs(5);
    let file = OpenOptions::new()
        .write(true)
        .open(&ninth)
        .expect("it is there");
    file.set_modified(later).expect("it is set");
    let said = place.import(&["d"], 0);
    assert!(said.contains("1 file not read"), "{said}");
    assert!(
        said.contains("$5.00") && said.contains("replaced"),
        "{said}"
    );
    // Another import took the place of the month: the folder brings it back.
    place.write("other.csv", month("2026-10", "77"));
    place.import(&["other.csv"], 0);
    let said = place.import(&["d"], 0);
    assert!(said.contains("1 file not read"), "{said}");
    assert!(said.contains("$2.00"), "{said}");
}

#[test]
fn damaged_files_are_named_with_the_place_and_change_nothing() {
    let place = Place::new();
    let rows = month("2026-10", "1") + &month("2026-10", "1")[HEADER.len()..].repeat(5000);
    let whole = gzip(rows.as_bytes());
    place.write("cut.csv.gz", &whole[..whole.len() / 2]);
    let said = place.refuses(&["cut.csv.gz"]);
    let at = format!("cut.csv.gz ends at byte {}", whole.len() / 2);
    assert!(said.contains(&at), "{said}");
    let mut spoilt = whole.clone();
    for byte in &mut spoilt[whole.len() / 2..whole.len() / 2 + 40] {
        *byte ^= 0x5a;
    }
    place.write("spoilt.csv.gz", &spoilt);
    assert!(place.refuses(&["spoilt.csv.gz"]).contains("spoilt.csv.gz"));
    for name in ["zero.csv", "zero.csv.gz", "zero.parquet"] {
        place.write(name, "");
        assert!(place.refuses(&[name]).contains(&format!("{name} is empty")));
    }
    let parquet = fs::read(root().join("tests/fixtures/import/cur2.snappy.parquet"));
    let parquet = parquet.expect("the fixture");
    let length = parquet.len();
    place.write("cut.parquet", &parquet[..length - 100]);
    assert!(
        place
            .refuses(&["cut.parquet"])
            .contains("its footer cannot be read")
    );
    // The footer's own length lies.
    let mut lies = parquet.clone();
    lies[length - 8..length - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    place.write("lies.parquet", &lies);
    assert!(
        place
            .refuses(&["lies.parquet"])
            .contains("its footer cannot be read")
    );
    // The pages are gone, the footer is whole.
    let mut gone = parquet.clone();
    gone[4..2000].fill(0xee);
    place.write("gone.parquet", &gone);
    let said = place.refuses(&["gone.parquet"]);
    assert!(
        said.contains("gone.parquet is damaged: row group 1 at byte "),
        "{said}"
    );
    let other = root().join("tests/fixtures/import/focus-1.2.parquet");
    let mut other = fs::read(other).expect("the fixture");
    let name = b"BilledCost";
    while let Some(at) = other.windows(name.len()).position(|window| window == name) {
        other[at..at + name.len()].copy_from_slice(b"BilledCoat");
    }
    place.write("schema.parquet", &other);
    let said = place.refuses(&["schema.parquet"]);
    assert!(
        said.contains("looks like FOCUS but has no column billedcost"),
        "{said}"
    );
}

#[test]
fn bad_rows_stop_the_import_or_are_kept_aside_and_the_month_is_partial() {
    let place = Place::new();
    let bad = "999988887777,2026-10-01T00:00:00Z,2026-10-05T01:00:00Z,Usage,CodeBuild,\
               EUW2-Build-Min:Linux:g1.small,\"1,5\",0.1,USD\n";
    place.write("x.csv", month("2026-10", "3") + bad);
    let said = place.refuses(&["x.csv"]);
    assert!(
        said.contains("x.csv, line 3, column line_item_usage_amount"),
        "{said}"
    );
    let said = place.import(&["x.csv", "--skip-bad-rows"], 0);
    let name = said
        .split("Unreadable rows saved to ")
        .nth(1)
        .and_then(|rest| rest.split(".csv").next())
        .unwrap_or_else(|| panic!("{said}"));
    let kept = fs::read_to_string(format!("{name}.csv")).expect("the path that was printed");
    assert!(
        kept.contains("line 3, column line_item_usage_amount"),
        "{kept}"
    );
    assert!(kept.contains("g1.small,\"\"1,5\"\",0.1,USD"), "{kept}");
    let bill = said_of(&place, &["bill", "--month", "2026-10"]);
    assert!(bill.contains("partial"), "{bill}");
    assert!(
        bill.contains("1 row of Cost and Usage Report 2.0"),
        "{bill}"
    );
    let usage = said_of(&place, &["usage", "--month", "2026-10"]);
    assert!(
        usage.contains("Missing: 1 row of Cost and Usage Report 2.0"),
        "{usage}"
    );
    for command in ["bill", "usage"] {
        let strict = place.run(&[command, "--month", "2026-10", "--strict"]);
        assert_eq!(strict.status.code(), Some(4), "{command}");
    }
}

#[test]
fn a_row_group_that_cannot_be_read_stops_the_import_or_is_counted() {
    let place = Place::new();
    let path = root().join("tests/fixtures/import/cur2-v2.gz.parquet");
    let mut bytes = fs::read(path).expect("the fixture");
    // Inside of the first row group.
    bytes[6000..6400].fill(0xee);
    place.write("x.parquet", &bytes);
    let said = place.refuses(&["x.parquet"]);
    assert!(
        said.contains("x.parquet is damaged: row group 1 at byte "),
        "{said}"
    );
    let said = place.import(&["x.parquet", "--skip-bad-rows"], 0);
    assert!(said.contains("x.parquet: 7 rows skipped"), "{said}");
    assert!(said.contains("Unreadable rows saved to "), "{said}");
}

fn said_of(place: &Place, arguments: &[&str]) -> String {
    said(&place.run(arguments))
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_is_noticed() {
    use std::cell::Cell;

    use pipebill::exports::{ImportError, ImportOptions, Watch, import_files};

    struct Writer(PathBuf, Cell<bool>, u64);
    impl Watch for Writer {
        fn progress(&self, _: &Path, _: u64, _: Option<u64>, _: u64) {
            if !self.1.replace(true) {
                let file = OpenOptions::new().write(true).open(&self.0);
                let file = file.expect("it is there");
                file.set_len(self.2).expect("it is longer or shorter");
            }
        }
        fn cancelled(&self) -> bool {
            false
        }
    }
    for length in [10, 100_000] {
        let place = Place::new();
        let path = place.write("x.csv", month("2026-10", "3"));
        let watch = Writer(path.clone(), Cell::new(false), length);
        let options = ImportOptions::default();
        let error = import_files(&[path], crate::support::catalog(), &options, &watch);
        assert!(
            matches!(error, Err(ImportError::Changed { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn a_table_whose_pages_are_gone_while_it_is_read_has_changed() {
    use pipebill::exports::{
        Entry, Folder, ImportError, ImportOptions, Input, ReadAt, Store, import_store,
    };

    struct Gone(Box<dyn ReadAt>);
    impl ReadAt for Gone {
        fn read_at(&self, offset: u64, length: usize) -> std::io::Result<bytes::Bytes> {
            match offset {
                ..1000 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                _ => self.0.read_at(offset, length),
            }
        }
        fn has_changed(&self) -> bool {
            true
        }
    }
    struct Going(Folder);
    impl Store for Going {
        fn name(&self) -> String {
            self.0.name()
        }
        fn list(&self) -> Result<Vec<Entry>, ImportError> {
            self.0.list()
        }
        fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError> {
            self.0.read(entry)
        }
        fn input(&self, entry: &Entry) -> Result<Input, ImportError> {
            let input = self.0.input(entry)?;
            let open = input.open;
            Ok(Input {
                open: Box::new(move || Ok(Box::new(Gone(open()?)))),
                ..input
            })
        }
    }
    let place = Place::new();
    let bytes = fs::read(root().join("tests/fixtures/import/cur2.snappy.parquet"));
    place.write("x/x.parquet", bytes.expect("the fixture"));
    let (store, options) = (Going(Folder(place.path("x"))), ImportOptions::default());
    let catalog = crate::support::catalog();
    let error = import_store(
        &store,
        &|_| false,
        None,
        catalog,
        &options,
        &pipebill::exports::Unwatched,
    );
    assert!(
        matches!(error, Err(ImportError::Changed { .. })),
        "{error:?}"
    );
}
