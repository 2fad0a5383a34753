//! What if something were different: scenarios beside what was, or beside what is to come.

use chrono::NaiveDate;

use super::{App, AppError, Baseline, BaselineRequest, Field, Scenarios};
use crate::{
    domain::{
        percentiles::Percentiles,
        scenario::{Comparison, Scenario, compare},
        storage::ResourceDetail,
    },
    forecast::{Compared, ForecastOptions},
};

/// Which scenarios to compare, and with what.
#[derive(Clone, Debug, Default)]
pub struct WhatIfRequest {
    /// The scenarios.
    pub scenarios: Scenarios,
    /// What they are compared with.
    pub baseline: BaselineRequest,
    /// Compares with so many months to come, too.
    pub months_ahead: Option<u32>,
}

/// Scenarios beside what they are compared with.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// What they are compared with.
    pub baseline: Baseline,
    /// An answer for each scenario.
    pub answers: Vec<Answer>,
}

/// A comparison with the range of its difference in a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The comparison.
    pub comparison: Comparison,
    /// P10, P50 and P90 of the difference in a month of history, and how many months that was.
    pub history: Option<(Percentiles, usize)>,
    /// The months to come, where they are asked for.
    pub ahead: Option<Compared>,
}

impl WhatIf {
    /// Tells whether both sides of every comparison are the whole.
    pub fn is_complete(&self) -> bool {
        let mut totals = self.answers.iter().map(|answer| answer.comparison.total);
        totals.all(|total| total.whole.both()) && self.baseline.costs_only().is_empty()
    }

    /// Returns when the oldest price was stated.
    pub fn oldest_price(&self) -> Option<NaiveDate> {
        let prices = self
            .answers
            .iter()
            .map(|answer| answer.comparison.oldest_price);
        prices.flatten().min()
    }
}

impl App {
    /// Compares scenarios with what was, or with what is to come.
    pub fn what_if(&self, request: &WhatIfRequest) -> Result<WhatIf, AppError> {
        let scenarios = self.scenarios(&request.scenarios)?;
        let is_nothing = scenarios.iter().all(|scenario| scenario.changes.is_empty());
        if is_nothing && request.scenarios.files.is_empty() {
            return Err(AppError::NoChange);
        }
        let baseline = self.gather(&request.baseline)?;
        let answers = scenarios
            .iter()
            .map(|scenario| self.compare(&baseline, scenario));
        let mut answers = answers.collect::<Result<Vec<_>, _>>()?;
        if let Some(months) = request.months_ahead {
            if request.baseline.usage.is_some() {
                let problem = "stated usage has no past to continue";
                return Err(AppError::field(Field::Against, problem));
            }
            let ledger = self.ledger()?;
            let (terms, currency) = (
                &request.baseline.terms,
                request.baseline.currency.as_deref(),
            );
            let rating = self.rating_terms(terms, currency)?;
            let options = ForecastOptions {
                months,
                ..ForecastOptions::default()
            };
            for answer in &mut answers {
                let scenario = &answer.comparison.scenario;
                let ahead = self.compare_ahead(&ledger, &baseline, scenario, &options, &rating)?;
                answer.ahead = Some(ahead);
            }
        }
        Ok(WhatIf { baseline, answers })
    }

    /// Compares a scenario with a baseline.
    pub fn compare(&self, baseline: &Baseline, scenario: &Scenario) -> Result<Answer, AppError> {
        let baseline = &*baseline.of(scenario.is_of_storage())?;
        self.check_names(baseline, scenario)?;
        let comparison = compare(&baseline.raters(self), scenario)?;
        let mut differences = Vec::new();
        let mut complete = true;
        for (rater, usage) in baseline.past(self).iter().zip(&baseline.history) {
            if scenario.is_of_storage() && usage.stores.told != Some(ResourceDetail::Present) {
                continue;
            }
            let before = rater.value(&[])?;
            let after = rater.value(&scenario.changes.iter().collect::<Vec<_>>())?;
            // What rests on a guess says nothing of what rests on recorded runs.
            if after.applied.guessed && !comparison.guessed {
                continue;
            }
            // A range of differences that are not known would be none.
            complete &= before.is_complete() && after.is_complete();
            differences.push(after.bill.total() - before.bill.total());
        }
        let months = differences.len();
        let history = (complete && months > 1).then(|| (Percentiles::of(differences), months));
        Ok(Answer {
            comparison,
            history,
            ahead: None,
        })
    }
}
