//! Splits CSV text into rows, 64 bytes at a step, and leaves to the `csv` crate what is not plain.
//!
//! Of a billing export one row in fifty is looked at closely; of the others seven fields in 130
//! count. So commas and line ends are found as bit masks, quotes are told apart by their parity, and
//! a field is looked at only when somebody asks for it. Text whose quotes are not where RFC 4180 puts
//! them is read by the `csv` crate from that row on: a test holds that no text is read differently.

use std::io::{self, Cursor, Read};

use csv::ByteRecord;
use wide::u8x16;

use super::charges::Record;

/// How much text is split at once.
const STRETCH: usize = 256 * 1024;
const BLOCK: usize = 64;

/// The rows of a text.
pub(super) struct Rows<R> {
    /// None once the text is read by the `csv` crate.
    reader: Option<R>,
    text: Vec<u8>,
    /// How much of the text is there, and is split.
    filled: usize,
    split: usize,
    is_over: bool,
    marks: Marks,
    /// Where the next row begins, and which of the marks are its.
    at: usize,
    next_end: usize,
    next_break: usize,
    next_line: u64,
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
        /// Where the separators stand, the line end last.
        ends: &'l [u32],
        start: usize,
    },
    /// Fields as they are meant.
    Odd(&'l ByteRecord),
}

impl<'l> Line<'l> {
    fn raw(&self, field: usize) -> Option<&'l [u8]> {
        match self {
            Self::Plain { text, ends, start } => {
                let end = *ends.get(field)? as usize;
                let start = match field.checked_sub(1) {
                    Some(before) => ends[before] as usize + 1,
                    None => *start,
                };
                let raw = &text[start..end];
                Some(if field + 1 == ends.len() {
                    raw.strip_suffix(b"\r").unwrap_or(raw)
                } else {
                    raw
                })
            }
            Self::Odd(record) => record.get(field),
        }
    }

    /// Tells whether no quote stands in these fields, so that `get` tells what they mean.
    pub(super) fn is_plain(&self, fields: &[usize]) -> bool {
        matches!(self, Self::Odd(_))
            || fields
                .iter()
                .all(|&field| self.get(field).is_none_or(|text| !text.contains(&b'"')))
    }

    /// Copies the fields as they are meant.
    pub(super) fn copy_to(&self, record: &mut ByteRecord) {
        if let Self::Odd(odd) = self {
            record.clone_from(odd);
            return;
        }
        record.clear();
        let mut meant = Vec::new();
        for field in 0..self.len() {
            let text = self.get(field).unwrap_or_default();
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

impl Record for Line<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Plain { ends, .. } => ends.len(),
            Self::Odd(record) => record.len(),
        }
    }

    /// Returns a field without the quotes around it; those within are still doubled.
    fn get(&self, field: usize) -> Option<&[u8]> {
        let raw = self.raw(field)?;
        match (self, raw) {
            (Self::Plain { .. }, [b'"', quoted @ .., b'"']) => Some(quoted),
            _ => Some(raw),
        }
    }
}

impl<R: Read> Rows<R> {
    /// `is_crlf` tells whether lines end in carriage return and line feed.
    pub(super) fn new(reader: R, is_crlf: bool) -> Self {
        Self {
            reader: Some(reader),
            text: Vec::new(),
            filled: 0,
            split: 0,
            is_over: false,
            marks: Marks::default(),
            at: 0,
            next_end: 0,
            next_break: 0,
            next_line: 1,
            odd: None,
            is_crlf,
        }
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
            let first = match self.next_end.checked_sub(1) {
                Some(before) => self.marks.ends[before].1,
                None => 0,
            };
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
                let row = Line::Plain {
                    text: &self.text,
                    ends: &self.marks.seps[first as usize..seps as usize],
                    start,
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
        self.text.copy_within(self.at..self.filled, 0);
        self.marks.drop_before(self.at, self.next_end, self.next_break);
        (self.filled, self.split) = (self.filled - self.at, self.split - self.at);
        (self.at, self.next_end, self.next_break) = (0, 0, 0);

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
        let (blocks, rest) = self.text[self.split..self.filled].as_chunks::<BLOCK>();
        for block in blocks {
            self.marks.split(block, self.split);
            if self.marks.is_odd {
                return Ok(true);
            }
            self.split += BLOCK;
        }
        if self.is_over {
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            self.marks.split(&block, self.split);
            // The last line may have no end.
            if !self.marks.is_odd && self.marks.inside == 0 {
                self.split = self.filled;
                let last = self.marks.ends.last().map_or(0, |(end, _)| *end as usize + 1);
                if last < self.filled {
                    self.marks.end(self.filled);
                }
            }
        }
        Ok(true)
    }
}

/// What stands where in a text, from the beginning of a row on.
#[derive(Default)]
struct Marks {
    /// Commas and line ends outside quotes; of the vector only the first `count` count.
    seps: Vec<u32>,
    count: usize,
    /// Line ends outside quotes, and how many separators there are up to and with each.
    ends: Vec<(u32, u32)>,
    /// Line ends within quotes.
    breaks: Vec<u32>,
    /// A quote, or a carriage return, is not where it belongs.
    is_odd: bool,
    /// All ones within quotes.
    inside: u64,
    /// Whether the byte before was a comma, a line end or the beginning; whether it was a quote; was
    /// one that closes; was a carriage return.
    after_sep: u64,
    after_quote: u64,
    after_close: u64,
    after_return: u64,
    is_begun: bool,
}

impl Marks {
    /// Splits the next block of the text, which begins at this place.
    fn split(&mut self, block: &[u8; BLOCK], place: usize) {
        if !self.is_begun {
            (self.is_begun, self.after_sep) = (true, 1);
        }
        let [quote, comma, feed, carriage] = masks(block, *b"\",\n\r");
        let inside = parity(quote) ^ self.inside;
        let mut seps = (comma | feed) & !inside;
        let mut ends = feed & !inside;
        let (opens, closes, returns) = (quote & inside, quote & !inside, carriage & !inside);

        let after_sep = seps << 1 | self.after_sep;
        let after_quote = quote << 1 | self.after_quote;
        let after_close = closes << 1 | self.after_close;
        let after_return = returns << 1 | self.after_return;
        // A quote opens at the beginning of a field, or right after one that closed: both are one
        // quote then. After one that closes there is nothing but the end of the field.
        let odd = opens & !(after_sep | after_quote)
            | after_close & !(seps | quote | carriage)
            | after_return & !feed;
        if odd != 0 {
            let before = (odd & odd.wrapping_neg()) - 1;
            (seps, ends) = (seps & before, ends & before);
            self.is_odd = true;
        }
        self.inside = if inside >> 63 == 1 { u64::MAX } else { 0 };
        self.after_sep = seps >> 63;
        self.after_quote = quote >> 63;
        self.after_close = closes >> 63;
        self.after_return = returns >> 63;

        let place = short(place);
        let mut breaks = feed & inside;
        while breaks != 0 {
            self.breaks.push(place + breaks.trailing_zeros());
            breaks &= breaks - 1;
        }
        let before = short(self.count);
        while ends != 0 {
            let end = ends.trailing_zeros();
            let upto = seps & (u64::MAX >> (63 - end));
            self.ends.push((place + end, before + upto.count_ones()));
            ends &= ends - 1;
        }
        self.push(seps, place);
    }

    /// Adds the separators of a block. Eight at once, whether there are so many or not, because the
    /// processor cannot guess how many there are.
    fn push(&mut self, mut seps: u64, place: u32) {
        let count = seps.count_ones() as usize;
        if self.seps.len() < self.count + BLOCK {
            self.seps.resize(2 * self.count + 16 * BLOCK, 0);
        }
        let (eights, _) = self.seps[self.count..self.count + BLOCK].as_chunks_mut::<8>();
        for eight in eights {
            for sep in eight {
                *sep = place + seps.trailing_zeros();
                seps &= seps.wrapping_sub(1);
            }
            if seps == 0 {
                break;
            }
        }
        self.count += count;
    }

    /// Ends the last line where the text does.
    fn end(&mut self, place: usize) {
        self.seps.truncate(self.count);
        self.seps.push(short(place));
        self.count += 1;
        self.ends.push((short(place), short(self.count)));
    }

    /// Forgets the rows that were handed out, and what of the text they were.
    fn drop_before(&mut self, at: usize, rows: usize, breaks: usize) {
        let at = short(at);
        let done = match rows.checked_sub(1) {
            Some(last) => self.ends[last].1 as usize,
            None => 0,
        };
        self.ends.clear();
        self.seps.copy_within(done..self.count, 0);
        self.count -= done;
        for place in &mut self.seps[..self.count] {
            *place -= at;
        }
        self.breaks.drain(..breaks);
        for place in &mut self.breaks {
            *place -= at;
        }
    }
}

/// A place in a stretch, in half the memory.
fn short(place: usize) -> u32 {
    u32::try_from(place).expect("whoever reads ends a row long before")
}

/// Returns where each of these bytes stands, the first byte in the lowest bit.
fn masks<const N: usize>(block: &[u8; BLOCK], bytes: [u8; N]) -> [u64; N] {
    let (lanes, _) = block.as_chunks::<16>();
    bytes.map(|byte| {
        let wanted = u8x16::splat(byte);
        let mut mask = 0;
        for (at, lane) in lanes.iter().enumerate() {
            let found = u8x16::from(*lane).simd_eq(wanted).to_bitmask();
            mask |= u64::from(found) << (16 * at);
        }
        mask
    })
}

/// Returns for each bit whether an odd number of bits is set up to and with it.
const fn parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = Vec<(u64, Vec<Vec<u8>>)>;

    /// Hands out a few bytes at a time.
    struct Dribble<'t>(&'t [u8], usize);

    impl io::Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn ours(text: &[u8], step: usize) -> Read {
        let mut rows = Rows::new(Dribble(text, step), false);
        let mut read = Vec::new();
        let mut record = ByteRecord::new();
        while let Some((at, line)) = rows.next().expect("memory can be read") {
            line.copy_to(&mut record);
            let all: Vec<usize> = (0..line.len()).collect();
            if line.is_plain(&all) {
                assert!(all.iter().all(|&field| line.get(field) == record.get(field)));
            }
            let fields = record.iter().map(<[u8]>::to_vec).collect();
            read.push((at, fields));
        }
        read
    }

    /// What the `csv` crate reads, with the line at which each row begins.
    fn theirs(text: &[u8]) -> Read {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .from_reader(text);
        let mut read = Vec::new();
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).expect("memory can be read") {
            let start = record.position().expect("a record was read").byte();
            let start = usize::try_from(start).expect("a short text");
            // The crate's position is before the line ends that it skips.
            let blank = text[start..].iter().take_while(|b| b"\r\n".contains(b)).count();
            let feeds = text[..start + blank].iter().filter(|&&b| b == b'\n').count();
            read.push((feeds as u64 + 1, record.iter().map(<[u8]>::to_vec).collect()));
        }
        read
    }

    fn check(text: &[u8], step: usize) {
        let (ours, theirs) = (ours(text, step), theirs(text));
        assert_eq!(
            ours.iter().map(|row| &row.1).collect::<Vec<_>>(),
            theirs.iter().map(|row| &row.1).collect::<Vec<_>>(),
            "{:?}",
            String::from_utf8_lossy(text)
        );
        if !text.contains(&b'\r') {
            assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn odd_and_even_quotes_are_read_as_the_crate_reads_them() {
        for text in [
            "",
            "\n",
            "a",
            "a,b\n1,2",
            "a,b\r\n1,2\r\n",
            "\n\na,b\n\n\"x\ny\",2\n\n3,4\n",
            "a,\"b \"\"quoted\"\" c\",d\n\"\",\"\"\"\",\"\"\"x\"\n",
            "a,5\" disk,b\n1,2,3\n",
            "a,\"b\" ,c\n1,2,3\n",
            "a,\"never closed\n1,2,3\n",
            "a\rb\rc",
            "a,\"x\"\r\nb,\"y\"\r\n",
            "a,\"x\r\",b\r",
            "\"\"x,y\n1,\"\"\"\n",
        ] {
            for step in [1, 7, 64, 1000] {
                check(text.as_bytes(), step);
            }
        }
    }

    #[test]
    fn rows_longer_than_a_stretch_are_read() {
        let long = format!("a,\"{}\",c\n1,2,3\n", "x,\"\"y\"\"\n".repeat(STRETCH / 4));
        check(long.as_bytes(), STRETCH);
        check(long.repeat(3).as_bytes(), STRETCH / 3);
    }

    proptest! {
        #[test]
        fn no_text_is_read_differently(
            text in "[a-c\",\n\r ]{0,300}",
            step in 1_usize..200,
        ) {
            check(text.as_bytes(), step);
        }

        #[test]
        fn well_formed_text_is_split_here(
            rows in prop::collection::vec(prop::collection::vec("[a-c\",\n\r ]{0,9}", 2..40), 1..60),
            step in 1_usize..3000,
            crlf: bool,
        ) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new()
                .flexible(true)
                .terminator(terminator)
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).expect("memory takes all");
            }
            let text = writer.into_inner().expect("memory takes all");
            check(&text, step);
            let mut split = Rows::new(&text[..], crlf);
            while split.next().expect("memory can be read").is_some() {}
            prop_assert!(split.odd.is_none());
        }
    }
}
