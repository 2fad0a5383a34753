//! A backtest for people and files.

use super::{Answer, Block, Cell, Column, Document, Table, json, uncoded};
use crate::{
    domain::{ids::Currency, number::plain},
    forecast::Backtest,
};
use rust_decimal::Decimal;

/// Lays a backtest out: a row for each month and day it was forecast from.
pub fn document(backtest: &Backtest, currency: &Currency) -> Answer<'static> {
    let money = |amount| Cell::Money(amount, currency.clone());
    let mut table = Table::new(vec![
        Column::new("Month", "month", 0),
        Column::new("Days known", "known_days", 0),
        Column::new("P10", "p10", 3),
        Column::new("P50", "p50", 0),
        Column::new("P90", "p90", 3),
        Column::new("It came to", "actual", 0),
        Column::new("Off by", "error_percent", 0),
        Column::new("Held", "covered", 1),
        Column::new("Last week again", "naive", 4),
        Column::new("That off by", "naive_error_percent", 2),
        Column::in_files("currency"),
    ]);
    let percent = |error: Option<Decimal>| error.map_or(Cell::Empty, Cell::Percent);
    for trial in &backtest.trials {
        table.rows.push(vec![
            Cell::text(trial.month.to_string()),
            Cell::Count(trial.cut),
            money(trial.range.p10),
            money(trial.range.p50),
            money(trial.range.p90),
            money(trial.actual),
            percent(trial.error()),
            Cell::text(if trial.is_covered() { "yes" } else { "no" }),
            money(trial.naive),
            percent(trial.naive_error()),
            Cell::text(currency.as_str()),
        ]);
    }
    let trials = backtest.trials.len();
    let mut notes = Vec::new();
    if trials == 0 {
        notes.push(
            "History too short: a backtest needs six weeks before the first complete month."
                .to_owned(),
        );
    } else {
        let against = backtest.against_naive.map_or(String::new(), |ratio| {
            format!("; total error {} × of that", plain(ratio))
        });
        notes.push(format!(
            "Median error of {trials} trials: {} %; repeating the last week: {} %{against}.",
            plain(backtest.median_error),
            plain(backtest.median_naive_error)
        ));
        notes.push(format!(
            "{} of months ended between P10 and P90 (target: 80 %).",
            Cell::Percent(backtest.coverage).shown()
        ));
        notes.push(
            "Actual and forecast usage are rated at the same prices, so errors are those of usage."
                .to_owned(),
        );
    }
    if trials > 0 && !backtest.enough {
        notes.push(format!("{trials} trials are too few to judge accuracy."));
    }
    let shown = |value: Decimal| Cell::Number(value);
    json::untyped(
        "pipebill.forecast-backtest/1",
        vec![
            ("trials", Cell::Count(trials as u64)),
            ("enough", Cell::text(backtest.enough.to_string())),
            ("median_error_percent", shown(backtest.median_error)),
            (
                "median_naive_error_percent",
                shown(backtest.median_naive_error),
            ),
            (
                "errors_over_naive",
                backtest.against_naive.map_or(Cell::Empty, shown),
            ),
            ("coverage80", shown(backtest.coverage)),
        ],
        Document {
            title: "Forecast backtest".to_owned(),
            blocks: vec![Block::Table(table), Block::Notes(uncoded(notes))],
        },
    )
}
