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
    /// It stands for several that are too small for a step of their own.
    pub is_rest: bool,
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
    /// The order stated does not matter: each step is the mean over all orders, or over those in
    /// which everything has a price.
    pub order_free: bool,
    /// All orders were taken.
    pub every_order: bool,
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

/// Returns what each of `count` changes adds, given the cost under any of them together, and
/// whether all orders were taken. The amounts add up to the difference between all changes and none,
/// to the last digit.
///
/// A subset may cost what nobody knows: a move to a region without a price, before the change that
/// states one. Orders that pass through it are left out; where all do, there is no answer.
pub fn contributions<E>(
    count: usize,
    mut cost: impl FnMut(&[usize]) -> Result<Option<Money>, E>,
) -> Result<Option<(Vec<Money>, bool)>, E> {
    if count > MOST_IN_EVERY_ORDER {
        let mut costs = Vec::with_capacity(count + 1);
        let order: Vec<usize> = (0..count).collect();
        for taken in 0..=count {
            let Some(known) = cost(&order[..taken])? else {
                return Ok(None);
            };
            costs.push(known);
        }
        let steps = costs.windows(2).map(|pair| pair[1] - pair[0]);
        return Ok(Some((steps.collect(), false)));
    }
    // A subset is a number whose bits stand for the changes.
    let costs = (0..1_usize << count)
        .map(|subset| {
            let taken: Vec<usize> = (0..count).filter(|at| subset & (1 << at) != 0).collect();
            cost(&taken)
        })
        .collect::<Result<Vec<Option<Money>>, E>>()?;
    let all = costs.len() - 1;
    let (Some(none), Some(whole)) = (costs[0], costs[all]) else {
        return Ok(None);
    };
    // In how many orders the changes come to a subset, and go on from it, by known costs alone.
    let (mut to, mut from) = (vec![0_u64; all + 1], vec![0_u64; all + 1]);
    let bits = |subset: usize, set: bool| {
        (0..count)
            .map(|change| 1_usize << change)
            .filter(move |bit| (subset & bit != 0) == set)
    };
    (to[0], from[all]) = (1, 1);
    for subset in (1..=all).filter(|subset| costs[*subset].is_some()) {
        to[subset] = bits(subset, true).map(|bit| to[subset ^ bit]).sum();
    }
    for subset in (0..all).rev().filter(|subset| costs[*subset].is_some()) {
        from[subset] = bits(subset, false).map(|bit| from[subset | bit]).sum();
    }
    if to[all] == 0 {
        return Ok(None);
    }
    let orders = Decimal::from(to[all]);
    // Whole numbers of orders first: nothing is rounded before the one division.
    let exact: Vec<Decimal> = (0..count)
        .map(|change| {
            let bit = 1 << change;
            let adds = |subset: usize| {
                let step = costs[subset | bit]? - costs[subset]?;
                Some(step.amount() * Decimal::from(to[subset] * from[subset | bit]))
            };
            let without = (0..costs.len()).filter(|subset| subset & bit == 0);
            without.filter_map(adds).sum::<Decimal>() / orders
        })
        .collect();
    let mut steps: Vec<Decimal> = exact.iter().map(|step| step.round_dp(QUANTUM)).collect();
    let total = (whole - none).amount();
    // What rounding leaves goes to the largest step, where it shows least.
    let left = total - steps.iter().sum::<Decimal>();
    if let Some(largest) = (0..count).max_by_key(|at| (steps[*at].abs(), std::cmp::Reverse(*at))) {
        steps[largest] += left;
    }
    let every_order = costs.iter().all(Option::is_some);
    let steps = steps.into_iter().map(Money::new).collect();
    Ok(Some((steps, every_order)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(value: i64) -> Money {
        Money::new(Decimal::from(value))
    }

    fn bits(taken: &[usize]) -> usize {
        taken.iter().map(|at| 1 << at).sum()
    }

    #[test]
    fn two_changes_share_what_they_do_together() {
        // 100 minutes at 1.00; half the minutes, half the price.
        let costs = [100, 50, 50, 25].map(money);
        let steps = contributions(2, |taken| Ok::<_, ()>(Some(costs[bits(taken)])));
        // Each saves 50 first or 25 second: 37.50.
        let half = Money::new(Decimal::new(-375, 1));
        assert_eq!(steps, Ok(Some((vec![half; 2], true))));
    }

    #[test]
    fn a_third_of_a_cent_is_not_lost() {
        // Any change brings the whole 10: each has a third of it.
        let cost =
            |taken: &[usize]| Ok::<_, ()>(Some(money(if taken.is_empty() { 0 } else { 10 })));
        let (steps, _) = contributions(3, cost).unwrap().unwrap();
        assert_eq!(steps.iter().copied().sum::<Money>(), money(10));
    }

    #[test]
    fn beyond_six_the_order_stated_counts() {
        let mut asked = 0;
        let steps = contributions(100, |taken| {
            asked += 1;
            Ok::<_, ()>(Some(Money::new(Decimal::from(taken.len() as u64))))
        });
        assert_eq!(
            (steps, asked),
            (Ok(Some((vec![money(1); 100], false))), 101)
        );
    }

    #[test]
    fn what_has_no_price_on_the_way_is_passed_by() {
        // The first moves usage to where it has no price, the second states one: 100 becomes 80.
        let costs = [Some(100), None, Some(100), Some(80)];
        let steps = contributions(2, |taken| Ok::<_, ()>(costs[bits(taken)].map(money)));
        assert_eq!(steps, Ok(Some((vec![money(-20), money(0)], false))));
        let costs = [Some(100), None, None, Some(80)];
        let steps = contributions(2, |taken| Ok::<_, ()>(costs[bits(taken)].map(money)));
        assert_eq!(steps, Ok(None));
    }
}
