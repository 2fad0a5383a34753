//! What can be asked, whoever asks: the command line, a page, a test.
//!
//! Each use case gathers usage and prices, has the domain rate them and returns values. Nothing here
//! prints, and nothing here knows a price.

mod alternatives;
#[cfg(feature = "aws")]
mod aws;
mod baseline;
mod bill;
mod break_even;
mod check;
mod ci_jobs;
#[cfg(feature = "aws")]
mod collect;
mod discounts;
mod error;
mod estimate;
mod exchange;
#[cfg(feature = "aws")]
mod expected;
mod field;
mod finality;
mod forecast;
mod import;
#[cfg(feature = "aws")]
mod import_remote;
mod infra;
mod metered;
mod optimize;
mod overview;
mod prices;
mod quantities;
mod report;
mod scenarios;
mod sweep;
mod terms;
mod tornado;
mod usage;
mod whatif;
mod why;

use std::{io::Cursor, path::PathBuf};

use chrono::NaiveDate;

use self::prices::price_store;
use crate::{
    domain::{
        allocation::Policy,
        catalog::Catalog,
        ids::Currency,
        period::Month,
        plan::PricingTerms,
        price_book::{BilledPrices, PriceBook},
        rating::RatingOptions,
        usage::{Gap, UsageRecord},
    },
    exports::{self, ImportOptions, Unwatched},
    ledger::Ledger,
    pricing::{self, store},
    sample,
};

pub use alternatives::{AlternativesRequest, Compared};
#[cfg(feature = "aws")]
pub use aws::{PricesFrom, UpdatePricesRequest};
pub use baseline::{Baseline, BaselineRequest, MonthUsage, Months};
pub use bill::{BillAnswer, BillRequest, ReconcileRequest, Reconciliation};
pub use break_even::BreakEvenRequest;
pub use check::{Allowed, CheckAgainst, CheckRequest, Checked};
#[cfg(feature = "aws")]
pub use collect::{Asked, CollectRequest, Diagnosis, DoctorRequest, LoginRequest, PolicyRequest};
pub use error::AppError;
pub use estimate::{Estimate, EstimateRequest};
pub use exchange::ExchangeRequest;
#[cfg(feature = "aws")]
pub use expected::AwsForecastRequest;
pub use field::Field;
pub use forecast::ForecastRequest;
pub use import::{ImportRequest, Imported};
#[cfg(feature = "aws")]
pub use import_remote::{RemoteImport, RemoteImportRequest};
pub use infra::{InfraCosts, InfraRequest, PricedResource, Side};
pub use optimize::{OptimizeRequest, Savings};
pub use prices::PricesRequest;
pub use quantities::UnknownServices;
pub use report::{Needed, Needs, ReportRequest, Reported};
pub use scenarios::Scenarios;
pub use sweep::{PerScenario, SweepRequest};
pub use terms::Terms;
pub use tornado::TornadoRequest;
pub use usage::{UsageAnswer, UsageRequest};
pub use whatif::{Answer, WhatIf, WhatIfRequest};
pub use why::{WhyAgainst, WhyRequest};

/// Where recorded usage is.
#[derive(Clone, Debug)]
pub enum DataSource {
    /// The ledger in a file.
    File(PathBuf),
    /// The embedded sample organization.
    Sample,
}

/// How a bill is asked for.
#[derive(Clone, Debug, Default)]
pub struct RatingTerms {
    /// Prices, free tier and discounts.
    pub terms: PricingTerms,
    /// How free units are shared.
    pub sharing: Policy,
    /// Which currency, where the ledger has several.
    pub currency: Option<Currency>,
    /// It is about single days.
    pub by_day: bool,
}

/// The program: a catalogue, a day and a set of books.
#[derive(Debug)]
pub struct App {
    /// Prices and rules.
    pub catalog: Catalog,
    /// The day that counts as today.
    pub today: NaiveDate,
    /// Recorded usage.
    pub source: DataSource,
    /// What the user calls a field: a price, or a change that is not understood, says where it is from.
    pub labels: fn(Field) -> String,
}

impl App {
    /// Opens the embedded catalogue. `today` is asked for once, here.
    pub fn new(today: NaiveDate, books: DataSource) -> Result<Self, AppError> {
        let today = match books {
            DataSource::Sample => sample::today(),
            DataSource::File(_) => today,
        };
        let mut catalog = pricing::embedded()?;
        if let DataSource::File(ledger) = &books {
            catalog.price_list = store::load(&price_store(ledger), &catalog)?;
        }
        Ok(Self {
            catalog,
            today,
            source: books,
            labels: |field| format!("{field:?}"),
        })
    }

    /// Returns what the user calls a field.
    fn label(&self, field: Field) -> String {
        (self.labels)(field)
    }

    /// Opens the books for reading.
    pub fn ledger(&self) -> Result<Ledger, AppError> {
        match &self.source {
            DataSource::File(path) => Ok(Ledger::open_existing(path)?),
            DataSource::Sample => {
                let mut csv = Vec::new();
                sample::write_cur(&mut csv).expect("writing to memory cannot fail");
                let options = ImportOptions::default();
                let name = "sample organization";
                let delivery = exports::import_reader(
                    name,
                    Cursor::new(csv),
                    &self.catalog,
                    &options,
                    &Unwatched,
                )?;
                let mut ledger = Ledger::in_memory()?;
                ledger.replace(&delivery.slices)?;
                Ok(ledger)
            }
        }
    }

    /// Returns the month asked for, else the last one the ledger has.
    pub fn month(&self, ledger: &Ledger, asked: Option<Month>) -> Result<Month, AppError> {
        let known = ledger.months()?;
        match asked {
            Some(month) if known.contains(&month) => Ok(month),
            Some(month) => Err(AppError::NoUsage { month, known }),
            None => known.last().copied().ok_or(AppError::EmptyLedger),
        }
    }

    /// Returns what of a month is missing in the ledger.
    pub fn gaps(&self, ledger: &Ledger, month: Month) -> Result<Vec<Gap>, AppError> {
        let (records, _) = self.records(ledger, month)?;
        let finality = self.finality(ledger, month, &records)?;
        finality::gaps(ledger, month, self.today, &finality)
    }

    fn price_book(&self, terms: &PricingTerms, observed: BilledPrices) -> PriceBook<'_> {
        PriceBook {
            stated: terms.prices.clone(),
            observed,
            catalog: &self.catalog,
            like: terms.price_like.clone(),
        }
    }
}

/// Settles on one currency and drops the charges in others, if the user chose it.
fn choose_currency(
    month: Month,
    records: &mut Vec<UsageRecord>,
    request: &RatingTerms,
) -> Result<Currency, AppError> {
    let currencies = currencies(records);
    match (&request.currency, &currencies[..]) {
        (Some(asked), there) if !there.is_empty() && !there.contains(asked) => {
            Err(AppError::NoSuchCurrency {
                month,
                asked: asked.clone(),
                currencies,
            })
        }
        (Some(asked), _) => {
            records.retain(|record| record.currency == *asked);
            Ok(asked.clone())
        }
        (None, []) => Ok(Currency::new("USD")),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(AppError::SeveralCurrencies { month, currencies }),
    }
}

fn rating_options(
    month: Month,
    currency: Currency,
    terms: &PricingTerms,
    sharing: Policy,
) -> RatingOptions {
    RatingOptions {
        currency,
        free_tier: terms.free_tier,
        used: terms.used.clone(),
        discounts: terms.discounts.clone(),
        recurring: terms.recurring.clone(),
        sharing,
        plans: terms.plans.clone(),
        ..RatingOptions::new(month)
    }
}

fn currencies(records: &[UsageRecord]) -> Vec<Currency> {
    let mut currencies: Vec<Currency> = Vec::new();
    for record in records {
        if !currencies.contains(&record.currency) {
            currencies.push(record.currency.clone());
        }
    }
    currencies.sort();
    currencies
}
