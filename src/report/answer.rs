//! An answer, and the formats every command writes one in. A new format is one file and one row.

use serde::{Serialize, Serializer};

use super::{Document, csv, json, markdown, picture, text};

/// The answer to one question: a document for people, a typed value for programs.
pub struct Answer<'a> {
    /// What people read.
    pub document: Document,
    /// What programs read: one of the schemas of `docs/json.md`.
    value: Box<dyn Program + 'a>,
    /// The rows of CSV, where they are not the document's tables.
    rows: Option<Box<dyn Fn() -> String + 'a>>,
}

/// A value that is an answer for programs.
trait Program {
    fn json(&self) -> String;
}

impl<T: Serialize> Program for T {
    fn json(&self) -> String {
        json::pretty(self)
    }
}

/// A value that is made when it is written.
struct Made<F>(F);

impl<F: Fn() -> T, T: Serialize> Serialize for Made<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0)().serialize(serializer)
    }
}

impl<'a> Answer<'a> {
    /// Returns an answer of a document and what programs get in its place.
    pub fn new(document: Document, value: impl Serialize + 'a) -> Self {
        Self {
            document,
            value: Box::new(value),
            rows: None,
        }
    }

    /// Returns an answer whose value is made only for programs.
    pub fn made<T: Serialize>(document: Document, value: impl Fn() -> T + 'a) -> Self {
        Self::new(document, Made(value))
    }

    /// Gives CSV rows of its own.
    #[must_use]
    pub fn with_rows(mut self, rows: impl Fn() -> String + 'a) -> Self {
        self.rows = Some(Box::new(rows));
        self
    }

    /// Returns the answer for programs, as JSON.
    pub fn json(&self) -> String {
        self.value.json()
    }

    /// Returns the tables of the answer as CSV, each with its name; the first has none.
    pub fn csv(&self) -> Vec<(&'static str, String)> {
        match &self.rows {
            Some(rows) => vec![("", rows())],
            None => self
                .document
                .tables()
                .map(|table| (table.name, csv::render(table)))
                .collect(),
        }
    }
}

/// An answer in a format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// The file.
    pub text: String,
    /// Further files, where the format holds one table a file: name and text.
    pub others: Vec<(&'static str, String)>,
}

impl From<String> for Rendered {
    fn from(text: String) -> Self {
        Self {
            text,
            others: Vec::new(),
        }
    }
}

/// Writes an answer, or says why it has no such form.
pub type Renderer = fn(&Answer<'_>, text::Terminal) -> Result<Rendered, &'static str>;

/// A format that every command answers in.
#[derive(Clone, Copy, Debug)]
pub struct AnswerFormat {
    /// What `--format` calls it.
    pub name: &'static str,
    /// What its files end with, without the point.
    pub extension: &'static str,
    /// What it is for, in a line of the help.
    pub about: &'static str,
    /// Its writer.
    pub render: Renderer,
}

/// Every format of answers, in the order of the help. The first is used where none is named.
pub const ANSWER_FORMATS: &[AnswerFormat] = &[
    text::FORMAT,
    json::FORMAT,
    csv::FORMAT,
    markdown::FORMAT,
    picture::FORMAT,
];

/// Renders an answer.
pub fn render(
    answer: &Answer<'_>,
    format: &AnswerFormat,
    terminal: text::Terminal,
) -> Result<Rendered, &'static str> {
    (format.render)(answer, terminal)
}
