//! The range around a total: a fitted scale, and quantiles of scaled errors (split conformal).
//!
//! The scale of ln((actual + c) / (forecast + c)) is predicted from six facts of the series; c is 2 %
//! of a mean month, which keeps near-empty series finite. The coefficients and quantiles below were
//! fitted on the development windows of the study; `tests/fixtures/forecast/README.md` says how.

use super::{
    ensemble::Point,
    methods::weekly_totals,
    numbers::{count, exp, ln, mean, variance},
};

/// Coefficients of 1 and of the six facts.
const COEFFICIENTS: [f64; 7] = [-0.1822, 0.3464, 0.2696, -0.1492, 0.1761, 0.2181, -0.3161];

/// Scaled errors, and the share of windows below each: those of windows that the coefficients were
/// not fitted on (ten folds by repository, three times), 2.5 % wider around their median, which makes
/// up for what the folds still cover too little (78.6 %).
const QUANTILES: [(f64, f64); 15] = [
    (0.01, -4.749),
    (0.025, -3.899),
    (0.05, -2.307),
    (0.1, -1.716),
    (0.2, -0.898),
    (0.3, -0.499),
    (0.4, -0.165),
    (0.5, 0.111),
    (0.6, 0.458),
    (0.7, 0.74),
    (0.8, 1.043),
    (0.9, 1.461),
    (0.95, 1.983),
    (0.975, 2.514),
    (0.99, 3.12),
];

/// A forecast total as a distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Spread {
    /// The point forecast.
    pub(super) center: f64,
    /// Added before the logarithm, taken off after.
    pub(super) offset: f64,
    /// The scale of the error.
    pub(super) scale: f64,
    /// What is beyond belief: three times the most that so many days ever had.
    pub(super) ceiling: f64,
}

impl Spread {
    /// Returns the value that stays above the actual one with the probability `share`.
    pub(super) fn at(&self, share: f64) -> f64 {
        ((self.center + self.offset) * exp(scaled_error(share) * self.scale) - self.offset)
            .min(self.ceiling)
            .max(0.0)
    }
}

/// The facts of a series that the scale of its error depends on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Facts([f64; 6]);

impl Facts {
    /// Reads them off a history, its forecast and the backtest behind it.
    pub(super) fn of(y: &[f64], point: &Point) -> Self {
        let days = count(point.daily.len().max(1));
        let s0 = week_to_week(y, days);
        let few = point.backtest.len() < 4;
        let sb = if few {
            s0
        } else {
            backtest_error(&point.backtest)
        };
        let recent = &y[y.len().saturating_sub(56)..];
        let active = recent.iter().filter(|value| **value > 0.0).count();
        let events = (count(active) / count(recent.len().max(1)) * days).max(0.3);
        Self([
            ln(s0),
            ln(sb.max(0.02)),
            ln(events),
            ln(days / 30.0),
            level_shift(y),
            f64::from(u8::from(few)),
        ])
    }

    /// Returns them in the order of the coefficients.
    pub(super) fn values(&self) -> [f64; 6] {
        self.0
    }

    /// Returns the scale they predict.
    pub(super) fn scale(&self) -> f64 {
        let sum: f64 = COEFFICIENTS[1..]
            .iter()
            .zip(self.0)
            .map(|(c, x)| c * x)
            .sum();
        exp((COEFFICIENTS[0] + sum).clamp(-6.0, 1.5))
    }
}

/// Returns the range around a point forecast.
pub(super) fn spread(y: &[f64], point: &Point) -> Spread {
    Spread {
        center: point.total,
        offset: offset(y),
        scale: Facts::of(y, point).scale(),
        ceiling: ceiling(y, point),
    }
}

/// Three times the most that so many days had in two years, or that is expected of them. A history of
/// hardly more days than that says less.
pub(super) fn ceiling(y: &[f64], point: &Point) -> f64 {
    let days = point.daily.len();
    let recent = &y[y.len().saturating_sub(730)..];
    let mut sum: f64 = recent.iter().take(days).sum();
    let mut most = sum;
    for at in days..recent.len() {
        sum += recent[at] - recent[at - days];
        most = most.max(sum);
    }
    let factor = if recent.len() < 2 * days { 10.0 } else { 3.0 };
    factor * most.max(point.total)
}

/// 2 % of a mean month.
pub(super) fn offset(y: &[f64]) -> f64 {
    let recent = &y[y.len().saturating_sub(182)..];
    (0.02 * 30.4 * mean(recent)).max(1e-9)
}

/// How much whole weeks differ from one another, carried to `days` days.
fn week_to_week(y: &[f64], days: f64) -> f64 {
    let totals = weekly_totals(y);
    let recent = &totals[totals.len().saturating_sub(26)..];
    let level = mean(recent);
    let changes: Vec<f64> = recent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let relative = if level > 0.0 && !changes.is_empty() {
        variance(&changes) / (level * level)
    } else {
        2.0
    };
    (relative * 7.0 / days + 0.01).min(2.0).sqrt()
}

fn backtest_error(backtest: &[(f64, f64)]) -> f64 {
    let squares: Vec<f64> = backtest
        .iter()
        .map(|(forecast, actual)| {
            let base = (forecast + actual) / 2.0;
            if base > 0.0 {
                let error = (forecast - actual) / base;
                error * error
            } else {
                0.0
            }
        })
        .collect();
    mean(&squares).sqrt()
}

/// How far the last two weeks lie from the last ten, as a ratio in logarithms.
pub(super) fn level_shift(y: &[f64]) -> f64 {
    let recent = mean(&y[y.len().saturating_sub(14)..]);
    let before = mean(&y[y.len().saturating_sub(70)..]);
    if before <= 0.0 {
        return 0.0;
    }
    // Two weeks without anything are a shift, but not an endless one.
    ln((recent / before).clamp(0.05, 20.0)).abs()
}

/// The quantile of scaled errors: straight lines between the fitted ones, and no further out than
/// windows were seen.
fn scaled_error(share: f64) -> f64 {
    let after = QUANTILES.partition_point(|(at, _)| *at < share);
    let last = QUANTILES.len() - 1;
    if after == 0 || after > last {
        return QUANTILES[after.min(last)].1;
    }
    let ((from, low), (to, high)) = (QUANTILES[after - 1], QUANTILES[after]);
    low + (high - low) * (share - from) / (to - from)
}
