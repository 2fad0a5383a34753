//! From facts to advice: each error once, with what to do next and the exit code it ends with.

use std::process::ExitCode;

use thiserror::Error;

#[cfg(feature = "aws")]
use crate::collect::aws::CollectError;
use crate::{
    app::AppError,
    collect::{
        exports::ImportError, stated::UnknownName, study_files::StudyFileError,
        usage_file::UsageFileError,
    },
    domain::rating::RatingError,
    ledger::LedgerError,
    pricing::price_list::PriceListError,
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
    /// Stopped by the user.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Answered => 0,
            Exit::CouldNot => 1,
            Exit::Usage => 2,
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
    App(#[from] AppError),
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
    /// Nothing was asked.
    #[error("nothing to estimate")]
    NothingStated,
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
    /// There is no home directory.
    #[error("there is no home directory to keep the ledger in")]
    NoHome,
}

impl CommandError {
    /// Returns the exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::UnknownName { .. } | Self::BadValue { .. } | Self::NothingStated => Exit::Usage,
            Self::App(AppError::Import(ImportError::Cancelled)) => Exit::Interrupted,
            #[cfg(feature = "aws")]
            Self::App(AppError::Collect(CollectError::Stopped)) => Exit::Interrupted,
            _ => Exit::CouldNot,
        }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::App(error) => return app_hint(error).map(str::to_owned),
            Self::UnknownName { problem, .. } => match problem.what {
                "region" => "`pipebill prices list --format csv` names the regions with prices",
                "compute type" => {
                    "`pipebill prices show codebuild` lists the compute types' meters"
                }
                "allowance" => "`pipebill prices show SERVICE` names what is free",
                "service" => "`pipebill prices list` names the services",
                _ => return None,
            },
            Self::BadValue { .. } => return None,
            Self::NothingStated => {
                "state usage, e.g. `pipebill estimate --codebuild general1.small=1100`, or a file: \
                 `pipebill estimate usage.toml`"
            }
            Self::Unwritable { .. } => {
                "nothing was written; check the path, its permissions and free space"
            }
            Self::Exists(_) => "choose another file, or add --force",
            Self::NoHome => "name a ledger with --ledger FILE",
        };
        Some(hint.to_owned())
    }
}

fn app_hint(error: &AppError) -> Option<&'static str> {
    Some(match error {
        AppError::NoUsage { .. } => "choose one of those with --month, or import another export",
        AppError::EmptyLedger => "run `pipebill import FILE…`, or add --demo to look at the sample",
        #[cfg(feature = "aws")]
        AppError::Fetch(_) => {
            "nothing was changed; check the network and its proxy, ask with credentials (`--from \
             query`), or bring a file with `pipebill prices import`"
        }
        AppError::NothingCollected => "run `pipebill collect`",
        AppError::SeveralCurrencies { .. } => "choose one with --currency",
        AppError::Rating(RatingError::OtherCurrency { .. }) => {
            "estimate regions with another currency apart"
        }
        AppError::Catalog(_) => "the embedded prices are broken: please report it",
        AppError::UsageFile(UsageFileError::Unreadable { .. })
        | AppError::PriceList(PriceListError::Unreadable { .. })
        | AppError::StudyFile(StudyFileError::Unreadable { .. }) => {
            "check the path and its permissions"
        }
        AppError::PriceList(PriceListError::Store { .. }) => {
            "remove that file and import the price lists again"
        }
        AppError::UsageFile(_) => "examples/ has usage files to start from",
        AppError::PriceList(_) => {
            "bring the index.csv or index.json of one service from AWS's bulk price list"
        }
        AppError::StudyFile(_) => return None,
        AppError::Ledger(error) => return ledger_hint(error),
        #[cfg(feature = "aws")]
        AppError::Collect(error) => return collect_hint(error),
        AppError::Import(error) => import_hint(error),
    })
}

#[cfg(feature = "aws")]
fn collect_hint(error: &CollectError) -> Option<&'static str> {
    Some(match error {
        CollectError::NoCredentials => {
            "run `aws configure` or `aws sso login`, or name a profile with --profile"
        }
        CollectError::BadCredentials(_) => "check the profile, or name another with --profile",
        CollectError::NoRegion => "name one with --region, or set AWS_REGION",
        CollectError::Expired(_) => "log in again, e.g. `aws sso login`, and run the same again",
        CollectError::Refused(_) => {
            "check which credentials are used, or name a profile with --profile"
        }
        CollectError::ClockSkew { .. } => "set the clock and run the same again",
        CollectError::Unreachable(_) => {
            "check the network and its proxy; what was read before is kept"
        }
        CollectError::NoAccount => {
            "check the role, the external id and who may assume it: `pipebill policy --roles`"
        }
        CollectError::NoOrganization(_) => {
            "run it in the management account with `pipebill policy --organization`"
        }
        CollectError::NoPrices(_) => {
            "nothing was changed; `pipebill policy --prices` has what it takes"
        }
        CollectError::Ledger(error) => return ledger_hint(error),
        CollectError::Stopped | CollectError::Runtime(_) => return None,
        CollectError::Costs(_) => "please report it; nothing of that month was kept",
    })
}

fn ledger_hint(error: &LedgerError) -> Option<&'static str> {
    Some(match error {
        LedgerError::NoLedger { .. } => {
            "run `pipebill import FILE…` first, or add --demo to look at the sample"
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

fn import_hint(error: &ImportError) -> &'static str {
    match error {
        ImportError::Open { .. } | ImportError::Read { .. } => {
            "nothing was imported; check the path and its permissions"
        }
        ImportError::Directory { .. } => "nothing was imported; name the files in it",
        ImportError::Truncated { .. } | ImportError::Damaged { .. } => {
            "nothing was imported; download the file again"
        }
        ImportError::Row { .. } | ImportError::RecordTooLong { .. } => {
            "nothing was imported; mend the row, or leave such rows out with --skip-bad-rows"
        }
        ImportError::Empty { .. }
        | ImportError::NotText { .. }
        | ImportError::NoCsvInZip { .. }
        | ImportError::Unrecognised { .. }
        | ImportError::NotCostExplorerJson { .. }
        | ImportError::Value { .. } => {
            "nothing was imported; `pipebill import --help` lists the exports it knows"
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
