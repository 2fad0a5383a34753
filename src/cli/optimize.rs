//! `pipebill optimize`: which changes would have saved money.

use std::path::{Path, PathBuf};

use super::{
    CommandError, Exit, Format,
    output::{Output, write_file},
    terms::number,
    whatif::BaselineArgs,
};
use crate::{
    app::App,
    collect::scenario_file,
    domain::{money::Money, number::parse_quantity, optimize::Optimization, scenario::Scenario},
    report,
};

/// Find the changes that would have saved money, with evidence and risk
///
/// Looks through the last months for pipelines on the dearer type, builds on dearer machines than they
/// may need, reserved fleets that would pay, minutes lost to rounding and second tries. Each finding is
/// a scenario: what it saves is that scenario rated on every month. Where `pipebill collect` has read
/// builds and runs, it works build by build; else on the totals of the bill. It recommends nothing whose
/// price is not known, and says what it could not compare.
///
/// Examples:
///   pipebill optimize --demo
///   pipebill optimize --demo --top 3 --explain
///   pipebill optimize --write savings && pipebill whatif savings/*.toml
///   pipebill optimize --price Reserved-EC2=0.004 --format markdown
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    baseline: BaselineArgs,
    /// Leave out what saves less than this a month.
    #[arg(long, value_name = "AMOUNT", default_value = "1")]
    least: String,
    /// How many findings to show; files and JSON have all of them.
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Show all evidence, assumptions and risks of each finding.
    #[arg(long)]
    explain: bool,
    /// Write each finding as a scenario file into this directory, for `pipebill whatif`.
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub(super) fn run(
    args: &Args,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let least = number(
        "--least",
        args.least.trim_start_matches('$'),
        parse_quantity,
    )?;
    let baseline = args.baseline.gather(app)?;
    let found = app.optimize(&baseline, Money::new(least))?;
    if let Some(directory) = &args.write {
        write(directory, &found, output)?;
    }
    match output.format {
        Format::Json => output.data(&report::optimize::json(&found))?,
        Format::Csv => {
            let document = report::optimize::document(&found, usize::MAX, args.explain);
            output.document(&document)?;
        }
        _ => output.document(&report::optimize::document(&found, args.top, args.explain))?,
    }
    Ok(Exit::of(found.complete, strict))
}

/// Writes a scenario file for each finding, and one for those that go together.
fn write(directory: &Path, found: &Optimization, output: &Output) -> Result<(), CommandError> {
    std::fs::create_dir_all(directory).map_err(|source| CommandError::Unwritable {
        target: directory.display().to_string(),
        source,
    })?;
    let mut count = 0;
    let mut file = |name: String, scenario: &Scenario, comments: &[String]| {
        count += 1;
        let text = scenario_file::write(scenario, comments);
        write_file(&directory.join(name), &text)
    };
    for (number, finding) in (1..).zip(&found.findings) {
        let slug = report::optimize::slug(&finding.subject);
        let name = format!("{number:02}-{}-{slug}.toml", finding.kind.name());
        let comments = report::optimize::comments(found, finding);
        file(name, &finding.scenario, &comments)?;
    }
    if let Some(together) = &found.together {
        file("together.toml".to_owned(), &together.scenario, &[])?;
    }
    output.say(&format!(
        "{count} scenario files written to {}",
        directory.display()
    ));
    Ok(())
}
