//! Builds and actions of a month, summed up by what explains their cost.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::subject::{Started, Subject};
use crate::domain::{
    catalog::{Catalog, Grain},
    ids::{AccountId, Meter, Region},
    metering::{
        codepipeline::{ActionKind, action_minutes, clip},
        events::{AccountRegion, Action, Build, StartedBy},
    },
    period::Month,
    scenario::workload::{DurationFactor, TimedBuild, billed_units},
    services::{ACTION_MINUTE, CODEBUILD, CODEPIPELINE},
};

/// A project or a pipeline.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Worker {
    /// `CodeBuild` or `CodePipeline`, as bills call them.
    pub service: &'static str,
    /// In which account.
    pub account: AccountId,
    /// In which region.
    pub region: Region,
    /// Its name.
    pub name: Arc<str>,
    /// What started the builds, if a pipeline did.
    pub pipeline: Option<Arc<str>>,
}

/// Work of one kind on one day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cell {
    /// It did not succeed.
    pub failed: bool,
    /// What it is billed as.
    pub meter: Meter,
    /// On which day.
    pub day: NaiveDate,
}

/// Builds or actions together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// How long they took, in milliseconds.
    pub milliseconds: i64,
    /// What is billed of them: each rounded up by itself.
    pub units: i64,
    /// How many of them each way of starting has, in the order of [`StartedBy::ALL`].
    pub started_by: [u64; 4],
}

/// All builds and actions of a month that are known one by one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Work(BTreeMap<Worker, BTreeMap<Cell, Sum>>);

impl Work {
    /// Adds a build, if it was billed on demand and is over.
    pub fn build(&mut self, catalog: &Catalog, place: &AccountRegion, build: &Build) {
        let on_demand = build.fleet.is_none().then_some(build.ended).flatten();
        let compute = catalog.compute(&build.compute);
        let (Some(ended), Some(compute)) = (on_demand, compute) else {
            return;
        };
        let from = build.provisioned.unwrap_or(build.submitted);
        let length = (ended - from).num_milliseconds().max(0);
        let worker = Worker {
            service: CODEBUILD,
            account: place.account.clone(),
            region: place.region.clone(),
            name: Arc::from(build.project.as_str()),
            pipeline: build.pipeline.as_deref().map(Arc::from),
        };
        let cell = Cell {
            failed: build.status.as_deref().is_some_and(|s| s != "SUCCEEDED"),
            meter: compute.meter.clone(),
            day: build.submitted.date_naive(),
        };
        let units = units_of(compute.grain, length);
        self.add(worker, cell, length, units, build.started_by);
    }

    /// Adds the part of an action of a V2 pipeline that lies in a month, if it is billed.
    pub fn action(&mut self, place: &AccountRegion, action: &Action, month: Month) {
        let Some(ended) = action.ended else { return };
        let time = clip(action.started, ended, month);
        let kind = ActionKind::of(&action.category, &action.owner);
        let minutes = action_minutes(kind, time);
        if minutes.value.is_zero() {
            return;
        }
        let worker = Worker {
            service: CODEPIPELINE,
            account: place.account.clone(),
            region: place.region.clone(),
            name: Arc::from(action.pipeline.as_str()),
            pipeline: Some(Arc::from(action.pipeline.as_str())),
        };
        let cell = Cell {
            failed: false,
            meter: Meter::new(CODEPIPELINE, ACTION_MINUTE),
            day: action.started.date_naive().max(month.first_day()),
        };
        let length = time.num_milliseconds();
        self.add(worker, cell, length, units_of(Grain::Minute, length), None);
    }

    fn add(
        &mut self,
        worker: Worker,
        cell: Cell,
        milliseconds: i64,
        units: i64,
        started_by: Option<StartedBy>,
    ) {
        let sum = self.0.entry(worker).or_default().entry(cell).or_default();
        sum.count += 1;
        sum.milliseconds = sum.milliseconds.saturating_add(milliseconds);
        sum.units = sum.units.saturating_add(units);
        let way = started_by.and_then(|by| StartedBy::ALL.iter().position(|way| *way == by));
        if let Some(way) = way {
            sum.started_by[way] += 1;
        }
    }

    /// Returns the work of a project or pipeline, that of one starting pipeline alone where it is asked for.
    pub(super) fn of(&self, subject: &Subject) -> BTreeMap<Cell, Sum> {
        let mut found: BTreeMap<Cell, Sum> = BTreeMap::new();
        for (worker, cells) in self.workers(subject) {
            let is_meant = match &subject.started {
                Started::Anyhow => true,
                Started::By(pipeline) => worker.pipeline == *pipeline,
            };
            if is_meant {
                for (cell, sum) in cells {
                    found.entry(cell.clone()).or_default().join(sum);
                }
            }
        }
        found
    }

    /// Returns what is known of a subject, by the pipeline that started it.
    fn workers(&self, subject: &Subject) -> Vec<(&Worker, &BTreeMap<Cell, Sum>)> {
        let mut known = [CODEBUILD, CODEPIPELINE].into_iter();
        let service = known.find(|service| subject.service.as_str() == *service);
        let (Some(service), Some(name)) = (service, &subject.name) else {
            return Vec::new();
        };
        let Some(account) = &subject.account else {
            return self.0.iter().filter(|(it, _)| it.is(subject)).collect();
        };
        // They stand together, in the order of the map.
        let first = Worker {
            service,
            account: account.clone(),
            region: subject.region.clone(),
            name: Arc::clone(name),
            pipeline: None,
        };
        let from_there = self.0.range(first..);
        from_there.take_while(|(it, _)| it.is(subject)).collect()
    }

    /// Returns what each pipeline started of a project on a meter, in billed units.
    pub(super) fn by_pipeline(
        &self,
        subject: &Subject,
        meter: &Meter,
    ) -> BTreeMap<Option<Arc<str>>, Decimal> {
        let mut shares: BTreeMap<Option<Arc<str>>, Decimal> = BTreeMap::new();
        for (worker, cells) in self.workers(subject) {
            let of_meter = cells.iter().filter(|(cell, _)| cell.meter == *meter);
            let units: i64 = of_meter.map(|(_, sum)| sum.units).sum();
            if units > 0 {
                *shares.entry(worker.pipeline.clone()).or_default() += Decimal::from(units);
            }
        }
        shares
    }
}

impl Worker {
    fn is(&self, subject: &Subject) -> bool {
        subject.service.as_str() == self.service
            && subject.account.as_ref().is_none_or(|a| *a == self.account)
            && subject.region == self.region
            && subject.name.as_ref() == Some(&self.name)
    }
}

impl Sum {
    pub(super) fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.milliseconds = self.milliseconds.saturating_add(other.milliseconds);
        self.units = self.units.saturating_add(other.units);
        for (sum, more) in self.started_by.iter_mut().zip(other.started_by) {
            *sum += more;
        }
    }
}

fn units_of(grain: Grain, length: i64) -> i64 {
    let one = TimedBuild {
        start: None,
        length,
        count: 1,
    };
    billed_units(&[one], grain, DurationFactor::SAME)
}
