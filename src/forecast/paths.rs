//! Sampled futures: whole weeks of the past drawn jointly for all drivers, then stretched so that
//! each driver's months have the distribution the range promises.
//!
//! Drawing one week for every driver keeps together what moves together. A part of each month's
//! draw is shared by all months of a path, because a level that is too low stays too low: on the
//! development windows errors of a month and of the next correlate by 0.6, and by 0.4 half a year on.

use super::{expect::Expected, numbers::count, random::Random, series::WEEKS};

/// Share of the variance that lasts over the months of a path.
const LASTING: f64 = 0.45;

/// Weeks drawn for a month.
pub(super) const DRAWN: usize = 4;

/// Weeks drawn for each path.
pub(super) type Weeks = Vec<[u8; DRAWN]>;

/// Draws weeks, the same for every driver.
pub(super) fn draw_weeks(paths: usize, random: &mut Random) -> Weeks {
    (0..paths)
        .map(|_| [(); DRAWN].map(|()| random.below(WEEKS) as u8))
        .collect()
}

/// How far the weeks of each path lie from a driver's mean, in standard deviations.
fn distances<'w>(expected: &'w Expected, weeks: &'w Weeks) -> impl Iterator<Item = f64> + 'w {
    let scale = 1.0 / count(DRAWN).sqrt();
    weeks.iter().map(move |drawn| {
        drawn
            .iter()
            .map(|week| expected.weeks[usize::from(*week)])
            .sum::<f64>()
            * scale
    })
}

/// Samples the rest of a month of one driver, one value a path.
pub(super) fn sample(
    expected: &Expected,
    month: usize,
    lasting: &Weeks,
    weeks: &Weeks,
    mut random: Random,
) -> Vec<f64> {
    let spread = expected.months[month];
    let paths = weeks.len();
    if spread.scale == 0.0 {
        return vec![spread.center; paths];
    }
    let mut order: Vec<(f64, u32)> = distances(expected, lasting)
        .zip(distances(expected, weeks))
        .zip(0..)
        .map(|((level, own), path)| {
            // A little noise of its own orders paths that drew alike, and those of young drivers.
            let noise = 0.02 * random.share();
            (
                LASTING.sqrt() * level + (1.0 - LASTING).sqrt() * own + noise,
                path,
            )
        })
        .collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut values = vec![0.0; paths];
    for (rank, (_, path)) in order.iter().enumerate() {
        values[*path as usize] = spread.at((count(rank) + 0.5) / count(paths));
    }
    values
}
