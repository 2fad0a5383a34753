//! How much slower builds may become and still cost no more: solved on the builds themselves.
//!
//! Every build is rounded up by itself, so the billed units are a staircase over the factor by which
//! builds take longer. The answer is the last point of a step: the length at which one certain build
//! fills its last affordable unit exactly.

use crate::domain::scenario::workload::TimedBuild;

/// A positive fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ratio {
    /// Above the line.
    pub over: i128,
    /// Below the line.
    pub under: i128,
}

/// How finely the factor is bracketed before the steps are walked one by one.
const FINE: i128 = 1 << 32;

/// Returns the largest factor by which every build may take longer so that together they start at
/// most `most` units of so many milliseconds. None if there is no build to speak of, or if they start
/// more units however short they are.
pub fn max_slowdown(builds: &[TimedBuild], unit: i64, most: i128) -> Option<Ratio> {
    let unit = i128::from(unit);
    let builds: Vec<(i128, i128)> = builds
        .iter()
        .filter(|build| build.length > 0 && build.count > 0)
        .map(|build| (i128::from(build.length), i128::from(build.count)))
        .collect();
    let count: i128 = builds.iter().map(|(_, count)| count).sum();
    let time: i128 = builds.iter().map(|(length, count)| length * count).sum();
    if builds.is_empty() || count > most {
        // Each build starts one unit at least.
        return None;
    }
    let started = |over: i128, under: i128| -> i128 {
        let units = builds
            .iter()
            .map(|(length, count)| ceil(length * over, under * unit) * count);
        units.sum()
    };
    // Between the time that was billed and a unit more for each build.
    let mut low = (most - count) * unit * FINE / time;
    let mut high = most * unit * FINE / time + 1;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if started(middle, FINE) <= most {
            low = middle;
        } else {
            high = middle;
        }
    }
    // From here on, the ends of steps: each at a whole number of units of one build.
    let mut at = Ratio {
        over: low.max(1),
        under: FINE,
    };
    if started(at.over, at.under) > most {
        return None;
    }
    loop {
        let ends = builds.iter().map(|(length, _)| Ratio {
            over: ceil(length * at.over, at.under * unit) * unit,
            under: *length,
        });
        let end = ends.reduce(|a, b| if b.is_below(a) { b } else { a })?;
        let beyond: i128 = builds
            .iter()
            .map(|(length, count)| (length * end.over / (end.under * unit) + 1) * count)
            .sum();
        if beyond > most {
            return Some(end);
        }
        // Past the end of this step, before the end of the next one of any build.
        let next = builds.iter().map(|(length, _)| Ratio {
            over: (length * end.over / (end.under * unit) + 1) * unit,
            under: *length,
        });
        at = next.reduce(|a, b| if b.is_below(a) { b } else { a })?;
    }
}

impl Ratio {
    fn is_below(self, other: Self) -> bool {
        self.over * other.under < other.over * self.under
    }
}

fn ceil(over: i128, under: i128) -> i128 {
    over / under + i128::from(over % under > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn builds(lengths: &[i64]) -> Vec<TimedBuild> {
        let build = |length: &i64| TimedBuild {
            start: None,
            length: *length,
            count: 1,
        };
        lengths.iter().map(build).collect()
    }

    /// Tries the end of every step there is.
    fn by_trying_all(lengths: &[i64], unit: i64, most: i128) -> Option<Ratio> {
        let (unit, mut best) = (i128::from(unit), None::<Ratio>);
        for length in lengths {
            for units in 1..=most {
                let at = Ratio {
                    over: units * unit,
                    under: i128::from(*length),
                };
                let all: i128 = lengths
                    .iter()
                    .map(|length| ceil(i128::from(*length) * at.over, at.under * unit))
                    .sum();
                if all <= most && best.is_none_or(|best| best.is_below(at)) {
                    best = Some(at);
                }
            }
        }
        best
    }

    #[test]
    fn a_build_of_a_minute_may_fill_the_minutes_it_is_given() {
        // 61 s billed as 2 min; 3 min are affordable: 180 / 61.
        let slowest = max_slowdown(&builds(&[61_000]), 60_000, 3).unwrap();
        assert_eq!(slowest.over * 61, slowest.under * 180);
        assert_eq!(super::max_slowdown(&builds(&[10, 10]), 1000, 1), None);
        assert_eq!(super::max_slowdown(&[], 1000, 1), None);
    }

    proptest! {
        #[test]
        fn it_is_the_best_of_all_steps(
            lengths in prop::collection::vec(1_i64..200_000, 1..8),
            unit in prop::sample::select(vec![1000_i64, 60_000]),
            more in 0_i128..20,
        ) {
            let most = i128::try_from(lengths.len()).unwrap() + more;
            let found = max_slowdown(&builds(&lengths), unit, most).unwrap();
            let best = by_trying_all(&lengths, unit, most).unwrap();
            prop_assert_eq!(found.over * best.under, best.over * found.under);
        }
    }
}
