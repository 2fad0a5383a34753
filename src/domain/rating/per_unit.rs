//! A price for each unit.

use rust_decimal::Decimal;

use super::Charge;

pub(super) fn price(unit_price: Decimal, quantity: Decimal) -> Charge {
    Charge::of([(quantity, unit_price)])
}
