//! Sharing a whole among parts so that the parts add up to it, to the last digit.
//!
//! The cost of one build or project is not a fact but a share of the month: free minutes and tiers
//! belong to nobody in particular. Every share here is labelled with the policy that made it, and
//! what belongs to nobody is named.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{bill::LineItem, money::Money, rating::Rated, usage::UsageRecord};

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
        }
    }

    /// Returns the name of what belongs to nobody.
    pub fn residual(&self) -> String {
        match self {
            Self::Account => "(no account)".to_owned(),
            Self::Resource => "(no project)".to_owned(),
            Self::Tag(key) => format!("(no tag {key})"),
            Self::Service | Self::Region | Self::Meter | Self::Day => "(not stated)".to_owned(),
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
    let bill = &rated.bill;
    let mut by_line: BTreeMap<usize, Vec<&UsageRecord>> = BTreeMap::new();
    for (record, line) in records.iter().zip(&rated.line_of) {
        if let Some(line) = line {
            by_line.entry(*line).or_default().push(record);
        }
    }
    let mut parts: BTreeMap<Option<String>, Share> = BTreeMap::new();
    for (at, line) in bill.lines.iter().enumerate() {
        let records = by_line.get(&at).map_or(&[][..], Vec::as_slice);
        let shares = line_shares(line, records, by, policy);
        for (part, cost, list_cost) in shares {
            let share = parts.entry(part.clone()).or_insert_with(|| Share {
                residual: part.is_none(),
                part: part.unwrap_or_else(|| by.residual()),
                cost: Money::ZERO,
                list_cost: Money::ZERO,
                partial: false,
            });
            share.cost += cost;
            share.list_cost += list_cost;
            share.partial |= line.unpriced.is_some();
        }
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

type LineShare = (Option<String>, Money, Money);

fn line_shares(
    line: &LineItem,
    records: &[&UsageRecord],
    by: &Dimension,
    policy: Policy,
) -> Vec<LineShare> {
    // A charge without quantity is shared by what each record was billed.
    let Some(usage) = &line.usage else {
        let mut parts: BTreeMap<Option<String>, Money> = BTreeMap::new();
        for record in records {
            let cost = record
                .billed
                .as_ref()
                .map_or(Money::ZERO, |billed| billed.cost);
            *parts.entry(by.of(record)).or_default() += cost;
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
    let mut parts: BTreeMap<Option<String>, (Decimal, Decimal)> = BTreeMap::new();
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
        let part = parts.entry(by.of(record)).or_default();
        part.0 += weight;
        part.1 += quantity;
    }
    if parts.is_empty() {
        return vec![(None, line.cost, line.list_cost)];
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
