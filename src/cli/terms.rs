//! Flags about prices, free tier and discounts, shared by every command that rates.

use std::sync::Arc;

use clap::ValueEnum;

use rust_decimal::Decimal;

use super::CommandError;
use crate::{
    app::BillRequest,
    domain::{
        allocation::Policy,
        allowance::FreeTier,
        catalog::Catalog,
        ids::Currency,
        number::{parse_price, parse_quantity},
        plan::PricingTerms,
        rating::Discount,
    },
    inputs::resolve::{self, Percent},
};

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Prices and free tier")]
pub(super) struct TermsArgs {
    /// Leave the free tier out
    #[arg(long)]
    no_free_tier: bool,
    /// Free units that something else already drew this month, e.g. codebuild=40. Repeatable.
    #[arg(long, value_name = "NAME=QUANTITY")]
    free_tier_used: Vec<String>,
    /// Your own price per unit, e.g. Build-Min:Linux:g1.small=0.0045. A service (CodeBuild:…) or a
    /// region prefix (EUW2-…) narrows it. Repeatable.
    #[arg(long, value_name = "USAGE_TYPE=RATE")]
    price: Vec<String>,
    /// Where a region has no known price, take this region's; such lines are labelled assumed.
    #[arg(long, value_name = "REGION")]
    price_like: Option<String>,
    /// Percentage off, e.g. 5%, or of one service: CodeBuild=5%. Repeatable.
    #[arg(long, value_name = "[SERVICE=]PERCENT")]
    discount: Vec<String>,
    /// Who gets the free units: as the bill shows it (by quantity where there is none), by
    /// quantity, or the earliest usage.
    #[arg(long, value_enum, value_name = "POLICY")]
    free_tier_allocation: Option<PolicyArg>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum PolicyArg {
    /// As the bill shows it.
    AsBilled,
    /// By quantity.
    Proportional,
    /// Earliest usage first.
    Chronological,
}

impl TermsArgs {
    /// Returns terms in which these flags stand above what a file says.
    pub(super) fn over(
        &self,
        file: PricingTerms,
        catalog: &Catalog,
    ) -> Result<PricingTerms, CommandError> {
        let mut terms = file;
        if self.no_free_tier {
            terms.free_tier = FreeTier::None;
        }
        for text in &self.free_tier_used {
            let (name, used) = assignment("--free-tier-used", text, "codebuild=40")?;
            let id =
                resolve::allowance(catalog, name).map_err(|problem| CommandError::UnknownName {
                    flag: "--free-tier-used",
                    problem,
                })?;
            terms
                .used
                .insert(id, number("--free-tier-used", used, parse_quantity)?);
        }
        for text in &self.price {
            let (usage_type, price) =
                assignment("--price", text, "Build-Min:Linux:g1.small=0.005")?;
            let price = number("--price", price, parse_price)?;
            let price = resolve::price(
                catalog,
                usage_type,
                price,
                Arc::from(format!("--price {text}")),
            )
            .map_err(|problem| CommandError::UnknownName {
                flag: "--price",
                problem,
            })?;
            terms.prices.push(price);
        }
        if let Some(region) = &self.price_like {
            let region =
                resolve::region(catalog, region).map_err(|problem| CommandError::UnknownName {
                    flag: "--price-like",
                    problem,
                })?;
            terms.price_like = Some(region);
        }
        for text in &self.discount {
            terms.discounts.push(discount(text, catalog)?);
        }
        Ok(terms)
    }

    /// Returns how to rate a month of the ledger.
    pub(super) fn request(
        &self,
        catalog: &Catalog,
        currency: Option<&str>,
    ) -> Result<BillRequest, CommandError> {
        Ok(BillRequest {
            terms: self.over(PricingTerms::default(), catalog)?,
            sharing: self.sharing(),
            currency: currency.map(|code| Currency::new(code.to_uppercase())),
            by_day: false,
        })
    }

    pub(super) fn sharing(&self) -> Policy {
        match self.free_tier_allocation {
            Some(PolicyArg::Chronological) => Policy::Chronological,
            Some(PolicyArg::Proportional) => Policy::Proportional,
            Some(PolicyArg::AsBilled) | None => Policy::AsBilled,
        }
    }
}

fn discount(text: &str, catalog: &Catalog) -> Result<Discount, CommandError> {
    let (service, percent) = match text.rsplit_once('=') {
        Some((service, percent)) => {
            let service = resolve::service(catalog, service).map_err(|problem| {
                CommandError::UnknownName {
                    flag: "--discount",
                    problem,
                }
            })?;
            (Some(service), percent)
        }
        None => (None, text),
    };
    let percent: Percent = percent.parse().map_err(|problem| CommandError::BadValue {
        flag: "--discount",
        problem,
    })?;
    Ok(Discount {
        service,
        percent: percent.0,
    })
}

/// Splits `NAME=VALUE` at the last equals sign.
pub(super) fn assignment<'a>(
    flag: &'static str,
    text: &'a str,
    example: &str,
) -> Result<(&'a str, &'a str), CommandError> {
    let wrong = || {
        let text: String = text.chars().take(60).collect();
        CommandError::BadValue {
            flag,
            problem: format!("`{text}` is not of the form {example}"),
        }
    };
    let (name, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    if name.trim().is_empty() || value.trim().is_empty() {
        Err(wrong())
    } else {
        Ok((name.trim(), value.trim()))
    }
}

/// Reads a number, naming the flag it came with.
pub(super) fn number<T, E: std::fmt::Display>(
    flag: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, CommandError> {
    parse(text).map_err(|problem| CommandError::BadValue {
        flag,
        problem: problem.to_string(),
    })
}

/// Reads an amount of dollars, with or without the sign.
pub(super) fn parse_dollars(text: &str) -> Result<Decimal, String> {
    parse_quantity(text.trim_start_matches('$')).map_err(|error| error.to_string())
}
