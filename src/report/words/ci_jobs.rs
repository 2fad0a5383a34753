//! CI jobs and the builds that ran them.

use super::{Note, count};
use crate::{
    domain::{
        ci_jobs::{JobCosts, JobSummary, JoinedBy, MonthJobs, NoBuild, UnclaimedBuilds},
        money::Money,
    },
    report::{Cell, counted, show_money, show_quantity},
};

/// Runners that are named before they are counted.
const NAMED: usize = 3;

/// Says how jobs were joined to builds, and what was not: the most important first.
pub(crate) fn notes(jobs: &MonthJobs) -> Vec<Note> {
    let mut notes = vec![joined(&jobs.summary)];
    if let Some(costs) = &jobs.costs {
        notes.push(rest(costs));
    }
    notes.extend(without_job(&jobs.summary.without_job));
    if jobs.is_billed {
        notes.push(Note::new(
            "jobs_share_a_project",
            "What a project was billed each day is shared by the billed time of its builds.",
        ));
    }
    let on_fleets = jobs.summary.on_fleets;
    if on_fleets > 0 {
        let text = format!(
            "{} ran on reserved fleets, which are billed as machines: they have no cost of their own.",
            counted(on_fleets, "job")
        );
        notes.push(Note::new("jobs_on_fleets", text).with("jobs", on_fleets));
    }
    notes
}

fn joined(summary: &JobSummary) -> Note {
    let by = |by| summary.joined.get(&by).copied().unwrap_or_default();
    let (runner, label) = (by(JoinedBy::Runner), by(JoinedBy::Label));
    let mut text = format!(
        "Of {}, {} joined to a build: {} by runner name, {} by label and time.",
        counted(summary.jobs, "CI job"),
        were(runner + label),
        count(runner),
        count(label)
    );
    let of = summary.without_build.iter();
    let reasons: Vec<String> = of
        .map(|(reason, jobs)| format!("{} {}", count(*jobs), said(*reason)))
        .collect();
    if !reasons.is_empty() {
        text.push_str(&format!(" The others: {}.", reasons.join(", ")));
    }
    if summary.without_build.contains_key(&NoBuild::NotCollected) {
        let projects: Vec<&str> = summary
            .unknown_projects
            .iter()
            .map(String::as_str)
            .collect();
        let named = match &projects[..] {
            [] => String::new(),
            few if few.len() <= NAMED => format!(" No build of {} is known.", few.join(", ")),
            many => format!(" No build of {} projects is known.", many.len()),
        };
        text.push_str(&named);
        text.push_str(" To read builds: `pipebill collect`.");
    }
    let mut note = Note::new("jobs_joined", text)
        .with("jobs", summary.jobs)
        .with("by_runner", runner)
        .with("by_label", label);
    for (reason, jobs) in &summary.without_build {
        note = note.with(reason.code(), *jobs);
    }
    note
}

fn were(number: u64) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count(number))
}

/// Says what the row without a job is made of.
fn rest(costs: &JobCosts) -> Note {
    let currency = &costs.currency;
    let money = |money: Money| show_money(money, currency);
    let mut parts = vec![format!(
        "builds without a known job {}",
        money(costs.other_builds)
    )];
    if !costs.unnamed_builds.is_zero() {
        parts.push(format!(
            "builds whose project the export omits {}",
            money(costs.unnamed_builds)
        ));
    }
    parts.push(format!(
        "all other usage and charges {}",
        money(costs.other)
    ));
    let amount = |money: Money| Cell::Money(money, currency.clone());
    let mut text = format!("(no CI job): {}.", parts.join(", "));
    if !costs.unnamed_builds.is_zero() {
        text.push_str(" To share those by build: --metered.");
    }
    Note::new("without_ci_job", text)
        .with("jobs_cost", amount(costs.jobs))
        .with("other_builds_cost", amount(costs.other_builds))
        .with("unnamed_builds_cost", amount(costs.unnamed_builds))
        .with("other_cost", amount(costs.other))
}

/// Says why a job has no build.
const fn said(reason: NoBuild) -> &'static str {
    match reason {
        NoBuild::NotCollected => "whose build was not collected",
        NoBuild::Ambiguous => "that fit several builds",
        NoBuild::Repeated => "from an earlier attempt",
        NoBuild::NeverRan => "never ran",
        NoBuild::Elsewhere => "not on CodeBuild",
    }
}

fn without_job(unclaimed: &[UnclaimedBuilds]) -> Option<Note> {
    let builds: u64 = unclaimed.iter().map(|of| of.builds).sum();
    if builds == 0 {
        return None;
    }
    let one = |of: &UnclaimedBuilds| {
        let billed: Vec<String> = of.billed.iter().map(|it| show_quantity(*it)).collect();
        let none = if of.of_no_job {
            ", none of its jobs imported"
        } else {
            ""
        };
        format!(
            "{} {} ({}{none})",
            of.project,
            count(of.builds),
            billed.join(", ")
        )
    };
    let mut largest: Vec<&UnclaimedBuilds> = unclaimed.iter().collect();
    largest.sort_by(|a, b| {
        b.builds
            .cmp(&a.builds)
            .then_with(|| a.project.cmp(&b.project))
    });
    let mut named: Vec<String> = largest.iter().take(NAMED).map(|of| one(of)).collect();
    if unclaimed.len() > NAMED {
        let more = (unclaimed.len() - NAMED) as u64;
        named.push(format!("{} more", counted(more, "project")));
    }
    let text = format!("Builds of runners without a job: {}.", named.join("; "));
    Some(Note::new("builds_without_job", text).with("builds", builds))
}
