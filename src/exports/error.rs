//! Why an export cannot be imported.

use std::io;

use chrono::NaiveDate;
use thiserror::Error;

use super::stranger::Stranger;
use crate::domain::{number::NumberError, period::Month};

/// What is wrong with a value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowFault {
    /// Not an exact number.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A number with commas, which no export of AWS writes.
    #[error("`{0}` has a comma, and AWS writes none in numbers")]
    Comma(String),
    /// Not a date or timestamp.
    #[error("`{0}` is not a date")]
    Date(String),
    /// A date in another form than AWS writes.
    #[error("`{0}` is not a date as AWS writes it, such as 2026-10-31")]
    DateForm(String),
    /// Not a time.
    #[error("`{0}` is not a time such as 2026-10-31T12:00:00Z")]
    Time(String),
    /// Not a whole number.
    #[error("`{0}` is not a whole number")]
    Whole(String),
    /// Not an account.
    #[error("`{0}` is not an account ID, which has 12 digits")]
    Account(String),
    /// What may be there once.
    #[error("{0} is there twice")]
    Twice(String),
    /// Amounts of one row that contradict each other.
    #[error("cost, credits and tax add up to {parts}, the row says {total}")]
    Parts {
        /// What they add up to.
        parts: String,
        /// What the row says.
        total: String,
    },
    /// A map that is neither a flat JSON object nor as Athena writes it.
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

impl RowFault {
    /// Tells whether the file as a whole was saved by something that changed its values: leaving the
    /// row out would leave others in that only look right.
    pub const fn is_of_the_file(&self) -> bool {
        matches!(self, Self::DateForm(_) | Self::Account(_))
    }
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
    #[error("{file} is not a known billing export; its first columns are {columns}")]
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
    /// Something else than an export, by what it is.
    #[error("{file} is {what}")]
    Stranger {
        /// Which.
        file: String,
        /// What it is.
        what: Stranger,
    },
    /// A header and nothing below it, or an answer without results.
    #[error("{file} has no rows")]
    NoRows {
        /// Which.
        file: String,
    },
    /// JSON that ends or breaks off somewhere.
    #[error("{file}, line {line}: {}", if *.is_cut { "the JSON ends in the middle" } else { "this is not JSON" })]
    BrokenJson {
        /// Which.
        file: String,
        /// Where.
        line: usize,
        /// It ends too early.
        is_cut: bool,
    },
    /// JSON that is not an answer of Cost Explorer.
    #[error("{file}, line {line}: this is not as `aws ce get-cost-and-usage` writes it")]
    NotCostExplorerJson {
        /// Which.
        file: String,
        /// Where.
        line: usize,
    },
    /// JSON that is not jobs of GitHub Actions throughout.
    #[error("{file}, line {line}: this is not as GitHub lists jobs")]
    NotJobs {
        /// Which.
        file: String,
        /// Where.
        line: usize,
    },
    /// An answer of Cost Explorer about other costs than those that are billed.
    #[error("{file} has {} and no UnblendedCost", found.join(" and "))]
    OtherMetrics {
        /// Which.
        file: String,
        /// The metrics it has.
        found: Vec<String>,
    },
    /// A sum over parts of two months.
    #[error("{file}: the sum of {first} to {last} spans two months and cannot be split")]
    AcrossMonths {
        /// Which.
        file: String,
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
    },
    /// Sums by different groups of the same days.
    #[error("{file} has the costs of {day} by {first} and by {second}: the same money twice")]
    TwoGroupings {
        /// Which.
        file: String,
        /// A day.
        day: NaiveDate,
        /// One grouping.
        first: String,
        /// The other.
        second: String,
    },
    /// Columns that may be services or something else.
    #[error("{file}: `{label}` may be a service or a value of `{heading}`")]
    AmbiguousGrouping {
        /// Which.
        file: String,
        /// What the columns are by.
        heading: String,
        /// A column.
        label: String,
    },
    /// Rows of a bill that do not add up to what it says.
    #[error("{file}: its rows add up to {sum} {currency}, its total rows say {total}")]
    TotalsDiffer {
        /// Which.
        file: String,
        /// What the rows add up to.
        sum: String,
        /// What the total rows say.
        total: String,
        /// In which currency.
        currency: String,
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
    #[error("{file}, line {line}: the manifest is not JSON from here on")]
    Manifest {
        /// Which.
        file: String,
        /// Where.
        line: usize,
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

impl ImportError {
    /// Tells whether the file is another thing than an export. What was meant as one and cannot be read
    /// is not.
    pub(super) const fn is_of_a_stranger(&self) -> bool {
        match self {
            Self::Unrecognised { .. } | Self::NotText { .. } | Self::NoCsvInZip { .. } => true,
            Self::Stranger { what, .. } => what.is_left_out(),
            _ => false,
        }
    }

    /// Says that a file was left out, and what it is.
    pub(super) fn as_left_out(&self) -> String {
        let name = |file: &String| format!("{file}: left out");
        match self {
            Self::Stranger { file, what } => format!("{}, {what}", name(file)),
            Self::NotText { file, what } => format!("{}, {what}", name(file)),
            Self::NothingDelivered { place, .. } => format!("{place}: left out, it has no export"),
            Self::Unrecognised { file, .. } | Self::NoCsvInZip { file } => {
                format!("{}, no known billing export", name(file))
            }
            other => other.to_string(),
        }
    }
}

fn listed(others: &[Month]) -> String {
    match others {
        [] => String::new(),
        [only] => format!(", only of {only}"),
        [first, .., last] => format!(", only of {} months from {first} to {last}", others.len()),
    }
}
