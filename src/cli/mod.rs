//! The command line: parse, ask, show. One file for each command; the doc comments are the help.

mod bill;
mod check;
#[cfg(feature = "aws")]
mod collect;
mod compare;
mod demo;
#[cfg(feature = "aws")]
mod doctor;
mod error;
mod estimate;
mod exchange;
mod forecast;
mod import;
mod import_progress;
#[cfg(feature = "aws")]
mod import_remote;
mod interrupt;
mod optimize;
mod output;
#[cfg(feature = "aws")]
mod policy;
mod prices;
#[cfg(feature = "aws")]
mod progress;
mod report;
mod shell;
mod terms;
mod usage;
mod whatif;
mod why;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use chrono::NaiveDate;
use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use etcetera::BaseStrategy;

pub use error::{CommandError, Exit};
use output::Output;

use crate::{
    app::{App, DataSource},
    report::{answer::AnswerFormat, answer_formats::ANSWER_FORMATS, formats},
};

/// What AWS CodeBuild, CodePipeline, CodeCommit and CodeDeploy cost, why, and what would change it.
#[derive(Debug, Parser)]
#[command(
    name = "pipebill",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Start with `pipebill demo`: a sample organization, no AWS account needed.\n\n\
                  Exit codes: 0 success · 1 failed · 2 invalid arguments · 3 over budget (check) · 4 incomplete under --strict"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Estimate(estimate::Args),
    #[cfg(feature = "aws")]
    Collect(collect::Args),
    Import(import::Args),
    Usage(usage::Args),
    Bill(bill::Args),
    Forecast(forecast::Args),
    #[command(name = "whatif")]
    WhatIf(whatif::Args),
    Why(why::Args),
    Compare(compare::Args),
    Optimize(optimize::Args),
    Check(check::Args),
    Report(report::Args),
    Prices(prices::Args),
    #[cfg(feature = "aws")]
    Doctor(doctor::Args),
    #[cfg(feature = "aws")]
    Policy(policy::Args),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// How an answer is written, and a file of `pipebill report`: a name of one of them or of both.
#[derive(Clone, Copy, Debug)]
struct Format {
    name: &'static str,
    /// As every command answers.
    answer: Option<&'static AnswerFormat>,
    /// As `pipebill report` writes files.
    report: Option<&'static formats::Format>,
}

impl Format {
    fn named(name: &str) -> Option<Self> {
        let answer = ANSWER_FORMATS.iter().find(|format| format.name == name);
        let report = formats::by_name(name);
        let name = answer.map(|f| f.name).or(report.map(|f| f.name))?;
        Some(Self {
            name,
            answer,
            report,
        })
    }

    /// Returns the format that a file's name asks for.
    fn of_file(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        let answer = ANSWER_FORMATS.iter().find(|f| f.extension == extension);
        let name = answer.map(|format| format.name);
        Self::named(name.or_else(|| Some(formats::by_extension(extension)?.name))?)
    }

    fn parser() -> impl TypedValueParser<Value = Self> {
        let answers = ANSWER_FORMATS
            .iter()
            .map(|format| PossibleValue::new(format.name).help(format.about));
        let own = formats::FORMATS.iter().map(|format| format.name);
        let own = own.filter(|name| ANSWER_FORMATS.iter().all(|format| format.name != *name));
        // The help of `report` lists its own.
        let own = own.map(|name| PossibleValue::new(name).hide(true));
        PossibleValuesParser::new(answers.chain(own))
            .try_map(|name| Self::named(&name).ok_or("no format"))
    }
}

impl Default for Format {
    fn default() -> Self {
        let answer = &ANSWER_FORMATS[0];
        Self {
            name: answer.name,
            answer: Some(answer),
            report: None,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Ledger file [default: in the data directory].
    #[arg(long, global = true, value_name = "FILE", env = "PIPEBILL_LEDGER")]
    ledger: Option<PathBuf>,
    /// Use the embedded sample organization instead of the ledger.
    #[arg(long, global = true)]
    demo: bool,
    /// Output format [default: from the extension of --output, else table].
    #[arg(long, global = true, value_name = "FORMAT", value_parser = Format::parser())]
    format: Option<Format>,
    /// Write the output to a file.
    #[arg(short, long, global = true, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Fail (exit 4) if anything is unpriced or missing.
    #[arg(long, global = true)]
    strict: bool,
    /// Colour and progress bars: auto, always or never.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
    color: clap::ColorChoice,
    /// Log each AWS call; -vv logs each attempt.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Use this date as today.
    #[arg(long, global = true, value_name = "DAY", env = "PIPEBILL_AS_OF")]
    as_of: Option<NaiveDate>,
}

/// Checks the text of a report definition, and says how many files it names; `file` names it in errors.
pub fn check_definition(file: &str, text: &str) -> Result<usize, CommandError> {
    report::check_definition(file, text)
}

/// Runs the program with these arguments and returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match cli.map_err(|error| error.format(&mut command)) {
        Ok(cli) => cli,
        Err(error) => {
            // clap writes help to stdout and errors to stderr; a closed pipe is nobody's problem.
            drop(error.print());
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Answered
            }
            .into();
        }
    };
    // Where Athena writes its results is no file of ours.
    let is_import = matches!(cli.command, Command::Import(_));
    let file = cli.global.output.clone();
    let output = Output::new(
        cli.global.format,
        file.filter(|file| !(is_import && is_in_s3(file))),
        cli.global.color,
        cli.global.verbose,
    );
    match run(cli, &output) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.error(&error);
            error.exit().into()
        }
    }
}

fn run(cli: Cli, output: &Output) -> Result<Exit, CommandError> {
    let global = cli.global;
    let books = || -> Result<DataSource, CommandError> {
        if global.demo {
            return Ok(DataSource::Sample);
        }
        global
            .ledger
            .clone()
            .map_or_else(default_ledger, Ok)
            .map(DataSource::File)
    };
    let today = global.as_of.unwrap_or_else(today);
    let strict = global.strict;
    let open = |source| -> Result<App, CommandError> {
        let mut app = App::new(today, source)?;
        app.labels = |field| error::flag(field).to_owned();
        Ok(app)
    };
    let app = || open(books()?);
    match cli.command {
        Command::Demo(args) => demo::run(&args, &open(DataSource::Sample)?, output),
        Command::Estimate(args) => estimate::run(&args, &app()?, output, strict),
        #[cfg(feature = "aws")]
        Command::Collect(args) => collect::run(&args, &app()?, output, strict),
        #[cfg(feature = "aws")]
        Command::Doctor(args) => doctor::run(&args, &app()?, output),
        #[cfg(feature = "aws")]
        Command::Policy(args) => policy::run(&args, output),
        Command::Import(args) => {
            let results = global.output.as_deref().filter(|file| is_in_s3(file));
            import::run(args, results, &app()?, output, strict)
        }
        Command::Usage(args) => usage::run(&args, &app()?, output, strict),
        Command::Bill(args) => bill::run(&args, &app()?, output, strict),
        Command::Forecast(args) => forecast::run(&args, &app()?, output, strict),
        Command::WhatIf(args) => whatif::run(&args, &app()?, output, strict),
        Command::Why(args) => why::run(&args, &app()?, output, strict),
        Command::Compare(args) => compare::run(&args, &app()?, output, strict),
        Command::Optimize(args) => optimize::run(&args, &app()?, output, strict),
        Command::Check(args) => check::run(&args, &app()?, output, strict),
        Command::Report(args) => report::run(&args, &app()?, output, strict),
        Command::Prices(args) => prices::run(&args, &app()?, output, strict),
        Command::Completions(args) => shell::completions(&args, &mut command(), output),
        Command::Man(args) => shell::man(&args, command(), output),
    }
}

/// Returns the command line, whose help wraps at the width of the terminal: doc comments are broken
/// where the source is.
fn command() -> clap::Command {
    fn wrapping(command: clap::Command) -> clap::Command {
        let long = command
            .get_long_about()
            .map(|text| joined(&text.to_string()));
        let command = match long {
            Some(text) => command.long_about(text),
            None => command,
        };
        command.mut_subcommands(wrapping)
    }
    wrapping(Cli::command())
}

/// Joins the lines of each paragraph. Indented lines, as of examples, stay as they are.
fn joined(text: &str) -> String {
    let is_plain = |line: &str| !line.is_empty() && !line.starts_with("  ");
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some(before) if is_plain(before) && is_plain(line) => {
                before.push(' ');
                before.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

fn is_in_s3(file: &Path) -> bool {
    file.to_str().is_some_and(|file| file.starts_with("s3://"))
}

/// The one place that looks at the clock. AWS bills in UTC.
fn today() -> NaiveDate {
    chrono::Utc::now().date_naive()
}

fn default_ledger() -> Result<PathBuf, CommandError> {
    let home = etcetera::choose_base_strategy().map_err(|_| CommandError::NoHome)?;
    Ok(home.data_dir().join("pipebill").join("ledger.sqlite"))
}

/// Returns the whole command-line reference as text, for `docs/cli.md`.
pub fn reference() -> String {
    fn describe(command: &mut clap::Command, path: &str, out: &mut String) {
        *out += &format!(
            "## `{path}`\n\n```text\n{}\n```\n\n",
            command.render_long_help().to_string().trim_end()
        );
        let names: Vec<String> = command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help" && !sub.is_hide_set())
            .map(|sub| sub.get_name().to_owned())
            .collect();
        for name in names {
            let path = format!("{path} {name}");
            if let Some(sub) = command.find_subcommand_mut(&name) {
                describe(sub, &path, out);
            }
        }
    }
    let mut command = command().term_width(80);
    command.build();
    let mut out =
        "# Command-line reference\n\nMade from the help texts; a test keeps it so.\n\n".to_owned();
    describe(&mut command, "pipebill", &mut out);
    out
}
