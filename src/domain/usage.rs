//! Usage: what was consumed, by whom, on which day, and what AWS charged for it if that is known.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    ids::{AccountId, Currency, Meter, Region, ResourceId},
    money::Money,
    period::Month,
    quantity::Quantity,
};

/// Tags as key and value, shared by the records that carry the same ones.
pub type Tags = Arc<BTreeMap<String, String>>;

/// The tag that names the repository of a CI job.
pub const REPOSITORY_TAG: &str = "pipebill:repository";
/// The tag that names the workflow of a CI job.
pub const WORKFLOW_TAG: &str = "pipebill:workflow";
/// The tag that names a CI job.
pub const JOB_TAG: &str = "pipebill:job";
/// The tag of what builds used that ran no known CI job.
pub const NO_JOB_TAG: &str = "pipebill:no-job";

/// What kind of row of a bill a record is. Only usage is rated; the rest is carried as billed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ChargeKind {
    /// Metered usage, whatever plan covers it.
    Usage,
    /// Value added and sales taxes.
    Tax,
    /// A credit.
    Credit,
    /// Money given back.
    Refund,
    /// A negotiated or bundled discount, as a row of its own.
    Discount,
    /// What usage that a savings plan covers is taken back by: no discount, for the plan is paid for.
    Negation,
    /// A one-time or recurring fee.
    Fee,
    /// A kind we do not know, under the name the bill gives it. Kept, counted and shown.
    Other(Arc<str>),
}

impl ChargeKind {
    /// Returns the name used in files and JSON.
    pub fn name(&self) -> &str {
        match self {
            Self::Usage => "usage",
            Self::Tax => "tax",
            Self::Credit => "credit",
            Self::Refund => "refund",
            Self::Discount => "discount",
            Self::Negation => "savings plan negation",
            Self::Fee => "fee",
            Self::Other(name) => name,
        }
    }

    /// Reads [`ChargeKind::name`] back.
    pub fn from_name(name: &str) -> Self {
        match name {
            "usage" => Self::Usage,
            "tax" => Self::Tax,
            "credit" => Self::Credit,
            "refund" => Self::Refund,
            "discount" => Self::Discount,
            "savings plan negation" => Self::Negation,
            "fee" => Self::Fee,
            other => Self::Other(Arc::from(other)),
        }
    }
}

impl UsageRecord {
    /// Returns the commitment that pays for it.
    pub fn covered_by(&self) -> Option<Commitment> {
        self.billed.as_ref()?.covered_by
    }
}

impl fmt::Display for ChargeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whose usage it is and where: what a line of the bill is kept apart by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UsageKey {
    /// The account that pays. Free tiers and tiers of volume are counted per payer.
    pub payer: Option<AccountId>,
    /// The account that used.
    pub account: Option<AccountId>,
    /// Where; `global` for meters without a region.
    pub region: Region,
    /// What AWS counts.
    pub meter: Meter,
}

/// What AWS charged for a record, in the words of the source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Billed {
    /// Unblended cost.
    pub cost: Money,
    /// Unblended price per unit.
    pub rate: Option<Decimal>,
    /// Public on-demand price per unit.
    pub list_rate: Option<Decimal>,
    /// The invoice; none while the month is open.
    pub invoice: Option<Arc<str>>,
    /// What pays for it apart from this row: its cost is what the row says, whatever a price makes of it.
    pub covered_by: Option<Commitment>,
}

/// A commitment to use so much, which pays for usage when it is bought or month by month.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Commitment {
    /// A Savings Plan.
    SavingsPlan,
    /// A reservation.
    Reservation,
    /// One whose kind the source does not tell.
    Other,
}

impl Commitment {
    /// Returns the name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SavingsPlan => "savings_plan",
            Self::Reservation => "reservation",
            Self::Other => "commitment",
        }
    }

    /// Reads [`Commitment::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::SavingsPlan, Self::Reservation, Self::Other];
        all.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SavingsPlan => "Savings Plan",
            Self::Reservation => "reservation",
            Self::Other => "commitment",
        }
    }
}

/// One fact about usage: a day, a meter, a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageRecord {
    /// The billing month it is charged in. A late refund has its day in an earlier one.
    pub month: Month,
    /// The day of usage, UTC; the first of them where a source states one sum for several days.
    pub day: NaiveDate,
    /// The last day that is summed up: `day` itself but for such sums.
    pub last_day: NaiveDate,
    /// Whose, where, what.
    pub key: UsageKey,
    /// Usage or another kind of charge.
    pub kind: ChargeKind,
    /// What was used.
    pub resource: Option<ResourceId>,
    /// Its tags.
    pub tags: Tags,
    /// Billed quantity, rounded as AWS rounds. None where the source gives costs only, which is
    /// not the same as nothing used.
    pub quantity: Option<Quantity>,
    /// The quantity before rounding, where it is known apart.
    pub consumed: Option<Quantity>,
    /// How the billed quantity came about, in words.
    pub metering: Option<Arc<str>>,
    /// What AWS charged. None for usage that was stated or metered rather than billed.
    pub billed: Option<Billed>,
    /// The currency of [`Billed::cost`].
    pub currency: Currency,
    /// Which file, request or flag says so.
    pub origin: Arc<str>,
}

/// Why usage that should be known is not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Gap {
    /// What is missing.
    pub what: String,
    /// Why, or since when.
    pub reason: String,
}
