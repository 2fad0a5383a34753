//! From drivers to the bill: paths sampled, rated and summed up.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::{Decimal, prelude::FromPrimitive};

use super::{
    calendar::Calendar,
    events::{Event, Growth},
    expect::{self, Changes, Expected, Horizon},
    methods,
    numbers::{count, mean, quantile},
    paths::{self, Weeks},
    random::Random,
    rated::Tariffs,
    series::{self, Coverage, Driver, Kind},
    units::Units,
};
use crate::domain::{
    allocation::{Dimension, Policy, allocate},
    bill::Bill,
    ids::{Currency, ServiceCode},
    money::Money,
    period::Month,
    price_book::PriceBook,
    quantity::{Quantity, Unit},
    rating::{RatingError, RatingOptions, rate},
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// What is asked of a forecast.
#[derive(Clone, Debug)]
pub struct Question {
    /// Months after the current one.
    pub months: u32,
    /// What a month may cost.
    pub budget: Option<Money>,
    /// Stretches of days with more or less.
    pub events: Vec<Event>,
    /// Growth of everything.
    pub growth: Growth,
    /// Whose holidays to look for.
    pub calendar: Calendar,
    /// What the months are shared by.
    pub by: Option<Dimension>,
    /// Where the random numbers start.
    pub seed: u64,
    /// How many paths.
    pub paths: usize,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            months: 3,
            budget: None,
            events: Vec::new(),
            growth: Growth::default(),
            calendar: Calendar::of([super::calendar::Country::default()]),
            by: None,
            seed: 1,
            paths: 10_000,
        }
    }
}

/// Three points of a distribution of costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// One in ten is below.
    pub p10: Money,
    /// Half are below.
    pub p50: Money,
    /// One in ten is above.
    pub p90: Money,
}

/// One month of the forecast.
#[derive(Clone, Debug)]
pub struct MonthOutlook {
    /// Which.
    pub month: Month,
    /// Days of it that are known.
    pub known_days: u32,
    /// What they cost.
    pub known: Money,
    /// The bill.
    pub total: Range,
    /// The bill of each service.
    pub services: BTreeMap<ServiceCode, Range>,
    /// The bill of each part asked for, the residual under none; dearest first.
    pub parts: Vec<(Option<String>, Range)>,
    /// The share of paths above the budget, from 0 to 1.
    pub over_budget: Option<Decimal>,
    /// The median usage, rated exactly.
    pub exact: Bill,
}

/// What was expected of a driver, and on what grounds.
#[derive(Clone, Debug)]
pub struct DriverOutlook {
    /// Which.
    pub key: UsageKey,
    /// Its unit.
    pub unit: Unit,
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
    /// Days without a source, filled.
    pub filled: usize,
    /// Days with more corrections than usage.
    pub negative: usize,
    /// Months known as totals only.
    pub spread_months: usize,
}

/// A forecast.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// What was asked.
    pub question: Question,
    /// The last day that is known.
    pub last_day: NaiveDate,
    /// Later days with records that are not complete yet.
    pub incomplete_days: u32,
    /// Days of history, of the driver with the longest.
    pub history_days: usize,
    /// The current month and those after it.
    pub months: Vec<MonthOutlook>,
    /// All of them together.
    pub sum: Range,
    /// The share of paths in which any month is above the budget.
    pub ever_over_budget: Option<Decimal>,
    /// The drivers, those that spread the whole most first.
    pub drivers: Vec<DriverOutlook>,
}

/// How usage becomes money.
pub struct Rating<'a> {
    /// The prices.
    pub book: &'a PriceBook<'a>,
    /// How each month is rated.
    pub options: &'a dyn Fn(Month) -> RatingOptions,
}

/// A driver with its model.
enum Model {
    Daily(Box<Expected>),
    Units(Units),
}

/// Forecasts the bill. Returns nothing where there is no usage to continue.
pub fn outlook(
    records: &[UsageRecord],
    coverage: &Coverage,
    question: &Question,
    rating: &Rating<'_>,
) -> Result<Option<Outlook>, RatingError> {
    let drivers = series::gather(records, coverage, question.by.as_ref());
    if drivers.is_empty() {
        return Ok(None);
    }
    let horizon = Horizon::new(coverage.last_day, question.months);
    let known_records = month_to_date(records, coverage);
    let known = rate(
        &known_records,
        rating.book,
        &(rating.options)(horizon.months[0]),
    )?;
    let changes = Changes {
        events: &question.events,
        growth: question.growth,
        calendar: question.calendar.clone(),
    };
    let models: Vec<Model> = drivers
        .iter()
        .map(|driver| model(driver, &horizon, &changes))
        .collect();
    let mut sampler = Sampler::new(&drivers, &models, &horizon, question);
    let mut totals = Totals::new(drivers.len(), question.paths);
    let mut months = Vec::new();
    let mut quantities = vec![[Decimal::ZERO; 3]; drivers.len()];
    for (at, month) in horizon.months.iter().enumerate() {
        let usage = sampler.month(at);
        let options = (rating.options)(*month);
        let fixed = (at == 0).then_some(&known);
        let tariffs = Tariffs::new(&drivers, *month, rating.book, &options, fixed);
        let costs = tariffs.rate(&usage);
        if at == usize::from(horizon.months.len() > 1) {
            for ((quantity, column), driver) in quantities.iter_mut().zip(&usage).zip(&drivers) {
                let so_far = if at == 0 { driver.month_to_date } else { 0.0 };
                *quantity = points(column).map(|value| decimal(value + so_far, 2));
            }
        }
        let by = question.by.as_ref().map(|by| (by, options.sharing));
        let parts = sampler.parts(&costs, fixed, &known_records, by);
        let expected = median_usage(&drivers, *month, &usage, options.currency.clone());
        let exact_records: Vec<UsageRecord> = known_records
            .iter()
            .filter(|record| record.month == *month)
            .cloned()
            .chain(expected)
            .collect();
        months.push(MonthOutlook {
            month: *month,
            known_days: if at == 0 {
                chrono::Datelike::day(&coverage.last_day)
            } else {
                0
            },
            known: fixed.map_or(Money::ZERO, Bill::total),
            services: services(&drivers, &costs, fixed),
            total: Range::of(totals.add(&costs, fixed, question.budget)),
            parts,
            over_budget: totals.over(question.budget),
            exact: rate(&exact_records, rating.book, &options)?,
        });
    }
    let spreads = totals.shares_of_spread();
    let mut described: Vec<DriverOutlook> = drivers
        .iter()
        .zip(&models)
        .zip(spreads)
        .zip(quantities)
        .map(|(((driver, model), spread), quantity)| describe(driver, model, spread, quantity))
        .collect();
    described.sort_by(|a, b| b.spread.cmp(&a.spread).then_with(|| a.key.cmp(&b.key)));
    Ok(Some(Outlook {
        question: question.clone(),
        last_day: coverage.last_day,
        incomplete_days: coverage.incomplete_days,
        history_days: history_days(&models),
        months,
        sum: Range::of(totals.sum.clone()),
        ever_over_budget: question.budget.map(|_| {
            share(
                totals.ever_over.iter().filter(|over| **over).count(),
                question.paths,
            )
        }),
        drivers: described,
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
        .filter(|record| record.kind == ChargeKind::Usage && record.quantity.is_some())
        .cloned()
        .collect()
}

fn model(driver: &Driver, horizon: &Horizon, changes: &Changes<'_>) -> Model {
    match &driver.kind {
        Kind::Daily(daily) => Model::Daily(Box::new(expect::expect(daily, horizon, changes))),
        Kind::Units(months) => Model::Units(Units::of(months, horizon.months[0], horizon.last_day)),
    }
}

/// Draws the months of all drivers, one after the other.
struct Sampler<'d> {
    drivers: &'d [Driver],
    models: &'d [Model],
    lasting: Weeks,
    weeks: Weeks,
    random: Random,
    /// Counts of whole units: driver, month, path.
    units: Vec<Vec<Vec<f64>>>,
}

impl<'d> Sampler<'d> {
    fn new(
        drivers: &'d [Driver],
        models: &'d [Model],
        horizon: &Horizon,
        question: &Question,
    ) -> Self {
        let mut random = Random::new(question.seed);
        let months = horizon.months.len();
        let units = models
            .iter()
            .zip(drivers)
            .map(|(model, driver)| match model {
                Model::Daily(_) => Vec::new(),
                Model::Units(units) => {
                    let mut columns = vec![vec![0.0; question.paths]; months];
                    for path in 0..question.paths {
                        let counts = units.draw(months - 1, &mut random);
                        for (at, value) in counts.into_iter().enumerate() {
                            columns[at][path] = if at == 0 {
                                (value - driver.month_to_date).max(0.0)
                            } else {
                                let factor = question.growth.after(expect::days_ahead(horizon, at));
                                whole(value * factor, random.share())
                            };
                        }
                    }
                    columns
                }
            })
            .collect();
        Self {
            drivers,
            models,
            lasting: paths::draw_weeks(question.paths, &mut random),
            weeks: Vec::new(),
            random,
            units,
        }
    }

    /// Samples what each driver adds to a month.
    fn month(&mut self, at: usize) -> Vec<Vec<f64>> {
        self.weeks = paths::draw_weeks(self.lasting.len(), &mut self.random);
        self.models
            .iter()
            .zip(&mut self.units)
            .map(|(model, units)| match model {
                Model::Daily(expected) => {
                    paths::sample(expected, at, &self.lasting, &self.weeks, &mut self.random)
                }
                Model::Units(_) => std::mem::take(&mut units[at]),
            })
            .collect()
    }

    /// Shares the costs of a month among the parts asked for, path by path: as the weeks that a path
    /// drew were shared. What is known is shared as it was used.
    fn parts(
        &self,
        costs: &[Vec<f64>],
        fixed: Option<&Bill>,
        records: &[UsageRecord],
        by: Option<(&Dimension, Policy)>,
    ) -> Vec<(Option<String>, Range)> {
        let Some((by, policy)) = by else {
            return Vec::new();
        };
        let mut columns: BTreeMap<Option<String>, Vec<f64>> = BTreeMap::new();
        let paths = self.weeks.len();
        for (driver, costs) in self.drivers.iter().zip(costs) {
            let overall = expect::shares(&driver.parts);
            let names: Vec<&Option<String>> = overall.keys().collect();
            let all: f64 = overall.values().sum();
            if names.is_empty() || all <= 0.0 {
                add(
                    columns.entry(None).or_insert_with(|| vec![0.0; paths]),
                    costs,
                );
                continue;
            }
            if let [only] = names[..] {
                let column = columns
                    .entry(only.clone())
                    .or_insert_with(|| vec![0.0; paths]);
                add(column, costs);
                continue;
            }
            let weekly: Vec<Vec<f64>> = driver
                .parts
                .iter()
                .map(|week| {
                    names
                        .iter()
                        .map(|name| week.get(*name).copied().unwrap_or(0.0))
                        .collect()
                })
                .collect();
            let usual: Vec<f64> = overall.values().map(|value| value / all).collect();
            let mut shares = vec![vec![0.0; paths]; names.len()];
            for (path, drawn) in self.weeks.iter().enumerate() {
                let week = |at: usize| {
                    drawn
                        .iter()
                        .map(|week| weekly[usize::from(*week)][at])
                        .sum::<f64>()
                };
                let sums: Vec<f64> = (0..names.len()).map(week).collect();
                let sum: f64 = sums.iter().sum();
                for (at, column) in shares.iter_mut().enumerate() {
                    let share = if sum > 0.0 { sums[at] / sum } else { usual[at] };
                    column[path] = costs[path] * share;
                }
            }
            for (name, share) in names.into_iter().zip(&shares) {
                add(
                    columns
                        .entry(name.clone())
                        .or_insert_with(|| vec![0.0; paths]),
                    share,
                );
            }
        }
        if let Some(bill) = fixed {
            let known = allocate(bill, records, by, policy);
            for share in known.shares {
                let name = (!share.residual).then_some(share.part);
                let known = float(share.cost);
                let column = columns.entry(name).or_insert_with(|| vec![0.0; paths]);
                column.iter_mut().for_each(|value| *value += known);
            }
        }
        let mut parts: Vec<(Option<String>, Range)> = columns
            .into_iter()
            .map(|(name, column)| (name, Range::of(column)))
            .collect();
        parts.sort_by(|a, b| (a.0.is_none(), b.1.p50, &a.0).cmp(&(b.0.is_none(), a.1.p50, &b.0)));
        parts
    }
}

/// Rounds to a whole number so that the mean stays.
fn whole(value: f64, draw: f64) -> f64 {
    (value + draw).floor()
}

/// Sums over months, path by path.
struct Totals {
    month: Vec<f64>,
    sum: Vec<f64>,
    drivers: Vec<Vec<f64>>,
    ever_over: Vec<bool>,
}

impl Totals {
    fn new(drivers: usize, paths: usize) -> Self {
        Self {
            month: Vec::new(),
            sum: vec![0.0; paths],
            drivers: vec![vec![0.0; paths]; drivers],
            ever_over: vec![false; paths],
        }
    }

    fn add(&mut self, costs: &[Vec<f64>], fixed: Option<&Bill>, budget: Option<Money>) -> Vec<f64> {
        let known = fixed.map_or(0.0, |bill| float(bill.total()));
        self.month = vec![known; self.sum.len()];
        for (driver, column) in self.drivers.iter_mut().zip(costs) {
            add(&mut self.month, column);
            add(driver, column);
        }
        add(&mut self.sum, &self.month);
        if let Some(budget) = budget {
            let budget = float(budget);
            for (ever, month) in self.ever_over.iter_mut().zip(&self.month) {
                *ever |= *month > budget;
            }
        }
        self.month.clone()
    }

    fn over(&self, budget: Option<Money>) -> Option<Decimal> {
        let budget = float(budget?);
        let over = self.month.iter().filter(|month| **month > budget).count();
        Some(share(over, self.month.len()))
    }

    /// Each driver's covariance with the whole as a share of the variance of the whole, in percent.
    fn shares_of_spread(&self) -> Vec<Decimal> {
        let middle = mean(&self.sum);
        let all: f64 = self.sum.iter().map(|v| (v - middle) * (v - middle)).sum();
        self.drivers
            .iter()
            .map(|column| {
                let own = mean(column);
                let together: f64 = column
                    .iter()
                    .zip(&self.sum)
                    .map(|(value, sum)| (value - own) * (sum - middle))
                    .sum();
                if all > 0.0 {
                    decimal(100.0 * together / all, 1)
                } else {
                    Decimal::ZERO
                }
            })
            .collect()
    }
}

fn services(
    drivers: &[Driver],
    costs: &[Vec<f64>],
    fixed: Option<&Bill>,
) -> BTreeMap<ServiceCode, Range> {
    let mut columns: BTreeMap<ServiceCode, Vec<f64>> = BTreeMap::new();
    for (driver, column) in drivers.iter().zip(costs) {
        let sum = columns
            .entry(driver.key.meter.service.clone())
            .or_insert_with(|| vec![0.0; column.len()]);
        add(sum, column);
    }
    for (service, known) in fixed.map(Bill::by_service).unwrap_or_default() {
        if let Some(column) = columns.get_mut(&service) {
            let known = float(known);
            column.iter_mut().for_each(|value| *value += known);
        }
    }
    columns
        .into_iter()
        .map(|(service, column)| (service, Range::of(column)))
        .collect()
}

/// The median of each driver as records, so that it can be rated exactly.
fn median_usage(
    drivers: &[Driver],
    month: Month,
    usage: &[Vec<f64>],
    currency: Currency,
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
                key: driver.key.clone(),
                kind: ChargeKind::Usage,
                resource: None,
                tags: Arc::default(),
                quantity: Some(Quantity::new(value, driver.unit)),
                consumed: None,
                metering: None,
                billed: None,
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
) -> DriverOutlook {
    let (history, weights, holidays, shifted) = match model {
        Model::Daily(expected) => (
            expected.days,
            expected.weights,
            expected.holiday_ratio,
            expected.shifted,
        ),
        Model::Units(units) => (units.months(), [0.0; methods::NAMES.len()], None, false),
    };
    let mut weighed: Vec<(&'static str, Decimal)> = methods::NAMES
        .into_iter()
        .zip(weights)
        .filter(|(_, weight)| *weight >= 0.005)
        .map(|(name, weight)| (name, decimal(100.0 * weight, 0)))
        .collect();
    weighed.sort_by(|a, b| b.1.cmp(&a.1));
    let (filled, negative, spread_months) = match &driver.kind {
        Kind::Daily(daily) => (daily.filled, daily.negative, daily.spread_months),
        Kind::Units(_) => (0, 0, 0),
    };
    DriverOutlook {
        key: driver.key.clone(),
        unit: driver.unit,
        history,
        by_month: matches!(model, Model::Units(_)),
        quantity,
        methods: weighed,
        holidays: holidays.map(|ratio| decimal(100.0 * ratio, 0)),
        spread,
        shifted,
        filled,
        negative,
        spread_months,
    }
}

impl Range {
    fn of(mut column: Vec<f64>) -> Self {
        column.sort_unstable_by(f64::total_cmp);
        let money = |share: f64| Money::new(decimal(quantile(&column, share), 4));
        Self {
            p10: money(0.1),
            p50: money(0.5),
            p90: money(0.9),
        }
    }
}

/// P10, P50 and P90 of a column.
fn points(column: &[f64]) -> [f64; 3] {
    let mut sorted = column.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    [0.1, 0.5, 0.9].map(|share| quantile(&sorted, share))
}

fn add(sum: &mut [f64], column: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(column) {
        *sum += value;
    }
}

pub(super) fn float(money: Money) -> f64 {
    rust_decimal::prelude::ToPrimitive::to_f64(&money.amount()).unwrap_or_default()
}

/// Rounds to a decimal; what is no number or too large for one becomes the largest amount.
pub(super) fn decimal(value: f64, places: u32) -> Decimal {
    Decimal::from_f64(value).map_or(Decimal::from(1_000_000_000_000_000_i64), |value| {
        value.round_dp(places).normalize()
    })
}

fn share(part: usize, of: usize) -> Decimal {
    decimal(count(part) / count(of.max(1)), 4)
}
