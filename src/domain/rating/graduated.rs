//! Each unit at the price of the tier it falls into.
//!
//! Tiers are `(previous, up_to]`: the unit that reaches a boundary still has the lower tier's price.
//! What was used `before` fills the first tiers and is not charged again.

use std::ops::{Add, Sub};

use rust_decimal::Decimal;

use super::Charge;
use crate::domain::tariff::Tier;

pub(super) fn price(tiers: &[Tier], before: Decimal, quantity: Decimal) -> Charge {
    let tiers = tiers.iter().map(|tier| (tier.up_to, tier.unit_price));
    let mut charge = Charge::default();
    fill(tiers, before, quantity, |in_tier, unit_price| {
        charge.add(in_tier, unit_price);
    });
    charge
}

/// Fills tiers, each told by where it ends and what it is charged at, and hands on what falls into
/// them: decimals of a bill, floats of a forecast.
pub fn fill<N, P>(
    tiers: impl IntoIterator<Item = (Option<N>, P)>,
    before: N,
    quantity: N,
    mut each: impl FnMut(N, P),
) where
    N: Copy + Default + PartialOrd + Add<Output = N> + Sub<Output = N>,
{
    let larger = |a: N, b: N| if b > a { b } else { a };
    let end = before + quantity;
    let mut floor = N::default();
    for (up_to, price) in tiers {
        let ceiling = up_to.filter(|up_to| *up_to < end).unwrap_or(end);
        let in_tier = ceiling - larger(floor, before);
        if in_tier > N::default() {
            each(in_tier, price);
        }
        floor = larger(floor, ceiling);
    }
}
