//! Whole units: how many pipelines or users a month will count.
//!
//! A unit with a name is active in a month or not, and tends to stay what it is: two probabilities,
//! read off its own months and shrunk towards those of all. New units come as often as in the last
//! half year. Within a month, a unit not seen yet may still appear, the less likely the later it is
//! by the days on which units appeared before. Units without names are a count that moves as it has
//! moved from month to month.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;

use super::{
    numbers::{count, exp, mean},
    random::Random,
    series::MonthOfUnits,
};
use crate::domain::period::Month;

/// Months behind a count.
const MONTHS: usize = 12;

/// Months over which new units are counted.
const ENTRY_MONTHS: usize = 6;

/// A model of one driver's units.
#[derive(Clone, Debug)]
pub(super) enum Units {
    /// Units with names.
    Named(Named),
    /// A count.
    Counted(Counted),
}

#[derive(Clone, Debug)]
pub(super) struct Named {
    /// Each unit: active in the last whole month, and how likely it stays or returns.
    units: Vec<Unit>,
    /// New units a month.
    entries: f64,
    /// Seen this month already.
    seen: usize,
    /// Share of a month's units that have appeared by the last known day.
    appeared: f64,
    /// Whether the current month is over.
    over: bool,
    months: usize,
}

#[derive(Clone, Debug)]
struct Unit {
    active: bool,
    seen: bool,
    stays: f64,
    returns: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Counted {
    level: f64,
    changes: Vec<f64>,
    so_far: f64,
    over: bool,
    whole: bool,
    months: usize,
}

impl Units {
    /// Reads a model off the months of a driver. `known_days` of the current month are known.
    pub(super) fn of(
        months: &BTreeMap<Month, MonthOfUnits>,
        current: Month,
        last_day: chrono::NaiveDate,
    ) -> Self {
        let first = months.keys().next().copied().unwrap_or(current);
        let over = last_day == current.last_day();
        let last_whole = if over { current } else { current.previous() };
        let mut whole = Vec::new();
        let mut month = last_whole;
        while whole.len() < MONTHS && month >= first {
            whole.push(month);
            month = month.previous();
        }
        whole.reverse();
        let anonymous = months.values().any(|month| month.anonymous);
        if anonymous || months.is_empty() {
            return Self::Counted(counted(months, &whole, current, over));
        }
        Self::Named(named(months, &whole, current, last_day, over))
    }

    /// Returns the whole months behind the model.
    pub(super) fn months(&self) -> usize {
        match self {
            Self::Named(named) => named.months,
            Self::Counted(counted) => counted.months,
        }
    }

    /// Draws the counts of the current month and of `months` after it, what is known included.
    pub(super) fn draw(&self, months: usize, random: &mut Random) -> Vec<f64> {
        match self {
            Self::Named(named) => named.draw(months, random),
            Self::Counted(counted) => counted.draw(months, random),
        }
    }
}

fn named(
    months: &BTreeMap<Month, MonthOfUnits>,
    whole: &[Month],
    current: Month,
    last_day: chrono::NaiveDate,
    over: bool,
) -> Named {
    let none = MonthOfUnits::default();
    let of = |month: &Month| months.get(month).unwrap_or(&none);
    let now = of(&current);
    let mut names: BTreeSet<&String> = whole
        .iter()
        .flat_map(|month| of(month).names.keys())
        .collect();
    names.extend(now.names.keys());
    // Transitions of each unit from its first month on: stayed, left, returned, stayed away.
    let moves = |name: &String| {
        let states: Vec<bool> = whole
            .iter()
            .map(|month| of(month).names.contains_key(name))
            .skip_while(|active| !active)
            .collect();
        let mut moves = [0.0; 4];
        for pair in states.windows(2) {
            moves[usize::from(!pair[0]) * 2 + usize::from(pair[0] != pair[1])] += 1.0;
        }
        moves
    };
    let by_name: Vec<(&String, [f64; 4])> =
        names.into_iter().map(|name| (name, moves(name))).collect();
    let total = |at: usize| by_name.iter().map(|(_, moves)| moves[at]).sum::<f64>();
    // Shrunk towards what is known of pipelines in general: they stay, and seldom return.
    let stays = (total(0) + 4.0) / (total(0) + total(1) + 5.0);
    let returns = (total(3) + 1.0) / (total(2) + total(3) + 5.0);
    let last = whole.last();
    let units: Vec<Unit> = by_name
        .iter()
        .map(|(name, moves)| Unit {
            active: last.is_some_and(|month| of(month).names.contains_key(*name)),
            seen: now.names.contains_key(*name),
            stays: (moves[0] + 2.0 * stays) / (moves[0] + moves[1] + 2.0),
            returns: (moves[3] + 2.0 * returns) / (moves[2] + moves[3] + 2.0),
        })
        .collect();
    let recent = &whole[whole.len().saturating_sub(ENTRY_MONTHS)..];
    let mut known: BTreeSet<&String> = whole[..whole.len() - recent.len()]
        .iter()
        .flat_map(|month| of(month).names.keys())
        .collect();
    let mut entered = Vec::new();
    for month in recent {
        let before = known.len();
        known.extend(of(month).names.keys());
        entered.push(count(known.len() - before));
    }
    // The first month of a history has no new units, only known ones.
    let entered = if recent.len() == whole.len() {
        entered.get(1..).unwrap_or_default()
    } else {
        &entered[..]
    };
    let day = last_day.day();
    let days: Vec<u32> = whole
        .iter()
        .flat_map(|month| of(month).names.values().map(Datelike::day))
        .collect();
    let by_then = days.iter().filter(|seen| **seen <= day).count();
    Named {
        seen: now.names.len(),
        units,
        entries: mean(entered),
        appeared: if days.is_empty() {
            f64::from(day) / 31.0
        } else {
            count(by_then) / count(days.len())
        },
        over,
        months: whole.len(),
    }
}

impl Named {
    fn draw(&self, months: usize, random: &mut Random) -> Vec<f64> {
        let missing = if self.over { 0.0 } else { 1.0 - self.appeared };
        let mut counts = Vec::with_capacity(months + 1);
        let mut states = Vec::with_capacity(self.units.len());
        for unit in &self.units {
            let active = unit.seen || {
                // Not seen by today: active all the same with what is left of its probability.
                let usual = if self.over {
                    0.0
                } else if unit.active {
                    unit.stays
                } else {
                    unit.returns
                };
                let late = usual * missing / (1.0 - usual * (1.0 - missing)).max(1e-9);
                missing > 0.0 && random.share() < late
            };
            states.push(active);
        }
        let mut entered = poisson(self.entries * missing, random);
        let active = states.iter().filter(|active| **active).count();
        debug_assert!(active >= self.seen);
        counts.push(count(active + entered));
        for _ in 0..months {
            for (state, unit) in states.iter_mut().zip(&self.units) {
                let chance = if *state { unit.stays } else { unit.returns };
                *state = random.share() < chance;
            }
            entered += poisson(self.entries, random);
            // New units leave as often as the others do.
            let stays = if self.units.is_empty() {
                0.9
            } else {
                self.units.iter().map(|unit| unit.stays).sum::<f64>() / count(self.units.len())
            };
            entered = (0..entered).filter(|_| random.share() < stays).count();
            counts.push(count(
                states.iter().filter(|state| **state).count() + entered,
            ));
        }
        counts
    }
}

fn counted(
    months: &BTreeMap<Month, MonthOfUnits>,
    whole: &[Month],
    current: Month,
    over: bool,
) -> Counted {
    let of = |month: &Month| months.get(month).map_or(0.0, |month| month.count.max(0.0));
    let counts: Vec<f64> = whole.iter().map(of).collect();
    let so_far = of(&current);
    let changes: Vec<f64> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Half of the mean change goes on: trends of a few months seldom last.
    let drift = mean(&changes) / 2.0;
    let middle = mean(&changes);
    Counted {
        level: counts.last().copied().unwrap_or(so_far),
        changes: changes
            .iter()
            .map(|change| change - middle + drift)
            .collect(),
        so_far,
        over,
        whole: counts
            .iter()
            .chain([&so_far])
            .all(|value| value.fract() == 0.0),
        months: counts.len(),
    }
}

impl Counted {
    fn draw(&self, months: usize, random: &mut Random) -> Vec<f64> {
        let mut level = self.level;
        let mut step = |level: f64| -> f64 {
            match self.changes.len() {
                0 => level,
                n => (level + self.changes[random.below(n)]).max(0.0),
            }
        };
        let shown = |value: f64| if self.whole { value.round() } else { value };
        let mut counts = Vec::with_capacity(months + 1);
        if self.over {
            counts.push(self.so_far);
        } else {
            level = step(level).max(self.so_far);
            counts.push(shown(level).max(self.so_far));
        }
        for _ in 0..months {
            level = step(level);
            counts.push(shown(level));
        }
        counts
    }
}

/// Draws from a Poisson distribution, by Knuth's product; large means are drawn in pieces.
fn poisson(mean: f64, random: &mut Random) -> usize {
    let mut left = mean.min(1e4);
    let mut drawn = 0;
    while left > 0.0 {
        let piece = left.min(20.0);
        left -= piece;
        let end = exp(-piece);
        let mut product = random.share();
        while product > end {
            drawn += 1;
            product *= random.share();
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn history(active: &[(&str, &[&str])]) -> BTreeMap<Month, MonthOfUnits> {
        active
            .iter()
            .map(|(text, names)| {
                let month = month(text);
                let names = names
                    .iter()
                    .map(|name| ((*name).to_owned(), month.first_day()))
                    .collect::<BTreeMap<_, _>>();
                let units = MonthOfUnits {
                    count: count(names.len()),
                    names,
                    anonymous: false,
                };
                (month, units)
            })
            .collect()
    }

    fn mean_counts(units: &Units, months: usize) -> Vec<f64> {
        let mut random = Random::new(1);
        let mut sums = vec![0.0; months + 1];
        for _ in 0..4000 {
            for (sum, value) in sums.iter_mut().zip(units.draw(months, &mut random)) {
                *sum += value / 4000.0;
            }
        }
        sums
    }

    #[test]
    fn units_that_were_always_there_stay() {
        let months = history(&[
            ("2026-05", &["a", "b", "c"]),
            ("2026-06", &["a", "b", "c"]),
            ("2026-07", &["a", "b", "c"]),
            ("2026-08", &["a", "b", "c"]),
            ("2026-09", &["a", "b"]),
        ]);
        let units = Units::of(&months, month("2026-09"), "2026-09-20".parse().unwrap());
        let counts = mean_counts(&units, 2);
        // c has always appeared on the first day, so it will not appear any more this month.
        assert!((counts[0] - 2.0).abs() < 1e-9, "{counts:?}");
        assert!((2.0..3.0).contains(&counts[1]), "{counts:?}");
    }

    /// A unit that comes every other month is there half of the time, whatever minutes it runs.
    #[test]
    fn a_unit_that_comes_and_goes_is_there_half_the_time() {
        let on: &[&str] = &["x"];
        let off: &[&str] = &[];
        let months = history(&[
            ("2026-01", on),
            ("2026-02", off),
            ("2026-03", on),
            ("2026-04", off),
            ("2026-05", on),
            ("2026-06", off),
            ("2026-07", on),
            ("2026-08", off),
            ("2026-09", on),
            ("2026-10", off),
        ]);
        let units = Units::of(&months, month("2026-10"), "2026-10-31".parse().unwrap());
        let counts = mean_counts(&units, 6);
        assert!(counts[1] > 0.6, "{counts:?}");
        let year = counts[1..].iter().sum::<f64>() / 6.0;
        assert!((0.35..0.65).contains(&year), "{counts:?}");
    }

    /// The check of the model: over simulated fleets its 80 % range holds about 80 % of counts.
    #[test]
    fn ranges_of_counts_hold_what_they_promise() {
        let mut random = Random::new(5);
        let names: Vec<String> = (0..40).map(|n| format!("p{n:02}")).collect();
        let mut held = 0;
        let rounds = 150;
        for _ in 0..rounds {
            let mut states: Vec<bool> = names.iter().map(|_| random.share() < 0.7).collect();
            let mut months = BTreeMap::new();
            let mut at = month("2025-10");
            let mut last = 0.0;
            for step in 0..13 {
                let active: BTreeMap<String, chrono::NaiveDate> = names
                    .iter()
                    .zip(&states)
                    .filter(|(_, active)| **active)
                    .map(|(name, _)| (name.clone(), at.first_day()))
                    .collect();
                last = count(active.len());
                if step < 12 {
                    months.insert(
                        at,
                        MonthOfUnits {
                            count: last,
                            names: active,
                            anonymous: false,
                        },
                    );
                    at = at.next();
                }
                for state in &mut states {
                    let chance = if *state { 0.85 } else { 0.35 };
                    *state = random.share() < chance;
                }
            }
            let before = at.previous();
            let units = Units::of(&months, before, before.last_day());
            let mut draws: Vec<f64> = (0..400).map(|_| units.draw(1, &mut random)[1]).collect();
            draws.sort_by(f64::total_cmp);
            if (draws[40]..=draws[359]).contains(&last) {
                held += 1;
            }
        }
        let share = f64::from(held) / f64::from(rounds);
        assert!((0.74..0.95).contains(&share), "{share}");
    }

    #[test]
    fn a_count_without_names_moves_as_it_has_moved() {
        let months: BTreeMap<Month, MonthOfUnits> = (1..=9)
            .map(|n| {
                let units = MonthOfUnits {
                    count: 30.0 + f64::from(n % 2),
                    names: BTreeMap::new(),
                    anonymous: true,
                };
                (month(&format!("2026-0{n}")), units)
            })
            .collect();
        let units = Units::of(&months, month("2026-09"), "2026-09-30".parse().unwrap());
        let counts = mean_counts(&units, 1);
        assert!((30.0..32.0).contains(&counts[1]), "{counts:?}");
    }
}
