//! Builds of a month as they are, and on every machine that could run them.

use rust_decimal::Decimal;

use super::{App, AppError, Baseline, BaselineRequest, Field, terms::number};
use crate::{
    domain::{
        alternatives::{Alternatives, Question, alternatives},
        number::parse_quantity,
        pattern::Pattern,
        scenario::{Change, Scenario, Selector, Term},
    },
    inputs::resolve,
};

/// Which builds to compare, and under which terms elsewhere.
#[derive(Clone, Debug, Default)]
pub struct AlternativesRequest {
    /// The month, or stated usage.
    pub baseline: BaselineRequest,
    /// Projects by name; all where none is named.
    pub projects: Vec<String>,
    /// The plan at GitHub, as in `team`.
    pub github_plan: Option<String>,
    /// Repositories are public.
    pub public: bool,
    /// How fast builds run, as in `arm1.*=1.1`.
    pub speeds: Vec<String>,
}

/// The answer, and what it was asked of.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The month.
    pub baseline: Baseline,
    /// What was asked.
    pub question: Question,
    /// The builds here and elsewhere.
    pub found: Alternatives,
}

impl App {
    /// Compares the builds of a month with what they would cost on other machines.
    pub fn alternatives(&self, request: &AlternativesRequest) -> Result<Compared, AppError> {
        let question = self.question(request)?;
        let asked = BaselineRequest {
            history: 0,
            ..request.baseline.clone()
        };
        let baseline = self.gather(&asked)?;
        if let Some(projects) = &question.projects {
            let only = Selector::default().and(Term::Project(projects.clone()));
            let times = Decimal::ONE;
            let scenario = Scenario {
                changes: vec![Change::Builds { only, times }],
                ..Scenario::default()
            };
            self.check_names(&baseline, &scenario)
                .map_err(|error| match error {
                    AppError::NothingMatches { name, .. } => {
                        AppError::unknown(Field::Project)(name)
                    }
                    other => other,
                })?;
        }
        let raters = baseline.raters(self);
        let (rater, month) = raters
            .first()
            .zip(baseline.months.first())
            .ok_or(AppError::EmptyLedger)?;
        let found = alternatives(rater, &month.facts, &question)?;
        let found = found.ok_or_else(|| AppError::NoBuilds {
            month: month.workload.month,
            projects: request.projects.clone(),
        })?;
        Ok(Compared {
            question,
            found,
            baseline,
        })
    }

    fn question(&self, request: &AlternativesRequest) -> Result<Question, AppError> {
        let mut question = Question {
            public: request.public,
            ..Question::default()
        };
        if !request.projects.is_empty() {
            question.projects = Some(Pattern(request.projects.join("|")));
        }
        if let Some(plan) = &request.github_plan
            && let Some(vendor) = resolve::vendor_of_plan(&self.catalog, "github_plan")
        {
            let plan = resolve::plan(vendor, plan);
            let plan = plan.map_err(AppError::unknown(Field::GithubPlan))?;
            question.plans.push(plan);
        }
        for text in &request.speeds {
            let (name, speed) = match text.rsplit_once('=') {
                Some((name, speed)) => (name.trim(), speed.trim()),
                None => ("*", text.trim()),
            };
            let pattern = Pattern(name.to_owned());
            if !self.is_machine(&pattern) {
                let unknown = resolve::target(&self.catalog, name).err();
                return Err(match unknown {
                    Some(unknown) => AppError::unknown(Field::Speed)(unknown),
                    None => AppError::field(Field::Speed, format!("{name} does not run builds")),
                });
            }
            let speed = number(Field::Speed, speed, parse_quantity)?;
            if speed.is_zero() || speed > Decimal::from(1000) {
                let problem = "a speed is above 0 and at most 1000: 1.2 is a fifth faster";
                return Err(AppError::field(Field::Speed, problem));
            }
            question.speeds.push((pattern, speed));
        }
        Ok(question)
    }

    fn is_machine(&self, pattern: &Pattern) -> bool {
        let computes = self.catalog.computes.iter();
        let runners = self
            .catalog
            .runners
            .all
            .iter()
            .map(|runner| &runner.compute);
        computes
            .chain(runners)
            .any(|compute| pattern.matches(&compute.name))
    }
}
