//! `pipebill usage`: what was used.

use super::{CommandError, Exit, output::Output};
use crate::{
    app::{App, UsageRequest},
    domain::{
        allocation::Dimension,
        metering::{
            codedeploy::FailedUpdates,
            from_events::{MeteringOptions, QueuedTime},
        },
        period::Month,
    },
    report,
};

/// Show usage by account, project, tag or other dimensions
///
/// Examples:
///   pipebill usage --demo
///   pipebill usage --month 2026-10 --by account --by tag:team
///   pipebill usage --month 2026-10 --metered --by tag:pipebill:pipeline
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Month, e.g. 2026-10 [default: the latest in the ledger].
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Group by account, project, service, region, day, job, workflow, repository (of CI jobs) or
    /// tag:KEY. Repeatable.
    #[arg(long, value_name = "DIMENSION", value_parser = dimension)]
    by: Vec<Dimension>,
    /// Show usage metered from builds, runs and updates instead of billed usage.
    #[arg(long)]
    metered: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Rules that AWS leaves open.
#[derive(Debug, clap::Args)]
pub(super) struct RuleArgs {
    /// Whether queue time of builds is billed.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        requires = "metered"
    )]
    queued_time: Counted,
    /// Whether failed on-premises updates are billed.
    #[arg(long, value_enum, default_value_t = Counted::Billed, value_name = "HOW", requires = "metered")]
    failed_updates: Counted,
}

/// How to read a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub(super) enum Counted {
    /// Billed.
    Billed,
    /// Free.
    #[default]
    Free,
}

impl RuleArgs {
    pub(super) fn options(&self) -> MeteringOptions {
        MeteringOptions {
            queued_time: match self.queued_time {
                Counted::Billed => QueuedTime::Billed,
                Counted::Free => QueuedTime::Free,
            },
            failed_updates: match self.failed_updates {
                Counted::Billed => FailedUpdates::Billed,
                Counted::Free => FailedUpdates::Free,
            },
        }
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let answer = app.usage(&UsageRequest {
        month: args.month,
        by: args.by.clone(),
        metered: args.metered.then(|| args.rules.options()),
    })?;
    let jobs = answer.jobs.as_ref();
    let mut notes = jobs.map_or_else(Vec::new, report::words::ci_jobs::notes);
    notes.extend(answer.notes.iter().map(report::words::bill::remark));
    output.show(&report::usage::answer(
        answer.month,
        args.metered,
        &answer.sums,
        &answer.by,
        &answer.gaps,
        (jobs, notes),
        &app.catalog,
    ))?;
    Ok(Exit::of(answer.gaps.is_empty(), strict))
}

/// Reads the name of a dimension.
pub(super) fn dimension(text: &str) -> Result<Dimension, String> {
    match text {
        "account" => Ok(Dimension::Account),
        "project" | "resource" | "pipeline" => Ok(Dimension::Resource),
        "service" => Ok(Dimension::Service),
        "region" => Ok(Dimension::Region),
        "meter" => Ok(Dimension::Meter),
        "day" => Ok(Dimension::Day),
        "repository" => Ok(Dimension::Repository),
        "workflow" => Ok(Dimension::Workflow),
        "job" => Ok(Dimension::Job),
        _ => match text.strip_prefix("tag:") {
            Some(key) if !key.is_empty() => Ok(Dimension::Tag(key.to_owned())),
            _ => Err(
                "choose account, project, service, region, meter, day, job, workflow, repository or \
                 tag:KEY"
                    .to_owned(),
            ),
        },
    }
}
