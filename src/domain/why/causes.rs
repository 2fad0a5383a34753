//! From two months in pieces to causes.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{
    About, By, Cause, CauseOf, Evidence, Month, Why,
    evidence::evidence,
    factors::{FACTORS, Factor, Loads, factors},
    family::{Family, WorkDone},
    pieces::{Piece, Pieces, Priced},
    subject::Subject,
};
use crate::domain::{
    catalog::{Catalog, Grain},
    ids::Meter,
    money::Money,
    quantity::Quantity,
    services::{ACTIVE_PIPELINE, CODEPIPELINE, TRIAL_PIPELINE, USER_MONTH},
    usage::ChargeKind,
};

/// Below this a remainder is what division leaves.
const DUST: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

struct Explaining<'a> {
    months: [&'a Month<'a>; 2],
    by: &'a By,
    rows: BTreeMap<(Cause, About), CauseOf>,
    by_quantity: BTreeMap<&'static str, u64>,
}

/// Returns the causes between two months, in no order.
pub(super) fn between(catalog: &Catalog, before: &Month<'_>, after: &Month<'_>, by: &By) -> Why {
    let pieces = [before, after].map(|month| Pieces::of(month, by));
    let mut explaining = Explaining {
        months: [before, after],
        by,
        rows: BTreeMap::new(),
        by_quantity: BTreeMap::new(),
    };
    let on_demand: BTreeSet<&Meter> = catalog
        .computes
        .iter()
        .filter(|compute| compute.grain != Grain::Provisioned)
        .map(|compute| &compute.meter)
        .collect();
    let free = free_of_charge(&pieces);
    let subjects: BTreeSet<&Subject> = pieces.iter().flat_map(|p| p.usage.keys()).collect();
    for subject in subjects {
        let sides = [0, 1].map(|at| {
            let of_subject = pieces[at].usage.get(subject).into_iter().flatten();
            let counts = |(priced, _): &(&Priced, &Piece)| !free.contains(&priced.meter);
            of_subject.filter(counts).collect::<Vec<_>>()
        });
        explaining.taken_off(subject, &sides);
        explaining.usage(subject, &sides, (&on_demand, &free));
    }
    explaining.charges(&pieces);
    Why {
        difference: Money::ZERO,
        causes: explaining.rows.into_values().collect(),
        by_quantity: explaining.by_quantity,
    }
}

/// Meters that cost nothing in either month: what is free of them then is no cause of anything.
fn free_of_charge(pieces: &[Pieces; 2]) -> BTreeSet<Meter> {
    let mut costs: BTreeMap<&Meter, bool> = BTreeMap::new();
    let all = pieces.iter().flat_map(|side| side.usage.values()).flatten();
    for (priced, piece) in all {
        *costs.entry(&priced.meter).or_default() |= !piece.cost.is_zero();
    }
    let free = costs.into_iter().filter(|(_, costs)| !costs);
    free.map(|(meter, _)| meter.clone()).collect()
}

fn sum(pieces: &[(&Priced, &Piece)], of: impl Fn(&Piece) -> Money) -> Money {
    pieces.iter().map(|(_, piece)| of(piece)).sum()
}

fn change(sides: &[Vec<(&Priced, &Piece)>; 2], of: impl Fn(&Piece) -> Money + Copy) -> Money {
    sum(&sides[1], of) - sum(&sides[0], of)
}

impl Explaining<'_> {
    /// What free units and discounts take off.
    fn taken_off(&mut self, subject: &Subject, sides: &[Vec<(&Priced, &Piece)>; 2]) {
        for (at, side) in sides.iter().enumerate() {
            let sign = |amount: Money| if at == 1 { -amount } else { amount };
            for (priced, piece) in side {
                let mut about = self.about(subject);
                if matches!(self.by, By::Each) {
                    about = About {
                        service: Some(subject.service.clone()),
                        allowance: piece.allowance.clone(),
                        ..About::default()
                    };
                }
                let quantity = piece.free_quantity().zip(priced.unit);
                let evidence = Evidence {
                    quantity: quantity.map(|(free, unit)| {
                        let mut both = [Quantity::new(Decimal::ZERO, unit); 2];
                        both[at].value = free;
                        both
                    }),
                    ..Evidence::default()
                };
                self.add(Cause::FreeUnits, about, sign(piece.free()), evidence);
                let about = match self.by {
                    By::Each => About {
                        service: Some(subject.service.clone()),
                        ..About::default()
                    },
                    _ => self.about(subject),
                };
                let evidence = Evidence::default();
                self.add(Cause::Discounts, about, sign(piece.discount), evidence);
            }
        }
    }

    /// What usage makes different, at list prices.
    fn usage(
        &mut self,
        subject: &Subject,
        sides: &[Vec<(&Priced, &Piece)>; 2],
        (on_demand, free): (&BTreeSet<&Meter>, &BTreeSet<Meter>),
    ) {
        let is_there = |side: &Vec<_>| !side.is_empty();
        let is_one_sided = is_there(&sides[0]) != is_there(&sides[1]);
        let mut families: BTreeMap<Option<&Priced>, Family<'_>> = BTreeMap::new();
        for (at, side) in sides.iter().enumerate() {
            for (priced, piece) in side {
                let is_builds = on_demand.contains(&priced.meter);
                let key = (!is_builds).then_some(*priced);
                let family = families.entry(key).or_insert_with(|| Family {
                    subject,
                    pieces: [Vec::new(), Vec::new()],
                    is_builds,
                });
                family.pieces[at].push((priced, piece));
            }
        }
        for family in families.into_values() {
            let meter = family.meter();
            let whole = match (meter.service.as_str(), meter.usage_type.as_str()) {
                (_, USER_MONTH) => Some(Cause::People),
                (CODEPIPELINE, ACTIVE_PIPELINE | TRIAL_PIPELINE) => Some(Cause::Pipelines),
                _ if family.has_costs_only() => Some(Cause::Cost),
                _ if is_one_sided && subject.name.is_some() => Some(if is_there(&sides[0]) {
                    Cause::Gone
                } else {
                    Cause::New
                }),
                _ => None,
            };
            let works = [0, 1].map(|at| {
                let mut work = self.months[at].work.of(subject);
                work.retain(|cell, _| !free.contains(&cell.meter));
                work
            });
            let works = family.works(works);
            match whole {
                // A price that changed is a cause of its own.
                Some(Cause::People | Cause::Pipelines) => {
                    let as_a_whole = whole.unwrap_or(Cause::Quantity);
                    self.by_factors(
                        &family,
                        &family.by_quantity(),
                        |factor| match factor {
                            Factor::Price => Cause::Price,
                            _ => as_a_whole.clone(),
                        },
                        &works,
                    );
                }
                Some(cause) => {
                    let amount = change(&family.pieces, |piece| piece.list);
                    let evidence = self.evidence(&family, &works, &cause);
                    let about = self.about(subject);
                    self.add(cause, about, amount, evidence);
                }
                None if family.is_explained_by(&works) => {
                    let loads = family.loads(&works);
                    self.by_factors(&family, &loads, one_by_one, &works);
                }
                None => {
                    if let Some(service) = family.could_be_known().filter(|_| !self.by.is_of_jobs())
                    {
                        *self.by_quantity.entry(service).or_default() += 1;
                    }
                    self.by_factors(&family, &family.by_quantity(), as_quantity, &works);
                }
            }
        }
    }

    fn evidence(&self, family: &Family<'_>, works: &[WorkDone; 2], cause: &Cause) -> Evidence {
        let [before, after] = self.months.map(|month| month.rated.rated.bill.month);
        let days = self.months[1]
            .rated
            .records
            .iter()
            .map(|record| record.last_day);
        let until = days
            .max()
            .map_or(after.last_day(), |day| day.min(after.last_day()));
        let months = (before, after, until);
        evidence(months, family, works, cause)
    }

    fn by_factors(
        &mut self,
        family: &Family<'_>,
        loads: &[Loads; 2],
        cause_of: impl Fn(Factor) -> Cause,
        works: &[WorkDone; 2],
    ) {
        let all = change(&family.pieces, |piece| piece.list);
        let about = self.about(family.subject);
        let Some(amounts) = factors(&loads[0], &loads[1]) else {
            let cause = cause_of(Factor::Count);
            let evidence = self.evidence(family, works, &cause);
            self.add(cause, about, all, evidence);
            return;
        };
        let explained: Money = amounts.iter().copied().sum();
        let mut rest = all - explained;
        let largest = (0..FACTORS.len())
            .max_by_key(|at| amounts[*at].max(-amounts[*at]))
            .unwrap_or_default();
        for (at, (factor, mut amount)) in FACTORS.into_iter().zip(amounts).enumerate() {
            if at == largest && rest.amount().abs() < DUST {
                amount += rest;
                rest = Money::ZERO;
            }
            if !amount.is_zero() {
                let cause = cause_of(factor);
                let evidence = self.evidence(family, works, &cause);
                self.add(cause, about.clone(), amount, evidence);
            }
        }
        let evidence = self.evidence(family, works, &Cause::NotInBuilds);
        self.add(Cause::NotInBuilds, about, rest, evidence);
    }

    fn charges(&mut self, pieces: &[Pieces; 2]) {
        for (at, side) in pieces.iter().enumerate() {
            for ((kind, part), cost) in &side.charges {
                let cause = match kind {
                    ChargeKind::Discount | ChargeKind::Negation => Cause::Discounts,
                    other => Cause::Charge(other.clone()),
                };
                let about = About {
                    part: part.clone(),
                    ..About::default()
                };
                let amount = if at == 1 { *cost } else { -*cost };
                self.add(cause, about, amount, Evidence::default());
            }
        }
    }

    fn about(&self, subject: &Subject) -> About {
        match self.by {
            By::Each => About {
                service: Some(subject.service.clone()),
                account: subject.account.clone(),
                project: subject.name.clone(),
                ..About::default()
            },
            _ => About {
                part: subject.part.clone(),
                ..About::default()
            },
        }
    }

    fn add(&mut self, cause: Cause, about: About, amount: Money, evidence: Evidence) {
        if amount.is_zero() {
            return;
        }
        let key = (cause.clone(), about.clone());
        if let Some(row) = self.rows.get_mut(&key) {
            row.amount += amount;
            row.evidence.join(evidence);
            return;
        }
        let row = CauseOf {
            cause,
            about,
            amount,
            evidence,
        };
        self.rows.insert(key, row);
    }
}

fn one_by_one(factor: Factor) -> Cause {
    match factor {
        Factor::Count => Cause::Count,
        Factor::Failures => Cause::Failures,
        Factor::Mix => Cause::SizeMix,
        Factor::Duration => Cause::Duration,
        Factor::Rounding => Cause::Rounding,
        Factor::Price => Cause::Price,
    }
}

fn as_quantity(factor: Factor) -> Cause {
    match factor {
        Factor::Mix => Cause::SizeMix,
        Factor::Price => Cause::Price,
        _ => Cause::Quantity,
    }
}
