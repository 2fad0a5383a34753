//! Billing exports: which kinds there are, and what one says, whatever its format.

use std::{collections::BTreeMap, fmt};

use chrono::NaiveDate;

use super::{
    ci_jobs::CiJob,
    ids::Currency,
    money::Money,
    period::Month,
    usage::{ChargeKind, UsageRecord},
};

/// What kind of export usage comes from, the most detailed first: of several that cover the same
/// month, the first one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ExportKind {
    /// Cost and Usage Report 2.0, a Data Export.
    Cur2,
    /// The older Cost and Usage Report, whose columns have slashes.
    LegacyCur,
    /// FOCUS 1.0 or 1.2, a Data Export.
    Focus,
    /// The bill of a month as the console's Bills page offers it: by account and usage type.
    MonthlyBill,
    /// The answer of `get-cost-and-usage`.
    CostExplorerJson,
    /// The file that Cost Explorer's console offers.
    CostExplorerCsv,
    /// A plain table of days, services and usage types.
    DailyCsv,
    /// Jobs of GitHub Actions: no charges.
    GitHubJobs,
}

impl ExportKind {
    /// Every kind, in order of precedence.
    pub const ALL: [Self; 8] = [
        Self::Cur2,
        Self::LegacyCur,
        Self::Focus,
        Self::MonthlyBill,
        Self::CostExplorerJson,
        Self::CostExplorerCsv,
        Self::DailyCsv,
        Self::GitHubJobs,
    ];

    /// Returns the short name used in files and origins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cur2 => "cur2",
            Self::LegacyCur => "cur",
            Self::Focus => "focus",
            Self::MonthlyBill => "bill-csv",
            Self::CostExplorerJson => "ce-json",
            Self::CostExplorerCsv => "ce-csv",
            Self::DailyCsv => "daily",
            Self::GitHubJobs => "github-jobs",
        }
    }

    /// Reads [`ExportKind::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cur2 => "Cost and Usage Report 2.0",
            Self::LegacyCur => "legacy Cost and Usage Report",
            Self::Focus => "FOCUS",
            Self::MonthlyBill => "monthly bill CSV",
            Self::CostExplorerJson => "Cost Explorer JSON",
            Self::CostExplorerCsv => "Cost Explorer CSV",
            Self::DailyCsv => "daily CSV",
            Self::GitHubJobs => "jobs of GitHub Actions",
        }
    }

    /// Tells whether it says which of its figures are estimated.
    pub const fn says_if_estimated(self) -> bool {
        matches!(self, Self::CostExplorerJson)
    }

    /// Tells whether it states whole billing months of a payer, as a bill does.
    pub const fn is_bill(self) -> bool {
        matches!(
            self,
            Self::Cur2 | Self::LegacyCur | Self::Focus | Self::MonthlyBill
        )
    }

    /// Tells whether its rows are of single days; those of others sum up all that they cover.
    pub const fn is_by_day(self) -> bool {
        self.is_bill() && !matches!(self, Self::MonthlyBill)
    }
}

impl fmt::Display for ExportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The charges of one source over a stretch of days: what the ledger replaces as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportedPeriod {
    /// From what kind of export.
    pub kind: ExportKind,
    /// The payer's account, or the name given to the source; empty where neither is known.
    pub source: String,
    /// The billing month.
    pub month: Month,
    /// First and last day it speaks for: the month of a bill, else the day or month of a sum.
    pub covers: (NaiveDate, NaiveDate),
    /// It speaks for the whole month.
    pub whole_month: bool,
    /// The number of the file among those of its export; 0 where there is but one.
    pub part: u32,
    /// The usage and charges that are kept in detail, sorted.
    pub records: Vec<UsageRecord>,
    /// The sums of all others.
    pub other_services: Vec<OtherServices>,
    /// Of those, what builds and pipelines left in storage, by log group or bucket and month.
    pub storage: Vec<UsageRecord>,
    /// Its source names resources; else nothing can be said of such storage.
    pub names_resources: bool,
    /// Rows of its file that could not be read and are missing here.
    pub skipped: u64,
    /// What marks the delivery it is of, where it comes from a folder of deliveries.
    pub delivery: Option<String>,
    /// How final its source calls it.
    pub standing: Standing,
}

impl Larger {
    /// Tells whether usage costs less than before.
    pub fn costs_less(&self) -> bool {
        let now = |currency| self.cost_now.get(currency).copied().unwrap_or_default();
        self.cost
            .iter()
            .any(|(currency, cost)| *cost > now(currency))
    }
}

impl ImportedPeriod {
    /// Tells whether anything was charged.
    pub fn has_charges(&self) -> bool {
        !self.records.is_empty() || !self.other_services.is_empty()
    }
}

/// Adds up what slices cost, all services and kinds of charges together, by currency.
pub fn cost<'s>(slices: impl IntoIterator<Item = &'s ImportedPeriod>) -> BTreeMap<Currency, Money> {
    let mut sums = BTreeMap::new();
    for slice in slices {
        let kept = slice.records.iter().filter_map(|record| {
            let cost = record.billed.as_ref()?.cost;
            Some((&record.currency, cost))
        });
        let outside = slice
            .other_services
            .iter()
            .map(|total| (&total.currency, total.cost));
        for (currency, cost) in kept.chain(outside) {
            *sums.entry(currency.clone()).or_insert(Money::ZERO) += cost;
        }
    }
    sums
}

/// How final the figures of a source are, as far as the source says so itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// AWS calls them estimated.
    pub estimated: bool,
    /// Every charge names its invoice; none where the source has no place for one.
    pub invoiced: Option<bool>,
    /// The answer names a next page, which is not there.
    pub is_cut: bool,
    /// It sums up services without naming them, all or some: what they cost one by one is not known.
    pub services_unknown: bool,
    /// The day it was read, where it sums up several days that were not over then: it does not tell
    /// how far it reaches.
    pub read_while_open: Option<NaiveDate>,
    /// What it took the place of, where that was more.
    pub larger_before: Option<Larger>,
}

/// A delivery that was larger than the one that took its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Larger {
    /// Days with charges.
    pub days: u32,
    /// What its usage cost, by currency.
    pub cost: BTreeMap<Currency, Money>,
    /// Days with charges of the one that is there now.
    pub days_now: u32,
    /// What its usage costs.
    pub cost_now: BTreeMap<Currency, Money>,
}

/// Rows of a service that is not kept in detail: counted and summed, never lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherServices {
    /// The service as the source names it.
    pub service: String,
    /// What kind of charge.
    pub kind: ChargeKind,
    /// In what currency.
    pub currency: Currency,
    /// How many rows.
    pub rows: u64,
    /// What they cost together.
    pub cost: Money,
}

/// What reading one text gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRead {
    /// What it is called; an entry of an archive follows its archive after a slash.
    pub name: String,
    /// What it is.
    pub kind: ExportKind,
    /// What the sums are by; different groupings of one day are the same money.
    pub grouping: String,
    /// What it says.
    pub slices: Vec<ImportedPeriod>,
    /// Jobs of CI systems, where it lists those.
    pub jobs: Vec<CiJob>,
    /// Rows read.
    pub rows: u64,
    /// Rows of services that are kept in detail.
    pub kept: u64,
    /// Rows that could not be read and were left out.
    pub skipped: u64,
    /// Those rows.
    pub bad_rows: Vec<BadRow>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A row, or several, that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// What is wrong, and where.
    pub problem: String,
    /// What stands there, as a line of CSV.
    pub row: String,
}
