//! Findings that touch the same usage, and the best of them together.

use std::collections::BTreeSet;

use super::combine;
use super::{Ahead, BestCombination, Finding, PastMonth};
use crate::domain::scenario::Value;
use crate::domain::{
    catalog::Catalog,
    ids::ResourceId,
    money::Money,
    percentiles::Percentiles,
    rating::RatingError,
    scenario::{Change, Scenario, workload::UsageGroup},
    services::{CODEBUILD, CODEPIPELINE},
    storage::stored,
};

/// Tells whether a change is about a lot.
pub(super) fn touches(change: &Change, group: &UsageGroup, catalog: &Catalog) -> bool {
    let service = group.key.meter.service.as_str();
    let is_meant = match change {
        Change::Compute { .. } | Change::Builds { .. } | Change::Minutes { .. } => {
            service == CODEBUILD
        }
        Change::PipelineType { .. } => service == CODEPIPELINE,
        Change::Total { of, .. } => group.key.meter == of.meter(),
        Change::Storage { left, .. } | Change::Retention { left, .. } => {
            let resource = group.resource.as_ref().map(ResourceId::as_str);
            stored(&group.key.meter, resource) == Some(*left)
        }
        _ => true,
    };
    let only = change.selector();
    is_meant && only.is_none_or(|only| only.matches(&group.subject(), catalog))
}

/// Notes which findings change the same usage.
pub(super) fn overlaps(findings: &mut [Finding], last: &PastMonth<'_>) {
    let (groups, catalog) = (&last.rater.workload.groups, last.rater.catalog);
    let touched: Vec<BTreeSet<usize>> = findings
        .iter()
        .map(|finding| {
            let changes = &finding.scenario.changes;
            let is_touched = |at: &usize| {
                changes
                    .iter()
                    .any(|change| touches(change, &groups[*at], catalog))
            };
            (0..groups.len()).filter(is_touched).collect()
        })
        .collect();
    for (at, finding) in findings.iter_mut().enumerate() {
        finding.overlaps = (0..touched.len())
            .filter(|other| *other != at && !touched[at].is_disjoint(&touched[*other]))
            .collect();
    }
}

/// Takes the best findings that go together, and rates them as one.
pub(super) fn together(
    findings: &[Finding],
    months: &[PastMonth<'_>],
    before: &[Value],
    ahead: Option<&Ahead<'_>>,
) -> Result<Option<BestCombination>, RatingError> {
    let savings: Vec<Money> = findings.iter().map(|finding| finding.saving.p50).collect();
    let overlaps: Vec<&[usize]> = findings.iter().map(|f| f.overlaps.as_slice()).collect();
    let (taken, proven) = combine::best(&savings, &overlaps);
    if taken.len() < 2 {
        return Ok(None);
    }
    let of_taken = taken.iter().map(|at| &findings[*at].scenario.changes);
    let scenario = Scenario {
        name: format!("{} findings together", taken.len()),
        note: None,
        changes: of_taken.flatten().cloned().collect(),
    };
    let mut savings = Vec::with_capacity(months.len());
    for (month, before) in months.iter().zip(before) {
        savings.push(before.bill.total() - month.rater.total_of(&scenario)?);
    }
    // Where futures know a part of it only, that part is theirs and the rest is the past's.
    let (mut saving, is_ahead) = (
        Percentiles::of(savings),
        taken.iter().any(|at| findings[*at].of_future),
    );
    if let Some(ahead) = ahead.filter(|_| is_ahead) {
        let (known, rest): (Vec<usize>, Vec<usize>) =
            taken.iter().partition(|at| findings[**at].of_future);
        let of_known = known.iter().flat_map(|at| &findings[*at].scenario.changes);
        let changes: Vec<Change> = of_known.cloned().collect();
        if let Some(Some(known)) = ahead(&[&changes]).pop() {
            let rest = rest.iter().map(|at| findings[*at].saving);
            saving = rest.fold(known, Percentiles::plus);
        }
    }
    Ok(Some(BestCombination {
        findings: taken,
        proven,
        saving,
        scenario,
    }))
}
