//! What a report is made from: months, where they lead, and what could be different.

use std::path::Path;

use chrono::NaiveDate;

use super::{App, AppError, ExchangeRequest, Field, Months, RatingTerms, Scenarios, Terms};
use crate::{
    domain::{
        bill::Bill, exchange::Exchange, gl::GlMapping, ids::Currency, money::Money,
        optimize::Optimization, overview::Overview, period::Month, rating::RatedMonth,
        scenario::Scenario, scenario_summary::ScenarioSummary,
    },
    forecast::{Forecast, ForecastOptions},
    inputs::{
        gl_mapping,
        report_definition::{ReportDefinition, embedded},
    },
    ledger::Ledger,
};

/// Months behind P10 to P90.
const HISTORY: u32 = 12;
/// What a month must save to be worth a line, in the currency of the bill.
const LEAST: Money = Money::new(rust_decimal::Decimal::ONE);

/// What to report.
#[derive(Clone, Debug, Default)]
pub struct ReportRequest {
    /// Which months; else the last one.
    pub months: Months,
    /// What its formats show.
    pub needs: Needs,
    /// How many months to forecast after the current one.
    pub months_ahead: u32,
    /// What a month may cost.
    pub budget: Option<Money>,
    /// A scenario beside the last month that is over; else the savings that go together.
    pub scenario: Scenarios,
    /// The currency of amounts.
    pub exchange: ExchangeRequest,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

/// What the formats of a report show besides the months.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// Where the months lead.
    pub forecast: Needed,
    /// The same, while one of them is not over.
    pub forecast_of_open: Needed,
    /// The months around.
    pub overview: bool,
    /// What would save money, and a scenario: a part of what is around.
    pub savings: bool,
    /// The months shared among CI jobs.
    pub jobs: bool,
}

/// Whether something is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Needed {
    /// It is not.
    #[default]
    No,
    /// It is shown where there is one.
    IfThereIs,
    /// Nothing is shown without it.
    Yes,
}

/// What a report is made from.
#[derive(Debug)]
pub struct Reported {
    /// The months, in order, at least one.
    pub months: Vec<RatedMonth>,
    /// The same months, their usage shared among CI jobs; none where nobody needs it.
    pub by_jobs: Vec<RatedMonth>,
    /// The conversion of amounts.
    pub exchange: Option<Exchange>,
    /// Where they lead.
    pub forecast: Option<Forecast>,
    /// The months around.
    pub overview: Option<Overview>,
    /// What would have saved money.
    pub savings: Option<Optimization>,
    /// A scenario beside the last month that is over.
    pub scenario: Option<ScenarioSummary>,
}

impl Reported {
    fn bills(&self) -> impl Iterator<Item = &Bill> {
        self.months.iter().map(|month| &month.rated.bill)
    }

    /// Returns the months that are not the whole.
    pub fn partial(&self) -> Vec<Month> {
        let partial = self.bills().filter(|bill| !bill.is_complete());
        partial.map(|bill| bill.month).collect()
    }

    /// Tells whether all months are over: then nothing of them is expected any more.
    pub fn are_over(&self, today: NaiveDate) -> bool {
        self.bills().all(|bill| bill.month.end() <= today)
    }

    /// Returns when the oldest price was stated.
    pub fn oldest_price(&self) -> Option<NaiveDate> {
        let ahead = self.forecast.iter().flat_map(|it| &it.result.months);
        let bills = self.bills().chain(ahead.map(|month| &month.exact));
        bills.filter_map(Bill::oldest_price).min()
    }
}

/// Returns the currency of the bills: amounts of several add up to nothing.
fn one_currency(months: &[RatedMonth]) -> Result<Currency, AppError> {
    let mut currencies: Vec<&Currency> = months.iter().map(|m| &m.rated.bill.currency).collect();
    currencies.dedup();
    match currencies[..] {
        [only] => Ok(only.clone()),
        _ => Err(AppError::field(
            Field::Currency,
            "these months are billed in several currencies: report them separately",
        )),
    }
}

impl App {
    /// Returns the definition of this name, or the one in this file.
    pub fn report_definition(&self, name: &str) -> Result<ReportDefinition, AppError> {
        ReportDefinition::named(name)?.ok_or_else(|| {
            let known: Vec<String> = embedded().into_iter().map(|(name, _)| name).collect();
            let problem = format!("choose {}, or name a TOML file", known.join(", "));
            AppError::field(Field::Definition, problem)
        })
    }

    /// Returns which accounts costs are posted to, by a file of rules or as usual.
    pub fn gl_mapping(&self, file: Option<&Path>) -> Result<GlMapping, AppError> {
        Ok(match file {
            Some(file) => gl_mapping::read(file, &self.catalog)?,
            None => gl_mapping::embedded(&self.catalog),
        })
    }

    /// Gathers what a report is made from.
    pub fn report(&self, request: &ReportRequest) -> Result<Reported, AppError> {
        let scenario = self.scenario(&request.scenario)?;
        if scenario.is_none() && !request.scenario.files.is_empty() {
            return Err(AppError::NoChange);
        }
        // What is wrong with the rate is said before anything is gathered.
        request.exchange.stated(self)?;
        let mut ledger = self.ledger()?;
        let currency = request.exchange.of_ledger()?;
        let rating = self.rating_terms(&request.terms, currency.as_deref())?;
        let asked = request.months.all(|| self.month(&ledger, None))?;
        let months = asked.into_iter().map(|month| {
            let month = self.month(&ledger, Some(month))?;
            self.rate_month(&ledger, month, &rating)
        });
        let months = months.collect::<Result<Vec<_>, AppError>>()?;
        let exchange = request.exchange.of_bill(&one_currency(&months)?, self)?;
        let are_over = months
            .iter()
            .all(|month| month.rated.bill.month.end() <= self.today);
        let needed = if are_over {
            request.needs.forecast
        } else {
            request.needs.forecast_of_open
        };
        let forecast = (needed != Needed::No).then(|| {
            let options = ForecastOptions {
                months: request.months_ahead,
                budget: request.budget,
                ..ForecastOptions::default()
            };
            self.forecast_usage(&ledger, &options, &rating)
        });
        let forecast = match forecast {
            // A page says that it has no forecast, and so does a journal.
            Some(Err(
                AppError::EmptyLedger
                | AppError::NothingToContinue { .. }
                | AppError::ServicesUnknown(_),
            )) if needed == Needed::IfThereIs => None,
            forecast => forecast.transpose()?,
        };
        let by_jobs = if request.needs.jobs {
            self.months_by_jobs(&mut ledger, &months)?
        } else {
            Vec::new()
        };
        let mut reported = Reported {
            months,
            by_jobs,
            exchange,
            forecast,
            overview: None,
            savings: None,
            scenario: None,
        };
        if request.needs.overview {
            let last = reported.months.last().map(|month| month.rated.bill.month);
            let last = last.unwrap_or(Month::of(self.today));
            let first = (0..HISTORY).fold(last, |month, _| month.previous());
            self.add_sample_facts(&mut ledger, first)?;
            let overview = self.overview(&ledger, &reported.months, &rating)?;
            if request.needs.savings {
                (reported.savings, reported.scenario) =
                    self.prospects(&ledger, &overview, scenario.as_ref(), &rating)?;
            }
            reported.overview = Some(overview);
        }
        Ok(reported)
    }

    /// Looks for savings up to the last month of an overview that is over, and sets a scenario beside
    /// that month: the one stated, else the savings that go together. Nothing where no month is over.
    fn prospects(
        &self,
        ledger: &Ledger,
        overview: &Overview,
        scenario: Option<&Scenario>,
        request: &RatingTerms,
    ) -> Result<(Option<Optimization>, Option<ScenarioSummary>), AppError> {
        let Some(month) = overview.sensitivity.as_ref().map(|one| one.month) else {
            return Ok((None, None));
        };
        let currency = overview
            .months
            .iter()
            .rev()
            .find_map(|(_, bill)| bill.as_ref());
        let request = &RatingTerms {
            currency: currency.map(|bill| bill.currency.clone()),
            ..request.clone()
        };
        let baseline = match self.baseline(ledger, &[month], HISTORY as usize, request) {
            // What has no quantities, or no services, leaves nothing to change: the page says so.
            Err(AppError::CostsOnly { .. } | AppError::ServicesUnknown(_)) => {
                return Ok((None, None));
            }
            baseline => baseline?,
        };
        let found = match self.find_savings(&baseline, LEAST) {
            // Charges without usage leave nothing to change.
            Err(AppError::EmptyLedger) => None,
            found => Some(found?.found),
        };
        let best = found.as_ref().and_then(|found| found.findings.first());
        let alone = scenario.or(best.map(|finding| &finding.scenario));
        let together = found
            .as_ref()
            .and_then(|found| Some((found, found.best_combination.as_ref()?)));
        let prospect = match (scenario, together, alone) {
            (None, Some((found, together)), _) => {
                let compared = baseline.of(together.scenario.is_of_storage())?;
                match compared.raters(self).last() {
                    Some(month) => Some(ScenarioSummary::together(found, together, month)?),
                    None => None,
                }
            }
            (_, _, Some(scenario_alone)) => {
                let answer = self.compare(&baseline, scenario_alone)?;
                let currency = &baseline.months[0].workload.currency;
                let of = ScenarioSummary::of(&answer.comparison, answer.history, currency);
                of.map(|prospect| ScenarioSummary {
                    found: scenario.is_none(),
                    ..prospect
                })
            }
            _ => None,
        };
        let alone = baseline.raters(self).last().map(|month| month.total(&[]));
        let alone = alone.transpose()?;
        let prospect = prospect.map(|prospect| ScenarioSummary {
            discounts: baseline.discounts.clone(),
            stored: alone.map_or(Money::ZERO, |alone| prospect.total.baseline - alone),
            ..prospect
        });
        Ok((found, prospect))
    }
}
