//! Every unit at the price of the tier that the whole quantity reaches.

use rust_decimal::Decimal;

use super::Charge;
use crate::domain::tariff::Tier;

pub(super) fn price(tiers: &[Tier], before: Decimal, quantity: Decimal) -> Charge {
    let reached = before + quantity;
    let tier = tiers
        .iter()
        .find(|tier| tier.up_to.is_none_or(|up_to| reached <= up_to));
    let mut charge = Charge::default();
    if !quantity.is_zero() {
        charge.add(quantity, tier.and_then(|tier| tier.unit_price));
    }
    charge
}
