//! Where a scenario starts to pay.

use super::{App, AppError, BaselineRequest, Field, PerScenario, Scenarios};
use crate::{
    domain::scenario::{
        break_even::{BreakEven, break_even},
        parameter,
    },
    inputs::scenario_file,
};

/// What to turn until the scenario pays.
#[derive(Clone, Debug, Default)]
pub struct BreakEvenRequest {
    /// The scenarios.
    pub scenarios: Scenarios,
    /// A quantity as in `speed`, or with a range as in `speed=0.5..2`.
    pub parameter: String,
    /// What they are compared with.
    pub baseline: BaselineRequest,
}

impl App {
    /// Finds where scenarios start and cease to cost no more than what they are compared with.
    pub fn break_even(
        &self,
        request: &BreakEvenRequest,
    ) -> Result<PerScenario<BreakEven>, AppError> {
        let field = Field::BreakEven;
        let scenarios = self.scenarios(&request.scenarios)?;
        if scenarios.iter().all(|scenario| scenario.changes.is_empty()) {
            return Err(AppError::NoChange);
        }
        let (label, text) = (self.label(field), &request.parameter);
        let read = scenario_file::parse_range(&label, text, &self.catalog);
        let (parameter, range) = read.map_err(|error| AppError::stated(field, error))?;
        let baseline = self.gather(&request.baseline)?;
        let turned = (field, &[&parameter][..]);
        self.for_each(scenarios, baseline, turned, |scenario, baseline| {
            let months = baseline.raters(self);
            let range = range.unwrap_or_else(|| parameter::usual_range(&parameter, &months));
            if parameter.is_whole() && range.0.ceil() >= range.1.floor() {
                let problem = format!(
                    "{} must be a whole number: write a range of at least two",
                    parameter.name()
                );
                return Err(AppError::field(field, problem));
            }
            Ok(break_even(&months, scenario, &parameter, range)?)
        })
    }
}
