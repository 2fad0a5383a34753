//! Builds that go to a reserved fleet.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Application, GroupChange, ScenarioUsage};
use crate::domain::scenario::{
    change::{Change, Target},
    duration::{DurationFactor, TimedBuild, billed_units},
    fleet, offered,
    remark::{Assumption, Unknown, Warning},
    workload::grain_of,
};
use crate::domain::{
    ids::Region,
    quantity::{Quantity, Unit},
    usage::UsageKey,
};

impl<'a> Application<'a> {
    /// Runs the builds of groups on one fleet.
    pub(super) fn fleet(
        &mut self,
        change: usize,
        region: &Region,
        groups: &[usize],
        group_changes: &[Option<GroupChange<'a>>],
    ) {
        let Change::Compute {
            to:
                Target::Fleet {
                    compute,
                    machines,
                    overflow,
                },
            speed,
            ..
        } = self.changes[change]
        else {
            return;
        };
        let compute = offered::machines(self.catalog, self.workload, compute, groups);
        let minutes =
            Decimal::from(*machines) * Decimal::from(self.workload.days) * Decimal::from(1440);
        let minutes = minutes.max(compute.minimum * Decimal::from(*machines));
        let mut arrivals: Vec<(i64, i64, usize, TimedBuild)> = Vec::new();
        let mut undated = 0_u64;
        for &at in groups {
            let group = &self.workload.groups[at];
            let group_change =
                group_changes[at].expect("only groups with a group_change run on a fleet");
            let pace = DurationFactor::of(group_change.long, *speed);
            for build in &group.builds {
                match build.start {
                    Some(start) => {
                        arrivals.push((start, pace.milliseconds(build.length), at, *build));
                    }
                    None => undated += u64::from(build.count),
                }
            }
            if group_change.many != Decimal::ONE {
                self.out.unknown.insert(Unknown::FleetArrivals);
            }
            if !group.rest.is_zero() {
                self.out.warnings.insert(Warning::TotalStaysOnDemand);
                let slower = DurationFactor::of(group_change.long, Decimal::ONE);
                let rest = slower.times(group.rest);
                self.piece(at, group, Some(region), None, rest, group.unit);
            }
        }
        if undated > 0 {
            self.out
                .assumptions
                .insert(Assumption::NeverWait { builds: undated });
        }
        arrivals.sort_unstable();
        let timed: Vec<(i64, i64)> = arrivals.iter().map(|build| (build.0, build.1)).collect();
        let run = fleet::simulate(&timed, *machines, *overflow);
        let account = &self.workload.groups[groups[0]].key.account;
        self.out.assumptions.insert(Assumption::Fleet {
            month: self.workload.month,
            region: region.clone(),
            account: account.clone(),
            used: run.used(*machines, minutes),
        });
        let mut over: BTreeMap<usize, i64> = BTreeMap::new();
        for at in run.overflowed {
            let (_, _, group_at, build) = arrivals[at];
            let group = &self.workload.groups[group_at];
            let group_change =
                group_changes[group_at].expect("only groups with a group_change run on a fleet");
            // On demand it takes as long as it always did.
            let slower = DurationFactor::of(group_change.long, Decimal::ONE);
            let billed = billed_units(&[build], grain_of(group, self.catalog), slower);
            *over.entry(group_at).or_default() += billed;
        }
        for (at, billed) in over {
            let group = &self.workload.groups[at];
            self.piece(
                at,
                group,
                Some(region),
                None,
                Decimal::from(billed),
                group.unit,
            );
        }
        let first = &self.workload.groups[groups[0]];
        self.out.pieces.push(ScenarioUsage {
            from: None,
            key: UsageKey {
                meter: compute.meter.clone(),
                region: region.clone(),
                ..first.key.clone()
            },
            day: first.day,
            rate: None,
            quantity: Quantity::new(minutes, Unit::Minute),
        });
    }
}
