//! Whether something costs more than it may.

use std::path::PathBuf;

use rust_decimal::Decimal;

use super::{App, AppError, BaselineRequest, Field, Months, Scenarios};
use crate::{
    domain::{
        budget::{Check, Limit},
        ids::Currency,
        money::Money,
        remark::Remark,
        scenario::Scenario,
    },
    forecast::{Forecast, ForecastOptions},
};

/// What is checked, and against which limit.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// What it may cost.
    pub limit: Allowed,
    /// What is checked: a scenario if there is one, else the forecast.
    pub against: Option<CheckAgainst>,
    /// The scenario, if there is one.
    pub scenario: Scenarios,
    /// The month of the ledger, or stated usage.
    pub baseline: BaselineRequest,
}

/// What something may cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// No more than this.
    Budget(Money),
    /// No more than so many percent above another file of stated usage.
    Increase {
        /// The other file.
        base: PathBuf,
        /// Percent.
        percent: Decimal,
    },
}

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckAgainst {
    /// The P50 of the current month's end.
    Forecast,
    /// A month of the ledger as it was billed.
    Bill,
    /// A month of the ledger, or stated usage, under a scenario.
    Scenario,
}

/// A verdict with what it rests on.
#[derive(Debug)]
pub struct Checked {
    /// The verdict.
    pub check: Check,
    /// The currency of its amounts.
    pub currency: Currency,
    /// The forecast, if that is what was checked.
    pub forecast: Option<Forecast>,
    /// What was assumed of stated usage.
    pub assumptions: Vec<Remark>,
}

impl Allowed {
    fn budget(&self) -> Money {
        match self {
            Self::Budget(budget) => *budget,
            Self::Increase { .. } => Money::ZERO,
        }
    }
}

impl App {
    /// Checks whether something costs more than it may.
    pub fn check(&self, request: &CheckRequest) -> Result<Checked, AppError> {
        let scenario = self.scenario(&request.scenario)?;
        let stated = &request.baseline;
        if scenario.is_some()
            && matches!(
                request.against,
                Some(CheckAgainst::Forecast | CheckAgainst::Bill)
            )
        {
            let against = self.label(Field::Against);
            let problem =
                format!("a scenario is checked against its own cost: leave {against} out");
            return Err(AppError::field(Field::Against, problem));
        }
        let ledger_alone = stated.usage.is_none() && scenario.is_none();
        let budget = request.limit.budget();
        match request.against.unwrap_or(CheckAgainst::Forecast) {
            CheckAgainst::Scenario => self.check_scenario(request, &scenario.unwrap_or_default()),
            _ if !ledger_alone => self.check_scenario(request, &scenario.unwrap_or_default()),
            CheckAgainst::Bill => self.check_bill(budget, stated),
            CheckAgainst::Forecast if stated.months == Months::Last => {
                self.check_forecast(budget, stated)
            }
            CheckAgainst::Forecast => {
                let against = self.label(Field::Against);
                let problem = format!(
                    "the forecast is of the current month: add {against} bill or {against} scenario for another"
                );
                Err(AppError::field(Field::Month, problem))
            }
        }
    }

    fn check_scenario(
        &self,
        request: &CheckRequest,
        scenario: &Scenario,
    ) -> Result<Checked, AppError> {
        let baseline = self.gather(&request.baseline)?;
        let (cost, mut complete) = self.costliest_month(&baseline, scenario)?;
        let mut assumptions = baseline.assumptions.clone();
        let limit = match &request.limit {
            Allowed::Budget(budget) => Limit::Budget(*budget),
            Allowed::Increase { base, percent } => {
                let before = self.stated(base, &request.baseline.terms)?;
                let (base, whole) = self.costliest_month(&before, &Scenario::default())?;
                complete &= whole;
                assumptions.extend(before.assumptions);
                let percent = *percent;
                Limit::Increase { base, percent }
            }
        };
        let what = if scenario.changes.is_empty() {
            baseline.name.clone()
        } else {
            format!("{} under {}", baseline.name, scenario.name)
        };
        Ok(Checked {
            check: Check {
                what,
                cost,
                limit,
                complete,
            },
            currency: baseline.currency(),
            forecast: None,
            assumptions,
        })
    }

    fn check_bill(&self, budget: Money, stated: &BaselineRequest) -> Result<Checked, AppError> {
        let rating = self.rating_terms(&stated.terms, stated.currency.as_deref())?;
        let ledger = self.ledger()?;
        let month = match stated.months {
            Months::One(month) => self.month(&ledger, Some(month))?,
            _ => self.last_whole_month(&ledger)?,
        };
        let bill = self.rate_month(&ledger, month, &rating)?.rated.bill;
        Ok(Checked {
            check: Check {
                what: format!("the bill of {month}"),
                cost: bill.total(),
                limit: Limit::Budget(budget),
                complete: bill.is_complete(),
            },
            currency: bill.currency,
            forecast: None,
            assumptions: Vec::new(),
        })
    }

    fn check_forecast(&self, budget: Money, stated: &BaselineRequest) -> Result<Checked, AppError> {
        let rating = self.rating_terms(&stated.terms, stated.currency.as_deref())?;
        let options = ForecastOptions {
            months: 0,
            budget: Some(budget),
            ..ForecastOptions::default()
        };
        let forecast = self.forecast_usage(&self.ledger()?, &options, &rating)?;
        let month = forecast.result.months.last().ok_or(AppError::EmptyLedger)?;
        Ok(Checked {
            check: Check {
                what: format!("the forecast of {} (P50)", month.month),
                cost: month.total.p50,
                limit: Limit::Budget(budget),
                complete: month.exact.is_complete(),
            },
            currency: forecast.currency.clone(),
            forecast: Some(forecast),
            assumptions: Vec::new(),
        })
    }
}
