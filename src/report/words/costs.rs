//! Costs without quantities.

use std::collections::BTreeMap;

use super::Note;
use crate::{
    domain::{
        catalog::Catalog,
        costs,
        ids::{Currency, ServiceCode},
        money::Money,
        period::Month,
    },
    forecast::ForecastResult,
    report::{
        Cell,
        forecast::{View, service_name},
        show_money,
    },
};

/// Says what neither side has, as its source states costs and no quantities.
pub fn left_out(
    costs: &BTreeMap<ServiceCode, Money>,
    currency: &Currency,
    catalog: &Catalog,
) -> Option<Note> {
    let services: Vec<(String, Money)> = costs
        .iter()
        .map(|(service, cost)| (catalog.service_name(service).to_owned(), *cost))
        .collect();
    (!services.is_empty()).then(|| excluded(&services, currency))
}

/// Says what a forecast continues as costs, and what costs of the past it does not.
pub(crate) fn of_forecast(forecast: &ForecastResult, view: &View<'_>) -> Vec<Note> {
    let names = |services: &[ServiceCode]| {
        let names = services.iter().map(|s| service_name(view, s.as_str()));
        names.collect::<Vec<_>>().join(", ")
    };
    let continued = view.costs;
    let mut notes = Vec::new();
    if !continued.services.is_empty() {
        let last = Month::of(forecast.last_day);
        notes.push(
            Note::new(
                "forecast_of_costs",
                format!(
                    "{}: the exports have costs but no quantities, so billed costs are forecast, without \
                     free tier or new prices. To get quantities: `{}`.",
                    names(&continued.services),
                    costs::command(last.previous().previous(), last)
                ),
            )
            .with("services", names(&continued.services)),
        );
    }
    if !continued.joined.is_empty() {
        notes.push(
            Note::new(
                "costs_grouped_differently",
                format!(
                    "{}: its months are grouped differently, so its costs are forecast as one sum.",
                    names(&continued.joined)
                ),
            )
            .with("services", names(&continued.joined)),
        );
    }
    for (service, first, last) in &continued.left_out {
        let months = if first == last {
            format!("{first} has")
        } else {
            format!("{first} to {last} have")
        };
        let service = service_name(view, service.as_str());
        notes.push(
            Note::new(
                "costs_not_continued",
                format!(
                    "{service}: {months} costs but no quantities; the forecast uses only the later months, \
                     which have both."
                ),
            )
            .with("service", service.as_str())
            .with("first_month", first.to_string())
            .with("last_month", last.to_string()),
        );
    }
    notes
}

/// Says which services are left out, each with its cost.
pub(super) fn excluded(services: &[(String, Money)], currency: &Currency) -> Note {
    let names: Vec<String> = services
        .iter()
        .map(|(name, cost)| format!("{name} ({})", show_money(*cost, currency)))
        .collect();
    Note::new(
        "costs_only",
        format!(
            "Excluded: {}: the export has costs but no quantities. Import a Cost and Usage Report, FOCUS, \
             or Cost Explorer with `--metrics UnblendedCost UsageQuantity`.",
            names.join(", ")
        ),
    )
    .with("services", names.join(", "))
    .with("cost", Cell::Money(costs::total(services), currency.clone()))
}
