//! One daily series and the days after it: the point forecast and its range, without a bill.

use chrono::{Days, NaiveDate};

use super::{
    calendar::Calendar,
    ensemble::{self, History},
    interval::{self, Facts},
};

/// What is expected of the days after a series.
#[derive(Clone, PartialEq, Debug)]
pub struct Remainder {
    /// Their sum.
    pub total: f64,
    /// P10, P50 and P90 of it.
    pub range: [f64; 3],
    /// The facts behind the range, for fitting it again.
    pub facts: [f64; 6],
    /// The offset before logarithms.
    pub offset: f64,
}

/// Forecasts so many days from `origin` on, after a daily history that ends the day before.
pub fn remainder(
    history: &[f64],
    origin: NaiveDate,
    days: usize,
    calendar: &Calendar,
) -> Remainder {
    let start = origin - Days::new(history.len() as u64);
    let end = origin + Days::new(days as u64);
    let holidays = calendar
        .between(start, end)
        .into_iter()
        .filter_map(|day| usize::try_from((day - start).num_days()).ok())
        .collect();
    let history = History {
        values: history.to_vec(),
        holidays,
    };
    let point = ensemble::forecast(&history, days);
    let spread = interval::spread(&history.values, &point);
    Remainder {
        total: point.total,
        range: [0.1, 0.5, 0.9].map(|share| spread.at(share)),
        facts: Facts::of(&history.values, &point).values(),
        offset: spread.offset,
    }
}
