//! Prices, free tier and discounts as they are stated.

use std::sync::Arc;

use super::{App, AppError, Field, RatingTerms};
use crate::{
    domain::{
        allocation::Policy,
        allowance::FreeTier,
        ids::Currency,
        number::{parse_price, parse_quantity},
        plan::PricingTerms,
        rating::Discount,
    },
    inputs::resolve::{self, Percent},
};

/// Prices, free tier and discounts as they are stated.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Leaves the free tier out.
    pub no_free_tier: bool,
    /// Free units that something else drew this month, as in `codebuild=40`.
    pub free_tier_used: Vec<String>,
    /// Prices of one's own, as in `Build-Min:Linux:g1.small=0.0045`.
    pub prices: Vec<String>,
    /// The region whose prices stand in for unknown ones.
    pub price_like: Option<String>,
    /// Percentages off, as in `5%` or `CodeBuild=5%`.
    pub discounts: Vec<String>,
    /// Who gets the free units.
    pub sharing: Policy,
}

impl App {
    /// Returns terms in which what is stated stands above what a file says.
    pub fn pricing_terms(
        &self,
        stated: &Terms,
        file: PricingTerms,
    ) -> Result<PricingTerms, AppError> {
        let catalog = &self.catalog;
        let mut terms = file;
        if stated.no_free_tier {
            terms.free_tier = FreeTier::None;
        }
        for text in &stated.free_tier_used {
            let field = Field::FreeTierUsed;
            let (name, used) = assignment(field, text, "codebuild=40")?;
            let id = resolve::allowance(catalog, name).map_err(AppError::unknown(field))?;
            terms.used.insert(id, number(field, used, parse_quantity)?);
        }
        for text in &stated.prices {
            let field = Field::Price;
            let (usage_type, price) = assignment(field, text, "Build-Min:Linux:g1.small=0.005")?;
            let price = number(field, price, parse_price)?;
            let origin = Arc::from(format!("{} {text}", self.label(field)));
            let price = resolve::price(catalog, usage_type, price, origin);
            terms.prices.push(price.map_err(AppError::unknown(field))?);
        }
        if let Some(region) = &stated.price_like {
            let region = resolve::region(catalog, region);
            terms.price_like = Some(region.map_err(AppError::unknown(Field::PriceLike))?);
        }
        for text in &stated.discounts {
            terms.discounts.push(self.discount(text)?);
        }
        Ok(terms)
    }

    /// Returns how months of the ledger are rated.
    pub fn rating_terms(
        &self,
        stated: &Terms,
        currency: Option<&str>,
    ) -> Result<RatingTerms, AppError> {
        Ok(RatingTerms {
            terms: self.pricing_terms(stated, PricingTerms::default())?,
            sharing: stated.sharing,
            currency: currency.map(|code| Currency::new(code.to_uppercase())),
            by_day: false,
        })
    }

    fn discount(&self, text: &str) -> Result<Discount, AppError> {
        let field = Field::Discount;
        let (service, percent) = match text.rsplit_once('=') {
            Some((service, percent)) => {
                let service = resolve::service(&self.catalog, service);
                (Some(service.map_err(AppError::unknown(field))?), percent)
            }
            None => (None, text),
        };
        let percent: Percent = number(field, percent, str::parse)?;
        Ok(Discount {
            service,
            percent: percent.0,
        })
    }
}

/// Splits `NAME=VALUE` at the last equals sign.
pub(super) fn assignment<'a>(
    field: Field,
    text: &'a str,
    example: &str,
) -> Result<(&'a str, &'a str), AppError> {
    let parts = text
        .rsplit_once('=')
        .map(|(name, value)| (name.trim(), value.trim()));
    parts
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or_else(|| {
            let text: String = text.chars().take(60).collect();
            AppError::field(field, format!("`{text}` is not of the form {example}"))
        })
}

/// Reads a number, naming the field it stands in.
pub(super) fn number<T, E: std::fmt::Display>(
    field: Field,
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, AppError> {
    parse(text).map_err(|problem| AppError::field(field, problem.to_string()))
}
