//! What stated usage costs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    App, AppError, DataSource, Field, Terms, currencies, rating_options,
    terms::{assignment, number},
};
use crate::{
    domain::{
        allocation::Policy,
        bill::{Bill, old_prices},
        ids::{Region, ServiceCode},
        number::parse_quantity,
        period::Month,
        plan::{BuildAmount, Item, Plan, PricingTerms},
        price_book::BilledPrices,
        rating::rate,
    },
    inputs::{
        resolve,
        usage_file::{self, UsageFile},
    },
};

/// The usage file that comes with the sample organization.
const SAMPLE_FILE: (&str, &str) = (
    "examples/backend-flask.usage.toml",
    include_str!("../../examples/backend-flask.usage.toml"),
);

/// Usage to price: a file, and what is added to it.
#[derive(Clone, Debug, Default)]
pub struct EstimateRequest {
    /// The file.
    pub file: Option<PathBuf>,
    /// Where; else as the file says.
    pub region: Option<String>,
    /// When; else as the file says.
    pub month: Option<Month>,
    /// Totals of the month, each with the field that states it.
    pub totals: Vec<(Field, Item)>,
    /// Builds, as in `arm1.small=300x95s`.
    pub builds: Vec<String>,
    /// Any meter, as in `AmazonS3:TimedStorage-ByteHrs=12`.
    pub meters: Vec<String>,
    /// Adds what the security services around the pipelines would cost.
    pub security_baseline: bool,
    /// Prices, free tier and discounts, above those of the file.
    pub terms: Terms,
}

/// Stated usage, priced.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The bill.
    pub bill: Bill,
    /// Where.
    pub region: Region,
}

impl App {
    /// Prices stated usage.
    pub fn estimate(&self, request: &EstimateRequest) -> Result<Estimate, AppError> {
        let file = match &request.file {
            Some(path) => self.usage_file(path)?,
            None => UsageFile::default(),
        };
        let region = match (&request.region, &file.region) {
            (Some(name), _) => {
                resolve::region(&self.catalog, name).map_err(AppError::unknown(Field::Region))?
            }
            (None, Some(region)) => region.clone(),
            (None, None) => Region::new("us-east-1"),
        };
        let month = request.month.or(file.month);
        let mut plan = file.plan(month.unwrap_or_else(|| Month::of(self.today)), region);
        plan.items.extend(self.items(request)?);
        if plan.items.is_empty() && plan.pipelines.is_empty() {
            return Err(AppError::NothingStated);
        }
        let terms = self.pricing_terms(&request.terms, file.terms)?;
        let sharing = request.terms.sharing;
        let bill = self.rate_plan(&plan, &terms, sharing, request.security_baseline)?;
        let region = plan.region;
        Ok(Estimate { bill, region })
    }

    /// Reads a usage file. The sample organization brings one along.
    pub(super) fn usage_file(&self, path: &Path) -> Result<UsageFile, AppError> {
        let (name, text) = SAMPLE_FILE;
        if matches!(self.source, DataSource::Sample) && path == Path::new(name) {
            return Ok(usage_file::parse(name, text, &self.catalog)?);
        }
        Ok(usage_file::read(path, &self.catalog)?)
    }

    fn items(&self, request: &EstimateRequest) -> Result<Vec<(Item, Arc<str>)>, AppError> {
        let totals = request.totals.iter();
        let mut items: Vec<(Item, Arc<str>)> = totals
            .map(|(field, item)| (item.clone(), Arc::from(self.label(*field))))
            .collect();
        let origin = |field, text: &str| Arc::from(format!("{} {text}", self.label(field)));
        for text in &request.builds {
            let field = Field::Builds;
            let (compute, amount) = assignment(field, text, "general1.small=1100")?;
            let compute = resolve::compute(&self.catalog, compute);
            let compute = compute.map_err(AppError::unknown(field))?;
            let amount = number(field, amount, str::parse::<BuildAmount>)?;
            items.push((Item::Builds(compute, amount), origin(field, text)));
        }
        for text in &request.meters {
            let field = Field::Meter;
            let example = "AmazonS3:TimedStorage-ByteHrs=12";
            let (meter, quantity) = assignment(field, text, example)?;
            let (known, rest) = resolve::split_meter(&self.catalog, meter);
            // A service nobody knows is unpriced, not refused.
            let named = meter
                .split_once(':')
                .map(|(service, rest)| (ServiceCode::new(service), rest));
            let Some((service, usage_type)) = known.map(|service| (service, rest)).or(named) else {
                let problem = format!("`{meter}` names no service: write {example}");
                return Err(AppError::field(field, problem));
            };
            let item = Item::Metered {
                service,
                usage_type: usage_type.to_owned(),
                quantity: number(field, quantity, parse_quantity)?,
            };
            items.push((item, origin(field, text)));
        }
        Ok(items)
    }

    /// Prices stated usage.
    pub fn rate_plan(
        &self,
        plan: &Plan,
        terms: &PricingTerms,
        sharing: Policy,
        security_baseline: bool,
    ) -> Result<Bill, AppError> {
        let mut records = plan.records(&self.catalog);
        let mut notes = plan.assumptions();
        if security_baseline {
            let (baseline, counted) = plan.security_baseline(&self.catalog);
            records.extend(baseline);
            notes.push(counted);
        }
        let currency = match currencies(&records)[..] {
            [] => self.catalog.currency(&plan.region),
            [ref only] => only.clone(),
            ref several => {
                let currencies = several.to_vec();
                return Err(AppError::SeveralCurrencies {
                    month: plan.month,
                    currencies,
                });
            }
        };
        let book = self.price_book(terms, BilledPrices::default());
        let options = rating_options(plan.month, currency, terms, sharing);
        let mut bill = rate(&records, &book, &options)?.bill;
        bill.notes.extend(notes);
        bill.notes
            .extend(old_prices(bill.oldest_price(), self.today));
        Ok(bill)
    }
}
