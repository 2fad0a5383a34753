//! The study as code: the forecaster over recorded windows, beside a library's answers.
//!
//! Each window is a daily history, a cut in a month and what came after. Errors are those of the
//! calendar month's total. Clusters for the confidence bounds are repositories: windows of one
//! repository, and its simulated durations, share their luck.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::{
    calendar::Calendar,
    ensemble::{self, History},
    interval::{self, Facts},
    numbers::{count, exp, ln, median, quantile},
    random::Random,
};

/// Bootstrap draws behind a confidence bound.
const DRAWS: usize = 2000;

/// One window: what was known on a day, and what came.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// Its name.
    pub id: String,
    /// Which series; the part before the slash is its source.
    pub series: String,
    /// The first day to forecast.
    pub origin: NaiveDate,
    /// Days of the month already known.
    pub cut: u32,
    /// What those days had.
    pub month_to_date: f64,
    /// Daily history up to the day before the origin.
    pub history: Vec<f64>,
    /// What came.
    pub future: Vec<f64>,
}

/// What a library said of a window: totals of the rest of the month.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Baseline {
    /// The same days of the last weeks again.
    pub seasonal_naive: f64,
    /// Automatic exponential smoothing.
    pub auto_ets: f64,
    /// P10, P50 and P90 of its simulated paths, where the file has them.
    pub auto_ets_range: Option<[f64; 3]>,
}

/// What we said of a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Which window.
    pub id: String,
    /// The point forecast of the remaining days.
    pub forecast: f64,
    /// P10, P50 and P90 of the remaining days.
    pub range: [f64; 3],
    /// What came.
    pub actual: f64,
    /// The facts behind the scale, for fitting it again.
    pub facts: [f64; 6],
    /// The offset before logarithms.
    pub offset: f64,
}

/// A figure with its 90 % confidence bounds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounded {
    /// The figure.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// How a part of the windows did.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// Which part, as `cut 14` or `source git`.
    pub name: String,
    /// How many windows.
    pub windows: usize,
    /// Errors over those of automatic exponential smoothing.
    pub relae_autoets: f64,
    /// Errors over those of the seasonal naive method.
    pub relae_snaive: f64,
    /// Share of months within P10 and P90, in percent.
    pub coverage80: f64,
}

/// What the study finds.
#[derive(Clone, PartialEq, Debug)]
pub struct Study {
    /// Windows that have a baseline.
    pub windows: usize,
    /// Windows without one, left out.
    pub left_out: usize,
    /// Series.
    pub series: usize,
    /// Errors over those of automatic exponential smoothing.
    pub relae_autoets: Bounded,
    /// Errors over those of the seasonal naive method.
    pub relae_snaive: Bounded,
    /// Share of months within P10 and P90, in percent.
    pub coverage80: Bounded,
    /// Pinball loss of P10, P50 and P90 as a share of the month, mean over series.
    pub pinball: f64,
    /// The same of simulated paths of automatic exponential smoothing, where they are known.
    pub pinball_autoets: Option<f64>,
    /// Median over series of the error as a share of the month.
    pub median_wape: f64,
    /// The same of automatic exponential smoothing.
    pub median_wape_autoets: f64,
    /// By cut day and by source.
    pub parts: Vec<Part>,
}

/// One window with everything known about it.
struct Case<'w> {
    window: &'w Window,
    baseline: Baseline,
    answer: Answer,
}

impl Case<'_> {
    fn month(&self) -> f64 {
        self.window.month_to_date + self.answer.actual
    }

    fn error(&self, forecast: f64) -> f64 {
        (forecast - self.answer.actual).abs()
    }

    fn covered(&self) -> bool {
        // A bound that only rounding separates from the actual value holds it.
        let slack = 1e-9 * self.month().max(1.0);
        (self.answer.range[0] - slack..=self.answer.range[2] + slack).contains(&self.answer.actual)
    }
}

/// Forecasts one window.
pub fn answer(window: &Window, calendar: &Calendar) -> Answer {
    let length = window.history.len();
    let start = window.origin - Days::new(length as u64);
    let end = window.origin + Days::new(window.future.len() as u64);
    let holidays = calendar
        .between(start, end)
        .into_iter()
        .filter_map(|day| usize::try_from((day - start).num_days()).ok())
        .collect();
    let history = History {
        values: window.history.clone(),
        holidays,
    };
    let point = ensemble::forecast(&history, window.future.len());
    let spread = interval::spread(&history.values, &point);
    Answer {
        id: window.id.clone(),
        forecast: point.total,
        range: [0.1, 0.5, 0.9].map(|share| spread.at(share)),
        actual: window.future.iter().sum(),
        facts: Facts::of(&history.values, &point).values(),
        offset: spread.offset,
    }
}

/// Compares answers with what came and with baselines of the same names. Returns nothing when no
/// window has a baseline.
pub fn study(
    windows: &[Window],
    answers: &[Answer],
    baselines: &BTreeMap<String, Baseline>,
) -> Option<Study> {
    let cases: Vec<Case<'_>> = windows
        .iter()
        .zip(answers)
        .filter_map(|(window, answer)| {
            Some(Case {
                window,
                baseline: *baselines.get(&window.id)?,
                answer: answer.clone(),
            })
        })
        .collect();
    if cases.is_empty() {
        return None;
    }
    let all: Vec<&Case<'_>> = cases.iter().collect();
    let clusters = clusters(&all);
    let relative = |reference| bounded(&clusters, exp, |cases| log_ratios(cases, reference));
    let by_series = by_series(&all);
    let wape = |forecast: fn(&Case<'_>) -> f64| {
        let shares: Vec<f64> = by_series
            .values()
            .filter_map(|cases| {
                let month: f64 = cases.iter().map(|case| case.month()).sum();
                let error: f64 = cases.iter().map(|case| case.error(forecast(case))).sum();
                (month > 0.0).then_some(error / month)
            })
            .collect();
        median(&shares)
    };
    let ranged = all
        .iter()
        .all(|case| case.baseline.auto_ets_range.is_some());
    let mut parts = parts(&all, |case| format!("cut {}", case.window.cut));
    parts.extend(self::parts(&all, |case| {
        format!("source {}", source(&case.window.series))
    }));
    Some(Study {
        windows: cases.len(),
        left_out: windows.len() - cases.len(),
        series: by_series.len(),
        relae_autoets: relative(|case| case.baseline.auto_ets),
        relae_snaive: relative(|case| case.baseline.seasonal_naive),
        coverage80: bounded(&clusters, |share| 100.0 * share, covered),
        pinball: pinball(&all, |case| Some(case.answer.range)),
        pinball_autoets: ranged.then(|| pinball(&all, |case| case.baseline.auto_ets_range)),
        median_wape: wape(|case| case.answer.forecast),
        median_wape_autoets: wape(|case| case.baseline.auto_ets),
        parts,
    })
}

/// Returns a time in milliseconds.
pub fn milliseconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn source(series: &str) -> &str {
    series.split_once('/').map_or(series, |(source, _)| source)
}

/// The repository behind a series: its counts of changes, by whom ever, and the durations simulated
/// on them share one.
fn repository(series: &str) -> &str {
    match series.split_once('/') {
        Some(("git" | "mins", name)) => name.rsplit_once('_').map_or(name, |(name, _)| name),
        _ => series,
    }
}

fn by_series<'c, 'w>(cases: &[&'c Case<'w>]) -> BTreeMap<&'c str, Vec<&'c Case<'w>>> {
    let mut series: BTreeMap<&str, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        series.entry(&case.window.series).or_default().push(case);
    }
    series
}

/// Returns the sum over series, and their number, of the logarithm of (error + 2 % of the month)
/// over the same of a reference. The 2 % keep near-empty series from deciding.
fn log_ratios(cases: &[&Case<'_>], reference: fn(&Case<'_>) -> f64) -> (f64, usize) {
    let mut logs = 0.0;
    let mut series = 0;
    for cases in by_series(cases).values() {
        let month: f64 = cases.iter().map(|case| case.month()).sum();
        if month <= 0.0 {
            continue;
        }
        let error = |forecast: &dyn Fn(&Case<'_>) -> f64| -> f64 {
            let errors: f64 = cases.iter().map(|case| case.error(forecast(case))).sum();
            errors + 0.02 * month
        };
        logs += ln(error(&|case| case.answer.forecast) / error(&reference));
        series += 1;
    }
    (logs, series)
}

/// Returns how many windows end within P10 and P90, and how many there are.
fn covered(cases: &[&Case<'_>]) -> (f64, usize) {
    let covered = cases.iter().filter(|case| case.covered()).count();
    (count(covered), cases.len())
}

fn pinball(cases: &[&Case<'_>], range: fn(&Case<'_>) -> Option<[f64; 3]>) -> f64 {
    let mut sum = 0.0;
    let mut series = 0;
    for cases in by_series(cases).values() {
        let month: f64 = cases.iter().map(|case| case.month()).sum();
        if month <= 0.0 {
            continue;
        }
        let loss: f64 = cases
            .iter()
            .flat_map(|case| {
                let range = range(case).unwrap_or_default();
                range
                    .into_iter()
                    .zip([0.1, 0.5, 0.9])
                    .map(|(bound, share)| {
                        let above = case.answer.actual - bound;
                        (above * share).max(above * (share - 1.0)) / 3.0
                    })
            })
            .sum();
        sum += loss / month;
        series += 1;
    }
    sum / count(series.max(1))
}

fn parts(cases: &[&Case<'_>], name: impl Fn(&Case<'_>) -> String) -> Vec<Part> {
    let mut groups: BTreeMap<String, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        groups.entry(name(case)).or_default().push(case);
    }
    groups
        .into_iter()
        .map(|(name, cases)| {
            let relae = |reference| exp(mean_of([log_ratios(&cases, reference)]));
            Part {
                name,
                windows: cases.len(),
                relae_autoets: relae(|case| case.baseline.auto_ets),
                relae_snaive: relae(|case| case.baseline.seasonal_naive),
                coverage80: 100.0 * mean_of([covered(&cases)]),
            }
        })
        .collect()
}

fn mean_of(sums: impl IntoIterator<Item = (f64, usize)>) -> f64 {
    let (sum, number) = sums
        .into_iter()
        .fold((0.0, 0), |(sum, number), (s, n)| (sum + s, number + n));
    sum / count(number.max(1))
}

fn clusters<'c, 'w>(cases: &[&'c Case<'w>]) -> Vec<Vec<&'c Case<'w>>> {
    let mut clusters: BTreeMap<&str, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        clusters
            .entry(repository(&case.window.series))
            .or_default()
            .push(case);
    }
    clusters.into_values().collect()
}

/// A mean and the bounds between which 90 % of bootstrap draws of whole clusters put it.
fn bounded(
    clusters: &[Vec<&Case<'_>>],
    shown: fn(f64) -> f64,
    sums: impl Fn(&[&Case<'_>]) -> (f64, usize),
) -> Bounded {
    let sums: Vec<(f64, usize)> = clusters.iter().map(|cases| sums(cases)).collect();
    let mut random = Random::new(20_261_122);
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| mean_of((0..sums.len()).map(|_| sums[random.below(sums.len())])))
        .collect();
    draws.sort_by(f64::total_cmp);
    Bounded {
        value: shown(mean_of(sums.iter().copied())),
        low: shown(quantile(&draws, 0.05)),
        high: shown(quantile(&draws, 0.95)),
    }
}
