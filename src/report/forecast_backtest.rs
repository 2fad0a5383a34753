//! A backtest for people and files.

use super::{
    Answer, Block, Document, Note, Table,
    value::{Amount, Calendar, Number, Percent, object, row},
    words,
};
use crate::{
    domain::ids::Currency,
    forecast::{Backtest, Trial},
};

object! {
    /// Forecast backtest on months that are over.
    pub struct BacktestAnswer = "pipebill.forecast-backtest/1" {
        /// How many trials there were.
        trials: u64,
        /// Whether they are enough to judge by.
        enough: bool,
        /// Half of the trials were off by less.
        median_error_percent: Number,
        /// Half of the trials were off by less, with the last week repeated.
        median_naive_error_percent: Number,
        /// All errors together, over those of the last week repeated.
        errors_over_naive: Option<Number>,
        /// Percent of trials that ended between P10 and P90.
        coverage80: Number,
        /// What every amount is in.
        currency: String,
        /// The trials.
        rows: Vec<TrialRow>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// A month forecast from one of its days.
    pub struct TrialRow {
        /// The month.
        month: Calendar = shown("Month", 0),
        /// How many of its days were known.
        known_days: u64 = shown("Days known", 0),
        /// One in ten is below.
        p10: Amount = shown("P10", 3),
        /// Half are below.
        p50: Amount = shown("P50", 0),
        /// One in ten is above.
        p90: Amount = shown("P90", 3),
        /// What it came to.
        actual: Amount = shown("Actual", 0),
        /// How far off P50 was.
        error_percent: Option<Percent> = shown("Error", 0),
        /// Whether it ended between P10 and P90.
        covered: bool = shown("In range", 1),
        /// The last week repeated.
        naive: Amount = shown("Last week again", 4),
        /// How far off that was.
        naive_error_percent: Option<Percent> = shown("That off by", 2),
        /// What the amounts are in.
        currency: String = file,
    }
}

/// Lays a backtest out: a row for each month and day it was forecast from.
pub fn answer(backtest: &Backtest, currency: &Currency) -> Answer<'static> {
    let money = |amount| Amount::new(amount, currency);
    let row = |trial: &Trial| TrialRow {
        month: Calendar(trial.month),
        known_days: trial.cut,
        p10: money(trial.range.p10),
        p50: money(trial.range.p50),
        p90: money(trial.range.p90),
        actual: money(trial.actual),
        error_percent: trial.error().map(Percent),
        covered: trial.is_covered(),
        naive: money(trial.naive),
        naive_error_percent: trial.naive_error().map(Percent),
        currency: currency.to_string(),
    };
    let rows: Vec<TrialRow> = backtest.trials.iter().map(row).collect();
    let notes = words::backtest::trials(backtest);
    let document = Document {
        title: "Forecast backtest".to_owned(),
        blocks: vec![Block::Table(Table::of(&rows)), Block::Notes(notes.clone())],
    };
    let value = BacktestAnswer {
        trials: backtest.trials.len() as u64,
        enough: backtest.enough,
        median_error_percent: Number(backtest.median_error),
        median_naive_error_percent: Number(backtest.median_naive_error),
        errors_over_naive: backtest.against_naive.map(Number),
        coverage80: Number(backtest.coverage),
        currency: currency.to_string(),
        rows,
        notes,
    };
    Answer::new(document, value)
}
