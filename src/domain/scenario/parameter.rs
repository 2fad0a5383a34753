//! One quantity turned from one value to another: sweeps and tornadoes.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    change::{Adjust, Change, Scenario, Selector, Target, Total},
    compare::{Completeness, ScenarioRater, Totals, as_percent},
    workload::Basis,
};
use crate::domain::{
    catalog::Grain, money::Money, number::plain, percentiles::Percentiles, quantity::Unit,
    rating::RatingError, services::REPOSITORY_STORAGE, storage::StorageKind,
};

/// What is turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parameter {
    /// A total, set to the value.
    Total(Total, Selector),
    /// The number of builds, times the value.
    Builds(Selector),
    /// The length of builds, times the value.
    Minutes(Selector),
    /// For how many days logs or artifacts are kept.
    Retention(StorageKind, Selector),
    /// How fast builds run where the scenario moves them.
    Speed,
    /// How many machines the scenario's fleet has.
    Machines,
    /// V2 action minutes of each pipeline that the scenario changes.
    PipelineMinutes,
}

impl Parameter {
    /// Tells whether the parameter belongs to the scenario's own changes.
    pub fn is_of_the_scenario(&self) -> bool {
        matches!(self, Self::Speed | Self::Machines | Self::PipelineMinutes)
    }

    /// Tells whether there are no halves of it.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Total(total, _) => total.is_whole(),
            Self::Machines | Self::Retention(..) => true,
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

    /// Returns the change that a value means, for parameters that are one of their own.
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
            Self::Retention(left, only) => Change::Retention {
                left: *left,
                only: only.clone(),
                days: value,
            },
            Self::Speed | Self::Machines | Self::PipelineMinutes => Change::FreeTier(true),
        }
    }

    /// Tells whether it turns another service than the changes are about, so that nothing of what they
    /// make of a bill hangs on it.
    pub fn is_apart_from(&self, changes: &[Change]) -> bool {
        let own = self.change(Decimal::ONE).service();
        !self.is_of_the_scenario()
            && own.is_some()
            && changes.iter().all(|change| {
                let service = change.service();
                service.is_some() && service != own
            })
    }

    /// Returns changes with the parameter at a value.
    pub fn turned(&self, changes: &[Change], value: Decimal) -> Vec<Change> {
        let mut turned = changes.to_vec();
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
                _ => {}
            }
        }
        if !self.is_of_the_scenario() {
            // The quantity comes first; what the scenario makes of it, more people or fewer minutes, is
            // made of the turned one.
            turned.insert(0, self.change(value));
        }
        turned
    }

    /// Returns the scenario's change that sets what the parameter turns, whatever the parameter says: both cannot
    /// hold.
    pub fn is_set_by<'s>(&self, scenario: &'s Scenario) -> Option<&'s Change> {
        scenario.changes.iter().find(|change| match (self, change) {
            (
                Self::Total(of, _),
                Change::Total {
                    of: own,
                    to: Adjust::To(_),
                    ..
                },
            ) => of.meter() == own.meter(),
            (Self::Retention(left, _), Change::Retention { left: own, .. }) => left == own,
            _ => false,
        })
    }

    /// Tells whether a scenario has what the parameter turns.
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

/// A parameter and the values it is turned to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    /// What is turned.
    pub parameter: Parameter,
    /// To which values, in order.
    pub values: Vec<Decimal>,
}

/// Costs with the parameters at some values.
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
    /// The baseline turns too: parameters that are not of the scenario turn on both sides.
    pub baseline_turns: bool,
}

/// Values a scenario at each point. Where the scenario has changes of its own, the baseline is turned
/// too, so that the difference is the scenario's; a scenario without any is compared with the
/// baseline as it is.
pub fn sweep(
    months: &[ScenarioRater<'_>],
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
    let mut baselines: BTreeMap<Vec<String>, Side> = BTreeMap::new();
    for at in places {
        let mut changes = scenario.changes.clone();
        let mut baseline = Vec::new();
        for (axis, value) in axes.iter().zip(&at) {
            changes = axis.parameter.turned(&changes, *value);
            if baseline_turns && !axis.parameter.is_of_the_scenario() {
                baseline = axis.parameter.turned(&baseline, *value);
            }
        }
        // The baseline turns with fewer parameters than the scenario: each of its values is met often.
        let turned: Vec<String> = baseline.iter().map(Change::to_string).collect();
        let before = match baselines.get(&turned) {
            Some(before) => *before,
            None => side(months, &baseline)?,
        };
        baselines.insert(turned, before);
        let after = side(months, &changes)?;
        let total = Totals {
            baseline: before.cost,
            scenario: after.cost,
            difference: after.cost - before.cost,
            whole: Completeness {
                baseline: before.complete,
                scenario: after.complete,
            },
        };
        points.push(SweepPoint { at, total });
    }
    Ok(Sweep {
        axes: axes.to_vec(),
        points,
        baseline_turns,
    })
}

/// One side of a comparison, over all months.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) cost: Money,
    pub(super) complete: bool,
}

pub(super) fn side(months: &[ScenarioRater<'_>], changes: &[Change]) -> Result<Side, RatingError> {
    let changes: Vec<&Change> = changes.iter().collect();
    let mut side = Side {
        cost: Money::ZERO,
        complete: true,
    };
    for rater in months {
        let value = rater.value(&changes)?;
        side.cost += value.bill.total();
        side.complete &= value.is_complete();
    }
    Ok(side)
}

/// How far a driver is turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Variation {
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
    pub range: Money,
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
pub fn drivers(months: &[ScenarioRater<'_>]) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for rater in months {
        for group in &rater.workload.groups {
            let meter = &group.key.meter;
            let compute = rater
                .catalog
                .computes
                .iter()
                .find(|c| c.meter == *meter && c.grain != Grain::Provisioned);
            let named = Total::NAMED
                .iter()
                .find(|(_, total)| total.meter() == *meter);
            let parameter = match (compute, named) {
                (Some(compute), _) => Parameter::Builds(Selector::compute(&compute.name)),
                (None, Some((_, total))) => Parameter::Total(total.clone(), Selector::default()),
                (None, None) => {
                    Parameter::Total(Total::Metered(meter.clone()), Selector::default())
                }
            };
            if !parameters.contains(&parameter) {
                parameters.push(parameter);
            }
        }
    }
    parameters
}

/// Returns how much of a driver a month has.
pub fn amount_of(parameter: &Parameter, rater: &ScenarioRater<'_>) -> Decimal {
    let counts = |group: &&super::workload::UsageGroup| match parameter {
        Parameter::Builds(only) | Parameter::Minutes(only) => {
            only.matches(&group.subject(), rater.catalog)
        }
        Parameter::Total(total, _) => total.meter() == group.key.meter,
        _ => false,
    };
    let groups = rater.workload.groups.iter().filter(counts);
    groups
        .map(|group| rater.workload.quantity(group, rater.catalog))
        .sum()
}

/// Turns each driver down and up under a scenario. One that does nothing is left out.
pub fn tornado(
    months: &[ScenarioRater<'_>],
    scenario: &Scenario,
    swing: &Variation,
) -> Result<Tornado, RatingError> {
    let Side {
        cost: middle,
        complete,
    } = side(months, &scenario.changes)?;
    let mut bars = Vec::new();
    for parameter in drivers(months) {
        let name = parameter.name();
        let (down, up) = match swing {
            Variation::Percent(percent) => {
                let share = *percent / Decimal::ONE_HUNDRED;
                (Decimal::ONE - share, Decimal::ONE + share)
            }
            Variation::Own(own) => match own.iter().find(|(driver, ..)| *driver == name) {
                Some((_, low, high)) => (*low, *high),
                None => continue,
            },
        };
        let cost = |factor: Decimal| -> Result<Money, RatingError> {
            let mut changes = scenario.changes.clone();
            changes.push(match &parameter {
                Parameter::Total(of, only) => Change::Total {
                    of: of.clone(),
                    only: only.clone(),
                    to: Adjust::Times(factor),
                },
                Parameter::Builds(only) | Parameter::Minutes(only) => Change::Builds {
                    only: only.clone(),
                    times: factor,
                },
                Parameter::Speed
                | Parameter::Machines
                | Parameter::PipelineMinutes
                | Parameter::Retention(..) => {
                    return Ok(middle);
                }
            });
            Ok(side(months, &changes)?.cost)
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
            range: reach,
        });
    }
    bars.sort_by(|a, b| b.range.cmp(&a.range).then_with(|| a.driver.cmp(&b.driver)));
    Ok(Tornado {
        middle,
        bars,
        complete,
    })
}

/// Returns each driver's own P10 and P90 over months of history, as a share of its mean over the
/// months that are compared. Drivers that some month lacks have none.
pub fn own_swings(
    history: &[ScenarioRater<'_>],
    months: &[ScenarioRater<'_>],
) -> Vec<(String, Decimal, Decimal)> {
    let mean = |parameter: &Parameter| {
        let sum: Decimal = months.iter().map(|rater| amount_of(parameter, rater)).sum();
        sum / Decimal::from(months.len().max(1))
    };
    drivers(months)
        .into_iter()
        .filter_map(|parameter| {
            let usual = Some(mean(&parameter)).filter(|mean| !mean.is_zero())?;
            let amounts = history.iter().map(|rater| amount_of(&parameter, rater));
            let spread = Percentiles::of(amounts.map(Money::new).collect());
            let share = |amount: Money| (amount.amount() / usual).round_dp(4);
            Some((parameter.name(), share(spread.p10), share(spread.p90)))
        })
        .collect()
}

/// Returns where to look for a break-even when no range is stated.
pub fn usual_range(parameter: &Parameter, months: &[ScenarioRater<'_>]) -> (Decimal, Decimal) {
    let tenfold = |amount: Decimal| {
        (
            Decimal::ZERO,
            (amount * Decimal::TEN).ceil().max(Decimal::ONE_HUNDRED),
        )
    };
    match parameter {
        Parameter::Speed => (Decimal::new(1, 1), Decimal::TEN),
        Parameter::Retention(..) => (Decimal::ONE, Decimal::from(3653)),
        Parameter::Machines => (Decimal::ONE, Decimal::from(64)),
        Parameter::Builds(_) | Parameter::Minutes(_) => (Decimal::ZERO, Decimal::TEN),
        Parameter::PipelineMinutes => {
            let minutes = months
                .iter()
                .flat_map(|rater| &rater.workload.pipelines)
                .filter_map(|pipeline| {
                    pipeline
                        .minutes
                        .filter(|(_, basis)| *basis != Basis::LikeOthers)
                })
                .map(|(minutes, _)| minutes);
            tenfold(minutes.max().unwrap_or_default().max(Decimal::ONE_HUNDRED))
        }
        Parameter::Total(..) => {
            let amounts = months.iter().map(|rater| amount_of(parameter, rater));
            tenfold(amounts.max().unwrap_or_default())
        }
    }
}

/// Says what a value of a parameter means.
pub fn shown_value(parameter: &Parameter, value: Decimal) -> String {
    match parameter {
        Parameter::Builds(_) | Parameter::Minutes(_) | Parameter::Speed => {
            format!("{} ×", plain(value))
        }
        Parameter::Total(total, _) if total.meter().usage_type.as_str() == REPOSITORY_STORAGE => {
            format!("{} {}", plain(value), Unit::GbMonth.plural())
        }
        _ => plain(value),
    }
}
