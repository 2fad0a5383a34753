//! Totals of the month, set or scaled.

use rust_decimal::Decimal;

use super::{Application, ScenarioUsage};
use crate::domain::scenario::{
    change::{Adjust, Change, Selector, Subject, Total},
    remark::{Assumption, Warning},
};
use crate::domain::{
    ids::Meter,
    plan::baseline_use,
    quantity::{Quantity, Unit},
    share_out::share_quantity,
    usage::UsageKey,
};

impl Application<'_> {
    /// Changes the total of a meter; its parts keep their shares.
    pub(super) fn total(&mut self, change: usize, of: &Total, only: &Selector, to: Adjust) {
        let meter = of.meter();
        let workload = self.workload;
        let is_meant = |piece: &ScenarioUsage| {
            piece.key.meter == meter
                && (only.terms.is_empty()
                    || piece.from.is_some_and(|at| {
                        let group = &workload.groups[at];
                        let subject = Subject {
                            meter: &piece.key.meter,
                            region: &piece.key.region,
                            ..group.subject()
                        };
                        only.matches(&subject, self.catalog)
                    }))
        };
        let found: Vec<usize> = (0..self.out.pieces.len())
            .filter(|at| is_meant(&self.out.pieces[*at]))
            .collect();
        let parts: Vec<Decimal> = found
            .iter()
            .map(|at| self.out.pieces[*at].quantity.value)
            .collect();
        let before: Decimal = parts.iter().sum();
        let to = match (of, to) {
            (
                Total::OnPremisesTargets {
                    deployments: Some(deployments),
                },
                Adjust::To(targets),
            ) => Adjust::To(targets * *deployments),
            (_, to) => to,
        };
        let after = to.of(before);
        if matches!(to, Adjust::By(less) if before + less < Decimal::ZERO) {
            let name = Change::Total {
                of: of.clone(),
                only: only.clone(),
                to,
            };
            self.out.warnings.insert(Warning::NoneLeft {
                change: name.to_string(),
                quantity: before.normalize(),
                month: workload.month,
            });
        }
        let unit = self
            .catalog
            .meter(&meter.service, meter.usage_type.as_str())
            .map_or(Unit::Unspecified, |info| info.unit);
        *self.out.reach[change].totals.entry(unit).or_default() += before;
        if after == before {
            return;
        }
        if before.is_zero() {
            for at in found {
                self.out.pieces[at].quantity.value = Decimal::ZERO;
            }
            self.add(meter, Quantity::new(after, unit));
            return;
        }
        for (at, part) in found.into_iter().zip(share_quantity(after, &parts)) {
            self.out.pieces[at].quantity.value = part;
        }
    }

    /// Adds usage of nobody in particular.
    pub(super) fn add(&mut self, meter: Meter, quantity: Quantity) {
        let region = self.changes.iter().rev().find_map(|change| match change {
            Change::Region { only, to } if only.terms.is_empty() => Some(to),
            _ => None,
        });
        let region = region.unwrap_or(&self.workload.home.region);
        let key = UsageKey {
            region: self.catalog.billing_region(&meter.service, region),
            meter,
            ..self.workload.home.clone()
        };
        self.out.pieces.push(ScenarioUsage {
            from: None,
            key,
            day: self.workload.month.first_day(),
            rate: None,
            quantity,
        });
    }

    pub(super) fn security_baseline(&mut self) {
        let pipelines: Decimal = self.workload.pipelines.iter().map(|p| p.count).sum();
        let pipelines = pipelines.max(Decimal::ONE);
        let runs = self.workload.runs.unwrap_or_else(|| {
            let minutes = self
                .workload
                .groups
                .iter()
                .filter(|group| group.unit == Unit::Minute);
            let minutes: Decimal = minutes
                .map(|group| self.workload.quantity(group, self.catalog))
                .sum();
            (minutes / Decimal::from(5)).ceil()
        });
        let catalog = self.catalog;
        for (item, quantity) in baseline_use(catalog, pipelines, runs) {
            self.add(item.meter.clone(), quantity);
        }
        self.out
            .assumptions
            .insert(Assumption::SecurityBaseline { pipelines, runs });
    }
}
