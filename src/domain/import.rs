//! What an import would read, what it read, and what that replaced.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use chrono::NaiveDate;

use super::{
    ci_jobs::CiJob,
    costs::NOT_STATED,
    export::{BadRow, ExportKind, ImportedPeriod, Larger},
    ids::{Currency, Region},
    money::Money,
    period::Month,
    quantity::Quantity,
};

/// A file that an import of a folder reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// What it is called.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// It is as it was at the last import, and not read.
    pub is_known: bool,
}

/// What a set of files says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivery {
    /// What to put into the ledger.
    pub slices: Vec<ImportedPeriod>,
    /// The files that count.
    pub files: Vec<FileSummary>,
    /// What a reader should know: what was left out, what is not known.
    pub notes: Vec<String>,
    /// Rows that could not be read.
    pub bad_rows: Vec<BadRow>,
    /// Per slice, of exports in files: the file it is from and what that is grouped by.
    pub origins: Vec<(String, String)>,
    /// Jobs of CI systems.
    pub jobs: Vec<CiJob>,
    /// It is right even where it is smaller than what it takes the place of.
    pub may_be_smaller: bool,
}

impl Delivery {
    /// Adds what another place brought.
    pub fn append(&mut self, other: Self) {
        self.slices.extend(other.slices);
        self.files.extend(other.files);
        self.notes.extend(other.notes);
        self.bad_rows.extend(other.bad_rows);
        self.origins.extend(other.origins);
        self.jobs.extend(other.jobs);
        self.may_be_smaller |= other.may_be_smaller;
    }

    /// Returns what is counted of other services; nothing of those that nobody knows: they may be ours.
    pub fn other_services(&self) -> OtherServicesRead<'_> {
        let mut read = OtherServicesRead::default();
        for of in self.slices.iter().flat_map(|slice| &slice.other_services) {
            if of.service != NOT_STATED {
                read.services.insert(&of.service);
                read.rows += of.rows;
                *read.costs.entry(&of.currency).or_insert(Money::ZERO) += of.cost;
            }
        }
        read
    }
}

/// What one file gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSummary {
    /// The file; an entry of an archive follows its archive after a slash.
    pub path: PathBuf,
    /// What it is.
    pub kind: ExportKind,
    /// Rows read.
    pub rows_read: u64,
    /// Rows of services that are kept in detail.
    pub rows_kept: u64,
    /// Rows that could not be read and were left out.
    pub rows_skipped: u64,
}

/// What an import did to one source's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// The kind of export.
    pub kind: ExportKind,
    /// The payer, or the name given to the source.
    pub source: String,
    /// The billing month.
    pub month: Month,
    /// Records of what is replaced.
    pub rows_before: u64,
    /// Records that take their place.
    pub rows_after: u64,
    /// What the former cost.
    pub cost_before: Money,
    /// What the latter cost.
    pub cost_after: Money,
    /// The ledger held exactly this already.
    pub unchanged: bool,
    /// What is replaced was more.
    pub larger_before: Option<Larger>,
}

/// What an import did to the jobs of one repository.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobsKept {
    /// Which.
    pub repository: String,
    /// Jobs in the files.
    pub jobs: u64,
    /// Of them not known before.
    pub new: u64,
    /// Of them known, and different.
    pub changed: u64,
    /// Of them known as they are, or further.
    pub unchanged: u64,
    /// The first and last day of them.
    pub days: Option<(NaiveDate, NaiveDate)>,
}

/// What a query of a table through Athena will take, as far as it can be known before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableAnnouncement {
    /// The table.
    pub table: String,
    /// What it is.
    pub kind: ExportKind,
    /// The month.
    pub month: Month,
    /// The query.
    pub sql: String,
    /// Its folders by month let Athena read the one month only.
    pub is_pruned: bool,
    /// The size of the whole table, if its statistics have it.
    pub table_size: Option<Scan>,
    /// Where the workgroup stops a query.
    pub limit: Option<Scan>,
    /// The workgroup has its own place for results, and does not use the one that was named.
    pub ignores_output: bool,
    /// What every query bills at least.
    pub least: Scan,
}

/// Bytes that are scanned, and what they cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// How many bytes.
    pub bytes: u64,
    /// What is billed for them.
    pub billed: Quantity,
    /// What that costs, if the price is known.
    pub cost: Option<Money>,
    /// The region whose price that is.
    pub region: Region,
    /// It is the price of another region than the one that is asked.
    pub is_of_another_region: bool,
}

/// Rows of services that are not kept in detail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OtherServicesRead<'d> {
    /// Which services.
    pub services: BTreeSet<&'d str>,
    /// How many rows.
    pub rows: u64,
    /// What they cost, by currency.
    pub costs: BTreeMap<&'d Currency, Money>,
}
