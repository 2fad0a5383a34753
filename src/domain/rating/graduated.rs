//! Each unit at the price of the tier it falls into.
//!
//! Tiers are `(previous, up_to]`: the unit that reaches a boundary still has the lower tier's price.
//! What was used `before` fills the first tiers and is not charged again.

use rust_decimal::Decimal;

use super::Charge;
use crate::domain::tariff::Tier;

pub(super) fn price(tiers: &[Tier], before: Decimal, quantity: Decimal) -> Charge {
    let end = before + quantity;
    let mut charge = Charge::default();
    let mut floor = Decimal::ZERO;
    for tier in tiers {
        let ceiling = tier.up_to.map_or(end, |up_to| up_to.min(end));
        let in_tier = ceiling - floor.max(before);
        if in_tier > Decimal::ZERO {
            charge.add(in_tier, tier.unit_price);
        }
        floor = floor.max(ceiling);
    }
    charge
}
