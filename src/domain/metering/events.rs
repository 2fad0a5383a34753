//! What AWS's APIs say happened, reduced to what metering asks.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::ids::{AccountId, Region};

/// Where something happened.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AccountRegion {
    /// In which account.
    pub account: AccountId,
    /// In which region.
    pub region: Region,
}

/// One build, batch children included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Build {
    /// Of which project.
    pub project: String,
    /// When it was submitted.
    pub submitted: DateTime<Utc>,
    /// When its machine was asked for.
    pub provisioned: Option<DateTime<Utc>>,
    /// When it ended; none while it runs.
    pub ended: Option<DateTime<Utc>>,
    /// Type and compute type as the API has them: `ARM_CONTAINER/BUILD_GENERAL1_SMALL`.
    pub compute: String,
    /// The reserved fleet it ran on.
    pub fleet: Option<String>,
    /// The pipeline that started it.
    pub pipeline: Option<String>,
    /// It used a Docker server, which bills apart.
    pub docker_server: bool,
    /// How it ended, in the API's word: `SUCCEEDED`, `FAILED`, `TIMED_OUT`…
    pub status: Option<String>,
    /// What started it; none for builds read before this was kept.
    pub started_by: Option<StartedBy>,
    /// `CodeBuild` itself started it again after a failure.
    pub auto_retry: bool,
}

/// What started a build. Whose name it was is not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StartedBy {
    /// A pipeline.
    Pipeline,
    /// A push, a pull request or a queued job, through a webhook.
    Webhook,
    /// A rule of `EventBridge`: a schedule or an event.
    Rule,
    /// A person, a role or a program that called the API.
    Caller,
}

impl StartedBy {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Pipeline, Self::Webhook, Self::Rule, Self::Caller];

    /// Returns the name that files and programs use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline",
            Self::Webhook => "webhook",
            Self::Rule => "rule",
            Self::Caller => "caller",
        }
    }

    /// Reads what `CodeBuild` calls the initiator of a build.
    pub fn of_initiator(initiator: &str) -> Self {
        match initiator.split_once('/').map(|(kind, _)| kind) {
            Some("codepipeline") => Self::Pipeline,
            Some("rule") => Self::Rule,
            Some(kind) if kind.ends_with("Hookshot") || kind.contains("Webhook") => Self::Webhook,
            _ if initiator.starts_with("GitLab") => Self::Webhook,
            _ => Self::Caller,
        }
    }
}

/// A machine to try builds on by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sandbox {
    /// Of which project.
    pub project: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended; none while it runs.
    pub ended: Option<DateTime<Utc>>,
    /// The reserved fleet it ran on.
    pub fleet: Option<String>,
}

/// A pipeline as it was last seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// `V1`, `V2` or what else the API says.
    pub kind: String,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
}

/// One run of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Execution {
    /// When it started.
    pub started: DateTime<Utc>,
    /// A digest of its source revisions; none if it has none.
    pub revisions: Option<Vec<u8>>,
    /// It put an earlier revision back.
    pub rollback: bool,
}

/// One action of a run of a V2 pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// Of which pipeline.
    pub pipeline: String,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it ended; none while it runs.
    pub ended: Option<DateTime<Utc>>,
    /// `Source`, `Build`, `Approval`…
    pub category: String,
    /// `AWS`, `ThirdParty` or `Custom`.
    pub owner: String,
}

/// What became of one target of a deployment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The application that was deployed.
    pub application: String,
    /// The day of the update.
    pub day: NaiveDate,
    /// `Succeeded`, `Failed`, `Skipped` or what else the API says.
    pub status: String,
}

/// A reserved fleet as it was seen on some day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FleetSeen {
    /// Its ARN.
    pub arn: String,
    /// When it was looked at.
    pub seen: DateTime<Utc>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// Since when it is as it was seen.
    pub since: Option<DateTime<Utc>>,
    /// Machines provisioned.
    pub machines: u32,
    /// Type and compute type as the API has them.
    pub compute: String,
    /// Builds that find no free machine run on demand.
    pub overflows: bool,
}
