//! `pipebill optimize`: what would cost less.

use std::path::PathBuf;

use super::{
    CommandError, Exit,
    output::{Output, write_file},
    whatif::{BaselineArgs, currency_of},
};
use crate::{
    app::App,
    collect::scenario_file,
    domain::optimize::{Finding, Optimization},
    report,
};

/// Find what would cost less, each with its evidence and its risk
///
/// Looks through the builds, pipelines and fleets of the last month, and values each change on every
/// month of history: V1 or V2 for all pipelines together, ARM, a size down or Lambda for each
/// project, reserved fleets, minutes lost to rounding and failed builds, idle pipelines. Each finding
/// is a scenario that `whatif` runs. Nothing is recommended at a price that is not known.
///
/// Examples:
///   pipebill optimize --demo
///   pipebill optimize --write scenarios && pipebill whatif scenarios/01-*.toml
///   pipebill optimize --price Reserved-EC2=0.004 --format markdown
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    baseline: BaselineArgs,
    /// How many findings to show.
    #[arg(long, value_name = "N", default_value_t = 12)]
    top: usize,
    /// Write each finding as a scenario file into this directory.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &Args, app: &App, output: &Output) -> Result<Exit, CommandError> {
    let baseline = args.baseline.gather(app)?;
    let found = app.optimize(&baseline)?;
    if let Some(directory) = &args.write {
        write(directory, &found, output)?;
    }
    let currency = currency_of(&baseline);
    let document = report::optimize::document(&baseline.name, &found, args.top, &currency);
    output.document(&document)?;
    Ok(Exit::Answered)
}

/// Writes every finding as a scenario file, or none if one is there already.
fn write(directory: &PathBuf, found: &Optimization, output: &Output) -> Result<(), CommandError> {
    let failed = |source| CommandError::Unwritable {
        target: directory.display().to_string(),
        source,
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let files: Vec<(PathBuf, &Finding)> = found
        .findings
        .iter()
        .enumerate()
        .map(|(at, finding)| (directory.join(file_name(at + 1, finding)), finding))
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(CommandError::Exists(path.display().to_string()));
    }
    for (path, finding) in &files {
        let comments: Vec<String> = finding
            .evidence
            .iter()
            .chain(&finding.assumptions)
            .chain(&finding.risks)
            .cloned()
            .collect();
        write_file(path, &scenario_file::write(&finding.scenario, &comments))?;
    }
    output.say(&format!(
        "{} scenario files in {}",
        files.len(),
        directory.display()
    ));
    Ok(())
}

/// A name that every file system takes: names of projects are anybody's.
fn file_name(rank: usize, finding: &Finding) -> String {
    let title: String = finding
        .title
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<&str> = title.split('-').filter(|word| !word.is_empty()).collect();
    let short: String = words.join("-").chars().take(60).collect();
    format!(
        "{rank:02}-{}-{}.toml",
        finding.kind.name(),
        short.trim_matches(['-', '.'])
    )
}
