//! A month's builds as they are, and on every machine that could run them: at AWS and elsewhere.
//!
//! | file | step |
//! |---|---|
//! | `machine.rs` | what a machine is, and which family it belongs to |
//! | `fit.rs` | what keeps builds from running on a machine, as far as the ledger knows |
//! | `rated.rs` | the builds on it, rated |
//! | `break_even.rs` | how slow a machine may be and cost no more |
//! | `pipelines.rs` | what the pipelines around the builds cost |
//!
//! Each alternative is a scenario and rated as one: the whole month, build by build where builds are
//! known. A cost there is the cost as it is and the difference that the scenario makes.

mod break_even;
mod fit;
mod machine;
mod pipelines;
mod rated;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use self::{
    break_even::BreakEven,
    fit::{Fit, Obstacle},
    machine::{Class, Family, Machine},
};
use self::{fit::KnownOfBuilds, pipelines::pipelines, rated::Comparing};
use crate::domain::{
    catalog::Compute,
    ids::Currency,
    money::Money,
    pattern::Pattern,
    period::Month,
    quantity::{Quantity, Unit},
    rating::RatingError,
    scenario::{
        Change, ScenarioRater,
        remark::{Assumption, Unknown, Warning},
        workload::MonthEvents,
    },
    services::CODEBUILD,
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
    /// The oldest day of the price lists that it rests on.
    pub oldest_price: Option<NaiveDate>,
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
    let comparing = Comparing::new(month, question, &baseline);
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
        oldest_price: baseline.bill.oldest_price(),
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
        let known = KnownOfBuilds::of(facts, origin, question, month.catalog);
        for machine in machines
            .iter()
            .filter(|machine| machine.is_like(&origin.compute))
        {
            if machine.compute().name == origin.compute.name {
                continue;
            }
            let obstacles = fit::obstacles(origin, machine, &lengths, &known, question, month);
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

impl Alternatives {
    /// Returns what a minute of the builds costs as they are, to five decimal places; none without a price
    /// of all of them.
    pub fn per_minute(&self) -> Option<Decimal> {
        let rate = self.cost.amount().checked_div(self.minutes);
        rate.filter(|_| self.complete)
            .map(|rate| rate.round_dp(5).normalize())
    }
}

impl Choice {
    /// Returns whether the machine can do the job.
    pub fn fit(&self) -> Fit {
        Fit::of(&self.obstacles)
    }
}

/// Returns what stands against several moves, each once.
fn obstacles_of(moves: &[(&Origin, &Machine)]) -> Vec<Obstacle> {
    let choices = moves.iter().filter_map(|(origin, machine)| {
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
