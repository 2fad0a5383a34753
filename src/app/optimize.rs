//! What would cost less, and whether something costs more than it may.

use super::{App, AppError, Baseline};
use crate::domain::{
    money::Money,
    optimize::{Optimization, optimize},
    scenario::Scenario,
};

impl App {
    /// Looks through the months of a baseline for savings: its history, or the months themselves
    /// where there is none.
    pub fn optimize(&self, baseline: &Baseline) -> Result<Optimization, AppError> {
        let (months, valuers) = if baseline.history.is_empty() {
            (&baseline.months, baseline.valuers(self))
        } else {
            (&baseline.history, baseline.past(self))
        };
        let last = months.last().ok_or(AppError::EmptyLedger)?;
        Ok(optimize(&valuers, &last.facts)?)
    }

    /// Returns the dearest month of a baseline under a scenario, and whether it is known whole.
    pub fn dearest(
        &self,
        baseline: &Baseline,
        scenario: &Scenario,
    ) -> Result<(Money, bool), AppError> {
        self.check_names(baseline, scenario)?;
        let changes: Vec<_> = scenario.changes.iter().collect();
        let mut dearest = Money::ZERO;
        let mut complete = true;
        for valuer in baseline.valuers(self) {
            let value = valuer.value(&changes)?;
            dearest = dearest.max(value.bill.total());
            complete &= value.is_complete();
        }
        Ok((dearest, complete))
    }
}
