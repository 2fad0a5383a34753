//! `pipebill estimate`: what stated usage costs.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use rust_decimal::Decimal;

use super::{CommandError, Exit, output::Output, terms::TermsArgs};
use crate::{
    app::{App, Estimate, EstimateRequest, Field, InfraRequest},
    domain::{
        bill::{Bill, LineItem, Unpriced},
        catalog::Catalog,
        ids::Region,
        number::parse_quantity,
        period::Month,
        plan::{Item, PipelineType},
    },
    inputs::infra,
    report,
};

/// Price a usage plan from flags, a usage.toml, or both; or infrastructure code
///
/// Usage in the file and in flags is added up; month, region and prices in flags override the file's.
/// In a file, stages with action = "manual-approval" or "custom" have minutes that V2 does not bill.
///
/// A plan or a state of Terraform, or a preview of Pulumi, is priced with the usage of the ledger's
/// last month: builds and runs of the projects and pipelines of the same names.
///
/// Examples:
///   pipebill estimate --codebuild general1.small=1100
///   pipebill estimate --codebuild arm1.small=300x95s --v2-action-minutes 1200 --explain
///   pipebill estimate examples/backend-flask.usage.toml --price-like us-east-1
///   pipebill estimate plan.json --usage-of api=300x5m
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Usage file (examples/ has two to start from), or infrastructure code.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Region [default: us-east-1].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Month, e.g. 2026-11 [default: the current month].
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    #[command(flatten)]
    stated: StatedUsage,
    /// Usage of a project or pipeline of infrastructure code: api=300x5m (builds × duration) or
    /// api=1200 (minutes). Repeatable.
    #[arg(long, value_name = "NAME=AMOUNT")]
    usage_of: Vec<String>,
    /// Value of a template parameter, e.g. Env=prod. Repeatable.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Price model of pipelines of infrastructure code that do not state one.
    #[arg(long, value_enum, value_name = "TYPE")]
    pipeline_type: Option<TypeArg>,
    /// Add CloudTrail, Config, GuardDuty, KMS and Secrets Manager for these pipelines, under
    /// documented assumptions.
    #[arg(long)]
    security_baseline: bool,
    /// Show how each line was calculated, and all notes.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    terms: TermsArgs,
}

/// A price model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum TypeArg {
    /// By the month while active.
    #[value(name = "V1")]
    V1,
    /// By the minutes of actions.
    #[value(name = "V2")]
    V2,
}

impl TypeArg {
    const fn kind(self) -> PipelineType {
        match self {
            Self::V1 => PipelineType::V1,
            Self::V2 => PipelineType::V2,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Usage in the month")]
struct StatedUsage {
    /// Active CodeCommit users.
    #[arg(long, value_name = "N", value_parser = parse_quantity, allow_negative_numbers = true)]
    active_users: Option<Decimal>,
    /// Git pushes and pulls that transfer objects.
    #[arg(long, value_name = "N", value_parser = parse_quantity, allow_negative_numbers = true)]
    git_requests: Option<Decimal>,
    /// CodeCommit storage in GB-months.
    #[arg(long, value_name = "GB", value_parser = parse_quantity, allow_negative_numbers = true)]
    storage_gb: Option<Decimal>,
    /// Active V1 pipelines: older than 30 days, with a code change in the month.
    #[arg(long, value_name = "N", value_parser = parse_quantity, allow_negative_numbers = true)]
    v1_pipelines: Option<Decimal>,
    /// V1 pipelines in their first 30 days (free).
    #[arg(long, value_name = "N", value_parser = parse_quantity, allow_negative_numbers = true)]
    v1_trial_pipelines: Option<Decimal>,
    /// V2 action minutes, each action rounded up.
    #[arg(long, value_name = "N", value_parser = parse_quantity, allow_negative_numbers = true)]
    v2_action_minutes: Option<Decimal>,
    /// Builds: general1.medium=1200 (billed minutes), arm1.small=300x95s (builds × duration in s, m
    /// or h), windows/general1.large=60, lambda.arm.1GB=9000s. Repeatable.
    #[arg(long, value_name = "COMPUTE=AMOUNT")]
    codebuild: Vec<String>,
    /// CodeDeploy on-premises instance updates: targets × deployments.
    #[arg(long, value_name = "N", value_parser = parse_quantity, allow_negative_numbers = true)]
    on_premises_updates: Option<Decimal>,
    /// Any meter, e.g. AmazonS3:TimedStorage-ByteHrs=12. Repeatable.
    #[arg(long, value_name = "SERVICE:USAGE_TYPE=QUANTITY")]
    usage: Vec<String>,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    if let Some(file) = args.file.as_deref().filter(|file| infra::is_infra(file)) {
        return run_infra(args, file, app, output, strict);
    }
    if let Some(flag) = args.flag_of_infra() {
        let problem = "needs infrastructure code, e.g. `pipebill estimate plan.json`".to_owned();
        return Err(CommandError::BadValue { flag, problem });
    }
    let Estimate { bill, region } = app.estimate(&EstimateRequest {
        file: args.file.clone(),
        region: args.region.clone(),
        month: args.month,
        totals: args.stated.totals(),
        builds: args.stated.codebuild.clone(),
        meters: args.stated.usage.clone(),
        security_baseline: args.security_baseline,
        terms: args.terms.terms(),
    })?;
    let of = args
        .file
        .as_ref()
        .map(|path| format!(" of {}", path.display()));
    let title = format!(
        "Estimate{} for {}, {region}",
        of.unwrap_or_default(),
        bill.month
    );
    let detail = report::bill::Detail {
        explain: args.explain,
        lines: true,
    };
    output.show(&report::bill::answer(&bill, title, &app.catalog, detail))?;
    hint_at_unpriced(&bill, &app.catalog, output);
    Ok(Exit::of(bill.is_complete(), strict))
}

/// Prices infrastructure code.
fn run_infra(
    args: &Args,
    file: &Path,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    if args.states_usage() {
        return Err(CommandError::BadValue {
            flag: "--usage",
            problem: "infrastructure code names its projects: state their usage with --usage-of"
                .to_owned(),
        });
    }
    let costs = app.infra(&InfraRequest {
        file: file.to_owned(),
        region: args.region.clone(),
        month: args.month,
        usage: args.usage_of.clone(),
        parameters: args.param.clone(),
        pipeline_type: args.pipeline_type.map(TypeArg::kind),
        terms: args.terms.terms(),
    })?;
    let title = format!("Estimate of {} for {}", file.display(), costs.month);
    output.show(&report::infra::answer(&costs, title))?;
    Ok(Exit::of(costs.is_complete(), strict))
}

impl Args {
    /// Tells whether usage is stated that no resource has.
    fn states_usage(&self) -> bool {
        let stated = &self.stated;
        self.security_baseline
            || !stated.codebuild.is_empty()
            || !stated.usage.is_empty()
            || !stated.totals().is_empty()
    }

    /// Returns a flag that only infrastructure code understands, if one is given.
    fn flag_of_infra(&self) -> Option<&'static str> {
        if self.usage_of.is_empty() {
            self.pipeline_type.map(|_| "--pipeline-type")
        } else {
            Some("--usage-of")
        }
    }
}

/// Says what to do about lines without a price, in commands that can be pasted.
pub(super) fn hint_at_unpriced(bill: &Bill, catalog: &Catalog, output: &Output) {
    let is_sold = |line: &&LineItem| {
        let reason = line.unpriced.as_ref().map(|(_, reason)| reason);
        !matches!(reason, Some(Unpriced::NotOffered { .. }))
    };
    if bill.unpriced().next().is_none() {
        return;
    }
    let Some(line) = bill.unpriced().find(is_sold) else {
        output.say("hint: `pipebill prices regions` shows what is offered where");
        return;
    };
    let regions: BTreeSet<&Region> = bill
        .unpriced()
        .filter(is_sold)
        .map(|line| &line.key.region)
        .filter(|region| **region != Region::global())
        .collect();
    let regions: String = regions
        .iter()
        .map(|region| format!(" --region {region}"))
        .collect();
    let (service, usage_type) = (&line.key.meter.service, &line.key.meter.usage_type);
    let state = format!("state a price: `--price '{usage_type}=0.01'`");
    if catalog.meter(service, usage_type.as_str()).is_none() {
        output.say(&format!("hint: {state}"));
        return;
    }
    let list = catalog.services.get(service).and_then(|s| s.list.as_ref());
    let update = match list {
        Some(_) => format!("fetch AWS's list: `pipebill prices update{regions}`; or "),
        None => String::new(),
    };
    let other = match line.key.region.as_str() {
        "us-east-1" => "us-east-2",
        _ => "us-east-1",
    };
    output.say(&format!(
        "hint: {update}{state}; or use another region's: `--price-like {other}`"
    ));
}

impl StatedUsage {
    fn totals(&self) -> Vec<(Field, Item)> {
        let totals = [
            (Field::ActiveUsers, self.active_users.map(Item::ActiveUsers)),
            (Field::GitRequests, self.git_requests.map(Item::GitRequests)),
            (
                Field::StorageGb,
                self.storage_gb.map(Item::RepositoryStorage),
            ),
            (Field::V1Pipelines, self.v1_pipelines.map(Item::V1Pipelines)),
            (
                Field::V1TrialPipelines,
                self.v1_trial_pipelines.map(Item::V1Trials),
            ),
            (
                Field::V2ActionMinutes,
                self.v2_action_minutes.map(Item::V2ActionMinutes),
            ),
            (
                Field::OnPremisesUpdates,
                self.on_premises_updates.map(Item::OnPremisesUpdates),
            ),
        ];
        let stated = totals.into_iter();
        stated
            .filter_map(|(field, item)| Some((field, item?)))
            .collect()
    }
}
