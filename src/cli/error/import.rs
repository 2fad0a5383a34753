//! What to do about a file that cannot be imported.

use crate::exports::{ImportError, RowFault, Stranger};

/// Returns what to do next.
pub(super) fn import_hint(error: &ImportError) -> &'static str {
    match error {
        ImportError::Open { .. } | ImportError::Read { .. } => {
            "nothing was imported; check the path and its permissions"
        }
        ImportError::Directory { .. } => "nothing was imported; name the files in it",
        ImportError::Truncated { .. }
        | ImportError::Damaged { .. }
        | ImportError::RowGroup { .. }
        | ImportError::Footer { .. }
        | ImportError::Bomb { .. } => "nothing was imported; download the file again",
        ImportError::NothingDelivered { .. } => {
            "nothing was imported; name the folder that the export is delivered to, or another month"
        }
        ImportError::Manifest { .. } => "nothing was imported; download the folder again",
        ImportError::Changed { .. } | ImportError::Incomplete { .. } => {
            "nothing was imported; wait until the delivery is written, and run the same again"
        }
        ImportError::Packing { .. } => {
            "nothing was imported; unpack it, or write it again with Snappy, gzip or Zstandard"
        }
        ImportError::PackedTwice { .. } => {
            "nothing was imported; unpack the archive, and import what is in it"
        }
        ImportError::RepeatedColumn { .. } => {
            "nothing was imported; leave the one that counts, or deliver the export again"
        }
        ImportError::Row { fault, .. }
        | ImportError::ParquetRow { fault, .. }
        | ImportError::Value { fault, .. } => fault_hint(fault),
        ImportError::RecordTooLong { .. } => {
            "nothing was imported; close the quote that begins there, or download the file again"
        }
        ImportError::Stranger { what, .. } => stranger_hint(what),
        ImportError::Empty { .. } | ImportError::NoRows { .. } => {
            "nothing was imported; check the dates and filters it was made with, and download it again"
        }
        ImportError::NotText { .. }
        | ImportError::NoCsvInZip { .. }
        | ImportError::Unrecognised { .. }
        | ImportError::TooManyBadRows { .. } => {
            "nothing was imported; `pipebill import --help` lists the exports it knows"
        }
        ImportError::BrokenJson { is_cut: true, .. } => {
            "nothing was imported; the download or the command was interrupted: run it again"
        }
        ImportError::BrokenJson { .. } | ImportError::NotCostExplorerJson { .. } => ASK,
        ImportError::NotJobs { .. } => ASK_JOBS,
        ImportError::OtherMetrics { .. } => {
            "nothing was imported; ask again with `--metrics UnblendedCost UsageQuantity`"
        }
        ImportError::AcrossMonths { .. } => {
            "nothing was imported; ask again with `--granularity DAILY` or MONTHLY"
        }
        ImportError::TwoGroupings { .. } => {
            "nothing was imported; import the answer by SERVICE and USAGE_TYPE only"
        }
        ImportError::AmbiguousGrouping { .. } => {
            "nothing was imported; switch the console to English, group by Service or Usage type, and \
             download again"
        }
        ImportError::TotalsDiffer { .. } => {
            "nothing was imported; download the bill again: rows are missing or duplicated"
        }
        ImportError::ColumnType { .. } => {
            "nothing was imported; write the column as text or number, tags as a map or as JSON text"
        }
        ImportError::MissingColumns { .. } => {
            "nothing was imported; add the columns to the export's query and deliver it again"
        }
        ImportError::AmbiguousDelivery { .. } | ImportError::SameCharges { .. } => {
            "nothing was imported; name only one of them"
        }
        ImportError::Cancelled => "nothing was imported",
    }
}

/// How Cost Explorer is asked.
const ASK: &str = "nothing was imported; ask with `aws ce get-cost-and-usage --granularity DAILY \
                   --metrics UnblendedCost UsageQuantity --group-by Type=DIMENSION,Key=SERVICE \
                   Type=DIMENSION,Key=USAGE_TYPE --time-period Start=…,End=… --output json`";

/// How GitHub is asked for jobs.
const ASK_JOBS: &str = "nothing was imported; ask with `gh api --paginate \
                        'repos/OWNER/REPO/actions/runs/RUN/jobs?filter=all' > jobs.json`; \
                        docs/ci-jobs.md has the command for all runs of a month";

fn fault_hint(fault: &RowFault) -> &'static str {
    match fault {
        RowFault::Comma(_) => {
            "nothing was imported; a spreadsheet saved this file in its country's form, with decimal \
             commas or thousands apart: import the file as it was downloaded, without opening it"
        }
        RowFault::DateForm(_) => {
            "nothing was imported; a spreadsheet saved this file with its country's dates: import the \
             file as it was downloaded, without opening it"
        }
        RowFault::Account(_) => {
            "nothing was imported; a spreadsheet drops zeros at the beginning and rounds what is long: \
             import the file as it was downloaded, without opening it"
        }
        RowFault::Twice(_) => "nothing was imported; remove the duplicate",
        _ => "nothing was imported; fix the row, or skip bad rows with --skip-bad-rows",
    }
}

fn stranger_hint(what: &Stranger) -> &'static str {
    match what {
        Stranger::Manifest => {
            "nothing was imported; name the folder, or the files that it lists: they end in .csv.gz, \
             .csv.zip or .parquet"
        }
        Stranger::DetailedBill => {
            "nothing was imported; use a Cost and Usage Report, or download the month's bill as CSV from \
             the Bills page"
        }
        Stranger::Workbook(_) => {
            "nothing was imported; import the CSV file that it was made from, or save it as \"CSV UTF-8 \
             (comma delimited)\""
        }
        Stranger::Pdf => {
            "nothing was imported; download the month's bill as CSV from the Bills page, or costs from \
             Cost Explorer"
        }
        Stranger::Html => {
            "nothing was imported; a login or error page was saved in its place: log in and download the \
             file again"
        }
        Stranger::CliOutput(_) => {
            "nothing was imported; run the command again with `--output json`"
        }
        Stranger::QueryOutput => "nothing was imported; run the command again without `--query`",
        Stranger::Printed => {
            "nothing was imported; write it with `json.dump(answer, file)` instead of `print`"
        }
        Stranger::Refusal(_) => {
            "nothing was imported; resolve what it says, and run the command again"
        }
        Stranger::Separators(_) => {
            "nothing was imported; a spreadsheet saved it: import the file as it was downloaded, or save \
             it as \"CSV UTF-8 (comma delimited)\""
        }
        Stranger::Quantities(_) => {
            "nothing was imported; in Cost Explorer choose costs (unblended) instead of usage, group by \
             Usage type, and download again"
        }
        Stranger::OtherJobs(_) => ASK_JOBS,
        Stranger::EmptyAnswer => {
            "nothing was imported; check the dates and filters, and run the command again"
        }
        Stranger::OtherAnswer(_) | Stranger::OtherJson => ASK,
        Stranger::Sql | Stranger::Digest => {
            "nothing was imported; `pipebill import --help` lists the exports it knows"
        }
    }
}
