//! From drivers to the bill: paths sampled, rated and summed up.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    columns::{Totals, add, decimal, float, percent, percentiles, points, shift},
    expect::{Changes, Horizon},
    methods,
    options::ForecastOptions,
    rated::Tariffs,
    sampler::{Model, Sampler, models},
    series::{self, Coverage, Driver, SeriesKind},
};
use crate::domain::{
    bill::Bill,
    catalog::{Catalog, ServiceKind},
    costs::CostsOnly,
    discounts::Discounts,
    ids::{Currency, ServiceCode},
    money::Money,
    percentiles::Percentiles,
    period::Month,
    price_book::PriceBook,
    quantity::{Quantity, Unit},
    rating::{RatingError, RatingOptions, rate},
    usage::{Billed, ChargeKind, UsageKey, UsageRecord},
};

/// Values of a month that are kept at once, at most: drivers times paths.
pub(super) const MOST_VALUES: usize = 1_000_000;

/// Paths of an organization with very many drivers.
pub(super) const FEWEST_PATHS: usize = 1000;

/// One month of the forecast.
#[derive(Clone, Debug)]
pub struct MonthForecast {
    /// Which.
    pub month: Month,
    /// Days of it that are known.
    pub known_days: u32,
    /// What they cost.
    pub known: Money,
    /// What discounts of the rating take off that, by service.
    pub known_discounts: BTreeMap<ServiceCode, Money>,
    /// The bill.
    pub total: Percentiles,
    /// The bill of each service.
    pub services: BTreeMap<ServiceCode, Percentiles>,
    /// The bill of the services around the four, all together.
    pub around: Option<Percentiles>,
    /// The bill of each part asked for, the residual under none; dearest first.
    pub parts: Vec<(Option<String>, Percentiles)>,
    /// The share of paths above the budget, in percent.
    pub over_budget: Option<Decimal>,
    /// The median usage, rated exactly.
    pub exact: Bill,
}

impl ForecastResult {
    /// Leaves months out that are over and known whole: there is nothing to expect of them.
    pub fn begin_with(&mut self, current: Month) {
        let is_known = |month: &MonthForecast| {
            let days = chrono::Datelike::day(&month.month.last_day());
            // One that was over the budget is part of how likely any is.
            month.month < current
                && month.known_days == days
                && month.over_budget.unwrap_or_default().is_zero()
        };
        while self.months.len() > 1 && is_known(&self.months[0]) {
            let Percentiles { p10, p50, p90 } = self.months.remove(0).total;
            self.sum.p10 -= p10;
            self.sum.p50 -= p50;
            self.sum.p90 -= p90;
        }
    }

    /// Sees to it that a month comes to no less than it has cost already.
    pub fn at_least(&mut self, unplaced: Unplaced) {
        self.unplaced = Some(unplaced);
        let mut months = self.months.iter_mut();
        if let Some(month) = months.find(|month| month.month == unplaced.month) {
            for (total, sum) in [
                (&mut month.total.p10, &mut self.sum.p10),
                (&mut month.total.p50, &mut self.sum.p50),
                (&mut month.total.p90, &mut self.sum.p90),
            ] {
                let least = unplaced.cost.max(*total);
                *sum += least - *total;
                *total = least;
            }
        }
    }
}

/// What was expected of a driver, and on what grounds.
#[derive(Clone, Debug)]
pub struct DriverForecast {
    /// Which.
    pub key: UsageKey,
    /// Its unit; none where it counts costs, as its source states no quantities.
    pub unit: Option<Unit>,
    /// Days of history, or whole months for units.
    pub history: usize,
    /// Whole units, counted by month.
    pub by_month: bool,
    /// P10, P50 and P90 of its last month in the forecast's first whole month.
    pub quantity: [Decimal; 3],
    /// Weights of the methods, the heaviest first, in percent.
    pub methods: Vec<(&'static str, Decimal)>,
    /// What a holiday has of an ordinary day, in percent.
    pub holidays: Option<Decimal>,
    /// Its share of the spread of the whole, in percent.
    pub spread: Decimal,
    /// The last two weeks differ much from the weeks before.
    pub shifted: bool,
    /// It was in regular use, and not at all for three weeks.
    pub stopped: bool,
    /// Days without a source, filled.
    pub filled: usize,
    /// Days with more corrections than usage.
    pub negative: usize,
    /// Months known as totals only.
    pub spread_months: usize,
}

/// A forecast.
#[derive(Clone, Debug)]
pub struct ForecastResult {
    /// What was asked.
    pub options: ForecastOptions,
    /// The last day that is known.
    pub last_day: NaiveDate,
    /// Later days with records that are not complete yet.
    pub incomplete_days: u32,
    /// Days of history, of the driver with the longest.
    pub history_days: usize,
    /// The current month and those after it.
    pub months: Vec<MonthForecast>,
    /// All of them together.
    pub sum: Percentiles,
    /// The share of paths in which any month is above the budget, in percent.
    pub ever_over_budget: Option<Decimal>,
    /// The drivers, those that spread the whole most first.
    pub drivers: Vec<DriverForecast>,
    /// A sum that does not tell how far it reaches, left out.
    pub unplaced: Option<Unplaced>,
}

/// A forecast and what it leaves out.
#[derive(Debug)]
pub struct Forecast {
    /// The bills to come.
    pub result: ForecastResult,
    /// What every amount is in.
    pub currency: Currency,
    /// Charges other than usage in the current month, left out; discounts that recur are no part of them.
    pub other_charges: Money,
    /// What the bills' discounts say of the months.
    pub discounts: Discounts,
    /// What is continued as costs.
    pub costs: CostsOnly,
}

impl Forecast {
    /// Tells whether everything in it has a price.
    pub fn is_complete(&self) -> bool {
        let mut months = self.result.months.iter();
        months.all(|month| month.exact.is_complete())
    }

    /// Returns when the oldest price was stated.
    pub fn oldest_price(&self) -> Option<NaiveDate> {
        let months = self.result.months.iter();
        months.filter_map(|month| month.exact.oldest_price()).min()
    }
}

/// What a month has cost up to a day that is not told: no part of what is known, but the least that
/// the month will come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unplaced {
    /// The month.
    pub month: Month,
    /// What its usage has cost.
    pub cost: Money,
}

impl Unplaced {
    /// Adds up records of a month.
    pub fn of(month: Month, records: &[UsageRecord]) -> Self {
        let usage = records.iter().filter(|r| r.kind == ChargeKind::Usage);
        let cost = usage.filter_map(|record| Some(record.billed.as_ref()?.cost));
        Self {
            month,
            cost: cost.sum(),
        }
    }
}

/// How usage becomes money.
pub struct Rating<'a> {
    /// The prices.
    pub book: &'a PriceBook<'a>,
    /// How each month is rated.
    pub options: &'a dyn Fn(Month) -> RatingOptions,
}

/// Forecasts the bill. Returns nothing where there is no usage to continue.
pub fn forecast(
    records: &[UsageRecord],
    coverage: &Coverage,
    options: &ForecastOptions,
    rating: &Rating<'_>,
) -> Result<Option<ForecastResult>, RatingError> {
    let drivers = series::gather(records, coverage, options.by.as_ref());
    if drivers.is_empty() {
        return Ok(None);
    }
    let horizon = Horizon::new(coverage.last_day, options.months);
    let known_records = month_to_date(records, coverage);
    let known = rate(
        &known_records,
        rating.book,
        &(rating.options)(horizon.months[0]),
    )?;
    let changes = Changes {
        events: &options.events,
        growth: options.growth,
        calendar: options.calendar.clone(),
    };
    let options = &ForecastOptions {
        paths: options
            .paths
            .min((MOST_VALUES / drivers.len()).max(FEWEST_PATHS)),
        ..options.clone()
    };
    let models = models(&drivers, &horizon, &changes);
    let mut sampler = Sampler::new(&drivers, &models, &horizon, options);
    let mut totals = Totals::new(drivers.len(), options.paths);
    let mut months = Vec::new();
    let mut quantities = vec![[Decimal::ZERO; 3]; drivers.len()];
    for (at, month) in horizon.months.iter().enumerate() {
        let usage = sampler.month(at);
        let rated_as = (rating.options)(*month);
        let fixed = (at == 0).then_some(&known);
        let bill = fixed.map(|rated| &rated.bill);
        let tariffs = Tariffs::new(&drivers, *month, rating.book, &rated_as, bill);
        let costs = tariffs.rate(&usage);
        if at == usize::from(horizon.months.len() > 1) {
            for ((quantity, column), driver) in quantities.iter_mut().zip(&usage).zip(&drivers) {
                let so_far = if at == 0 { driver.month_to_date } else { 0.0 };
                *quantity = points(column).map(|value| legible(value + so_far));
            }
        }
        let by = options.by.as_ref().map(|by| (by, rated_as.sharing));
        let parts = sampler.parts(&costs, fixed, &known_records, by);
        let expected = median_usage(&drivers, *month, &usage, &rated_as.currency);
        let exact_records: Vec<UsageRecord> = known_records
            .iter()
            .filter(|record| record.month == *month)
            .cloned()
            .chain(expected)
            .collect();
        let (services, around) = services(&drivers, &costs, bill, rating.book.catalog);
        months.push(MonthForecast {
            month: *month,
            known_days: if at == 0 {
                chrono::Datelike::day(&coverage.last_day)
            } else {
                0
            },
            known: bill.map_or(Money::ZERO, Bill::total),
            known_discounts: bill.map(Bill::discounts).unwrap_or_default(),
            services,
            around,
            total: percentiles(totals.add(&costs, bill, options.budget)),
            parts,
            over_budget: totals.over(options.budget),
            exact: rate(&exact_records, rating.book, &rated_as)?.bill,
        });
    }
    let spreads = totals.shares_of_spread();
    let mut described: Vec<DriverForecast> = drivers
        .iter()
        .zip(&models)
        .zip(spreads)
        .zip(quantities)
        .map(|(((driver, model), spread), quantity)| describe(driver, model, spread, quantity))
        .collect();
    described.sort_by(|a, b| b.spread.cmp(&a.spread).then_with(|| a.key.cmp(&b.key)));
    Ok(Some(ForecastResult {
        options: options.clone(),
        last_day: coverage.last_day,
        incomplete_days: coverage.incomplete_days,
        history_days: history_days(&models),
        months,
        sum: percentiles(totals.sum.clone()),
        ever_over_budget: options.budget.map(|_| {
            percent(
                totals.ever_over.iter().filter(|over| **over).count(),
                options.paths,
            )
        }),
        drivers: described,
        unplaced: None,
    }))
}

fn history_days(models: &[Model]) -> usize {
    let days = models.iter().filter_map(|model| match model {
        Model::Daily(expected) => Some(expected.days),
        Model::Units(_) => None,
    });
    days.max().unwrap_or(0)
}

fn month_to_date(records: &[UsageRecord], coverage: &Coverage) -> Vec<UsageRecord> {
    let current = Month::of(coverage.last_day);
    records
        .iter()
        .filter(|record| record.month == current && record.day <= coverage.last_day)
        .filter(|record| series::counts(record))
        .cloned()
        .collect()
}

/// The bill of each service, and of all services around the four together.
fn services(
    drivers: &[Driver],
    costs: &[Vec<f64>],
    fixed: Option<&Bill>,
    catalog: &Catalog,
) -> (BTreeMap<ServiceCode, Percentiles>, Option<Percentiles>) {
    let mut columns: BTreeMap<ServiceCode, Vec<f64>> = BTreeMap::new();
    for (driver, column) in drivers.iter().zip(costs) {
        let sum = columns
            .entry(driver.key.meter.service.clone())
            .or_insert_with(|| vec![0.0; column.len()]);
        add(sum, column);
    }
    for (service, known) in fixed.map(Bill::by_service).unwrap_or_default() {
        if let Some(column) = columns.get_mut(&service) {
            shift(column, float(known));
        }
    }
    let mut around: Option<Vec<f64>> = None;
    for (service, column) in &columns {
        let known = catalog.services.get(service);
        if known.is_none_or(|service| service.kind == ServiceKind::Adjacent) {
            add(
                around.get_or_insert_with(|| vec![0.0; column.len()]),
                column,
            );
        }
    }
    let ranges = columns
        .into_iter()
        .map(|(service, column)| (service, percentiles(column)))
        .collect();
    (ranges, around.map(percentiles))
}

/// Rounds a quantity to what is worth reading of a forecast.
fn legible(value: f64) -> Decimal {
    decimal(value, if value < 100.0 { 2 } else { 0 })
}

/// The median of each driver as records, so that it can be rated exactly.
fn median_usage(
    drivers: &[Driver],
    month: Month,
    usage: &[Vec<f64>],
    currency: &Currency,
) -> Vec<UsageRecord> {
    drivers
        .iter()
        .zip(usage)
        .filter_map(|(driver, column)| {
            let [_, middle, _] = points(column);
            let value = decimal(middle, 6);
            (!value.is_zero()).then(|| UsageRecord {
                month,
                day: month.last_day(),
                last_day: month.last_day(),
                key: driver.key.clone(),
                kind: ChargeKind::Usage,
                resource: None,
                tags: Arc::default(),
                quantity: (!driver.of_costs).then(|| Quantity::new(value, driver.unit)),
                consumed: None,
                metering: None,
                billed: driver.of_costs.then(|| Billed {
                    cost: Money::new(value),
                    ..Billed::default()
                }),
                currency: currency.clone(),
                origin: Arc::from("forecast"),
            })
        })
        .collect()
}

fn describe(
    driver: &Driver,
    model: &Model,
    spread: Decimal,
    quantity: [Decimal; 3],
) -> DriverForecast {
    let (history, weights, holidays, shifted, stopped) = match model {
        Model::Daily(expected) => (
            expected.days,
            expected.weights,
            expected.holiday_ratio,
            expected.shifted && !expected.stopped,
            expected.stopped,
        ),
        Model::Units(units) => {
            let none = [0.0; methods::NAMES.len()];
            (units.months(), none, None, false, false)
        }
    };
    let mut weighed: Vec<(&'static str, Decimal)> = methods::NAMES
        .into_iter()
        .zip(weights)
        .filter(|(_, weight)| *weight >= 0.005)
        .map(|(name, weight)| (name, decimal(100.0 * weight, 0)))
        .collect();
    weighed.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let (filled, negative, spread_months) = match &driver.kind {
        SeriesKind::Daily(daily) => (daily.filled, daily.negative, daily.spread_months),
        SeriesKind::Units(_) => (0, 0, 0),
    };
    DriverForecast {
        key: driver.key.clone(),
        unit: (!driver.of_costs).then_some(driver.unit),
        history,
        by_month: matches!(model, Model::Units(_)),
        quantity,
        methods: weighed,
        holidays: holidays.map(|ratio| decimal(100.0 * ratio, 0)),
        spread,
        shifted,
        stopped,
        filled,
        negative,
        spread_months,
    }
}
