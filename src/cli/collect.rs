//! `pipebill collect`: actual usage from AWS into the ledger.

use std::time::Duration;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;

use super::{CommandError, Exit, output::Output, progress::Progress, terms::parse_dollars};
use crate::{
    app::{App, DataSource},
    aws::{
        Login, Request, Role,
        operations::{Choice, Extra, Service},
    },
    domain::{ids::Region, period::Month},
    inputs::resolve,
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
/// Cost Explorer request costs $0.01; everything else is free.
///
/// Examples:
///   pipebill collect --dry-run
///   pipebill collect --region eu-west-1 --region us-east-1
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
    /// Show the calls, time and cost it would take, and stop.
    #[arg(long)]
    dry_run: bool,
    /// Limit for Cost Explorer request charges, in dollars.
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
    pub(super) fn choice(&self, organization: bool, roles: bool) -> Choice {
        Choice {
            services: if self.services.is_empty() {
                Choice::default_services()
            } else {
                self.services.clone()
            },
            deep: self.deep,
            organization,
            roles,
            ..Choice::default()
        }
    }
}

/// What other commands ask of AWS.
#[derive(Debug, clap::Args)]
pub(super) struct ExtraArgs {
    /// Include what `forecast --with-aws` calls.
    #[arg(long)]
    forecast: bool,
    /// Include what `prices update --from query` calls.
    #[arg(long)]
    prices: bool,
}

impl ExtraArgs {
    pub(super) fn add_to(&self, choice: Choice) -> Choice {
        let extras = [
            (self.forecast, Extra::Forecast),
            (self.prices, Extra::Prices),
        ];
        Choice {
            extras: extras
                .into_iter()
                .filter_map(|(asked, extra)| asked.then_some(extra))
                .collect(),
            ..choice
        }
    }
}

fn service(name: &str) -> Result<Service, String> {
    Service::from_name(&name.trim().to_lowercase()).ok_or_else(|| {
        let known: Vec<&str> = Service::ALL.iter().map(|service| service.name()).collect();
        format!("choose from {}", known.join(", "))
    })
}

impl LoginArgs {
    /// Returns what is to be collected, given who is asked.
    pub(super) fn choice(&self, choice: &ChoiceArgs) -> Choice {
        choice.choice(self.organization, !self.role_arn.is_empty())
    }

    pub(super) fn login(&self, app: &App) -> Result<Login, CommandError> {
        let bad = |flag, problem: &str| CommandError::BadValue {
            flag,
            problem: problem.to_owned(),
        };
        let all_regions = self.region.iter().any(|region| region == "all");
        let mut regions: Vec<Region> = Vec::new();
        for name in self.region.iter().filter(|name| *name != "all") {
            let region = resolve::region(&app.catalog, name).map_err(|problem| {
                CommandError::UnknownName {
                    flag: "--region",
                    problem,
                }
            })?;
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        let ids = &self.external_id;
        if ids.len() > 1 && ids.len() != self.role_arn.len() {
            return Err(bad(
                "--external-id",
                "give one for all roles, or one for each",
            ));
        }
        if !ids.is_empty() && self.role_arn.is_empty() && !self.organization {
            return Err(bad("--external-id", "it goes with --role-arn"));
        }
        let mut roles = Vec::new();
        for (at, arn) in self.role_arn.iter().enumerate() {
            if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
                return Err(bad(
                    "--role-arn",
                    "a role is written as arn:aws:iam::ACCOUNT:role/NAME",
                ));
            }
            roles.push(Role {
                arn: arn.clone(),
                external_id: ids.get(at).or(ids.first()).cloned(),
            });
        }
        Ok(Login {
            profile: self.profile.clone(),
            regions,
            all_regions,
            roles,
            organization_role: self.role_name.clone(),
            external_id: ids.first().cloned(),
        })
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    if matches!(app.source, DataSource::Sample) {
        return Err(CommandError::BadValue {
            flag: "--demo",
            problem: "the sample cannot be collected into".to_owned(),
        });
    }
    let login = args.login.login(app)?;
    let choice = args.login.choice(&args.choice);
    let earliest = Month::of(app.today).first_day() - Months::new(12);
    let (from, to) = (
        args.from.unwrap_or(earliest),
        args.to.unwrap_or(app.today).min(app.today),
    );
    if from > to {
        return Err(CommandError::BadValue {
            flag: "--from",
            problem: format!("{from} is after {to}"),
        });
    }
    for warning in choice.services.iter().filter_map(|s| s.warning()) {
        output.say(&format!("warning: {warning}"));
    }
    let request = Request {
        choice,
        from,
        to,
        dry_run: args.dry_run,
        max_api_cost: args.max_api_cost,
        rate: args.rate,
        timeout: Duration::from_secs(args.timeout),
        ..request(app, login)
    };
    let outcome = app.collect(&request, &Progress::new(output))?;
    if args.dry_run {
        return Ok(Exit::Answered);
    }
    output.show(&report::collected::document(&outcome))?;
    if outcome.has_faults {
        output.say("error: a part failed that should have worked; run the same again to go on");
        return Ok(Exit::CouldNot);
    }
    Ok(Exit::of(outcome.missing.is_empty(), strict))
}

/// Returns a request that asks as usual, about today.
pub(super) fn request(app: &App, login: Login) -> Request {
    Request {
        login,
        choice: Choice::default(),
        from: app.today,
        to: app.today,
        dry_run: false,
        max_api_cost: None,
        rate: 5,
        timeout: Duration::from_secs(30),
        now: now(app.today),
    }
}

/// Returns who a profile is, for what no region matters to.
pub(super) fn anywhere(profile: Option<&str>) -> Login {
    Login {
        profile: profile.map(str::to_owned),
        all_regions: true,
        ..Login::default()
    }
}

/// Returns the time of today, or the end of the day that was given for today.
fn now(today: NaiveDate) -> DateTime<Utc> {
    let now = Utc::now();
    if now.date_naive() == today {
        return now;
    }
    let midnight = (today + Days::new(1)).and_time(NaiveTime::MIN).and_utc();
    midnight - chrono::TimeDelta::milliseconds(1)
}
