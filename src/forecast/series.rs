//! From usage records to driver series: one for each meter, account and region, daily, without
//! holes.
//!
//! A day that a source covers and that has no record is a day without usage. A day that no source
//! covers is a gap: it is filled with what the same weekday had around it, and counted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use rust_decimal::prelude::ToPrimitive;

use super::methods::WEEK;
use crate::domain::{
    allocation::Dimension,
    costs::states_costs_only,
    period::Month,
    quantity::Unit,
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// Which days the records tell of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// The last day that is complete.
    pub last_day: NaiveDate,
    /// Days after it that have records, but not all of them yet. They are forecast.
    pub incomplete_days: u32,
    /// First and last days of stretches without any source.
    pub gaps: Vec<(NaiveDate, NaiveDate)>,
}

impl Coverage {
    /// Returns the coverage of records without holes, to their last day.
    pub fn of(records: &[UsageRecord]) -> Option<Self> {
        Some(Self {
            last_day: records.iter().filter(|r| counts(r)).map(|r| r.day).max()?,
            incomplete_days: 0,
            gaps: Vec::new(),
        })
    }

    fn knows(&self, day: NaiveDate) -> bool {
        !self
            .gaps
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&day))
    }
}

/// The usage of one meter by one account in one region.
#[derive(Clone, Debug)]
pub(super) struct Driver {
    pub(super) key: UsageKey,
    /// Keys of its records: its own, and that of free usage, which bills show without region.
    pub(super) keys: Vec<UsageKey>,
    pub(super) unit: Unit,
    /// It counts costs, as its source states no quantities: its price is 1.
    pub(super) of_costs: bool,
    pub(super) kind: SeriesKind,
    /// The current month so far.
    pub(super) month_to_date: f64,
    /// What belongs to whom, of the weeks at the end: week by week, the last one last.
    pub(super) parts: Vec<BTreeMap<Option<String>, f64>>,
}

/// How a driver behaves.
#[derive(Clone, Debug)]
pub(super) enum SeriesKind {
    /// An amount each day.
    Daily(Daily),
    /// A number of whole units each month: active pipelines, users.
    Units(BTreeMap<Month, MonthOfUnits>),
}

/// Daily amounts from the first day of use on.
#[derive(Clone, Debug, Default)]
pub(super) struct Daily {
    pub(super) values: Vec<f64>,
    /// Days that no source covers.
    pub(super) filled: usize,
    /// Days on which corrections outweighed usage; they count as nothing.
    pub(super) negative: usize,
    /// Months known as a total only, spread evenly.
    pub(super) spread_months: usize,
}

/// The units of a month, by name where they have one, with the day each was first seen.
#[derive(Clone, Debug, Default)]
pub(super) struct MonthOfUnits {
    pub(super) count: f64,
    pub(super) names: BTreeMap<String, NaiveDate>,
    /// Some units have no name, or count for more or less than one.
    pub(super) anonymous: bool,
}

/// Weeks at the end of the history that paths are made of.
pub(super) const WEEKS: usize = 26;

/// Tells whether a record is usage that can be forecast: as a quantity, or else as a cost.
pub(super) fn counts(record: &UsageRecord) -> bool {
    (record.kind == ChargeKind::Usage && record.quantity.is_some()) || states_costs_only(record)
}

/// What drivers are told apart by; no unit where they count costs.
type Group<'r> = (&'r UsageKey, Option<Unit>);

fn group(record: &UsageRecord) -> Group<'_> {
    (&record.key, record.quantity.map(|quantity| quantity.unit))
}

/// Sorts records into drivers, in the order of their keys.
pub(super) fn gather(
    records: &[UsageRecord],
    coverage: &Coverage,
    by: Option<&Dimension>,
) -> Vec<Driver> {
    let known = || {
        records
            .iter()
            .filter(|r| counts(r) && r.day <= coverage.last_day)
    };
    let monthly = months_known_as_totals(known());
    let mut groups: BTreeMap<Group<'_>, Vec<&UsageRecord>> = BTreeMap::new();
    for record in known() {
        groups.entry(group(record)).or_default().push(record);
    }
    fold_free_usage(&mut groups);
    let current = Month::of(coverage.last_day);
    groups
        .into_iter()
        .map(|((key, unit), records)| Driver {
            key: key.clone(),
            keys: records
                .iter()
                .map(|record| record.key.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            unit: unit.unwrap_or(Unit::Unspecified),
            of_costs: unit.is_none(),
            kind: if unit.is_some_and(Unit::is_counted_by_month) {
                SeriesKind::Units(units(&records))
            } else {
                SeriesKind::Daily(daily(&records, coverage, &monthly))
            },
            month_to_date: records
                .iter()
                .filter(|record| record.month == current)
                .map(|record| amount(record))
                .sum(),
            parts: parts(&records, coverage.last_day, by),
        })
        .collect()
}

/// Puts usage without region to the region where the account uses most of the meter: bills show the
/// free part of usage as `Global-`, which is no usage of its own.
fn fold_free_usage(groups: &mut BTreeMap<Group<'_>, Vec<&UsageRecord>>) {
    let is_global = |key: &UsageKey| key.region.as_str() == "global";
    let global: Vec<Group<'_>> = groups
        .keys()
        .filter(|(key, unit)| is_global(key) && unit.is_some())
        .copied()
        .collect();
    for (key, unit) in global {
        let same = |other: &UsageKey| {
            !is_global(other)
                && (&other.payer, &other.account, &other.meter)
                    == (&key.payer, &key.account, &key.meter)
        };
        let home = groups
            .iter()
            .filter(|((other, other_unit), _)| same(other) && *other_unit == unit)
            .max_by_key(|(_, records)| records.len())
            .map(|(home, _)| *home);
        if let Some(home) = home
            && let Some(free) = groups.remove(&(key, unit))
        {
            groups.entry(home).or_default().extend(free);
        }
    }
}

/// Returns usage as if no bill spoke of it: at home in its region, without prices of its own. So all
/// of it is rated at the same prices.
pub(super) fn without_bill(records: &[UsageRecord]) -> Vec<UsageRecord> {
    let mut groups: BTreeMap<Group<'_>, Vec<&UsageRecord>> = BTreeMap::new();
    for record in records.iter().filter(|record| counts(record)) {
        groups.entry(group(record)).or_default().push(record);
    }
    fold_free_usage(&mut groups);
    let mut records: Vec<UsageRecord> = groups
        .into_iter()
        .flat_map(|((home, _), records)| {
            records.into_iter().map(|record| UsageRecord {
                key: home.clone(),
                // Where nothing but the cost is known, it stays.
                billed: record.billed.clone().filter(|_| record.quantity.is_none()),
                ..record.clone()
            })
        })
        .collect();
    records.sort_by_key(|record| record.day);
    records
}

fn amount(record: &UsageRecord) -> f64 {
    let cost = || record.billed.as_ref().map(|billed| billed.cost.amount());
    record
        .quantity
        .map(|quantity| quantity.value)
        .or_else(cost)
        .unwrap_or_default()
        .to_f64()
        .unwrap_or_default()
}

/// Months whose daily meters all lie on one day although they are over: a source by month.
fn months_known_as_totals<'r>(records: impl Iterator<Item = &'r UsageRecord>) -> Vec<Month> {
    let mut days: BTreeMap<Month, (NaiveDate, bool, usize)> = BTreeMap::new();
    for record in records {
        let whole = record
            .quantity
            .is_some_and(|q| q.unit.is_counted_by_month());
        if !whole {
            let seen = days.entry(record.month).or_insert((record.day, true, 0));
            seen.1 &= seen.0 == record.day;
            seen.2 += 1;
        }
    }
    // A single month on one day may simply be the first day of use.
    let only_first = |month: &Month, day: NaiveDate| day == month.first_day();
    let single: Vec<Month> = days
        .iter()
        .filter(|(month, (day, single, _))| *single && only_first(month, *day))
        .map(|(month, _)| *month)
        .collect();
    if single.len() >= 2 {
        single
    } else {
        Vec::new()
    }
}

fn daily(records: &[&UsageRecord], coverage: &Coverage, monthly: &[Month]) -> Daily {
    let mut by_day: BTreeMap<NaiveDate, f64> = BTreeMap::new();
    let mut spread_months = 0;
    for record in records {
        if monthly.contains(&record.month) && record.day == record.month.first_day() {
            let end = record.month.last_day().min(coverage.last_day);
            let days = (end - record.day).num_days() + 1;
            for day in record.day.iter_days().take_while(|day| *day <= end) {
                *by_day.entry(day).or_default() += amount(record) / days as f64;
            }
            spread_months += 1;
        } else {
            *by_day.entry(record.day).or_default() += amount(record);
        }
    }
    let first = by_day
        .iter()
        .find(|(_, value)| **value > 0.0)
        .map_or(coverage.last_day, |(day, _)| *day);
    let mut values = Vec::new();
    let mut holes = Vec::new();
    let mut negative = 0;
    for day in first
        .iter_days()
        .take_while(|day| *day <= coverage.last_day)
    {
        let value = by_day.get(&day).copied().unwrap_or_default();
        if !coverage.knows(day) && value == 0.0 {
            holes.push(values.len());
        }
        negative += usize::from(value < 0.0);
        values.push(value.max(0.0));
    }
    fill(&mut values, &holes);
    Daily {
        filled: holes.len(),
        values,
        negative,
        spread_months,
    }
}

/// Fills holes with the mean of the same weekday in up to four weeks before and after.
fn fill(values: &mut [f64], holes: &[usize]) {
    let original = values.to_vec();
    let is_hole = |at: usize| holes.binary_search(&at).is_ok();
    for &hole in holes {
        let before = (1..).map_while(|weeks| hole.checked_sub(weeks * WEEK));
        let after = (1..)
            .map(|weeks| hole + weeks * WEEK)
            .take_while(|at| *at < original.len());
        let near: Vec<f64> = before
            .filter(|at| !is_hole(*at))
            .take(4)
            .chain(after.filter(|at| !is_hole(*at)).take(4))
            .map(|at| original[at])
            .collect();
        values[hole] = super::numbers::mean(&near);
    }
}

fn units(records: &[&UsageRecord]) -> BTreeMap<Month, MonthOfUnits> {
    let mut months: BTreeMap<Month, MonthOfUnits> = BTreeMap::new();
    for record in records {
        let month = months.entry(record.month).or_default();
        let value = amount(record);
        month.count += value;
        match &record.resource {
            Some(resource) if (value - 1.0).abs() < 1e-9 => {
                let seen = month
                    .names
                    .entry(resource.as_str().to_owned())
                    .or_insert(record.day);
                *seen = record.day.min(*seen);
            }
            _ if value == 0.0 => {}
            _ => month.anonymous = true,
        }
    }
    months
}

/// Adds the last weeks up by part.
fn parts(
    records: &[&UsageRecord],
    last_day: NaiveDate,
    by: Option<&Dimension>,
) -> Vec<BTreeMap<Option<String>, f64>> {
    let Some(by) = by else {
        return Vec::new();
    };
    let mut weeks = vec![BTreeMap::new(); WEEKS];
    let from = last_day - Days::new((WEEKS * WEEK) as u64 - 1);
    for record in records.iter().filter(|record| record.day >= from) {
        let at = (record.day - from).num_days() as usize / WEEK;
        let sum: &mut f64 = weeks[at].entry(by.of(record)).or_default();
        *sum += amount(record).max(0.0);
    }
    // Before jobs were known, usage was of no job only because nobody could tell.
    let first = weeks
        .iter()
        .position(|week| week.keys().any(Option::is_some));
    if let (true, Some(first)) = (by.is_of_jobs(), first) {
        weeks[..first].fill(BTreeMap::new());
    }
    weeks
}
