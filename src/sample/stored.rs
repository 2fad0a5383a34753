//! What the sample organization has in storage: a bill counts it by the hour.

use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::Decimal;

use super::{Resource, today};
use crate::domain::period::Month;

/// Returns what a day and those after it up to the next Monday add to a month's mean of what is
/// stored; nothing on other days.
pub(super) fn on(resource: &Resource, day: NaiveDate) -> Decimal {
    if day.day() != 1 && day.weekday() != Weekday::Mon {
        return Decimal::ZERO;
    }
    let month = Month::of(day);
    let covers = |next: &NaiveDate| *next == day || next.weekday() != Weekday::Mon;
    let rest = day.iter_days().take_while(|next| covers(next));
    let days = rest
        .take_while(|next| month.contains(*next) && *next < today())
        .count();
    let share = Decimal::from(days) / Decimal::from(month.days().count());
    let level = Decimal::new(resource.grown(day), 2);
    (resource.quantity.0 * level * share)
        .round_dp(6)
        .normalize()
}
