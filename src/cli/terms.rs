//! Flags about prices, free tier and discounts, shared by every command that rates.

use clap::ValueEnum;
use rust_decimal::Decimal;

use super::CommandError;
use crate::{
    app::Terms,
    domain::{allocation::Policy, money::Money, number::parse_quantity},
};

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Prices and free tier")]
pub(super) struct TermsArgs {
    /// Exclude the free tier.
    #[arg(long)]
    no_free_tier: bool,
    /// Free units already used this month, e.g. codebuild=40. Repeatable.
    #[arg(long, value_name = "NAME=QUANTITY")]
    free_tier_used: Vec<String>,
    /// Your price per unit, e.g. Build-Min:Linux:g1.small=0.0045; for one service CodeBuild:…, for
    /// one region EUW2-…. Repeatable.
    #[arg(long, value_name = "USAGE_TYPE=RATE")]
    price: Vec<String>,
    /// Use this region's prices where a price is unknown; such lines are marked as assumed.
    #[arg(long, value_name = "REGION")]
    price_like: Option<String>,
    /// Discount, e.g. 5%, or for one service CodeBuild=5%. Repeatable.
    #[arg(long, value_name = "[SERVICE=]PERCENT")]
    discount: Vec<String>,
    /// Who gets the free units [default: as billed, or by quantity without a bill].
    #[arg(long, value_enum, value_name = "POLICY")]
    free_tier_allocation: Option<PolicyArg>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum PolicyArg {
    /// As in the bill.
    AsBilled,
    /// By quantity.
    Proportional,
    /// Earliest usage first.
    Chronological,
}

impl TermsArgs {
    /// Returns the terms as they are stated.
    pub(super) fn terms(&self) -> Terms {
        Terms {
            no_free_tier: self.no_free_tier,
            free_tier_used: self.free_tier_used.clone(),
            prices: self.price.clone(),
            price_like: self.price_like.clone(),
            discounts: self.discount.clone(),
            sharing: self.sharing(),
        }
    }

    pub(super) fn sharing(&self) -> Policy {
        match self.free_tier_allocation {
            Some(PolicyArg::Chronological) => Policy::Chronological,
            Some(PolicyArg::Proportional) => Policy::Proportional,
            Some(PolicyArg::AsBilled) | None => Policy::AsBilled,
        }
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

/// Reads what a month may cost.
pub(super) fn budget(text: Option<&str>) -> Result<Option<Money>, CommandError> {
    let read = |text: &str| number("--budget", text.trim_start_matches('$'), parse_quantity);
    Ok(text.map(read).transpose()?.map(Money::new))
}

/// Reads an amount of dollars, with or without the sign.
pub(super) fn parse_dollars(text: &str) -> Result<Decimal, String> {
    parse_quantity(text.trim_start_matches('$')).map_err(|error| error.to_string())
}
