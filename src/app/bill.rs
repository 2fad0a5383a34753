//! A month of the ledger, rated; and beside what AWS charged.

use std::collections::{BTreeMap, BTreeSet};

use super::{App, AppError, RatingTerms, Terms, choose_currency, finality, rating_options};
use crate::{
    domain::{
        allocation::{Allocation, Dimension, Policy, allocate},
        bill::OtherServicesTotal,
        ci_jobs::{JobCosts, MonthJobs},
        costs::NOT_STATED,
        finality::Finality,
        ids::Currency,
        metering::from_events::{Metered, MeteringOptions},
        money::Money,
        period::Month,
        price_book::BilledPrices,
        rating::{RatedMonth, rate},
        reconcile::{LineReconciliation, reconcile},
        remark::Remark,
        spread::{is_spread, spread},
    },
    ledger::Ledger,
};

/// Which month to rate, and how.
#[derive(Clone, Debug, Default)]
pub struct BillRequest {
    /// Which; else the last one.
    pub month: Option<Month>,
    /// Rates what AWS's APIs say happened, by these rules, in place of what was billed.
    pub metered: Option<MeteringOptions>,
    /// Shares the bill.
    pub by: Option<Dimension>,
    /// Which currency, where the ledger has several.
    pub currency: Option<String>,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

/// A rated month.
#[derive(Clone, Debug)]
pub struct BillAnswer {
    /// The month.
    pub rated: RatedMonth,
    /// Its shares, where they are asked for.
    pub allocation: Option<Allocation>,
    /// What is known of the CI jobs it is shared by.
    pub jobs: Option<MonthJobs>,
}

/// Which month to put beside what AWS charged.
#[derive(Clone, Debug, Default)]
pub struct ReconcileRequest {
    /// Which; else the last one.
    pub month: Option<Month>,
    /// How to meter what AWS's APIs say happened.
    pub metering: MeteringOptions,
    /// Which currency, where the ledger has several.
    pub currency: Option<String>,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

/// A rated month beside what AWS charged.
#[derive(Clone, Debug)]
pub struct Reconciliation {
    /// The month.
    pub rated: RatedMonth,
    /// Its lines beside those of the bill.
    pub lines: Vec<LineReconciliation>,
    /// What AWS's APIs say happened, where they were asked.
    pub metered: Option<Metered>,
}

impl App {
    /// Rates a month.
    pub fn bill(&self, request: &BillRequest) -> Result<BillAnswer, AppError> {
        let mut ledger = self.ledger()?;
        let rating = RatingTerms {
            by_day: request.by == Some(Dimension::Day),
            ..self.rating_terms(&request.terms, request.currency.as_deref())?
        };
        let rated = if let Some(options) = request.metered {
            let month = self.metered_month(&ledger, request.month)?;
            self.metered_bill(&ledger, month, &rating, options)?
        } else {
            let month = self.month(&ledger, request.month)?;
            self.rate_month(&ledger, month, &rating)?
        };
        let by = request.by.as_ref();
        if by.is_some_and(Dimension::is_of_jobs) {
            self.add_sample_facts(&mut ledger, rated.rated.bill.month.previous())?;
        }
        let queued_time = request.metered.map(|options| options.queued_time);
        let split = self.month_by_jobs(&ledger, &rated, by, queued_time)?;
        let shared = split.as_ref().map_or(&rated, |(by_jobs, _)| by_jobs);
        let allocation = by.map(|by| self.allocate(shared, by, rating.sharing));
        let jobs = split.map(|(by_jobs, shares)| MonthJobs {
            runs: by.map(|by| shares.runs(by)).unwrap_or_default(),
            summary: shares.summary,
            costs: Some(JobCosts::of(&by_jobs, rating.sharing)),
            is_billed: request.metered.is_none(),
        });
        Ok(BillAnswer {
            rated,
            allocation,
            jobs,
        })
    }

    /// Puts a month beside what AWS charged, and beside what AWS's APIs say happened.
    pub fn reconcile(&self, request: &ReconcileRequest) -> Result<Reconciliation, AppError> {
        let ledger = self.ledger()?;
        let month = self.month(&ledger, request.month)?;
        let rating = self.rating_terms(&request.terms, request.currency.as_deref())?;
        let rated = self.rate_month(&ledger, month, &rating)?;
        let has_facts = ledger.has_facts()?;
        let metered = has_facts.then(|| self.metered(&ledger, month, request.metering));
        Ok(Reconciliation {
            lines: reconcile(&rated.rated, &rated.records),
            metered: metered.transpose()?,
            rated,
        })
    }

    /// Rates a month of the ledger.
    pub fn rate_month(
        &self,
        ledger: &Ledger,
        month: Month,
        request: &RatingTerms,
    ) -> Result<RatedMonth, AppError> {
        let (mut records, to_come) = self.records(ledger, month)?;
        let finality = Finality {
            to_come,
            ..self.finality(ledger, month, &records)?
        };
        let currency = choose_currency(month, &mut records, request)?;
        let is_spread = request.by_day && records.iter().any(is_spread);
        if is_spread {
            records = spread(records);
        }
        let observed = BilledPrices::collect(&records);
        let book = self.price_book(&request.terms, observed);
        let options = rating_options(month, currency, &request.terms, request.sharing);
        let mut rated = rate(&records, &book, &options)?;
        rated.bill.gaps = finality::gaps(ledger, month, self.today, &finality)?;
        rated.bill.finality = finality;
        rated.bill.outside = outside(ledger, month)?;
        if is_spread {
            rated.bill.notes.push(Remark::DaysSpread);
        }
        rated.bill.notes.extend(month_notes(ledger, month)?);
        Ok(RatedMonth { rated, records })
    }

    /// Shares a rated month.
    pub fn allocate(&self, rated: &RatedMonth, by: &Dimension, policy: Policy) -> Allocation {
        allocate(&rated.rated, &rated.records, by, policy)
    }
}

/// Returns what of a month is not rated: sources that tell the same money again, what was not collected.
fn month_notes(ledger: &Ledger, month: Month) -> Result<Vec<Remark>, AppError> {
    let mut notes = Vec::new();
    let sources = ledger.sources(month)?;
    for source in sources.iter().filter(|source| !source.used) {
        notes.push(Remark::DuplicateSource {
            source: source.kind.to_string(),
        });
    }
    for missing in ledger.missing()? {
        if missing.scope.source.is_metered() {
            notes.push(Remark::NotCollected {
                what: missing.what(),
                reason: missing.reason,
            });
        }
    }
    Ok(notes)
}

/// Adds up what the month's exports charge for other services.
fn outside(ledger: &Ledger, month: Month) -> Result<Vec<OtherServicesTotal>, AppError> {
    let rows = ledger.outside(month)?;
    let mut totals: BTreeMap<&Currency, (BTreeSet<&str>, Money)> = BTreeMap::new();
    // What is of services that nobody knows is a gap: it may be of ours.
    for row in rows.iter().filter(|row| row.service != NOT_STATED) {
        let total = totals.entry(&row.currency).or_default();
        total.0.insert(&row.service);
        total.1 += row.cost;
    }
    let total =
        |(currency, (services, cost)): (&Currency, (BTreeSet<&str>, Money))| OtherServicesTotal {
            currency: currency.clone(),
            services: services.len(),
            cost,
        };
    Ok(totals.into_iter().map(total).collect())
}
