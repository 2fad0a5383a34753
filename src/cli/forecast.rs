//! `pipebill forecast`: where the month and the next ones end.

use super::{CommandError, Exit, output::Output, terms::TermsArgs};
use crate::{
    app::{App, Forecast},
    report::{self, forecast::Basis, show_money},
};

/// Forecast this month's end and the months after
///
/// Usage is forecast first (the mean of each weekday over eight weeks), then rated with free tiers
/// and whole-pipeline fees. There is no range yet: take it as a middle, not as a promise.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many months after the current one.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=36))]
    months: u32,
    #[command(flatten)]
    terms: TermsArgs,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let ledger = app.ledger()?;
    let request = args.terms.request(&app.catalog, None)?;
    let forecast = app.forecast(&ledger, args.months, &request)?;
    let complete = forecast
        .bills
        .iter()
        .all(crate::domain::bill::Bill::is_complete);
    output.document(&document(&forecast))?;
    Ok(Exit::of(complete, strict))
}

/// Lays a forecast out with what it rests on.
pub(super) fn document(forecast: &Forecast) -> report::Document {
    let last = forecast.last_day;
    let mut notes = vec![format!(
        "Usage to {last} is actual; from then on each meter goes on as its mean for that weekday \
         over the last {} days. Active pipelines and users: as in the last three whole months.",
        forecast.days_used
    )];
    if forecast.days_used < 56 {
        notes.push("Less than eight weeks of history: expect the forecast to move.".to_owned());
    }
    notes.push("A single figure without a range, no holidays, no trend.".to_owned());
    if !forecast.other_charges.is_zero() {
        let currency = &forecast.bills[0].currency;
        notes.push(format!(
            "Usage only: credits, refunds, taxes and fees of the month ({}) are left out.",
            show_money(forecast.other_charges, currency)
        ));
    }
    let actual_days = i64::from(chrono::Datelike::day(&last));
    let title = format!("Forecast from {last}");
    report::forecast::document(&forecast.bills, Basis { notes, actual_days }, title)
}
