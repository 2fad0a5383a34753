//! `pipebill import`: billing exports into the ledger.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::{CommandError, Exit, import_progress::ImportProgress, output::Output};
use crate::{
    app::{App, ImportRequest},
    domain::period::Month,
    report,
};

/// Import billing exports into the ledger
///
/// Supported: Cost and Usage Reports (2.0 and legacy) and FOCUS 1.0 and 1.2, as CSV or Parquet; Cost
/// Explorer downloads in any language and `aws ce get-cost-and-usage` output; the monthly bill as CSV
/// from the Bills page; a plain daily CSV; and jobs of GitHub Actions as `gh api` writes them, for the
/// cost of each (docs/ci-jobs.md). Files may be gzipped or zipped. The kind is detected from the
/// columns; other files in a folder are named and ignored. From an AWS delivery folder, the newest
/// complete delivery of each month is read, and only if it changed since the last import.
///
/// Nothing is written until everything has been read. Importing a month again replaces it;
/// overlapping exports are never summed.
///
/// s3://BUCKET/PREFIX is read in place, only the needed columns of Parquet. An interrupted import
/// resumes.
///
/// athena://DATABASE.TABLE queries Athena for the totals of one month instead of reading files. The
/// amount scanned is shown beforehand where known, and its cost afterwards. If the workgroup sets no
/// location for results, add --output s3://….
///
/// Examples:
///   pipebill import cur/*.csv.gz
///   pipebill import exports/ --month 2026-10
///   pipebill import cost-explorer.json --source production
///   pipebill import jobs.json
///   pipebill import s3://my-cur/exports/daily --month 2026-10
///   pipebill import athena://billing.cur --month 2026-10 --dry-run
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[expect(
    clippy::doc_markdown,
    reason = "the comment is the help, where addresses stand bare"
)]
pub(super) struct Args {
    /// Files, delivery folders, one s3://BUCKET/PREFIX, or one athena://DATABASE.TABLE.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Import only this billing month; other months of a folder are not opened.
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<Month>,
    /// Skip unreadable rows: they are counted, named and saved beside the ledger.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Also keep another service in detail, e.g. s3 or ecr. Repeatable.
    #[arg(long, value_name = "SERVICE")]
    include: Vec<String>,
    /// Name for a source that states no payer, to keep several apart.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Accept an export that is smaller than the one it replaces; otherwise the month stays
    /// incomplete.
    #[arg(long)]
    allow_smaller: bool,
    /// Last day included in an open month's totals, if the file does not say.
    #[arg(long, value_name = "DAY")]
    known_until: Option<NaiveDate>,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    cloud: super::import_remote::CloudArgs,
}

/// Returns the exports that are not in files.
fn elsewhere(files: &[PathBuf]) -> impl Iterator<Item = &str> {
    let names = files.iter().filter_map(|file| file.to_str());
    names.filter(|name| name.starts_with("athena://") || name.starts_with("s3://"))
}

#[cfg_attr(
    not(feature = "aws"),
    expect(unused_variables, reason = "only Athena needs a place for results")
)]
pub(super) fn run(
    args: Args,
    results: Option<&Path>,
    app: &App,
    output: &Output,
    strict: bool,
) -> Result<Exit, CommandError> {
    let request = ImportRequest {
        month: args.month,
        skip_bad_rows: args.skip_bad_rows,
        include: args.include,
        source: args.source,
        allow_smaller: args.allow_smaller,
        known_until: args.known_until,
    };
    let watch = ImportProgress::new(output.shows_progress());
    let imported = if let Some(place) = elsewhere(&args.files).next() {
        if args.files.len() > 1 {
            return Err(CommandError::BadValue {
                flag: "FILE",
                problem: "import one place or table at a time, and files apart".to_owned(),
            });
        }
        #[cfg(not(feature = "aws"))]
        return Err(CommandError::BadValue {
            flag: "FILE",
            problem: format!("{place} needs pipebill built with the feature `aws`"),
        });
        #[cfg(feature = "aws")]
        {
            let request = args.cloud.request(place, request, results);
            match super::import_remote::run(&request, app, &watch, output)? {
                Some(imported) => imported,
                None => return Ok(Exit::Answered),
            }
        }
    } else {
        #[cfg(feature = "aws")]
        for (is_given, flag, with) in [
            (args.cloud.dry_run, "--dry-run", "s3://… and athena://…"),
            (args.cloud.requester_pays, "--requester-pays", "s3://…"),
        ] {
            if is_given {
                let problem = format!("it goes with {with}");
                return Err(CommandError::BadValue { flag, problem });
            }
        }
        app.import(&args.files, &request, &watch)?
    };
    watch.bar.borrow().finish_and_clear();
    output.show(&report::imported::answer(
        &imported.delivery,
        &imported.replaced,
        &imported.jobs,
        imported.quarantine.as_deref(),
    ))?;
    Ok(Exit::of(imported.is_complete(), strict))
}
