//! `pipebill check`: a budget gate for CI.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    CommandError, Exit, Format,
    output::Output,
    terms::number,
    whatif::{BaselineArgs, SetArgs, currency_of, stated},
};
use crate::{
    app::{App, AppError, BillRequest},
    domain::{
        budget::{Check, Limit},
        ids::Currency,
        money::Money,
        number::parse_quantity,
        period::Month,
        scenario::Scenario,
    },
    forecast::ForecastOptions,
    inputs::resolve::Percent,
    report,
};

/// Exit with 3 if something costs more than it may, and say why in one line
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
    /// What a month may cost.
    #[arg(long, value_name = "AMOUNT", required_unless_present = "max_increase")]
    budget: Option<String>,
    /// How much more than --base the usage file may cost, e.g. 10%.
    #[arg(long, value_name = "PERCENT", requires_all = ["base", "usage"], conflicts_with = "budget")]
    max_increase: Option<Percent>,
    /// The usage file as it was.
    #[arg(long, value_name = "USAGE.TOML", requires = "max_increase")]
    base: Option<PathBuf>,
    /// What is checked [default: scenario if there is one, else forecast].
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "usage")]
    against: Option<Against>,
    /// A scenario file.
    #[arg(long, value_name = "SCENARIO.TOML")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    changes: SetArgs,
    #[command(flatten)]
    baseline: BaselineArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Against {
    /// The P50 of the current month's end.
    Forecast,
    /// A month of the ledger as it was billed.
    Bill,
    /// A month of the ledger under a scenario.
    Scenario,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let budget = args
        .budget
        .as_deref()
        .map(|text| number("--budget", text.trim_start_matches('$'), parse_quantity))
        .transpose()?
        .map(Money::new);
    let (check, more, currency) = args.verdict(app, output, budget)?;
    if output.format == Format::Table {
        // One line, whatever the terminal's width: it is read in logs.
        let line = report::check::line(&check, &more, &currency);
        output.data(&format!("{}\n", report::text::clean(&line)))?;
    } else {
        output.document(&report::check::document(&check, &more, &currency))?;
    }
    Ok(if check.is_over() {
        Exit::OverBudget
    } else {
        Exit::of(check.complete, strict)
    })
}

impl Args {
    fn verdict(
        &self,
        app: &App,
        output: &Output,
        budget: Option<Money>,
    ) -> Result<(Check, Vec<String>, Currency), CommandError> {
        let files: Vec<PathBuf> = self.scenario.iter().cloned().collect();
        let scenarios = self.changes.scenarios(&files, app)?;
        let scenario = &scenarios[0];
        let limit = |budget: Option<Money>| Limit::Budget(budget.unwrap_or_default());
        let has_scenario = !scenario.changes.is_empty();
        let against = self.against.unwrap_or(if has_scenario {
            Against::Scenario
        } else {
            Against::Forecast
        });
        if self.baseline.usage.is_none() && against != Against::Scenario && !has_scenario {
            let request = self.baseline.request(app)?;
            return if against == Against::Bill {
                self.bill(app, limit(budget), &request)
            } else if self.baseline.month.is_some() {
                Err(CommandError::BadValue {
                    flag: "--month",
                    problem:
                        "the forecast is of the current month: add --against bill or --against \
                              scenario for another"
                            .to_owned(),
                })
            } else {
                forecast(app, limit(budget), budget, &request)
            };
        }
        if has_scenario && matches!(self.against, Some(Against::Forecast | Against::Bill)) {
            return Err(CommandError::BadValue {
                flag: "--against",
                problem: "a scenario is checked against its own cost: leave --against out"
                    .to_owned(),
            });
        }
        let baseline = self.baseline.gather(app, output)?;
        let (cost, mut complete) = app.costliest_month(&baseline, scenario)?;
        let limit = match (&self.base, self.max_increase) {
            (Some(base), Some(percent)) => {
                let before = stated(base, &self.baseline.terms, app, output)?;
                let (base, whole) = app.costliest_month(&before, &Scenario::default())?;
                complete &= whole;
                Limit::Increase {
                    base,
                    percent: percent.0,
                }
            }
            _ => limit(budget),
        };
        let what = if has_scenario {
            format!("{} under {}", baseline.name, scenario.name)
        } else {
            baseline.name.clone()
        };
        let check = Check {
            what,
            cost,
            limit,
            complete,
        };
        Ok((check, Vec::new(), currency_of(&baseline)))
    }

    fn bill(
        &self,
        app: &App,
        limit: Limit,
        request: &BillRequest,
    ) -> Result<(Check, Vec<String>, Currency), CommandError> {
        let ledger = app.ledger()?;
        let month: Month = match self.baseline.month {
            Some(month) => app.month(&ledger, Some(month))?,
            None => app.last_whole_month(&ledger)?,
        };
        let rated = app.bill(&ledger, month, request)?;
        let bill = &rated.rated.bill;
        let check = Check {
            what: format!("the bill of {month}"),
            cost: bill.total(),
            limit,
            complete: bill.is_complete(),
        };
        Ok((check, Vec::new(), bill.currency.clone()))
    }
}

fn forecast(
    app: &App,
    limit: Limit,
    budget: Option<Money>,
    request: &BillRequest,
) -> Result<(Check, Vec<String>, Currency), CommandError> {
    let ledger = app.ledger()?;
    let options = ForecastOptions {
        months: 0,
        budget,
        ..ForecastOptions::default()
    };
    let forecast = app.forecast(&ledger, &options, request)?;
    let month = forecast.result.months.last().ok_or(AppError::EmptyLedger)?;
    let shown = |amount| report::show_money(amount, &forecast.currency);
    let mut more = vec![format!(
        "P10 {}, P90 {}",
        shown(month.total.p10),
        shown(month.total.p90)
    )];
    if let Some(share) = month.over_budget {
        more.push(format!(
            "{} of futures cost more",
            report::Cell::Percent(share).shown()
        ));
    }
    let recurring = forecast.discounts.recurring.iter();
    more.extend(
        recurring.map(|of| report::discounts::less(app.catalog.service_name(&of.service), of)),
    );
    if !forecast.costs.services.is_empty() {
        more.push("forecast as costs: the export states no quantities".to_owned());
    }
    let check = Check {
        what: format!("the forecast of {} (P50)", month.month),
        cost: month.total.p50,
        limit,
        complete: month.exact.is_complete(),
    };
    Ok((check, more, forecast.currency.clone()))
}
