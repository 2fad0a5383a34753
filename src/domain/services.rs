//! The services and meters that rules and answers speak of by name, as bills spell them. What else there
//! is of a service stands in `pricing/`.

/// `CodeBuild`.
pub const CODEBUILD: &str = "CodeBuild";
/// `CodePipeline`.
pub const CODEPIPELINE: &str = "AWSCodePipeline";
/// `CodeCommit`.
pub const CODECOMMIT: &str = "AWSCodeCommit";
/// `CodeDeploy`.
pub const CODEDEPLOY: &str = "AWSCodeDeploy";
/// `CodeArtifact`.
pub const CODEARTIFACT: &str = "AWSCodeArtifact";
/// `CloudWatch`, where logs are kept.
pub const CLOUDWATCH: &str = "AmazonCloudWatch";
/// S3, where artifacts are kept.
pub const S3: &str = "AmazonS3";
/// KMS.
pub const KMS: &str = "awskms";
/// ECR.
pub const ECR: &str = "AmazonECR";
/// Athena.
pub const ATHENA: &str = "AmazonAthena";
/// Cost Explorer.
pub const COST_EXPLORER: &str = "AWSCostExplorer";

/// A V1 pipeline that is billed whole.
pub const ACTIVE_PIPELINE: &str = "activePipeline";
/// A V1 pipeline in its first 30 days.
pub const TRIAL_PIPELINE: &str = "trialPipeline";
/// A minute of an action of a V2 pipeline.
pub const ACTION_MINUTE: &str = "actionExecutionMinute";
/// A user of `CodeCommit` who was active in the month.
pub const USER_MONTH: &str = "User-Month";
/// Git pushes and pulls that move objects.
pub const GIT_REQUESTS: &str = "git request overage";
/// What repositories hold.
pub const REPOSITORY_STORAGE: &str = "storage overage";
/// An update of an instance outside AWS.
pub const ON_PREMISES_UPDATE: &str = "On-Premises-Instance";
/// A metric that CloudWatch is asked for.
pub const METRICS_READ: &str = "CW:GMD-Metrics";
/// A second of a sandbox.
pub const SANDBOX: &str = "Sandbox";
