//! Which prices are others than before.

use super::price_list::PriceList;
use crate::domain::{
    ids::{Meter, Region},
    tariff::Rate,
};

/// What fetched price lists brought.
#[derive(Debug, Default)]
pub struct UpdatedPrices {
    /// The lists.
    pub lists: Vec<PriceList>,
    /// Prices in force today that were others before, or not known.
    pub changes: Vec<PriceChange>,
    /// Prices in force today that were the same before.
    pub unchanged: usize,
    /// What else should be known.
    pub notes: Vec<String>,
}

/// A price that is another than before.
#[derive(Debug)]
pub struct PriceChange {
    /// Of what.
    pub meter: Meter,
    /// Where.
    pub region: Region,
    /// None if there was no price.
    pub before: Option<Rate>,
    /// In force today.
    pub after: Rate,
}
