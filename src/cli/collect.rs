//! `pipebill collect`: actual usage from AWS into the ledger.

use std::time::Duration;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{CommandError, Exit, output::Output, progress::Progress, terms::parse_dollars};
use crate::{
    app::{App, Asked, CollectRequest, LoginRequest},
    aws::operations::{Extra, Service},
    report,
};

/// Read actual usage from AWS into the ledger
///
/// Reads Cost Explorer (by day, service and usage type), CodeBuild builds and fleets, CodePipeline
/// pipelines and runs, and CodeDeploy on-premises updates. AWS is only read. Denied or unsupported
/// calls are listed as gaps; collection continues. An interrupted run resumes, and nothing is counted
/// twice.
///
/// `pipebill policy` prints the required permissions. Credentials come from the usual AWS sources. Each
/// Cost Explorer request costs $0.01, and with --metrics every 1,000 metrics of CloudWatch cost $0.01 in
/// most regions; everything else is free. --dry-run shows the cost first.
///
/// Examples:
///   pipebill collect --dry-run
///   pipebill collect --region eu-west-1 --region us-east-1
///   pipebill collect --metrics --max-api-cost 1
///   pipebill collect --organization --role-name pipebill-reader --region all
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    login: LoginArgs,
    /// First day [default: the start of the month twelve months ago].
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Last day of costs [default: today]. Builds and runs are read newest first.
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Also read what builds used of CPU and memory, from CloudWatch, for `optimize`.
    #[arg(long)]
    metrics: bool,
    /// Show the calls, time and cost it would take, and stop.
    #[arg(long)]
    dry_run: bool,
    /// Limit for the charges of Cost Explorer and CloudWatch, in dollars.
    #[arg(long, value_name = "USD", value_parser = parse_dollars)]
    max_api_cost: Option<Decimal>,
    /// Maximum requests per second to each service, account and region.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Seconds to wait for a response before a retry.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

/// Credentials and regions.
#[derive(Debug, clap::Args)]
pub(super) struct LoginArgs {
    /// Region, or `all`. Repeatable [default: the configured region].
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// AWS configuration profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Role to assume: read its account instead of yours. Repeatable.
    #[arg(long, value_name = "ARN", conflicts_with = "organization")]
    role_arn: Vec<String>,
    /// External ID for the roles: one for all, or one each.
    #[arg(long, value_name = "TEXT")]
    external_id: Vec<String>,
    /// Read every account of the organization.
    #[arg(long, requires = "role_name")]
    organization: bool,
    /// Role to assume in each account of the organization.
    #[arg(long, value_name = "NAME", requires = "organization")]
    role_name: Option<String>,
}

/// What to collect.
#[derive(Debug, clap::Args)]
pub(super) struct ChoiceArgs {
    /// Sources: cost-explorer, codebuild, codepipeline, codedeploy, cloudtrail, codecommit
    /// [default: all but codecommit, where the caller becomes a billed active user].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = service)]
    services: Vec<Service>,
    /// Also read V2 pipeline actions, and CodeCommit users from CloudTrail.
    #[arg(long)]
    deep: bool,
}

impl ChoiceArgs {
    pub(super) fn asked(&self, extras: Vec<Extra>) -> Asked {
        Asked {
            services: self.services.clone(),
            deep: self.deep,
            extras,
        }
    }
}

/// What other commands ask of AWS.
#[derive(Debug, clap::Args)]
pub(super) struct ExtraArgs {
    /// Include what `forecast --with-aws` calls.
    #[arg(long)]
    forecast: bool,
    /// Include what `collect --metrics` calls.
    #[arg(long)]
    metrics: bool,
    /// Include what `prices update --from query` calls.
    #[arg(long)]
    prices: bool,
}

impl ExtraArgs {
    pub(super) fn extras(&self) -> Vec<Extra> {
        let extras = [
            (self.forecast, Extra::Forecast),
            (self.metrics, Extra::Metrics),
            (self.prices, Extra::Prices),
        ];
        let asked = extras.into_iter().filter(|(asked, _)| *asked);
        asked.map(|(_, extra)| extra).collect()
    }
}

fn service(name: &str) -> Result<Service, String> {
    Service::from_name(&name.trim().to_lowercase()).ok_or_else(|| {
        let known: Vec<&str> = Service::ALL.iter().map(|service| service.name()).collect();
        format!("choose from {}", known.join(", "))
    })
}

impl LoginArgs {
    pub(super) fn request(&self) -> LoginRequest {
        LoginRequest {
            regions: self.region.clone(),
            profile: self.profile.clone(),
            roles: self.role_arn.clone(),
            external_ids: self.external_id.clone(),
            organization_role: self.role_name.clone(),
        }
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let request = CollectRequest {
        login: args.login.request(),
        asked: args
            .choice
            .asked(args.metrics.then_some(Extra::Metrics).into_iter().collect()),
        from: args.from,
        to: args.to,
        dry_run: args.dry_run,
        max_api_cost: args.max_api_cost,
        rate: args.rate,
        timeout: Duration::from_secs(args.timeout),
    };
    for warning in request.asked.warnings() {
        output.say(&format!("warning: {warning}"));
    }
    let outcome = app.collect(&request, &Progress::new(output))?;
    if args.dry_run {
        return Ok(Exit::Answered);
    }
    output.show(&report::collected::answer(&outcome))?;
    if outcome.has_faults {
        output.say("error: a part failed that should have worked; run the same again to go on");
        return Ok(Exit::CouldNot);
    }
    Ok(Exit::of(outcome.missing.is_empty(), strict))
}
