//! Values that the organization's file writes as text.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::domain::number::{NumberError, parse_quantity};

/// An exact decimal, written as text.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Exact(pub(super) Decimal);

impl TryFrom<String> for Exact {
    type Error = NumberError;

    fn try_from(text: String) -> Result<Self, NumberError> {
        parse_quantity(&text).map(Self)
    }
}

/// A day, written as text.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Day(pub(super) NaiveDate);

impl TryFrom<String> for Day {
    type Error = chrono::ParseError;

    fn try_from(text: String) -> Result<Self, chrono::ParseError> {
        text.parse().map(Self)
    }
}
