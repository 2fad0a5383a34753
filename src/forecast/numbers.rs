//! Small numeric helpers. Exponentials and logarithms come from the `libm` crate, not from the
//! platform, so that a seed gives the same bytes everywhere.

/// Returns a count as a number to calculate with.
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

/// Returns e to the power of `x`.
pub(super) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Returns the natural logarithm.
pub(super) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Returns the mean; zero of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / count(values.len())
    }
}

/// Returns the middle one of three.
pub(super) fn median3(a: f64, b: f64, c: f64) -> f64 {
    a.max(b).min(a.min(b).max(c))
}

/// Returns the quantile of sorted values, interpolated between neighbours; zero of nothing.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share.clamp(0.0, 1.0) * count(last);
    let below = (place as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - count(below))
}

/// Returns P10, P50 and P90 as [`quantile`] would of sorted values, and leaves the values in another
/// order: only what stands at these places is looked for.
pub(super) fn tenths(values: &mut [f64]) -> [f64; 3] {
    let mut from = 0;
    [0.1, 0.5, 0.9].map(|share| {
        let Some(last) = values.len().checked_sub(1) else {
            return 0.0;
        };
        let place = share * count(last);
        let below = (place as usize).min(last);
        // What stands before `from` is no larger than anything after it.
        let (_, low, larger) = values[from..].select_nth_unstable_by(below - from, f64::total_cmp);
        from = below;
        let high = larger
            .iter()
            .copied()
            .min_by(f64::total_cmp)
            .unwrap_or(*low);
        *low + (high - *low) * (place - count(below))
    })
}

/// Returns the median; zero of nothing.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// Returns the variance, of the population; zero of nothing.
pub(super) fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    mean(
        &values
            .iter()
            .map(|value| (value - middle) * (value - middle))
            .collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert!((quantile(&[1.0, 2.0, 3.0, 4.0], 0.5) - 2.5).abs() < 1e-12);
        assert!((quantile(&[5.0], 0.9) - 5.0).abs() < 1e-12);
        assert!(quantile(&[], 0.5).abs() < 1e-12);
    }

    proptest::proptest! {
        #[test]
        fn tenths_are_the_quantiles_of_sorted_values(
            values in proptest::collection::vec(-50_i32..50, 0..60),
        ) {
            let mut values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let expected = [0.1, 0.5, 0.9].map(|share| quantile(&sorted, share).to_bits());
            proptest::prop_assert_eq!(tenths(&mut values).map(f64::to_bits), expected);
        }
    }

    #[test]
    fn the_middle_of_three_is_found_in_any_order() {
        for (a, b, c) in [
            (1.0, 2.0, 3.0),
            (3.0, 2.0, 1.0),
            (2.0, 3.0, 1.0),
            (2.0, 1.0, 3.0),
            (1.0, 3.0, 2.0),
        ] {
            assert!((median3(a, b, c) - 2.0).abs() < 1e-12);
        }
    }
}
