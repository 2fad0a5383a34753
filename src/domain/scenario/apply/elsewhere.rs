//! Builds that go to a runner of another vendor: their minutes there are no charge of AWS.

use super::{Application, ScenarioUsage};
use crate::domain::scenario::{
    remark::{Assumption, Unknown, Warning},
    workload::UsageGroup,
};
use crate::domain::{
    catalog::Runner,
    ids::{Currency, ServiceCode},
    quantity::Quantity,
    usage::UsageKey,
};

impl Application<'_> {
    /// Adds what builds use at another vendor.
    pub(super) fn piece_elsewhere(
        &mut self,
        at: usize,
        group: &UsageGroup,
        runner: &Runner,
        is_public: bool,
        quantity: Quantity,
    ) {
        let vendor = runner.vendor();
        let region = self.catalog.billing_region(vendor, &group.key.region);
        self.out.pieces.push(ScenarioUsage {
            from: Some(at),
            key: UsageKey {
                meter: runner.meter(is_public).clone(),
                region,
                ..group.key.clone()
            },
            day: group.day,
            rate: None,
            quantity,
        });
        let name = || runner.compute.name.clone();
        let vendor_name = self.catalog.service_name(vendor).to_owned();
        if self.workload.currency != Currency::new("USD") {
            self.out.unknown.insert(Unknown::Exchange {
                vendor: vendor_name.clone(),
                currency: self.workload.currency.clone(),
            });
        }
        self.out.warnings.insert(Warning::NotComparable {
            vendor: vendor_name.clone(),
        });
        if runner.docker == Some(false) {
            self.out
                .warnings
                .insert(Warning::NoDocker { runner: name() });
        }
        self.out.assumptions.insert(Assumption::Repository {
            vendor: vendor_name,
            is_public,
        });
    }

    /// Notes what the plans of vendors mean for the usage there, once all of it is known.
    pub(super) fn terms_elsewhere(&mut self) {
        let runners = &self.catalog.runners;
        if runners.vendors.is_empty() {
            return;
        }
        for (code, vendor) in &runners.vendors {
            let used: Vec<(&Runner, bool)> = runners
                .all
                .iter()
                .filter(|runner| runner.vendor() == code)
                .flat_map(|runner| [(runner, false), (runner, true)])
                .filter(|(runner, is_public)| {
                    let is_free_of_plans = *is_public && runner.public.is_none();
                    let meter = runner.meter(*is_public);
                    let pieces = &self.out.pieces;
                    !is_free_of_plans && pieces.iter().any(|piece| piece.key.meter == *meter)
                })
                .collect();
            if used.is_empty() || vendor.plans.is_empty() {
                continue;
            }
            self.plan_of(code, &used);
        }
    }

    fn plan_of(&mut self, code: &ServiceCode, used: &[(&Runner, bool)]) {
        let runners = &self.catalog.runners;
        let vendor = self.catalog.service_name(code).to_owned();
        let stated = self.out.terms.plans.get(code);
        let Some(plan) = stated.and_then(|plan| runners.plan(code, plan)) else {
            // Where nothing would draw on it, no plan is missed.
            if used
                .iter()
                .any(|(runner, is_public)| runner.is_standard && !is_public)
            {
                self.out.assumptions.insert(Assumption::NoPlan {
                    vendor,
                    id: runners.vendors[code].id.to_string(),
                });
            }
            return;
        };
        let mut draws = used
            .iter()
            .filter(|(runner, is_public)| runner.is_standard && !is_public);
        if let Some((other, _)) = draws
            .clone()
            .find(|(runner, _)| runner.compute.os != "Linux")
        {
            self.out.unknown.insert(Unknown::IncludedMinutes {
                vendor: vendor.clone(),
                os: other.compute.os.clone(),
            });
        }
        if draws.next().is_some() {
            self.out.assumptions.insert(Assumption::IncludedMinutes {
                plan: plan.name.clone(),
                minutes: plan.included.grant,
            });
        }
        let larger = used.iter().find(|(runner, _)| !runner.is_standard);
        if let Some((runner, _)) = larger.filter(|_| !plan.larger) {
            self.out.warnings.insert(Warning::NotInPlan {
                runner: runner.compute.name.clone(),
                plan: plan.name.clone(),
            });
        }
    }
}
