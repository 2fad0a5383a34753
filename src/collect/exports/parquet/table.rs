//! The rows of one row group, shown to the code that reads CSV rows.
//!
//! Of a row of a service that is not kept, only service, kind and cost are looked at: rows that are
//! alike in them are counted and summed as whole numbers. The others are written out field by field.

use std::{
    collections::HashMap,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parquet::{
    basic::{ConvertedType, LogicalType},
    file::metadata::ParquetMetaData,
    schema::types::SchemaDescriptor,
};

use super::{
    Broken,
    form::{self, Form},
    leaf::Leaf,
    pages::{Chunks, ReadAt},
};
use crate::collect::exports::{
    ImportError,
    charges::{Charges, Record},
    gather::{BucketId, Fault},
    layout::{Bound, Column},
};

/// Rows that are looked at together.
const BATCH: usize = 8192;

/// Where a field of the header is found.
enum Place {
    /// One value a row.
    Flat { leaf: usize, form: Form },
    /// A map of texts.
    Map { key: usize, value: usize },
}

/// The fields of a file that are read, and how.
pub(super) struct Plan {
    width: usize,
    /// Read of every row.
    every: Vec<(usize, usize, Form)>,
    /// Read of every row as a number.
    cost: (usize, usize, Form),
    /// Read of rows that are kept.
    kept: Vec<(usize, Place)>,
}

/// What every row is looked at for.
const EVERY: [Column; 6] = [
    Column::Service,
    Column::Kind,
    Column::Class,
    Column::Currency,
    Column::Payer,
    Column::Period,
];

impl Plan {
    pub(super) fn new(
        file: &str,
        schema: &SchemaDescriptor,
        bound: &Bound,
    ) -> Result<Self, ImportError> {
        let mut plan = Self {
            width: bound.width(),
            every: Vec::new(),
            cost: (0, 0, Form::Text),
            kept: Vec::new(),
        };
        let cost = bound.fields(Column::Cost)[0];
        let mut every: Vec<usize> = EVERY
            .iter()
            .flat_map(|column| bound.fields(*column))
            .copied()
            .collect();
        if bound.fields(Column::Period).is_empty() {
            every.extend(bound.fields(Column::Day));
        }
        for field in bound.needed() {
            let is_amount = [Column::Quantity, Column::Cost]
                .iter()
                .any(|column| bound.fields(*column).contains(&field));
            let place = place(schema, field, is_amount).ok_or_else(|| ImportError::ColumnType {
                file: file.to_owned(),
                column: bound.name(field).to_owned(),
                found: found(schema, field),
            })?;
            match place {
                Place::Flat { leaf, form } if field == cost => plan.cost = (field, leaf, form),
                Place::Flat { leaf, form } if every.contains(&field) => {
                    plan.every.push((field, leaf, form));
                }
                place => plan.kept.push((field, place)),
            }
        }
        if plan.every.len() < every.len() || !bound.needed().contains(&cost) {
            return Err(ImportError::ColumnType {
                file: file.to_owned(),
                column: bound.name(cost).to_owned(),
                found: "a map".to_owned(),
            });
        }
        Ok(plan)
    }

    /// Returns the leaves that are read.
    pub(super) fn leaves(&self) -> impl Iterator<Item = usize> + '_ {
        let kept = self.kept.iter().flat_map(|(_, place)| match *place {
            Place::Flat { leaf, .. } => vec![leaf],
            Place::Map { key, value } => vec![key, value],
        });
        let every = self.every.iter().map(|(_, leaf, _)| *leaf);
        every.chain([self.cost.1]).chain(kept)
    }
}

fn place(schema: &SchemaDescriptor, field: usize, is_amount: bool) -> Option<Place> {
    let leaves: Vec<usize> = (0..schema.num_columns())
        .filter(|leaf| schema.get_column_root_idx(*leaf) == field)
        .collect();
    let root = schema.root_schema().get_fields().get(field)?;
    if let ([leaf], true) = (&leaves[..], root.is_primitive()) {
        let column = schema.column(*leaf);
        let form = Form::of(&column, is_amount).filter(|_| column.max_rep_level() == 0)?;
        return Some(Place::Flat { leaf: *leaf, form });
    }
    let info = root.get_basic_info();
    let is_map = matches!(info.logical_type_ref(), Some(LogicalType::Map))
        || matches!(
            info.converted_type(),
            ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE
        );
    let [key, value] = leaves[..] else {
        return None;
    };
    let is_text = |leaf| {
        let column = schema.column(leaf);
        column.max_rep_level() == 1 && Form::of(&column, false) == Some(Form::Text)
    };
    (is_map && is_text(key) && is_text(value)).then_some(Place::Map { key, value })
}

fn found(schema: &SchemaDescriptor, field: usize) -> String {
    let root = schema.root_schema().get_fields().get(field);
    root.map_or_else(String::new, |root| {
        if root.is_primitive() {
            root.get_physical_type().to_string()
        } else {
            "a structure".to_owned()
        }
    })
}

/// A row as texts.
struct TextRow {
    texts: Vec<u8>,
    spans: Vec<(usize, usize)>,
}

impl TextRow {
    fn new(width: usize) -> Self {
        Self {
            texts: Vec::new(),
            spans: vec![(0, 0); width],
        }
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.spans.fill((0, 0));
    }

    fn set(&mut self, field: usize, write: impl FnOnce(&mut Vec<u8>)) {
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

/// Rows that are alike in everything that every row is looked at for.
struct Alike {
    /// The codes of one row of them.
    codes: Vec<u32>,
    /// Where they are summed; none where each is a row of its own.
    outside: Option<BucketId>,
    units: i128,
    rows: u64,
}

/// Kinds of rows met in a row group, found column by column.
#[derive(Default)]
struct Kinds {
    alike: Vec<Alike>,
    /// By column: the number of what came before and the code, and what both are.
    steps: Vec<Step>,
    by_last: HashMap<u32, usize>,
}

#[derive(Default)]
struct Step {
    near: Vec<u32>,
    far: HashMap<(u32, u32), u32>,
    count: u32,
}

/// Below this, pairs are found by their place.
const NEAR: u32 = 256;

impl Step {
    fn get(&mut self, before: u32, code: u32) -> u32 {
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

/// What is needed to read any row group of a file.
pub(super) struct Group<'g, R: ReadAt> {
    pub(super) file: &'g str,
    pub(super) bound: &'g Bound,
    pub(super) plan: &'g Plan,
    pub(super) chunks: &'g Arc<Chunks<R>>,
    pub(super) metadata: &'g ParquetMetaData,
    pub(super) number: usize,
    /// Rows of the groups before it.
    pub(super) rows_before: u64,
    pub(super) rows_read: &'g AtomicU64,
    pub(super) stop: &'g AtomicBool,
}

/// Hears of rows that cannot be understood.
pub(super) type BadRow<'b> = dyn FnMut(ImportError) -> Result<(), ImportError> + 'b;

impl<R: ReadAt + 'static> Group<'_, R> {
    fn broken(&self, leaf: usize) -> impl Fn(Broken) -> ImportError + '_ {
        move |broken| {
            let group = self.metadata.row_group(self.number);
            let column = group.column(leaf);
            let offset = column
                .dictionary_page_offset()
                .unwrap_or_else(|| column.data_page_offset());
            ImportError::RowGroup {
                file: self.file.to_owned(),
                group: self.number + 1,
                offset: u64::try_from(offset).unwrap_or_default(),
                column: Some(column.column_path().string()),
                reason: broken.0,
            }
        }
    }

    fn open(&self, leaf: usize) -> Result<Leaf<R>, ImportError> {
        Leaf::open(self.chunks, self.metadata.row_group(self.number), leaf)
            .map_err(self.broken(leaf))
    }

    /// Reads the group, and adds its rows to those of the file.
    pub(super) fn read<'c>(
        &self,
        charges: &std::sync::Mutex<Charges<'c>>,
        bad_row: &mut BadRow<'_>,
    ) -> Result<(), ImportError> {
        let charges = || {
            let locked = charges.lock();
            locked.unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        let plan = self.plan;
        let group = self.metadata.row_group(self.number);
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let mut every = Vec::new();
        for (_, leaf, _) in &plan.every {
            every.push(self.open(*leaf)?);
        }
        let mut cost = self.open(plan.cost.1)?;
        let mut kept = Vec::new();
        for (_, place) in &plan.kept {
            kept.push(match *place {
                Place::Flat { leaf, .. } => (self.open(leaf)?, None),
                Place::Map { key, value } => (self.open(key)?, Some(self.open(value)?)),
            });
        }
        let mut kinds = Kinds::default();
        kinds.steps.resize_with(plan.every.len(), Step::default);
        let mut row = TextRow::new(plan.width);
        let (mut numbers, mut codes) = (Vec::new(), Vec::new());
        let (mut amounts, mut odd, mut selected) = (Vec::new(), Vec::new(), Vec::new());
        let mut all_codes: Vec<Vec<u32>> = vec![Vec::new(); every.len()];
        let mut done = 0;
        while done < rows {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ImportError::Cancelled);
            }
            let count = BATCH.min(rows - done);
            // What kind of row each is.
            numbers.clear();
            numbers.resize(count, 0_u32);
            for (at, leaf) in every.iter_mut().enumerate() {
                codes.clear();
                let failed = self.broken(plan.every[at].1);
                leaf.read_codes(count, &mut codes).map_err(failed)?;
                let step = &mut kinds.steps[at];
                for (number, code) in numbers.iter_mut().zip(&codes) {
                    *number = step.get(*number, *code);
                }
                std::mem::swap(&mut all_codes[at], &mut codes);
            }
            amounts.clear();
            odd.clear();
            let form = plan.cost.2;
            cost.read_numbers(count, |raw| form.units(raw), &mut amounts, &mut odd)
                .map_err(self.broken(plan.cost.1))?;
            selected.clear();
            let mut odd_rows = odd.iter().map(|(row, _)| *row).peekable();
            let mut last = (u32::MAX, 0);
            for (at, (number, units)) in (0_u32..).zip(numbers.iter().zip(&amounts)) {
                if last.0 != *number {
                    let kind = if let Some(kind) = kinds.by_last.get(number) {
                        *kind
                    } else {
                        let codes: Vec<u32> =
                            all_codes.iter().map(|codes| codes[at as usize]).collect();
                        row.clear();
                        for ((field, _, form), (leaf, code)) in
                            plan.every.iter().zip(every.iter().zip(&codes))
                        {
                            if let Some(raw) = leaf.decode(*code) {
                                row.set(*field, |out| form.write(raw, out));
                            }
                        }
                        // What is wrong with such a row shows when it is read as a whole.
                        let outside = charges().outside_of(&row).unwrap_or_default();
                        kinds.alike.push(Alike {
                            codes,
                            outside,
                            units: 0,
                            rows: 0,
                        });
                        kinds.by_last.insert(*number, kinds.alike.len() - 1);
                        kinds.alike.len() - 1
                    };
                    last = (*number, kind);
                }
                let kind = &mut kinds.alike[last.1];
                if odd_rows.next_if_eq(&at).is_some() || kind.outside.is_none() {
                    selected.push(at);
                } else {
                    kind.units += i128::from(*units);
                    kind.rows += 1;
                }
            }
            if !selected.is_empty() {
                self.write_rows(
                    &Batch {
                        first: self.rows_before + done as u64,
                        count,
                        selected: &selected,
                        codes: &all_codes,
                        amounts: &amounts,
                        odd: &odd,
                    },
                    (&every, &mut kept),
                    &mut row,
                    |row| charges().row(row),
                    bad_row,
                )?;
            } else {
                for (at, (leaf, value)) in kept.iter_mut().enumerate() {
                    self.skip(at, leaf, value.as_mut(), count)?;
                }
            }
            done += count;
            self.rows_read.fetch_add(count as u64, Ordering::Relaxed);
        }
        for kind in &kinds.alike {
            let (Some(bucket), 1..) = (kind.outside, kind.rows) else {
                continue;
            };
            row.clear();
            for ((field, _, form), (leaf, code)) in
                plan.every.iter().zip(every.iter().zip(&kind.codes))
            {
                if let Some(raw) = leaf.decode(*code) {
                    row.set(*field, |out| form.write(raw, out));
                }
            }
            let Some(cost) = form::total(kind.units) else {
                let broken = Broken::new("costs that no bill adds up to");
                return Err(self.broken(plan.cost.1)(broken));
            };
            if let Err((field, fault)) = charges().add_outside(bucket, &row, cost, kind.rows) {
                bad_row(self.bad(self.rows_before + 1, field, fault))?;
            }
        }
        Ok(())
    }

    fn skip(
        &self,
        at: usize,
        leaf: &mut Leaf<R>,
        value: Option<&mut Leaf<R>>,
        count: usize,
    ) -> Result<(), ImportError> {
        match (&self.plan.kept[at].1, value) {
            (Place::Map { key, value: number }, Some(value)) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                leaf.read_lists(count, &[], 0, &mut keys)
                    .map_err(self.broken(*key))?;
                value
                    .read_lists(count, &[], 0, &mut values)
                    .map_err(self.broken(*number))
            }
            (Place::Flat { leaf: number, .. }, _) => leaf
                .read_selected(count, &[], &mut Vec::new())
                .map_err(self.broken(*number)),
            (Place::Map { .. }, None) => Ok(()),
        }
    }

    fn bad(&self, row: u64, field: Option<usize>, fault: super::RowFault) -> ImportError {
        ImportError::ParquetRow {
            file: self.file.to_owned(),
            row,
            column: field.map(|field| self.bound.name(field).to_owned()),
            fault,
        }
    }

    /// Writes the selected rows of a batch out as texts, each to be added.
    fn write_rows(
        &self,
        batch: &Batch<'_>,
        (every, kept): (&[Leaf<R>], &mut [(Leaf<R>, Option<Leaf<R>>)]),
        row: &mut TextRow,
        mut add: impl FnMut(&TextRow) -> Result<(), Fault>,
        bad_row: &mut BadRow<'_>,
    ) -> Result<(), ImportError> {
        let plan = self.plan;
        let mut flat: Vec<Vec<Option<Bytes>>> = vec![Vec::new(); kept.len()];
        let mut lists: Vec<Vec<Entry>> = vec![Vec::new(); kept.len()];
        for (at, (leaf, value)) in kept.iter_mut().enumerate() {
            match (&plan.kept[at].1, value) {
                (Place::Map { key, value: number }, Some(value)) => {
                    let (mut keys, mut values) = (Vec::new(), Vec::new());
                    let entry = leaf.definition();
                    leaf.read_lists(batch.count, batch.selected, entry, &mut keys)
                        .map_err(self.broken(*key))?;
                    value
                        .read_lists(batch.count, batch.selected, entry, &mut values)
                        .map_err(self.broken(*number))?;
                    if keys.len() != values.len() {
                        let broken = Broken::new("a map with more keys than values");
                        return Err(self.broken(*key)(broken));
                    }
                    lists[at] = keys
                        .into_iter()
                        .zip(values)
                        .filter_map(|((row, key), (_, value))| Some((row, key?, value?)))
                        .collect();
                }
                (Place::Flat { leaf: number, .. }, _) => leaf
                    .read_selected(batch.count, batch.selected, &mut flat[at])
                    .map_err(self.broken(*number))?,
                (Place::Map { .. }, None) => {}
            }
        }
        let mut at_list = vec![0; kept.len()];
        for (place, at) in (0_u32..).zip(batch.selected) {
            row.clear();
            for (n, (field, _, form)) in plan.every.iter().enumerate() {
                if let Some(raw) = every[n].decode(batch.codes[n][*at as usize]) {
                    row.set(*field, |out| form.write(raw, out));
                }
            }
            match batch.odd.binary_search_by_key(at, |(row, _)| *row) {
                Ok(found) => {
                    if let Some(raw) = &batch.odd[found].1 {
                        row.set(plan.cost.0, |out| plan.cost.2.write(raw, out));
                    }
                }
                Err(_) => row.set(plan.cost.0, |out| {
                    let amount = form::amount(batch.amounts[*at as usize]);
                    write!(out, "{amount}").expect("a vector takes all");
                }),
            }
            for (n, (field, what)) in plan.kept.iter().enumerate() {
                match what {
                    Place::Flat { form, .. } => {
                        if let Some(Some(raw)) = flat[n].get(place as usize) {
                            row.set(*field, |out| form.write(raw, out));
                        }
                    }
                    Place::Map { .. } => {
                        let start = at_list[n];
                        let end = start
                            + lists[n][start..]
                                .iter()
                                .take_while(|entry| entry.0 == place)
                                .count();
                        at_list[n] = end;
                        if start < end {
                            row.set(*field, |out| write_map(&lists[n][start..end], out));
                        }
                    }
                }
            }
            if let Err((field, fault)) = add(row) {
                let number = batch.first + u64::from(*at) + 1;
                bad_row(self.bad(number, field, fault))?;
            }
        }
        Ok(())
    }
}

/// An entry of a map: the place of its row, key and value.
type Entry = (u32, Bytes, Bytes);

/// Rows looked at together.
struct Batch<'b> {
    first: u64,
    count: usize,
    selected: &'b [u32],
    codes: &'b [Vec<u32>],
    amounts: &'b [i64],
    odd: &'b [(u32, Option<Bytes>)],
}

/// Writes a map as the JSON text that stands in CSV.
fn write_map(entries: &[Entry], out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (_, key, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        for (text, end) in [(key, b':'), (value, b' ')] {
            let text = String::from_utf8_lossy(text);
            serde_json::to_writer(&mut *out, &text).expect("a vector takes all");
            if end == b':' {
                out.push(end);
            }
        }
    }
    out.push(b'}');
}
