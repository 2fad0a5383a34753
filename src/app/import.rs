//! Billing exports into the ledger: all of them or none.

use std::path::PathBuf;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use super::{App, AppError, DataSource, Field};
use crate::{
    atomic_file,
    domain::{
        export::BadRow,
        import::{Delivery, JobsKept, Replaced},
        period::Month,
    },
    exports::{self, ImportOptions, Watch},
    ledger::Ledger,
};

/// How to read exports.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// Only this billing month.
    pub month: Option<Month>,
    /// Leaves rows out that cannot be read.
    pub skip_bad_rows: bool,
    /// Services around the pipelines to keep in detail, too.
    pub include: Vec<String>,
    /// The name of a source that states no payer.
    pub source: Option<String>,
    /// Takes a smaller export of a month for the right one.
    pub allow_smaller: bool,
    /// How far the sum of an open month reaches, where its file does not tell.
    pub known_until: Option<NaiveDate>,
}

/// What an import brought.
#[derive(Debug)]
pub struct Imported {
    /// What was read.
    pub delivery: Delivery,
    /// What it replaced.
    pub replaced: Vec<Replaced>,
    /// What it did to CI jobs, by repository.
    pub jobs: Vec<JobsKept>,
    /// Where the rows are that could not be read.
    pub quarantine: Option<PathBuf>,
}

/// What the ledger did with charges and jobs.
type Kept = (Vec<Replaced>, Vec<JobsKept>);

/// Returns what tells of the mark of a delivery whether the ledger holds it.
fn is_known(ledger: Option<&Ledger>) -> impl Fn(&str) -> bool + '_ {
    move |mark| ledger.is_some_and(|ledger| ledger.holds_delivery(mark).unwrap_or_default())
}

impl Imported {
    /// Tells whether all rows were read, and no month became smaller.
    pub fn is_complete(&self) -> bool {
        self.delivery
            .files
            .iter()
            .all(|file| file.rows_skipped == 0)
            && self
                .replaced
                .iter()
                .all(|month| month.larger_before.is_none())
    }
}

impl App {
    /// Imports billing exports that are files.
    pub fn import(
        &self,
        files: &[PathBuf],
        request: &ImportRequest,
        watch: &dyn Watch,
    ) -> Result<Imported, AppError> {
        self.import_files(files, &self.import_options(request)?, watch)
    }

    /// Returns how exports are read.
    pub(super) fn import_options(
        &self,
        request: &ImportRequest,
    ) -> Result<ImportOptions, AppError> {
        let include = request.include.iter();
        let include = include.map(|name| self.service(Field::Include, name));
        Ok(ImportOptions {
            skip_bad_rows: request.skip_bad_rows,
            include_services: include.collect::<Result<_, _>>()?,
            source: request.source.clone(),
            month: request.month,
            today: Some(self.today),
            known_until: request.known_until,
            allow_smaller: request.allow_smaller,
        })
    }

    /// Imports billing exports into the ledger: all of them or none.
    pub fn import_files(
        &self,
        files: &[PathBuf],
        options: &ImportOptions,
        watch: &dyn Watch,
    ) -> Result<Imported, AppError> {
        let known = self.known()?;
        let delivery = {
            let is_known = is_known(known.as_ref());
            exports::import_local(files, &is_known, &self.catalog, options, watch)?
        };
        drop(known);
        self.keep(delivery)
    }

    /// Opens the ledger that is there. What was imported before decides what is read; one that is not
    /// there is made only once all is read.
    pub(super) fn known(&self) -> Result<Option<Ledger>, AppError> {
        Ok(match &self.source {
            DataSource::File(path) if path.exists() => Some(Ledger::open_existing(path)?),
            _ => None,
        })
    }

    /// Reads what a folder of exports brings that the ledger does not hold.
    #[cfg(feature = "aws")]
    pub(crate) fn read_store(
        &self,
        store: &dyn exports::Store,
        known: Option<&Ledger>,
        finished: Option<&dyn exports::CheckpointStore>,
        options: &ImportOptions,
        watch: &dyn Watch,
    ) -> Result<Delivery, AppError> {
        Ok(exports::import_store(
            store,
            &is_known(known),
            finished,
            &self.catalog,
            options,
            watch,
        )?)
    }

    /// Puts what was read into the ledger, all of it or none.
    pub(crate) fn keep(&self, delivery: Delivery) -> Result<Imported, AppError> {
        let mut ledger = match &self.source {
            DataSource::File(path) => Ledger::open(path)?,
            DataSource::Sample => self.ledger()?,
        };
        match self.put(&mut ledger, &delivery) {
            Ok(((replaced, jobs), quarantine)) => Ok(Imported {
                delivery,
                replaced,
                jobs,
                quarantine,
            }),
            Err(error) => {
                ledger.give_up();
                Err(error)
            }
        }
    }

    fn put(
        &self,
        ledger: &mut Ledger,
        delivery: &Delivery,
    ) -> Result<(Kept, Option<PathBuf>), AppError> {
        let mut replace = || ledger.keep_delivery(delivery);
        let Some((quarantine, is_new)) = self.quarantine(&delivery.bad_rows)? else {
            return Ok((replace()?, None));
        };
        match replace() {
            Ok(replaced) => Ok((replaced, Some(quarantine))),
            Err(error) => {
                if is_new {
                    // Nothing was imported, so nothing was left out.
                    drop(std::fs::remove_file(&quarantine));
                }
                Err(error.into())
            }
        }
    }

    /// Keeps rows that could not be read beside the ledger, under a name that follows from them. Tells
    /// whether they are there for the first time.
    fn quarantine(&self, rows: &[BadRow]) -> Result<Option<(PathBuf, bool)>, AppError> {
        let DataSource::File(ledger) = &self.source else {
            return Ok(None);
        };
        if rows.is_empty() {
            return Ok(None);
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |problem: &str, row: &str| {
            let written = writer.write_record([problem, row]);
            written.expect("memory takes all");
        };
        write("problem", "row");
        for row in rows {
            write(&row.problem, &row.row);
        }
        let content = writer.into_inner().unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let digest: String = Sha256::digest(content.as_bytes())[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = ledger.with_file_name(format!("quarantine-{digest}.csv"));
        let is_new = !path.exists();
        atomic_file::write(&path, &content).map_err(|source| AppError::Quarantine {
            path: path.clone(),
            source,
        })?;
        Ok(Some((path, is_new)))
    }
}
