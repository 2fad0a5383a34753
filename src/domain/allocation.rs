//! Sharing a whole among parts so that the parts add up to it, to the last digit.
//!
//! The cost of one build or project is not a fact but a share of the month: free minutes and tiers
//! belong to nobody in particular. Every share here is labelled with the policy that made it, and
//! what belongs to nobody is named.

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::{Decimal, RoundingStrategy};

use super::{bill::LineItem, gl::GlMapping, money::Money, rating::Rated, usage::UsageRecord};

/// How free units and costs are shared. AWS does not document its own way; its bill shows the
/// outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// As the bill shows it; where there is no bill, by quantity.
    #[default]
    AsBilled,
    /// By quantity.
    Proportional,
    /// The earliest usage draws on the allowance first.
    Chronological,
}

impl Policy {
    /// Returns the name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsBilled => "as-billed",
            Self::Proportional => "proportional",
            Self::Chronological => "chronological",
        }
    }
}

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
            Self::CostCenter(mapping) => {
                let center = mapping.post(record).cost_center;
                center.map(|center| center.to_string())
            }
        }
    }

    /// Returns the name of what belongs to nobody.
    pub fn residual(&self) -> String {
        match self {
            Self::Account => "(no account)".to_owned(),
            Self::Resource => "(no project)".to_owned(),
            Self::Tag(key) => format!("(no tag {key})"),
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

/// Rounds amounts so that they add up to their rounded sum: each is rounded down, and the steps left
/// over go to the largest remainders, the earlier first. The sum is rounded half to even.
pub fn round_together(amounts: &[Decimal], decimals: u32) -> Vec<Decimal> {
    let round = |amount: Decimal, strategy| {
        let mut rounded = amount.round_dp_with_strategy(decimals, strategy);
        rounded.rescale(decimals);
        rounded
    };
    let total = round(amounts.iter().sum(), RoundingStrategy::MidpointNearestEven);
    let mut parts: Vec<Decimal> = amounts
        .iter()
        .map(|amount| round(*amount, RoundingStrategy::ToNegativeInfinity))
        .collect();
    let mut order: Vec<usize> = (0..amounts.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(amounts[at] - parts[at]));
    let step = Decimal::new(1, decimals);
    let mut left = total - parts.iter().sum::<Decimal>();
    for at in order {
        if left < step {
            break;
        }
        parts[at] += step;
        left -= step;
    }
    parts
}

/// Shares an amount of money by weight, to the tenth decimal place or as fine as it is stated.
pub fn share_money(total: Money, weights: &[Decimal]) -> Vec<Money> {
    let quantum = Decimal::new(1, total.amount().scale().max(10));
    largest_remainder(total.amount(), weights, quantum)
        .into_iter()
        .map(Money::new)
        .collect()
}

/// Shares a quantity by weight: in whole units where everything is whole.
pub fn share_quantity(total: Decimal, weights: &[Decimal]) -> Vec<Decimal> {
    let scale = weights
        .iter()
        .chain([&total])
        .map(|value| value.normalize().scale())
        .max();
    largest_remainder(total, weights, Decimal::new(1, scale.unwrap_or(0)))
}

/// 10^26: two digits less than a decimal holds, so that every sum of steps is exact.
const MOST_STEPS: Decimal = Decimal::from_parts(3_825_205_248, 3_704_098_002, 5_421_010, false, 0);

/// Shares a total in proportion to weights, in steps of `quantum`: each part is its exact share
/// rounded down, and the steps left over go to the largest remainders, the earlier part first.
///
/// The parts add up to the total exactly. A weight of zero gets nothing unless all are zero: then
/// the first part takes everything, for a charge cannot vanish.
pub fn largest_remainder(total: Decimal, weights: &[Decimal], quantum: Decimal) -> Vec<Decimal> {
    let sum: Decimal = weights.iter().sum();
    if weights.is_empty() {
        return Vec::new();
    }
    // Corrections can cancel usage out, all but a trace: no share is meaningful then.
    let exact: Option<Vec<Decimal>> = weights
        .iter()
        .map(|weight| total.checked_mul(weight.checked_div(sum)?))
        .collect();
    let exact = match exact {
        Some(exact) if weights.len() > 1 => exact,
        _ => {
            let mut shares = vec![Decimal::ZERO; weights.len()];
            shares[0] = total;
            return shares;
        }
    };
    // Steps too fine for 28 digits are made coarser: the last lines hand out what that leaves.
    let countable = |amount: &Decimal, quantum: Decimal| {
        let steps = amount.checked_div(quantum);
        steps.is_some_and(|steps| steps.abs() < MOST_STEPS)
    };
    let mut quantum = quantum;
    while !exact
        .iter()
        .chain([&total])
        .all(|amount| countable(amount, quantum))
    {
        quantum *= Decimal::TEN;
    }
    let mut shares: Vec<Decimal> = exact
        .iter()
        .map(|share| (share / quantum).floor() * quantum)
        .collect();
    let mut order: Vec<usize> = (0..weights.len())
        .filter(|&at| !weights[at].is_zero())
        .collect();
    order.sort_by(|&a, &b| {
        (exact[b] - shares[b])
            .cmp(&(exact[a] - shares[a]))
            .then(a.cmp(&b))
    });
    let mut left = total - shares.iter().sum::<Decimal>();
    // Division keeps 28 digits, so a floor may land one step high as well as low.
    while left <= -quantum {
        for &at in order.iter().rev() {
            if left > -quantum {
                break;
            }
            shares[at] -= quantum;
            left += quantum;
        }
    }
    while left >= quantum {
        for &at in &order {
            if left < quantum {
                break;
            }
            shares[at] += quantum;
            left -= quantum;
        }
    }
    shares[order[0]] += left;
    shares.into_iter().map(|share| share.normalize()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        crate::domain::number::parse_decimal(text).expect("a decimal")
    }

    #[test]
    fn parts_add_up_and_zero_weight_gets_nothing() {
        let shares = largest_remainder(
            dec("100"),
            &[dec("1"), dec("0"), dec("1"), dec("1")],
            dec("1"),
        );
        assert_eq!(shares, [dec("34"), dec("0"), dec("33"), dec("33")]);
    }

    #[test]
    fn sub_cent_money_is_not_lost() {
        let shares = share_money(Money::new(dec("0.019")), &[dec("1"), dec("1")]);
        assert_eq!(shares, [Money::new(dec("0.0095")); 2]);
    }

    #[test]
    fn amounts_round_to_cents_that_add_up() {
        let amounts = [dec("0.335"), dec("0.333"), dec("0.332"), dec("-0.001")];
        let cents = round_together(&amounts, 2);
        // 0.999 is 1.00; the lost steps go to -0.001 (0.9 of one), 0.335 and 0.333.
        assert_eq!(cents, [dec("0.34"), dec("0.33"), dec("0.33"), dec("0.00")]);
        assert_eq!(round_together(&[dec("2.5")], 0), [dec("2")]);
        assert!(round_together(&[], 2).is_empty());
    }

    #[test]
    fn a_negative_total_is_shared_too() {
        let shares = largest_remainder(dec("-10"), &[dec("1"), dec("2")], dec("1"));
        assert_eq!(shares.iter().sum::<Decimal>(), dec("-10"));
    }

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
