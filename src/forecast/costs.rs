//! Costs in place of quantities, where a source states no more.
//!
//! The cost is then what is continued, a driver like any other at a price of 1. The last month of a service
//! decides: what it states is continued, and months that state it otherwise are not counted beside it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    costs::{CostsOnly, states_costs_only},
    ids::{Meter, Region, ServiceCode},
    period::Month,
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// What a month says of a service.
#[derive(Default)]
struct Said {
    quantities: bool,
    /// The meters that have costs only.
    costs_of: BTreeSet<Meter>,
    /// What costs are kept apart by: payer, account, usage type.
    groupings: BTreeSet<[bool; 3]>,
}

fn grouping(key: &UsageKey) -> [bool; 3] {
    [
        key.payer.is_some(),
        key.account.is_some(),
        !key.meter.usage_type.as_str().is_empty(),
    ]
}

/// Leaves of the past what can be continued, each service in one way.
pub fn settle(records: Vec<UsageRecord>) -> (Vec<UsageRecord>, CostsOnly) {
    let mut costs = CostsOnly::default();
    let services: BTreeSet<ServiceCode> = records
        .iter()
        .filter(|record| states_costs_only(record))
        .map(|record| record.key.meter.service.clone())
        .collect();
    if services.is_empty() {
        return (records, costs);
    }
    let mut said: BTreeMap<ServiceCode, BTreeMap<Month, Said>> = BTreeMap::new();
    let of_these = |record: &&UsageRecord| {
        record.kind == ChargeKind::Usage && services.contains(&record.key.meter.service)
    };
    for record in records.iter().filter(of_these) {
        let months = said.entry(record.key.meter.service.clone()).or_default();
        let month = months.entry(record.month).or_default();
        if record.quantity.is_some() {
            month.quantities = true;
        } else {
            month.costs_of.insert(record.key.meter.clone());
        }
        month.groupings.insert(grouping(&record.key));
    }
    let mut left_out: BTreeMap<ServiceCode, (Month, Month)> = BTreeMap::new();
    let mut kept = Vec::with_capacity(records.len());
    for (service, months) in &said {
        let Some(last) = months.values().next_back() else {
            continue;
        };
        let first = last.groupings.first();
        let is_one = |month: &Said| month.groupings.iter().all(|g| Some(g) == first);
        if !last.costs_of.is_empty() {
            costs.services.push(service.clone());
        }
        let has_quantities = months.values().any(|month| month.quantities);
        if !last.quantities && (has_quantities || !months.values().all(is_one)) {
            costs.joined.push(service.clone());
        }
    }
    for mut record in records {
        let service = &record.key.meter.service;
        let Some(last) = said.get(service).and_then(|m| m.values().next_back()) else {
            kept.push(record);
            continue;
        };
        if record.kind == ChargeKind::Usage {
            if last.quantities && record.quantity.is_none() {
                // Of one meter, quantities or costs: never both.
                if !last.costs_of.contains(&record.key.meter) {
                    let month = record.month;
                    let span = left_out.entry(service.clone()).or_insert((month, month));
                    *span = (span.0.min(month), span.1.max(month));
                    continue;
                }
            } else if costs.joined.contains(service) && record.billed.is_some() {
                record.quantity = None;
                record.consumed = None;
                record.key = whole(service);
            }
        }
        kept.push(record);
    }
    let spans = left_out.into_iter();
    costs.left_out = spans.map(|(of, (from, to))| (of, from, to)).collect();
    (kept, costs)
}

/// The key of all costs of a service together.
fn whole(service: &ServiceCode) -> UsageKey {
    UsageKey {
        payer: None,
        account: None,
        region: Region::global(),
        meter: Meter::new(service.as_str(), ""),
    }
}
