//! `pipebill bill`: a month of the ledger, rated.

use super::{
    CommandError, Exit,
    estimate::hint_at_unpriced,
    output::Output,
    terms::TermsArgs,
    usage::{RuleArgs, dimension},
};
use crate::{
    app::{App, BillRequest, ReconcileRequest},
    domain::{allocation::Dimension, bill::Bill, period::Month},
    report,
};

/// Rate a month's usage and show the bill
///
/// Prices come from your flags, then the bill, then AWS's price lists.
///
/// Examples:
///   pipebill bill --demo --month 2026-10
///   pipebill bill --month 2026-10 --reconcile
///   pipebill bill --month 2026-10 --metered
///   pipebill bill --month 2026-10 --by tag:team --format csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct Args {
    /// Month, e.g. 2026-10 [default: the latest in the ledger].
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// One row for each account and region.
    #[arg(long)]
    lines: bool,
    /// Show how each line was calculated, and all notes.
    #[arg(long)]
    explain: bool,
    /// Compare our rating with AWS's bill and explain each difference.
    #[arg(long, conflicts_with_all = ["explain", "by"])]
    reconcile: bool,
    /// Rate usage metered from builds, runs and updates instead of billed usage.
    #[arg(long, conflicts_with = "reconcile")]
    metered: bool,
    #[command(flatten)]
    rules: RuleArgs,
    /// Split the bill by account, project, service, region, meter, day, job, workflow, repository (of
    /// CI jobs) or tag:KEY.
    #[arg(long, value_name = "DIMENSION", value_parser = dimension, conflicts_with = "explain")]
    by: Option<Dimension>,
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
    if args.reconcile {
        return reconcile(args, app, output, strict);
    }
    let answer = app.bill(&BillRequest {
        month: args.month,
        metered: args.metered.then(|| args.rules.options()),
        by: args.by.clone(),
        currency: args.currency.clone(),
        terms: args.terms.terms(),
    })?;
    let bill = &answer.rated.rated.bill;
    let month = bill.month;
    if let (Some(by), Some(allocation)) = (&args.by, &answer.allocation) {
        let title = format!("Bill of {month} by {}", by.heading().to_lowercase());
        let jobs = answer.jobs.as_ref();
        output.show(&report::allocation::answer(allocation, bill, jobs, title))?;
    } else {
        let detail = report::bill::Detail {
            lines: args.lines,
            explain: args.explain,
        };
        let title = format!("Bill of {month}");
        output.show(&report::bill::answer(bill, title, &app.catalog, detail))?;
    }
    Ok(end(bill, app, output, strict))
}

fn reconcile(args: &Args, app: &App, output: &Output, strict: bool) -> Result<Exit, CommandError> {
    let answer = app.reconcile(&ReconcileRequest {
        month: args.month,
        metering: args.rules.options(),
        currency: args.currency.clone(),
        terms: args.terms.terms(),
    })?;
    let bill = &answer.rated.rated.bill;
    let title = format!("Reconciliation of {} with AWS's bill", bill.month);
    output.show(&report::reconcile::answer(
        &answer.rated,
        &answer.lines,
        answer.metered.as_ref(),
        title,
        &app.catalog,
    ))?;
    Ok(end(bill, app, output, strict))
}

/// Says what to do about a bill, and returns what it ends with.
fn end(bill: &Bill, app: &App, output: &Output, strict: bool) -> Exit {
    hint_at_unpriced(bill, &app.catalog, output);
    output.say_old_prices(bill.oldest_price(), app.today);
    Exit::of(bill.is_complete(), strict)
}
