//! A price as a list states it, whichever form the list has, and why a file is none.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use chrono::NaiveDate;
use serde::Deserialize;
use thiserror::Error;

use crate::domain::number::{parse_price, plain};

/// Why a file is no price list.
#[derive(Debug, Error)]
pub enum PriceListError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{file} is not an AWS price list: {problem}")]
    NotAPriceList {
        /// The file.
        file: String,
        /// What is missing.
        problem: String,
    },
    /// A value is wrong.
    #[error("{file}, {place}: {problem}")]
    BadValue {
        /// The file.
        file: String,
        /// The line of a CSV, the rate code of a JSON file.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// The lists imported before cannot be kept or read back.
    #[error("the imported prices in {file}: {problem}")]
    Store {
        /// The file.
        file: String,
        /// Why.
        problem: String,
    },
    /// Its prices are in another currency than the regions are billed in.
    #[error("{file} has prices in another currency than its regions are billed in")]
    OtherCurrency {
        /// The file.
        file: String,
    },
    /// It has no price that the catalogue has a meter for.
    #[error("{file} has no price of a meter that is known here ({rows} rows read)")]
    NothingKnown {
        /// The file.
        file: String,
        /// How many rows were read.
        rows: usize,
    },
}

/// One price dimension, as both forms of the file have it. Also how an imported list is kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedPrice {
    pub(super) service: String,
    pub(super) region: String,
    pub(super) usage_type: String,
    pub(super) from: NaiveDate,
    pub(super) sku: String,
    /// Start of the tier.
    pub(super) begin: String,
    /// End of the tier, `Inf` if open.
    pub(super) end: String,
    pub(super) unit: String,
    pub(super) price: String,
    pub(super) currency: String,
    /// The file and the day it was published.
    pub(super) source: String,
    pub(super) published: Option<NaiveDate>,
}

/// Rows as a file has them.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) all: Vec<ListedPrice>,
    pub(super) published: Option<NaiveDate>,
    pub(super) skus: BTreeSet<String>,
    pub(super) left_out: BTreeMap<&'static str, usize>,
}

/// Returns the day of a moment as lists write it.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

/// Names a file in sources, without the folder it was in.
pub(super) fn short_name(file: &str) -> String {
    let name = Path::new(file).file_name();
    name.map_or_else(
        || file.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

pub(super) fn checked_price(text: &str) -> Result<String, String> {
    parse_price(text)
        .map(plain)
        .map_err(|error| error.to_string())
}

/// Says what is wrong with a JSON file, in words of its reader.
pub(super) fn not_json(error: &serde_json::Error) -> String {
    if error.is_eof() {
        "it ends in the middle; fetch it again".to_owned()
    } else {
        format!(
            "line {}, column {} is not as AWS writes it",
            error.line(),
            error.column()
        )
    }
}

impl ListedPrice {
    /// Returns the service and region of the price.
    pub fn place(&self) -> (&str, &str) {
        (&self.service, &self.region)
    }
}
