//! A baseline beside a scenario: each month rated whole, under both.

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    apply::{Applied, ChangeCoverage, ScenarioUsage, Selects, apply},
    change::{Change, Scenario, Selector, Target},
    remark::{Assumption, Unknown, Warning},
    waterfall::{MOST_IN_EVERY_ORDER, Waterfall, WaterfallStep, contributions},
    workload::Workload,
};
use crate::domain::{
    bill::Bill,
    catalog::Catalog,
    ids::ServiceCode,
    money::Money,
    number::plain,
    period::Month,
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
    observed: BilledPrices,
    selected: RefCell<HashMap<String, Rc<[usize]>>>,
    base: OnceCell<Base>,
}

/// What is priced alike: whose, where, what, in which unit, at which price of the bill, from when on.
type Alike = (UsageKey, Unit, Option<Decimal>, NaiveDate);

/// The baseline summed up, and what each group has in it: a change of a few groups is a small sum.
#[derive(Debug)]
struct Base {
    sums: BTreeMap<Alike, Decimal>,
    groups: Vec<Alike>,
    quantities: Vec<Decimal>,
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

    /// Applies changes to the whole month.
    pub fn applied(&self, changes: &[&Change]) -> Applied {
        apply(self.workload, self.catalog, self.terms, changes, self)
    }

    /// Returns the groups that changes touch, if those are a few and all that the changes are about.
    fn few(&self, changes: &[&Change]) -> Option<Vec<usize>> {
        let mut touched = BTreeSet::new();
        for change in changes {
            match change {
                Change::Builds { only, .. }
                | Change::Minutes { only, .. }
                | Change::Storage { only, .. }
                | Change::Retention { only, .. }
                | Change::Compute {
                    only,
                    to: Target::OnDemand(_),
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

    fn base(&self) -> &Base {
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

    fn book(&self, terms: &PricingTerms) -> PriceBook<'_> {
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

    fn rate(
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

    fn records(&self, sums: BTreeMap<Alike, Decimal>) -> Vec<UsageRecord> {
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

fn alike(piece: &ScenarioUsage) -> Alike {
    let key = piece.key.clone();
    (key, piece.quantity.unit, piece.rate, piece.day)
}

/// Which sides are the whole, everything in them having a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Completeness {
    /// The baseline is.
    pub baseline: bool,
    /// The scenario is.
    pub scenario: bool,
}

impl Default for Completeness {
    fn default() -> Self {
        Self {
            baseline: true,
            scenario: true,
        }
    }
}

impl Completeness {
    /// Tells whether both are, so that their difference is known.
    pub fn both(self) -> bool {
        self.baseline && self.scenario
    }

    /// Returns which sides are the whole here and there.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            baseline: self.baseline && other.baseline,
            scenario: self.scenario && other.scenario,
        }
    }
}

/// A meter under both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterDifference {
    /// Its service.
    pub service: ServiceCode,
    /// What a table calls it.
    pub name: String,
    /// Quantity in the baseline, if it is used there.
    pub quantity_before: Option<Quantity>,
    /// Quantity in the scenario.
    pub quantity_after: Option<Quantity>,
    /// Cost in the baseline.
    pub before: Money,
    /// Cost in the scenario.
    pub after: Money,
    /// `priced`, `partial` or `unpriced` in the baseline.
    pub status_before: &'static str,
    /// The same in the scenario.
    pub status_after: &'static str,
}

impl MeterDifference {
    /// Returns what the scenario adds.
    pub fn difference(&self) -> Money {
        self.after - self.before
    }

    /// Returns `priced`, or the worse of both.
    pub fn status(&self) -> &'static str {
        match self.status_before {
            "priced" => self.status_after,
            status => status,
        }
    }
}

/// A month under both.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MonthComparison {
    /// Which.
    pub month: Month,
    /// What the baseline costs.
    pub baseline: Money,
    /// What the scenario costs.
    pub scenario: Money,
    /// What it adds; below zero for a saving.
    pub difference: Money,
    /// Which of both are the whole.
    pub complete: Completeness,
}

/// A scenario beside its baseline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// The scenario.
    pub scenario: Scenario,
    /// Month by month, in order.
    pub months: Vec<MonthComparison>,
    /// All months together.
    pub total: Totals,
    /// Cause by cause, over all months.
    pub waterfall: Waterfall,
    /// Meter by meter, over all months; those of the baseline first.
    pub meters: Vec<MeterDifference>,
    /// How far each change reached, over all months, in the order of the changes.
    pub reach: Vec<ChangeCoverage>,
    /// What could break.
    pub warnings: Vec<Warning>,
    /// What the figures assume.
    pub assumptions: Vec<Assumption>,
    /// What has no price or cannot be known: the totals are partial.
    pub unknown: Vec<Unknown>,
    /// Somewhere in it pipelines without recorded runs were taken to be like others.
    pub guessed: bool,
    /// The oldest day of the price lists that it rests on.
    pub oldest_price: Option<NaiveDate>,
}

/// Costs over all months.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Of the baseline.
    pub baseline: Money,
    /// Of the scenario.
    pub scenario: Money,
    /// What the scenario adds; below zero for a saving.
    pub difference: Money,
    /// Which of both are the whole.
    pub whole: Completeness,
}

impl Totals {
    /// Returns the difference in percent of the baseline.
    pub fn percent(&self) -> Option<Decimal> {
        percent_of(self.difference, self.baseline)
    }
}

impl MonthComparison {
    /// Returns the difference in percent of the baseline.
    pub fn percent(&self) -> Option<Decimal> {
        percent_of(self.difference, self.baseline)
    }
}

/// Returns an amount in percent of another; none of nothing.
pub fn percent_of(amount: Money, of: Money) -> Option<Decimal> {
    let share = amount.amount().checked_div(of.amount())?;
    Some((share * Decimal::ONE_HUNDRED).round_dp(2))
}

/// Compares a scenario with its baseline over months.
pub fn compare(
    months: &[ScenarioRater<'_>],
    scenario: &Scenario,
) -> Result<Comparison, RatingError> {
    let changes: Vec<&Change> = scenario.changes.iter().collect();
    let mut compared = Vec::new();
    let mut totals = Totals::default();
    let mut meters: Vec<MeterDifference> = Vec::new();
    let mut reach = vec![ChangeCoverage::default(); changes.len()];
    let (mut warnings, mut assumptions, mut unknown) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut steps = vec![Money::ZERO; changes.len()];
    let (mut has_steps, mut every_order, mut guessed) = (true, true, false);
    let mut oldest_price: Option<NaiveDate> = None;
    for rater in months {
        let before = rater.value(&[])?;
        let after = rater.value(&changes)?;
        let whole = Completeness {
            baseline: before.is_complete(),
            scenario: after.is_complete(),
        };
        let (baseline, cost) = (before.bill.total(), after.bill.total());
        compared.push(MonthComparison {
            month: rater.workload.month,
            baseline,
            scenario: cost,
            difference: cost - baseline,
            complete: whole,
        });
        totals.baseline += baseline;
        totals.scenario += cost;
        totals.whole = totals.whole.and(whole);
        for value in [&before, &after] {
            oldest_price = oldest_price
                .into_iter()
                .chain(value.bill.oldest_price())
                .min();
            unknown.extend(unpriced(value));
        }
        add_meters(&mut meters, &before.bill, false);
        add_meters(&mut meters, &after.bill, true);
        for (sum, of_month) in reach.iter_mut().zip(&after.applied.reach) {
            sum.builds += of_month.builds;
            sum.pipelines += of_month.pipelines;
            for (unit, quantity) in &of_month.totals {
                *sum.totals.entry(*unit).or_default() += *quantity;
            }
        }
        guessed |= after.applied.guessed;
        warnings.extend(after.applied.warnings);
        assumptions.extend(after.applied.assumptions);
        let of_month = contributions(changes.len(), |taken| {
            if taken.is_empty() {
                return Ok(Some(baseline));
            }
            if taken.len() == changes.len() {
                return Ok(Some(cost));
            }
            let taken: Vec<&Change> = taken.iter().map(|at| changes[*at]).collect();
            let between = rater.value(&taken)?;
            // Between two known totals a price that is missing would show as money saved.
            let counts = between.is_complete() || !whole.both();
            Ok(counts.then(|| between.bill.total()))
        })?;
        match of_month {
            Some((of_month, all_orders)) => {
                every_order &= all_orders;
                for (sum, step) in steps.iter_mut().zip(of_month) {
                    *sum += step;
                }
            }
            None => has_steps = false,
        }
    }
    totals.difference = totals.scenario - totals.baseline;
    if !has_steps {
        steps.clear();
    }
    Ok(Comparison {
        months: compared,
        total: totals,
        waterfall: Waterfall {
            baseline: totals.baseline,
            steps: changes
                .iter()
                .zip(steps)
                .map(|(change, amount)| WaterfallStep {
                    label: change.to_string(),
                    amount,
                    is_rest: false,
                })
                .collect(),
            scenario: totals.scenario,
            order_free: changes.len() <= MOST_IN_EVERY_ORDER,
            every_order,
        },
        meters,
        reach,
        warnings: warnings.into_iter().collect(),
        assumptions: assumptions.into_iter().collect(),
        unknown: unknown.into_iter().collect(),
        guessed,
        oldest_price,
        scenario: scenario.clone(),
    })
}

/// Names what has no price or cannot be known.
pub fn unpriced(value: &Value) -> BTreeSet<Unknown> {
    let lines = value.bill.unpriced().filter_map(|line| {
        let (_, reason) = line.unpriced.as_ref()?;
        Some(Unknown::Price {
            meter: line.key.meter.clone(),
            region: line.key.region.clone(),
            reason: reason.clone(),
        })
    });
    lines.chain(value.applied.unknown.iter().cloned()).collect()
}

fn add_meters(meters: &mut Vec<MeterDifference>, bill: &Bill, after: bool) {
    for sum in bill.by_meter() {
        let same =
            |known: &&mut MeterDifference| known.service == sum.service && known.name == sum.name;
        if !meters.iter_mut().any(|known| same(&known)) {
            meters.push(MeterDifference {
                service: sum.service.clone(),
                name: sum.name.clone(),
                quantity_before: None,
                quantity_after: None,
                before: Money::ZERO,
                after: Money::ZERO,
                status_before: "priced",
                status_after: "priced",
            });
        }
        let Some(known) = meters.iter_mut().find(same) else {
            continue;
        };
        let (quantity, cost, status) = if after {
            let status = &mut known.status_after;
            (&mut known.quantity_after, &mut known.after, status)
        } else {
            let status = &mut known.status_before;
            (&mut known.quantity_before, &mut known.before, status)
        };
        *cost += sum.cost;
        *quantity = match (*quantity, sum.billed) {
            (Some(a), Some(b)) => Some(a.try_add(b).unwrap_or(a)),
            (a, b) => a.or(b),
        };
        if sum.status != "priced" {
            *status = sum.status;
        }
    }
}

/// Writes a factor as a percentage more or less.
pub(super) fn as_percent(factor: Decimal) -> String {
    let percent = (factor - Decimal::ONE) * Decimal::ONE_HUNDRED;
    let sign = if percent.is_sign_negative() { "" } else { "+" };
    format!("{sign}{} %", plain(percent.round_dp(1)))
}
