//! What a collection will take, and what it brought: things read, gaps by name, money spent.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Answer, Block, Document, Note, Table, counted, show_money,
    value::{Amount, object, row},
    words::collected as words,
};
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
    let metrics = if plan.metrics == 0 {
        String::new()
    } else {
        let cost = show_money(plan.metrics_cost, &dollars());
        format!(
            ", {cost} for {} of CloudWatch",
            counted(plan.metrics, "metric")
        )
    };
    format!(
        "collect: {accounts}, {places}, {projects}, {pipelines}: at least {}, {time}, {} for {} to \
         Cost Explorer{metrics}; every further page is one more call",
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

object! {
    /// What a collection brought.
    pub struct CollectionAnswer = "pipebill.collection/1" {
        /// How many calls it made.
        calls: u64,
        /// What they cost, in dollars.
        api_cost: Amount,
        /// What was read, by source, account and region.
        rows: Vec<CollectedSource>,
        /// What was not read.
        gaps: Vec<CollectionGap>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One source in one account and region.
    pub struct CollectedSource {
        /// What was read: builds, pipelines.
        source: String = shown("Source", 0),
        /// The account.
        account: String = shown("Account", 1),
        /// The region; null for what has none.
        region: Option<String> = shown("Region", 1),
        /// How many things were read.
        read: u64 = shown("Read", 0),
        /// `complete`, or what is missing.
        status: String = shown("", 0),
    }
}

object! {
    /// Something that was not read.
    pub struct CollectionGap {
        /// What programs match on.
        code: &'static str,
        /// The sentence.
        text: String,
        /// What was to be read.
        source: String,
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// Which part of it, as a day or a project; null for all of it.
        part: Option<String>,
        /// Why not.
        reason: String,
    }
}

impl CollectionGap {
    fn of(gap: &NotCollected) -> Self {
        Self {
            code: "not_collected",
            text: format!("{}: {}", gap.what(), gap.reason),
            source: gap.scope.source.title().to_owned(),
            account: gap.scope.place.account.to_string(),
            region: gap.scope.place.region.to_string(),
            part: Some(gap.part.clone()).filter(|part| !part.is_empty()),
            reason: gap.reason.clone(),
        }
    }
}

/// Lays out a collection.
pub fn answer(outcome: &Outcome) -> Answer<'static> {
    let mut scopes: BTreeMap<_, (u64, Vec<&NotCollected>)> = BTreeMap::new();
    for (scope, read) in &outcome.read {
        scopes.entry(scope).or_default().0 += read;
    }
    for missing in &outcome.missing {
        scopes.entry(&missing.scope).or_default().1.push(missing);
    }
    let mut rows = Vec::new();
    for (scope, (read, missing)) in scopes {
        let status = match &missing[..] {
            [] => "complete".to_owned(),
            [only] if only.part.is_empty() => only.reason.clone(),
            several => format!("{} not read", counted(several.len() as u64, "part")),
        };
        let region = Some(&scope.place.region).filter(|region| **region != Region::global());
        rows.push(CollectedSource {
            source: scope.source.title().to_owned(),
            account: scope.place.account.to_string(),
            region: region.map(ToString::to_string),
            read,
            status,
        });
    }
    let calls: u64 = outcome.calls.iter().map(|(_, count)| count).sum();
    let mut notes = words::gaps(&outcome.missing);
    let remedies = outcome.missing.iter().map(|gap| &gap.remedy);
    notes.extend(words::remedies(remedies));
    notes.extend(outcome.regions_off.iter().map(words::region_off));
    notes.push(words::calls(calls, outcome));
    let document = Document {
        title: "Collected".to_owned(),
        blocks: vec![Block::Table(Table::of(&rows)), Block::All(notes.clone())],
    };
    let value = CollectionAnswer {
        calls,
        api_cost: Amount::new(outcome.cost + outcome.metrics_cost, &dollars()),
        rows,
        gaps: outcome.missing.iter().map(CollectionGap::of).collect(),
        notes,
    };
    Answer::new(document, value)
}

/// Lays out what was tried, and the statements of a policy that would allow what was denied.
pub fn examination(checks: &[Check], statements: &[Value]) -> Answer<'static> {
    let row = |check: &Check| {
        let (status, found) = match &check.found {
            Ok(found) => ("ok", found),
            Err(wrong) => ("missing", wrong),
        };
        CheckedCall {
            status,
            tried: check.what.clone(),
            found: found.clone(),
        }
    };
    let rows: Vec<CheckedCall> = checks.iter().map(row).collect();
    let mut blocks = vec![Block::Table(Table::of(&rows))];
    if !statements.is_empty() {
        blocks.push(Block::Heading("Policy statements to add".to_owned()));
        blocks.push(Block::Lines(
            statements.iter().map(ToString::to_string).collect(),
        ));
    }
    let is_advice = |check: &&Check| matches!(check.remedy, Some(Remedy::Advice { .. }));
    let others = checks.iter().filter(is_advice).map(|check| &check.remedy);
    let others = words::remedies(others);
    if !others.is_empty() {
        blocks.push(Block::Heading("Other fixes".to_owned()));
        blocks.push(Block::Lines(super::words::all(&others)));
    }
    let document = Document {
        title: "Permissions for collecting".to_owned(),
        blocks,
    };
    let value = DoctorAnswer {
        rows,
        statements: statements.iter().cloned().map(Statement).collect(),
        notes: others,
    };
    Answer::new(document, value)
}

object! {
    /// Permissions for collecting, tried.
    pub struct DoctorAnswer = "pipebill.doctor/1" {
        /// What was tried.
        rows: Vec<CheckedCall>,
        /// Statements of an IAM policy that would allow what was denied.
        statements: Vec<Statement>,
        /// Other fixes.
        notes: Vec<Note>,
    }
}

row! {
    /// One thing that was tried.
    pub struct CheckedCall {
        /// `ok` or `missing`.
        status: &'static str = shown("", 0),
        /// What was tried.
        tried: String = shown("Tried", 0),
        /// What was found.
        found: String = shown("Found", 0),
    }
}

/// A statement of an IAM policy, as AWS defines it.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(transparent)]
pub struct Statement(Value);

#[cfg(test)]
impl schemars::JsonSchema for Statement {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Statement".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A statement, in IAM's own form and with its keys.",
            "type": "object",
            "properties": {
                "Sid": {"description": "Its name.", "type": "string"},
                "Effect": {"description": "It allows.", "const": "Allow"},
                "Action": {
                    "description": "The actions.",
                    "type": "array",
                    "items": {"type": "string"},
                },
                "Resource": {
                    "description": "Of what: `*`, a role, or several.",
                    "type": ["string", "array"],
                    "items": {"type": "string"},
                },
            },
            "required": ["Sid", "Effect", "Action", "Resource"],
            "additionalProperties": false,
        })
    }
}
