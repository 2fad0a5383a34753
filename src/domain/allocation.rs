//! Whose a bill is: its lines shared among accounts, projects, tags or cost centres.
//!
//! The cost of one build or project is not a fact but a share of the month: free minutes and tiers
//! belong to nobody in particular. Every share here is labelled with the policy that made it, and
//! what belongs to nobody is named.

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;

pub use super::share_out::Policy;
use super::{
    bill::{Bill, LineItem},
    gl::GlMapping,
    money::Money,
    rating::Rated,
    share_out::share_money,
    usage::{JOB_TAG, REPOSITORY_TAG, UsageRecord, WORKFLOW_TAG},
};

/// What a month is shared by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dimension {
    /// The account that used.
    Account,
    /// The project, pipeline or repository.
    Resource,
    /// The value of a tag.
    Tag(String),
    /// The service.
    Service,
    /// The region.
    Region,
    /// The meter.
    Meter,
    /// The day of usage.
    Day,
    /// The repository of a CI job.
    Repository,
    /// The workflow of a CI job.
    Workflow,
    /// The CI job, by its name.
    Job,
    /// The cost centre that a mapping posts it to.
    CostCenter(Arc<GlMapping>),
}

impl Dimension {
    /// Returns the part a record belongs to; none if it belongs to nobody.
    pub fn of(&self, record: &UsageRecord) -> Option<String> {
        match self {
            Self::Account => record.key.account.as_ref().map(ToString::to_string),
            Self::Resource => record
                .resource
                .as_ref()
                .map(|resource| short_name(resource.as_str())),
            Self::Tag(key) => record
                .tags
                .get(key)
                .filter(|value| !value.is_empty())
                .cloned(),
            Self::Service => Some(record.key.meter.service.to_string()),
            Self::Region => Some(record.key.region.to_string()),
            Self::Meter => Some(record.key.meter.to_string()),
            Self::Day => Some(record.day.to_string()),
            Self::Repository => record.tags.get(REPOSITORY_TAG).cloned(),
            Self::Workflow => record.tags.get(WORKFLOW_TAG).cloned(),
            Self::Job => record.tags.get(JOB_TAG).cloned(),
            Self::CostCenter(mapping) => {
                let center = mapping.post(record).cost_center;
                center.map(|center| center.to_string())
            }
        }
    }

    /// Tells whether it is of CI jobs: usage has to be shared among them first.
    pub const fn is_of_jobs(&self) -> bool {
        matches!(self, Self::Repository | Self::Workflow | Self::Job)
    }

    /// Returns the name of what belongs to nobody.
    pub fn residual(&self) -> String {
        match self {
            Self::Account => "(no account)".to_owned(),
            Self::Resource => "(no project)".to_owned(),
            Self::Tag(key) => format!("(no tag {key})"),
            Self::Repository | Self::Workflow | Self::Job => "(no CI job)".to_owned(),
            Self::CostCenter(_) => "(no cost centre)".to_owned(),
            Self::Service | Self::Region | Self::Meter | Self::Day => "(not stated)".to_owned(),
        }
    }

    /// Returns what `--by` and files call it.
    pub fn key(&self) -> String {
        match self {
            Self::Account => "account".to_owned(),
            Self::Resource => "project".to_owned(),
            Self::Tag(key) => format!("tag:{key}"),
            Self::Service => "service".to_owned(),
            Self::Region => "region".to_owned(),
            Self::Meter => "meter".to_owned(),
            Self::Day => "day".to_owned(),
            Self::Repository => "repository".to_owned(),
            Self::Workflow => "workflow".to_owned(),
            Self::Job => "job".to_owned(),
            Self::CostCenter(_) => "cost_center".to_owned(),
        }
    }

    /// Returns the heading of the parts.
    pub fn heading(&self) -> String {
        match self {
            Self::Account => "Account".to_owned(),
            Self::Resource => "Project".to_owned(),
            Self::Tag(key) => format!("Tag {key}"),
            Self::Service => "Service".to_owned(),
            Self::Region => "Region".to_owned(),
            Self::Meter => "Meter".to_owned(),
            Self::Day => "Day".to_owned(),
            Self::Repository => "Repository".to_owned(),
            Self::Workflow => "Workflow".to_owned(),
            Self::Job => "Job".to_owned(),
            Self::CostCenter(_) => "Cost centre".to_owned(),
        }
    }
}

/// Returns the name at the end of an ARN; anything else as it stands.
///
/// `arn:aws:codebuild:R:A:project/api` and `arn:aws:codepipeline:R:A:api` both name `api`.
pub fn short_name(resource: &str) -> String {
    let Some(rest) = resource.strip_prefix("arn:") else {
        return resource.to_owned();
    };
    let Some(name) = rest.splitn(5, ':').nth(4) else {
        return resource.to_owned();
    };
    let name = [
        "project/",
        "build/",
        "repository/",
        "deploymentgroup:",
        "deploymentgroup/",
        "log-group:",
    ]
    .iter()
    .find_map(|kind| name.strip_prefix(kind))
    .unwrap_or(name);
    if name.is_empty() {
        resource.to_owned()
    } else {
        name.to_owned()
    }
}

/// One part of a shared bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Whose, or the name of the residual.
    pub part: String,
    /// This belongs to nobody.
    pub residual: bool,
    /// Its share of the cost.
    pub cost: Money,
    /// Its share of the list cost.
    pub list_cost: Money,
    /// Its usage has a part without a price.
    pub partial: bool,
}

/// A bill shared among parts; their costs add up to its total.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allocation {
    /// By what.
    pub by: Dimension,
    /// How.
    pub policy: Policy,
    /// The parts, dearest first, the residual last.
    pub shares: Vec<Share>,
}

/// Shares a bill among the parts that its records belong to.
pub fn allocate(
    rated: &Rated,
    records: &[UsageRecord],
    by: &Dimension,
    policy: Policy,
) -> Allocation {
    let mut parts: BTreeMap<Option<String>, Share> = BTreeMap::new();
    for portion in portions(rated, records, policy, |record| by.of(record), |_| None) {
        let part = portion.key;
        let share = parts.entry(part.clone()).or_insert_with(|| Share {
            residual: part.is_none(),
            part: part.unwrap_or_else(|| by.residual()),
            cost: Money::ZERO,
            list_cost: Money::ZERO,
            partial: false,
        });
        share.cost += portion.cost;
        share.list_cost += portion.list_cost;
        share.partial |= rated.bill.lines[portion.line].unpriced.is_some();
    }
    let mut shares: Vec<Share> = parts.into_values().collect();
    shares.sort_by(|a, b| {
        a.residual
            .cmp(&b.residual)
            .then(b.cost.cmp(&a.cost))
            .then_with(|| a.part.cmp(&b.part))
    });
    Allocation {
        by: by.clone(),
        policy,
        shares,
    }
}

/// The part of a line that falls to one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Portion<K> {
    /// Which line of the bill, by position.
    pub line: usize,
    /// Whose.
    pub key: K,
    /// Its share of the cost.
    pub cost: Money,
    /// Its share of the list cost.
    pub list_cost: Money,
}

/// Shares every line of a bill among whatever its records are told apart by. The portions of a line
/// add up to it; a line without records goes to `residual`.
pub fn portions<K: Ord>(
    rated: &Rated,
    records: &[UsageRecord],
    policy: Policy,
    key: impl Fn(&UsageRecord) -> K,
    residual: impl Fn(&LineItem) -> K,
) -> Vec<Portion<K>> {
    let mut portions = Vec::new();
    let by_line = records_by_line(rated, records);
    for (at, (line, records)) in rated.bill.lines.iter().zip(&by_line).enumerate() {
        let shares = line_shares(line, records, policy, &key, &residual);
        portions.extend(shares.into_iter().map(|(key, cost, list_cost)| Portion {
            line: at,
            key,
            cost,
            list_cost,
        }));
    }
    portions
}

/// Portions that have the same key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PortionSum {
    /// What they cost.
    pub cost: Money,
    /// What they would cost by list.
    pub list_cost: Money,
    /// Some of it has no price.
    pub partial: bool,
}

impl PortionSum {
    /// Adds sums up.
    pub fn of<'s>(sums: impl Iterator<Item = &'s Self>) -> Self {
        sums.fold(Self::default(), |all, one| Self {
            cost: all.cost + one.cost,
            list_cost: all.list_cost + one.list_cost,
            partial: all.partial || one.partial,
        })
    }
}

/// Adds up portions of a bill by their keys.
pub fn sum_by_key<K: Ord>(bill: &Bill, portions: Vec<Portion<K>>) -> BTreeMap<K, PortionSum> {
    let mut sums: BTreeMap<K, PortionSum> = BTreeMap::new();
    for portion in portions {
        let sum = sums.entry(portion.key).or_default();
        sum.cost += portion.cost;
        sum.list_cost += portion.list_cost;
        sum.partial |= bill.lines[portion.line].unpriced.is_some();
    }
    sums
}

/// Returns the records of each line.
pub(super) fn records_by_line<'r>(
    rated: &Rated,
    records: &'r [UsageRecord],
) -> Vec<Vec<&'r UsageRecord>> {
    let mut by_line = vec![Vec::new(); rated.bill.lines.len()];
    for (record, line) in records.iter().zip(&rated.line_of) {
        if let Some(line) = line {
            by_line[*line].push(record);
        }
    }
    by_line
}

fn line_shares<K: Ord>(
    line: &LineItem,
    records: &[&UsageRecord],
    policy: Policy,
    key: &impl Fn(&UsageRecord) -> K,
    residual: &impl Fn(&LineItem) -> K,
) -> Vec<(K, Money, Money)> {
    if records.is_empty() {
        return vec![(residual(line), line.cost, line.list_cost)];
    }
    // A charge without quantity is shared by what each record was billed.
    let Some(usage) = &line.usage else {
        let mut parts: BTreeMap<K, Money> = BTreeMap::new();
        for record in records {
            let cost = record
                .billed
                .as_ref()
                .map_or(Money::ZERO, |billed| billed.cost);
            *parts.entry(key(record)).or_default() += cost;
        }
        return parts
            .into_iter()
            .map(|(part, cost)| (part, cost, cost))
            .collect();
    };
    let mut in_order: Vec<&UsageRecord> = records.to_vec();
    in_order.sort_by_key(|record| record.day);
    let quantity_of = |record: &UsageRecord| record.quantity.map_or(Decimal::ZERO, |q| q.value);
    // What each record was charged is a fact, as long as the bill states all of them.
    let billed: Option<Decimal> = in_order
        .iter()
        .map(|record| Some(record.billed.as_ref()?.cost.amount()))
        .sum();
    let as_billed = policy == Policy::AsBilled && billed.is_some_and(|sum| !sum.is_zero());
    let mut free = usage.covered;
    let mut parts: BTreeMap<K, (Decimal, Decimal)> = BTreeMap::new();
    for record in in_order {
        let quantity = quantity_of(record);
        let weight = match policy {
            Policy::AsBilled if as_billed => record
                .billed
                .as_ref()
                .map_or(Decimal::ZERO, |billed| billed.cost.amount()),
            Policy::AsBilled | Policy::Proportional => quantity,
            Policy::Chronological => {
                let covered = free.min(quantity);
                free -= covered;
                quantity - covered
            }
        };
        let part = parts.entry(key(record)).or_default();
        part.0 += weight;
        part.1 += quantity;
    }
    let weights = |pick: fn(&(Decimal, Decimal)) -> Decimal| -> Vec<Decimal> {
        parts.values().map(pick).collect()
    };
    let costs = share_money(line.cost, &weights(|w| w.0));
    let list_costs = share_money(line.list_cost, &weights(|w| w.1));
    let shares = parts.into_keys().zip(costs).zip(list_costs);
    shares
        .map(|((part, cost), list_cost)| (part, cost, list_cost))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_by_the_end_of_their_arn() {
        for (arn, name) in [
            (
                "arn:aws:codebuild:eu-west-2:111122223333:project/api",
                "api",
            ),
            (
                "arn:aws:codepipeline:eu-west-2:111122223333:deploy",
                "deploy",
            ),
            ("web", "web"),
            ("arn:aws:s3:::bucket", "bucket"),
            ("arn:broken", "arn:broken"),
        ] {
            assert_eq!(short_name(arn), name);
        }
    }
}
