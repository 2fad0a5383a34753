//! Time that is paid for and brings nothing: rounding, failed builds, and waiting, which is free.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Candidate, Kind, Look, percent};
use crate::domain::{
    catalog::Grain,
    number::plain,
    quantity::{Quantity, Unit},
    scenario::{
        Change, Pattern, Selector, Term,
        workload::{Pace, SeenBuild, billed_units},
    },
};

const MINUTE: i64 = 60_000;

/// A build that ends within this time after a full minute pays a minute for it, in milliseconds.
const JUST_OVER: i64 = 10_000;

/// How much shorter builds are tried, and how much more than that must be saved.
const SHORTER: [(i64, i64); 2] = [(95, 8), (90, 15)];

impl Look<'_> {
    /// Proposes to shorten builds that end just after a full minute.
    pub(super) fn rounding(&mut self) {
        let (mut lost, mut all) = (0_i64, Decimal::ZERO);
        for project in self.projects() {
            let compute = &self.valuer.catalog.computes[project.compute];
            if compute.grain != Grain::Minute {
                continue;
            }
            let lots = &self.valuer.workload.lots;
            let builds: Vec<_> = project
                .lots
                .iter()
                .flat_map(|at| lots[*at].builds.iter().copied())
                .collect();
            if builds.is_empty() {
                continue;
            }
            let billed = billed_units(&builds, Grain::Minute, Pace::SAME);
            let used: i64 = builds.iter().map(|b| b.length * i64::from(b.count)).sum();
            lost += billed * MINUTE - used;
            all += Decimal::from(billed);
            let just_over = builds
                .iter()
                .filter(|b| b.length > MINUTE && (1..=JUST_OVER).contains(&(b.length % MINUTE)))
                .count();
            for (percent_left, least) in SHORTER {
                let times = Decimal::new(percent_left, 2);
                let pace = Pace::of(times, Decimal::ONE);
                let after = billed_units(&builds, Grain::Minute, pace);
                if (billed - after) * 100 < least * billed {
                    continue;
                }
                let only = Selector::compute(&compute.name)
                    .and(Term::Project(Pattern::exactly(&project.name)));
                self.candidates.push(Candidate {
                    kind: Kind::Rounding,
                    title: format!(
                        "{}: builds {} % shorter",
                        project.name,
                        100 - percent_left
                    ),
                    changes: vec![Change::Minutes { only, times }],
                    lots: Some(project.lots.clone()),
                    touches: Vec::new(),
                    evidence: vec![format!(
                        "{just_over} of {} builds end within 10 s after a full minute and pay another; \
                         {billed} minutes would be {after}",
                        builds.len()
                    )],
                    assumptions: vec![
                        "A cache, a smaller image or a dropped step saves that much time.".to_owned(),
                    ],
                    risks: Vec::new(),
                });
                break;
            }
        }
        if !all.is_zero() {
            let minutes = Decimal::from(lost) / Decimal::from(MINUTE);
            self.observations.push(format!(
                "Rounding up to whole minutes adds {} to the builds known one by one: {} of what is \
                 billed.",
                Quantity::new(minutes.round(), Unit::Minute),
                percent(minutes, all)
            ));
        }
    }

    /// Proposes that half the failed builds never run, and says what waiting took.
    pub(super) fn failed(&mut self) {
        type Sums<'f> = BTreeMap<(&'f str, &'f str), (u64, i64, u64, i64)>;
        let mut projects: Sums<'_> = BTreeMap::new();
        let (mut waited, mut known) = (0_i64, 0_u64);
        for SeenBuild { build, .. } in &self.facts.builds {
            let Some(ended) = build.ended else { continue };
            if let Some(provisioned) = build.provisioned {
                waited += (provisioned - build.submitted).num_milliseconds().max(0);
            }
            let from = build.provisioned.unwrap_or(build.submitted);
            let length = (ended - from).num_milliseconds().max(0);
            let minutes = length / MINUTE + i64::from(length % MINUTE > 0);
            let sums = projects
                .entry((&build.project, &build.compute))
                .or_default();
            sums.0 += 1;
            sums.1 += minutes;
            let Some(status) = &build.status else {
                continue;
            };
            known += 1;
            if !matches!(status.as_str(), "SUCCEEDED" | "IN_PROGRESS") {
                sums.2 += 1;
                sums.3 += minutes;
            }
        }
        if waited > 0 {
            let hours = Decimal::from(waited) / Decimal::from(60 * MINUTE);
            self.observations.push(format!(
                "Builds waited {} h for a machine. AWS Support says that is not billed; `bill --metered \
                 --queued-time billed` shows what it would cost.",
                plain(hours.round_dp(1))
            ));
        }
        if known == 0 && !self.facts.builds.is_empty() {
            self.not_judged(
                "failed builds",
                "how the builds ended was not kept: collect again",
            );
        }
        let found: Vec<Candidate> = projects
            .into_iter()
            .filter(|(_, (_, minutes, failed, lost))| *failed > 0 && *lost > 0 && *minutes > 0)
            .filter_map(|((project, compute), (builds, minutes, failed, lost))| {
                let compute = self.valuer.catalog.compute(compute)?;
                let only = Selector::compute(&compute.name)
                    .and(Term::Project(Pattern::exactly(project)));
                let share = Decimal::from(lost) / Decimal::from(minutes);
                let times = (Decimal::ONE - share / Decimal::TWO).round_dp(4);
                let lots = self.valuer.workload.lots.iter().enumerate();
                let lots = lots
                    .filter(|(_, lot)| only.matches(&lot.subject(), self.valuer.catalog))
                    .map(|(at, _)| at);
                Some(Candidate {
                    kind: Kind::Failed,
                    title: format!("{project}: half of the failed builds avoided"),
                    lots: Some(lots.collect()),
                    changes: vec![Change::Builds { only, times }],
                    touches: Vec::new(),
                    evidence: vec![format!(
                        "{failed} of {builds} builds failed, were stopped or timed out; they took {lost} \
                         of {minutes} minutes"
                    )],
                    assumptions: vec![
                        "Checks before the build, and fewer flaky tests, avoid half of them.".to_owned(),
                    ],
                    risks: Vec::new(),
                })
            })
            .collect();
        self.candidates.extend(found);
    }
}
