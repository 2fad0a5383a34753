//! A baseline beside a scenario: each month rated whole, under both.

mod rater;

pub use self::rater::{ScenarioRater, Value};
use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    apply::ChangeCoverage,
    change::{Change, Scenario},
    remark::{Assumption, Unknown, Warning},
    waterfall::{MOST_IN_EVERY_ORDER, Waterfall, WaterfallStep, contributions},
};
use crate::domain::{
    bill::Bill, ids::ServiceCode, money::Money, number::plain, period::Month, quantity::Quantity,
    rating::RatingError,
};

/// Which sides are the whole, everything in them having a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Completeness {
    /// The baseline is.
    pub baseline: bool,
    /// The scenario is.
    pub scenario: bool,
}

impl Default for Completeness {
    fn default() -> Self {
        Self {
            baseline: true,
            scenario: true,
        }
    }
}

impl Completeness {
    /// Tells whether both are, so that their difference is known.
    pub fn both(self) -> bool {
        self.baseline && self.scenario
    }

    /// Returns which sides are the whole here and there.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            baseline: self.baseline && other.baseline,
            scenario: self.scenario && other.scenario,
        }
    }
}

/// A meter under both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterDifference {
    /// Its service.
    pub service: ServiceCode,
    /// What a table calls it.
    pub name: String,
    /// Quantity in the baseline, if it is used there.
    pub quantity_before: Option<Quantity>,
    /// Quantity in the scenario.
    pub quantity_after: Option<Quantity>,
    /// Cost in the baseline.
    pub before: Money,
    /// Cost in the scenario.
    pub after: Money,
    /// `priced`, `partial` or `unpriced` in the baseline.
    pub status_before: &'static str,
    /// The same in the scenario.
    pub status_after: &'static str,
}

impl MeterDifference {
    /// Returns what the scenario adds.
    pub fn difference(&self) -> Money {
        self.after - self.before
    }

    /// Returns `priced`, or the worse of both.
    pub fn status(&self) -> &'static str {
        match self.status_before {
            "priced" => self.status_after,
            status => status,
        }
    }
}

/// A month under both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MonthComparison {
    /// Which.
    pub month: Month,
    /// What the baseline costs.
    pub baseline: Money,
    /// What the scenario costs.
    pub scenario: Money,
    /// What it adds; below zero for a saving.
    pub difference: Money,
    /// Which of both are the whole.
    pub complete: Completeness,
}

/// A scenario beside its baseline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// The scenario.
    pub scenario: Scenario,
    /// Month by month, in order.
    pub months: Vec<MonthComparison>,
    /// All months together.
    pub total: Totals,
    /// Cause by cause, over all months.
    pub waterfall: Waterfall,
    /// Meter by meter, over all months; those of the baseline first.
    pub meters: Vec<MeterDifference>,
    /// How far each change reached, over all months, in the order of the changes.
    pub reach: Vec<ChangeCoverage>,
    /// What could break.
    pub warnings: Vec<Warning>,
    /// What the figures assume.
    pub assumptions: Vec<Assumption>,
    /// What has no price or cannot be known: the totals are partial.
    pub unknown: Vec<Unknown>,
    /// Somewhere in it pipelines without recorded runs were taken to be like others.
    pub guessed: bool,
    /// The oldest day of the price lists that it rests on.
    pub oldest_price: Option<NaiveDate>,
}

/// Costs over all months.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Of the baseline.
    pub baseline: Money,
    /// Of the scenario.
    pub scenario: Money,
    /// What the scenario adds; below zero for a saving.
    pub difference: Money,
    /// Which of both are the whole.
    pub whole: Completeness,
}

impl Totals {
    /// Returns the difference in percent of the baseline.
    pub fn percent(&self) -> Option<Decimal> {
        percent_of(self.difference, self.baseline)
    }
}

impl MonthComparison {
    /// Returns the difference in percent of the baseline.
    pub fn percent(&self) -> Option<Decimal> {
        percent_of(self.difference, self.baseline)
    }
}

/// Returns an amount in percent of another; none of nothing.
pub fn percent_of(amount: Money, of: Money) -> Option<Decimal> {
    let share = amount.amount().checked_div(of.amount())?;
    Some((share * Decimal::ONE_HUNDRED).round_dp(2))
}

/// Compares a scenario with its baseline over months.
pub fn compare(
    months: &[ScenarioRater<'_>],
    scenario: &Scenario,
) -> Result<Comparison, RatingError> {
    let changes: Vec<&Change> = scenario.changes.iter().collect();
    let mut compared = Vec::new();
    let mut totals = Totals::default();
    let mut meters: Vec<MeterDifference> = Vec::new();
    let mut reach = vec![ChangeCoverage::default(); changes.len()];
    let (mut warnings, mut assumptions, mut unknown) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut steps = vec![Money::ZERO; changes.len()];
    let (mut has_steps, mut every_order, mut guessed) = (true, true, false);
    let mut oldest_price: Option<NaiveDate> = None;
    for rater in months {
        let before = rater.value(&[])?;
        let after = rater.value(&changes)?;
        let whole = Completeness {
            baseline: before.is_complete(),
            scenario: after.is_complete(),
        };
        let (baseline, cost) = (before.bill.total(), after.bill.total());
        compared.push(MonthComparison {
            month: rater.workload.month,
            baseline,
            scenario: cost,
            difference: cost - baseline,
            complete: whole,
        });
        totals.baseline += baseline;
        totals.scenario += cost;
        totals.whole = totals.whole.and(whole);
        for value in [&before, &after] {
            oldest_price = oldest_price
                .into_iter()
                .chain(value.bill.oldest_price())
                .min();
            unknown.extend(unpriced(value));
        }
        add_meters(&mut meters, &before.bill, false);
        add_meters(&mut meters, &after.bill, true);
        for (sum, of_month) in reach.iter_mut().zip(&after.applied.reach) {
            sum.builds += of_month.builds;
            sum.pipelines += of_month.pipelines;
            for (unit, quantity) in &of_month.totals {
                *sum.totals.entry(*unit).or_default() += *quantity;
            }
        }
        guessed |= after.applied.guessed;
        warnings.extend(after.applied.warnings);
        assumptions.extend(after.applied.assumptions);
        let of_month = contributions(changes.len(), |taken| {
            if taken.is_empty() {
                return Ok(Some(baseline));
            }
            if taken.len() == changes.len() {
                return Ok(Some(cost));
            }
            let taken: Vec<&Change> = taken.iter().map(|at| changes[*at]).collect();
            let between = rater.value(&taken)?;
            // Between two known totals a price that is missing would show as money saved.
            let counts = between.is_complete() || !whole.both();
            Ok(counts.then(|| between.bill.total()))
        })?;
        match of_month {
            Some((of_month, all_orders)) => {
                every_order &= all_orders;
                for (sum, step) in steps.iter_mut().zip(of_month) {
                    *sum += step;
                }
            }
            None => has_steps = false,
        }
    }
    totals.difference = totals.scenario - totals.baseline;
    if !has_steps {
        steps.clear();
    }
    Ok(Comparison {
        months: compared,
        total: totals,
        waterfall: Waterfall {
            baseline: totals.baseline,
            steps: changes
                .iter()
                .zip(steps)
                .map(|(change, amount)| WaterfallStep {
                    label: change.to_string(),
                    amount,
                    is_rest: false,
                })
                .collect(),
            scenario: totals.scenario,
            order_free: changes.len() <= MOST_IN_EVERY_ORDER,
            every_order,
        },
        meters,
        reach,
        warnings: warnings.into_iter().collect(),
        assumptions: assumptions.into_iter().collect(),
        unknown: unknown.into_iter().collect(),
        guessed,
        oldest_price,
        scenario: scenario.clone(),
    })
}

/// Names what has no price or cannot be known.
pub fn unpriced(value: &Value) -> BTreeSet<Unknown> {
    let lines = value.bill.unpriced().filter_map(|line| {
        let (_, reason) = line.unpriced.as_ref()?;
        Some(Unknown::Price {
            meter: line.key.meter.clone(),
            region: line.key.region.clone(),
            reason: reason.clone(),
        })
    });
    lines.chain(value.applied.unknown.iter().cloned()).collect()
}

fn add_meters(meters: &mut Vec<MeterDifference>, bill: &Bill, after: bool) {
    for sum in bill.by_meter() {
        let same =
            |known: &&mut MeterDifference| known.service == sum.service && known.name == sum.name;
        if !meters.iter_mut().any(|known| same(&known)) {
            meters.push(MeterDifference {
                service: sum.service.clone(),
                name: sum.name.clone(),
                quantity_before: None,
                quantity_after: None,
                before: Money::ZERO,
                after: Money::ZERO,
                status_before: "priced",
                status_after: "priced",
            });
        }
        let Some(known) = meters.iter_mut().find(same) else {
            continue;
        };
        let (quantity, cost, status) = if after {
            let status = &mut known.status_after;
            (&mut known.quantity_after, &mut known.after, status)
        } else {
            let status = &mut known.status_before;
            (&mut known.quantity_before, &mut known.before, status)
        };
        *cost += sum.cost;
        *quantity = match (*quantity, sum.billed) {
            (Some(a), Some(b)) => Some(a.try_add(b).unwrap_or(a)),
            (a, b) => a.or(b),
        };
        if sum.status != "priced" {
            *status = sum.status;
        }
    }
}

/// Writes a factor as a percentage more or less.
pub(super) fn as_percent(factor: Decimal) -> String {
    let percent = (factor - Decimal::ONE) * Decimal::ONE_HUNDRED;
    let sign = if percent.is_sign_negative() { "" } else { "+" };
    format!("{sign}{} %", plain(percent.round_dp(1)))
}
