//! What a reader of a bill should know beside its figures: facts, without sentences.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    ids::AccountId,
    metering::{events::AccountRegion, options::QueuedTime},
};

/// A fact about a bill, or about usage that is put beside one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remark {
    /// Sums of several days are spread evenly over these days.
    DaysSpread,
    /// A price list is older than a year.
    OldPrices {
        /// Its day.
        listed: NaiveDate,
    },
    /// A source tells charges that another source of the month has.
    DuplicateSource {
        /// Which kind of export.
        source: String,
    },
    /// Something was not collected, on which the bill does not rest.
    NotCollected {
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
    /// The usage is metered from AWS's APIs.
    Metered,
    /// A stage of a pipeline is taken to be a manual approval.
    AssumedApproval {
        /// Which pipeline.
        pipeline: String,
        /// Which stage.
        stage: String,
    },
    /// The use that a security baseline is assumed to make of its services.
    SecurityBaseline {
        /// Of so many pipelines.
        pipelines: Decimal,
        /// Of so many runs.
        runs: Decimal,
    },
    /// More V1 pipelines would be active if any run counted.
    ActivePipelines {
        /// Where.
        place: AccountRegion,
        /// By code changes, as AWS's rule says.
        by_code_change: u64,
        /// By any run.
        by_any_run: u64,
    },
    /// From when on builds are counted.
    QueuedTime(QueuedTime),
    /// How many users of `CodeCommit` there are depends on how roles count.
    Users {
        /// In which account.
        account: AccountId,
        /// If a role counts once, which is used.
        low: Decimal,
        /// If each of its sessions counts.
        high: Decimal,
    },
}
