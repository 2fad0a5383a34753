//! From what AWS's APIs say happened to usage records: each build, action, pipeline and update under
//! the rules of its service, then summed by day and resource.
//!
//! What cannot be counted becomes a gap with a name. Nothing is ever counted as zero because it was
//! not understood.

mod finish;

pub use super::options::{MeteringOptions, QueuedTime};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

pub use super::events::{
    AccountRegion, Action, Build, Execution, FleetSeen, Pipeline, Sandbox, StartedBy, Target,
};
use super::{
    codebuild::{self, NotBilled},
    codecommit::Identity,
    codedeploy::{FailedUpdates, TargetOutcome, updates},
    codepipeline::{ActionKind, V1Activity, action_minutes, clip, code_changes, v1_activity},
};
use crate::domain::{
    catalog::{Catalog, Grain},
    ids::AccountId,
    period::Month,
    quantity::{Quantity, Unit},
    remark::Remark,
    services::{
        ACTION_MINUTE, ACTIVE_PIPELINE, CODEBUILD, CODEDEPLOY, CODEPIPELINE, ON_PREMISES_UPDATE,
        SANDBOX, TRIAL_PIPELINE,
    },
    usage::{Gap, UsageRecord},
};

/// The tag that names the pipeline a build was started by.
pub const PIPELINE_TAG: &str = "pipebill:pipeline";

/// Usage that follows from what happened in a month.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metered {
    /// The usage.
    pub records: Vec<UsageRecord>,
    /// What is missing from it.
    pub gaps: Vec<Gap>,
    /// Which open rule was read how, and how much hangs on it.
    pub notes: Vec<Remark>,
}

/// What one record is kept apart by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) day: NaiveDate,
    pub(super) place: AccountRegion,
    pub(super) service: &'static str,
    pub(super) usage_type: Arc<str>,
    pub(super) resource: Option<Arc<str>>,
    pub(super) pipeline: Option<Arc<str>>,
}

struct Sum {
    things: u64,
    billed: Quantity,
    milliseconds: i64,
    noun: &'static str,
    how: &'static str,
}

/// Counts V1 pipelines under both readings of "active".
#[derive(Default)]
struct ActiveCount {
    by_code_change: u64,
    by_any_run: u64,
}

/// Meters one month. Facts of other months that are handed in are left out.
pub struct Metering<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) month: Month,
    options: MeteringOptions,
    groups: BTreeMap<Group, Sum>,
    identities: BTreeMap<AccountId, BTreeSet<Identity>>,
    v1: BTreeMap<AccountRegion, ActiveCount>,
    /// By what is missing and why: how many.
    gaps: BTreeMap<(String, String), u64>,
    pub(super) overflowing: BTreeSet<String>,
    built_on: BTreeMap<String, u64>,
    /// Minutes of actions that run commands.
    commands: BTreeMap<AccountRegion, Decimal>,
    notes: Vec<Remark>,
}

impl<'c> Metering<'c> {
    /// Begins with nothing.
    pub fn new(catalog: &'c Catalog, month: Month, options: MeteringOptions) -> Self {
        Self {
            catalog,
            month,
            options,
            groups: BTreeMap::new(),
            identities: BTreeMap::new(),
            v1: BTreeMap::new(),
            gaps: BTreeMap::new(),
            overflowing: BTreeSet::new(),
            built_on: BTreeMap::new(),
            commands: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// Meters a build: rounded up by itself, on the day it was submitted.
    pub fn build(&mut self, place: &AccountRegion, build: &Build) {
        let day = build.submitted.date_naive();
        if !self.month.contains(day) {
            return;
        }
        let usage = codebuild::build_usage(self.catalog, self.options.queued_time, build);
        match usage {
            Err(NotBilled::Running) => {
                self.gap(
                    format!("CodeBuild builds in {}", shown(place)),
                    "still running, or deleted before they were seen to end".to_owned(),
                );
                return;
            }
            Err(NotBilled::OnFleet) => {
                let fleet = build.fleet.clone().unwrap_or_default();
                *self.built_on.entry(fleet).or_default() += 1;
                return;
            }
            Err(NotBilled::NoMeter) | Ok(_) => {}
        }
        if build.docker_server {
            self.gap(
                format!("Docker servers of CodeBuild builds in {}", shown(place)),
                "they bill apart, and how long each ran is stated nowhere".to_owned(),
            );
        }
        let Ok(usage) = usage else {
            self.gap(
                format!("CodeBuild builds in {}", shown(place)),
                format!("no meter is known for {}", build.compute),
            );
            return;
        };
        let (grain, meter) = (usage.compute.grain, &usage.compute.meter);
        self.add(
            Group {
                day,
                place: place.clone(),
                service: CODEBUILD,
                usage_type: Arc::from(meter.usage_type.as_str()),
                resource: Some(self.arn("codebuild", place, &format!("project/{}", build.project))),
                pipeline: build.pipeline.as_deref().map(Arc::from),
            },
            usage.billed,
            usage.duration,
            (
                "build",
                match grain {
                    Grain::Second => "each rounded up to the second",
                    Grain::Minute | Grain::Provisioned => "each rounded up to the minute",
                },
            ),
        );
    }

    /// Meters a sandbox: every started second, on the day it began.
    pub fn sandbox(&mut self, place: &AccountRegion, sandbox: &Sandbox) {
        let day = sandbox.began.date_naive();
        // On a fleet its machines are billed.
        if !self.month.contains(day) || sandbox.fleet.is_some() {
            return;
        }
        let Some(ended) = sandbox.ended else {
            self.gap(
                format!("CodeBuild sandboxes in {}", shown(place)),
                "still running when they were read".to_owned(),
            );
            return;
        };
        let time = (ended - sandbox.began).max(TimeDelta::zero());
        self.add(
            Group {
                day,
                place: place.clone(),
                service: CODEBUILD,
                usage_type: Arc::from(SANDBOX),
                resource: Some(self.arn(
                    "codebuild",
                    place,
                    &format!("project/{}", sandbox.project),
                )),
                pipeline: None,
            },
            codebuild::billed(Grain::Second, time),
            time,
            ("sandbox", "each rounded up to the second"),
        );
    }

    /// Meters a V1 pipeline from its runs of the month in order of time, given what the run before
    /// them brought. Pipelines of other kinds are metered by their actions.
    pub fn pipeline(
        &mut self,
        place: &AccountRegion,
        pipeline: &Pipeline,
        before: Option<&Execution>,
        runs: &[Execution],
    ) {
        match pipeline.kind.as_str() {
            "V1" => {}
            "V2" => return,
            other => {
                self.gap(
                    format!("CodePipeline pipelines in {}", shown(place)),
                    format!("pipeline type {other} is not known"),
                );
                return;
            }
        }
        let Some(created) = pipeline.created else {
            self.gap(
                format!("CodePipeline pipelines in {}", shown(place)),
                "their day of creation is not stated".to_owned(),
            );
            return;
        };
        let changes = code_changes(before, runs);
        let created = created.date_naive();
        let any_run = runs.iter().map(|run| run.started.date_naive());
        let strict = v1_activity(created, changes.iter().copied(), self.month);
        let count = self.v1.entry(place.clone()).or_default();
        count.by_any_run +=
            u64::from(v1_activity(created, any_run, self.month) == V1Activity::Active);
        count.by_code_change += u64::from(strict == V1Activity::Active);
        let usage_type = match strict {
            V1Activity::Active => ACTIVE_PIPELINE,
            V1Activity::Trial => TRIAL_PIPELINE,
            V1Activity::Idle => return,
        };
        // Billed whole, on the first day that makes it so.
        let in_month = changes.into_iter().filter(|day| self.month.contains(*day));
        let day = in_month
            .filter(|day| {
                strict == V1Activity::Trial
                    || v1_activity(created, [*day], self.month) == V1Activity::Active
            })
            .min();
        let Some(day) = day else { return };
        self.add(
            Group {
                day,
                place: place.clone(),
                service: CODEPIPELINE,
                usage_type: Arc::from(usage_type),
                resource: Some(self.arn("codepipeline", place, &pipeline.name)),
                pipeline: Some(Arc::from(pipeline.name.as_str())),
            },
            Quantity::new(Decimal::ONE, Unit::Pipeline),
            TimeDelta::zero(),
            ("pipeline", "with a code change in the month"),
        );
    }

    /// Meters an action of a V2 pipeline: the part in this month, rounded up by itself.
    pub fn action(&mut self, place: &AccountRegion, action: &Action) {
        let Some(ended) = action.ended else {
            if self.month.contains(action.started.date_naive()) {
                self.gap(
                    format!("CodePipeline actions in {}", shown(place)),
                    "still running when they were read".to_owned(),
                );
            }
            return;
        };
        let time = clip(action.started, ended, self.month);
        if time.is_zero() {
            return;
        }
        let kind = ActionKind::of(&action.category, &action.owner);
        let known = [
            "Source", "Build", "Test", "Deploy", "Invoke", "Approval", "Compute",
        ];
        if !known.contains(&action.category.as_str()) {
            self.gap(
                format!("CodePipeline actions in {}", shown(place)),
                format!(
                    "category {} is not known: counted like any other",
                    action.category
                ),
            );
        }
        let minutes = action_minutes(kind, time);
        if action.category == "Compute" {
            *self.commands.entry(place.clone()).or_default() += minutes.value;
        }
        if minutes.value.is_zero() {
            return;
        }
        let day = action.started.date_naive().max(self.month.first_day());
        self.add(
            Group {
                day,
                place: place.clone(),
                service: CODEPIPELINE,
                usage_type: Arc::from(ACTION_MINUTE),
                resource: Some(self.arn("codepipeline", place, &action.pipeline)),
                pipeline: Some(Arc::from(action.pipeline.as_str())),
            },
            minutes,
            time,
            ("action", "each rounded up to the minute"),
        );
    }

    /// Meters one update of an on-premises instance.
    pub fn target(&mut self, place: &AccountRegion, target: &Target) {
        if !self.month.contains(target.day) {
            return;
        }
        let outcome = match target.status.as_str() {
            "Succeeded" => TargetOutcome::Updated,
            "Failed" => TargetOutcome::Failed,
            "Skipped" => TargetOutcome::Skipped,
            other => {
                let why = match other {
                    "Pending" | "InProgress" | "Ready" => "not done when they were read".to_owned(),
                    other => format!("status {other} is not known"),
                };
                self.gap(format!("CodeDeploy updates in {}", shown(place)), why);
                return;
            }
        };
        let billed = updates([outcome], self.options.failed_updates);
        if billed.value.is_zero() {
            return;
        }
        self.add(
            Group {
                day: target.day,
                place: place.clone(),
                service: CODEDEPLOY,
                usage_type: Arc::from(ON_PREMISES_UPDATE),
                resource: Some(self.arn(
                    "codedeploy",
                    place,
                    &format!("application:{}", target.application),
                )),
                pipeline: None,
            },
            billed,
            TimeDelta::zero(),
            (
                "update",
                match self.options.failed_updates {
                    FailedUpdates::Billed => "failed ones counted, skipped ones not",
                    FailedUpdates::Free => "neither failed nor skipped ones counted",
                },
            ),
        );
    }

    /// Notes an identity that touched `CodeCommit` in the month.
    pub fn identity(&mut self, account: &AccountId, identity: Identity) {
        self.identities
            .entry(account.clone())
            .or_default()
            .insert(identity);
    }

    /// Names something that was not collected.
    pub fn missing(&mut self, what: String, reason: String) {
        self.gap(what, reason);
    }

    pub(super) fn add(
        &mut self,
        group: Group,
        billed: Quantity,
        time: TimeDelta,
        (noun, how): (&'static str, &'static str),
    ) {
        let sum = self.groups.entry(group).or_insert_with(|| Sum {
            things: 0,
            billed: Quantity::new(Decimal::ZERO, billed.unit),
            milliseconds: 0,
            noun,
            how,
        });
        sum.things += 1;
        sum.billed.value += billed.value;
        sum.milliseconds = sum.milliseconds.saturating_add(time.num_milliseconds());
    }

    pub(super) fn gap(&mut self, what: String, reason: String) {
        *self.gaps.entry((what, reason)).or_default() += 1;
    }

    fn arn(&self, service: &str, place: &AccountRegion, rest: &str) -> Arc<str> {
        let partition = self
            .catalog
            .regions
            .get(&place.region)
            .map_or("aws", |info| info.partition.as_str());
        Arc::from(format!(
            "arn:{partition}:{service}:{}:{}:{rest}",
            place.region, place.account
        ))
    }
}

pub(super) fn shown(place: &AccountRegion) -> String {
    format!("{}, account {}", place.region, place.account)
}

pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).expect("midnight exists").and_utc()
}
