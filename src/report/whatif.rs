//! Scenarios beside their baseline, for people and files.

use super::{
    Answer, Block, Cell, Column, Document, Note, Table,
    chart::{self, Drawing, HeatMap, Step, Subject, SweepLine, Waterfall},
    json, words,
};
use crate::{
    domain::{
        catalog::Catalog,
        ids::Currency,
        money::Money,
        number::plain,
        percentiles::Percentiles,
        scenario::{
            Comparison, Totals,
            break_even::BreakEven,
            parameter::{Axis, Sweep, SweepPoint, Tornado, Variation},
            percent_of,
        },
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
}

/// Lays comparisons out: a row for each scenario and month.
pub fn document(
    baseline: &str,
    shown: &[Shown<'_>],
    notes: &[Note],
    currency: &Currency,
    catalog: &Catalog,
) -> Answer<'static> {
    let mut blocks = vec![Block::Table(by_month(shown, currency))];
    if shown.iter().any(|shown| shown.range.is_some()) {
        blocks.push(Block::Table(ranges(shown, currency).detail("range")));
    }
    for one in shown {
        let comparison = one.comparison;
        if shown.len() > 1 {
            blocks.push(Block::Heading(comparison.scenario.name.clone()));
        }
        if let [only] = shown {
            let meters = meters(only.comparison, currency, catalog);
            if !meters.rows.is_empty() {
                blocks.push(Block::Table(meters.detail("meters")));
            }
            blocks.push(Block::Table(
                causes(only.comparison, currency).detail("waterfall"),
            ));
        }
        // Without a price, a bar would show as saved what only is not known.
        if !comparison.waterfall.steps.is_empty() && comparison.total.whole.both() {
            blocks.push(Block::Chart(waterfall(baseline, comparison, currency)));
        }
        blocks.push(Block::Notes(notes_of(one, notes)));
    }
    let first = shown
        .first()
        .map(|shown| shown.comparison.total)
        .unwrap_or_default();
    let money = |amount| Cell::Money(amount, currency.clone());
    json::untyped(
        "pipebill.whatif/1",
        vec![
            ("baseline_period", Cell::text(baseline)),
            ("currency", Cell::text(currency.as_str())),
            ("baseline", money(first.baseline)),
            ("scenario", money(first.scenario)),
            ("difference", difference(&first, currency)),
            ("complete", Cell::Flag(first.whole.both())),
            ("baseline_complete", Cell::Flag(first.whole.baseline)),
            ("scenario_complete", Cell::Flag(first.whole.scenario)),
        ],
        Document {
            title: format!("What if, on {baseline}"),
            blocks,
        },
    )
}

/// Returns an amount, or what is known of it.
fn amount(amount: Money, is_whole: bool, currency: &Currency) -> Cell {
    if is_whole {
        Cell::Money(amount, currency.clone())
    } else {
        Cell::AtLeast(amount, currency.clone())
    }
}

fn difference(total: &Totals, currency: &Currency) -> Cell {
    if total.whole.both() {
        Cell::Money(total.difference, currency.clone())
    } else {
        Cell::Unknown("unknown".to_owned())
    }
}

fn by_month(shown: &[Shown<'_>], currency: &Currency) -> Table {
    let several = shown.iter().any(|one| one.comparison.months.len() > 1);
    let mut table = Table::new(vec![
        Column::new("Scenario", "scenario_name", 0),
        // Rows of several months are nothing without it.
        Column::new("Month", "month", if several { 0 } else { 2 }),
        Column::new("Baseline", "baseline", 0),
        Column::new("Scenario", "scenario", 0),
        Column::new("Difference", "difference", 0),
        Column::new("Change", "percent", 1),
        Column::in_files("complete"),
        Column::in_files("baseline_complete"),
        Column::in_files("scenario_complete"),
        Column::in_files("currency"),
    ]);
    let row = |name: &str, month: Cell, total: &Totals| {
        let whole = total.whole;
        vec![
            Cell::text(name),
            month,
            amount(total.baseline, whole.baseline, currency),
            amount(total.scenario, whole.scenario, currency),
            difference(total, currency),
            match total.percent() {
                Some(percent) if whole.both() => Cell::Percent(percent),
                _ => Cell::Empty,
            },
            Cell::Flag(whole.both()),
            Cell::Flag(whole.baseline),
            Cell::Flag(whole.scenario),
            Cell::text(currency.as_str()),
        ]
    };
    for Shown { comparison, .. } in shown {
        let name = &comparison.scenario.name;
        for month in &comparison.months {
            let total = Totals {
                baseline: month.baseline,
                scenario: month.scenario,
                difference: month.difference,
                whole: month.complete,
            };
            table
                .rows
                .push(row(name, Cell::text(month.month.to_string()), &total));
        }
        if comparison.months.len() > 1 {
            let months = Cell::text(format!("{} months", comparison.months.len()));
            table.totals.push(row(name, months, &comparison.total));
        }
    }
    table
}

fn ranges(shown: &[Shown<'_>], currency: &Currency) -> Table {
    let mut table = Table::new(vec![
        Column::new("Monthly difference", "scenario_name", 0),
        Column::new("P10", "p10", 0),
        Column::new("P50", "p50", 0),
        Column::new("P90", "p90", 0),
        Column::new("Over", "over", 1),
    ]);
    let money = |amount| Cell::Money(amount, currency.clone());
    for Shown { comparison, range } in shown {
        if let Some(DifferenceRange { spread, over }) = range {
            table.rows.push(vec![
                Cell::text(&comparison.scenario.name),
                money(spread.p10),
                money(spread.p50),
                money(spread.p90),
                Cell::text(over),
            ]);
        }
    }
    table
}

fn meters(comparison: &Comparison, currency: &Currency, catalog: &Catalog) -> Table {
    let mut table = Table::new(vec![
        Column::new("Service", "service", 2),
        Column::new("What", "meter", 0),
        Column::new("Before", "quantity_before", 4),
        Column::new("After", "quantity_after", 3),
        Column::new("Baseline", "baseline", 0),
        Column::new("Scenario", "scenario", 0),
        Column::new("Difference", "difference", 0),
        Column::in_files("status"),
    ]);
    let money = |amount| Cell::Money(amount, currency.clone());
    for meter in &comparison.meters {
        // What stays as it is needs no row.
        let same = meter.before == meter.after && meter.quantity_before == meter.quantity_after;
        if same && meter.status() == "priced" {
            continue;
        }
        let quantity = |quantity: Option<_>| quantity.map_or(Cell::Empty, Cell::Quantity);
        let side = |amount, status: &str| match status {
            "priced" => money(amount),
            status => Cell::Unknown(status.to_owned()),
        };
        table.rows.push(vec![
            Cell::text(catalog.service_name(&meter.service)),
            Cell::text(&meter.name),
            quantity(meter.quantity_before),
            quantity(meter.quantity_after),
            side(meter.before, meter.status_before),
            side(meter.after, meter.status_after),
            if meter.status() == "priced" {
                money(meter.difference())
            } else {
                Cell::Empty
            },
            Cell::text(meter.status()),
        ]);
    }
    table
}

fn causes(comparison: &Comparison, currency: &Currency) -> Table {
    let mut table = Table::new(vec![Column::in_files("change"), Column::in_files("amount")]);
    for step in &comparison.waterfall.steps {
        table.rows.push(vec![
            Cell::text(&step.label),
            Cell::Money(step.amount, currency.clone()),
        ]);
    }
    table
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

fn notes_of(shown: &Shown<'_>, general: &[Note]) -> Vec<Note> {
    let mut notes = words::scenario::notes(shown.comparison);
    notes.extend(general.iter().cloned());
    notes
}

/// Lays months to come out: the same futures under both.
pub fn ahead(
    name: &str,
    learnt_from: &str,
    comparison: &Comparison,
    compared: &Compared,
    general: &[Note],
    currency: &Currency,
) -> Answer<'static> {
    let money = |amount| Cell::Money(amount, currency.clone());
    let mut table = Table::new(vec![
        Column::new("Month", "month", 0),
        Column::new("Baseline", "baseline", 0),
        Column::new("Scenario", "scenario", 0),
        Column::in_files("difference"),
        Column::new("Difference P10", "difference_p10", 1),
        Column::new("P50", "difference_p50", 0),
        Column::new("P90", "difference_p90", 1),
        Column::in_files("currency"),
    ]);
    let row =
        |label: String, baseline: Percentiles, scenario: Percentiles, difference: Percentiles| {
            vec![
                Cell::text(label),
                money(baseline.p50),
                money(scenario.p50),
                money(difference.p50),
                money(difference.p10),
                money(difference.p50),
                money(difference.p90),
                Cell::text(currency.as_str()),
            ]
        };
    for month in &compared.months {
        table.rows.push(row(
            month.month.to_string(),
            month.baseline,
            month.scenario,
            month.difference,
        ));
    }
    let [baseline, scenario, difference] = compared.sum;
    if compared.months.len() > 1 {
        let label = format!("{} months", compared.months.len());
        table
            .totals
            .push(row(label, baseline, scenario, difference));
    }
    let mut notes = vec![words::scenario::simulated(compared.paths, learnt_from)];
    notes.extend(words::scenario::notes(comparison));
    notes.extend(general.iter().cloned());
    json::untyped(
        "pipebill.whatif/1",
        vec![
            ("baseline_period", Cell::text("forecast")),
            ("currency", Cell::text(currency.as_str())),
            ("baseline", money(baseline.p50)),
            ("scenario", money(scenario.p50)),
            ("difference", money(difference.p50)),
            ("difference_p10", money(difference.p10)),
            ("difference_p90", money(difference.p90)),
            ("complete", Cell::Flag(comparison.total.whole.both())),
        ],
        Document {
            title: format!("What if, over the coming months: {name}"),
            blocks: vec![Block::Table(table), Block::Notes(notes)],
        },
    )
}

/// Lays a sweep out: a row for each point.
pub fn sweep(baseline: &str, name: &str, sweep: &Sweep, currency: &Currency) -> Answer<'static> {
    const AXES: [&str; 2] = ["first", "second"];
    let mut columns: Vec<Column> = sweep
        .axes
        .iter()
        .zip(AXES)
        .map(|(axis, key)| Column::new(axis.parameter.name(), key, 0))
        .collect();
    columns.extend([
        Column::new("Baseline", "baseline", 1),
        Column::new("Scenario", "scenario", 0),
        Column::new("Difference", "difference", 0),
        Column::in_files("complete"),
        Column::in_files("baseline_complete"),
        Column::in_files("scenario_complete"),
    ]);
    let mut table = Table::new(columns);
    for point in &sweep.points {
        let mut row: Vec<Cell> = point.at.iter().map(|at| Cell::Price(*at)).collect();
        let whole = point.total.whole;
        row.extend([
            amount(point.total.baseline, whole.baseline, currency),
            amount(point.total.scenario, whole.scenario, currency),
            difference(&point.total, currency),
            Cell::Flag(whole.both()),
            Cell::Flag(whole.baseline),
            Cell::Flag(whole.scenario),
        ]);
        table.rows.push(row);
    }
    let title = format!("Sweep of {name}, {baseline}");
    let picture = picture_of(sweep, currency).map(|subject| Drawing {
        title: title.clone(),
        subject,
    });
    let mut blocks = vec![if sweep.axes.len() == 1 {
        Block::Table(table)
    } else {
        Block::Table(table.detail("rows"))
    }];
    // A map says it at a glance; the table has the amounts.
    if let Some(picture) = picture {
        let at = usize::from(sweep.axes.len() == 1);
        blocks.insert(at, Block::Chart(picture));
    }
    let notes = words::sweep::sweep(sweep);
    blocks.push(Block::Notes(notes));
    json::untyped(
        "pipebill.whatif-sweep/1",
        vec![
            ("baseline_period", Cell::text(baseline)),
            ("currency", Cell::text(currency.as_str())),
        ],
        Document { title, blocks },
    )
}

/// Draws a sweep; what has no price has no place.
fn picture_of(sweep: &Sweep, currency: &Currency) -> Option<Subject> {
    let currency = currency.clone();
    match &sweep.axes[..] {
        [axis] => {
            let mut points: Vec<&SweepPoint> = sweep.points.iter().collect();
            points.sort_by(|a, b| a.at.cmp(&b.at));
            let totals = || points.iter().map(|point| point.total);
            let scenario = totals().map(|t| t.whole.scenario.then_some(t.scenario));
            let baseline = totals().map(|t| t.whole.baseline.then_some(t.baseline));
            Some(Subject::Line(SweepLine {
                setting: axis.parameter.name(),
                at: points.iter().map(|point| point.at[0]).collect(),
                lines: vec![
                    ("scenario".to_owned(), scenario.collect()),
                    ("baseline".to_owned(), baseline.collect()),
                ],
                currency,
            }))
        }
        [rows, columns] => {
            let shown = |axis: &Axis| {
                let values = axis.values.iter().map(|value| plain(*value));
                (axis.parameter.name(), values.collect())
            };
            let amount = |point: &SweepPoint| {
                let total = &point.total;
                if sweep.baseline_turns {
                    total.whole.both().then_some(total.difference)
                } else {
                    total.whole.scenario.then_some(total.scenario)
                }
            };
            let cells = sweep.points.chunks(columns.values.len());
            Some(Subject::Heat(HeatMap {
                down: shown(rows),
                across: shown(columns),
                cells: cells.map(|row| row.iter().map(amount).collect()).collect(),
                differences: sweep.baseline_turns,
                currency,
            }))
        }
        _ => None,
    }
}

/// Lays break-even points out.
pub fn break_even(
    baseline: &str,
    name: &str,
    even: &BreakEven,
    currency: &Currency,
) -> Answer<'static> {
    let money = |amount| Cell::Money(amount, currency.clone());
    let parameter = even.parameter.name();
    let mut table = Table::new(vec![
        Column::new(format!("From {parameter}"), "at", 0),
        Column::new("Scenario", "what", 0),
        Column::in_files("pays"),
        Column::new("Difference", "difference", 0),
    ]);
    let what = |pays: bool| Cell::text(if pays { "costs no more" } else { "costs more" });
    table.rows.push(vec![
        Cell::Price(even.range.0),
        what(even.pays_at_start()),
        Cell::Flag(even.pays_at_start()),
        money(even.ends.0),
    ]);
    for crossing in &even.sign_changes {
        table.rows.push(vec![
            Cell::Price(crossing.at),
            what(crossing.pays),
            Cell::Flag(crossing.pays),
            money(crossing.difference),
        ]);
    }
    let notes = words::sweep::break_even(even, currency);
    json::untyped(
        "pipebill.whatif-breakeven/1",
        vec![
            ("baseline_period", Cell::text(baseline)),
            ("parameter", Cell::text(parameter)),
            ("from", Cell::Price(even.range.0)),
            ("to", Cell::Price(even.range.1)),
            ("complete", Cell::Flag(even.complete)),
            ("all", Cell::Flag(even.all)),
            ("currency", Cell::text(currency.as_str())),
        ],
        Document {
            title: format!("Break-even of {name}, {baseline}"),
            blocks: vec![Block::Table(table), Block::Notes(notes)],
        },
    )
}

/// Lays a tornado out: a row for each driver.
pub fn tornado(
    baseline: &str,
    name: &str,
    tornado: &Tornado,
    swing: &Variation,
    currency: &Currency,
) -> Answer<'static> {
    let money = |amount| Cell::Money(amount, currency.clone());
    let mut table = Table::new(vec![
        Column::new("Driver", "driver", 0),
        Column::new("Down", "down", 2),
        Column::new("Up", "up", 2),
        Column::new("Low", "low", 0),
        Column::new("High", "high", 0),
        Column::new("Range", "range", 0),
        Column::new("Of the bill", "reach_percent", 1),
    ]);
    for bar in &tornado.bars {
        table.rows.push(vec![
            Cell::text(&bar.driver),
            Cell::text(&bar.turned.0),
            Cell::text(&bar.turned.1),
            money(bar.low),
            money(bar.high),
            money(bar.range),
            percent_of(bar.range, tornado.middle).map_or(Cell::Empty, Cell::Percent),
        ]);
    }
    let title = format!("Cost drivers of {name}, {baseline}");
    let rows = tornado.bars.iter().take(15).map(|bar| {
        let (low, high) = bar.changes(tornado.middle);
        chart::Swing {
            name: bar.driver.clone(),
            range: format!("{} → {}", bar.turned.0, bar.turned.1),
            low,
            high,
        }
    });
    let picture = Drawing {
        title: title.clone(),
        subject: Subject::Tornado(chart::Tornado {
            of: baseline.to_owned(),
            baseline: tornado.middle,
            step: match swing {
                Variation::Percent(percent) => {
                    format!("each driver varied by ±{} %", plain(*percent))
                }
                Variation::Own(_) => "varied from P10 to P90".to_owned(),
            },
            rows: rows.collect(),
            currency: currency.clone(),
        }),
    };
    let notes = words::sweep::tornado(tornado, swing);
    json::untyped(
        "pipebill.whatif-tornado/1",
        vec![
            ("baseline_period", Cell::text(baseline)),
            ("middle", money(tornado.middle)),
            ("currency", Cell::text(currency.as_str())),
        ],
        Document {
            title,
            blocks: vec![
                Block::Table(table),
                Block::Chart(picture),
                Block::Notes(notes),
            ],
        },
    )
}
