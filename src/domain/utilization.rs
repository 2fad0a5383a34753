//! What builds used of their machines, as CloudWatch measured it. It measures builds of more than a
//! minute, and keeps each day for fifteen months.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::metering::events::AccountRegion;

/// The memory that a machine has to have is the peak, times this...
pub const MEMORY_MARGIN: Decimal = Decimal::from_parts(12, 0, 0, false, 1);

/// ...which is so many percent more.
pub const MARGIN_PERCENT: Decimal = Decimal::from_parts(20, 0, 0, false, 0);

/// Megabytes in a gigabyte of a machine. CloudWatch does not say which megabytes it counts; of both
/// readings this is the one by which less fits.
pub const MEGABYTES: Decimal = Decimal::ONE_THOUSAND;

/// What the builds of a project used on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Utilization {
    /// Of which project.
    pub project: String,
    /// On which day.
    pub day: NaiveDate,
    /// Values that were measured of each: about one for each minute of each build.
    pub points: u64,
    /// Processors in use, in percent of those of the machine.
    pub cpu: Option<Measured>,
    /// Memory in use, in megabytes.
    pub memory: Option<Measured>,
    /// The most memory in use, in percent of that of the machine.
    pub memory_percent: Option<Decimal>,
}

/// Of values that were measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    /// Their mean.
    pub average: Decimal,
    /// The largest.
    pub maximum: Decimal,
}

/// [`Utilization`] with where it was measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Where.
    pub place: AccountRegion,
    /// What.
    pub of: Utilization,
}
