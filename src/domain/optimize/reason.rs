//! What a finding rests on, assumes and risks, and what was seen beside: facts, without sentences.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::sizing::{Memory, Speed};
use crate::domain::{
    catalog::Grain,
    discounts::Recurring,
    ids::{AccountId, Region, UsageType},
    money::Money,
    period::Month,
    plan::PipelineType,
    quantity::Quantity,
    scenario::{fleet::FleetUse, remark},
    storage::StorageKind,
    usage::Gap,
};

/// The change that a finding proposes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Proposed {
    /// Pipelines change their type.
    PipelineTypes {
        /// So many to V1.
        to_v1: usize,
        /// So many to V2.
        to_v2: usize,
    },
    /// Pipelines that hardly anything runs through go.
    IdlePipelines {
        /// Which, if it is one.
        only: Option<String>,
        /// How many.
        pipelines: usize,
    },
    /// Builds move to another compute type.
    Compute {
        /// Whose builds.
        builds: String,
        /// From which type.
        from: String,
        /// To which type.
        to: String,
    },
    /// Builds move to a reserved fleet.
    Fleet {
        /// Of which compute type.
        compute: String,
        /// Where.
        region: Region,
        /// Of so many machines.
        machines: u32,
    },
    /// Builds become shorter.
    Shorter {
        /// Whose builds.
        builds: String,
        /// By so many percent.
        percent: i64,
    },
    /// Builds no longer fail and start again.
    Retries {
        /// Whose builds.
        builds: String,
    },
    /// What nobody uses is deleted.
    Forgotten {
        /// Logs or artifacts.
        kind: StorageKind,
        /// Which store, if it is one.
        only: Option<String>,
        /// How many.
        stores: usize,
    },
    /// What is old expires.
    Retention {
        /// Logs or artifacts.
        kind: StorageKind,
        /// Which store, if it is one.
        only: Option<String>,
        /// How many.
        stores: usize,
        /// After so many days.
        days: u32,
    },
}

/// A number of the last month that a finding rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// No other split of the pipelines of a payer between V1 and V2 costs less.
    CheapestSplit {
        /// Of so many pipelines.
        pipelines: usize,
        /// So many of which are free on V1.
        free_pipelines: Decimal,
        /// So many minutes of which are free on V2.
        free_minutes: Decimal,
        /// What an active V1 pipeline costs.
        pipeline_price: Money,
        /// V2 minutes that cost as much; none where they cost nothing.
        minutes: Option<Decimal>,
    },
    /// A pipeline that would cost less as the other type.
    Pipeline {
        /// Which.
        pipeline: String,
        /// The type that it would have.
        to: PipelineType,
        /// Its action minutes.
        minutes: Decimal,
        /// Its runs, where they are known.
        runs: Option<u64>,
        /// What it costs as V1; nothing while it is not active.
        as_v1: Money,
        /// What it costs as V2.
        as_v2: Money,
    },
    /// A pipeline that hardly anything runs through.
    IdlePipeline {
        /// Which.
        pipeline: String,
        /// Code changes in the month.
        code_changes: u64,
        /// Runs in the month.
        runs: u64,
    },
    /// What the builds bill now and then.
    Units {
        /// The compute type they are on.
        from: Billing,
        /// The one they would be on.
        to: Billing,
    },
    /// What the builds need of memory, and what the machine has.
    Memory(Memory),
    /// Memory that is nearly full.
    NearlyFull {
        /// The largest share in use, in percent.
        share: Decimal,
        /// When.
        day: NaiveDate,
        /// Days on which it was nearly full.
        days: u64,
        /// Of so many that were measured in the last month.
        of: u64,
    },
    /// Builds that failed on days on which memory was nearly full.
    FailedWhenFull {
        /// How many failed.
        failed: u64,
        /// After so many another one started.
        retried: u64,
        /// Builds of those days.
        builds: u64,
        /// What the failed ones billed.
        units: Decimal,
        /// In which unit.
        grain: Grain,
        /// What that costs before free units, where the price is known.
        cost: Option<Money>,
    },
    /// Builds that are known individually.
    Builds {
        /// How many.
        builds: u64,
        /// The shortest, in seconds.
        shortest: i64,
        /// The longest, in seconds.
        longest: i64,
    },
    /// How busy a fleet would have been.
    FleetUse(FleetUse),
    /// No other size of a fleet costs less.
    CheapestFleet {
        /// Minutes that are paid for.
        minutes: Decimal,
    },
    /// Builds that end just after a minute has begun.
    JustOver {
        /// How many.
        over: u64,
        /// Of so many.
        builds: u64,
    },
    /// Shorter builds bill fewer minutes.
    FewerMinutes {
        /// Builds that are so much shorter, in percent.
        shorter: i64,
        /// Minutes billed now.
        before: Decimal,
        /// Minutes billed then.
        after: Decimal,
    },
    /// Builds that failed, and were followed by another soon.
    Retried {
        /// How many failed.
        failed: usize,
        /// Of so many.
        builds: usize,
        /// After so many another one started.
        retried: usize,
        /// Within so many minutes.
        within: i64,
        /// What those had billed.
        billed: Decimal,
        /// Of so much.
        of: Decimal,
        /// In which unit.
        grain: Grain,
    },
    /// A log group or a bucket that nobody uses.
    Forgotten {
        /// Logs or artifacts.
        kind: StorageKind,
        /// Which.
        store: String,
        /// What it stores, in GB.
        gb: Decimal,
        /// What that costs a month.
        cost: Money,
        /// The month of the last build or run.
        last_work: Option<Month>,
        /// The first month on record.
        since: Option<Month>,
    },
    /// Storage that grew in each month on record.
    Growing {
        /// What a longer retention, of so many days, would save.
        days: u32,
        /// So much.
        saving: Money,
    },
    /// A log group or a bucket that grows.
    Growth {
        /// Which.
        store: String,
        /// What it stores, in GB.
        gb: Decimal,
        /// What that costs a month.
        cost: Money,
        /// What it stored at first, in GB.
        first_gb: Decimal,
        /// In the first month on record.
        first: Option<Month>,
        /// Logs ingested in the month, in GB.
        ingested: Decimal,
        /// Keeping it for so many days.
        days: u32,
        /// Leaves so many GB.
        kept: Decimal,
    },
}

/// Units of a compute type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Billing {
    /// Which type.
    pub compute: String,
    /// How it is counted.
    pub grain: Grain,
    /// How many units.
    pub units: Decimal,
    /// What one costs.
    pub price: Decimal,
}

/// What a saving assumes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assumption {
    /// As the scenario does.
    Scenario(remark::Assumption),
    /// The pipelines are disabled or removed.
    PipelinesGone,
    /// The speed on a smaller machine is a guess.
    SpeedHalfway {
        /// Which.
        speed: Decimal,
    },
    /// The speed on fewer processors follows from those in use.
    SpeedMeasured(Speed),
    /// Nobody measured what the builds need.
    NotMeasured,
    /// More processors make builds no faster.
    NoFaster,
    /// What the machines of a fleet are.
    Machines {
        /// Their compute type.
        compute: String,
        /// Memory, processors, system.
        size: String,
    },
    /// Every build becomes shorter.
    AllShorter {
        /// By so many percent.
        percent: i64,
    },
    /// No retry would be needed.
    NoRetries,
    /// All that is stored is deleted.
    AllDeleted,
    /// Nobody reads what has expired.
    NotReadLater(StorageKind),
}

/// What could break.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Risk {
    /// As in the scenario.
    Scenario(remark::Warning),
    /// V1 lacks features of V2.
    V1Features,
    /// V2 is billed by the minute.
    V2Minutes,
    /// A pipeline that changes rarely may be needed.
    RarelyChanged,
    /// The machine has less memory.
    LessMemory {
        /// Gigabytes now.
        from: Decimal,
        /// Gigabytes then.
        to: Decimal,
    },
    /// The speed may be below the one at which it saves.
    Slower {
        /// The lower end of its range.
        slow: Decimal,
        /// From here on it saves.
        min_speed: Decimal,
    },
    /// A fleet costs the same however little is built.
    PaidIdle,
    /// Somebody may keep it on purpose.
    KeptOnPurpose,
    /// Older logs, or what a pipeline would deploy again, are gone.
    Expired(StorageKind),
}

/// What is lost without being on the bill, what is free and unused, what the figures leave out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Observation {
    /// Usage that is missing.
    Missing(Gap),
    /// Services whose source states costs and no quantities, as people call them.
    CostsOnly {
        /// Each with its cost.
        services: Vec<(String, Money)>,
    },
    /// A discount that recurs in the bills.
    Discount {
        /// The service, as people call it.
        service: String,
        /// The discount.
        of: Recurring,
        /// A stated one stands in its place.
        replaced: bool,
    },
    /// Minutes that rounding up adds.
    Rounding {
        /// Minutes.
        added: Decimal,
        /// Of so many billed.
        billed: Decimal,
        /// By so many builds.
        builds: u64,
    },
    /// Time in the queue.
    Queue {
        /// Minutes together.
        minutes: Decimal,
        /// Builds that waited longer than a minute.
        long: usize,
        /// Of so many.
        builds: usize,
        /// The longest wait, in seconds.
        longest: i64,
        /// Of a build of this project.
        project: String,
    },
    /// Builds that failed.
    Failures {
        /// How many.
        failed: u64,
        /// After so many another one started.
        retried: u64,
        /// Within so many minutes.
        within: i64,
        /// What they cost before free units.
        cost: Money,
    },
    /// Free units that nobody used.
    Unused {
        /// How much.
        quantity: Quantity,
        /// Of what.
        allowance: String,
        /// What they could save.
        worth: Worth,
    },
}

/// What unused free units could save.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Worth {
    /// It is not said.
    NotSaid,
    /// It is in the split of pipelines.
    InSplit,
    /// Nothing that is paid for could use them.
    Nothing,
    /// At most what so many minutes of a compute type cost.
    AtMost {
        /// Minutes.
        minutes: Decimal,
        /// The compute type.
        compute: String,
        /// What they cost.
        cost: Money,
    },
}

/// What could not be compared, and what is missing for it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NotCompared {
    /// A proposal in which something has no price.
    Proposal {
        /// What was proposed.
        proposed: Proposed,
        /// What is not known.
        unknown: remark::Unknown,
    },
    /// Storage: the bill was imported before it was read.
    StorageNotImported,
    /// Storage: the export names no resources.
    StorageNotInExport,
    /// Storage: too few months are on record.
    StorageMonths {
        /// So many are needed.
        needed: usize,
    },
    /// Pipelines where V1 or V2 has another price, or none.
    OtherPrices {
        /// Where.
        region: Region,
        /// Which.
        pipelines: Vec<String>,
    },
    /// V1 pipelines whose V2 minutes are not known.
    UnknownMinutes {
        /// How many.
        pipelines: u64,
    },
    /// A compute type without a known price.
    Unpriced {
        /// Which.
        compute: String,
        /// Where.
        regions: BTreeSet<Region>,
        /// For so many projects.
        projects: u64,
        /// What its price is stated for.
        usage_type: UsageType,
    },
    /// A compute type that AWS does not sell somewhere.
    NotOffered {
        /// Which.
        compute: String,
        /// Where.
        regions: BTreeSet<Region>,
        /// The day of the list that says so.
        listed: NaiveDate,
    },
    /// A reserved fleet without a known price.
    Fleet {
        /// For builds on this compute type.
        compute: String,
        /// Where.
        region: Region,
        /// Whose.
        account: Option<AccountId>,
        /// The price of a minute below which one machine would pay.
        below: Decimal,
    },
}
