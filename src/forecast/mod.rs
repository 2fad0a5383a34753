//! Where usage goes from here: drivers first, money later.
//!
//! A first, plain method: each meter's mean for the same weekday over the last eight weeks; whole
//! units (active pipelines, users) as in the last three whole months. No trend, no holidays, no
//! range. What it predicts is rated like any usage, so free tiers and tiers count as they will.

#![allow(
    clippy::float_arithmetic,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "statistics, not money: the one place that calculates with floats"
)]

pub mod bench;
pub mod calendar;
mod ensemble;
mod ets;
mod interval;
mod methods;
mod numbers;
mod random;
mod stl;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::Decimal;

use crate::domain::{
    ids::Currency,
    period::Month,
    quantity::{Quantity, Unit},
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// Weeks of history behind a weekday mean.
const WEEKS: u64 = 8;

/// Whole months behind a count of whole units.
const MONTHS: usize = 3;

/// What is expected, and on what it rests.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// Records so far and expected ones, month by month.
    pub records: Vec<UsageRecord>,
    /// The last day with usage.
    pub last_day: NaiveDate,
    /// Days of history that the weekday means rest on, at most eight weeks.
    pub days_used: i64,
}

/// Continues the usage of the past to the end of the `months`-th month after the current one.
/// Returns nothing when there is no usage to continue.
pub fn continue_usage(history: &[UsageRecord], months: u32) -> Option<Outlook> {
    let usage = || {
        history
            .iter()
            .filter(|r| r.kind == ChargeKind::Usage && r.quantity.is_some())
    };
    let last_day = usage().map(|record| record.day).max()?;
    let first_day = usage().map(|record| record.day).min()?;
    let window_start = (last_day - Days::new(WEEKS * 7 - 1)).max(first_day);
    let current = Month::of(last_day);
    let last_month = (0..months).fold(current, |month, _| month.next());

    let mut drivers: BTreeMap<(UsageKey, Currency, Unit), Vec<&UsageRecord>> = BTreeMap::new();
    for record in usage() {
        let unit = record
            .quantity
            .map_or(Unit::Unspecified, |quantity| quantity.unit);
        drivers
            .entry((record.key.clone(), record.currency.clone(), unit))
            .or_default()
            .push(record);
    }
    let mut records: Vec<UsageRecord> = usage()
        .filter(|record| record.month == current)
        .cloned()
        .collect();
    for ((key, currency, unit), past) in drivers {
        let expect = |day: NaiveDate, value: Decimal| UsageRecord {
            month: Month::of(day),
            day,
            key: key.clone(),
            kind: ChargeKind::Usage,
            resource: None,
            tags: Arc::default(),
            quantity: Some(Quantity::new(value, unit)),
            consumed: None,
            metering: None,
            billed: None,
            currency: currency.clone(),
            origin: Arc::from("forecast"),
        };
        if counts_whole_units(unit) {
            records.extend(whole_units(&past, first_day, current, last_month, expect));
        } else {
            let means = weekday_means(&past, window_start, last_day);
            let future = last_day
                .iter_days()
                .skip(1)
                .take_while(|day| *day < last_month.end());
            records.extend(future.filter_map(|day| {
                let mean = means.get(&day.weekday().num_days_from_monday())?;
                (!mean.is_zero()).then(|| expect(day, *mean))
            }));
        }
    }
    let days_used = (last_day - window_start).num_days() + 1;
    Some(Outlook {
        records,
        last_day,
        days_used,
    })
}

/// Units that are counted once a month, not day by day.
fn counts_whole_units(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Pipeline | Unit::User | Unit::Key | Unit::Secret | Unit::Alarm | Unit::Metric
    )
}

/// A day without a record is a day without usage: the history has no holes between its ends.
fn weekday_means(past: &[&UsageRecord], from: NaiveDate, to: NaiveDate) -> BTreeMap<u32, Decimal> {
    let mut sums: BTreeMap<u32, (Decimal, u32)> = BTreeMap::new();
    for day in from.iter_days().take_while(|day| *day <= to) {
        sums.entry(day.weekday().num_days_from_monday())
            .or_default()
            .1 += 1;
    }
    for record in past
        .iter()
        .filter(|record| (from..=to).contains(&record.day))
    {
        let sum = sums
            .entry(record.day.weekday().num_days_from_monday())
            .or_default();
        sum.0 += record
            .quantity
            .map_or(Decimal::ZERO, |quantity| quantity.value);
    }
    let mean = |(sum, days): (Decimal, u32)| (sum / Decimal::from(days.max(1))).round_dp(6);
    sums.into_iter()
        .map(|(weekday, sum)| (weekday, mean(sum)))
        .collect()
}

/// Whole units of the last whole months: their median. The current month has at least what it
/// already counts.
fn whole_units(
    past: &[&UsageRecord],
    first_day: NaiveDate,
    current: Month,
    last_month: Month,
    expect: impl Fn(NaiveDate, Decimal) -> UsageRecord,
) -> Vec<UsageRecord> {
    let mut counts: BTreeMap<Month, Decimal> = BTreeMap::new();
    for record in past {
        let value = record
            .quantity
            .map_or(Decimal::ZERO, |quantity| quantity.value);
        *counts.entry(record.month).or_default() += value;
    }
    let mut last_months = Vec::new();
    let mut month = current.previous();
    while last_months.len() < MONTHS && month >= Month::of(first_day) {
        last_months.push(counts.get(&month).copied().unwrap_or_default());
        month = month.previous();
    }
    let so_far = counts.get(&current).copied().unwrap_or_default();
    last_months.sort();
    let usual = last_months
        .get(last_months.len() / 2)
        .copied()
        .unwrap_or(so_far);
    let mut expected = Vec::new();
    if usual > so_far {
        expected.push(expect(current.last_day(), usual - so_far));
    }
    let mut month = current.next();
    while month <= last_month && !usual.is_zero() {
        expected.push(expect(month.first_day(), usual));
        month = month.next();
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Meter, Region};

    fn record(day: NaiveDate, value: i64, unit: Unit) -> UsageRecord {
        UsageRecord {
            month: Month::of(day),
            day,
            key: UsageKey {
                payer: None,
                account: None,
                region: Region::new("us-east-1"),
                meter: Meter::new("CodeBuild", unit.name()),
            },
            kind: ChargeKind::Usage,
            resource: None,
            tags: Arc::default(),
            quantity: Some(Quantity::new(Decimal::from(value), unit)),
            consumed: None,
            metering: None,
            billed: None,
            currency: Currency::new("USD"),
            origin: Arc::from("test"),
        }
    }

    fn total(outlook: &Outlook, month: &str) -> Decimal {
        let month: Month = month.parse().unwrap();
        let of_month = outlook
            .records
            .iter()
            .filter(|record| record.month == month);
        of_month
            .filter_map(|record| record.quantity)
            .map(|quantity| quantity.value)
            .sum()
    }

    #[test]
    fn a_steady_week_goes_on() {
        // Ten minutes each working day, none at weekends, to Friday 20 November 2026.
        let start: NaiveDate = "2026-09-01".parse().unwrap();
        let days = start
            .iter_days()
            .take_while(|day| *day <= "2026-11-20".parse().unwrap());
        let working = days.filter(|day| day.weekday().num_days_from_monday() < 5);
        let history: Vec<_> = working.map(|day| record(day, 10, Unit::Minute)).collect();
        let outlook = continue_usage(&history, 1).unwrap();
        assert_eq!(total(&outlook, "2026-11"), Decimal::from(210)); // 21 working days
        assert_eq!(total(&outlook, "2026-12"), Decimal::from(230)); // 23 working days
    }

    #[test]
    fn whole_units_are_counted_not_added_up_by_day() {
        let history: Vec<_> = [
            ("2026-08-01", 3),
            ("2026-09-01", 4),
            ("2026-10-01", 4),
            ("2026-11-03", 2),
        ]
        .map(|(day, value)| record(day.parse().unwrap(), value, Unit::Pipeline))
        .to_vec();
        let outlook = continue_usage(&history, 2).unwrap();
        assert_eq!(total(&outlook, "2026-11"), Decimal::from(4));
        assert_eq!(total(&outlook, "2027-01"), Decimal::from(4));
    }

    #[test]
    fn nothing_used_gives_no_forecast() {
        assert!(continue_usage(&[], 3).is_none());
    }
}
