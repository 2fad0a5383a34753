//! Free and included quantities: pools that several meters draw on.

use std::{
    collections::BTreeMap,
    ops::{Mul, Sub},
    sync::Arc,
};

use rust_decimal::Decimal;

use super::{
    ids::{AccountId, Meter},
    quantity::Unit,
    usage::UsageKey,
};

/// Who shares a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All accounts of an organization under consolidated billing.
    Payer,
    /// Each account has its own.
    Account,
    /// Everybody under a plan of another vendor, whoever pays at AWS.
    Plan,
}

/// The payer, and the account where each has a pool of its own.
pub type PoolOwner = (Option<AccountId>, Option<AccountId>);

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
            added(driver, beyond, further.each)
        });
        base + further
    }

    /// Tells whether its grant holds. That of a vendor's plan is paid with the plan, and no free tier
    /// of AWS.
    pub fn is_granted(&self, free_tier: FreeTier) -> bool {
        free_tier == FreeTier::Payer || self.scope == Scope::Plan
    }

    /// Returns what a month grants, less what was drawn beside the records. It may be below zero.
    pub fn left(&self, free_tier: FreeTier, used: &BTreeMap<Arc<str>, Decimal>) -> Decimal {
        let used = used.get(&self.id).copied().unwrap_or_default();
        self.granted(Decimal::ZERO, free_tier == FreeTier::Payer) - used
    }

    /// Returns whose pool usage draws on.
    pub fn owner(&self, key: &UsageKey) -> PoolOwner {
        match self.scope {
            Scope::Payer => (key.payer.clone(), None),
            Scope::Account => (key.payer.clone(), key.account.clone()),
            Scope::Plan => (None, None),
        }
    }

    /// Tells whether a name on the command line means this pool.
    pub fn answers_to(&self, name: &str) -> bool {
        *self.id == *name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// Returns what further units of another meter add to a grant, on decimals and on a forecast's floats.
pub fn added<N>(counted: N, beyond: N, each: N) -> N
where
    N: Copy + Default + PartialOrd + Sub<Output = N> + Mul<Output = N>,
{
    let further = counted - beyond;
    let none = N::default();
    (if further > none { further } else { none }) * each
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
