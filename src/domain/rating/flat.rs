//! One amount for a month with any usage.

use rust_decimal::Decimal;

use super::Charge;

pub(super) fn price(amount: Decimal, before: Decimal, quantity: Decimal) -> Charge {
    if quantity.is_zero() || !before.is_zero() {
        return Charge::default();
    }
    Charge::of([(Decimal::ONE, amount)])
}
