//! P10, P50 and P90: what is said of amounts that spread.

use rust_decimal::Decimal;

use super::money::Money;

/// Returns the value below which a share of sorted values lies, between them in proportion.
fn quantile(sorted: &[Money], percent: u32) -> Money {
    let Some(last) = sorted.len().checked_sub(1) else {
        return Money::ZERO;
    };
    let at = Decimal::from(percent) * Decimal::from(last) / Decimal::ONE_HUNDRED;
    let below = usize::try_from(at.floor()).unwrap_or(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    low + Money::of((high - low).amount(), at.fract())
}

/// P10, P50 and P90 of some amounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Percentiles {
    /// One in ten is below.
    pub p10: Money,
    /// Half are below.
    pub p50: Money,
    /// One in ten is above.
    pub p90: Money,
}

impl Percentiles {
    /// Adds another, as if both were low and high together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            p10: self.p10 + other.p10,
            p50: self.p50 + other.p50,
            p90: self.p90 + other.p90,
        }
    }

    /// Returns the spread of amounts.
    pub fn of(mut amounts: Vec<Money>) -> Self {
        amounts.sort();
        Self {
            p10: quantile(&amounts, 10),
            p50: quantile(&amounts, 50),
            p90: quantile(&amounts, 90),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values() {
        let values: Vec<Money> = (1..=11).map(|n| Money::new(Decimal::from(n))).collect();
        assert_eq!(quantile(&values, 10), Money::new(Decimal::TWO));
        assert_eq!(quantile(&values, 50), Money::new(Decimal::from(6)));
        assert_eq!(quantile(&[], 50), Money::ZERO);
        let two = [Money::ZERO, Money::new(Decimal::TEN)];
        assert_eq!(quantile(&two, 90), Money::new(Decimal::from(9)));
    }
}
