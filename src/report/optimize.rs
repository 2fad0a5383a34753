//! Savings for people and files.

use serde_json::{Value, json};

use super::{Block, Cell, Column, Document, Table, show_money};
use crate::domain::{
    ids::Currency,
    number::plain,
    optimize::{Finding, Optimization},
    percentiles::Percentiles,
    scenario::Scenario,
};

/// The findings that are explained, and the lines of evidence and changes of each, unless all are
/// asked for.
const FIRST: usize = 3;

/// Lays out the first findings: a row for each, then its evidence and the change to make.
pub fn document(found: &Optimization, top: usize, explain: bool) -> Document {
    let mut blocks = vec![Block::Table(table(found, top))];
    let explained = if explain { top } else { FIRST.min(top) };
    for (number, finding) in (1..).zip(&found.findings).take(explained) {
        blocks.push(Block::Heading(format!("{number}. {}", finding.title)));
        blocks.push(Block::Lines(lines(finding, explain)));
    }
    blocks.push(Block::Notes(notes(found, top)));
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
        Column::new("Not with", "overlaps", 1),
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
            Cell::text(&finding.title),
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
fn numbers(findings: &[usize]) -> String {
    let numbers: Vec<String> = findings.iter().map(|at| (at + 1).to_string()).collect();
    numbers.join(", ")
}

fn changes(scenario: &Scenario) -> Vec<String> {
    scenario.changes.iter().map(ToString::to_string).collect()
}

fn lines(finding: &Finding, explain: bool) -> Vec<String> {
    let most = if explain { usize::MAX } else { FIRST };
    let mut lines = Vec::new();
    let mut part = |label: &str, texts: &[String], most: usize| {
        for text in texts.iter().take(most) {
            lines.push(format!("  {label:<9} {text}"));
        }
        if texts.len() > most {
            let more = texts.len() - most;
            lines.push(format!("  {label:<9} and {more} more: --explain shows all"));
        }
    };
    part("evidence", &finding.evidence, most);
    let pays = finding.min_speed.map(|speed| {
        let speed = plain(speed);
        format!("as long as builds run at least {speed} times as fast as now")
    });
    part("pays", &pays.into_iter().collect::<Vec<_>>(), most);
    part("assumes", &finding.assumptions, most);
    part("risk", &finding.risks, most);
    let set: Vec<String> = changes(&finding.scenario)
        .iter()
        .map(|change| format!("--set '{change}'"))
        .collect();
    part("change", &set, most);
    lines
}

fn notes(found: &Optimization, top: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let show = |amount| show_money(amount, &found.currency);
    if let Some(together) = &found.best_combination {
        notes.push(format!(
            "Together {} save {} a month ({}), rated as one scenario{}. What is not with one of them \
             changes the same usage: do not add it.",
            numbers(&together.findings),
            show(together.saving.p50),
            range(&together.saving, &found.currency),
            if together.proven {
                "; no other choice adds up to more"
            } else {
                ""
            }
        ));
    } else if found.findings.is_empty() {
        notes.push("Nothing was found that saves as much as was asked for.".to_owned());
    }
    if found.findings.len() > top {
        notes.push(format!(
            "{top} of {} findings are shown: --top. What each rests on: --explain.",
            found.findings.len()
        ));
    }
    let count = found.months.len();
    notes.push(match (found.builds, count) {
        (0, _) => format!(
            "From the totals of {}. No builds are known one by one: `pipebill collect` reads them, and \
             rounding, fleets, Lambda and second tries can be looked at.",
            match count {
                1 => "one month".to_owned(),
                _ => format!("{count} months, of which the last decides what is named"),
            }
        ),
        (builds, 1) => format!("Build by build: {builds} builds of one month, which is no range."),
        (builds, _) => format!(
            "Build by build: {builds} builds in the last of {count} months, which decides what is \
             named{}.",
            if found.ahead {
                ""
            } else {
                "; P10 to P90 are over these months"
            }
        ),
    });
    if found.ahead {
        notes.push(
            "Savings and their P10 to P90 are those of the next whole month, over 2,000 futures; of \
             logs and artifacts in storage, which are not forecast, those of the last months."
                .to_owned(),
        );
    }
    if found.below_min_saving > 0 {
        notes.push(match found.below_min_saving {
            1 => "1 smaller saving is not shown: --min-saving.".to_owned(),
            several => format!("{several} smaller savings are not shown: --min-saving."),
        });
    }
    if found.unrated > 0 {
        notes.push(format!(
            "{} more proposals, each estimated to save less than those above, were not rated.",
            found.unrated
        ));
    }
    notes.extend(found.observations.iter().cloned());
    let missing = found.not_compared.iter();
    notes.extend(missing.map(|what| format!("Not compared: {what}.")));
    notes
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
    let finding = |(number, finding): (usize, &Finding)| -> Value {
        json!({
            "number": number,
            "kind": finding.kind.name(),
            "subject": finding.subject,
            "title": finding.title,
            "saving": spread(&finding.saving),
            "saving_over": if finding.of_future { "forecast" } else { "history" },
            "by_month": finding.by_month.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "min_speed": finding.min_speed.map(plain),
            "build_by_build": finding.build_by_build,
            "evidence": finding.evidence,
            "assumptions": finding.assumptions,
            "risks": finding.risks,
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
        "not_compared": found.not_compared,
        "observations": found.observations,
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

/// Returns what a scenario file says above its changes.
pub fn comments(found: &Optimization, finding: &Finding) -> Vec<String> {
    let mut comments = vec![format!(
        "Would have saved {} a month ({}), {}.",
        show_money(finding.saving.p50, &found.currency),
        range(&finding.saving, &found.currency),
        months(found)
    )];
    comments.extend(
        finding
            .assumptions
            .iter()
            .map(|text| format!("Assumes: {text}")),
    );
    comments.extend(finding.risks.iter().map(|text| format!("Risk: {text}")));
    comments
}
