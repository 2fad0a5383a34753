//! A forecast for programs: `pipebill.forecast/1`.

use super::{SERVICES, View, driver_name, is_complete, service_name, weights};
use crate::{
    domain::{
        allocation::Dimension,
        ids::{Currency, ServiceCode},
        money::Money,
        percentiles::Percentiles,
    },
    forecast::{DriverForecast, ForecastResult, MonthForecast},
    report::{
        Cell, Note,
        value::{Amount, Calendar, Day, Number, Percent, Value, object, row},
    },
};

object! {
    /// Where this month and the next ones end: one of ten simulations costs less than P10, one of ten
    /// more than P90.
    pub struct ForecastAnswer = "pipebill.forecast/1" {
        /// The last day whose usage is known.
        known_until: Day,
        /// What every amount is in.
        currency: String,
        /// How many days of history the longest driver has.
        history_days: u64,
        /// How many simulations.
        paths: u64,
        /// The random seed.
        seed: u64,
        /// What a month may cost; null if it was not said.
        budget: Option<Amount>,
        /// In how many percent of the simulations some month is over the budget.
        ever_over_budget_percent: Option<Percent>,
        /// P10 of all months together.
        sum_p10: Amount,
        /// P50 of all months together.
        sum_p50: Amount,
        /// P90 of all months together.
        sum_p90: Amount,
        /// Whether everything has a price.
        complete: bool,
        /// What `parts` are by, as `--by` says it; null if it was not asked for.
        by: Option<String>,
        /// Why Cost Explorer has no forecast; null if it has one or was not asked.
        aws_refused: Option<String>,
        /// The current month and those after it.
        rows: Vec<ForecastMonth>,
        /// What is forecast, the one that spreads the bill most first.
        drivers: Vec<DriverRow>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

object! {
    /// One month. Its services are each at their own percentiles and need not add up.
    pub struct ForecastMonth {
        /// The month.
        month: Calendar,
        /// One in ten simulations costs less.
        p10: Amount,
        /// Half cost less.
        p50: Amount,
        /// One in ten costs more.
        p90: Amount,
        /// In how many percent of the simulations it is over the budget.
        over_budget_percent: Option<Percent>,
        /// Cost Explorer's own forecast; null if it was not asked for or has none.
        aws: Option<AwsRange>,
        /// The code services.
        services: Vec<ServiceRange>,
        /// All other services together.
        other: Option<AmountRange>,
        /// The parts asked for, the dearest first.
        parts: Vec<PartRange>,
        /// What its known days cost; null before it begins.
        known: Option<Amount>,
        /// How many of its days are known.
        known_days: u64,
        /// The median usage, rated exactly.
        exact_at_median: Amount,
        /// Whether everything has a price.
        complete: bool,
        /// What every amount is in.
        currency: String,
    }
}

object! {
    /// P10, P50 and P90.
    pub struct AmountRange {
        /// One in ten is below.
        p10: Amount,
        /// Half are below.
        p50: Amount,
        /// One in ten is above.
        p90: Amount,
    }
}

object! {
    /// Cost Explorer's mean and its interval of 80 %.
    pub struct AwsRange {
        /// The lower end.
        low: Amount,
        /// The mean.
        mean: Amount,
        /// The upper end.
        high: Amount,
    }
}

object! {
    /// The bill of one service.
    pub struct ServiceRange {
        /// AWS's code of the service.
        service: String,
        /// Its name.
        service_name: String,
        /// One in ten is below.
        p10: Amount,
        /// Half are below.
        p50: Amount,
        /// One in ten is above.
        p90: Amount,
    }
}

object! {
    /// The bill of one account, project or value of a tag.
    pub struct PartRange {
        /// Which; null for what belongs to none.
        part: Option<String>,
        /// One in ten is below.
        p10: Amount,
        /// Half are below.
        p50: Amount,
        /// One in ten is above.
        p90: Amount,
    }
}

row! {
    /// One quantity that is forecast, in the first whole month.
    pub struct DriverRow {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = file,
        /// AWS's usage type; empty where only the service's costs are known.
        usage_type: String = file,
        /// What is forecast, in words.
        driver: String = shown("Driver", 0),
        /// The account, if it is known.
        account: Option<String> = shown("Account", 1),
        /// The region.
        region: String = shown("Region", 2),
        /// The unit; null where costs are forecast.
        unit: Option<&'static str> = file,
        /// One in ten is below.
        p10: DriverValue = shown("P10", 4),
        /// Half are below.
        p50: DriverValue = shown("P50", 0),
        /// One in ten is above.
        p90: DriverValue = shown("P90", 4),
        /// How much history there is.
        history: u64,
        /// days or months.
        history_unit: &'static str,
        /// The same in words.
        #[serde(skip)]
        history_text: String = shown("History", 5),
        /// The methods it is forecast by, the heaviest first.
        methods: Vec<Method>,
        /// The same in words.
        #[serde(skip)]
        methods_text: String = file,
        /// What a holiday has of an ordinary day, in percent.
        holiday_percent: Option<Number> = file,
        /// Its share of the spread of the bill, in percent.
        spread_percent: Percent = shown("Of the spread", 0),
    }
}

object! {
    /// A method and its weight.
    pub struct Method {
        /// Its name.
        method: &'static str,
        /// Its weight in percent.
        weight_percent: Percent,
    }
}

/// A quantity, or an amount where costs are forecast.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(untagged)]
pub enum DriverValue {
    /// A quantity.
    Quantity(Number),
    /// An amount.
    Cost(Amount),
}

impl Value for DriverValue {
    fn cell(&self) -> Cell {
        match self {
            Self::Quantity(number) => number.cell(),
            Self::Cost(amount) => amount.cell(),
        }
    }
}

impl ForecastAnswer {
    /// Returns a forecast as programs read it.
    pub(super) fn of(
        forecast: &ForecastResult,
        view: &View<'_>,
        drivers: Vec<DriverRow>,
        notes: Vec<Note>,
    ) -> Self {
        let options = &forecast.options;
        let money = |amount| Amount::new(amount, &view.currency);
        let sum = range(forecast.sum, &view.currency, is_complete(forecast));
        Self {
            known_until: Day(forecast.last_day),
            currency: view.currency.to_string(),
            history_days: forecast.history_days as u64,
            paths: options.paths as u64,
            seed: options.seed,
            budget: options.budget.map(money),
            ever_over_budget_percent: forecast.ever_over_budget.map(Percent),
            sum_p10: sum.p10,
            sum_p50: sum.p50,
            sum_p90: sum.p90,
            complete: is_complete(forecast),
            by: options.by.as_ref().map(Dimension::key),
            aws_refused: view.aws.and_then(|aws| aws.refused.clone()),
            rows: forecast.months.iter().map(|it| month(it, view)).collect(),
            drivers,
            notes,
        }
    }
}

fn range(of: Percentiles, currency: &Currency, is_whole: bool) -> AmountRange {
    let [p10, p50, p90] =
        [of.p10, of.p50, of.p90].map(|amount| Amount::of(amount, currency, is_whole));
    AmountRange { p10, p50, p90 }
}

fn month(month: &MonthForecast, view: &View<'_>) -> ForecastMonth {
    let currency = &view.currency;
    let is_whole = month.exact.is_complete();
    let total = range(month.total, currency, is_whole);
    let is_priced = |of: &dyn Fn(&ServiceCode) -> bool| {
        let mut unpriced = month.exact.unpriced();
        !unpriced.any(|line| of(&line.key.meter.service))
    };
    let services = SERVICES.iter().filter_map(|(code, _)| {
        let of = *month.services.get(&ServiceCode::new(*code))?;
        let AmountRange { p10, p50, p90 } =
            range(of, currency, is_priced(&|other| other.as_str() == *code));
        Some(ServiceRange {
            service: (*code).to_owned(),
            service_name: service_name(view, code),
            p10,
            p50,
            p90,
        })
    });
    let is_around = |code: &ServiceCode| !SERVICES.iter().any(|(own, _)| code.as_str() == *own);
    let part = |(part, of): &(Option<String>, Percentiles)| {
        let AmountRange { p10, p50, p90 } = range(*of, currency, is_whole);
        PartRange {
            part: part.clone(),
            p10,
            p50,
            p90,
        }
    };
    let aws = view.aws.and_then(|aws| aws.months.get(&month.month));
    ForecastMonth {
        month: Calendar(month.month),
        p10: total.p10,
        p50: total.p50,
        p90: total.p90,
        over_budget_percent: month.over_budget.map(Percent),
        aws: aws.map(|aws| {
            let [low, mean, high] =
                [aws.low, aws.mean, aws.high].map(|amount| Amount::new(amount, currency));
            AwsRange { low, mean, high }
        }),
        services: services.collect(),
        other: month
            .around
            .map(|of| range(of, currency, is_priced(&is_around))),
        parts: month.parts.iter().map(part).collect(),
        known: (month.known_days > 0).then(|| Amount::of(month.known, currency, is_whole)),
        known_days: month.known_days.into(),
        exact_at_median: Amount::of(month.exact.total(), currency, is_whole),
        complete: is_whole,
        currency: currency.to_string(),
    }
}

/// Returns the drivers of a forecast.
pub(super) fn drivers(forecast: &ForecastResult, view: &View<'_>) -> Vec<DriverRow> {
    forecast.drivers.iter().map(|it| driver(it, view)).collect()
}

fn driver(driver: &DriverForecast, view: &View<'_>) -> DriverRow {
    let key = &driver.key;
    let [p10, p50, p90] = driver.quantity.map(|quantity| match driver.unit {
        None => DriverValue::Cost(Amount::new(Money::new(quantity), &view.currency)),
        Some(_) => DriverValue::Quantity(Number(quantity)),
    });
    let history_unit = if driver.by_month { "months" } else { "days" };
    let method = |(method, weight): &(&'static str, _)| Method {
        method,
        weight_percent: Percent(*weight),
    };
    DriverRow {
        service: key.meter.service.to_string(),
        service_name: view.catalog.service_name(&key.meter.service).to_owned(),
        usage_type: key.meter.usage_type.to_string(),
        driver: driver_name(driver, view),
        account: key.account.as_ref().map(ToString::to_string),
        region: key.region.to_string(),
        unit: driver.unit.map(crate::domain::quantity::Unit::name),
        p10,
        p50,
        p90,
        history: driver.history as u64,
        history_unit,
        history_text: format!("{} {history_unit}", driver.history),
        methods: driver.methods.iter().map(method).collect(),
        methods_text: weights(driver, usize::MAX),
        holiday_percent: driver.holidays.map(Number),
        spread_percent: Percent(driver.spread),
    }
}
