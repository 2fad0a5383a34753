//! `pipebill demo`: the whole tool on the sample organization.

use clap::Parser;

use super::{
    Cli, Command, CommandError, Exit, bill, estimate, forecast, output::Output, report, usage,
};
use crate::app::App;

/// Try pipebill on an embedded sample organization, no AWS account needed
///
/// Runs estimate, usage, bill, forecast and report. With --demo, any command uses the sample.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// What is shown: commands as they would be typed, and how many lines of each answer.
const SHOWN: [&str; 5] = [
    "estimate examples/backend-flask.usage.toml --price-like us-east-1",
    "usage --demo --month 2026-10 --by tag:team",
    "bill --demo --month 2026-10",
    "forecast --demo",
    "report --demo --month 2026-10 --format csv | head -4",
];

pub(super) fn run(_: &Args, app: &App, output: &Output) -> Result<Exit, CommandError> {
    output.data(
        "The data below are a sample: an invented organization of three accounts, not yours.\n",
    )?;
    for shown in SHOWN {
        output.data(&format!("\n$ pipebill {shown}\n\n"))?;
        let (command, head) = match shown.split_once(" | head -") {
            Some((command, lines)) => (command, lines.parse().ok()),
            None => (shown, None),
        };
        let words = std::iter::once("pipebill").chain(command.split(' '));
        let cli = Cli::try_parse_from(words).expect("a command that is shown can be typed");
        let output = &output.part(cli.global.format, head);
        match cli.command {
            Command::Estimate(args) => estimate::run(&args, app, output, false),
            Command::Usage(args) => usage::run(&args, app, output, false),
            Command::Bill(args) => bill::run(&args, app, output, false),
            Command::Forecast(args) => forecast::run(&args, app, output, false),
            Command::Report(args) => report::run(&args, app, output, false),
            _ => Ok(Exit::Answered),
        }?;
    }
    output.data(
        "\nNext: `pipebill import FILE…` to read your own bill; `pipebill --help` for all commands.\n",
    )?;
    Ok(Exit::Answered)
}
