//! Reserved fleets of `CodeBuild`: machines bill for as long as they are provisioned, idle or not, and
//! those of macOS for a day at least.

use std::{collections::VecDeque, sync::Arc};

use chrono::{DateTime, Days, TimeDelta, Utc};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    codebuild,
    events::{AccountRegion, FleetSeen},
    from_events::{Group, Metering, midnight, shown},
};
use crate::domain::{catalog::Grain, quantity::Quantity, services::CODEBUILD};

/// Machines that were provisioned together.
#[derive(Clone, Copy)]
struct Machines {
    count: u32,
    since: DateTime<Utc>,
}

/// What a fleet bills as, and for how long at least.
struct FleetKind {
    usage_type: Arc<str>,
    minimum: TimeDelta,
}

impl Metering<'_> {
    /// Meters a reserved fleet from what was seen of it, in order of time, up to now. Its size is known from
    /// the last change before it was seen until it was seen next, if nothing changed in between;
    /// the rest is a gap.
    pub fn fleet(&mut self, place: &AccountRegion, seen: &[FleetSeen], now: DateTime<Utc>) {
        let mut provisioned: VecDeque<Machines> = VecDeque::new();
        let mut known_to: Option<DateTime<Utc>> = None;
        for (at, look) in seen.iter().enumerate() {
            if look.overflows {
                self.overflowing.insert(look.arn.clone());
            }
            let since = look.since.unwrap_or(look.seen);
            if let (None, Some(created)) = (known_to, look.created) {
                // How large it was before it was last changed is stated nowhere.
                self.unseen(place, &look.arn, created, since);
            }
            let kind = self.kind(look);
            let from = known_to.map_or(since, |known| since.max(known));
            for removed in resize(&mut provisioned, look.machines, from) {
                let until = (removed.since + kind.minimum).min(now);
                self.machines(place, look, &kind, removed.count, (from, until));
            }
            // What was true when it was last changed is true until then, and until the next look
            // if nothing changed in between.
            let next = seen.get(at + 1);
            let changed = next.map(|next| next.since.unwrap_or(next.seen));
            let until = match (next, changed) {
                (Some(next), Some(changed)) if changed <= look.seen => next.seen,
                _ => look.seen,
            }
            .min(now);
            self.machines(place, look, &kind, look.machines, (from, until));
            known_to = Some(until);
            // Who has gone by the next look has been billed for the minimum all the same.
            let end = changed.unwrap_or(now).max(until);
            let mut gap_begins = end;
            for machines in &provisioned {
                let kept = (machines.since + kind.minimum).clamp(until, end);
                self.machines(place, look, &kind, machines.count, (until, kept));
                gap_begins = gap_begins.min(kept);
            }
            if provisioned.is_empty() {
                gap_begins = until;
            }
            self.unseen(place, &look.arn, gap_begins, end);
        }
    }

    fn kind(&self, look: &FleetSeen) -> FleetKind {
        match self.catalog.fleet(&look.compute) {
            Some(compute) => FleetKind {
                usage_type: Arc::from(compute.meter.usage_type.as_str()),
                minimum: TimeDelta::minutes(compute.minimum.to_i64().unwrap_or_default()),
            },
            // A machine that is not described, or none that is known.
            None => FleetKind {
                usage_type: Arc::from("Reserved-EC2"),
                minimum: TimeDelta::zero(),
            },
        }
    }

    /// Meters some machines over the part of a stretch that lies in the month, day by day.
    fn machines(
        &mut self,
        place: &AccountRegion,
        look: &FleetSeen,
        kind: &FleetKind,
        count: u32,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) {
        let from = from.max(midnight(self.month.first_day()));
        let until = until.min(midnight(self.month.end()));
        if count == 0 {
            return;
        }
        for day in from.date_naive().iter_days() {
            let (begins, ends) = (
                midnight(day).max(from),
                midnight(day + Days::new(1)).min(until),
            );
            if begins >= ends {
                break;
            }
            let time = ends - begins;
            let billed = codebuild::billed(Grain::Provisioned, time);
            self.add(
                Group {
                    day,
                    place: place.clone(),
                    service: CODEBUILD,
                    usage_type: kind.usage_type.clone(),
                    resource: Some(Arc::from(look.arn.as_str())),
                    pipeline: None,
                },
                Quantity::new(billed.value * Decimal::from(count), billed.unit),
                time,
                (
                    "stretch",
                    if kind.minimum.is_zero() {
                        "each machine for every minute it is provisioned"
                    } else {
                        "each machine for every minute it is provisioned, and for a day at least"
                    },
                ),
            );
        }
    }

    fn unseen(
        &mut self,
        place: &AccountRegion,
        arn: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) {
        let begins = from.max(midnight(self.month.first_day())).date_naive();
        let ends = until.min(midnight(self.month.end())).date_naive();
        if begins < ends {
            let name = arn.rsplit('/').next().unwrap_or(arn);
            self.gap(
                format!("CodeBuild fleet {name} in {}", shown(place)),
                format!("not looked at between {begins} and {ends}"),
            );
        }
    }
}

/// Makes machines as many as were seen. Returns those that went, the oldest first: which ones AWS
/// takes away is stated nowhere, and these are the least likely to be billed further.
fn resize(provisioned: &mut VecDeque<Machines>, count: u32, at: DateTime<Utc>) -> Vec<Machines> {
    let before: u32 = provisioned.iter().map(|machines| machines.count).sum();
    if count > before {
        provisioned.push_back(Machines {
            count: count - before,
            since: at,
        });
    }
    let mut removed = Vec::new();
    let mut more = before.saturating_sub(count);
    while more > 0 {
        let Some(oldest) = provisioned.front_mut() else {
            break;
        };
        let gone = oldest.count.min(more);
        removed.push(Machines {
            count: gone,
            since: oldest.since,
        });
        oldest.count -= gone;
        more -= gone;
        if oldest.count == 0 {
            provisioned.pop_front();
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            ids::{AccountId, Region},
            metering::from_events::{Metered, MeteringOptions},
        },
        pricing,
    };

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn metered(compute: &str, looks: &[(&str, &str, u32)], now: &str) -> Metered {
        let catalog = pricing::embedded().expect("the catalogue reads");
        let month = "2026-11".parse().expect("a month");
        let mut metering = Metering::new(&catalog, month, MeteringOptions::default());
        let place = AccountRegion {
            account: AccountId::new("111111111111"),
            region: Region::new("us-east-1"),
        };
        let seen: Vec<FleetSeen> = looks
            .iter()
            .map(|(since, seen, machines)| FleetSeen {
                arn: "arn:aws:codebuild:us-east-1:111111111111:fleet/f:1".to_owned(),
                seen: at(seen),
                created: Some(at(looks[0].0)),
                since: Some(at(since)),
                machines: *machines,
                compute: compute.to_owned(),
                overflows: false,
            })
            .collect();
        metering.fleet(&place, &seen, at(now));
        metering.finish()
    }

    fn minutes(metered: &Metered) -> Decimal {
        let quantities = metered.records.iter().filter_map(|record| record.quantity);
        quantities.map(|quantity| quantity.value).sum()
    }

    const LINUX: &str = "LINUX_CONTAINER/BUILD_GENERAL1_LARGE";
    const MAC: &str = "MAC_ARM/BUILD_GENERAL1_MEDIUM";

    #[test]
    fn a_fleet_that_was_looked_at_twice_is_counted_once() {
        let looks = [
            ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", 2),
            ("2026-11-01T00:00:00Z", "2026-11-04T00:00:00Z", 2),
        ];
        // Two machines for three days.
        let metered = metered(LINUX, &looks, "2026-11-04T00:00:00Z");
        assert_eq!(minutes(&metered), Decimal::from(2 * 3 * 1440));
        assert_eq!(metered.gaps, []);
    }

    #[test]
    fn a_machine_of_macos_bills_a_day_at_least() {
        for (looks, now, expected) in [
            // Seen after two hours and never again: deleted or not, the day is billed.
            (
                vec![("2026-11-10T00:00:00Z", "2026-11-10T02:00:00Z", 1)],
                "2026-11-20T00:00:00Z",
                1440,
            ),
            // Two machines, one of them gone after ten hours: one for 30 hours, one for 24.
            (
                vec![
                    ("2026-11-10T00:00:00Z", "2026-11-10T09:00:00Z", 2),
                    ("2026-11-10T10:00:00Z", "2026-11-11T06:00:00Z", 1),
                ],
                "2026-11-11T06:00:00Z",
                (30 + 24) * 60,
            ),
            // Both gone after 30 hours, seen a day later.
            (
                vec![
                    ("2026-11-10T00:00:00Z", "2026-11-11T05:00:00Z", 2),
                    ("2026-11-11T06:00:00Z", "2026-11-12T06:00:00Z", 0),
                ],
                "2026-11-12T06:00:00Z",
                2 * 29 * 60,
            ),
            // Nothing is billed before it is due.
            (
                vec![("2026-11-10T00:00:00Z", "2026-11-10T02:00:00Z", 1)],
                "2026-11-10T05:00:00Z",
                300,
            ),
        ] {
            let metered = metered(MAC, &looks, now);
            assert_eq!(minutes(&metered), Decimal::from(expected), "{looks:?}");
        }
    }

    #[test]
    fn what_comes_after_the_last_look_is_a_gap() {
        let looks = [("2026-11-10T00:00:00Z", "2026-11-10T02:00:00Z", 1)];
        let reason = |metered: &Metered| metered.gaps[0].reason.clone();
        assert_eq!(
            reason(&metered(LINUX, &looks, "2026-11-20T00:00:00Z")),
            "not looked at between 2026-11-10 and 2026-11-20"
        );
        assert_eq!(
            reason(&metered(MAC, &looks, "2026-11-20T00:00:00Z")),
            "not looked at between 2026-11-11 and 2026-11-20"
        );
    }
}
