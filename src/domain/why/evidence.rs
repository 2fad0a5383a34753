//! What a cause rests on: how many, how long, on which days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Cause, Evidence,
    family::{Family, WorkDone},
    stretch::{more_than_before, stretch},
    work::{Cell, Sum},
};
use crate::domain::{ids::Meter, metering::events::StartedBy, period::Month};

/// Two months, and the last day of the second that is known.
pub(super) type Months = (Month, Month, NaiveDate);

/// Gathers the evidence of a cause.
pub(super) fn evidence(
    months: Months,
    family: &Family<'_>,
    works: &[WorkDone; 2],
    cause: &Cause,
) -> Evidence {
    let mut evidence = Evidence {
        quantity: family.quantities(),
        price: family.prices(),
        subjects: 1,
        days: days_of(months, family, works, cause),
        ..Evidence::default()
    };
    if works.iter().any(|work| !work.is_empty()) {
        evidence.count = Some(works.each_ref().map(|w| w.values().map(|s| s.count).sum()));
        evidence.milliseconds = Some(
            works
                .each_ref()
                .map(|w| w.values().map(|s| s.milliseconds).sum()),
        );
        let failed = |(cell, _): &(&Cell, &Sum)| cell.failed;
        if family.is_builds {
            evidence.failed = Some(works.each_ref().map(|work| {
                let of_failed = work.iter().filter(failed);
                of_failed.map(|(_, sum)| sum.count).sum()
            }));
        }
        for (at, work) in works.iter().enumerate() {
            for (cell, sum) in work {
                evidence.sizes.entry(cell.meter.clone()).or_default()[at] += sum.count;
                for (way, started) in StartedBy::ALL.into_iter().zip(sum.started_by) {
                    if started > 0 {
                        evidence.started_by.entry(way).or_default()[at] += started;
                    }
                }
            }
        }
    }
    evidence
}

/// The days on which a cause fell, if they are a part of the month.
fn days_of(
    months: Months,
    family: &Family<'_>,
    works: &[WorkDone; 2],
    cause: &Cause,
) -> Option<(NaiveDate, NaiveDate)> {
    let (before, after, until) = months;
    let quantities = [0, 1].map(|at| {
        let mut days: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
        for (_, piece) in &family.pieces[at] {
            for (day, quantity) in &piece.days {
                *days.entry(*day).or_default() += *quantity;
            }
        }
        days
    });
    let by_day = |at: usize, of: &dyn Fn(&Cell, &Sum) -> Decimal| {
        let mut days: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
        for (cell, sum) in &works[at] {
            *days.entry(cell.day).or_default() += of(cell, sum);
        }
        days
    };
    // Days that are still to come are no days with less.
    let is_open = until < after.last_day();
    let mut excess = match cause {
        Cause::Quantity | Cause::Count | Cause::Failures if is_open => return None,
        Cause::New => return Some((*quantities[1].keys().next()?, until)),
        Cause::Gone => {
            let last = *quantities[0].keys().next_back()?;
            return Some((last, last));
        }
        Cause::Quantity => {
            more_than_before((&quantities[0], before), (&quantities[1], after), until)
        }
        Cause::Count => {
            let counts = [0, 1].map(|at| by_day(at, &|_, sum| Decimal::from(sum.count)));
            more_than_before((&counts[0], before), (&counts[1], after), until)
        }
        Cause::Failures => {
            let failed =
                |cell: &Cell, sum: &Sum| Decimal::from(if cell.failed { sum.count } else { 0 });
            let failed = [0, 1].map(|at| by_day(at, &failed));
            more_than_before((&failed[0], before), (&failed[1], after), until)
        }
        Cause::Duration => {
            let total = |of: fn(&Sum) -> Decimal| works[0].values().map(of).sum::<Decimal>();
            let count = total(|sum| Decimal::from(sum.count));
            let mean = total(|sum| Decimal::from(sum.milliseconds)).checked_div(count)?;
            by_day(1, &|_, sum| {
                Decimal::from(sum.milliseconds) - mean * Decimal::from(sum.count)
            })
        }
        Cause::SizeMix => {
            let known: BTreeSet<&Meter> = works[0].keys().map(|cell| &cell.meter).collect();
            let is_new = |cell: &Cell| !known.contains(&cell.meter);
            let days = works[1]
                .keys()
                .filter(|cell| is_new(cell))
                .map(|cell| cell.day);
            return Some((days.min()?, until));
        }
        _ => return None,
    };
    excess.entry(until).or_default();
    let all: Decimal = excess.values().sum();
    if all < Decimal::ZERO {
        for value in excess.values_mut() {
            *value = -*value;
        }
    }
    stretch(&excess, after)
}

impl Evidence {
    /// Returns how long each took on average, in seconds.
    pub fn mean_seconds(&self) -> Option<[Decimal; 2]> {
        let (counts, milliseconds) = (self.count?, self.milliseconds?);
        let mean = |at: usize| {
            let seconds = Decimal::new(milliseconds[at], 3);
            let mean = seconds.checked_div(Decimal::from(counts[at]))?;
            Some(mean.round_dp(3).normalize())
        };
        Some([mean(0)?, mean(1)?])
    }

    pub(super) fn join(&mut self, other: Self) {
        fn add<T: Copy + std::ops::AddAssign>(sum: &mut Option<[T; 2]>, more: Option<[T; 2]>) {
            match (sum, more) {
                (Some(sum), Some(more)) => {
                    sum[0] += more[0];
                    sum[1] += more[1];
                }
                (sum @ None, more) => *sum = more,
                _ => {}
            }
        }
        add(&mut self.count, other.count);
        add(&mut self.failed, other.failed);
        add(&mut self.milliseconds, other.milliseconds);
        let same_unit = match (&self.quantity, &other.quantity) {
            (Some(a), Some(b)) => a[0].unit == b[0].unit,
            _ => false,
        };
        match (&mut self.quantity, other.quantity) {
            (Some(sum), Some(more)) if same_unit => {
                sum[0].value += more[0].value;
                sum[1].value += more[1].value;
            }
            (quantity, _) => *quantity = None,
        }
        for (meter, more) in other.sizes {
            let sum = self.sizes.entry(meter).or_default();
            sum[0] += more[0];
            sum[1] += more[1];
        }
        for (way, more) in other.started_by {
            let sum = self.started_by.entry(way).or_default();
            sum[0] += more[0];
            sum[1] += more[1];
        }
        // Prices and days are those of one thing.
        self.price = self.price.filter(|price| Some(*price) == other.price);
        self.days = self.days.filter(|days| Some(*days) == other.days);
        self.subjects += other.subjects;
    }
}
