//! Forecast backtest on this history.
//!
//! Each of the last twelve whole months is forecast again from its start, its 15th and its 22nd day,
//! with nothing but what was known then. Usage that came and usage that was forecast are rated at
//! the same prices, today's, so the error is that of usage alone. Beside it stands the seasonal naive
//! method: the last seven days again and again, and the last month's pipelines and users.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use super::{
    columns::{decimal, float, percent},
    expect::Horizon,
    methods::WEEK,
    numbers::median,
    options::ForecastOptions,
    predict::{ForecastResult, Rating, forecast},
    rated::Tariffs,
    series::{self, Coverage, Driver, SeriesKind},
};
use crate::domain::{
    bill::Bill,
    money::Money,
    percentiles::Percentiles,
    period::Month,
    rating::{RatingError, rate},
    usage::UsageRecord,
};

/// Days known of a month when it is forecast.
const CUTS: [u64; 3] = [0, 14, 21];

/// Whole months to try.
const MONTHS: usize = 12;

/// Days of history without which nothing is tried.
const LEAST_HISTORY: i64 = 42;

/// Paths of each trial.
const PATHS: usize = 1000;

/// Trials without which nothing is concluded.
const ENOUGH: usize = 12;

/// One month, forecast from one day.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Which month.
    pub month: Month,
    /// Days of it that were known.
    pub cut: u64,
    /// What would have been said.
    pub range: Percentiles,
    /// What it came to, at the same prices.
    pub actual: Money,
    /// What the seasonal naive method would have said.
    pub naive: Money,
}

impl Trial {
    /// Tells whether the month ended between P10 and P90, to the cent.
    pub fn is_covered(&self) -> bool {
        let cents = Money::to_cents;
        (cents(self.range.p10)..=cents(self.range.p90)).contains(&cents(self.actual))
    }

    /// Returns how far P50 was off, in percent of the month.
    pub fn error(&self) -> Option<Decimal> {
        percent_off(self.range.p50, self.actual)
    }

    /// Returns how far the seasonal naive method was off, in percent of the month.
    pub fn naive_error(&self) -> Option<Decimal> {
        percent_off(self.naive, self.actual)
    }
}

/// Trials on a history, and what they amount to.
#[derive(Clone, Debug)]
pub struct Backtest {
    /// Month by month.
    pub trials: Vec<Trial>,
    /// Median error in percent of the month.
    pub median_error: Decimal,
    /// The same of the seasonal naive method.
    pub median_naive_error: Decimal,
    /// All errors over all errors of the seasonal naive method; none where that made none.
    pub against_naive: Option<Decimal>,
    /// Share of months that ended between P10 and P90, in percent.
    pub coverage: Decimal,
    /// There are enough trials to conclude something.
    pub enough: bool,
}

/// Runs the backtest. It has no trials where the history is too short.
pub fn backtest(
    records: &[UsageRecord],
    coverage: &Coverage,
    options: &ForecastOptions,
    rating: &Rating<'_>,
) -> Result<Backtest, RatingError> {
    let records = &series::without_bill(records)[..];
    let usage = |record: &&UsageRecord| series::counts(record);
    let first_day = records.iter().filter(usage).map(|record| record.day).min();
    let last_whole = match Month::of(coverage.last_day) {
        month if month.last_day() == coverage.last_day => month,
        month => month.previous(),
    };
    let mut months = Vec::new();
    let mut month = last_whole;
    while months.len() < MONTHS && first_day.is_some_and(|first| month.first_day() >= first) {
        months.push(month);
        month = month.previous();
    }
    let mut trials = Vec::new();
    for month in months.into_iter().rev() {
        let has_gap = coverage
            .gaps
            .iter()
            .any(|(from, to)| *from <= month.last_day() && *to >= month.first_day());
        if has_gap {
            continue;
        }
        let of_month: Vec<UsageRecord> = records
            .iter()
            .filter(usage)
            .filter(|record| record.month == month)
            .cloned()
            .collect();
        let actual = rate(&of_month, rating.book, &(rating.options)(month))?
            .bill
            .total();
        for cut in CUTS {
            let origin = month.first_day() + Days::new(cut);
            let known = origin - Days::new(1);
            if first_day.is_none_or(|first| (known - first).num_days() + 1 < LEAST_HISTORY) {
                continue;
            }
            let then = Coverage {
                last_day: known,
                incomplete_days: 0,
                gaps: coverage.gaps.clone(),
            };
            let asked = ForecastOptions {
                months: u32::from(cut == 0),
                paths: PATHS,
                budget: None,
                events: Vec::new(),
                growth: super::Growth::default(),
                by: None,
                ..options.clone()
            };
            let Some(forecast) = forecast(records, &then, &asked, rating)? else {
                continue;
            };
            trials.push(Trial {
                month,
                cut,
                range: said_of(&forecast, month),
                actual,
                naive: naive(records, &then, month, rating)?,
            });
        }
    }
    Ok(summed_up(trials))
}

fn said_of(forecast: &ForecastResult, month: Month) -> Percentiles {
    let found = forecast
        .months
        .iter()
        .find(|forecast| forecast.month == month);
    found.map(|forecast| forecast.total).unwrap_or_default()
}

fn summed_up(trials: Vec<Trial>) -> Backtest {
    let off = |amount: Money, actual: Money| (float(amount) - float(actual)).abs();
    let errors: Vec<f64> = trials.iter().map(|t| off(t.range.p50, t.actual)).collect();
    let naive: Vec<f64> = trials.iter().map(|t| off(t.naive, t.actual)).collect();
    let relative = |errors: &[f64]| {
        let shares: Vec<f64> = errors
            .iter()
            .zip(&trials)
            .filter(|(_, trial)| trial.actual > Money::ZERO)
            .map(|(error, trial)| 100.0 * error / float(trial.actual))
            .collect();
        decimal(median(&shares), 1)
    };
    let all_naive: f64 = naive.iter().sum();
    let covered = trials.iter().filter(|trial| trial.is_covered()).count();
    Backtest {
        median_error: relative(&errors),
        median_naive_error: relative(&naive),
        against_naive: (all_naive > 0.0)
            .then(|| decimal(errors.iter().sum::<f64>() / all_naive, 2)),
        coverage: percent(covered, trials.len()),
        enough: trials.len() >= ENOUGH,
        trials,
    }
}

/// The month by the seasonal naive method, rated like any path.
fn naive(
    records: &[UsageRecord],
    coverage: &Coverage,
    month: Month,
    rating: &Rating<'_>,
) -> Result<Money, RatingError> {
    let drivers = series::gather(records, coverage, None);
    let horizon = Horizon::new(coverage.last_day, 1);
    let current = horizon.months[0];
    let known: Option<Bill> = if current == month {
        let so_far: Vec<UsageRecord> = records
            .iter()
            .filter(|record| record.month == month && record.day <= coverage.last_day)
            .filter(|record| series::counts(record))
            .cloned()
            .collect();
        Some(rate(&so_far, rating.book, &(rating.options)(month))?.bill)
    } else {
        None
    };
    let usage: Vec<Vec<f64>> = drivers
        .iter()
        .map(|driver| vec![repeated(driver, coverage.last_day, month)])
        .collect();
    let options = (rating.options)(month);
    let tariffs = Tariffs::new(&drivers, month, rating.book, &options, known.as_ref());
    let added: f64 = tariffs.rate(&usage).iter().flatten().sum();
    Ok(known.map_or(Money::ZERO, |bill| bill.total()) + Money::new(decimal(added, 4)))
}

/// What the last seven days, or the last month's units, make of the rest of a month.
fn repeated(driver: &Driver, last_day: NaiveDate, month: Month) -> f64 {
    match &driver.kind {
        SeriesKind::Daily(daily) => {
            let week = &daily.values[daily.values.len().saturating_sub(WEEK)..];
            let days = (month.last_day() - last_day).num_days().max(0) as usize;
            let days = days.min(31);
            week.iter().cycle().take(days).sum()
        }
        SeriesKind::Units(months) => {
            let of = |month: Month| months.get(&month).map_or(0.0, |month| month.count);
            let so_far = if Month::of(last_day) == month {
                driver.month_to_date
            } else {
                0.0
            };
            (of(month.previous()) - so_far).max(0.0)
        }
    }
}

fn percent_off(said: Money, actual: Money) -> Option<Decimal> {
    (actual > Money::ZERO)
        .then(|| decimal(100.0 * (float(said) - float(actual)) / float(actual), 1))
}
