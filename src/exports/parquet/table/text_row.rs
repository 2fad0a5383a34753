//! A row of columns as the text that a CSV would have of it.

use std::collections::HashMap;

use bytes::Bytes;

use crate::exports::{charge_rows::Record, skip};

/// A row as texts.
pub(super) struct TextRow {
    pub(super) texts: Vec<u8>,
    pub(super) spans: Vec<(usize, usize)>,
}

impl TextRow {
    pub(super) fn new(width: usize) -> Self {
        Self {
            texts: Vec::new(),
            spans: vec![(0, 0); width],
        }
    }

    pub(super) fn clear(&mut self) {
        self.texts.clear();
        self.spans.fill((0, 0));
    }

    pub(super) fn line(&self) -> String {
        skip::line((0..self.len()).map(|field| self.get(field).unwrap_or_default()))
    }

    pub(super) fn set(&mut self, field: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.texts.len();
        write(&mut self.texts);
        self.spans[field] = (start, self.texts.len());
    }
}

impl Record for TextRow {
    fn len(&self) -> usize {
        self.spans.len()
    }

    fn get(&self, field: usize) -> Option<&[u8]> {
        let (start, end) = *self.spans.get(field)?;
        Some(&self.texts[start..end])
    }
}

/// Numbers the pairs of what the columns before tell and the code in this one.
#[derive(Default)]
pub(super) struct Step {
    pub(super) near: Vec<u32>,
    pub(super) far: HashMap<(u32, u32), u32>,
    pub(super) count: u32,
}

/// Below this, pairs are found by their place.
pub(super) const NEAR: u32 = 256;

impl Step {
    pub(super) fn advance(&mut self, numbers: &mut [u32], codes: &[u32]) {
        let (mut last, mut known) = ((0, 0), None);
        for (number, code) in numbers.iter_mut().zip(codes) {
            let pair = (*number, *code);
            // Most columns hardly ever change.
            *number = match known {
                Some(known) if pair == last => known,
                _ => self.get(pair),
            };
            (last, known) = (pair, Some(*number));
        }
    }

    pub(super) fn get(&mut self, (before, code): (u32, u32)) -> u32 {
        let next = self.count;
        // Absent wraps around to the first.
        let shifted = code.wrapping_add(1);
        let number = if before < NEAR && shifted < NEAR {
            if self.near.is_empty() {
                self.near = vec![u32::MAX; (NEAR * NEAR) as usize];
            }
            let place = &mut self.near[(before * NEAR + shifted) as usize];
            if *place == u32::MAX {
                *place = next;
            }
            *place
        } else {
            *self.far.entry((before, code)).or_insert(next)
        };
        self.count += u32::from(number == next);
        number
    }
}

/// An entry of a map: the place of its row, key and value.
pub(super) type Entry = (u32, Bytes, Bytes);

/// Writes a map as the JSON text that stands in CSV.
pub(super) fn write_map(entries: &[Entry], out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (_, key, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        for (text, end) in [(key, b':'), (value, b' ')] {
            // What is no text is written as it is, for the reader of the row to refuse.
            match std::str::from_utf8(text) {
                Ok(text) => serde_json::to_writer(&mut *out, text).expect("a vector takes all"),
                Err(_) => out.extend_from_slice(text),
            }
            out.push(end);
        }
    }
    out.push(b'}');
}
