//! What `organization.toml` says.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    HOME, first_day,
    texts::{Day, Exact},
    today,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Organization {
    pub(super) payer: Account,
    pub(super) account: BTreeMap<String, Account>,
    pub(super) region: BTreeMap<String, String>,
    pub(super) shape: Shape,
    pub(super) season: Vec<Season>,
    pub(super) slow: Vec<Slow>,
    pub(super) used_elsewhere: Vec<UsedElsewhere>,
    pub(super) charge: Vec<Charge>,
    pub(super) pool: BTreeMap<String, Exact>,
    pub(super) meter: BTreeMap<String, Meter>,
    pub(super) resource: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) week: [i64; 7],
    pub(super) variation: i64,
}

/// Days `[from, until)` with more or less going on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Season {
    pub(super) from: Day,
    pub(super) until: Day,
    pub(super) percent: i64,
    pub(super) team: Option<String>,
}

/// Days `[from, until)` on which the builds of a project take longer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slow {
    pub(super) resource: String,
    pub(super) from: Day,
    pub(super) until: Day,
    pub(super) percent: i64,
}

/// Free units of the months `[from, until)` that usage outside the export drew first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsedElsewhere {
    pub(super) pool: String,
    pub(super) from: Day,
    pub(super) until: Day,
    pub(super) quantity: Exact,
}

/// A row that is not usage.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Charge {
    pub(super) kind: String,
    pub(super) account: String,
    pub(super) meter: String,
    /// A day of the month it is billed in; in every closed month where none is given.
    pub(super) billed: Option<Day>,
    /// The day it is about; the first of the month where none is given.
    pub(super) day: Option<Day>,
    #[serde(default)]
    pub(super) given_back: Exact,
    pub(super) description: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Counts {
    Started,
    Events,
    Months,
    Weeks,
    Stored,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meter {
    pub(super) service: String,
    pub(super) usage_type: String,
    pub(super) free_usage_type: Option<String>,
    #[serde(default = "yes")]
    pub(super) home_prefix: bool,
    #[serde(default)]
    pub(super) operation: String,
    pub(super) unit: String,
    pub(super) rate: Exact,
    pub(super) per: String,
    #[serde(default)]
    pub(super) arn: String,
    pub(super) counts: Counts,
    #[serde(default = "one")]
    pub(super) grain: i64,
    pub(super) pool: Option<String>,
    pub(super) trial: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) meter: String,
    pub(super) account: String,
    #[serde(default = "home")]
    pub(super) region: String,
    pub(super) team: Option<String>,
    pub(super) env: Option<String>,
    pub(super) cost_center: Option<String>,
    /// How many people or things of this kind there are, each with days of its own.
    #[serde(default = "one")]
    pub(super) members: i64,
    #[serde(default = "one")]
    pub(super) per_working_day: i64,
    #[serde(default)]
    pub(super) seconds: Vec<i64>,
    #[serde(default)]
    pub(super) quantity: Exact,
    #[serde(default)]
    pub(super) growth: i64,
    #[serde(default = "first")]
    pub(super) from: Day,
    #[serde(default = "end")]
    pub(super) until: Day,
    /// The longest a build may wait for a machine, in seconds. Not billed.
    #[serde(default = "thirty")]
    pub(super) queue: i64,
    /// Builds end within seconds of the minute they begin. Their bill is the same.
    #[serde(default)]
    pub(super) just_over: bool,
}

fn thirty() -> i64 {
    30
}

fn yes() -> bool {
    true
}

fn one() -> i64 {
    1
}

fn home() -> String {
    HOME.to_owned()
}

fn first() -> Day {
    Day(first_day())
}

fn end() -> Day {
    Day(today())
}
