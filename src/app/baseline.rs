//! What scenarios are compared with: months of the ledger, or stated usage.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    App, AppError, DataSource, Field, RatingTerms, Terms, choose_currency, currencies,
    quantities::nothing_to_change,
};
use crate::{
    domain::{
        discounts::{Charges, Discounts},
        ids::{Currency, Region, ServiceCode},
        metering::from_events::MeteringOptions,
        money::Money,
        period::Month,
        plan::{Plan, PricingTerms},
        price_book::BilledPrices,
        remark::Remark,
        scenario::{
            ScenarioRater,
            workload::{BuildEvent, MonthEvents, PipelineActivity, Workload},
        },
        storage::{History, ResourceDetail},
        usage::{ChargeKind, Gap, UsageRecord},
        utilization::Seen,
    },
    ledger::Ledger,
    sample,
};

/// Which months a question is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Months {
    /// The last one.
    #[default]
    Last,
    /// This one.
    One(Month),
    /// These and all between.
    Between(Month, Month),
}

/// What to compare scenarios with.
#[derive(Clone, Debug, Default)]
pub struct BaselineRequest {
    /// Which months of the ledger; the last is the last whole one.
    pub months: Months,
    /// A file of stated usage in place of the ledger.
    pub usage: Option<PathBuf>,
    /// How many months of history are behind the range of a difference.
    pub history: u32,
    /// Which currency, where the ledger has several.
    pub currency: Option<String>,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

/// A month that scenarios are valued on.
#[derive(Clone, Debug)]
pub struct MonthUsage {
    /// Its usage.
    pub workload: Workload,
    /// What AWS's APIs say of it.
    pub facts: Arc<MonthEvents>,
    /// The prices its bill shows.
    pub observed: BilledPrices,
    /// What AWS billed for it, where it billed all of it.
    pub billed: Option<Money>,
    /// What is left out of it: charges that are neither usage nor discounts.
    pub other_charges: Money,
    /// What its bill charges for each service.
    pub charges: Charges,
    /// What is left out of it as its source states costs and no quantities, by service.
    pub costs_only: BTreeMap<ServiceCode, Money>,
    /// What lies in storage, of services that are not in the workload.
    pub storage: Vec<UsageRecord>,
    /// The log groups and buckets of the month.
    pub stores: History,
    /// What of it is missing: both sides are without it.
    pub gaps: Vec<Gap>,
}

/// What scenarios are compared with.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// What it is, for titles.
    pub name: String,
    /// The months.
    pub months: Vec<MonthUsage>,
    /// Further months, the latest last, for the range of a difference.
    pub history: Vec<MonthUsage>,
    /// Prices, free tier and discounts.
    pub terms: PricingTerms,
    /// Log groups and buckets, over these months and those before.
    pub storage: History,
    /// The discounts that recur: a part of the terms.
    pub discounts: Discounts,
    /// What was assumed of stated usage.
    pub assumptions: Vec<Remark>,
}

impl Months {
    /// Returns the months in order, the last one as it is given.
    pub(super) fn all(
        self,
        last: impl FnOnce() -> Result<Month, AppError>,
    ) -> Result<Vec<Month>, AppError> {
        Ok(match self {
            Self::Last => vec![last()?],
            Self::One(month) => vec![month],
            Self::Between(from, to) if from > to => {
                return Err(AppError::field(
                    Field::From,
                    format!("{from} is after {to}"),
                ));
            }
            Self::Between(from, to) => {
                std::iter::successors(Some(from), |month| Some(month.next()))
                    .take_while(|month| *month <= to)
                    .collect()
            }
        })
    }
}

impl Baseline {
    /// Returns the baseline with the logs and artifacts in storage as a part of it.
    #[must_use]
    pub fn with_storage(&self) -> Self {
        let mut with = self.clone();
        for month in with.months.iter_mut().chain(&mut with.history) {
            let storage = std::mem::take(&mut month.storage);
            month.workload.add_storage(&storage, &self.storage);
        }
        with
    }

    /// Returns the baseline that a scenario is compared with: storage is a part of it where that is
    /// what changes.
    pub fn of(&self, is_of_storage: bool) -> Result<Cow<'_, Self>, AppError> {
        if !is_of_storage {
            return Ok(Cow::Borrowed(self));
        }
        let untold = self.months.iter().map(|month| month.stores.told);
        match untold.max().flatten() {
            Some(ResourceDetail::Present) => Ok(Cow::Owned(self.with_storage())),
            told => Err(AppError::NoStorage { told }),
        }
    }

    /// Returns what it is billed in.
    pub fn currency(&self) -> Currency {
        let first = self.months.first();
        first.map_or_else(
            || Currency::new("USD"),
            |month| month.workload.currency.clone(),
        )
    }

    /// Returns how months to come are rated, with the terms of the baseline.
    pub(super) fn request(&self, request: &RatingTerms) -> RatingTerms {
        RatingTerms {
            terms: self.terms.clone(),
            ..request.clone()
        }
    }

    /// Returns the charges of its months that neither side has: no usage, and no discount that recurs.
    pub fn left_out(&self) -> Money {
        let of = |month: &MonthUsage| {
            let charged = month.charges.month(month.workload.month);
            let discounts: Money = charged.map(|(_, charged)| charged.discounts).sum();
            month.other_charges + discounts - self.taken_off(month)
        };
        self.months.iter().map(of).sum()
    }

    /// Returns what AWS billed for its usage, less the discounts that recur, where it billed all of it.
    pub fn billed(&self) -> Option<Money> {
        let of = |month: &MonthUsage| Some(month.billed? + self.taken_off(month));
        self.months.iter().map(of).sum()
    }

    fn taken_off(&self, month: &MonthUsage) -> Money {
        let of = month.workload.month;
        month.charges.taken_off(of, &self.discounts.recurring)
    }

    /// Returns what is left out of its months as their source states costs and no quantities.
    pub fn costs_only(&self) -> BTreeMap<ServiceCode, Money> {
        let mut all: BTreeMap<ServiceCode, Money> = BTreeMap::new();
        for (service, cost) in self.months.iter().flat_map(|month| &month.costs_only) {
            *all.entry(service.clone()).or_default() += *cost;
        }
        all
    }

    /// Returns the months ready for valuing.
    pub fn raters<'a>(&'a self, app: &'a App) -> Vec<ScenarioRater<'a>> {
        raters(&self.months, app, &self.terms)
    }

    /// Returns the months of history ready for valuing.
    pub fn past<'a>(&'a self, app: &'a App) -> Vec<ScenarioRater<'a>> {
        raters(&self.history, app, &self.terms)
    }
}

fn raters<'a>(
    months: &'a [MonthUsage],
    app: &'a App,
    terms: &'a PricingTerms,
) -> Vec<ScenarioRater<'a>> {
    months
        .iter()
        .map(|month| {
            ScenarioRater::new(&month.workload, &app.catalog, terms, month.observed.clone())
        })
        .collect()
}

impl App {
    /// Adds what AWS's APIs would say of the sample organization from a month on. A real ledger has
    /// what was collected.
    pub fn add_sample_facts(&self, ledger: &mut Ledger, from: Month) -> Result<(), AppError> {
        if let DataSource::Sample = self.source {
            sample::keep_facts(ledger, from.first_day())?;
        }
        Ok(())
    }

    /// Returns the last month of the ledger that is over, else the last one.
    pub fn last_whole_month(&self, ledger: &Ledger) -> Result<Month, AppError> {
        let mut known = ledger.months()?;
        known.extend(self.metered_months(ledger)?);
        known.sort();
        let whole = known.iter().rev().find(|month| month.end() <= self.today);
        whole.or(known.last()).copied().ok_or(AppError::EmptyLedger)
    }

    /// Gathers what is compared with.
    pub fn gather(&self, request: &BaselineRequest) -> Result<Baseline, AppError> {
        if let Some(file) = &request.usage {
            return self.stated(file, &request.terms);
        }
        let rating = self.rating_terms(&request.terms, request.currency.as_deref())?;
        let mut ledger = self.ledger()?;
        let months = request.months.all(|| self.last_whole_month(&ledger))?;
        let oldest =
            (1..request.history).fold(months[months.len() - 1], |month, _| month.previous());
        self.add_sample_facts(&mut ledger, months[0].min(oldest))?;
        self.baseline(&ledger, &months, request.history as usize, &rating)
    }

    /// Reads a usage file as a baseline.
    pub(super) fn stated(&self, file: &Path, terms: &Terms) -> Result<Baseline, AppError> {
        let read = self.usage_file(file)?;
        let region = read
            .region
            .clone()
            .unwrap_or_else(|| Region::new("us-east-1"));
        let plan = read.plan(read.month.unwrap_or_else(|| Month::of(self.today)), region);
        if plan.items.is_empty() && plan.pipelines.is_empty() {
            return Err(AppError::NothingStated);
        }
        let sharing = terms.sharing;
        let terms = self.pricing_terms(terms, read.terms)?;
        let mut baseline = self.stated_baseline(file.display().to_string(), &plan, terms)?;
        for month in &mut baseline.months {
            month.workload.sharing = sharing;
        }
        Ok(baseline)
    }

    /// Gathers months of the ledger, and as many before the last of them for the range.
    pub fn baseline(
        &self,
        ledger: &Ledger,
        months: &[Month],
        history: usize,
        request: &RatingTerms,
    ) -> Result<Baseline, AppError> {
        let known = ledger.months()?;
        let metered = self.metered_months(ledger)?;
        let has = |month: &Month| known.contains(month) || metered.contains(month);
        let mut gathered = Vec::new();
        for month in months {
            if !has(month) {
                let month = *month;
                return Err(AppError::NoUsage { month, known });
            }
            gathered.push(self.month_usage(ledger, *month, request)?);
        }
        let mut past = Vec::new();
        let mut month = months.last().copied().map(Month::next);
        while let Some(before) = month.map(Month::previous) {
            if past.len() >= history || !has(&before) || before.end() > self.today {
                break;
            }
            let gathered = gathered
                .iter()
                .find(|usage: &&MonthUsage| usage.workload.month == before)
                .cloned();
            past.push(match gathered {
                Some(usage) => usage,
                None => self.month_usage(ledger, before, request)?,
            });
            month = Some(before);
        }
        past.reverse();
        let mut all: Vec<&History> = past.iter().chain(&gathered).map(|m| &m.stores).collect();
        all.sort_by_key(|stores| stores.months.first().copied());
        all.dedup_by_key(|stores| stores.months.first().copied());
        let storage = History::of(all);
        if gathered
            .iter()
            .all(|month| month.workload.groups.is_empty())
            && let Some(why) = nothing_to_change(ledger, months)?
        {
            return Err(why);
        }
        let (discounts, request) = self.recurring(ledger, &gathered, &past, request)?;
        let name = match months {
            [only] => only.to_string(),
            [first, .., last] => format!("{first} to {last}"),
            [] => return Err(AppError::EmptyLedger),
        };
        Ok(Baseline {
            name,
            months: gathered,
            history: past,
            terms: request.terms,
            storage,
            discounts,
            assumptions: Vec::new(),
        })
    }

    /// Learns the discounts that recur up to the last of the months, from two months before it too.
    fn recurring(
        &self,
        ledger: &Ledger,
        months: &[MonthUsage],
        history: &[MonthUsage],
        request: &RatingTerms,
    ) -> Result<(Discounts, RatingTerms), AppError> {
        let mut charges = Charges::default();
        for month in months.iter().chain(history) {
            charges.extend(&month.charges);
        }
        let all = months.iter().chain(history).map(|m| m.workload.month);
        let Some(last) = self.last_over(all) else {
            return Ok((Discounts::default(), request.clone()));
        };
        for before in [last.previous(), last.previous().previous()] {
            if charges.month(before).next().is_none() {
                let mut records = ledger.records(before)?;
                // A month in another currency says nothing of this one.
                if choose_currency(before, &mut records, request).is_ok() {
                    charges.extend(&Charges::of(&records));
                }
            }
        }
        Ok(Self::carry_discounts(&charges, last, request))
    }

    /// Takes stated usage as the baseline.
    pub fn stated_baseline(
        &self,
        name: String,
        plan: &Plan,
        terms: PricingTerms,
    ) -> Result<Baseline, AppError> {
        let found = currencies(&plan.records(&self.catalog));
        let currency = match &found[..] {
            [] => self.catalog.currency(&plan.region),
            [only] => only.clone(),
            _ => {
                return Err(AppError::SeveralCurrencies {
                    month: plan.month,
                    currencies: found,
                });
            }
        };
        let book = self.price_book(&terms, BilledPrices::default());
        let workload = Workload::stated(plan, currency, &book);
        Ok(Baseline {
            name,
            months: vec![MonthUsage {
                workload,
                facts: Arc::default(),
                observed: BilledPrices::default(),
                billed: None,
                other_charges: Money::ZERO,
                charges: Charges::default(),
                costs_only: BTreeMap::new(),
                storage: Vec::new(),
                stores: History::default(),
                gaps: Vec::new(),
            }],
            history: Vec::new(),
            terms,
            storage: History::default(),
            discounts: Discounts::default(),
            assumptions: plan.assumptions(),
        })
    }

    /// Gathers a month: what was billed, or what was metered where no bill is there, and the builds
    /// and pipelines behind it.
    fn month_usage(
        &self,
        ledger: &Ledger,
        month: Month,
        request: &RatingTerms,
    ) -> Result<MonthUsage, AppError> {
        let (mut records, _) = self.records(ledger, month)?;
        let asked = |record: &&UsageRecord| {
            let currency = request.currency.as_ref();
            currency.is_none_or(|currency| record.currency == *currency)
        };
        let charges = Charges::of(records.iter().filter(asked));
        let has_quantities = records.iter().any(|record| record.quantity.is_some());
        if !has_quantities {
            records = self
                .metered(ledger, month, MeteringOptions::default())?
                .records;
        }
        let currency = choose_currency(month, &mut records, request)?;
        let (told, storage) = ledger.storage(month)?;
        let stores = History::of_month(month, told, records.iter().chain(&storage));
        let facts = Arc::new(facts(ledger, month)?);
        let observed = BilledPrices::collect(&records);
        let book = self.price_book(&request.terms, observed.clone());
        let (used, others): (Vec<_>, Vec<_>) = records
            .iter()
            .partition(|record| record.kind == ChargeKind::Usage);
        let cost = |record: &&UsageRecord| Some(record.billed.as_ref()?.cost);
        let with_quantities = used.iter().filter(|record| record.quantity.is_some());
        let billed = with_quantities.map(cost).sum();
        let other_charges = others
            .iter()
            .filter(|record| record.kind != ChargeKind::Discount)
            .filter_map(cost)
            .sum();
        // What was metered is not missing, whatever its bill states.
        let is_missing = has_quantities || records.is_empty();
        let costs_only = charges
            .month(month)
            .filter(|_| is_missing)
            .filter_map(|(service, charged)| Some((service.clone(), charged.costs_only?)))
            .filter(|(_, cost)| !cost.is_zero())
            .collect();
        let sharing = request.sharing;
        let mut workload =
            Workload::recorded_to_share(month, currency, &records, &book, &facts, sharing);
        if month.contains(self.today) {
            workload.days = chrono::Datelike::day(&self.today).saturating_sub(1).max(1);
        }
        Ok(MonthUsage {
            workload,
            facts,
            observed,
            billed,
            other_charges,
            charges,
            costs_only,
            storage,
            stores,
            gaps: self.gaps(ledger, month)?,
        })
    }
}

fn facts(ledger: &Ledger, month: Month) -> Result<MonthEvents, AppError> {
    let mut facts = MonthEvents::default();
    ledger.each_build(month, |place, _, build| {
        facts.builds.push(BuildEvent {
            place: place.clone(),
            build: build.clone(),
        });
    })?;
    ledger.each_pipeline(month, |place, pipeline, before, runs| {
        let seen = PipelineActivity::of(place, pipeline, before, runs, month);
        facts.pipelines.push(seen);
    })?;
    ledger.each_utilization(month, |place, of| {
        let place = place.clone();
        facts.utilization.push(Seen { place, of });
    })?;
    Ok(facts)
}
