//! Which currency: one of the ledger's, or one that amounts are converted into at a stated rate.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{CommandError, terms::number};
use crate::domain::{exchange::Exchange, ids::Currency, number::parse_price};

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

/// A rate as stated, before it is known what the bill is in.
pub(super) struct StatedRate {
    to: Currency,
    rate: Decimal,
    date: NaiveDate,
    source: Arc<str>,
}

impl CurrencyArgs {
    /// Returns the ledger's currency that is asked for.
    pub(super) fn of_ledger(&self) -> Result<Option<String>, CommandError> {
        Ok(match &self.fx_rate {
            None => self.currency.clone(),
            Some(rate) => match rate.split_once('=') {
                Some((from, _)) => Some(code("--fx-rate", from)?.as_str().to_owned()),
                None => None,
            },
        })
    }

    /// Returns the rate to convert at. A rate without its day, its source or a currency is refused.
    pub(super) fn rate(&self) -> Result<Option<StatedRate>, CommandError> {
        let Some(rate) = &self.fx_rate else {
            return Ok(None);
        };
        let (Some(currency), Some(date), Some(source)) =
            (&self.currency, self.fx_date, &self.fx_source)
        else {
            return Err(CommandError::BadValue {
                flag: "--fx-rate",
                problem:
                    "converting needs --currency, --fx-date and --fx-source as well: the file \
                          says what was converted, when and by whose rate"
                        .to_owned(),
            });
        };
        let rate = rate.split_once('=').map_or(rate.as_str(), |(_, rate)| rate);
        let rate = number("--fx-rate", rate, parse_price)?;
        if rate.is_zero() {
            let problem = "a rate of 0 would make every cost nothing".to_owned();
            let flag = "--fx-rate";
            return Err(CommandError::BadValue { flag, problem });
        }
        Ok(Some(StatedRate {
            to: code("--currency", currency)?,
            rate,
            date,
            source: Arc::from(source.as_str()),
        }))
    }
}

impl StatedRate {
    /// Returns the conversion of a bill in this currency.
    pub(super) fn from(self, from: &Currency) -> Result<Exchange, CommandError> {
        if *from == self.to {
            return Err(CommandError::BadValue {
                flag: "--fx-rate",
                problem: format!("the bill is in {from} already"),
            });
        }
        Ok(Exchange {
            from: from.clone(),
            to: self.to,
            rate: self.rate,
            date: self.date,
            source: self.source,
        })
    }
}

fn code(flag: &'static str, text: &str) -> Result<Currency, CommandError> {
    let code = text.trim().to_uppercase();
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Currency::new(code));
    }
    let problem = "a currency is three letters, e.g. EUR".to_owned();
    Err(CommandError::BadValue { flag, problem })
}
