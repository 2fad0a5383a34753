//! Our rating beside what AWS charged, line by line, with every difference explained.
//!
//! For a line of one price the difference splits exactly:
//! `ours - billed = free units x price + units x (our price - billed price) + rounding by AWS`,
//! as long as the bill's rows are their own quantity at their own rate.
//! What no part explains is named, never spread.

use rust_decimal::Decimal;

use super::{
    bill::LineItem,
    money::Money,
    rating::Rated,
    usage::{ChargeKind, UsageRecord},
};

/// One line of ours beside AWS's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// Which line of the bill, by position.
    pub line: usize,
    /// What we rate it at.
    pub ours: Money,
    /// What AWS charged; none where no bill says.
    pub billed: Option<Money>,
    /// We gave this many free units less than AWS, at their price.
    pub free_tier: Money,
    /// Our price is another than the billed one.
    pub price: Money,
    /// AWS rounded its rows.
    pub rounding: Money,
    /// The stated discount, which AWS's rows do not show.
    pub discount: Money,
    /// What is left.
    pub unexplained: Money,
    /// The line has units without a price: nothing here explains those.
    pub unpriced: bool,
}

impl Comparison {
    /// Returns how much more we say than AWS; none where no bill says.
    pub fn difference(&self) -> Option<Money> {
        self.billed.map(|billed| self.ours - billed)
    }
}

/// Compares every line of a bill with the records it was rated from.
pub fn reconcile(rated: &Rated, records: &[UsageRecord]) -> Vec<Comparison> {
    let bill = &rated.bill;
    let mut facts = vec![BilledFacts::default(); bill.lines.len()];
    for (record, line) in records.iter().zip(&rated.line_of) {
        if let Some(line) = line {
            facts[*line].add(record);
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
    /// Some rows state no rate.
    rates_unknown: bool,
}

impl BilledFacts {
    fn add(&mut self, record: &UsageRecord) {
        let (Some(quantity), Some(billed)) = (record.quantity, &record.billed) else {
            return;
        };
        if record.kind != ChargeKind::Usage {
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

fn compare(at: usize, line: &LineItem, facts: &BilledFacts) -> Comparison {
    let mut comparison = Comparison {
        line: at,
        ours: line.cost,
        billed: line.aws_cost,
        free_tier: Money::ZERO,
        price: Money::ZERO,
        rounding: Money::ZERO,
        discount: -line.discount,
        unexplained: Money::ZERO,
        unpriced: line.unpriced.is_some(),
    };
    let Some(difference) = comparison.difference() else {
        return comparison;
    };
    if let (Some(usage), Some(unit_price)) = (&line.usage, single_price(line)) {
        comparison.free_tier = Money::of(usage.free_on_bill - usage.covered, unit_price);
        if !facts.rates_unknown {
            comparison.price = Money::of(facts.paid, unit_price) - facts.at_row_rates;
            comparison.rounding = facts.rounded;
        }
    }
    let explained =
        comparison.free_tier + comparison.price + comparison.rounding + comparison.discount;
    comparison.unexplained = difference - explained;
    comparison
}

/// Returns the one price of a line: tiers have several, and a line wholly free shows none.
fn single_price(line: &LineItem) -> Option<Decimal> {
    if line.unpriced.is_some() {
        return None;
    }
    match &line.steps[..] {
        [] => line.usage.as_ref().map(|_| Decimal::ZERO),
        [first, rest @ ..] if rest.iter().all(|step| step.unit_price == first.unit_price) => {
            Some(first.unit_price)
        }
        _ => None,
    }
}
