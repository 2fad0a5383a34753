//! Draws the months of all drivers: daily ones by whole weeks, whole units by their own model.

use std::collections::BTreeMap;

use super::{
    columns::{add, float, percentiles, shift},
    expect::{self, Changes, Expected, Horizon},
    options::ForecastOptions,
    paths::{self, Weeks},
    random::Random,
    series::{Driver, SeriesKind},
    units::Units,
};
use crate::domain::{
    allocation::{Dimension, allocate},
    percentiles::Percentiles,
    rating::Rated,
    share_out::Policy,
    usage::UsageRecord,
};

/// A driver with its model.
pub(super) enum Model {
    Daily(Box<Expected>),
    Units(Units),
}

/// Builds the models of all drivers.
pub(super) fn models(drivers: &[Driver], horizon: &Horizon, changes: &Changes<'_>) -> Vec<Model> {
    on_all_processors(drivers, |driver| model(driver, horizon, changes))
}

/// Does the same for each item, on as many threads as there are processors, in order.
fn on_all_processors<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let size = items.len().div_ceil(threads).max(4);
    let work = &work;
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(size)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| match part.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn model(driver: &Driver, horizon: &Horizon, changes: &Changes<'_>) -> Model {
    match &driver.kind {
        SeriesKind::Daily(daily) => Model::Daily(Box::new(expect::expect(daily, horizon, changes))),
        SeriesKind::Units(months) => {
            Model::Units(Units::of(months, horizon.months[0], horizon.last_day))
        }
    }
}

/// Draws the months of all drivers, one after the other.
pub(super) struct Sampler<'d> {
    drivers: &'d [Driver],
    models: &'d [Model],
    lasting: Weeks,
    weeks: Weeks,
    random: Random,
    /// Counts of whole units: driver, month, path.
    units: Vec<Vec<Vec<f64>>>,
}

impl<'d> Sampler<'d> {
    pub(super) fn new(
        drivers: &'d [Driver],
        models: &'d [Model],
        horizon: &Horizon,
        options: &ForecastOptions,
    ) -> Self {
        let mut random = Random::new(options.seed);
        let months = horizon.months.len();
        let units = models
            .iter()
            .zip(drivers)
            .map(|(model, driver)| match model {
                Model::Daily(_) => Vec::new(),
                Model::Units(units) => {
                    let mut columns = vec![vec![0.0; options.paths]; months];
                    for path in 0..options.paths {
                        // A stream for each path: what a month draws must not depend on how many
                        // follow it.
                        let mut random = random.fork();
                        let mut rounding = random.fork();
                        let counts = units.draw(months - 1, &mut random);
                        for ((at, value), column) in
                            counts.into_iter().enumerate().zip(&mut columns)
                        {
                            column[path] = if at == 0 {
                                (value - driver.month_to_date).max(0.0)
                            } else {
                                let factor = options.growth.after(expect::days_ahead(horizon, at));
                                whole(value * factor, rounding.share())
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
            lasting: paths::draw_weeks(options.paths, &mut random),
            weeks: Vec::new(),
            random,
            units,
        }
    }

    /// Samples what each driver adds to a month.
    pub(super) fn month(&mut self, at: usize) -> Vec<Vec<f64>> {
        self.weeks = paths::draw_weeks(self.lasting.len(), &mut self.random);
        // Each driver has a stream of its own, so that the order of work does not matter.
        let drivers: Vec<(&Model, Random)> = self
            .models
            .iter()
            .map(|model| (model, self.random.fork()))
            .collect();
        let mut columns = on_all_processors(&drivers, |(model, random)| match model {
            Model::Daily(expected) => {
                paths::sample(expected, at, &self.lasting, &self.weeks, random.clone())
            }
            Model::Units(_) => Vec::new(),
        });
        for (column, units) in columns.iter_mut().zip(&mut self.units) {
            if let Some(counts) = units.get_mut(at) {
                *column = std::mem::take(counts);
            }
        }
        columns
    }

    /// Shares the costs of a month among the parts asked for, path by path: as the weeks that a path
    /// drew were shared. What is known is shared as it was used.
    pub(super) fn parts(
        &self,
        costs: &[Vec<f64>],
        fixed: Option<&Rated>,
        records: &[UsageRecord],
        by: Option<(&Dimension, Policy)>,
    ) -> Vec<(Option<String>, Percentiles)> {
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
        if let Some(rated) = fixed {
            let known = allocate(rated, records, by, policy);
            for share in known.shares {
                let name = (!share.residual).then_some(share.part);
                let known = float(share.cost);
                let column = columns.entry(name).or_insert_with(|| vec![0.0; paths]);
                shift(column, known);
            }
        }
        let mut parts: Vec<(Option<String>, Percentiles)> = columns
            .into_iter()
            .map(|(name, column)| (name, percentiles(column)))
            .collect();
        // Nobody owes nothing.
        parts.retain(|(name, range)| name.is_some() || *range != Percentiles::default());
        parts.sort_by(|a, b| (a.0.is_none(), b.1.p50, &a.0).cmp(&(b.0.is_none(), a.1.p50, &b.0)));
        parts
    }
}

/// Rounds to a whole number so that the mean stays.
fn whole(value: f64, draw: f64) -> f64 {
    (value + draw).floor()
}
