//! What pipelines run.

use rust_decimal::Decimal;

use super::{Assumption, Known, Need, Status, UsageFrom, Used, called, name, required};
use crate::domain::{
    catalog::Grain,
    ids::Meter,
    infra::{Attribute, Feature, Pipeline, Resource, TypeBasis},
    metering::codebuild,
    plan::{BuildAmount, PipelineType},
    quantity::{Quantity, Unit},
    services::{ACTION_MINUTE, ACTIVE_PIPELINE, CODEPIPELINE, TRIAL_PIPELINE},
};

impl Known<'_> {
    pub(super) fn pipeline(&self, resource: &Resource, pipeline: &Pipeline, used: &mut Used) {
        used.status = Status::Unknown;
        let (kind, basis) = match (self.pipeline_type, pipeline.basis) {
            (Some(kind), basis) if !matches!(basis, TypeBasis::Stated | TypeBasis::Forced(_)) => {
                (Some(kind), TypeBasis::Overridden)
            }
            (_, basis) => (
                required("pipeline type", &pipeline.kind, used).copied(),
                basis,
            ),
        };
        let Some(kind) = kind else {
            return;
        };
        if basis != TypeBasis::Stated {
            used.assumptions.push(Assumption::PipelineType(kind, basis));
        }
        let name = name(resource);
        let of = |usage_type: &str| {
            let records = self.of(resource, &name, CODEPIPELINE);
            let same = records.filter(|it| it.key.meter.usage_type.as_str() == usage_type);
            let quantities: Vec<Decimal> = same
                .filter_map(|it| it.quantity.map(|quantity| quantity.value))
                .collect();
            (!quantities.is_empty()).then(|| quantities.iter().sum::<Decimal>())
        };
        let stated = self
            .stated
            .get(&called(resource))
            .map(|amount| match *amount {
                BuildAmount::Billed(value) => value,
                BuildAmount::Builds { count, duration } => {
                    codebuild::billed(Grain::Minute, duration).value * Decimal::from(count)
                }
            });
        let ledger = UsageFrom::Ledger(self.month);
        used.model = Some(format!("{kind:?}"));
        let (usage_type, unit, found) = match kind {
            PipelineType::V2 => {
                let found = stated.map(|minutes| (minutes, UsageFrom::Stated));
                let found = found.or_else(|| Some((of(ACTION_MINUTE)?, ledger)));
                (ACTION_MINUTE, Unit::Minute, found)
            }
            PipelineType::V1 => {
                let one = |minutes: Decimal| minutes.min(Decimal::ONE);
                let found = stated.map(|minutes| (one(minutes), UsageFrom::Stated));
                let active = || of(ACTIVE_PIPELINE).or_else(|| of(ACTION_MINUTE).map(one));
                match of(TRIAL_PIPELINE) {
                    Some(trial) if found.is_none() && active().is_none() => {
                        (TRIAL_PIPELINE, Unit::Pipeline, Some((trial, ledger)))
                    }
                    _ => {
                        let found = found.or_else(|| Some((active()?, ledger)));
                        (ACTIVE_PIPELINE, Unit::Pipeline, found)
                    }
                }
            }
        };
        if let Some((value, from)) = found {
            used.status = Status::Priced;
            let quantity = Quantity::new(value, unit);
            let meter = Meter::new(CODEPIPELINE, usage_type);
            self.push(resource, &meter, quantity, used);
            used.usage = Some((quantity, from));
            if from == UsageFrom::Stated && kind == PipelineType::V1 {
                used.assumptions.push(Assumption::PastTrial);
            }
        } else {
            used.status = Status::NeedsUsage;
            used.needs.push(match kind {
                PipelineType::V1 => Need::Active(called(resource)),
                PipelineType::V2 => Need::ActionMinutes(called(resource)),
            });
        }
        let providers = pipeline.actions.iter().filter_map(|action| {
            Feature::of_provider(action.category.known()?, action.provider.known()?)
        });
        let builds = |it: &Feature| matches!(it, Feature::Commands | Feature::EcrBuildAndPublish);
        let mut managed: Vec<Feature> = providers.filter(builds).collect();
        managed.sort_unstable();
        managed.dedup();
        used.needs
            .extend(managed.into_iter().map(Need::ManagedCompute));
        if let Attribute::Unknown(reason) = &pipeline.incomplete {
            used.needs
                .push(Need::Attribute("list of stages", Some(reason.clone())));
        }
    }
}
