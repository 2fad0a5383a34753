//! `pipebill optimize`: which changes would have saved money.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    CommandError, Exit,
    output::Output,
    terms::number,
    whatif::{Against, BaselineArgs},
};
use crate::{
    app::{App, OptimizeRequest},
    atomic_file::{self, PendingFile},
    domain::{money::Money, number::parse_quantity, optimize::Optimization},
    report::{self, scenario_file},
};

/// Find changes that would have saved money, with evidence and risks
///
/// Looks for pipelines of the more expensive type, oversized or x86 builds, reserved fleets that would pay
/// off, minutes lost to rounding and retries, and logs or artifacts that never expire. Each saving is a
/// scenario rated on every month. Uses individual builds and runs if `pipebill collect` has read them, else
/// the totals of the bill. Changes without a known price are listed as not compared.
///
/// Examples:
///   pipebill optimize --demo
///   pipebill optimize --demo --top 3 --explain
///   pipebill optimize --write savings && pipebill whatif savings/*.toml
///   pipebill optimize --price Reserved:Linux:x86-64.g1.large=0.01 --format markdown
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    baseline: BaselineArgs,
    /// Rank by savings over past months, or over the next month in 2,000 simulations.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "history",
        conflicts_with = "usage"
    )]
    against: Against,
    /// Hide savings below this amount a month.
    #[arg(long, value_name = "AMOUNT", default_value = "1")]
    min_saving: String,
    /// Number of findings to show; CSV and JSON have all.
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Show all evidence, assumptions, risks and notes.
    #[arg(long)]
    explain: bool,
    /// Write each finding to this directory as a scenario file for `pipebill whatif`.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Overwrite existing scenario files.
    #[arg(long, requires = "write")]
    force: bool,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let least = number(
        "--min-saving",
        args.min_saving.trim_start_matches('$'),
        parse_quantity,
    )?;
    let savings = app.optimize(&OptimizeRequest {
        baseline: args.baseline.request(),
        least: Money::new(least),
        ahead: args.against == Against::Forecast,
    })?;
    output.say_assumptions(&savings.assumptions);
    let oldest = savings.oldest_price();
    let found = savings.found;
    if let Some(directory) = &args.write {
        write(directory, args.force, &found, output)?;
    }
    output.say_old_prices(oldest, app.today);
    output.show(&report::optimize::answer(&found, args.top, args.explain))?;
    Ok(Exit::of(found.complete, strict))
}

/// Writes a scenario file for each finding, and one for those that go together: all or none.
fn write(
    directory: &Path,
    force: bool,
    found: &Optimization,
    output: &Output,
) -> Result<(), CommandError> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for (number, finding) in (1..).zip(&found.findings) {
        let slug = report::optimize::slug(&finding.subject);
        let name = format!("{number:02}-{}-{slug}.toml", finding.kind.name());
        let comments = report::optimize::comments(found, finding);
        let text = scenario_file::write(&report::optimize::scenario(found, finding), &comments);
        files.push((directory.join(name), text));
    }
    if let Some(together) = &found.best_combination {
        let text = scenario_file::write(&together.scenario, &[]);
        files.push((directory.join("together.toml"), text));
    }
    if let Some((path, _)) = files.iter().find(|(path, _)| !force && path.exists()) {
        return Err(CommandError::Exists(path.display().to_string()));
    }
    let unwritable = |path: &Path, source| CommandError::Unwritable {
        target: path.display().to_string(),
        source,
    };
    std::fs::create_dir_all(directory).map_err(|source| unwritable(directory, source))?;
    let mut drafts = Vec::new();
    for (path, text) in &files {
        let mut draft = PendingFile::of(path).map_err(|source| unwritable(path, source))?;
        let written = draft.write_all(text.as_bytes());
        written.map_err(|source| unwritable(path, source))?;
        drafts.push(draft);
    }
    atomic_file::publish(drafts, force).map_err(|(path, source)| unwritable(&path, source))?;
    output.say(&format!(
        "{} scenario files written to {}",
        files.len(),
        directory.display()
    ));
    Ok(())
}
