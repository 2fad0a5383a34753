//! From bytes to the text that holds the JSON: encodings, lines around it, commas at the end of lists.

use std::{borrow::Cow, path::Path};

use serde::Deserialize;

use super::error::{InfraError, Problem};

/// Returns the text of a file. What is no character becomes the one that stands for such.
pub(super) fn decode(bytes: Vec<u8>) -> String {
    let units = |order: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2);
        let units: Vec<u16> = pairs.map(|pair| order([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes[..] {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => String::from_utf8_lossy(&bytes[3..]).into_owned(),
        _ => String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// The JSON of a text, and what stood around it.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    /// The file, for errors.
    pub(super) file: &'a str,
    /// From the brace on.
    pub(super) text: &'a str,
    /// Lines before it.
    pub(super) lines_before: usize,
    pub(super) is_wrapped: bool,
}

/// Finds where the JSON begins: at the first line that begins with a brace.
pub(super) fn find<'a>(file: &'a str, text: &'a str) -> Option<Json<'a>> {
    let mut at = 0;
    for (lines_before, line) in text.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with('{') {
            return Some(Json {
                file,
                text: &text[at + indent..],
                lines_before,
                is_wrapped: !text[..at].trim().is_empty(),
            });
        }
        // Tools write one line or two; more is another kind of file.
        if lines_before > 20 {
            return None;
        }
        at += line.len();
    }
    None
}

impl<'a> Json<'a> {
    /// Reads the first value, and returns where it ends.
    pub(super) fn read<T: Deserialize<'a>>(self) -> Result<(T, usize), InfraError> {
        let mut values = serde_json::Deserializer::from_str(self.text).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => Ok((value, values.byte_offset())),
            Some(Err(error)) => Err(self.wrong(&error)),
            None => Err(self.cut()),
        }
    }

    fn cut(self) -> InfraError {
        InfraError::Malformed {
            file: self.file.to_owned(),
            line: self.lines_before + 1,
            column: 1,
            problem: Problem::Cut,
        }
    }

    /// Says what is wrong in the words of the file, not in those of the parser.
    pub(super) fn wrong(self, error: &serde_json::Error) -> InfraError {
        let problem = match error.classify() {
            serde_json::error::Category::Eof => Problem::Cut,
            serde_json::error::Category::Data => Problem::Shape,
            _ if error.to_string().starts_with("recursion limit") => Problem::Depth,
            _ => Problem::NotJson,
        };
        InfraError::Malformed {
            file: self.file.to_owned(),
            line: self.lines_before + error.line(),
            column: error.column().max(1),
            problem,
        }
    }
}

/// Takes commas out that stand before the end of a list or an object; none where there are none.
pub(super) fn without_trailing_commas(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut kept = Vec::new();
    let (mut from, mut at, mut in_text) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b',' if !in_text => {
                let next = bytes[at + 1..]
                    .iter()
                    .find(|byte| !byte.is_ascii_whitespace());
                if matches!(next, Some(b']' | b'}')) {
                    kept.push(&text[from..at]);
                    from = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    // The space keeps lines and columns where they are.
    (from > 0).then(|| [&kept[..], &[&text[from..]]].concat().join(" "))
}

/// Returns the name of a file for errors.
pub(super) fn shown(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}
