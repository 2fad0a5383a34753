//! `pipebill report`: files for finance.

use std::path::{Path, PathBuf};

use super::{
    CommandError, Exit, Format,
    output::{Output, write_file},
    terms::TermsArgs,
};
use crate::{app::App, domain::period::Month, report::finance};

/// Write a month's lines as a CSV that finance can import
///
/// One row a line with exact decimals; the totals stand in a manifest beside the file, with its
/// SHA-256. Without --out the CSV goes to stdout.
///
/// Examples:
///   pipebill report --demo --month 2026-10 --format csv --out bills/
///   pipebill report --from 2026-01 --to 2026-06 --format csv --out half-year.csv
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Which month [default: the last one in the ledger].
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to"])]
    month: Option<Month>,
    /// The first of several months.
    #[arg(long, value_name = "MONTH", requires = "to")]
    from: Option<Month>,
    /// The last of several months.
    #[arg(long, value_name = "MONTH", requires = "from")]
    to: Option<Month>,
    /// A file, or a folder to put pipebill-MONTH.csv into.
    #[arg(long, value_name = "DIR|FILE")]
    out: Option<PathBuf>,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
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
    if !matches!(output.format, Format::Csv | Format::Table) {
        let problem = "reports are written as csv so far".to_owned();
        return Err(CommandError::BadValue {
            flag: "--format",
            problem,
        });
    }
    let ledger = app.ledger()?;
    let months = match (args.from, args.to) {
        (Some(from), Some(to)) if from > to => {
            let problem = format!("{from} is after {to}");
            return Err(CommandError::BadValue {
                flag: "--from",
                problem,
            });
        }
        (Some(from), Some(to)) => {
            let mut months = vec![app.month(&ledger, Some(from))?];
            while months[months.len() - 1] < to {
                let next = months[months.len() - 1].next();
                months.push(app.month(&ledger, Some(next))?);
            }
            months
        }
        _ => vec![app.month(&ledger, args.month)?],
    };
    let request = args.terms.request(&app.catalog, args.currency.as_deref())?;
    let mut bills = Vec::new();
    for month in &months {
        bills.push(app.bill(&ledger, *month, &request)?.rated.bill);
    }
    let complete = bills.iter().all(crate::domain::bill::Bill::is_complete);
    let csv = finance::render(&bills);
    match &args.out {
        None => output.data(&csv)?,
        Some(out) => {
            if names_a_folder(out) {
                std::fs::create_dir_all(out).map_err(|source| CommandError::Unwritable {
                    target: out.display().to_string(),
                    source,
                })?;
            }
            let file = target(out, &months);
            let manifest_file = manifest_beside(&file);
            for path in [&file, &manifest_file] {
                if path.exists() && !args.force {
                    return Err(CommandError::Exists(path.display().to_string()));
                }
            }
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // The manifest last: where it stands, its file is whole.
            write_file(&file, &csv)?;
            write_file(&manifest_file, &finance::manifest(&name, &csv, &bills))?;
            output.say(&format!(
                "wrote {} and {}",
                file.display(),
                manifest_file.display()
            ));
        }
    }
    if !complete {
        output.say("note: the report is partial; its `status` column and the manifest say where");
    }
    Ok(Exit::of(complete, strict))
}

fn names_a_folder(out: &Path) -> bool {
    out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/')
}

fn target(out: &Path, months: &[Month]) -> PathBuf {
    if !names_a_folder(out) {
        return out.to_owned();
    }
    let name = match months {
        [only] => format!("pipebill-{only}.csv"),
        [first, .., last] => format!("pipebill-{first}-to-{last}.csv"),
        [] => "pipebill.csv".to_owned(),
    };
    out.join(name)
}

fn manifest_beside(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_os_string();
    name.push(".manifest.json");
    file.with_file_name(name)
}
