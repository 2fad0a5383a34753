//! Month by month: what was, and what may come.

use super::{AheadMonth, AheadSum, ScenarioItem, ScenarioMonth, Shown, difference, percent};
use crate::report::{
    Cell, Column, Table,
    value::{Amount, Calendar, Row},
};
use crate::{
    domain::{ids::Currency, percentiles::Percentiles, scenario::Totals},
    forecast::{Compared, ComparedMonth},
};

pub(super) fn amounts(range: Percentiles, currency: &Currency) -> [Amount; 3] {
    [range.p10, range.p50, range.p90].map(|amount| Amount::new(amount, currency))
}

pub(super) fn of_month(month: Calendar, total: &Totals, currency: &Currency) -> ScenarioMonth {
    ScenarioMonth {
        month,
        baseline: Amount::of(total.baseline, currency, total.whole.baseline),
        scenario: Amount::of(total.scenario, currency, total.whole.scenario),
        difference: difference(total, currency),
        percent: percent(total),
        complete: total.whole.both(),
        baseline_complete: total.whole.baseline,
        scenario_complete: total.whole.scenario,
        currency: currency.to_string(),
    }
}

pub(super) fn by_month(shown: &[Shown<'_>], items: &[ScenarioItem], currency: &Currency) -> Table {
    let tables = shown.iter().zip(items).map(|(it, item)| {
        let mut table = Table::of(&item.months);
        if let [first, _, ..] = &it.comparison.months[..] {
            let mut total = of_month(Calendar(first.month), &it.comparison.total, currency).cells();
            total[0] = Cell::text(format!("{} months", item.months.len()));
            table.totals.push(total);
        }
        table.labelled(Column::new("Scenario", "scenario_name", 0), &item.name)
    });
    let mut table = Table::joined(tables);
    // Rows of several months are nothing without it.
    if shown.iter().any(|it| it.comparison.months.len() > 1) {
        table.columns[1].drop = 0;
    }
    table
}

pub(super) fn to_come(ahead: &Compared, item: &ScenarioItem, currency: &Currency) -> Table {
    let months: Vec<AheadMonth> = ahead
        .months
        .iter()
        .map(|it| ahead_month(it, currency))
        .collect();
    let mut table = Table::of(&months);
    if let [first, _, ..] = &ahead.months[..] {
        let [baseline, scenario, difference] = ahead.sum;
        let sum = ComparedMonth {
            month: first.month,
            baseline,
            scenario,
            difference,
        };
        let mut total = ahead_month(&sum, currency).cells();
        total[0] = Cell::text(format!("{} months", months.len()));
        table.totals.push(total);
    }
    table.labelled(Column::new("Scenario", "scenario_name", 0), &item.name)
}

pub(super) fn ahead_month(month: &ComparedMonth, currency: &Currency) -> AheadMonth {
    let [baseline_p10, baseline_p50, baseline_p90] = amounts(month.baseline, currency);
    let [scenario_p10, scenario_p50, scenario_p90] = amounts(month.scenario, currency);
    let [difference_p10, difference_p50, difference_p90] = amounts(month.difference, currency);
    AheadMonth {
        month: Calendar(month.month),
        baseline_p10,
        baseline_p50,
        baseline_p90,
        scenario_p10,
        scenario_p50,
        scenario_p90,
        difference_p10,
        difference_p50,
        difference_p90,
        currency: currency.to_string(),
    }
}

pub(super) fn ahead_sum(ahead: &Compared, currency: &Currency) -> AheadSum {
    let [baseline, scenario, difference] = ahead.sum;
    let [baseline_p10, baseline_p50, baseline_p90] = amounts(baseline, currency);
    let [scenario_p10, scenario_p50, scenario_p90] = amounts(scenario, currency);
    let [difference_p10, difference_p50, difference_p90] = amounts(difference, currency);
    AheadSum {
        baseline_p10,
        baseline_p50,
        baseline_p90,
        scenario_p10,
        scenario_p50,
        scenario_p90,
        difference_p10,
        difference_p50,
        difference_p90,
    }
}
