//! Converting a bill into another currency: with a stated rate, its day and who says so.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{ids::Currency, money::Money};

/// A rate of exchange. Both amounts are always shown: what was billed, and what it comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// The currency of the bill.
    pub from: Currency,
    /// The currency it is converted into.
    pub to: Currency,
    /// What one unit of `from` is worth.
    pub rate: Decimal,
    /// The day of the rate.
    pub date: NaiveDate,
    /// Who states it.
    pub source: Arc<str>,
}

impl Exchange {
    /// Returns the exact amount in the other currency.
    pub fn convert(&self, amount: Money) -> Money {
        Money::of(amount.amount(), self.rate)
    }
}
