//! Whether two places state the same charges: files of one import, or folders of it.

use std::collections::BTreeMap;

use super::{ImportError, choose};
use crate::domain::{export::ExportKind, import::Delivery, period::Month, usage::UsageRecord};

/// Adds what another place brought, unless it states charges that are there already.
pub fn append(delivery: &mut Delivery, other: Delivery) -> Result<(), ImportError> {
    let before = delivery.slices.len();
    delivery.append(other);
    check(delivery, before)
}

/// Refuses slices that state the same charges; those from `later` on are of another place.
pub(super) fn check(delivery: &Delivery, later: usize) -> Result<(), ImportError> {
    let mut months: BTreeMap<(ExportKind, &str, Month), Vec<usize>> = BTreeMap::new();
    for (at, slice) in delivery.slices.iter().enumerate() {
        months
            .entry((slice.kind, &slice.source, slice.month))
            .or_default()
            .push(at);
    }
    for ((_, _, month), slices) in &months {
        for (n, &a) in slices.iter().enumerate() {
            let is_repeated = |b: usize| {
                let is_read_twice = b < later && later <= a;
                same_charges(delivery, a, b, is_read_twice)
            };
            if let Some(&b) = slices[..n].iter().find(|&&b| is_repeated(b)) {
                return Err(ImportError::SameCharges {
                    first: delivery.origins[b].0.clone(),
                    second: delivery.origins[a].0.clone(),
                    month: *month,
                });
            }
        }
    }
    Ok(())
}

/// Tells whether two slices of one source and month are the same money told twice. The files of one
/// bill differ in their number; sums of one day must be pages of one listing.
fn same_charges(delivery: &Delivery, a: usize, b: usize, is_read_twice: bool) -> bool {
    let (file, grouping) = &delivery.origins[a];
    let (other_file, other_grouping) = &delivery.origins[b];
    if file == other_file {
        return is_read_twice;
    }
    let (x, y) = (&delivery.slices[a], &delivery.slices[b]);
    if x.kind.is_bill() {
        let export = |file: &str| {
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            choose::stem(x.kind, name).to_owned()
        };
        return x.part == y.part || export(file) != export(other_file);
    }
    let overlap = x.covers.0 <= y.covers.1 && y.covers.0 <= x.covers.1;
    overlap
        && (x.covers != y.covers
            || grouping != other_grouping
            || x.records
                .iter()
                .any(|a| y.records.iter().any(|b| same_line(a, b))))
}

fn same_line(a: &UsageRecord, b: &UsageRecord) -> bool {
    (&a.key, &a.kind, &a.resource, &a.tags) == (&b.key, &b.kind, &b.resource, &b.tags)
}
