//! How far a month of the ledger reaches, how final it is, and what of it is missing.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{App, AppError};
use crate::{
    domain::{
        collection::Source,
        costs::NOT_STATED,
        finality::{Finality, NotFinal, ToCome},
        period::Month,
        usage::{Gap, UsageRecord},
    },
    ledger::{Ledger, SourceInfo},
};

impl App {
    /// Returns the records of a month, and what was set aside: sums of days after today are what the
    /// console expects, not what was charged.
    pub(super) fn records(
        &self,
        ledger: &Ledger,
        month: Month,
    ) -> Result<(Vec<UsageRecord>, Option<ToCome>), AppError> {
        let mut records = ledger.records(month)?;
        if month.last_day() <= self.today {
            return Ok((records, None));
        }
        let sources = ledger.sources(month)?;
        if used(&sources).any(|source| source.kind.is_by_day()) {
            return Ok((records, None));
        }
        let to_come: Vec<UsageRecord> = records
            .extract_if(.., |record| record.day > self.today)
            .collect();
        let first = to_come.iter().map(|record| record.day).min();
        let last = to_come.iter().map(|record| record.last_day).max();
        let cost = to_come.iter().filter_map(|r| Some(r.billed.as_ref()?.cost));
        let set_aside = first.zip(last).map(|days| ToCome {
            days,
            cost: cost.sum(),
        });
        Ok((records, set_aside))
    }

    /// Returns how final a month is, given its records.
    pub(super) fn finality(
        &self,
        ledger: &Ledger,
        month: Month,
        records: &[UsageRecord],
    ) -> Result<Finality, AppError> {
        let sources = ledger.sources(month)?;
        let is_open = month.end() > self.today;
        let mut reasons = Vec::new();
        let mut add = |reason: NotFinal| {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        };
        if month.contains(self.today) && used(&sources).next().is_some() {
            add(NotFinal::Open {
                until: known_until(used(&sources), records, self.today),
            });
        }
        for source in used(&sources) {
            let (kind, standing) = (source.kind, &source.standing);
            if let Some(at_most) = source.open_until(self.today) {
                let is_over = !is_open;
                add(NotFinal::ReachUnknown {
                    kind,
                    at_most,
                    is_over,
                });
            }
            // Of a month that is not over it goes without saying.
            if standing.estimated && !is_open {
                add(NotFinal::Estimated { kind });
            }
            if standing.invoiced == Some(false) && !is_open {
                add(NotFinal::NotInvoiced { kind });
            }
            if standing.services_unknown {
                let mut cost = BTreeMap::new();
                let sums = ledger.outside(month)?;
                for sum in sums.into_iter().filter(|sum| sum.service == NOT_STATED) {
                    *cost.entry(sum.currency).or_default() += sum.cost;
                }
                add(NotFinal::ServicesUnknown { kind, cost });
            }
            if standing.is_cut {
                add(NotFinal::PageMissing { kind });
            }
            let numbers = source.missing_parts();
            if !numbers.is_empty() {
                add(NotFinal::FilesMissing { kind, numbers });
            }
            // Days that are gone from a sum are uncovered, and said to be.
            if let Some(larger) = standing.larger_before.clone()
                && (kind.is_bill() || larger.costs_less())
            {
                add(NotFinal::Smaller { kind, larger });
            }
        }
        let is_told = |source: &SourceInfo| match source.kind {
            kind if kind.is_bill() => source.standing.invoiced == Some(true),
            kind => kind.says_if_estimated() && !source.standing.estimated,
        };
        Ok(Finality {
            reasons,
            is_stated: used(&sources).next().is_some() && used(&sources).all(is_told),
            to_come: None,
        })
    }
}

fn used(sources: &[SourceInfo]) -> impl Iterator<Item = &SourceInfo> {
    sources.iter().filter(|source| source.used)
}

/// Returns the last day of an open month that is known: a sum says it itself, of a bill it is the last
/// day with charges.
pub(super) fn known_until<'s>(
    sources: impl Iterator<Item = &'s SourceInfo>,
    records: &[UsageRecord],
    today: NaiveDate,
) -> Option<NaiveDate> {
    let mut by_day = false;
    let mut told = None;
    for source in sources {
        by_day |= source.kind.is_by_day();
        told = told.max(source.known_until(today));
    }
    let charged = records.iter().map(|record| record.day).max();
    told.or(charged.filter(|_| by_day))
}

/// Returns what of a month is missing: days that no source covers are missing, not quiet.
pub(super) fn gaps(
    ledger: &Ledger,
    month: Month,
    today: NaiveDate,
    finality: &Finality,
) -> Result<Vec<Gap>, AppError> {
    let sources = ledger.sources(month)?;
    let mut gaps = Vec::new();
    for source in used(&sources).filter(|source| source.skipped > 0) {
        gaps.push(Gap {
            what: format!(
                "{} row{} of {}",
                source.skipped,
                if source.skipped == 1 { "" } else { "s" },
                source.kind.title()
            ),
            reason: "could not be read and were left out".to_owned(),
        });
    }
    let missing = finality.reasons.iter().filter(|reason| reason.is_missing());
    gaps.extend(missing.map(|reason| reason.gap(month)));
    let end = month.last_day().min(today.pred_opt().unwrap_or(today));
    let is_one = used(&sources).count() == 1;
    for source in used(&sources) {
        for &(from, to) in &source.uncovered {
            let to = to.min(end);
            if from > to {
                continue;
            }
            let days = if from == to {
                format!("usage of {from}")
            } else {
                format!("usage of {from} to {to}")
            };
            gaps.push(Gap {
                what: match &*source.source {
                    "" => days,
                    _ if is_one => days,
                    name => format!("{days} of {name}"),
                },
                reason: "not imported".to_owned(),
            });
        }
    }
    if used(&sources).any(SourceInfo::is_whole_month) {
        return Ok(gaps);
    }
    // What Cost Explorer would have said of this month, and did not.
    for missing in ledger.missing()? {
        let of_month = missing.part.is_empty() || missing.part == month.to_string();
        if missing.scope.source == Source::CostExplorer && of_month {
            gaps.push(Gap {
                what: missing.what(),
                reason: missing.reason,
            });
        }
    }
    Ok(gaps)
}
