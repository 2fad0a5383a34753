//! Free and included quantities: pools that several meters draw on.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{ids::Meter, quantity::Unit};

/// Who shares a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All accounts of an organization under consolidated billing.
    Payer,
    /// Each account has its own.
    Account,
}

/// A quantity granted each month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Its short name, as `--free-tier-used` spells it.
    pub id: Arc<str>,
    /// Shorter names for it.
    pub aliases: Vec<String>,
    /// What a reader sees.
    pub name: Arc<str>,
    /// Who draws on it.
    pub meters: Vec<Meter>,
    /// What it is counted in.
    pub unit: Unit,
    /// How much the free tier grants. It does not roll over.
    pub grant: Decimal,
    /// What paying for another meter adds.
    pub further: Option<Further>,
    /// Who shares it.
    pub scope: Scope,
    /// Partitions whose regions have no part in it.
    pub not_in: Vec<String>,
    /// Who says so.
    pub source: Arc<str>,
}

/// A grant that grows with the use of another meter, as storage does with `CodeCommit` users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Further {
    /// The meter that adds to the grant.
    pub meter: Meter,
    /// How many of it the free tier's grant already stands for.
    pub beyond: Decimal,
    /// How much each further one adds.
    pub each: Decimal,
}

impl Allowance {
    /// Returns the grant of a month in which the other meter counted `driver` units.
    ///
    /// Without the free tier nothing is free, but what is included with a paid unit still is:
    /// ten paid `CodeCommit` users bring their storage with them.
    pub fn granted(&self, driver: Decimal, free_tier: bool) -> Decimal {
        let base = if free_tier { self.grant } else { Decimal::ZERO };
        let further = self.further.as_ref().map_or(Decimal::ZERO, |further| {
            let beyond = if free_tier {
                further.beyond
            } else {
                Decimal::ZERO
            };
            (driver - beyond).max(Decimal::ZERO) * further.each
        });
        base + further
    }

    /// Tells whether a name on the command line means this pool.
    pub fn answers_to(&self, name: &str) -> bool {
        *self.id == *name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// Whether free tiers apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FreeTier {
    /// One of each per payer, as AWS grants them.
    #[default]
    Payer,
    /// None: it is used up elsewhere, or the question is what usage costs without it.
    None,
}
