//! Rows that cannot be read: the first one stops the import, or each is counted and named.

use super::{ImportError, values::rows};

/// How many rows are named before they are only counted.
const NAMED: usize = 10;

pub(super) struct Skipped {
    allowed: bool,
    count: u64,
    first: Vec<String>,
}

impl Skipped {
    pub(super) fn new(allowed: bool) -> Self {
        Self {
            allowed,
            count: 0,
            first: Vec::new(),
        }
    }

    /// Counts a row that cannot be read, or returns its error.
    pub(super) fn add(&mut self, error: ImportError) -> Result<(), ImportError> {
        if !self.allowed {
            return Err(error);
        }
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(error.to_string());
        }
        Ok(())
    }

    /// Adds what a later part of the same file left out.
    pub(super) fn append(&mut self, later: Self) {
        self.count += later.count;
        let room = NAMED.saturating_sub(self.first.len());
        self.first.extend(later.first.into_iter().take(room));
    }

    /// Says what was left out; returns how many rows.
    pub(super) fn note(self, file: &str, notes: &mut Vec<String>) -> u64 {
        if self.count > 0 {
            notes.push(format!("{file}: {} skipped", rows(self.count)));
            notes.extend(self.first.iter().map(|row| format!("skipped: {row}")));
        }
        self.count
    }
}
