//! What builds and pipelines leave in storage: logs of builds, artifacts of pipelines.
//!
//! A bill has them among S3 and `CloudWatch`, by bucket and log group. What they cost is part of those
//! services' totals already: here they are told apart, never added.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    allocation::short_name,
    ids::{AccountId, Meter, Region},
    money::Money,
    period::Month,
    services::{CLOUDWATCH, CODEBUILD, CODEPIPELINE, S3},
    usage::{ChargeKind, UsageRecord},
};

/// What is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StorageKind {
    /// Log groups of builds and pipelines.
    Logs,
    /// Buckets with artifacts.
    Artifacts,
}

impl StorageKind {
    /// Returns the word in the names of changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "log",
            Self::Artifacts => "artifact",
        }
    }

    /// Returns what a name without a word before it means in a scenario.
    pub fn usual(self) -> &'static str {
        match self {
            Self::Logs => "project",
            Self::Artifacts => "resource",
        }
    }

    /// Returns the service that stores it, by the code that bills use.
    pub fn service(self) -> &'static str {
        match self {
            Self::Logs => CLOUDWATCH,
            Self::Artifacts => S3,
        }
    }

    /// Returns what a service stores of ours.
    pub fn of_service(service: &str) -> Option<Self> {
        let both = [Self::Logs, Self::Artifacts];
        both.into_iter().find(|left| left.service() == service)
    }

    /// Returns the parts of names that say that a resource of the service is ours.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Logs => &LOG_GROUPS,
            Self::Artifacts => &BUCKETS,
        }
    }

    /// Tells whether a resource of the service, as a bill writes it, is ours.
    pub fn has(self, resource: &[u8]) -> bool {
        contains_any(resource, self.names())
    }
}

/// Parts of a usage type that say storage, or logs taken in.
pub const MEASURES: [&str; 3] = ["TimedStorage-", "DataProcessing", "VendedLog"];

/// Parts of the names of log groups that builds and pipelines write to.
pub const LOG_GROUPS: [&str; 2] = ["/aws/codebuild/", "/aws/codepipeline/"];

/// Parts of the names of buckets with artifacts: those that `CodePipeline` makes, and those whose name
/// says so.
pub const BUCKETS: [&str; 2] = ["codepipeline-", "artifact"];

fn contains_any(text: &[u8], parts: &[&str]) -> bool {
    // What is no text is none of ours either.
    str::from_utf8(text).is_ok_and(|text| parts.iter().any(|part| text.contains(part)))
}

/// Tells whether a usage type, as a bill writes it, may be about such storage.
pub fn is_measure(usage_type: &[u8]) -> bool {
    contains_any(usage_type, &MEASURES)
}

/// Returns what of a meter lies in storage, by the month.
pub fn stored(meter: &Meter, resource: Option<&str>) -> Option<StorageKind> {
    let left = StorageKind::of_service(meter.service.as_str())?;
    let is_stored = meter.usage_type.as_str().starts_with("TimedStorage-");
    let is_ours = resource.is_some_and(|resource| left.has(resource.as_bytes()));
    (is_stored && is_ours).then_some(left)
}

/// Returns the project whose builds write to a log group.
pub fn project(log_group: &str) -> Option<&str> {
    log_group.strip_prefix("/aws/codebuild/")
}

/// A log group or a bucket.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Store {
    /// What is in it.
    pub kind: StorageKind,
    /// Whose.
    pub account: Option<AccountId>,
    /// Where.
    pub region: Region,
    /// Its name.
    pub name: String,
}

impl Store {
    /// Returns the log group or bucket that a record is about, and whether it is what lies there; else
    /// it is what was taken in.
    pub fn of(record: &UsageRecord) -> Option<(Self, bool)> {
        let resource = record.resource.as_ref()?.as_str();
        let meter = &record.key.meter;
        let left = StorageKind::of_service(meter.service.as_str())?;
        if !left.has(resource.as_bytes()) || !is_measure(meter.usage_type.as_str().as_bytes()) {
            return None;
        }
        let store = Self {
            kind: left,
            account: record.key.account.clone(),
            region: record.key.region.clone(),
            name: short_name(resource),
        };
        Some((
            store,
            meter.usage_type.as_str().starts_with("TimedStorage-"),
        ))
    }

    /// Returns the project whose builds write here.
    pub fn project(&self) -> Option<&str> {
        project(&self.name)
    }
}

/// Whether a month's bill tells of single log groups and buckets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ResourceDetail {
    /// It does.
    Present,
    /// Its export names no resources.
    NotInExport,
    /// It was imported before this was read.
    NotImported,
}

/// A month of a log group or bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InMonth {
    /// GB stored, as the mean over the month.
    pub stored: Decimal,
    /// What storing them cost.
    pub cost: Money,
    /// GB of logs taken in.
    pub taken_in: Decimal,
}

/// Log groups and buckets over the months on record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The months, in order.
    pub months: Vec<Month>,
    /// What each had, by the place of the month.
    pub stores: BTreeMap<Store, Vec<InMonth>>,
    /// Months in which a project built, by account and name.
    pub built: BTreeMap<(Option<AccountId>, String), BTreeSet<Month>>,
    /// Months in which pipelines were billed, by account and region.
    pub ran: BTreeMap<(Option<AccountId>, Region), BTreeSet<Month>>,
    /// Whether single log groups and buckets are known of the last month. The months are those before
    /// it of which they are known as well.
    pub told: Option<ResourceDetail>,
}

/// How much of the logs taken in is stored at the least, being packed: AWS's Pricing Calculator
/// reckons so. What the bills show counts where it is more.
fn packed() -> Decimal {
    Decimal::new(15, 2)
}

/// Days for which what has expired may still lie there.
pub const GRACE_DAYS: u32 = 3;

/// Months in a row that a pattern must hold.
pub const IN_A_ROW: usize = 3;

fn days(month: Month) -> Decimal {
    Decimal::from(month.days().count())
}

impl History {
    /// Gathers a month: its storage, and where the code services were used.
    pub fn of_month<'r>(
        month: Month,
        told: ResourceDetail,
        records: impl IntoIterator<Item = &'r UsageRecord>,
    ) -> Self {
        let mut of = Self {
            months: vec![month],
            told: Some(told),
            ..Self::default()
        };
        for record in records {
            let used = record.quantity.filter(|quantity| !quantity.value.is_zero());
            let Some(quantity) = used.filter(|_| record.kind == ChargeKind::Usage) else {
                continue;
            };
            let account = record.key.account.clone();
            match record.key.meter.service.as_str() {
                CODEBUILD => {
                    if let Some(resource) = &record.resource {
                        let project = (account, short_name(resource.as_str()));
                        of.built.entry(project).or_default().insert(month);
                    }
                }
                CODEPIPELINE => {
                    // Free units stand without a region; the pipeline's name has it.
                    let arn = record.resource.as_ref().map(|it| it.as_str().split(':'));
                    let own = arn.and_then(|mut parts| parts.nth(3)).map(Region::from);
                    let place = (account, own.unwrap_or_else(|| record.key.region.clone()));
                    of.ran.entry(place).or_default().insert(month);
                }
                _ => {
                    let Some((store, is_stored)) = Store::of(record) else {
                        continue;
                    };
                    let months = of.stores.entry(store).or_default();
                    months.resize(1, InMonth::default());
                    let own = &mut months[0];
                    if is_stored {
                        own.stored += quantity.value;
                        let billed = record.billed.as_ref();
                        own.cost += billed.map_or(Money::ZERO, |billed| billed.cost);
                    } else {
                        own.taken_in += quantity.value;
                    }
                }
            }
        }
        of
    }

    /// Puts single months together, in their order. Nothing is known across a month that does not
    /// tell.
    pub fn of<'h>(months: impl IntoIterator<Item = &'h Self>) -> Self {
        let mut all = Self::default();
        for one in months {
            if all.told != one.told || one.told != Some(ResourceDetail::Present) {
                all = Self {
                    told: one.told,
                    ..Self::default()
                };
            }
            let before = all.months.len();
            all.months.extend(&one.months);
            for (store, own) in &one.stores {
                let months = all.stores.entry(store.clone()).or_default();
                months.resize(before, InMonth::default());
                months.extend(own);
            }
            for months in all.stores.values_mut() {
                months.resize(all.months.len(), InMonth::default());
            }
            for (project, months) in &one.built {
                all.built.entry(project.clone()).or_default().extend(months);
            }
            for (place, months) in &one.ran {
                all.ran.entry(place.clone()).or_default().extend(months);
            }
        }
        all
    }

    /// Returns the last month in which a log group or bucket had work: builds of its project, or
    /// pipelines of its account and region. None if no month on record had any.
    pub fn last_work(&self, store: &Store) -> Option<Month> {
        match store.kind {
            StorageKind::Logs => {
                let project = (store.account.clone(), store.project()?.to_owned());
                self.built.get(&project)?.last().copied()
            }
            StorageKind::Artifacts => {
                let here = |(account, region): &(Option<AccountId>, Region)| {
                    *account == store.account
                        && (*region == store.region || *region == Region::global())
                };
                let months = self.ran.iter().filter(|(place, _)| here(place));
                months
                    .filter_map(|(_, months)| months.last())
                    .max()
                    .copied()
            }
        }
    }

    /// Tells whether what is stored grew from each of its months to the next, at least over
    /// [`IN_A_ROW`] of them.
    pub fn grows(&self, store: &Store) -> bool {
        let months = self.stores.get(store).map_or(&[][..], Vec::as_slice);
        let first = months.iter().position(|month| !month.stored.is_zero());
        let own = &months[first.unwrap_or(months.len())..];
        own.len() >= IN_A_ROW && own.is_sorted_by(|a, b| a.stored < b.stored)
    }

    /// Returns what a day of keeping adds at the most, as far as the months on record tell: the growth
    /// of the month that grew most, or of logs, if that is more, what was taken in on the busiest
    /// month's days, packed as it was stored. None for a bucket from which something was deleted: what
    /// it took in no bill says.
    pub fn daily_growth(&self, store: &Store) -> Option<DailyGrowth> {
        let months = self.stores.get(store)?;
        if store.kind == StorageKind::Artifacts && !self.grows(store) {
            return None;
        }
        let mut gb = Decimal::ZERO;
        let mut share = packed();
        for ((month, own), before) in self.months.iter().zip(months).skip(1).zip(months) {
            if before.stored.is_zero() {
                continue;
            }
            let growth = own.stored - before.stored;
            gb = gb.max(growth / days(*month));
            // From the middle of a month to the middle of the next.
            let taken_in = (own.taken_in + before.taken_in) / Decimal::TWO;
            share = share.max(growth.checked_div(taken_in).unwrap_or_default());
        }
        for (month, own) in self.months.iter().zip(months) {
            gb = gb.max(own.taken_in * share / days(*month));
        }
        Some(DailyGrowth {
            gb,
            days: self.months.iter().map(|month| days(*month)).sum(),
        })
    }
}

/// What a day of keeping adds to a log group or bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DailyGrowth {
    /// So many GB at the most.
    pub gb: Decimal,
    /// For how many days that is on record.
    pub days: Decimal,
}

impl DailyGrowth {
    /// Returns a share of it.
    #[must_use]
    pub fn times(self, share: Decimal) -> Self {
        Self {
            gb: self.gb * share,
            ..self
        }
    }

    /// Returns what is left of so many stored GB if each is kept for some days only; none if those are
    /// more than are on record.
    pub fn kept(self, stored: Decimal, days: Decimal) -> Option<Decimal> {
        let most = self.gb * (days + Decimal::from(GRACE_DAYS));
        let most = most.round_dp_with_strategy(6, RoundingStrategy::AwayFromZero);
        (days <= self.days).then(|| stored.min(most))
    }
}
