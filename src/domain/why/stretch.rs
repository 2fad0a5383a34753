//! On which days of a month a change fell.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::Decimal;

use crate::domain::period::Month;

/// The days that hold most of an excess, if they are fewer than the month: from when to when.
///
/// `excess` is what a day has more than it used to have, above zero where that is what is looked for.
pub(super) fn stretch(
    excess: &BTreeMap<NaiveDate, Decimal>,
    month: Month,
) -> Option<(NaiveDate, NaiveDate)> {
    let until = *excess.keys().next_back()?;
    let days: Vec<(NaiveDate, Decimal)> = month
        .days()
        .take_while(|day| *day <= until)
        .map(|day| (day, excess.get(&day).copied().unwrap_or_default()))
        .collect();
    let all: Decimal = days.iter().map(|(_, excess)| *excess).sum();
    if all <= Decimal::ZERO {
        return None;
    }
    // The days that have more than an even share of it, together.
    let even = all / Decimal::from(days.len());
    let mut best: (Decimal, usize, usize) = (Decimal::ZERO, 0, 0);
    let (mut sum, mut from) = (Decimal::ZERO, 0);
    for (at, (_, excess)) in days.iter().enumerate() {
        if sum <= Decimal::ZERO {
            (sum, from) = (Decimal::ZERO, at);
        }
        sum += excess - even;
        if sum > best.0 {
            best = (sum, from, at);
        }
    }
    let (_, from, to) = best;
    let inside: Decimal = days[from..=to].iter().map(|(_, excess)| *excess).sum();
    let is_most = inside * Decimal::TEN >= all * Decimal::from(7);
    let is_short = 2 * (to - from + 1) <= days.len();
    let begins_late = from > 3 && days[to].0 >= until;
    (is_most && (is_short || begins_late)).then(|| (days[from].0, days[to].0))
}

/// What each weekday has on average.
pub(super) fn by_weekday(
    days: &BTreeMap<NaiveDate, Decimal>,
    month: Month,
) -> BTreeMap<u32, Decimal> {
    let mut means: BTreeMap<u32, (Decimal, u32)> = BTreeMap::new();
    for day in month.days() {
        let mean = means.entry(number(day.weekday())).or_default();
        mean.0 += days.get(&day).copied().unwrap_or_default();
        mean.1 += 1;
    }
    let mean = |(sum, count): (Decimal, u32)| sum / Decimal::from(count);
    means.into_iter().map(|(day, it)| (day, mean(it))).collect()
}

/// What the days of a month have more than their weekdays had in another.
pub(super) fn more_than_before(
    before: (&BTreeMap<NaiveDate, Decimal>, Month),
    after: (&BTreeMap<NaiveDate, Decimal>, Month),
    until: NaiveDate,
) -> BTreeMap<NaiveDate, Decimal> {
    let usual = by_weekday(before.0, before.1);
    let of_day = |day: NaiveDate| {
        let usual = usual.get(&number(day.weekday())).copied();
        after.0.get(&day).copied().unwrap_or_default() - usual.unwrap_or_default()
    };
    let days = after.1.days().take_while(|day| *day <= until);
    days.map(|day| (day, of_day(day))).collect()
}

fn number(day: Weekday) -> u32 {
    day.num_days_from_monday()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month() -> Month {
        "2026-10".parse().expect("a month")
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 10, day).expect("a day")
    }

    #[test]
    fn five_days_of_a_month_are_found_between_noise() {
        let noise = |at: u32| Decimal::from(at * 7 % 5) - Decimal::TWO;
        let excess = (1..=31).map(|at| {
            let more = if (12..=16).contains(&at) { 40 } else { 0 };
            (day(at), noise(at) + Decimal::from(more))
        });
        assert_eq!(
            stretch(&excess.collect(), month()),
            Some((day(12), day(16)))
        );
    }

    #[test]
    fn what_is_even_has_no_days_of_its_own() {
        let excess = (1..=31).map(|at| (day(at), Decimal::ONE)).collect();
        assert_eq!(stretch(&excess, month()), None);
        assert_eq!(stretch(&BTreeMap::new(), month()), None);
    }
}
