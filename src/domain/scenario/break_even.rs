//! Where a scenario starts and ceases to pay: every change of sign between two values.
//!
//! Neither side ever costs less when the quantity that is turned grows, or never more: started minutes,
//! tiers and free units make steps and lines, all in one direction. So both ends of a stretch say
//! between which costs everything inside it lies, and a stretch in which both sides cannot meet is done
//! with. What is left is halved, down to neighbours a billionth apart. The steps against the direction
//! are known. At fifteen minutes a build no longer fits Lambda: those places are looked at first, from
//! both sides. Users bring free requests, and fleets take builds in turn: there each whole value is.
//!
//! Sides that cost the same at both ends of a stretch and in its middle mostly lie on each other, and no
//! halving ends there. Steps can agree by chance too: such stretches come last, halved together, and what
//! is left of them then is said.

use std::collections::{BTreeSet, VecDeque};

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    change::{Change, Scenario, Target},
    compare::ScenarioRater,
    parameter::{Parameter, Side, side},
};
use crate::domain::{money::Money, rating::RatingError};

/// Where a scenario begins to pay, or ends to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignChange {
    /// The first value at which it holds.
    pub at: Decimal,
    /// From here on the scenario costs no more than the baseline; else from here on it costs more.
    pub pays: bool,
    /// The difference here.
    pub difference: Money,
}

/// Where a scenario pays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BreakEven {
    /// What is turned.
    pub parameter: Parameter,
    /// Between which values it was looked for.
    pub range: (Decimal, Decimal),
    /// Every change of sign, in order of the value.
    pub sign_changes: Vec<SignChange>,
    /// The difference at both ends.
    pub ends: (Money, Money),
    /// It is the same wherever the parameter stands: no build or usage hangs on it.
    pub flat: bool,
    /// Everything in it has a price; else where it pays is not known.
    pub complete: bool,
    /// There are no others: each stretch between was ruled out. Else both sides run so close over a
    /// stretch that some may have been missed.
    pub all: bool,
}

/// Stretches to begin with.
const STRETCHES: u32 = 32;

/// The finest step of a break-even value, in decimal places.
const PLACES: u32 = 9;

/// The most places at which Lambda lets go of a build that are looked at from both sides.
const MOST_LIMITS: usize = 400;

/// The most values at which the whole tariff is asked: of many builds the fewer, for each of them is
/// metered again.
fn most_asked(months: &[ScenarioRater<'_>]) -> u64 {
    let builds: u64 = months.iter().map(|rater| rater.workload.builds).sum();
    (20_000_000 / builds.max(1)).clamp(1000, 20_000)
}

/// The most values at which stretches are asked whose ends and middle cost the same on both sides.
const MOST_LEVEL: u64 = 1000;

/// What both sides cost at a value.
#[derive(Clone, Copy)]
struct Point {
    at: Decimal,
    baseline: Money,
    scenario: Money,
}

impl Point {
    fn difference(self) -> Money {
        self.scenario - self.baseline
    }

    fn pays(self) -> bool {
        self.difference() <= Money::ZERO
    }
}

impl BreakEven {
    /// Tells whether it pays at the first value of the range.
    pub fn pays_at_start(&self) -> bool {
        self.ends.0 <= Money::ZERO
    }
}

struct Search<'s, 'a> {
    months: &'s [ScenarioRater<'a>],
    scenario: &'s Scenario,
    parameter: &'s Parameter,
    own_baseline: Option<Side>,
    step: Decimal,
    asked: u64,
    most_asked: u64,
    crossings: Vec<SignChange>,
    complete: bool,
    all: bool,
    /// Both sides cost the same at the ends of these stretches and in their middle.
    level: VecDeque<[Point; 3]>,
}

impl Search<'_, '_> {
    fn point(&mut self, at: Decimal) -> Result<Point, RatingError> {
        self.asked += 1;
        let scenario = side(
            self.months,
            &self.parameter.turned(&self.scenario.changes, at),
        )?;
        let baseline = match self.own_baseline {
            Some(baseline) => baseline,
            None => side(self.months, &self.parameter.turned(&[], at))?,
        };
        self.complete &= scenario.complete && baseline.complete;
        Ok(Point {
            at,
            baseline: baseline.cost,
            scenario: scenario.cost,
        })
    }

    fn middle(&self, from: Decimal, to: Decimal) -> Decimal {
        let middle = (from + to) / Decimal::TWO;
        if self.step == Decimal::ONE {
            middle.floor()
        } else {
            middle.round_dp_with_strategy(PLACES, RoundingStrategy::ToZero)
        }
    }

    /// Finds the changes of sign between two values, in order.
    fn between(&mut self, from: Point, to: Point) -> Result<(), RatingError> {
        let turns = from.pays() != to.pays();
        if to.at - from.at <= self.step {
            if turns {
                self.found(to);
            }
            return Ok(());
        }
        // Every cost inside lies between those at the ends.
        let least = from.scenario.min(to.scenario) - from.baseline.max(to.baseline);
        let most = from.scenario.max(to.scenario) - from.baseline.min(to.baseline);
        if least > Money::ZERO || most <= Money::ZERO {
            return Ok(());
        }
        // Both sides move: they may meet more often than the ends show. One that stands is met once.
        let is_one_moving = from.scenario == to.scenario || from.baseline == to.baseline;
        if (!turns && is_one_moving) || self.asked >= self.most_asked {
            self.all &= is_one_moving;
            return if turns { self.halve(from, to) } else { Ok(()) };
        }
        if turns && is_one_moving {
            return self.halve(from, to);
        }
        let middle = self.point(self.middle(from.at, to.at))?;
        let stretch = [from, middle, to];
        if stretch.iter().all(|point| point.difference().is_zero()) {
            self.level.push_back(stretch);
            return Ok(());
        }
        self.between(from, middle)?;
        self.between(middle, to)
    }

    /// Looks into the stretches that were left for last.
    fn level(&mut self) -> Result<(), RatingError> {
        let most = self.most_asked.min(self.asked + MOST_LEVEL);
        while self.asked < most {
            let Some([from, middle, to]) = self.level.pop_front() else {
                return Ok(());
            };
            self.between(from, middle)?;
            self.between(middle, to)?;
        }
        self.all &= self.level.is_empty();
        Ok(())
    }

    /// Finds the one change of sign between two values.
    fn halve(&mut self, mut from: Point, mut to: Point) -> Result<(), RatingError> {
        while to.at - from.at > self.step {
            let middle = self.point(self.middle(from.at, to.at))?;
            if middle.pays() == to.pays() {
                to = middle;
            } else {
                from = middle;
            }
        }
        self.found(to);
        Ok(())
    }

    fn found(&mut self, point: Point) {
        self.crossings.push(SignChange {
            at: point.at.normalize(),
            pays: point.pays(),
            difference: point.difference(),
        });
    }
}

/// Finds where a scenario starts and ceases to cost no more than its baseline: to nine places, whole
/// numbers for what has no halves.
pub fn break_even(
    months: &[ScenarioRater<'_>],
    scenario: &Scenario,
    parameter: &Parameter,
    range: (Decimal, Decimal),
) -> Result<BreakEven, RatingError> {
    let own_baseline = if parameter.is_of_the_scenario() {
        Some(side(months, &[])?)
    } else {
        None
    };
    let whole = parameter.is_whole();
    let (low, high) = if whole {
        (range.0.ceil(), range.1.floor())
    } else {
        range
    };
    let step = if whole {
        Decimal::ONE
    } else {
        Decimal::new(1, PLACES)
    };
    let stretches = Decimal::from(STRETCHES);
    let mut marks: BTreeSet<Decimal> = (0..=STRETCHES)
        .map(|n| low + (high - low) * Decimal::from(n) / stretches)
        .map(|mark| {
            if whole {
                mark.floor()
            } else {
                mark.round_dp(PLACES)
            }
        })
        .collect();
    let limits = limits(months, scenario, parameter, (low, high));
    let mut all = limits.len() <= MOST_LIMITS;
    if turns_anywhere(months, scenario, parameter) {
        if whole && high - low <= Decimal::from(MOST_LIMITS) {
            let whole = std::iter::successors(Some(low), |mark| Some(mark + Decimal::ONE));
            marks.extend(whole.take_while(|mark| *mark <= high));
        } else {
            all = false;
        }
    }
    for limit in limits.into_iter().take(MOST_LIMITS) {
        let around = [limit - step, limit, limit + step];
        marks.extend(
            around
                .into_iter()
                .filter(|mark| *mark >= low && *mark <= high),
        );
    }
    let mut search = Search {
        months,
        scenario,
        parameter,
        own_baseline,
        step,
        asked: 0,
        most_asked: most_asked(months),
        crossings: Vec::new(),
        complete: true,
        all: true,
        level: VecDeque::new(),
    };
    let mut points = Vec::with_capacity(marks.len());
    for mark in marks {
        points.push(search.point(mark)?);
    }
    search.asked = 0;
    let is_apart = parameter.is_apart_from(&scenario.changes);
    if !is_apart {
        for pair in points.windows(2) {
            search.between(pair[0], pair[1])?;
        }
        search.level()?;
        search.crossings.sort_by_key(|crossing| crossing.at);
    }
    let all = is_apart || (all && search.all);
    let stands = |point: &Point| {
        point.baseline == points[0].baseline && point.scenario == points[0].scenario
    };
    let (first, last) = (points[0], points[points.len() - 1]);
    let ends = (first.difference(), last.difference());
    Ok(BreakEven {
        parameter: parameter.clone(),
        range: (low, high),
        sign_changes: search.crossings,
        ends,
        flat: is_apart || (all && points.iter().all(stands)),
        complete: search.complete,
        all,
    })
}

/// Tells whether costs may turn back and forth wherever the parameter stands: which builds find a machine of
/// a fleet free, and what a user costs beside the storage and requests that come with one.
fn turns_anywhere(
    months: &[ScenarioRater<'_>],
    scenario: &Scenario,
    parameter: &Parameter,
) -> bool {
    match parameter {
        Parameter::Total(total, _) => {
            let meter = total.meter();
            let brings = |rater: &ScenarioRater<'_>| {
                let mut further = rater
                    .catalog
                    .allowances()
                    .filter_map(|a| a.further.as_ref());
                further.any(|further| further.meter == meter)
            };
            months.iter().any(brings)
        }
        _ => scenario.changes.iter().any(|change| {
            matches!(
                change,
                Change::Compute {
                    to: Target::Fleet { .. },
                    ..
                }
            )
        }),
    }
}

/// Returns the values at which some build that the scenario moves takes as long as it may there: on Lambda
/// fifteen minutes.
fn limits(
    months: &[ScenarioRater<'_>],
    scenario: &Scenario,
    parameter: &Parameter,
    (low, high): (Decimal, Decimal),
) -> BTreeSet<Decimal> {
    let mut limits = BTreeSet::new();
    let mut longer = Decimal::ONE;
    for change in &scenario.changes {
        if let Change::Minutes { times, .. } = change {
            longer *= *times;
        }
    }
    for change in &scenario.changes {
        let Change::Compute { only, to, speed } = change else {
            continue;
        };
        let Some(most) = to.limit() else {
            continue;
        };
        for rater in months {
            let groups = rater.workload.groups.iter();
            for group in groups.filter(|group| only.matches(&group.subject(), rater.catalog)) {
                for build in &group.builds {
                    let length = Decimal::from(build.length) * longer / Decimal::from(most);
                    let limit = match parameter {
                        Parameter::Speed => Some(length),
                        Parameter::Minutes(_) => speed.checked_div(length),
                        _ => None,
                    };
                    let limit = limit.map(|limit| limit.round_dp(PLACES));
                    limits.extend(limit.filter(|limit| *limit >= low && *limit <= high));
                }
            }
        }
    }
    limits
}
