//! Rating ten thousand paths at once: the tariff of a month as arrays of numbers.
//!
//! The same order as `domain::rating` (allowance, rate, discount), on floats and on columns of
//! paths. What is known of the month is rated exactly and stands fixed; a path adds what its usage
//! costs on top: tiers are filled and free units drawn from where the month stands. A test holds
//! both ways of rating to the same answer.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::series::Driver;
use crate::domain::{
    allowance::added,
    bill::Bill,
    ids::{AccountId, Meter, Region},
    period::Month,
    price_book::PriceBook,
    quantity::{Quantity, Unit},
    rating::{self, RatingOptions, graduated, volume},
    tariff::Rate,
    usage::ChargeKind,
};

fn float(value: Decimal) -> f64 {
    value.to_f64().unwrap_or_default()
}

/// A rate with its numbers as floats. Tiers: up to where, at what price.
#[derive(Clone, Debug)]
enum FloatRate {
    Unknown,
    Flat(f64),
    PerUnit(f64),
    Graduated(Vec<(Option<f64>, f64)>),
    Volume(Vec<(Option<f64>, f64)>),
    Package(f64, f64),
}

impl FloatRate {
    fn of(rate: &Rate) -> Self {
        // A tier without a known price costs nothing here, as it adds nothing to the exact total.
        let tiers = |tiers: &[crate::domain::tariff::Tier]| {
            tiers
                .iter()
                .map(|tier| (tier.up_to.map(float), tier.unit_price.map_or(0.0, float)))
                .collect()
        };
        match rate {
            Rate::Unknown | Rate::NotOffered => Self::Unknown,
            Rate::Flat(amount) => Self::Flat(float(*amount)),
            Rate::PerUnit(price) => Self::PerUnit(float(*price)),
            Rate::Graduated(all) => Self::Graduated(tiers(all)),
            Rate::Volume(all) => Self::Volume(tiers(all)),
            Rate::Package { size, price } => Self::Package(float(*size), float(*price)),
        }
    }

    /// The cost of a whole quantity.
    fn cost(&self, quantity: f64) -> f64 {
        match self {
            Self::Unknown => 0.0,
            Self::Flat(amount) => {
                if quantity > 0.0 {
                    *amount
                } else {
                    0.0
                }
            }
            Self::PerUnit(price) => quantity * price,
            Self::Graduated(tiers) => {
                let mut cost = 0.0;
                graduated::fill(tiers.iter().copied(), 0.0, quantity, |in_tier, price| {
                    cost += in_tier * price;
                });
                cost
            }
            Self::Volume(tiers) => {
                let price = volume::reached(tiers.iter().copied(), quantity);
                price.map_or(0.0, |price| quantity * price)
            }
            // A package begun by a rounding error is none.
            Self::Package(size, price) => (quantity / size - 1e-9).ceil().max(0.0) * price,
        }
    }
}

/// What usage is priced together by: payer, region and meter; a price per unit also by account, for
/// each may have a price of its own.
type GroupKey<'d> = (
    Option<&'d AccountId>,
    &'d Region,
    &'d Meter,
    Option<&'d AccountId>,
);

/// Usage that is priced together.
#[derive(Clone, Debug)]
struct Group {
    rate: FloatRate,
    members: Vec<usize>,
    /// Charged this month already.
    before: f64,
    /// What a discount leaves.
    kept: f64,
}

/// A free or included quantity.
#[derive(Clone, Debug)]
struct Pool {
    members: Vec<usize>,
    /// Left of the month's grant.
    left: f64,
    /// Drivers whose use adds to the grant: which, from how many on, how much each.
    further: Option<(Vec<usize>, f64, f64)>,
    /// What those drivers count already, and what was drawn.
    counted: f64,
    drawn: f64,
    granted: f64,
}

/// The tariff of one month for a set of drivers.
#[derive(Clone, Debug)]
pub(super) struct Tariffs {
    groups: Vec<Group>,
    pools: Vec<Pool>,
    drivers: usize,
    /// Drivers that count costs.
    of_costs: Vec<usize>,
}

impl Tariffs {
    /// Looks the prices of a month up. `known` is the exact bill of what is already used in it.
    pub(super) fn new(
        drivers: &[Driver],
        month: Month,
        book: &PriceBook<'_>,
        options: &RatingOptions,
        known: Option<&Bill>,
    ) -> Self {
        let day = month.last_day();
        let mut units = Vec::new();
        let mut groups: BTreeMap<GroupKey<'_>, Group> = BTreeMap::new();
        let known_of = |driver: &Driver| {
            let lines = known.into_iter().flat_map(|bill| &bill.lines);
            lines
                .filter(|line| line.kind == ChargeKind::Usage && driver.keys.contains(&line.key))
                .filter_map(|line| line.usage.as_ref())
                .map(|usage| (float(usage.billed.value), float(usage.covered)))
                .fold((0.0, 0.0), |(a, b), (billed, covered)| {
                    (a + billed, b + covered)
                })
        };
        let used: Vec<(f64, f64)> = drivers.iter().map(known_of).collect();
        for (at, driver) in drivers.iter().enumerate() {
            if driver.of_costs {
                units.push(None);
                continue;
            }
            let key = &driver.key;
            let priced = book.price(key, day);
            let quantity = Quantity::new(Decimal::ZERO, driver.unit);
            let tariff = priced
                .ok()
                .filter(|priced| quantity.in_unit(priced.tariff.unit).is_ok());
            let rate = tariff.as_ref().map_or(FloatRate::Unknown, |priced| {
                FloatRate::of(&priced.tariff.rate)
            });
            units.push(tariff.map(|priced| {
                if priced.tariff.unit == Unit::Unspecified {
                    driver.unit
                } else {
                    priced.tariff.unit
                }
            }));
            let account = match rate {
                FloatRate::PerUnit(_) => key.account.as_ref(),
                _ => None,
            };
            let group = groups
                .entry((key.payer.as_ref(), &key.region, &key.meter, account))
                .or_insert_with(|| Group {
                    rate,
                    members: Vec::new(),
                    before: 0.0,
                    kept: 1.0 - discount(options, driver, book),
                });
            group.members.push(at);
            group.before += used[at].0 - used[at].1;
        }
        Self {
            pools: pools(drivers, &units, book, options, &used),
            groups: groups.into_values().collect(),
            drivers: drivers.len(),
            of_costs: (0..drivers.len())
                .filter(|at| drivers[*at].of_costs)
                .collect(),
        }
    }

    /// Rates what each path adds to the month. One column for each driver in, one out.
    pub(super) fn rate(&self, usage: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let paths = usage.first().map_or(0, Vec::len);
        // What an allowance leaves to pay, as a share of each driver's usage.
        let mut paid: Vec<Option<Vec<f64>>> = vec![None; self.drivers];
        for pool in &self.pools {
            let mut shares = vec![1.0; paths];
            for (path, share) in shares.iter_mut().enumerate() {
                let free = pool.free(|at| usage[at][path]);
                let sum: f64 = pool.members.iter().map(|&at| usage[at][path]).sum();
                if sum > 0.0 {
                    *share = ((sum - free) / sum).max(0.0);
                }
            }
            for &at in &pool.members {
                // A meter that two pools cover draws on both, one after the other.
                paid[at] = Some(match paid[at].take() {
                    None => shares.clone(),
                    Some(before) => before.iter().zip(&shares).map(|(a, b)| a * b).collect(),
                });
            }
        }
        let mut costs = vec![vec![0.0; paths]; self.drivers];
        for &at in &self.of_costs {
            costs[at].clone_from(&usage[at]);
        }
        for group in &self.groups {
            let floor = group.rate.cost(group.before);
            for path in 0..paths {
                let to_pay = |at: usize| {
                    let share = paid[at].as_ref().map_or(1.0, |shares| shares[path]);
                    usage[at][path] * share
                };
                let sum: f64 = group.members.iter().map(|&at| to_pay(at)).sum();
                if sum > 0.0 {
                    let cost = (group.rate.cost(group.before + sum) - floor) * group.kept;
                    for &at in &group.members {
                        costs[at][path] = cost * to_pay(at) / sum;
                    }
                }
            }
        }
        costs
    }
}

impl Pool {
    /// How much of what a path adds is free.
    fn free(&self, usage: impl Fn(usize) -> f64) -> f64 {
        match &self.further {
            None => self.left,
            Some((drivers, beyond, each)) => {
                let counted: f64 = self.counted + drivers.iter().map(|&at| usage(at)).sum::<f64>();
                let granted = self.granted + added(counted, *beyond, *each);
                (granted - self.drawn).max(0.0)
            }
        }
    }
}

fn pools(
    drivers: &[Driver],
    units: &[Option<Unit>],
    book: &PriceBook<'_>,
    options: &RatingOptions,
    used: &[(f64, f64)],
) -> Vec<Pool> {
    let mut all = Vec::new();
    let included = book.catalog.runners.included(&options.plans);
    for allowance in book.catalog.allowances().chain(included) {
        let counted = drivers
            .iter()
            .enumerate()
            .filter(|(_, driver)| !driver.of_costs)
            .map(|(at, driver)| (at, &driver.key, units[at].unwrap_or(driver.unit)));
        for ((payer, _), members) in rating::pools(allowance, book.catalog, counted) {
            let free_tier = allowance.is_granted(options.free_tier);
            let elsewhere = options.used.get(&allowance.id).copied().unwrap_or_default();
            let granted = float(allowance.granted(Decimal::ZERO, free_tier)) - float(elsewhere);
            let drawn: f64 = members.iter().map(|&at| used[at].1).sum();
            let further = allowance.further.as_ref().map(|further| {
                let counts = |at: &usize| {
                    drivers[*at].key.meter == further.meter && drivers[*at].key.payer == payer
                };
                let beyond = if free_tier {
                    float(further.beyond)
                } else {
                    0.0
                };
                let counting: Vec<usize> = (0..drivers.len()).filter(counts).collect();
                (counting, beyond, float(further.each))
            });
            let counted = further.as_ref().map_or(0.0, |(counting, ..)| {
                counting.iter().map(|&at| used[at].0).sum()
            });
            all.push(Pool {
                members,
                left: (granted - drawn).max(0.0),
                further,
                counted,
                drawn,
                granted,
            });
        }
    }
    all
}

fn discount(options: &RatingOptions, driver: &Driver, book: &PriceBook<'_>) -> f64 {
    let percent = options.percent_off(&driver.key.meter.service, book.catalog);
    percent.map_or(0.0, |percent| float(percent) / 100.0)
}
