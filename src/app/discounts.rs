//! Discounts that recur, carried into what is to come and into what could be different.

use super::{App, RatingTerms};
use crate::{
    domain::{
        discounts::{Charges, Discounts},
        money::Money,
        period::Month,
        usage::{ChargeKind, UsageRecord},
    },
    forecast::MonthForecast,
};

impl App {
    /// Learns what recurs from the last whole months, or from the only one there is, and returns a request
    /// that takes it off. What the user states stands in its place.
    pub(super) fn carry_discounts(
        charges: &Charges,
        until: Month,
        request: &RatingTerms,
    ) -> (Discounts, RatingTerms) {
        let learnt = charges.learn(until).beside(&request.terms.discounts);
        let mut request = request.clone();
        request.terms.recurring = learnt.rated().collect();
        (learnt, request)
    }

    /// Returns the last month that is over, else the last one.
    pub(super) fn last_over(&self, months: impl Iterator<Item = Month>) -> Option<Month> {
        let months: Vec<Month> = months.collect();
        let over = months.iter().filter(|month| month.end() <= self.today);
        over.max().or(months.iter().max()).copied()
    }
}

/// Puts the discounts that the month to date was given in place of those it would be given: only then the
/// rest of the month and its bill to date are its end.
pub(super) fn as_given(month: &mut MonthForecast, records: &[UsageRecord], discounts: &Discounts) {
    for recurring in &discounts.recurring {
        let expected = month.known_discounts.get(&recurring.service);
        let given: Money = records
            .iter()
            .filter(|record| record.month == month.month && record.kind == ChargeKind::Discount)
            .filter(|record| record.key.meter.service == recurring.service)
            .filter_map(|record| Some(record.billed.as_ref()?.cost))
            .sum();
        month.known += expected.copied().unwrap_or_default() + given;
    }
}

/// Returns what a month has of charges that are neither usage nor a discount that recurs.
pub(super) fn others(records: &[UsageRecord], month: Month, discounts: &Discounts) -> Money {
    let is_carried = |record: &UsageRecord| {
        let mut carried = discounts.recurring.iter();
        record.kind == ChargeKind::Discount
            && carried.any(|of| of.service == record.key.meter.service)
    };
    records
        .iter()
        .filter(|record| record.month == month && record.kind != ChargeKind::Usage)
        .filter(|record| !is_carried(record))
        .filter_map(|record| Some(record.billed.as_ref()?.cost))
        .sum()
}
