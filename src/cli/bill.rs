//! `pipebill bill`: a month of the ledger, rated.

use super::{
    CommandError, Exit,
    estimate::hint_at_unpriced,
    output::Output,
    terms::TermsArgs,
    usage::{RuleArgs, dimension, metered_month},
};
use crate::{
    app::{App, AppError, BillRequest},
    domain::{allocation::Dimension, period::Month},
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
    /// Split the bill by account, project, service, region, meter, day or tag:KEY.
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
    let ledger = app.ledger()?;
    let month = if args.metered {
        metered_month(app, &ledger, args.month)?
    } else {
        app.month(&ledger, args.month)?
    };
    let request = BillRequest {
        by_day: args.by == Some(Dimension::Day),
        ..args.terms.request(app, args.currency.as_deref())?
    };
    let rated = if args.metered {
        app.metered_bill(&ledger, month, &request, args.rules.options())?
    } else {
        app.bill(&ledger, month, &request)?
    };
    let bill = &rated.rated.bill;
    if args.reconcile {
        let title = format!("Reconciliation of {month} with AWS's bill");
        let comparisons = app.reconcile(&rated);
        let metered = if ledger.has_facts().map_err(AppError::from)? {
            Some(app.metered(&ledger, month, args.rules.options())?)
        } else {
            None
        };
        output.show(&report::reconcile::answer(
            &rated,
            &comparisons,
            metered.as_ref(),
            title,
            &app.catalog,
        ))?;
    } else if let Some(by) = &args.by {
        let title = format!("Bill of {month} by {}", by.heading().to_lowercase());
        let allocation = app.allocate(&rated, by, request.sharing);
        output.show(&report::allocation::document(&allocation, bill, title))?;
    } else {
        let detail = report::bill::Detail {
            lines: args.lines,
            explain: args.explain,
        };
        let title = format!("Bill of {month}");
        output.show(&report::bill::answer(bill, title, &app.catalog, detail))?;
    }
    hint_at_unpriced(bill, &app.catalog, output);
    output.say_old_prices(bill.oldest_price(), app.today);
    Ok(Exit::of(bill.is_complete(), strict))
}
