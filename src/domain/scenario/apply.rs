//! A scenario applied to a month: builds one by one where they are known, totals where not.
//!
//! Selectors speak of the baseline: a build that one change moves is still meant by another under
//! its old name. So it does not matter which change comes first, except that of two moves of one
//! build the later holds.

mod elsewhere;
mod onto_fleet;
mod totals;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    change::{Change, Selector, Subject, Target},
    duration::{DurationFactor, TimedBuild, billed_units},
    offered,
    remark::{Assumption, Unknown, Warning},
    workload::{Basis, PipelineUse, UsageGroup, Workload, grain_of},
};
use crate::domain::{
    allowance::FreeTier,
    catalog::{Catalog, Compute, Grain},
    ids::{AccountId, Meter, Region, ResourceId},
    plan::{PipelineType, PricingTerms},
    quantity::{Quantity, Unit},
    services::{ACTION_MINUTE, ACTIVE_PIPELINE, CODEBUILD, CODEPIPELINE, TRIAL_PIPELINE},
    storage::{GRACE_DAYS, stored},
    usage::UsageKey,
};

/// Usage under the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioUsage {
    /// The group it comes from; none for usage that the scenario adds.
    pub from: Option<usize>,
    /// Whose, where, what.
    pub key: UsageKey,
    /// The day whose prices hold.
    pub day: NaiveDate,
    /// The price its rows were billed at, if it is still the same meter there.
    pub rate: Option<Decimal>,
    /// How much.
    pub quantity: Quantity,
}

/// How far a change reached, for those who ask what it rests on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChangeCoverage {
    /// Builds that were metered again one by one.
    pub builds: u64,
    /// Quantities that were changed as totals, by unit.
    pub totals: BTreeMap<Unit, Decimal>,
    /// Pipelines that were changed.
    pub pipelines: u64,
}

/// What a scenario makes of a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The usage.
    pub pieces: Vec<ScenarioUsage>,
    /// Prices, free tier and discounts.
    pub terms: PricingTerms,
    /// How far each change reached, in their order.
    pub reach: Vec<ChangeCoverage>,
    /// What could break.
    pub warnings: BTreeSet<Warning>,
    /// What the figures assume.
    pub assumptions: BTreeSet<Assumption>,
    /// What cannot be known without being stated.
    pub unknown: BTreeSet<Unknown>,
    /// Pipelines without recorded runs were taken to be like others.
    pub guessed: bool,
}

/// What happens to one group.
#[derive(Clone, Copy)]
struct GroupChange<'c> {
    /// So many times as many, and each so many times as long.
    many: Decimal,
    long: Decimal,
    target: Option<(usize, &'c Target, Decimal)>,
    region: Option<&'c Region>,
    /// For how many days it is kept.
    days: Option<Decimal>,
    /// Its repository is public, where that matters.
    public: bool,
}

/// Which groups each selector means.
pub(super) trait Selects {
    /// Returns them in order.
    fn groups(&self, only: &Selector) -> std::rc::Rc<[usize]>;
}

struct Application<'a> {
    workload: &'a Workload,
    catalog: &'a Catalog,
    changes: &'a [&'a Change],
    out: Applied,
    /// Builds that take too long, by where they would go, its limit and their project.
    too_long: BTreeMap<(String, i64, Option<String>), u64>,
}

/// Applies changes to a month.
pub(super) fn apply(
    workload: &Workload,
    catalog: &Catalog,
    terms: &PricingTerms,
    changes: &[&Change],
    selects: &dyn Selects,
) -> Applied {
    let mut application = Application {
        workload,
        catalog,
        changes,
        out: Applied {
            pieces: Vec::with_capacity(workload.groups.len()),
            terms: terms.clone(),
            reach: vec![ChangeCoverage::default(); changes.len()],
            warnings: BTreeSet::new(),
            assumptions: BTreeSet::new(),
            unknown: BTreeSet::new(),
            guessed: false,
        },
        too_long: BTreeMap::new(),
    };
    application.run(selects);
    application.out
}

impl<'a> Application<'a> {
    fn run(&mut self, selects: &dyn Selects) {
        if self
            .changes
            .iter()
            .any(|change| change.storage_kind().is_some())
        {
            self.out.assumptions.insert(Assumption::IncludesStorage);
        }
        let mut group_changes = self.group_changes(selects);
        let moved = self.pipeline_types(&mut group_changes);
        let mut fleets: BTreeMap<(usize, Option<AccountId>, Region), Vec<usize>> = BTreeMap::new();
        for (at, group_change) in group_changes.iter().enumerate() {
            let Some(group_change) = group_change else {
                continue;
            };
            let group = &self.workload.groups[at];
            match group_change.target {
                Some((change, Target::Fleet { .. }, _)) => {
                    let region = group_change.region.unwrap_or(&group.key.region).clone();
                    fleets
                        .entry((change, group.key.account.clone(), region))
                        .or_default()
                        .push(at);
                }
                _ => self.group(at, group, *group_change),
            }
        }
        let month = self.workload.month;
        let too_long = std::mem::take(&mut self.too_long).into_iter();
        self.out
            .warnings
            .extend(
                too_long.map(|((compute, limit, project), builds)| Warning::TooLong {
                    month,
                    compute,
                    minutes: limit / 60_000,
                    project,
                    builds,
                }),
            );
        self.out.pieces.extend(moved);
        for ((change, _, region), groups) in fleets {
            self.fleet(change, &region, &groups, &group_changes);
        }
        for (at, change) in self.changes.iter().copied().enumerate() {
            match change {
                Change::Total { of, only, to } => self.total(at, of, only, *to),
                Change::SecurityBaseline => self.security_baseline(),
                Change::FreeTier(on) => {
                    self.out.terms.free_tier = if *on { FreeTier::Payer } else { FreeTier::None };
                }
                Change::Price(price) => self.out.terms.prices.push(price.clone()),
                Change::Discount(discount) => self.out.terms.discounts.push(discount.clone()),
                Change::PriceLike(region) => self.out.terms.price_like = Some(region.clone()),
                Change::Plan { vendor, plan, .. } => match plan {
                    Some(plan) => drop(self.out.terms.plans.insert(vendor.clone(), plan.clone())),
                    None => drop(self.out.terms.plans.remove(vendor)),
                },
                _ => {}
            }
        }
        self.terms_elsewhere();
    }

    /// Says what happens to each group; none for groups that a pipeline takes along.
    fn group_changes(&mut self, selects: &dyn Selects) -> Vec<Option<GroupChange<'a>>> {
        let same = GroupChange {
            many: Decimal::ONE,
            long: Decimal::ONE,
            target: None,
            region: None,
            days: None,
            public: false,
        };
        let workload = self.workload;
        let mut group_changes = vec![Some(same); workload.groups.len()];
        for (at, change) in self.changes.iter().copied().enumerate() {
            let Some(only) = change.selector() else {
                continue;
            };
            let is_of_builds = matches!(
                change,
                Change::Builds { .. }
                    | Change::Minutes { .. }
                    | Change::Compute { .. }
                    | Change::Repository { .. }
            );
            let left = change.storage_kind();
            if !is_of_builds && left.is_none() && !matches!(change, Change::Region { .. }) {
                continue;
            }
            for &group_at in selects.groups(only).iter() {
                let group = &workload.groups[group_at];
                let Some(group_change) = &mut group_changes[group_at] else {
                    continue;
                };
                let on_demand = self
                    .catalog
                    .computes
                    .iter()
                    .any(|c| c.meter == group.key.meter && c.grain != Grain::Provisioned);
                let resource = group.resource.as_ref().map(ResourceId::as_str);
                let is_other = left.is_some() && stored(&group.key.meter, resource) != left;
                if (is_of_builds && !on_demand) || is_other {
                    continue;
                }
                match change {
                    Change::Retention { days, .. } => {
                        group_change.days =
                            Some(group_change.days.map_or(*days, |known| known.min(*days)));
                    }
                    Change::Builds { times, .. } | Change::Storage { times, .. } => {
                        group_change.many *= *times;
                    }
                    Change::Minutes { times, .. } => group_change.long *= *times,
                    Change::Compute { to, speed, .. } => {
                        group_change.target = Some((at, to, *speed));
                    }
                    Change::Repository { public, .. } => {
                        group_change.public = *public;
                        continue;
                    }
                    Change::Region { to, .. } if group.key.region != Region::global() => {
                        group_change.region = Some(to);
                    }
                    _ => continue,
                }
                let reach = &mut self.out.reach[at];
                let builds = group.builds.iter().map(|build| u64::from(build.count));
                reach.builds += builds.sum::<u64>();
                if !group.rest.is_zero() {
                    *reach.totals.entry(group.unit).or_default() += group.rest;
                }
            }
        }
        group_changes
    }

    /// Turns pipelines into their other type: their groups go, what they would bill comes.
    fn pipeline_types(
        &mut self,
        group_changes: &mut [Option<GroupChange<'a>>],
    ) -> Vec<ScenarioUsage> {
        let mut moved: BTreeMap<usize, (PipelineType, Option<Decimal>, usize)> = BTreeMap::new();
        for (change_at, change) in self.changes.iter().copied().enumerate() {
            let Change::PipelineType { only, to, minutes } = change else {
                continue;
            };
            for (at, pipeline) in self.workload.pipelines.iter().enumerate() {
                if pipeline.kind != *to && self.is_meant(pipeline, only) {
                    moved.insert(at, (*to, *minutes, change_at));
                }
            }
        }
        let mut pieces = Vec::new();
        for (at, (to, stated, change)) in moved {
            let pipeline = &self.workload.pipelines[at];
            let (usage_type, unit, quantity) = match to {
                PipelineType::V1 if pipeline.counts => {
                    (ACTIVE_PIPELINE, Unit::Pipeline, pipeline.count)
                }
                PipelineType::V1 => (TRIAL_PIPELINE, Unit::Pipeline, pipeline.count),
                PipelineType::V2 => {
                    let known = pipeline.minutes.map(|(minutes, basis)| {
                        self.note_basis(basis);
                        minutes
                    });
                    let Some(minutes) = stated.or(known) else {
                        self.out.unknown.insert(Unknown::PipelineMinutes {
                            pipeline: pipeline.name.clone(),
                        });
                        continue;
                    };
                    let quantity = minutes * pipeline.count;
                    (ACTION_MINUTE, Unit::Minute, quantity)
                }
            };
            self.out.reach[change].pipelines +=
                u64::try_from(pipeline.count.ceil()).unwrap_or(u64::MAX);
            let first = &self.workload.groups[pipeline.groups[0]];
            let region =
                group_changes[pipeline.groups[0]].and_then(|group_change| group_change.region);
            for group in &pipeline.groups {
                group_changes[*group] = None;
            }
            pieces.push(ScenarioUsage {
                from: Some(pipeline.groups[0]),
                key: UsageKey {
                    meter: Meter::new(CODEPIPELINE, usage_type),
                    region: region.unwrap_or(&pipeline.key.region).clone(),
                    ..pipeline.key.clone()
                },
                day: first.day,
                rate: None,
                quantity: Quantity::new(quantity, unit),
            });
        }
        pieces
    }

    fn note_basis(&mut self, basis: Basis) {
        self.out.assumptions.insert(match basis {
            Basis::Known => return,
            Basis::BuildsAndRuns => Assumption::MinutesFromBuilds,
            Basis::LikeOthers => {
                self.out.guessed = true;
                Assumption::MinutesLikeOthers
            }
        });
    }

    fn is_meant(&self, pipeline: &PipelineUse, only: &Selector) -> bool {
        let group = &self.workload.groups[pipeline.groups[0]];
        only.matches(
            &Subject {
                resource: pipeline.name.as_deref(),
                region: &pipeline.key.region,
                ..group.subject()
            },
            self.catalog,
        )
    }

    /// Meters a group again.
    fn group(&mut self, at: usize, group: &'a UsageGroup, group_change: GroupChange<'a>) {
        let from = grain_of(group, self.catalog);
        let slower = DurationFactor::of(group_change.long, Decimal::ONE);
        let Some((_, target, speed)) = group_change.target else {
            if let Some(days) = group_change.days {
                return self.keep_for(at, group, group_change, days);
            }
            let billed = Decimal::from(billed_units(&group.builds, from, slower));
            let quantity = (billed + slower.times(group.rest)) * group_change.many;
            self.piece(at, group, group_change.region, None, quantity, group.unit);
            return;
        };
        let to = target.compute();
        let pace = DurationFactor::of(group_change.long, speed);
        let limit = target.limit();
        let fits =
            |build: &TimedBuild| limit.is_none_or(|limit| pace.milliseconds(build.length) <= limit);
        let all_fit = group.builds.iter().all(fits);
        let (go, stay): (Vec<TimedBuild>, Vec<TimedBuild>) = if all_fit {
            (Vec::new(), Vec::new())
        } else {
            group.builds.iter().copied().partition(fits)
        };
        let goes = if all_fit { &group.builds } else { &go };
        if !stay.is_empty() {
            let count: u64 = stay.iter().map(|build| u64::from(build.count)).sum();
            let which = (to.name.clone(), limit.unwrap_or_default(), group.name());
            *self.too_long.entry(which).or_default() += count;
            let quantity = Decimal::from(billed_units(&stay, from, slower)) * group_change.many;
            self.piece(at, group, group_change.region, None, quantity, group.unit);
        }
        self.say_what_a_move_means(to, speed);
        let unit = if to.grain == Grain::Second {
            Unit::Second
        } else {
            Unit::Minute
        };
        let rest = pace.times(group.rest);
        let rest = match (group.unit, unit) {
            (Unit::Minute, Unit::Second) => rest * Decimal::from(60),
            (Unit::Second, Unit::Minute) => rest / Decimal::from(60),
            _ => rest,
        };
        let quantity =
            (Decimal::from(billed_units(goes, to.grain, pace)) + rest) * group_change.many;
        match target {
            Target::Elsewhere(runner) => {
                let quantity = Quantity::new(quantity, unit);
                self.piece_elsewhere(at, group, runner, group_change.public, quantity);
            }
            _ => self.piece(at, group, group_change.region, Some(to), quantity, unit),
        }
    }

    /// Keeps what is stored for some days: as much as they bring, and no more than there was.
    fn keep_for(
        &mut self,
        at: usize,
        group: &'a UsageGroup,
        group_change: GroupChange<'a>,
        days: Decimal,
    ) {
        let left = group
            .daily_growth
            .and_then(|a_day| a_day.kept(group.rest, days));
        let quantity = if let Some(left) = left {
            self.out
                .assumptions
                .insert(Assumption::Expiry { days: GRACE_DAYS });
            left
        } else {
            self.out.unknown.insert(Unknown::Retention {
                store: group.name().unwrap_or_default(),
                days,
            });
            group.rest
        };
        self.piece(
            at,
            group,
            group_change.region,
            None,
            quantity * group_change.many,
            group.unit,
        );
    }

    fn say_what_a_move_means(&mut self, to: &Compute, speed: Decimal) {
        let compute = to.name.clone();
        self.out.assumptions.insert(if speed == Decimal::ONE {
            Assumption::SameDuration { compute }
        } else {
            Assumption::Speed { compute, speed }
        });
        if to.grain == Grain::Second && to.meter.service.as_str() == CODEBUILD {
            self.out.warnings.insert(Warning::LambdaLimits);
        }
        if to.name.starts_with("arm") || to.name.contains(".arm.") {
            self.out.warnings.insert(Warning::NeedsArm);
        }
    }

    fn piece(
        &mut self,
        at: usize,
        group: &UsageGroup,
        region: Option<&Region>,
        to: Option<&Compute>,
        quantity: Decimal,
        unit: Unit,
    ) {
        let mut key = group.key.clone();
        let mut rate = group.rate;
        let meter = to.map_or(&key.meter, |to| &to.meter);
        let region =
            region.filter(|region| **region != key.region && self.moves(group, meter, region));
        if let Some(region) = region {
            key.region = region.clone();
            rate = None;
        }
        if let Some(to) = to.filter(|to| to.meter != key.meter) {
            key.meter = to.meter.clone();
            rate = None;
        }
        self.out.pieces.push(ScenarioUsage {
            from: Some(at),
            key,
            day: group.day,
            rate,
            quantity: Quantity::new(quantity, unit),
        });
    }

    /// Tells whether AWS sells a meter in another region; notes what stays because it does not.
    fn moves(&mut self, group: &UsageGroup, meter: &Meter, to: &Region) -> bool {
        let stays = offered::stays(self.catalog, &self.out.terms.prices, group, meter, to);
        let moves = stays.is_none();
        self.out.warnings.extend(stays);
        moves
    }
}
