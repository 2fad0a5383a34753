//! The point forecast: several methods weighed by how they did, holidays, and a middle of three.
//!
//! `median(weighed with holidays, trimmed weekday mean, MSTL)` of the total over the days to come;
//! the days follow the shape of the weighed mean. Weights are the inverse of each method's mean
//! squared error in a backtest on the series itself. Choosing one method in place of weighing them
//! did worse.

use super::{
    ets,
    methods::{self, NAMES, TRIMMED, WEEK},
    numbers::{count, mean, median3},
    stl,
};

/// Days a history must have before each backtest.
const BACKTEST_FROM: usize = 42;

/// Weeks over which the backtest rolls.
const BACKTEST_WEEKS: usize = 26;

/// Days without use after which a series that was in regular use has stopped. Used on one day in
/// four, it would be silent that long by chance once in four hundred times.
const SILENCE: usize = 21;

/// From so many days on a history has a weekday profile worth weighing methods for.
pub(super) const COLD: usize = 42;

/// Under so many days not even weekdays are told apart.
pub(super) const FROZEN: usize = 14;

/// A daily history and the holidays in it and after it.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// One value a day, without holes.
    pub(super) values: Vec<f64>,
    /// Positions of holidays; those beyond the end lie in the future.
    pub(super) holidays: Vec<usize>,
}

/// What is expected of the days to come.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Point {
    /// Day by day.
    pub(super) daily: Vec<f64>,
    /// Their sum.
    pub(super) total: f64,
    /// How much each method weighs in the weighed mean, in the order of their names.
    pub(super) weights: [f64; NAMES.len()],
    /// The three totals of which the middle was taken: weighed, trimmed, MSTL.
    pub(super) candidates: [f64; 3],
    /// What a holiday has of an ordinary day.
    pub(super) holiday_ratio: f64,
    /// Totals that were forecast in the backtest, and what came.
    pub(super) backtest: Vec<(f64, f64)>,
}

/// Forecasts the next days of a series.
pub(super) fn forecast(history: &History, days: usize) -> Point {
    let y = &history.values[..];
    if y.len() < COLD {
        return cold_start(y, days);
    }
    if has_stopped(y) {
        return Point {
            daily: vec![0.0; days],
            total: 0.0,
            weights: [0.0; NAMES.len()],
            candidates: [0.0; 3],
            holiday_ratio: 1.0,
            backtest: Vec::new(),
        };
    }
    let trials = backtest(y, days);
    let weights = weights(&trials);
    let paths = methods::all(y, days);
    let mut weighed = weigh(&paths, &weights, days);
    let ratio = holiday_ratio(history);
    for &day in history.holidays.iter().filter(|&&day| day >= y.len()) {
        if let Some(value) = weighed.get_mut(day - y.len()) {
            *value *= ratio.min(1.2);
        }
    }
    let candidates = [
        weighed.iter().sum::<f64>(),
        paths[TRIMMED].iter().sum::<f64>(),
        mstl(y, days).iter().sum::<f64>(),
    ]
    .map(|total| total.max(0.0));
    let total = median3(candidates[0], candidates[1], candidates[2]);
    let daily = if candidates[0] > 0.0 {
        let factor = total / candidates[0];
        weighed
            .iter()
            .map(|value| value.max(0.0) * factor)
            .collect()
    } else {
        vec![total / count(days.max(1)); days]
    };
    Point {
        daily,
        total,
        weights,
        candidates,
        holiday_ratio: ratio,
        backtest: trials
            .iter()
            .map(|(forecasts, actual)| {
                let weighed = forecasts.iter().zip(weights).map(|(f, w)| f * w).sum();
                (weighed, *actual)
            })
            .collect(),
    }
}

/// Tells whether a series was in regular use and then, for three weeks, not at all: a compute type
/// that was left, a project that moved. Means would bring it back for months.
pub(super) fn has_stopped(y: &[f64]) -> bool {
    let Some(split) = y.len().checked_sub(SILENCE) else {
        return false;
    };
    let before = &y[split.saturating_sub(8 * WEEK)..split];
    let active = before.iter().filter(|value| **value > 0.0).count();
    y[split..].iter().all(|value| *value <= 0.0) && active * 4 >= before.len() && active > 0
}

/// Under six weeks: a weekday mean, shrunk towards the mean of all days; under two weeks only that.
fn cold_start(y: &[f64], days: usize) -> Point {
    let flat = mean(y).max(0.0);
    let mut daily = vec![flat; days];
    if y.len() >= FROZEN {
        let profile = methods::weekday_profile(y, BACKTEST_WEEKS);
        let even = mean(&profile);
        for (at, value) in daily.iter_mut().enumerate() {
            *value = (flat * profile[at % WEEK] / even).max(0.0);
        }
    }
    let total = daily.iter().sum();
    let mut weights = [0.0; NAMES.len()];
    weights[TRIMMED - 1] = 1.0;
    Point {
        daily,
        total,
        weights,
        candidates: [total; 3],
        holiday_ratio: 1.0,
        backtest: Vec::new(),
    }
}

type Trial = ([f64; NAMES.len()], f64);

/// What each method would have said of `days` days, every week of the last half year.
fn backtest(y: &[f64], days: usize) -> Vec<Trial> {
    let n = y.len();
    let mut trials = Vec::new();
    for back in 0..BACKTEST_WEEKS {
        let Some(origin) = n.checked_sub(days + back * WEEK) else {
            break;
        };
        if origin < BACKTEST_FROM {
            break;
        }
        let past = &y[..origin];
        if past.iter().sum::<f64>() > 0.0 {
            let totals = methods::all(past, days).map(|path| path.iter().sum());
            trials.push((totals, y[origin..origin + days].iter().sum()));
        }
    }
    trials
}

/// The inverse of the mean squared error; equal weights where nothing could be tried.
fn weights(trials: &[Trial]) -> [f64; NAMES.len()] {
    let mut weights = [1.0; NAMES.len()];
    if !trials.is_empty() {
        for (at, weight) in weights.iter_mut().enumerate() {
            let squares = trials
                .iter()
                .map(|(forecasts, actual)| (forecasts[at] - actual) * (forecasts[at] - actual));
            *weight = 1.0 / (squares.sum::<f64>() / count(trials.len()) + 1e-9);
        }
    }
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

fn weigh(paths: &[Vec<f64>], weights: &[f64], days: usize) -> Vec<f64> {
    let mut weighed = vec![0.0; days];
    for (path, weight) in paths.iter().zip(weights) {
        for (sum, value) in weighed.iter_mut().zip(path) {
            *sum += weight * value;
        }
    }
    weighed
}

/// What holidays had of the same weekday in the four weeks before, shrunk as if three ordinary days
/// had been seen too.
fn holiday_ratio(history: &History) -> f64 {
    let y = &history.values[..];
    let (mut on, mut usual) = (0.0, 0.0);
    for &day in history
        .holidays
        .iter()
        .filter(|&&day| (28..y.len()).contains(&day))
    {
        on += y[day];
        usual += (y[day - 7] + y[day - 14] + y[day - 21] + y[day - 28]) / 4.0;
    }
    let level = mean(y);
    if usual > 0.0 && level > 0.0 {
        ((on + 3.0 * level) / (usual + 3.0 * level)).max(0.0)
    } else {
        1.0
    }
}

/// A season of weeks by STL, the rest continued by exponential smoothing.
fn mstl(y: &[f64], days: usize) -> Vec<f64> {
    let season = stl::season(y);
    let rest: Vec<f64> = y.iter().zip(&season).map(|(y, s)| y - s).collect();
    let last_week = &season[season.len() - WEEK..];
    ets::forecast(&rest, days)
        .iter()
        .zip(last_week.iter().cycle())
        .map(|(level, season)| level + season)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::methods::tests::{close, sample};

    /// Weights and weighed total as the study's `numpy` code computes them.
    #[test]
    fn weights_agree_with_the_study() {
        let history = History {
            values: sample(),
            holidays: Vec::new(),
        };
        let point = forecast(&history, 17);
        let expected = [
            0.177_394, 0.086_198, 0.057_835, 0.056_222, 0.089_164, 0.252_228, 0.280_959,
        ];
        for (weight, expected) in point.weights.iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-6);
        }
        assert_eq!(point.backtest.len(), 9);
        close(point.candidates[0], 690.820_890_354_244_3, 1e-12);
    }

    #[test]
    fn the_holiday_ratio_agrees_with_the_study() {
        let history = History {
            values: sample(),
            holidays: vec![40, 80, 100, 123],
        };
        close(holiday_ratio(&history), 1.031_141_006_477_329_4, 1e-12);
        let usual = forecast(
            &History {
                holidays: Vec::new(),
                ..history.clone()
            },
            17,
        );
        assert!(forecast(&history, 17).candidates[0] > usual.candidates[0]);
    }
}
