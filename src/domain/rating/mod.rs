//! Billed quantities to costs, in the order that is the contract:
//! allowance, rate, discount, total. (Metering came before; display rounding comes after.)
//!
//! A whole month is rated at once, because free units and tiers depend on everything used in it.
//! Allowances are drawn before tiers are filled: a free unit is no unit of a paid tier.

mod flat;
mod graduated;
mod package;
mod per_unit;
mod volume;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use thiserror::Error;

use super::{
    allocation::{Policy, share_quantity},
    allowance::{Allowance, FreeTier, Scope},
    bill::{AllowanceUse, Bill, LineItem, LineUsage, PriceUsed, Step, Unpriced},
    catalog::ServiceKind,
    ids::{AccountId, Currency, ServiceCode},
    money::Money,
    period::Month,
    price_book::{PriceBook, Priced},
    quantity::{Quantity, Unit, UnitMismatch},
    tariff::{PriceOrigin, PriceSource, Rate},
    usage::{ChargeKind, UsageKey, UsageRecord},
};

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
        Rate::Unknown => Charge {
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
    /// How free units are shared among lines.
    pub sharing: Policy,
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
            sharing: Policy::AsBilled,
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

/// Rates a month.
///
/// Records of other months are left alone; charges that are not usage are carried as billed.
pub fn rate(
    records: &[UsageRecord],
    book: &PriceBook<'_>,
    options: &RatingOptions,
) -> Result<Bill, RatingError> {
    let mut drafts = gather(records, book, options)?;
    let rank = |draft: &Draft| {
        let service = book.catalog.services.get(&draft.key.meter.service);
        service.map_or((ServiceKind::Adjacent, ""), |service| {
            (service.kind, service.name.as_str())
        })
    };
    drafts.sort_by(|a, b| {
        a.kind
            .cmp(&b.kind)
            .then_with(|| rank(a).cmp(&rank(b)))
            .then_with(|| a.order().cmp(&b.order()))
    });
    let allowances = draw_allowances(&mut drafts, book, options);
    price_lines(&mut drafts);
    let notes = book
        .observed
        .ambiguous
        .iter()
        .map(|(meter, region)| {
            format!("{meter} in {region} was billed at several prices on one day: rated by the next price known")
        })
        .collect();
    Ok(Bill {
        month: options.month,
        currency: options.currency.clone(),
        lines: drafts
            .into_iter()
            .map(|draft| draft.finish(book, options))
            .collect(),
        allowances,
        gaps: Vec::new(),
        outside: Vec::new(),
        notes,
    })
}

/// A line in the making: what one key used at one price.
struct Draft {
    key: UsageKey,
    kind: ChargeKind,
    /// None for charges that are carried as billed.
    price: Option<Result<Priced, Unpriced>>,
    billed: Quantity,
    consumed: Quantity,
    mismatch: Option<UnitMismatch>,
    by_day: BTreeMap<NaiveDate, Decimal>,
    /// Free by the bill's own word: units of rows at no cost.
    free_rows: Decimal,
    /// Units and cost of rows that state no price: how many of them were free follows from ours.
    rateless: (Decimal, Money),
    /// Units that no bill speaks of.
    unbilled: Decimal,
    covered: Decimal,
    /// Included with paid units, free tier or not.
    included: Decimal,
    allowance: Option<Arc<str>>,
    charge: Charge,
    list: Charge,
    metering: BTreeSet<Arc<str>>,
    origins: BTreeSet<Arc<str>>,
    aws_cost: Option<Money>,
}

impl Draft {
    fn new(record: &UsageRecord, price: Option<Result<Priced, Unpriced>>) -> Self {
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
        }
    }

    /// Bills are read by service, then where and what, then who.
    fn order(&self) -> impl Ord + '_ {
        let key = &self.key;
        (
            (
                &self.kind,
                &key.meter.service,
                &key.region,
                &key.meter.usage_type,
            ),
            (
                &key.payer,
                &key.account,
                self.price.is_none(),
                self.by_day.keys().next(),
            ),
        )
    }

    fn is_counted(&self) -> bool {
        self.price.is_some()
    }

    fn has_price(&self, price: &Result<Priced, Unpriced>) -> bool {
        self.price.as_ref() == Some(price)
    }

    fn add(&mut self, record: &UsageRecord) {
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
                Some(billed) if billed.cost.is_zero() => self.free_rows += quantity.value,
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

    fn chargeable(&self) -> Decimal {
        self.billed.value - self.covered
    }

    /// What is to pay for without any free tier.
    fn listed(&self) -> Decimal {
        self.billed.value - self.included
    }

    /// Returns the units that the bill shows as free.
    fn shown_free(&self) -> Decimal {
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
    fn billed(&self) -> Quantity {
        let unit = self.mismatch.as_ref().map_or(self.billed.unit, |m| m.found);
        Quantity::new(self.billed.value, unit)
    }

    fn tariff(&self) -> Option<&Priced> {
        match &self.price {
            Some(Ok(priced)) if self.mismatch.is_none() => Some(priced),
            _ => None,
        }
    }

    /// Usage that is priced together: tiers count what all accounts of a payer use in a region.
    fn shares_tiers_with(&self, other: &Self) -> bool {
        self.is_counted()
            && other.is_counted()
            && self.key.payer == other.key.payer
            && self.key.region == other.key.region
            && self.key.meter == other.key.meter
    }

    fn finish(self, book: &PriceBook<'_>, options: &RatingOptions) -> LineItem {
        let days = (
            *self
                .by_day
                .keys()
                .next()
                .expect("a draft begins with a record"),
            *self
                .by_day
                .keys()
                .next_back()
                .expect("a draft begins with a record"),
        );
        let known = book
            .catalog
            .meter(&self.key.meter.service, self.key.meter.usage_type.as_str());
        let name = known.map_or_else(|| self.key.meter.usage_type.to_string(), |m| m.name.clone());
        let unpriced = self.unpriced();
        let billed = self.billed();
        let cost = self.charge.cost();
        let discount = options.discount_on(&self.key.meter.service, cost);
        let line = LineItem {
            name,
            usage: Some(LineUsage {
                consumed: self.consumed,
                billed,
                covered: self.covered,
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
            key: self.key,
            kind: self.kind,
        };
        match self.price {
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

    fn unpriced(&self) -> Option<(Quantity, Unpriced)> {
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

/// A charge that is not rated costs what the bill says.
fn carried(line: LineItem) -> LineItem {
    let cost = line.aws_cost.unwrap_or_default();
    let source = PriceSource {
        title: line
            .origins
            .first()
            .cloned()
            .unwrap_or_else(|| Arc::from("bill")),
        date: Some(line.days.1),
        confidence: Arc::from("high"),
        file: line
            .origins
            .first()
            .cloned()
            .unwrap_or_else(|| Arc::from("bill")),
        sku: None,
        note: None,
    };
    LineItem {
        name: if line.kind == ChargeKind::Usage {
            line.name
        } else {
            line.kind.to_string()
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

impl RatingOptions {
    fn discount_on(&self, service: &ServiceCode, cost: Money) -> Money {
        let own = self
            .discounts
            .iter()
            .rev()
            .find(|d| d.service.as_ref() == Some(service));
        let general = || self.discounts.iter().rev().find(|d| d.service.is_none());
        own.or_else(general).map_or(Money::ZERO, |discount| {
            Money::of(cost.amount(), discount.percent / Decimal::ONE_HUNDRED)
        })
    }
}

fn gather(
    records: &[UsageRecord],
    book: &PriceBook<'_>,
    options: &RatingOptions,
) -> Result<Vec<Draft>, RatingError> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut index: HashMap<(&UsageKey, &ChargeKind, Option<Unit>), Vec<usize>> = HashMap::new();
    for record in records
        .iter()
        .filter(|record| record.month == options.month)
    {
        if record.currency != options.currency {
            return Err(RatingError::OtherCurrency {
                month: options.month,
                expected: options.currency.clone(),
                found: record.currency.clone(),
            });
        }
        // Usage of one meter in two units is two lines, whatever order the records come in.
        let usage = record.quantity.filter(|_| record.kind == ChargeKind::Usage);
        let unit = usage.map(|quantity| quantity.unit);
        let counted = unit.is_some();
        let of_key = index.entry((&record.key, &record.kind, unit)).or_default();
        let on_known_day = of_key
            .iter()
            .copied()
            .find(|&at| drafts[at].by_day.contains_key(&record.day));
        let at = on_known_day.unwrap_or_else(|| {
            let price =
                counted.then(|| book.price(&record.key.meter, &record.key.region, record.day));
            let same = |at: &usize| {
                price
                    .as_ref()
                    .is_none_or(|price| drafts[*at].has_price(price))
            };
            of_key.iter().copied().find(same).unwrap_or_else(|| {
                drafts.push(Draft::new(record, price));
                of_key.push(drafts.len() - 1);
                drafts.len() - 1
            })
        });
        drafts[at].add(record);
    }
    Ok(drafts)
}

fn draw_allowances(
    drafts: &mut [Draft],
    book: &PriceBook<'_>,
    options: &RatingOptions,
) -> Vec<AllowanceUse> {
    let mut uses = Vec::new();
    for allowance in book.catalog.allowances() {
        let mut pools: BTreeMap<(Option<AccountId>, Option<AccountId>), Vec<usize>> =
            BTreeMap::new();
        for (at, draft) in drafts.iter().enumerate() {
            let draws = draft.is_counted()
                && draft.mismatch.is_none()
                && draft.billed.in_unit(allowance.unit).is_ok()
                && allowance.meters.contains(&draft.key.meter);
            if draws {
                let account = match allowance.scope {
                    Scope::Payer => None,
                    Scope::Account => draft.key.account.clone(),
                };
                pools
                    .entry((draft.key.payer.clone(), account))
                    .or_default()
                    .push(at);
            }
        }
        for ((payer, _), members) in pools {
            let used_elsewhere = options.used.get(&allowance.id).copied().unwrap_or_default();
            let payer = payer.as_ref();
            let included = granted(allowance, drafts, payer, FreeTier::None);
            let granted = granted(allowance, drafts, payer, options.free_tier);
            if granted.is_zero() {
                continue;
            }
            let left = (granted - used_elsewhere).max(Decimal::ZERO);
            let drawn = cover(drafts, &members, left, options.sharing);
            include(drafts, &members, included - used_elsewhere);
            for at in members {
                drafts[at].allowance = Some(allowance.name.clone());
            }
            uses.push(AllowanceUse {
                id: allowance.id.clone(),
                name: allowance.name.clone(),
                unit: allowance.unit,
                granted,
                used_elsewhere: used_elsewhere.min(granted),
                drawn,
            });
        }
    }
    uses
}

fn granted(
    allowance: &Allowance,
    drafts: &[Draft],
    payer: Option<&AccountId>,
    free_tier: FreeTier,
) -> Decimal {
    let driver = allowance.further.as_ref().map_or(Decimal::ZERO, |further| {
        drafts
            .iter()
            .filter(|draft| draft.is_counted() && draft.key.meter == further.meter)
            .filter(|draft| draft.key.payer.as_ref() == payer)
            .map(|draft| draft.billed.value)
            .sum()
    });
    allowance.granted(driver, free_tier == FreeTier::Payer)
}

/// Notes which covered units come with paid ones anyway: the list cost does not charge for them.
fn include(drafts: &mut [Draft], members: &[usize], left: Decimal) {
    let covered: Vec<Decimal> = members.iter().map(|&at| drafts[at].covered).collect();
    let included = covered.iter().sum::<Decimal>().min(left).max(Decimal::ZERO);
    for (&at, included) in members.iter().zip(share_quantity(included, &covered)) {
        drafts[at].included = included;
    }
}

/// Shares what is left of an allowance among the drafts that may draw on it.
fn cover(drafts: &mut [Draft], members: &[usize], left: Decimal, sharing: Policy) -> Decimal {
    let used: Decimal = members.iter().map(|&at| drafts[at].billed.value).sum();
    let drawn = used.min(left).max(Decimal::ZERO);
    match sharing {
        Policy::AsBilled => return cover_as_billed(drafts, members, left),
        Policy::Proportional => {
            let weights: Vec<Decimal> = members.iter().map(|&at| drafts[at].billed.value).collect();
            for (&at, covered) in members.iter().zip(share_quantity(drawn, &weights)) {
                drafts[at].covered = covered;
            }
        }
        Policy::Chronological => {
            let mut in_order: Vec<(NaiveDate, usize, Decimal)> = members
                .iter()
                .flat_map(|&at| {
                    drafts[at]
                        .by_day
                        .iter()
                        .map(move |(&day, &used)| (day, at, used))
                })
                .collect();
            in_order.sort();
            let mut left = drawn;
            for (_, at, used) in in_order {
                // A correction below zero covers nothing; the sum above has taken it into account.
                let covered = used.min(left).max(Decimal::ZERO);
                drafts[at].covered += covered;
                left -= covered;
            }
        }
    }
    drawn
}

/// Covers what the bill shows as free, as far as the allowance goes; what is left of it is shared
/// among usage that no bill speaks of.
fn cover_as_billed(drafts: &mut [Draft], members: &[usize], mut left: Decimal) -> Decimal {
    let mut drawn = Decimal::ZERO;
    for &at in members {
        let covered = drafts[at].shown_free().max(Decimal::ZERO).min(left);
        drafts[at].covered = covered;
        left -= covered;
        drawn += covered;
    }
    let unbilled: Vec<Decimal> = members.iter().map(|&at| drafts[at].unbilled).collect();
    let rest = unbilled.iter().sum::<Decimal>().min(left);
    for (&at, covered) in members.iter().zip(share_quantity(rest, &unbilled)) {
        drafts[at].covered += covered;
    }
    drawn + rest
}

/// Prices the drafts, those that share tiers together.
fn price_lines(drafts: &mut [Draft]) {
    let mut start = 0;
    while start < drafts.len() {
        let run = drafts[start..]
            .iter()
            .take_while(|d| drafts[start].shares_tiers_with(d))
            .count();
        let end = start + run.max(1);
        price_group(&mut drafts[start..end]);
        start = end;
    }
}

/// Prices the usage of one meter in one region: each tariff in turn, in the order of its days.
fn price_group(drafts: &mut [Draft]) {
    let mut tariffs: Vec<(NaiveDate, Priced, Vec<usize>)> = Vec::new();
    for (at, draft) in drafts.iter_mut().enumerate() {
        let chargeable = draft.chargeable();
        let Some(priced) = draft.tariff().cloned() else {
            if draft.is_counted() {
                draft.charge.unpriced = chargeable;
                draft.list.unpriced = draft.listed();
            }
            continue;
        };
        let first = *draft
            .by_day
            .keys()
            .next()
            .expect("a draft begins with a record");
        match tariffs.iter_mut().find(|(_, known, _)| *known == priced) {
            Some((day, _, members)) => {
                *day = first.min(*day);
                members.push(at);
            }
            None => tariffs.push((first, priced, vec![at])),
        }
    }
    tariffs.sort_by_key(|(first, ..)| *first);
    let mut charged_before = Decimal::ZERO;
    let mut listed_before = Decimal::ZERO;
    for (_, priced, members) in tariffs {
        let rate = &priced.tariff.rate;
        let chargeable: Vec<Decimal> = members.iter().map(|&at| drafts[at].chargeable()).collect();
        let billed: Vec<Decimal> = members.iter().map(|&at| drafts[at].listed()).collect();
        let charges = share_charge(rate, charged_before, &chargeable);
        let lists = share_charge(rate, listed_before, &billed);
        for ((at, charge), list) in members.into_iter().zip(charges).zip(lists) {
            drafts[at].charge = charge;
            drafts[at].list = list;
        }
        charged_before += chargeable.iter().sum::<Decimal>();
        listed_before += billed.iter().sum::<Decimal>();
    }
}

/// Prices quantities together and gives each its share of every step.
fn share_charge(rate: &Rate, before: Decimal, quantities: &[Decimal]) -> Vec<Charge> {
    if let Rate::PerUnit(_) = rate {
        return quantities
            .iter()
            .map(|&quantity| charge(rate, before, quantity))
            .collect();
    }
    let whole = charge(rate, before, quantities.iter().sum());
    let mut shares = vec![Charge::default(); quantities.len()];
    // A flat amount or a package counts once however many share it, so it is split finely; so are
    // tiers, for a share of one without a price to fit the shares of the others.
    let split = |quantity: Decimal| match quantities {
        [_] => vec![quantity],
        _ => super::allocation::largest_remainder(quantity, quantities, Decimal::new(1, 10)),
    };
    for step in &whole.steps {
        for (share, part) in shares.iter_mut().zip(split(step.quantity)) {
            if !part.is_zero() {
                share.add(part, Some(step.unit_price));
            }
        }
    }
    for (share, part) in shares.iter_mut().zip(split(whole.unpriced)) {
        share.unpriced = part;
    }
    shares
}
