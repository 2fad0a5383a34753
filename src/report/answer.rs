//! An answer, and what a format of answers is. `answer_formats.rs` has the table of them.

use serde::{Serialize, Serializer};

use super::{Document, value::pretty};

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
        pretty(self)
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

    /// Returns the rows of CSV, where they are not the document's tables.
    pub(super) fn rows(&self) -> Option<String> {
        self.rows.as_ref().map(|rows| rows())
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

/// What the terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terminal {
    /// Columns.
    pub width: u16,
    /// Understands more than ASCII.
    pub unicode: bool,
    /// Understands colours.
    pub colour: bool,
}

/// Writes an answer, or says why it has no such form.
pub type Renderer = fn(&Answer<'_>, Terminal) -> Result<Rendered, &'static str>;

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
