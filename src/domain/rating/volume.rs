//! Every unit at the price of the tier that the whole quantity reaches.

use rust_decimal::Decimal;

use super::Charge;
use crate::domain::tariff::Tier;

pub(super) fn price(tiers: &[Tier], before: Decimal, quantity: Decimal) -> Charge {
    let tiers = tiers.iter().map(|tier| (tier.up_to, tier.unit_price));
    let mut charge = Charge::default();
    if !quantity.is_zero() {
        charge.add(quantity, reached(tiers, before + quantity).flatten());
    }
    charge
}

/// Returns what the tier that a quantity reaches is charged at, on decimals and on a forecast's floats.
pub fn reached<N: Copy + PartialOrd, P>(
    tiers: impl IntoIterator<Item = (Option<N>, P)>,
    quantity: N,
) -> Option<P> {
    let mut tiers = tiers.into_iter();
    let tier = tiers.find(|(up_to, _)| up_to.as_ref().is_none_or(|up_to| quantity <= *up_to));
    tier.map(|(_, price)| price)
}
