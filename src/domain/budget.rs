//! Whether something costs more than it may.

use rust_decimal::Decimal;

use super::money::Money;

/// What something may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// No more than this.
    Budget(Money),
    /// No more than so many percent above this.
    Increase {
        /// What it cost before.
        base: Money,
        /// Percent.
        percent: Decimal,
    },
}

/// Something with its limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What is checked, in words.
    pub what: String,
    /// What it costs, as far as that is known.
    pub cost: Money,
    /// What it may cost.
    pub limit: Limit,
    /// The cost is the whole, and so is what it is compared with.
    pub complete: bool,
}

impl Limit {
    /// Returns the most that it may cost.
    pub fn most(self) -> Money {
        match self {
            Self::Budget(budget) => budget,
            Self::Increase { base, percent } => {
                base + Money::of(base.amount(), percent / Decimal::ONE_HUNDRED)
            }
        }
    }
}

impl Check {
    /// Tells whether it costs more than it may. What is known may say so even if not all is known.
    pub fn is_over(&self) -> bool {
        self.cost > self.limit.most()
    }

    /// Returns by how much, below zero for what is left.
    pub fn over_by(&self) -> Money {
        self.cost - self.limit.most()
    }

    /// Returns how much more than before, in percent; none of nothing.
    pub fn increase(&self) -> Option<Decimal> {
        match self.limit {
            Limit::Budget(_) => None,
            Limit::Increase { base, .. } => super::scenario::percent_of(self.cost - base, base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(value: i64) -> Money {
        Money::new(Decimal::from(value))
    }

    #[test]
    fn the_limit_itself_is_not_over() {
        let check = |cost, limit| Check {
            what: String::new(),
            cost: usd(cost),
            limit,
            complete: true,
        };
        assert!(!check(500, Limit::Budget(usd(500))).is_over());
        assert!(check(501, Limit::Budget(usd(500))).is_over());
        let ten = Limit::Increase {
            base: usd(100),
            percent: Decimal::TEN,
        };
        assert!(!check(110, ten).is_over());
        assert_eq!(check(111, ten).over_by(), usd(1));
        assert_eq!(check(111, ten).increase(), Some(Decimal::from(11)));
        let from_nothing = Limit::Increase {
            base: Money::ZERO,
            percent: Decimal::TEN,
        };
        assert!(check(1, from_nothing).is_over());
        assert_eq!(check(1, from_nothing).increase(), None);
    }
}
