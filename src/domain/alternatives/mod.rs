//! A month's builds as they are, and on every machine that could run them: at AWS and elsewhere.
//!
//! | file | step |
//! |---|---|
//! | `machine.rs` | what a machine is, and which family it belongs to |
//! | `fit.rs` | what keeps builds from running on a machine, as far as the ledger knows |
//! | `break_even.rs` | how slow a machine may be and cost no more |
//!
//! Each alternative is a scenario and rated as one: the whole month, build by build where builds are
//! known. A cost there is the cost as it is and the difference that the scenario makes.

mod break_even;
mod fit;
mod machine;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

pub use self::{
    break_even::BreakEven,
    fit::{Fit, Obstacle},
    machine::{Class, Family, Machine},
};
use crate::domain::{
    catalog::{Compute, Grain},
    ids::Currency,
    money::Money,
    pattern::Pattern,
    period::Month,
    quantity::{Quantity, Unit},
    rating::RatingError,
    scenario::{
        Adjust, Change, ScenarioRater, Selector, Term, Total, Value,
        remark::{Assumption, Unknown, Warning},
        unpriced,
        workload::{DurationFactor, MonthEvents, TimedBuild, UsageGroup, Workload, billed_units},
    },
    services::{CODEBUILD, CODEPIPELINE},
    usage::UsageKey,
};

/// What to compare.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// Which projects; all where none is named.
    pub projects: Option<Pattern>,
    /// Repositories are public.
    pub public: bool,
    /// Plans of vendors, as changes.
    pub plans: Vec<Change>,
    /// How fast builds run, by machine: the last that matches holds.
    pub speeds: Vec<(Pattern, Decimal)>,
}

/// A month's builds here and elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alternatives {
    /// Which month.
    pub month: Month,
    /// What amounts are in.
    pub currency: Currency,
    /// Builds known one by one.
    pub builds: u64,
    /// Minutes known as a total only.
    pub rest: Decimal,
    /// What the builds cost as they are.
    pub cost: Money,
    /// Minutes billed for them.
    pub minutes: Decimal,
    /// Everything in it has a price.
    pub complete: bool,
    /// All builds, each on the smallest machine of a family that is no smaller than its own.
    pub families: Vec<OnFamily>,
    /// The builds of each compute type on each machine.
    pub origins: Vec<Origin>,
    /// What the pipelines around them cost.
    pub pipelines: Option<PipelineCost>,
    /// What reserved machines cost, which are not compared.
    pub reserved: Money,
    /// What could break, and what a price says nothing of.
    pub warnings: BTreeSet<Warning>,
    /// What the figures assume.
    pub assumptions: BTreeSet<Assumption>,
}

/// The builds of one compute type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The compute type.
    pub compute: Compute,
    /// Builds known one by one.
    pub builds: u64,
    /// What is billed.
    pub quantity: Quantity,
    /// How much of it is known as a total only.
    pub rest: Decimal,
    /// What it costs.
    pub cost: Money,
    /// All of it has a price.
    pub complete: bool,
    /// Where else they could run: those that fit first, the cheapest first.
    pub choices: Vec<Choice>,
}

/// Builds of one compute type on one machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The machine.
    pub machine: Machine,
    /// How fast they run there.
    pub speed: Decimal,
    /// What keeps them from running there, as far as is known.
    pub obstacles: Vec<Obstacle>,
    /// What is billed there.
    pub quantity: Quantity,
    /// What the builds cost with this.
    pub cost: Money,
    /// What this adds.
    pub difference: Money,
    /// Everything in it has a price.
    pub complete: bool,
    /// What is unknown.
    pub unknown: BTreeSet<Unknown>,
    /// How slow it may be.
    pub break_even: BreakEven,
    /// It is near in size to the machine that the builds have.
    pub is_near: bool,
    /// The change, as a scenario has it.
    pub changes: Vec<Change>,
}

/// All builds on the machines of one family.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnFamily {
    /// Which.
    pub family: Family,
    /// From which compute type to which machine; what is not named stays.
    pub moves: Vec<(String, String)>,
    /// How much of what is billed moves, in percent.
    pub moved_percent: Decimal,
    /// What may keep builds from running there: that of every move.
    pub obstacles: Vec<Obstacle>,
    /// What the builds cost with this.
    pub cost: Money,
    /// What this adds.
    pub difference: Money,
    /// Everything in it has a price.
    pub complete: bool,
    /// How slow its machines may be.
    pub break_even: BreakEven,
    /// The changes, as a scenario has them.
    pub changes: Vec<Change>,
}

/// What pipelines around the builds cost: it falls away only if the jobs are started elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipelineCost {
    /// Which; none where a bill does not name them.
    pub names: Vec<String>,
    /// What they cost.
    pub cost: Money,
    /// All of it has a price.
    pub complete: bool,
}

/// Compares the builds of a month. Returns nothing where no build runs on demand.
pub fn alternatives(
    month: &ScenarioRater<'_>,
    facts: &MonthEvents,
    question: &Question,
) -> Result<Option<Alternatives>, RatingError> {
    let workload = month.workload.of_service(CODEBUILD);
    let whole_month = month;
    let month = &whole_month.with(&workload);
    let baseline = month.value(&[])?;
    let comparing = Comparing {
        month,
        question,
        baseline: &baseline,
        costs: Costs::of(&baseline, month.workload, month),
    };
    let mut origins = comparing.origins();
    if origins.is_empty() {
        return Ok(None);
    }
    let mut found = Alternatives {
        month: month.workload.month,
        currency: month.workload.currency.clone(),
        builds: origins.iter().map(|origin| origin.builds).sum(),
        rest: Decimal::ZERO,
        cost: origins.iter().map(|origin| origin.cost).sum(),
        minutes: Decimal::ZERO,
        complete: origins.iter().all(|origin| origin.complete),
        families: Vec::new(),
        origins: Vec::new(),
        pipelines: pipelines(whole_month, question)?,
        reserved: comparing.reserved(),
        warnings: BTreeSet::new(),
        assumptions: BTreeSet::new(),
    };
    for origin in &origins {
        found.minutes += origin.in_minutes(origin.quantity.value);
        found.rest += origin.in_minutes(origin.rest);
    }
    let machines = Machine::all(month.catalog, question.public);
    let families = Family::all(&machines);
    for origin in &mut origins {
        let of = &origin.compute;
        let near: BTreeSet<String> = families
            .iter()
            .flat_map(|family| family.nearest_to(of, &machines))
            .collect();
        let lengths = comparing.lengths(&origin.compute);
        let used_docker = fit::used_docker_server(facts, origin, question, month.catalog);
        for machine in machines
            .iter()
            .filter(|machine| machine.is_like(&origin.compute))
        {
            if machine.compute().name == origin.compute.name {
                continue;
            }
            let obstacles = fit::obstacles(origin, machine, &lengths, used_docker, question, month);
            let moves = [(&*origin, machine)];
            let rated = comparing.on(&moves, origin.cost, &mut found)?;
            let quantity = rated.quantity;
            origin.choices.push(Choice {
                speed: comparing.speed(machine),
                is_near: near.contains(&machine.compute().name),
                machine: machine.clone(),
                obstacles,
                quantity,
                cost: rated.cost,
                difference: rated.difference,
                complete: rated.unknown.is_empty(),
                unknown: rated.unknown,
                break_even: rated.break_even,
                changes: rated.changes,
            });
        }
        origin.choices.sort_by(|a, b| {
            let rank = |choice: &Choice| (choice.fit() == Fit::No, !choice.complete, choice.cost);
            rank(a)
                .cmp(&rank(b))
                .then_with(|| a.machine.compute().name.cmp(&b.machine.compute().name))
        });
    }
    for family in families {
        let mut moves = Vec::new();
        for origin in &origins {
            let smallest = family.smallest_for(origin, &machines);
            let can_run = |machine: &&Machine| {
                let name = &machine.compute().name;
                let mut choices = origin.choices.iter();
                choices.any(|c| c.machine.compute().name == *name && c.fit() != Fit::No)
            };
            moves.extend(smallest.filter(can_run).map(|machine| (origin, machine)));
        }
        if moves.is_empty() {
            continue;
        }
        let cost = found.cost;
        let rated = comparing.on(&moves, cost, &mut found)?;
        found.families.push(OnFamily {
            moved_percent: comparing.moved_percent(&moves, found.minutes),
            obstacles: obstacles_of(&moves),
            moves: moves
                .iter()
                .map(|(origin, machine)| {
                    let to = machine.compute().name.clone();
                    (origin.compute.name.clone(), to)
                })
                .collect(),
            family,
            cost: rated.cost,
            difference: rated.difference,
            complete: rated.unknown.is_empty(),
            break_even: rated.break_even,
            changes: rated.changes,
        });
    }
    found.families.sort_by_key(|on| (!on.complete, on.cost));
    found.origins = origins;
    Ok(Some(found))
}

impl Choice {
    /// Returns whether the machine can do the job.
    pub fn fit(&self) -> Fit {
        Fit::of(&self.obstacles)
    }
}

/// Returns what stands against several moves, each once.
fn obstacles_of(moves: &[(&Origin, &Machine)]) -> Vec<Obstacle> {
    let choices = moves.iter().flat_map(|(origin, machine)| {
        let is_it = |choice: &&Choice| choice.machine.compute().name == machine.compute().name;
        origin.choices.iter().find(is_it)
    });
    let all: BTreeSet<Obstacle> = choices
        .flat_map(|choice| choice.obstacles.clone())
        .collect();
    all.into_iter().collect()
}

impl Origin {
    /// Returns a part of what is billed, in minutes.
    fn in_minutes(&self, value: Decimal) -> Decimal {
        match self.quantity.unit {
            Unit::Second => value / Decimal::from(60),
            _ => value,
        }
    }
}

/// What builds make of the bill when they move.
struct RatedMove {
    cost: Money,
    difference: Money,
    quantity: Quantity,
    unknown: BTreeSet<Unknown>,
    break_even: BreakEven,
    changes: Vec<Change>,
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
struct Comparing<'q, 'a> {
    month: &'q ScenarioRater<'a>,
    question: &'q Question,
    baseline: &'q Value,
    costs: Costs,
}

impl Comparing<'_, '_> {
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

    fn speed(&self, machine: &Machine) -> Decimal {
        let mut stated = self.question.speeds.iter().rev();
        let name = &machine.compute().name;
        let found = stated.find(|(pattern, _)| pattern.matches(name));
        found.map_or(Decimal::ONE, |(_, speed)| *speed)
    }

    fn lengths(&self, compute: &Compute) -> Vec<(i64, u64)> {
        let groups = self.groups(compute);
        let builds = groups.flat_map(|group| &group.builds);
        builds
            .map(|build| (build.length, u64::from(build.count)))
            .collect()
    }

    /// Returns how much of what is billed moves, in percent: builds that are too long stay.
    fn moved_percent(&self, moves: &[(&Origin, &Machine)], whole: Decimal) -> Decimal {
        let moved = |(origin, machine): &(&Origin, &Machine)| {
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
        let moved: Decimal = moves.iter().map(moved).sum();
        let percent = (moved * Decimal::ONE_HUNDRED).checked_div(whole);
        percent.unwrap_or_default()
    }

    /// Returns the compute types on demand that are used, the most costly first.
    fn origins(&self) -> Vec<Origin> {
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
    fn on(
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
                if self.question.public {
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
        found
            .warnings
            .extend(value.applied.warnings.iter().cloned());
        found
            .assumptions
            .extend(value.applied.assumptions.iter().cloned());
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
    fn reserved(&self) -> Money {
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

/// Returns what the pipelines around the builds cost.
fn pipelines(
    month: &ScenarioRater<'_>,
    question: &Question,
) -> Result<Option<PipelineCost>, RatingError> {
    let workload = month.workload.of_service(CODEPIPELINE);
    if workload.groups.is_empty() {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    let mut only = Selector::default();
    if let Some(projects) = &question.projects {
        let term = Term::Project(projects.clone());
        let of_project = |group: &&UsageGroup| term.holds(&group.subject(), month.catalog);
        let groups = month.workload.groups.iter().filter(of_project);
        names.extend(groups.filter_map(|group| group.pipeline.as_deref().map(str::to_owned)));
        if names.is_empty() {
            return Ok(None);
        }
        let any = Pattern::any_of(names.iter().map(String::as_str));
        only = only.and(Term::Pipeline(any));
    } else {
        let pipelines = month.workload.pipelines.iter();
        names.extend(pipelines.filter_map(|pipeline| pipeline.name.clone()));
    }
    let month = month.with(&workload);
    let none = |of: Total| Change::Total {
        of,
        only: only.clone(),
        to: Adjust::To(Decimal::ZERO),
    };
    let baseline = month.value(&[])?;
    let without = [none(Total::V1Pipelines), none(Total::V2ActionMinutes)];
    let value = month.value(&without.iter().collect::<Vec<_>>())?;
    Ok(Some(PipelineCost {
        names: names.into_iter().collect(),
        cost: baseline.bill.total() - value.bill.total(),
        complete: baseline.is_complete(),
    }))
}
