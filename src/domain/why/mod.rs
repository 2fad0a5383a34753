//! Why one month costs more than another: causes that add up to the difference, to the last digit.
//!
//! | file | what |
//! |---|---|
//! | `subject.rs` | a project, a pipeline, or an account |
//! | `pieces.rs` | a bill in pieces by project and meter |
//! | `work.rs` | the builds and actions that are known one by one |
//! | `factors.rs` | how many, how long, how large, rounded up how far, at what price |
//! | `causes.rs` | from two months in pieces to causes |
//! | `family.rs` | what can stand for each other: the sizes of a build project, or one meter |
//! | `evidence.rs` | what a cause rests on |
//! | `stretch.rs` | on which days a cause fell |

mod causes;
mod evidence;
mod factors;
mod family;
mod pieces;
mod stretch;
mod subject;
pub mod work;

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use self::work::Work;
use super::{
    allocation::Dimension,
    catalog::Catalog,
    ids::{AccountId, Currency, Meter, ServiceCode},
    metering::events::StartedBy,
    money::Money,
    period,
    quantity::Quantity,
    rating::RatedMonth,
    share_out::Policy,
    usage::{ChargeKind, Gap, UsageRecord},
};

/// What causes are told apart by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum By {
    /// Each project, pipeline or account by itself; free units by allowance.
    #[default]
    Each,
    /// The part of a dimension.
    Dimension(Dimension),
    /// The pipeline that ran, or that started the builds.
    Pipeline,
}

impl By {
    /// Returns what `--by` and files call it; none where nothing is asked for.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Each => None,
            Self::Dimension(by) => Some(by.key()),
            Self::Pipeline => Some("pipeline".to_owned()),
        }
    }

    /// Tells whether causes are told apart by CI jobs: what a build did is then not looked at.
    pub fn is_of_jobs(&self) -> bool {
        matches!(self, Self::Dimension(by) if by.is_of_jobs())
    }

    /// Returns the name of what belongs to no part; none where no parts are asked for.
    pub fn residual(&self) -> Option<String> {
        match self {
            Self::Each => None,
            Self::Dimension(by) => Some(by.residual()),
            Self::Pipeline => Some("(no pipeline)".to_owned()),
        }
    }

    fn part(&self, record: &UsageRecord) -> Option<String> {
        match self {
            Self::Each => None,
            Self::Dimension(by) => by.of(record),
            Self::Pipeline => {
                let is_pipeline =
                    record.key.meter.service.as_str() == super::services::CODEPIPELINE;
                Dimension::Resource.of(record).filter(|_| is_pipeline)
            }
        }
    }
}

/// A rated month, and what is known one by one of it.
#[derive(Debug)]
pub struct Month<'a> {
    /// The month.
    pub rated: &'a RatedMonth,
    /// Its builds and actions.
    pub work: &'a Work,
    /// How free units are shared.
    pub sharing: Policy,
}

/// Why something costs more or less than before.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// It was not there before.
    New,
    /// It is no more.
    Gone,
    /// More or fewer builds or actions succeed.
    Count,
    /// More or fewer of them fail beside those that succeed.
    Failures,
    /// They run on other sizes.
    SizeMix,
    /// They take longer or shorter.
    Duration,
    /// More or less is rounded up of each.
    Rounding,
    /// A unit has another price.
    Price,
    /// More or less is used, and no more is known.
    Quantity,
    /// A cost without a quantity.
    Cost,
    /// People became active in `CodeCommit`, or no longer are.
    People,
    /// V1 pipelines became active, or no longer are.
    Pipelines,
    /// More or less of the usage is free.
    FreeUnits,
    /// Discounts took off more or less.
    Discounts,
    /// A charge that is not usage.
    Charge(ChargeKind),
    /// What is billed beside the builds that are known.
    NotInBuilds,
}

impl Cause {
    /// Returns the name that programs match on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Count => "count",
            Self::Failures => "failures",
            Self::SizeMix => "size_mix",
            Self::Duration => "duration",
            Self::Rounding => "rounding",
            Self::Price => "price",
            Self::Quantity => "quantity",
            Self::Cost => "cost",
            Self::People => "people",
            Self::Pipelines => "pipelines",
            Self::FreeUnits => "free_units",
            Self::Discounts => "discounts",
            Self::Charge(_) => "charge",
            Self::NotInBuilds => "not_in_builds",
        }
    }
}

/// What a cause is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct About {
    /// The part of the dimension asked for.
    pub part: Option<String>,
    /// The service.
    pub service: Option<ServiceCode>,
    /// The account.
    pub account: Option<AccountId>,
    /// The project, pipeline or repository.
    pub project: Option<Arc<str>>,
    /// The free units.
    pub allowance: Option<Arc<str>>,
}

/// What a cause rests on, in the first month and in the second.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Evidence {
    /// Billed quantities.
    pub quantity: Option<[Quantity; 2]>,
    /// Builds or actions.
    pub count: Option<[u64; 2]>,
    /// Builds that failed.
    pub failed: Option<[u64; 2]>,
    /// How long they took together, in milliseconds.
    pub milliseconds: Option<[i64; 2]>,
    /// Their shares of the sizes: how many on each meter.
    pub sizes: BTreeMap<Meter, [u64; 2]>,
    /// Price of a unit.
    pub price: Option<[Decimal; 2]>,
    /// The days of the second month on which most of it fell.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// How many were started in each way.
    pub started_by: BTreeMap<StartedBy, [u64; 2]>,
    /// So many projects, pipelines or accounts stand behind it.
    pub subjects: u64,
}

/// One cause of a difference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CauseOf {
    /// Why.
    pub cause: Cause,
    /// What it is about.
    pub about: About,
    /// How much more it makes the second month cost.
    pub amount: Money,
    /// What it rests on.
    pub evidence: Evidence,
}

/// Why two months differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// How much more the second costs.
    pub difference: Money,
    /// The causes, largest first. They add up to the difference.
    pub causes: Vec<CauseOf>,
    /// Projects and pipelines whose builds or actions are not known one by one in both months, by service.
    pub by_quantity: BTreeMap<&'static str, u64>,
}

/// A day outside the range that the days before it give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpikeDay {
    /// Which.
    pub day: NaiveDate,
    /// What it cost.
    pub cost: Money,
    /// The least and the most that it was expected to cost.
    pub range: [Money; 2],
}

/// Such a day, and who made it so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spike {
    /// The day.
    pub of: SpikeDay,
    /// The projects that lay furthest from what their weekday has, and by how much.
    pub projects: Vec<(String, Money)>,
}

/// How far a month that is not over is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenMonth {
    /// The last day that is known, where any is.
    pub until: Option<NaiveDate>,
}

/// A month beside others: why it costs more or less, and which of its days stand out.
#[derive(Clone, Debug)]
pub struct MonthChange {
    /// What it is compared with: a month, or those of a mean.
    pub from: Vec<period::Month>,
    /// The month.
    pub to: period::Month,
    /// What both cost; the first is a mean where it is of several months.
    pub costs: [Money; 2],
    /// What amounts are in.
    pub currency: Currency,
    /// What causes are told apart by.
    pub by: By,
    /// The causes.
    pub why: Why,
    /// Days outside their range; none where too few days before the month are known.
    pub spikes: Option<Vec<Spike>>,
    /// Both months are whole and have a price for everything.
    pub complete: bool,
    /// What is missing of either month.
    pub gaps: Vec<(period::Month, Gap)>,
    /// Months that were metered from AWS's APIs in place of a bill.
    pub metered: Vec<period::Month>,
    /// The month is not over.
    pub open: Option<OpenMonth>,
}

/// Explains the difference of two months.
pub fn explain(catalog: &Catalog, before: &Month<'_>, after: &Month<'_>, by: &By) -> Why {
    let total = |month: &Month<'_>| month.rated.rated.bill.total();
    let mut why = causes::between(catalog, before, after, by);
    why.difference = total(after) - total(before);
    why.rank();
    why
}

/// Explains how a month differs from the mean of others: the mean of what it is to each of them.
pub fn explain_mean(catalog: &Catalog, before: &[Month<'_>], after: &Month<'_>, by: &By) -> Why {
    let months = Decimal::from(before.len().max(1));
    let mut rows: BTreeMap<(Cause, About), CauseOf> = BTreeMap::new();
    let mut mean = Why {
        difference: Money::ZERO,
        causes: Vec::new(),
        by_quantity: BTreeMap::new(),
    };
    for (at, month) in before.iter().enumerate() {
        let why = explain(catalog, month, after, by);
        mean.difference += why.difference;
        for (service, subjects) in why.by_quantity {
            let known = mean.by_quantity.entry(service).or_default();
            *known = subjects.max(*known);
        }
        for row in why.causes {
            let key = (row.cause.clone(), row.about.clone());
            // The evidence is that of the month before.
            let is_last = at + 1 == before.len();
            let known = rows.entry(key).or_insert_with(|| CauseOf {
                amount: Money::ZERO,
                evidence: Evidence::default(),
                ..row.clone()
            });
            known.amount += row.amount;
            if is_last {
                known.evidence = row.evidence;
            }
        }
    }
    let part = |amount: Money| Money::new((amount.amount() / months).round_dp(10).normalize());
    mean.difference = part(mean.difference);
    mean.causes = rows.into_values().collect();
    for row in &mut mean.causes {
        row.amount = part(row.amount);
    }
    mean.rank();
    // A mean rarely ends: what rounding leaves goes to the largest cause.
    let sum: Money = mean.causes.iter().map(|row| row.amount).sum();
    if let Some(largest) = mean.causes.first_mut() {
        largest.amount += mean.difference - sum;
    }
    mean
}

impl Why {
    /// Returns the largest causes, and what the others come to, if there are any.
    pub fn first(&self, most: usize) -> (&[CauseOf], Option<Money>) {
        let (first, others) = self.causes.split_at(most.min(self.causes.len()));
        let rest = others.iter().map(|row| row.amount).sum();
        (first, (!others.is_empty()).then_some(rest))
    }

    fn rank(&mut self) {
        self.causes.retain(|row| !row.amount.is_zero());
        let size = |row: &CauseOf| row.amount.max(-row.amount);
        self.causes.sort_by(|a, b| {
            let by_size = size(b).cmp(&size(a));
            by_size.then_with(|| (&a.cause, &a.about).cmp(&(&b.cause, &b.about)))
        });
    }
}
