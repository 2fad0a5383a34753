//! What a resource uses in a month: what is stated, else what the ledger has of it. What nobody says is
//! needed, never assumed.

mod machines;
mod runs;

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;

use super::{Attribute, Exists, Feature, Kind, Reason, Resource, TypeBasis};
use crate::domain::{
    allocation::short_name,
    catalog::Catalog,
    ids::{Meter, Region, ResourceId, ServiceCode},
    period::Month,
    plan::{BuildAmount, PipelineType},
    quantity::Quantity,
    services::{CODEBUILD, CODEPIPELINE},
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// What is known of the month in which resources are priced.
#[derive(Debug)]
pub struct Known<'a> {
    /// Prices and machines.
    pub catalog: &'a Catalog,
    /// The month.
    pub month: Month,
    /// Where a resource is whose region is not stated.
    pub region: Region,
    /// What the user says of a project or pipeline, by its name.
    pub stated: BTreeMap<String, BuildAmount>,
    /// What the ledger has of the month.
    pub ledger: &'a [UsageRecord],
    /// The price model of every pipeline, whatever the file says.
    pub pipeline_type: Option<PipelineType>,
}

/// Whether a resource has a price.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    /// Its usage is known.
    Priced,
    /// Its usage is not known.
    NeedsUsage,
    /// It costs nothing by itself.
    Free,
    /// Its price model is not known.
    Unknown,
    /// AWS does not sell it there.
    NotOffered,
}

impl Status {
    /// Returns the name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priced => "priced",
            Self::NeedsUsage => "needs_usage",
            Self::Free => "free",
            Self::Unknown => "unknown",
            Self::NotOffered => "not_offered",
        }
    }
}

/// Where usage is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsageFrom {
    /// The user states it.
    Stated,
    /// The ledger has it.
    Ledger(Month),
    /// The code itself says so: machines of a fleet.
    Code,
}

/// Something that is taken to be so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assumption {
    /// Where it is.
    Region(Region),
    /// What the price model of a pipeline rests on.
    PipelineType(PipelineType, TypeBasis),
    /// Builds take as long as on the machine they ran on.
    SameDuration {
        /// The meter of that machine.
        from: String,
    },
    /// It runs on a fleet, which is what costs.
    OnFleet(String),
    /// Builds that find no machine free wait, or run on demand at a price of their own.
    Overflow {
        /// They run on demand.
        on_demand: bool,
    },
    /// Only the base capacity is counted; scaling may add machines.
    BaseCapacity {
        /// Machines counted.
        base: u32,
        /// Machines at most.
        max: u32,
    },
    /// A run may start a batch, which is several builds.
    Batch,
    /// A V1 pipeline is taken to be older than 30 days.
    PastTrial,
}

/// What is not known and has to be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Need {
    /// Builds of a project in a month.
    Builds(String),
    /// Action minutes of a V2 pipeline in a month.
    ActionMinutes(String),
    /// Whether a V1 pipeline is active.
    Active(String),
    /// What an attribute is.
    Attribute(&'static str, Option<Reason>),
    /// What a parameter is.
    Parameters(Vec<String>),
    /// Which meter a machine has: none is known.
    Machine(String),
    /// A machine that AWS does not sell in the region.
    NotOffered {
        /// The machine.
        machine: String,
        /// The day of the list that says so.
        listed: NaiveDate,
    },
    /// The price of a Docker server.
    DockerServer,
    /// Minutes of an action that builds without a project.
    ManagedCompute(Feature),
    /// Updates of on-premises instances.
    OnPremisesUpdates,
    /// Users of repositories.
    ActiveUsers,
    /// A type that is not known.
    Type,
}

/// A resource with what it uses.
#[derive(Clone, Debug)]
pub struct Used {
    /// Whether it has a price.
    pub status: Status,
    /// Where it is.
    pub region: Region,
    /// What it is priced by: a compute type, `V1`, `V2`.
    pub model: Option<String>,
    /// How much, and who says so.
    pub usage: Option<(Quantity, UsageFrom)>,
    /// The same as records of the month.
    pub records: Vec<UsageRecord>,
    /// What is assumed.
    pub assumptions: Vec<Assumption>,
    /// What is needed.
    pub needs: Vec<Need>,
}

impl Used {
    /// Tells whether all of its cost is known.
    pub fn is_whole(&self) -> bool {
        self.needs.is_empty() && matches!(self.status, Status::Priced | Status::Free)
    }
}

impl Known<'_> {
    /// Says what a resource uses.
    pub fn used(&self, resource: &Resource) -> Used {
        let region = resource.region.known().cloned();
        let mut used = Used {
            status: Status::Free,
            region: region.clone().unwrap_or_else(|| self.region.clone()),
            model: None,
            usage: None,
            records: Vec::new(),
            assumptions: Vec::new(),
            needs: Vec::new(),
        };
        if let Exists::Maybe { parameters, .. } = &resource.exists {
            used.status = Status::Unknown;
            used.needs.push(Need::Parameters(parameters.clone()));
            return used;
        }
        if region.is_none() && !matches!(resource.kind, Kind::Free) {
            used.assumptions
                .push(Assumption::Region(self.region.clone()));
        }
        match &resource.kind {
            Kind::Project(project) => self.project(resource, project, &mut used),
            Kind::Fleet(fleet) => self.fleet(resource, fleet, &mut used),
            Kind::Pipeline(pipeline) => self.pipeline(resource, pipeline, &mut used),
            Kind::DeploymentGroup { on_premises, .. } => {
                if on_premises.known() == Some(&true) {
                    used.status = Status::NeedsUsage;
                    used.needs.push(Need::OnPremisesUpdates);
                }
            }
            // A user costs once, however many repositories there are.
            Kind::Repository => {
                used.status = Status::NeedsUsage;
                used.needs.push(Need::ActiveUsers);
            }
            Kind::Free => {}
            Kind::Other => {
                used.status = Status::Unknown;
                used.needs.push(Need::Type);
            }
        }
        used
    }

    /// Returns what the ledger has of a resource: of its name, and of its account and region where they
    /// are stated. A bill writes free units without a region: they alone are nobody's.
    fn of<'a>(
        &'a self,
        resource: &'a Resource,
        name: &'a str,
        service: &'static str,
    ) -> impl Iterator<Item = &'a UsageRecord> {
        let is_it = move |record: &&UsageRecord| Self::is_of(record, resource, name, service);
        let found: Vec<&UsageRecord> = self.ledger.iter().filter(is_it).collect();
        let global = Region::global();
        let is_there = resource.region.known().is_none_or(|region| {
            let billed_in = self
                .catalog
                .billing_region(&ServiceCode::new(service), region);
            billed_in == global || found.iter().any(|it| it.key.region == *region)
        });
        found.into_iter().filter(move |_| is_there)
    }

    fn is_of(record: &UsageRecord, resource: &Resource, name: &str, service: &str) -> bool {
        let is_at = |stated: Option<&Region>| {
            stated
                .is_none_or(|at| *at == record.key.region || record.key.region == Region::global())
        };
        let is_in = |account: &_| record.key.account.as_ref().is_none_or(|it| it == account);
        !name.is_empty()
            && record.kind == ChargeKind::Usage
            && record.key.meter.service.as_str() == service
            && is_at(resource.region.known())
            && resource.account.as_ref().is_none_or(is_in)
            && record
                .resource
                .as_ref()
                .is_some_and(|it| named(it.as_str(), name))
    }

    /// Tells whether the ledger has a record of a resource of the file.
    pub fn claims(&self, resource: &Resource, record: &UsageRecord) -> bool {
        let service = match resource.kind {
            Kind::Project(_) | Kind::Fleet(_) => CODEBUILD,
            Kind::Pipeline(_) => CODEPIPELINE,
            _ => return false,
        };
        Self::is_of(record, resource, &name(resource), service)
    }

    fn push(&self, resource: &Resource, meter: &Meter, quantity: Quantity, used: &mut Used) {
        let payer = self.ledger.iter().find_map(|it| it.key.payer.clone());
        let region = self.catalog.billing_region(&meter.service, &used.region);
        used.records.push(UsageRecord {
            month: self.month,
            day: self.month.first_day(),
            last_day: self.month.first_day(),
            currency: self.catalog.currency(&region),
            key: UsageKey {
                payer,
                account: resource.account.clone(),
                region,
                meter: meter.clone(),
            },
            kind: ChargeKind::Usage,
            resource: Some(ResourceId::new(&resource.address)),
            tags: Arc::default(),
            quantity: Some(quantity),
            consumed: None,
            metering: None,
            billed: None,
            origin: Arc::from(resource.address.as_str()),
        });
    }
}

/// Tells whether a resource has a name; an ARN of a fleet ends in a number of its own.
fn named(resource: &str, name: &str) -> bool {
    let short = short_name(resource);
    let fleet = short
        .strip_prefix("fleet/")
        .and_then(|it| it.split(':').next());
    fleet.unwrap_or(&short) == name
}

/// Returns the value of an attribute without which there is no price, and says what is needed.
fn required<'a, T>(
    name: &'static str,
    attribute: &'a Attribute<T>,
    used: &mut Used,
) -> Option<&'a T> {
    match attribute {
        Attribute::Known(value) => return Some(value),
        Attribute::Absent => used
            .needs
            .push(Need::Attribute(name, Some(Reason::Missing))),
        Attribute::Unknown(reason) => {
            used.needs.push(Need::Attribute(name, Some(reason.clone())));
        }
        Attribute::Depends { parameters, .. } => {
            used.needs.push(Need::Parameters(parameters.clone()));
        }
    }
    None
}

/// Returns what usage is stated by: the name, else where the code has it.
fn called(resource: &Resource) -> String {
    let name = resource.name.known();
    name.unwrap_or(&resource.address).clone()
}

/// Returns what a resource is called; empty where nobody knows.
fn name(resource: &Resource) -> String {
    resource.name.known().cloned().unwrap_or_default()
}
