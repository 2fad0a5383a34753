//! What is paid for and hardly used, and what is free and not used.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Candidate, Kind, Look};
use crate::domain::{
    number::plain,
    plan::PipelineType,
    quantity::{Quantity, Unit},
    scenario::{Adjust, Change, Pattern, Selector, Term, Total, Valuer},
};

impl Look<'_> {
    /// Proposes to leave V1 pipelines alone that a single change keeps active.
    pub(super) fn idle(&mut self) {
        let pipelines = &self.valuer.workload.pipelines;
        let idle: Vec<_> = pipelines
            .iter()
            .filter(|p| p.kind == PipelineType::V1 && p.counts && p.code_changes == Some(1))
            .collect();
        let names: Vec<&str> = idle.iter().filter_map(|p| p.name.as_deref()).collect();
        if names.is_empty() {
            return;
        }
        let only = Selector {
            terms: vec![Term::Pipeline(Pattern::any_of(names.iter().copied()))],
        };
        let evidence = idle.iter().map(|pipeline| {
            format!(
                "{}: one code change in the month, {} runs",
                pipeline.name.as_deref().unwrap_or_default(),
                pipeline.runs.unwrap_or_default()
            )
        });
        self.candidates.push(Candidate {
            kind: Kind::Idle,
            title: match names[..] {
                [one] => format!("{one}: one change a month keeps it active"),
                ref several => format!("{} pipelines kept active by one change", several.len()),
            },
            changes: vec![Change::Total {
                of: Total::V1Pipelines,
                only,
                to: Adjust::Times(Decimal::ZERO),
            }],
            lots: None,
            touches: idle.iter().flat_map(|p| p.lots.clone()).collect(),
            evidence: evidence.collect(),
            assumptions: vec![
                "Its change waits for another month, or runs by hand: a V1 pipeline without a code \
                 change is not billed."
                    .to_owned(),
            ],
            risks: vec!["What it deploys stays as it is until then.".to_owned()],
        });
    }

    /// Proposes to keep less of what only grows: artifacts, logs, images.
    pub(super) fn storage(&mut self, months: &[Valuer<'_>]) {
        let stored = |valuer: &Valuer<'_>| {
            let mut found: BTreeMap<(_, String), Decimal> = BTreeMap::new();
            for (lot, quantity) in valuer.workload.lots.iter().zip(valuer.quantities()) {
                let usage_type = lot.key.meter.usage_type.as_str();
                if let (true, Some(name)) = (usage_type.starts_with("TimedStorage"), lot.name()) {
                    *found.entry((lot.key.meter.clone(), name)).or_default() += *quantity;
                }
            }
            found
        };
        let [.., earlier, _, _, last] = months else {
            return;
        };
        let before = stored(earlier);
        for ((meter, name), now) in stored(last) {
            let Some(then) = before.get(&(meter.clone(), name.clone())) else {
                continue;
            };
            if now <= *then || now.is_zero() {
                continue;
            }
            let only = Selector {
                terms: vec![Term::Resource(Pattern::exactly(&name))],
            };
            let shown = |value| Quantity::new(value, Unit::GbMonth);
            self.candidates.push(Candidate {
                kind: Kind::Storage,
                title: format!("{name}: keep 90 days"),
                changes: vec![Change::Total {
                    of: Total::Metered(meter),
                    only,
                    to: Adjust::Times((*then / now).round_dp(4)),
                }],
                lots: None,
                touches: Vec::new(),
                evidence: vec![format!(
                    "{} three months ago, {} now",
                    shown(*then),
                    shown(now)
                )],
                assumptions: vec![
                    "A lifecycle rule or retention keeps it at what it was three months ago."
                        .to_owned(),
                ],
                risks: vec!["What is older is gone.".to_owned()],
            });
        }
    }

    /// Says what is free and was left.
    pub(super) fn left_over(&mut self) {
        for allowance in &self.before.bill.allowances {
            let used = allowance.used_elsewhere + allowance.drawn;
            if used < allowance.granted {
                let quantity = |value| Quantity::new(value, allowance.unit);
                self.observations.push(format!(
                    "{}: {} left over.",
                    allowance.name,
                    quantity(allowance.granted - used)
                ));
            }
        }
        let unknown = self.before.bill.unpriced();
        let unknown: Vec<String> = unknown
            .map(|line| format!("{} in {}", line.key.meter, line.key.region))
            .collect();
        for what in unknown {
            self.not_judged(what, "used now, at a price that is not known");
        }
        let drawn = self.valuer.workload.builds;
        let all = self.facts.builds.len() as u64;
        if all > drawn {
            self.observations.push(format!(
                "{} of {} builds known to AWS's APIs are not in the bill, or ran on a fleet.",
                plain(Decimal::from(all - drawn)),
                plain(Decimal::from(all))
            ));
        }
    }
}
