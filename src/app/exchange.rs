//! Which currency: one of the ledger's, or one that amounts are converted into at a stated rate.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{App, AppError, Field, terms::number};
use crate::domain::{exchange::Exchange, ids::Currency, number::parse_price};

/// Which currency amounts are in. A rate without its day, its source or a currency is refused.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRequest {
    /// Which one of the ledger; with a rate, what amounts are converted into.
    pub currency: Option<String>,
    /// What one unit of the bill's currency is worth, as in `0.92` or `USD=0.92`.
    pub rate: Option<String>,
    /// The day of the rate.
    pub date: Option<NaiveDate>,
    /// Who states the rate.
    pub source: Option<String>,
}

impl ExchangeRequest {
    /// Returns the ledger's currency that is asked for.
    pub(super) fn of_ledger(&self) -> Result<Option<String>, AppError> {
        let Some(rate) = &self.rate else {
            return Ok(self.currency.clone());
        };
        let from = rate
            .split_once('=')
            .map(|(from, _)| code(Field::ExchangeRate, from));
        Ok(from.transpose()?.map(|from| from.as_str().to_owned()))
    }

    /// Returns the conversion of bills, as far as it is known before they are; `from` is what they are in.
    pub(super) fn of_bill(&self, from: &Currency, app: &App) -> Result<Option<Exchange>, AppError> {
        let Some(exchange) = self.stated(app)? else {
            return Ok(None);
        };
        if *from == exchange.to {
            let problem = format!("the bill is in {from} already");
            return Err(AppError::field(Field::ExchangeRate, problem));
        }
        Ok(Some(Exchange {
            from: from.clone(),
            ..exchange
        }))
    }

    /// Returns the rate as it is stated.
    pub(super) fn stated(&self, app: &App) -> Result<Option<Exchange>, AppError> {
        let field = Field::ExchangeRate;
        let Some(rate) = &self.rate else {
            return Ok(None);
        };
        let (Some(currency), Some(date), Some(source)) = (&self.currency, self.date, &self.source)
        else {
            let needed = [Field::Currency, Field::ExchangeDate, Field::ExchangeSource];
            let [currency, date, source] = needed.map(|field| app.label(field));
            let problem = format!(
                "converting needs {currency}, {date} and {source} as well: the file says what was converted, when \
                 and by whose rate"
            );
            return Err(AppError::field(field, problem));
        };
        let rate = rate.split_once('=').map_or(rate.as_str(), |(_, rate)| rate);
        let rate = number(field, rate, parse_price)?;
        if rate.is_zero() {
            return Err(AppError::field(
                field,
                "a rate of 0 would make every cost nothing",
            ));
        }
        let to = code(Field::Currency, currency)?;
        Ok(Some(Exchange {
            from: to.clone(),
            to,
            rate,
            date,
            source: Arc::from(source.as_str()),
        }))
    }
}

fn code(field: Field, text: &str) -> Result<Currency, AppError> {
    let code = text.trim().to_uppercase();
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Currency::new(code));
    }
    Err(AppError::field(
        field,
        "a currency is three letters, e.g. EUR",
    ))
}
