//! A scenario as a map of quantities: how much of each meter becomes how much of which.
//!
//! Sampled futures know quantities, not builds. What the scenario made of the builds of recorded
//! months holds for them in proportion; what it adds whatever the usage is added to each month.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    apply::Piece,
    change::{Adjust, Change},
    compare::Valuer,
};
use crate::domain::{
    ids::Region, plan::Terms, quantity::Unit, rating::RatingError, usage::UsageKey,
};

/// How quantities change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// From a key to another, how much for each unit. What is not named stays as it is.
    pub shares: BTreeMap<UsageKey, Vec<(UsageKey, Unit, Decimal)>>,
    /// What each month has on top.
    pub added: Vec<(UsageKey, Unit, Decimal)>,
    /// Prices, free tier and discounts of the scenario.
    pub terms: Terms,
}

/// Learns the map of a scenario from months.
pub fn mapping(months: &[Valuer<'_>], changes: &[Change]) -> Result<Mapping, RatingError> {
    let changes: Vec<&Change> = changes.iter().collect();
    let mut before: BTreeMap<UsageKey, Decimal> = BTreeMap::new();
    let mut flows: BTreeMap<UsageKey, BTreeMap<(UsageKey, Unit), Decimal>> = BTreeMap::new();
    let mut added: BTreeMap<(UsageKey, Unit), Decimal> = BTreeMap::new();
    // A total that is set or moved by a number does not follow the usage.
    let fixed = |piece: &Piece| {
        changes.iter().any(|change| match change {
            Change::Total { of, to, .. } => {
                !matches!(to, Adjust::Times(_)) && of.meter() == piece.key.meter
            }
            _ => false,
        })
    };
    let mut terms = Terms::default();
    for valuer in months {
        let workload = valuer.workload;
        for lot in &workload.lots {
            *before.entry(lot.key.clone()).or_default() += workload.quantity(lot, valuer.catalog);
        }
        let applied = valuer.value(&changes)?.applied;
        for piece in &applied.pieces {
            let to = (piece.key.clone(), piece.quantity.unit);
            match piece.from.filter(|_| !fixed(piece)) {
                Some(at) => {
                    let from = workload.lots[at].key.clone();
                    *flows.entry(from).or_default().entry(to).or_default() += piece.quantity.value;
                }
                None => *added.entry(to).or_default() += piece.quantity.value,
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
    Ok(Mapping {
        shares,
        added,
        terms,
    })
}
