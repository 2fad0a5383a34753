//! What cannot be answered of costs alone, or of services that are not known, and why.

use std::collections::BTreeSet;

use super::AppError;
use crate::{
    domain::{
        costs::{NOT_STATED, states_costs_only},
        ids::Currency,
        money::Money,
        period::Month,
    },
    ledger::{Ledger, LedgerError},
};

/// Sums of a month whose services are not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownServices {
    /// Which month.
    pub month: Month,
    /// What they come to.
    pub cost: Money,
    /// In which currency.
    pub currency: Currency,
}

/// Returns the sums of a month whose services are not known, if there are any.
pub(super) fn unknown_services(
    ledger: &Ledger,
    month: Month,
) -> Result<Option<UnknownServices>, LedgerError> {
    let outside = ledger.outside(month)?;
    let mut sums = outside.iter().filter(|sum| sum.service == NOT_STATED);
    let Some(first) = sums.next() else {
        return Ok(None);
    };
    let others = sums.filter(|sum| sum.currency == first.currency);
    Ok(Some(UnknownServices {
        month,
        cost: first.cost + others.map(|sum| sum.cost).sum(),
        currency: first.currency.clone(),
    }))
}

/// Says why a ledger has nothing to continue.
pub(super) fn nothing_ahead(ledger: &Ledger) -> AppError {
    let months = match ledger.months() {
        Ok(months) => months,
        Err(error) => return error.into(),
    };
    let Some(last) = months.last() else {
        return AppError::EmptyLedger;
    };
    match unknown_services(ledger, *last) {
        Ok(Some(unknown)) => AppError::ServicesUnknown(unknown),
        Ok(None) => AppError::NothingToContinue { known: months },
        Err(error) => error.into(),
    }
}

/// Says why months have no usage that a change could be about, if that is so.
pub(super) fn nothing_to_change(
    ledger: &Ledger,
    months: &[Month],
) -> Result<Option<AppError>, LedgerError> {
    let mut sources = BTreeSet::new();
    for month in months {
        if ledger.records(*month)?.iter().any(states_costs_only) {
            let used = ledger.sources(*month)?.into_iter().filter(|s| s.used);
            sources.extend(used.map(|source| source.kind));
        }
    }
    let (Some(first), Some(last)) = (months.first(), months.last()) else {
        return Ok(None);
    };
    if !sources.is_empty() {
        return Ok(Some(AppError::CostsOnly {
            months: (*first, *last),
            sources: sources.into_iter().collect(),
        }));
    }
    Ok(unknown_services(ledger, *last)?.map(AppError::ServicesUnknown))
}
