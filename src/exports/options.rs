//! How an import is asked for and watched.

use std::path::Path;

use chrono::NaiveDate;

use crate::domain::{export::FileRead, ids::ServiceCode, period::Month};

/// How to read exports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportOptions {
    /// Leave out rows that cannot be read, and say so, instead of stopping at the first.
    pub skip_bad_rows: bool,
    /// Services whose rows are kept besides the four code services.
    pub include_services: Vec<ServiceCode>,
    /// What to call the source of a file that does not state its payer.
    pub source: Option<String>,
    /// Only this billing month.
    pub month: Option<Month>,
    /// The day that counts as today: no charge is of a day after it.
    pub today: Option<NaiveDate>,
    /// A delivery that is smaller than what it takes the place of is right.
    pub allow_smaller: bool,
    /// How far the sum of a period that is not over reaches, where the user knows.
    pub known_until: Option<NaiveDate>,
}

impl ImportOptions {
    /// Returns what makes another import of the same files.
    pub(super) fn fingerprint(&self) -> String {
        // The number rises when other things are read of the same file.
        format!(
            "4 {:?} {:?} {:?} {:?} {:?}",
            self.skip_bad_rows,
            self.include_services,
            self.source,
            self.known_until,
            self.allow_smaller
        )
    }
}

/// Watches an import, and may stop it.
pub trait Watch {
    /// Hears how far a file has been read, every few thousand rows.
    fn progress(&self, file: &Path, bytes_read: u64, bytes_total: Option<u64>, rows: u64);
    /// Tells whether to stop.
    fn cancelled(&self) -> bool;
}

/// Files that an import has finished, kept until all of them are in the ledger: after an interruption
/// they need not be read again. A mark stands for a file as it is and for how it is read.
pub trait CheckpointStore: Sync {
    /// Returns what the texts of a file gave, if it was finished.
    fn get(&self, mark: &str) -> Option<Vec<FileRead>>;
    /// Keeps what the texts of a file gave. One that is not kept is read again.
    fn keep(&self, mark: &str, texts: &[FileRead]);
}

/// Watches nothing, and stops nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _: &Path, _: u64, _: Option<u64>, _: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
