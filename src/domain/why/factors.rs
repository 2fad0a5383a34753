//! From the work of one month to that of another, one factor after the other.
//!
//! A cost is *builds × what fails beside them × their sizes × their durations × rounding up × prices*. Each
//! factor is exchanged in this order, from the first month to the second and back again, and the two ways
//! are averaged: so the causes add up, and swapping the months turns each around.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::{ids::Meter, money::Money};

/// Decimals that values are rounded to; who asks knows the exact costs, and where the rest belongs.
const DECIMALS: u32 = 12;

/// What a cost is a product of, in the order of exchange.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Factor {
    Count,
    Failures,
    Mix,
    Duration,
    Rounding,
    Price,
}

pub(super) const FACTORS: [Factor; 6] = [
    Factor::Count,
    Factor::Failures,
    Factor::Mix,
    Factor::Duration,
    Factor::Rounding,
    Factor::Price,
];

/// Things of one outcome and meter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Load {
    /// How many.
    pub(super) count: Decimal,
    /// How long they took, in milliseconds.
    pub(super) milliseconds: Decimal,
    /// What is billed of them.
    pub(super) units: Decimal,
    /// Milliseconds of a billed unit.
    pub(super) unit: Decimal,
    /// The price of a unit, where it is known.
    pub(super) price: Option<Decimal>,
}

/// The work of a month, by outcome and meter.
pub(super) type Loads = BTreeMap<(bool, Meter), Load>;

/// One month as the factors see it.
struct Month<'l> {
    loads: &'l Loads,
    count: Decimal,
    failed: Decimal,
    mean: Decimal,
}

impl<'l> Month<'l> {
    fn of(loads: &'l Loads) -> Option<Self> {
        let count: Decimal = loads.values().map(|load| load.count).sum();
        if loads.values().any(|load| load.count <= Decimal::ZERO) || count.is_zero() {
            return None;
        }
        let of_failed = loads.iter().filter(|((failed, _), _)| *failed);
        let milliseconds: Decimal = loads.values().map(|load| load.milliseconds).sum();
        Some(Self {
            loads,
            count,
            failed: of_failed.map(|(_, load)| load.count).sum(),
            mean: milliseconds / count,
        })
    }

    fn value(&self) -> Decimal {
        let price = |load: &Load| load.price.unwrap_or_default();
        self.loads
            .values()
            .map(|load| load.units * price(load))
            .sum()
    }

    /// Failed ones beside each that succeeded.
    fn failures(&self) -> Decimal {
        self.failed / (self.count - self.failed)
    }

    fn of_outcome(&self, failed: bool) -> Decimal {
        if failed {
            self.failed
        } else {
            self.count - self.failed
        }
    }

    fn duration(&self, cell: &(bool, Meter)) -> Decimal {
        let own = self.loads.get(cell);
        own.map_or(self.mean, |load| load.milliseconds / load.count)
    }

    fn rounding(&self, cell: &(bool, Meter)) -> Option<Decimal> {
        let load = self.loads.get(cell)?;
        Some((load.units * load.unit - load.milliseconds) / load.count)
    }

    fn price(&self, cell: &(bool, Meter)) -> Option<Decimal> {
        let own = self.loads.get(cell).and_then(|load| load.price);
        let same_meter = || {
            let mut others = self.loads.iter().filter(|((_, meter), _)| *meter == cell.1);
            others.find_map(|(_, load)| load.price)
        };
        own.or_else(same_meter)
    }
}

/// Both months, and which of them each factor is taken from.
struct Between<'l> {
    months: [Month<'l>; 2],
    cells: BTreeSet<&'l (bool, Meter)>,
}

impl Between<'_> {
    /// The cost with each factor as in the month that `from` says: 0 or 1.
    fn value(&self, from: [usize; FACTORS.len()]) -> Decimal {
        if from.iter().all(|at| *at == from[0]) {
            return self.months[from[0]].value().round_dp(DECIMALS);
        }
        let month = |factor: Factor| &self.months[from[factor as usize]];
        let other = |factor: Factor| &self.months[1 - from[factor as usize]];
        let succeeded = month(Factor::Count).of_outcome(false);
        let mut sum = Decimal::ZERO;
        for cell in &self.cells {
            let things = if cell.0 {
                succeeded * month(Factor::Failures).failures()
            } else {
                succeeded
            };
            // A month without failures says nothing of the sizes they would have.
            let mix = if month(Factor::Mix).of_outcome(cell.0).is_zero() {
                other(Factor::Mix)
            } else {
                month(Factor::Mix)
            };
            let of_outcome = mix.of_outcome(cell.0);
            let Some(load) = mix.loads.get(*cell).filter(|_| !of_outcome.is_zero()) else {
                continue;
            };
            let share = load.count / of_outcome;
            let rounding = month(Factor::Rounding).rounding(cell);
            let rounding = rounding.or_else(|| other(Factor::Rounding).rounding(cell));
            let price = month(Factor::Price).price(cell);
            let price = price.or_else(|| other(Factor::Price).price(cell));
            let each = month(Factor::Duration).duration(cell) + rounding.unwrap_or_default();
            sum += things * share * (each / load.unit) * price.unwrap_or_default();
        }
        sum.round_dp(DECIMALS)
    }

    /// What each factor adds on the way from one month to the other.
    fn way(&self, start: usize) -> [Decimal; FACTORS.len()] {
        let mut from = [start; FACTORS.len()];
        let mut value = self.value(from);
        let mut steps = [Decimal::ZERO; FACTORS.len()];
        for (at, step) in steps.iter_mut().enumerate() {
            from[at] = 1 - start;
            let next = self.value(from);
            *step = next - value;
            value = next;
        }
        steps
    }
}

/// Returns what each factor adds to the cost of the work of a month to make that of another; none
/// where there is no work in one of them.
pub(super) fn factors(before: &Loads, after: &Loads) -> Option<[Money; FACTORS.len()]> {
    let (mut before, mut after) = (before.clone(), after.clone());
    let no_success = |loads: &Loads| loads.keys().all(|(failed, _)| *failed);
    if no_success(&before) || no_success(&after) {
        before = without_outcome(before);
        after = without_outcome(after);
    }
    let between = Between {
        months: [Month::of(&before)?, Month::of(&after)?],
        cells: before.keys().chain(after.keys()).collect(),
    };
    let (there, back) = (between.way(0), between.way(1));
    let mut causes = [Money::ZERO; FACTORS.len()];
    for (cause, (there, back)) in causes.iter_mut().zip(there.into_iter().zip(back)) {
        *cause = Money::new((there - back) / Decimal::TWO);
    }
    Some(causes)
}

/// Nothing succeeded in a month: there is nothing to count failures beside.
fn without_outcome(loads: Loads) -> Loads {
    let mut joined = Loads::new();
    for ((_, meter), load) in loads {
        match joined.get_mut(&(false, meter.clone())) {
            Some(sum) => {
                sum.count += load.count;
                sum.milliseconds += load.milliseconds;
                sum.units += load.units;
            }
            None => {
                joined.insert((false, meter), load);
            }
        }
    }
    joined
}
