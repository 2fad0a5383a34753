//! A month among its neighbours: what a page about it shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{App, AppError, RatingTerms, quantities::unknown_services, rating_options};
use crate::{
    domain::{
        allocation::{Dimension, Policy},
        bill::Bill,
        discounts::{Charges, Discounts},
        overview::{Overview, Sensitivities, build_minutes, largest, reconciled, sensitivities},
        price_book::BilledPrices,
        rating::{RatedMonth, rate},
        reconcile::reconcile,
        why::By,
    },
    ledger::Ledger,
};

/// A year and the month it is compared with.
const MONTHS: usize = 13;
/// How far each meter is moved, in percent.
const MOVED: Decimal = Decimal::from_parts(20, 0, 0, false, 0);
/// The parts that are named.
const PARTS: usize = 15;

impl App {
    /// Gathers what surrounds the reported months: the months before them, what changed, what moves
    /// them, day by day and part by part.
    pub fn overview(
        &self,
        ledger: &Ledger,
        reported: &[RatedMonth],
        request: &RatingTerms,
    ) -> Result<Overview, AppError> {
        let last = reported.last().ok_or(AppError::EmptyLedger)?;
        let month = last.rated.bill.month;
        let request = &RatingTerms {
            currency: Some(last.rated.bill.currency.clone()),
            ..request.clone()
        };
        let mut overview = Overview {
            months: Vec::new(),
            change: None,
            sensitivity: None,
            build_minutes: BTreeMap::new(),
            parts: largest(
                &self
                    .allocate(last, &Dimension::Resource, request.sharing)
                    .shares,
                PARTS,
            ),
            reconciled: reconciled(&last.rated.bill, &reconcile(&last.rated, &last.records)),
            before: None,
            discounts: Discounts::default(),
            unknown_services: BTreeSet::new(),
        };
        let mut charges = Charges::default();
        let known = ledger.months()?;
        let mut at = match reported {
            [first, _, ..] => first.rated.bill.month,
            _ => (1..MONTHS).fold(month, |month, _| month.previous()),
        };
        at = at.max(*known.first().unwrap_or(&month)).min(month);
        let mut over: Vec<RatedMonth> = Vec::new();
        while at <= month {
            let rated = match reported.iter().find(|rated| rated.rated.bill.month == at) {
                Some(rated) => Some(rated.clone()),
                None if known.contains(&at) => Some(self.rate_month(ledger, at, request)?),
                None => None,
            };
            if let Some(rated) = &rated {
                charges.extend(&Charges::of(&rated.records));
                if unknown_services(ledger, at)?.is_some() {
                    overview.unknown_services.insert(at);
                }
                let days = self.known_minutes(ledger, rated)?;
                overview.build_minutes.extend(days);
            }
            let bill = rated.as_ref().map(|rated| rated.rated.bill.clone());
            overview.months.push((at, bill));
            if at.end() <= self.today {
                over.extend(rated);
            }
            if over.len() > 2 {
                over.remove(0);
            }
            at = at.next();
        }
        if let Some(rated) = over.last() {
            let until = rated.rated.bill.month;
            let (discounts, request) = Self::carry_discounts(&charges, until, request);
            overview.discounts = discounts;
            overview.sensitivity = Some(self.sensitivity(rated, &request)?);
        }
        let whole: Vec<&Bill> = overview
            .months
            .iter()
            .filter_map(|(_, bill)| bill.as_ref())
            .filter(|bill| bill.month.end() <= self.today)
            .collect();
        if let [before, after] = &over[..]
            && before.rated.bill.month.next() == after.rated.bill.month
        {
            let before = std::slice::from_ref(before);
            let change = self.explain_rated(ledger, before, after, &By::Each, request)?;
            overview.change = Some(change);
        }
        overview.before = whole
            .iter()
            .rfind(|bill| bill.month < month)
            .map(|bill| (bill.month, overview.discounts.net_usage(bill)));
        Ok(overview)
    }

    /// Build minutes of each day that a source speaks for, zeros included.
    fn known_minutes(
        &self,
        ledger: &Ledger,
        rated: &RatedMonth,
    ) -> Result<BTreeMap<NaiveDate, Decimal>, AppError> {
        let month = rated.rated.bill.month;
        // Totals of a month say nothing about its days.
        if rated
            .records
            .iter()
            .all(|record| record.day == month.first_day())
            || rated
                .records
                .iter()
                .any(|record| record.day < record.last_day)
        {
            return Ok(BTreeMap::new());
        }
        let minutes = build_minutes(&rated.records);
        let sources = ledger.sources(month)?;
        let end = self.today.pred_opt().unwrap_or(self.today);
        let last = rated.records.iter().map(|record| record.day).max();
        let open = month.contains(self.today);
        let spoken_for = |day: NaiveDate| {
            sources.iter().filter(|source| source.used).any(|source| {
                let mut stretches = source.stretches.iter();
                stretches.any(|it| (it.first..=it.last).contains(&day))
            })
        };
        Ok(month
            .days()
            .filter(|day| *day <= end && (!open || Some(*day) <= last) && spoken_for(*day))
            .map(|day| (day, minutes.get(&day).copied().unwrap_or_default()))
            .collect())
    }

    fn sensitivity(
        &self,
        rated: &RatedMonth,
        request: &RatingTerms,
    ) -> Result<Sensitivities, AppError> {
        let bill = &rated.rated.bill;
        let book = self.price_book(&request.terms, BilledPrices::collect(&rated.records));
        // As billed, free units would stay where the bill has them, whatever is moved.
        let sharing = match request.sharing {
            Policy::AsBilled => Policy::Proportional,
            other => other,
        };
        let options = rating_options(bill.month, bill.currency.clone(), &request.terms, sharing);
        let meters = sensitivities(&rated.records, MOVED, |records| {
            rate(records, &book, &options).map(|rated| rated.bill.total())
        })?;
        Ok(Sensitivities {
            month: bill.month,
            baseline: bill.total(),
            percent: MOVED,
            meters,
        })
    }
}
