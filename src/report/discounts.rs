//! Discounts of the bills in words: those that recur and are carried, and those that are not.

use super::{forecast::View, show_money, show_percent};
use crate::{
    domain::{
        catalog::Catalog,
        discounts::{Discounts, Recurring},
        money::Money,
        period::Month,
    },
    forecast::ForecastResult,
};

/// `2026-08 to 2026-10`.
fn months((first, last): (Month, Month)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first} to {last}")
    }
}

/// Says what a recurring discount takes off, and where it was learnt.
pub fn less(recurring: &Recurring, catalog: &Catalog) -> String {
    format!(
        "{}: less {} % recurring discounts, as in {}",
        catalog.service_name(&recurring.service),
        show_percent(recurring.percent),
        months(recurring.months)
    )
}

/// Says which discounts of the bills are not carried, and why.
pub(super) fn not_carried(
    discounts: &Discounts,
    catalog: &Catalog,
    shown: impl Fn(Money) -> String,
) -> Vec<String> {
    let replaced = discounts.replaced.iter().map(|of| {
        format!(
            "{}: the stated discount stands in place of the {} % that the bills of {} took off.",
            catalog.service_name(&of.service),
            show_percent(of.percent),
            months(of.months)
        )
    });
    let passing = discounts.passing.iter().map(|of| {
        format!(
            "{}: {} of discounts in {} did not come every month and are not carried; state what will, with \
             --discount.",
            catalog.service_name(&of.service),
            shown(of.amount),
            of.month
        )
    });
    replaced.chain(passing).collect()
}

/// Says which discounts are carried, and which are not.
pub(super) fn of_forecast(forecast: &ForecastResult, view: &View<'_>) -> Vec<String> {
    let shown = |amount| show_money(amount, &view.currency);
    let mut notes = Vec::new();
    let month = forecast.months.first();
    let taken_off = month.map(|month| month.exact.discounts());
    for recurring in &view.discounts.recurring {
        let amount = taken_off.iter().find_map(|all| all.get(&recurring.service));
        let amount = month.zip(amount).map_or(String::new(), |(month, amount)| {
            format!(": {} in {}", shown(-*amount), month.month)
        });
        notes.push(format!("{}{amount}.", less(recurring, view.catalog)));
    }
    notes.extend(not_carried(view.discounts, view.catalog, shown));
    notes
}

/// Says which recurring discounts a comparison carries, and which discounts it does not.
pub fn of_comparison(discounts: &Discounts, catalog: &Catalog) -> Vec<String> {
    let carried = discounts.recurring.iter();
    let carried = carried.map(|of| format!("{}, before and after.", less(of, catalog)));
    let replaced = Discounts {
        replaced: discounts.replaced.clone(),
        ..Discounts::default()
    };
    let replaced = not_carried(&replaced, catalog, |amount| amount.to_string());
    carried.chain(replaced).collect()
}
