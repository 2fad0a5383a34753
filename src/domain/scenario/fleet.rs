//! Builds on a reserved fleet, in the order they came: event by event, to the millisecond.

use std::{cmp::Reverse, collections::BinaryHeap};

use rust_decimal::Decimal;

/// What became of the builds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FleetRun {
    /// Builds that ran on the fleet.
    pub on_fleet: u64,
    /// Which found no free machine and ran on demand, by their place in the list.
    pub overflowed: Vec<usize>,
    /// Builds that waited for a machine.
    pub waited: u64,
    /// The longest wait in milliseconds.
    pub longest_wait: i64,
    /// Milliseconds of building on the fleet.
    pub busy: i128,
}

/// Runs builds, given as start and length in order of start, on so many machines.
///
/// A machine that is free at the millisecond a build comes takes it.
pub fn simulate(builds: &[(i64, i64)], machines: u32, overflow: bool) -> FleetRun {
    let mut run = FleetRun::default();
    let mut busy_until: BinaryHeap<Reverse<i64>> = BinaryHeap::new();
    let machines = machines as usize;
    for (at, &(start, length)) in builds.iter().enumerate() {
        while busy_until.peek().is_some_and(|Reverse(end)| *end <= start) {
            busy_until.pop();
        }
        let begins = if busy_until.len() < machines {
            start
        } else if overflow || machines == 0 {
            run.overflowed.push(at);
            continue;
        } else {
            let Reverse(free) = busy_until.pop().expect("all machines are busy");
            run.waited += 1;
            run.longest_wait = run.longest_wait.max(free - start);
            free
        };
        busy_until.push(Reverse(begins + length.max(0)));
        run.on_fleet += 1;
        run.busy += i128::from(length.max(0));
    }
    run
}

/// Returns how many builds ran at once at most.
pub fn most_at_once(builds: &[(i64, i64)]) -> u32 {
    let mut events: Vec<(i64, i32)> = builds
        .iter()
        .filter(|(_, length)| *length > 0)
        .flat_map(|&(start, length)| [(start, 1), (start + length, -1)])
        .collect();
    // One that ends makes room for one that begins in the same millisecond.
    events.sort_unstable();
    let mut now = 0;
    let most = events.iter().map(|(_, change)| {
        now += change;
        now
    });
    u32::try_from(most.max().unwrap_or(0)).unwrap_or(0)
}

/// How busy a fleet is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FleetUse {
    /// Its machines.
    pub machines: u32,
    /// Builds that ran on it.
    pub builds: u64,
    /// The share of the time in which it builds, in percent.
    pub busy_percent: Decimal,
    /// Builds that found no free machine and ran on demand.
    pub overflowed: u64,
    /// Builds that waited for a machine.
    pub waited: u64,
    /// The longest wait, in whole seconds.
    pub longest_wait: u64,
}

impl FleetRun {
    /// Returns how busy a fleet was that is paid for over so many minutes.
    pub fn used(&self, machines: u32, minutes: Decimal) -> FleetUse {
        let busy = Decimal::from_i128_with_scale(self.busy, 3) / Decimal::from(60);
        let share = busy.checked_div(minutes).unwrap_or_default();
        FleetUse {
            machines,
            builds: self.on_fleet,
            busy_percent: (share * Decimal::ONE_HUNDRED).round_dp(1),
            overflowed: self.overflowed.len() as u64,
            waited: self.waited,
            longest_wait: u64::try_from(self.longest_wait)
                .unwrap_or_default()
                .div_ceil(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_takes_what_comes_when_it_is_free() {
        // 0..10 taken, 5..8 overflows, 10..11 taken as the machine is free at 10.
        let builds = [(0, 10), (5, 3), (10, 1)];
        let run = simulate(&builds, 1, true);
        assert_eq!((run.on_fleet, &run.overflowed[..]), (2, &[1][..]));
        let run = simulate(&builds, 1, false);
        // The second waits for 5, the third for 3 (until 13).
        assert_eq!((run.on_fleet, run.waited, run.longest_wait), (3, 2, 5));
        assert_eq!(most_at_once(&builds), 2);
    }
}
