//! Exponential smoothing with no trend, a trend or a damped one, chosen by corrected AIC.
//!
//! Errors are additive. The first states enter the errors linearly, so least squares gives them in
//! closed form and only the smoothing weights are searched for.

use super::numbers::{count, ln};

/// What a fit leaves behind: the last state.
#[derive(Clone, Copy, Debug)]
struct Fit {
    criterion: f64,
    level: f64,
    trend: f64,
    damping: f64,
}

/// Forecasts a series without season.
pub(super) fn forecast(y: &[f64], days: usize) -> Vec<f64> {
    if y.len() < 10 {
        return vec![super::numbers::mean(y); days];
    }
    let mut best = fit_level(y);
    for damped in [false, true] {
        let fit = fit_trend(y, damped);
        if fit.criterion < best.criterion {
            best = fit;
        }
    }
    let mut level = best.level;
    let mut step = best.trend;
    (0..days)
        .map(|_| {
            step *= best.damping;
            level += step;
            level
        })
        .collect()
}

fn criterion(errors: f64, n: usize, parameters: f64) -> f64 {
    let n = count(n);
    // A perfect fit has no finite likelihood.
    let errors = errors.max(1e-30);
    n * ln(errors)
        + 2.0 * parameters
        + 2.0 * parameters * (parameters + 1.0) / (n - parameters - 1.0)
}

/// Sum of squared errors of a level with weight `alpha`, and the last level.
fn level_errors(y: &[f64], alpha: f64) -> (f64, f64) {
    let (mut own, mut start) = (0.0, 1.0);
    let (mut ee, mut er, mut rr) = (0.0, 0.0, 0.0);
    for value in y {
        let error = value - own;
        ee += error * error;
        er += error * start;
        rr += start * start;
        own += alpha * error;
        start *= 1.0 - alpha;
    }
    let first = er / rr;
    ((ee - first * er).max(0.0), own + first * start)
}

fn fit_level(y: &[f64]) -> Fit {
    let tried = |alpha: f64| (level_errors(y, alpha).0, alpha);
    let mut best = (f64::INFINITY, 0.1);
    for alpha in [1e-4, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.9999] {
        let trial = tried(alpha);
        if trial.0 < best.0 {
            best = trial;
        }
    }
    let mut width = (best.1 * 0.5).max(0.01);
    for _ in 0..12 {
        for alpha in [best.1 - width, best.1 + width] {
            let trial = tried(alpha.clamp(1e-4, 0.9999));
            if trial.0 < best.0 {
                best = trial;
            }
        }
        width *= 0.6;
    }
    Fit {
        criterion: criterion(best.0, y.len(), 3.0),
        level: level_errors(y, best.1).1,
        trend: 0.0,
        damping: 1.0,
    }
}

/// Sum of squared errors of a trend model, its last level and trend.
fn trend_errors(y: &[f64], alpha: f64, beta: f64, damping: f64) -> (f64, f64, f64) {
    // Three runs in one: the data from zero states, a first level of one, a first trend of one.
    let mut level = [0.0, 1.0, 0.0];
    let mut trend = [0.0, 0.0, 1.0];
    let (mut ee, mut el, mut et, mut ll, mut lt, mut tt) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for value in y {
        let mut error = [0.0; 3];
        for run in 0..3 {
            let drift = damping * trend[run];
            let ahead = level[run] + drift;
            error[run] = if run == 0 { value - ahead } else { -ahead };
            level[run] = ahead + alpha * error[run];
            trend[run] = drift + beta * error[run];
        }
        ee += error[0] * error[0];
        el += error[0] * error[1];
        et += error[0] * error[2];
        ll += error[1] * error[1];
        lt += error[1] * error[2];
        tt += error[2] * error[2];
    }
    let determinant = ll * tt - lt * lt;
    if determinant.abs() < 1e-12 * ll * tt || !determinant.is_finite() {
        return (f64::INFINITY, 0.0, 0.0);
    }
    let first_level = (-el * tt + et * lt) / determinant;
    let first_trend = (-et * ll + el * lt) / determinant;
    let errors = ee + first_level * el + first_trend * et;
    (
        errors.max(0.0),
        level[0] + first_level * level[1] + first_trend * level[2],
        trend[0] + first_level * trend[1] + first_trend * trend[2],
    )
}

fn fit_trend(y: &[f64], damped: bool) -> Fit {
    let damping_of = |share: f64| if damped { 0.8 + 0.18 * share } else { 1.0 };
    // Weights as shares of what they may be: alpha of 1, beta of alpha, damping of 0.8 to 0.98.
    let tried = |point: [f64; 3]| {
        let inside = point.map(|share| share.clamp(1e-4, 0.9999));
        let errors = trend_errors(y, inside[0], inside[0] * inside[1], damping_of(inside[2])).0;
        (errors, inside)
    };
    let mut best = (f64::INFINITY, [0.1, 0.1, 0.5]);
    for alpha in [0.02, 0.1, 0.3, 0.6] {
        for beta in [0.001, 0.05, 0.3] {
            let trial = tried([alpha, beta, 0.8]);
            if trial.0 < best.0 {
                best = trial;
            }
        }
    }
    let mut width = 0.5;
    for _ in 0..9 {
        for axis in 0..if damped { 3 } else { 2 } {
            for direction in [-1.0, 1.0] {
                let mut point = best.1;
                point[axis] += direction * width * point[axis].max(0.05);
                let trial = tried(point);
                if trial.0 < best.0 {
                    best = trial;
                }
            }
        }
        width *= 0.65;
    }
    let [alpha, share, damping] = best.1;
    let damping = damping_of(damping);
    let (errors, level, trend) = trend_errors(y, alpha, alpha * share, damping);
    Fit {
        criterion: criterion(errors, y.len(), if damped { 6.0 } else { 5.0 }),
        level,
        trend,
        damping,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::methods::tests::{close, sample};

    /// `AutoETS(model="ZZN")` of statsforecast 2.1 on the same series without its season: 704.2 over
    /// 17 days, 40.58 on the first. Its search is another one, so the last digits differ.
    #[test]
    fn a_rising_series_goes_on_as_the_library_says() {
        let y = sample();
        let season = crate::forecast::stl::season(&y);
        let rest: Vec<f64> = y.iter().zip(&season).map(|(y, s)| y - s).collect();
        let path = forecast(&rest, 17);
        close(path.iter().sum(), 704.204_884_914_804_3, 0.005);
        close(path[0], 40.584_722_720_255_726, 0.005);
    }

    #[test]
    fn constant_series_stay_where_they_are() {
        for value in [0.0, 5.0] {
            for day in forecast(&[value; 50], 9) {
                close(day, value, 1e-9);
            }
        }
    }
}
