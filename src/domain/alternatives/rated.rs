//! Builds on machines, rated as scenarios of the month.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Alternatives, BreakEven, Machine, Origin, Question, break_even, machine};
use crate::domain::{
    catalog::{Compute, Grain},
    money::Money,
    quantity::{Quantity, Unit},
    rating::RatingError,
    scenario::{
        Change, ScenarioRater, Selector, Term, Value,
        remark::{Assumption, Unknown, Warning},
        unpriced,
        workload::{DurationFactor, TimedBuild, UsageGroup, Workload, billed_units},
    },
    usage::UsageKey,
};

/// What builds make of the bill when they move.
pub(super) struct RatedMove {
    pub(super) cost: Money,
    pub(super) difference: Money,
    pub(super) quantity: Quantity,
    pub(super) unknown: BTreeSet<Unknown>,
    pub(super) break_even: BreakEven,
    pub(super) changes: Vec<Change>,
}

/// What each key costs in the baseline, and how much of it there is.
struct Costs(BTreeMap<UsageKey, (Money, Decimal, bool)>);

impl Costs {
    fn of(baseline: &Value, workload: &Workload, month: &ScenarioRater<'_>) -> Self {
        let mut costs: BTreeMap<UsageKey, (Money, Decimal, bool)> = BTreeMap::new();
        for group in &workload.groups {
            let of_key =
                costs
                    .entry(group.key.clone())
                    .or_insert((Money::ZERO, Decimal::ZERO, true));
            of_key.1 += workload.quantity(group, month.catalog);
        }
        for line in &baseline.bill.lines {
            if let Some(of_key) = costs.get_mut(&line.key) {
                of_key.0 += line.cost;
                of_key.2 &= line.unpriced.is_none();
            }
        }
        Self(costs)
    }

    /// Returns what a quantity of a key costs: its share of what the key does.
    fn share(&self, key: &UsageKey, quantity: Decimal) -> (Money, bool) {
        let Some((cost, whole, complete)) = self.0.get(key) else {
            return (Money::ZERO, true);
        };
        let share = if quantity == *whole {
            *cost
        } else {
            let amount = cost.amount() * quantity;
            Money::new(amount.checked_div(*whole).unwrap_or_default())
        };
        (share, *complete)
    }
}

/// A comparison under way.
pub(super) struct Comparing<'q, 'a> {
    month: &'q ScenarioRater<'a>,
    question: &'q Question,
    baseline: &'q Value,
    costs: Costs,
}

impl<'q, 'a> Comparing<'q, 'a> {
    pub(super) fn new(
        month: &'q ScenarioRater<'a>,
        question: &'q Question,
        baseline: &'q Value,
    ) -> Self {
        Self {
            month,
            question,
            baseline,
            costs: Costs::of(baseline, month.workload, month),
        }
    }

    /// Returns the groups of a compute type that are asked about.
    fn groups<'s>(&'s self, compute: &'s Compute) -> impl Iterator<Item = &'s UsageGroup> {
        let only = self.selector(compute);
        let groups = self.month.workload.groups.iter();
        groups.filter(move |group| only.matches(&group.subject(), self.month.catalog))
    }

    fn selector(&self, compute: &Compute) -> Selector {
        let of_type = Selector::compute(&compute.name);
        match &self.question.projects {
            Some(projects) => of_type.and(Term::Project(projects.clone())),
            None => of_type,
        }
    }

    pub(super) fn speed(&self, machine: &Machine) -> Decimal {
        let mut stated = self.question.speeds.iter().rev();
        let name = &machine.compute().name;
        let found = stated.find(|(pattern, _)| pattern.matches(name));
        found.map_or(Decimal::ONE, |(_, speed)| *speed)
    }

    pub(super) fn lengths(&self, compute: &Compute) -> Vec<(i64, u64)> {
        let groups = self.groups(compute);
        let builds = groups.flat_map(|group| &group.builds);
        builds
            .map(|build| (build.length, u64::from(build.count)))
            .collect()
    }

    /// Returns how much of what is billed moves, in percent: builds that are too long stay.
    pub(super) fn moved_percent(&self, moves: &[(&Origin, &Machine)], whole: Decimal) -> Decimal {
        let minutes_of = |(origin, machine): &(&Origin, &Machine)| {
            let limit = machine.limit();
            let limit = limit.map(|limit| Decimal::from(limit) * self.speed(machine));
            let stays = |length: i64| limit.is_some_and(|limit| Decimal::from(length) > limit);
            let groups = self.groups(&origin.compute);
            let staying: Vec<TimedBuild> = groups
                .flat_map(|group| &group.builds)
                .filter(|build| stays(build.length))
                .copied()
                .collect();
            let stay = billed_units(&staying, origin.compute.grain, DurationFactor::SAME);
            origin.in_minutes(origin.quantity.value - Decimal::from(stay))
        };
        let sum: Decimal = moves.iter().map(minutes_of).sum();
        let percent = (sum * Decimal::ONE_HUNDRED).checked_div(whole);
        percent.unwrap_or_default().round_dp(1)
    }

    /// Returns the compute types on demand that are used, the most costly first.
    pub(super) fn origins(&self) -> Vec<Origin> {
        let catalog = self.month.catalog;
        let mut origins: Vec<Origin> = Vec::new();
        for compute in &catalog.computes {
            if compute.grain == Grain::Provisioned || !machine::is_of_builds(compute) {
                continue;
            }
            let unit = match compute.grain {
                Grain::Second => Unit::Second,
                Grain::Minute | Grain::Provisioned => Unit::Minute,
            };
            let mut by_key: BTreeMap<&UsageKey, Decimal> = BTreeMap::new();
            let (mut builds, mut rest) = (0, Decimal::ZERO);
            for group in self.groups(compute) {
                let known = group.builds.iter().map(|build| u64::from(build.count));
                builds += known.sum::<u64>();
                rest += group.rest;
                *by_key.entry(&group.key).or_default() +=
                    self.month.workload.quantity(group, catalog);
            }
            let value: Decimal = by_key.values().sum();
            if value.is_zero() {
                continue;
            }
            let costs: Vec<(Money, bool)> = by_key
                .iter()
                .map(|(key, quantity)| self.costs.share(key, *quantity))
                .collect();
            origins.push(Origin {
                compute: compute.clone(),
                builds,
                quantity: Quantity::new(value, unit),
                rest,
                cost: costs.iter().map(|(cost, _)| *cost).sum(),
                complete: costs.iter().all(|(_, complete)| *complete),
                choices: Vec::new(),
            });
        }
        origins.sort_by_key(|origin| std::cmp::Reverse(origin.cost));
        origins
    }

    /// Rates the month with some builds elsewhere.
    pub(super) fn on(
        &self,
        moves: &[(&Origin, &Machine)],
        now: Money,
        found: &mut Alternatives,
    ) -> Result<RatedMove, RatingError> {
        let changes_at = |factor: Option<Decimal>| -> Vec<Change> {
            let mut changes: Vec<Change> = moves
                .iter()
                .map(|(origin, machine)| Change::Compute {
                    only: self.selector(&origin.compute),
                    to: machine.target.clone(),
                    speed: factor.unwrap_or_else(|| self.speed(machine)),
                })
                .collect();
            let mut vendors = moves.iter().filter_map(|(_, machine)| machine.vendor());
            if let Some(vendor) = vendors.next() {
                let of_vendor = |change: &&Change| matches!(change, Change::Plan { vendor: of, .. } if of == vendor);
                changes.extend(self.question.plans.iter().filter(of_vendor).cloned());
                if moves.iter().any(|(_, machine)| machine.public) {
                    changes.push(Change::Repository {
                        only: Selector::default(),
                        public: true,
                    });
                }
            }
            changes
        };
        let changes = changes_at(None);
        let value = self.value(&changes)?;
        let difference = value.bill.total() - self.baseline.bill.total();
        let mut unknown = unpriced(&value);
        for known in unpriced(self.baseline) {
            unknown.remove(&known);
        }
        if !self.baseline.is_complete() && moves.iter().any(|(origin, _)| !origin.complete) {
            unknown.extend(unpriced(self.baseline));
        }
        // What is about one machine stands with it, among its obstacles.
        let of_machine = |warning: &&Warning| {
            matches!(
                warning,
                Warning::TooLong { .. }
                    | Warning::NeedsArm
                    | Warning::NoDocker { .. }
                    | Warning::NotInPlan { .. }
            )
        };
        let warnings = value.applied.warnings.iter();
        let warnings = warnings.filter(|warning| !of_machine(warning));
        found.warnings.extend(warnings.cloned());
        let of_speed = |assumption: &&Assumption| {
            matches!(
                assumption,
                Assumption::SameDuration { .. } | Assumption::Speed { .. }
            )
        };
        let assumptions = value.applied.assumptions.iter();
        let assumptions = assumptions.filter(|assumption| !of_speed(assumption));
        found.assumptions.extend(assumptions.cloned());
        let there = |value: &Value| -> Decimal {
            let lines = value.bill.lines.iter();
            let lines =
                lines.filter(|line| moves.iter().any(|(_, to)| *to.meter() == line.key.meter));
            let usage = lines.filter_map(|line| line.usage.as_ref());
            usage.map(|usage| usage.billed.value).sum()
        };
        let unit = moves
            .first()
            .map_or(Unit::Minute, |(_, machine)| machine.unit());
        let quantity = Quantity::new(there(&value) - there(self.baseline), unit);
        let lowest = self.lowest(moves);
        let break_even = if unknown.is_empty() {
            let guess = (now + difference).amount().checked_div(now.amount());
            break_even::find(lowest, guess, |speed| {
                let value = self.value(&changes_at(Some(speed)))?;
                Ok(value.bill.total() <= self.baseline.bill.total())
            })?
        } else {
            BreakEven::Unknown
        };
        Ok(RatedMove {
            cost: now + difference,
            difference,
            quantity,
            unknown,
            break_even,
            changes,
        })
    }

    fn value(&self, changes: &[Change]) -> Result<Value, RatingError> {
        self.month.value(&changes.iter().collect::<Vec<_>>())
    }

    /// Returns the least speed at which every build fits.
    fn lowest(&self, moves: &[(&Origin, &Machine)]) -> Decimal {
        let of = |(origin, machine): &(&Origin, &Machine)| {
            let limit = machine.limit()?;
            let longest = self
                .lengths(&origin.compute)
                .into_iter()
                .map(|(length, _)| length);
            Decimal::from(longest.max()?).checked_div(Decimal::from(limit))
        };
        moves.iter().filter_map(of).max().unwrap_or_default()
    }

    /// Returns what reserved machines cost.
    pub(super) fn reserved(&self) -> Money {
        if self.question.projects.is_some() {
            return Money::ZERO;
        }
        let catalog = self.month.catalog;
        let is_reserved = |key: &UsageKey| {
            let mut computes = catalog.computes.iter();
            computes.any(|c| c.meter == key.meter && c.grain == Grain::Provisioned)
        };
        let lines = self.baseline.bill.lines.iter();
        let reserved = lines.filter(|line| is_reserved(&line.key));
        reserved.map(|line| line.cost).sum()
    }
}
