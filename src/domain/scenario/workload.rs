//! A month's usage as scenarios work on it: billed or stated totals, with the builds behind them
//! where those are known.
//!
//! What a bill says and what AWS's APIs say is the same usage told twice. Here the known builds
//! stand for the part of a billed quantity that they explain, and the rest of it, which may be
//! below zero, stays a total: nothing is counted twice and nothing is lost.

mod gathering;

use self::gathering::{Gathering, ROUNDED};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::change::Subject;
pub use super::duration::{DurationFactor, TimedBuild, billed_units};
use crate::domain::{
    allocation::short_name,
    catalog::{Catalog, Grain},
    ids::{AccountId, Currency, Region, ResourceId},
    metering::{
        codepipeline::{V1Activity, code_changes, v1_activity},
        events::{AccountRegion, Build, Execution, Pipeline},
    },
    period::Month,
    plan::{PipelineType, Plan},
    price_book::PriceBook,
    quantity::Unit,
    services::{ACTION_MINUTE, ACTIVE_PIPELINE, CODEPIPELINE, TRIAL_PIPELINE},
    share_out::Policy,
    storage::{DailyGrowth, History, Store, stored},
    usage::{Tags, UsageKey, UsageRecord},
    utilization,
};

/// Usage that every change treats alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageGroup {
    /// Whose, where, what.
    pub key: UsageKey,
    /// A day of it: its price holds for all of it.
    pub day: NaiveDate,
    /// Of what.
    pub resource: Option<ResourceId>,
    /// The pipeline that started the builds.
    pub pipeline: Option<Arc<str>>,
    /// Its tags.
    pub tags: Tags,
    /// The unit of the quantities.
    pub unit: Unit,
    /// The price its rows were billed at, where the bill shows it.
    pub rate: Option<Decimal>,
    /// The builds that are known one by one.
    pub builds: Vec<TimedBuild>,
    /// What is billed beyond them.
    pub rest: Decimal,
    /// Of logs and artifacts in storage: what a day of keeping them adds, where that is known.
    pub daily_growth: Option<DailyGrowth>,
}

/// Where the V2 minutes of a pipeline that is V1 come from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Basis {
    /// It is V2, or its stages are stated.
    Known,
    /// Its builds, and a minute of source for each run.
    BuildsAndRuns,
    /// As many as the mean of the V2 pipelines.
    LikeOthers,
}

/// A pipeline in the month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelineUse {
    /// Its name; none for those a bill only counts.
    pub name: Option<String>,
    /// How many: one, or as many as a bill counts.
    pub count: Decimal,
    /// Whose and where.
    pub key: UsageKey,
    /// Its type in the month.
    pub kind: PipelineType,
    /// What it would count as V1: active or not.
    pub counts: bool,
    /// What it would bill as V2, in action minutes of each, and how that is known.
    pub minutes: Option<(Decimal, Basis)>,
    /// Runs in the month, where they are known.
    pub runs: Option<u64>,
    /// Runs that brought a code change.
    pub code_changes: Option<u64>,
    /// Its groups.
    pub groups: Vec<usize>,
}

/// What became of a build, for those that were looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuildEvent {
    /// Where.
    pub place: AccountRegion,
    /// The build.
    pub build: Build,
}

/// A pipeline with what ran through it in a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelineActivity {
    /// Where.
    pub place: AccountRegion,
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Runs in the month.
    pub runs: u64,
    /// Runs that brought a code change.
    pub code_changes: u64,
    /// What it counts as.
    pub activity: V1Activity,
}

impl PipelineActivity {
    /// Counts the runs of a month.
    pub fn of(
        place: &AccountRegion,
        pipeline: &Pipeline,
        before: Option<&Execution>,
        runs: &[Execution],
        month: Month,
    ) -> Self {
        let changes = code_changes(before, runs);
        let created = pipeline
            .created
            .map_or(NaiveDate::MIN, |at| at.date_naive());
        Self {
            place: place.clone(),
            pipeline: pipeline.clone(),
            runs: runs.len() as u64,
            code_changes: changes.len() as u64,
            activity: v1_activity(created, changes, month),
        }
    }
}

/// What AWS's APIs say happened in a month, as far as scenarios ask.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MonthEvents {
    /// Builds.
    pub builds: Vec<BuildEvent>,
    /// Pipelines.
    pub pipelines: Vec<PipelineActivity>,
    /// What builds used of their machines, by project and day.
    pub utilization: Vec<utilization::Seen>,
}

/// A month's usage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workload {
    /// Which month.
    pub month: Month,
    /// What it is billed in.
    pub currency: Currency,
    /// The usage.
    pub groups: Vec<UsageGroup>,
    /// The pipelines among it.
    pub pipelines: Vec<PipelineUse>,
    /// Who uses and where, for usage that a scenario adds.
    pub home: UsageKey,
    /// Builds known one by one.
    pub builds: u64,
    /// Runs of pipelines, where they are known or stated.
    pub runs: Option<Decimal>,
    /// Days of the month that the usage speaks for.
    pub days: u32,
    /// How free units are shared. Which rows a bill showed as free says nothing of usage that was not
    /// billed: there they go by quantity.
    pub sharing: Policy,
}

impl UsageGroup {
    /// Returns what a selector looks at.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            meter: &self.key.meter,
            account: self.key.account.as_ref(),
            region: &self.key.region,
            resource: self.resource.as_ref().map(ResourceId::as_str),
            pipeline: self.pipeline.as_deref(),
            tags: &self.tags,
        }
    }

    /// Returns the name of its project, pipeline or repository.
    pub fn name(&self) -> Option<String> {
        self.resource
            .as_ref()
            .map(|resource| short_name(resource.as_str()))
    }
}

impl Workload {
    /// Gathers recorded usage of a month, and the builds and pipelines behind it.
    pub fn recorded(
        month: Month,
        currency: Currency,
        records: &[UsageRecord],
        book: &PriceBook<'_>,
        facts: &MonthEvents,
    ) -> Self {
        Self::recorded_to_share(month, currency, records, book, facts, Policy::Proportional)
    }

    /// Gathers the same, each day apart if free units go to the earliest usage.
    pub fn recorded_to_share(
        month: Month,
        currency: Currency,
        records: &[UsageRecord],
        book: &PriceBook<'_>,
        facts: &MonthEvents,
        sharing: Policy,
    ) -> Self {
        let mut gathering = Gathering::new(month, currency, book);
        if sharing == Policy::Chronological {
            gathering.boundaries = month.days().skip(1).collect();
        }
        for record in records {
            gathering.record(record, Vec::new());
        }
        gathering.explain(facts);
        let mut workload = gathering.finish();
        workload.sharing = sharing;
        workload.find_pipelines(book.catalog, facts);
        workload
    }

    /// Gathers stated usage.
    pub fn stated(plan: &Plan, currency: Currency, book: &PriceBook<'_>) -> Self {
        let mut gathering = Gathering::new(plan.month, currency, book);
        for (record, builds) in plan.metered(book.catalog) {
            let builds = builds.map(|(count, length)| TimedBuild {
                start: None,
                length: length.num_milliseconds(),
                count,
            });
            gathering.record(&record, builds.into_iter().collect());
        }
        let mut workload = gathering.finish();
        workload.home.region = plan.region.clone();
        workload.runs = Some(plan.pipelines_and_runs().1);
        workload.find_pipelines(book.catalog, &MonthEvents::default());
        for (shape, _) in &plan.pipelines {
            let found = workload
                .pipelines
                .iter_mut()
                .find(|found| found.name.as_deref() == Some(&shape.name));
            if let Some(found) = found {
                let (counts, minutes) = plan.as_either(shape, book.catalog);
                found.counts = counts;
                found.minutes = Some((minutes, Basis::Known));
            }
        }
        workload
    }

    /// Adds what lies in storage as a bill has it, each at the price it was billed at.
    pub fn add_storage(&mut self, records: &[UsageRecord], history: &History) {
        for record in records {
            let quantity = record.quantity.filter(|quantity| !quantity.value.is_zero());
            let is_stored = stored(
                &record.key.meter,
                record.resource.as_ref().map(ResourceId::as_str),
            );
            let (Some(quantity), Some(_)) = (quantity, is_stored) else {
                continue;
            };
            let is_ours = record.month == self.month && record.currency == self.currency;
            let billed = record.billed.as_ref().filter(|_| is_ours);
            let Some(cost) = billed.map(|billed| billed.cost.amount()) else {
                continue;
            };
            let stated = billed.and_then(|billed| billed.rate);
            let rate = stated.filter(|rate| (rate * quantity.value - cost).abs() < ROUNDED);
            self.groups.push(UsageGroup {
                key: record.key.clone(),
                day: self.month.first_day(),
                resource: record.resource.clone(),
                pipeline: None,
                tags: record.tags.clone(),
                unit: quantity.unit,
                rate: rate.or_else(|| cost.checked_div(quantity.value)),
                builds: Vec::new(),
                rest: quantity.value,
                daily_growth: None,
            });
        }
        self.know_a_day(history);
    }

    /// Notes what a day of keeping adds to each group of storage: its share of its store's.
    fn know_a_day(&mut self, history: &History) {
        let store = |group: &UsageGroup| {
            let resource = group.resource.as_ref()?.as_str();
            let left = stored(&group.key.meter, Some(resource))?;
            Some(Store {
                kind: left,
                account: group.key.account.clone(),
                region: group.key.region.clone(),
                name: short_name(resource),
            })
        };
        let mut totals: BTreeMap<Store, Decimal> = BTreeMap::new();
        for group in &self.groups {
            if let Some(store) = store(group) {
                *totals.entry(store).or_default() += group.rest;
            }
        }
        for group in &mut self.groups {
            let Some(store) = store(group) else { continue };
            let share = group.rest.checked_div(totals[&store]).unwrap_or_default();
            group.daily_growth = history.daily_growth(&store).map(|a_day| a_day.times(share));
        }
    }

    /// Returns the same month with the usage of one service alone. Nothing but its own usage shares its
    /// free units and tiers.
    pub(crate) fn of_service(&self, service: &str) -> Self {
        let is_of = |group: &&UsageGroup| group.key.meter.service.as_str() == service;
        Self {
            groups: self.groups.iter().filter(is_of).cloned().collect(),
            ..self.without_lots()
        }
    }

    /// Returns the same month without its usage.
    pub(super) fn without_lots(&self) -> Self {
        Self {
            groups: Vec::new(),
            pipelines: Vec::new(),
            currency: self.currency.clone(),
            home: self.home.clone(),
            ..*self
        }
    }

    /// Returns the quantity of a group.
    pub fn quantity(&self, group: &UsageGroup, catalog: &Catalog) -> Decimal {
        let grain = grain_of(group, catalog);
        Decimal::from(billed_units(&group.builds, grain, DurationFactor::SAME)) + group.rest
    }

    fn find_pipelines(&mut self, catalog: &Catalog, facts: &MonthEvents) {
        type Name = (Option<AccountId>, Option<String>, bool);
        let mut found: BTreeMap<Name, PipelineUse> = BTreeMap::new();
        for (at, group) in self.groups.iter().enumerate() {
            let v1 = match (
                group.key.meter.service.as_str(),
                group.key.meter.usage_type.as_str(),
            ) {
                (CODEPIPELINE, ACTIVE_PIPELINE | TRIAL_PIPELINE) => true,
                (CODEPIPELINE, ACTION_MINUTE) => false,
                _ => continue,
            };
            // What a bill does not name cannot be told apart: its V2 minutes are no pipeline.
            let name = group.name();
            if name.is_none() && !v1 {
                continue;
            }
            let quantity = self.quantity(group, catalog);
            let active = group.key.meter.usage_type.as_str() == ACTIVE_PIPELINE;
            let entry = found
                .entry((group.key.account.clone(), name.clone(), v1))
                .or_insert_with(|| PipelineUse {
                    name,
                    count: Decimal::ZERO,
                    key: group.key.clone(),
                    kind: if v1 {
                        PipelineType::V1
                    } else {
                        PipelineType::V2
                    },
                    counts: !v1,
                    minutes: (!v1).then_some((Decimal::ZERO, Basis::Known)),
                    runs: None,
                    code_changes: None,
                    groups: Vec::new(),
                });
            entry.groups.push(at);
            entry.counts |= active;
            // Free units stand without a region; the pipeline does not.
            if entry.key.region == Region::global() {
                entry.key.region = group.key.region.clone();
            }
            if v1 {
                entry.count += quantity;
            } else {
                entry.count = Decimal::ONE;
                if let Some((minutes, _)) = &mut entry.minutes {
                    *minutes += quantity;
                }
            }
        }
        let mut all: Vec<PipelineUse> = found.into_values().collect();
        let known: Vec<Decimal> = all
            .iter()
            .filter_map(|p| Some(p.minutes?.0).filter(|m| !m.is_zero()))
            .collect();
        let mean = (!known.is_empty())
            .then(|| (known.iter().sum::<Decimal>() / Decimal::from(known.len())).round());
        let mut built: HashMap<(&str, &str), i128> = HashMap::new();
        for BuildEvent { place, build } in &facts.builds {
            if let (Some(pipeline), Some(ended)) = (&build.pipeline, build.ended) {
                let from = build.provisioned.unwrap_or(build.submitted);
                let length = (ended - from).num_milliseconds().max(0);
                *built.entry((place.account.as_str(), pipeline)).or_default() += i128::from(length)
                    .div_euclid(60_000)
                    + i128::from(length.rem_euclid(60_000) > 0);
            }
        }
        for pipeline in &mut all {
            let seen = facts.pipelines.iter().find(|seen| {
                Some(seen.pipeline.name.as_str()) == pipeline.name.as_deref()
                    && pipeline.key.account.as_ref() == Some(&seen.place.account)
            });
            if let Some(seen) = seen {
                pipeline.runs = Some(seen.runs);
                pipeline.code_changes = Some(seen.code_changes);
                if pipeline.kind == PipelineType::V2 {
                    pipeline.counts = seen.activity == V1Activity::Active;
                } else if seen.runs > 0 {
                    let name = (seen.place.account.as_str(), seen.pipeline.name.as_str());
                    let builds = built.get(&name).copied().unwrap_or(0);
                    let minutes = Decimal::from(builds) + Decimal::from(seen.runs);
                    pipeline.minutes = Some((minutes, Basis::BuildsAndRuns));
                }
            }
            if pipeline.minutes.is_none() {
                pipeline.minutes = mean.map(|mean| (mean, Basis::LikeOthers));
            }
        }
        if !facts.pipelines.is_empty() {
            let runs: u64 = facts.pipelines.iter().map(|seen| seen.runs).sum();
            self.runs = Some(Decimal::from(runs));
        }
        self.pipelines = all;
    }
}

/// How a compute type of the catalogue meters, for a group of `CodeBuild`.
pub(super) fn grain_of(group: &UsageGroup, catalog: &Catalog) -> Grain {
    let compute = catalog
        .computes
        .iter()
        .find(|compute| compute.meter == group.key.meter);
    compute.map_or(Grain::Minute, |compute| compute.grain)
}
