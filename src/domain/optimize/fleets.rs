//! Reserved fleets against on-demand builds: every number of machines, from the builds as they came.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Candidate, Kind, Look};
use crate::domain::{
    catalog::Grain,
    number::plain,
    scenario::{
        Change, Pattern, Selector, Target, Term,
        fleet::{most_at_once, simulate},
        workload::{Pace, TimedBuild, billed_units},
    },
};

/// The largest fleet that is tried.
const LARGEST: u32 = 64;

/// Returns what each size of fleet bills: machines, fleet minutes, minutes that overflow on demand.
/// Every build has a start.
fn sizes(builds: &[TimedBuild], days: u32, largest: u32) -> Vec<(u32, Decimal, Decimal)> {
    let timed: Vec<(i64, i64)> = builds
        .iter()
        .map(|build| (build.start.unwrap_or_default(), build.length))
        .collect();
    (1..=most_at_once(&timed).min(largest))
        .map(|machines| {
            let run = simulate(&timed, machines, true);
            let over: Vec<TimedBuild> = run.overflowed.iter().map(|at| builds[*at]).collect();
            let minutes = Decimal::from(machines) * Decimal::from(days) * Decimal::from(1440);
            let overflow = billed_units(&over, Grain::Minute, Pace::SAME);
            (machines, minutes, Decimal::from(overflow))
        })
        .collect()
}

impl Look<'_> {
    /// Proposes fleets where their price is known, and names the price at which one would pay where
    /// it is not.
    pub(super) fn fleets(&mut self) {
        let Some(reserved) = self.valuer.catalog.compute("reserved").cloned() else {
            return;
        };
        let workload = self.valuer.workload;
        let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, lot) in workload.lots.iter().enumerate() {
            let computes = &self.valuer.catalog.computes;
            let compute = computes
                .iter()
                .position(|c| c.meter == lot.key.meter && c.grain == Grain::Minute);
            if let (Some(compute), false) = (compute, lot.builds.is_empty()) {
                let place = (lot.key.account.clone(), lot.key.region.clone(), compute);
                places.entry(place).or_default().push(at);
            }
        }
        for ((account, region, compute), lots) in places {
            let from = self.valuer.catalog.computes[compute].clone();
            let mut builds: Vec<TimedBuild> = lots
                .iter()
                .flat_map(|at| workload.lots[*at].builds.iter().copied())
                .filter(|build| build.start.is_some())
                .collect();
            builds.sort_unstable();
            let lot = &workload.lots[lots[0]];
            let Some(on_demand) = self.valuer.unit_price(lot, &from.meter) else {
                continue;
            };
            let all = Decimal::from(billed_units(&builds, Grain::Minute, Pace::SAME));
            let sizes = sizes(&builds, workload.days, LARGEST);
            let whose = account.as_ref().map(|a| format!(" of account {a}"));
            let place = format!("{} in {region}{}", from.name, whose.unwrap_or_default());
            let Some(price) = self.valuer.unit_price(lot, &reserved.meter) else {
                // The most a machine's minute may cost for its size to pay.
                let worth = |(_, minutes, over): &(u32, Decimal, Decimal)| {
                    ((all - *over) * on_demand).checked_div(*minutes)
                };
                let best = sizes
                    .iter()
                    .filter_map(|size| Some((worth(size)?, size.0)))
                    .max();
                if let Some((worth, machines)) = best {
                    self.not_judged(
                        format!("a reserved fleet for {place}"),
                        format!(
                            "its price is not known; {machines} of them would pay below ${} a minute: \
                             state yours with --price Reserved-EC2=…",
                            plain(worth.round_dp(6))
                        ),
                    );
                }
                continue;
            };
            let cost =
                |(_, minutes, over): &(u32, Decimal, Decimal)| *minutes * price + *over * on_demand;
            let Some(best) = sizes.iter().min_by_key(|size| (cost(size), size.0)) else {
                continue;
            };
            let mut only = Selector::compute(&from.name);
            only = only.and(Term::Region(Pattern(region.to_string())));
            if let Some(account) = &account {
                only = only.and(Term::Account(Pattern(account.to_string())));
            }
            let timed: Vec<(i64, i64)> = builds
                .iter()
                .filter_map(|build| Some((build.start?, build.length)))
                .collect();
            let run = simulate(&timed, best.0, true);
            self.candidates.push(Candidate {
                kind: Kind::Fleet,
                title: format!("{} reserved machines for {place}", best.0),
                changes: vec![Change::Compute {
                    only,
                    to: Target::Fleet {
                        compute: reserved.clone(),
                        machines: best.0,
                        overflow: true,
                    },
                    speed: Decimal::ONE,
                }],
                lots: None,
                touches: lots,
                evidence: vec![
                    format!(
                        "{} builds, at most {} at once",
                        builds.len(),
                        most_at_once(&timed)
                    ),
                    run.describe(best.0, best.1),
                ],
                assumptions: vec![
                    "Builds come as they came, and the machines are as fast as on demand."
                        .to_owned(),
                ],
                risks: vec![
                    "A fleet is paid for every minute it stands, whatever is built.".to_owned(),
                ],
            });
        }
    }
}
