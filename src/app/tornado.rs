//! Which drivers matter most: each is turned down and up.

use rust_decimal::Decimal;

use super::{App, AppError, BaselineRequest, Field, PerScenario, Scenarios};
use crate::domain::{
    number::parse_quantity,
    scenario::parameter::{self, Tornado, Variation},
};

/// How far to turn every driver.
#[derive(Clone, Debug, Default)]
pub struct TornadoRequest {
    /// The scenarios; without a change the drivers of the bill as it is.
    pub scenarios: Scenarios,
    /// A percentage as in `20%`, or `own` for each driver's own P10 and P90.
    pub swing: String,
    /// What they are compared with.
    pub baseline: BaselineRequest,
}

impl App {
    /// Turns every driver of scenarios down and up, and ranks them.
    pub fn tornado(
        &self,
        request: &TornadoRequest,
    ) -> Result<PerScenario<(Tornado, Variation)>, AppError> {
        let scenarios = self.scenarios(&request.scenarios)?;
        let percent = match &*request.swing {
            "own" => None,
            text => Some(percent(text)?),
        };
        let baseline = self.gather(&request.baseline)?;
        self.for_each(
            scenarios,
            baseline,
            (Field::Swing, &[]),
            |scenario, baseline| {
                let months = baseline.raters(self);
                let own = || Variation::Own(parameter::own_swings(&baseline.past(self), &months));
                let swing = percent.map_or_else(own, Variation::Percent);
                let tornado = parameter::tornado(&months, scenario, &swing)?;
                Ok((tornado, swing))
            },
        )
    }
}

fn percent(text: &str) -> Result<Decimal, AppError> {
    let wrong = |problem: String| AppError::field(Field::Swing, problem);
    let percent =
        parse_quantity(text.trim_end_matches('%')).map_err(|error| wrong(error.to_string()))?;
    if percent > Decimal::ONE_HUNDRED {
        return Err(wrong("the percentage must be at most 100".to_owned()));
    }
    Ok(percent)
}
