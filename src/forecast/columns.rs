//! Columns of paths: sums, quantiles, and the way back to exact amounts.

use rust_decimal::{
    Decimal,
    prelude::{FromPrimitive, ToPrimitive},
};

use super::numbers::{count, mean, tenths};
use crate::domain::{bill::Bill, money::Money, percentiles::Percentiles};

/// Sums over months, path by path.
pub(super) struct Totals {
    month: Vec<f64>,
    pub(super) sum: Vec<f64>,
    drivers: Vec<Vec<f64>>,
    pub(super) ever_over: Vec<bool>,
}

impl Totals {
    pub(super) fn new(drivers: usize, paths: usize) -> Self {
        Self {
            month: Vec::new(),
            sum: vec![0.0; paths],
            drivers: vec![vec![0.0; paths]; drivers],
            ever_over: vec![false; paths],
        }
    }

    pub(super) fn add(
        &mut self,
        costs: &[Vec<f64>],
        fixed: Option<&Bill>,
        budget: Option<Money>,
    ) -> Vec<f64> {
        let known = fixed.map_or(0.0, |bill| float(bill.total()));
        self.month = vec![known; self.sum.len()];
        for (driver, column) in self.drivers.iter_mut().zip(costs) {
            add(&mut self.month, column);
            add(driver, column);
        }
        add(&mut self.sum, &self.month);
        if let Some(budget) = budget {
            let budget = float(budget);
            for (ever, month) in self.ever_over.iter_mut().zip(&self.month) {
                *ever |= *month > budget;
            }
        }
        self.month.clone()
    }

    pub(super) fn over(&self, budget: Option<Money>) -> Option<Decimal> {
        let budget = float(budget?);
        let over = self.month.iter().filter(|month| **month > budget).count();
        Some(percent(over, self.month.len()))
    }

    /// Each driver's covariance with the whole as a share of the variance of the whole, in percent.
    pub(super) fn shares_of_spread(&self) -> Vec<Decimal> {
        let middle = mean(&self.sum);
        let all: f64 = self.sum.iter().map(|v| (v - middle) * (v - middle)).sum();
        self.drivers
            .iter()
            .map(|column| {
                let own = mean(column);
                let together: f64 = column
                    .iter()
                    .zip(&self.sum)
                    .map(|(value, sum)| (value - own) * (sum - middle))
                    .sum();
                if all > 0.0 {
                    decimal(100.0 * together / all, 1)
                } else {
                    Decimal::ZERO
                }
            })
            .collect()
    }
}

/// Adds an amount to every path.
pub(super) fn shift(column: &mut [f64], amount: f64) {
    for value in column {
        *value += amount;
    }
}

/// P10, P50 and P90 of a column.
pub(super) fn points(column: &[f64]) -> [f64; 3] {
    tenths(&mut column.to_vec())
}

/// P10, P50 and P90 of a column of amounts.
pub(super) fn percentiles(mut column: Vec<f64>) -> Percentiles {
    let [p10, p50, p90] = tenths(&mut column).map(|value| Money::new(decimal(value, 4)));
    Percentiles { p10, p50, p90 }
}

pub(super) fn add(sum: &mut [f64], column: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(column) {
        *sum += value;
    }
}

pub(super) fn float(money: Money) -> f64 {
    money.amount().to_f64().unwrap_or_default()
}

/// Rounds to a decimal; what is no number or too large for one becomes the largest amount.
pub(super) fn decimal(value: f64, places: u32) -> Decimal {
    const LARGEST: f64 = 1e15;
    let value = if value.is_nan() {
        LARGEST
    } else {
        value.clamp(-LARGEST, LARGEST)
    };
    let exact = Decimal::from_f64(value).unwrap_or(Decimal::MAX);
    exact.round_dp(places).normalize()
}

/// Returns a part of a whole in percent.
pub(super) fn percent(part: usize, of: usize) -> Decimal {
    decimal(100.0 * count(part) / count(of.max(1)), 2)
}
