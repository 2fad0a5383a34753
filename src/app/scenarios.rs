//! Scenarios as they are stated: files, and changes on top of them.

use std::{collections::BTreeSet, path::PathBuf};

use super::{App, AppError, Baseline, Field};
use crate::{
    domain::{
        scenario::{Change, Scenario, Term, workload::UsageGroup},
        services::{CLOUDWATCH, CODEBUILD, CODEPIPELINE},
        storage,
    },
    inputs::scenario_file,
    unknown_name::UnknownName,
};

/// Scenarios as they are stated.
#[derive(Clone, Debug, Default)]
pub struct Scenarios {
    /// Files with one each.
    pub files: Vec<PathBuf>,
    /// Changes on top of every file, as in `active_users=+10`; without files, a scenario of their own.
    pub changes: Vec<String>,
}

impl Scenarios {
    /// Tells whether none is stated.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.changes.is_empty()
    }
}

impl App {
    /// Reads scenarios: those of files, each with the changes on top, else the changes alone.
    pub fn scenarios(&self, stated: &Scenarios) -> Result<Vec<Scenario>, AppError> {
        let field = Field::Change;
        let label = self.label(field);
        let read = |text: &String| scenario_file::parse_set(&label, text, &self.catalog);
        let set = stated
            .changes
            .iter()
            .map(read)
            .collect::<Result<Vec<_>, _>>();
        let set = set.map_err(|error| AppError::stated(field, error))?;
        let mut scenarios = Vec::new();
        for file in &stated.files {
            let mut scenario = scenario_file::read(file, &self.catalog)?;
            scenario.changes.extend(set.iter().cloned());
            scenarios.push(scenario);
        }
        if scenarios.is_empty() {
            let name = match &set[..] {
                [] => "the bill".to_owned(),
                [only] => only.to_string(),
                several => format!("{} changes", several.len()),
            };
            scenarios.push(Scenario {
                name,
                note: None,
                changes: set,
            });
        }
        Ok(scenarios)
    }

    /// Reads the one scenario that may be stated, if it changes anything.
    pub(super) fn scenario(&self, stated: &Scenarios) -> Result<Option<Scenario>, AppError> {
        let one = self.scenarios(stated)?.pop();
        Ok(one.filter(|scenario| !scenario.changes.is_empty()))
    }

    /// A name that nothing has is a slip of the keyboard. A compute type that nobody uses is not: it
    /// is in the catalogue.
    pub fn check_names(&self, baseline: &Baseline, scenario: &Scenario) -> Result<(), AppError> {
        for change in &scenario.changes {
            let Change::Price(price) = change else {
                continue;
            };
            let usage_type = price.usage_type.as_str();
            let mut services = self.catalog.services.keys();
            let months = || baseline.months.iter().chain(&baseline.history);
            let mut groups = months().flat_map(|month| &month.workload.groups);
            if services.any(|service| self.catalog.meter(service, usage_type).is_some())
                || groups.any(|group| group.key.meter.usage_type == price.usage_type)
            {
                continue;
            }
            let known: BTreeSet<&str> = months()
                .flat_map(|month| &month.workload.groups)
                .map(|group| group.key.meter.usage_type.as_str())
                .collect();
            return Err(AppError::NothingMatches {
                scenario: scenario.name.clone(),
                name: UnknownName::new("usage type", usage_type, known),
            });
        }
        let selectors = scenario
            .changes
            .iter()
            .filter_map(|change| change.selector());
        for term in selectors.flat_map(|selector| &selector.terms) {
            if matches!(term, Term::Compute(_) | Term::Region(_)) {
                continue;
            }
            let months = || baseline.months.iter().chain(&baseline.history);
            let groups = || months().flat_map(|month| &month.workload.groups);
            if groups().any(|group| term.holds(&group.subject(), &self.catalog)) {
                continue;
            }
            let (what, pattern) = term.parts();
            let known: BTreeSet<String> = match term {
                Term::Project(_) => groups()
                    .filter_map(|group| match group.key.meter.service.as_str() {
                        CODEBUILD => group.name(),
                        CLOUDWATCH => Some(storage::project(&group.name()?)?.to_owned()),
                        _ => None,
                    })
                    .collect(),
                Term::Pipeline(_) => groups()
                    .filter(|group| group.key.meter.service.as_str() == CODEPIPELINE)
                    .filter_map(UsageGroup::name)
                    .collect(),
                Term::Account(_) => groups()
                    .filter_map(|group| Some(group.key.account.as_ref()?.to_string()))
                    .collect(),
                Term::Tag(key, _) => groups()
                    .filter_map(|group| group.tags.get(key).cloned())
                    .collect(),
                _ => groups().filter_map(UsageGroup::name).collect(),
            };
            let what = match what.split(':').next() {
                Some("project") => "project",
                Some("pipeline") => "pipeline",
                Some("account") => "account",
                Some("tag") => "value of the tag",
                _ => "name",
            };
            let name = UnknownName::new(what, &pattern.0, known.iter().map(String::as_str));
            return Err(AppError::NothingMatches {
                scenario: scenario.name.clone(),
                name,
            });
        }
        Ok(())
    }
}
