//! What a unit costs, from when to when, and who says so.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    ids::{Meter, Region},
    quantity::Unit,
};

/// The shape of a price. One file each in [`super::rating`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rate {
    /// The meter exists, its price is not known. Never the same as free.
    Unknown,
    /// AWS's list no longer has the meter in that region.
    NotOffered,
    /// One amount for a month with any usage.
    Flat(Decimal),
    /// A price for each unit.
    PerUnit(Decimal),
    /// Each unit at the price of the tier it falls into.
    Graduated(Vec<Tier>),
    /// Every unit at the price of the tier that the whole quantity reaches.
    Volume(Vec<Tier>),
    /// A price for each started package.
    Package {
        /// Units in a package.
        size: Decimal,
        /// Price of one package.
        price: Decimal,
    },
}

/// A range of quantity: from the end of the tier before, exclusive, to `up_to`, inclusive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    /// The end; the last tier is open.
    pub up_to: Option<Decimal>,
    /// Price per unit; none where the price of this tier is not known.
    pub unit_price: Option<Decimal>,
}

/// Days a price is in force: `[from, until)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// First day.
    pub from: NaiveDate,
    /// First day no longer; open where none is known.
    pub until: Option<NaiveDate>,
}

impl Validity {
    /// Tells whether the price is in force on a day.
    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// Where a price comes from, for a reader who wants to check it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriceSource {
    /// The document or data set.
    pub title: Arc<str>,
    /// The day it states its prices for.
    pub date: Option<NaiveDate>,
    /// Earlier days at which others attest the same price, newest first.
    pub also: Vec<NaiveDate>,
    /// How sure we are: high, medium-high, medium, low, unknown.
    pub confidence: Arc<str>,
    /// The file that carries it into the catalogue.
    pub file: Arc<str>,
    /// AWS's stock keeping unit, where the source gives it.
    pub sku: Option<Arc<str>>,
    /// What to know about this price.
    pub note: Option<Arc<str>>,
}

/// The price of a meter in a region over a stretch of days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tariff {
    /// What is counted.
    pub meter: Meter,
    /// Where; `any` where AWS publishes one price for every region.
    pub region: Region,
    /// What one of it is.
    pub unit: Unit,
    /// What it costs.
    pub rate: Rate,
    /// When.
    pub validity: Validity,
    /// Who says so.
    pub source: PriceSource,
}

/// Which of the four layers a price was found in, highest precedence first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PriceOrigin {
    /// The user stated it.
    Stated,
    /// The user's own bill shows it.
    Observed,
    /// A price list that was imported.
    PriceList,
    /// The catalogue inside the program.
    Catalogue,
    /// Another region's price, because the user asked for that: labelled wherever it appears.
    Assumed(Region),
    /// No price was needed: the line carries what the bill says.
    Bill,
}

impl PriceOrigin {
    /// Returns the name used in files and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Observed => "observed",
            Self::PriceList => "price-list",
            Self::Catalogue => "catalogue",
            Self::Assumed(_) => "assumed",
            Self::Bill => "bill",
        }
    }
}
