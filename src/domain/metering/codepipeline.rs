//! `CodePipeline`: whole active pipelines for V1, started minutes of each action for V2.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{codebuild::started, events::Execution};
use crate::domain::{
    period::Month,
    quantity::{Quantity, Unit},
};

/// Days a new V1 pipeline is free.
const TRIAL_DAYS: i64 = 30;

/// How a V1 pipeline counts in a month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum V1Activity {
    /// A code change ran through it after its first 30 days: billed whole.
    Active,
    /// Code changes ran, all within its first 30 days: free.
    Trial,
    /// No code change ran through it.
    Idle,
}

/// Tells how a V1 pipeline counts: it is active if on any day of the month a code change ran
/// through it that was more than 30 days after its creation.
pub fn v1_activity(
    created: NaiveDate,
    code_changes: impl IntoIterator<Item = NaiveDate>,
    month: Month,
) -> V1Activity {
    let in_month = code_changes.into_iter().filter(|&day| month.contains(day));
    in_month.fold(V1Activity::Idle, |seen, day| {
        let past_trial = day.signed_duration_since(created) > TimeDelta::days(TRIAL_DAYS);
        if past_trial || seen == V1Activity::Active {
            V1Activity::Active
        } else {
            V1Activity::Trial
        }
    })
}

/// Returns the days on which a run brought another revision than the one before it. Rollbacks bring
/// none, and neither do runs without a revision.
pub fn code_changes(before: Option<&Execution>, runs: &[Execution]) -> Vec<NaiveDate> {
    let mut last = before.and_then(|run| run.revisions.as_ref());
    let mut changes = Vec::new();
    for run in runs.iter().filter(|run| !run.rollback) {
        if run.revisions.is_some() && run.revisions.as_ref() != last {
            changes.push(run.started.date_naive());
            last = run.revisions.as_ref();
        }
    }
    changes
}

/// What an action of a V2 pipeline is, as far as billing asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActionKind {
    /// Source, build, test, deploy, invoke: billed, whether it succeeds or fails.
    Standard,
    /// Waits for a person: not billed.
    ManualApproval,
    /// Runs on the user's own worker: not billed.
    Custom,
}

impl ActionKind {
    /// Reads the category and the owner of an action, as the API has them.
    pub fn of(category: &str, owner: &str) -> Self {
        match (category, owner) {
            ("Approval", _) => Self::ManualApproval,
            (_, "Custom") => Self::Custom,
            _ => Self::Standard,
        }
    }
}

/// Bills one action execution: every started minute, except of approvals and custom actions.
pub fn action_minutes(kind: ActionKind, duration: TimeDelta) -> Quantity {
    match kind {
        ActionKind::Standard => started(duration, 60, Unit::Minute),
        ActionKind::ManualApproval | ActionKind::Custom => {
            Quantity::new(rust_decimal::Decimal::ZERO, Unit::Minute)
        }
    }
}

/// Returns the part of an execution that lies in a month, UTC. AWS does not say how it bills an
/// action over midnight of the last day; cutting it there bills no second twice.
pub fn clip(start: DateTime<Utc>, end: DateTime<Utc>, month: Month) -> TimeDelta {
    let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).expect("midnight exists").and_utc();
    let from = start.max(midnight(month.first_day()));
    let until = end.min(midnight(month.end()));
    (until - from).max(TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn a_pipeline_is_active_after_thirty_days_and_with_a_code_change() {
        let november = "2026-11".parse().expect("a month");
        for (created, changes, expected) in [
            ("2026-11-01", vec!["2026-11-21"], V1Activity::Trial), // 20 days old
            ("2026-10-22", vec!["2026-11-21"], V1Activity::Trial), // 30 days: not more than 30
            ("2026-10-21", vec!["2026-11-21"], V1Activity::Active), // 31 days
            (
                "2026-10-15",
                vec!["2026-11-01", "2026-11-30"],
                V1Activity::Active,
            ),
            ("2025-01-01", vec![], V1Activity::Idle),
            (
                "2025-01-01",
                vec!["2026-10-31", "2026-12-01"],
                V1Activity::Idle,
            ),
        ] {
            let changes = changes.into_iter().map(day);
            assert_eq!(
                v1_activity(day(created), changes, november),
                expected,
                "{created}"
            );
        }
    }

    #[test]
    fn approvals_and_custom_actions_are_free() {
        let minute = TimeDelta::seconds(61);
        assert_eq!(
            action_minutes(ActionKind::Standard, minute).value,
            Decimal::TWO
        );
        assert_eq!(
            action_minutes(ActionKind::ManualApproval, minute).value,
            Decimal::ZERO
        );
        assert_eq!(
            action_minutes(ActionKind::Custom, minute).value,
            Decimal::ZERO
        );
    }

    #[test]
    fn an_action_over_the_end_of_the_month_is_cut_there() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let (start, end) = (at("2026-10-31T23:59:30Z"), at("2026-11-01T00:02:00Z"));
        let october = clip(start, end, "2026-10".parse().expect("a month"));
        let november = clip(start, end, "2026-11".parse().expect("a month"));
        assert_eq!((october.num_seconds(), november.num_seconds()), (30, 120));
        assert_eq!(
            clip(start, end, "2026-09".parse().expect("a month")),
            TimeDelta::zero()
        );
    }
}
