//! The cheapest split of pipelines between V1 and V2.
//!
//! V1 costs the same for every pipeline, V2 by the minute, and both have free units that all pipelines
//! share. Whatever the number of pipelines on V1, exchanging one of them for a busier one on V2 never
//! costs more: the V1 charge stays and the V2 minutes do not grow. So some cheapest split keeps the
//! busiest on V1, and it is enough to try how many.

use rust_decimal::Decimal;

use crate::domain::{money::Money, plan::PipelineType};

/// What pipelines cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Charges {
    /// For an active V1 pipeline.
    pub pipeline: Decimal,
    /// For a V2 action minute.
    pub minute: Decimal,
    /// Free active pipelines, less those that are used whatever is chosen. May be below zero.
    pub free_pipelines: Decimal,
    /// Free minutes, less those that are used whatever is chosen. May be below zero.
    pub free_minutes: Decimal,
}

impl Charges {
    /// Returns what so many pipelines on V1 and so many minutes on V2 cost.
    pub fn cost(&self, pipelines: Decimal, minutes: Decimal) -> Money {
        let beyond = |used: Decimal, free: Decimal| (used - free).max(Decimal::ZERO);
        Money::of(beyond(pipelines, self.free_pipelines), self.pipeline)
            + Money::of(beyond(minutes, self.free_minutes), self.minute)
    }
}

/// A pipeline to choose a type for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its type now.
    pub now: PipelineType,
    /// It counts as an active pipeline on V1; else it is free there.
    pub counts: bool,
    /// Its action minutes on V2.
    pub minutes: Decimal,
}

/// Returns the type of each pipeline in a cheapest split; of several, one with the fewest moves
/// among those that keep the busiest on V1.
pub fn cheapest(candidates: &[Candidate], charges: &Charges) -> Vec<PipelineType> {
    let mut types = vec![PipelineType::V1; candidates.len()];
    // Free on V1, at least as dear on V2: nothing to choose.
    let mut order: Vec<usize> = (0..candidates.len())
        .filter(|at| candidates[*at].counts)
        .collect();
    order.sort_by_key(|at| {
        let candidate = &candidates[*at];
        (
            std::cmp::Reverse(candidate.minutes),
            candidate.now == PipelineType::V2,
            *at,
        )
    });
    let is_v1 = |at: &usize| candidates[*at].now == PipelineType::V1;
    let mut minutes: Decimal = order.iter().map(|at| candidates[*at].minutes).sum();
    let mut moves = order.iter().filter(|at| is_v1(at)).count();
    let mut best = (charges.cost(Decimal::ZERO, minutes), moves, 0);
    for (kept, at) in (1..).zip(&order) {
        minutes -= candidates[*at].minutes;
        if is_v1(at) {
            moves -= 1;
        } else {
            moves += 1;
        }
        let cost = charges.cost(Decimal::from(kept), minutes);
        best = best.min((cost, moves, kept));
    }
    for at in &order[best.2..] {
        types[*at] = PipelineType::V2;
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost_of(candidates: &[Candidate], types: &[PipelineType], charges: &Charges) -> Money {
        let (mut pipelines, mut minutes) = (Decimal::ZERO, Decimal::ZERO);
        for (candidate, kind) in candidates.iter().zip(types) {
            match kind {
                PipelineType::V1 if candidate.counts => pipelines += Decimal::ONE,
                PipelineType::V1 => {}
                PipelineType::V2 => minutes += candidate.minutes,
            }
        }
        charges.cost(pipelines, minutes)
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let candidate =
            (any::<bool>(), 0_u8..10, 0_i64..1500).prop_map(|(v1, counts, minutes)| Candidate {
                now: if v1 {
                    PipelineType::V1
                } else {
                    PipelineType::V2
                },
                counts: counts > 0,
                minutes: Decimal::from(minutes),
            });
        prop::collection::vec(candidate, 0..=12)
    }

    proptest! {
        /// Every subset is tried.
        #[test]
        fn no_split_is_cheaper(
            candidates in candidates(),
            pipeline in 0_i64..300,
            minute in 0_i64..50,
            free_pipelines in -3_i64..4,
            free_minutes in -500_i64..900,
        ) {
            let charges = Charges {
                pipeline: Decimal::new(pipeline, 2),
                minute: Decimal::new(minute, 4),
                free_pipelines: Decimal::from(free_pipelines),
                free_minutes: Decimal::from(free_minutes),
            };
            let found = cost_of(&candidates, &cheapest(&candidates, &charges), &charges);
            let all = (0..1_usize << candidates.len()).map(|subset| {
                let types: Vec<PipelineType> = (0..candidates.len())
                    .map(|at| if subset & (1 << at) == 0 { PipelineType::V1 } else { PipelineType::V2 })
                    .collect();
                cost_of(&candidates, &types, &charges)
            });
            prop_assert_eq!(found, all.min().unwrap());
        }
    }

    #[test]
    fn two_pipelines_share_one_free_pipeline_and_a_hundred_free_minutes() {
        let charges = Charges {
            pipeline: Decimal::ONE,
            minute: Decimal::new(2, 3),
            free_pipelines: Decimal::ONE,
            free_minutes: Decimal::ONE_HUNDRED,
        };
        let v1 = |minutes: i64| Candidate {
            now: PipelineType::V1,
            counts: true,
            minutes: Decimal::from(minutes),
        };
        // The busy one keeps the free V1 pipeline, the quiet one the free minutes.
        let types = cheapest(&[v1(80), v1(900)], &charges);
        assert_eq!(types, [PipelineType::V2, PipelineType::V1]);
        // 600 minutes cost $1 beyond the free ones: staying is as cheap, so both stay.
        let types = cheapest(&[v1(600), v1(900)], &charges);
        assert_eq!(types, [PipelineType::V1, PipelineType::V1]);
    }
}
