//! Several bills side by side: what each service cost in each month, what changed from one to the
//! next, cost drivers of a month. The sums and differences that a report shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    allocation::Share,
    bill::Bill,
    discounts::Discounts,
    ids::{Meter, ServiceCode},
    money::Money,
    period::Month,
    quantity::{Quantity, Unit},
    reconcile::LineReconciliation,
    services::CODEBUILD,
    usage::{ChargeKind, UsageRecord},
    why::MonthChange,
};

/// Everything a page about a month says besides its bill.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The months shown, oldest first, the reported one last; none where the ledger has nothing.
    pub months: Vec<(Month, Option<Bill>)>,
    /// The last of them that is over and the one before it, and what lies between.
    pub change: Option<MonthChange>,
    /// What moves the last month that is over.
    pub sensitivity: Option<Sensitivities>,
    /// Build minutes of the days that are known.
    pub build_minutes: BTreeMap<NaiveDate, Decimal>,
    /// Who caused the reported month.
    pub parts: Vec<Part>,
    /// The reported month beside AWS's bill, by service and in all.
    pub reconciled: (BTreeMap<ServiceCode, Reconciled>, Reconciled),
    /// The month before the reported one, if that is known: what it charges for usage, less the discounts that
    /// recur.
    pub before: Option<(Month, Money)>,
    /// The discounts that recur, as the last month that is over has them.
    pub discounts: Discounts,
    /// Months of which nobody can say what is for which service.
    pub unknown_services: BTreeSet<Month>,
}

/// What moves a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sensitivities {
    /// Which.
    pub month: Month,
    /// What it cost.
    pub baseline: Money,
    /// How far each meter was moved, in percent.
    pub percent: Decimal,
    /// The strongest first.
    pub meters: Vec<Sensitivity>,
}

/// What things cost over months. Every column adds up to its bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trend {
    /// The dearest first: a service and its cost in each month.
    pub services: Vec<(ServiceCode, Vec<Money>)>,
    /// All others together, if there are any.
    pub rest: Option<Vec<Money>>,
}

/// Adds each service up over months; beyond `most` services, the cheapest are taken together.
pub fn trend(bills: &[Option<&Bill>], most: usize) -> Trend {
    let by_month: Vec<BTreeMap<ServiceCode, Money>> = bills
        .iter()
        .map(|bill| bill.map(Bill::by_service).unwrap_or_default())
        .collect();
    let codes: BTreeSet<&ServiceCode> = by_month.iter().flat_map(BTreeMap::keys).collect();
    let mut services: Vec<(ServiceCode, Vec<Money>)> = codes
        .into_iter()
        .map(|code| {
            let cost = |month: &BTreeMap<ServiceCode, Money>| {
                month.get(code).copied().unwrap_or(Money::ZERO)
            };
            (code.clone(), by_month.iter().map(cost).collect())
        })
        .collect();
    services.sort_by_key(|(_, costs)| std::cmp::Reverse(costs.iter().copied().sum::<Money>()));
    let others = if services.len() > most {
        services.split_off(most.saturating_sub(1))
    } else {
        Vec::new()
    };
    let rest = (!others.is_empty()).then(|| {
        (0..bills.len())
            .map(|at| others.iter().map(|(_, costs)| costs[at]).sum())
            .collect()
    });
    Trend { services, rest }
}

/// From one total to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Before.
    pub from: Money,
    /// After.
    pub to: Money,
    /// How much more.
    pub difference: Money,
    /// How much more in percent; none where there was nothing before.
    pub percent: Option<Decimal>,
}

impl Change {
    /// Returns the change between two totals.
    pub fn between(from: Money, to: Money) -> Self {
        let difference = to - from;
        let percent = (from > Money::ZERO)
            .then(|| difference.amount() / from.amount() * Decimal::ONE_HUNDRED);
        Self {
            from,
            to,
            difference,
            percent,
        }
    }
}

/// What a month would cost with less and with more of one meter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sensitivity {
    /// Of what.
    pub meter: Meter,
    /// The lower and the upper quantity.
    pub between: [Quantity; 2],
    /// The change of the bill with the lower quantity.
    pub less: Money,
    /// The change of the bill with the upper quantity.
    pub more: Money,
}

/// Moves each meter of a month down and up by a percentage, the others as they were, and has the
/// month rated again each time. `total` returns what records come to.
pub fn sensitivities<E>(
    records: &[UsageRecord],
    percent: Decimal,
    mut total: impl FnMut(&[UsageRecord]) -> Result<Money, E>,
) -> Result<Vec<Sensitivity>, E> {
    let mut used: BTreeMap<&Meter, Quantity> = BTreeMap::new();
    for record in records {
        if let (Some(quantity), ChargeKind::Usage) = (record.quantity, &record.kind) {
            used.entry(&record.key.meter)
                // A meter in two units keeps the first: its records are moved all the same.
                .and_modify(|sum| *sum = sum.try_add(quantity).unwrap_or(*sum))
                .or_insert(quantity);
        }
    }
    let baseline = total(records)?;
    let part = percent / Decimal::ONE_HUNDRED;
    let factors = [Decimal::ONE - part, Decimal::ONE + part];
    let mut meters = Vec::new();
    for (meter, quantity) in used {
        let less = total(&scaled(records, meter, factors[0]))? - baseline;
        let more = total(&scaled(records, meter, factors[1]))? - baseline;
        meters.push(Sensitivity {
            meter: meter.clone(),
            between: factors.map(|factor| Quantity::new(quantity.value * factor, quantity.unit)),
            less,
            more,
        });
    }
    let size = |one: &Sensitivity| one.more.max(-one.less);
    meters.sort_by_key(|one| std::cmp::Reverse(size(one)));
    Ok(meters)
}

/// Multiplies the usage of one meter.
fn scaled(records: &[UsageRecord], meter: &Meter, factor: Decimal) -> Vec<UsageRecord> {
    let mut scaled = records.to_vec();
    for record in &mut scaled {
        if record.kind == ChargeKind::Usage
            && record.key.meter == *meter
            && let Some(quantity) = &mut record.quantity
        {
            quantity.value *= factor;
            record.consumed = None;
        }
    }
    scaled
}

/// Build minutes a day, those billed by the second included.
pub fn build_minutes(records: &[UsageRecord]) -> BTreeMap<NaiveDate, Decimal> {
    let mut days = BTreeMap::new();
    for record in records {
        let build = record.key.meter.service.as_str() == CODEBUILD;
        let Some(quantity) = record.quantity.filter(|_| build) else {
            continue;
        };
        if record.kind != ChargeKind::Usage {
            continue;
        }
        let minutes = match quantity.unit {
            Unit::Minute => quantity.value,
            Unit::Second => quantity.value / Decimal::from(60),
            _ => continue,
        };
        *days.entry(record.day).or_insert(Decimal::ZERO) += minutes;
    }
    days
}

/// One service of a reconciliation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reconciled {
    /// What we rate it at.
    pub ours: Money,
    /// What AWS charged for the lines that a bill tells of.
    pub billed: Money,
    /// The difference over those lines.
    pub difference: Money,
    /// The part of it that has a reason.
    pub explained: Money,
    /// The part that has none.
    pub unexplained: Money,
    /// Lines that no bill tells of.
    pub unbilled: usize,
}

impl Reconciled {
    fn add(&mut self, comparison: &LineReconciliation) {
        self.ours += comparison.ours;
        let Some(billed) = comparison.billed else {
            self.unbilled += 1;
            return;
        };
        let difference = comparison.ours - billed;
        self.billed += billed;
        self.difference += difference;
        self.unexplained += comparison.unexplained;
        self.explained += difference - comparison.unexplained;
    }
}

/// Adds a reconciliation up by service. Returns the sum of all too.
pub fn reconciled(
    bill: &Bill,
    comparisons: &[LineReconciliation],
) -> (BTreeMap<ServiceCode, Reconciled>, Reconciled) {
    let mut services: BTreeMap<ServiceCode, Reconciled> = BTreeMap::new();
    let mut sum = Reconciled::default();
    for comparison in comparisons {
        let service = &bill.lines[comparison.line].key.meter.service;
        services.entry(service.clone()).or_default().add(comparison);
        sum.add(comparison);
    }
    (services, sum)
}

/// A part of a bill with its share of the whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Whose, or what is taken together.
    pub name: String,
    /// How many parts are taken together here; 1 for a part of its own.
    pub parts: usize,
    /// Its cost.
    pub cost: Money,
    /// It has usage without a price.
    pub partial: bool,
    /// Of all costs above nothing, in percent; none where it is not above nothing itself.
    pub percent: Option<Decimal>,
}

/// Returns the dearest parts, all others together, and last what belongs to nobody.
pub fn largest(shares: &[Share], most: usize) -> Vec<Part> {
    let positive: Money = shares
        .iter()
        .map(|share| share.cost)
        .filter(|cost| *cost > Money::ZERO)
        .sum();
    let part = |name: String, parts: &[&Share]| {
        let cost: Money = parts.iter().map(|share| share.cost).sum();
        Part {
            name,
            parts: parts.len(),
            cost,
            partial: parts.iter().any(|share| share.partial),
            percent: (cost > Money::ZERO)
                .then(|| cost.amount() / positive.amount() * Decimal::ONE_HUNDRED),
        }
    };
    let (nobody, owned): (Vec<&Share>, Vec<&Share>) =
        shares.iter().partition(|share| share.residual);
    let shown = if owned.len() > most {
        most.saturating_sub(1)
    } else {
        owned.len()
    };
    let (large, small) = owned.split_at(shown);
    let mut parts: Vec<Part> = large
        .iter()
        .map(|share| part(share.part.clone(), &[*share]))
        .collect();
    if !small.is_empty() {
        parts.push(part(String::new(), small));
    }
    parts.extend(
        nobody
            .iter()
            .map(|share| part(share.part.clone(), &[*share])),
    );
    parts
}
