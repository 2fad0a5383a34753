//! Reserved fleets against building on demand: every size is run through the builds of the month.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    Assumption, Evidence, FindingKind, Found, NotCompared, PastMonth, Proposal, Proposed, Risk,
    prices::Prices, projects::Project,
};
use crate::domain::{
    catalog::{Compute, Grain},
    ids::{AccountId, Region},
    money::Money,
    pattern::Pattern,
    scenario::{
        Change, Selector, Target, Term,
        fleet::{FleetRun, simulate},
        workload::{DurationFactor, TimedBuild, billed_units},
    },
    usage::UsageKey,
};

/// Builds as a fleet sees them, in order of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrivals {
    /// Start and length in milliseconds.
    pub builds: Vec<(i64, i64)>,
    /// What each bills on demand, in minutes.
    pub minutes: Vec<i64>,
}

/// A fleet of some size with builds that overflow on demand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sized {
    /// How many machines.
    pub machines: u32,
    /// What the fleet and the builds that overflow cost.
    pub cost: Money,
    /// What became of the builds.
    pub run: FleetRun,
}

impl Arrivals {
    /// Sorts builds by time.
    pub fn of(builds: &[TimedBuild]) -> Self {
        let mut timed: Vec<TimedBuild> = builds.to_vec();
        timed.retain(|build| build.start.is_some());
        timed.sort_unstable();
        let minutes = timed.iter().map(|build| {
            billed_units(
                std::slice::from_ref(build),
                Grain::Minute,
                DurationFactor::SAME,
            )
        });
        Self {
            minutes: minutes.collect(),
            builds: timed
                .iter()
                .map(|build| (build.start.unwrap_or_default(), build.length))
                .collect(),
        }
    }

    /// Returns what a fleet of a size costs: each machine for a month, and the builds beyond.
    pub fn with(&self, machines: u32, machine: Money, minute: Decimal) -> Sized {
        let run = simulate(&self.builds, machines, true);
        let over: i64 = run.overflowed.iter().map(|at| self.minutes[*at]).sum();
        let fleet = Money::of(Decimal::from(machines), machine.amount());
        Sized {
            machines,
            cost: fleet + Money::of(Decimal::from(over), minute),
            run,
        }
    }

    /// Returns the cheapest size, the smallest of several. A fleet whose machines alone cost more
    /// than the best so far is not looked at.
    pub fn cheapest(&self, machine: Money, minute: Decimal) -> Sized {
        let mut best = self.with(0, machine, minute);
        for machines in 1.. {
            let alone = Money::of(Decimal::from(machines), machine.amount());
            if alone >= best.cost || usize::try_from(machines).is_ok_and(|n| n > self.builds.len())
            {
                break;
            }
            let sized = self.with(machines, machine, minute);
            if sized.cost < best.cost {
                best = sized;
            }
        }
        best
    }
}

/// What shares a fleet: an account, a region, a compute type.
type Home<'p> = (Option<&'p AccountId>, &'p Region, &'p str);

/// Sizes a fleet for each compute type, account and region.
pub(super) fn find(
    month: &PastMonth<'_>,
    projects: &[Project<'_>],
    prices: &Prices<'_, '_>,
    found: &mut Found,
) {
    let catalog = month.rater.catalog;
    let mut groups: BTreeMap<Home<'_>, Vec<&Project<'_>>> = BTreeMap::new();
    for project in projects {
        let home = (
            project.key.account.as_ref(),
            &project.key.region,
            project.compute.name.as_str(),
        );
        if project.compute.grain == Grain::Minute && !project.builds.is_empty() {
            groups.entry(home).or_default().push(project);
        }
    }
    for ((account, region, compute), members) in groups {
        let Some(fleet) = catalog.fleet_like(members[0].compute) else {
            continue;
        };
        let prices_of_members = members.iter().map(|project| project.price);
        let mut prices_of_members: Vec<Option<Decimal>> = prices_of_members.collect();
        prices_of_members.dedup();
        let [Some(minute)] = prices_of_members[..] else {
            continue;
        };
        let builds: Vec<TimedBuild> = members
            .iter()
            .flat_map(|project| project.builds.iter().copied())
            .collect();
        let arrivals = Arrivals::of(&builds);
        let key = UsageKey {
            meter: fleet.meter.clone(),
            ..members[0].key.clone()
        };
        let minutes = Decimal::from(month.rater.workload.days) * Decimal::from(1440);
        let Some(price) = prices.of_key(&key) else {
            if let Some(listed) = prices.not_offered(&key) {
                found.not_offered(fleet, region, listed);
                continue;
            }
            let fleet = |below| NotCompared::Fleet {
                compute: compute.to_owned(),
                region: region.clone(),
                account: account.cloned(),
                below,
            };
            unknown(&arrivals, minute, minutes, fleet, found);
            continue;
        };
        let sized = arrivals.cheapest(Money::of(minutes, price), minute);
        if sized.machines == 0 {
            continue;
        }
        let on_demand: i64 = arrivals.minutes.iter().sum();
        let saving = Money::of(Decimal::from(on_demand), minute) - sized.cost;
        if saving < found.least {
            continue;
        }
        let mut terms = vec![
            Term::Compute(Pattern(compute.to_owned())),
            Term::Region(Pattern(region.to_string())),
        ];
        if let Some(account) = account {
            terms.push(Term::Account(Pattern(account.to_string())));
        }
        draft(
            &sized,
            fleet,
            minutes,
            compute,
            region,
            Selector { terms },
            saving,
            found,
        );
    }
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the proposal")]
fn draft(
    sized: &Sized,
    fleet: &Compute,
    minutes: Decimal,
    compute: &str,
    region: &Region,
    only: Selector,
    estimate: Money,
    found: &mut Found,
) {
    let machines = sized.machines;
    let all = minutes * Decimal::from(machines);
    found.drafts.push(Proposal {
        kind: FindingKind::Fleet,
        subject: format!("{compute} in {region}"),
        proposed: Proposed::Fleet {
            compute: compute.to_owned(),
            region: region.clone(),
            machines,
        },
        evidence: vec![
            Evidence::FleetUse(sized.run.used(machines, all)),
            Evidence::CheapestFleet { minutes: all },
        ],
        changes: vec![Change::Compute {
            only,
            to: Target::Fleet {
                compute: fleet.clone(),
                machines,
                overflow: true,
            },
            speed: Decimal::ONE,
        }],
        assumptions: vec![Assumption::Machines {
            compute: fleet.name.clone(),
            size: fleet.size.clone(),
        }],
        risks: vec![Risk::PaidIdle],
        estimate,
        pays_from_speed: None,
        sizing: None,
    });
}

/// Says below which price the first machine would pay.
fn unknown(
    arrivals: &Arrivals,
    minute: Decimal,
    minutes: Decimal,
    fleet: impl Fn(Decimal) -> NotCompared,
    found: &mut Found,
) {
    let one = arrivals.with(1, Money::ZERO, minute);
    let on_demand: i64 = arrivals.minutes.iter().sum();
    let spared = Money::of(Decimal::from(on_demand), minute) - one.cost;
    if spared < found.least || minutes.is_zero() {
        return;
    }
    let price = (spared.amount() / minutes)
        .round_dp_with_strategy(6, rust_decimal::RoundingStrategy::ToZero);
    found.fleets.push((price, fleet(price)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Second by second: who runs, who is free. Knows nothing of heaps or events.
    fn by_the_second(builds: &[(i64, i64)], machines: usize) -> (i64, u64) {
        let mut ends: Vec<i64> = vec![0; machines];
        let mut next = 0;
        let (mut overflow_minutes, mut on_fleet) = (0, 0);
        for second in 0..2000_i64 {
            while next < builds.len() && builds[next].0 == second * 1000 {
                let seconds = builds[next].1 / 1000;
                if let Some(end) = ends.iter_mut().find(|end| **end <= second) {
                    *end = second + seconds;
                    on_fleet += 1;
                } else {
                    let mut minutes = 0;
                    while minutes * 60 < seconds {
                        minutes += 1;
                    }
                    overflow_minutes += minutes;
                }
                next += 1;
            }
        }
        (overflow_minutes, on_fleet)
    }

    proptest! {
        #[test]
        fn the_cheapest_fleet_is_that_of_a_simulation_second_by_second(
            builds in prop::collection::vec((0_i64..1500, 1_i64..400), 1..40),
            machine in 1_i64..300,
            minute in 1_i64..50,
        ) {
            let timed: Vec<TimedBuild> = builds
                .iter()
                .map(|(start, length)| TimedBuild {
                    start: Some(start * 1000),
                    length: length * 1000,
                    count: 1,
                })
                .collect();
            let arrivals = Arrivals::of(&timed);
            let (machine, minute) = (Money::new(Decimal::new(machine, 2)), Decimal::new(minute, 3));
            let found = arrivals.cheapest(machine, minute);
            let all = (0..=builds.len()).map(|machines| {
                let (over, on_fleet) = by_the_second(&arrivals.builds, machines);
                let fleet = Money::of(Decimal::from(machines), machine.amount());
                (fleet + Money::of(Decimal::from(over), minute), machines, on_fleet)
            });
            let best = all.min().unwrap();
            prop_assert_eq!((found.cost, found.machines as usize, found.run.on_fleet), best);
        }
    }
}
