//! From stated usage to records.

use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;

use super::{BuildAmount, Item, Pipeline, PipelineType, Plan, Stage};
use crate::domain::{
    catalog::{Catalog, Compute},
    ids::{Meter, Region, ResourceId},
    metering::{
        codebuild,
        codepipeline::{self, V1Activity},
    },
    number::plain,
    quantity::{Quantity, Unit},
    services::{
        ACTION_MINUTE, ACTIVE_PIPELINE, CODECOMMIT, CODEDEPLOY, CODEPIPELINE, GIT_REQUESTS,
        ON_PREMISES_UPDATE, REPOSITORY_STORAGE, TRIAL_PIPELINE, USER_MONTH,
    },
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// What a record carries besides its quantity.
pub(super) struct Stated {
    pub(super) builds: Option<(u32, TimeDelta)>,
    pub(super) metering: Option<String>,
    pub(super) consumed: Option<Quantity>,
    pub(super) resource: Option<ResourceId>,
    pub(super) origin: Arc<str>,
}

impl Stated {
    pub(super) fn new(origin: &Arc<str>) -> Self {
        Self {
            builds: None,
            metering: None,
            consumed: None,
            resource: None,
            origin: origin.clone(),
        }
    }
}

pub(super) struct Metering<'a> {
    pub(super) plan: &'a Plan,
    pub(super) catalog: &'a Catalog,
    pub(super) records: Vec<(UsageRecord, Option<(u32, TimeDelta)>)>,
}

impl<'a> Metering<'a> {
    pub(super) fn new(plan: &'a Plan, catalog: &'a Catalog) -> Self {
        Self {
            plan,
            catalog,
            records: Vec::new(),
        }
    }

    pub(super) fn item(&mut self, item: &Item, origin: &Arc<str>) {
        let (service, usage_type, unit, value) = match item {
            Item::ActiveUsers(n) => (CODECOMMIT, USER_MONTH, Unit::User, n),
            Item::GitRequests(n) => (CODECOMMIT, GIT_REQUESTS, Unit::Request, n),
            Item::RepositoryStorage(n) => (CODECOMMIT, REPOSITORY_STORAGE, Unit::GbMonth, n),
            Item::V1Pipelines(n) => (CODEPIPELINE, ACTIVE_PIPELINE, Unit::Pipeline, n),
            Item::V1Trials(n) => (CODEPIPELINE, TRIAL_PIPELINE, Unit::Pipeline, n),
            Item::V2ActionMinutes(n) => (CODEPIPELINE, ACTION_MINUTE, Unit::Minute, n),
            Item::OnPremisesUpdates(n) => (CODEDEPLOY, ON_PREMISES_UPDATE, Unit::Update, n),
            Item::Builds(compute, amount) => {
                return self.builds(compute, *amount, Stated::new(origin), "builds");
            }
            Item::Metered {
                service,
                usage_type,
                quantity,
            } => {
                let (region, meter) =
                    self.catalog
                        .locate(service, usage_type, Some(&self.plan.region));
                let unit = self
                    .catalog
                    .meter(service, meter.usage_type.as_str())
                    .map_or(Unit::Unspecified, |info| info.unit);
                return self.push_in(
                    region,
                    meter,
                    Quantity::new(*quantity, unit),
                    Stated::new(origin),
                );
            }
        };
        self.push(
            Meter::new(service, usage_type),
            Quantity::new(*value, unit),
            Stated::new(origin),
        );
    }

    pub(super) fn builds(
        &mut self,
        compute: &Compute,
        amount: BuildAmount,
        stated: Stated,
        noun: &str,
    ) {
        let meter = compute.meter.clone();
        match amount {
            BuildAmount::Billed(value) => {
                let unit = codebuild::billed(compute.grain, TimeDelta::zero()).unit;
                self.push(meter, Quantity::new(value, unit), stated);
            }
            BuildAmount::Builds { count, duration } => {
                let metered = codebuild::billed(compute.grain, duration);
                let one = Quantity::new(metered.value.max(compute.minimum), metered.unit);
                let billed = Quantity::new(one.value * Decimal::from(count), one.unit);
                let consumed = codebuild::consumed(count, duration);
                let metering = format!("{count} {noun} of {} are {one} each", seconds(duration));
                // A minimum is no rounding: what is billed is not the length of a build.
                let is_exact = metered == one;
                let stated = Stated {
                    builds: is_exact.then_some((count, duration)),
                    metering: Some(metering),
                    consumed: Some(consumed),
                    ..stated
                };
                self.push(meter, billed, stated);
            }
        }
    }

    pub(super) fn pipeline(&mut self, pipeline: &Pipeline, origin: &Arc<str>) {
        let runs = pipeline.runs.in_month(self.plan.month);
        let stated = || Stated {
            resource: Some(ResourceId::new(&pipeline.name)),
            ..Stated::new(origin)
        };
        if pipeline.kind == PipelineType::V1 {
            self.v1_pipeline(pipeline, runs, stated());
        }
        let whole_runs = u32::try_from(runs).unwrap_or(u32::MAX);
        for stage in &pipeline.stages {
            self.stage(pipeline, stage, whole_runs, stage.duration, &stated);
        }
        for failed in &pipeline.failed {
            for (at, stage) in pipeline.stages.iter().enumerate().take(failed.stage + 1) {
                let duration = if at == failed.stage {
                    failed.duration
                } else {
                    stage.duration
                };
                self.stage(pipeline, stage, failed.count, duration, &stated);
            }
        }
    }

    pub(super) fn v1_pipeline(&mut self, pipeline: &Pipeline, runs: Decimal, stated: Stated) {
        let month = self.plan.month;
        let created = pipeline.created.unwrap_or(NaiveDate::MIN);
        let changes = if runs.is_zero() {
            Vec::new()
        } else {
            month.days().collect()
        };
        let changes = changes.into_iter().filter(|day| *day >= created);
        let (usage_type, why) = match codepipeline::v1_activity(created, changes, month) {
            V1Activity::Active => (ACTIVE_PIPELINE, "a code change after its first 30 days"),
            V1Activity::Trial => (TRIAL_PIPELINE, "within its first 30 days"),
            V1Activity::Idle => return,
        };
        let metering = Some(format!("{}: {why}", pipeline.name));
        let one = Quantity::new(Decimal::ONE, Unit::Pipeline);
        self.push(
            Meter::new(CODEPIPELINE, usage_type),
            one,
            Stated { metering, ..stated },
        );
    }

    pub(super) fn stage(
        &mut self,
        pipeline: &Pipeline,
        stage: &Stage,
        runs: u32,
        duration: TimeDelta,
        stated: &dyn Fn() -> Stated,
    ) {
        if runs == 0 {
            return;
        }
        if let Some(compute) = &stage.compute {
            let noun = format!("{} builds", stage.name);
            self.builds(
                compute,
                BuildAmount::Builds {
                    count: runs,
                    duration,
                },
                stated(),
                &noun,
            );
        }
        let one = codepipeline::action_minutes(stage.action, duration);
        if pipeline.kind == PipelineType::V2 && !one.value.is_zero() {
            let metering = format!(
                "{runs} {} actions of {} are {one} each",
                stage.name,
                seconds(duration)
            );
            self.push(
                Meter::new(CODEPIPELINE, ACTION_MINUTE),
                Quantity::new(one.value * Decimal::from(runs), one.unit),
                Stated {
                    metering: Some(metering),
                    consumed: Some(codebuild::consumed(runs, duration)),
                    ..stated()
                },
            );
        }
        if stage.on_premises_targets > 0 {
            let targets = Decimal::from(stage.on_premises_targets);
            let metering = format!("{runs} deployments to {targets} on-premises targets");
            self.push(
                Meter::new(CODEDEPLOY, ON_PREMISES_UPDATE),
                Quantity::new(targets * Decimal::from(runs), Unit::Update),
                Stated {
                    metering: Some(metering),
                    ..stated()
                },
            );
        }
    }

    pub(super) fn push(&mut self, meter: Meter, quantity: Quantity, stated: Stated) {
        let region = self
            .catalog
            .billing_region(&meter.service, &self.plan.region);
        self.push_in(region, meter, quantity, stated);
    }

    pub(super) fn push_in(
        &mut self,
        region: Region,
        meter: Meter,
        quantity: Quantity,
        stated: Stated,
    ) {
        let builds = stated.builds;
        let record = UsageRecord {
            month: self.plan.month,
            day: self.plan.month.first_day(),
            last_day: self.plan.month.first_day(),
            currency: self.catalog.currency(&region),
            key: UsageKey {
                payer: None,
                account: None,
                region,
                meter,
            },
            kind: ChargeKind::Usage,
            resource: stated.resource,
            tags: Arc::default(),
            quantity: Some(quantity),
            consumed: stated.consumed,
            metering: stated.metering.map(Arc::from),
            billed: None,
            origin: stated.origin,
        };
        self.records.push((record, builds));
    }
}

pub(super) fn seconds(duration: TimeDelta) -> String {
    let milliseconds = i128::from(duration.num_milliseconds());
    format!(
        "{} s",
        plain(Decimal::from_i128_with_scale(milliseconds, 3))
    )
}
