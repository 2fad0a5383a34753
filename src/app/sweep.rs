//! What a scenario costs while one or two quantities are turned.

use super::{App, AppError, Baseline, BaselineRequest, Field, Scenarios};
use crate::{
    domain::scenario::{
        Scenario,
        parameter::{self, Parameter, Sweep},
    },
    inputs::scenario_file,
};

/// What to turn.
#[derive(Clone, Debug, Default)]
pub struct SweepRequest {
    /// The scenarios; what is turned may be all that they change.
    pub scenarios: Scenarios,
    /// One axis or two, as in `active_users=5..50:5`.
    pub axes: Vec<String>,
    /// What they are compared with.
    pub baseline: BaselineRequest,
}

/// An answer for each scenario.
#[derive(Clone, Debug)]
pub struct PerScenario<T> {
    /// What they are compared with.
    pub baseline: Baseline,
    /// The scenarios, each with its answer.
    pub answers: Vec<(Scenario, T)>,
}

impl App {
    /// Values scenarios at every place of one axis or two.
    pub fn sweep(&self, request: &SweepRequest) -> Result<PerScenario<Sweep>, AppError> {
        let field = Field::Axis;
        let label = self.label(field);
        let read = |text: &String| scenario_file::parse_axis(&label, text, &self.catalog);
        let axes: Result<Vec<_>, _> = request.axes.iter().map(read).collect();
        let axes = axes.map_err(|error| AppError::stated(field, error))?;
        if axes.len() > 2 {
            return Err(AppError::field(
                field,
                "one or two axes; run it again for another",
            ));
        }
        let scenarios = self.scenarios(&request.scenarios)?;
        let baseline = self.gather(&request.baseline)?;
        let turned = axes.iter().map(|axis| &axis.parameter).collect::<Vec<_>>();
        self.for_each(
            scenarios,
            baseline,
            (field, &turned),
            |scenario, baseline| Ok(parameter::sweep(&baseline.raters(self), scenario, &axes)?),
        )
    }

    /// Answers for each scenario, which must have what is turned.
    pub(super) fn for_each<T>(
        &self,
        scenarios: Vec<Scenario>,
        baseline: Baseline,
        (field, turned): (Field, &[&Parameter]),
        answer: impl Fn(&Scenario, &Baseline) -> Result<T, AppError>,
    ) -> Result<PerScenario<T>, AppError> {
        let mut answers = Vec::new();
        for scenario in scenarios {
            let is_storage = |parameter: &&Parameter| matches!(parameter, Parameter::Retention(..));
            let is_of_storage = scenario.is_of_storage() || turned.iter().any(is_storage);
            let baseline = baseline.of(is_of_storage)?;
            self.check_names(&baseline, &scenario)?;
            for parameter in turned {
                check_fit(field, parameter, &scenario)?;
            }
            let answered = answer(&scenario, &baseline)?;
            answers.push((scenario, answered));
        }
        Ok(PerScenario { baseline, answers })
    }
}

/// Refuses to turn what a scenario sets already, or does not have.
fn check_fit(field: Field, parameter: &Parameter, scenario: &Scenario) -> Result<(), AppError> {
    let name = parameter.name();
    if let Some(change) = parameter.is_set_by(scenario) {
        let problem = format!(
            "{change} sets {name} already: leave one of them out, or let the scenario add to it (=+) or \
             multiply it (*=)"
        );
        return Err(AppError::field(field, problem));
    }
    if parameter.fits(scenario) {
        return Ok(());
    }
    let owner = match parameter {
        Parameter::Speed => "compute[…]=…",
        Parameter::Machines => "compute[…]=reserved,machines=…",
        _ => "pipeline_type[…]=V2",
    };
    let problem = format!("no change has a {name} to vary; {name} belongs to {owner}");
    Err(AppError::field(field, problem))
}
