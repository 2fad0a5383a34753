//! Cost Explorer's own forecast beside ours.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};
use rust_decimal::Decimal;

use super::{App, AppError, DataSource, Field, aws::anywhere};
use crate::{
    aws::{self, Subject},
    domain::{
        aws_forecast::{AwsForecast, AwsRemark, months},
        ids::{AccountId, Currency, ServiceCode},
        money::Money,
        period::Month,
        usage::{ChargeKind, UsageRecord},
    },
    forecast::Forecast,
    ledger::Ledger,
};

/// As whom to ask AWS, and what it may cost.
#[derive(Clone, Debug, Default)]
pub struct AwsForecastRequest {
    /// The profile of AWS's configuration.
    pub profile: Option<String>,
    /// What the requests may cost, in dollars.
    pub max_api_cost: Option<Decimal>,
}

/// Months that AWS forecasts, at most.
const MOST_MONTHS: u32 = 18;

impl App {
    /// Asks Cost Explorer for its forecast of the same: the services and accounts of the ledger, and
    /// usage only. A refusal is an answer too. `announce` hears the requests and what they cost.
    pub fn aws_forecast(
        &self,
        forecast: &Forecast,
        request: &AwsForecastRequest,
        watch: &dyn aws::Watch,
        announce: &dyn Fn(u32, Money),
    ) -> Result<AwsForecast, AppError> {
        if matches!(self.source, DataSource::Sample) {
            let problem = "the sample organization has no account that AWS could forecast";
            return Err(AppError::field(Field::WithAws, problem));
        }
        let (requests, cost) = aws::forecast_cost(&self.catalog, self.today);
        if request
            .max_api_cost
            .is_none_or(|most| cost.amount() <= most)
        {
            announce(requests, cost);
        }
        let ledger = &self.ledger()?;
        let request = &aws::Request {
            max_api_cost: request.max_api_cost,
            ..self.usual_request(anywhere(request.profile.as_deref()))
        };
        let current = Month::of(self.today);
        let refused = |why: String| AwsForecast {
            refused: Some(why),
            ..AwsForecast::default()
        };
        let last = forecast.result.months.last().map(|month| month.month);
        let Some(last) = last.filter(|last| *last >= current) else {
            return Ok(refused(format!(
                "not asked: it forecasts from {} on, and this forecast ends before",
                self.today
            )));
        };
        if forecast.currency != Currency::new("USD") {
            return Ok(refused(format!(
                "not asked: it forecasts in USD, and the ledger is in {}",
                forecast.currency
            )));
        }
        let (subject, services) = self.subject(ledger, forecast, last)?;
        let answered = match aws::expected(request, &subject, &self.catalog, watch)? {
            Ok(answered) => answered,
            Err(why) => return Ok(refused(why)),
        };
        let (known, until) = known_before(&ledger.records(current)?, self.today);
        let (month, from) = (current, self.today);
        let yesterday = from.pred_opt().unwrap_or(from);
        let mut notes = vec![
            AwsRemark::Subject {
                services,
                accounts: subject.accounts.clone(),
            },
            match known {
                None => AwsRemark::CurrentMonthMissing { month, from },
                Some(_) => AwsRemark::CurrentMonth {
                    month,
                    until: until.filter(|until| *until < yesterday),
                    from,
                },
            },
        ];
        if last.first_day() >= current.first_day() + Months::new(MOST_MONTHS) {
            notes.push(AwsRemark::MostMonths {
                months: MOST_MONTHS,
            });
        }
        Ok(AwsForecast {
            months: months(&answered, self.today, known),
            refused: None,
            notes,
        })
    }

    /// Returns what to ask for, and the services as people call them.
    fn subject(
        &self,
        ledger: &Ledger,
        forecast: &Forecast,
        last: Month,
    ) -> Result<(Subject, String), AppError> {
        let drivers = forecast.result.drivers.iter();
        let codes: BTreeSet<&ServiceCode> = drivers.map(|d| &d.key.meter.service).collect();
        let mut services = Vec::new();
        let mut names = Vec::new();
        for code in codes {
            names.push(self.catalog.service_name(code).to_owned());
            match self.catalog.services.get(code) {
                // Command-line shorthands are written small; what AWS calls a service is not.
                Some(service) => services.extend(
                    std::iter::once(&service.name)
                        .chain(&service.aliases)
                        .filter(|name| name.chars().any(char::is_uppercase))
                        .cloned(),
                ),
                None => services.push(code.to_string()),
            }
        }
        // Only if every record says whose it is, naming accounts leaves nothing out.
        let mut accounts: Option<BTreeSet<AccountId>> = Some(BTreeSet::new());
        for month in ledger.months()? {
            for record in ledger.records(month)? {
                match (&mut accounts, record.key.account) {
                    (Some(known), Some(account)) => {
                        known.insert(account);
                    }
                    _ => accounts = None,
                }
            }
        }
        let current = Month::of(self.today);
        let most = current.first_day() + Months::new(MOST_MONTHS);
        let subject = Subject {
            services,
            accounts: accounts.unwrap_or_default().into_iter().collect(),
            month_end: current.end(),
            end: last.end().min(most),
        };
        Ok((subject, names.join(", ")))
    }
}

/// Returns what usage of a month was billed before a day, if every row says it, and the last day of
/// it.
fn known_before(records: &[UsageRecord], day: NaiveDate) -> (Option<Money>, Option<NaiveDate>) {
    let before = || {
        records
            .iter()
            .filter(|record| record.kind == ChargeKind::Usage && record.day < day)
    };
    let costs: Option<Vec<Money>> = before()
        .map(|record| record.billed.as_ref().map(|billed| billed.cost))
        .collect();
    let until = before().map(|record| record.day).max();
    let is_first = Month::of(day).first_day() == day;
    let known = costs.filter(|costs| !costs.is_empty() || is_first);
    (known.map(|costs| costs.into_iter().sum()), until)
}
