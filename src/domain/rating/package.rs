//! A price for each started package.

use rust_decimal::Decimal;

use super::Charge;

pub(super) fn price(size: Decimal, price: Decimal, before: Decimal, quantity: Decimal) -> Charge {
    let packages = |units: Decimal| (units / size).ceil();
    Charge::of([(packages(before + quantity) - packages(before), price)])
}
