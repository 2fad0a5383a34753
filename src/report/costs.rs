//! Costs without quantities in words: what is continued as costs, what is left out, and which export states
//! more.

use std::collections::BTreeMap;

use super::{
    forecast::{View, service_name},
    show_money,
};
use crate::{
    domain::{
        catalog::Catalog,
        costs,
        ids::{Currency, ServiceCode},
        money::Money,
        period::Month,
    },
    forecast::ForecastResult,
};

/// Says what neither side has, as its source states costs and no quantities.
pub fn left_out(
    costs: &BTreeMap<ServiceCode, Money>,
    currency: &Currency,
    catalog: &Catalog,
) -> Option<String> {
    let names: Vec<String> = costs
        .iter()
        .map(|(service, cost)| {
            let name = catalog.service_name(service);
            format!("{name} ({})", show_money(*cost, currency))
        })
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "Left out: {}: the export states costs and no quantities. A Cost and Usage Report, FOCUS, or \
             Cost Explorer with --metrics UnblendedCost UsageQuantity has them.",
            names.join(", ")
        )
    })
}

/// Says what is continued as costs, and what costs of the past are not.
pub(super) fn of_forecast(forecast: &ForecastResult, view: &View<'_>) -> Vec<String> {
    let names = |services: &[ServiceCode]| {
        let names = services.iter().map(|s| service_name(view, s.as_str()));
        names.collect::<Vec<_>>().join(", ")
    };
    let continued = view.costs;
    let mut notes = Vec::new();
    if !continued.services.is_empty() {
        let last = Month::of(forecast.last_day);
        notes.push(format!(
            "The exports state costs and no quantities for {}: the costs are forecast as they were billed, \
             without free tier or new prices. With quantities: `{}`.",
            names(&continued.services),
            costs::command(last.previous().previous(), last)
        ));
    }
    if !continued.joined.is_empty() {
        notes.push(format!(
            "The months of {} are grouped differently: its costs are forecast as one sum.",
            names(&continued.joined)
        ));
    }
    for (service, first, last) in &continued.left_out {
        let months = if first == last {
            format!("{first} states")
        } else {
            format!("{first} to {last} state")
        };
        notes.push(format!(
            "{months} costs only for {}; later months state quantities, and only these are continued.",
            service_name(view, service.as_str())
        ));
    }
    notes
}
