//! Collecting from AWS's APIs: what is collected, what it will take, what it brought and what not.

use std::{fmt, time::Duration};

use chrono::NaiveDate;

use super::{ids::Region, metering::from_events::AccountRegion, money::Money};

/// What is collected, one listing of AWS or several that belong together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// A whole account, where it cannot be opened.
    Account,
    /// Cost Explorer.
    CostExplorer,
    /// Builds of `CodeBuild`.
    Builds,
    /// What builds used of their machines, from CloudWatch.
    Metrics,
    /// Which projects of `CodeBuild` run jobs of a CI system.
    Runners,
    /// Sandboxes of `CodeBuild`.
    Sandboxes,
    /// Reserved fleets of `CodeBuild`.
    Fleets,
    /// Pipelines and their runs.
    Pipelines,
    /// Action executions of V2 pipelines.
    Actions,
    /// Deployments and their on-premises targets.
    Deployments,
    /// Identities that touched `CodeCommit`, from CloudTrail.
    Identities,
    /// Repositories of `CodeCommit`.
    Repositories,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 12] = [
        Self::Account,
        Self::CostExplorer,
        Self::Builds,
        Self::Metrics,
        Self::Runners,
        Self::Sandboxes,
        Self::Fleets,
        Self::Pipelines,
        Self::Actions,
        Self::Deployments,
        Self::Identities,
        Self::Repositories,
    ];

    /// Returns the name used in the ledger and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::CostExplorer => "cost-explorer",
            Self::Builds => "builds",
            Self::Metrics => "metrics",
            Self::Runners => "runners",
            Self::Sandboxes => "sandboxes",
            Self::Fleets => "fleets",
            Self::Pipelines => "pipelines",
            Self::Actions => "actions",
            Self::Deployments => "deployments",
            Self::Identities => "identities",
            Self::Repositories => "repositories",
        }
    }

    /// Tells whether it is usage of its own: what is missing of it is missing from metered usage.
    pub const fn is_metered(self) -> bool {
        !matches!(self, Self::CostExplorer | Self::Runners)
    }

    /// Reads [`Source::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Account => "everything",
            Self::CostExplorer => "Cost Explorer",
            Self::Builds => "CodeBuild builds",
            Self::Metrics => "CodeBuild metrics (CloudWatch)",
            Self::Runners => "CodeBuild projects that run CI jobs",
            Self::Sandboxes => "CodeBuild sandboxes",
            Self::Fleets => "CodeBuild fleets",
            Self::Pipelines => "CodePipeline pipelines",
            Self::Actions => "CodePipeline actions",
            Self::Deployments => "CodeDeploy deployments",
            Self::Identities => "CodeCommit users (CloudTrail)",
            Self::Repositories => "CodeCommit repositories",
        }
    }
}

/// Which source of which account and region.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Scope {
    /// Where.
    pub place: AccountRegion,
    /// What.
    pub source: Source,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountRegion { account, region } = &self.place;
        let title = self.source.title();
        if *region == Region::global() {
            return write!(f, "{title} of account {account}");
        }
        write!(f, "{title} in {region}, account {account}")
    }
}

/// What would mend a gap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Remedy {
    /// A policy that allows the action.
    Allow(&'static str),
    /// Something else, by somebody else perhaps.
    Advice {
        /// Who does what, as a sentence.
        advice: String,
        /// The action it is about, if it is about permissions.
        action: Option<&'static str>,
    },
}

impl Remedy {
    /// Returns the advice, if it is more than a policy that allows the action.
    pub fn advice(self) -> Option<String> {
        match self {
            Self::Allow(_) => None,
            Self::Advice { advice, .. } => Some(advice),
        }
    }
}

/// Something that could not be collected.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NotCollected {
    /// Of what.
    pub scope: Scope,
    /// Which part of it; empty for all.
    pub part: String,
    /// Why.
    pub reason: String,
    /// What would mend it. The ledger keeps the reason only.
    pub remedy: Option<Remedy>,
}

impl NotCollected {
    /// Names what is missing.
    pub fn what(&self) -> String {
        match self.part.as_str() {
            "" => self.scope.to_string(),
            part => format!("{}: {part}", self.scope),
        }
    }
}

/// For which days a source was collected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    /// Which source.
    pub scope: Scope,
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

/// What a collection will take, as far as it can be known before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Announcement {
    /// Accounts that are asked.
    pub accounts: u64,
    /// Regions of accounts that are asked.
    pub places: u64,
    /// Projects found.
    pub projects: u64,
    /// Pipelines found.
    pub pipelines: u64,
    /// Calls at least; every further page is one more.
    pub calls: u64,
    /// Seconds at least, at the rate that is kept.
    pub seconds: u64,
    /// Requests to Cost Explorer, at least.
    pub paid_calls: u64,
    /// What they cost.
    pub cost: Money,
    /// Metrics that CloudWatch is asked for.
    pub metrics: u64,
    /// What they cost, at most.
    pub metrics_cost: Money,
}

/// What a collection brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// What was announced.
    pub announcement: Announcement,
    /// Things read from each source.
    pub read: Vec<(Scope, u64)>,
    /// Calls made, by action.
    pub calls: Vec<(&'static str, u64)>,
    /// What Cost Explorer's cost.
    pub cost: Money,
    /// Metrics that CloudWatch was asked for.
    pub metrics: u64,
    /// What they cost, at most.
    pub metrics_cost: Money,
    /// What is missing, and why.
    pub missing: Vec<NotCollected>,
    /// Regions that are not enabled for an account.
    pub regions_off: Vec<AccountRegion>,
    /// Something failed that should have worked.
    pub has_faults: bool,
}

/// One call, as a log shows it: nothing of what was asked for or answered.
#[derive(Clone, Debug)]
pub struct Call<'c> {
    /// What was called, as a policy names it.
    pub action: &'static str,
    /// As whom, and where.
    pub place: &'c AccountRegion,
    /// Which page of a listing.
    pub page: usize,
    /// Each time it was sent.
    pub attempts: &'c [Attempt],
    /// How long it took with all of them.
    pub took: Duration,
    /// Why there is no answer.
    pub failed: Option<String>,
}

/// One time a request was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The status of the answer; none if there was none.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// How many seconds our clock is ahead of AWS's, if the answer says what time it is.
    pub ahead: Option<i64>,
}

/// What was tried, and how it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was tried.
    pub what: String,
    /// What was found, or what is wrong.
    pub found: Result<String, String>,
    /// What would mend it.
    pub remedy: Option<Remedy>,
}
