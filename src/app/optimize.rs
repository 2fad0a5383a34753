//! Which changes would have saved money: recorded months looked through.

use super::{App, AppError, Baseline, BillRequest};
use crate::{
    domain::{
        money::Money,
        optimize::{Optimization, PastMonth, optimize},
        period::Month,
    },
    ledger::Ledger,
};

/// Months of the sample that have builds one by one.
const SAMPLE_MONTHS: usize = 3;

/// How changes are looked for.
#[derive(Clone, Copy, Debug)]
pub struct OptimizeQuestion {
    /// The last month; else the last whole one.
    pub month: Option<Month>,
    /// The most months to look through.
    pub months: usize,
    /// What a change must save in a month to be named.
    pub least: Money,
}

impl App {
    /// Looks through the last months. Where builds were collected, only months that have them count:
    /// each build is rounded up by itself, and totals do not show it.
    pub fn optimize(
        &self,
        ledger: &mut Ledger,
        question: &OptimizeQuestion,
        request: &BillRequest,
    ) -> Result<(Optimization, Baseline), AppError> {
        let last = match question.month {
            Some(month) => month,
            None => self.last_whole_month(ledger)?,
        };
        let first = (1..SAMPLE_MONTHS).fold(last, |month, _| month.previous());
        self.add_sample_facts(ledger, first)?;
        let mut baseline = self.baseline(ledger, &[last], question.months, request)?;
        if baseline.history.is_empty() {
            // The month asked for is not over.
            baseline.history.clone_from(&baseline.months);
        }
        if baseline
            .history
            .last()
            .is_some_and(|month| month.workload.builds > 0)
        {
            let without = |month: &super::MonthUsage| month.workload.builds == 0;
            let first = baseline.history.iter().rposition(without);
            baseline.history.drain(..first.map_or(0, |at| at + 1));
        }
        let months: Vec<PastMonth<'_>> = baseline
            .past(self)
            .into_iter()
            .zip(&baseline.history)
            .map(|(valuer, usage)| PastMonth {
                valuer,
                facts: &usage.facts,
                book: self.price_book(&request.terms, usage.observed.clone()),
            })
            .collect();
        let found = optimize(&months, question.least)?.ok_or(AppError::EmptyLedger)?;
        drop(months);
        Ok((found, baseline))
    }
}
