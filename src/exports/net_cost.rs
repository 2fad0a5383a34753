//! Discounts that stand in a column and not in rows of their own.
//!
//! AWS writes a discount as rows, as the difference between a row's unblended and its net unblended cost, or
//! as both: a report with rows for manual discounts says it twice, and a query may have left out every row
//! that is no usage. So the column counts where the rows of a service are not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::group::Group;
use crate::domain::{
    discounts::{NET_COST, is_of_net_cost},
    export::ImportedPeriod,
    ids::{ServiceCode, UsageType},
    money::Money,
    period::Month,
    usage::{Billed, ChargeKind, Tags, UsageRecord},
};

/// Adds the discounts that the net costs of usage tell, by day, account, region and service.
///
/// What a commitment covers is left out: the net cost of its row is offset by that of another.
pub(super) fn add_discounts(groups: &mut Vec<Group>) {
    let mut origins: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    let is_usage = |group: &&Group| {
        group.record.kind == ChargeKind::Usage && group.record.covered_by().is_none()
    };
    let discounts: Vec<Group> = groups
        .iter()
        .filter(|group| !group.off.is_zero())
        .filter(is_usage)
        .map(|group| {
            let usage = &group.record;
            let origin = origins
                .entry(usage.origin.clone())
                .or_insert_with(|| Arc::from(format!("{}{NET_COST}", usage.origin)));
            let mut key = usage.key.clone();
            key.meter.usage_type = UsageType::new("");
            Group::of(UsageRecord {
                key,
                kind: ChargeKind::Discount,
                resource: None,
                tags: Tags::default(),
                quantity: None,
                consumed: None,
                metering: None,
                billed: Some(Billed {
                    cost: Money::new(group.off),
                    invoice: usage.billed.as_ref().and_then(|b| b.invoice.clone()),
                    ..Billed::default()
                }),
                origin: origin.clone(),
                ..usage.clone()
            })
        })
        .collect();
    groups.extend(discounts);
}

/// Drops the discounts of net costs where rows tell them, in whichever file of a delivery, and where net
/// costs are no lower; names the others.
pub(super) fn settle(slices: &mut [ImportedPeriod], notes: &mut Vec<String>) {
    let told: BTreeSet<(String, Month, ServiceCode)> = slices
        .iter()
        .flat_map(|slice| slice.records.iter().map(move |record| (slice, record)))
        .filter(|(_, record)| record.kind == ChargeKind::Discount && !is_of_net_cost(record))
        .map(|(slice, record)| place(slice, record))
        .collect();
    let mut sums: BTreeMap<_, Money> = BTreeMap::new();
    for slice in &*slices {
        for record in slice.records.iter().filter(|r| is_of_net_cost(r)) {
            let place = place(slice, record);
            let sum = sums.entry((place, record.currency.clone())).or_default();
            *sum += record.billed.as_ref().map_or(Money::ZERO, |b| b.cost);
        }
    }
    let counts = |sum: Money, place: &_| sum < Money::ZERO && !told.contains(place);
    for slice in &mut *slices {
        let (source, month) = (slice.source.clone(), slice.month);
        slice.records.retain(|record| {
            let place = (source.clone(), month, record.key.meter.service.clone());
            !is_of_net_cost(record) || {
                let key = (place, record.currency.clone());
                counts(sums.get(&key).copied().unwrap_or_default(), &key.0)
            }
        });
    }
    for (((_, month, service), currency), sum) in &sums {
        let place_counts = sums.iter().any(|((place, of), sum)| {
            (place.1, &place.2, of) == (*month, service, currency) && counts(*sum, place)
        });
        if place_counts {
            notes.push(format!(
                "{month}: {sum} {currency} of discounts on {service} are the difference between its net \
                 unblended and its unblended cost: the export has no discount rows of it"
            ));
        }
    }
}

fn place(slice: &ImportedPeriod, record: &UsageRecord) -> (String, Month, ServiceCode) {
    let service = record.key.meter.service.clone();
    (slice.source.clone(), slice.month, service)
}
