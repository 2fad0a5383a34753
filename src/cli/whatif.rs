//! `pipebill whatif`: what would change if something were different.
#![expect(
    clippy::doc_markdown,
    reason = "the doc comments are the help, shown as they stand"
)]

use std::path::PathBuf;

use clap::ValueEnum;

use super::{CommandError, Exit, output::Output, terms::TermsArgs};
use crate::{
    app::{
        Answer, App, Baseline, BaselineRequest, BreakEvenRequest, Months, PerScenario, Scenarios,
        SweepRequest, TornadoRequest, WhatIfRequest,
    },
    domain::{ids::Currency, period::Month, share_out::Policy},
    report::{
        self,
        whatif::{self, DifferenceRange, Shown},
    },
};

/// The changes there are. A test reads each.
const CHANGES: &str = "\
Changes, with --set or in a file as \"NAME\" = \"VALUE\"; = sets, =+ and =- add, *= multiplies:
  people       active_users=+10, git_requests*=2, storage_gb=+50
  pipelines    v1_pipelines=12, v2_action_minutes*=0.8, pipeline_type[team-*]=V2
  volume       builds*=1.5, minutes[project:api]*=0.7, builds[tag:team:web]*=2
  compute      compute[general1.medium]=arm1.medium,speed=1.2
  Lambda       compute[arm1.small]=lambda.arm.4GB
  fleets       compute[general1.large]=reserved,machines=3,overflow=queue
  runners      compute[arm1.*]=github.linux.arm.4core, github_plan=team
  public       repository[project:oss-*]=public
  deployments  on_premises_updates*=2, on_premises_targets=20,deployments=30
  storage      log_retention=30, artifact_retention=30, log_storage[old-*]*=0
  elsewhere    region=eu-west-1, price_like=us-east-1
  any meter    usage[AmazonS3:Requests-Tier1]*=2, security_baseline=on
  prices       free_tier=off, price[Build-Min:Linux:g1.large]=0.018, discount[CodeBuild]=5%";

/// Compare scenarios with a baseline, and find break-even points
///
/// A change is NAME=VALUE or NAME*=FACTOR, in a scenario file or with --set; docs/scenarios.md lists
/// them all. Individual builds are re-metered where known, since each is rounded up; otherwise the
/// change applies to totals, and a note says so.
///
/// Examples:
///   pipebill whatif --demo --set 'compute[general1.large]=arm1.large,speed=1.2'
///   pipebill whatif v2-everywhere.toml arm.toml --month 2026-10
///   pipebill whatif --usage usage.toml --set active_users=+10
///   pipebill whatif --set 'compute[general1.large]=arm1.large' --breakeven speed
///   pipebill whatif --sweep active_users=5..50:5 --sweep 'builds*=0.5..2:0.25'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = CHANGES)]
pub(super) struct Args {
    /// Scenario files, each compared with the baseline.
    #[arg(value_name = "SCENARIO.TOML")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: SetArgs,
    #[command(flatten)]
    baseline: BaselineArgs,
    /// Compare on past months, or on 10,000 simulations of the coming months.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "history", conflicts_with_all = ["sweep", "breakeven", "tornado"])]
    against: Against,
    /// Whole months to forecast, with --against forecast.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=36))]
    months: u32,
    /// Vary a parameter: active_users=5..50:5, or speed=0.8,1,1.2. Give it twice for two axes.
    #[arg(long, value_name = "NAME=VALUES", conflicts_with_all = ["breakeven", "tornado"])]
    sweep: Vec<String>,
    /// Find the break-even of a parameter: speed, machines, builds, active_users…, optionally in a
    /// range: speed=0.5..2.
    #[arg(long, value_name = "NAME", conflicts_with = "tornado")]
    breakeven: Option<String>,
    /// Vary each driver down and up and rank them: by 20 %, another percentage, or `own` for its
    /// P10 and P90 of past months.
    #[arg(long, value_name = "SWING", num_args = 0..=1, default_missing_value = "20%")]
    tornado: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Against {
    /// Past or stated usage.
    History,
    /// The forecast.
    Forecast,
}

#[derive(Debug, Default, clap::Args)]
pub(super) struct SetArgs {
    /// Change: active_users=+10, builds*=1.5, 'pipeline_type[team-*]=V2'. Repeatable; added to
    /// every scenario file.
    #[arg(long, value_name = "CHANGE")]
    set: Vec<String>,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Baseline")]
pub(super) struct BaselineArgs {
    /// Month of the ledger [default: the last complete one].
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to", "usage"])]
    pub(super) month: Option<Month>,
    /// First of several months.
    #[arg(long, value_name = "MONTH", requires = "to", conflicts_with = "usage")]
    from: Option<Month>,
    /// Last of several months.
    #[arg(long, value_name = "MONTH", requires = "from")]
    to: Option<Month>,
    /// Usage file to use instead of the ledger.
    #[arg(long, value_name = "USAGE.TOML")]
    pub(super) usage: Option<PathBuf>,
    /// Months of history for the P10, P50 and P90 of a difference.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(0..=36))]
    history: u32,
    /// Currency, if the ledger has several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    pub(super) terms: TermsArgs,
}

impl SetArgs {
    /// Returns the scenarios of files, each with these changes on top; without files, the changes
    /// alone.
    pub(super) fn scenarios(&self, files: &[PathBuf]) -> Scenarios {
        Scenarios {
            files: files.to_vec(),
            changes: self.set.clone(),
        }
    }
}

impl BaselineArgs {
    /// Returns what is compared with.
    pub(super) fn request(&self) -> BaselineRequest {
        BaselineRequest {
            months: months(self.month, self.from, self.to),
            usage: self.usage.clone(),
            history: self.history,
            currency: self.currency.clone(),
            terms: self.terms.terms(),
        }
    }
}

/// Returns the months that --month, --from and --to name.
pub(super) fn months(month: Option<Month>, from: Option<Month>, to: Option<Month>) -> Months {
    match (month, from, to) {
        (_, Some(from), Some(to)) => Months::Between(from, to),
        (Some(month), ..) => Months::One(month),
        _ => Months::Last,
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let scenarios = args.changes.scenarios(&args.files);
    let baseline = args.baseline.request();
    if args.sweep.is_empty() && args.breakeven.is_none() && args.tornado.is_none() {
        return compare(args, scenarios, baseline, app, output, strict);
    }
    if let Some(parameter) = args.breakeven.clone() {
        let request = BreakEvenRequest {
            scenarios,
            parameter,
            baseline,
        };
        show(&app.break_even(&request)?, output, whatif::break_even)
    } else if let Some(swing) = args.tornado.clone() {
        let request = TornadoRequest {
            scenarios,
            swing,
            baseline,
        };
        show(&app.tornado(&request)?, output, whatif::tornado)
    } else {
        let request = SweepRequest {
            scenarios,
            axes: args.sweep.clone(),
            baseline,
        };
        show(&app.sweep(&request)?, output, whatif::sweep)
    }
}

/// Shows the answer of all scenarios.
fn show<T>(
    answer: &PerScenario<T>,
    output: &Output,
    lay_out: impl Fn(&str, &[(&str, &T)], &Currency) -> report::Answer<'static>,
) -> Result<Exit, CommandError> {
    let baseline = &answer.baseline;
    output.say_assumptions(&baseline.assumptions);
    let named = answer.answers.iter();
    let named: Vec<(&str, &T)> = named.map(|(it, of)| (it.name.as_str(), of)).collect();
    output.show(&lay_out(&baseline.name, &named, &baseline.currency()))?;
    Ok(Exit::Answered)
}

fn compare(
    args: &Args,
    scenarios: Scenarios,
    baseline: BaselineRequest,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let answer = app.what_if(&WhatIfRequest {
        scenarios,
        baseline,
        months_ahead: (args.against == Against::Forecast).then_some(args.months),
    })?;
    let baseline = &answer.baseline;
    let currency = baseline.currency();
    output.say_assumptions(&baseline.assumptions);
    output.say_old_prices(answer.oldest_price(), app.today);
    let mut carried = report::discounts::of_comparison(&baseline.discounts, &app.catalog);
    carried.extend(report::costs::left_out(
        &baseline.costs_only(),
        &currency,
        &app.catalog,
    ));
    let shown: Vec<Shown<'_>> = answer.answers.iter().map(shown).collect();
    let notes = match args.against {
        Against::Forecast => carried,
        Against::History => notes(baseline, &answer.answers, carried, &currency),
    };
    let (name, catalog) = (&baseline.name, &app.catalog);
    output.show(&whatif::answer(name, &shown, notes, &currency, catalog))?;
    Ok(Exit::of(answer.is_complete(), strict))
}

fn shown(answer: &Answer) -> Shown<'_> {
    Shown {
        comparison: &answer.comparison,
        range: answer.history.map(|(spread, months)| DifferenceRange {
            spread,
            over: format!("{months} months of history"),
        }),
        ahead: answer.ahead.as_ref(),
    }
}

fn notes(
    baseline: &Baseline,
    answers: &[Answer],
    carried: Vec<report::Note>,
    currency: &Currency,
) -> Vec<report::Note> {
    let gaps = baseline.months.iter().flat_map(|month| &month.gaps);
    let mut notes: Vec<_> = gaps.map(report::words::scenario::missing).collect();
    let rated = answers
        .iter()
        .find(|answer| !answer.comparison.scenario.is_of_storage())
        .map(|answer| answer.comparison.total.baseline);
    if let (Some(billed), Some(rated)) = (baseline.billed(), rated)
        && billed.to_cents() != rated.to_cents()
    {
        let first = baseline.months.first();
        let sharing = first.map_or_else(Policy::default, |month| month.workload.sharing);
        notes.push(report::words::scenario::rerated(billed, sharing, currency));
    }
    notes.extend(carried);
    let left_out = baseline.left_out();
    if !left_out.is_zero() {
        notes.push(report::words::usage_only(left_out, currency));
    }
    notes
}
