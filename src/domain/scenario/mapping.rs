//! A scenario as a map of quantities: how much of each meter becomes how much of which.
//!
//! Sampled futures know quantities, not builds. What the scenario made of the builds of recorded
//! months holds for them in proportion; what it adds whatever the usage is added to each month.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    apply::ScenarioUsage,
    change::{Adjust, Change},
    compare::ScenarioRater,
};
use crate::domain::{ids::Region, plan::PricingTerms, quantity::Unit, usage::UsageKey};

/// How quantities change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageMapping {
    /// From a key to another, how much for each unit. What is not named stays as it is.
    pub shares: BTreeMap<UsageKey, Vec<(UsageKey, Unit, Decimal)>>,
    /// What each month has on top.
    pub added: Vec<(UsageKey, Unit, Decimal)>,
    /// Prices, free tier and discounts of the scenario.
    pub terms: PricingTerms,
}

/// Learns the map of a scenario from months.
pub fn mapping(months: &[ScenarioRater<'_>], changes: &[Change]) -> UsageMapping {
    // What is added by a number is added to every future; it does not grow with the usage.
    let is_sum = |change: &&Change| {
        matches!(
            change,
            Change::Total {
                to: Adjust::By(_),
                ..
            }
        )
    };
    let (sums, changes): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(is_sum);
    let mut before: BTreeMap<UsageKey, Decimal> = BTreeMap::new();
    let mut flows: BTreeMap<UsageKey, BTreeMap<(UsageKey, Unit), Decimal>> = BTreeMap::new();
    let mut added: BTreeMap<(UsageKey, Unit), Decimal> = BTreeMap::new();
    // A total that is set does not follow the usage.
    let fixed = |piece: &ScenarioUsage| {
        changes.iter().any(|change| match change {
            Change::Total {
                of,
                to: Adjust::To(_),
                ..
            } => of.meter() == piece.key.meter,
            _ => false,
        })
    };
    let mut terms = PricingTerms::default();
    for rater in months {
        let workload = rater.workload;
        for group in &workload.groups {
            *before.entry(group.key.clone()).or_default() +=
                workload.quantity(group, rater.catalog);
        }
        let applied = rater.applied(&changes);
        for piece in &applied.pieces {
            let to = (piece.key.clone(), piece.quantity.unit);
            match piece.from.filter(|_| !fixed(piece)) {
                Some(at) => {
                    let from = workload.groups[at].key.clone();
                    *flows.entry(from).or_default().entry(to).or_default() += piece.quantity.value;
                }
                None => *added.entry(to).or_default() += piece.quantity.value,
            }
        }
        for change in &sums {
            let Change::Total {
                of,
                to: Adjust::By(more),
                ..
            } = change
            else {
                continue;
            };
            let with = rater.applied(&[change]);
            let meter = of.meter();
            if let Some(piece) = with.pieces.iter().find(|piece| piece.key.meter == meter) {
                let to = (piece.key.clone(), piece.quantity.unit);
                *added.entry(to).or_default() += *more;
            }
        }
        terms = applied.terms;
    }
    let count = Decimal::from(months.len().max(1));
    let mut shares = BTreeMap::new();
    for (from, total) in before {
        let to = flows.remove(&from).unwrap_or_default();
        if total.is_zero() {
            continue;
        }
        let each = to
            .into_iter()
            .map(|((key, unit), quantity)| (key, unit, quantity / total))
            .collect();
        shares.insert(from, each);
    }
    // Free units stand without a region; the usage they belong to has one.
    let added = added
        .into_iter()
        .filter(|((key, _), quantity)| key.region != Region::global() || !quantity.is_zero())
        .map(|((key, unit), quantity)| (key, unit, quantity / count))
        .collect();
    UsageMapping {
        shares,
        added,
        terms,
    }
}
