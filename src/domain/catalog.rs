//! The catalogue: regions, services, meters, tariffs and allowances as values.
//!
//! It answers for a day and never falls back: not to another region, not to an earlier price.
//! What is asked for and not there is an answer of its own ([`Lookup`]).

mod entries;
mod runners;

pub use self::{
    entries::{
        BaselineItem, Compute, Grain, ListInfo, ListedTier, MeterInfo, RegionInfo, Rule, Service,
        ServiceKind, Tariffs, UtilizationInfo,
    },
    runners::{Plans, PublicRunner, Runner, Runners, Vendor, VendorPlan},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    allowance::Allowance,
    ids::{Currency, Meter, Region, ServiceCode, UsageType},
    spelling,
    tariff::{Rate, Tariff},
};

/// The answer to "what did this cost there on that day?"
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// A price is in force.
    Found(&'a Arc<Tariff>),
    /// AWS may sell it there; the price is not known.
    Unknown,
    /// There are prices, none of them on that day.
    NotInForce,
    /// AWS's list of that day has the service, and not this in that region.
    NotOffered(NaiveDate),
    /// The catalogue has no such meter or region.
    Missing,
}

/// The prices of a service, read when the first of them is asked for.
#[derive(Clone)]
pub struct Prices(Arc<LazyLock<Tariffs, Reading>>);

/// How prices are read.
type Reading = Box<dyn FnOnce() -> Tariffs + Send>;

impl Prices {
    /// Returns prices that are read when they are asked for.
    pub fn later(read: impl FnOnce() -> Tariffs + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(read))))
    }

    fn get(&self) -> &Tariffs {
        &self.0
    }
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

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
    /// What the program comes with, by service.
    pub prices: BTreeMap<ServiceCode, Prices>,
    /// Tariffs of price lists that the user brought; they stand above the others.
    pub price_list: Tariffs,
    /// Machines of other vendors. Nothing of AWS's lists or bills looks here.
    pub runners: Runners,
}

impl Catalog {
    /// Finds the price of a meter in a region on a day: the region's own, else the one price
    /// that AWS publishes for every region of the partition.
    pub fn lookup(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Lookup<'_> {
        let tariffs = match self.tariffs_of(meter, region) {
            [] if self.any_holds_in(&meter.service, region) => {
                self.tariffs_of(meter, &Region::new("any"))
            }
            tariffs => tariffs,
        };
        if tariffs.is_empty() {
            return self.absent(meter, region);
        }
        match tariffs.iter().find(|tariff| tariff.validity.contains(day)) {
            Some(tariff) if tariff.rate == Rate::Unknown => Lookup::Unknown,
            Some(tariff) if tariff.rate == Rate::NotOffered => {
                Lookup::NotOffered(tariff.source.date.unwrap_or(tariff.validity.from))
            }
            Some(tariff) => Lookup::Found(tariff),
            None => Lookup::NotInForce,
        }
    }

    /// Says why a meter has no price in a region.
    fn absent(&self, meter: &Meter, region: &Region) -> Lookup<'_> {
        if self.is_elsewhere(&meter.service) {
            return Lookup::Unknown;
        }
        let (Some(service), Some(info)) =
            (self.services.get(&meter.service), self.regions.get(region))
        else {
            return Lookup::Missing;
        };
        if self
            .meter(&service.code, meter.usage_type.as_str())
            .is_none()
        {
            return Lookup::Missing;
        }
        match &service.list {
            Some(list) if self.covers(service, list, info) && self.is_listed(meter) => {
                Lookup::NotOffered(list.date)
            }
            _ => Lookup::Unknown,
        }
    }

    /// Tells whether a list would have the service in a region, were it sold there.
    fn covers(&self, service: &Service, list: &ListInfo, region: &RegionInfo) -> bool {
        let is_silent = list.silent.contains(&region.id)
            && !self
                .price_list
                .keys()
                .any(|(meter, at)| meter.service == service.code && *at == region.id);
        // China has a list of its own.
        region.partition != "aws-cn"
            && !is_silent
            && region.opened.is_none_or(|opened| opened <= list.date)
    }

    /// Tells whether any region has a price of a meter.
    fn is_listed(&self, meter: &Meter) -> bool {
        let from = (meter.clone(), Region::new(""));
        self.prices.get(&meter.service).is_some_and(|prices| {
            let next = prices.get().range(from..).next();
            next.is_some_and(|((next, region), _)| next == meter && region.as_str() != "any")
        })
    }

    /// Returns what the program comes with for a meter in a region, in order of time.
    pub fn tariffs_of(&self, meter: &Meter, region: &Region) -> &[Arc<Tariff>] {
        let prices = self.prices.get(&meter.service).map(Prices::get);
        let elsewhere = || {
            let is_known = self.is_elsewhere(&meter.service);
            is_known.then_some(&self.runners.prices)
        };
        prices
            .or_else(elsewhere)
            .and_then(|prices| prices.get(&(meter.clone(), region.clone())))
            .map_or(&[], Vec::as_slice)
    }

    /// Returns every price that the program comes with, by service.
    pub fn tariffs(&self) -> impl Iterator<Item = (&(Meter, Region), &Vec<Arc<Tariff>>)> {
        self.prices.values().flat_map(Prices::get)
    }

    /// Tells whether a service has any price in a region.
    pub fn is_sold_in(&self, service: &ServiceCode, region: &Region) -> bool {
        let prices = self.prices.get(service).into_iter().flat_map(Prices::get);
        prices
            .chain(&self.price_list)
            .any(|((meter, at), _)| meter.service == *service && at == region)
    }

    /// Returns the day of the list that says that a meter is not sold in a region, if any does.
    pub fn not_offered(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Option<NaiveDate> {
        let stated = |tariff: &Tariff| tariff.source.date.unwrap_or(tariff.validity.from);
        match self.listed(meter, region, day) {
            Some(tariff) if tariff.rate == Rate::NotOffered => return Some(stated(tariff)),
            Some(_) => return None,
            None => {}
        }
        match self.lookup(meter, region, day) {
            Lookup::NotOffered(listed) => Some(listed),
            _ => None,
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

    fn any_holds_in(&self, service: &ServiceCode, region: &Region) -> bool {
        let Some(service) = self.described(service) else {
            return false;
        };
        match self.regions.get(region) {
            Some(info) => service.any.contains(&info.partition),
            None => !service.any.is_empty() && *region == Region::global(),
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

    /// Returns what is known of a service of AWS or of another vendor.
    fn described(&self, code: &ServiceCode) -> Option<&Service> {
        let elsewhere = || Some(&self.runners.vendors.get(code)?.service);
        self.services.get(code).or_else(elsewhere)
    }

    /// Tells whether a cost is none of AWS's: its discounts and free tiers do not touch it.
    pub fn is_elsewhere(&self, service: &ServiceCode) -> bool {
        self.runners.vendors.contains_key(service)
    }

    /// Returns what people call a service, or its code where the catalogue does not know it.
    pub fn service_name<'a>(&'a self, code: &'a ServiceCode) -> &'a str {
        self.described(code)
            .map_or(code.as_str(), |service| &service.name)
    }

    /// Finds a meter of a service by usage type or alias.
    pub fn meter(&self, service: &ServiceCode, usage_type: &str) -> Option<&MeterInfo> {
        let meters = &self.described(service)?.meters;
        meters
            .iter()
            .find(|info| info.meter.usage_type.as_str() == usage_type)
            .or_else(|| {
                meters
                    .iter()
                    .find(|info| info.aliases.iter().any(|a| a == usage_type))
            })
            .or_else(|| spelling::find(meters, |info| info.meter.usage_type.as_str(), usage_type))
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

    /// Finds the compute type of a fleet as the API describes it: `ARM_EC2/BUILD_GENERAL1_SMALL`, or
    /// `LINUX_EC2/ATTRIBUTE_BASED_COMPUTE/8cpu.16gib.nvme`, which is the least machine that has as much.
    pub fn fleet(&self, described: &str) -> Option<&Compute> {
        let mut parts = described.splitn(3, '/');
        let (kind, size) = (parts.next()?, parts.next()?);
        let mut provisioned = self
            .computes
            .iter()
            .filter(|compute| compute.grain == Grain::Provisioned);
        if size != "ATTRIBUTE_BASED_COMPUTE" {
            let name = format!("{kind}/{size}");
            return provisioned.find(|compute| compute.aliases.contains(&name));
        }
        let (family, os) = match kind.split('_').collect::<Vec<_>>()[..] {
            ["MAC", ..] => ("reserved.arm.m2.", "macOS"),
            ["WINDOWS", ..] => ("windows/reserved.x86-64.", "Windows"),
            ["ARM", ..] => ("reserved.arm.", "Linux"),
            [_, "GPU", ..] => ("reserved.gpu.", "Linux"),
            _ => ("reserved.x86-64.", "Linux"),
        };
        let attributes: Vec<&str> = parts.next()?.split('.').collect();
        let at_least = |unit: &str| {
            let stated = attributes.iter().find_map(|text| text.strip_suffix(unit));
            stated.and_then(|number| number.parse::<Decimal>().ok())
        };
        let (processors, memory) = (at_least("cpu"), at_least("gib"));
        provisioned
            .filter(|compute| {
                compute.os == os
                    && compute.name.starts_with(family)
                    && compute.name.contains("cpu.")
                    && compute.name.contains(".nvme") == attributes.contains(&"nvme")
                    && compute.processors >= processors
                    && compute.memory >= memory
            })
            .min_by_key(|compute| (compute.processors, compute.memory))
    }

    /// Returns the compute type of a reserved fleet of the same machines as one on demand.
    pub fn fleet_like(&self, compute: &Compute) -> Option<&Compute> {
        self.compute(compute.fleet.as_deref()?)
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

    /// Tells whether usage of a meter in a region draws on an allowance.
    pub fn grants(&self, allowance: &Allowance, meter: &Meter, region: &Region) -> bool {
        let partition = || self.regions.get(region).map(|info| &info.partition);
        allowance.meters.contains(meter)
            && (allowance.not_in.is_empty()
                || partition().is_none_or(|partition| !allowance.not_in.contains(partition)))
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
        // Pairs of regions look like a prefix of the second one: USW2-AWS-Out-Bytes.
        let (prefixed, bare) = match self.meter(service, usage_type) {
            Some(_) => (None, usage_type),
            None => self.split_prefix(usage_type),
        };
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
            .described(service)
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
