//! The usage ledger: what was used and billed, month by month, in one `SQLite` file.
//!
//! Importing replaces, it never adds to what is there: a source and its month count once. Where
//! several kinds of export tell of the same money, one of them is read and the others are kept
//! aside.

mod ci_jobs;
mod coverage;
mod error;
mod events;
mod facts;
mod import_checkpoint;
mod larger;
mod read;
mod schema;
mod sources;
mod standing;
mod utilization;
mod write;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Row, TransactionBehavior};
use rust_decimal::Decimal;

pub use self::{
    error::LedgerError,
    facts::{Fact, Listing, Pass, Progress},
    import_checkpoint::ImportCheckpoint,
    sources::{SourceInfo, Stretch},
    utilization::Asked,
};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(2);

/// The store of usage records.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
    /// What opening it made.
    made: Option<Made>,
}

type SqlResult<T> = Result<T, rusqlite::Error>;

impl Ledger {
    /// Opens the ledger, and makes it if there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let made = Made::at(path);
        let opened = Self::make(path);
        match (opened, made) {
            (Ok(mut ledger), made) => {
                ledger.made = made;
                Ok(ledger)
            }
            // On a full disk SQLite gets no further than the name of the file.
            (Err(error), Some(made)) => {
                made.undo();
                Err(error)
            }
            (Err(error), None) => Err(error),
        }
    }

    fn make(path: &Path) -> Result<Self, LedgerError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|source| LedgerError::CreateDirectory {
                path: path.to_owned(),
                source,
            })?;
        }
        Self::from(path, Connection::open(path))
    }

    /// Closes a ledger that nothing could be put into. One that was made for that goes again, unless
    /// another process has put something into it meanwhile.
    pub fn give_up(mut self) {
        let made = self.made.take();
        let is_empty = self.connection.query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM text) AND NOT EXISTS (SELECT 1 FROM slice)
                AND NOT EXISTS (SELECT 1 FROM listing)",
            [],
            |row| row.get(0),
        );
        drop(self);
        if let (Some(made), Ok(true)) = (made, is_empty) {
            made.undo();
        }
    }

    /// Opens a ledger that is there.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::NoLedger {
                path: path.to_owned(),
            });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::from(path, Connection::open_with_flags(path, flags))
    }

    /// Makes a ledger that lasts as long as the value.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::from(Path::new(":memory:"), Connection::open_in_memory())
    }

    fn from(path: &Path, connection: SqlResult<Connection>) -> Result<Self, LedgerError> {
        let failed = |error| LedgerError::of(path, error);
        let mut connection = connection.map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        // To look up twelve texts again for every record takes as long as writing them: that what refers
        // to something finds it is tested instead.
        connection
            .pragma_update(None, "foreign_keys", false)
            .map_err(failed)?;
        let known = i64::from(schema::VERSION);
        let found = version(&connection).map_err(failed)?;
        if found > 0 || has_tables(&connection).map_err(failed)? {
            let id: i32 = connection
                .pragma_query_value(None, "application_id", |row| row.get(0))
                .map_err(failed)?;
            if id != schema::APPLICATION_ID {
                return Err(LedgerError::NotALedger {
                    path: path.to_owned(),
                });
            }
        }
        if found > known {
            return Err(LedgerError::NewerSchema {
                path: path.to_owned(),
                found,
                known,
            });
        }
        if found < known {
            migrate(&mut connection).map_err(failed)?;
        }
        Ok(Self {
            connection,
            path: path.to_owned(),
            made: None,
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> SqlResult<T>) -> Result<T, LedgerError> {
        read(&self.connection).map_err(|error| LedgerError::of(&self.path, error))
    }
}

/// What there was not before a ledger was opened.
#[derive(Debug)]
struct Made {
    file: PathBuf,
    /// The innermost first.
    folders: Vec<PathBuf>,
}

impl Made {
    /// Returns what opening a ledger will make; none if it is there.
    fn at(path: &Path) -> Option<Self> {
        let folders = path.ancestors().skip(1);
        let folders = folders.take_while(|folder| !folder.as_os_str().is_empty());
        (!path.exists()).then(|| Self {
            file: path.to_owned(),
            folders: folders
                .take_while(|folder| !folder.exists())
                .map(Path::to_owned)
                .collect(),
        })
    }

    /// Takes it away. Nothing more can be done where even this fails; a folder in use stays.
    fn undo(self) {
        drop(std::fs::remove_file(&self.file));
        let mut journal = self.file.into_os_string();
        journal.push("-journal");
        drop(std::fs::remove_file(journal));
        for folder in self.folders {
            drop(std::fs::remove_dir(folder));
        }
    }
}

fn count(row: &Row<'_>, at: usize) -> SqlResult<u64> {
    let count: i64 = row.get(at)?;
    u64::try_from(count).map_err(|_| damaged("a negative count"))
}

fn version(connection: &Connection) -> SqlResult<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn has_tables(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| {
        row.get(0)
    })
}

fn migrate(connection: &mut Connection) -> SqlResult<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited.
    let done = usize::try_from(version(&transaction)?).unwrap_or_default();
    for step in schema::STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", schema::VERSION)?;
    transaction.commit()
}

/// Reads a text of the ledger, which this program wrote.
fn decode<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> SqlResult<T> {
    read(text).ok_or_else(|| damaged(text))
}

/// Sums may be larger than any amount that is read from a bill.
fn exact(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

fn damaged(text: &str) -> rusqlite::Error {
    let what: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}
