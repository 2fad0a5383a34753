//! Usage added up by any dimension. Units are never mixed: each meter keeps a row of its own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    allocation::Dimension,
    ids::{Currency, Meter},
    money::Money,
    quantity::{Quantity, Unit},
    usage::{ChargeKind, UsageRecord},
};

/// What one part used of one meter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageSum {
    /// The parts, in the order asked for; none where a record belongs to nobody.
    pub parts: Vec<Option<String>>,
    /// Of what.
    pub meter: Meter,
    /// How much; none where the source states costs only.
    pub quantity: Option<Quantity>,
    /// What AWS charged for it, where a bill says so.
    pub billed: Option<(Money, Currency)>,
    /// Days with usage.
    pub days: usize,
}

#[derive(Default)]
struct Sum {
    value: Decimal,
    billed: Option<Money>,
    days: BTreeSet<NaiveDate>,
}

/// Adds up the usage among records by dimensions and meter.
pub fn summarize(records: &[UsageRecord], by: &[Dimension]) -> Vec<UsageSum> {
    type Key<'r> = (Vec<Option<String>>, &'r Meter, Option<Unit>, &'r Currency);
    let mut sums: BTreeMap<Key<'_>, Sum> = BTreeMap::new();
    for record in records
        .iter()
        .filter(|record| record.kind == ChargeKind::Usage)
    {
        let parts = by.iter().map(|dimension| dimension.of(record)).collect();
        let unit = record.quantity.map(|quantity| quantity.unit);
        let sum = sums
            .entry((parts, &record.key.meter, unit, &record.currency))
            .or_default();
        sum.value += record
            .quantity
            .map_or(Decimal::ZERO, |quantity| quantity.value);
        if let Some(billed) = &record.billed {
            sum.billed = Some(sum.billed.unwrap_or_default() + billed.cost);
        }
        sum.days.insert(record.day);
    }
    sums.into_iter()
        .map(|((parts, meter, unit, currency), sum)| UsageSum {
            parts,
            meter: meter.clone(),
            quantity: unit.map(|unit| Quantity::new(sum.value, unit)),
            billed: sum.billed.map(|cost| (cost, currency.clone())),
            days: sum.days.len(),
        })
        .collect()
}
