//! Billed quantities to costs, in the order that is the contract:
//! allowance, rate, discount, total. (Metering came before; display rounding comes after.)
//!
//! A whole month is rated at once, because free units and tiers depend on everything used in it.
//! Allowances are drawn before tiers are filled: a free unit is no unit of a paid tier.

mod chargeable;
mod draft;
mod flat;
mod free_units;
pub mod graduated;
mod package;
mod per_unit;
mod pools;
pub mod volume;

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;
use thiserror::Error;

pub use self::pools::pools;
use super::{
    allowance::FreeTier,
    bill::{Bill, Step},
    catalog::{Catalog, Plans, ServiceKind},
    finality::Finality,
    ids::{Currency, ServiceCode},
    money::Money,
    period::Month,
    price_book::PriceBook,
    share_out::Policy,
    tariff::Rate,
    usage::UsageRecord,
};
use draft::{LineDraft, gather};

/// What a rate makes of a quantity: multiplications, and what has no price.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Charge {
    /// The multiplications, in the order of the tiers.
    pub steps: Vec<Step>,
    /// The quantity that falls where no price is known.
    pub unpriced: Decimal,
}

impl Charge {
    fn of<const N: usize>(steps: [(Decimal, Decimal); N]) -> Self {
        let mut charge = Self::default();
        for (quantity, unit_price) in steps {
            charge.add(quantity, Some(unit_price));
        }
        charge
    }

    fn add(&mut self, quantity: Decimal, unit_price: Option<Decimal>) {
        match unit_price {
            Some(unit_price) => self.steps.push(Step {
                quantity,
                unit_price,
                amount: Money::of(quantity, unit_price),
            }),
            None => self.unpriced += quantity,
        }
    }

    /// Returns the sum of the steps.
    pub fn cost(&self) -> Money {
        self.steps.iter().map(|step| step.amount).sum()
    }
}

/// Prices a quantity of which `before` was already charged in the same month.
pub fn charge(rate: &Rate, before: Decimal, quantity: Decimal) -> Charge {
    match rate {
        Rate::Unknown | Rate::NotOffered => Charge {
            steps: Vec::new(),
            unpriced: quantity,
        },
        Rate::Flat(amount) => flat::price(*amount, before, quantity),
        Rate::PerUnit(unit_price) => per_unit::price(*unit_price, quantity),
        Rate::Graduated(tiers) => graduated::price(tiers, before, quantity),
        Rate::Volume(tiers) => volume::price(tiers, before, quantity),
        Rate::Package { size, price } => package::price(*size, *price, before, quantity),
    }
}

/// A percentage off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discount {
    /// Of which service; all if none is given.
    pub service: Option<ServiceCode>,
    /// 5 for five percent.
    pub percent: Decimal,
}

/// How to rate a month.
#[derive(Clone, Debug)]
pub struct RatingOptions {
    /// Which month.
    pub month: Month,
    /// The currency of the bill.
    pub currency: Currency,
    /// Whether free tiers apply.
    pub free_tier: FreeTier,
    /// Already drawn this month by usage that is not among the records, by allowance.
    pub used: BTreeMap<Arc<str>, Decimal>,
    /// Percentages off.
    pub discounts: Vec<Discount>,
    /// Percentages off that bills show month after month; what is stated stands in their place.
    pub recurring: Vec<Discount>,
    /// How free units are shared among lines.
    pub sharing: Policy,
    /// Plans of other vendors, whose included minutes usage elsewhere draws on.
    pub plans: Plans,
}

impl RatingOptions {
    /// Returns the defaults for a month in US dollars.
    pub fn new(month: Month) -> Self {
        Self {
            month,
            currency: Currency::new("USD"),
            free_tier: FreeTier::Payer,
            used: BTreeMap::new(),
            discounts: Vec::new(),
            recurring: Vec::new(),
            sharing: Policy::AsBilled,
            plans: Plans::new(),
        }
    }
}

/// Why a month cannot be rated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RatingError {
    /// The records are in another currency than the bill.
    #[error("usage of {month} is billed in {found}, this bill is in {expected}")]
    OtherCurrency {
        /// The month.
        month: Month,
        /// The currency of the bill.
        expected: Currency,
        /// The currency of a record.
        found: Currency,
    },
}

/// A bill, and which of its lines each record went into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rated {
    /// The bill.
    pub bill: Bill,
    /// The position of the line of each record; none for records of other months.
    pub line_of: Vec<Option<usize>>,
}

/// A bill and the records it was rated from.
#[derive(Clone, Debug)]
pub struct RatedMonth {
    /// The bill.
    pub rated: Rated,
    /// The records.
    pub records: Vec<UsageRecord>,
}

/// Rates a month.
///
/// Records of other months are left alone; charges that are not usage are carried as billed.
pub fn rate(
    records: &[UsageRecord],
    book: &PriceBook<'_>,
    options: &RatingOptions,
) -> Result<Rated, RatingError> {
    let (drafts, draft_of) = gather(records, book, options)?;
    let rank = |draft: &LineDraft| {
        let code = &draft.key.meter.service;
        let service = book.catalog.services.get(code);
        let known = service.map_or((ServiceKind::Adjacent, ""), |service| {
            (service.kind, service.name.as_str())
        });
        (book.catalog.is_elsewhere(code), known)
    };
    let mut in_order: Vec<(usize, LineDraft)> = drafts.into_iter().enumerate().collect();
    in_order.sort_by(|(_, a), (_, b)| {
        let by_kind = a.kind.cmp(&b.kind);
        by_kind
            .then_with(|| rank(a).cmp(&rank(b)))
            .then_with(|| a.order().cmp(&b.order()))
    });
    let mut line_at = vec![0; in_order.len()];
    for (line, (draft, _)) in in_order.iter().enumerate() {
        line_at[*draft] = line;
    }
    let mut drafts: Vec<LineDraft> = in_order.into_iter().map(|(_, draft)| draft).collect();
    let allowances = free_units::draw(&mut drafts, book, options);
    chargeable::price(&mut drafts);
    let bill = Bill {
        month: options.month,
        currency: options.currency.clone(),
        lines: drafts
            .into_iter()
            .map(|draft| draft.finish(book, options))
            .collect(),
        allowances,
        gaps: Vec::new(),
        finality: Finality::default(),
        outside: Vec::new(),
        notes: Vec::new(),
    };
    let line_of = draft_of
        .into_iter()
        .map(|draft| draft.map(|at| line_at[at]))
        .collect();
    Ok(Rated { bill, line_of })
}

impl RatingOptions {
    /// Returns what is taken off a service: its own discount, else the general one, else what recurs.
    /// What AWS takes off is nothing to another vendor.
    pub(crate) fn percent_off(&self, service: &ServiceCode, catalog: &Catalog) -> Option<Decimal> {
        if catalog.is_elsewhere(service) {
            return None;
        }
        let of = |discount: &&Discount| discount.service.as_ref() == Some(service);
        let own = self.discounts.iter().rev().find(of);
        let general = || self.discounts.iter().rev().find(|d| d.service.is_none());
        let recurring = || self.recurring.iter().find(of);
        let discount = own.or_else(general).or_else(recurring);
        discount.map(|discount| discount.percent)
    }

    fn discount_on(&self, service: &ServiceCode, catalog: &Catalog, cost: Money) -> Money {
        let percent = self.percent_off(service, catalog);
        percent.map_or(Money::ZERO, |percent| {
            Money::of(cost.amount(), percent / Decimal::ONE_HUNDRED)
        })
    }
}
