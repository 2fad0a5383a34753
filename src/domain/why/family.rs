//! What one subject used in both months of meters that can stand for each other.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{
    factors::{Load, Loads},
    pieces::{Piece, Priced},
    subject::Subject,
    work::{Cell, Sum},
};
use crate::domain::{
    ids::Meter,
    money::Money,
    quantity::{Quantity, Unit},
    services::{ACTION_MINUTE, CODEBUILD, CODEPIPELINE},
};

/// Builds that explain all but a twentieth of what is billed stand for it.
const MAY_DIFFER: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

/// The builds or actions of a subject in a month.
pub(super) type WorkDone = BTreeMap<Cell, Sum>;

/// What a subject used of what can stand for each other: the sizes of `CodeBuild`, or one meter.
pub(super) struct Family<'p> {
    pub(super) subject: &'p Subject,
    /// What is used of each meter in both months.
    pub(super) pieces: [Vec<(&'p Priced, &'p Piece)>; 2],
    pub(super) is_builds: bool,
}

impl<'p> Family<'p> {
    pub(super) fn meter(&self) -> &'p Meter {
        let mut all = self.pieces.iter().flatten();
        let (priced, _) = all.next().expect("a family has a piece");
        &priced.meter
    }

    pub(super) fn has_costs_only(&self) -> bool {
        self.pieces
            .iter()
            .flatten()
            .any(|(priced, _)| priced.unit.is_none())
    }

    /// The service whose builds or actions would say more.
    pub(super) fn could_be_known(&self) -> Option<&'static str> {
        let is_action = self.meter().usage_type.as_str() == ACTION_MINUTE;
        let service = if self.is_builds {
            CODEBUILD
        } else {
            CODEPIPELINE
        };
        (self.subject.name.is_some() && (self.is_builds || is_action)).then_some(service)
    }

    /// Leaves of the work of a subject what is billed on the meters of this family.
    pub(super) fn works(&self, works: [WorkDone; 2]) -> [WorkDone; 2] {
        let is_action = self.meter().usage_type.as_str() == ACTION_MINUTE;
        if self.is_builds || is_action {
            works
        } else {
            [WorkDone::new(), WorkDone::new()]
        }
    }

    pub(super) fn price(&self, at: usize, meter: &Meter) -> Option<Decimal> {
        let of_meter = self.pieces[at]
            .iter()
            .filter(|(priced, _)| priced.meter == *meter);
        let (quantity, list) = of_meter.fold((Decimal::ZERO, Money::ZERO), |sum, (_, piece)| {
            (sum.0 + piece.quantity, sum.1 + piece.list)
        });
        let price = list.amount().checked_div(quantity)?;
        Some(price.round_dp(15).normalize())
    }

    /// Tells whether the builds or actions that are known stand for what is billed, in both months.
    pub(super) fn is_explained_by(&self, works: &[WorkDone; 2]) -> bool {
        (0..2).all(|at| {
            let mut billed: BTreeMap<&Meter, Decimal> = BTreeMap::new();
            for (priced, piece) in &self.pieces[at] {
                *billed.entry(&priced.meter).or_default() += piece.quantity;
            }
            let mut known: BTreeMap<&Meter, Decimal> = BTreeMap::new();
            for (cell, sum) in &works[at] {
                *known.entry(&cell.meter).or_default() += Decimal::from(sum.units);
            }
            let meters: BTreeSet<&Meter> = billed.keys().chain(known.keys()).copied().collect();
            let of = |sums: &BTreeMap<&Meter, Decimal>, meter| {
                sums.get(meter).copied().unwrap_or_default()
            };
            let price = |meter: &Meter| {
                self.price(at, meter)
                    .or_else(|| self.price(1 - at, meter))
                    .unwrap_or(Decimal::ONE)
            };
            let (mut differs, mut all) = (Decimal::ZERO, Decimal::ZERO);
            for meter in meters {
                let (billed, known) = (of(&billed, meter), of(&known, meter));
                differs += (billed - known).abs() * price(meter);
                all += billed * price(meter);
            }
            !works[at].is_empty() && all > Decimal::ZERO && differs <= all * MAY_DIFFER
        })
    }

    pub(super) fn loads(&self, works: &[WorkDone; 2]) -> [Loads; 2] {
        [0, 1].map(|at| {
            let mut loads = Loads::new();
            for (cell, sum) in &works[at] {
                let load = loads
                    .entry((cell.failed, cell.meter.clone()))
                    .or_insert_with(|| Load {
                        count: Decimal::ZERO,
                        milliseconds: Decimal::ZERO,
                        units: Decimal::ZERO,
                        unit: self.milliseconds(&cell.meter),
                        price: self.price(at, &cell.meter),
                    });
                load.count += Decimal::from(sum.count);
                load.milliseconds += Decimal::from(sum.milliseconds);
                load.units += Decimal::from(sum.units);
            }
            loads
        })
    }

    /// The same without anything that is known one by one: each second counts as one thing.
    pub(super) fn by_quantity(&self) -> [Loads; 2] {
        [0, 1].map(|at| {
            let mut loads = Loads::new();
            for (priced, piece) in &self.pieces[at] {
                if piece.quantity.is_zero() {
                    continue;
                }
                let unit = self.milliseconds(&priced.meter);
                let milliseconds = piece.quantity * unit;
                let load = Load {
                    count: milliseconds / Decimal::ONE_THOUSAND,
                    milliseconds,
                    units: piece.quantity,
                    unit,
                    price: self.price(at, &priced.meter),
                };
                loads.insert((false, priced.meter.clone()), load);
            }
            loads
        })
    }

    pub(super) fn milliseconds(&self, meter: &Meter) -> Decimal {
        let mut all = self.pieces.iter().flatten();
        let unit = all.find(|(priced, _)| priced.meter == *meter);
        match unit.and_then(|(priced, _)| priced.unit) {
            Some(Unit::Second) => Decimal::ONE_THOUSAND,
            _ => Decimal::from(60_000),
        }
    }

    pub(super) fn quantities(&self) -> Option<[Quantity; 2]> {
        let units: BTreeSet<Option<Unit>> = self
            .pieces
            .iter()
            .flatten()
            .map(|(priced, _)| priced.unit)
            .collect();
        let unit = units
            .first()
            .copied()
            .flatten()
            .filter(|_| units.len() == 1)?;
        Some(self.pieces.each_ref().map(|side| {
            let quantity = side.iter().map(|(_, piece)| piece.quantity).sum();
            Quantity::new(quantity, unit)
        }))
    }

    pub(super) fn prices(&self) -> Option<[Decimal; 2]> {
        let meters: BTreeSet<&Meter> = self
            .pieces
            .iter()
            .flatten()
            .map(|(priced, _)| &priced.meter)
            .collect();
        let meter = meters.first().copied().filter(|_| meters.len() == 1)?;
        let prices = [self.price(0, meter)?, self.price(1, meter)?];
        Some(prices)
    }
}
