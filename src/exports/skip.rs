//! Rows that cannot be read: the first one stops the import, or each is counted, named and kept aside.

use super::{ImportError, values::rows};
use crate::domain::export::BadRow;

/// How many rows are named before they are only counted.
const NAMED: usize = 10;
/// Text of bad rows that is kept. A file with more of them is another kind of file.
const KEPT: usize = 32 << 20;

pub(super) struct Skipped {
    allowed: bool,
    count: u64,
    size: usize,
    rows: Vec<BadRow>,
}

impl Skipped {
    pub(super) fn new(allowed: bool) -> Self {
        Self {
            allowed,
            count: 0,
            size: 0,
            rows: Vec::new(),
        }
    }

    /// Counts rows that cannot be read, or returns their error.
    pub(super) fn add(
        &mut self,
        error: ImportError,
        count: u64,
        row: String,
    ) -> Result<(), ImportError> {
        let is_of_the_file = match &error {
            ImportError::Cancelled | ImportError::Changed { .. } => true,
            ImportError::Row { fault, .. } | ImportError::Value { fault, .. } => {
                fault.is_of_the_file()
            }
            _ => false,
        };
        if !self.allowed || is_of_the_file {
            return Err(error);
        }
        let problem = error.to_string();
        self.size += problem.len() + row.len();
        if self.size > KEPT {
            return Err(ImportError::TooManyBadRows {
                count: self.count,
                last: problem,
            });
        }
        self.count += count;
        self.rows.push(BadRow { problem, row });
        Ok(())
    }

    /// Tells whether anything was left out.
    pub(super) const fn is_any(&self) -> bool {
        self.count > 0
    }

    /// Adds what a later part of the same file left out.
    pub(super) fn append(&mut self, later: Self) {
        self.count += later.count;
        self.rows.extend(later.rows);
    }

    /// Says what was left out; returns how many rows, and the rows.
    pub(super) fn note(self, file: &str, notes: &mut Vec<String>) -> (u64, Vec<BadRow>) {
        if self.count > 0 {
            notes.push(format!("{file}: {} skipped", rows(self.count)));
            let named = self.rows.iter().take(NAMED);
            notes.extend(named.map(|row| format!("skipped: {}", row.problem)));
        }
        (self.count, self.rows)
    }
}

/// Writes fields as a line of CSV.
pub(super) fn line(fields: impl IntoIterator<Item = impl AsRef<[u8]>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields).expect("memory takes all");
    let line = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&line).trim_end().to_owned()
}
