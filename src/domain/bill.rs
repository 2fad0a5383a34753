//! A rated month: lines that carry their working.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    finality::Finality,
    ids::{Currency, Region, ServiceCode},
    money::Money,
    period::Month,
    quantity::{Quantity, Unit},
    remark::Remark,
    tariff::{PriceOrigin, PriceSource},
    usage::{ChargeKind, Commitment, Gap, UsageKey},
};

/// Days after which a price should be looked up again.
pub const OLD_DAYS: i64 = 365;

/// Tells whether an answer rests on price lists older than a year.
pub fn old_prices(oldest: Option<NaiveDate>, today: NaiveDate) -> Option<Remark> {
    let listed = oldest.filter(|day| (today - *day).num_days() > OLD_DAYS)?;
    Some(Remark::OldPrices { listed })
}

/// One multiplication of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// How many units.
    pub quantity: Decimal,
    /// At what price.
    pub unit_price: Decimal,
    /// The product.
    pub amount: Money,
}

/// Which price was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriceUsed {
    /// From which layer.
    pub origin: PriceOrigin,
    /// From which document.
    pub source: PriceSource,
}

/// Why a line, or a part of it, has no cost.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unpriced {
    /// No layer has the meter in that region.
    NotListed,
    /// It is listed, its price is not known.
    PriceUnknown,
    /// AWS does not sell it in that region.
    NotOffered {
        /// Where.
        region: Region,
        /// The day of the list that says so.
        listed: NaiveDate,
    },
    /// Prices exist, none on the day of usage.
    NotInForce,
    /// The price of the tier that the last units reach is not known.
    TierUnknown,
    /// Usage and tariff are in different units.
    UnitMismatch {
        /// What the tariff counts.
        expected: Unit,
        /// What the usage counts.
        found: Unit,
    },
}

impl Unpriced {
    /// Returns a short stable name for files.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotListed => "not-listed",
            Self::PriceUnknown => "price-unknown",
            Self::NotOffered { .. } => "not-offered",
            Self::NotInForce => "not-in-force",
            Self::TierUnknown => "tier-unknown",
            Self::UnitMismatch { .. } => "unit-mismatch",
        }
    }

    /// Says why, in a few words.
    pub fn reason(&self) -> String {
        match self {
            Self::NotListed => "no price listed".to_owned(),
            Self::PriceUnknown => "price not known".to_owned(),
            Self::NotOffered { region, listed } => {
                format!("not offered in {region} (AWS list of {listed})")
            }
            Self::NotInForce => "no price in force on that day".to_owned(),
            Self::TierUnknown => "price of the last tier not known".to_owned(),
            Self::UnitMismatch { expected, found } => {
                format!("usage in {}, price per {}", found.plural(), expected.name())
            }
        }
    }
}

/// The quantities of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineUsage {
    /// Before rounding.
    pub consumed: Quantity,
    /// Rounded as AWS rounds.
    pub billed: Quantity,
    /// The part an allowance paid for, in the unit of `billed`.
    pub covered: Decimal,
    /// The part that AWS's bill shows as free, where there is one.
    pub free_on_bill: Decimal,
    /// Which allowance.
    pub allowance: Option<Arc<str>>,
}

impl LineUsage {
    /// Returns what is left to pay for.
    pub fn chargeable(&self) -> Decimal {
        self.billed.value - self.covered
    }
}

/// One charge of the bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineItem {
    /// Whose, where, what.
    pub key: UsageKey,
    /// Usage, or a charge carried as billed.
    pub kind: ChargeKind,
    /// What a table calls the meter.
    pub name: String,
    /// How much; none for charges that count nothing and for sources that state costs only.
    pub usage: Option<LineUsage>,
    /// First and last day of usage.
    pub days: (NaiveDate, NaiveDate),
    /// To pay: chargeable quantity at its price, less discount.
    pub cost: Money,
    /// What it would cost without free tier or discount; what comes with paid units stays included.
    pub list_cost: Money,
    /// What the stated discount took off.
    pub discount: Money,
    /// The multiplications behind the cost before discount.
    pub steps: Vec<Step>,
    /// The price used; none where there is none.
    pub price: Option<PriceUsed>,
    /// A part of the list cost has no price, be it covered by an allowance or not.
    pub list_is_partial: bool,
    /// The quantity to pay for that has no price, and why.
    pub unpriced: Option<(Quantity, Unpriced)>,
    /// How raw usage became billed quantity, in words.
    pub metering: Vec<Arc<str>>,
    /// Where the usage comes from.
    pub origins: Vec<Arc<str>>,
    /// What AWS charged, where a bill says so.
    pub aws_cost: Option<Money>,
    /// The commitment that pays for this usage: its cost is what the bill says.
    pub covered_by: Option<Commitment>,
}

/// What an allowance granted and what was drawn from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllowanceUse {
    /// Which.
    pub id: Arc<str>,
    /// What a reader sees.
    pub name: Arc<str>,
    /// What it is counted in.
    pub unit: Unit,
    /// The month's grant.
    pub granted: Decimal,
    /// Stated as used before.
    pub used_elsewhere: Decimal,
    /// Drawn by the lines of this bill.
    pub drawn: Decimal,
}

/// What a month's exports charge for services that are not part of the bill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherServicesTotal {
    /// What the amount is in.
    pub currency: Currency,
    /// How many services.
    pub services: usize,
    /// What they cost together.
    pub cost: Money,
}

/// A month's charges in one currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bill {
    /// The month.
    pub month: Month,
    /// What every amount is in.
    pub currency: Currency,
    /// In the order of service, region, meter, account.
    pub lines: Vec<LineItem>,
    /// Free and included quantities, those that any line could draw on.
    pub allowances: Vec<AllowanceUse>,
    /// Usage that is known to be missing.
    pub gaps: Vec<Gap>,
    /// How final it is.
    pub finality: Finality,
    /// What the same exports charge for other services.
    pub outside: Vec<OtherServicesTotal>,
    /// What a reader of the total should know.
    pub notes: Vec<Remark>,
}

/// All lines of one meter, over accounts and regions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterSum {
    /// The service.
    pub service: ServiceCode,
    /// Usage or another charge.
    pub kind: ChargeKind,
    /// What a table calls it.
    pub name: String,
    /// Where.
    pub regions: BTreeSet<Region>,
    /// How much; none for charges that count nothing.
    pub billed: Option<Quantity>,
    /// How much of it was free.
    pub covered: Decimal,
    /// The prices it was charged at.
    pub unit_prices: BTreeSet<Decimal>,
    /// To pay.
    pub cost: Money,
    /// What AWS charged, where every line has it.
    pub aws_cost: Option<Money>,
    /// `priced`, `partial` or `unpriced`, as of a line.
    pub status: &'static str,
}

impl Bill {
    /// Adds the lines of each meter up, in the order of the lines.
    pub fn by_meter(&self) -> Vec<MeterSum> {
        let mut sums: Vec<MeterSum> = Vec::new();
        for line in &self.lines {
            let same = |sum: &&mut MeterSum| {
                sum.service == line.key.meter.service
                    && sum.kind == line.kind
                    && sum.name == line.name
                    && sum.billed.map(|b| b.unit) == line.usage.as_ref().map(|u| u.billed.unit)
            };
            match sums.iter_mut().find(same) {
                Some(sum) => sum.add(line),
                None => sums.push(MeterSum::of(line)),
            }
        }
        sums.sort_by_key(|sum| {
            self.lines
                .iter()
                .position(|line| line.key.meter.service == sum.service && line.kind == sum.kind)
        });
        sums
    }

    /// Returns what is to pay, as far as it is known.
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.cost).sum()
    }

    /// Returns what is to pay for usage alone: no tax, credit, refund or fee.
    pub fn usage_total(&self) -> Money {
        let usage = self
            .lines
            .iter()
            .filter(|line| line.kind == ChargeKind::Usage);
        usage.map(|line| line.cost).sum()
    }

    /// Returns what the discounts of the rating take off, by service.
    pub fn discounts(&self) -> BTreeMap<ServiceCode, Money> {
        let mut discounts = BTreeMap::new();
        for line in self.lines.iter().filter(|line| !line.discount.is_zero()) {
            *discounts.entry(line.key.meter.service.clone()).or_default() += line.discount;
        }
        discounts
    }

    /// Returns the lines of usage whose source states the cost and not the quantity.
    pub fn costs_only(&self) -> impl Iterator<Item = &LineItem> {
        let costs_only = |line: &&LineItem| {
            line.kind == ChargeKind::Usage && line.usage.is_none() && line.covered_by.is_none()
        };
        self.lines.iter().filter(costs_only)
    }

    /// Returns what those lines come to; none if there are none.
    pub fn costs_only_total(&self) -> Option<Money> {
        let mut lines = self.costs_only().peekable();
        lines.peek()?;
        Some(lines.map(|line| line.cost).sum())
    }

    /// Returns what would be to pay without any free tier and before discount.
    pub fn list_total(&self) -> Money {
        self.lines.iter().map(|line| line.list_cost).sum()
    }

    /// Returns what would be to pay without any free tier and any discount, those that are rows of AWS's bill
    /// included.
    pub fn undiscounted_total(&self) -> Money {
        let is_discount = |line: &&LineItem| line.kind == ChargeKind::Discount;
        let discounts = self.lines.iter().filter(is_discount);
        self.list_total() - discounts.map(|line| line.list_cost).sum()
    }

    /// Returns what AWS charged, where every line has it.
    pub fn aws_total(&self) -> Option<Money> {
        self.lines
            .iter()
            .map(|line| line.aws_cost)
            .sum::<Option<Money>>()
    }

    /// Returns the lines with a part that has no price.
    pub fn unpriced(&self) -> impl Iterator<Item = &LineItem> {
        self.lines.iter().filter(|line| line.unpriced.is_some())
    }

    /// Tells whether the total is the whole: every line priced, no usage missing.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty() && self.unpriced().next().is_none()
    }

    /// Tells whether AWS will not change it any more; none where its sources do not say.
    pub fn is_final(&self) -> Option<bool> {
        match self.finality.is_final() {
            Some(true) if !self.gaps.is_empty() => Some(false),
            known => known,
        }
    }

    /// Tells whether [`Bill::list_total`] is the whole.
    pub fn list_is_complete(&self) -> bool {
        self.gaps.is_empty() && !self.lines.iter().any(|line| line.list_is_partial)
    }

    /// Returns the oldest day of the price lists that lines to pay for rest on.
    pub fn oldest_price(&self) -> Option<NaiveDate> {
        let rests = |line: &LineItem| {
            let price = line.price.as_ref()?;
            let is_listed = matches!(
                price.origin,
                PriceOrigin::PriceList | PriceOrigin::Catalogue | PriceOrigin::Assumed(_)
            );
            let free = line.steps.iter().all(|step| step.unit_price.is_zero());
            price.source.date.filter(|_| is_listed && !free)
        };
        self.lines.iter().filter_map(rests).min()
    }

    /// Tells whether any line took another region's price.
    pub fn is_assumed(&self) -> bool {
        let assumed = |line: &LineItem| {
            line.price
                .as_ref()
                .is_some_and(|p| matches!(p.origin, PriceOrigin::Assumed(_)))
        };
        self.lines.iter().any(assumed)
    }

    /// Tells how much of a service has a price: all of it, a part, or none.
    pub fn pricing_of(&self, service: &ServiceCode) -> Pricing {
        let of_service = |line: &&LineItem| line.key.meter.service == *service;
        let (mut whole, mut none) = (true, true);
        for line in self.lines.iter().filter(of_service) {
            whole &= line.status() == "priced";
            none &= line.status() == "unpriced";
        }
        match (whole, none) {
            (true, _) => Pricing::Whole,
            (_, true) => Pricing::Unknown,
            _ => Pricing::Partial,
        }
    }

    /// Returns the cost by service.
    pub fn by_service(&self) -> BTreeMap<ServiceCode, Money> {
        let mut totals = BTreeMap::new();
        for line in &self.lines {
            *totals
                .entry(line.key.meter.service.clone())
                .or_insert(Money::ZERO) += line.cost;
        }
        totals
    }
}

/// A service over several months.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceCosts {
    /// The service.
    pub service: ServiceCode,
    /// What each month costs.
    pub months: Vec<Money>,
    /// What they cost together.
    pub total: Money,
}

/// Returns what each service costs in each month, the dearest first.
pub fn by_service_and_month(bills: &[&Bill]) -> Vec<ServiceCosts> {
    let mut services: BTreeMap<ServiceCode, Vec<Money>> = BTreeMap::new();
    for (at, bill) in bills.iter().enumerate() {
        for (service, cost) in bill.by_service() {
            services
                .entry(service)
                .or_insert_with(|| vec![Money::ZERO; bills.len()])[at] = cost;
        }
    }
    let mut services: Vec<ServiceCosts> = services
        .into_iter()
        .map(|(service, months)| ServiceCosts {
            service,
            total: months.iter().copied().sum(),
            months,
        })
        .collect();
    services.sort_by_key(|costs| std::cmp::Reverse(costs.total));
    services
}

/// Returns what bills come to together.
pub fn total_of(bills: &[&Bill]) -> Money {
    bills.iter().map(|bill| bill.total()).sum()
}

/// How much of something has a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pricing {
    /// All of it.
    Whole,
    /// Something in it has none.
    Partial,
    /// Nothing in it: no cost stands for it, not even 0.
    Unknown,
}

impl MeterSum {
    /// Returns a single line as a sum.
    pub fn of(line: &LineItem) -> Self {
        Self {
            service: line.key.meter.service.clone(),
            kind: line.kind.clone(),
            name: line.name.clone(),
            regions: BTreeSet::from([line.key.region.clone()]),
            billed: line.usage.as_ref().map(|usage| usage.billed),
            covered: line
                .usage
                .as_ref()
                .map_or(Decimal::ZERO, |usage| usage.covered),
            unit_prices: line.steps.iter().map(|step| step.unit_price).collect(),
            cost: line.cost,
            aws_cost: line.aws_cost,
            status: line.status(),
        }
    }

    fn add(&mut self, line: &LineItem) {
        let other = Self::of(line);
        self.regions.extend(other.regions);
        if let (Some(sum), Some(more)) = (&mut self.billed, other.billed) {
            sum.value += more.value;
        }
        self.covered += other.covered;
        self.unit_prices.extend(other.unit_prices);
        self.cost += other.cost;
        self.aws_cost = self.aws_cost.zip(other.aws_cost).map(|(a, b)| a + b);
        if self.status != other.status {
            self.status = "partial";
        }
    }
}

impl LineItem {
    /// Returns `priced`, `partial` or `unpriced`.
    pub fn status(&self) -> &'static str {
        match &self.unpriced {
            None => "priced",
            Some(_) if self.price.is_some() => "partial",
            Some(_) => "unpriced",
        }
    }
}
