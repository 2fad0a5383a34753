//! One column of a row group, read in batches: densely as codes or amounts, or only where rows are
//! wanted. What is not wanted is passed over without being decoded.

mod lists;
mod values;

use self::values::{Table, Values, length_at, next_plain, too_short};
use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, Type},
    column::page::{Page, PageReader},
    file::{metadata::RowGroupMetaData, serialized_reader::SerializedPageReader},
};

use self::lists::Window;
use super::{
    Broken,
    packing::Packing,
    pages::{Chunks, Pages},
    rare,
    runs::Runs,
};
use crate::exports::source::ReadAt;

/// The code of a value that is not there.
pub(super) const ABSENT: u32 = u32::MAX;

/// A column of one row group.
pub(super) struct Leaf<R: ReadAt> {
    pages: SerializedPageReader<Pages<R>>,
    /// What unpacks the pages, where their reader does not.
    packing: Option<(Packing, Arc<Pages<R>>)>,
    max_definition: u32,
    max_repetition: u32,
    width: usize,
    dictionary: Table,
    /// The numbers of the dictionary, worked out when first asked for.
    numbers: Option<Vec<Option<i64>>>,
    definitions: Runs,
    repetitions: Runs,
    values: Values,
    /// Entries of the page that are left.
    left: usize,
    /// Entries that pages may still bring.
    claimed: u64,
    /// Codes that are looked up together.
    codes: Vec<u32>,
    /// Of a column of lists: the levels that were looked at.
    window: Window,
    /// Values met outside of the dictionary, numbered after it.
    extra: Vec<Box<[u8]>>,
    extra_codes: HashMap<Box<[u8]>, u32>,
}

impl<R: ReadAt + 'static> Leaf<R> {
    pub(super) fn open(
        chunks: &Arc<Chunks<R>>,
        group: &RowGroupMetaData,
        leaf: usize,
    ) -> Result<Self, Broken> {
        let chunk = group.column(leaf);
        let column = chunk.column_descr_ptr();
        let inside = |offset: i64| {
            u64::try_from(offset).is_ok_and(|offset| {
                let size = u64::try_from(chunk.compressed_size()).unwrap_or(u64::MAX);
                offset
                    .checked_add(size)
                    .is_some_and(|end| end <= chunks.length)
            })
        };
        let start = chunk.dictionary_page_offset();
        if !inside(start.unwrap_or_else(|| chunk.data_page_offset())) {
            return Err(Broken::new("the footer names bytes beyond the end"));
        }
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let packing = Packing::of(chunk.compression()).map_err(Broken::new)?;
        let pages = Arc::new(Pages::new(chunks));
        let packing = packing.map(|packing| (packing, pages.clone()));
        let pages = if packing.is_some() {
            // Their reader hands them over as they are.
            let chunk = chunk.clone().into_builder();
            let chunk = chunk.set_compression(Compression::UNCOMPRESSED).build()?;
            SerializedPageReader::new(pages, &chunk, rows, None)?
        } else {
            SerializedPageReader::new(pages, chunk, rows, None)?
        };
        let width = match column.physical_type() {
            Type::BYTE_ARRAY => 0,
            Type::INT32 | Type::FLOAT => 4,
            Type::INT64 | Type::DOUBLE => 8,
            Type::INT96 => 12,
            Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(column.type_length()).unwrap_or(0),
            Type::BOOLEAN => {
                return Err(Broken::new("a truth value where a text or number is due"));
            }
        };
        let level = |level: i16| u32::try_from(level).unwrap_or_default();
        Ok(Self {
            pages,
            packing,
            max_definition: level(column.max_def_level()),
            max_repetition: level(column.max_rep_level()),
            width,
            dictionary: Table::default(),
            numbers: None,
            definitions: Runs::always(0),
            repetitions: Runs::always(0),
            values: Values::Plain {
                bytes: Bytes::new(),
                at: 0,
                width,
            },
            left: 0,
            claimed: u64::try_from(chunk.num_values()).unwrap_or_default(),
            codes: Vec::new(),
            window: Window::default(),
            extra: Vec::new(),
            extra_codes: HashMap::new(),
        })
    }

    /// Goes to the next page; false at the end.
    fn load(&mut self) -> Result<bool, Broken> {
        while let Some(mut page) = self.pages.get_next_page()? {
            if let Some((packing, pages)) = &self.packing {
                packing.unpack(&mut page, pages.claimed())?;
            }
            match &page {
                Page::DictionaryPage {
                    buf, num_values, ..
                } => {
                    self.dictionary = Table::new(buf, self.width, *num_values)?;
                    self.numbers = None;
                    // Codes of texts met before would collide with the new ones.
                    if !self.extra.is_empty() {
                        return Err(Broken::new("a dictionary in the middle of a column"));
                    }
                }
                Page::DataPage {
                    buf, num_values, ..
                } => {
                    let mut at = 0;
                    let repetitions = prefixed(buf, &mut at, self.max_repetition)?;
                    let definitions = prefixed(buf, &mut at, self.max_definition)?;
                    self.begin(
                        &page,
                        repetitions,
                        definitions,
                        buf.slice(at..),
                        *num_values,
                    )?;
                }
                Page::DataPageV2 {
                    buf,
                    num_values,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    ..
                } => {
                    let repetition = *rep_levels_byte_len as usize;
                    let both = repetition.saturating_add(*def_levels_byte_len as usize);
                    if both > buf.len() {
                        return Err(too_short());
                    }
                    let repetitions = levels(buf.slice(..repetition), self.max_repetition)?;
                    let definitions = levels(buf.slice(repetition..both), self.max_definition)?;
                    self.begin(
                        &page,
                        repetitions,
                        definitions,
                        buf.slice(both..),
                        *num_values,
                    )?;
                }
            }
            if self.left > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn begin(
        &mut self,
        page: &Page,
        repetitions: Runs,
        definitions: Runs,
        bytes: Bytes,
        entries: u32,
    ) -> Result<(), Broken> {
        self.claimed = self
            .claimed
            .checked_sub(u64::from(entries))
            .ok_or_else(|| Broken::new("a page has more values than the footer says"))?;
        let width = self.width;
        self.values = match page.encoding() {
            Encoding::PLAIN => Values::Plain {
                bytes,
                at: 0,
                width,
            },
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                let bits = bytes.first().copied().unwrap_or_default();
                Values::Codes(Runs::new(bytes.slice(bytes.len().min(1)..), bits)?)
            }
            rare => Values::Plain {
                bytes: rare::plain(rare, &bytes, width, entries)?,
                at: 0,
                width,
            },
        };
        (self.repetitions, self.definitions) = (repetitions, definitions);
        self.left = entries as usize;
        Ok(())
    }

    /// Goes on to a page that has entries.
    fn ready(&mut self) -> Result<(), Broken> {
        if self.left == 0 && !self.load()? {
            return Err(Broken::new("a column ends before its last row"));
        }
        Ok(())
    }

    fn skip_entries(&mut self, count: usize) -> Result<(), Broken> {
        if count == 0 {
            return Ok(());
        }
        let there = if self.max_definition == 0 {
            count
        } else {
            self.definitions.count(count, self.max_definition)?
        };
        self.values.skip(there)
    }

    fn is_there(&mut self) -> Result<bool, Broken> {
        Ok(self.max_definition == 0 || self.definitions.next()? == self.max_definition)
    }

    fn value(&mut self) -> Result<Bytes, Broken> {
        match &mut self.values {
            Values::Codes(codes) => {
                let (start, end) = self.dictionary.span(codes.next()?)?;
                Ok(self.dictionary.bytes.slice(start..end))
            }
            Values::Plain { bytes, at, width } => {
                let (start, end) = next_plain(bytes, at, *width)?;
                Ok(bytes.slice(start..end))
            }
        }
    }

    /// Reads some of the next rows: those whose place among them is given, in order.
    pub(super) fn read_selected(
        &mut self,
        rows: usize,
        selected: &[u32],
        out: &mut Vec<Option<Bytes>>,
    ) -> Result<(), Broken> {
        let (mut done, mut wanted) = (0, selected.iter().map(|row| *row as usize).peekable());
        while done < rows {
            self.ready()?;
            let end = done + self.left.min(rows - done);
            let mut at = done;
            while let Some(row) = wanted.next_if(|row| *row < end) {
                self.skip_entries(row - at)?;
                let value = if self.is_there()? {
                    Some(self.value()?)
                } else {
                    None
                };
                out.push(value);
                at = row + 1;
            }
            self.left -= end - done;
            // The rest of a page that ends here has no use.
            if self.left > 0 {
                self.skip_entries(end - at)?;
            }
            done = end;
        }
        Ok(())
    }

    /// Tells which of the next entries of the page are there: how many at a time.
    fn presence(&mut self, count: usize) -> Result<Vec<(usize, bool)>, Broken> {
        if self.max_definition == 0 {
            return Ok(vec![(count, true)]);
        }
        let mut runs: Vec<(usize, bool)> = Vec::new();
        let highest = self.max_definition;
        self.definitions.each(count, |times, level| {
            match runs.last_mut() {
                Some((last, there)) if *there == (level == highest) => *last += times,
                _ => runs.push((times, level == highest)),
            }
            Ok(())
        })?;
        Ok(runs)
    }

    /// Reads the next rows as codes: of one column, equal values have equal codes within a row
    /// group, but for values of the dictionary that pages repeat outside of it.
    pub(super) fn read_codes(&mut self, rows: usize, out: &mut Vec<u32>) -> Result<(), Broken> {
        let mut done = 0;
        while done < rows {
            self.ready()?;
            let step = self.left.min(rows - done);
            for (count, there) in self.presence(step)? {
                if there {
                    self.codes(count, out)?;
                } else {
                    out.resize(out.len() + count, ABSENT);
                }
            }
            self.left -= step;
            done += step;
        }
        Ok(())
    }

    fn codes(&mut self, count: usize, out: &mut Vec<u32>) -> Result<(), Broken> {
        let known = self.dictionary.len();
        match &mut self.values {
            Values::Codes(codes) => {
                let first = out.len();
                codes.append(count, out)?;
                if out[first..].iter().any(|code| *code as usize >= known) {
                    return Err(Broken::new("a code beyond the dictionary"));
                }
                Ok(())
            }
            Values::Plain { bytes, at, width } => {
                for _ in 0..count {
                    let (start, end) = next_plain(bytes, at, *width)?;
                    let value = &bytes[start..end];
                    let code = if let Some(&code) = self.extra_codes.get(value) {
                        code
                    } else {
                        let code = u32::try_from(known + self.extra.len());
                        let code = code.map_err(|_| too_short())?;
                        self.extra.push(value.into());
                        self.extra_codes.insert(value.into(), code);
                        code
                    };
                    out.push(code);
                }
                Ok(())
            }
        }
    }

    /// Returns the value of a code.
    pub(super) fn decode(&self, code: u32) -> Option<&[u8]> {
        if code == ABSENT {
            return None;
        }
        match (code as usize).checked_sub(self.dictionary.len()) {
            None => self.dictionary.get(code).ok(),
            Some(extra) => self.extra.get(extra).map(|value| &**value),
        }
    }

    /// Reads the next rows as numbers. Values of which `number` makes none are handed over as they
    /// are, with their row.
    pub(super) fn read_numbers(
        &mut self,
        rows: usize,
        number: impl Fn(&[u8]) -> Option<i64>,
        out: &mut Vec<i64>,
        others: &mut Vec<(u32, Option<Bytes>)>,
    ) -> Result<(), Broken> {
        let row = |out: &Vec<i64>| u32::try_from(out.len()).unwrap_or(u32::MAX);
        let mut done = 0;
        while done < rows {
            self.ready()?;
            let step = self.left.min(rows - done);
            for (count, there) in self.presence(step)? {
                if !there {
                    for _ in 0..count {
                        others.push((row(out), None));
                        out.push(0);
                    }
                    continue;
                }
                match &mut self.values {
                    Values::Codes(codes) => {
                        let dictionary = &self.dictionary;
                        let numbers = self.numbers.get_or_insert_with(|| {
                            let codes = 0..u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
                            codes
                                .map(|code| number(dictionary.get(code).ok()?))
                                .collect()
                        });
                        self.codes.clear();
                        codes.append(count, &mut self.codes)?;
                        for &code in &self.codes {
                            let value = *numbers
                                .get(code as usize)
                                .ok_or_else(|| Broken::new("a code beyond the dictionary"))?;
                            if value.is_none() {
                                let (start, end) = dictionary.span(code)?;
                                others.push((row(out), Some(dictionary.bytes.slice(start..end))));
                            }
                            out.push(value.unwrap_or_default());
                        }
                    }
                    Values::Plain { bytes, at, width } => {
                        for _ in 0..count {
                            let (start, end) = next_plain(bytes, at, *width)?;
                            let value = number(&bytes[start..end]);
                            if value.is_none() {
                                others.push((row(out), Some(bytes.slice(start..end))));
                            }
                            out.push(value.unwrap_or_default());
                        }
                    }
                }
            }
            self.left -= step;
            done += step;
        }
        Ok(())
    }
}

fn levels(bytes: Bytes, highest: u32) -> Result<Runs, Broken> {
    if highest == 0 {
        return Ok(Runs::always(0));
    }
    let bits = u32::BITS - highest.leading_zeros();
    Runs::new(bytes, u8::try_from(bits).unwrap_or(u8::MAX))
}

/// Returns levels that stand after their length.
fn prefixed(page: &Bytes, at: &mut usize, highest: u32) -> Result<Runs, Broken> {
    if highest == 0 {
        return Ok(Runs::always(0));
    }
    let length = length_at(page, *at)?;
    let start = *at + 4;
    *at = start + length;
    levels(page.slice(start..*at), highest)
}
