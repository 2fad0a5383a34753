//! Whether builds can run on a machine: only what the ledger knows, and what it does not.

use rust_decimal::Decimal;

use super::{Machine, Origin, Question};
use crate::domain::{
    catalog::{Catalog, Grain},
    scenario::{Change, ScenarioRater, Target, workload::MonthEvents},
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
    /// Less memory, and what builds use is not measured.
    LessMemory {
        /// They have, in gigabytes.
        from: Decimal,
        /// They would have.
        to: Decimal,
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
            | Obstacle::TooLong { all: true, .. }
            | Obstacle::NotInPlan => Self::No,
            Obstacle::Architecture { .. }
            | Obstacle::LessMemory { .. }
            | Obstacle::NoDocker { .. }
            | Obstacle::DockerUnknown => Self::Unknown,
            Obstacle::FewerProcessors { .. } | Obstacle::TooLong { .. } => Self::Yes,
        };
        obstacles.iter().map(of).max().unwrap_or(Self::Yes)
    }
}

/// Tells whether builds of a compute type are known to have used a Docker server.
pub(super) fn used_docker_server(
    facts: &MonthEvents,
    origin: &Origin,
    question: &Question,
    catalog: &Catalog,
) -> bool {
    let mut builds = facts.builds.iter().map(|event| &event.build);
    builds.any(|build| {
        let projects = question.projects.as_ref();
        build.docker_server
            && projects.is_none_or(|projects| projects.matches(&build.project))
            && catalog
                .compute(&build.compute)
                .is_some_and(|compute| compute.name == origin.compute.name)
    })
}

/// Returns what may keep builds from running on a machine.
pub(super) fn obstacles(
    origin: &Origin,
    machine: &Machine,
    lengths: &[(i64, u64)],
    used_docker: bool,
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
        found.push(Obstacle::LessMemory { from, to });
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
                is_used: used_docker,
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
        && !runner.is_standard
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
