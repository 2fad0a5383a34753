//! Sharing a whole among parts so that the parts add up to it, to the last digit.

use rust_decimal::{Decimal, RoundingStrategy};

use super::money::Money;

/// How free units and costs are shared. AWS does not document its own way; its bill shows the
/// outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// As the bill shows it; where there is no bill, by quantity.
    #[default]
    AsBilled,
    /// By quantity.
    Proportional,
    /// The earliest usage draws on the allowance first.
    Chronological,
}

impl Policy {
    /// Returns the name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsBilled => "as-billed",
            Self::Proportional => "proportional",
            Self::Chronological => "chronological",
        }
    }
}

/// Rounds amounts so that they add up to their rounded sum: each is rounded down, and the steps left
/// over go to the largest remainders, the earlier first. The sum is rounded half to even.
pub fn round_together(amounts: &[Decimal], decimals: u32) -> Vec<Decimal> {
    let round = |amount: Decimal, strategy| {
        let mut rounded = amount.round_dp_with_strategy(decimals, strategy);
        rounded.rescale(decimals);
        rounded
    };
    let total = round(amounts.iter().sum(), RoundingStrategy::MidpointNearestEven);
    let mut parts: Vec<Decimal> = amounts
        .iter()
        .map(|amount| round(*amount, RoundingStrategy::ToNegativeInfinity))
        .collect();
    let mut order: Vec<usize> = (0..amounts.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(amounts[at] - parts[at]));
    let step = Decimal::new(1, decimals);
    let mut left = total - parts.iter().sum::<Decimal>();
    for at in order {
        if left < step {
            break;
        }
        parts[at] += step;
        left -= step;
    }
    parts
}

/// Shares an amount of money by weight, to the tenth decimal place or as fine as it is stated.
pub fn share_money(total: Money, weights: &[Decimal]) -> Vec<Money> {
    let quantum = Decimal::new(1, total.amount().scale().max(10));
    largest_remainder(total.amount(), weights, quantum)
        .into_iter()
        .map(Money::new)
        .collect()
}

/// Shares a quantity by weight: in whole units where everything is whole.
pub fn share_quantity(total: Decimal, weights: &[Decimal]) -> Vec<Decimal> {
    let scale = weights
        .iter()
        .chain([&total])
        .map(|value| value.normalize().scale())
        .max();
    largest_remainder(total, weights, Decimal::new(1, scale.unwrap_or(0)))
}

/// 10^26: two digits less than a decimal holds, so that every sum of steps is exact.
const MOST_STEPS: Decimal = Decimal::from_parts(3_825_205_248, 3_704_098_002, 5_421_010, false, 0);

/// Shares a total in proportion to weights, in steps of `quantum`: each part is its exact share
/// rounded down, and the steps left over go to the largest remainders, the earlier part first.
///
/// The parts add up to the total exactly. A weight of zero gets nothing unless all are zero: then
/// the first part takes everything, for a charge cannot vanish.
pub fn largest_remainder(total: Decimal, weights: &[Decimal], quantum: Decimal) -> Vec<Decimal> {
    let sum: Decimal = weights.iter().sum();
    if weights.is_empty() {
        return Vec::new();
    }
    // Corrections can cancel usage out, all but a trace: no share is meaningful then.
    let exact: Option<Vec<Decimal>> = weights
        .iter()
        .map(|weight| total.checked_mul(weight.checked_div(sum)?))
        .collect();
    let exact = match exact {
        Some(exact) if weights.len() > 1 => exact,
        _ => {
            let mut shares = vec![Decimal::ZERO; weights.len()];
            shares[0] = total;
            return shares;
        }
    };
    // Steps too fine for 28 digits are made coarser: the last lines hand out what that leaves.
    let countable = |amount: &Decimal, quantum: Decimal| {
        let steps = amount.checked_div(quantum);
        steps.is_some_and(|steps| steps.abs() < MOST_STEPS)
    };
    let mut quantum = quantum;
    while !exact
        .iter()
        .chain([&total])
        .all(|amount| countable(amount, quantum))
    {
        quantum *= Decimal::TEN;
    }
    let mut shares: Vec<Decimal> = exact
        .iter()
        .map(|share| (share / quantum).floor() * quantum)
        .collect();
    let mut order: Vec<usize> = (0..weights.len())
        .filter(|&at| !weights[at].is_zero())
        .collect();
    order.sort_by(|&a, &b| {
        (exact[b] - shares[b])
            .cmp(&(exact[a] - shares[a]))
            .then(a.cmp(&b))
    });
    let mut left = total - shares.iter().sum::<Decimal>();
    // Division keeps 28 digits, so a floor may land one step high as well as low.
    while left <= -quantum {
        for &at in order.iter().rev() {
            if left > -quantum {
                break;
            }
            shares[at] -= quantum;
            left += quantum;
        }
    }
    while left >= quantum {
        for &at in &order {
            if left < quantum {
                break;
            }
            shares[at] += quantum;
            left -= quantum;
        }
    }
    shares[order[0]] += left;
    shares.into_iter().map(|share| share.normalize()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        crate::domain::number::parse_decimal(text).expect("a decimal")
    }

    #[test]
    fn parts_add_up_and_zero_weight_gets_nothing() {
        let shares = largest_remainder(
            dec("100"),
            &[dec("1"), dec("0"), dec("1"), dec("1")],
            dec("1"),
        );
        assert_eq!(shares, [dec("34"), dec("0"), dec("33"), dec("33")]);
    }

    #[test]
    fn sub_cent_money_is_not_lost() {
        let shares = share_money(Money::new(dec("0.019")), &[dec("1"), dec("1")]);
        assert_eq!(shares, [Money::new(dec("0.0095")); 2]);
    }

    #[test]
    fn amounts_round_to_cents_that_add_up() {
        let amounts = [dec("0.335"), dec("0.333"), dec("0.332"), dec("-0.001")];
        let cents = round_together(&amounts, 2);
        // 0.999 is 1.00; the lost steps go to -0.001 (0.9 of one), 0.335 and 0.333.
        assert_eq!(cents, [dec("0.34"), dec("0.33"), dec("0.33"), dec("0.00")]);
        assert_eq!(round_together(&[dec("2.5")], 0), [dec("2")]);
        assert!(round_together(&[], 2).is_empty());
    }

    #[test]
    fn a_negative_total_is_shared_too() {
        let shares = largest_remainder(dec("-10"), &[dec("1"), dec("2")], dec("1"));
        assert_eq!(shares.iter().sum::<Decimal>(), dec("-10"));
    }
}
