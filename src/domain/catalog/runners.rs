//! Runners: machines for CI jobs that AWS does not sell. What they cost is never a charge of AWS.

use std::{collections::BTreeMap, sync::Arc};

use rust_decimal::Decimal;

use super::entries::{Compute, Service, Tariffs};
use crate::domain::{
    allowance::Allowance,
    ids::{Meter, ServiceCode},
};

/// Every vendor and machine that `pricing/runners/` knows.
#[derive(Clone, Debug, Default)]
pub struct Runners {
    /// Vendors by the name that a bill of theirs would have.
    pub vendors: BTreeMap<ServiceCode, Vendor>,
    /// Their machines, in the order of the files.
    pub all: Vec<Runner>,
    /// What they cost: one price everywhere.
    pub prices: Tariffs,
}

/// Who sells runners.
#[derive(Clone, Debug)]
pub struct Vendor {
    /// What scenarios call it: `github`.
    pub id: Arc<str>,
    /// Its rules and meters.
    pub service: Service,
    /// Its plans, by which some minutes are included.
    pub plans: Vec<VendorPlan>,
}

/// A plan of a vendor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VendorPlan {
    /// What scenarios call it: `team`.
    pub id: Arc<str>,
    /// What the vendor calls it.
    pub name: String,
    /// The minutes it includes, in one pool.
    pub included: Allowance,
    /// It offers larger runners.
    pub larger: bool,
}

/// A machine of a vendor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Runner {
    /// Its name, meter, rounding and size in a private repository.
    pub compute: Compute,
    /// `x64` or `arm64`.
    pub arch: String,
    /// Its disk in gigabytes.
    pub disk: Option<Decimal>,
    /// Whether it runs Docker; none where no page says.
    pub docker: Option<bool>,
    /// The longest job in minutes.
    pub longest: Option<u32>,
    /// It draws on included minutes and is free in public repositories.
    pub is_standard: bool,
    /// What it is in a public repository, if that is something else.
    pub public: Option<PublicRunner>,
}

/// A standard runner in a public repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicRunner {
    /// Its meter, which costs nothing.
    pub meter: Meter,
    /// Its processors.
    pub processors: Option<Decimal>,
    /// Its memory in gigabytes.
    pub memory: Option<Decimal>,
}

/// Whose plan a repository belongs to, by vendor.
pub type Plans = BTreeMap<ServiceCode, Arc<str>>;

impl Runners {
    /// Finds a runner by name or alias, whatever the case.
    pub fn named(&self, name: &str) -> Option<&Runner> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        self.all.iter().find(|runner| {
            let compute = &runner.compute;
            is(&compute.name) || compute.aliases.iter().any(|alias| is(alias))
        })
    }

    /// Returns the pools of included minutes that plans grant.
    pub fn included<'a>(&'a self, plans: &'a Plans) -> impl Iterator<Item = &'a Allowance> {
        plans
            .iter()
            .filter_map(|(vendor, plan)| Some(&self.plan(vendor, plan)?.included))
    }

    /// Finds a plan of a vendor.
    pub fn plan(&self, vendor: &ServiceCode, plan: &str) -> Option<&VendorPlan> {
        let plans = &self.vendors.get(vendor)?.plans;
        plans.iter().find(|known| *known.id == *plan)
    }
}

impl Runner {
    /// Returns whose it is.
    pub fn vendor(&self) -> &ServiceCode {
        &self.compute.meter.service
    }

    /// Returns what it is metered as.
    pub fn meter(&self, is_public: bool) -> &Meter {
        match &self.public {
            Some(public) if is_public => &public.meter,
            _ => &self.compute.meter,
        }
    }

    /// Returns its processors.
    pub fn processors(&self, is_public: bool) -> Option<Decimal> {
        match &self.public {
            Some(public) if is_public => public.processors,
            _ => self.compute.processors,
        }
    }

    /// Returns its memory in gigabytes.
    pub fn memory(&self, is_public: bool) -> Option<Decimal> {
        match &self.public {
            Some(public) if is_public => public.memory,
            _ => self.compute.memory,
        }
    }

    /// Returns the longest job in milliseconds.
    pub fn limit(&self) -> Option<i64> {
        self.longest.map(|minutes| i64::from(minutes) * 60_000)
    }
}
