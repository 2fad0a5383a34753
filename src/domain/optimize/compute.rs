//! Where a project's builds would cost less: on ARM, on a smaller machine, on Lambda.

use rust_decimal::Decimal;

use super::{Candidate, Kind, Look, Project, percent};
use crate::domain::{
    catalog::{Compute, Grain},
    quantity::{Quantity, Unit},
    scenario::{Change, LAMBDA_LIMIT, Pattern, Selector, Target, Term},
};

/// Sizes in order; a size down has about half the processors.
const SIZES: [&str; 5] = ["small", "medium", "large", "xlarge", "2xlarge"];

/// How fast builds run a size down, if nobody tried: half of a build is waiting and single-threaded.
const SIZE_DOWN_SPEED: Decimal = Decimal::from_parts(75, 0, 0, false, 2);

/// Lambda sizes by the memory of the machine they replace: no smaller than it.
const LAMBDA: [(&str, &str); 4] = [
    ("general1.small", "lambda.x86-64.4GB"),
    ("general1.medium", "lambda.x86-64.8GB"),
    ("arm1.small", "lambda.arm.4GB"),
    ("arm1.medium", "lambda.arm.8GB"),
];

impl Look<'_> {
    /// Proposes other compute types for each project.
    pub(super) fn compute(&mut self) {
        for project in self.projects() {
            let from = self.valuer.catalog.computes[project.compute].clone();
            if from.grain != Grain::Minute {
                continue;
            }
            if let Some(size) = from.name.strip_prefix("general1.") {
                let risks = vec![
                    "Images, tools and tests must run on ARM; a build for x86 only must be \
                     cross-compiled."
                        .to_owned(),
                ];
                let to = format!("arm1.{size}");
                self.propose(&project, &from, &to, Decimal::ONE, Kind::Arm, risks);
            }
            if let Some((family, size)) = from.name.split_once('.')
                && let Some(at) = SIZES.iter().position(|known| *known == size)
                && at > 0
                && !family.contains("gpu")
            {
                let to = format!("{family}.{}", SIZES[at - 1]);
                let risks = vec![format!(
                    "Half the processors and memory: a build that needs {} fails.",
                    from.size
                )];
                self.propose(&project, &from, &to, SIZE_DOWN_SPEED, Kind::Smaller, risks);
            }
            self.lambda(&project, &from);
        }
    }

    fn lambda(&mut self, project: &Project, from: &Compute) {
        let Some((_, to)) = LAMBDA.iter().find(|(name, _)| *name == from.name) else {
            return;
        };
        let lots = &self.valuer.workload.lots;
        let builds = || project.lots.iter().flat_map(|at| &lots[*at].builds);
        let longest = builds().map(|build| build.length).max().unwrap_or(0);
        // Only where every build is known to be short enough.
        let all_known = project.lots.iter().all(|at| lots[*at].rest.is_zero());
        if !all_known || longest == 0 || longest > LAMBDA_LIMIT {
            return;
        }
        let risks = vec![
            "Lambda has no privileged mode (no Docker builds), no VPC, no cache, and ends a build \
             after 15 minutes."
                .to_owned(),
        ];
        self.propose(project, from, to, Decimal::ONE, Kind::Lambda, risks);
    }

    fn propose(
        &mut self,
        project: &Project,
        from: &Compute,
        to: &str,
        speed: Decimal,
        kind: Kind,
        risks: Vec<String>,
    ) {
        let Some(to) = self.valuer.catalog.compute(to).cloned() else {
            return;
        };
        let lot = &self.valuer.workload.lots[project.lots[0]];
        if self.valuer.unit_price(lot, &to.meter).is_none() {
            let what = format!("{} in {}", to.name, lot.key.region);
            self.not_judged(what, "its price is not known: state it with --price");
            return;
        }
        let mut only =
            Selector::compute(&from.name).and(Term::Project(Pattern::exactly(&project.name)));
        only = only.and(Term::Region(Pattern(lot.key.region.to_string())));
        if let Some(account) = &lot.key.account {
            only = only.and(Term::Account(Pattern(account.to_string())));
        }
        let total: Decimal = self.same_compute(project.compute);
        let unit = if from.grain == Grain::Second {
            Unit::Second
        } else {
            Unit::Minute
        };
        let mut evidence = vec![format!(
            "{} of {} in the last month, {} of all of it{}",
            Quantity::new(project.units, unit),
            from.name,
            percent(project.units, total),
            match project.builds {
                0 => ", known as a total only".to_owned(),
                builds => format!(", {builds} builds one by one"),
            }
        )];
        if kind == Kind::Lambda {
            let longest = project
                .lots
                .iter()
                .flat_map(|at| &self.valuer.workload.lots[*at].builds)
                .map(|build| build.length)
                .max();
            let seconds = Decimal::from(longest.unwrap_or(0)) / Decimal::ONE_THOUSAND;
            evidence.push(format!(
                "the longest build took {}",
                Quantity::new(seconds.ceil(), Unit::Second)
            ));
        }
        let pace = if speed == Decimal::ONE {
            "Builds take as long as before.".to_owned()
        } else {
            "Builds run at three quarters of their speed: half of a build is not bound by \
             processors."
                .to_owned()
        };
        self.candidates.push(Candidate {
            kind,
            title: format!("{}: {} to {}", project.name, from.name, to.name),
            changes: vec![Change::Compute {
                only,
                to: Target::OnDemand(to),
                speed,
            }],
            lots: Some(project.lots.clone()),
            touches: Vec::new(),
            evidence,
            assumptions: vec![pace],
            risks,
        });
    }

    fn same_compute(&self, compute: usize) -> Decimal {
        let meter = &self.valuer.catalog.computes[compute].meter;
        let lots = self.valuer.workload.lots.iter();
        let quantities = self.valuer.quantities();
        lots.zip(quantities)
            .filter(|(lot, _)| lot.key.meter == *meter)
            .map(|(_, quantity)| *quantity)
            .sum()
    }
}
