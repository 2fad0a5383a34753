//! The words: every sentence of an answer is written in this room.
//!
//! The domain says what is so, as an enum with typed fields; a file here turns it into a [`Note`]:
//! a code for programs, a sentence for people, and the facts of the sentence, exact.

pub(crate) mod backtest;
pub(crate) mod bill;
pub(crate) mod check;
pub(crate) mod ci_jobs;
#[cfg(feature = "aws")]
pub(crate) mod collected;
pub(crate) mod compare;
pub mod costs;
pub mod discounts;
pub(crate) mod forecast;
pub(crate) mod imported;
pub(crate) mod infra;
pub(crate) mod optimize;
pub(crate) mod prices;
pub(crate) mod reconcile;
pub(crate) mod runners;
pub(crate) mod scenario;
pub(crate) mod sweep;
pub(crate) mod why;

use rust_decimal::Decimal;

use crate::{
    domain::{allocation::Policy, ids::Currency, money::Money, number::plain, usage::Gap},
    report::{Block, Cell, counted, currency_sign, grouped, show_money},
};

/// Notes that people see below a table; `--explain` and JSON have all.
const BELOW_A_TABLE: usize = 5;

/// The code of what is missing: nothing of it may be hidden behind a count.
const MISSING: &str = "missing";

/// Notes of one code stand in one line up to so many letters; beyond, they are counted.
const TOGETHER: usize = 200;

/// Something a reader should know: what changes how a table is to be read, what a saving rests on,
/// what is missing.
///
/// In JSON it is one object: `{"code": …, "text": …}` and beside them the facts under their names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What programs match on, in `snake_case`. It stays when the sentence changes.
    pub code: &'static str,
    /// The sentence, with numbers as in the tables.
    pub text: String,
    /// The numbers and names of the sentence, exact. No two share a name, and none is called
    /// `code` or `text`.
    pub facts: Vec<(&'static str, Cell)>,
}

impl Note {
    /// Returns a note without facts: there is none without a code.
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            facts: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Into<Cell>) -> Self {
        debug_assert!(
            !matches!(name, "code" | "text") && self.facts.iter().all(|(taken, _)| *taken != name),
            "a fact needs a name of its own: {name}"
        );
        self.facts.push((name, fact.into()));
        self
    }
}

/// Returns the lines below a table: one for each code, five at most, and where the rest is. What is
/// missing is named whole, before all else.
///
/// Notes come most important first. `rest` says how to see all of them, as `--explain`.
pub fn below_a_table(notes: &[Note], rest: &str) -> Vec<String> {
    let mut lines: Vec<(&'static str, String, usize)> = Vec::new();
    let missing = notes.iter().filter(|note| note.code == MISSING);
    let missing = missing.map(|note| note.text.clone());
    for note in notes.iter().filter(|note| note.code != MISSING) {
        match lines.iter_mut().find(|(code, ..)| *code == note.code) {
            Some((_, text, 0)) if text.len() + note.text.len() < TOGETHER => {
                *text = format!("{text} {}", note.text);
            }
            Some((.., more)) => *more += 1,
            None => lines.push((note.code, note.text.clone(), 0)),
        }
    }
    let hidden = lines.split_off(lines.len().min(BELOW_A_TABLE));
    let hidden: usize = hidden.iter().map(|(.., more)| more + 1).sum();
    let repeated: usize = lines.iter().map(|(.., more)| more).sum();
    let lines = lines.into_iter().map(|(_, text, more)| match more {
        0 => text,
        more => format!("{text} (+{more} more like this)"),
    });
    let mut shown: Vec<String> = missing.chain(lines).collect();
    match hidden + repeated {
        0 => {}
        1 => shown.push(format!("1 more note: {rest}")),
        more => shown.push(format!("{more} more notes: {rest}")),
    }
    shown
}

/// Returns the lines that people see of a block of notes.
pub(super) fn seen(block: &Block) -> Vec<String> {
    match block {
        Block::Notes(notes) => below_a_table(notes, "--format json"),
        Block::Explained { notes, all: false } => below_a_table(notes, "--explain"),
        Block::Explained { notes, .. } | Block::All(notes) => all(notes),
        _ => Vec::new(),
    }
}

/// Returns every line, for `--explain`.
pub fn all(notes: &[Note]) -> Vec<String> {
    notes.iter().map(|note| note.text.clone()).collect()
}

/// Shows a number as in tables: grouped, to two decimals.
fn number(number: Decimal) -> String {
    grouped(&plain(number.round_dp(2)))
}

/// Shows a count as in tables.
fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// Shows a price of a unit, which is not rounded.
fn price(price: Decimal, currency: &Currency) -> String {
    format!("{}{}", currency_sign(currency), plain(price))
}

/// Begins a sentence with a text.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Returns what follows the label of a sentence.
fn after_label(text: &str) -> &str {
    text.split_once(": ").map_or(text, |(_, rest)| rest)
}

/// Says that charges other than usage are left out.
pub(crate) fn usage_only(others: Money, currency: &Currency) -> Note {
    Note::new(
        "usage_only",
        format!(
            "Usage only: credits, refunds, taxes and fees ({}) are excluded.",
            show_money(others, currency)
        ),
    )
    .with("other_charges", Cell::Money(others, currency.clone()))
}

/// Says how free units are shared in an allocation.
pub(crate) fn allocation(policy: Policy) -> Note {
    let text = match policy {
        Policy::AsBilled => "Each row shows what its own usage was billed, after free units.",
        Policy::Proportional => "Free units are shared by quantity: our policy, not AWS's.",
        Policy::Chronological => "Free units go to the earliest usage: our policy, not AWS's.",
    };
    Note::new("policy", format!("{text} Rows sum to the bill.")).with("policy", policy.name())
}

/// Says that usage is missing.
pub(super) fn of_gap(label: &str, gap: &Gap) -> Note {
    Note::new(MISSING, format!("{label}: {}: {}.", gap.what, gap.reason))
        .with("what", gap.what.as_str())
        .with("reason", gap.reason.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_notes_become_one_and_the_sixth_is_counted() {
        let note = |code, text: &str| Note::new(code, text);
        let few = [note("a", "A."), note("b", "B.")];
        assert_eq!(below_a_table(&few, "--explain"), ["A.", "B."]);

        let long = "A 2".repeat(70);
        let many = [
            note("a", "A 1."),
            note("b", "B."),
            note("a", &long),
            note("c", "C."),
            note("d", "D."),
            note("e", "E."),
            note("f", "F 1."),
            note("g", "G."),
            note("b", "B 2."),
        ];
        assert_eq!(
            below_a_table(&many, "--explain"),
            [
                "A 1. (+1 more like this)",
                "B. B 2.",
                "C.",
                "D.",
                "E.",
                "3 more notes: --explain"
            ]
        );
        assert_eq!(all(&many).len(), 9);
    }

    #[test]
    fn everything_that_is_missing_is_named() {
        let gap = |of: usize| Note::new(MISSING, format!("Missing: region {of}."));
        let mut notes: Vec<Note> = ["a", "b", "c", "d", "e", "f"]
            .map(|code| Note::new(code, code))
            .to_vec();
        notes.extend((0..9).map(gap));
        let shown = below_a_table(&notes, "--explain");
        assert!((0..9).all(|of| shown.contains(&gap(of).text)), "{shown:?}");
        assert_eq!(
            shown.last().map(String::as_str),
            Some("1 more note: --explain")
        );
    }

    #[test]
    fn a_fact_keeps_what_the_sentence_rounds() {
        let note = Note::new("users_over", "8,428 users.").with("users", 8428_u64);
        assert_eq!(note.facts, [("users", Cell::Count(8428))]);
    }
}
