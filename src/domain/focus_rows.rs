//! A bill as rows that are each a quantity at one price: what a cost-and-usage data set asks for.
//!
//! Every line falls apart into its steps and its covered units, and each of these into the resources
//! and tags that used them. Quantities are shared, so each row's cost is its own product, and the
//! rows add up to the bill exactly.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    allocation::records_by_line,
    bill::LineItem,
    ids::ResourceId,
    money::Money,
    quantity::{Quantity, Unit},
    rating::Rated,
    share_out::{Policy, share_quantity},
    usage::{Tags, UsageRecord},
};

/// Whose usage a row is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Owner {
    /// Which resource.
    pub resource: Option<ResourceId>,
    /// Its tags.
    pub tags: Tags,
    /// On which invoice; none while the month is open.
    pub invoice: Option<Arc<str>>,
    /// The usage is of an earlier month than the bill.
    pub late: bool,
}

/// A quantity at a price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargeRow {
    /// Which line of the bill, by position.
    pub line: usize,
    /// Whose.
    pub owner: Owner,
    /// First and last day.
    pub days: (NaiveDate, NaiveDate),
    /// How much; none for charges that count nothing.
    pub quantity: Option<Quantity>,
    /// What one costs without free tier and discount.
    pub list_unit_price: Option<Decimal>,
    /// What one costs.
    pub unit_price: Option<Decimal>,
    /// Quantity at the list price.
    pub list_cost: Money,
    /// To pay.
    pub cost: Money,
    /// A discount that is no part of any price.
    pub is_discount: bool,
}

/// Rows of a bill, and what has none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Charges {
    /// The rows, in the order of the lines.
    pub rows: Vec<ChargeRow>,
    /// Lines with units whose price is not known: those units have no row.
    pub unpriced_lines: usize,
}

impl Charges {
    /// Returns what the rows cost, and what they would by list.
    pub fn totals(&self) -> (Money, Money) {
        let rows = self.rows.iter();
        (
            rows.clone().map(|row| row.cost).sum(),
            rows.map(|row| row.list_cost).sum(),
        )
    }
}

/// What one owner used of a line.
struct Used {
    paid: Decimal,
    covered: Decimal,
    quantity: Decimal,
    billed: Money,
    days: (NaiveDate, NaiveDate),
}

/// Takes a bill apart.
pub fn charges(rated: &Rated, records: &[UsageRecord], policy: Policy) -> Charges {
    let mut charges = Charges::default();
    let by_line = records_by_line(rated, records);
    for (at, (line, records)) in rated.bill.lines.iter().zip(&by_line).enumerate() {
        let owners = owners(line, records, policy, rated.bill.month.first_day());
        charges.unpriced_lines += usize::from(line.list_is_partial || line.unpriced.is_some());
        match &line.usage {
            Some(usage) => {
                let mut rows = Rows {
                    at,
                    unit: usage.billed.unit,
                    owners: &owners,
                    into: &mut charges.rows,
                };
                priced(line, usage.covered, &mut rows);
            }
            None => charges
                .rows
                .extend(owners.into_iter().map(|(owner, used)| ChargeRow {
                    line: at,
                    owner,
                    days: used.days,
                    quantity: None,
                    list_unit_price: None,
                    unit_price: None,
                    list_cost: used.billed,
                    cost: used.billed,
                    is_discount: false,
                })),
        }
    }
    charges
}

type Owners = BTreeMap<Owner, Used>;

fn owners(line: &LineItem, records: &[&UsageRecord], policy: Policy, first: NaiveDate) -> Owners {
    let mut owners = Owners::new();
    let mut free = line
        .usage
        .as_ref()
        .map_or(Decimal::ZERO, |usage| usage.covered);
    let mut in_order: Vec<&UsageRecord> = records.to_vec();
    in_order.sort_by_key(|record| record.day);
    for record in in_order {
        let quantity = record
            .quantity
            .map_or(Decimal::ZERO, |quantity| quantity.value);
        let billed = record.billed.as_ref();
        let (paid, covered) = match policy {
            Policy::AsBilled if billed.is_some_and(|billed| billed.cost.is_zero()) => {
                (Decimal::ZERO, quantity)
            }
            Policy::AsBilled => (quantity, Decimal::ZERO),
            Policy::Proportional => (quantity, quantity),
            Policy::Chronological => {
                let covered = free.min(quantity);
                free -= covered;
                (quantity - covered, covered)
            }
        };
        let owner = Owner {
            resource: record.resource.clone(),
            tags: record.tags.clone(),
            invoice: billed.and_then(|billed| billed.invoice.clone()),
            late: record.day < first,
        };
        let used = owners.entry(owner).or_insert(Used {
            paid: Decimal::ZERO,
            covered: Decimal::ZERO,
            quantity: Decimal::ZERO,
            billed: Money::ZERO,
            days: (record.day, record.day),
        });
        used.paid += paid;
        used.covered += covered;
        used.quantity += quantity;
        used.billed += billed.map_or(Money::ZERO, |billed| billed.cost);
        used.days = (used.days.0.min(record.day), used.days.1.max(record.day));
    }
    if owners.is_empty() {
        let whole = Used {
            paid: Decimal::ONE,
            covered: Decimal::ONE,
            quantity: Decimal::ONE,
            billed: line.cost,
            days: line.days,
        };
        owners.insert(Owner::default(), whole);
    }
    owners
}

/// Rows of one line in the making.
struct Rows<'r> {
    at: usize,
    unit: Unit,
    owners: &'r Owners,
    into: &'r mut Vec<ChargeRow>,
}

impl Rows<'_> {
    /// Shares a quantity at a price among the owners.
    fn add(
        &mut self,
        total: Decimal,
        list: Decimal,
        unit_price: Decimal,
        weight: fn(&Used) -> Decimal,
    ) {
        let weights: Vec<Decimal> = self.owners.values().map(weight).collect();
        let sum: Decimal = weights.iter().sum();
        let weights = if sum.is_zero() {
            self.owners.values().map(|used| used.quantity).collect()
        } else {
            weights
        };
        let shares = share_quantity(total, &weights);
        for ((owner, used), quantity) in self.owners.iter().zip(shares) {
            if quantity.is_zero() {
                continue;
            }
            self.into.push(ChargeRow {
                line: self.at,
                owner: owner.clone(),
                days: used.days,
                quantity: Some(Quantity::new(quantity, self.unit)),
                list_unit_price: Some(list),
                unit_price: Some(unit_price),
                list_cost: Money::of(quantity, list),
                cost: Money::of(quantity, unit_price),
                is_discount: false,
            });
        }
    }
}

fn priced(line: &LineItem, covered: Decimal, rows: &mut Rows<'_>) {
    let gross: Money = line.steps.iter().map(|step| step.amount).sum();
    // A percentage off every price, as long as that is exact; else a row of its own.
    let part = line
        .discount
        .amount()
        .checked_div(gross.amount())
        .unwrap_or_default();
    let off = |price: Decimal| price - price * part;
    let with_discount: Money = line
        .steps
        .iter()
        .map(|step| Money::of(step.quantity, off(step.unit_price)))
        .sum();
    let exact = with_discount == line.cost;
    for step in &line.steps {
        let price = step.unit_price;
        let contracted = if exact { off(price) } else { price };
        rows.add(step.quantity, price, contracted, |used| used.paid);
    }
    if !covered.is_zero() && !line.list_is_partial {
        // What the covered units would have cost; the price of a tier where that is no price of one.
        let would = line.list_cost - gross;
        let price = would.amount().checked_div(covered).unwrap_or_default();
        rows.add(covered, price, Decimal::ZERO, |used| used.covered);
    }
    if !exact && !line.discount.is_zero() {
        rows.into.push(ChargeRow {
            line: rows.at,
            owner: Owner::default(),
            days: line.days,
            quantity: None,
            list_unit_price: None,
            unit_price: None,
            list_cost: -line.discount,
            cost: -line.discount,
            is_discount: true,
        });
    }
}
