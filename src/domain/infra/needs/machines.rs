//! What projects build, and what fleets keep ready.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::{Assumption, Known, Need, Status, UsageFrom, Used, called, name, required};
use crate::domain::{
    catalog::{Compute, Grain},
    infra::{Attribute, Fleet, Project, Reason, Resource},
    metering::codebuild,
    plan::BuildAmount,
    quantity::{Quantity, Unit},
    services::CODEBUILD,
};

impl Known<'_> {
    pub(super) fn project(&self, resource: &Resource, project: &Project, used: &mut Used) {
        match &project.fleet {
            Attribute::Absent => {}
            Attribute::Known(fleet) => {
                used.assumptions.push(Assumption::OnFleet(fleet.clone()));
                return;
            }
            // A fleet that is not named yet.
            Attribute::Unknown(Reason::ResourceAttribute(_)) => {
                used.assumptions.push(Assumption::OnFleet(String::new()));
                return;
            }
            // Whether there is one is not known.
            Attribute::Unknown(_) | Attribute::Depends { .. } => {
                used.status = Status::Unknown;
                required("fleet", &project.fleet, used);
                return;
            }
        }
        used.status = Status::Unknown;
        let environment = required("environment type", &project.environment_type, used);
        let size = required("compute type", &project.compute_type, used);
        let (Some(environment), Some(size)) = (environment, size) else {
            return;
        };
        let environment = canonical(environment);
        // A machine of fleets alone has no price by the build.
        let compute = self.catalog.compute(&format!("{environment}/{size}"));
        let Some(compute) = compute.filter(|it| it.grain != Grain::Provisioned) else {
            used.needs
                .push(Need::Machine(format!("{environment}/{size}")));
            return;
        };
        if !self.is_offered(compute, used) {
            return;
        }
        if project.batch.known() == Some(&true) {
            used.assumptions.push(Assumption::Batch);
        }
        let name = name(resource);
        if let Some((quantity, from)) = self.builds(resource, &name, compute, used) {
            used.status = Status::Priced;
            self.push(resource, &compute.meter, quantity, used);
            used.usage = Some((quantity, from));
        } else {
            used.status = Status::NeedsUsage;
            used.needs.push(Need::Builds(called(resource)));
        }
        if !project.docker_server.is_absent() {
            used.needs.push(Need::DockerServer);
        }
    }

    /// Notes the machine, and tells whether AWS offers it there.
    fn is_offered(&self, compute: &Compute, used: &mut Used) -> bool {
        used.model = Some(compute.name.clone());
        let day = self.month.first_day();
        let missing = self.catalog.not_offered(&compute.meter, &used.region, day);
        let Some(listed) = missing else { return true };
        used.status = Status::NotOffered;
        let machine = compute.name.clone();
        used.needs.push(Need::NotOffered { machine, listed });
        false
    }

    /// Finds what a project builds: as stated, else as the ledger has it.
    fn builds(
        &self,
        resource: &Resource,
        name: &str,
        compute: &Compute,
        used: &mut Used,
    ) -> Option<(Quantity, UsageFrom)> {
        if let Some(amount) = self.stated.get(&called(resource)) {
            let unit = codebuild::billed(compute.grain, TimeDelta::zero()).unit;
            let value = match *amount {
                BuildAmount::Billed(value) => value,
                BuildAmount::Builds { count, duration } => {
                    codebuild::billed(compute.grain, duration).value * Decimal::from(count)
                }
            };
            return Some((Quantity::new(value, unit), UsageFrom::Stated));
        }
        let mut quantity: Option<Quantity> = None;
        for record in self.of(resource, name, CODEBUILD) {
            let usage_type = record.key.meter.usage_type.as_str();
            let ran_on = self
                .catalog
                .computes
                .iter()
                .find(|it| it.meter == record.key.meter);
            let Some(ran_on) = ran_on.filter(|it| it.grain != Grain::Provisioned) else {
                continue;
            };
            // A minute that was rounded up is not sixty seconds.
            let is_same_grain = ran_on.grain == compute.grain;
            let found = record.quantity.filter(|_| is_same_grain)?;
            if ran_on.name != compute.name {
                let from = usage_type.to_owned();
                let assumption = Assumption::SameDuration { from };
                if !used.assumptions.contains(&assumption) {
                    used.assumptions.push(assumption);
                }
            }
            let sum = quantity.map_or(Decimal::ZERO, |sum| sum.value) + found.value;
            quantity = Some(Quantity::new(sum, found.unit));
        }
        quantity.map(|quantity| (quantity, UsageFrom::Ledger(self.month)))
    }

    pub(super) fn fleet(&self, resource: &Resource, fleet: &Fleet, used: &mut Used) {
        used.status = Status::Unknown;
        let environment = required("environment type", &fleet.environment_type, used);
        let size = required("compute type", &fleet.compute_type, used);
        let Some(base) = required("base capacity", &fleet.base_capacity, used).copied() else {
            return;
        };
        let (Some(environment), Some(size)) = (environment, size) else {
            return;
        };
        let described = match (size.as_str(), fleet.configuration.known()) {
            ("ATTRIBUTE_BASED_COMPUTE", Some(machine)) => {
                let number = |of: &Attribute<u32>| of.known().copied().unwrap_or_default();
                let (cpu, memory) = (number(&machine.vcpu), number(&machine.memory));
                if cpu == 0 && memory == 0 {
                    let reason = Some(Reason::ChosenByAws);
                    used.needs
                        .push(Need::Attribute("compute configuration", reason));
                    return;
                }
                let nvme = machine.machine_type.known().is_some_and(|it| it == "NVME");
                let nvme = if nvme { ".nvme" } else { "" };
                format!("{environment}/{size}/{cpu}cpu.{memory}gib{nvme}")
            }
            ("CUSTOM_INSTANCE_TYPE", Some(machine)) => {
                let instance = machine.instance_type.known().cloned().unwrap_or_default();
                format!("{environment}/{size}/{instance}")
            }
            _ => format!("{environment}/{size}"),
        };
        let Some(compute) = self.catalog.fleet(&described) else {
            used.needs.push(Need::Machine(described));
            return;
        };
        if !self.is_offered(compute, used) {
            return;
        }
        if let Some(&max) = fleet.max_capacity.known()
            && max > base
        {
            used.assumptions
                .push(Assumption::BaseCapacity { base, max });
        }
        let on_demand = fleet.overflow.known().is_some_and(|it| it == "ON_DEMAND");
        if on_demand {
            used.assumptions.push(Assumption::Overflow { on_demand });
        }
        let days = Decimal::from(self.month.days().count() as u64);
        let minutes = days * Decimal::from(24 * 60) * Decimal::from(base);
        let quantity = Quantity::new(minutes, Unit::Minute);
        used.status = Status::Priced;
        self.push(resource, &compute.meter, quantity, used);
        used.usage = Some((quantity, UsageFrom::Code));
    }
}

/// Returns an environment type as the API has it: templates are found with other spellings of the first.
fn canonical(environment: &str) -> &str {
    match environment {
        "linuxContainer" => "LINUX_CONTAINER",
        other => other,
    }
}
