//! Who draws on which free and included units: the pools of an allowance.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::{
    allowance::{Allowance, PoolOwner},
    catalog::Catalog,
    quantity::{Quantity, Unit},
    usage::UsageKey,
};

/// Returns the members of each pool of an allowance: those of the usage given, by their position, that
/// it grants units to.
pub fn pools<'k>(
    allowance: &Allowance,
    catalog: &Catalog,
    usage: impl Iterator<Item = (usize, &'k UsageKey, Unit)>,
) -> BTreeMap<PoolOwner, Vec<usize>> {
    let mut pools: BTreeMap<PoolOwner, Vec<usize>> = BTreeMap::new();
    for (at, key, unit) in usage {
        let fits = Quantity::new(Decimal::ZERO, unit).in_unit(allowance.unit);
        if fits.is_ok() && catalog.grants(allowance, &key.meter, &key.region) {
            pools.entry(allowance.owner(key)).or_default().push(at);
        }
    }
    pools
}
