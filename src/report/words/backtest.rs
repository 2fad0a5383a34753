//! How well past months would have been forecast.

use super::Note;
use crate::{domain::number::plain, forecast::Backtest, report::Cell};

/// Says what the trials of a backtest show.
pub(crate) fn trials(backtest: &Backtest) -> Vec<Note> {
    let trials = backtest.trials.len() as u64;
    if trials == 0 {
        return vec![Note::new(
            "history_too_short",
            "History too short: a backtest needs six weeks before the first complete month.",
        )];
    }
    let against = backtest.against_naive.map_or(String::new(), |ratio| {
        format!("; total error {} × of that", plain(ratio))
    });
    let error = Note::new(
        "median_error",
        format!(
            "Median error of {trials} trials: {} %; repeating the last week: {} %{against}.",
            plain(backtest.median_error),
            plain(backtest.median_naive_error)
        ),
    )
    .with("trials", trials)
    .with("median_error_percent", backtest.median_error)
    .with("median_naive_error_percent", backtest.median_naive_error);
    let coverage = Note::new(
        "coverage",
        format!(
            "{} of months ended between P10 and P90 (target: 80 %).",
            Cell::Percent(backtest.coverage).shown()
        ),
    )
    .with("coverage80", backtest.coverage);
    let prices = Note::new(
        "same_prices",
        "Actual and forecast usage are rated at the same prices, so errors are those of usage.",
    );
    let few = (!backtest.enough).then(|| {
        Note::new(
            "few_trials",
            format!("{trials} trials are too few to judge accuracy."),
        )
        .with("trials", trials)
    });
    [error, coverage, prices].into_iter().chain(few).collect()
}
