//! What an import has read of a place far away before it is done: each file that it finished, in a
//! small database of its own beside the ledger. Nothing of it counts. After an interruption it need
//! not be fetched again, and once the import is in the ledger it goes.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Ledger, LedgerError, SqlResult, count, decode, exact, read::records, standing};
use crate::domain::{
    export::{BadRow, ExportKind, FileRead, ImportedPeriod, OtherServices},
    ids::Currency,
    money::Money,
    usage::ChargeKind,
};

/// The finished files of one place.
#[derive(Debug)]
pub struct ImportCheckpoint {
    folder: PathBuf,
    place: String,
}

/// Why a file is not kept or not found: it is read again then.
type Lost = Box<dyn std::error::Error>;

impl ImportCheckpoint {
    /// Names the finished files of a place, beside a ledger.
    pub fn new(ledger: &Path, place: &str) -> Self {
        let mut folder = ledger.as_os_str().to_owned();
        folder.push(".unfinished");
        let digest = Sha256::digest(place);
        Self {
            folder: folder.into(),
            place: digest[..8].iter().map(|b| format!("{b:02x}")).collect(),
        }
    }

    /// Names what is kept of one text of a file.
    fn path(&self, mark: &str, text: usize) -> PathBuf {
        self.folder.join(format!("{}-{mark}-{text}", self.place))
    }

    /// Returns what the texts of a file gave, if it was finished.
    pub fn get(&self, mark: &str) -> Option<Vec<FileRead>> {
        let (_, texts) = self.read(mark, 0).ok()?;
        let texts = (0..texts).map(|at| Some(self.read(mark, at).ok()?.0));
        texts.collect()
    }

    /// Keeps what the texts of a file gave. A file of which one cannot be kept is read again.
    pub fn keep(&self, mark: &str, texts: &[FileRead]) {
        // There is no place for jobs: their file is small, and read again.
        if texts.iter().any(|read| !read.jobs.is_empty()) {
            return;
        }
        for at in 0..texts.len() {
            drop(self.write(mark, at, texts));
        }
    }

    /// Removes them: the import is in the ledger. What cannot be removed does no harm.
    pub fn clear(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(&self.place) {
                drop(fs::remove_file(entry.path()));
            }
        }
        // It stays if other places have something in it.
        drop(fs::remove_dir(&self.folder));
    }

    /// Keeps one of so many texts of a file.
    fn write(&self, mark: &str, at: usize, texts: &[FileRead]) -> Result<(), Lost> {
        let read = &texts[at];
        fs::create_dir_all(&self.folder)?;
        let draft = tempfile::Builder::new()
            .prefix(&format!("{}-draft", self.place))
            .tempfile_in(&self.folder)?
            .into_temp_path();
        let mut ledger = Ledger::open(&draft)?;
        // A draft has nothing to lose, and is on the disk before it has its name.
        let settings = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;";
        ledger.connection.execute_batch(settings)?;
        ledger.replace(&read.slices)?;
        ledger
            .connection
            .execute_batch("CREATE TABLE file (summary TEXT NOT NULL) STRICT")?;
        ledger
            .connection
            .execute("INSERT INTO file VALUES (?1)", [summary(read, texts.len())])?;
        drop(ledger);
        File::open(&draft)?.sync_all()?;
        draft.persist(self.path(mark, at))?;
        Ok(())
    }

    /// Returns a text of a file, and how many that has.
    fn read(&self, mark: &str, at: usize) -> Result<(FileRead, usize), Lost> {
        let ledger = Ledger::open_existing(&self.path(mark, at))?;
        let text: String = ledger
            .connection
            .query_row("SELECT summary FROM file", [], |row| row.get(0))?;
        let found = file_of(&serde_json::from_str(&text)?);
        let (mut read, texts) = found.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        read.slices = slices(&ledger)?;
        Ok((read, texts))
    }
}

/// Everything of a text but its slices, and how many texts its file has.
fn summary(read: &FileRead, texts: usize) -> String {
    let bad_rows = read.bad_rows.iter().map(|bad| [&bad.problem, &bad.row]);
    json!({
        "texts": texts,
        "name": read.name,
        "kind": read.kind.name(),
        "grouping": read.grouping,
        "rows": read.rows,
        "kept": read.kept,
        "skipped": read.skipped,
        "notes": read.notes,
        "bad_rows": bad_rows.collect::<Vec<_>>(),
    })
    .to_string()
}

fn file_of(summary: &Value) -> Option<(FileRead, usize)> {
    let texts = |value: &Value| -> Option<Vec<String>> {
        let texts = value.as_array()?.iter();
        texts.map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let bad_rows = summary["bad_rows"].as_array()?.iter();
    let read = FileRead {
        name: summary["name"].as_str()?.to_owned(),
        kind: ExportKind::from_name(summary["kind"].as_str()?)?,
        grouping: summary["grouping"].as_str()?.to_owned(),
        slices: Vec::new(),
        jobs: Vec::new(),
        rows: summary["rows"].as_u64()?,
        kept: summary["kept"].as_u64()?,
        skipped: summary["skipped"].as_u64()?,
        bad_rows: bad_rows
            .map(|bad| {
                let [problem, row] = texts(bad)?.try_into().ok()?;
                Some(BadRow { problem, row })
            })
            .collect::<Option<_>>()?,
        notes: texts(&summary["notes"])?,
    };
    Some((read, usize::try_from(summary["texts"].as_u64()?).ok()?))
}

/// Returns all slices, in the order in which a file gives them.
fn slices(ledger: &Ledger) -> Result<Vec<ImportedPeriod>, LedgerError> {
    ledger.read(|connection| {
        let mut query = connection.prepare(
            "SELECT id, kind, source, month, first_day, last_day, whole_month, part, skipped,
                    names_resources, standing
             FROM slice ORDER BY first_day, last_day, source",
        )?;
        let mut outside = connection.prepare(
            "SELECT service, kind, currency, row_count, cost FROM outside WHERE slice = ?1
             ORDER BY rowid",
        )?;
        let mut rows = query.query([])?;
        let mut slices = Vec::new();
        while let Some(row) = rows.next()? {
            let text = |at: usize| row.get::<_, String>(at);
            let day = |at| decode(&text(at)?, |text| text.parse().ok());
            let id: i64 = row.get(0)?;
            let outside = outside.query_map([id], |row| {
                Ok(OtherServices {
                    service: row.get(0)?,
                    kind: ChargeKind::from_name(row.get_ref(1)?.as_str()?),
                    currency: Currency::new(row.get_ref(2)?.as_str()?),
                    rows: count(row, 3)?,
                    cost: Money::new(decode(&row.get::<_, String>(4)?, exact)?),
                })
            })?;
            let any_day = (NaiveDate::MIN, NaiveDate::MAX);
            slices.push(ImportedPeriod {
                kind: decode(&text(1)?, ExportKind::from_name)?,
                source: text(2)?,
                month: decode(&text(3)?, |text| text.parse().ok())?,
                covers: (day(4)?, day(5)?),
                whole_month: row.get(6)?,
                part: row.get(7)?,
                records: records(connection, &[id], any_day, false)?,
                storage: records(connection, &[id], any_day, true)?,
                names_resources: row.get::<_, Option<bool>>(9)?.unwrap_or_default(),
                other_services: outside.collect::<SqlResult<_>>()?,
                skipped: count(row, 8)?,
                delivery: None,
                standing: standing::read(row.get(10)?)?,
            });
        }
        Ok(slices)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exports::{ImportOptions, Unwatched, import_reader},
        pricing, sample,
    };

    #[test]
    fn a_finished_file_comes_back_as_it_was_until_its_place_is_done() {
        let mut csv = Vec::new();
        sample::write_cur(&mut csv).expect("memory takes all");
        let catalog = pricing::embedded().expect("the embedded prices");
        let options = ImportOptions::default();
        let delivery = import_reader(
            "x.csv",
            io::Cursor::new(csv),
            &catalog,
            &options,
            &Unwatched,
        );
        let delivery = delivery.expect("the sample is an export");
        let read = FileRead {
            name: "x.zip/x.csv".to_owned(),
            kind: ExportKind::Cur2,
            grouping: "by \"day\"".to_owned(),
            slices: delivery.slices,
            jobs: Vec::new(),
            rows: 7,
            kept: 5,
            skipped: 1,
            bad_rows: vec![BadRow {
                problem: "line 3".to_owned(),
                row: "a,\"b\"\n".to_owned(),
            }],
            notes: vec!["a note".to_owned()],
        };
        assert!(read.slices.len() > 1);
        let other = FileRead {
            name: "x.zip/y.csv".to_owned(),
            slices: read.slices[..1].to_vec(),
            ..read.clone()
        };
        let texts = [read, other];
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("l.sqlite");
        let here = ImportCheckpoint::new(&ledger, "s3://a/b");
        let there = ImportCheckpoint::new(&ledger, "s3://a/c");
        here.keep("one", &texts);
        there.keep("one", &texts);
        assert_eq!(here.get("one").as_deref(), Some(&texts[..]));
        assert_eq!(here.get("two"), None);
        fs::write(here.path("two", 0), b"no database at all").expect("it is written");
        assert_eq!(here.get("two"), None);
        // A kill between two texts.
        here.write("half", 0, &texts).expect("it is kept");
        assert_eq!(here.get("half"), None);
        here.clear();
        assert_eq!(here.get("one"), None);
        assert_eq!(there.get("one").as_deref(), Some(&texts[..]));
        there.clear();
        assert!(!ledger.exists());
        let left = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(left, 0);
    }
}
