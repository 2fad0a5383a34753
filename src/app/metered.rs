//! Usage metered from what AWS's APIs say happened, beside what was billed.

use std::collections::BTreeSet;

use super::{App, AppError, RatingTerms, choose_currency, rating_options};
use crate::{
    domain::{
        collection::{Covered, Scope, Source},
        ids::{AccountId, Region},
        metering::from_events::{AccountRegion, Metered, Metering, MeteringOptions, Pipeline},
        period::Month,
        price_book::BilledPrices,
        rating::{RatedMonth, rate},
        remark::Remark,
    },
    ledger::Ledger,
};

impl App {
    /// Returns the months that were collected from AWS's APIs, in order.
    pub fn metered_months(&self, ledger: &Ledger) -> Result<Vec<Month>, AppError> {
        let covered = ledger.covered()?;
        let metered = || {
            covered
                .iter()
                .filter(|covered| covered.scope.source.is_metered())
        };
        let Some(first) = metered().map(|covered| Month::of(covered.first)).min() else {
            return Ok(Vec::new());
        };
        let last = Month::of(self.today);
        let months = std::iter::successors(Some(first), |month| Some(month.next()));
        Ok(months.take_while(|month| *month <= last).collect())
    }

    /// Returns the month asked for, else the last one that was collected.
    pub(super) fn metered_month(
        &self,
        ledger: &Ledger,
        asked: Option<Month>,
    ) -> Result<Month, AppError> {
        let known = self.metered_months(ledger)?;
        match asked {
            Some(month) if known.contains(&month) => Ok(month),
            Some(month) => Err(AppError::NoUsage { month, known }),
            None => known.last().copied().ok_or(AppError::NothingCollected),
        }
    }

    /// Meters a month from what AWS's APIs say happened in it. It is never added to what a bill
    /// says: it stands beside it.
    pub fn metered(
        &self,
        ledger: &Ledger,
        month: Month,
        options: MeteringOptions,
    ) -> Result<Metered, AppError> {
        let mut metering = Metering::new(&self.catalog, month, options);
        ledger.each_build(month, |place, _, build| metering.build(place, build))?;
        ledger.each_sandbox(month, |place, sandbox| metering.sandbox(place, sandbox))?;
        ledger.each_action(month, |place, action| metering.action(place, action))?;
        ledger.each_target(month, |place, target| metering.target(place, target))?;
        let mut by_action: BTreeSet<AccountRegion> = BTreeSet::new();
        ledger.each_pipeline(month, |place, pipeline: &Pipeline, before, runs| {
            if pipeline.kind != "V1" && !runs.is_empty() {
                by_action.insert(place.clone());
            }
            metering.pipeline(place, pipeline, before, runs);
        })?;
        let now = self.today.and_hms_opt(0, 0, 0).expect("midnight exists");
        for (place, seen) in ledger.fleets()? {
            metering.fleet(&place, &seen, now.and_utc());
        }
        ledger.each_identity(month, |account: &AccountId, identity| {
            metering.identity(account, identity);
        })?;
        self.name_what_is_missing(ledger, month, &by_action, &mut metering)?;
        Ok(metering.finish())
    }

    /// What was denied, failed, or never asked for is missing from a month, not absent from it.
    fn name_what_is_missing(
        &self,
        ledger: &Ledger,
        month: Month,
        by_action: &BTreeSet<AccountRegion>,
        metering: &mut Metering<'_>,
    ) -> Result<(), AppError> {
        let yesterday = self.today.pred_opt().unwrap_or(self.today);
        let last_day = month.last_day().min(yesterday);
        let covered = ledger.covered()?;
        let missing = ledger.missing()?;
        for gap in &missing {
            if gap.scope.source.is_metered() {
                metering.missing(gap.what(), gap.reason.clone());
            }
        }
        let places: BTreeSet<&AccountRegion> = covered
            .iter()
            .map(|covered| &covered.scope.place)
            .chain(missing.iter().map(|gap| &gap.scope.place))
            .filter(|place| place.region != Region::global())
            .collect();
        for place in places {
            for source in [
                Source::Builds,
                Source::Sandboxes,
                Source::Fleets,
                Source::Pipelines,
                Source::Actions,
                Source::Deployments,
                Source::Identities,
            ] {
                let scope = Scope {
                    place: place.clone(),
                    source,
                };
                // A place without V2 runs has no actions to ask for.
                let is_needed = source != Source::Actions || by_action.contains(place);
                if !is_needed || missing.iter().any(|gap| gap.scope == scope) {
                    continue;
                }
                let known = covered.iter().find(|covered| covered.scope == scope);
                let reason = match known {
                    None => "not collected".to_owned(),
                    // Fleets are looked at, not read back: each has gaps of its own.
                    Some(_) if source == Source::Fleets => continue,
                    Some(Covered { first, last, .. }) => {
                        if *first <= month.first_day() && last_day <= *last {
                            continue;
                        }
                        format!("collected for {first} to {last} only")
                    }
                };
                metering.missing(scope.to_string(), reason);
            }
        }
        Ok(())
    }

    /// Rates metered usage of a month, in place of what a bill says.
    pub fn metered_bill(
        &self,
        ledger: &Ledger,
        month: Month,
        request: &RatingTerms,
        options: MeteringOptions,
    ) -> Result<RatedMonth, AppError> {
        let metered = self.metered(ledger, month, options)?;
        let mut records = metered.records;
        let currency = choose_currency(month, &mut records, request)?;
        let book = self.price_book(&request.terms, BilledPrices::default());
        let options = rating_options(month, currency, &request.terms, request.sharing);
        let mut rated = rate(&records, &book, &options)?;
        let bill = &mut rated.bill;
        bill.gaps = metered.gaps;
        bill.notes.push(Remark::Metered);
        bill.notes.extend(metered.notes);
        Ok(RatedMonth { rated, records })
    }
}
