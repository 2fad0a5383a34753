//! The study as code: the forecaster over recorded windows, beside a library's answers.
//!
//! Each window is a daily history, a cut in a month and what came after. Errors are those of the
//! calendar month's total. Clusters for the confidence bounds are repositories: windows of one
//! repository, and its simulated durations, share their luck.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use chrono::NaiveDate;
use flate2::bufread::MultiGzDecoder;
use pipebill::forecast::{Remainder, calendar::Calendar, remainder};
use serde::Deserialize;

/// Bootstrap draws behind a confidence bound.
const DRAWS: usize = 2000;

/// One window: what was known on a day, and what came.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(crate) struct Window {
    /// Its name.
    pub(crate) id: String,
    /// Which series; the part before the slash is its source.
    pub(crate) series: String,
    /// The first day to forecast.
    origin: NaiveDate,
    /// Days of the month already known.
    cut: u32,
    /// What those days had.
    #[serde(rename = "mtd")]
    month_to_date: f64,
    /// Daily history up to the day before the origin.
    #[serde(rename = "hist")]
    history: Vec<f64>,
    /// What came.
    #[serde(rename = "fut")]
    future: Vec<f64>,
}

/// What a library said of a window: totals of the rest of the month.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Baseline {
    /// The same days of the last weeks again.
    pub(crate) seasonal_naive: f64,
    /// Automatic exponential smoothing.
    pub(crate) auto_ets: f64,
    /// P10, P50 and P90 of its simulated paths, where the file has them.
    pub(crate) auto_ets_range: Option<[f64; 3]>,
}

/// A figure with its 90 % confidence bounds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Bounded {
    /// The figure.
    pub(crate) value: f64,
    /// Lower bound.
    pub(crate) low: f64,
    /// Upper bound.
    pub(crate) high: f64,
}

/// How a part of the windows did.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Part {
    /// Which part, as `cut 14` or `source git`.
    pub(crate) name: String,
    /// How many windows.
    pub(crate) windows: usize,
    /// Errors over those of automatic exponential smoothing.
    pub(crate) relae_autoets: f64,
    /// Errors over those of the seasonal naive method.
    pub(crate) relae_snaive: f64,
    /// Share of months within P10 and P90, in percent.
    pub(crate) coverage80: f64,
}

/// What the study finds.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Study {
    /// Windows that have a baseline.
    pub(crate) windows: usize,
    /// Windows without one, left out.
    pub(crate) left_out: usize,
    /// Series.
    pub(crate) series: usize,
    /// Errors over those of automatic exponential smoothing.
    pub(crate) relae_autoets: Bounded,
    /// Errors over those of the seasonal naive method.
    pub(crate) relae_snaive: Bounded,
    /// Share of months within P10 and P90, in percent.
    pub(crate) coverage80: Bounded,
    /// Pinball loss of P10, P50 and P90 as a share of the month, mean over series.
    pub(crate) pinball: f64,
    /// The same of simulated paths of automatic exponential smoothing, where they are known.
    pub(crate) pinball_autoets: Option<f64>,
    /// Median over series of the error as a share of the month.
    pub(crate) median_wape: f64,
    /// The same of automatic exponential smoothing.
    pub(crate) median_wape_autoets: f64,
    /// By cut day and by source.
    pub(crate) parts: Vec<Part>,
}

/// One window with everything known about it.
struct Case<'w> {
    window: &'w Window,
    baseline: Baseline,
    answer: Remainder,
}

impl Case<'_> {
    fn month(&self) -> f64 {
        self.window.month_to_date + self.window.actual()
    }

    fn error(&self, forecast: f64) -> f64 {
        (forecast - self.window.actual()).abs()
    }

    fn covered(&self) -> bool {
        // A bound that only rounding separates from the actual value holds it.
        let slack = 1e-9 * self.month().max(1.0);
        (self.answer.range[0] - slack..=self.answer.range[2] + slack)
            .contains(&self.window.actual())
    }
}

/// Reads windows: JSON Lines, plain or gzipped.
pub(crate) fn windows(path: &Path) -> Result<Vec<Window>, String> {
    let of_line = |(at, line): (usize, std::io::Result<String>)| {
        let line = line.map_err(|error| error.to_string());
        let window = line.and_then(|line| serde_json::from_str(&line).map_err(|e| e.to_string()));
        window.map_err(|problem| format!("{}, line {}: {problem}", path.display(), at + 1))
    };
    open(path)?.lines().enumerate().map(of_line).collect()
}

/// Reads baselines by window: a CSV whose columns are found by name. The percentiles may be absent.
pub(crate) fn baselines(path: &Path) -> Result<BTreeMap<String, Baseline>, String> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        #[serde(rename = "SNaive")]
        seasonal_naive: f64,
        #[serde(rename = "AutoETS")]
        auto_ets: f64,
        #[serde(rename = "AutoETS_p10")]
        p10: Option<f64>,
        #[serde(rename = "AutoETS_p50")]
        p50: Option<f64>,
        #[serde(rename = "AutoETS_p90")]
        p90: Option<f64>,
    }
    let rows = csv::Reader::from_reader(open(path)?).into_deserialize();
    let of_row = |row: Result<Row, csv::Error>| {
        let row = row.map_err(|error| format!("{}: {error}", path.display()))?;
        let baseline = Baseline {
            seasonal_naive: row.seasonal_naive,
            auto_ets: row.auto_ets,
            auto_ets_range: row
                .p10
                .zip(row.p50)
                .zip(row.p90)
                .map(|((a, b), c)| [a, b, c]),
        };
        Ok((row.id, baseline))
    };
    rows.map(of_row).collect()
}

/// Opens a file, inflating it if it is gzipped, whatever its name.
fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    let unreadable = |error| format!("{}: {error}", path.display());
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let is_gzipped = reader
        .fill_buf()
        .map_err(unreadable)?
        .starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzipped {
        Box::new(BufReader::new(MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    })
}

impl Window {
    /// Forecasts it.
    pub(crate) fn answer(&self, calendar: &Calendar) -> Remainder {
        remainder(&self.history, self.origin, self.future.len(), calendar)
    }

    /// What came.
    pub(crate) fn actual(&self) -> f64 {
        self.future.iter().sum()
    }
}

/// Compares answers with what came and with baselines of the same names. Returns nothing when no
/// window has a baseline.
pub(crate) fn study(
    windows: &[Window],
    answers: &[Remainder],
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
    let relative = |reference| bounded(&clusters, f64::exp, |cases| log_ratios(cases, reference));
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
        median_wape: wape(|case| case.answer.total),
        median_wape_autoets: wape(|case| case.baseline.auto_ets),
        parts,
    })
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
        logs += (error(&|case| case.answer.total) / error(&reference)).ln();
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
                        let above = case.window.actual() - bound;
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
            let relae = |reference| mean_of([log_ratios(&cases, reference)]).exp();
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
    let mut state = 20_261_122_u64;
    // `SplitMix64`: the same draws on every machine.
    let mut below = |end: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * end as u128) >> 64) as usize
    };
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| mean_of((0..sums.len()).map(|_| sums[below(sums.len())])))
        .collect();
    draws.sort_by(f64::total_cmp);
    Bounded {
        value: shown(mean_of(sums.iter().copied())),
        low: shown(quantile(&draws, 0.05)),
        high: shown(quantile(&draws, 0.95)),
    }
}

fn count(n: usize) -> f64 {
    n as f64
}

/// Returns the quantile of sorted values, interpolated between neighbours; zero of nothing.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share * count(last);
    let below = place as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - count(below))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}
