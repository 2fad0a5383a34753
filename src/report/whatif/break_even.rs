//! Where scenarios start to pay.

use crate::{
    domain::{ids::Currency, scenario::break_even::BreakEven},
    report::{
        Answer, Block, Column, Document, Note, Table,
        value::{Amount, Price, object, row},
        words,
    },
};

object! {
    /// From which value of a quantity on scenarios cost no more than their baseline.
    pub struct BreakEvenAnswer = "pipebill.whatif-breakeven/1" {
        /// The months or the file they are compared with.
        baseline_period: String,
        /// What every amount is in.
        currency: String,
        /// The scenarios, in the order asked for.
        scenarios: Vec<BreakEvenScenario>,
    }
}

object! {
    /// One scenario and where it pays.
    pub struct BreakEvenScenario {
        /// Its name.
        name: String,
        /// The quantity, as `--breakeven` calls it.
        parameter: String,
        /// The lowest value tried.
        from: Price,
        /// The highest value tried.
        to: Price,
        /// Whether everything has a price; else where it pays is not known.
        complete: bool,
        /// Whether there are no other turns than these.
        all: bool,
        /// Whether the quantity makes no difference.
        flat: bool,
        /// The start and every turn after it.
        rows: Vec<Turn>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// A value, and what holds from it to the next.
    pub struct Turn {
        /// The value.
        at: Price = shown("From", 0),
        /// The same in words.
        #[serde(skip)]
        what: &'static str = shown("Scenario", 0),
        /// Whether the scenario costs no more than the baseline.
        pays: bool = file,
        /// What the scenario adds at the value.
        difference: Amount = shown("Difference", 0),
    }
}

/// Lays break-even points out: a row for each scenario and turn.
pub fn break_even(
    baseline: &str,
    scenarios: &[(&str, &BreakEven)],
    currency: &Currency,
) -> Answer<'static> {
    let several = scenarios.len() > 1;
    let items: Vec<BreakEvenScenario> = scenarios
        .iter()
        .map(|(name, even)| item(name, even, currency))
        .collect();
    let mut table = Table::joined(items.iter().map(|item| {
        let column = Column::new("Scenario", "scenario_name", 0);
        Table::of(&item.rows).labelled(column, &item.name)
    }));
    if let Some(first) = items.first() {
        if !several {
            table.columns[0] = Column::in_files("scenario_name");
        }
        table.columns[1].heading = format!("From {}", first.parameter);
    }
    let mut blocks = vec![Block::Table(table)];
    for item in &items {
        if several {
            blocks.push(Block::Heading(item.name.clone()));
        }
        blocks.push(Block::Notes(item.notes.clone()));
    }
    let title = match &items[..] {
        [only] => format!("{}: where it pays, on {baseline}", only.name),
        _ => format!("Where scenarios pay, on {baseline}"),
    };
    let value = BreakEvenAnswer {
        baseline_period: baseline.to_owned(),
        currency: currency.to_string(),
        scenarios: items,
    };
    Answer::new(Document { title, blocks }, value)
}

fn item(name: &str, even: &BreakEven, currency: &Currency) -> BreakEvenScenario {
    let turn = |at, pays: bool, difference| Turn {
        at: Price(at),
        what: if pays { "costs no more" } else { "costs more" },
        pays,
        difference: Amount::new(difference, currency),
    };
    let start = turn(even.range.0, even.pays_at_start(), even.ends.0);
    let turns = even.sign_changes.iter();
    let turns = turns.map(|change| turn(change.at, change.pays, change.difference));
    BreakEvenScenario {
        name: name.to_owned(),
        parameter: even.parameter.name(),
        from: Price(even.range.0),
        to: Price(even.range.1),
        complete: even.complete,
        all: even.all,
        flat: even.flat,
        rows: [start].into_iter().chain(turns).collect(),
        notes: words::sweep::break_even(even, currency),
    }
}
