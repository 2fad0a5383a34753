//! `pipebill usage`: what was used.

use super::{CommandError, Exit, output::Output};
use crate::{
    app::App,
    domain::{allocation::Dimension, period::Month},
    report,
};

/// Show what was used, by any dimension
///
/// Examples:
///   pipebill usage --demo
///   pipebill usage --month 2026-10 --by account --by tag:team
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Which month [default: the last one in the ledger].
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Keep apart by account, project, service, region, day or tag:KEY. Repeatable.
    #[arg(long, value_name = "DIMENSION", value_parser = dimension)]
    by: Vec<Dimension>,
}

pub(super) fn run(args: &Args, app: &App, output: &Output) -> Result<Exit, CommandError> {
    let ledger = app.ledger()?;
    let month = app.month(&ledger, args.month)?;
    let sums = app.usage(&ledger, &[month], &args.by)?;
    let title = format!("Usage in {month}");
    output.document(&report::usage::document(
        &sums,
        &args.by,
        title,
        &app.catalog,
    ))?;
    Ok(Exit::Answered)
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
        _ => match text.strip_prefix("tag:") {
            Some(key) if !key.is_empty() => Ok(Dimension::Tag(key.to_owned())),
            _ => Err("choose account, project, service, region, meter, day or tag:KEY".to_owned()),
        },
    }
}
