//! Days that cost more or less than the days before them would have led one to expect.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{
    calendar::Calendar,
    columns::{decimal, float},
    ensemble::{self, History},
    interval,
    numbers::{exp, ln},
};
use crate::domain::{money::Money, period::Month, why::SpikeDay};

/// The errors of so many days before make the range of a day.
const JUDGED_BY: usize = 56;

/// The range reaches so much beyond the largest of these errors.
const MARGIN: f64 = 1.25;

/// Looks for days of a month outside their range; none if too few days before the month are known.
///
/// Each day is forecast from the days before it. Its range is that of the errors of such forecasts over eight
/// weeks, a quarter wider. A day outside it counts for the days after it as what it was expected to cost.
pub fn spikes(
    costs: &BTreeMap<NaiveDate, Money>,
    month: Month,
    calendar: &Calendar,
) -> Option<Vec<SpikeDay>> {
    let first = *costs.keys().next()?;
    let last = *costs.keys().next_back()?;
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
    let from = days.iter().position(|day| month.contains(*day))?;
    let warm_up = from.checked_sub(JUDGED_BY)?;
    if warm_up < ensemble::COLD {
        return None;
    }
    let is_holiday = calendar.between(first, month.end());
    let holidays: Vec<usize> = (0..days.len())
        .filter(|at| is_holiday.contains(&days[*at]))
        .collect();
    let cost = |day: &NaiveDate| costs.get(day).copied().unwrap_or_default();
    let values: Vec<f64> = days.iter().map(|day| float(cost(day))).collect();
    let mut history = values.clone();
    let mut errors: Vec<f64> = Vec::new();
    let mut found = Vec::new();
    for at in warm_up..values.len() {
        let past = History {
            values: history[..at].to_vec(),
            holidays: holidays.iter().copied().filter(|day| *day <= at).collect(),
        };
        let expected = ensemble::forecast(&past, 1).total;
        let offset = interval::offset(&past.values);
        let error = ln((values[at].max(0.0) + offset) / (expected + offset));
        if at < from {
            errors.push(error);
            continue;
        }
        let recent = &errors[errors.len().saturating_sub(JUDGED_BY)..];
        let low = recent.iter().copied().fold(0.0, f64::min) * MARGIN;
        let high = recent.iter().copied().fold(0.0, f64::max) * MARGIN;
        if (low..=high).contains(&error) {
            errors.push(error);
            continue;
        }
        let bound = |error: f64| {
            let cost = ((expected + offset) * exp(error) - offset).max(0.0);
            Money::new(decimal(cost, 2))
        };
        history[at] = expected;
        found.push(SpikeDay {
            day: days[at],
            cost: cost(&days[at]),
            range: [bound(low), bound(high)],
        });
    }
    Some(found)
}
