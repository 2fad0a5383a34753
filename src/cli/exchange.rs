//! Which currency: one of the ledger's, or one that amounts are converted into at a stated rate.

use chrono::NaiveDate;

use crate::app::ExchangeRequest;

#[derive(Debug, Default, clap::Args)]
pub(super) struct CurrencyArgs {
    /// Which currency, if the ledger has several. With --fx-rate: what amounts are converted into;
    /// both stand in the file.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// What one unit of the bill's currency is worth in --currency, e.g. 0.92, or USD=0.92 where the
    /// ledger has several.
    #[arg(long, value_name = "[FROM=]RATE")]
    fx_rate: Option<String>,
    /// The day of the rate.
    #[arg(long, value_name = "DAY", requires = "fx_rate")]
    fx_date: Option<NaiveDate>,
    /// Who states the rate, e.g. ECB.
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
