//! The rules that AWS leaves open, and how each is read.

use super::codedeploy::FailedUpdates;

/// Whether the time a build waits in the queue is billed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueuedTime {
    /// The clock starts at `PROVISIONING`, as AWS Support says.
    #[default]
    Free,
    /// The clock starts at submission, as the pricing page says.
    Billed,
}

/// The rules AWS leaves open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MeteringOptions {
    /// Of builds.
    pub queued_time: QueuedTime,
    /// Of on-premises updates.
    pub failed_updates: FailedUpdates,
}
