//! What a collection will take, and what it brought: things read, gaps by name, money spent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Answer, Block, Cell, Column, Document, Table, counted, json, show_money, uncoded};
use crate::domain::{
    collection::{Announcement, Call, Check, NotCollected, Outcome, Remedy},
    ids::{Currency, Region},
};

fn dollars() -> Currency {
    Currency::new("USD")
}

/// Says what a collection will take, in a line.
pub fn announcement(plan: &Announcement) -> String {
    let time = match plan.seconds {
        0..60 => format!("{} s", plan.seconds.max(1)),
        60..3600 => format!("{} min", plan.seconds.div_ceil(60)),
        more => format!("{} h {} min", more / 3600, more % 3600 / 60),
    };
    let accounts = counted(plan.accounts, "account");
    let places = counted(plan.places, "region");
    let projects = counted(plan.projects, "project");
    let pipelines = counted(plan.pipelines, "pipeline");
    format!(
        "collect: {accounts}, {places}, {projects}, {pipelines}: at least {}, {time}, {} for {} to \
         Cost Explorer; every further page is one more call",
        counted(plan.calls, "call"),
        show_money(plan.cost, &dollars()),
        counted(plan.paid_calls, "request"),
    )
}

/// Says how a call went, and on request each attempt at it.
pub fn call(call: &Call<'_>, with_attempts: bool) -> String {
    let mut text = format!(
        "call: {} {} {} page {}, {}, {} ms{}",
        call.action,
        call.place.account,
        call.place.region,
        call.page,
        counted(call.attempts.len() as u64, "attempt"),
        call.took.as_millis(),
        call.failed
            .as_ref()
            .map_or(String::new(), |why| format!(": {why}")),
    );
    if with_attempts {
        for (at, attempt) in call.attempts.iter().enumerate() {
            let status = attempt
                .status
                .map_or("no answer".to_owned(), |status| format!("HTTP {status}"));
            text += &format!(
                "; attempt {}: {status} after {} ms",
                at + 1,
                attempt.took.as_millis()
            );
        }
    }
    text
}

/// Lays out a collection.
pub fn document(outcome: &Outcome) -> Answer<'static> {
    let mut table = Table::new(vec![
        Column::new("Source", "source", 0),
        Column::new("Account", "account", 1),
        Column::new("Region", "region", 1),
        Column::new("Read", "read", 0),
        Column::new("", "status", 0),
    ]);
    let mut rows: BTreeMap<_, (u64, Vec<&NotCollected>)> = BTreeMap::new();
    for (scope, read) in &outcome.read {
        rows.entry(scope).or_default().0 += read;
    }
    for missing in &outcome.missing {
        rows.entry(&missing.scope).or_default().1.push(missing);
    }
    for (scope, (read, missing)) in rows {
        let status = match &missing[..] {
            [] => "complete".to_owned(),
            [only] if only.part.is_empty() => only.reason.clone(),
            several => format!("{} not read", counted(several.len() as u64, "part")),
        };
        let region = Some(&scope.place.region).filter(|region| **region != Region::global());
        table.rows.push(vec![
            Cell::text(scope.source.title()),
            Cell::text(scope.place.account.as_str()),
            Cell::text(region.map_or("", Region::as_str)),
            Cell::Count(read),
            Cell::text(status),
        ]);
    }
    let calls: u64 = outcome.calls.iter().map(|(_, count)| count).sum();
    let mut notes = gaps(&outcome.missing);
    notes.extend(remedies(outcome.missing.iter().map(|gap| &gap.remedy)));
    notes.extend(outcome.notes.iter().cloned());
    notes.push(format!(
        "{}, {} for Cost Explorer.",
        counted(calls, "call"),
        show_money(outcome.cost, &dollars())
    ));
    json::untyped(
        "pipebill.collection/1",
        vec![
            ("calls", Cell::Count(calls)),
            ("api_cost", Cell::Money(outcome.cost, dollars())),
        ],
        Document {
            title: "Collected".to_owned(),
            blocks: vec![Block::Table(table), Block::Notes(uncoded(notes))],
        },
    )
}

/// More places or parts that miss for one reason are counted: the table has each.
const NAMED: usize = 3;

/// Says what is missing and why: a source once for a reason, whether it misses in one region or in all.
fn gaps(missing: &[NotCollected]) -> Vec<String> {
    let mut by_reason: BTreeMap<_, Vec<&NotCollected>> = BTreeMap::new();
    for gap in missing {
        let key = (gap.scope.source, &gap.scope.place.account, &gap.reason);
        by_reason.entry(key).or_default().push(gap);
    }
    let mut lines = Vec::new();
    for ((source, account, reason), gaps) in by_reason {
        let mut say = |what: &str| lines.push(format!("Not collected: {what}: {reason}."));
        if gaps.len() <= NAMED {
            for gap in gaps {
                say(&gap.what());
            }
            continue;
        }
        let regions = gaps.iter().map(|gap| &gap.scope.place.region);
        let scope = match regions.collect::<BTreeSet<_>>().len() {
            1 => gaps[0].scope.to_string(),
            several => format!("{} in {several} regions, account {account}", source.title()),
        };
        let parts = gaps.iter().map(|gap| gap.part.as_str());
        let parts: BTreeSet<&str> = parts.filter(|part| !part.is_empty()).collect();
        match (parts.first(), parts.last()) {
            (Some(first), Some(last)) if first != last => {
                say(&format!(
                    "{scope}: {first} to {last}, {} in all",
                    gaps.len()
                ));
            }
            (Some(only), _) => say(&format!("{scope}: {only}")),
            _ => say(&scope),
        }
    }
    lines
}

/// Says what would mend gaps, each advice once with the actions it is about.
fn remedies<'r>(found: impl Iterator<Item = &'r Option<Remedy>>) -> Vec<String> {
    const POLICY: &str = "Attach the policy that `pipebill policy` prints, with the same flags";
    let mut actions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for remedy in found.flatten() {
        let (advice, action) = match remedy {
            Remedy::Allow(action) => (POLICY, Some(*action)),
            Remedy::Advice { advice, action } => (advice.as_str(), *action),
        };
        actions.entry(advice).or_default().extend(action);
    }
    let lines = actions.into_iter().map(|(advice, actions)| {
        if actions.is_empty() {
            return format!("{advice}.");
        }
        let actions: Vec<&str> = actions.into_iter().collect();
        format!("{advice}. Denied: {}.", actions.join(", "))
    });
    lines.collect()
}

/// Lays out what was tried, and the statements of a policy that would allow what was denied.
pub fn examination(checks: &[Check], statements: &[Value]) -> Answer<'static> {
    let mut table = Table::new(vec![
        Column::new("", "status", 0),
        Column::new("Tried", "tried", 0),
        Column::new("Found", "found", 0),
    ]);
    for check in checks {
        let (status, found) = match &check.found {
            Ok(found) => ("ok", found),
            Err(wrong) => ("missing", wrong),
        };
        table.rows.push(vec![
            Cell::text(status),
            Cell::text(&check.what),
            Cell::text(found),
        ]);
    }
    let mut blocks = vec![Block::Table(table)];
    if !statements.is_empty() {
        blocks.push(Block::Heading("Policy statements to add".to_owned()));
        blocks.push(Block::Lines(
            statements.iter().map(ToString::to_string).collect(),
        ));
    }
    let is_advice = |check: &&Check| matches!(check.remedy, Some(Remedy::Advice { .. }));
    let others = remedies(checks.iter().filter(is_advice).map(|check| &check.remedy));
    if !others.is_empty() {
        blocks.push(Block::Heading("Other fixes".to_owned()));
        blocks.push(Block::Lines(others));
    }
    json::untyped(
        "pipebill.doctor/1",
        vec![],
        Document {
            title: "Permissions for collecting".to_owned(),
            blocks,
        },
    )
}
