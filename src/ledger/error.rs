//! Why the ledger cannot be read or written.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why the ledger cannot be read or written. It stays as it was.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// There is none yet.
    #[error("there is no ledger at {path}", path = .path.display())]
    NoLedger {
        /// Where it would be.
        path: PathBuf,
    },
    /// Its directory cannot be made.
    #[error("cannot create the directory of {path}", path = .path.display())]
    CreateDirectory {
        /// Where the ledger would be.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be opened.
    #[error("cannot open the ledger {path}", path = .path.display())]
    CannotOpen {
        /// Which.
        path: PathBuf,
    },
    /// Another process is writing to it.
    #[error("the ledger {path} is in use by another process", path = .path.display())]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// No room left.
    #[error("no space left to write the ledger {path}", path = .path.display())]
    DiskFull {
        /// Which.
        path: PathBuf,
    },
    /// It may not be written to.
    #[error("the ledger {path} is read-only", path = .path.display())]
    ReadOnly {
        /// Which.
        path: PathBuf,
    },
    /// Another kind of file.
    #[error("{path} is not a ledger", path = .path.display())]
    NotALedger {
        /// Which.
        path: PathBuf,
    },
    /// Written by a later version of the program.
    #[error("the ledger {path} has version {found}, this program knows {known}", path = .path.display())]
    NewerSchema {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest version known here.
        known: i64,
    },
    /// Its content makes no sense.
    #[error("the ledger {path} is damaged: {what}", path = .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Anything else that the database reports.
    #[error("the ledger {path} failed", path = .path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// What the database says.
        source: rusqlite::Error,
    },
}

impl LedgerError {
    /// Says what an error of the database means for the ledger.
    pub(super) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let code = match &source {
            rusqlite::Error::FromSqlConversionFailure(_, _, inner) => {
                let what = inner.to_string();
                return Self::Damaged { path, what };
            }
            other => other.sqlite_error_code(),
        };
        match code {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::NotADatabase) => Self::NotALedger { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::CannotOpen { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                what: source.to_string(),
            },
            _ => Self::Database { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn each_failure_of_the_database_has_a_name_of_its_own() {
        for (code, expected) in [
            (
                ffi::SQLITE_BUSY,
                "the ledger l is in use by another process",
            ),
            (ffi::SQLITE_FULL, "no space left to write the ledger l"),
            (ffi::SQLITE_READONLY, "the ledger l is read-only"),
            (ffi::SQLITE_NOTADB, "l is not a ledger"),
            (ffi::SQLITE_CANTOPEN, "cannot open the ledger l"),
            (ffi::SQLITE_IOERR, "the ledger l failed"),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(LedgerError::of(Path::new("l"), error).to_string(), expected);
        }
    }
}
