//! The best of what goes together: of findings that exclude one another in part, those with the
//! largest savings in all.
//!
//! Findings that have nothing to do with one another are chosen apart. Of the others, branch and bound
//! tries to take and to leave each; at most one of those that all exclude each other counts for the
//! bound, so that a handful of choices for each project is no work.

use crate::domain::money::Money;

/// Steps after which the search stops: the best so far stands, unproven.
const MOST_STEPS: u32 = 5000;

/// Findings as bits.
#[derive(Clone, Default)]
struct Set(Vec<u64>);

impl Set {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn add(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn remove(&mut self, at: usize) {
        self.0[at / 64] &= !(1 << (at % 64));
    }

    fn has(&self, at: usize) -> bool {
        self.0[at / 64] & (1 << (at % 64)) != 0
    }

    fn without(&self, other: &Self) -> Self {
        let words = self.0.iter().zip(&other.0);
        Self(words.map(|(a, b)| a & !b).collect())
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & b == 0)
    }
}

struct Search<'s> {
    savings: &'s [Money],
    conflicts: &'s [Set],
    /// The findings in question, the largest saving first.
    order: Vec<usize>,
    best: (Money, Vec<usize>),
    steps: u32,
}

impl Search<'_> {
    /// Returns the most that findings may save together: of those that all exclude each other, one.
    fn bound(&self, open: &Set) -> Money {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut most = Money::ZERO;
        for at in self.order.iter().copied().filter(|at| open.has(*at)) {
            let excludes =
                |group: &&mut Vec<usize>| group.iter().all(|other| self.conflicts[at].has(*other));
            if let Some(group) = groups.iter_mut().find(excludes) {
                group.push(at);
            } else {
                most += self.savings[at];
                groups.push(vec![at]);
            }
        }
        most
    }

    fn run(&mut self, mut open: Set, taken: &mut Vec<usize>, saving: Money) {
        self.steps += 1;
        if saving > self.best.0 {
            self.best = (saving, taken.clone());
        }
        if self.steps > MOST_STEPS || saving + self.bound(&open) <= self.best.0 {
            return;
        }
        let next = self.order.iter().copied().find(|at| open.has(*at));
        let Some(next) = next else { return };
        open.remove(next);
        taken.push(next);
        self.run(
            open.without(&self.conflicts[next]),
            taken,
            saving + self.savings[next],
        );
        taken.pop();
        // What excludes nothing that is open is never left.
        if !open.is_apart_from(&self.conflicts[next]) {
            self.run(open, taken, saving);
        }
    }
}

/// Returns findings of which none excludes another and whose savings add up to the most, and whether
/// that is proven. `overlaps` has for each the others that it excludes.
pub fn best(savings: &[Money], overlaps: &[&[usize]]) -> (Vec<usize>, bool) {
    let count = savings.len();
    let conflicts: Vec<Set> = overlaps
        .iter()
        .map(|others| {
            let mut set = Set::new(count);
            for other in *others {
                set.add(*other);
            }
            set
        })
        .collect();
    let mut seen = Set::new(count);
    let (mut chosen, mut is_proven) = (Vec::new(), true);
    for first in 0..count {
        if seen.has(first) {
            continue;
        }
        // All that hangs together with it.
        let (mut group, mut at) = (vec![first], 0);
        seen.add(first);
        while let Some(next) = group.get(at).copied() {
            for other in overlaps[next] {
                if !seen.has(*other) {
                    seen.add(*other);
                    group.push(*other);
                }
            }
            at += 1;
        }
        let mut open = Set::new(count);
        for at in &group {
            open.add(*at);
        }
        group.sort_by(|a, b| (savings[*b], a).cmp(&(savings[*a], b)));
        let mut search = Search {
            savings,
            conflicts: &conflicts,
            order: group,
            best: (Money::ZERO, Vec::new()),
            steps: 0,
        };
        search.run(open, &mut Vec::new(), Money::ZERO);
        is_proven &= search.steps <= MOST_STEPS;
        chosen.extend(search.best.1);
    }
    chosen.sort_unstable();
    (chosen, is_proven)
}
