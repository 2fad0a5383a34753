//! Savings for people and files.

use serde_json::{Value, json};

use super::{Block, Cell, Column, Document, Note, Table, show_money, words};
use crate::domain::{
    ids::Currency,
    number::plain,
    optimize::{Finding, Optimization},
    scenario::{Percentiles, Scenario},
};

/// The findings that are explained, and the lines of evidence and changes of each, unless all are
/// asked for.
const FIRST: usize = 3;

/// Lays out the first findings: a row for each, then its evidence and the change to make.
pub fn document(found: &Optimization, top: usize, explain: bool) -> Document {
    let mut blocks = vec![Block::Table(table(found, top))];
    let explained = if explain { top } else { FIRST.min(top) };
    for (number, finding) in (1..).zip(&found.findings).take(explained) {
        blocks.push(Block::Heading(format!(
            "{number}. {}",
            words::optimize::title(&finding.proposed)
        )));
        blocks.push(Block::Lines(lines(finding, &found.currency, explain)));
    }
    blocks.push(Block::Explained {
        notes: words::optimize::notes(found, top),
        all: explain,
    });
    let money = |amount| Cell::Money(amount, found.currency.clone());
    Document {
        schema: "pipebill.optimize/1",
        title: format!("Savings, from {}", months(found)),
        facts: vec![
            ("currency", Cell::text(found.currency.as_str())),
            ("cost", money(found.cost)),
        ],
        blocks,
    }
}

fn months(found: &Optimization) -> String {
    match &found.months[..] {
        [] => "nothing".to_owned(),
        [only] => only.to_string(),
        [first, .., last] => format!("{first} to {last}"),
    }
}

fn range(spread: &Percentiles, currency: &Currency) -> String {
    format!(
        "{} to {}",
        show_money(spread.p10, currency),
        show_money(spread.p90, currency)
    )
}

fn table(found: &Optimization, top: usize) -> Table {
    let mut table = Table::new(vec![
        Column::new("#", "number", 0),
        Column::in_files("kind"),
        Column::in_files("subject"),
        Column::new("What", "title", 0),
        Column::new("Saves a month", "saving_p50", 0),
        Column::shown("P10 to P90", 2),
        Column::in_files("saving_p10"),
        Column::in_files("saving_p90"),
        Column::new("Min. speed", "min_speed", 3),
        Column::new("Conflicts with", "overlaps", 1),
        Column::in_files("build_by_build"),
        Column::in_files("changes"),
        Column::in_files("currency"),
    ]);
    let money = |amount| Cell::Money(amount, found.currency.clone());
    for (number, finding) in (1..).zip(&found.findings).take(top) {
        table.rows.push(vec![
            Cell::Count(number),
            Cell::text(finding.kind.name()),
            Cell::text(&finding.subject),
            Cell::text(words::optimize::title(&finding.proposed)),
            money(finding.saving.p50),
            Cell::text(range(&finding.saving, &found.currency)),
            money(finding.saving.p10),
            money(finding.saving.p90),
            finding.min_speed.map_or(Cell::Empty, Cell::Number),
            Cell::text(numbers(&finding.overlaps)),
            Cell::Flag(finding.build_by_build),
            Cell::text(changes(&finding.scenario).join(" ")),
            Cell::text(found.currency.as_str()),
        ]);
    }
    table
}

/// Numbers findings as the table does, from 1.
pub(super) fn numbers(findings: &[usize]) -> String {
    let numbers: Vec<String> = findings.iter().map(|at| (at + 1).to_string()).collect();
    numbers.join(", ")
}

fn changes(scenario: &Scenario) -> Vec<String> {
    scenario.changes.iter().map(ToString::to_string).collect()
}

fn lines(finding: &Finding, currency: &Currency, explain: bool) -> Vec<String> {
    let most = if explain { usize::MAX } else { FIRST };
    let mut lines = Vec::new();
    let mut part = |label: &str, texts: Vec<String>| {
        let more = texts.len().saturating_sub(most);
        for text in texts.into_iter().take(most) {
            lines.push(format!("  {label:<9} {text}"));
        }
        if more > 0 {
            lines.push(format!("  {label:<9} {more} more: --explain"));
        }
    };
    let text = |note: Note| note.text;
    let evidence = finding.evidence.iter();
    let evidence = evidence.map(|it| words::optimize::evidence(it, currency));
    part("evidence", evidence.map(text).collect());
    let pays = words::optimize::min_speed(finding);
    part("min speed", pays.into_iter().map(text).collect());
    let assumptions = finding.assumptions.iter().map(words::optimize::assumption);
    part("assumes", assumptions.map(text).collect());
    let risks = finding.risks.iter().map(words::optimize::risk);
    part("risk", risks.map(text).collect());
    let changes = changes(&finding.scenario);
    let set = changes.iter().map(|change| format!("--set '{change}'"));
    part("change", set.collect());
    lines
}

/// Renders findings as `pipebill.optimize/1`.
pub fn json(found: &Optimization) -> String {
    let spread = |spread: &Percentiles| {
        json!({
            "p10": spread.p10.to_string(),
            "p50": spread.p50.to_string(),
            "p90": spread.p90.to_string(),
        })
    };
    let note = |note: Note| note.text;
    let finding = |(number, finding): (usize, &Finding)| -> Value {
        json!({
            "number": number,
            "kind": finding.kind.name(),
            "subject": finding.subject,
            "title": words::optimize::title(&finding.proposed),
            "saving": spread(&finding.saving),
            "saving_over": if finding.of_future { "forecast" } else { "history" },
            "by_month": finding.by_month.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "min_speed": finding.min_speed.map(plain),
            "build_by_build": finding.build_by_build,
            "evidence": finding.evidence.iter().map(|it| note(words::optimize::evidence(it, &found.currency))).collect::<Vec<_>>(),
            "assumptions": finding.assumptions.iter().map(|it| note(words::optimize::assumption(it))).collect::<Vec<_>>(),
            "risks": finding.risks.iter().map(|it| note(words::optimize::risk(it))).collect::<Vec<_>>(),
            "changes": changes(&finding.scenario),
            "overlaps": finding.overlaps.iter().map(|at| at + 1).collect::<Vec<_>>(),
        })
    };
    let findings: Vec<Value> = (1..).zip(&found.findings).map(finding).collect();
    let value = json!({
        "schema": "pipebill.optimize/1",
        "currency": found.currency.as_str(),
        "months": found.months.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cost": found.cost.to_string(),
        "complete": found.complete,
        "builds": found.builds,
        "findings": findings,
        "together": found.best_combination.as_ref().map(|together| json!({
            "findings": together.findings.iter().map(|at| at + 1).collect::<Vec<_>>(),
            "proven": together.proven,
            "saving": spread(&together.saving),
            "changes": changes(&together.scenario),
        })),
        "below_min_saving": found.below_min_saving,
        "not_rated": found.unrated,
        "not_compared": found.not_compared.iter().map(|it| note(words::optimize::not_compared(it, &found.currency))).collect::<Vec<_>>(),
        "observations": found.observations.iter().map(|it| note(words::optimize::observation(it, &found.currency))).collect::<Vec<_>>(),
    });
    super::json::pretty(&value)
}

/// Returns a subject as a part of a file name.
pub fn slug(subject: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let text: String = subject.chars().map(letter).take(40).collect();
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// Returns the scenario of a finding under the name and the first evidence that people read.
pub fn scenario(found: &Optimization, finding: &Finding) -> Scenario {
    let evidence = finding.evidence.first();
    let evidence = evidence.map(|it| words::optimize::evidence(it, &found.currency));
    Scenario {
        name: words::optimize::title(&finding.proposed),
        note: evidence.map(|note| note.text),
        ..finding.scenario.clone()
    }
}

/// Returns what a scenario file says above its changes.
pub fn comments(found: &Optimization, finding: &Finding) -> Vec<String> {
    let mut comments = vec![format!(
        "Would have saved {} a month ({}) in {}.",
        show_money(finding.saving.p50, &found.currency),
        range(&finding.saving, &found.currency),
        months(found)
    )];
    let assumptions = finding.assumptions.iter().map(words::optimize::assumption);
    comments.extend(assumptions.map(|note| format!("Assumes: {}", note.text)));
    let risks = finding.risks.iter().map(words::optimize::risk);
    comments.extend(risks.map(|note| format!("Risk: {}", note.text)));
    comments
}
