//! The formats every command answers in. A new one is one file and one row.

use super::{
    answer::{Answer, AnswerFormat, Rendered, Terminal},
    csv, json, markdown, picture, text,
};

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
    terminal: Terminal,
) -> Result<Rendered, &'static str> {
    (format.render)(answer, terminal)
}
