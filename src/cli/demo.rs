//! `pipebill demo`: the whole tool on the sample organization.

use super::{CommandError, Exit, output::Output};
use crate::{
    app::{App, AppError, BillRequest},
    domain::{
        allocation::{Dimension, Policy},
        ids::Region,
    },
    forecast::ForecastOptions,
    inputs::usage_file,
    report,
};

/// See the whole tool on an embedded sample organization, no account needed
///
/// Runs estimate, usage, bill, forecast and report through the same code as real data. The switch
/// --demo does the same for any single command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

const EXAMPLE: &str = include_str!("../../examples/backend-flask.usage.toml");

pub(super) fn run(_: &Args, app: &App, output: &Output) -> Result<Exit, CommandError> {
    output.data(
        "The data below are a sample: an invented organization of three accounts, not yours.\n",
    )?;
    let section = |command: &str| output.data(&format!("\n$ pipebill {command}\n\n"));
    let ledger = app.ledger()?;
    let request = BillRequest::default();
    let month = app.month(&ledger, None)?.previous();

    section("estimate examples/backend-flask.usage.toml --price-like us-east-1")?;
    let file = usage_file::parse("examples/backend-flask.usage.toml", EXAMPLE, &app.catalog)
        .map_err(AppError::from)?;
    let region = file
        .region
        .clone()
        .unwrap_or_else(|| Region::new("eu-west-2"));
    let plan = file.plan(file.month.unwrap_or(month), region);
    let mut terms = file.terms;
    terms.price_like = Some(Region::new("us-east-1"));
    let estimate = app.estimate(&plan, &terms, Policy::AsBilled, false)?;
    let title = format!(
        "Estimate of examples/backend-flask.usage.toml for {}, {}",
        plan.month, plan.region
    );
    let detail = report::bill::Detail::default();
    output.show(&report::bill::answer(
        &estimate,
        title,
        &app.catalog,
        detail,
    ))?;

    section(&format!("usage --demo --month {month} --by tag:team"))?;
    let by = [Dimension::Tag("team".to_owned())];
    let (sums, _) = app.usage(&ledger, &[month], &by)?;
    let usage = report::usage::answer(month, false, &sums, &by, &[], Vec::new(), &app.catalog);
    output.show(&usage)?;

    section(&format!("bill --demo --month {month}"))?;
    let rated = app.bill(&ledger, month, &request)?;
    output.show(&report::bill::answer(
        &rated.rated.bill,
        format!("Bill of {month}"),
        &app.catalog,
        detail,
    ))?;

    section("forecast --demo")?;
    let forecast = app.forecast(&ledger, &ForecastOptions::default(), &request)?;
    output.show(&super::forecast::answer(&forecast, app, false, None))?;

    section(&format!(
        "report --demo --month {month} --format csv | head -4"
    ))?;
    let csv = report::finance::render(&rated.rated.bill);
    let head: String = csv
        .lines()
        .take(4)
        .map(|line| format!("{line}\n"))
        .collect();
    output.data(&head)?;
    output.data(
        "\nNext: `pipebill import FILE…` reads your own bill; `pipebill --help` has the rest.\n",
    )?;
    Ok(Exit::Answered)
}
