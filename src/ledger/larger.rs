//! A delivery that takes the place of a larger one: somebody may have exported less, and the rest of
//! the month would be lost without a word.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rusqlite::Transaction;

use super::{SqlResult, decode, exact, standing};
use crate::domain::{
    export::{ExportKind, ImportedPeriod, Larger, Standing},
    ids::Currency,
    money::Money,
    usage::ChargeKind,
};

/// Days with usage, and what usage cost. Credits and refunds make a month smaller rightly.
#[derive(Default)]
struct Size {
    /// By service: one that is kept in detail no longer has no days, but is not gone.
    days: BTreeMap<String, BTreeSet<NaiveDate>>,
    cost: BTreeMap<Currency, Money>,
}

impl Size {
    fn cost(&mut self, cost: Money, currency: &str) {
        *self.cost.entry(Currency::new(currency)).or_default() += cost;
    }

    fn day(&mut self, service: &str, first: NaiveDate, last: NaiveDate) {
        let days = first.iter_days().take_while(|day| *day <= last);
        self.days
            .entry(service.to_owned())
            .or_default()
            .extend(days);
    }

    /// Counts the days of services that another size knows as well; all where it knows none.
    fn days(&self, among: &Self) -> u32 {
        let shared = |service: &&String| among.days.is_empty() || among.days.contains_key(*service);
        let services = self.days.keys().filter(shared);
        let days: BTreeSet<_> = services.flat_map(|service| &self.days[service]).collect();
        u32::try_from(days.len()).unwrap_or(u32::MAX)
    }

    fn of(slices: &[&ImportedPeriod]) -> Self {
        let mut size = Self::default();
        let usage = |kind: &ChargeKind| *kind == ChargeKind::Usage;
        for slice in slices {
            for record in slice.records.iter().filter(|record| usage(&record.kind)) {
                let service = record.key.meter.service.as_str();
                size.day(service, record.day, record.last_day);
                let cost = record.billed.as_ref().map(|billed| billed.cost);
                size.cost(cost.unwrap_or_default(), record.currency.as_str());
            }
            for total in slice
                .other_services
                .iter()
                .filter(|total| usage(&total.kind))
            {
                size.cost(total.cost, total.currency.as_str());
            }
        }
        size
    }
}

/// Returns what slices take the place of, if that was larger: more days or a higher cost. What AWS has
/// invoiced since is its last word, unless days are gone.
pub(super) fn before(
    transaction: &Transaction<'_>,
    old: &[i64],
    new: &[&ImportedPeriod],
) -> SqlResult<Option<Larger>> {
    let now = Size::of(new);
    let mut size = Size::default();
    let mut larger: Option<Larger> = None;
    let mut was_invoiced = false;
    for id in old {
        let known = known(transaction, *id, &mut size)?;
        was_invoiced |= known.invoiced == Some(true);
        larger = larger.or(known.larger_before);
    }
    let (mut days, mut cost) = (size.days(&now), size.cost);
    // What was larger still counts: a little more does not make the month whole again.
    if let Some(larger) = larger {
        days = days.max(larger.days);
        for (currency, larger) in larger.cost {
            let cost = cost.entry(currency).or_insert(larger);
            *cost = larger.max(*cost);
        }
    }
    let days_now = now.days(&now);
    let amount = |currency| now.cost.get(currency).copied().unwrap_or_default();
    let costs_less = cost.iter().any(|(currency, cost)| *cost > amount(currency));
    let mut standings = new.iter().map(|slice| &slice.standing);
    let is_last_word = !was_invoiced && standings.all(|it| it.invoiced == Some(true));
    let is_larger = days > days_now || (costs_less && !is_last_word);
    Ok(is_larger.then_some(Larger {
        days,
        cost,
        days_now,
        cost_now: now.cost,
    }))
}

/// Adds what the ledger has of a slice, and returns what its source says of it.
fn known(transaction: &Transaction<'_>, id: i64, size: &mut Size) -> SqlResult<Standing> {
    let mut find = transaction.prepare_cached(
        "SELECT record.day, record.cost, currency.value, service.value
         FROM record
         JOIN text AS kind ON kind.id = record.kind
         JOIN text AS currency ON currency.id = record.currency
         JOIN text AS service ON service.id = record.service
         WHERE record.slice = ?1 AND record.aside = 0 AND kind.value = 'usage'",
    )?;
    let (kind, last, said): (String, String, Option<String>) = transaction.query_row(
        "SELECT kind, last_day, standing FROM slice WHERE id = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let by_day = decode(&kind, ExportKind::from_name)?.is_by_day();
    let last: NaiveDate = decode(&last, |text| text.parse().ok())?;
    let mut rows = find.query([id])?;
    while let Some(row) = rows.next()? {
        let day = decode(row.get_ref(0)?.as_str()?, |text| text.parse().ok())?;
        size.day(
            row.get_ref(3)?.as_str()?,
            day,
            if by_day { day } else { last },
        );
        let cost: Option<String> = row.get(1)?;
        let cost = cost.map(|text| decode(&text, exact)).transpose()?;
        size.cost(
            Money::new(cost.unwrap_or_default()),
            row.get_ref(2)?.as_str()?,
        );
    }
    let mut find = transaction
        .prepare_cached("SELECT cost, currency FROM outside WHERE slice = ?1 AND kind = 'usage'")?;
    let mut rows = find.query([id])?;
    while let Some(row) = rows.next()? {
        let cost = decode(row.get_ref(0)?.as_str()?, exact)?;
        size.cost(Money::new(cost), row.get_ref(1)?.as_str()?);
    }
    standing::read(said)
}

/// Returns the standing of a slice whose content the ledger holds already: it says no more of days to
/// come than when it was read first.
pub(super) fn read_again(now: &Standing, known: Standing, smaller: Smaller) -> Standing {
    let is_suspect = smaller == Smaller::IsSuspect;
    Standing {
        read_while_open: known.read_while_open.or(now.read_while_open),
        larger_before: known.larger_before.filter(|_| is_suspect),
        ..now.clone()
    }
}

/// What to make of a delivery that is smaller than what it takes the place of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Smaller {
    /// Something may be lost.
    IsSuspect,
    /// So it should be: AWS's newest answer, or the user says so.
    IsRight,
}
