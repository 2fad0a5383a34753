//! What the command line calls the fields of a request.

use super::CommandError;
use crate::app::{AppError, Field};

/// Returns the flag of a field.
pub(in crate::cli) fn flag(field: Field) -> &'static str {
    match field {
        Field::Against => "--against",
        Field::Axis => "--sweep",
        Field::BreakEven => "--breakeven",
        Field::Change => "--set",
        Field::Discount => "--discount",
        Field::FirstMonth => "--from",
        Field::FreeTierUsed => "--free-tier-used",
        Field::Month => "--month",
        Field::Price => "--price",
        Field::PriceLike => "--price-like",
        Field::Swing => "--tornado",
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
