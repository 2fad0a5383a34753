//! Seasons taken out by local regression: STL (Cleveland and others, 1990), for weeks of seven
//! days, without its robustness weights.
//!
//! The windows are those of MSTL: 11 weeks for the season (level only), 13 days for the trend and
//! 9 for the low pass (straight lines), five rounds.

const PERIOD: usize = 7;
const SEASON_WINDOW: usize = 11;
const TREND_WINDOW: usize = 13;
const LOW_PASS_WINDOW: usize = 9;
const ROUNDS: usize = 5;

/// Returns the weekly season of a series, as long as the series.
/// Needs two weeks; a shorter series has no season.
pub(super) fn season(y: &[f64]) -> Vec<f64> {
    let n = y.len();
    if n < 2 * PERIOD {
        return vec![0.0; n];
    }
    let mut trend = vec![0.0; n];
    let mut season = vec![0.0; n];
    for _ in 0..ROUNDS {
        let detrended = difference(y, &trend);
        let extended = smooth_weekdays(&detrended);
        let thrice = moving_mean(&moving_mean(&moving_mean(&extended, PERIOD), PERIOD), 3);
        let low = smooth(&thrice, LOW_PASS_WINDOW, true);
        for (at, value) in season.iter_mut().enumerate() {
            *value = extended[PERIOD + at] - low[at];
        }
        trend = smooth(&difference(y, &season), TREND_WINDOW, true);
    }
    season
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Smooths each weekday's values over the weeks and extends them a week to both sides.
fn smooth_weekdays(y: &[f64]) -> Vec<f64> {
    let n = y.len();
    let mut extended = vec![0.0; n + 2 * PERIOD];
    for weekday in 0..PERIOD {
        let values: Vec<f64> = y.iter().skip(weekday).step_by(PERIOD).copied().collect();
        let weeks = values.len();
        let smoothed = smooth(&values, SEASON_WINDOW, false);
        let right = SEASON_WINDOW.min(weeks);
        let before = local(&values, 0.0, 1, right, SEASON_WINDOW, false).unwrap_or(smoothed[0]);
        let left = (weeks + 1).saturating_sub(SEASON_WINDOW).max(1);
        let after = local(
            &values,
            (weeks + 1) as f64,
            left,
            weeks,
            SEASON_WINDOW,
            false,
        )
        .unwrap_or(smoothed[weeks - 1]);
        extended[weekday] = before;
        for (week, value) in smoothed.iter().enumerate() {
            extended[weekday + (week + 1) * PERIOD] = *value;
        }
        extended[weekday + (weeks + 1) * PERIOD] = after;
    }
    extended
}

fn moving_mean(values: &[f64], length: usize) -> Vec<f64> {
    let size = length as f64;
    let mut sum: f64 = values[..length].iter().sum();
    let mut means = vec![sum / size];
    for at in length..values.len() {
        sum += values[at] - values[at - length];
        means.push(sum / size);
    }
    means
}

/// Local regression at every place. A window at least as long as the row takes all of it.
fn smooth(y: &[f64], window: usize, straight: bool) -> Vec<f64> {
    let n = y.len();
    if n < 2 {
        return y.to_vec();
    }
    let half = window.div_ceil(2);
    let (mut left, mut right) = (1, window.min(n));
    (1..=n)
        .map(|at| {
            if window < n && at > half && right != n {
                left += 1;
                right += 1;
            }
            local(y, at as f64, left, right, window, straight).unwrap_or(y[at - 1])
        })
        .collect()
}

/// Local regression at one place, with tricube weights over the places `left..=right`, which count
/// from 1. None where every weight is zero.
fn local(
    y: &[f64],
    at: f64,
    left: usize,
    right: usize,
    window: usize,
    straight: bool,
) -> Option<f64> {
    let n = y.len();
    let mut reach = (at - left as f64).max(right as f64 - at);
    if window > n {
        reach += ((window - n) / 2) as f64;
    }
    let (far, near) = (0.999 * reach, 0.001 * reach);
    let mut weights = [0.0; TREND_WINDOW];
    let mut sum = 0.0;
    let used = &mut weights[..=right - left];
    for (place, weight) in (left..).zip(used.iter_mut()) {
        let distance = (place as f64 - at).abs();
        if distance <= far {
            *weight = if distance <= near {
                1.0
            } else {
                let share = distance / reach;
                let rest = 1.0 - share * share * share;
                rest * rest * rest
            };
            sum += *weight;
        }
    }
    if sum <= 0.0 {
        return None;
    }
    for weight in used.iter_mut() {
        *weight /= sum;
    }
    if straight && reach > 0.0 {
        let middle: f64 = (left..).zip(used.iter()).map(|(j, w)| w * j as f64).sum();
        let offset = |place: usize| place as f64 - middle;
        let spread: f64 = (left..)
            .zip(used.iter())
            .map(|(j, w)| w * offset(j) * offset(j))
            .sum();
        if spread.sqrt() > 0.001 * (n as f64 - 1.0) {
            let slope = (at - middle) / spread;
            for (place, weight) in (left..).zip(used.iter_mut()) {
                *weight *= slope * offset(place) + 1.0;
            }
        }
    }
    Some(
        y[left - 1..right]
            .iter()
            .zip(used)
            .map(|(y, w)| y * *w)
            .sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::methods::tests::{close, sample};

    /// As `STL(y, period=7, seasonal=11, seasonal_deg=0)` of statsmodels 0.14 has it.
    #[test]
    fn the_season_is_that_of_statsmodels() {
        let season = season(&sample());
        for (day, expected) in [
            (0, 9.057_982_535_941_768),
            (1, 4.251_930_195_255_529),
            (59, 3.094_873_424_515_377_7),
            (118, -13.362_885_077_929_523),
            (119, 2.536_074_779_994_756),
        ] {
            close(season[day], expected, 1e-9);
        }
    }

    #[test]
    fn short_and_even_series_have_no_season() {
        assert_eq!(season(&[1.0; 13]), vec![0.0; 13]);
        assert!(season(&[4.0; 60]).iter().all(|value| value.abs() < 1e-9));
    }
}
