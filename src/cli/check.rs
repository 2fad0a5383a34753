//! `pipebill check`: a budget gate for CI.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    CommandError, Exit,
    output::Output,
    terms::budget,
    whatif::{BaselineArgs, SetArgs},
};
use crate::{
    app::{Allowed, App, CheckAgainst, CheckRequest},
    inputs::resolve::Percent,
    report,
};

/// Fail (exit 3) if cost exceeds a budget
///
/// Examples:
///   pipebill check --budget 500                               (the month's forecast)
///   pipebill check --budget 500 --against bill --month 2026-10
///   pipebill check --budget 500 --scenario arm.toml
///   pipebill check --usage usage.toml --budget 40
///   pipebill check --usage usage.toml --base main-usage.toml --max-increase 10%
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Monthly budget.
    #[arg(long, value_name = "AMOUNT", required_unless_present = "max_increase")]
    budget: Option<String>,
    /// Allowed increase over --base, e.g. 10%.
    #[arg(long, value_name = "PERCENT", requires_all = ["base", "usage"], conflicts_with = "budget")]
    max_increase: Option<Percent>,
    /// Usage file to compare with, as it was before the change.
    #[arg(long, value_name = "USAGE.TOML", requires = "max_increase")]
    base: Option<PathBuf>,
    /// What to check [default: scenario if there is one, else forecast].
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "usage")]
    against: Option<Against>,
    /// Scenario file.
    #[arg(long, value_name = "SCENARIO.TOML")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    changes: SetArgs,
    #[command(flatten)]
    baseline: BaselineArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Against {
    /// The current month's forecast total (P50).
    Forecast,
    /// A month of the ledger as rated.
    Bill,
    /// A month of the ledger under a scenario.
    Scenario,
}

impl Against {
    fn checked(self) -> CheckAgainst {
        match self {
            Self::Forecast => CheckAgainst::Forecast,
            Self::Bill => CheckAgainst::Bill,
            Self::Scenario => CheckAgainst::Scenario,
        }
    }
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let files: Vec<PathBuf> = args.scenario.iter().cloned().collect();
    let checked = app.check(&CheckRequest {
        limit: args.limit()?,
        against: args.against.map(Against::checked),
        scenario: args.changes.scenarios(&files),
        baseline: args.baseline.request(),
    })?;
    output.say_assumptions(&checked.assumptions);
    let (check, currency) = (&checked.check, &checked.currency);
    let more = checked.forecast.as_ref().map_or_else(Vec::new, |it| {
        report::words::check::of_forecast(it, &app.catalog)
    });
    output.show(&report::check::answer(check, &more, currency))?;
    Ok(if check.is_over() {
        Exit::OverBudget
    } else {
        Exit::of(check.complete, strict)
    })
}

impl Args {
    fn limit(&self) -> Result<Allowed, CommandError> {
        if let (Some(base), Some(percent)) = (&self.base, self.max_increase) {
            return Ok(Allowed::Increase {
                base: base.clone(),
                percent: percent.0,
            });
        }
        let budget = budget(self.budget.as_deref())?;
        Ok(Allowed::Budget(budget.unwrap_or_default()))
    }
}
