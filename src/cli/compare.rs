//! `pipebill compare`: what the builds would cost on other machines, at AWS and elsewhere.
#![expect(
    clippy::doc_markdown,
    reason = "the doc comments are the help, shown as they stand"
)]

use std::path::PathBuf;

use clap::ValueEnum;

use super::{CommandError, Exit, output::Output, terms::TermsArgs};
use crate::{
    app::{AlternativesRequest, App, BaselineRequest, Months},
    domain::period::Month,
    report,
};

/// Compare a month's builds with other CodeBuild machines and GitHub's runners
///
/// Re-rates the whole month for each machine: build by build where `pipebill collect` has read them, since
/// each vendor rounds each job up, else by quantity. The first table moves all builds, each to the smallest
/// machine of a family that is no smaller than its own; the others show one compute type each. Break-even is
/// the speed, as a multiple of today's, from which a machine costs no more.
///
/// Examples:
///   pipebill compare --demo
///   pipebill compare 2026-10 --project api --project 'web-*'
///   pipebill compare --github-plan team --repository public
///   pipebill compare --speed 'arm1.*=1.1' --speed github.linux.4core=0.9
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Month of the ledger [default: the last complete one].
    #[arg(value_name = "MONTH", conflicts_with = "usage")]
    month: Option<Month>,
    /// Only this project; a star matches any text. Repeatable.
    #[arg(long, value_name = "NAME")]
    project: Vec<String>,
    /// GitHub plan, whose included minutes apply: free, pro, team or enterprise [default: none].
    #[arg(long, value_name = "PLAN")]
    github_plan: Option<String>,
    /// Repositories: standard runners are free in public ones.
    #[arg(long, value_enum, value_name = "KIND", default_value = "private")]
    repository: Repository,
    /// Speed on a machine as a multiple of today's, e.g. arm1.medium=1.1 or 'github.*=0.9'.
    /// Repeatable [default: 1].
    #[arg(long, value_name = "MACHINE=FACTOR")]
    speed: Vec<String>,
    /// Show every machine, not only those near in size.
    #[arg(long)]
    all: bool,
    /// Usage file to use instead of the ledger.
    #[arg(long, value_name = "USAGE.TOML")]
    usage: Option<PathBuf>,
    /// Currency, if the ledger has several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Repository {
    /// Private or internal.
    Private,
    /// Public.
    Public,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let answer = app.alternatives(&AlternativesRequest {
        baseline: BaselineRequest {
            months: args.month.map_or(Months::Last, Months::One),
            usage: args.usage.clone(),
            history: 0,
            currency: args.currency.clone(),
            terms: args.terms.terms(),
        },
        projects: args.project.clone(),
        github_plan: args.github_plan.clone(),
        public: args.repository == Repository::Public,
        speeds: args.speed.clone(),
    })?;
    let baseline = &answer.baseline;
    output.say_assumptions(&baseline.assumptions);
    let gaps = baseline.months.iter().flat_map(|month| &month.gaps);
    let mut carried: Vec<_> = gaps.map(report::words::scenario::missing).collect();
    carried.extend(report::discounts::of_comparison(
        &baseline.discounts,
        &app.catalog,
    ));
    let (found, question) = (&answer.found, &answer.question);
    output.show(&report::compare::answer(
        found,
        question,
        carried,
        &app.catalog,
        args.all,
    ))?;
    Ok(Exit::of(found.complete, strict))
}
