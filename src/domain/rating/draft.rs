//! A line in the making, and how records become lines.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Charge, RatingError, RatingOptions};
use crate::domain::{
    bill::{LineItem, LineUsage, PriceUsed, Unpriced},
    money::Money,
    price_book::{PriceBook, Priced},
    quantity::{Quantity, Unit, UnitMismatch},
    tariff::{PriceOrigin, PriceSource, Rate},
    usage::{Billed, ChargeKind, Commitment, UsageKey, UsageRecord},
};

/// A line in the making: what one key used at one price.
pub(super) struct LineDraft {
    pub(super) key: UsageKey,
    pub(super) kind: ChargeKind,
    /// None for charges that are carried as billed.
    pub(super) price: Option<Result<Priced, Unpriced>>,
    pub(super) billed: Quantity,
    pub(super) consumed: Quantity,
    pub(super) mismatch: Option<UnitMismatch>,
    pub(super) by_day: BTreeMap<NaiveDate, Decimal>,
    /// The last day that a record speaks for.
    last_day: NaiveDate,
    /// Free by the bill's own word: units of rows at no cost.
    pub(super) free_rows: Decimal,
    /// Units and cost of rows that state no price: how many of them were free follows from ours.
    pub(super) rateless: (Decimal, Money),
    /// Units that no bill speaks of.
    pub(super) unbilled: Decimal,
    pub(super) covered: Decimal,
    /// Included with paid units, free tier or not.
    pub(super) included: Decimal,
    pub(super) allowance: Option<Arc<str>>,
    pub(super) charge: Charge,
    pub(super) list: Charge,
    pub(super) metering: BTreeSet<Arc<str>>,
    pub(super) origins: BTreeSet<Arc<str>>,
    pub(super) aws_cost: Option<Money>,
    /// What pays for it apart from its rows.
    pub(super) covered_by: Option<Commitment>,
}

impl LineDraft {
    pub(super) fn new(record: &UsageRecord, price: Option<Result<Priced, Unpriced>>) -> Self {
        let tariff_unit = match &price {
            Some(Ok(priced)) => priced.tariff.unit,
            _ => Unit::Unspecified,
        };
        Self {
            key: record.key.clone(),
            kind: record.kind.clone(),
            price,
            billed: Quantity::new(Decimal::ZERO, tariff_unit),
            consumed: Quantity::new(Decimal::ZERO, Unit::Unspecified),
            mismatch: None,
            by_day: BTreeMap::new(),
            last_day: record.last_day,
            free_rows: Decimal::ZERO,
            rateless: (Decimal::ZERO, Money::ZERO),
            unbilled: Decimal::ZERO,
            covered: Decimal::ZERO,
            included: Decimal::ZERO,
            allowance: None,
            charge: Charge::default(),
            list: Charge::default(),
            metering: BTreeSet::new(),
            origins: BTreeSet::new(),
            aws_cost: None,
            covered_by: record.covered_by(),
        }
    }

    /// Bills are read by service, then where and what, then who.
    pub(super) fn order(&self) -> impl Ord + '_ {
        let key = &self.key;
        (
            (&key.meter.service, &key.region, &key.meter.usage_type),
            (
                &key.payer,
                &key.account,
                self.price.is_none(),
                self.billed.unit,
            ),
            (self.by_day.keys().next(), self.unit_price()),
        )
    }

    fn unit_price(&self) -> Option<Decimal> {
        match &self.price.as_ref()?.as_ref().ok()?.tariff.rate {
            Rate::PerUnit(price) => Some(*price),
            _ => None,
        }
    }

    pub(super) fn is_counted(&self) -> bool {
        self.price.is_some()
    }

    fn has_price(&self, price: Option<&Result<Priced, Unpriced>>) -> bool {
        match (&self.price, price) {
            (Some(Ok(own)), Some(Ok(other))) => own.is_same(other),
            (own, other) => own.as_ref() == other,
        }
    }

    pub(super) fn add(&mut self, record: &UsageRecord) {
        self.last_day = self.last_day.max(record.last_day);
        let on_day = self.by_day.entry(record.day).or_default();
        if let Some(quantity) = record.quantity {
            *on_day += quantity.value;
            match quantity.in_unit(self.billed.unit) {
                Ok(_) if self.billed.unit == Unit::Unspecified => self.billed.unit = quantity.unit,
                Ok(_) => {}
                Err(mismatch) => self.mismatch = Some(mismatch),
            }
            self.billed.value += quantity.value;
            match &record.billed {
                None => self.unbilled += quantity.value,
                Some(billed) if is_free(billed) => self.free_rows += quantity.value,
                Some(billed) if billed.rate.is_none() => {
                    self.rateless.0 += quantity.value;
                    self.rateless.1 += billed.cost;
                }
                Some(_) => {}
            }
            let consumed = record.consumed.unwrap_or(quantity);
            self.consumed = if self.consumed.unit == Unit::Unspecified {
                Quantity::new(self.consumed.value + consumed.value, consumed.unit)
            } else {
                let sum = self.consumed.try_add(consumed);
                sum.unwrap_or(Quantity::new(
                    self.consumed.value + consumed.value,
                    self.consumed.unit,
                ))
            };
        }
        if let Some(billed) = &record.billed {
            self.aws_cost = Some(self.aws_cost.unwrap_or_default() + billed.cost);
        }
        if let Some(metering) = &record.metering {
            self.metering.insert(metering.clone());
        }
        if !self.origins.contains(&record.origin) {
            self.origins.insert(record.origin.clone());
        }
    }

    pub(super) fn chargeable(&self) -> Decimal {
        self.billed.value - self.covered
    }

    /// What is to pay for without any free tier.
    pub(super) fn listed(&self) -> Decimal {
        self.billed.value - self.included
    }

    /// Returns the units that the bill shows as free.
    pub(super) fn shown_free(&self) -> Decimal {
        let (quantity, cost) = self.rateless;
        let implied = match self.tariff().map(|priced| &priced.tariff.rate) {
            Some(Rate::PerUnit(price)) if !price.is_zero() => {
                // A cost that is no multiple of our price says nothing about free units.
                let paid = cost.amount() / price;
                let is_multiple = paid.round_dp(6) == paid;
                if is_multiple {
                    (quantity - paid).max(Decimal::ZERO)
                } else {
                    Decimal::ZERO
                }
            }
            _ => Decimal::ZERO,
        };
        self.free_rows + implied
    }

    /// The billed quantity in the unit it was counted in, which may not be the tariff's.
    pub(super) fn billed(&self) -> Quantity {
        let unit = self.mismatch.as_ref().map_or(self.billed.unit, |m| m.found);
        Quantity::new(self.billed.value, unit)
    }

    pub(super) fn tariff(&self) -> Option<&Priced> {
        match &self.price {
            Some(Ok(priced)) if self.mismatch.is_none() => Some(priced),
            _ => None,
        }
    }

    /// Usage that is priced together: tiers count what all accounts of a payer use in a region.
    pub(super) fn shares_tiers_with(&self, other: &Self) -> bool {
        self.is_counted()
            && other.is_counted()
            && self.key.payer == other.key.payer
            && self.key.region == other.key.region
            && self.key.meter == other.key.meter
    }

    pub(super) fn finish(self, book: &PriceBook<'_>, options: &RatingOptions) -> LineItem {
        let days = (
            *self
                .by_day
                .keys()
                .next()
                .expect("a draft begins with a record"),
            self.last_day,
        );
        let known = book
            .catalog
            .meter(&self.key.meter.service, self.key.meter.usage_type.as_str());
        let name = match known {
            Some(meter) => meter.name.clone(),
            None if self.key.meter.usage_type.as_str().is_empty() => "meter not stated".to_owned(),
            None => self.key.meter.usage_type.to_string(),
        };
        let unpriced = self.unpriced();
        let free_on_bill = self.shown_free();
        let billed = self.billed();
        let cost = self.charge.cost();
        let discount = options.discount_on(&self.key.meter.service, book.catalog, cost);
        let line = LineItem {
            name,
            usage: Some(LineUsage {
                consumed: self.consumed,
                billed,
                covered: self.covered,
                free_on_bill,
                allowance: self.allowance,
            }),
            days,
            cost: cost - discount,
            list_cost: self.list.cost(),
            discount,
            steps: self.charge.steps,
            price: None,
            list_is_partial: !self.list.unpriced.is_zero(),
            unpriced,
            metering: self.metering.into_iter().collect(),
            origins: self.origins.into_iter().collect(),
            aws_cost: self.aws_cost,
            covered_by: self.covered_by,
            key: self.key,
            kind: self.kind,
        };
        match self.price {
            // Which row showed the price first depends on their order; the line knows its own.
            Some(Ok(Priced {
                origin: PriceOrigin::Observed,
                ..
            })) => LineItem {
                price: Some(PriceUsed {
                    origin: PriceOrigin::Observed,
                    source: source_of(&line),
                }),
                ..line
            },
            Some(Ok(Priced { tariff, origin })) => LineItem {
                price: Some(PriceUsed {
                    origin,
                    source: tariff.source.clone(),
                }),
                ..line
            },
            Some(Err(_)) => line,
            None => carried(line),
        }
    }

    pub(super) fn unpriced(&self) -> Option<(Quantity, Unpriced)> {
        if self.charge.unpriced.is_zero() {
            return None;
        }
        let reason = match (&self.mismatch, &self.price) {
            (Some(mismatch), _) => Unpriced::UnitMismatch {
                expected: mismatch.expected,
                found: mismatch.found,
            },
            (None, Some(Err(reason))) => reason.clone(),
            (None, _) => Unpriced::TierUnknown,
        };
        Some((
            Quantity::new(self.charge.unpriced, self.billed().unit),
            reason,
        ))
    }
}

/// Free is what costs nothing at no rate; a rate whose product rounds to nothing is not.
fn is_free(billed: &Billed) -> bool {
    billed.cost.is_zero() && billed.rate.is_none_or(|rate| rate.is_zero())
}

/// The bill as the source of a line's price.
fn source_of(line: &LineItem) -> PriceSource {
    let bill = line
        .origins
        .first()
        .cloned()
        .unwrap_or_else(|| Arc::from("bill"));
    PriceSource {
        title: bill.clone(),
        date: Some(line.days.1),
        also: Vec::new(),
        confidence: Arc::from("high"),
        file: bill,
        sku: None,
        note: None,
    }
}

/// A charge that is not rated costs what the bill says.
fn carried(line: LineItem) -> LineItem {
    let cost = line.aws_cost.unwrap_or_default();
    let source = source_of(&line);
    LineItem {
        name: match (&line.kind, line.covered_by) {
            (ChargeKind::Usage, Some(commitment)) => {
                format!("{} ({})", line.name, commitment.title())
            }
            (ChargeKind::Usage, None) => line.name,
            (other, _) => other.to_string(),
        },
        usage: None,
        cost,
        list_cost: cost,
        price: Some(PriceUsed {
            origin: PriceOrigin::Bill,
            source,
        }),
        ..line
    }
}

/// What makes two records of a key surely equal in price: the price of their rows, else their day.
#[derive(PartialEq, Eq, Hash)]
enum PricedBy {
    Row(Decimal),
    Day(NaiveDate),
}

/// Adds the records of the month up: one draft for each key, unit and price. Also returns which
/// draft each record went into.
pub(super) fn gather(
    records: &[UsageRecord],
    book: &PriceBook<'_>,
    options: &RatingOptions,
) -> Result<(Vec<LineDraft>, Vec<Option<usize>>), RatingError> {
    // Usage of one meter in two units is two lines, whatever order the records come in.
    type Kept<'r> = (
        &'r UsageKey,
        &'r ChargeKind,
        Option<Unit>,
        Option<Commitment>,
    );
    let mut drafts: Vec<LineDraft> = Vec::new();
    let mut known: HashMap<(Kept<'_>, PricedBy), usize> = HashMap::new();
    let mut of_key: HashMap<Kept<'_>, Vec<usize>> = HashMap::new();
    let mut draft_of = Vec::with_capacity(records.len());
    for record in records {
        if record.month != options.month {
            draft_of.push(None);
            continue;
        }
        if record.currency != options.currency {
            return Err(RatingError::OtherCurrency {
                month: options.month,
                expected: options.currency.clone(),
                found: record.currency.clone(),
            });
        }
        // What a commitment pays for costs here what its row says: it draws no free units, fills no
        // tiers and has no price to find.
        let covered_by = record.covered_by();
        let is_rated = record.kind == ChargeKind::Usage && covered_by.is_none();
        let usage = record.quantity.filter(|_| is_rated);
        let kept = (
            &record.key,
            &record.kind,
            usage.map(|quantity| quantity.unit),
            covered_by,
        );
        let priced_by = book
            .row_price(record)
            .map_or(PricedBy::Day(record.day), PricedBy::Row);
        let at = *known.entry((kept, priced_by)).or_insert_with(|| {
            let price = usage.map(|_| book.price_of(record));
            let of_key = of_key.entry(kept).or_default();
            let same = |at: &usize| drafts[*at].has_price(price.as_ref());
            of_key.iter().copied().find(same).unwrap_or_else(|| {
                drafts.push(LineDraft::new(record, price));
                of_key.push(drafts.len() - 1);
                drafts.len() - 1
            })
        });
        drafts[at].add(record);
        draft_of.push(Some(at));
    }
    Ok((drafts, draft_of))
}
