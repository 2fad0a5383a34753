//! What CloudWatch would say of the sample organization: what its builds use of their machines.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{NaiveDate, Resource};
use crate::{
    domain::{
        collection::{Scope, Source},
        metering::events::AccountRegion,
        utilization::{MEGABYTES, Measured, Utilization},
    },
    ledger::{Asked, Fact, Ledger, LedgerError},
};

const METRICS: &str = include_str!("metrics.toml");

/// Builds are measured from a minute on.
const MINUTE: i64 = 60_000;

/// What the builds of a project use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Use {
    memory: i64,
    of: i64,
    cpu: [i64; 2],
}

/// What was measured, by project.
pub(super) struct Metrics {
    uses: BTreeMap<String, Use>,
    days: BTreeMap<(Scope, String), Vec<Utilization>>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let uses = toml::from_str(METRICS);
        Self {
            uses: uses.expect("the embedded metrics are read by the tests"),
            days: BTreeMap::new(),
        }
    }

    /// Measures the builds of a project on a day.
    pub(super) fn measure(
        &mut self,
        place: &AccountRegion,
        resource: &Resource,
        day: NaiveDate,
        builds: &[Fact],
    ) {
        let Some(of) = self.uses.get(&resource.name) else {
            return;
        };
        let minutes = builds.iter().filter_map(|fact| match fact {
            Fact::Build(_, build) => Some((build.ended? - build.provisioned?).num_milliseconds()),
            _ => None,
        });
        let minutes = minutes.filter(|length| *length >= MINUTE);
        let points = minutes.map(|length| length / MINUTE).sum::<i64>();
        if points == 0 {
            return;
        }
        // Of the peak, a day comes to four fifths and more.
        let share = 80 + resource.roll(0, day, 11_000_000, 21);
        let maximum = Decimal::new(of.memory * share, 2);
        let average = (maximum * Decimal::new(61, 2)).round_dp(2);
        let [busy, most] = of.cpu;
        let vary = |salt: i64, level: i64, least: i64| {
            let share = least + resource.roll(0, day, salt, 101 - least);
            Decimal::new(level * share, 2)
        };
        let of_machine = Decimal::from(of.of) * MEGABYTES;
        let scope = Scope {
            place: place.clone(),
            source: Source::Metrics,
        };
        let days = self.days.entry((scope, resource.name.clone())).or_default();
        days.push(Utilization {
            project: resource.name.clone(),
            day,
            points: points.unsigned_abs(),
            cpu: Some(Measured {
                average: vary(12_000_000, busy, 85),
                maximum: vary(13_000_000, most, 90),
            }),
            memory: Some(Measured { average, maximum }),
            memory_percent: Some((maximum / of_machine * Decimal::ONE_HUNDRED).round_dp(1)),
        });
    }

    /// Keeps everything that was measured, as asked for in this time.
    pub(super) fn keep(&self, ledger: &mut Ledger, asked: Asked) -> Result<(), LedgerError> {
        for ((scope, project), days) in &self.days {
            ledger.keep_utilization(scope, std::slice::from_ref(project), days, asked)?;
        }
        Ok(())
    }
}
