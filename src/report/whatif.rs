//! Scenarios beside their baseline, for people and files: one answer for all of them.

mod break_even;
mod months;
mod sweep;
mod tornado;

use self::months::{ahead_month, ahead_sum, amounts, by_month, of_month, to_come};
pub use break_even::{BreakEvenAnswer, break_even};
pub use sweep::{SweepAnswer, sweep};
pub use tornado::{TornadoAnswer, tornado};

use super::{
    Answer, Block, Column, Document, Note, Table,
    chart::{Drawing, Step, Subject, Waterfall},
    value::{Amount, Calendar, Known, Measure, Percent, object, row},
    words,
};
use crate::{
    domain::{
        catalog::Catalog,
        ids::Currency,
        percentiles::Percentiles,
        scenario::{Comparison, MeterDifference, MonthComparison, Totals},
    },
    forecast::Compared,
};

/// P10, P50 and P90 of a month's difference, and what they are of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DifferenceRange {
    /// The range.
    pub spread: Percentiles,
    /// Of what: `the last 12 months`, `10,000 futures`.
    pub over: String,
}

/// One comparison as it is shown.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The comparison.
    pub comparison: &'a Comparison,
    /// The range of its difference.
    pub range: Option<DifferenceRange>,
    /// The months to come, where they are asked for.
    pub ahead: Option<&'a Compared>,
}

object! {
    /// Scenarios beside their baseline.
    pub struct WhatIfAnswer = "pipebill.whatif/1" {
        /// The months or the file they are compared with.
        baseline_period: String,
        /// What every amount is in.
        currency: String,
        /// Whether both sides of every scenario are the whole.
        complete: bool,
        /// The scenarios, in the order asked for.
        scenarios: Vec<ScenarioItem>,
        /// What a reader should know of all of them.
        notes: Vec<Note>,
    }
}

object! {
    /// One scenario and what it makes of the bill.
    pub struct ScenarioItem {
        /// Its name.
        name: String,
        /// Its changes, as `--set` reads them.
        changes: Vec<String>,
        /// What the baseline costs, over all months.
        baseline: Amount,
        /// What the scenario costs.
        scenario: Amount,
        /// What it adds; null if a side is not the whole.
        difference: Known<Amount>,
        /// The difference in percent of the baseline.
        percent: Option<Percent>,
        /// Whether both sides are the whole.
        complete: bool,
        /// Whether the baseline is.
        baseline_complete: bool,
        /// Whether the scenario is.
        scenario_complete: bool,
        /// The months of the baseline.
        months: Vec<ScenarioMonth>,
        /// The range of the difference in a month; null with too little history.
        range: Option<DifferencePercentiles>,
        /// The months to come; null if they are not asked for.
        forecast: Option<AheadItem>,
        /// The meters that change.
        meters: Vec<MeterItem>,
        /// What each change adds: together they are the difference.
        waterfall: Vec<WaterfallItem>,
        /// What has no price or is not known.
        unknown: Vec<Note>,
        /// What could break.
        risks: Vec<Note>,
        /// What the figures assume.
        assumptions: Vec<Note>,
        /// What else a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// A month under both.
    pub struct ScenarioMonth {
        /// The month.
        month: Calendar = shown("Month", 2),
        /// What the baseline costs.
        baseline: Amount = shown("Baseline", 0),
        /// What the scenario costs.
        scenario: Amount = shown("Scenario", 0),
        /// What it adds; null if a side is not the whole.
        difference: Known<Amount> = shown("Difference", 0),
        /// The difference in percent of the baseline.
        percent: Option<Percent> = shown("Change", 1),
        /// Whether both sides are the whole.
        complete: bool = file,
        /// Whether the baseline is.
        baseline_complete: bool = file,
        /// Whether the scenario is.
        scenario_complete: bool = file,
        /// What every amount is in.
        currency: String = file,
    }
}

row! {
    /// The range of a month's difference.
    pub struct DifferencePercentiles {
        /// One in ten is below.
        p10: Amount = shown("P10", 0),
        /// Half are below.
        p50: Amount = shown("P50", 0),
        /// One in ten is above.
        p90: Amount = shown("P90", 0),
        /// What the range is over.
        over: String = shown("Over", 1),
    }
}

object! {
    /// Months to come, simulated with and without the scenario.
    pub struct AheadItem {
        /// How many simulations.
        paths: u64,
        /// The months.
        months: Vec<AheadMonth>,
        /// All of them together.
        sum: AheadSum,
    }
}

row! {
    /// A month to come. P10 to P90 of the difference are those of the difference, not of two forecasts.
    pub struct AheadMonth {
        /// The month.
        month: Calendar = shown("Month", 0),
        /// One in ten simulations of the baseline costs less.
        baseline_p10: Amount = file,
        /// Half cost less.
        baseline_p50: Amount = shown("Baseline", 0),
        /// One in ten costs more.
        baseline_p90: Amount = file,
        /// One in ten simulations of the scenario costs less.
        scenario_p10: Amount = file,
        /// Half cost less.
        scenario_p50: Amount = shown("Scenario", 0),
        /// One in ten costs more.
        scenario_p90: Amount = file,
        /// In one of ten the scenario adds less.
        difference_p10: Amount = shown("Difference P10", 1),
        /// In half it adds less.
        difference_p50: Amount = shown("P50", 0),
        /// In one of ten it adds more.
        difference_p90: Amount = shown("P90", 1),
        /// What every amount is in.
        currency: String = file,
    }
}

object! {
    /// Months to come, added up.
    pub struct AheadSum {
        /// One in ten simulations of the baseline costs less.
        baseline_p10: Amount,
        /// Half cost less.
        baseline_p50: Amount,
        /// One in ten costs more.
        baseline_p90: Amount,
        /// One in ten simulations of the scenario costs less.
        scenario_p10: Amount,
        /// Half cost less.
        scenario_p50: Amount,
        /// One in ten costs more.
        scenario_p90: Amount,
        /// In one of ten the scenario adds less.
        difference_p10: Amount,
        /// In half it adds less.
        difference_p50: Amount,
        /// In one of ten it adds more.
        difference_p90: Amount,
    }
}

row! {
    /// A meter under both. What is not used on a side is null.
    pub struct MeterItem {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 2),
        /// The name of the meter.
        meter: String = shown("What", 0),
        /// How much the baseline uses.
        quantity_before: Option<Measure> = shown("Before", 4),
        /// How much the scenario uses.
        quantity_after: Option<Measure> = shown("After", 3),
        /// The unit of the quantities.
        unit: Option<&'static str> = file,
        /// What the baseline costs; null without a price of all of it.
        baseline: Known<Amount> = shown("Baseline", 0),
        /// What the scenario costs.
        scenario: Known<Amount> = shown("Scenario", 0),
        /// What the scenario adds.
        difference: Option<Amount> = shown("Difference", 0),
        /// priced, partial or unpriced: the worse of both sides.
        status: &'static str = file,
    }
}

row! {
    /// One change and what it adds.
    pub struct WaterfallItem {
        /// The change, as `--set` reads it.
        change: String = file,
        /// What it adds.
        amount: Amount = file,
        /// Whether it stands for several that are too small for a step of their own.
        is_rest: bool = file,
    }
}

/// Lays comparisons out: a row for each scenario and month; with months to come, those.
pub fn answer(
    baseline: &str,
    shown: &[Shown<'_>],
    notes: Vec<Note>,
    currency: &Currency,
    catalog: &Catalog,
) -> Answer<'static> {
    let items: Vec<ScenarioItem> = shown.iter().map(|it| item(it, currency, catalog)).collect();
    let several = shown.len() > 1;
    let is_ahead = shown.iter().any(|it| it.ahead.is_some());
    let mut blocks = Vec::new();
    if is_ahead {
        let tables = shown.iter().zip(&items);
        let tables = tables.filter_map(|(it, item)| Some(to_come(it.ahead?, item, currency)));
        let mut table = Table::joined(tables);
        if !several {
            table.columns[0] = Column::in_files("scenario_name");
        }
        blocks.push(Block::Table(table));
    } else {
        blocks.push(Block::Table(by_month(shown, &items, currency)));
    }
    let named = |item: &ScenarioItem, table: Table, heading: &str| {
        table.labelled(Column::new(heading, "scenario_name", 0), &item.name)
    };
    let ranges = items.iter().filter_map(|item| {
        let range = item.range.clone()?;
        Some(named(item, Table::of(&[range]), "Monthly difference"))
    });
    let ranges = Table::joined(ranges);
    if !ranges.rows.is_empty() && !is_ahead {
        blocks.push(Block::Table(ranges.detail("range")));
    }
    let all = |table: &dyn Fn(&ScenarioItem) -> Table| {
        let tables = items
            .iter()
            .map(|item| named(item, table(item), "Scenario"));
        Table::joined(tables)
    };
    let mut meters = all(&|item| Table::of(&item.meters));
    if several || is_ahead {
        meters = meters.for_files();
    } else {
        meters.columns[0] = Column::in_files("scenario_name");
    }
    if !meters.rows.is_empty() {
        blocks.push(Block::Table(meters.detail("meters")));
    }
    let steps = all(&|item| Table::of(&item.waterfall));
    blocks.push(Block::Table(steps.for_files().detail("waterfall")));
    for it in shown {
        let comparison = it.comparison;
        if several {
            blocks.push(Block::Heading(comparison.scenario.name.clone()));
        }
        // Without a price, a bar would show as saved what only is not known.
        let is_whole = comparison.total.whole.both();
        if !comparison.waterfall.steps.is_empty() && is_whole && !is_ahead {
            blocks.push(Block::Chart(waterfall(baseline, comparison, currency)));
        }
        let mut said = Vec::new();
        if let Some(ahead) = it.ahead {
            said.push(words::scenario::simulated(ahead.paths, baseline));
        }
        said.extend(words::scenario::notes(comparison));
        if !several {
            said.extend(notes.iter().cloned());
        }
        blocks.push(Block::Notes(said));
    }
    if several && !notes.is_empty() {
        blocks.push(Block::Heading("All scenarios".to_owned()));
        blocks.push(Block::Notes(notes.clone()));
    }
    let title = match (is_ahead, shown) {
        (true, [only]) => format!(
            "What if, over the coming months: {}",
            only.comparison.scenario.name
        ),
        (true, _) => "What if, over the coming months".to_owned(),
        (false, _) => format!("What if, on {baseline}"),
    };
    let value = WhatIfAnswer {
        baseline_period: baseline.to_owned(),
        currency: currency.to_string(),
        complete: items.iter().all(|item| item.complete),
        scenarios: items,
        notes,
    };
    Answer::new(Document { title, blocks }, value)
}

fn item(shown: &Shown<'_>, currency: &Currency, catalog: &Catalog) -> ScenarioItem {
    let comparison = shown.comparison;
    let total = &comparison.total;
    let unknown: Vec<Note> = comparison
        .unknown
        .iter()
        .map(words::scenario::unknown)
        .collect();
    let risks: Vec<Note> = comparison
        .warnings
        .iter()
        .map(words::scenario::warning)
        .collect();
    let assumed = comparison.assumptions.iter();
    let assumptions: Vec<Note> = assumed.map(words::scenario::assumption).collect();
    let is_apart = |note: &Note| {
        let mut apart = unknown.iter().chain(&risks).chain(&assumptions);
        apart.any(|other| other.code == note.code && note.text.ends_with(&other.text))
    };
    let mut notes = words::scenario::notes(comparison);
    notes.retain(|note| !is_apart(note));
    let month = |month: &MonthComparison| {
        let total = Totals {
            baseline: month.baseline,
            scenario: month.scenario,
            difference: month.difference,
            whole: month.complete,
        };
        of_month(Calendar(month.month), &total, currency)
    };
    ScenarioItem {
        name: comparison.scenario.name.clone(),
        changes: comparison
            .scenario
            .changes
            .iter()
            .map(ToString::to_string)
            .collect(),
        baseline: Amount::of(total.baseline, currency, total.whole.baseline),
        scenario: Amount::of(total.scenario, currency, total.whole.scenario),
        difference: difference(total, currency),
        percent: percent(total),
        complete: total.whole.both(),
        baseline_complete: total.whole.baseline,
        scenario_complete: total.whole.scenario,
        months: comparison.months.iter().map(month).collect(),
        range: shown.range.as_ref().map(|range| {
            let [p10, p50, p90] = amounts(range.spread, currency);
            DifferencePercentiles {
                p10,
                p50,
                p90,
                over: range.over.clone(),
            }
        }),
        forecast: shown.ahead.map(|ahead| AheadItem {
            paths: ahead.paths as u64,
            months: ahead
                .months
                .iter()
                .map(|it| ahead_month(it, currency))
                .collect(),
            sum: ahead_sum(ahead, currency),
        }),
        // What stays as it is needs no row.
        meters: comparison
            .meters
            .iter()
            .filter(|meter| {
                let same =
                    meter.before == meter.after && meter.quantity_before == meter.quantity_after;
                !same || meter.status() != "priced"
            })
            .map(|meter| meter_item(meter, currency, catalog))
            .collect(),
        waterfall: comparison
            .waterfall
            .steps
            .iter()
            .map(|step| WaterfallItem {
                change: step.label.clone(),
                amount: Amount::new(step.amount, currency),
                is_rest: step.is_rest,
            })
            .collect(),
        unknown,
        risks,
        assumptions,
        notes,
    }
}

fn difference(total: &Totals, currency: &Currency) -> Known<Amount> {
    let known = total.whole.both();
    Known::or(
        known.then(|| Amount::new(total.difference, currency)),
        "unknown",
    )
}

fn percent(total: &Totals) -> Option<Percent> {
    let percent = total.percent().filter(|_| total.whole.both());
    percent.map(Percent)
}

fn meter_item(meter: &MeterDifference, currency: &Currency, catalog: &Catalog) -> MeterItem {
    let side = |amount, status: &'static str| match status {
        "priced" => Known::Is(Amount::new(amount, currency)),
        status => Known::Not(status),
    };
    let quantity = meter.quantity_before.or(meter.quantity_after);
    MeterItem {
        service: meter.service.to_string(),
        service_name: catalog.service_name(&meter.service).to_owned(),
        meter: meter.name.clone(),
        quantity_before: meter.quantity_before.map(Measure),
        quantity_after: meter.quantity_after.map(Measure),
        unit: quantity.map(|quantity| quantity.unit.name()),
        baseline: side(meter.before, meter.status_before),
        scenario: side(meter.after, meter.status_after),
        difference: (meter.status() == "priced").then(|| Amount::new(meter.difference(), currency)),
        status: meter.status(),
    }
}

fn waterfall(baseline: &str, comparison: &Comparison, currency: &Currency) -> Drawing {
    let waterfall = &comparison.waterfall;
    let steps = waterfall.steps.iter().map(|step| Step {
        name: step.label.clone(),
        change: step.amount,
        is_rest: step.is_rest,
    });
    Drawing {
        title: format!("{baseline} with {}", comparison.scenario.name),
        subject: Subject::Scenario(Waterfall {
            from: ("baseline".to_owned(), waterfall.baseline),
            steps: steps.collect(),
            to: ("scenario".to_owned(), waterfall.scenario),
            currency: currency.clone(),
        }),
    }
}
