//! Splits CSV text into rows, 64 bytes at a step, and leaves to the `csv` crate what is not plain.
//!
//! Of a billing export one row in fifty is looked at closely; of the others seven fields in 130
//! count. So commas and line ends are found as bit masks, quotes are told apart by their parity, and
//! a field is looked at only when somebody asks for it. Text whose quotes are not where RFC 4180 puts
//! them is read by the `csv` crate from that row on: a test holds that no text is read differently.

mod marks;

use std::io::{self, Cursor, Read};

use csv::ByteRecord;

use self::marks::{BLOCK, Marks};

/// How much text is split at once.
const STRETCH: usize = 128 * 1024;

/// The rows of a text.
pub(super) struct Rows<R> {
    /// None once the text is read by the `csv` crate.
    reader: Option<R>,
    text: Vec<u8>,
    filled: usize,
    is_over: bool,
    marks: Marks,
    /// Where the next row begins, and which of the marks are its.
    at: usize,
    next_end: usize,
    next_break: usize,
    next_line: u64,
    seps_before: u64,
    /// How many fields of a row are located before anybody asks.
    ahead: usize,
    located: Vec<u32>,
    odd: Option<Odd<R>>,
    is_crlf: bool,
}

/// Text whose quotes are not where they belong.
struct Odd<R> {
    reader: csv::Reader<io::Chain<Cursor<Vec<u8>>, R>>,
    record: ByteRecord,
    line_before: u64,
    is_first: bool,
}

/// One row.
pub(super) enum Line<'l> {
    /// Fields as they stand in the text.
    Plain {
        text: &'l [u8],
        start: usize,
        width: usize,
        /// Where the first of its separators stand.
        located: &'l [u32],
        /// All separators of the text.
        seps: &'l [u64],
    },
    /// Fields as they are meant.
    Odd(&'l ByteRecord),
}

impl<'l> Line<'l> {
    /// Returns where a field ends.
    #[inline]
    fn end(&self, field: usize) -> Option<usize> {
        let Self::Plain {
            start,
            width,
            located,
            seps,
            ..
        } = self
        else {
            return None;
        };
        match located.get(field) {
            Some(&end) => Some(end as usize),
            None if field < *width => places_from(seps, *start).nth(field),
            None => None,
        }
    }

    /// Counts the fields.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Plain { width, .. } => *width,
            Self::Odd(record) => record.len(),
        }
    }

    /// Returns a field as it stands there.
    #[inline]
    pub(super) fn raw(&self, field: usize) -> Option<&'l [u8]> {
        match self {
            Self::Odd(record) => record.get(field),
            Self::Plain {
                text, start, width, ..
            } => {
                let end = self.end(field)?;
                let start = match field.checked_sub(1) {
                    Some(before) => self.end(before)? + 1,
                    None => *start,
                };
                Some(without_return(&text[start..end], field + 1 == *width))
            }
        }
    }

    /// Appends fields as they stand there, each with a comma: no two rows run together.
    #[inline]
    pub(super) fn push_to(&self, key: &mut Vec<u8>, fields: &[usize]) {
        for &field in fields {
            key.extend_from_slice(self.raw(field).unwrap_or_default());
            key.push(b',');
        }
    }

    /// Copies the fields as they are meant.
    pub(super) fn copy_to(&self, record: &mut ByteRecord) {
        self.copy_some_to(record, |_| true);
    }

    /// Copies some of the fields as they are meant, and leaves the others empty.
    pub(super) fn copy_some_to(&self, record: &mut ByteRecord, wanted: impl Fn(usize) -> bool) {
        let (text, mut start, width, seps) = match self {
            Self::Odd(odd) => return record.clone_from(odd),
            Self::Plain {
                text,
                start,
                width,
                seps,
                ..
            } => (text, *start, *width, seps),
        };
        record.clear();
        let mut meant = Vec::new();
        for (field, end) in places_from(seps, start).take(width).enumerate() {
            let raw = without_return(&text[start..end], field + 1 == width);
            start = end + 1;
            let text = if wanted(field) { unquoted(raw) } else { &[] };
            if text.contains(&b'"') {
                meant.clear();
                let mut was_quote = false;
                meant.extend(text.iter().filter(|&&byte| {
                    was_quote = byte == b'"' && !was_quote;
                    byte != b'"' || was_quote
                }));
                record.push_field(&meant);
            } else {
                record.push_field(text);
            }
        }
    }
}

#[inline]
fn without_return(raw: &[u8], is_last: bool) -> &[u8] {
    match raw {
        [before @ .., b'\r'] if is_last => before,
        _ => raw,
    }
}

/// Returns a field without the quotes around it; those within are still doubled.
pub(super) fn unquoted(raw: &[u8]) -> &[u8] {
    match raw {
        [b'"', quoted @ .., b'"'] => quoted,
        _ => raw,
    }
}

/// Returns where separators stand from a place on.
fn places_from(seps: &[u64], start: usize) -> impl Iterator<Item = usize> {
    let first = start / BLOCK;
    seps.iter()
        .enumerate()
        .skip(first)
        .flat_map(move |(block, &seps)| {
            let mut left = if block == first {
                seps & (u64::MAX << (start % BLOCK))
            } else {
                seps
            };
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(block * BLOCK + bit as usize)
            })
        })
}

impl<R: Read> Rows<R> {
    /// `is_crlf` tells whether lines end in carriage return and line feed.
    pub(super) fn new(reader: R, is_crlf: bool) -> Self {
        Self {
            reader: Some(reader),
            text: Vec::new(),
            filled: 0,
            is_over: false,
            marks: Marks::default(),
            at: 0,
            next_end: 0,
            next_break: 0,
            next_line: 1,
            seps_before: 0,
            ahead: usize::MAX,
            located: Vec::new(),
            odd: None,
            is_crlf,
        }
    }

    /// Says how many fields of a row will mostly be asked for.
    pub(super) fn look_ahead(&mut self, fields: usize) {
        self.ahead = fields;
    }

    /// Returns the next row that is not empty, or why it could not be read; with either the line at
    /// which it begins.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Line<'_>)>, (u64, io::Error)> {
        while self.odd.is_none() {
            let line = self.next_line;
            let Some(&(end, seps)) = self.marks.ends.get(self.next_end) else {
                if self.marks.is_odd || (self.is_over && self.at < self.filled) {
                    self.give_up();
                } else if !self.read_on().map_err(|error| (line, error))? {
                    return Ok(None);
                }
                continue;
            };
            let width = usize::try_from(seps - self.seps_before).unwrap_or(usize::MAX);
            self.seps_before = seps;
            let (start, end) = (self.at, end as usize);
            self.at = end + 1;
            self.next_end += 1;
            self.next_line += 1;
            while let Some(&at) = self.marks.breaks.get(self.next_break)
                && (at as usize) < end
            {
                self.next_break += 1;
                self.next_line += 1;
            }
            if !matches!(self.text[start..end], [] | [b'\r']) {
                let known = width.min(self.ahead);
                self.marks.locate(start, known, &mut self.located);
                let row = Line::Plain {
                    text: &self.text,
                    start,
                    width,
                    located: &self.located[..known],
                    seps: &self.marks.seps,
                };
                return Ok(Some((line, row)));
            }
        }
        self.next_odd()
    }

    fn next_odd(&mut self) -> Result<Option<(u64, Line<'_>)>, (u64, io::Error)> {
        let Some(odd) = &mut self.odd else {
            return Ok(None);
        };
        // The crate ends a record at the carriage return, and counts the line at the line feed.
        let ended_early = self.is_crlf && !odd.is_first;
        let line = odd.line_before + odd.reader.position().line() + u64::from(ended_early);
        odd.is_first = false;
        match odd.reader.read_byte_record(&mut odd.record) {
            Ok(true) => Ok(Some((line, Line::Odd(&odd.record)))),
            Ok(false) => Ok(None),
            // With every length of record accepted, only reading can fail.
            Err(error) => {
                let source = match error.into_kind() {
                    csv::ErrorKind::Io(source) => source,
                    other => io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}")),
                };
                Err((line, source))
            }
        }
    }

    /// Has the `csv` crate read from the next row on.
    fn give_up(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        let text = self.text[self.at..self.filled].to_vec();
        let reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(Cursor::new(text).chain(reader));
        self.odd = Some(Odd {
            reader,
            record: ByteRecord::new(),
            line_before: self.next_line - 1,
            is_first: true,
        });
    }

    /// Reads and splits the next stretch. Returns false where there is none.
    fn read_on(&mut self) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let blocks = self.at / BLOCK;
        let done = blocks * BLOCK;
        self.text.copy_within(done..self.filled, 0);
        self.marks.drop_before(blocks, self.next_break);
        (self.filled, self.at) = (self.filled - done, self.at - done);
        (self.next_end, self.next_break) = (0, 0);

        // Room for a row that is longer than a stretch.
        let room = (self.filled + BLOCK).next_multiple_of(STRETCH);
        if self.text.len() < room {
            self.text.resize(room, 0);
        }
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        while self.filled < self.text.len() && !self.is_over {
            match reader.read(&mut self.text[self.filled..]) {
                Ok(0) => self.is_over = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let split = self.marks.seps.len() * BLOCK;
        let (blocks, rest) = self.text[split..self.filled].as_chunks::<BLOCK>();
        self.marks.split(blocks);
        if self.is_over && !self.marks.is_odd {
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            self.marks.split(&[block]);
            // The last line may have no end.
            let last = self.marks.ends.last();
            let begun = last.map_or(self.at, |(end, _)| *end as usize + 1);
            if !self.marks.is_odd && !self.marks.is_inside() && begun < self.filled {
                self.marks.end(self.filled);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
