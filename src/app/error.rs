//! Why a question has no answer.

use std::path::PathBuf;

use chrono::NaiveDate;
use thiserror::Error;

use super::{Field, UnknownServices};
use crate::{
    domain::{
        export::ExportKind, ids::Currency, period::Month, rating::RatingError,
        storage::ResourceDetail,
    },
    exports::ImportError,
    inputs::{
        gl_mapping::GlMappingError,
        infra::InfraError,
        report_definition::DefinitionError,
        scenario_file::{ScenarioError, Wrong},
        usage_file::UsageFileError,
    },
    ledger::LedgerError,
    pricing::{CatalogError, price_list::PriceListError},
    unknown_name::UnknownName,
};

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum AppError {
    /// The catalogue is broken.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A usage file is broken.
    #[error(transparent)]
    UsageFile(#[from] UsageFileError),
    /// Infrastructure code cannot be read.
    #[error(transparent)]
    Infra(#[from] InfraError),
    /// A month cannot be rated.
    #[error(transparent)]
    Rating(#[from] RatingError),
    /// An export cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A price list cannot be read or kept.
    #[error(transparent)]
    PriceList(#[from] PriceListError),
    /// A field of the request has a value that it cannot have.
    #[error("{field:?}: {problem}")]
    Field {
        /// Which.
        field: Field,
        /// What is wrong.
        problem: String,
    },
    /// A field of the request names something that nobody knows.
    #[error("{field:?}: {name}")]
    UnknownName {
        /// Which.
        field: Field,
        /// What is not known.
        name: UnknownName,
    },
    /// A field of the request, a change or what is turned, cannot be read.
    #[error("{wrong}")]
    Stated {
        /// Which.
        field: Field,
        /// What is wrong, and where in it.
        wrong: Wrong,
    },
    /// No usage is stated.
    #[error("nothing to estimate")]
    NothingStated,
    /// A scenario changes nothing.
    #[error("no changes given")]
    NoChange,
    /// A report definition cannot be used.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A mapping to accounts is broken.
    #[error(transparent)]
    GlMapping(#[from] GlMappingError),
    /// A scenario file cannot be read.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Nothing has the name that a scenario speaks of.
    #[error("{scenario}: {name}")]
    NothingMatches {
        /// The scenario.
        scenario: String,
        /// The name.
        name: UnknownName,
    },
    /// Nothing is known of single log groups and buckets.
    #[error("{}", match told {
        Some(ResourceDetail::NotInExport) => "log groups and artifact buckets are not known: the bill names no resources",
        Some(ResourceDetail::NotImported) => "log groups and artifact buckets are not known: the bill was imported before they were read",
        _ => "log groups and artifact buckets are not known: this usage has none",
    })]
    NoStorage {
        /// What the months tell.
        told: Option<ResourceDetail>,
    },
    /// What lies in storage is not continued.
    #[error("logs and artifacts in storage are not forecast")]
    StorageAhead,
    /// Rows that could not be read cannot be kept either.
    #[error("cannot write {path}")]
    Quarantine {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// AWS cannot be asked.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Collect(#[from] crate::aws::CollectError),
    /// Athena does not answer.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Athena(#[from] crate::aws::AthenaError),
    /// S3 does not hand an export over.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    S3(#[from] crate::aws::S3Error),
    /// A price list cannot be fetched.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Fetch(#[from] crate::aws::price_lists::FetchError),
    /// The month is not in the ledger.
    #[error("the ledger has no usage of {month}{}", known_months(.known))]
    NoUsage {
        /// The month asked for.
        month: Month,
        /// The months it has.
        known: Vec<Month>,
    },
    /// The ledger has nothing at all.
    #[error("the ledger is empty")]
    EmptyLedger,
    /// The ledger has months, and nothing in them that a forecast could continue.
    #[error("nothing to forecast: {} no usage of CodeBuild, CodePipeline, CodeCommit or CodeDeploy", match &known[..] {
        [only] => format!("{only} has"),
        [first, .., last] => format!("{first} to {last} have"),
        [] => "there is".to_owned(),
    })]
    NothingToContinue {
        /// The months it has.
        known: Vec<Month>,
    },
    /// A change of usage has nothing to work on: costs are known, and no quantities.
    #[error("the export of {} ({}) has costs but no quantities, so nothing can be changed", if months.0 == months.1 {
        months.0.to_string()
    } else {
        format!("{} to {}", months.0, months.1)
    }, .sources.iter().map(|kind| kind.title()).collect::<Vec<_>>().join(", "))]
    CostsOnly {
        /// The first and last month asked about.
        months: (Month, Month),
        /// What their costs are from.
        sources: Vec<ExportKind>,
    },
    /// Nobody can say what of a month is for which service.
    #[error("the services of {} are not known: its export is grouped by something else, or not at all ({} {} in all)", .0.month, .0.cost.to_cents(), .0.currency)]
    ServicesUnknown(UnknownServices),
    /// No CI jobs of a month are known.
    #[error("no CI jobs of {month} were imported{}", match known {
        Some((_, first, last)) => format!(": the ledger has those of {first} to {last}"),
        None => String::new(),
    })]
    NoJobs {
        /// The month.
        month: Month,
        /// How many there are of other months, and from which day to which.
        known: Option<(u64, NaiveDate, NaiveDate)>,
    },
    /// A month has no builds on demand to compare.
    #[error("no on-demand builds{} in {month}", match &projects[..] {
        [] => String::new(),
        projects => format!(" of {}", projects.join(", ")),
    })]
    NoBuilds {
        /// The month.
        month: Month,
        /// The projects asked about; none for all.
        projects: Vec<String>,
    },
    /// Nothing was collected from AWS's APIs.
    #[error("nothing was collected from AWS")]
    NothingCollected,
    /// The currency asked for is not what the charges are in.
    #[error("{month} has charges in {}, not in {asked}", .currencies.iter().map(Currency::as_str).collect::<Vec<_>>().join(" and "))]
    NoSuchCurrency {
        /// The month.
        month: Month,
        /// What was asked for.
        asked: Currency,
        /// What there is.
        currencies: Vec<Currency>,
    },
    /// Charges in several currencies do not add up to one bill.
    #[error("{month} has charges in {}", .currencies.iter().map(Currency::as_str).collect::<Vec<_>>().join(" and "))]
    SeveralCurrencies {
        /// The month.
        month: Month,
        /// The currencies.
        currencies: Vec<Currency>,
    },
}

fn known_months(known: &[Month]) -> String {
    match known {
        [] => String::new(),
        [only] => format!(": it has {only}"),
        [first, .., last] => format!(": it has {first} to {last}"),
    }
}

impl AppError {
    /// Says what is wrong with a field.
    pub(super) fn field(field: Field, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::Field { field, problem }
    }

    /// Says that a field names something unknown.
    pub(super) fn unknown(field: Field) -> impl Fn(UnknownName) -> Self {
        move |name| Self::UnknownName { field, name }
    }

    /// Says what is wrong with the text of a field.
    pub(super) fn stated(field: Field, error: ScenarioError) -> Self {
        match error {
            ScenarioError::Wrong(wrong) => Self::Stated { field, wrong },
            other => other.into(),
        }
    }
}
