//! `CodeBuild`: started minutes of each build, seconds on Lambda, provisioned minutes of fleets.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::{events::Build, options::QueuedTime};
use crate::domain::{
    catalog::{Catalog, Compute, Grain},
    quantity::{Quantity, Unit},
};

/// What one build bills by itself.
#[derive(Clone, Copy, Debug)]
pub struct BuildUsage<'c> {
    /// On which compute type.
    pub compute: &'c Compute,
    /// For how long.
    pub duration: TimeDelta,
    /// Rounded up as AWS does.
    pub billed: Quantity,
}

/// Why a build bills nothing by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotBilled {
    /// It was not seen to end.
    Running,
    /// The machines of its fleet are billed.
    OnFleet,
    /// No meter is known for its compute type.
    NoMeter,
}

/// Returns what a build bills by itself.
pub fn build_usage<'c>(
    catalog: &'c Catalog,
    queued_time: QueuedTime,
    build: &Build,
) -> Result<BuildUsage<'c>, NotBilled> {
    let ended = build.ended.ok_or(NotBilled::Running)?;
    if build.fleet.is_some() {
        return Err(NotBilled::OnFleet);
    }
    let compute = catalog.compute(&build.compute).ok_or(NotBilled::NoMeter)?;
    let from = match queued_time {
        QueuedTime::Free => build.provisioned.unwrap_or(build.submitted),
        QueuedTime::Billed => build.submitted,
    };
    let duration = (ended - from).max(TimeDelta::zero());
    Ok(BuildUsage {
        compute,
        duration,
        billed: billed(compute.grain, duration),
    })
}

/// Bills one build, or one fleet's time, of a given length.
pub fn billed(grain: Grain, duration: TimeDelta) -> Quantity {
    match grain {
        Grain::Minute | Grain::Provisioned => started(duration, 60, Unit::Minute),
        Grain::Second => started(duration, 1, Unit::Second),
    }
}

/// Returns the seconds of build time before rounding.
pub fn consumed(builds: u32, duration: TimeDelta) -> Quantity {
    let milliseconds = i128::from(duration.num_milliseconds()) * i128::from(builds);
    Quantity::new(
        Decimal::from_i128_with_scale(milliseconds, 3).normalize(),
        Unit::Second,
    )
}

/// Counts started units. API timestamps are kept to milliseconds, so 60.001 s are two minutes.
pub(super) fn started(duration: TimeDelta, unit_seconds: i64, unit: Unit) -> Quantity {
    let milliseconds = duration.num_milliseconds().max(0);
    let per_unit = unit_seconds * 1000;
    let units = milliseconds / per_unit + i64::from(milliseconds % per_unit > 0);
    Quantity::new(Decimal::from(units), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_minute_is_a_minute() {
        for (milliseconds, minutes) in [
            (0, 0),
            (1, 1),
            (60_000, 1),
            (60_001, 2),
            (61_000, 2),
            (95_000, 2),
            (120_000, 2),
        ] {
            let billed = billed(Grain::Minute, TimeDelta::milliseconds(milliseconds));
            assert_eq!(
                billed,
                Quantity::new(Decimal::from(minutes), Unit::Minute),
                "{milliseconds} ms"
            );
        }
    }

    #[test]
    fn a_build_is_rounded_what_it_consumed_is_not() {
        let one = billed(Grain::Minute, TimeDelta::seconds(95));
        assert_eq!(one, Quantity::new(Decimal::TWO, Unit::Minute));
        assert_eq!(
            consumed(300, TimeDelta::seconds(95)),
            Quantity::new(Decimal::from(28_500), Unit::Second)
        );
    }

    #[test]
    fn lambda_builds_count_seconds() {
        let billed = billed(Grain::Second, TimeDelta::milliseconds(1500));
        assert_eq!(billed, Quantity::new(Decimal::TWO, Unit::Second));
    }
}
