//! What a report says of what could be different: savings, and a scenario beside a month.

use super::{App, AppError, BillRequest};
use crate::{
    domain::{
        money::Money, optimize::Optimization, overview::Overview, scenario::Scenario,
        scenario_summary::ScenarioSummary,
    },
    ledger::Ledger,
};

/// Months behind P10 to P90.
const HISTORY: u32 = 12;
/// What a month must save to be worth a line, in the currency of the bill.
const LEAST: Money = Money::new(rust_decimal::Decimal::ONE);

impl App {
    /// Looks for savings up to the last month of an overview that is over, and sets a scenario beside
    /// that month: the one stated, else the savings that go together. Nothing where no month is over.
    pub fn prospects(
        &self,
        ledger: &mut Ledger,
        overview: &Overview,
        scenario: Option<&Scenario>,
        request: &BillRequest,
    ) -> Result<(Option<Optimization>, Option<ScenarioSummary>), AppError> {
        let Some(month) = overview.sensitivity.as_ref().map(|one| one.month) else {
            return Ok((None, None));
        };
        let first = (1..HISTORY).fold(month, |month, _| month.previous());
        self.add_sample_facts(ledger, first)?;
        let currency = overview
            .months
            .iter()
            .rev()
            .find_map(|(_, bill)| bill.as_ref());
        let request = &BillRequest {
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
        let found = match self.optimize(&baseline, LEAST) {
            // Charges without usage leave nothing to change.
            Err(AppError::EmptyLedger) => None,
            found => Some(found?),
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
