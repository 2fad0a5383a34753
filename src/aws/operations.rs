//! Every operation of AWS that this program calls, once. The clients and the policy both read this
//! table, so that neither can know of a call that the other does not.

/// For what an operation is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Service {
    /// Costs and quantities as billed.
    CostExplorer,
    /// Builds and fleets.
    CodeBuild,
    /// Pipelines and their runs.
    CodePipeline,
    /// Deployments to on-premises instances.
    CodeDeploy,
    /// Repositories. Calling it makes the caller an active user.
    CodeCommit,
    /// Identities that touched `CodeCommit`.
    CloudTrail,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 6] = [
        Self::CostExplorer,
        Self::CodeBuild,
        Self::CodePipeline,
        Self::CodeDeploy,
        Self::CodeCommit,
        Self::CloudTrail,
    ];

    /// Returns the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CostExplorer => "cost-explorer",
            Self::CodeBuild => "codebuild",
            Self::CodePipeline => "codepipeline",
            Self::CodeDeploy => "codedeploy",
            Self::CodeCommit => "codecommit",
            Self::CloudTrail => "cloudtrail",
        }
    }

    /// Reads [`Service::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// What else AWS is asked for: each has flags and statements of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    /// Its own forecast beside ours.
    Forecast,
    /// What builds used of their machines.
    Metrics,
    /// Prices, by the Query API.
    Prices,
}

/// Who needs an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needed {
    /// Everyone; AWS grants it without a policy.
    Granted,
    /// Who collects a service.
    By(Service),
    /// Who collects a service with `--deep`.
    Deep(Service),
    /// Who asks for something besides usage.
    For(Extra),
    /// Who collects the accounts of an organization.
    Organization,
    /// Who collects other accounts.
    OtherAccounts,
    /// Who imports through Athena.
    Athena,
    /// Athena itself, in the name of who imports through it: the table.
    AthenaForTables,
    /// Who imports from S3, and Athena in the name of who imports through it.
    Exports,
    /// Athena itself, in the name of who imports through it: its results.
    AthenaForResults,
}

macro_rules! operations {
    ($($name:ident $action:literal $needed:expr;)*) => {
        /// An operation of AWS.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Operation {
            $(#[doc = concat!("`", $action, "`.")] $name,)*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the action that a policy names.
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }

            /// Returns the service part of the action.
            pub fn service(self) -> &'static str {
                let action = self.action();
                action.split_once(':').map_or(action, |(service, _)| service)
            }

            /// Returns the operations that somebody needs, in the order of the table.
            pub(super) fn needed_by(needed: Needed) -> impl Iterator<Item = Self> {
                let all = Self::ALL.iter().copied();
                all.filter(move |operation| operation.needed() == needed)
            }

            const fn needed(self) -> Needed {
                match self { $(Self::$name => $needed,)* }
            }
        }
    };
}

use Extra::{Forecast, Metrics, Prices};
use Needed::{
    Athena, AthenaForResults, AthenaForTables, By, Deep, Exports, For, Granted, Organization,
    OtherAccounts,
};
use Service::{CloudTrail, CodeBuild, CodeCommit, CodeDeploy, CodePipeline, CostExplorer};

operations! {
    GetCallerIdentity "sts:GetCallerIdentity" Granted;
    GetCostAndUsage "ce:GetCostAndUsage" By(CostExplorer);
    GetCostForecast "ce:GetCostForecast" For(Forecast);
    ListProjects "codebuild:ListProjects" By(CodeBuild);
    BatchGetProjects "codebuild:BatchGetProjects" By(CodeBuild);
    ListBuildsForProject "codebuild:ListBuildsForProject" By(CodeBuild);
    ListBuilds "codebuild:ListBuilds" By(CodeBuild);
    BatchGetBuilds "codebuild:BatchGetBuilds" By(CodeBuild);
    ListSandboxes "codebuild:ListSandboxes" By(CodeBuild);
    BatchGetSandboxes "codebuild:BatchGetSandboxes" By(CodeBuild);
    ListFleets "codebuild:ListFleets" By(CodeBuild);
    BatchGetFleets "codebuild:BatchGetFleets" By(CodeBuild);
    GetMetricData "cloudwatch:GetMetricData" For(Metrics);
    ListPipelines "codepipeline:ListPipelines" By(CodePipeline);
    ListPipelineExecutions "codepipeline:ListPipelineExecutions" By(CodePipeline);
    ListActionExecutions "codepipeline:ListActionExecutions" Deep(CodePipeline);
    ListDeployments "codedeploy:ListDeployments" By(CodeDeploy);
    BatchGetDeployments "codedeploy:BatchGetDeployments" By(CodeDeploy);
    ListDeploymentTargets "codedeploy:ListDeploymentTargets" By(CodeDeploy);
    BatchGetDeploymentTargets "codedeploy:BatchGetDeploymentTargets" By(CodeDeploy);
    LookupEvents "cloudtrail:LookupEvents" Deep(CloudTrail);
    ListRepositories "codecommit:ListRepositories" By(CodeCommit);
    GetProducts "pricing:GetProducts" For(Prices);
    ListAccounts "organizations:ListAccounts" Organization;
    AssumeRole "sts:AssumeRole" OtherAccounts;
    GetTableMetadata "athena:GetTableMetadata" Athena;
    GetWorkGroup "athena:GetWorkGroup" Athena;
    StartQueryExecution "athena:StartQueryExecution" Athena;
    GetQueryExecution "athena:GetQueryExecution" Athena;
    GetQueryResults "athena:GetQueryResults" Athena;
    StopQueryExecution "athena:StopQueryExecution" Athena;
    GetDatabase "glue:GetDatabase" AthenaForTables;
    GetTable "glue:GetTable" AthenaForTables;
    GetPartitions "glue:GetPartitions" AthenaForTables;
    ListBucket "s3:ListBucket" Exports;
    GetObject "s3:GetObject" Exports;
    GetBucketLocation "s3:GetBucketLocation" AthenaForResults;
    PutObject "s3:PutObject" AthenaForResults;
}

/// What is to be collected, as far as calls depend on it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// From which services.
    pub services: Vec<Service>,
    /// With action executions and identities.
    pub deep: bool,
    /// And what besides usage.
    pub extras: Vec<Extra>,
    /// From every account of the organization.
    pub organization: bool,
    /// From accounts that roles lead to.
    pub roles: bool,
}

impl Choice {
    /// Returns the services that are collected unless others are named. `CodeCommit` has to be
    /// asked for, because asking it costs a user.
    pub fn default_services() -> Vec<Service> {
        vec![
            Service::CostExplorer,
            Service::CodeBuild,
            Service::CodePipeline,
            Service::CodeDeploy,
            Service::CloudTrail,
        ]
    }

    /// Tells whether a service is to be collected.
    pub fn has(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// Returns the operations that are called and need a policy, in the order of the table.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        Operation::ALL
            .iter()
            .copied()
            .filter(|operation| match operation.needed() {
                By(service) => self.has(service),
                Deep(service) => self.deep && self.has(service),
                For(extra) => self.extras.contains(&extra),
                Organization => self.organization,
                OtherAccounts => self.organization || self.roles,
                Granted | Athena | AthenaForTables | Exports | AthenaForResults => false,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecommit_and_deep_calls_have_to_be_asked_for() {
        let choice = Choice {
            services: Choice::default_services(),
            ..Choice::default()
        };
        let operations: Vec<Operation> = choice.operations().collect();
        for absent in [
            Operation::ListRepositories,
            Operation::ListActionExecutions,
            Operation::LookupEvents,
            Operation::AssumeRole,
        ] {
            assert!(!operations.contains(&absent), "{absent:?}");
        }
        assert!(operations.contains(&Operation::BatchGetBuilds));
    }
}
