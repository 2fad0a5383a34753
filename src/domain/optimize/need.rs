//! What the builds of a project need, as far as it was measured: memory at its peak, processors in use.
//!
//! The speed on fewer processors follows from how many are in use. Fast: the use is as even as its mean,
//! so builds slow down only by what the mean has too much. Slow: builds use as many processors as were
//! ever seen at once, or none, so all that exceeds the target waits. The truth is between, given that the
//! same work spreads over fewer processors; the estimate is halfway.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Memory, PastMonth, Speed, projects::Project};
use crate::domain::{
    catalog::Compute,
    ids::{AccountId, Region},
    utilization::{MEGABYTES, MEMORY_MARGIN, Utilization},
};

/// Whose builds: account, region and project.
type Home<'a> = (&'a AccountId, &'a Region, &'a str);

/// What the builds of a project need.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Need {
    /// Days that were measured.
    pub(super) days: u64,
    /// The most memory in use, in megabytes, and when.
    pub(super) peak: Option<(Decimal, NaiveDate)>,
    /// Processors in use on average and at most.
    pub(super) busy: Option<(Decimal, Decimal)>,
    /// Days of the last month, each with the largest share of memory in use, in percent.
    pub(super) shares: Vec<(NaiveDate, Decimal)>,
    /// Builds of the last month ran on several compute types.
    pub(super) is_mixed: bool,
    weight: Decimal,
}

impl Need {
    fn add(&mut self, of: &Utilization, processors: Option<Decimal>) {
        self.days += 1;
        if let Some(memory) = of.memory {
            let largest = self.peak.map_or(Decimal::MIN, |(peak, _)| peak);
            if memory.maximum > largest {
                self.peak = Some((memory.maximum, of.day));
            }
        }
        if let (Some(cpu), Some(processors)) = (of.cpu, processors) {
            let busy = |percent: Decimal| percent * processors / Decimal::ONE_HUNDRED;
            let weight = Decimal::from(of.points.max(1));
            let (average, maximum) = self.busy.unwrap_or_default();
            let sum = average * self.weight + busy(cpu.average) * weight;
            self.weight += weight;
            self.busy = Some((sum / self.weight, maximum.max(busy(cpu.maximum))));
        }
    }

    /// Returns the memory that a machine has to have, in gigabytes.
    pub(super) fn memory(&self) -> Option<Decimal> {
        let (peak, _) = self.peak?;
        Some(peak * MEMORY_MARGIN / MEGABYTES)
    }

    /// Sets the memory that is needed against that of a machine, where both are known.
    pub(super) fn against(&self, machine: &Compute) -> Option<Memory> {
        let (peak, day) = self.peak?;
        Some(Memory {
            peak,
            day,
            days: self.days,
            needed: self.memory()?,
            machine: machine.memory?,
        })
    }

    /// Estimates the speed on a machine with so many processors.
    pub(super) fn speed(&self, processors: Decimal) -> Option<Speed> {
        let (average, maximum) = self.busy?;
        if processors <= Decimal::ZERO {
            return None;
        }
        let maximum = maximum.max(average);
        let one = Decimal::ONE;
        let fast = if average <= processors {
            one
        } else {
            processors / average
        };
        let slow = if maximum <= processors {
            one
        } else {
            one / (one + average / processors - average / maximum)
        };
        let between = ((fast + slow) / Decimal::TWO).round_dp(2);
        Some(Speed {
            speed: between.max(Decimal::new(1, 2)),
            slow: slow.min(fast).round_dp(4),
            fast: fast.round_dp(4),
            average: average.round_dp(2),
            maximum: maximum.round_dp(2),
            processors,
        })
    }
}

/// The needs of every project that was measured, by its name.
pub(super) struct Needs<'a>(BTreeMap<&'a str, Vec<(Home<'a>, Need)>>);

impl<'a> Needs<'a> {
    /// Gathers the measurements of months, in order of time.
    pub(super) fn of(months: &'a [PastMonth<'_>]) -> Self {
        let mut needs: BTreeMap<Home<'a>, Need> = BTreeMap::new();
        for (at, month) in (1..).zip(months) {
            if month.facts.utilization.is_empty() {
                continue;
            }
            let is_last = at == months.len();
            let computes = computes(month);
            for seen in &month.facts.utilization {
                let home = (&seen.place.account, &seen.place.region, &*seen.of.project);
                let ran_on = computes.get(&home).map(|ran_on| &ran_on[..]);
                let processors = ran_on.unwrap_or_default().iter().map(|of| of.processors);
                // Of several machines, the largest: nobody knows which of them was how busy.
                let need = needs.entry(home).or_default();
                need.add(&seen.of, processors.max().flatten());
                if is_last {
                    need.is_mixed = ran_on.is_some_and(|ran_on| ran_on.len() > 1);
                    let share = seen.of.memory_percent;
                    need.shares.extend(share.map(|share| (seen.of.day, share)));
                }
            }
        }
        let mut by_name: BTreeMap<&str, Vec<(Home<'a>, Need)>> = BTreeMap::new();
        for (home, need) in needs {
            by_name.entry(home.2).or_default().push((home, need));
        }
        Self(by_name)
    }

    /// Returns what a project needs; none if nothing was measured.
    pub(super) fn of_project(&self, project: &Project<'_>) -> Option<&Need> {
        let name = project.name.as_deref()?;
        // A bill that names no account is of one.
        let is_of = |(account, region, _): &Home<'_>| {
            let own = project.key.account.as_ref();
            own.is_none_or(|own| *account == own) && *region == &project.key.region
        };
        let mut found = self.0.get(name)?.iter().filter(|(home, _)| is_of(home));
        let (_, need) = found.next()?;
        found.next().is_none().then_some(need)
    }
}

/// Returns the compute types that builds of each project ran on.
fn computes<'a>(month: &'a PastMonth<'_>) -> BTreeMap<Home<'a>, Vec<&'a Compute>> {
    let mut known: BTreeMap<&str, Option<&Compute>> = BTreeMap::new();
    let mut computes: BTreeMap<Home<'a>, Vec<&Compute>> = BTreeMap::new();
    for seen in &month.facts.builds {
        let name = &*seen.build.compute;
        let compute = *known
            .entry(name)
            .or_insert_with(|| month.rater.catalog.compute(name));
        let home = (
            &seen.place.account,
            &seen.place.region,
            &*seen.build.project,
        );
        let of_project = computes.entry(home).or_default();
        if let Some(compute) = compute
            && !of_project.iter().any(|known| known.name == compute.name)
        {
            of_project.push(compute);
        }
    }
    computes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn busy(average: i64, maximum: i64) -> Need {
        Need {
            busy: Some((Decimal::new(average, 2), Decimal::new(maximum, 2))),
            ..Need::default()
        }
    }

    fn speeds(need: &Need, processors: i64) -> [String; 3] {
        let found = need.speed(Decimal::from(processors)).unwrap();
        [found.slow, found.speed, found.fast].map(|speed| speed.normalize().to_string())
    }

    #[test]
    fn builds_slow_down_by_what_does_not_fit() {
        // One and a half of eight processors at most: four are as fast.
        assert_eq!(speeds(&busy(75, 150), 4), ["1", "1", "1"]);
        // All eight, all the time: four take twice as long, whatever the model.
        assert_eq!(speeds(&busy(800, 800), 4), ["0.5", "0.5", "0.5"]);
        // Two on average, eight at times: a quarter of the time all eight, which takes twice as long on
        // four. 1 / (0.75 + 0.5) = 0.8.
        assert_eq!(speeds(&busy(200, 800), 4), ["0.8", "0.9", "1"]);
        // Six on average, eight at times: 4 / 6 if even; 1 / (1 + 6 / 4 - 6 / 8) otherwise.
        assert_eq!(speeds(&busy(600, 800), 4), ["0.5714", "0.62", "0.6667"]);
        assert_eq!(Need::default().speed(Decimal::from(4)), None);
    }

    proptest! {
        /// No faster than before, no slower than the processors are fewer, and in order.
        #[test]
        fn speeds_are_between_the_processors_and_one(
            average in 1_i64..3200,
            above in 0_i64..3200,
            processors in 1_i64..32,
        ) {
            let maximum = average + above;
            let found = busy(average, maximum).speed(Decimal::from(processors)).unwrap();
            let least = Decimal::from(processors) / Decimal::new(maximum, 2);
            let rounding = Decimal::new(1, 2);
            prop_assert!(found.slow <= found.fast && found.fast <= Decimal::ONE);
            prop_assert!(found.slow + rounding >= least.min(Decimal::ONE), "{found:?}");
            prop_assert!(found.speed + rounding >= found.slow);
            prop_assert!(found.speed <= found.fast + rounding);
        }
    }
}
