//! Which changes would have saved money, and whether something costs more than it may.

use chrono::NaiveDate;

use super::{App, AppError, Baseline, BaselineRequest, MonthUsage, Months};
use crate::domain::{
    discounts::{Discounts, Recurring},
    ids::ServiceCode,
    money::Money,
    optimize::{Ahead, Observation, Optimization, PastMonth, optimize},
    remark::Remark,
    scenario::Scenario,
};

/// Where to look for savings, and how much is worth a line.
#[derive(Clone, Debug, Default)]
pub struct OptimizeRequest {
    /// The months: those stated, else the history up to the one stated.
    pub baseline: BaselineRequest,
    /// What a change must save in a month.
    pub least: Money,
    /// Ranks by what the next month would save, in place of the months that were.
    pub ahead: bool,
}

/// What would have saved money.
#[derive(Clone, Debug)]
pub struct Savings {
    /// The findings, and what was observed of the months.
    pub found: Optimization,
    /// What was assumed of stated usage.
    pub assumptions: Vec<Remark>,
}

impl Savings {
    /// Returns when the oldest price was stated.
    pub fn oldest_price(&self) -> Option<NaiveDate> {
        let findings = self.found.findings.iter();
        findings.filter_map(|finding| finding.oldest_price).min()
    }
}

impl App {
    /// Looks for changes that would have saved money, or will.
    pub fn optimize(&self, request: &OptimizeRequest) -> Result<Savings, AppError> {
        let mut asked = request.baseline.clone();
        if let Months::Between(..) = asked.months {
            // These months were asked about, and no others.
            asked.history = 0;
        }
        let baseline = self.gather(&asked)?;
        if request.ahead {
            let rating = self.rating_terms(&asked.terms, asked.currency.as_deref())?;
            return self.find_savings_ahead(&self.ledger()?, &baseline, request.least, &rating);
        }
        self.find_savings(&baseline, request.least)
    }

    /// Looks through the history of a baseline, or its months where there is none, for changes that
    /// save at least so much a month. Where builds were collected, only the latest months that have
    /// them count: each build is rounded up by itself, and totals do not show it.
    pub fn find_savings(&self, baseline: &Baseline, least: Money) -> Result<Savings, AppError> {
        self.find_savings_by(baseline, least, None)
    }

    pub(super) fn find_savings_by(
        &self,
        baseline: &Baseline,
        least: Money,
        ahead: Option<&Ahead<'_>>,
    ) -> Result<Savings, AppError> {
        let baseline = &baseline.with_storage();
        let (usage, raters) = if baseline.history.is_empty() {
            (&baseline.months, baseline.raters(self))
        } else {
            (&baseline.history, baseline.past(self))
        };
        let without = |month: &MonthUsage| month.workload.builds == 0;
        let skip = match usage.last() {
            Some(newest) if without(newest) => 0,
            _ => usage.iter().rposition(without).map_or(0, |at| at + 1),
        };
        let months: Vec<PastMonth<'_>> = raters
            .into_iter()
            .zip(usage)
            .skip(skip)
            .map(|(rater, usage)| PastMonth {
                rater,
                facts: &usage.facts,
                book: self.price_book(&baseline.terms, usage.observed.clone()),
                costs_only: usage.costs_only.keys().collect(),
            })
            .collect();
        let found = optimize(&months, &baseline.storage, least, ahead)?;
        let mut found = found.ok_or(AppError::EmptyLedger)?;
        let gaps = usage[skip..].iter().flat_map(|month| &month.gaps);
        let missing = gaps.cloned().map(Observation::Missing);
        let name = |service: &ServiceCode| self.catalog.service_name(service).to_owned();
        let newest = usage.last().map(|month| &month.costs_only);
        let costs = newest.filter(|costs| !costs.is_empty());
        let costs = costs.map(|costs| Observation::CostsOnly {
            services: costs.iter().map(|(of, cost)| (name(of), *cost)).collect(),
        });
        let discount = |of: &Recurring, replaced| Observation::Discount {
            service: name(&of.service),
            of: of.clone(),
            replaced,
        };
        let Discounts {
            recurring,
            replaced,
            ..
        } = &baseline.discounts;
        let recurring = recurring.iter().map(|of| discount(of, false));
        let replaced = replaced.iter().map(|of| discount(of, true));
        let notes = missing.chain(costs).chain(recurring).chain(replaced);
        found.observations.splice(0..0, notes.collect::<Vec<_>>());
        Ok(Savings {
            found,
            assumptions: baseline.assumptions.clone(),
        })
    }

    /// Returns the dearest month of a baseline under a scenario, and whether it is known whole.
    pub fn costliest_month(
        &self,
        baseline: &Baseline,
        scenario: &Scenario,
    ) -> Result<(Money, bool), AppError> {
        let baseline = &*baseline.of(scenario.is_of_storage())?;
        self.check_names(baseline, scenario)?;
        let changes: Vec<_> = scenario.changes.iter().collect();
        let mut dearest = Money::ZERO;
        let mut complete = baseline.months.iter().all(|month| month.gaps.is_empty());
        complete &= baseline.costs_only().is_empty();
        for rater in baseline.raters(self) {
            let value = rater.value(&changes)?;
            dearest = dearest.max(value.bill.total());
            complete &= value.is_complete();
        }
        Ok((dearest, complete))
    }
}
