//! `CodeDeploy`: updates of on-premises instances. Everything on EC2, Lambda and ECS is free.

use rust_decimal::Decimal;

use crate::domain::quantity::{Quantity, Unit};

/// What became of one target of a deployment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetOutcome {
    /// Updated: billed.
    Updated,
    /// Tried and failed: AWS does not say; see [`FailedUpdates`].
    Failed,
    /// Not touched: never billed.
    Skipped,
}

/// Whether failed updates count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FailedUpdates {
    /// The cautious reading, and the default.
    #[default]
    Billed,
    /// The kind one.
    Free,
}

/// Counts the billed updates of on-premises targets: each target of each deployment is one.
pub fn updates(
    targets: impl IntoIterator<Item = TargetOutcome>,
    failed: FailedUpdates,
) -> Quantity {
    let billed = targets.into_iter().filter(|outcome| match outcome {
        TargetOutcome::Updated => true,
        TargetOutcome::Failed => failed == FailedUpdates::Billed,
        TargetOutcome::Skipped => false,
    });
    Quantity::new(Decimal::from(billed.count()), Unit::Update)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_targets_are_free_and_failed_ones_follow_the_switch() {
        use TargetOutcome::{Failed, Skipped, Updated};
        let targets = [Updated, Updated, Failed, Skipped];
        assert_eq!(
            updates(targets, FailedUpdates::Billed).value,
            Decimal::from(3)
        );
        assert_eq!(
            updates(targets, FailedUpdates::Free).value,
            Decimal::from(2)
        );
    }
}
