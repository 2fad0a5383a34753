//! A rated month in pieces: what each project, pipeline and account cost on each meter, and what was taken
//! off. The pieces add up to the bill.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    By, Month,
    subject::{Started, Subject},
    work::Work,
};
use crate::domain::{
    allocation::{portions, short_name},
    bill::LineItem,
    ids::{Meter, Region},
    money::Money,
    quantity::Unit,
    services::CODEBUILD,
    share_out::{share_money, share_quantity},
    usage::{ChargeKind, UsageRecord},
};

/// What is priced alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Priced {
    pub(super) meter: Meter,
    pub(super) unit: Option<Unit>,
}

/// Usage of a subject on a meter.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub(super) quantity: Decimal,
    /// Before free units and discounts.
    pub(super) list: Money,
    /// To pay.
    pub(super) cost: Money,
    /// What a stated discount took off.
    pub(super) discount: Money,
    pub(super) allowance: Option<Arc<str>>,
    /// Quantities by day, where the days are known.
    pub(super) days: BTreeMap<NaiveDate, Decimal>,
    /// What a table calls the meter.
    pub(super) name: String,
}

/// A month in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) usage: BTreeMap<Subject, BTreeMap<Priced, Piece>>,
    /// Charges that are not usage.
    pub(super) charges: BTreeMap<(ChargeKind, Option<String>), Money>,
}

type Key = Option<Subject>;

impl Pieces {
    pub(super) fn of(month: &Month<'_>, by: &By) -> Self {
        let rated = &month.rated.rated;
        let records = &month.rated.records;
        let key = |record: &UsageRecord| {
            let subject = Subject {
                service: record.key.meter.service.clone(),
                account: record.key.account.clone(),
                region: record.key.region.clone(),
                name: record
                    .resource
                    .as_ref()
                    .map(|resource| Arc::from(short_name(resource.as_str()))),
                part: by.part(record),
                started: Started::Anyhow,
            };
            Some(subject)
        };
        let mut quantities: BTreeMap<(usize, Key), (Decimal, BTreeMap<NaiveDate, Decimal>)> =
            BTreeMap::new();
        for (record, line) in records.iter().zip(&rated.line_of) {
            let (Some(line), Some(quantity)) = (line, record.quantity) else {
                continue;
            };
            let entry = quantities.entry((*line, key(record))).or_default();
            entry.0 += quantity.value;
            if record.last_day == record.day {
                *entry.1.entry(record.day).or_default() += quantity.value;
            }
        }
        let mut pieces = Self::default();
        let shares = portions(rated, records, month.sharing, key, |_| None);
        let mut at = 0;
        while at < shares.len() {
            let line = shares[at].line;
            let end = at + shares[at..].iter().take_while(|p| p.line == line).count();
            let of_line = &shares[at..end];
            at = end;
            let item = &rated.bill.lines[line];
            let costs: Vec<Decimal> = of_line.iter().map(|p| p.cost.amount().abs()).collect();
            let discounts = share_money(item.discount, &costs);
            for (portion, discount) in of_line.iter().zip(discounts) {
                let subject = portion.key.clone().unwrap_or_else(|| unnamed(item));
                if item.kind != ChargeKind::Usage {
                    let charge = (item.kind.clone(), subject.part.clone());
                    *pieces.charges.entry(charge).or_default() += portion.cost;
                    continue;
                }
                let (quantity, days) = quantities
                    .get(&(line, portion.key.clone()))
                    .cloned()
                    .unwrap_or_default();
                let priced = Priced {
                    meter: item.key.meter.clone(),
                    unit: item.usage.as_ref().map(|usage| usage.billed.unit),
                };
                let piece = Piece {
                    quantity,
                    list: portion.list_cost,
                    cost: portion.cost,
                    discount,
                    allowance: item.usage.as_ref().and_then(|u| u.allowance.clone()),
                    days,
                    name: item.name.clone(),
                };
                let of_subject = pieces.usage.entry(subject).or_default();
                of_subject.entry(priced).or_default().join(piece);
            }
        }
        pieces.place_free_units();
        if matches!(by, By::Pipeline) {
            pieces.tell_pipelines_apart(month.work);
        }
        pieces
    }

    /// Bills show free units without a region: they belong to the usage of the subject that has one.
    fn place_free_units(&mut self) {
        let of_no_region = |subject: &&Subject| subject.region == Region::global();
        let free: Vec<Subject> = self.usage.keys().filter(of_no_region).cloned().collect();
        for subject in free {
            let Some(pieces) = self.usage.remove(&subject) else {
                continue;
            };
            for (priced, piece) in pieces {
                let is_home = |other: &&Subject| {
                    let same = Subject {
                        region: subject.region.clone(),
                        ..(*other).clone()
                    };
                    same == subject && self.usage[*other].contains_key(&priced)
                };
                let by_quantity = |other: &&Subject| self.usage[*other][&priced].quantity;
                let home = self.usage.keys().filter(is_home).max_by_key(by_quantity);
                let home = home.unwrap_or(&subject).clone();
                self.usage
                    .entry(home)
                    .or_default()
                    .entry(priced)
                    .or_default()
                    .join(piece);
            }
        }
    }

    /// Splits projects among the pipelines that started their builds.
    fn tell_pipelines_apart(&mut self, work: &Work) {
        let whole = std::mem::take(&mut self.usage);
        for (subject, of_subject) in whole {
            for (priced, piece) in of_subject {
                let shares = work.by_pipeline(&subject, &priced.meter);
                if subject.service.as_str() != CODEBUILD || shares.is_empty() {
                    let of_subject = self.usage.entry(subject.clone()).or_default();
                    of_subject.entry(priced).or_default().join(piece);
                    continue;
                }
                let weights: Vec<Decimal> = shares.values().copied().collect();
                let quantities = share_quantity(piece.quantity, &weights);
                let money = |amount: Money| share_money(amount, &weights);
                let amounts = money(piece.list).into_iter().zip(money(piece.cost));
                let amounts = amounts.zip(money(piece.discount)).zip(quantities);
                for (pipeline, (((list, cost), discount), quantity)) in
                    shares.into_keys().zip(amounts)
                {
                    let subject = Subject {
                        part: pipeline.as_deref().map(ToOwned::to_owned),
                        started: Started::By(pipeline),
                        ..subject.clone()
                    };
                    let piece = Piece {
                        quantity,
                        list,
                        cost,
                        discount,
                        allowance: piece.allowance.clone(),
                        days: BTreeMap::new(),
                        name: piece.name.clone(),
                    };
                    let of_subject = self.usage.entry(subject).or_default();
                    of_subject.entry(priced.clone()).or_default().join(piece);
                }
            }
        }
    }
}

impl Piece {
    fn join(&mut self, other: Self) {
        self.quantity += other.quantity;
        self.list += other.list;
        self.cost += other.cost;
        self.discount += other.discount;
        self.allowance = self.allowance.take().or(other.allowance);
        for (day, quantity) in other.days {
            *self.days.entry(day).or_default() += quantity;
        }
        self.name = other.name;
    }

    /// What free units are worth.
    pub(super) fn free(&self) -> Money {
        self.list - self.discount - self.cost
    }

    /// How much of the quantity they are.
    pub(super) fn free_quantity(&self) -> Option<Decimal> {
        let whole = self.free().amount() * self.quantity;
        Some(
            whole
                .checked_div(self.list.amount())?
                .round_dp(6)
                .normalize(),
        )
    }
}

/// A line that no record stands behind.
fn unnamed(line: &LineItem) -> Subject {
    Subject {
        service: line.key.meter.service.clone(),
        account: line.key.account.clone(),
        region: line.key.region.clone(),
        name: None,
        part: None,
        started: Started::Anyhow,
    }
}
