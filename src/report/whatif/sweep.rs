//! Scenarios at each place of one axis or two.

use super::difference;
use crate::{
    domain::{
        ids::Currency,
        number::plain,
        scenario::parameter::{Axis, Sweep, SweepPoint},
    },
    report::{
        Answer, Block, Column, Document, Note, Table,
        chart::{Drawing, HeatMap, Subject, SweepLine},
        value::{Amount, Known, Price, Value, object, row},
        words,
    },
};

object! {
    /// What scenarios cost while one or two quantities vary.
    pub struct SweepAnswer = "pipebill.whatif-sweep/1" {
        /// The months or the file they are compared with.
        baseline_period: String,
        /// What every amount is in.
        currency: String,
        /// The quantities that vary.
        axes: Vec<SweepAxis>,
        /// The scenarios, in the order asked for.
        scenarios: Vec<SweptScenario>,
    }
}

object! {
    /// A quantity and its values.
    pub struct SweepAxis {
        /// The quantity, as `--sweep` calls it.
        parameter: String,
        /// Its values.
        values: Vec<Price>,
    }
}

object! {
    /// One scenario at every point.
    pub struct SweptScenario {
        /// Its name.
        name: String,
        /// Whether the quantities vary on both sides, so that the difference is the scenario's alone.
        baseline_varies: bool,
        /// The points, the last axis varying fastest.
        points: Vec<Point>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// What both sides cost at one point.
    pub struct Point {
        /// The value of each axis, in their order.
        at: Vec<Price>,
        /// What the baseline costs.
        baseline: Amount = shown("Baseline", 1),
        /// What the scenario costs.
        scenario: Amount = shown("Scenario", 0),
        /// What it adds; null if a side is not the whole.
        difference: Known<Amount> = shown("Difference", 0),
        /// Whether both sides are the whole.
        complete: bool = file,
        /// Whether the baseline is.
        baseline_complete: bool = file,
        /// Whether the scenario is.
        scenario_complete: bool = file,
    }
}

/// Lays sweeps out: a row for each scenario and point.
pub fn sweep(baseline: &str, scenarios: &[(&str, &Sweep)], currency: &Currency) -> Answer<'static> {
    let several = scenarios.len() > 1;
    let axes = scenarios.first().map_or(&[][..], |(_, sweep)| &sweep.axes);
    let swept: Vec<SweptScenario> = scenarios
        .iter()
        .map(|(name, sweep)| SweptScenario {
            name: (*name).to_owned(),
            baseline_varies: sweep.baseline_turns,
            points: sweep.points.iter().map(|it| point(it, currency)).collect(),
            notes: words::sweep::sweep(sweep),
        })
        .collect();
    let tables = swept.iter().map(|of| {
        let mut table = Table::of(&of.points);
        for (at, axis) in axes.iter().enumerate() {
            let name = axis.parameter.name();
            table.columns.insert(at, Column::new(name.clone(), name, 0));
            for (row, point) in table.rows.iter_mut().zip(&of.points) {
                row.insert(at, point.at[at].cell());
            }
        }
        table.labelled(Column::new("Scenario", "scenario_name", 0), &of.name)
    });
    let mut table = Table::joined(tables);
    if !several && !table.columns.is_empty() {
        table.columns[0] = Column::in_files("scenario_name");
    }
    // A map says it at a glance; the table has the amounts.
    let is_line = axes.len() == 1;
    let title = match scenarios {
        [(name, _)] => format!("Sweep of {name}, {baseline}"),
        _ => format!("Sweep of several scenarios, {baseline}"),
    };
    let table = Block::Table(if is_line { table } else { table.detail("rows") });
    let mut blocks = Vec::new();
    for ((name, sweep), of) in scenarios.iter().zip(&swept) {
        if several {
            blocks.push(Block::Heading((*name).to_owned()));
        }
        if let Some(subject) = picture_of(sweep, currency) {
            blocks.push(Block::Chart(Drawing {
                title: format!("Sweep of {name}, {baseline}"),
                subject,
            }));
        }
        blocks.push(Block::Notes(of.notes.clone()));
    }
    let at = if is_line || several {
        0
    } else {
        1.min(blocks.len())
    };
    blocks.insert(at, table);
    let named = |of: &Axis| SweepAxis {
        parameter: of.parameter.name(),
        values: of.values.iter().copied().map(Price).collect(),
    };
    let value = SweepAnswer {
        baseline_period: baseline.to_owned(),
        currency: currency.to_string(),
        axes: axes.iter().map(named).collect(),
        scenarios: swept,
    };
    Answer::new(Document { title, blocks }, value)
}

fn point(point: &SweepPoint, currency: &Currency) -> Point {
    let total = &point.total;
    let whole = total.whole;
    Point {
        at: point.at.iter().copied().map(Price).collect(),
        baseline: Amount::of(total.baseline, currency, whole.baseline),
        scenario: Amount::of(total.scenario, currency, whole.scenario),
        difference: difference(total, currency),
        complete: whole.both(),
        baseline_complete: whole.baseline,
        scenario_complete: whole.scenario,
    }
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
