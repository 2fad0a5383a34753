//! V1 or V2 for every pipeline, all together: one pipeline is free as V1, a hundred minutes are free
//! as V2, and both are shared.
//!
//! For a given number of V1 pipelines the cheapest choice is those with the most minutes: take any
//! choice, and a V1 pipeline with fewer minutes than some V2 pipeline; swapping the two changes
//! nothing in what V1 costs and leaves fewer V2 minutes, which cost no less. So it is enough to sort
//! by minutes and to try every number. The test tries every subset.

use rust_decimal::Decimal;

use super::{Candidate, Kind, Look, percent};
use crate::domain::{
    allowance::FreeTier,
    ids::Meter,
    number::plain,
    plan::PipelineType,
    quantity::{Quantity, Unit},
    scenario::{
        Change, Pattern, Selector, Term,
        workload::{Basis, PipelineUse},
    },
};

/// What pipelines cost: prices and what is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PipelinePrices {
    /// An active V1 pipeline.
    pub active: Decimal,
    /// Active V1 pipelines that are free.
    pub free_active: Decimal,
    /// A V2 action minute.
    pub minute: Decimal,
    /// V2 minutes that are free.
    pub free_minutes: Decimal,
}

/// A pipeline as it would count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Countable {
    /// As V1 it is active; else it is free as V1.
    pub active: bool,
    /// Its minutes as V2.
    pub minutes: Decimal,
}

impl PipelinePrices {
    /// Returns what pipelines cost of which some are V1.
    pub fn cost(&self, pipelines: &[Countable], is_v1: impl Fn(usize) -> bool) -> Decimal {
        let (mut active, mut minutes) = (Decimal::ZERO, Decimal::ZERO);
        for (at, pipeline) in pipelines.iter().enumerate() {
            if is_v1(at) {
                active += Decimal::from(u8::from(pipeline.active));
            } else {
                minutes += pipeline.minutes;
            }
        }
        let beyond = |used: Decimal, free: Decimal| (used - free).max(Decimal::ZERO);
        beyond(active, self.free_active) * self.active
            + beyond(minutes, self.free_minutes) * self.minute
    }

    /// Returns which pipelines are V1 where all together cost least; of equals, where most are V2.
    pub fn cheapest(&self, pipelines: &[Countable]) -> Vec<bool> {
        let mut v1: Vec<bool> = pipelines.iter().map(|pipeline| !pipeline.active).collect();
        let mut by_minutes: Vec<usize> = (0..pipelines.len())
            .filter(|at| pipelines[*at].active)
            .collect();
        by_minutes.sort_by(|a, b| {
            pipelines[*b]
                .minutes
                .cmp(&pipelines[*a].minutes)
                .then(a.cmp(b))
        });
        let all: Decimal = by_minutes.iter().map(|at| pipelines[*at].minutes).sum();
        let cost = |count: usize, minutes: Decimal| {
            let active = (Decimal::from(count) - self.free_active).max(Decimal::ZERO);
            active * self.active + (minutes - self.free_minutes).max(Decimal::ZERO) * self.minute
        };
        let (mut best, mut best_cost, mut left) = (0, cost(0, all), all);
        for (count, at) in by_minutes.iter().enumerate() {
            left -= pipelines[*at].minutes;
            let here = cost(count + 1, left);
            if here < best_cost {
                (best, best_cost) = (count + 1, here);
            }
        }
        for at in &by_minutes[..best] {
            v1[*at] = true;
        }
        v1
    }
}

impl Look<'_> {
    /// Proposes the cheapest type of every pipeline.
    pub(super) fn pipeline_types(&mut self) {
        let workload = self.valuer.workload;
        let named: Vec<&PipelineUse> = workload
            .pipelines
            .iter()
            .filter(|pipeline| pipeline.name.is_some() && pipeline.minutes.is_some())
            .collect();
        if named.len() < workload.pipelines.len() {
            self.not_judged(
                "V1 or V2 for pipelines that the bill only counts",
                "their names and minutes are not known: collect from AWS, or import a CUR",
            );
        }
        let Some(first) = named.first() else { return };
        let lot = &workload.lots[first.lots[0]];
        let meter = |usage_type: &str| Meter::new("AWSCodePipeline", usage_type);
        let price = |usage_type: &str| self.valuer.unit_price(lot, &meter(usage_type));
        let (Some(active), Some(minute)) =
            (price("activePipeline"), price("actionExecutionMinute"))
        else {
            self.not_judged("V1 or V2", "a price of CodePipeline is not known");
            return;
        };
        let free = |usage_type: &str| {
            let terms = self.valuer.terms;
            let pool = self
                .valuer
                .catalog
                .allowances()
                .find(|a| a.meters.contains(&meter(usage_type)));
            pool.map_or(Decimal::ZERO, |pool| {
                let granted = pool.granted(Decimal::ZERO, terms.free_tier == FreeTier::Payer);
                let elsewhere = terms.used.get(&pool.id).copied().unwrap_or_default();
                (granted - elsewhere).max(Decimal::ZERO)
            })
        };
        let prices = PipelinePrices {
            active,
            free_active: free("activePipeline"),
            minute,
            free_minutes: free("actionExecutionMinute"),
        };
        let countable: Vec<Countable> = named
            .iter()
            .map(|pipeline| Countable {
                active: pipeline.counts,
                minutes: pipeline
                    .minutes
                    .map_or(Decimal::ZERO, |(minutes, _)| minutes),
            })
            .collect();
        let v1 = prices.cheapest(&countable);
        let is_v1 = |at: usize| named[at].kind == PipelineType::V1;
        let now = prices.cost(&countable, is_v1);
        let then = prices.cost(&countable, |at| v1[at]);
        if then >= now {
            return;
        }
        // A change that is free either way is not asked for.
        let moves = |to_v1: bool| -> Vec<&PipelineUse> {
            (0..named.len())
                .filter(|at| v1[*at] == to_v1 && is_v1(*at) != to_v1)
                .map(|at| named[at])
                .collect()
        };
        let (to_v2, to_v1) = (moves(false), moves(true));
        let change = |pipelines: &[&PipelineUse], to: PipelineType| {
            let all = pipelines.iter().filter_map(|p| p.name.as_deref());
            Change::PipelineType {
                only: Selector {
                    terms: vec![Term::Pipeline(Pattern::any_of(all))],
                },
                to,
                minutes: None,
            }
        };
        let mut changes = Vec::new();
        let mut parts = Vec::new();
        for (pipelines, to) in [(&to_v2, PipelineType::V2), (&to_v1, PipelineType::V1)] {
            if !pipelines.is_empty() {
                changes.push(change(pipelines, to));
                parts.push(match pipelines[..] {
                    [one] => format!("{} to {to:?}", one.name.as_deref().unwrap_or_default()),
                    ref several => format!("{} pipelines to {to:?}", several.len()),
                });
            }
        }
        let even = prices
            .active
            .checked_div(prices.minute)
            .map(|minutes| plain(minutes.round_dp(1)));
        let mut evidence = vec![format!(
            "Of {} pipelines, {} are cheapest as V1 and {} as V2, with both free allowances shared; \
             no other choice costs less. Beyond the free ones a pipeline is cheaper as V2 below {} \
             minutes a month.",
            named.len(),
            v1.iter().filter(|v1| **v1).count(),
            v1.iter().filter(|v1| !**v1).count(),
            even.unwrap_or_else(|| "any number of".to_owned()),
        )];
        for pipeline in to_v2.iter().chain(&to_v1).take(12) {
            let minutes = pipeline
                .minutes
                .map_or(Decimal::ZERO, |(minutes, _)| minutes);
            let runs = pipeline.runs.map(|runs| format!(", {runs} runs"));
            evidence.push(format!(
                "{} ({:?}): {} as V2{}",
                pipeline.name.as_deref().unwrap_or_default(),
                pipeline.kind,
                Quantity::new(minutes, Unit::Minute),
                runs.unwrap_or_default()
            ));
        }
        let mut assumptions = Vec::new();
        let guessed = to_v2.iter().filter(|pipeline| {
            pipeline
                .minutes
                .is_some_and(|(_, basis)| basis != Basis::Known)
        });
        let guessed = guessed.count();
        if guessed > 0 {
            assumptions.push(format!(
                "V2 minutes of {guessed} V1 pipelines are those of their builds and a minute of \
                 source for each run, or the mean of the others: deployments are not recorded of V1 \
                 pipelines."
            ));
        }
        let touches = to_v2.iter().chain(&to_v1).flat_map(|p| p.lots.clone());
        self.candidates.push(Candidate {
            kind: Kind::PipelineTypes,
            title: parts.join(", "),
            changes,
            lots: None,
            touches: touches.collect(),
            evidence,
            assumptions,
            risks: vec![
                "A change of type is an update of the pipeline; triggers and variables differ \
                 between the types."
                    .to_owned(),
            ],
        });
        let saved = percent(now - then, now);
        self.observations.push(format!(
            "The cheapest types of all pipelines cost {saved} less than today's."
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_free_pipeline_takes_the_most_minutes() {
        let prices = PipelinePrices {
            active: Decimal::ONE,
            free_active: Decimal::ONE,
            minute: Decimal::new(2, 3),
            free_minutes: Decimal::ONE_HUNDRED,
        };
        let pipelines = [300, 5000, 40].map(|minutes| Countable {
            active: true,
            minutes: Decimal::from(minutes),
        });
        // 5000 minutes free as V1; the others 340 - 100 minutes at 0.002, against 1.00 for V1.
        assert_eq!(prices.cheapest(&pipelines), [false, true, false]);
        assert_eq!(prices.cost(&pipelines, |at| at == 1), Decimal::new(48, 2));
    }
}
