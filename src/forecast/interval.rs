//! The range around a total: a fitted scale, and quantiles of scaled errors (split conformal).
//!
//! The scale of ln((actual + c) / (forecast + c)) is predicted from six facts of the series; c is 2 %
//! of a mean month, which keeps near-empty series finite. The coefficients and quantiles below were
//! fitted on the development windows of the study; how, is in `tests/fixtures/forecast/README.md`.

use super::{
    ensemble::Point,
    methods::weekly_totals,
    numbers::{count, exp, ln, mean, variance},
};

/// Coefficients of 1 and of the six facts.
const COEFFICIENTS: [f64; 7] = [
    -0.826_429_116_197_699_2,
    0.293_644_521_444_692_8,
    0.149_319_942_904_300_34,
    -0.033_636_482_874_790_666,
    0.145_857_252_672_850_3,
    0.382_790_145_249_289_17,
    -0.346_087_610_301_015_8,
];

/// Scaled errors below which a share of all windows lay.
const QUANTILES: [(f64, f64); 3] = [
    (0.1, -1.794_937_593_727_047),
    (0.5, 0.127_616_433_028_991_48),
    (0.9, 1.931_780_665_112_812_5),
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
}

impl Spread {
    /// Returns the value that stays above the actual one with the probability `share`.
    pub(super) fn at(&self, share: f64) -> f64 {
        ((self.center + self.offset) * exp(scaled_error(share) * self.scale) - self.offset).max(0.0)
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
    }
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

/// The quantile of scaled errors: straight lines between the fitted ones, beyond them the tails of
/// a double exponential distribution, which is what the windows show.
fn scaled_error(share: f64) -> f64 {
    let share = share.clamp(0.0005, 0.9995);
    let [(low, at_low), (middle, at_middle), (high, at_high)] = QUANTILES;
    let between = |(from, at_from): (f64, f64), (to, at_to): (f64, f64)| {
        at_from + (at_to - at_from) * (share - from) / (to - from)
    };
    if share < low {
        at_middle + (at_low - at_middle) * ln(2.0 * share) / ln(2.0 * low)
    } else if share < middle {
        between((low, at_low), (middle, at_middle))
    } else if share < high {
        between((middle, at_middle), (high, at_high))
    } else {
        at_middle + (at_high - at_middle) * ln(2.0 * (1.0 - share)) / ln(2.0 * (1.0 - high))
    }
}
