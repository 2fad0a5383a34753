//! The same futures under a scenario: each path is rated twice, so that the range of the difference
//! is that of the difference, not of two forecasts.

use std::collections::BTreeMap;

use super::{
    columns::{add, percentiles, shift},
    expect::{Changes, Horizon},
    options::ForecastOptions,
    predict::{FEWEST_PATHS, MOST_VALUES, Rating},
    rated::Tariffs,
    sampler::{Sampler, models},
    series::{self, Coverage, Driver, SeriesKind},
};
use crate::domain::{
    percentiles::Percentiles, period::Month, quantity::Unit, scenario::mapping::UsageMapping,
    usage::UsageKey, usage::UsageRecord,
};
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// A month to come, under both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ComparedMonth {
    /// Which.
    pub month: Month,
    /// The bill as it is.
    pub baseline: Percentiles,
    /// The bill under the scenario.
    pub scenario: Percentiles,
    /// What the scenario adds, path by path.
    pub difference: Percentiles,
}

/// Months to come, under both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compared {
    /// The whole months after the current one.
    pub months: Vec<ComparedMonth>,
    /// All of them: baseline, scenario, difference.
    pub sum: [Percentiles; 3],
    /// How many futures.
    pub paths: usize,
}

/// A scenario as futures know it.
pub struct ScenarioRating<'a> {
    /// Its prices and options.
    pub rating: Rating<'a>,
    /// What it makes of quantities.
    pub mapping: &'a UsageMapping,
}

/// Rates the futures of whole months without a scenario and under each of some. Returns nothing where
/// there is no usage to continue.
pub fn compared(
    records: &[UsageRecord],
    coverage: &Coverage,
    options: &ForecastOptions,
    baseline: &Rating<'_>,
    scenarios: &[ScenarioRating<'_>],
) -> Option<Vec<Compared>> {
    // A scenario changes quantities: costs without any are on neither side.
    let drivers: Vec<Driver> = series::gather(records, coverage, None)
        .into_iter()
        .filter(|driver| !driver.of_costs)
        .collect();
    if drivers.is_empty() {
        return None;
    }
    let horizon = Horizon::new(coverage.last_day, options.months);
    let changes = Changes {
        events: &options.events,
        growth: options.growth,
        calendar: options.calendar.clone(),
    };
    let paths = options
        .paths
        .min((MOST_VALUES / drivers.len()).max(FEWEST_PATHS));
    let options = &ForecastOptions {
        paths,
        ..options.clone()
    };
    let models = models(&drivers, &horizon, &changes);
    let mut sampler = Sampler::new(&drivers, &models, &horizon, options);
    let mut all: Vec<(Vec<ComparedMonth>, Vec<Vec<f64>>)> = scenarios
        .iter()
        .map(|_| (Vec::new(), vec![vec![0.0; paths]; 3]))
        .collect();
    for (at, month) in horizon.months.iter().enumerate() {
        let usage = sampler.month(at);
        // The current month is partly known: what a scenario does to half of it says little.
        if at == 0 {
            continue;
        }
        let total = |drivers: &[Driver], usage: &[Vec<f64>], rating: &Rating<'_>| {
            let options = (rating.options)(*month);
            let tariffs = Tariffs::new(drivers, *month, rating.book, &options, None);
            let mut total = vec![0.0; paths];
            for column in tariffs.rate(usage) {
                add(&mut total, &column);
            }
            total
        };
        let before = total(&drivers, &usage, baseline);
        for (ahead, (months, sums)) in scenarios.iter().zip(&mut all) {
            let (mapped, columns) = map(&drivers, &usage, ahead.mapping, paths);
            let after = total(&mapped, &columns, &ahead.rating);
            let difference: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
            for (sum, column) in sums.iter_mut().zip([&before, &after, &difference]) {
                add(sum, column);
            }
            months.push(ComparedMonth {
                month: *month,
                baseline: percentiles(before.clone()),
                scenario: percentiles(after),
                difference: percentiles(difference),
            });
        }
    }
    let compared = all.into_iter().map(|(months, sums)| {
        let mut sums = sums.into_iter().map(percentiles);
        let mut next = || sums.next().unwrap_or_default();
        Compared {
            months,
            sum: [next(), next(), next()],
            paths,
        }
    });
    Some(compared.collect())
}

/// Turns the quantities of drivers into those of the scenario.
fn map(
    drivers: &[Driver],
    usage: &[Vec<f64>],
    mapping: &UsageMapping,
    paths: usize,
) -> (Vec<Driver>, Vec<Vec<f64>>) {
    let mut columns: BTreeMap<(UsageKey, Unit), Vec<f64>> = BTreeMap::new();
    let mut add_to = |key: &UsageKey, unit: Unit, share: f64, column: &[f64]| {
        let sum = columns
            .entry((key.clone(), unit))
            .or_insert_with(|| vec![0.0; paths]);
        for (sum, value) in sum.iter_mut().zip(column) {
            *sum += value * share;
        }
    };
    for (driver, column) in drivers.iter().zip(usage) {
        match mapping.shares.get(&driver.key) {
            None => add_to(&driver.key, driver.unit, 1.0, column),
            Some(shares) => {
                for (key, unit, share) in shares {
                    add_to(key, *unit, float(*share), column);
                }
            }
        }
    }
    for (key, unit, quantity) in &mapping.added {
        let sum = columns
            .entry((key.clone(), *unit))
            .or_insert_with(|| vec![0.0; paths]);
        shift(sum, float(*quantity));
        // There are no fewer than none.
        for value in sum {
            *value = value.max(0.0);
        }
    }
    columns
        .into_iter()
        .map(|((key, unit), column)| {
            let driver = Driver {
                keys: vec![key.clone()],
                key,
                unit,
                of_costs: false,
                kind: SeriesKind::Units(BTreeMap::new()),
                month_to_date: 0.0,
                parts: Vec::new(),
            };
            (driver, column)
        })
        .unzip()
}

fn float(value: Decimal) -> f64 {
    value.to_f64().unwrap_or_default()
}
