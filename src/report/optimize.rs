//! Savings for people and files.

use super::{Block, Cell, Column, Document, Table};
use crate::domain::{
    ids::Currency,
    number::plain,
    optimize::{Finding, Optimization},
};

/// Findings that are told in full.
const TOLD: usize = 5;

/// Lays findings out: a row each, the largest saving first.
pub fn document(name: &str, found: &Optimization, top: usize, currency: &Currency) -> Document {
    let shown = &found.findings[..found.findings.len().min(top)];
    let mut blocks = vec![Block::Table(table(shown, currency))];
    for (at, finding) in shown.iter().enumerate().take(TOLD) {
        blocks.push(Block::Lines(told(at + 1, finding)));
    }
    if !found.not_judged.is_empty() {
        let mut unknown = Table::new(vec![
            Column::new("Not judged", "what", 0),
            Column::new("Why", "why", 0),
        ]);
        for one in &found.not_judged {
            unknown
                .rows
                .push(vec![Cell::text(&one.what), Cell::text(&one.why)]);
        }
        blocks.push(Block::Detail("not_judged", unknown));
    }
    blocks.push(Block::Notes(notes(found, shown)));
    Document {
        schema: "pipebill.optimize/1",
        title: format!("What would cost less, on {name}"),
        facts: vec![
            ("on", Cell::text(name)),
            ("currency", Cell::text(currency.as_str())),
            ("findings", Cell::Count(found.findings.len() as u64)),
        ],
        blocks,
    }
}

fn table(findings: &[Finding], currency: &Currency) -> Table {
    let money = |amount| Cell::Money(amount, currency.clone());
    let mut table = Table::new(vec![
        Column::new("#", "rank", 0),
        Column::new("What to do", "title", 0),
        Column::in_files("kind"),
        Column::new("P10", "p10", 3),
        Column::new("Saves a month", "p50", 0),
        Column::new("P90", "p90", 3),
        Column::new("Pays from speed", "break_even_speed", 4),
        Column::new("Overlaps", "overlaps", 2),
        Column::in_files("last_month"),
        Column::in_files("months"),
        Column::in_files("set"),
        Column::in_files("evidence"),
        Column::in_files("assumptions"),
        Column::in_files("risks"),
        Column::in_files("currency"),
    ]);
    for (at, finding) in findings.iter().enumerate() {
        let overlaps: Vec<String> = finding.overlaps.iter().map(ToString::to_string).collect();
        table.rows.push(vec![
            Cell::Count(at as u64 + 1),
            Cell::text(&finding.title),
            Cell::text(finding.kind.name()),
            money(finding.saving.p10),
            money(finding.saving.p50),
            money(finding.saving.p90),
            finding.break_even_speed.map_or(Cell::Empty, Cell::Number),
            Cell::text(overlaps.join(" ")),
            money(finding.last_month),
            Cell::Count(finding.months as u64),
            Cell::text(set(finding).join(" ")),
            Cell::text(finding.evidence.join("; ")),
            Cell::text(finding.assumptions.join(" ")),
            Cell::text(finding.risks.join(" ")),
            Cell::text(currency.as_str()),
        ]);
    }
    table
}

/// Returns what to type to run a finding.
fn set(finding: &Finding) -> Vec<String> {
    let changes = finding.scenario.changes.iter();
    changes.map(|change| format!("--set '{change}'")).collect()
}

/// Tells a finding in full.
fn told(rank: usize, finding: &Finding) -> Vec<String> {
    let mut lines = vec![format!("{rank}. {}", finding.title)];
    let mut say = |label: &str, text: &str| lines.push(format!("  {label:<9} {text}"));
    for set in set(finding) {
        say("whatif", &set);
    }
    for text in &finding.evidence {
        say("evidence", text);
    }
    if let Some(speed) = finding.break_even_speed {
        say("pays", &format!("from {} times the speed on", plain(speed)));
    }
    for text in &finding.assumptions {
        say("assumes", text);
    }
    for text in &finding.risks {
        say("risk", text);
    }
    lines
}

fn notes(found: &Optimization, shown: &[Finding]) -> Vec<String> {
    let mut notes = Vec::new();
    match shown.first() {
        None => notes.push("Nothing found that would cost less.".to_owned()),
        Some(first) => notes.push(format!(
            "What each saves by itself, over {} months of usage: half of them above P50, one in ten \
             below P10. Findings that overlap are about the same usage: their savings do not add up. \
             --write DIR writes each as a scenario file for `pipebill whatif`.",
            first.months
        )),
    }
    let hidden = found
        .findings
        .get(shown.len()..)
        .map_or(0, <[Finding]>::len);
    if hidden > 0 {
        notes.push(format!("{hidden} more with --top."));
    }
    if found.smaller > 0 {
        notes.push(format!("{} smaller savings are left out.", found.smaller));
    }
    notes.extend(found.observations.iter().cloned());
    notes
}
