//! Savings for people and files.

use super::{
    Answer, Block, Document, Note, Table, show_money,
    value::{Amount, Calendar, Number, object, row},
    words,
};
use crate::domain::{
    ids::Currency,
    optimize::{Finding, Optimization, Sizing},
    percentiles::Percentiles,
    scenario::Scenario,
};

/// The findings that are explained, and the lines of evidence and changes of each, unless all are
/// asked for.
const FIRST: usize = 3;

object! {
    /// What would cost less, the largest saving first.
    pub struct OptimizeAnswer = "pipebill.optimize/1" {
        /// What every amount is in.
        currency: String,
        /// The months looked through; the last one decided what is proposed.
        months: Vec<Calendar>,
        /// What the last month costs.
        cost: Amount,
        /// Whether all of it has a price.
        complete: bool,
        /// How many builds of the last month are known one by one.
        builds: u64,
        /// The savings.
        findings: Vec<FindingItem>,
        /// The best of them that go together; null if there are fewer than two.
        together: Option<Together>,
        /// How many savings are below `--min-saving`.
        below_min_saving: u64,
        /// How many proposals were not rated, being far down the list.
        not_rated: u64,
        /// Larger sizes for builds that nearly fill their memory: they cost more and are no savings.
        larger: Vec<LargerItem>,
        /// Sizes that would cost less and lack memory.
        refused: Vec<Note>,
        /// What could not be compared.
        not_compared: Vec<Note>,
        /// What is lost without being on the bill, and what is free and unused.
        observations: Vec<Note>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

object! {
    /// What a month saves: in one month of ten less than P10, in one of ten more than P90.
    pub struct Saving {
        /// One in ten saves less.
        p10: Amount,
        /// Half save less.
        p50: Amount,
        /// One in ten saves more.
        p90: Amount,
    }
}

row! {
    /// One saving.
    pub struct FindingItem {
        /// Its place in the list.
        number: u64 = shown("#", 0),
        /// What kind of change.
        kind: &'static str = file,
        /// The project, the pipelines or the compute type.
        subject: String = file,
        /// The change in a few words.
        title: String = shown("What", 0),
        /// What a month saves.
        saving: Saving,
        /// P50 of it.
        #[serde(skip)]
        saving_p50: Amount = shown("Saves a month", 0),
        /// Its range.
        #[serde(skip)]
        range: String = people("P10 to P90", 2),
        /// P10 of it.
        #[serde(skip)]
        saving_p10: Amount = file,
        /// P90 of it.
        #[serde(skip)]
        saving_p90: Amount = file,
        /// What the range is over: `history` or `forecast`.
        saving_over: &'static str = file,
        /// What each month would have saved.
        by_month: Vec<Amount>,
        /// The least speed on the new compute type at which it saves; null where builds are not known one by
        /// one or nothing moves.
        min_speed: Option<Number> = shown("Min. speed", 3),
        /// The numbers of the findings that change the same usage: their savings do not add up.
        overlaps: Vec<u64>,
        /// The same as text.
        #[serde(skip)]
        overlaps_text: String = shown("Conflicts with", 1),
        /// Where memory or CPUs are fewer: `measured`, or `assumed`.
        sizing: Option<&'static str> = shown("Size is", 3),
        /// Rated build by build; else on totals of a bill.
        build_by_build: bool = file,
        /// What it rests on.
        evidence: Vec<Note>,
        /// What the saving assumes.
        assumptions: Vec<Note>,
        /// What could break.
        risks: Vec<Note>,
        /// The change, as `pipebill whatif --set` takes it.
        changes: Vec<String>,
        /// The same as text.
        #[serde(skip)]
        changes_text: String = file,
        /// What the amounts are in.
        #[serde(skip)]
        currency: String = file,
    }
}

object! {
    /// A larger size for builds that nearly fill their memory.
    pub struct LargerItem {
        /// Whose builds.
        subject: String,
        /// The change in a few words.
        title: String,
        /// What a month costs more.
        cost: Amount,
        /// What each month would have cost more.
        by_month: Vec<Amount>,
        /// What it rests on, and what it may avoid.
        evidence: Vec<Note>,
        /// What the cost assumes.
        assumptions: Vec<Note>,
        /// The change, as `pipebill whatif --set` takes it.
        changes: Vec<String>,
    }
}

object! {
    /// Findings that go together, rated as one scenario.
    pub struct Together {
        /// Their numbers.
        findings: Vec<u64>,
        /// Whether no other combination saves more; else none was found in time.
        proven: bool,
        /// What a month saves.
        saving: Saving,
        /// All of their changes.
        changes: Vec<String>,
    }
}

/// Lays out findings: a row for each, of which people see the first; then evidence and the change to make.
pub fn answer(found: &Optimization, top: usize, explain: bool) -> Answer<'static> {
    let rows: Vec<FindingItem> = (1..)
        .zip(&found.findings)
        .map(|(number, finding)| item(number, finding, &found.currency))
        .collect();
    let mut table = Table::of(&rows);
    for column in &mut table.columns {
        column.key = match &*column.key {
            "overlaps_text" => "overlaps".into(),
            "changes_text" => "changes".into(),
            _ => continue,
        };
    }
    table.most = Some(top);
    let mut blocks = vec![Block::Table(table)];
    let explained = if explain { top } else { FIRST.min(top) };
    for (number, finding) in (1..).zip(&found.findings).take(explained) {
        blocks.push(Block::Heading(format!(
            "{number}. {}",
            words::optimize::title(&finding.proposed)
        )));
        blocks.push(Block::Lines(lines(finding, &found.currency, explain)));
    }
    let most = if explain { usize::MAX } else { FIRST };
    for finding in found.larger.iter().take(most) {
        blocks.push(Block::Heading(format!(
            "Nearly full: {}, {} more a month",
            words::optimize::title(&finding.proposed),
            show_money(-finding.saving.p50, &found.currency)
        )));
        blocks.push(Block::Lines(lines(finding, &found.currency, explain)));
    }
    let notes = words::optimize::notes(found, top);
    blocks.push(Block::Explained {
        notes: notes.clone(),
        all: explain,
    });
    let currency = &found.currency;
    let not_compared = found.not_compared.iter();
    let observations = found.observations.iter();
    let value = OptimizeAnswer {
        currency: found.currency.to_string(),
        months: found.months.iter().copied().map(Calendar).collect(),
        cost: Amount::of(found.cost, &found.currency, found.complete),
        complete: found.complete,
        builds: found.builds,
        findings: rows,
        together: found.best_combination.as_ref().map(|together| Together {
            findings: one_based(&together.findings),
            proven: together.proven,
            saving: saving(&together.saving, &found.currency),
            changes: changes(&together.scenario),
        }),
        below_min_saving: found.below_min_saving,
        not_rated: found.unrated as u64,
        larger: found.larger.iter().map(|it| larger(it, currency)).collect(),
        refused: found.refused.iter().map(words::optimize::refused).collect(),
        not_compared: not_compared
            .map(|it| words::optimize::not_compared(it, currency))
            .collect(),
        observations: observations
            .map(|it| words::optimize::observation(it, currency))
            .collect(),
        notes,
    };
    let title = format!("Savings, from {}", months(found));
    Answer::new(Document { title, blocks }, value)
}

fn saving(of: &Percentiles, currency: &Currency) -> Saving {
    let [p10, p50, p90] = [of.p10, of.p50, of.p90].map(|amount| Amount::new(amount, currency));
    Saving { p10, p50, p90 }
}

fn one_based(findings: &[usize]) -> Vec<u64> {
    findings.iter().map(|at| *at as u64 + 1).collect()
}

fn item(number: u64, finding: &Finding, currency: &Currency) -> FindingItem {
    let saving = saving(&finding.saving, currency);
    let changes = changes(&finding.scenario);
    let evidence = finding.evidence.iter();
    let assumptions = finding.assumptions.iter();
    let risks = finding.risks.iter();
    FindingItem {
        number,
        kind: finding.kind.name(),
        subject: finding.subject.clone(),
        title: words::optimize::title(&finding.proposed),
        saving_p50: saving.p50.clone(),
        range: range(&finding.saving, currency),
        saving_p10: saving.p10.clone(),
        saving_p90: saving.p90.clone(),
        saving,
        saving_over: if finding.of_future {
            "forecast"
        } else {
            "history"
        },
        by_month: finding
            .by_month
            .iter()
            .map(|amount| Amount::new(*amount, currency))
            .collect(),
        min_speed: finding.min_speed.map(Number),
        overlaps: one_based(&finding.overlaps),
        overlaps_text: numbers(&finding.overlaps),
        sizing: finding.sizing.map(|sizing| match sizing {
            Sizing::Measured => "measured",
            Sizing::Assumed => "assumed",
        }),
        build_by_build: finding.build_by_build,
        evidence: evidence
            .map(|it| words::optimize::evidence(it, currency))
            .collect(),
        assumptions: assumptions.map(words::optimize::assumption).collect(),
        risks: risks.map(words::optimize::risk).collect(),
        changes_text: changes.join(" "),
        changes,
        currency: currency.to_string(),
    }
}

fn larger(finding: &Finding, currency: &Currency) -> LargerItem {
    let evidence = finding.evidence.iter();
    let assumptions = finding.assumptions.iter();
    let by_month = finding.by_month.iter();
    LargerItem {
        subject: finding.subject.clone(),
        title: words::optimize::title(&finding.proposed),
        cost: Amount::new(-finding.saving.p50, currency),
        by_month: by_month
            .map(|saved| Amount::new(-*saved, currency))
            .collect(),
        evidence: evidence
            .map(|it| words::optimize::evidence(it, currency))
            .collect(),
        assumptions: assumptions.map(words::optimize::assumption).collect(),
        changes: changes(&finding.scenario),
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
    let min_speed = words::optimize::min_speed(finding);
    part("min speed", min_speed.into_iter().map(text).collect());
    let assumptions = finding.assumptions.iter().map(words::optimize::assumption);
    part("assumes", assumptions.map(text).collect());
    let risks = finding.risks.iter().map(words::optimize::risk);
    part("risk", risks.map(text).collect());
    let changes = changes(&finding.scenario);
    let set = changes.iter().map(|change| format!("--set '{change}'"));
    part("change", set.collect());
    lines
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
