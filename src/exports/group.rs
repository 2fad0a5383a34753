//! Rows that are alike in all but their amounts, added up to the last digit.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use foldhash::fast::RandomState;
use rust_decimal::Decimal;

use crate::domain::{
    export::OtherServices,
    ids::{Currency, ServiceCode},
    money::Money,
    period::Month,
    usage::{ChargeKind, Commitment, Tags, UsageRecord},
};

/// A row of a service that is kept, its amounts aside.
pub(super) struct Row<'r> {
    pub(super) month: Month,
    pub(super) day: NaiveDate,
    pub(super) last_day: NaiveDate,
    pub(super) payer: Option<&'r str>,
    pub(super) account: Option<&'r str>,
    pub(super) service: &'r ServiceCode,
    pub(super) usage_type: &'r str,
    pub(super) region: Option<&'r str>,
    pub(super) kind: ChargeKind,
    pub(super) resource: Option<&'r str>,
    pub(super) tags: Tags,
    pub(super) unit: Option<&'r str>,
    pub(super) rate: Option<Decimal>,
    pub(super) list_rate: Option<Decimal>,
    pub(super) invoice: Option<&'r str>,
    pub(super) covered_by: Option<Commitment>,
    pub(super) currency: &'r str,
    pub(super) origin: Option<&'r str>,
}

/// What rows add up.
#[derive(Clone, Copy)]
pub(super) struct Amounts {
    pub(super) quantity: Option<Decimal>,
    pub(super) cost: Decimal,
    /// What their cost after discounts is beyond their cost.
    pub(super) off: Decimal,
    pub(super) rows: u64,
}

impl Amounts {
    pub(super) const fn of(quantity: Option<Decimal>, cost: Decimal, rows: u64) -> Self {
        Self {
            quantity,
            cost,
            off: Decimal::ZERO,
            rows,
        }
    }

    /// States the cost after discounts.
    pub(super) fn net(self, net: Decimal) -> Self {
        Self {
            off: net - self.cost,
            ..self
        }
    }
}

/// Rows that are alike in all but their amounts.
pub(super) struct Group {
    pub(super) record: UsageRecord,
    pub(super) off: Decimal,
    pub(super) rows: u64,
}

impl Group {
    /// A group that is no rows of its own.
    pub(super) fn of(record: UsageRecord) -> Self {
        Self {
            record,
            off: Decimal::ZERO,
            rows: 0,
        }
    }
}

/// Groups of rows.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) by_key: HashMap<Box<[u8]>, usize, RandomState>,
    pub(super) groups: Vec<Group>,
}

/// Adds to a group; tells whether that was possible without losing a digit.
pub(super) fn add(record: &mut UsageRecord, quantity: Option<Decimal>, cost: Decimal) -> bool {
    let billed = record.billed.get_or_insert_default();
    let Some(cost) = exact_sum(billed.cost.amount(), cost) else {
        return false;
    };
    if let (Some(sum), Some(more)) = (&mut record.quantity, quantity) {
        let Some(value) = exact_sum(sum.value, more) else {
            return false;
        };
        sum.value = value;
    }
    billed.cost = Money::new(cost);
    true
}

/// Returns a sum if 28 digits hold it. Addition would round it otherwise.
pub(super) fn exact_sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let sum = a.checked_add(b)?;
    (a.is_zero() || b.is_zero() || sum.scale() >= a.scale().max(b.scale())).then_some(sum)
}

/// Tells whether every charge for usage has an invoice; none where there is no such charge.
pub(super) fn invoiced(records: &[UsageRecord]) -> Option<bool> {
    let mut usage = records
        .iter()
        .filter(|record| record.kind == ChargeKind::Usage)
        .peekable();
    usage.peek()?;
    Some(usage.all(|record| record.billed.as_ref().is_some_and(|b| b.invoice.is_some())))
}

/// What tells records apart; everything but their amounts.
fn identity(record: &UsageRecord) -> impl Ord + '_ {
    let billed = record.billed.as_ref();
    (
        (record.month, record.day, &record.key, &record.kind),
        (
            &record.resource,
            &record.tags,
            record.quantity.map(|q| q.unit),
        ),
        billed.map(|b| (b.rate, b.list_rate, b.invoice.clone(), b.covered_by)),
        (&record.currency, &record.origin),
    )
}

/// Sorts records and adds up those that differ only in how their source spelled them.
pub(super) fn merged(groups: Vec<Group>) -> Vec<UsageRecord> {
    let mut records: Vec<UsageRecord> = groups.into_iter().map(|group| group.record).collect();
    let amounts = |r: &UsageRecord| {
        (
            r.quantity.map(|q| q.value),
            r.billed.as_ref().map(|billed| billed.cost),
        )
    };
    records.sort_by(|a, b| {
        identity(a)
            .cmp(&identity(b))
            .then_with(|| amounts(a).cmp(&amounts(b)))
    });
    let mut out: Vec<UsageRecord> = Vec::with_capacity(records.len());
    for record in records {
        if let Some(last) = out.last_mut()
            && identity(last).cmp(&identity(&record)).is_eq()
        {
            let (quantity, cost) = amounts(&record);
            if add(last, quantity, cost.unwrap_or_default().amount()) {
                continue;
            }
        }
        out.push(record);
    }
    for record in &mut out {
        if let Some(quantity) = &mut record.quantity {
            quantity.value = quantity.value.normalize();
        }
        if let Some(billed) = &mut record.billed {
            billed.cost = Money::new(billed.cost.amount().normalize());
        }
    }
    out
}

pub(super) fn merged_outside(totals: Vec<OtherServices>) -> Vec<OtherServices> {
    let mut sums: BTreeMap<(String, ChargeKind, Currency), (u64, Money)> = BTreeMap::new();
    for total in totals {
        let sum = sums
            .entry((total.service, total.kind, total.currency))
            .or_default();
        *sum = (sum.0 + total.rows, sum.1 + total.cost);
    }
    sums.into_iter()
        .map(|((service, kind, currency), (rows, cost))| OtherServices {
            service,
            kind,
            currency,
            rows,
            cost: Money::new(cost.amount().normalize()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::number::parse_decimal;

    #[test]
    fn a_sum_that_would_lose_a_digit_is_refused() {
        let dec = |text| parse_decimal(text).expect("a decimal");
        assert_eq!(exact_sum(dec("0.1"), dec("0.25")), Some(dec("0.35")));
        assert_eq!(exact_sum(dec("0"), dec("1E-28")), Some(dec("1E-28")));
        assert_eq!(exact_sum(dec("123456"), dec("1E-28")), None);
        assert_eq!(exact_sum(dec("5.5"), dec("-5.5")), Some(dec("0")));
    }
}
