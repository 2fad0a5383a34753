//! Jobs of CI systems that run on CodeBuild: which build ran which job, and what each job costs.
//!
//! CodeBuild as a runner starts one build for each queued job. What a job costs is what its build
//! does: a share of the month, as the cost of a project is.

mod join;
mod shares;

use chrono::{DateTime, Utc};

pub use self::{
    join::{JobBuild, Join, JoinedBy, NoBuild, join},
    shares::{JobCosts, JobShares, JobSummary, MonthJobs, UnclaimedBuilds},
};

/// What begins the label of a job that CodeBuild is to run.
const LABEL: &str = "codebuild-";

/// Whose jobs a project runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RunnerOf {
    /// GitHub Actions, of github.com or a server of one's own.
    GitHubActions,
    /// GitLab CI/CD.
    GitLab,
    /// Buildkite.
    Buildkite,
    /// A CI system that the source of the project does not tell.
    Unknown,
}

impl RunnerOf {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::GitHubActions,
        Self::GitLab,
        Self::Buildkite,
        Self::Unknown,
    ];

    /// Returns the name used in the ledger and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitHubActions => "github-actions",
            Self::GitLab => "gitlab",
            Self::Buildkite => "buildkite",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`RunnerOf::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.name() == name)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::GitHubActions => "GitHub Actions",
            Self::GitLab => "GitLab",
            Self::Buildkite => "Buildkite",
            Self::Unknown => "a CI system",
        }
    }
}

/// A job of a workflow run, as its CI system lists it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CiJob {
    /// Where the repository is: `github.com`, or a server of one's own.
    pub host: String,
    /// The repository with its owner.
    pub repository: String,
    /// The run of the workflow.
    pub run: u64,
    /// The attempt of the run.
    pub attempt: u64,
    /// Its number.
    pub id: u64,
    /// The workflow.
    pub workflow: Option<String>,
    /// Its name, that of its place in a matrix included.
    pub name: String,
    /// What ran it.
    pub runner: Option<String>,
    /// What it asked of a runner.
    pub labels: Vec<String>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// When it started.
    pub started: Option<DateTime<Utc>>,
    /// When it was done.
    pub completed: Option<DateTime<Utc>>,
    /// `queued`, `in_progress`, `completed`…
    pub status: Option<String>,
    /// `success`, `failure`, `skipped`…; none until it is done.
    pub conclusion: Option<String>,
}

impl CiJob {
    /// Returns the project that its label asks for: `codebuild-PROJECT-RUN-ATTEMPT`, after which sizes
    /// and images may stand. Labels may be one text with spaces between.
    pub fn project(&self) -> Option<&str> {
        let mut words = self
            .labels
            .iter()
            .flat_map(|label| label.split_whitespace());
        let asked = words.find_map(|word| word.strip_prefix(LABEL))?;
        let run = format!("-{}", self.run);
        let ends = |at: usize| {
            let after = &asked[at + run.len()..];
            after.is_empty() || after.starts_with('-')
        };
        let mut found = asked.rmatch_indices(&run).map(|(at, _)| at);
        let project = found.find(|at| ends(*at)).map_or(asked, |at| &asked[..at]);
        (!project.is_empty()).then_some(project)
    }

    /// Returns when it was there first, as far as that is known.
    pub fn when(&self) -> Option<DateTime<Utc>> {
        self.started.or(self.created).or(self.completed)
    }

    /// Returns the repository, with the host where that is not GitHub's own.
    pub fn repository_name(&self) -> String {
        match self.host.as_str() {
            "github.com" | "" => self.repository.clone(),
            host => format!("{host}/{}", self.repository),
        }
    }

    /// Tells whether no runner ever took it.
    fn never_ran(&self) -> bool {
        let is = |word: &Option<String>, known: &[&str]| {
            word.as_deref().is_some_and(|word| known.contains(&word))
        };
        let waits = ["queued", "waiting", "pending", "requested"];
        let ends_unrun = ["cancelled", "action_required", "stale", "neutral"];
        is(&self.conclusion, &["skipped"])
            || is(&self.status, &waits)
            || self.runner.is_none() && is(&self.conclusion, &ends_unrun)
    }
}

#[cfg(test)]
mod tests;
