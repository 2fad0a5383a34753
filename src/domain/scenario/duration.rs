//! Builds that take longer or shorter: exact for every decimal factor and speed, each build rounded up
//! by itself.

use rust_decimal::Decimal;

use crate::domain::catalog::Grain;

/// Builds of one length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimedBuild {
    /// When it began to be billed, in milliseconds since 1970; none for stated builds.
    pub start: Option<i64>,
    /// How long it took, in milliseconds.
    pub length: i64,
    /// How many.
    pub count: u32,
}

/// A duration is multiplied by `over`/`under`: exact for every decimal speed and factor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DurationFactor {
    over: i128,
    under: i128,
}

impl DurationFactor {
    /// Neither longer nor shorter.
    pub const SAME: Self = Self { over: 1, under: 1 };

    /// Returns a pace that takes `times` as long at `speed` times the speed.
    pub fn of(times: Decimal, speed: Decimal) -> Self {
        // What is shortened beyond measure still starts a unit.
        let least = Decimal::new(1, 9);
        let fine = |value: Decimal| {
            let fine = value.round_dp(9).normalize();
            if value > Decimal::ZERO {
                fine.max(least)
            } else {
                fine
            }
        };
        let (times, speed) = (fine(times), fine(speed));
        let over = times.mantissa() * 10_i128.pow(speed.scale());
        let under = speed.mantissa() * 10_i128.pow(times.scale());
        let common = greatest_common_divisor(over, under).max(1);
        Self {
            over: (over / common).max(0),
            under: (under / common).max(1),
        }
    }

    /// Returns the started units of a duration, for units of so many milliseconds.
    fn started(self, length: i64, unit: i64) -> i128 {
        let work = i128::from(length.max(0)).saturating_mul(self.over);
        let unit = i128::from(unit) * self.under;
        work / unit + i128::from(work % unit > 0)
    }

    /// Returns a duration at this pace in milliseconds, a started one counting whole.
    pub fn milliseconds(self, length: i64) -> i64 {
        i64::try_from(self.started(length, 1)).unwrap_or(i64::MAX)
    }

    /// Multiplies a quantity that is known as a total only.
    pub fn times(self, quantity: Decimal) -> Decimal {
        if self == Self::SAME {
            return quantity;
        }
        quantity * Decimal::from_i128_with_scale(self.over, 0)
            / Decimal::from_i128_with_scale(self.under, 0)
    }
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 {
        a.abs()
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Returns the billed units of builds at a pace: each build is rounded up by itself.
pub fn billed_units(builds: &[TimedBuild], grain: Grain, pace: DurationFactor) -> i64 {
    let unit = match grain {
        Grain::Minute | Grain::Provisioned => 60_000,
        Grain::Second => 1000,
    };
    if pace == DurationFactor::SAME {
        return builds
            .iter()
            .map(|build| {
                let length = build.length.max(0);
                (length / unit + i64::from(length % unit > 0)) * i64::from(build.count)
            })
            .sum();
    }
    // Nearly all durations fit 64 bits even when scaled; the division is then many times faster.
    let (over, under) = (i64::try_from(pace.over), i64::try_from(pace.under));
    let small = |over: i64, under: i64| {
        let unit = unit.checked_mul(under)?;
        builds
            .iter()
            .map(|build| {
                let work = build.length.max(0).checked_mul(over)?;
                Some((work / unit + i64::from(work % unit > 0)) * i64::from(build.count))
            })
            .sum::<Option<i64>>()
    };
    let fast = over
        .ok()
        .zip(under.ok())
        .and_then(|(over, under)| small(over, under));
    fast.unwrap_or_else(|| {
        let all: i128 = builds
            .iter()
            .map(|build| pace.started(build.length, unit) * i128::from(build.count))
            .sum();
        i64::try_from(all).unwrap_or(i64::MAX)
    })
}
