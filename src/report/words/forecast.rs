//! What changes how a forecast is to be read.

use super::{Note, costs, count, counted, discounts};
use crate::{
    domain::aws_forecast::{AwsForecast, AwsRemark},
    forecast::{DriverForecast, ForecastResult},
    report::{
        Cell,
        forecast::{View, is_complete},
        show_money,
    },
};

/// Returns what a reader of a forecast should know: what is missing and what the columns are first.
pub(crate) fn notes(forecast: &ForecastResult, view: &View<'_>) -> Vec<Note> {
    let (options, currency) = (&forecast.options, &view.currency);
    let mut notes = Vec::new();
    if !is_complete(forecast) {
        notes.push(Note::new(
            "partial",
            "Partial: usage without a known price is excluded. To name it: `pipebill bill`.",
        ));
    }
    notes.push(
        Note::new(
            "simulated",
            format!(
                "Actual usage through {}; the rest is simulated {} times from up to {} days of history. \
                 10 / 50 / 90 % of simulations cost less than P10 / P50 / P90. Service columns are \
                 medians and need not add up to the total.",
                forecast.last_day,
                count(options.paths as u64),
                count(forecast.history_days as u64)
            ),
        )
        .with("last_day", forecast.last_day)
        .with("simulations", options.paths as u64)
        .with("history_days", forecast.history_days as u64),
    );
    match forecast.history_days {
        days @ 0..14 => notes.push(
            Note::new(
                "short_history",
                format!(
                    "Only {} of history: a flat mean with a rough range. To forecast from a plan: \
                     `pipebill estimate`.",
                    counted(days as u64, "day")
                ),
            )
            .with("days", days as u64),
        ),
        days @ 14..42 => notes.push(
            Note::new(
                "short_history",
                format!(
                    "Only {} of history, less than six weeks: a mean by weekday with a wide range.",
                    counted(days as u64, "day")
                ),
            )
            .with("days", days as u64),
        ),
        _ => {}
    }
    if let Some(unplaced) = &forecast.unplaced {
        notes.push(
            Note::new(
                "forecast_whole",
                format!(
                    "{} is forecast as a whole: its last day with usage ({} so far) is not known. If you \
                     know it, import the file again with --known-until DAY.",
                    unplaced.month,
                    show_money(unplaced.cost, currency)
                ),
            )
            .with("month", unplaced.month.to_string())
            .with("cost", Cell::Money(unplaced.cost, currency.clone())),
        );
    }
    if let Some(budget) = options.budget {
        notes.push(
            Note::new(
                "over_budget",
                format!(
                    "Over budget: share of simulations above {} a month{}.",
                    show_money(budget, currency),
                    if forecast.months.len() > 1 {
                        ". Bottom row: in any month"
                    } else {
                        ""
                    }
                ),
            )
            .with("budget", Cell::Money(budget, currency.clone())),
        );
    }
    notes.extend(costs::of_forecast(forecast, view));
    notes.extend(discounts::of_forecast(forecast, view));
    notes.extend(of_drivers(forecast));
    if !view.other_charges.is_zero() {
        notes.push(super::usage_only(view.other_charges, currency));
    }
    if options.growth.is_none() && options.months > 1 {
        notes.push(Note::new(
            "no_trend",
            "No trend applied: trend models did not improve accuracy. To add one: --growth, --event.",
        ));
    }
    notes
}

/// Says what Cost Explorer's forecast is about, and what it leaves out.
pub(crate) fn of_aws(forecast: &AwsForecast) -> Vec<Note> {
    let mut notes: Vec<Note> = forecast.notes.iter().map(aws_remark).collect();
    let refused = forecast.refused.iter();
    notes.extend(refused.map(|why| {
        Note::new("no_aws_forecast", format!("No AWS forecast: {why}."))
            .with("reason", why.as_str())
    }));
    notes
}

fn aws_remark(remark: &AwsRemark) -> Note {
    match remark {
        AwsRemark::Subject { services, accounts } => {
            let place = match &accounts[..] {
                [] => "all visible accounts".to_owned(),
                [only] => format!("account {only}"),
                several => counted(several.len() as u64, "account"),
            };
            Note::new(
                "aws_forecast",
                format!(
                    "AWS: Cost Explorer's forecast of {services} in {place}. Like ours, it is unblended \
                     cost of usage without credits, refunds and taxes, with an 80 % range."
                ),
            )
            .with("services", services.as_str())
            .with("accounts", accounts.len() as u64)
        }
        AwsRemark::CurrentMonthMissing { month, from } => Note::new(
            "aws_month_missing",
            format!("No AWS total for {month}: the ledger has no cost of its days before {from}."),
        )
        .with("month", month.to_string())
        .with("from", *from),
        AwsRemark::CurrentMonth { month, until, from } => {
            let (known, gap) = match until {
                Some(until) => (
                    format!("through {until}"),
                    "; the days between are in neither",
                ),
                None => (format!("before {from}"), ""),
            };
            let note = Note::new(
                "aws_month",
                format!(
                    "AWS's {month} is the ledger's cost {known} plus AWS's forecast from {from}{gap}."
                ),
            )
            .with("month", month.to_string())
            .with("from", *from);
            match until {
                Some(until) => note.with("until", *until),
                None => note,
            }
        }
        AwsRemark::MostMonths { months } => Note::new(
            "aws_months",
            format!("AWS forecasts at most {months} months."),
        )
        .with("months", u64::from(*months)),
    }
}

/// Says what the history of the drivers is like.
fn of_drivers(forecast: &ForecastResult) -> Vec<Note> {
    let mut notes = Vec::new();
    let of = |pick: &dyn Fn(&DriverForecast) -> bool| {
        let drivers = forecast.drivers.iter();
        drivers.filter(|driver| pick(driver)).count() as u64
    };
    let all = forecast.drivers.len() as u64;
    let shifted = of(&|driver| driver.shifted);
    if shifted > 0 {
        notes.push(
            Note::new(
                "level_shift",
                format!(
                    "{} of {} recently changed level; their ranges are wider.",
                    count(shifted),
                    counted(all, "driver")
                ),
            )
            .with("drivers", shifted)
            .with("of", all),
        );
    }
    let stopped = of(&|driver| driver.stopped);
    if stopped > 0 {
        notes.push(
            Note::new(
                "stopped",
                format!(
                    "{} of {} unused for three weeks; the forecast expects almost none of them.",
                    count(stopped),
                    counted(all, "driver")
                ),
            )
            .with("drivers", stopped)
            .with("of", all),
        );
    }
    if forecast.incomplete_days > 0 {
        notes.push(
            Note::new(
                "incomplete_days",
                format!(
                    "The last {} of Cost Explorer are incomplete and are forecast too.",
                    counted(u64::from(forecast.incomplete_days), "day")
                ),
            )
            .with("days", u64::from(forecast.incomplete_days)),
        );
    }
    let filled = forecast.drivers.iter().map(|driver| driver.filled).max();
    let filled = filled.unwrap_or(0) as u64;
    if filled > 0 {
        notes.push(
            Note::new(
                "filled_days",
                format!(
                    "{} without imported data filled from the same weekday nearby.",
                    counted(filled, "day")
                ),
            )
            .with("days", filled),
        );
    }
    if of(&|driver| driver.spread_months > 0) > 0 {
        notes.push(Note::new(
            "months_spread",
            "Months known only as totals are spread evenly over their days.",
        ));
    }
    if of(&|driver| driver.negative > 0) > 0 {
        notes.push(Note::new(
            "negative_days",
            "Days with more corrections than usage count as days without usage.",
        ));
    }
    notes
}
