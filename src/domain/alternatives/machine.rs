//! Machines: compute types of `CodeBuild` and runners of other vendors, side by side.

use rust_decimal::Decimal;

use super::Origin;
use crate::domain::{
    catalog::{Catalog, Compute, Grain},
    ids::{Meter, ServiceCode},
    quantity::Unit,
    scenario::Target,
};

/// Where builds could run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// As a scenario has it.
    pub target: Target,
    /// Repositories are public, where that makes it another machine.
    pub public: bool,
    /// It runs ARM.
    pub is_arm: bool,
}

/// What kind of machine, within a vendor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// `CodeBuild` on EC2.
    Ec2,
    /// `CodeBuild` on Lambda.
    Lambda,
    /// A vendor's standard runners.
    Standard,
    /// A vendor's larger runners.
    Larger,
}

/// Machines of one kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Family {
    /// Whose; none for AWS.
    pub vendor: Option<ServiceCode>,
    /// Of which kind.
    pub class: Class,
    /// They run ARM.
    pub is_arm: bool,
}

/// Tells whether builds run on a compute type: sandboxes and Docker servers are something else.
pub(super) fn is_of_builds(compute: &Compute) -> bool {
    let kind = compute.name.split_once('/').map(|(kind, _)| kind);
    !matches!(kind, Some("sandbox" | "docker")) && !compute.os.is_empty()
}

fn is_arm(compute: &Compute) -> bool {
    compute.name.starts_with("arm") || compute.name.contains(".arm.")
}

fn has_gpu(name: &str) -> bool {
    name.starts_with("gpu") || name.contains(".gpu.")
}

impl Machine {
    /// Returns every machine on demand.
    pub(super) fn all(catalog: &Catalog, public: bool) -> Vec<Self> {
        let computes = catalog
            .computes
            .iter()
            .filter(|compute| compute.grain != Grain::Provisioned && is_of_builds(compute));
        let own = computes.map(|compute| Self {
            target: Target::OnDemand(compute.clone()),
            public: false,
            is_arm: is_arm(compute),
        });
        let runners = catalog.runners.all.iter().map(|runner| Self {
            target: Target::Elsewhere(runner.clone()),
            public,
            is_arm: runner.arch == "arm64",
        });
        own.chain(runners).collect()
    }

    /// Returns what it is in the words of the catalogue.
    pub fn compute(&self) -> &Compute {
        self.target.compute()
    }

    /// Returns what it is metered as.
    pub fn meter(&self) -> &Meter {
        match &self.target {
            Target::Elsewhere(runner) => runner.meter(self.public),
            target => &target.compute().meter,
        }
    }

    /// Returns its memory in gigabytes.
    pub fn memory(&self) -> Option<Decimal> {
        match &self.target {
            Target::Elsewhere(runner) => runner.memory(self.public),
            target => target.compute().memory,
        }
    }

    /// Returns its processors.
    pub fn processors(&self) -> Option<Decimal> {
        match &self.target {
            Target::Elsewhere(runner) => runner.processors(self.public),
            target => target.compute().processors,
        }
    }

    /// Returns whose it is; none for AWS.
    pub fn vendor(&self) -> Option<&ServiceCode> {
        match &self.target {
            Target::Elsewhere(runner) => Some(runner.vendor()),
            _ => None,
        }
    }

    /// Returns what its time is billed in.
    pub(super) fn unit(&self) -> Unit {
        match self.compute().grain {
            Grain::Second => Unit::Second,
            Grain::Minute | Grain::Provisioned => Unit::Minute,
        }
    }

    /// Returns the longest build in milliseconds.
    pub(super) fn limit(&self) -> Option<i64> {
        self.target.limit()
    }

    /// Returns whether it runs Docker; none where that is not known.
    pub(super) fn docker(&self) -> Option<bool> {
        match &self.target {
            Target::Elsewhere(runner) => runner.docker,
            target => Some(target.compute().grain != Grain::Second),
        }
    }

    /// Tells whether it has as much memory as a compute type, or nearly: names of one size mean 15 GB here
    /// and 16 GB there.
    fn has_memory_of(&self, of: &Compute) -> bool {
        let eighths = |memory: Option<Decimal>, of: i64| memory.map(|gb| gb * Decimal::from(of));
        eighths(self.memory(), 8) >= eighths(of.memory, 7)
    }

    fn is_as_large(&self, of: &Compute) -> bool {
        self.has_memory_of(of) && self.processors() >= of.processors
    }

    fn size(&self) -> (Option<Decimal>, Option<Decimal>) {
        (self.processors(), self.memory())
    }

    /// Returns its family.
    pub fn family(&self) -> Family {
        let class = match &self.target {
            Target::Elsewhere(runner) if runner.is_standard => Class::Standard,
            Target::Elsewhere(_) => Class::Larger,
            target if target.compute().grain == Grain::Second => Class::Lambda,
            _ => Class::Ec2,
        };
        Family {
            vendor: self.vendor().cloned(),
            class,
            is_arm: self.is_arm,
        }
    }

    /// Tells whether it has the system of a compute type, and a GPU if that has one: else builds do not
    /// run on it at all.
    pub(super) fn is_like(&self, compute: &Compute) -> bool {
        self.compute().os == compute.os && has_gpu(&self.compute().name) == has_gpu(&compute.name)
    }
}

impl Family {
    /// Returns every family of some machines.
    pub(super) fn all(machines: &[Machine]) -> Vec<Self> {
        let mut all: Vec<Self> = machines.iter().map(Machine::family).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Returns the smallest of its machines that is no smaller than the one that builds have. None if
    /// that is the very same.
    pub(super) fn smallest_for<'m>(
        &self,
        origin: &Origin,
        machines: &'m [Machine],
    ) -> Option<&'m Machine> {
        let of = &origin.compute;
        let enough = self
            .like(of, machines)
            .filter(|machine| machine.is_as_large(of));
        let smallest = enough.min_by_key(|machine| machine.size());
        smallest.filter(|machine| machine.compute().name != of.name)
    }

    /// Returns the names of its machines nearest in size: the smallest that is no smaller, else the
    /// smallest with as much memory; and the next below, if it has as much memory or is of the family
    /// that the builds run on.
    pub(super) fn nearest_to(&self, of: &Compute, machines: &[Machine]) -> Vec<String> {
        let enough = |machine: &&Machine| machine.has_memory_of(of);
        let as_large = |machine: &&Machine| machine.is_as_large(of);
        let like = || self.like(of, machines);
        let same = like().filter(as_large).min_by_key(|machine| machine.size());
        let same = same.or_else(|| like().filter(enough).min_by_key(|machine| machine.size()));
        let is_own = like().any(|machine| machine.compute().name == of.name);
        let below = like().filter(|machine| {
            let is_smaller = same.is_none_or(|same| machine.size() < same.size());
            is_smaller && (is_own || enough(machine))
        });
        let below = below.max_by_key(|machine| machine.size());
        let both = same.into_iter().chain(below);
        both.map(|machine| machine.compute().name.clone()).collect()
    }

    fn like<'m>(&self, of: &Compute, machines: &'m [Machine]) -> impl Iterator<Item = &'m Machine> {
        let of_family = machines.iter().filter(|machine| machine.family() == *self);
        of_family.filter(|machine| machine.is_like(of))
    }
}
