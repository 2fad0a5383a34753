//! From facts to advice: each error once, with what to do next and the exit code it ends with.

#[cfg(feature = "aws")]
mod aws;
mod field;
mod import;

#[cfg(feature = "aws")]
use self::aws::{athena_hint, aws_advice, collect_hint, s3_hint};
use std::process::ExitCode;

use thiserror::Error;

pub(super) use self::field::flag;
use self::import::import_hint;
#[cfg(feature = "aws")]
use crate::aws::{AthenaError, CollectError};
use crate::{
    app::AppError,
    domain::{costs, rating::RatingError, storage::ResourceDetail},
    exports::ImportError,
    inputs::gl_mapping::GlMappingError,
    inputs::infra::{InfraError, Problem, cloudformation},
    inputs::report_definition::DefinitionError,
    inputs::scenario_file::ScenarioError,
    inputs::usage_file::UsageFileError,
    ledger::LedgerError,
    pricing::price_list::PriceListError,
    report::{input::ReportError, page::pictures::KINDS},
    unknown_name::UnknownName,
};

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The question has an answer.
    Answered,
    /// It could not be answered.
    CouldNot,
    /// The command line is wrong.
    Usage,
    /// Something is unpriced or missing, and `--strict` was given.
    Incomplete,
    /// More than it may cost.
    OverBudget,
    /// Stopped by the user.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Answered => 0,
            Exit::CouldNot => 1,
            Exit::Usage => 2,
            Exit::OverBudget => 3,
            Exit::Incomplete => 4,
            Exit::Interrupted => 130,
        })
    }
}

impl Exit {
    /// Returns what an answer ends with, given whether it is the whole.
    pub fn of(complete: bool, strict: bool) -> Self {
        if strict && !complete {
            Self::Incomplete
        } else {
            Self::Answered
        }
    }
}

/// Why a command ended without an answer.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The use case failed.
    #[error(transparent)]
    App(AppError),
    /// A name on the command line is not known.
    #[error("{flag}: {problem}")]
    UnknownName {
        /// Which flag.
        flag: &'static str,
        /// What is not known.
        problem: UnknownName,
    },
    /// A value on the command line is not of the form it should have.
    #[error("{flag}: {problem}")]
    BadValue {
        /// Which flag.
        flag: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The answer cannot be written.
    #[error("cannot write {target}")]
    Unwritable {
        /// Where.
        target: String,
        /// Why.
        source: std::io::Error,
    },
    /// A report would replace a file.
    #[error("{0} exists")]
    Exists(String),
    /// A report cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A report of several files needs a folder.
    #[error("this report has {0} files")]
    NeedsFolder(usize),
    /// Bytes that are no text would go to a terminal.
    #[error("refusing to write {0} to a terminal: it is binary")]
    BinaryToTerminal(&'static str),
    /// Somebody pressed Ctrl-C while files were written.
    #[error("stopped")]
    Stopped,
    /// A report definition is broken.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// There is no home directory.
    #[error("there is no home directory to keep the ledger in")]
    NoHome,
}

impl CommandError {
    /// Returns the exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::UnknownName { .. }
            | Self::BadValue { .. }
            | Self::App(AppError::NothingStated | AppError::NoChange | AppError::Stated { .. })
            | Self::NeedsFolder(_)
            | Self::BinaryToTerminal(_)
            | Self::Report(ReportError::UnknownColumn { .. } | ReportError::WhichChart) => {
                Exit::Usage
            }
            Self::Stopped | Self::App(AppError::Import(ImportError::Cancelled)) => {
                Exit::Interrupted
            }
            #[cfg(feature = "aws")]
            Self::App(
                AppError::Collect(CollectError::Stopped)
                | AppError::Athena(AthenaError::Import(ImportError::Cancelled)),
            ) => Exit::Interrupted,
            _ => Exit::CouldNot,
        }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::App(error) => {
                #[cfg(feature = "aws")]
                if let Some(advice) = aws_advice(error) {
                    return Some(advice);
                }
                return quantities_hint(error).or_else(|| app_hint(error).map(str::to_owned));
            }
            Self::UnknownName { problem, .. } => match problem.what {
                "region" => "`pipebill prices regions` names the regions",
                "project" => "`pipebill usage --by project` lists them; a star matches any text",
                "compute type or runner" => "`pipebill compare --all` lists them",
                "compute type" => {
                    "`pipebill prices show codebuild` lists the compute types' meters"
                }
                "allowance" => "`pipebill prices show SERVICE` names what is free",
                "service" => "`pipebill prices list` names the services",
                _ => return None,
            },
            Self::BadValue { .. } => return None,
            Self::Unwritable { .. } => {
                "nothing was written; check the path, its permissions and free space"
            }
            Self::Exists(_) => "choose another file, or add --force",
            Self::Report(error) => return Some(report_hint(error)),
            Self::Stopped => "nothing was written",
            Self::NeedsFolder(_) => "choose a folder with --out DIR/",
            Self::BinaryToTerminal(_) => "choose a file with --out, or pipe it to another program",
            Self::Definition(_) => "reports/definitions/ has definitions to start from",
            Self::NoHome => "choose a ledger with --ledger FILE",
        };
        Some(hint.to_owned())
    }
}

/// Returns which export states what a ledger of costs alone does not, as commands that can be pasted.
fn quantities_hint(error: &AppError) -> Option<String> {
    match error {
        AppError::CostsOnly {
            months: (first, last),
            ..
        } => Some(format!(
            "import a Cost and Usage Report or a FOCUS export, or ask for quantities too: `{} > \
             ce.json`, then `pipebill import ce.json`",
            costs::command(*first, *last)
        )),
        AppError::ServicesUnknown(unknown) => Some(format!(
            "in Cost Explorer, group by usage type and download it again; with quantities: `{} > \
             ce.json`, then `pipebill import ce.json`",
            costs::command(unknown.month, unknown.month)
        )),
        _ => None,
    }
}

fn app_hint(error: &AppError) -> Option<&'static str> {
    Some(match error {
        AppError::NoUsage { known, .. } if known.is_empty() => {
            "import an export of it; `--metered` shows what `pipebill collect` read of builds and runs"
        }
        AppError::NoUsage { .. } => "choose one of those months, or import another export",
        AppError::NothingToContinue { .. } => {
            "`pipebill bill` shows what the months have; import an export of the account that builds, or \
             `pipebill import --include SERVICE` to keep other services"
        }
        AppError::CostsOnly { .. } | AppError::ServicesUnknown(_) => return None,
        AppError::EmptyLedger => "run `pipebill import FILE…`, or add --demo for the sample",
        #[cfg(feature = "aws")]
        AppError::Fetch(_) => {
            "nothing was changed; check the network and its proxy, ask with credentials (`--from \
             query`), or import a file with `pipebill prices import`"
        }
        AppError::NoJobs { .. } => {
            "write them with `gh api` as docs/ci-jobs.md shows, then `pipebill import jobs.json`"
        }
        AppError::NoBuilds { .. } => {
            "`pipebill usage --by project` shows what the month has; reserved fleets are compared by \
             `pipebill optimize`"
        }
        AppError::NothingCollected => "run `pipebill collect`",
        AppError::NoSuchCurrency { .. } => {
            "choose one of those; `pipebill report` converts with --fx-rate, --fx-date and \
             --fx-source"
        }
        AppError::SeveralCurrencies { .. } => "choose one with --currency",
        AppError::Rating(RatingError::OtherCurrency { .. }) => {
            "estimate regions with other currencies separately"
        }
        AppError::Catalog(_) => "the embedded prices are broken: please report it",
        AppError::Infra(InfraError::Foreign { what, .. }) => what.next_step(),
        AppError::Infra(InfraError::Malformed { problem, .. }) => match problem {
            Problem::Cut => "write the file anew: the tool was stopped, or the disk was full",
            _ => "write the file anew, e.g. `terraform show -json plan.bin > plan.json`",
        },
        AppError::Infra(InfraError::NoParameter { .. }) => {
            "name one of those with --param NAME=VALUE"
        }
        AppError::Infra(InfraError::Template(error)) => match error.problem {
            cloudformation::Problem::Unreadable(_) => "check the path and its permissions",
            cloudformation::Problem::NotAManifest => {
                "`cdk synth` writes it; other tools have a file"
            }
            cloudformation::Problem::NotRendered => "render it with its tool, then give the result",
            _ => "mend it there: `aws cloudformation validate-template` checks it, too",
        },
        AppError::Infra(InfraError::TooLarge { .. }) => "price the plans of its modules separately",
        AppError::Infra(InfraError::Unreadable { .. })
        | AppError::UsageFile(UsageFileError::Unreadable { .. })
        | AppError::PriceList(PriceListError::Unreadable { .. }) => {
            "check the path and its permissions"
        }
        AppError::Scenario(ScenarioError::Unreadable { .. }) => {
            "check the path and its permissions"
        }
        AppError::GlMapping(GlMappingError::Unreadable { .. }) => {
            "check the path and its permissions"
        }
        AppError::GlMapping(_) => "reports/gl-mapping.toml is a mapping to start from",
        AppError::Definition(_) => "reports/definitions/ has definitions to start from",
        AppError::NothingStated => {
            "state usage, e.g. `pipebill estimate --codebuild general1.small=1100`, or a file: \
             `pipebill estimate usage.toml`"
        }
        AppError::NoChange => {
            "name a scenario file or a change, e.g. `pipebill whatif --set active_users=+10`; \
             docs/scenarios.md lists them all"
        }
        AppError::Field { .. } | AppError::UnknownName { .. } => return None,
        AppError::Scenario(_) | AppError::Stated { .. } => {
            "`pipebill whatif --help` lists the changes, docs/scenarios.md explains each"
        }
        AppError::NothingMatches { name, .. } if name.what == "usage type" => {
            "`pipebill prices list --format csv` has the usage types of each service"
        }
        AppError::NothingMatches { .. } => {
            "`pipebill usage --by project` lists the names; a star matches any text"
        }
        AppError::NoStorage { told } => match told {
            Some(ResourceDetail::NotInExport) => {
                "a Cost and Usage Report with resource IDs, or FOCUS, tells of them"
            }
            Some(ResourceDetail::NotImported) => "import the exports of these months again",
            _ => "import an export with resource IDs, and remove --usage",
        },
        AppError::StorageAhead => "remove --against forecast: past months show it",
        AppError::PriceList(PriceListError::OtherCurrency { .. }) => {
            "nothing was changed; China has lists of its own: `pipebill prices update --region \
             cn-north-1`"
        }
        AppError::PriceList(PriceListError::Store { .. }) => {
            "delete that file and import the price lists again"
        }
        AppError::UsageFile(_) => "examples/ has usage files to start from",
        AppError::PriceList(_) => {
            "nothing was changed; fetch AWS's lists with `pipebill prices update`, or import the \
             index.csv of one service from its bulk price list"
        }
        AppError::Quarantine { .. } => "nothing was imported; check the folder of the ledger",
        AppError::Ledger(error) => return ledger_hint(error),
        #[cfg(feature = "aws")]
        AppError::Collect(error) => return collect_hint(error),
        #[cfg(feature = "aws")]
        AppError::S3(error) => return s3_hint(error),
        #[cfg(feature = "aws")]
        AppError::Athena(error) => return athena_hint(error),
        AppError::Import(error) => import_hint(error),
    })
}

fn report_hint(error: &ReportError) -> String {
    match error {
        ReportError::Write(_) => "nothing was written; check the path and free space".to_owned(),
        ReportError::NoMapping | ReportError::BadAccount { .. } => {
            "name your accounts in a file, with --gl FILE; examples/gl-mapping.toml is one with codes, \
             reports/gl-mapping.toml one with names"
                .to_owned()
        }
        ReportError::TooManyRows { .. } => {
            "nothing was written; use --format csv, fewer months, or --by for a summary".to_owned()
        }
        ReportError::BadAmount { .. } => {
            "post each month separately, or use --format journal".to_owned()
        }
        ReportError::UnknownColumn { known, .. } => format!("it has {}", known.join(", ")),
        ReportError::WhichChart => {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            format!("choose one with --chart: {}", names.join(", "))
        }
        ReportError::NothingToDraw { .. } => {
            "import more months, or choose another chart".to_owned()
        }
        ReportError::Template { .. } => {
            "nothing was written; reports/templates/report.html is the template to start from"
                .to_owned()
        }
        ReportError::NoBrowser => "install chromium (Debian: apt install chromium-headless-shell), or \
             name one by $CHROME; or write --format html and print it"
            .to_owned(),
        ReportError::Browser { .. } => {
            "nothing was written; name another browser by $CHROME, or write --format html and print \
             it"
                .to_owned()
        }
    }
}

fn ledger_hint(error: &LedgerError) -> Option<&'static str> {
    Some(match error {
        LedgerError::NoLedger { .. } => {
            "run `pipebill import FILE…` first, or add --demo for the sample"
        }
        LedgerError::Locked { .. } => "wait until the other process is done, then try again",
        LedgerError::DiskFull { .. } => "nothing was changed; free some space and try again",
        LedgerError::NewerSchema { .. } => "update pipebill, or name another ledger with --ledger",
        LedgerError::NotALedger { .. } => "name another file with --ledger",
        LedgerError::Damaged { .. } => "move that file away and import the exports again",
        LedgerError::CreateDirectory { .. }
        | LedgerError::CannotOpen { .. }
        | LedgerError::ReadOnly { .. } => "check its permissions, or name another with --ledger",
        LedgerError::Database { .. } => return None,
    })
}
