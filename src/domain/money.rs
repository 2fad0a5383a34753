//! Money: exact until it is shown.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

use rust_decimal::{Decimal, RoundingStrategy};

/// An amount in the currency of the bill that holds it.
///
/// The currency stands once, on the bill: a bill in two currencies cannot be built, so a sum of
/// its amounts is always meaningful.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Money(Decimal);

impl Money {
    /// Nothing to pay. Never a stand-in for "unknown".
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Wraps an exact amount.
    pub const fn new(amount: Decimal) -> Self {
        Self(amount)
    }

    /// Returns the exact amount.
    pub const fn amount(self) -> Decimal {
        self.0
    }

    /// Returns the cost of a quantity at a unit price.
    pub fn of(quantity: Decimal, unit_price: Decimal) -> Self {
        Self(quantity * unit_price)
    }

    /// Returns the mean of so many, to the tenth decimal place; all of it for none.
    #[must_use]
    pub fn per(self, count: u64) -> Self {
        let mean = self.0.checked_div(Decimal::from(count));
        Self(mean.map_or(self.0, |mean| mean.round_dp(10).normalize()))
    }

    /// Tells whether nothing is to pay.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Rounds to whole cents for display, half to even, as the posting line of a ledger does.
    pub fn to_cents(self) -> Decimal {
        let mut cents = self
            .0
            .round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven);
        cents.rescale(2);
        cents
    }
}

/// The exact amount, without currency, exponent or trailing zeros.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&super::number::plain(self.0))
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}
