//! What was used.

use std::collections::BTreeMap;

use super::{App, AppError};
use crate::{
    domain::{
        allocation::Dimension,
        ci_jobs::MonthJobs,
        metering::{from_events::MeteringOptions, options::QueuedTime},
        period::Month,
        remark::Remark,
        spread::{is_spread, spread},
        usage::{Gap, UsageRecord},
        usage_summary::{UsageSum, summarize},
    },
    ledger::Ledger,
};

/// Which usage to add up, and by what.
#[derive(Clone, Debug, Default)]
pub struct UsageRequest {
    /// Which month; else the last one.
    pub month: Option<Month>,
    /// What is kept apart.
    pub by: Vec<Dimension>,
    /// Adds up what AWS's APIs say happened, by these rules, in place of what was billed.
    pub metered: Option<MeteringOptions>,
}

/// What was used in a month.
#[derive(Clone, Debug)]
pub struct UsageAnswer {
    /// The month.
    pub month: Month,
    /// What is kept apart, each once.
    pub by: Vec<Dimension>,
    /// The sums.
    pub sums: Vec<UsageSum>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// What else should be known of them.
    pub notes: Vec<Remark>,
    /// What is known of the CI jobs they are of.
    pub jobs: Option<MonthJobs>,
}

impl App {
    /// Adds up what was used in a month.
    pub fn usage(&self, request: &UsageRequest) -> Result<UsageAnswer, AppError> {
        let mut by: Vec<Dimension> = Vec::new();
        for dimension in &request.by {
            if !by.contains(dimension) {
                by.push(dimension.clone());
            }
        }
        let mut ledger = self.ledger()?;
        let by_jobs = by.iter().any(Dimension::is_of_jobs);
        if let Some(options) = request.metered {
            let month = self.metered_month(&ledger, request.month)?;
            let mut metered = self.metered(&ledger, month, options)?;
            let mut jobs = None;
            if by_jobs {
                let shares = self.job_shares(&ledger, month, options.queued_time)?;
                metered.records = shares.split_records(&metered.records);
                jobs = Some(MonthJobs {
                    summary: shares.summary,
                    runs: BTreeMap::new(),
                    costs: None,
                    is_billed: false,
                });
            }
            return Ok(UsageAnswer {
                month,
                sums: summarize(&metered.records, &by),
                by,
                gaps: metered.gaps,
                notes: metered.notes,
                jobs,
            });
        }
        let month = self.month(&ledger, request.month)?;
        let mut jobs = None;
        let (sums, is_spread) = if by_jobs {
            self.add_sample_facts(&mut ledger, month.previous())?;
            let shares = self.job_shares(&ledger, month, QueuedTime::default())?;
            let (records, is_spread) = self.usage_records(&ledger, &[month], &by)?;
            let sums = summarize(&shares.split_records(&records), &by);
            jobs = Some(MonthJobs {
                summary: shares.summary,
                runs: BTreeMap::new(),
                costs: None,
                is_billed: true,
            });
            (sums, is_spread)
        } else {
            self.usage_of(&ledger, &[month], &by)?
        };
        Ok(UsageAnswer {
            month,
            by,
            sums,
            gaps: self.gaps(&ledger, month)?,
            notes: is_spread
                .then_some(Remark::DaysSpread)
                .into_iter()
                .collect(),
            jobs,
        })
    }

    /// Adds up what the ledger has of some months, and tells whether sums of several days were spread
    /// over these days.
    pub fn usage_of(
        &self,
        ledger: &Ledger,
        months: &[Month],
        by: &[Dimension],
    ) -> Result<(Vec<UsageSum>, bool), AppError> {
        let (records, is_spread) = self.usage_records(ledger, months, by)?;
        Ok((summarize(&records, by), is_spread))
    }

    /// Returns what the ledger has of some months, spread over days where it is asked for by day, and
    /// tells whether it was.
    fn usage_records(
        &self,
        ledger: &Ledger,
        months: &[Month],
        by: &[Dimension],
    ) -> Result<(Vec<UsageRecord>, bool), AppError> {
        let mut records = Vec::new();
        for month in months {
            records.extend(self.records(ledger, *month)?.0);
        }
        let is_spread = by.contains(&Dimension::Day) && records.iter().any(is_spread);
        if is_spread {
            records = spread(records);
        }
        Ok((records, is_spread))
    }
}
