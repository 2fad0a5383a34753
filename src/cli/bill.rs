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

/// Rate a month of the ledger
///
/// Prices come from your flags, then from the bill itself, then from the catalogue.
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
    /// Which month [default: the last one in the ledger].
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Give each account and region a row of its own.
    #[arg(long)]
    lines: bool,
    /// Show every step of every line.
    #[arg(long)]
    explain: bool,
    /// Put our rating beside what AWS charged, each difference explained.
    #[arg(long, conflicts_with_all = ["explain", "by"])]
    reconcile: bool,
    /// Rate what builds, runs and updates amount to by AWS's rules, in place of what was billed.
    #[arg(long, conflicts_with = "reconcile")]
    metered: bool,
    #[command(flatten)]
    rules: RuleArgs,
    /// Share the bill by account, project, service, region, meter, day or tag:KEY.
    #[arg(long, value_name = "DIMENSION", value_parser = dimension, conflicts_with = "explain")]
    by: Option<Dimension>,
    /// Which currency, if the ledger has several.
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
        let title = format!("Reconciliation of {month}: our rating beside AWS's");
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
        output.show(&report::allocation::answer(&allocation, bill, title))?;
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
