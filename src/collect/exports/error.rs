//! Why an export cannot be imported.

use std::io;

use thiserror::Error;

use crate::domain::{number::NumberError, period::Month};

/// What is wrong with a value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowFault {
    /// Not an exact number.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Not a date or timestamp.
    #[error("`{0}` is not a date")]
    Date(String),
    /// A map that is not a flat JSON object.
    #[error("`{0}` is not a JSON object of tags")]
    Tags(String),
    /// Nothing where every row has something.
    #[error("there is no value")]
    Missing,
    /// Bytes that are no text.
    #[error("the value is not UTF-8 text")]
    NotText,
    /// More or fewer fields than the header.
    #[error("the header has {expected} fields, the row {found}")]
    FieldCount {
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
}

/// Why an import stops. Nothing has been written to the ledger then.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("cannot open {file}")]
    Open {
        /// Which.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read {file}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A directory where a file is expected.
    #[error("{file} is a directory")]
    Directory {
        /// Which.
        file: String,
    },
    /// Nothing in it.
    #[error("{file} is empty")]
    Empty {
        /// Which.
        file: String,
    },
    /// Not text.
    #[error("{file} is {what}, not CSV or JSON text")]
    NotText {
        /// Which.
        file: String,
        /// What it looks like.
        what: &'static str,
    },
    /// Compressed data that ends too early.
    #[error("{file} ends at byte {offset}, in the middle of its compressed data")]
    Truncated {
        /// Which.
        file: String,
        /// Where.
        offset: u64,
    },
    /// Compressed data that cannot be unpacked.
    #[error("{file} is damaged before byte {offset}: {reason}")]
    Damaged {
        /// Which.
        file: String,
        /// How far it was read.
        offset: u64,
        /// What the decompressor says.
        reason: String,
    },
    /// Packed with what is not unpacked here.
    #[error("{file} is packed with {packing}, which is not read here")]
    Packing {
        /// Which file, or file of an archive.
        file: String,
        /// With what.
        packing: &'static str,
    },
    /// An archive that holds what is packed once more.
    #[error("{file} holds {entry}, which is not read inside of an archive")]
    PackedTwice {
        /// The archive.
        file: String,
        /// A file in it.
        entry: String,
    },
    /// A zip archive without a CSV file.
    #[error("{file} holds no .csv file")]
    NoCsvInZip {
        /// Which.
        file: String,
    },
    /// One record as large as a whole file: most often a quote that is never closed.
    #[error("{file}: the record at line {line} is longer than {limit} bytes")]
    RecordTooLong {
        /// Which file.
        file: String,
        /// Where the record begins.
        line: u64,
        /// How long a record may be.
        limit: u64,
    },
    /// No known kind of export.
    #[error("{file} is no known billing export; it begins with the columns {columns}")]
    Unrecognised {
        /// Which.
        file: String,
        /// Its first columns.
        columns: String,
    },
    /// Nearly a known kind of export.
    #[error("{file} looks like {nearest} but has no column {}", missing.join(", "))]
    MissingColumns {
        /// Which.
        file: String,
        /// The kind it resembles most.
        nearest: &'static str,
        /// What that kind always has.
        missing: Vec<String>,
    },
    /// A column that must be there, and is there more than once.
    #[error("{file} has more than one column {column}")]
    RepeatedColumn {
        /// Which.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// JSON that is not an answer of Cost Explorer.
    #[error("{file}, line {line}: not an answer of get-cost-and-usage: {reason}")]
    NotCostExplorerJson {
        /// Which.
        file: String,
        /// Where.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// A row that cannot be understood.
    #[error("{file}, line {line}{}: {fault}", column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default())]
    Row {
        /// Which file.
        file: String,
        /// The first line of the record.
        line: u64,
        /// The column, as the header names it; none where the row as a whole is at fault.
        column: Option<String>,
        /// What is wrong.
        fault: RowFault,
    },
    /// A row of a Parquet file that cannot be understood.
    #[error("{file}, row {row}{}: {fault}", column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default())]
    ParquetRow {
        /// Which file.
        file: String,
        /// Which row, the first being 1.
        row: u64,
        /// The column; none where the row as a whole is at fault.
        column: Option<String>,
        /// What is wrong.
        fault: RowFault,
    },
    /// A row group of a Parquet file that cannot be read.
    #[error("{file} is damaged: row group {group} at byte {offset}{}: {reason}", column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default())]
    RowGroup {
        /// Which file.
        file: String,
        /// Which group, the first being 1.
        group: usize,
        /// Where it begins.
        offset: u64,
        /// The column.
        column: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// A Parquet file whose footer makes no sense.
    #[error("{file} is damaged: its footer cannot be read: {reason}")]
    Footer {
        /// Which.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A column that should hold something else.
    #[error("{file}: column {column} is {found}, which cannot be read as its export has it")]
    ColumnType {
        /// Which file.
        file: String,
        /// Which column.
        column: String,
        /// What it is.
        found: String,
    },
    /// A file that claims more than it can hold.
    #[error("{file} claims {claims}, which a file of {bytes} bytes cannot hold")]
    Bomb {
        /// Which file.
        file: String,
        /// What it claims.
        claims: String,
        /// How large it is.
        bytes: u64,
    },
    /// More rows that cannot be read than are worth keeping aside.
    #[error("more than {count} rows cannot be read, the last: {last}")]
    TooManyBadRows {
        /// How many were kept aside.
        count: u64,
        /// What is wrong with the next.
        last: String,
    },
    /// Somebody wrote to the file while it was read.
    #[error("{file} changed while it was read")]
    Changed {
        /// Which.
        file: String,
    },
    /// A value of a file without rows that cannot be understood.
    #[error("{file}, {place}: {fault}")]
    Value {
        /// Which file.
        file: String,
        /// Which value.
        place: String,
        /// What is wrong.
        fault: RowFault,
    },
    /// Several deliveries of one month, and nothing that says which one counts.
    #[error("{first} and {second} are deliveries of the same month; which is newer is not stated")]
    AmbiguousDelivery {
        /// One delivery.
        first: String,
        /// The other.
        second: String,
    },
    /// A folder without any export, or without one of the month.
    #[error("{place} has no export{}{}", month.map(|month| format!(" of {month}")).unwrap_or_default(), listed(others))]
    NothingDelivered {
        /// The folder.
        place: String,
        /// The month asked for.
        month: Option<Month>,
        /// The months that are there.
        others: Vec<Month>,
    },
    /// A manifest that lists what is not there.
    #[error("{place} is not complete: its manifest lists {missing}, which is not there")]
    Incomplete {
        /// Which delivery.
        place: String,
        /// Which file.
        missing: String,
    },
    /// A manifest that is no JSON.
    #[error("{file}, line {line}: not a manifest: {reason}")]
    Manifest {
        /// Which.
        file: String,
        /// Where.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// Two files that state the same charges.
    #[error("{first} and {second} state the same charges of {month}")]
    SameCharges {
        /// One file.
        first: String,
        /// The other.
        second: String,
        /// Of which month.
        month: Month,
    },
    /// The user stopped it.
    #[error("stopped before the end")]
    Cancelled,
}

fn listed(others: &[Month]) -> String {
    match others {
        [] => String::new(),
        [only] => format!(", only of {only}"),
        [first, .., last] => format!(", only of {} months from {first} to {last}", others.len()),
    }
}
