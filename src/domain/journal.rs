//! A bill as entries of a journal: whole cents that balance, and reversals of what is not final.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    allocation::portions,
    bill::Bill,
    exchange::Exchange,
    gl::{GlMapping, Posting},
    ids::{AccountId, Currency, ServiceCode},
    money::Money,
    period::Month,
    rating::RatedMonth,
    share_out::{Policy, round_together},
    usage::ChargeKind,
};

/// What is accrued of a month that is not over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Accrual {
    /// What the month is expected to come to: the cost to date and the middle of its forecast.
    Expected,
    /// What is known so far.
    #[default]
    ToDate,
}

impl Accrual {
    /// Every one with its name and what it is.
    pub const ALL: [(Self, &'static str, &'static str); 2] = [
        (
            Self::Expected,
            "expected",
            "The cost to date, and the forecast's P50 of the rest of the month",
        ),
        (Self::ToDate, "to-date", "What is known so far"),
    ];

    /// Returns the one of this name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == name);
        found.map(|(accrual, ..)| *accrual)
    }
}

/// Why an entry is made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EntryKind {
    /// The invoice of a month that is over.
    Actual,
    /// What an open month has come to so far, or is expected to come to.
    Accrual,
    /// The accrual, taken back on the first of the next month.
    Reversal,
}

impl EntryKind {
    /// Returns the name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Accrual => "accrual",
            Self::Reversal => "reversal",
        }
    }
}

/// One side of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryLine {
    /// The account of the general ledger.
    pub gl_account: Arc<str>,
    /// The cost centre.
    pub cost_center: Option<Arc<str>>,
    /// What was used; none for what is owed.
    pub service: Option<ServiceCode>,
    /// Positive is a debit, negative a credit; in whole cents.
    pub amount: Decimal,
    /// The same in the currency of the bill.
    pub billed: Decimal,
}

/// An entry: its amounts add up to zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Why.
    pub kind: EntryKind,
    /// Posted on.
    pub date: NaiveDate,
    /// For which month.
    pub month: Month,
    /// Who pays AWS.
    pub payer: Option<AccountId>,
    /// Whose books.
    pub entity: Option<Arc<str>>,
    /// The amounts.
    pub lines: Vec<EntryLine>,
}

impl Entry {
    /// Returns the sum of the debits less what credits take off: what is owed.
    pub fn owed(&self) -> Decimal {
        let owed = self.lines.iter().filter(|line| line.service.is_some());
        owed.map(|line| line.amount).sum()
    }
}

/// Entries, and what they leave open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Journal {
    /// In the order of month, payer, entity.
    pub entries: Vec<Entry>,
    /// What went to the suspense account, before rounding.
    pub suspense: Money,
    /// How many portions of lines that was.
    pub suspense_parts: usize,
    /// Lines without a price, which nothing was posted for.
    pub unpriced_lines: usize,
    /// What is in accruals beyond the cost to date, before rounding; none where that is not known.
    pub expected: Option<Money>,
}

/// What the rest of an open month is expected to add.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rest {
    /// Which.
    pub month: Month,
    /// How much, all services together.
    pub amount: Money,
    /// What each service's usage is expected to have cost at its end.
    pub ends: BTreeMap<ServiceCode, Money>,
}

/// Makes entries of rated months. The lines of a payer's month add up to its rounded total; entities
/// share it. A month that is not over on `today` is accrued, and reversed on the first of the next.
/// What the `rest` of it is expected to add goes to each service as that is expected to grow, and
/// within it as its usage to date.
pub fn journal(
    months: &[RatedMonth],
    mapping: &GlMapping,
    policy: Policy,
    today: NaiveDate,
    exchange: Option<&Exchange>,
    rest: Option<&Rest>,
) -> Journal {
    let mut journal = Journal::default();
    for month in months {
        let bill = &month.rated.bill;
        let open = bill.month.end() > today;
        journal.unpriced_lines += bill.unpriced().count();
        let currency = exchange.map_or(&bill.currency, |exchange| &exchange.to);
        let rest = rest.filter(|rest| open && rest.month == bill.month);
        for (payer, costs) in costs(month, mapping, policy, rest, &mut journal) {
            let billed = in_cents(&costs, &bill.currency, |cost| cost);
            let posted = in_cents(&costs, currency, |cost| {
                exchange.map_or(cost, |exchange| exchange.convert(cost))
            });
            let mut entities: BTreeMap<Option<Arc<str>>, Vec<EntryLine>> = BTreeMap::new();
            for (((posting, service), amount), billed) in costs.into_keys().zip(posted).zip(billed)
            {
                if amount.is_zero() && billed.is_zero() {
                    continue;
                }
                entities.entry(posting.entity).or_default().push(EntryLine {
                    gl_account: posting.gl_account,
                    cost_center: posting.cost_center,
                    service: Some(service),
                    amount,
                    billed,
                });
            }
            for (entity, mut lines) in entities {
                lines.push(EntryLine {
                    gl_account: mapping.payable.clone(),
                    cost_center: None,
                    service: None,
                    amount: -lines.iter().map(|line| line.amount).sum::<Decimal>(),
                    billed: -lines.iter().map(|line| line.billed).sum::<Decimal>(),
                });
                let entry = Entry {
                    kind: if open {
                        EntryKind::Accrual
                    } else {
                        EntryKind::Actual
                    },
                    date: bill.month.last_day(),
                    month: bill.month,
                    payer: payer.clone(),
                    entity,
                    lines,
                };
                let reversal = open.then(|| reversed(&entry));
                journal.entries.push(entry);
                journal.entries.extend(reversal);
            }
        }
    }
    journal
}

type Costs = BTreeMap<(Posting, ServiceCode), Money>;

fn costs(
    month: &RatedMonth,
    mapping: &GlMapping,
    policy: Policy,
    rest: Option<&Rest>,
    journal: &mut Journal,
) -> BTreeMap<Option<AccountId>, Costs> {
    let rated = &month.rated;
    let mut payers: BTreeMap<Option<AccountId>, Costs> = BTreeMap::new();
    let post = |record: &_| mapping.post(record);
    let rest = rest.filter(|_| !rated.bill.usage_total().is_zero());
    journal.expected = journal.expected.or(rest.map(|rest| rest.amount));
    let growth = rest.map(|rest| growth(&rated.bill, rest));
    for mut portion in portions(rated, &month.records, policy, post, |_| mapping.suspense()) {
        let line = &rated.bill.lines[portion.line];
        let key = &line.key;
        if let (Some(growth), ChargeKind::Usage) = (&growth, &line.kind)
            && let Some(by) = growth.get(&key.meter.service)
        {
            portion.cost += Money::new(portion.cost.amount() * by);
        }
        if portion.key.suspense && !portion.cost.is_zero() {
            journal.suspense += portion.cost;
            journal.suspense_parts += 1;
        }
        let of_payer = payers.entry(key.payer.clone()).or_default();
        *of_payer
            .entry((portion.key, key.meter.service.clone()))
            .or_default() += portion.cost;
    }
    payers
}

/// Returns by which share of its usage to date each service is expected to grow; together it is the
/// whole rest. Medians of parts do not add up to the median of the sum, so it is shared by them.
fn growth(bill: &Bill, rest: &Rest) -> BTreeMap<ServiceCode, Decimal> {
    let mut to_date: BTreeMap<ServiceCode, Money> = BTreeMap::new();
    for line in bill
        .lines
        .iter()
        .filter(|line| line.kind == ChargeKind::Usage)
    {
        let service = line.key.meter.service.clone();
        *to_date.entry(service).or_default() += line.cost;
    }
    to_date.retain(|_, cost| *cost != Money::ZERO);
    let mut shares: BTreeMap<&ServiceCode, Decimal> = to_date
        .iter()
        .filter_map(|(service, known)| {
            let more = (*rest.ends.get(service)? - *known).amount();
            (more > Decimal::ZERO && *known > Money::ZERO).then_some((service, more))
        })
        .collect();
    // A rest that no service explains, or that is below zero, is shared as the usage to date.
    if shares.is_empty() || rest.amount < Money::ZERO {
        shares = to_date
            .iter()
            .map(|(service, cost)| (service, cost.amount()))
            .collect();
    }
    let all: Decimal = shares.values().sum();
    shares
        .into_iter()
        .map(|(service, share)| {
            let by = rest.amount.amount() * share / all / to_date[service].amount();
            (service.clone(), by)
        })
        .collect()
}

fn in_cents(costs: &Costs, currency: &Currency, amount: impl Fn(Money) -> Money) -> Vec<Decimal> {
    let exact: Vec<Decimal> = costs.values().map(|cost| amount(*cost).amount()).collect();
    round_together(&exact, currency.decimals())
}

fn reversed(entry: &Entry) -> Entry {
    let mut reversal = entry.clone();
    reversal.kind = EntryKind::Reversal;
    reversal.date = entry.month.end();
    for line in &mut reversal.lines {
        line.amount = -line.amount;
        line.billed = -line.billed;
    }
    reversal
}
