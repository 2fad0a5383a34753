//! How slow a machine may be and the builds cost no more than they do.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use crate::domain::rating::RatingError;

/// The speed from which builds cost no more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BreakEven {
    /// From this one on.
    From(Decimal),
    /// At any speed.
    Always,
    /// Not at ten times the speed either.
    Never,
    /// Something has no price.
    Unknown,
}

/// Speeds are looked for in ten-thousandths: from a hundredth to ten.
const PLACES: u32 = 4;
const LOWEST: i64 = 100;
const HIGHEST: i64 = 100_000;

/// Finds the least speed, in ten-thousandths, from which builds cost no more: costs only fall as builds
/// get faster. `lowest` is the speed from which all of them fit; `guess` is where to begin.
pub(super) fn find(
    lowest: Decimal,
    guess: Option<Decimal>,
    mut pays: impl FnMut(Decimal) -> Result<bool, RatingError>,
) -> Result<BreakEven, RatingError> {
    let mut pays_at = |steps: i64| pays(Decimal::new(steps, PLACES));
    let steps = |speed: Decimal| {
        let up = speed.round_dp_with_strategy(PLACES, RoundingStrategy::AwayFromZero);
        (up * Decimal::from(10_i64.pow(PLACES))).to_i64()
    };
    let fits = steps(lowest).unwrap_or(HIGHEST);
    let (mut low, mut high) = (LOWEST.max(fits), HIGHEST);
    if low > high || !pays_at(high)? {
        return Ok(BreakEven::Never);
    }
    if pays_at(low)? {
        return Ok(if low > LOWEST {
            BreakEven::From(Decimal::new(low, PLACES).normalize())
        } else {
            BreakEven::Always
        });
    }
    // From here on it does not pay at `low`, and pays at `high`. Rounding moves the guess a little: look
    // nearby before anywhere.
    if let Some(guess) = guess.and_then(steps) {
        for part in [200, 20, 4] {
            let reach = guess / part + 1;
            for at in [guess - reach, guess + reach] {
                if low < at && at < high {
                    if pays_at(at)? {
                        high = at;
                    } else {
                        low = at;
                    }
                }
            }
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if pays_at(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(BreakEven::From(Decimal::new(high, PLACES).normalize()))
}
