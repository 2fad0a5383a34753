//! `pipebill why`: why a month costs more than another.

use super::{CommandError, Exit, output::Output, terms::TermsArgs, usage::dimension};
use crate::{
    app::{App, WhyAgainst, WhyRequest},
    domain::{period::Month, why::By},
    report,
};

/// Explain why a month costs more or less than another
///
/// Causes add up to the difference: new and gone projects, how many builds, how long, on which
/// sizes, rounding up, failures, prices, free units, people, pipelines, discounts. Builds are
/// compared one by one where `pipebill collect` read them.
///
/// Examples:
///   pipebill why --demo
///   pipebill why 2026-10 --against 2026-07
///   pipebill why --against mean --by tag:team
///   pipebill why --format svg --output why.svg
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Month, e.g. 2026-10 [default: the last one that is over].
    #[arg(value_name = "MONTH")]
    month: Option<Month>,
    /// Compare with this month, or with the mean of up to twelve months before [default: the month before].
    #[arg(long, value_name = "MONTH|mean", value_parser = against)]
    against: Option<WhyAgainst>,
    /// Tell causes apart by project, pipeline, account, service, region, meter, job, workflow,
    /// repository or tag:KEY
    /// [default: each project, pipeline and account].
    #[arg(long, value_name = "DIMENSION", value_parser = by)]
    by: Option<By>,
    /// Currency, if the ledger has several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let change = app.why(&WhyRequest {
        month: args.month,
        against: args.against.unwrap_or_default(),
        by: args.by.clone().unwrap_or_default(),
        currency: args.currency.clone(),
        terms: args.terms.terms(),
    })?;
    output.show(&report::why::answer(&change, &app.catalog))?;
    Ok(Exit::of(change.complete, strict))
}

fn against(text: &str) -> Result<WhyAgainst, String> {
    if text == "mean" {
        return Ok(WhyAgainst::Mean);
    }
    let month = text.parse().map(WhyAgainst::Month);
    month.map_err(|_| "write a month, as 2026-09, or `mean`".to_owned())
}

fn by(text: &str) -> Result<By, String> {
    match text {
        "pipeline" => Ok(By::Pipeline),
        "day" => Err("days of two months are not the same; `why` names the days itself".to_owned()),
        _ => dimension(text).map(By::Dimension),
    }
}
