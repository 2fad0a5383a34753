//! A scenario beside the month it is compared with, step by step.

use super::{
    discounts::Discounts,
    ids::Currency,
    money::Money,
    optimize::{BestCombination, Optimization},
    percentiles::Percentiles,
    period::Month,
    rating::RatingError,
    scenario::{
        Change, Comparison, Completeness, Scenario, ScenarioRater, Totals,
        remark::{Assumption, Unknown, Warning},
        waterfall::{Waterfall, WaterfallStep, contributions},
    },
};

/// Steps with a name of their own; the others are taken together.
const NAMED: usize = 7;

/// What a scenario would have made of a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioSummary {
    /// The scenario.
    pub scenario: Scenario,
    /// The savings that were found and go together, and nobody's own scenario.
    pub found: bool,
    /// The month.
    pub month: Month,
    /// Both totals.
    pub total: Totals,
    /// What of both is for logs and artifacts in storage, which the month's bill leaves out.
    pub stored: Money,
    /// From one to the other; a handful of steps.
    pub waterfall: Waterfall,
    /// What a month's difference was, P10 to P90, and over how many months; none of one month.
    pub range: Option<(Percentiles, usize)>,
    /// What has no price or cannot be known.
    pub unknown: Vec<Unknown>,
    /// What could break.
    pub warnings: Vec<Warning>,
    /// What the figures assume.
    pub assumptions: Vec<Assumption>,
    /// The discounts of the bills, and which of them are carried.
    pub discounts: Discounts,
    /// What amounts are in.
    pub currency: Currency,
}

impl ScenarioSummary {
    /// Takes a comparison with one month.
    pub fn of(
        comparison: &Comparison,
        range: Option<(Percentiles, usize)>,
        currency: &Currency,
    ) -> Option<Self> {
        let month = comparison.months.first()?.month;
        Some(Self {
            scenario: comparison.scenario.clone(),
            found: false,
            month,
            total: comparison.total,
            stored: Money::ZERO,
            waterfall: shortened(&comparison.waterfall),
            range,
            unknown: comparison.unknown.clone(),
            warnings: comparison.warnings.clone(),
            assumptions: comparison.assumptions.clone(),
            discounts: Discounts::default(),
            currency: currency.clone(),
        })
    }

    /// Takes the findings that go together, a step for each, on the last month they were found in.
    pub fn together(
        found: &Optimization,
        together: &BestCombination,
        month: &ScenarioRater<'_>,
    ) -> Result<Self, RatingError> {
        let findings = || together.findings.iter().map(|at| &found.findings[*at]);
        let named = if together.findings.len() > NAMED + 1 {
            NAMED
        } else {
            NAMED + 1
        };
        let mut steps: Vec<(String, Vec<&Change>, bool)> = findings()
            .take(named)
            .map(|finding| {
                let changes = finding.scenario.changes.iter().collect();
                (finding.subject.clone(), changes, false)
            })
            .collect();
        let others: Vec<&Change> = findings()
            .skip(named)
            .flat_map(|finding| &finding.scenario.changes)
            .collect();
        if !others.is_empty() {
            let count = together.findings.len() - named;
            steps.push((format!("{count} smaller ones"), others, true));
        }
        let mut whole = Completeness {
            baseline: true,
            scenario: true,
        };
        let amounts = contributions(steps.len(), |taken| {
            let changes = taken.iter().flat_map(|at| &steps[*at].1);
            let changes: Vec<&Change> = changes.copied().collect();
            let value = month.value(&changes)?;
            if taken.is_empty() {
                whole.baseline &= value.is_complete();
            } else {
                whole.scenario &= value.is_complete();
            }
            Ok::<_, RatingError>(Some(value.bill.total()))
        })?;
        let (amounts, every_order) = amounts.unwrap_or_default();
        let difference: Money = amounts.iter().copied().sum();
        let baseline = month.total(&[])?;
        let total = Totals {
            baseline,
            scenario: baseline + difference,
            difference,
            whole,
        };
        let saving = together.saving;
        let spread = Percentiles {
            p10: -saving.p90,
            p50: -saving.p50,
            p90: -saving.p10,
        };
        let months = found.months.len();
        Ok(Self {
            scenario: together.scenario.clone(),
            found: true,
            month: month.workload.month,
            total,
            stored: Money::ZERO,
            waterfall: Waterfall {
                baseline: total.baseline,
                order_free: steps.len() <= super::scenario::waterfall::MOST_IN_EVERY_ORDER,
                every_order,
                steps: steps
                    .into_iter()
                    .zip(amounts)
                    .map(|((label, _, is_rest), amount)| WaterfallStep {
                        label,
                        amount,
                        is_rest,
                    })
                    .collect(),
                scenario: total.scenario,
            },
            range: (months > 1).then_some((spread, months)),
            unknown: Vec::new(),
            warnings: Vec::new(),
            assumptions: Vec::new(),
            discounts: Discounts::default(),
            currency: found.currency.clone(),
        })
    }
}

/// Keeps the largest steps, in their order, and takes the others together.
fn shortened(waterfall: &Waterfall) -> Waterfall {
    let mut short = waterfall.clone();
    if short.steps.len() <= NAMED + 1 {
        return short;
    }
    let size = |step: &WaterfallStep| step.amount.max(-step.amount);
    let mut sizes: Vec<Money> = short.steps.iter().map(size).collect();
    sizes.sort_by(|a, b| b.cmp(a));
    let least = sizes[NAMED - 1];
    let (mut kept, mut rest, mut others) = (Vec::new(), Money::ZERO, 0);
    for step in std::mem::take(&mut short.steps) {
        if size(&step) >= least && kept.len() < NAMED {
            kept.push(step);
        } else {
            rest += step.amount;
            others += 1;
        }
    }
    kept.push(WaterfallStep {
        label: format!("{others} more changes"),
        amount: rest,
        is_rest: true,
    });
    short.steps = kept;
    short
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn the_largest_steps_are_kept_and_nothing_is_lost() {
        let amounts = [5, -1, 40, -30, 2, 60, 7, -8, 9, 10];
        let money = |amount: i64| Money::new(Decimal::from(amount));
        let waterfall = Waterfall {
            baseline: money(100),
            steps: amounts
                .iter()
                .map(|amount| WaterfallStep {
                    label: amount.to_string(),
                    amount: money(*amount),
                    is_rest: false,
                })
                .collect(),
            scenario: money(194),
            order_free: false,
            every_order: false,
        };
        let short = shortened(&waterfall);
        let labels: Vec<&str> = short.steps.iter().map(|step| step.label.as_str()).collect();
        assert_eq!(
            labels,
            ["40", "-30", "60", "7", "-8", "9", "10", "3 more changes"]
        );
        assert_eq!(short.steps.last().unwrap().amount, money(6));
        let sum: Money = short.steps.iter().map(|step| step.amount).sum();
        assert_eq!(short.baseline + sum, short.scenario);
    }
}
