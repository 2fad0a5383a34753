//! What infrastructure code costs: before a change and after it.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    App, AppError, Field, Terms, currencies, rating_options,
    terms::{assignment, number},
};
use crate::{
    domain::{
        allocation::Policy,
        ids::{Currency, Region},
        infra::{
            Infra, Note, Resource,
            needs::{Known, Used},
        },
        metering::from_events::MeteringOptions,
        money::Money,
        period::Month,
        plan::{BuildAmount, PipelineType, PricingTerms},
        price_book::BilledPrices,
        rating::rate,
        usage::{ChargeKind, Gap, UsageRecord},
    },
    inputs::{infra, resolve},
    ledger::LedgerError,
};

/// Infrastructure code to price.
#[derive(Clone, Debug, Default)]
pub struct InfraRequest {
    /// The file.
    pub file: PathBuf,
    /// Where resources are whose region is not stated.
    pub region: Option<String>,
    /// The month.
    pub month: Option<Month>,
    /// Usage of projects and pipelines, as in `api=300x95s`.
    pub usage: Vec<String>,
    /// Values of parameters of templates, as in `Env=prod`.
    pub parameters: Vec<String>,
    /// The price model of pipelines that do not state one.
    pub pipeline_type: Option<PipelineType>,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

/// Infrastructure code, priced.
#[derive(Debug)]
pub struct InfraCosts {
    /// What the file says.
    pub infra: Infra,
    /// The month.
    pub month: Month,
    /// What every amount is in.
    pub currency: Currency,
    /// Whether the usage of the ledger's month stands beside it.
    pub has_ledger: bool,
    /// What is missing of that usage.
    pub gaps: Vec<Gap>,
    /// Both sides, the one before only where the file has one.
    pub before: Option<Side>,
    /// What it will cost.
    pub after: Side,
    /// Each resource, by address.
    pub resources: Vec<PricedResource>,
}

impl InfraCosts {
    /// Tells whether everything has a price, on both sides, and the file has all.
    pub fn is_complete(&self) -> bool {
        self.after.complete && self.before.as_ref().is_none_or(|side| side.complete)
    }
}

/// One side of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Side {
    /// What the resources add to the month, free units included.
    pub cost: Money,
    /// What they cost at list prices, without free units.
    pub list: Money,
    /// Whether each of them has a price.
    pub complete: bool,
}

/// A resource on both sides.
#[derive(Debug)]
pub struct PricedResource {
    /// It, as it will be; as it was where it goes.
    pub resource: Resource,
    /// What it uses and needs, as it will be.
    pub after: Option<Used>,
    /// The same before.
    pub before: Option<Used>,
    /// What it adds to the month; none without a price.
    pub after_cost: Option<Money>,
    /// The same before.
    pub before_cost: Option<Money>,
    /// What it costs at list prices, without free units, as it will be.
    pub list: Option<Money>,
}

/// Rates the month around the resources of a file.
struct Rater<'a> {
    app: &'a App,
    terms: &'a PricingTerms,
    sharing: Policy,
    month: Month,
    currency: Currency,
    rest: Vec<UsageRecord>,
}

impl Rater<'_> {
    /// Returns what records add to the rest of the month, what they cost at list prices, and whether all
    /// have a price.
    fn cost(&self, records: &[&[UsageRecord]]) -> Result<(Money, Money, bool), AppError> {
        let book = self.app.price_book(self.terms, BilledPrices::default());
        let options = rating_options(self.month, self.currency.clone(), self.terms, self.sharing);
        let mut all = self.rest.clone();
        all.extend(records.iter().copied().flatten().cloned());
        let with = rate(&all, &book, &options)?.bill;
        let without = rate(&self.rest, &book, &options)?.bill;
        Ok((
            with.total() - without.total(),
            with.list_total() - without.list_total(),
            with.unpriced().count() == without.unpriced().count(),
        ))
    }
}

impl App {
    /// Prices infrastructure code.
    pub fn infra(&self, request: &InfraRequest) -> Result<InfraCosts, AppError> {
        let stated = request.region.as_ref().map(|name| {
            let region = resolve::region(&self.catalog, name);
            region.map_err(AppError::unknown(Field::Region))
        });
        let stated = stated.transpose()?;
        let mut options = infra::Options {
            region: stated.clone(),
            ..infra::Options::default()
        };
        for text in &request.parameters {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                let problem = format!("`{text}` is not of the form Env=prod");
                AppError::field(Field::Parameter, problem)
            })?;
            let (name, value) = (name.trim().to_owned(), value.to_owned());
            options.parameters.insert(name, value);
        }
        let infra = infra::read(&request.file, &options)?;
        let region = stated.unwrap_or_else(|| Region::new("us-east-1"));
        let mut stated = BTreeMap::new();
        for text in &request.usage {
            let (name, amount) = assignment(Field::ProjectUsage, text, "api=300x95s")?;
            let amount = number(Field::ProjectUsage, amount, str::parse::<BuildAmount>)?;
            stated.insert(name.to_owned(), amount);
        }
        let (month, records, gaps) = self.usage_beside(request.month)?;
        let known = Known {
            catalog: &self.catalog,
            month,
            region,
            stated,
            ledger: &records,
            pipeline_type: request.pipeline_type,
        };
        let mut resources = paired(&infra, &known);
        let everything = || infra.before.iter().flatten().chain(&infra.after);
        let rest: Vec<UsageRecord> = records
            .iter()
            .filter(|record| record.kind == ChargeKind::Usage)
            .filter(|record| !everything().any(|resource| known.claims(resource, record)))
            .cloned()
            .collect();
        let terms = self.pricing_terms(&request.terms, PricingTerms::default())?;
        let used = |it: &PricedResource| {
            let both = it.before.iter().chain(&it.after);
            both.flat_map(|used| used.records.clone())
                .collect::<Vec<_>>()
        };
        let mut all: Vec<UsageRecord> = resources.iter().flat_map(used).collect();
        all.extend(rest.iter().cloned());
        let currency = match currencies(&all)[..] {
            [] => self.catalog.currency(&known.region),
            [ref only] => only.clone(),
            ref several => {
                let currencies = several.to_vec();
                return Err(AppError::SeveralCurrencies { month, currencies });
            }
        };
        let rater = Rater {
            app: self,
            terms: &terms,
            sharing: request.terms.sharing,
            month,
            currency: currency.clone(),
            rest,
        };
        let (mut before, mut after) = sides(&rater, &mut resources)?;
        // What the code does not show, or the ledger does not know, may cost something on either side.
        if !gaps.is_empty() || infra.notes.iter().any(Note::leaves_out) {
            (before.complete, after.complete) = (false, false);
        }
        Ok(InfraCosts {
            before: infra.before.is_some().then_some(before),
            after,
            infra,
            month,
            currency,
            has_ledger: !records.is_empty(),
            gaps,
            resources,
        })
    }

    /// Returns the month that stands beside a change, its usage and what is missing of it: what was billed, else
    /// what was metered, where there is a ledger.
    fn usage_beside(
        &self,
        asked: Option<Month>,
    ) -> Result<(Month, Vec<UsageRecord>, Vec<Gap>), AppError> {
        let ledger = match self.ledger() {
            Ok(ledger) => ledger,
            Err(AppError::Ledger(LedgerError::NoLedger { .. })) => {
                let month = asked.unwrap_or_else(|| Month::of(self.today));
                return Ok((month, Vec::new(), Vec::new()));
            }
            Err(error) => return Err(error),
        };
        let month = match (asked, self.last_whole_month(&ledger)) {
            (Some(month), _) | (None, Ok(month)) => month,
            (None, Err(AppError::EmptyLedger)) => Month::of(self.today),
            (None, Err(error)) => return Err(error),
        };
        if ledger.months()?.contains(&month) {
            let records = self.records(&ledger, month)?.0;
            return Ok((month, records, self.gaps(&ledger, month)?));
        }
        if self.metered_months(&ledger)?.contains(&month) {
            let metered = self.metered(&ledger, month, MeteringOptions::default())?;
            return Ok((month, metered.records, metered.gaps));
        }
        Ok((month, Vec::new(), Vec::new()))
    }
}

/// Pairs what was with what will be, by address.
fn paired(infra: &Infra, known: &Known<'_>) -> Vec<PricedResource> {
    let mut before: BTreeMap<&str, &Resource> = BTreeMap::new();
    for resource in infra.before.iter().flatten() {
        before.insert(&resource.address, resource);
    }
    let mut paired = Vec::new();
    for resource in &infra.after {
        let address = resource
            .previous_address
            .as_ref()
            .unwrap_or(&resource.address);
        let was = before.remove(address.as_str());
        paired.push(PricedResource {
            resource: resource.clone(),
            after: Some(known.used(resource)),
            before: was.map(|was| known.used(was)),
            after_cost: None,
            before_cost: None,
            list: None,
        });
    }
    for gone in before.into_values() {
        paired.push(PricedResource {
            resource: gone.clone(),
            after: None,
            before: Some(known.used(gone)),
            after_cost: None,
            before_cost: None,
            list: None,
        });
    }
    paired.sort_by(|a, b| a.resource.address.cmp(&b.resource.address));
    paired
}

/// Rates both sides, and each resource by what it adds to its side.
fn sides(rater: &Rater<'_>, resources: &mut [PricedResource]) -> Result<(Side, Side), AppError> {
    let pick: [fn(&PricedResource) -> Option<&Used>; 2] =
        [|it| it.before.as_ref(), |it| it.after.as_ref()];
    let mut sides = Vec::new();
    for (at, side) in pick.into_iter().enumerate() {
        let all: Vec<Vec<UsageRecord>> = resources
            .iter()
            .map(|it| side(it).map_or_else(Vec::new, |used| used.records.clone()))
            .collect();
        let slices: Vec<&[UsageRecord]> = all.iter().map(Vec::as_slice).collect();
        let (cost, list, is_priced) = rater.cost(&slices)?;
        let has_all = |it: &PricedResource| side(it).is_none_or(Used::is_whole);
        sides.push(Side {
            cost,
            list,
            complete: is_priced && resources.iter().all(has_all),
        });
        for (position, resource) in resources.iter_mut().enumerate() {
            if all[position].is_empty() {
                continue;
            }
            let others: Vec<&[UsageRecord]> = slices
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != position)
                .map(|(_, records)| *records)
                .collect();
            let (without, list_without, _) = rater.cost(&others)?;
            let (_, _, has_price) = rater.cost(&[slices[position]])?;
            let marginal = has_price.then_some(cost - without);
            if at == 0 {
                resource.before_cost = marginal;
            } else {
                resource.after_cost = marginal;
                resource.list = has_price.then_some(list - list_without);
            }
        }
    }
    let after = sides.pop().expect("two sides were rated");
    let before = sides.pop().expect("two sides were rated");
    Ok((before, after))
}
