//! Which currency: one of the ledger's, or one that amounts are converted into at a stated rate.

use chrono::NaiveDate;

use crate::app::ExchangeRequest;

#[derive(Debug, Default, clap::Args)]
pub(super) struct CurrencyArgs {
    /// Currency, if the ledger has several; with --fx-rate, the currency to convert to (the file
    /// has both).
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Value of one unit of the bill's currency in --currency, e.g. 0.92; USD=0.92 if the ledger
    /// has several.
    #[arg(long, value_name = "[FROM=]RATE")]
    fx_rate: Option<String>,
    /// Date of the rate.
    #[arg(long, value_name = "DAY", requires = "fx_rate")]
    fx_date: Option<NaiveDate>,
    /// Source of the rate, e.g. ECB.
    #[arg(long, value_name = "NAME", requires = "fx_rate")]
    fx_source: Option<String>,
}

impl CurrencyArgs {
    /// Returns which currency amounts are in.
    pub(super) fn request(&self) -> ExchangeRequest {
        ExchangeRequest {
            currency: self.currency.clone(),
            rate: self.fx_rate.clone(),
            date: self.fx_date,
            source: self.fx_source.clone(),
        }
    }
}
