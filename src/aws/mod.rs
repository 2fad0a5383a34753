//! Usage from AWS's own APIs: one file for each service, each the one place that sees its SDK types.
//!
//! Answers are translated into plain facts by an allow-list of fields; nothing else of them is kept,
//! logged or shown. Pages stream into the ledger, so memory does not grow with what is read.

mod accounts;
mod athena;
mod attempts;
mod bucket;
mod clients;
mod cloudtrail;
mod cloudwatch;
mod codebuild;
mod codecommit;
mod codedeploy;
mod codepipeline;
mod cost_explorer;
mod denial;
mod doctor;
mod error;
mod expected;
mod limits;
mod listing;
pub mod operations;
mod pages;
mod policy;
pub mod price_lists;
pub mod price_query;
mod run;
mod runners;
mod s3;
mod s3_url;
mod session;
mod sources;

use std::time::Duration;

use aws_smithy_types::DateTime as SdkTime;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use self::operations::Choice;
pub use self::{
    athena::{AthenaError, TableRead, TableRequest, read_table},
    bucket::Bucket,
    denial::DeniedBy,
    doctor::doctor,
    error::CollectError,
    expected::{Subject, expected, forecast_cost},
    policy::{import_policy, policy, role_anywhere, statements},
    run::collect,
    s3::S3Error,
    s3_url::S3Url,
};
use crate::domain::{
    collection::{Announcement, Call, Scope},
    ids::Region,
};

/// A role of another account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What its owner wants to hear.
    pub external_id: Option<String>,
}

/// As whom to ask, and where.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Login {
    /// The profile of AWS's configuration; else the usual order holds.
    pub profile: Option<String>,
    /// The regions to ask; the configured one if none is named.
    pub regions: Vec<Region>,
    /// Every region of the partition.
    pub all_regions: bool,
    /// Roles of the accounts to ask in place of the own one.
    pub roles: Vec<Role>,
    /// The name of the role to take in each account of the organization.
    pub organization_role: Option<String>,
    /// What the owners of those roles want to hear.
    pub external_id: Option<String>,
}

/// What to collect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// As whom, and where.
    pub login: Login,
    /// From which services.
    pub choice: Choice,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Only say what it would take.
    pub dry_run: bool,
    /// What requests may cost.
    pub max_api_cost: Option<Decimal>,
    /// Requests a second to one service of an account and region.
    pub rate: u32,
    /// How long to wait for an answer before asking again.
    pub timeout: Duration,
    /// The moment that counts as now.
    pub now: DateTime<Utc>,
}

/// Watches a collection, and may stop it.
pub trait Watch {
    /// Hears what it will take, before anything that costs.
    fn announce(&self, announcement: &Announcement);
    /// Hears how much of a source was read.
    fn progress(&self, scope: &Scope, things: u64, calls: u64);
    /// Hears that no more of a source is read.
    fn ended(&self, scope: &Scope);
    /// Hears of each call when it is over.
    fn called(&self, call: &Call<'_>);
    /// Tells whether to stop.
    fn stopped(&self) -> bool;
}

/// Reads a time to the millisecond: the wire has floats, whose noise would start a minute.
fn time(time: Option<&SdkTime>) -> Option<DateTime<Utc>> {
    const HALF: i128 = 500_000;
    let milliseconds = (time?.as_nanos() + HALF).div_euclid(1_000_000);
    DateTime::from_timestamp_millis(i64::try_from(milliseconds).ok()?)
}

/// Keeps the name of an enum's value, known or not, as nothing but a name.
fn word(value: &str) -> String {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    value.chars().filter(is_name).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_whatever_the_noise_of_the_wire() {
        for (seconds, milliseconds) in [
            (1_790_812_800.123, 1_790_812_800_123),
            (1_795_303_565.69, 1_795_303_565_690),
            (1_795_303_565.0, 1_795_303_565_000),
        ] {
            let wire = SdkTime::from_secs_f64(seconds);
            assert_eq!(time(Some(&wire)).unwrap().timestamp_millis(), milliseconds);
        }
    }
}
