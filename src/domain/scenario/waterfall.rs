//! Which change makes how much of a difference.
//!
//! Changes overlap: half the minutes at half the price is a quarter. Shapley's value gives each
//! change its mean contribution over all orders, which is the one way that does not depend on the
//! order and adds up. It asks for every subset of the changes, so beyond six of them the changes are
//! taken in the order stated, and the answer says so.

use rust_decimal::Decimal;

use crate::domain::money::Money;

/// The most changes that are taken in every order.
pub const MOST_IN_EVERY_ORDER: usize = 6;

/// One change and what it makes of the bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaterfallStep {
    /// The change, as `--set` reads it.
    pub label: String,
    /// What it adds to the bill; below zero for a saving.
    pub amount: Money,
}

/// From the baseline to the scenario, cause by cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waterfall {
    /// What the baseline costs.
    pub baseline: Money,
    /// The changes in the order stated; they add up to the difference.
    pub steps: Vec<WaterfallStep>,
    /// What the scenario costs.
    pub scenario: Money,
    /// The order stated does not matter: each step is the mean over all orders.
    pub order_free: bool,
}

impl Waterfall {
    /// Returns each bar with where it begins and ends: the baseline, every step, the scenario.
    pub fn levels(&self) -> Vec<(&str, Money, Money)> {
        let mut level = self.baseline;
        let mut levels = vec![("baseline", Money::ZERO, self.baseline)];
        for step in &self.steps {
            let next = level + step.amount;
            levels.push((&step.label, level, next));
            level = next;
        }
        levels.push(("scenario", Money::ZERO, self.scenario));
        levels
    }
}

/// The finest amount a step is stated in.
const QUANTUM: u32 = 10;

/// Returns what each of `count` changes adds, given the cost under any subset of them.
///
/// The subset is a number whose bits stand for the changes. The amounts add up to the difference
/// between all changes and none, to the last digit.
pub fn contributions<E>(
    count: usize,
    mut cost: impl FnMut(usize) -> Result<Money, E>,
) -> Result<Vec<Money>, E> {
    if count > MOST_IN_EVERY_ORDER {
        let mut before = cost(0)?;
        let mut steps = Vec::with_capacity(count);
        let mut taken = 0;
        for change in 0..count {
            taken |= 1 << change;
            let after = cost(taken)?;
            steps.push(after - before);
            before = after;
        }
        return Ok(steps);
    }
    let costs = (0..1_usize << count)
        .map(&mut cost)
        .collect::<Result<Vec<Money>, E>>()?;
    let factorial = |n: usize| {
        (1..=n)
            .map(|n| Decimal::from(n as u64))
            .product::<Decimal>()
    };
    let orders = factorial(count);
    // Whole numbers of orders first: nothing is rounded before the one division.
    let sums: Vec<Decimal> = (0..count)
        .map(|change| {
            let bit = 1 << change;
            (0..costs.len())
                .filter(|subset| subset & bit == 0)
                .map(|subset| {
                    let size = subset.count_ones() as usize;
                    let weight = factorial(size) * factorial(count - size - 1);
                    (costs[subset | bit] - costs[subset]).amount() * weight
                })
                .sum()
        })
        .collect();
    let exact: Vec<Decimal> = sums.iter().map(|sum| sum / orders).collect();
    let mut steps: Vec<Decimal> = exact.iter().map(|step| step.round_dp(QUANTUM)).collect();
    let total = (costs[costs.len() - 1] - costs[0]).amount();
    // What rounding leaves goes to the largest step, where it shows least.
    let left = total - steps.iter().sum::<Decimal>();
    if let Some(largest) = (0..count).max_by_key(|at| (steps[*at].abs(), std::cmp::Reverse(*at))) {
        steps[largest] += left;
    }
    Ok(steps.into_iter().map(Money::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(value: i64) -> Money {
        Money::new(Decimal::from(value))
    }

    #[test]
    fn two_changes_share_what_they_do_together() {
        // 100 minutes at 1.00; half the minutes, half the price.
        let costs = [100, 50, 50, 25].map(money);
        let steps = contributions(2, |subset| Ok::<_, ()>(costs[subset])).unwrap();
        // Each saves 50 first or 25 second: 37.50.
        assert_eq!(steps, [Money::new(Decimal::new(-375, 1)); 2]);
    }

    #[test]
    fn a_third_of_a_cent_is_not_lost() {
        // Any change brings the whole 10: each has a third of it.
        let cost = |subset: usize| Ok::<_, ()>(money(if subset == 0 { 0 } else { 10 }));
        let steps = contributions(3, cost).unwrap();
        assert_eq!(steps.iter().copied().sum::<Money>(), money(10));
    }

    #[test]
    fn beyond_six_the_order_stated_counts() {
        let mut asked = 0;
        let steps = contributions(7, |subset| {
            asked += 1;
            Ok::<_, ()>(money(i64::from(subset.count_ones())))
        });
        assert_eq!((steps.unwrap().len(), asked), (7, 8));
    }
}
