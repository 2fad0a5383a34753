//! `pipebill whatif`: what would change if something were different.
#![expect(
    clippy::doc_markdown,
    reason = "the doc comments are the help, shown as they stand"
)]

use std::path::PathBuf;

use clap::ValueEnum;
use rust_decimal::Decimal;

use super::{
    CommandError, Exit,
    output::Output,
    terms::{TermsArgs, number},
};
use crate::{
    app::{Answer, App, AppError, Baseline, BillRequest},
    domain::{
        ids::{Currency, Region},
        number::parse_quantity,
        period::Month,
        plan::PricingTerms,
        scenario::{
            Scenario, break_even,
            parameter::{self, Variation},
        },
    },
    forecast::ForecastOptions,
    inputs::scenario_file,
    inputs::usage_file,
    report::{self, whatif::DifferenceRange, whatif::Shown},
};

/// The changes there are. A test reads each.
const CHANGES: &str = "\
Changes, by --set or in a file as \"NAME\" = \"VALUE\"; = sets, =+ and =- add, *= multiplies:
  people       active_users=+10, git_requests*=2, storage_gb=+50
  pipelines    v1_pipelines=12, v2_action_minutes*=0.8, pipeline_type[team-*]=V2
  volume       builds*=1.5, minutes[project:api]*=0.7, builds[tag:team:web]*=2
  compute      compute[general1.medium]=arm1.medium,speed=1.2
  Lambda       compute[arm1.small]=lambda.arm.4GB
  fleets       compute[general1.large]=reserved,machines=3,overflow=queue
  deployments  on_premises_updates*=2, on_premises_targets=20,deployments=30
  storage      log_retention=30, artifact_retention=30, log_storage[old-*]*=0
  elsewhere    region=eu-west-1, price_like=us-east-1
  any meter    usage[AmazonS3:Requests-Tier1]*=2, security_baseline=on
  prices       free_tier=off, price[Build-Min:Linux:g1.large]=0.018, discount[CodeBuild]=5%";

/// Compare changes with what is used now, and show where they start to pay
///
/// A change is NAME=VALUE or NAME*=FACTOR, in a scenario file or with --set; docs/scenarios.md has
/// all of them. Builds are metered again one by one where they are known, since each is rounded up by
/// itself; the answer says where only totals are.
///
/// Examples:
///   pipebill whatif --demo --set 'compute[general1.large,region:us-east-1]=arm1.large,speed=1.2'
///   pipebill whatif v2-everywhere.toml arm.toml --month 2026-10
///   pipebill whatif --usage usage.toml --set active_users=+10
///   pipebill whatif --set 'compute[general1.large]=arm1.large' --breakeven speed
///   pipebill whatif --sweep active_users=5..50:5 --sweep 'builds*=0.5..2:0.25'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = CHANGES)]
pub(super) struct Args {
    /// Scenario files; each is compared with the baseline.
    #[arg(value_name = "SCENARIO.TOML")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: SetArgs,
    #[command(flatten)]
    baseline: BaselineArgs,
    /// Compare with the months that were, or with those to come: 10,000 futures, each under both.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "history", conflicts_with_all = ["sweep", "breakeven", "tornado"])]
    against: Against,
    /// How many whole months to come, with --against forecast.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=36))]
    months: u32,
    /// Turn a quantity: active_users=5..50:5, or speed=0.8,1,1.2. Twice for two axes.
    #[arg(long, value_name = "NAME=VALUES", conflicts_with_all = ["breakeven", "tornado"])]
    sweep: Vec<String>,
    /// Find where the scenario starts to pay: speed, machines, builds, active_users… A range narrows
    /// it: speed=0.5..2.
    #[arg(long, value_name = "NAME", conflicts_with = "tornado")]
    breakeven: Option<String>,
    /// Turn every driver down and up, and rank them: by 20 %, another percentage, or `own` for its own
    /// P10 and P90 of the months before.
    #[arg(long, value_name = "SWING", num_args = 0..=1, default_missing_value = "20%")]
    tornado: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Against {
    /// Recorded or stated usage.
    History,
    /// The forecast.
    Forecast,
}

#[derive(Debug, Default, clap::Args)]
pub(super) struct SetArgs {
    /// Change something: active_users=+10, builds*=1.5, 'pipeline_type[team-*]=V2'. Repeatable; on top
    /// of every scenario file.
    #[arg(long, value_name = "CHANGE")]
    set: Vec<String>,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Baseline")]
pub(super) struct BaselineArgs {
    /// A month of the ledger [default: the last whole one].
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to", "usage"])]
    pub(super) month: Option<Month>,
    /// The first of several months.
    #[arg(long, value_name = "MONTH", requires = "to", conflicts_with = "usage")]
    from: Option<Month>,
    /// The last of several months.
    #[arg(long, value_name = "MONTH", requires = "from")]
    to: Option<Month>,
    /// Stated usage in place of the ledger.
    #[arg(long, value_name = "USAGE.TOML")]
    pub(super) usage: Option<PathBuf>,
    /// Months of history behind P10, P50 and P90 of a difference.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(0..=36))]
    history: u32,
    /// Which currency, if the ledger has several.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    pub(super) terms: TermsArgs,
}

impl SetArgs {
    /// Returns the scenarios of files, each with these changes on top; without files, the changes
    /// alone.
    pub(super) fn scenarios(
        &self,
        files: &[PathBuf],
        app: &App,
    ) -> Result<Vec<Scenario>, CommandError> {
        let mut set = Vec::new();
        for text in &self.set {
            let change = scenario_file::parse_set("--set", text, &app.catalog);
            set.push(change.map_err(AppError::from)?);
        }
        let mut scenarios = Vec::new();
        for file in files {
            let mut scenario = scenario_file::read(file, &app.catalog).map_err(AppError::from)?;
            scenario.changes.extend(set.iter().cloned());
            scenarios.push(scenario);
        }
        if scenarios.is_empty() {
            let name = match &set[..] {
                [] => "the bill".to_owned(),
                [only] => only.to_string(),
                several => format!("{} changes", several.len()),
            };
            scenarios.push(Scenario {
                name,
                note: None,
                changes: set,
            });
        }
        Ok(scenarios)
    }
}

impl BaselineArgs {
    /// Returns how months of the ledger are rated.
    pub(super) fn request(&self, app: &App) -> Result<BillRequest, CommandError> {
        self.terms.request(&app.catalog, self.currency.as_deref())
    }

    /// Gathers what is compared with.
    pub(super) fn gather(&self, app: &App, output: &Output) -> Result<Baseline, CommandError> {
        if let Some(file) = &self.usage {
            return stated(file, &self.terms, app, output);
        }
        let request = self.request(app)?;
        let mut ledger = app.ledger()?;
        let months: Vec<Month> = match (self.month, self.from, self.to) {
            (_, Some(from), Some(to)) if from > to => {
                return Err(CommandError::BadValue {
                    flag: "--from",
                    problem: format!("{from} is after {to}"),
                });
            }
            (_, Some(from), Some(to)) => {
                let months = std::iter::successors(Some(from), |month| Some(month.next()));
                months.take_while(|month| *month <= to).collect()
            }
            (Some(month), ..) => vec![month],
            _ => vec![app.last_whole_month(&ledger)?],
        };
        let history = self.history as usize;
        let mut first = months[0];
        let last = months[months.len() - 1];
        let mut oldest = last;
        for _ in 1..history {
            oldest = oldest.previous();
        }
        first = first.min(oldest);
        app.add_sample_facts(&mut ledger, first)?;
        Ok(app.baseline(&ledger, &months, history, &request)?)
    }
}

/// Reads a usage file as a baseline.
pub(super) fn stated(
    file: &std::path::Path,
    terms: &TermsArgs,
    app: &App,
    output: &Output,
) -> Result<Baseline, CommandError> {
    let read = usage_file::read(file, &app.catalog).map_err(AppError::from)?;
    let region = read
        .region
        .clone()
        .unwrap_or_else(|| Region::new("us-east-1"));
    let month = read.month.unwrap_or_else(|| Month::of(app.today));
    let plan = read.plan(month, region);
    if plan.items.is_empty() && plan.pipelines.is_empty() {
        return Err(CommandError::NothingStated);
    }
    for note in plan.assumptions() {
        let note = report::words::bill::remark(&note);
        output.say(&format!("note: {}", note.text));
    }
    let terms: PricingTerms = terms.over(read.terms, &app.catalog)?;
    let name = file.display().to_string();
    Ok(app.stated_baseline(name, &plan, terms)?)
}

/// Returns what a baseline is billed in.
pub(super) fn currency_of(baseline: &Baseline) -> Currency {
    let first = baseline.months.first();
    first.map_or_else(
        || Currency::new("USD"),
        |month| month.workload.currency.clone(),
    )
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let scenarios = args.changes.scenarios(&args.files, app)?;
    let turned = !args.sweep.is_empty() || args.tornado.is_some();
    if scenarios.iter().all(|scenario| scenario.changes.is_empty())
        && !turned
        && (args.files.is_empty() || args.breakeven.is_some())
    {
        return Err(CommandError::NoChange);
    }
    let baseline = args.baseline.gather(app, output)?;
    let currency = currency_of(&baseline);
    if !args.sweep.is_empty() || args.breakeven.is_some() || args.tornado.is_some() {
        output.one_picture(scenarios.len())?;
        for scenario in &scenarios {
            turn(args, scenario, &baseline, app, output)?;
        }
        return Ok(Exit::Answered);
    }
    let mut answers = Vec::new();
    for scenario in &scenarios {
        answers.push(app.compare(&baseline, scenario)?);
    }
    let oldest = answers.iter().filter_map(|a| a.comparison.oldest_price);
    output.say_old_prices(oldest.min(), app.today);
    if args.against == Against::Forecast {
        ahead(args, &answers, &baseline, app, output)?;
        return Ok(Exit::of(is_complete(&answers, &baseline), strict));
    }
    let shown: Vec<Shown<'_>> = answers.iter().map(shown).collect();
    let notes = notes(&baseline, &answers, &currency, app);
    output.document(&report::whatif::document(
        &baseline.name,
        &shown,
        &notes,
        &currency,
        &app.catalog,
    ))?;
    Ok(Exit::of(is_complete(&answers, &baseline), strict))
}

fn is_complete(answers: &[Answer], baseline: &Baseline) -> bool {
    let mut totals = answers.iter().map(|answer| answer.comparison.total);
    totals.all(|total| total.whole.both()) && baseline.costs_only().is_empty()
}

/// Compares with the months to come.
fn ahead(
    args: &Args,
    answers: &[Answer],
    baseline: &Baseline,
    app: &App,
    output: &Output,
) -> Result<(), CommandError> {
    if args.baseline.usage.is_some() {
        return Err(CommandError::BadValue {
            flag: "--against",
            problem: "stated usage has no past to continue".to_owned(),
        });
    }
    let ledger = app.ledger()?;
    let request = args.baseline.request(app)?;
    let options = ForecastOptions {
        months: args.months,
        ..ForecastOptions::default()
    };
    for Answer { comparison, .. } in answers {
        let scenario = &comparison.scenario;
        let compared = app.compare_ahead(&ledger, baseline, scenario, &options, &request)?;
        let currency = currency_of(baseline);
        let mut notes = report::discounts::of_comparison(&baseline.discounts, &app.catalog);
        let costs_only = baseline.costs_only();
        notes.extend(report::costs::left_out(
            &costs_only,
            &currency,
            &app.catalog,
        ));
        output.document(&report::whatif::ahead(
            &scenario.name,
            &baseline.name,
            comparison,
            &compared,
            &notes,
            &currency,
        ))?;
    }
    Ok(())
}

fn shown(answer: &Answer) -> Shown<'_> {
    Shown {
        comparison: &answer.comparison,
        range: answer.history.map(|(spread, months)| DifferenceRange {
            spread,
            over: format!("{months} months of history"),
        }),
    }
}

fn notes(
    baseline: &Baseline,
    answers: &[Answer],
    currency: &Currency,
    app: &App,
) -> Vec<report::Note> {
    let gaps = baseline.months.iter().flat_map(|month| &month.gaps);
    let mut notes: Vec<_> = gaps.map(report::words::scenario::missing).collect();
    let rated = answers
        .iter()
        .find(|answer| !answer.comparison.scenario.is_of_storage())
        .map(|answer| answer.comparison.total.baseline);
    if let (Some(billed), Some(rated)) = (baseline.billed(), rated)
        && billed.to_cents() != rated.to_cents()
    {
        notes.push(report::words::scenario::rerated(billed, currency));
    }
    notes.extend(report::discounts::of_comparison(
        &baseline.discounts,
        &app.catalog,
    ));
    notes.extend(report::costs::left_out(
        &baseline.costs_only(),
        currency,
        &app.catalog,
    ));
    let left_out = baseline.left_out();
    if !left_out.is_zero() {
        notes.push(report::words::usage_only(left_out, currency));
    }
    notes
}

/// Turns a quantity of a scenario, in the way asked for.
fn turn(
    args: &Args,
    scenario: &Scenario,
    baseline: &Baseline,
    app: &App,
    output: &Output,
) -> Result<(), CommandError> {
    let mut parameters = Vec::new();
    for text in &args.sweep {
        let axis =
            scenario_file::parse_axis("--sweep", text, &app.catalog).map_err(AppError::from)?;
        parameters.push(axis);
    }
    let range = args.breakeven.as_ref().map(|text| {
        scenario_file::parse_range("--breakeven", text, &app.catalog).map_err(AppError::from)
    });
    let range = range.transpose()?;
    let turns_storage =
        |parameter: &parameter::Parameter| matches!(parameter, parameter::Parameter::Retention(..));
    let is_of_storage = scenario.is_of_storage()
        || parameters.iter().any(|axis| turns_storage(&axis.parameter))
        || range
            .as_ref()
            .is_some_and(|(parameter, _)| turns_storage(parameter));
    let baseline = &*baseline.of(is_of_storage)?;
    app.check_names(baseline, scenario)?;
    let months = baseline.raters(app);
    let currency = currency_of(baseline);
    let rating = |error| CommandError::from(AppError::Rating(error));
    let fits = |flag: &'static str, parameter: &parameter::Parameter| {
        if let Some(change) = parameter.is_set_by(scenario) {
            return Err(CommandError::BadValue {
                flag,
                problem: format!(
                    "{change} sets {} already: leave one of them out, or let the scenario add to it \
                     (=+) or multiply it (*=)",
                    parameter.name()
                ),
            });
        }
        if parameter.fits(scenario) {
            return Ok(());
        }
        Err(CommandError::BadValue {
            flag,
            problem: format!(
                "no change has a {0} to turn; {0} belongs to {1}",
                parameter.name(),
                match parameter {
                    parameter::Parameter::Speed => "compute[…]=…",
                    parameter::Parameter::Machines => "compute[…]=reserved,machines=…",
                    _ => "pipeline_type[…]=V2",
                }
            ),
        })
    };
    let document = if let Some((parameter, range)) = range {
        fits("--breakeven", &parameter)?;
        let range = range.unwrap_or_else(|| parameter::usual_range(&parameter, &months));
        if parameter.is_whole() && range.0.ceil() >= range.1.floor() {
            return Err(CommandError::BadValue {
                flag: "--breakeven",
                problem: format!(
                    "there are no halves of {}: write a range of two whole numbers or more",
                    parameter.name()
                ),
            });
        }
        let even = break_even::break_even(&months, scenario, &parameter, range).map_err(rating)?;
        report::whatif::break_even(&baseline.name, &scenario.name, &even, &currency)
    } else if let Some(text) = &args.tornado {
        let swing = if text == "own" {
            Variation::Own(parameter::own_swings(&baseline.past(app), &months))
        } else {
            Variation::Percent(number(
                "--tornado",
                text.trim_end_matches('%'),
                parse_quantity,
            )?)
        };
        if matches!(swing, Variation::Percent(percent) if percent > Decimal::ONE_HUNDRED) {
            return Err(CommandError::BadValue {
                flag: "--tornado",
                problem: "nothing can be turned down by more than all of it".to_owned(),
            });
        }
        let tornado = parameter::tornado(&months, scenario, &swing).map_err(rating)?;
        report::whatif::tornado(&baseline.name, &scenario.name, &tornado, &swing, &currency)
    } else {
        for axis in &parameters {
            fits("--sweep", &axis.parameter)?;
        }
        if parameters.len() > 2 {
            return Err(CommandError::BadValue {
                flag: "--sweep",
                problem: "one or two axes; run it again for another".to_owned(),
            });
        }
        let sweep = parameter::sweep(&months, scenario, &parameters).map_err(rating)?;
        report::whatif::sweep(&baseline.name, &scenario.name, &sweep, &currency)
    };
    output.document(&document)
}
