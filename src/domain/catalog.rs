//! The catalogue: regions, services, meters, tariffs and allowances as values.
//!
//! It answers for a day and never falls back: not to another region, not to an earlier price.
//! What is asked for and not there is an answer of its own ([`Lookup`]).

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;

use super::{
    allowance::Allowance,
    ids::{Currency, Meter, Region, ServiceCode, UsageType},
    quantity::Unit,
    tariff::{Rate, Tariff},
};

/// A region of AWS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionInfo {
    /// Its code, `eu-west-2`.
    pub id: Region,
    /// What its usage types begin with in bills, `EUW2`.
    pub prefix: String,
    /// What AWS calls it.
    pub name: String,
    /// `aws`, `aws-us-gov` or `aws-cn`.
    pub partition: String,
    /// What it is billed in.
    pub currency: Currency,
}

/// Whether a service is one of the four this program is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ServiceKind {
    /// `CodeBuild`, `CodePipeline`, `CodeCommit`, `CodeDeploy`.
    Code,
    /// What a pipeline costs in the services around it.
    Adjacent,
}

/// A sentence we rate by, with what it rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its short name.
    pub id: String,
    /// What we do.
    pub rule: String,
    /// What AWS says, in our words.
    pub rests_on: String,
    /// Where.
    pub source: String,
    /// How sure we are.
    pub confidence: String,
}

/// A meter as people meet it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeterInfo {
    /// The meter.
    pub meter: Meter,
    /// What a table calls it.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// Other spellings in bills.
    pub aliases: Vec<String>,
}

/// A service with its rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// Product code in bills.
    pub code: ServiceCode,
    /// What people call it.
    pub name: String,
    /// Other spellings, in bills and on the command line.
    pub aliases: Vec<String>,
    /// One of the four, or around them.
    pub kind: ServiceKind,
    /// Meters count over all regions at once.
    pub global: bool,
    /// What we rate by.
    pub rules: Vec<Rule>,
    /// What it counts.
    pub meters: Vec<MeterInfo>,
    /// What is free.
    pub allowances: Vec<Allowance>,
}

/// How the time of a build becomes a billed quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grain {
    /// Each build is rounded up to the minute.
    Minute,
    /// By the second.
    Second,
    /// Reserved: the minutes the fleet is provisioned, idle or not.
    Provisioned,
}

/// A `CodeBuild` compute type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compute {
    /// What the command line says, `arm1.small`.
    pub name: String,
    /// Other spellings, the API's included.
    pub aliases: Vec<String>,
    /// Its meter.
    pub meter: Meter,
    /// How it is metered.
    pub grain: Grain,
    /// What each instance bills at least, in minutes.
    pub minimum: rust_decimal::Decimal,
    /// What it runs on, for people: memory, processors, system.
    pub size: String,
    /// Its memory in gigabytes, where it is stated.
    pub memory: Option<rust_decimal::Decimal>,
    /// Its processors, where they are stated.
    pub processors: Option<rust_decimal::Decimal>,
}

/// A habit of secured pipelines that costs money: an assumption, not a measurement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaselineItem {
    /// What is metered.
    pub meter: Meter,
    /// What it is for.
    pub name: String,
    /// Quantity a month for each pipeline.
    pub per_pipeline: rust_decimal::Decimal,
    /// Quantity for each run.
    pub per_run: rust_decimal::Decimal,
    /// Quantity a month whatever the number.
    pub fixed: rust_decimal::Decimal,
    /// Why this much.
    pub basis: String,
}

/// The answer to "what did this cost there on that day?"
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// A price is in force.
    Found(&'a Arc<Tariff>),
    /// The meter is listed, its price is not known.
    Unknown,
    /// There are prices, none of them on that day.
    NotInForce,
    /// The meter has no entry in that region.
    Missing,
}

/// Tariffs by meter and region, each list in order of time.
pub type Tariffs = BTreeMap<(Meter, Region), Vec<Arc<Tariff>>>;

/// Everything `pricing/` says.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Regions by code.
    pub regions: BTreeMap<Region, RegionInfo>,
    /// Services by product code.
    pub services: BTreeMap<ServiceCode, Service>,
    /// Compute types of `CodeBuild`, in the order of the file.
    pub computes: Vec<Compute>,
    /// What secured pipelines use elsewhere.
    pub baseline: Vec<BaselineItem>,
    /// What the program comes with.
    pub tariffs: Tariffs,
    /// Tariffs of price lists that the user brought; they stand above the others.
    pub price_list: Tariffs,
    /// Partitions in which a service's `any` prices hold.
    pub any_partitions: BTreeMap<ServiceCode, Vec<String>>,
}

impl Catalog {
    /// Finds the price of a meter in a region on a day: the region's own, else the one price
    /// that AWS publishes for every region of the partition.
    pub fn lookup(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Lookup<'_> {
        match self.in_region(meter, region, day) {
            Lookup::Missing if self.any_holds_in(&meter.service, region) => {
                self.in_region(meter, &Region::new("any"), day)
            }
            answer => answer,
        }
    }

    /// Finds the price that an imported price list has in force.
    pub fn listed(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Option<&Arc<Tariff>> {
        if self.price_list.is_empty() {
            return None;
        }
        let tariffs = self.price_list.get(&(meter.clone(), region.clone()))?;
        tariffs.iter().find(|tariff| tariff.validity.contains(day))
    }

    fn in_region(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Lookup<'_> {
        let Some(tariffs) = self.tariffs.get(&(meter.clone(), region.clone())) else {
            return Lookup::Missing;
        };
        match tariffs.iter().find(|tariff| tariff.validity.contains(day)) {
            Some(tariff) if tariff.rate == Rate::Unknown => Lookup::Unknown,
            Some(tariff) => Lookup::Found(tariff),
            None => Lookup::NotInForce,
        }
    }

    fn any_holds_in(&self, service: &ServiceCode, region: &Region) -> bool {
        let Some(partitions) = self.any_partitions.get(service) else {
            return false;
        };
        match self.regions.get(region) {
            Some(info) => partitions.contains(&info.partition),
            None => *region == Region::global(),
        }
    }

    /// Finds a service by product code, name or alias, whatever the case.
    pub fn service(&self, name: &str) -> Option<&Service> {
        let name = name.trim();
        self.services.get(&ServiceCode::new(name)).or_else(|| {
            self.services.values().find(|service| {
                [service.code.as_str(), &service.name]
                    .into_iter()
                    .chain(service.aliases.iter().map(String::as_str))
                    .any(|known| known.eq_ignore_ascii_case(name))
            })
        })
    }

    /// Returns what people call a service, or its code where the catalogue does not know it.
    pub fn service_name<'a>(&'a self, code: &'a ServiceCode) -> &'a str {
        self.services
            .get(code)
            .map_or(code.as_str(), |service| &service.name)
    }

    /// Finds a meter of a service by usage type or alias.
    pub fn meter(&self, service: &ServiceCode, usage_type: &str) -> Option<&MeterInfo> {
        let meters = &self.services.get(service)?.meters;
        meters
            .iter()
            .find(|info| info.meter.usage_type.as_str() == usage_type)
            .or_else(|| {
                meters
                    .iter()
                    .find(|info| info.aliases.iter().any(|a| a == usage_type))
            })
    }

    /// Finds a compute type by name or alias, whatever the case. The API's `BUILD_GENERAL1_SMALL`
    /// is `general1.small`.
    pub fn compute(&self, name: &str) -> Option<&Compute> {
        let find = |name: &str| {
            let is = |known: &str| known.eq_ignore_ascii_case(name);
            self.computes
                .iter()
                .find(|c| is(&c.name) || c.aliases.iter().any(|alias| is(alias)))
        };
        find(name).or_else(|| find(&name.to_lowercase().replace("build_", "").replace('_', ".")))
    }

    /// Finds an allowance by id or alias.
    pub fn allowance(&self, name: &str) -> Option<&Allowance> {
        let all = || {
            self.services
                .values()
                .flat_map(|service| &service.allowances)
        };
        all()
            .find(|a| *a.id == *name)
            .or_else(|| all().find(|a| a.answers_to(name)))
    }

    /// Every allowance, by service and in the order of its file.
    pub fn allowances(&self) -> impl Iterator<Item = &Allowance> {
        self.services
            .values()
            .flat_map(|service| &service.allowances)
    }

    /// Tells apart the region and the meter that a usage type of a bill names.
    ///
    /// Accepts a prefix (`EUW2-`), a region code (`us-east-1-`), `Global-`, or nothing: a bare
    /// usage type means the stated region, else us-east-1, where AWS leaves the prefix out.
    /// A meter that counts over all regions has the region `global` wherever it is met.
    pub fn locate(
        &self,
        service: &ServiceCode,
        usage_type: &str,
        stated: Option<&Region>,
    ) -> (Region, Meter) {
        let (prefixed, bare) = self.split_prefix(usage_type);
        let region = prefixed
            .or_else(|| stated.cloned())
            .unwrap_or_else(|| Region::new("us-east-1"));
        let canonical = self.meter(service, bare).map(|info| info.meter.clone());
        let meter = canonical.unwrap_or_else(|| Meter {
            service: service.clone(),
            usage_type: UsageType::new(bare),
        });
        (self.billing_region(service, &region), meter)
    }

    /// Returns `global` for services that count over all regions of the partition, else the
    /// region itself.
    pub fn billing_region(&self, service: &ServiceCode, region: &Region) -> Region {
        let global = self
            .services
            .get(service)
            .is_some_and(|service| service.global);
        let china = self
            .regions
            .get(region)
            .is_some_and(|info| info.partition == "aws-cn");
        if global && !china {
            Region::global()
        } else {
            region.clone()
        }
    }

    /// Splits the region off a usage type of a bill.
    pub fn split_prefix<'a>(&self, usage_type: &'a str) -> (Option<Region>, &'a str) {
        if let Some(rest) = usage_type.strip_prefix("Global-") {
            return (Some(Region::global()), rest);
        }
        for info in self.regions.values() {
            for prefix in [info.prefix.as_str(), info.id.as_str()] {
                let rest = usage_type
                    .strip_prefix(prefix)
                    .and_then(|rest| rest.strip_prefix('-'));
                if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
                    return (Some(info.id.clone()), rest);
                }
            }
        }
        (None, usage_type)
    }

    /// Returns the currency a region is billed in.
    pub fn currency(&self, region: &Region) -> Currency {
        self.regions
            .get(region)
            .map_or_else(|| Currency::new("USD"), |info| info.currency.clone())
    }
}
