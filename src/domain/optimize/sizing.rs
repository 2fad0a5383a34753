//! What the choice of a size rests on, and how findings rank by it.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Assumption, Finding, FindingKind, Proposed};
use crate::domain::{money::Money, scenario::remark};

/// The memory that builds need, and that of a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// The most that was in use, in megabytes.
    pub peak: Decimal,
    /// When.
    pub day: NaiveDate,
    /// On so many days it was measured.
    pub days: u64,
    /// The peak with the margin, in gigabytes.
    pub needed: Decimal,
    /// What the machine has, in gigabytes.
    pub machine: Decimal,
}

/// A machine that would cost less and lacks memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What was not proposed.
    pub proposed: Proposed,
    /// What it needs, and has.
    pub memory: Memory,
    /// About what it would have saved in the last month.
    pub saving: Money,
}

/// The speed on fewer processors, from those in use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speed {
    /// The estimate.
    pub speed: Decimal,
    /// If builds use as many processors as were ever in use, or none.
    pub slow: Decimal,
    /// If builds use as many processors as the mean all the time.
    pub fast: Decimal,
    /// Processors in use on average.
    pub average: Decimal,
    /// Processors in use at most.
    pub maximum: Decimal,
    /// Processors of the machine.
    pub processors: Decimal,
}

/// What the choice of a machine with less memory or fewer processors rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sizing {
    /// What builds used of both.
    Measured,
    /// An assumption on at least one.
    Assumed,
}

/// Puts the largest saving first. Where some sizes rest on measurements, those that do not come last.
pub(super) fn rank(findings: &mut [Finding]) {
    let is_measured = |finding: &Finding| finding.sizing == Some(Sizing::Measured);
    let has_measured = findings.iter().any(is_measured);
    let last = |finding: &Finding| has_measured && finding.sizing == Some(Sizing::Assumed);
    findings.sort_by(|a, b| {
        let (a_last, b_last) = (last(a), last(b));
        (a_last, b.saving.p50, a.kind, &a.proposed).cmp(&(
            b_last,
            a.saving.p50,
            b.kind,
            &b.proposed,
        ))
    });
}

/// Leaves out what the scenario assumes of the speed where the finding says more of it. Lambda and ARM are
/// other machines, whose speed no use of processors tells.
pub(super) fn without_doubles(all: Vec<Assumption>, kind: FindingKind) -> Vec<Assumption> {
    let is_known =
        |it: &Assumption| matches!(it, Assumption::SpeedMeasured(_) | Assumption::NoFaster);
    let is_same_kind = matches!(kind, FindingKind::Downsize | FindingKind::Upsize);
    if !is_same_kind || !all.iter().any(is_known) {
        return all;
    }
    let mut left = all;
    left.retain(|it| {
        !matches!(
            it,
            Assumption::Scenario(
                remark::Assumption::SameDuration { .. } | remark::Assumption::Speed { .. }
            )
        )
    });
    left
}
