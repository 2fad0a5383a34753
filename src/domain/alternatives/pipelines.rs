//! What pipelines around builds cost.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{PipelineCost, Question};
use crate::domain::{
    pattern::Pattern,
    rating::RatingError,
    scenario::{Adjust, Change, ScenarioRater, Selector, Term, Total, workload::UsageGroup},
    services::CODEPIPELINE,
};

/// Returns what the pipelines around the builds cost.
pub(super) fn pipelines(
    month: &ScenarioRater<'_>,
    question: &Question,
) -> Result<Option<PipelineCost>, RatingError> {
    let workload = month.workload.of_service(CODEPIPELINE);
    if workload.groups.is_empty() {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    let mut only = Selector::default();
    if let Some(projects) = &question.projects {
        let term = Term::Project(projects.clone());
        let of_project = |group: &&UsageGroup| term.holds(&group.subject(), month.catalog);
        let groups = month.workload.groups.iter().filter(of_project);
        names.extend(groups.filter_map(|group| group.pipeline.as_deref().map(str::to_owned)));
        if names.is_empty() {
            return Ok(None);
        }
        let any = Pattern::any_of(names.iter().map(String::as_str));
        only = only.and(Term::Pipeline(any));
    } else {
        let pipelines = month.workload.pipelines.iter();
        names.extend(pipelines.filter_map(|pipeline| pipeline.name.clone()));
    }
    let month = month.with(&workload);
    let none = |of: Total| Change::Total {
        of,
        only: only.clone(),
        to: Adjust::To(Decimal::ZERO),
    };
    let baseline = month.value(&[])?;
    let without = [none(Total::V1Pipelines), none(Total::V2ActionMinutes)];
    let value = month.value(&without.iter().collect::<Vec<_>>())?;
    Ok(Some(PipelineCost {
        names: names.into_iter().collect(),
        cost: baseline.bill.total() - value.bill.total(),
        complete: baseline.is_complete(),
    }))
}
