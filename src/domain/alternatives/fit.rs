//! Whether builds can run on a machine: only what the ledger knows, and what it does not.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Machine, Origin, Question};
use crate::domain::{
    catalog::{Catalog, Grain, RunnerClass},
    scenario::{
        Change, ScenarioRater, Target,
        workload::{BuildEvent, MonthEvents},
    },
    utilization::{MEGABYTES, MEMORY_MARGIN},
};

/// Whether a machine can do the job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fit {
    /// Nothing known speaks against it.
    Yes,
    /// It depends on what is not recorded.
    Unknown,
    /// It cannot.
    No,
}

/// What may keep builds from running on a machine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Obstacle {
    /// Another architecture: images, tools and tests must run on it.
    Architecture {
        /// The machine runs ARM, else x86-64.
        is_arm: bool,
    },
    /// Less memory.
    LessMemory {
        /// They have, in gigabytes.
        from: Decimal,
        /// They would have.
        to: Decimal,
        /// The most that was measured to be in use, in gigabytes; none where nothing was measured.
        peak: Option<Decimal>,
        /// Whether that fits with the margin; none where it is not known of all projects.
        fits: Option<bool>,
    },
    /// Fewer processors: builds take longer.
    FewerProcessors {
        /// They have.
        from: Decimal,
        /// They would have.
        to: Decimal,
    },
    /// No Docker.
    NoDocker {
        /// Builds of the month are known to use it.
        is_used: bool,
    },
    /// Whether it has Docker is not known.
    DockerUnknown,
    /// Builds that take longer than it allows; they stay.
    TooLong {
        /// How many.
        builds: u64,
        /// All of them.
        all: bool,
        /// What it allows.
        minutes: i64,
    },
    /// The plan stated does not offer it.
    NotInPlan,
}

impl Fit {
    /// Returns its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Unknown => "unknown",
            Self::No => "no",
        }
    }

    pub(super) fn of(obstacles: &[Obstacle]) -> Self {
        let of = |obstacle: &Obstacle| match obstacle {
            Obstacle::NoDocker { is_used: true }
            | Obstacle::LessMemory {
                fits: Some(false), ..
            }
            | Obstacle::TooLong { all: true, .. }
            | Obstacle::NotInPlan => Self::No,
            Obstacle::Architecture { .. }
            | Obstacle::LessMemory { fits: None, .. }
            | Obstacle::NoDocker { .. }
            | Obstacle::DockerUnknown => Self::Unknown,
            Obstacle::FewerProcessors { .. }
            | Obstacle::LessMemory { .. }
            | Obstacle::TooLong { .. } => Self::Yes,
        };
        obstacles.iter().map(of).max().unwrap_or(Self::Yes)
    }
}

/// What is known of the builds of a compute type beside their lengths.
pub(super) struct KnownOfBuilds {
    /// Some used a Docker server.
    used_docker: bool,
    /// The most memory in use, in gigabytes.
    peak: Option<Decimal>,
    /// The memory of every project was measured.
    is_measured: bool,
}

impl KnownOfBuilds {
    pub(super) fn of(
        facts: &MonthEvents,
        origin: &Origin,
        question: &Question,
        catalog: &Catalog,
    ) -> Self {
        let projects = question.projects.as_ref();
        let is_meant = |event: &&BuildEvent| {
            projects.is_none_or(|projects| projects.matches(&event.build.project))
                && catalog
                    .compute(&event.build.compute)
                    .is_some_and(|compute| compute.name == origin.compute.name)
        };
        let builds = || facts.builds.iter().filter(is_meant);
        let of_project = |event: &BuildEvent| (event.place.clone(), event.build.project.clone());
        let built: BTreeSet<_> = builds().map(of_project).collect();
        let mut peaks: BTreeMap<_, Decimal> = BTreeMap::new();
        for seen in &facts.utilization {
            let project = (seen.place.clone(), seen.of.project.clone());
            if let Some(memory) = seen.of.memory.filter(|_| built.contains(&project)) {
                let peak = peaks.entry(project).or_default();
                *peak = memory.maximum.max(*peak);
            }
        }
        Self {
            used_docker: builds().any(|event| event.build.docker_server),
            is_measured: !built.is_empty() && peaks.len() == built.len(),
            peak: peaks.into_values().max().map(|peak| peak / MEGABYTES),
        }
    }

    /// Tells whether what was measured fits with its margin: what one project uses may be too much
    /// already, where not all were measured.
    fn fit(&self, memory: Decimal) -> Option<bool> {
        let fits = self.peak? * MEMORY_MARGIN <= memory;
        (self.is_measured || !fits).then_some(fits)
    }
}

/// Returns what may keep builds from running on a machine.
pub(super) fn obstacles(
    origin: &Origin,
    machine: &Machine,
    lengths: &[(i64, u64)],
    known: &KnownOfBuilds,
    question: &Question,
    month: &ScenarioRater<'_>,
) -> Vec<Obstacle> {
    let of = &origin.compute;
    let mut found = Vec::new();
    let is_arm = of.name.starts_with("arm") || of.name.contains(".arm.");
    if machine.is_arm != is_arm {
        found.push(Obstacle::Architecture {
            is_arm: machine.is_arm,
        });
    }
    if let (Some(from), Some(to)) = (of.memory, machine.memory())
        && to < from
    {
        found.push(Obstacle::LessMemory {
            from,
            to,
            peak: known.peak,
            fits: known.fit(to),
        });
    }
    if let (Some(from), Some(to)) = (of.processors, machine.processors())
        && to < from
    {
        found.push(Obstacle::FewerProcessors { from, to });
    }
    // What runs on Lambda needs no Docker.
    if of.grain != Grain::Second {
        match machine.docker() {
            Some(true) => {}
            Some(false) => found.push(Obstacle::NoDocker {
                is_used: known.used_docker,
            }),
            None => found.push(Obstacle::DockerUnknown),
        }
    }
    if let Some(limit) = machine.limit() {
        let too_long = |(length, _): &&(i64, u64)| *length > limit;
        let builds = lengths
            .iter()
            .filter(too_long)
            .map(|(_, count)| count)
            .sum();
        let all: u64 = lengths.iter().map(|(_, count)| count).sum();
        if builds > 0 {
            found.push(Obstacle::TooLong {
                builds,
                all: builds == all && origin.rest.is_zero(),
                minutes: limit / 60_000,
            });
        }
    }
    if let Target::Elsewhere(runner) = &machine.target
        && runner.class == RunnerClass::Larger
    {
        let stated = question.plans.iter().find_map(|change| match change {
            Change::Plan { vendor, plan, .. } if vendor == runner.vendor() => plan.as_deref(),
            _ => None,
        });
        let plan = stated.and_then(|plan| month.catalog.runners.plan(runner.vendor(), plan));
        if plan.is_some_and(|plan| !plan.larger) {
            found.push(Obstacle::NotInPlan);
        }
    }
    found
}
