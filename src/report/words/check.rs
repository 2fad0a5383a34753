//! What a check says of the forecast beside its verdict.

use super::{Note, discounts};
use crate::{
    domain::catalog::Catalog,
    forecast::Forecast,
    report::{Cell, show_money},
};

/// Returns what follows the verdict in its line.
pub(crate) fn of_forecast(forecast: &Forecast, catalog: &Catalog) -> Vec<Note> {
    let money = |amount| Cell::Money(amount, forecast.currency.clone());
    let shown = |amount| show_money(amount, &forecast.currency);
    let mut notes = Vec::new();
    if let Some(month) = forecast.result.months.last() {
        let (p10, p90) = (month.total.p10, month.total.p90);
        notes.push(
            Note::new("range", format!("P10 {}, P90 {}", shown(p10), shown(p90)))
                .with("p10", money(p10))
                .with("p90", money(p90)),
        );
        notes.extend(month.over_budget.map(|share| {
            let share = Cell::Percent(share);
            Note::new(
                "over_budget",
                format!("{} of simulations cost more", share.shown()),
            )
            .with("percent", share)
        }));
    }
    let recurring = forecast.discounts.recurring.iter();
    notes.extend(recurring.map(|of| discounts::recurring(catalog.service_name(&of.service), of)));
    if !forecast.costs.services.is_empty() {
        notes.push(Note::new(
            "forecast_of_costs",
            "forecast from costs: the export has no quantities",
        ));
    }
    notes
}
