//! What the catalogue says of regions, services, meters and machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::{
    allowance::Allowance,
    ids::{Currency, Meter, Region, ServiceCode},
    quantity::Unit,
    tariff::Tariff,
};

/// Tariffs by meter and region, each list in order of time.
pub type Tariffs = BTreeMap<(Meter, Region), Vec<Arc<Tariff>>>;

/// A region of AWS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionInfo {
    /// Its code, `eu-west-2`.
    pub id: Region,
    /// What its usage types begin with in bills, `EUW2`.
    pub prefix: String,
    /// What AWS calls it.
    pub name: String,
    /// What AWS's price lists call it.
    pub location: String,
    /// `aws`, `aws-us-gov` or `aws-cn`.
    pub partition: String,
    /// What it is billed in.
    pub currency: Currency,
    /// The day it opened, where price lists older than that are in use.
    pub opened: Option<NaiveDate>,
}

/// Whether a service is one of the four this program is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ServiceKind {
    /// `CodeBuild`, `CodePipeline`, `CodeCommit`, `CodeDeploy`.
    Code,
    /// What a pipeline costs in the services around it.
    Adjacent,
}

/// A sentence we rate by, with what it rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its short name.
    pub id: String,
    /// What we do.
    pub rule: String,
    /// What AWS says, in our words.
    pub rests_on: String,
    /// Where.
    pub source: String,
    /// How sure we are.
    pub confidence: String,
}

/// A meter as people meet it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterInfo {
    /// The meter.
    pub meter: Meter,
    /// What a table calls it.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// Other spellings in bills.
    pub aliases: Vec<String>,
    /// What to know about it and its prices.
    pub note: Option<Arc<str>>,
    /// What AWS's pricing pages call it, tier by tier.
    pub listed: Vec<ListedTier>,
}

/// An entry of the files behind AWS's pricing pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedTier {
    /// The end of the tier; the last is open.
    pub up_to: Option<Decimal>,
    /// What the file calls it.
    pub name: String,
}

/// What AWS's list of a service covers, as far as the program comes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListInfo {
    /// The day of the newest list.
    pub date: NaiveDate,
    /// Its file behind AWS's pricing pages.
    pub page: String,
    /// Regions where the service may be and the list says nothing.
    pub silent: Vec<Region>,
}

/// A service with its rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// Product code in bills.
    pub code: ServiceCode,
    /// What people call it.
    pub name: String,
    /// Other spellings, in bills and on the command line.
    pub aliases: Vec<String>,
    /// One of the four, or around them.
    pub kind: ServiceKind,
    /// Meters count over all regions at once.
    pub global: bool,
    /// What we rate by.
    pub rules: Vec<Rule>,
    /// What it counts.
    pub meters: Vec<MeterInfo>,
    /// What is free.
    pub allowances: Vec<Allowance>,
    /// What its price list covers; none where AWS publishes none.
    pub list: Option<ListInfo>,
    /// Where its use of machines is measured; none where nothing is said of it.
    pub utilization: Option<UtilizationInfo>,
    /// Partitions in which its `any` prices hold.
    pub any: Vec<String>,
}

/// Where CloudWatch has what builds used of their machines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UtilizationInfo {
    /// The regions.
    pub regions: BTreeSet<Region>,
    /// Where AWS says so.
    pub source: String,
}

/// How the time of a build becomes a billed quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grain {
    /// Each build is rounded up to the minute.
    Minute,
    /// By the second.
    Second,
    /// Reserved: the minutes the fleet is provisioned, idle or not.
    Provisioned,
}

/// A `CodeBuild` compute type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compute {
    /// What the command line says, `arm1.small`.
    pub name: String,
    /// Other spellings, the API's included.
    pub aliases: Vec<String>,
    /// Its meter.
    pub meter: Meter,
    /// How it is metered.
    pub grain: Grain,
    /// What each instance bills at least, in minutes.
    pub minimum: Decimal,
    /// What it runs on, for people: memory, processors, system.
    pub size: String,
    /// Its memory in gigabytes, where it is stated.
    pub memory: Option<Decimal>,
    /// Its processors, where they are stated.
    pub processors: Option<Decimal>,
    /// `Linux`, `Windows` or `macOS`; empty where it is not stated.
    pub os: String,
    /// The compute type of a reserved fleet of the same machines.
    pub fleet: Option<String>,
}

/// A habit of secured pipelines that costs money: an assumption, not a measurement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaselineItem {
    /// What is metered.
    pub meter: Meter,
    /// What it is for.
    pub name: String,
    /// Quantity a month for each pipeline.
    pub per_pipeline: Decimal,
    /// Quantity for each run.
    pub per_run: Decimal,
    /// Quantity a month whatever the number.
    pub fixed: Decimal,
    /// Why this much.
    pub basis: String,
}
