//! What the command line calls the fields of a request.

use super::CommandError;
use crate::app::{AppError, Field};

/// Returns the flag of a field.
pub(in crate::cli) fn flag(field: Field) -> &'static str {
    match field {
        Field::ActiveUsers => "--active-users",
        Field::Against => "--against",
        Field::Axis => "--sweep",
        Field::BreakEven => "--breakeven",
        Field::Builds => "--codebuild",
        Field::Change => "--set",
        Field::Currency => "--currency",
        Field::DataSource => "--demo",
        Field::Definition => "--definition",
        Field::Discount => "--discount",
        Field::ExchangeDate => "--fx-date",
        Field::ExchangeSource => "--fx-source",
        Field::ExchangeRate => "--fx-rate",
        Field::Export => "FILE",
        Field::ExternalId => "--external-id",
        Field::From => "--from",
        Field::FreeTierUsed => "--free-tier-used",
        Field::GithubPlan => "--github-plan",
        Field::GitRequests => "--git-requests",
        Field::Include => "--include",
        Field::Meter => "--usage",
        Field::Month => "--month",
        Field::Name => "NAME",
        Field::OnPremisesUpdates => "--on-premises-updates",
        Field::Parameter => "--param",
        Field::Price => "--price",
        Field::PriceLike => "--price-like",
        Field::Project => "--project",
        Field::ProjectUsage => "--usage-of",
        Field::Region => "--region",
        Field::RequesterPays => "--requester-pays",
        Field::Role => "--role-arn",
        Field::Service => "--service",
        Field::Services => "--services",
        Field::Speed => "--speed",
        Field::StorageGb => "--storage-gb",
        Field::Swing => "--tornado",
        Field::V1Pipelines => "--v1-pipelines",
        Field::V1TrialPipelines => "--v1-trial-pipelines",
        Field::V2ActionMinutes => "--v2-action-minutes",
        Field::WithAws => "--with-aws",
    }
}

impl From<AppError> for CommandError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Field { field, problem } => Self::BadValue {
                flag: flag(field),
                problem,
            },
            AppError::UnknownName { field, name } => Self::UnknownName {
                flag: flag(field),
                problem: name,
            },
            other => Self::App(other),
        }
    }
}
