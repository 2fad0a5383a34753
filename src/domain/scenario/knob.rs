//! One quantity turned from one value to another: sweeps, break-even points, tornadoes.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    change::{Adjust, Change, Scenario, Selector, Target, Total},
    compare::{Spread, Totals, Valuer, as_percent},
    workload::Basis,
};
use crate::domain::{
    catalog::Grain, money::Money, number::plain, quantity::Unit, rating::RatingError,
};

/// What is turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Knob {
    /// A total, set to the value.
    Total(Total, Selector),
    /// The number of builds, times the value.
    Builds(Selector),
    /// The length of builds, times the value.
    Minutes(Selector),
    /// How fast builds run where the scenario moves them.
    Speed,
    /// How many machines the scenario's fleet has.
    Machines,
    /// V2 action minutes of each pipeline that the scenario changes.
    PipelineMinutes,
}

impl Knob {
    /// Tells whether the knob belongs to the scenario's own changes.
    pub fn is_of_the_scenario(&self) -> bool {
        matches!(self, Self::Speed | Self::Machines | Self::PipelineMinutes)
    }

    /// Tells whether there are no halves of it.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Total(total, _) => total.is_whole(),
            Self::Machines => true,
            _ => false,
        }
    }

    /// Returns its name, as `--sweep` spells it.
    pub fn name(&self) -> String {
        let change = match self {
            Self::Speed => return "speed".to_owned(),
            Self::Machines => return "machines".to_owned(),
            Self::PipelineMinutes => return "pipeline_minutes".to_owned(),
            _ => self.change(Decimal::ONE).to_string(),
        };
        let end = change.rfind("*=").or_else(|| change.rfind('='));
        change[..end.unwrap_or(change.len())].to_owned()
    }

    /// Returns the change that a value means, for knobs that are one of their own.
    fn change(&self, value: Decimal) -> Change {
        match self {
            Self::Builds(only) => Change::Builds {
                only: only.clone(),
                times: value,
            },
            Self::Minutes(only) => Change::Minutes {
                only: only.clone(),
                times: value,
            },
            Self::Total(of, only) => Change::Total {
                of: of.clone(),
                only: only.clone(),
                to: Adjust::To(value),
            },
            Self::Speed | Self::Machines | Self::PipelineMinutes => Change::FreeTier(true),
        }
    }

    /// Returns changes with the knob at a value. Nothing else changes.
    pub fn turned(&self, changes: &[Change], value: Decimal) -> Vec<Change> {
        let mut turned = changes.to_vec();
        let mut found = false;
        for change in &mut turned {
            match (self, change) {
                (Self::Speed, Change::Compute { speed, .. }) => *speed = value,
                (
                    Self::Machines,
                    Change::Compute {
                        to: Target::Fleet { machines, .. },
                        ..
                    },
                ) => *machines = u32::try_from(value.floor()).unwrap_or(u32::MAX),
                (Self::PipelineMinutes, Change::PipelineType { minutes, .. }) => {
                    *minutes = Some(value);
                }
                (
                    Self::Total(of, only),
                    Change::Total {
                        of: own,
                        only: own_only,
                        to,
                    },
                ) if of == own && only == own_only => {
                    *to = Adjust::To(value);
                    found = true;
                }
                _ => {}
            }
        }
        if !self.is_of_the_scenario() && !found {
            turned.push(self.change(value));
        }
        turned
    }

    /// Tells whether a scenario has what the knob turns.
    pub fn fits(&self, scenario: &Scenario) -> bool {
        !self.is_of_the_scenario()
            || scenario.changes.iter().any(|change| {
                matches!(
                    (self, change),
                    (Self::Speed, Change::Compute { .. })
                        | (
                            Self::Machines,
                            Change::Compute {
                                to: Target::Fleet { .. },
                                ..
                            }
                        )
                        | (Self::PipelineMinutes, Change::PipelineType { .. })
                )
            })
    }
}

/// A knob and the values it is turned to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    /// What is turned.
    pub knob: Knob,
    /// To which values, in order.
    pub values: Vec<Decimal>,
}

/// Costs with the knobs at some values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepPoint {
    /// The values, in the order of the axes.
    pub at: Vec<Decimal>,
    /// What it costs, over all months.
    pub total: Totals,
}

/// Costs over one or two axes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sweep {
    /// The axes.
    pub axes: Vec<Axis>,
    /// The points, the last axis turning fastest.
    pub points: Vec<SweepPoint>,
    /// The baseline turns too: knobs that are not of the scenario turn on both sides.
    pub baseline_turns: bool,
}

/// Values a scenario at each point. Where the scenario has changes of its own, the baseline is turned
/// too, so that the difference is the scenario's; a scenario without any is compared with the
/// baseline as it is.
pub fn sweep(
    months: &[Valuer<'_>],
    scenario: &Scenario,
    axes: &[Axis],
) -> Result<Sweep, RatingError> {
    let mut places: Vec<Vec<Decimal>> = vec![Vec::new()];
    for axis in axes {
        places = places
            .into_iter()
            .flat_map(|place| {
                axis.values.iter().map(move |value| {
                    let mut place = place.clone();
                    place.push(*value);
                    place
                })
            })
            .collect();
    }
    let baseline_turns = !scenario.changes.is_empty();
    let mut points = Vec::with_capacity(places.len());
    let mut baselines: BTreeMap<Vec<String>, Totals> = BTreeMap::new();
    for at in places {
        let mut changes = scenario.changes.clone();
        let mut baseline = Vec::new();
        for (axis, value) in axes.iter().zip(&at) {
            changes = axis.knob.turned(&changes, *value);
            if baseline_turns && !axis.knob.is_of_the_scenario() {
                baseline = axis.knob.turned(&baseline, *value);
            }
        }
        // The baseline turns with fewer knobs than the scenario: each of its values is met often.
        let turned: Vec<String> = baseline.iter().map(Change::to_string).collect();
        let before = match baselines.get(&turned) {
            Some(before) => *before,
            None => scenario_totals(months, &baseline)?,
        };
        baselines.insert(turned, before);
        let after = scenario_totals(months, &changes)?;
        let total = Totals {
            baseline: before.scenario,
            scenario: after.scenario,
            difference: after.scenario - before.scenario,
            complete: before.complete && after.complete,
        };
        points.push(SweepPoint { at, total });
    }
    Ok(Sweep {
        axes: axes.to_vec(),
        points,
        baseline_turns,
    })
}

fn scenario_totals(months: &[Valuer<'_>], changes: &[Change]) -> Result<Totals, RatingError> {
    let changes: Vec<&Change> = changes.iter().collect();
    let mut totals = Totals {
        complete: true,
        ..Totals::default()
    };
    for valuer in months {
        let value = valuer.value(&changes)?;
        totals.scenario += value.bill.total();
        totals.complete &= value.is_complete();
    }
    Ok(totals)
}

/// Where a scenario begins to pay, or ends to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crossing {
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
    pub knob: Knob,
    /// Between which values it was looked for.
    pub range: (Decimal, Decimal),
    /// It pays at the first of them.
    pub pays_at_start: bool,
    /// Every change of sign, in order of the value.
    pub crossings: Vec<Crossing>,
    /// The difference at both ends.
    pub ends: (Money, Money),
    /// It is the same wherever the knob stands: no build or usage hangs on it.
    pub flat: bool,
    /// Everything in it has a price; else where it pays is not known.
    pub complete: bool,
}

/// Stretches that are looked at for a change of sign.
const STRETCHES: u32 = 32;

/// The finest step of a break-even value, in decimal places.
const PLACES: u32 = 9;

/// Finds where a scenario starts and ceases to cost no more than its baseline.
///
/// The difference is a function of steps and straight lines: started minutes, tiers, free units. Each
/// change of sign is halved down to neighbours a billionth apart (whole numbers: neighbours), so the
/// answer is the first value, to nine places, at which the full tariff says so; where a build's
/// rounding makes the step, that is the step. A stretch in which the sign changes twice is missed.
pub fn break_even(
    months: &[Valuer<'_>],
    scenario: &Scenario,
    knob: &Knob,
    range: (Decimal, Decimal),
) -> Result<BreakEven, RatingError> {
    let scenario_turns_alone = knob.is_of_the_scenario();
    let own_baseline = if scenario_turns_alone {
        Some(scenario_totals(months, &[])?.scenario)
    } else {
        None
    };
    let difference = |value: Decimal| -> Result<Money, RatingError> {
        let changes = knob.turned(&scenario.changes, value);
        let scenario = scenario_totals(months, &changes)?.scenario;
        let baseline = match own_baseline {
            Some(baseline) => baseline,
            None => scenario_totals(months, &knob.turned(&[], value))?.scenario,
        };
        Ok(scenario - baseline)
    };
    let whole = knob.is_whole();
    let (low, high) = if whole {
        (range.0.ceil(), range.1.floor())
    } else {
        range
    };
    let stretches = Decimal::from(STRETCHES);
    let mut marks: Vec<Decimal> = (0..=STRETCHES)
        .map(|n| low + (high - low) * Decimal::from(n) / stretches)
        .map(|mark| {
            if whole {
                mark.floor()
            } else {
                mark.round_dp(PLACES)
            }
        })
        .collect();
    marks.dedup();
    let mut crossings = Vec::new();
    let pays = |difference: Money| difference <= Money::ZERO;
    let start = difference(marks[0])?;
    let mut before = (marks[0], start);
    let mut flat = true;
    for &mark in &marks[1..] {
        let here = difference(mark)?;
        flat &= here == start;
        if pays(here) != pays(before.1) {
            let (mut from, mut to) = (before.0, (mark, here));
            let step = if whole {
                Decimal::ONE
            } else {
                Decimal::new(1, PLACES)
            };
            while to.0 - from > step {
                let middle = (from + to.0) / Decimal::TWO;
                let middle = if whole {
                    middle.floor()
                } else {
                    middle.round_dp_with_strategy(PLACES, rust_decimal::RoundingStrategy::ToZero)
                };
                let at = difference(middle)?;
                if pays(at) == pays(here) {
                    to = (middle, at);
                } else {
                    from = middle;
                }
            }
            crossings.push(Crossing {
                at: to.0.normalize(),
                pays: pays(to.1),
                difference: to.1,
            });
        }
        before = (mark, here);
    }
    Ok(BreakEven {
        knob: knob.clone(),
        range: (low, high),
        pays_at_start: pays(start),
        crossings,
        ends: (start, before.1),
        flat,
        complete: [low, high].into_iter().try_fold(true, |complete, value| {
            let changes = knob.turned(&scenario.changes, value);
            Ok(complete && scenario_totals(months, &changes)?.complete)
        })?,
    })
}

/// How far a driver is turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Swing {
    /// So many percent down and up.
    Percent(Decimal),
    /// To its own P10 and P90 over these months, given as a share of the baseline by its name.
    Own(Vec<(String, Decimal, Decimal)>),
}

/// One driver and what it does to the bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornadoBar {
    /// Which driver, as `--set` spells it.
    pub driver: String,
    /// How far it was turned down and up, in words.
    pub turned: (String, String),
    /// The cost with it turned down.
    pub low: Money,
    /// The cost with it turned up.
    pub high: Money,
    /// Its reach: the distance between both.
    pub reach: Money,
}

impl TornadoBar {
    /// Returns what turning it down and up changes.
    pub fn changes(&self, middle: Money) -> (Money, Money) {
        (self.low - middle, self.high - middle)
    }
}

/// Drivers, the one that matters most first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tornado {
    /// The cost with every driver as it is.
    pub middle: Money,
    /// The drivers.
    pub bars: Vec<TornadoBar>,
    /// Everything in it has a price.
    pub complete: bool,
}

/// Returns the drivers that months have: each compute type's minutes, people, pipelines, updates and
/// the meters around them.
pub fn drivers(months: &[Valuer<'_>]) -> Vec<Knob> {
    let mut knobs: Vec<Knob> = Vec::new();
    for valuer in months {
        for lot in &valuer.workload.lots {
            let meter = &lot.key.meter;
            let compute = valuer
                .catalog
                .computes
                .iter()
                .find(|c| c.meter == *meter && c.grain != Grain::Provisioned);
            let named = Total::NAMED
                .iter()
                .find(|(_, total)| total.meter() == *meter);
            let knob = match (compute, named) {
                (Some(compute), _) => Knob::Builds(Selector::compute(&compute.name)),
                (None, Some((_, total))) => Knob::Total(total.clone(), Selector::default()),
                (None, None) => Knob::Total(Total::Metered(meter.clone()), Selector::default()),
            };
            if !knobs.contains(&knob) {
                knobs.push(knob);
            }
        }
    }
    knobs
}

/// Returns how much of a driver a month has.
pub fn amount_of(knob: &Knob, valuer: &Valuer<'_>) -> Decimal {
    let counts = |lot: &&super::workload::Lot| match knob {
        Knob::Builds(only) | Knob::Minutes(only) => only.matches(&lot.subject(), valuer.catalog),
        Knob::Total(total, _) => total.meter() == lot.key.meter,
        _ => false,
    };
    let lots = valuer.workload.lots.iter().filter(counts);
    lots.map(|lot| valuer.workload.quantity(lot, valuer.catalog))
        .sum()
}

/// Turns each driver down and up under a scenario. One that does nothing is left out.
pub fn tornado(
    months: &[Valuer<'_>],
    scenario: &Scenario,
    swing: &Swing,
) -> Result<Tornado, RatingError> {
    let Totals {
        scenario: middle,
        complete,
        ..
    } = scenario_totals(months, &scenario.changes)?;
    let mut bars = Vec::new();
    for knob in drivers(months) {
        let name = knob.name();
        let (down, up) = match swing {
            Swing::Percent(percent) => {
                let share = *percent / Decimal::ONE_HUNDRED;
                (Decimal::ONE - share, Decimal::ONE + share)
            }
            Swing::Own(own) => match own.iter().find(|(driver, ..)| *driver == name) {
                Some((_, low, high)) => (*low, *high),
                None => continue,
            },
        };
        let cost = |factor: Decimal| -> Result<Money, RatingError> {
            let mut changes = scenario.changes.clone();
            changes.push(match &knob {
                Knob::Total(of, only) => Change::Total {
                    of: of.clone(),
                    only: only.clone(),
                    to: Adjust::Times(factor),
                },
                Knob::Builds(only) | Knob::Minutes(only) => Change::Builds {
                    only: only.clone(),
                    times: factor,
                },
                Knob::Speed | Knob::Machines | Knob::PipelineMinutes => return Ok(middle),
            });
            Ok(scenario_totals(months, &changes)?.scenario)
        };
        let (low, high) = (cost(down)?, cost(up)?);
        if low == middle && high == middle {
            continue;
        }
        let reach = Money::new((high - low).amount().abs());
        bars.push(TornadoBar {
            driver: name,
            turned: (as_percent(down), as_percent(up)),
            low,
            high,
            reach,
        });
    }
    bars.sort_by(|a, b| b.reach.cmp(&a.reach).then_with(|| a.driver.cmp(&b.driver)));
    Ok(Tornado {
        middle,
        bars,
        complete,
    })
}

/// Returns each driver's own P10 and P90 over months of history, as a share of its mean over the
/// months that are compared. Drivers that some month lacks have none.
pub fn own_swings(
    history: &[Valuer<'_>],
    months: &[Valuer<'_>],
) -> Vec<(String, Decimal, Decimal)> {
    let mean = |knob: &Knob| {
        let sum: Decimal = months.iter().map(|valuer| amount_of(knob, valuer)).sum();
        sum / Decimal::from(months.len().max(1))
    };
    drivers(months)
        .into_iter()
        .filter_map(|knob| {
            let usual = Some(mean(&knob)).filter(|mean| !mean.is_zero())?;
            let amounts = history.iter().map(|valuer| amount_of(&knob, valuer));
            let spread = Spread::of(amounts.map(Money::new).collect());
            let share = |amount: Money| (amount.amount() / usual).round_dp(4);
            Some((knob.name(), share(spread.p10), share(spread.p90)))
        })
        .collect()
}

/// Returns where to look for a break-even when no range is stated.
pub fn usual_range(knob: &Knob, months: &[Valuer<'_>]) -> (Decimal, Decimal) {
    let tenfold = |amount: Decimal| {
        (
            Decimal::ZERO,
            (amount * Decimal::TEN).ceil().max(Decimal::ONE_HUNDRED),
        )
    };
    match knob {
        Knob::Speed => (Decimal::new(1, 1), Decimal::TEN),
        Knob::Machines => (Decimal::ONE, Decimal::from(64)),
        Knob::Builds(_) | Knob::Minutes(_) => (Decimal::ZERO, Decimal::TEN),
        Knob::PipelineMinutes => {
            let minutes = months
                .iter()
                .flat_map(|valuer| &valuer.workload.pipelines)
                .filter_map(|pipeline| {
                    pipeline
                        .minutes
                        .filter(|(_, basis)| *basis != Basis::LikeOthers)
                })
                .map(|(minutes, _)| minutes);
            tenfold(minutes.max().unwrap_or_default().max(Decimal::ONE_HUNDRED))
        }
        Knob::Total(..) => {
            let amounts = months.iter().map(|valuer| amount_of(knob, valuer));
            tenfold(amounts.max().unwrap_or_default())
        }
    }
}

/// Says what a value of a knob means.
pub fn shown_value(knob: &Knob, value: Decimal) -> String {
    match knob {
        Knob::Builds(_) | Knob::Minutes(_) | Knob::Speed => format!("{} ×", plain(value)),
        Knob::Total(total, _) if total.meter().usage_type.as_str() == "storage overage" => {
            format!("{} {}", plain(value), Unit::GbMonth.plural())
        }
        _ => plain(value),
    }
}
