//! What AWS sells where builds would go: not every size in each region, and machines of fleets by names
//! of their own.

use super::{
    remark::Warning,
    workload::{UsageGroup, Workload},
};
use crate::domain::{
    catalog::{Catalog, Compute},
    ids::{Meter, Region},
    price_book::StatedPrice,
};

/// Says that a meter stays where it is, being not sold in another region; none if it moves. Whoever
/// states a price knows better than a list.
pub(super) fn stays(
    catalog: &Catalog,
    stated: &[StatedPrice],
    group: &UsageGroup,
    meter: &Meter,
    to: &Region,
) -> Option<Warning> {
    let listed = catalog.not_offered(meter, to, group.day)?;
    if stated
        .iter()
        .any(|price| price.usage_type == meter.usage_type)
    {
        return None;
    }
    let known = catalog.meter(&meter.service, meter.usage_type.as_str());
    let name = known.map_or(meter.usage_type.as_str(), |info| &info.name);
    Some(Warning::StaysInRegion {
        service: catalog.service_name(&meter.service).to_owned(),
        meter: name.to_owned(),
        region: group.key.region.clone(),
        to: to.clone(),
        listed,
    })
}

/// Returns what the machines of a fleet are: those stated, else the same as the builds had on demand,
/// if all had the same.
pub(super) fn machines<'c>(
    catalog: &'c Catalog,
    workload: &Workload,
    stated: &'c Compute,
    groups: &[usize],
) -> &'c Compute {
    if stated.name != "reserved" {
        return stated;
    }
    let of_lot = |at: &usize| {
        let meter = &workload.groups[*at].key.meter;
        let compute = catalog.computes.iter().find(|c| c.meter == *meter)?;
        catalog.fleet_like(compute)
    };
    let mut all = groups.iter().map(of_lot);
    match all.next().flatten() {
        Some(first) if all.all(|other| other == Some(first)) => first,
        _ => stated,
    }
}
