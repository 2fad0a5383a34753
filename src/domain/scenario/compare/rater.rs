//! A month rated whole, under any changes, as often as it is asked.

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::scenario::{
    apply::{Applied, ScenarioUsage, Selects, apply},
    change::{Change, Scenario, Selector, Target},
    workload::Workload,
};
use crate::domain::{
    bill::Bill,
    catalog::Catalog,
    money::Money,
    plan::PricingTerms,
    price_book::{BilledPrices, PriceBook},
    quantity::{Quantity, Unit},
    rating::{RatingError, RatingOptions, rate},
    share_out::Policy,
    usage::{Billed, ChargeKind, UsageKey, UsageRecord},
};

/// Values a month under scenarios. What does not change between them is worked out once.
#[derive(Debug)]
pub struct ScenarioRater<'a> {
    /// The month.
    pub workload: &'a Workload,
    /// The catalogue.
    pub catalog: &'a Catalog,
    /// Prices, free tier and discounts of the baseline.
    pub terms: &'a PricingTerms,
    pub(super) observed: BilledPrices,
    pub(super) selected: RefCell<HashMap<String, Rc<[usize]>>>,
    pub(super) base: OnceCell<Base>,
}

/// What is priced alike: whose, where, what, in which unit, at which price of the bill, from when on.
pub(super) type Alike = (UsageKey, Unit, Option<Decimal>, NaiveDate);

/// The baseline summed up, and what each group has in it: a change of a few groups is a small sum.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) sums: BTreeMap<Alike, Decimal>,
    pub(super) groups: Vec<Alike>,
    pub(super) quantities: Vec<Decimal>,
}

/// A month under a scenario.
#[derive(Clone, Debug)]
pub struct Value {
    /// The bill.
    pub bill: Bill,
    /// How it came about. Where changes touch a few groups only, its pieces are those of these groups.
    pub applied: Applied,
}

impl Value {
    /// Tells whether its total is the whole.
    pub fn is_complete(&self) -> bool {
        self.bill.is_complete() && self.applied.unknown.is_empty()
    }
}

impl Selects for ScenarioRater<'_> {
    fn groups(&self, only: &Selector) -> Rc<[usize]> {
        let name = only.to_string();
        if let Some(known) = self.selected.borrow().get(&name) {
            return known.clone();
        }
        let meant = |at: &usize| {
            let group = &self.workload.groups[*at];
            only.matches(&group.subject(), self.catalog)
        };
        let groups: Rc<[usize]> = (0..self.workload.groups.len()).filter(meant).collect();
        self.selected.borrow_mut().insert(name, groups.clone());
        groups
    }
}

impl<'a> ScenarioRater<'a> {
    /// Begins with the prices that a bill shows, if there is one.
    pub fn new(
        workload: &'a Workload,
        catalog: &'a Catalog,
        terms: &'a PricingTerms,
        observed: BilledPrices,
    ) -> Self {
        Self {
            workload,
            catalog,
            terms,
            observed,
            selected: RefCell::default(),
            base: OnceCell::new(),
        }
    }

    /// Returns a rater of another workload at the same prices and terms.
    pub(crate) fn with<'b>(&self, workload: &'b Workload) -> ScenarioRater<'b>
    where
        'a: 'b,
    {
        ScenarioRater::new(workload, self.catalog, self.terms, self.observed.clone())
    }

    /// Applies changes to the whole month.
    pub fn applied(&self, changes: &[&Change]) -> Applied {
        apply(self.workload, self.catalog, self.terms, changes, self)
    }

    /// Returns the groups that changes touch, if those are a few and all that the changes are about.
    pub(super) fn few(&self, changes: &[&Change]) -> Option<Vec<usize>> {
        let mut touched = BTreeSet::new();
        for change in changes {
            match change {
                Change::Builds { only, .. }
                | Change::Minutes { only, .. }
                | Change::Storage { only, .. }
                | Change::Retention { only, .. }
                | Change::Repository { only, .. }
                | Change::Compute {
                    only,
                    to: Target::OnDemand(_) | Target::Elsewhere(_),
                    ..
                } => touched.extend(self.groups(only).iter().copied()),
                change if change.is_of_terms() => {}
                _ => return None,
            }
        }
        (2 * touched.len() < self.workload.groups.len()).then(|| touched.into_iter().collect())
    }

    /// Rates the month under changes of builds that touch only some groups: the sums of all others
    /// stay.
    pub fn value_of_few(
        &self,
        changes: &[&Change],
        groups: &[usize],
    ) -> Result<Value, RatingError> {
        let base = self.base();
        let few = Workload {
            groups: groups
                .iter()
                .map(|at| self.workload.groups[*at].clone())
                .collect(),
            pipelines: Vec::new(),
            ..self.workload.without_lots()
        };
        let rater = ScenarioRater::new(&few, self.catalog, self.terms, BilledPrices::default());
        let applied = apply(&few, self.catalog, self.terms, changes, &rater);
        let mut sums = base.sums.clone();
        for at in groups {
            *sums.entry(base.groups[*at].clone()).or_default() -= base.quantities[*at];
        }
        for piece in &applied.pieces {
            *sums.entry(alike(piece)).or_default() += piece.quantity.value;
        }
        let bill = self.rate(sums, &applied.terms)?;
        Ok(Value { bill, applied })
    }

    pub(super) fn base(&self) -> &Base {
        self.base.get_or_init(|| {
            let mut base = Base {
                sums: BTreeMap::new(),
                groups: Vec::new(),
                quantities: Vec::new(),
            };
            for group in &self.workload.groups {
                let key: Alike = (group.key.clone(), group.unit, group.rate, group.day);
                let quantity = self.workload.quantity(group, self.catalog);
                *base.sums.entry(key.clone()).or_default() += quantity;
                base.groups.push(key);
                base.quantities.push(quantity);
            }
            base
        })
    }

    pub(super) fn book(&self, terms: &PricingTerms) -> PriceBook<'_> {
        PriceBook {
            stated: terms.prices.clone(),
            observed: self.observed.clone(),
            catalog: self.catalog,
            like: terms.price_like.clone(),
        }
    }

    /// Rates the month under changes.
    pub fn value(&self, changes: &[&Change]) -> Result<Value, RatingError> {
        if let Some(groups) = self.few(changes) {
            return self.value_of_few(changes, &groups);
        }
        let applied = self.applied(changes);
        let mut sums: BTreeMap<Alike, Decimal> = BTreeMap::new();
        for piece in &applied.pieces {
            *sums.entry(alike(piece)).or_default() += piece.quantity.value;
        }
        let bill = self.rate(sums, &applied.terms)?;
        Ok(Value { bill, applied })
    }

    pub(super) fn rate(
        &self,
        sums: BTreeMap<Alike, Decimal>,
        terms: &PricingTerms,
    ) -> Result<Bill, RatingError> {
        let options = RatingOptions {
            currency: self.workload.currency.clone(),
            free_tier: terms.free_tier,
            used: terms.used.clone(),
            discounts: terms.discounts.clone(),
            recurring: terms.recurring.clone(),
            plans: terms.plans.clone(),
            sharing: match self.workload.sharing {
                Policy::Chronological => Policy::Chronological,
                Policy::AsBilled | Policy::Proportional => Policy::Proportional,
            },
            ..RatingOptions::new(self.workload.month)
        };
        Ok(rate(&self.records(sums), &self.book(terms), &options)?.bill)
    }

    /// Returns the total under changes.
    pub fn total(&self, changes: &[&Change]) -> Result<Money, RatingError> {
        Ok(self.value(changes)?.bill.total())
    }

    /// Returns the total under a scenario.
    pub fn total_of(&self, scenario: &Scenario) -> Result<Money, RatingError> {
        self.total(&scenario.changes.iter().collect::<Vec<_>>())
    }

    pub(super) fn records(&self, sums: BTreeMap<Alike, Decimal>) -> Vec<UsageRecord> {
        let origin: Arc<str> = Arc::from("scenario");
        let used = sums.into_iter().filter(|(_, value)| !value.is_zero());
        used.map(|((key, unit, rate, day), value)| UsageRecord {
            month: self.workload.month,
            day,
            last_day: day,
            key,
            kind: ChargeKind::Usage,
            resource: None,
            tags: Arc::default(),
            quantity: Some(Quantity::new(value, unit)),
            consumed: None,
            metering: None,
            billed: rate.map(|rate| Billed {
                cost: Money::of(value, rate),
                rate: Some(rate),
                list_rate: None,
                invoice: None,
                covered_by: None,
            }),
            currency: self.workload.currency.clone(),
            origin: origin.clone(),
        })
        .collect()
    }
}

pub(super) fn alike(piece: &ScenarioUsage) -> Alike {
    let key = piece.key.clone();
    (key, piece.quantity.unit, piece.rate, piece.day)
}
