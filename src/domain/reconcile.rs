//! Our rating beside what AWS charged, line by line, with every difference explained.
//!
//! For a line of one price the difference splits exactly:
//! `ours - billed = free units x price + units x (our price - billed price) + rounding by AWS`,
//! as long as the bill's rows are their own quantity at their own rate. What no cause explains is
//! named, never spread: the causes and the unexplained rest add up to the difference.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    bill::LineItem,
    money::Money,
    period::Month,
    rating::Rated,
    usage::{ChargeKind, UsageRecord},
};

/// Why our cost is another than AWS's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// The free units went to other lines, or there were more or fewer of them.
    FreeTier,
    /// Our price is another than the billed one.
    Price,
    /// AWS rounded its rows.
    Rounding,
    /// The stated discount, which AWS's rows do not show.
    Discount,
    /// Rows of an earlier month: AWS rated them with that month's free units and tiers.
    LateData,
    /// AWS charged for units whose price we do not know.
    UnknownPrice,
}

impl Cause {
    /// Every one with its name in files and what people read.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::FreeTier, "free_tier", "free tier"),
        (Self::Price, "price", "price"),
        (Self::Rounding, "rounding", "rounding"),
        (Self::Discount, "discount", "discount"),
        (Self::LateData, "late_data", "late data"),
        (Self::UnknownPrice, "unknown_price", "unknown price"),
    ];
}

/// One line of ours beside AWS's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineReconciliation {
    /// Which line of the bill, by position.
    pub line: usize,
    /// What we rate it at.
    pub ours: Money,
    /// What AWS charged; none where no bill says.
    pub billed: Option<Money>,
    /// What each cause makes of the difference; those that make nothing are left out.
    pub causes: BTreeMap<Cause, Money>,
    /// What is left.
    pub unexplained: Money,
    /// The line has units without a price.
    pub unpriced: bool,
}

impl LineReconciliation {
    /// Returns how much more we say than AWS; none where no bill says.
    pub fn difference(&self) -> Option<Money> {
        self.billed.map(|billed| self.ours - billed)
    }

    /// Returns what a cause makes of the difference.
    pub fn of(&self, cause: Cause) -> Money {
        self.causes.get(&cause).copied().unwrap_or_default()
    }
}

/// Returns what lines come to: ours, AWS's, their difference, and what of it is unexplained.
pub fn totals(comparisons: &[LineReconciliation]) -> [Money; 4] {
    let all = || comparisons.iter();
    [
        all().map(|line| line.ours).sum(),
        all().filter_map(|line| line.billed).sum(),
        all().filter_map(LineReconciliation::difference).sum(),
        all().map(|line| line.unexplained).sum(),
    ]
}

/// What the causes amount to over all lines.
pub fn by_cause(comparisons: &[LineReconciliation]) -> BTreeMap<Cause, Money> {
    let mut sums = BTreeMap::new();
    for comparison in comparisons
        .iter()
        .filter(|comparison| comparison.billed.is_some())
    {
        for (cause, amount) in &comparison.causes {
            *sums.entry(*cause).or_insert(Money::ZERO) += *amount;
        }
    }
    sums
}

/// Compares every line of a bill with the records it was rated from.
pub fn reconcile(rated: &Rated, records: &[UsageRecord]) -> Vec<LineReconciliation> {
    let bill = &rated.bill;
    let mut facts = vec![BilledFacts::default(); bill.lines.len()];
    for (record, line) in records.iter().zip(&rated.line_of) {
        if let Some(line) = line {
            facts[*line].add(record, bill.month);
        }
    }
    let compare =
        |(at, (line, facts)): (usize, (&LineItem, BilledFacts))| compare(at, line, &facts);
    bill.lines
        .iter()
        .zip(facts)
        .enumerate()
        .map(compare)
        .collect()
}

/// AWS rounds a row at its tenth decimal place; a day holds a thousand rows at most. What is off
/// by more than that is not rounding.
const ROUNDING_MAX: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// What the bill's own rows say about a line.
#[derive(Clone, Default)]
struct BilledFacts {
    /// Paid units and what they cost at the rates of their rows.
    paid: Decimal,
    at_row_rates: Money,
    paid_cost: Money,
    /// What rounding made of it, row by row.
    rounded: Money,
    /// Paid units by the rate of their rows.
    by_rate: BTreeMap<Decimal, Decimal>,
    /// Some rows state no rate.
    rates_unknown: bool,
    /// Units and cost of rows whose day lies before the month.
    late: (Decimal, Money),
}

impl BilledFacts {
    fn add(&mut self, record: &UsageRecord, month: Month) {
        let (Some(quantity), Some(billed)) = (record.quantity, &record.billed) else {
            return;
        };
        if record.kind != ChargeKind::Usage {
            return;
        }
        let free = billed.cost.is_zero() && billed.rate.is_none_or(|rate| rate.is_zero());
        if record.day < month.first_day() && !free {
            self.late.0 += quantity.value;
            self.late.1 += billed.cost;
            return;
        }
        match billed.rate {
            // Free units, whatever their text says: the line counts them.
            Some(rate) if rate.is_zero() && billed.cost.is_zero() => {}
            None if billed.cost.is_zero() => {}
            Some(rate) => {
                let at_rate = Money::of(quantity.value, rate);
                self.paid += quantity.value;
                self.at_row_rates += at_rate;
                *self.by_rate.entry(rate).or_default() += quantity.value;
                self.paid_cost += billed.cost;
                if (at_rate - billed.cost).amount().abs() <= ROUNDING_MAX {
                    self.rounded += at_rate - billed.cost;
                }
            }
            None => {
                self.paid += quantity.value;
                self.paid_cost += billed.cost;
                self.rates_unknown = true;
            }
        }
    }
}

impl BilledFacts {
    /// Returns what AWS charged for units that have no price here, others of the line having this one.
    /// Rows do not say which units those are: first the ones at other rates, at their mean.
    fn charged_for(&self, unknown: Decimal, unit_price: Decimal) -> Money {
        let others = || self.by_rate.iter().filter(|(rate, _)| **rate != unit_price);
        let units: Decimal = others().map(|(_, units)| *units).sum();
        let cost: Money = others().map(|(rate, units)| Money::of(*units, *rate)).sum();
        match units.checked_div(unknown) {
            None => Money::ZERO,
            Some(share) if share <= Decimal::ONE => cost + Money::of(unknown - units, unit_price),
            Some(_) => Money::of(cost.amount() / units, unknown),
        }
    }
}

fn compare(at: usize, line: &LineItem, facts: &BilledFacts) -> LineReconciliation {
    let mut comparison = LineReconciliation {
        line: at,
        ours: line.cost,
        billed: line.aws_cost,
        causes: BTreeMap::new(),
        unexplained: Money::ZERO,
        unpriced: line.unpriced.is_some(),
    };
    let Some(difference) = comparison.difference() else {
        return comparison;
    };
    let mut rest = difference;
    let mut explain = |cause: Cause, amount: Money| {
        if !amount.is_zero() {
            comparison.causes.insert(cause, amount);
            rest -= amount;
        }
    };
    explain(Cause::Discount, -line.discount);
    if let (Some(usage), Some(unit_price)) = (&line.usage, single_price(line)) {
        let (late_units, late_cost) = facts.late;
        let free = Money::of(usage.free_on_bill - usage.covered, unit_price);
        explain(Cause::FreeTier, free);
        explain(
            Cause::LateData,
            Money::of(late_units, unit_price) - late_cost,
        );
        let unknown = line
            .unpriced
            .as_ref()
            .map_or(Decimal::ZERO, |(q, _)| q.value);
        if !facts.rates_unknown && unknown <= facts.paid {
            let charged = facts.charged_for(unknown, unit_price);
            let known = facts.at_row_rates - charged;
            let price = Money::of(facts.paid - unknown, unit_price) - known;
            explain(Cause::UnknownPrice, -charged);
            explain(Cause::Price, price);
            explain(Cause::Rounding, facts.rounded);
        }
    } else if line.status() == "unpriced" {
        // Nothing of the line has a price: whatever AWS charged for it is what we do not know.
        explain(Cause::UnknownPrice, -(facts.paid_cost + facts.late.1));
    }
    comparison.unexplained = rest;
    comparison
}

/// Returns the one price of what a line has a price for: tiers have several, and a line wholly free
/// shows none.
fn single_price(line: &LineItem) -> Option<Decimal> {
    match &line.steps[..] {
        [] if line.unpriced.is_some() => None,
        [] => line.usage.as_ref().map(|_| Decimal::ZERO),
        [first, rest @ ..] if rest.iter().all(|step| step.unit_price == first.unit_price) => {
            Some(first.unit_price)
        }
        _ => None,
    }
}
