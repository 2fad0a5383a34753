//! What a few moved units would change in a month's bill, without rating it again.
//!
//! Good enough to decide which changes are worth rating, and exact where prices are per unit: free
//! units are shared in proportion to use, as the scenarios are rated.

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;

use super::PastMonth;
use crate::domain::{
    allowance::{Allowance, PoolOwner},
    money::Money,
    scenario::workload::UsageGroup,
    tariff::Rate,
    usage::UsageKey,
};

/// Free units, and what draws on them.
#[derive(Clone, Copy, Default)]
struct Pool {
    free: Decimal,
    units: Decimal,
    /// What the units would cost if none were free.
    cost: Decimal,
}

impl Pool {
    fn total(self) -> Decimal {
        if self.units <= self.free {
            return Decimal::ZERO;
        }
        self.cost - self.cost * self.free.max(Decimal::ZERO) / self.units
    }
}

/// So many units of a meter more, or fewer, at a price.
pub(super) struct Shift<'k> {
    pub(super) key: &'k UsageKey,
    pub(super) units: Decimal,
    pub(super) price: Decimal,
}

/// An allowance and whose pool of it.
type PoolKey = (Arc<str>, PoolOwner);

/// The prices and pools of a month.
pub(super) struct Prices<'m, 'a> {
    month: &'m PastMonth<'a>,
    pools: BTreeMap<PoolKey, Pool>,
}

impl<'m, 'a> Prices<'m, 'a> {
    pub(super) fn of(month: &'m PastMonth<'a>) -> Self {
        let mut prices = Self {
            month,
            pools: BTreeMap::new(),
        };
        let workload = month.rater.workload;
        for group in &workload.groups {
            let Some((key, allowance)) = prices.pool_of(&group.key) else {
                continue;
            };
            let units = workload.quantity(group, month.rater.catalog);
            let price = prices.of_lot(group).unwrap_or_default();
            let terms = month.rater.terms;
            let pool = prices.pools.entry(key).or_insert_with(|| Pool {
                free: allowance.left(terms.free_tier, &terms.used),
                ..Pool::default()
            });
            pool.units += units;
            pool.cost += units * price;
        }
        prices
    }

    fn pool_of(&self, key: &UsageKey) -> Option<(PoolKey, &'m Allowance)> {
        let catalog = self.month.rater.catalog;
        let grants = |allowance: &&Allowance| catalog.grants(allowance, &key.meter, &key.region);
        let allowance = catalog.allowances().find(grants)?;
        Some(((allowance.id.clone(), allowance.owner(key)), allowance))
    }

    /// Returns the price of a unit, if it is known and one for every unit.
    pub(super) fn of_key(&self, key: &UsageKey) -> Option<Decimal> {
        let day = self.month.rater.workload.month.first_day();
        self.on(key, day)
    }

    /// Returns the day of the list that says that a key's meter is not sold there, if any does.
    pub(super) fn not_offered(&self, key: &UsageKey) -> Option<chrono::NaiveDate> {
        let rater = &self.month.rater;
        let day = rater.workload.month.first_day();
        rater.catalog.not_offered(&key.meter, &key.region, day)
    }

    /// Returns the price of a unit of a lot.
    pub(super) fn of_lot(&self, group: &UsageGroup) -> Option<Decimal> {
        group.rate.or_else(|| self.on(&group.key, group.day))
    }

    fn on(&self, key: &UsageKey, day: chrono::NaiveDate) -> Option<Decimal> {
        match self.month.book.price(key, day).ok()?.tariff.rate {
            Rate::PerUnit(price) => Some(price),
            _ => None,
        }
    }

    /// Returns what the month would cost more, below zero for a saving.
    pub(super) fn difference(&self, shifts: &[Shift<'_>]) -> Money {
        let mut changed: BTreeMap<PoolKey, Pool> = BTreeMap::new();
        let mut sum = Decimal::ZERO;
        for shift in shifts {
            match self.pool_of(shift.key) {
                Some((key, allowance)) => {
                    let terms = self.month.rater.terms;
                    let empty = Pool {
                        free: allowance.left(terms.free_tier, &terms.used),
                        ..Pool::default()
                    };
                    let before = self.pools.get(&key).copied().unwrap_or(empty);
                    let pool = changed.entry(key).or_insert(before);
                    pool.units += shift.units;
                    pool.cost += shift.units * shift.price;
                }
                None => sum += shift.units * shift.price,
            }
        }
        for (key, after) in changed {
            let before = self
                .pools
                .get(&key)
                .map_or(Decimal::ZERO, |pool| pool.total());
            sum += after.total() - before;
        }
        Money::new(sum)
    }
}
