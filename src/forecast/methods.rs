//! The simple methods that the ensemble weighs: each turns daily history into a daily path.
//!
//! All of them know a week of seven days and nothing else of the calendar. The last value of a
//! history is the day before the first of the path. Ported from the study; the numbers in the tests
//! below are those of its `numpy` code.

use super::numbers::{count, mean};

/// Days in a week.
pub(super) const WEEK: usize = 7;

/// The methods in the order of their names below.
pub(super) const NAMES: [&str; 7] = [
    "weekday mean, 4 weeks",
    "weekday mean, 8 weeks",
    "weekday mean, 13 weeks",
    "weekday mean, 26 weeks",
    "trimmed weekday mean, 8 weeks",
    "smoothed weekly level",
    "half the drift of 26 weeks",
];

/// The place of the trimmed weekday mean among the methods.
pub(super) const TRIMMED: usize = 4;

/// Smoothing weights that are tried for the weekly level.
const ALPHAS: [f64; 8] = [0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6, 0.8];

/// Weeks ahead on which a smoothing weight is judged.
const LEAD: usize = 4;

/// Runs every method.
pub(super) fn all(history: &[f64], days: usize) -> [Vec<f64>; NAMES.len()] {
    let level = smoothed_week(history, days);
    let drift = half_drift(history, &level);
    [
        weekday_mean(history, days, 4),
        weekday_mean(history, days, 8),
        weekday_mean(history, days, 13),
        weekday_mean(history, days, 26),
        trimmed_weekday_mean(history, days, 8),
        level,
        drift,
    ]
}

/// The last whole weeks, at most `weeks` of them and at least one.
fn last_weeks(history: &[f64], weeks: usize) -> &[f64] {
    let whole = (history.len() / WEEK).min(weeks).max(1) * WEEK;
    &history[history.len().saturating_sub(whole)..]
}

/// Repeats a week over the days to come.
fn repeat(week: &[f64], days: usize) -> Vec<f64> {
    week.iter().copied().cycle().take(days).collect()
}

/// The mean of each weekday over the last weeks; under a week of history the mean of all days.
pub(super) fn weekday_mean(history: &[f64], days: usize, weeks: usize) -> Vec<f64> {
    if history.len() < WEEK {
        return vec![mean(history); days];
    }
    let recent = last_weeks(history, weeks);
    let rows = count(recent.len() / WEEK);
    let mut week = [0.0; WEEK];
    for (at, value) in recent.iter().enumerate() {
        week[at % WEEK] += value / rows;
    }
    repeat(&week, days)
}

/// The mean of each weekday without the highest and lowest fifth.
pub(super) fn trimmed_weekday_mean(history: &[f64], days: usize, weeks: usize) -> Vec<f64> {
    if history.len() < WEEK {
        return vec![mean(history); days];
    }
    let recent = last_weeks(history, weeks);
    let rows = recent.len() / WEEK;
    let cut = if rows >= 5 { rows / 5 } else { 0 };
    let mut week = [0.0; WEEK];
    for (at, value) in week.iter_mut().enumerate() {
        let mut of_weekday: Vec<f64> = recent.iter().skip(at).step_by(WEEK).copied().collect();
        of_weekday.sort_by(f64::total_cmp);
        *value = mean(&of_weekday[cut..rows - cut]);
    }
    repeat(&week, days)
}

/// How much of a week falls on each weekday, shrunk towards an even week. Starts with the weekday
/// after the last day of history.
pub(super) fn weekday_profile(history: &[f64], weeks: usize) -> [f64; WEEK] {
    let whole = (history.len() / WEEK).min(weeks);
    if whole < 2 {
        return [1.0; WEEK];
    }
    let recent = &history[history.len() - whole * WEEK..];
    let level = mean(recent);
    if level <= 0.0 {
        return [1.0; WEEK];
    }
    let rows = count(whole);
    let mut profile = [0.0; WEEK];
    for (at, value) in recent.iter().enumerate() {
        profile[at % WEEK] += value / rows;
    }
    profile.map(|value| (rows * (value / level) + 2.0) / (rows + 2.0))
}

/// Totals of the whole weeks that end with the last day.
pub(super) fn weekly_totals(history: &[f64]) -> Vec<f64> {
    history[history.len() % WEEK..]
        .chunks_exact(WEEK)
        .map(|week| week.iter().sum())
        .collect()
}

/// An exponentially smoothed weekly level. Its weight is the one that would have predicted the mean
/// of the following four weeks best: the error of the sum counts, not that of the next week.
fn smoothed_week(history: &[f64], days: usize) -> Vec<f64> {
    let totals = weekly_totals(history);
    let n = totals.len();
    if n < 6 {
        return weekday_mean(history, days, 8);
    }
    let start = mean(&totals[..4]);
    let mut best = (f64::INFINITY, start);
    for alpha in ALPHAS {
        let mut level = start;
        let mut loss = 0.0;
        for (at, total) in totals.iter().enumerate() {
            if (4..n - 1).contains(&at) {
                let ahead = &totals[at..(at + LEAD).min(n)];
                loss += ((mean(ahead) - level) * count(ahead.len()).sqrt()).abs();
            }
            level += alpha * (total - level);
        }
        if loss < best.0 {
            best = (loss, level);
        }
    }
    let profile = weekday_profile(history, 26);
    let even = mean(&profile);
    let week = profile.map(|share| best.1 / 7.0 * share / even);
    repeat(&week, days)
}

/// The smoothed level with half the straight line through 26 weeks, the less of it the less sure
/// its slope is.
fn half_drift(history: &[f64], level: &[f64]) -> Vec<f64> {
    let totals = weekly_totals(history);
    if totals.len() < 12 {
        return level.to_vec();
    }
    let recent = &totals[totals.len().saturating_sub(26)..];
    let (slope, sure) = slope(recent);
    let step = 0.5 * sure * slope / 7.0;
    (1..)
        .zip(level)
        .map(|(day, value)| (value + step * f64::from(day) / 7.0).max(0.0))
        .collect()
}

/// The slope of a straight line, and how sure it is from 0 to 1.
pub(super) fn slope(values: &[f64]) -> (f64, f64) {
    let n = values.len();
    let middle = (count(n) - 1.0) / 2.0;
    let level = mean(values);
    let spread: f64 = (0..n)
        .map(|x| (count(x) - middle) * (count(x) - middle))
        .sum();
    let slope = values
        .iter()
        .enumerate()
        .map(|(x, value)| (count(x) - middle) * value)
        .sum::<f64>()
        / spread;
    let residuals: f64 = values
        .iter()
        .enumerate()
        .map(|(x, value)| value - level - slope * (count(x) - middle))
        .map(|residual| residual * residual)
        .sum();
    let error = (residuals / (count(n) - 2.0)).sqrt() / spread.sqrt();
    let ratio = error / slope.abs().max(1e-12);
    (slope, (1.0 - ratio * ratio).max(0.0))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// 120 days of working weeks with noise and a slow rise.
    pub(in crate::forecast) fn sample() -> Vec<f64> {
        (0..120)
            .map(|i| {
                let working = if i % 7 < 5 { 20.0 } else { 0.0 };
                f64::from((i * i * 7 + i * 13) % 29) + working + f64::from(i) / 10.0
            })
            .collect()
    }

    pub(in crate::forecast) fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{found} is not {expected}"
        );
    }

    /// Total, first and last day over 17 days, as the study's `numpy` code computes them.
    #[test]
    fn every_method_agrees_with_the_study() {
        let expected = [
            (680.75, 44.0, 53.7),
            (655.575, 41.475, 43.425),
            (
                626.430_769_230_769_2,
                42.023_076_923_076_92,
                43.069_230_769_230_77,
            ),
            (604.164_705_882_352_9, 39.582_352_941_176_47, 41.9),
            (656.983_333_333_333_3, 41.0, 43.733_333_333_333_33),
            (
                717.766_106_469_922_1,
                46.533_486_628_998_865,
                49.005_155_220_516_656,
            ),
            (
                725.136_876_874_957_2,
                46.581_661_598_966_41,
                49.824_129_709_965,
            ),
        ];
        for (path, (total, first, last)) in all(&sample(), 17).iter().zip(expected) {
            close(path.iter().sum(), total, 1e-12);
            close(path[0], first, 1e-12);
            close(path[16], last, 1e-12);
        }
    }

    #[test]
    fn a_history_of_days_has_a_mean_and_nothing_more() {
        for path in all(&[3.0, 5.0], 4) {
            assert_eq!(path, vec![4.0; 4]);
        }
        assert_eq!(all(&[], 2)[0], vec![0.0; 2]);
    }
}
