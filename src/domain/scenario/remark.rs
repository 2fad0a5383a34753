//! What there is to say of a scenario beside its figures: facts, without sentences.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::fleet::FleetUse;
use crate::domain::{
    bill::Unpriced,
    ids::{AccountId, Currency, Meter, Region},
    period::Month,
};

/// What could break, or does not change although it was meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Warning {
    /// Lambda compute has limits that the builds may not keep.
    LambdaLimits,
    /// The builds move to ARM.
    NeedsArm,
    /// Builds longer than the limit of where they would go stay where they are.
    TooLong {
        /// In which month.
        month: Month,
        /// Where they would go.
        compute: String,
        /// Its limit.
        minutes: i64,
        /// Of which project; none where the bill only counts them.
        project: Option<String>,
        /// How many.
        builds: u64,
    },
    /// What a price says nothing of, where builds leave AWS.
    NotComparable {
        /// For whom.
        vendor: String,
    },
    /// A runner has no Docker.
    NoDocker {
        /// Which.
        runner: String,
    },
    /// A plan does not offer a runner.
    NotInPlan {
        /// The runner.
        runner: String,
        /// The plan.
        plan: String,
    },
    /// Usage that is known as a total does not move to a fleet.
    TotalStaysOnDemand,
    /// A meter stays, as AWS does not sell it in the other region.
    StaysInRegion {
        /// Of which service, as people call it.
        service: String,
        /// The meter, as people call it.
        meter: String,
        /// Where it stays.
        region: Region,
        /// Where it was meant to go.
        to: Region,
        /// The day of the list that says so.
        listed: NaiveDate,
    },
    /// A change takes away more than there is.
    NoneLeft {
        /// The change as it is written.
        change: String,
        /// How much there is.
        quantity: Decimal,
        /// In which month.
        month: Month,
    },
}

/// What the figures of a scenario assume.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Assumption {
    /// Both sides include logs and artifacts in storage.
    IncludesStorage,
    /// Builds take as long on another compute type.
    SameDuration {
        /// Which.
        compute: String,
    },
    /// Builds run at another speed on another compute type.
    Speed {
        /// Which.
        compute: String,
        /// 2 is twice as fast.
        speed: Decimal,
    },
    /// V2 minutes of V1 pipelines are those of their builds and a minute of source for each run.
    MinutesFromBuilds,
    /// V2 minutes of V1 pipelines without recorded runs are the mean of the V2 pipelines.
    MinutesLikeOthers,
    /// What expires is gone within some days, and each day brings as much as in the busiest month.
    Expiry {
        /// How many.
        days: u32,
    },
    /// Stated builds never wait for a machine of a fleet.
    NeverWait {
        /// How many.
        builds: u64,
    },
    /// What a fleet does in a month.
    Fleet {
        /// The month.
        month: Month,
        /// Where.
        region: Region,
        /// Whose.
        account: Option<AccountId>,
        /// How busy it is.
        used: FleetUse,
    },
    /// Whether the repositories are public, where builds leave AWS.
    Repository {
        /// For whom.
        vendor: String,
        /// They are; else they are private.
        is_public: bool,
    },
    /// No plan is stated, so no minutes are included.
    NoPlan {
        /// At which vendor.
        vendor: String,
        /// What scenarios call it.
        id: String,
    },
    /// Minutes are included in a plan, and nothing else draws on them.
    IncludedMinutes {
        /// Which.
        plan: String,
        /// How many a month.
        minutes: Decimal,
    },
    /// The use that a security baseline is assumed to make of its services.
    SecurityBaseline {
        /// Of so many pipelines.
        pipelines: Decimal,
        /// Of so many runs.
        runs: Decimal,
    },
}

/// What has no price or cannot be known without being stated: a total is partial.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unknown {
    /// A meter without a price.
    Price {
        /// Which.
        meter: Meter,
        /// Where.
        region: Region,
        /// Why.
        reason: Unpriced,
    },
    /// The V2 minutes of a pipeline; none where it has no name.
    PipelineMinutes {
        /// Which.
        pipeline: Option<String>,
    },
    /// What is left of a log group or a bucket when things expire.
    Retention {
        /// Which.
        store: String,
        /// After so many days.
        days: Decimal,
    },
    /// When builds would come to a fleet that are more or fewer than there were.
    FleetArrivals,
    /// How many included minutes a minute on another system than Linux uses.
    IncludedMinutes {
        /// Of whom.
        vendor: String,
        /// On which system.
        os: String,
    },
    /// What dollars of another vendor are in the currency of the bill.
    Exchange {
        /// Of whom.
        vendor: String,
        /// The currency.
        currency: Currency,
    },
}
