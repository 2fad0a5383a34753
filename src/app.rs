//! What can be asked, whoever asks: the command line, a page, a test.
//!
//! Each use case gathers usage and prices, has the domain rate them and returns values. Nothing here
//! prints, and nothing here knows a price.

#[cfg(feature = "aws")]
mod aws;
mod baseline;
mod break_even;
mod check;
mod discounts;
mod error;
#[cfg(feature = "aws")]
mod expected;
mod field;
mod finality;
mod forecast;
mod metered;
mod optimize;
mod overview;
mod quantities;
mod scenario_summary;
mod scenarios;
mod sweep;
mod terms;
mod tornado;
mod whatif;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::{
    atomic_file,
    domain::{
        allocation::{Allocation, Dimension, Policy, allocate},
        bill::{Bill, OtherServicesTotal, old_prices},
        catalog::{Catalog, Tariffs},
        collection::Source,
        costs::NOT_STATED,
        export::BadRow,
        finality::Finality,
        ids::Currency,
        import::{Delivery, Replaced},
        money::Money,
        period::Month,
        plan::{Plan, PricingTerms},
        price_book::{BilledPrices, PriceBook},
        rating::{RatedMonth, RatingOptions, rate},
        reconcile::{LineReconciliation, reconcile},
        remark::Remark,
        spread::{is_spread, spread},
        usage::{Gap, UsageRecord},
        usage_summary::{UsageSum, summarize},
    },
    exports::{self, ImportOptions, Unwatched, Watch},
    ledger::Ledger,
    pricing::{
        self,
        change::{Asked, bring},
        price_list::{self, PriceList, PriceListError},
        store,
    },
    sample,
};

#[cfg(feature = "aws")]
pub use aws::PricesFrom;
pub use baseline::{Baseline, BaselineRequest, MonthUsage, Months};
pub use break_even::BreakEvenRequest;
pub use check::{Against, Allowed, CheckRequest, Checked};
pub use error::AppError;
pub use field::Field;
pub use quantities::UnknownServices;
pub use scenarios::Scenarios;
pub use sweep::{PerScenario, SweepRequest};
pub use terms::Terms;
pub use tornado::TornadoRequest;
pub use whatif::{Answer, WhatIf, WhatIfRequest};

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
pub struct BillRequest {
    /// Prices, free tier and discounts.
    pub terms: PricingTerms,
    /// How free units are shared.
    pub sharing: Policy,
    /// Which currency, where the ledger has several.
    pub currency: Option<Currency>,
    /// It is about single days.
    pub by_day: bool,
}

/// What an import brought.
#[derive(Debug)]
pub struct Imported {
    /// What was read.
    pub delivery: Delivery,
    /// What it replaced.
    pub replaced: Vec<Replaced>,
    /// Where the rows are that could not be read.
    pub quarantine: Option<PathBuf>,
}

/// Returns what tells of the mark of a delivery whether the ledger holds it.
fn is_known(ledger: Option<&Ledger>) -> impl Fn(&str) -> bool + '_ {
    move |mark| ledger.is_some_and(|ledger| ledger.holds_delivery(mark).unwrap_or_default())
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

    /// Brings AWS price lists in. Returns each list, and what contradicts itself in them.
    pub fn import_prices(
        &self,
        files: &[PathBuf],
    ) -> Result<(Vec<PriceList>, Vec<String>), AppError> {
        let mut lists = Vec::new();
        for path in files {
            let file = path.display().to_string();
            let content =
                std::fs::read_to_string(path).map_err(|source| PriceListError::Unreadable {
                    file: file.clone(),
                    source,
                })?;
            lists.push(price_list::read(&file, &content, &self.catalog)?);
        }
        let brought = bring(&self.catalog, lists, &Asked::default(), self.today);
        self.keep_prices(&brought.kept)?;
        Ok((brought.lists, brought.contradictions))
    }

    /// Keeps price lists beside the ledger.
    fn keep_prices(&self, prices: &Tariffs) -> Result<(), AppError> {
        if let DataSource::File(ledger) = &self.source {
            store::save(&price_store(ledger), prices)?;
        }
        Ok(())
    }

    /// Prices stated usage.
    pub fn estimate(
        &self,
        plan: &Plan,
        terms: &PricingTerms,
        sharing: Policy,
        security_baseline: bool,
    ) -> Result<Bill, AppError> {
        let mut records = plan.records(&self.catalog);
        let mut notes = plan.assumptions();
        if security_baseline {
            let (baseline, counted) = plan.security_baseline(&self.catalog);
            records.extend(baseline);
            notes.push(counted);
        }
        let currency = match currencies(&records)[..] {
            [] => self.catalog.currency(&plan.region),
            [ref only] => only.clone(),
            ref several => {
                let currencies = several.to_vec();
                return Err(AppError::SeveralCurrencies {
                    month: plan.month,
                    currencies,
                });
            }
        };
        let book = self.price_book(terms, BilledPrices::default());
        let options = rating_options(plan.month, currency, terms, sharing);
        let mut bill = rate(&records, &book, &options)?.bill;
        bill.notes.extend(notes);
        bill.notes
            .extend(old_prices(bill.oldest_price(), self.today));
        Ok(bill)
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

    /// Imports billing exports into the ledger: all of them or none.
    pub fn import(
        &self,
        files: &[PathBuf],
        options: &ImportOptions,
        watch: &dyn Watch,
    ) -> Result<Imported, AppError> {
        let known = self.known()?;
        let delivery = {
            let is_known = is_known(known.as_ref());
            exports::import_local(files, &is_known, &self.catalog, options, watch)?
        };
        drop(known);
        self.keep(delivery)
    }

    /// Opens the ledger that is there. What was imported before decides what is read; one that is not
    /// there is made only once all is read.
    fn known(&self) -> Result<Option<Ledger>, AppError> {
        Ok(match &self.source {
            DataSource::File(path) if path.exists() => Some(Ledger::open_existing(path)?),
            _ => None,
        })
    }

    /// Reads what a folder of exports brings that the ledger does not hold.
    #[cfg(feature = "aws")]
    pub(crate) fn read_store(
        &self,
        store: &dyn exports::Store,
        known: Option<&Ledger>,
        finished: Option<&dyn exports::CheckpointStore>,
        options: &ImportOptions,
        watch: &dyn Watch,
    ) -> Result<Delivery, AppError> {
        Ok(exports::import_store(
            store,
            &is_known(known),
            finished,
            &self.catalog,
            options,
            watch,
        )?)
    }

    /// Puts what was read into the ledger, all of it or none.
    pub(crate) fn keep(&self, delivery: Delivery) -> Result<Imported, AppError> {
        let mut ledger = match &self.source {
            DataSource::File(path) => Ledger::open(path)?,
            DataSource::Sample => self.ledger()?,
        };
        match self.put(&mut ledger, &delivery) {
            Ok((replaced, quarantine)) => Ok(Imported {
                delivery,
                replaced,
                quarantine,
            }),
            Err(error) => {
                ledger.give_up();
                Err(error)
            }
        }
    }

    fn put(
        &self,
        ledger: &mut Ledger,
        delivery: &Delivery,
    ) -> Result<(Vec<Replaced>, Option<PathBuf>), AppError> {
        let mut replace = || {
            if delivery.may_be_smaller {
                ledger.replace_by_less(&delivery.slices)
            } else {
                ledger.replace(&delivery.slices)
            }
        };
        let Some((quarantine, is_new)) = self.quarantine(&delivery.bad_rows)? else {
            return Ok((replace()?, None));
        };
        match replace() {
            Ok(replaced) => Ok((replaced, Some(quarantine))),
            Err(error) => {
                if is_new {
                    // Nothing was imported, so nothing was left out.
                    drop(std::fs::remove_file(&quarantine));
                }
                Err(error.into())
            }
        }
    }

    /// Keeps rows that could not be read beside the ledger, under a name that follows from them. Tells
    /// whether they are there for the first time.
    fn quarantine(&self, rows: &[BadRow]) -> Result<Option<(PathBuf, bool)>, AppError> {
        let DataSource::File(ledger) = &self.source else {
            return Ok(None);
        };
        if rows.is_empty() {
            return Ok(None);
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |problem: &str, row: &str| {
            let written = writer.write_record([problem, row]);
            written.expect("memory takes all");
        };
        write("problem", "row");
        for row in rows {
            write(&row.problem, &row.row);
        }
        let content = writer.into_inner().unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let digest: String = Sha256::digest(content.as_bytes())[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = ledger.with_file_name(format!("quarantine-{digest}.csv"));
        let is_new = !path.exists();
        atomic_file::write(&path, &content).map_err(|source| AppError::Quarantine {
            path: path.clone(),
            source,
        })?;
        Ok(Some((path, is_new)))
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

    /// Adds up what the ledger has of some months, and tells whether sums of several days were spread
    /// over these days.
    pub fn usage(
        &self,
        ledger: &Ledger,
        months: &[Month],
        by: &[Dimension],
    ) -> Result<(Vec<UsageSum>, bool), AppError> {
        let mut records = Vec::new();
        for month in months {
            records.extend(self.records(ledger, *month)?.0);
        }
        let is_spread = by.contains(&Dimension::Day) && records.iter().any(is_spread);
        if is_spread {
            records = spread(records);
        }
        Ok((summarize(&records, by), is_spread))
    }

    /// Rates a month of the ledger.
    pub fn bill(
        &self,
        ledger: &Ledger,
        month: Month,
        request: &BillRequest,
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

    /// Puts a rated month beside what AWS charged.
    pub fn reconcile(&self, rated: &RatedMonth) -> Vec<LineReconciliation> {
        reconcile(&rated.rated, &rated.records)
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
        if missing.scope.source != Source::CostExplorer {
            notes.push(Remark::NotCollected {
                what: missing.what(),
                reason: missing.reason,
            });
        }
    }
    Ok(notes)
}

/// Settles on one currency and drops the charges in others, if the user chose it.
fn choose_currency(
    month: Month,
    records: &mut Vec<UsageRecord>,
    request: &BillRequest,
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

/// Imported prices are kept beside the ledger.
fn price_store(ledger: &Path) -> PathBuf {
    ledger.with_file_name("price-lists.csv")
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
