//! Discounts of the bills: those that recur and are carried, and those that are not.

use super::Note;
use crate::{
    domain::{
        catalog::Catalog,
        discounts::{Discounts, Passing, Recurring},
        ids::Currency,
        money::Money,
        period::Month,
    },
    forecast::ForecastResult,
    report::{Cell, forecast::View, show_money, show_percent},
};

/// Says which discounts a forecast carries, and which not.
pub(crate) fn of_forecast(forecast: &ForecastResult, view: &View<'_>) -> Vec<Note> {
    let (catalog, currency) = (view.catalog, &view.currency);
    let month = forecast.months.first();
    let taken_off = month.map(|month| (month.exact.discounts(), month.month));
    let of_service = |of: &Recurring| {
        let (amounts, month) = taken_off.as_ref()?;
        Some((-*amounts.get(&of.service)?, *month))
    };
    let recurring = view.discounts.recurring.iter().map(|of| {
        let service = catalog.service_name(&of.service);
        carried(service, of, of_service(of), currency)
    });
    let replaced_ones = view.discounts.replaced.iter();
    let replaced_ones = replaced_ones.map(|of| replaced(catalog.service_name(&of.service), of));
    let gone = view.discounts.passing.iter();
    let gone = gone.map(|of| passing(catalog.service_name(&of.service), of, currency));
    recurring.chain(replaced_ones).chain(gone).collect()
}

/// Says which recurring discounts a comparison carries, and which a stated one replaces.
pub fn of_comparison(discounts: &Discounts, catalog: &Catalog) -> Vec<Note> {
    let name = |of: &Recurring| catalog.service_name(&of.service).to_owned();
    let carried = discounts.recurring.iter();
    let carried = carried.map(|of| on_both_sides(&name(of), of));
    let replaced_ones = discounts.replaced.iter();
    carried
        .chain(replaced_ones.map(|of| replaced(&name(of), of)))
        .collect()
}

/// `2026-08 to 2026-10`.
fn months((first, last): (Month, Month)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first} to {last}")
    }
}

/// Says what a recurring discount takes off, and where it was seen.
fn less(service: &str, of: &Recurring) -> String {
    format!(
        "{service}: less {} % recurring discounts, as in {}",
        show_percent(of.percent),
        months(of.months)
    )
}

fn note(code: &'static str, text: String, service: &str, of: &Recurring) -> Note {
    Note::new(code, text)
        .with("service", service)
        .with("percent", Cell::Percent(of.percent))
        .with("first_month", of.months.0.to_string())
        .with("last_month", of.months.1.to_string())
}

/// Says in a check that a recurring discount is carried.
pub(super) fn recurring(service: &str, of: &Recurring) -> Note {
    note("recurring_discount", less(service, of), service, of)
}

/// Says that a recurring discount is carried into a forecast.
fn carried(
    service: &str,
    of: &Recurring,
    amount: Option<(Money, Month)>,
    currency: &Currency,
) -> Note {
    let shown = amount.map_or_else(String::new, |(amount, month)| {
        format!(": {} in {month}", show_money(amount, currency))
    });
    let text = format!("{}{shown}.", less(service, of));
    note("recurring_discount", text, service, of)
}

/// Says that both sides of a comparison have a recurring discount.
pub(super) fn on_both_sides(service: &str, of: &Recurring) -> Note {
    let text = format!("{}, on both sides.", less(service, of));
    note("recurring_discount", text, service, of)
}

/// Says that a stated discount replaces one of the bills.
pub(super) fn replaced(service: &str, of: &Recurring) -> Note {
    let text = format!(
        "{service}: your discount replaces the billed {} % of {}.",
        show_percent(of.percent),
        months(of.months)
    );
    note("replaced_discount", text, service, of)
}

/// Says that a discount that did not come every month is not carried.
fn passing(service: &str, of: &Passing, currency: &Currency) -> Note {
    Note::new(
        "passing_discount",
        format!(
            "{service}: {} of discounts in {} did not recur and are not carried. To add one, use \
             --discount.",
            show_money(of.amount, currency),
            of.month
        ),
    )
    .with("service", service)
    .with("amount", Cell::Money(of.amount, currency.clone()))
    .with("month", of.month.to_string())
}
