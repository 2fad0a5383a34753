//! What moves a bill most.

use crate::{
    domain::{
        ids::Currency,
        number::plain,
        scenario::{
            parameter::{Tornado, Variation},
            percent_of,
        },
    },
    report::{
        Answer, Block, Column, Document, Note, Table,
        chart::{self, Drawing, Subject},
        value::{Amount, Percent, object, row},
        words,
    },
};

object! {
    /// What each driver does to the bill, by itself.
    pub struct TornadoAnswer = "pipebill.whatif-tornado/1" {
        /// The months or the file they are compared with.
        baseline_period: String,
        /// What every amount is in.
        currency: String,
        /// The scenarios, in the order asked for.
        scenarios: Vec<TornadoScenario>,
    }
}

object! {
    /// One scenario and its drivers.
    pub struct TornadoScenario {
        /// Its name.
        name: String,
        /// What it costs with every driver as it is.
        cost: Amount,
        /// How many percent each driver varies; null for each at its own P10 and P90.
        variation_percent: Option<Percent>,
        /// Whether everything has a price.
        complete: bool,
        /// The drivers, the widest range first.
        rows: Vec<DriverItem>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One driver.
    pub struct DriverItem {
        /// The driver, as `--set` spells it.
        driver: String = shown("Driver", 0),
        /// How far it goes down.
        down: String = shown("Down", 2),
        /// How far it goes up.
        up: String = shown("Up", 2),
        /// The cost with it down.
        low: Amount = shown("Low", 0),
        /// The cost with it up.
        high: Amount = shown("High", 0),
        /// Between both.
        range: Amount = shown("Range", 0),
        /// The range in percent of the cost.
        range_percent: Option<Percent> = shown("Of the bill", 1),
    }
}

/// Lays tornados out: a row for each scenario and driver.
pub fn tornado(
    baseline: &str,
    scenarios: &[(&str, &(Tornado, Variation))],
    currency: &Currency,
) -> Answer<'static> {
    let several = scenarios.len() > 1;
    let items: Vec<TornadoScenario> = scenarios
        .iter()
        .map(|(name, (tornado, variation))| item(name, tornado, variation, currency))
        .collect();
    let mut table = Table::joined(items.iter().map(|item| {
        let column = Column::new("Scenario", "scenario_name", 0);
        Table::of(&item.rows).labelled(column, &item.name)
    }));
    if !several && !table.columns.is_empty() {
        table.columns[0] = Column::in_files("scenario_name");
    }
    let mut blocks = vec![Block::Table(table)];
    for ((name, (tornado, variation)), item) in scenarios.iter().zip(&items) {
        if several {
            blocks.push(Block::Heading((*name).to_owned()));
        }
        blocks.push(Block::Chart(picture(
            baseline, name, tornado, variation, currency,
        )));
        blocks.push(Block::Notes(item.notes.clone()));
    }
    let title = match &items[..] {
        [only] => format!("What moves {}, on {baseline}", only.name),
        _ => format!("What moves each scenario, on {baseline}"),
    };
    let value = TornadoAnswer {
        baseline_period: baseline.to_owned(),
        currency: currency.to_string(),
        scenarios: items,
    };
    Answer::new(Document { title, blocks }, value)
}

fn item(
    name: &str,
    tornado: &Tornado,
    variation: &Variation,
    currency: &Currency,
) -> TornadoScenario {
    let money = |amount| Amount::new(amount, currency);
    let rows = tornado.bars.iter().map(|bar| DriverItem {
        driver: bar.driver.clone(),
        down: bar.turned.0.clone(),
        up: bar.turned.1.clone(),
        low: money(bar.low),
        high: money(bar.high),
        range: money(bar.range),
        range_percent: percent_of(bar.range, tornado.middle).map(Percent),
    });
    TornadoScenario {
        name: name.to_owned(),
        cost: money(tornado.middle),
        variation_percent: match variation {
            Variation::Percent(percent) => Some(Percent(*percent)),
            Variation::Own(_) => None,
        },
        complete: tornado.complete,
        rows: rows.collect(),
        notes: words::sweep::tornado(tornado, variation),
    }
}

fn picture(
    baseline: &str,
    name: &str,
    tornado: &Tornado,
    variation: &Variation,
    currency: &Currency,
) -> Drawing {
    let rows = tornado.bars.iter().take(15).map(|bar| {
        let (low, high) = bar.changes(tornado.middle);
        chart::Swing {
            name: bar.driver.clone(),
            range: format!("{} → {}", bar.turned.0, bar.turned.1),
            low,
            high,
        }
    });
    Drawing {
        title: format!("Cost drivers of {name}, {baseline}"),
        subject: Subject::Tornado(chart::Tornado {
            of: baseline.to_owned(),
            baseline: tornado.middle,
            step: match variation {
                Variation::Percent(percent) => {
                    format!("each driver varied by ±{} %", plain(*percent))
                }
                Variation::Own(_) => "each driver varied from P10 to P90".to_owned(),
            },
            rows: rows.collect(),
            currency: currency.clone(),
        }),
    }
}
