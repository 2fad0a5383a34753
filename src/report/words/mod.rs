//! The words: every sentence of an answer is written in this room.
//!
//! The domain says what is so, as an enum with typed fields; a file here turns it into a [`Note`]:
//! a code for programs, a sentence for people, and the facts of the sentence, exact.

use crate::report::Cell;

/// Notes that people see below a table; `--explain` and JSON have all.
const BELOW_A_TABLE: usize = 5;

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

/// Returns the lines below a table: one for each code, five at most, and where the rest is.
///
/// Notes come most important first. `rest` says how to see all of them, as `--explain`.
pub fn below_a_table(notes: &[Note], rest: &str) -> Vec<String> {
    let mut lines: Vec<(&Note, usize)> = Vec::new();
    for note in notes {
        match lines.iter_mut().find(|(first, _)| first.code == note.code) {
            Some((_, more)) => *more += 1,
            None => lines.push((note, 0)),
        }
    }
    let hidden: usize = lines
        .iter()
        .skip(BELOW_A_TABLE)
        .map(|(_, more)| more + 1)
        .sum();
    let repeated: usize = lines.iter().take(BELOW_A_TABLE).map(|(_, more)| more).sum();
    let mut shown: Vec<String> = lines
        .iter()
        .take(BELOW_A_TABLE)
        .map(|(note, more)| match more {
            0 => note.text.clone(),
            more => format!("{} (+{more} more like this)", note.text),
        })
        .collect();
    match hidden + repeated {
        0 => {}
        1 => shown.push(format!("1 more note: {rest}")),
        more => shown.push(format!("{more} more notes: {rest}")),
    }
    shown
}

/// Returns every line, for `--explain`.
pub fn all(notes: &[Note]) -> Vec<String> {
    notes.iter().map(|note| note.text.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_notes_become_one_and_the_sixth_is_counted() {
        let note = |code, text: &str| Note::new(code, text);
        let few = [note("a", "A."), note("b", "B.")];
        assert_eq!(below_a_table(&few, "--explain"), ["A.", "B."]);

        let many = [
            note("a", "A 1."),
            note("b", "B."),
            note("a", "A 2."),
            note("c", "C."),
            note("d", "D."),
            note("e", "E."),
            note("f", "F 1."),
            note("f", "F 2."),
        ];
        assert_eq!(
            below_a_table(&many, "--explain"),
            [
                "A 1. (+1 more like this)",
                "B.",
                "C.",
                "D.",
                "E.",
                "3 more notes: --explain"
            ]
        );
        assert_eq!(all(&many).len(), 8);
    }

    #[test]
    fn a_fact_keeps_what_the_sentence_rounds() {
        let note = Note::new("users_over", "8,428 users.").with("users", 8428_u64);
        assert_eq!(note.facts, [("users", Cell::Count(8428))]);
    }
}
