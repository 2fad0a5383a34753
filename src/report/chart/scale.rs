//! Axes with round numbers.

use super::canvas::width_of;
use crate::{domain::ids::Currency, report::currency_sign};

/// An axis from a round number to a round number.
pub(super) struct Scale {
    step: f64,
    first: i64,
    last: i64,
}

impl Scale {
    /// Returns the axis that holds these values, and nothing, with about `ticks` steps.
    pub(super) fn over(values: impl Iterator<Item = f64>, ticks: f64) -> Self {
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Self::between(low, high, ticks)
    }

    /// Returns the axis between two values, with about `ticks` steps.
    pub(super) fn between(low: f64, high: f64, ticks: f64) -> Self {
        let range = high - low;
        if !(range.is_finite() && range > 0.0) {
            return Self {
                step: 1.0,
                first: 0,
                last: 1,
            };
        }
        let step = round_step(range / ticks);
        Self {
            step,
            first: (low / step + 1e-9).floor() as i64,
            last: (high / step - 1e-9).ceil() as i64,
        }
    }

    pub(super) fn low(&self) -> f64 {
        self.first as f64 * self.step
    }

    pub(super) fn high(&self) -> f64 {
        self.last as f64 * self.step
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        (self.first..=self.last).map(|k| k as f64 * self.step)
    }

    /// Returns where a value lies between two coordinates.
    pub(super) fn at(&self, value: f64, from: f64, to: f64) -> f64 {
        from + (value - self.low()) / (self.high() - self.low()) * (to - from)
    }

    /// Writes a tick as money, all ticks in one unit.
    pub(super) fn money(&self, value: f64, currency: &Currency) -> String {
        let sign = if value < 0.0 { "−" } else { "" };
        format!(
            "{sign}{}{}",
            currency_sign(currency),
            self.number(value.abs())
        )
    }

    /// Returns how much room the ticks need beside the axis.
    pub(super) fn room(&self, currency: &Currency) -> f64 {
        let widths = self
            .ticks()
            .map(|tick| width_of(&self.money(tick, currency)));
        widths.fold(34.0, f64::max) + 14.0
    }

    fn number(&self, value: f64) -> String {
        let most = self.high().abs().max(self.low().abs());
        let (unit, letter) = [
            (1e12, 1e12, "T"),
            (1e9, 1e9, "B"),
            (1e6, 1e6, "M"),
            (1e4, 1e3, "k"),
        ]
        .into_iter()
        .find(|(from, unit, _)| most >= *from && decimals_of(self.step / unit) <= 2)
        .map_or((1.0, ""), |(_, unit, letter)| (unit, letter));
        let decimals = match decimals_of(self.step / unit) {
            // Tenths of a dollar are written as cents.
            1 if letter.is_empty() => 2,
            decimals => decimals,
        };
        let text = format!("{:.decimals$}", value / unit);
        let letter = if value == 0.0 { "" } else { letter };
        let text = if value == 0.0 { "0" } else { &text };
        format!("{}{letter}", crate::report::grouped(text))
    }
}

/// Rounds a step up to 1, 2, 2.5 or 5 times a power of ten.
pub(super) fn round_step(least: f64) -> f64 {
    let mut power = 1.0_f64;
    while power * 10.0 <= least {
        power *= 10.0;
    }
    while power > least {
        power /= 10.0;
    }
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// Counts the decimals that tell the steps apart.
fn decimals_of(step: f64) -> usize {
    (0..9)
        .find(|&decimals| {
            let scaled = step * 10_f64.powi(decimals);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
        })
        .map_or(9, |decimals| decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[f64]) -> Vec<String> {
        let usd = Currency::new("USD");
        let scale = Scale::over(values.iter().copied(), 5.0);
        scale.ticks().map(|tick| scale.money(tick, &usd)).collect()
    }

    #[test]
    fn ticks_are_round_and_in_one_unit() {
        assert_eq!(
            axis(&[311.0, 429.0]),
            ["$0", "$100", "$200", "$300", "$400", "$500"]
        );
        assert_eq!(axis(&[18_943.0]), ["$0", "$5k", "$10k", "$15k", "$20k"]);
        assert_eq!(
            axis(&[-12.0, 30.0]),
            ["−$20", "−$10", "$0", "$10", "$20", "$30"]
        );
        assert_eq!(
            axis(&[0.012]),
            ["$0", "$0.0025", "$0.0050", "$0.0075", "$0.0100", "$0.0125"]
        );
        assert_eq!(axis(&[4e15])[1], "$1,000T");
        assert_eq!(axis(&[1.234e9])[1..3], ["$0.25B", "$0.50B"]);
        assert_eq!(axis(&[7.4])[1], "$2");
        assert_eq!(axis(&[11.0])[1], "$2.50");
    }

    #[test]
    fn no_values_and_nothing_but_zeros_still_have_an_axis() {
        for values in [&[][..], &[0.0], &[f64::NAN]] {
            assert_eq!(axis(values), ["$0", "$1"]);
        }
    }

    #[test]
    fn every_value_lies_on_its_axis() {
        for value in [0.1, 1.0, 9.99, 10.0, 10.01, 123_456.0, 1e-7, 7e14] {
            let scale = Scale::over([value].into_iter(), 5.0);
            assert!(scale.high() >= value * 0.999_999, "{value}");
            assert!((1..=11).contains(&scale.ticks().count()), "{value}");
        }
    }
}
