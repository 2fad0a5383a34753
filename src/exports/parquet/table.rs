//! The rows of one row group, shown to the code that reads CSV rows.
//!
//! Of a row of a service that is not kept, only service, kind and cost are looked at: rows that are
//! alike in them are counted and summed as whole numbers. The others are written out field by field.

mod place;
mod plan;
mod storage;
mod text_row;

pub(super) use self::plan::Plan;
use self::text_row::{Entry, Step, TextRow, write_map};
use std::{
    io::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaData;

use self::{place::Place, storage::Metered};
use super::{
    Broken,
    form::{self, Form},
    leaf::Leaf,
    pages::Chunks,
};
use crate::domain::storage::StorageKind;
use crate::exports::{
    ImportError,
    aggregate::BucketId,
    charge_rows::Charges,
    layout::{Bound, Column},
    source::ReadAt,
};

/// Rows that are looked at together.
const BATCH: usize = 8192;

/// Rows that are alike in everything that every row is looked at for.
struct Alike {
    /// The codes of one row of them.
    codes: Vec<u32>,
    /// Where they are summed, and what they may store of ours; none where each is a row of its own.
    outside: Option<(BucketId, Option<StorageKind>)>,
    units: i128,
    rows: u64,
}

/// Kinds of rows met in a row group, found column by column.
#[derive(Default)]
struct Kinds {
    steps: Vec<Step>,
    /// By the number that the last step gives.
    alike: Vec<Option<Alike>>,
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
pub(super) type BadRows<'b> = dyn FnMut(ImportError, u64, String) -> Result<(), ImportError> + 'b;

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

    fn scan(&self) -> Result<Scan<R>, ImportError> {
        let plan = self.plan;
        let mut scan = Scan {
            every: Vec::new(),
            cost: self.open(plan.cost.1)?,
            metered: Vec::new(),
            resource: None,
            resources: Vec::new(),
            storage: Vec::new(),
            kept: Vec::new(),
            codes: vec![Vec::new(); plan.every.len()],
            numbers: Vec::new(),
            amounts: Vec::new(),
            odd: Vec::new(),
            selected: Vec::new(),
            kinds: Kinds::default(),
            row: TextRow::new(plan.width),
        };
        scan.kinds
            .steps
            .resize_with(plan.every.len(), Step::default);
        for (_, leaf, _) in &plan.every {
            scan.every.push(self.open(*leaf)?);
        }
        for (_, leaf, _) in &plan.metered {
            scan.metered.push(Metered {
                leaf: self.open(*leaf)?,
                codes: Vec::new(),
                measures: Vec::new(),
            });
        }
        if let Some((_, leaf, _)) = plan.resource {
            scan.resource = Some(self.open(leaf)?);
        }
        for (_, place) in &plan.kept {
            scan.kept.push(match *place {
                Place::Flat { leaf, .. } => (self.open(leaf)?, None),
                Place::Map { key, value, .. } => (self.open(key)?, Some(self.open(value)?)),
            });
        }
        Ok(scan)
    }

    /// Reads the group, and adds its rows to those of the file.
    pub(super) fn read(
        &self,
        charges: &Mutex<Charges<'_>>,
        bad_rows: &mut BadRows<'_>,
    ) -> Result<(), ImportError> {
        let rows = usize::try_from(self.metadata.row_group(self.number).num_rows());
        let rows = rows.unwrap_or_default();
        let bad_rest = |done: usize, error, bad_rows: &mut BadRows<'_>| {
            let first = self.rows_before + done as u64 + 1;
            let last = self.rows_before + rows as u64;
            let rest = format!("(rows {first} to {last} of {})", self.file);
            bad_rows(error, (rows - done) as u64, rest)
        };
        let mut scan = match self.scan() {
            Ok(scan) => scan,
            Err(error) => return bad_rest(0, error, bad_rows),
        };
        let mut done = 0;
        while done < rows {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ImportError::Cancelled);
            }
            let count = BATCH.min(rows - done);
            if let Err(error) = self.batch(&mut scan, done, count, charges, bad_rows) {
                bad_rest(done, error, bad_rows)?;
                break;
            }
            done += count;
            self.rows_read.fetch_add(count as u64, Ordering::Relaxed);
        }
        self.add_outside(&mut scan, charges, bad_rows)
    }

    /// Reads some rows: of those that are kept all, of the others what they are and cost.
    fn batch(
        &self,
        scan: &mut Scan<R>,
        done: usize,
        count: usize,
        charges: &Mutex<Charges<'_>>,
        bad_rows: &mut BadRows<'_>,
    ) -> Result<(), ImportError> {
        let plan = self.plan;
        scan.numbers.clear();
        scan.numbers.resize(count, 0);
        for (at, leaf) in scan.every.iter_mut().enumerate() {
            let codes = &mut scan.codes[at];
            codes.clear();
            leaf.read_codes(count, codes)
                .map_err(self.broken(plan.every[at].1))?;
            scan.kinds.steps[at].advance(&mut scan.numbers, codes);
        }
        scan.amounts.clear();
        scan.odd.clear();
        let form = plan.cost.2;
        let number = |raw: &[u8]| form.units(raw);
        scan.cost
            .read_numbers(count, number, &mut scan.amounts, &mut scan.odd)
            .map_err(self.broken(plan.cost.1))?;
        // Which rows are kept, or have a cost that takes a closer look.
        scan.selected.clear();
        scan.storage.clear();
        let mut odd = scan.odd.iter().map(|(row, _)| *row).peekable();
        for at in 0..count {
            let number = scan.numbers[at] as usize;
            while scan.kinds.alike.len() <= number {
                scan.kinds.alike.push(None);
            }
            if scan.kinds.alike[number].is_none() {
                let codes: Vec<u32> = scan.codes.iter().map(|codes| codes[at]).collect();
                scan.row.clear();
                plan.write_every(&scan.every, &codes, &mut scan.row);
                // What is wrong with such a row shows when it is read as a whole.
                let outside = lock(charges).outside_of(&scan.row).unwrap_or_default();
                scan.kinds.alike[number] = Some(Alike {
                    codes,
                    outside,
                    units: 0,
                    rows: 0,
                });
            }
            let place = u32::try_from(at).unwrap_or(u32::MAX);
            let outside = scan.kinds.alike[number].as_ref().and_then(|a| a.outside);
            if odd.next_if_eq(&place).is_some() || outside.is_none() {
                scan.selected.push(place);
            } else if let Some((_, Some(left))) = outside {
                scan.storage.push((place, left));
            }
        }
        self.select_storage(scan, count)?;
        let first = self.rows_before + done as u64;
        self.write_rows(scan, (first, count), charges, bad_rows)?;
        let mut selected = scan.selected.iter().copied().peekable();
        for (at, (number, units)) in (0..).zip(scan.numbers.iter().zip(&scan.amounts)) {
            if selected.next_if_eq(&at).is_some() {
                continue;
            }
            if let Some(alike) = &mut scan.kinds.alike[*number as usize] {
                alike.units += i128::from(*units);
                alike.rows += 1;
            }
        }
        Ok(())
    }

    fn add_outside(
        &self,
        scan: &mut Scan<R>,
        charges: &Mutex<Charges<'_>>,
        bad_rows: &mut BadRows<'_>,
    ) -> Result<(), ImportError> {
        for alike in scan.kinds.alike.iter().flatten() {
            let (Some((bucket, _)), 1..) = (alike.outside, alike.rows) else {
                continue;
            };
            scan.row.clear();
            self.plan
                .write_every(&scan.every, &alike.codes, &mut scan.row);
            let Some(cost) = form::total(alike.units) else {
                let broken = Broken::new("costs that no bill adds up to");
                return Err(self.broken(self.plan.cost.1)(broken));
            };
            let added = lock(charges).add_outside(bucket, &scan.row, cost, alike.rows);
            if let Err((field, fault)) = added {
                let error = self.bad(self.rows_before + 1, field, fault);
                bad_rows(error, alike.rows, scan.row.line())?;
            }
        }
        Ok(())
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
        scan: &mut Scan<R>,
        (first, count): (u64, usize),
        charges: &Mutex<Charges<'_>>,
        bad_rows: &mut BadRows<'_>,
    ) -> Result<(), ImportError> {
        let plan = self.plan;
        let selected = &scan.selected;
        let mut flat: Vec<Vec<Option<Bytes>>> = vec![Vec::new(); scan.kept.len()];
        let mut lists: Vec<Vec<Entry>> = vec![Vec::new(); scan.kept.len()];
        for (at, (leaf, value)) in scan.kept.iter_mut().enumerate() {
            match (&plan.kept[at].1, value) {
                (
                    Place::Map {
                        key,
                        value: number,
                        entry,
                    },
                    Some(value),
                ) => {
                    let (mut keys, mut values) = (Vec::new(), Vec::new());
                    leaf.read_lists(count, selected, *entry, &mut keys)
                        .map_err(self.broken(*key))?;
                    value
                        .read_lists(count, selected, *entry, &mut values)
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
                    .read_selected(count, selected, &mut flat[at])
                    .map_err(self.broken(*number))?,
                (Place::Map { .. }, None) => {}
            }
        }
        let row = &mut scan.row;
        let mut at_list = vec![0; lists.len()];
        let mut charges = lock(charges);
        for (place, at) in (0_u32..).zip(selected) {
            row.clear();
            let codes = scan.codes.iter().map(|codes| codes[*at as usize]);
            for ((field, _, form), (leaf, code)) in
                plan.every.iter().zip(scan.every.iter().zip(codes))
            {
                if let Some(raw) = leaf.decode(code) {
                    row.set(*field, |out| form.write(raw, out));
                }
            }
            for ((field, _, form), metered) in plan.metered.iter().zip(&scan.metered) {
                if let Some(raw) = metered.leaf.decode(metered.codes[*at as usize]) {
                    row.set(*field, |out| form.write(raw, out));
                }
            }
            if let (Some((field, _, form)), Some(Some(raw))) =
                (plan.resource, scan.resources.get(place as usize))
            {
                row.set(field, |out| form.write(raw, out));
            }
            match scan.odd.binary_search_by_key(at, |(row, _)| *row) {
                Ok(found) => {
                    if let Some(raw) = &scan.odd[found].1 {
                        row.set(plan.cost.0, |out| plan.cost.2.write(raw, out));
                    }
                }
                Err(_) => row.set(plan.cost.0, |out| {
                    let amount = form::amount(scan.amounts[*at as usize]);
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
                        let rest = &lists[n][start..];
                        let end = start + rest.iter().take_while(|entry| entry.0 == place).count();
                        at_list[n] = end;
                        if start < end {
                            row.set(*field, |out| write_map(&lists[n][start..end], out));
                        }
                    }
                }
            }
            if let Err((field, fault)) = charges.row(row, 1) {
                let error = self.bad(first + u64::from(*at) + 1, field, fault);
                bad_rows(error, 1, row.line())?;
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A row group while it is read.
struct Scan<R: ReadAt> {
    every: Vec<Leaf<R>>,
    cost: Leaf<R>,
    metered: Vec<Metered<R>>,
    resource: Option<Leaf<R>>,
    /// Of the selected rows.
    resources: Vec<Option<Bytes>>,
    /// Rows that may be storage of ours.
    storage: Vec<(u32, StorageKind)>,
    kept: Vec<(Leaf<R>, Option<Leaf<R>>)>,
    /// Of the rows looked at together: by column of `every` their codes, what kind each is, its
    /// cost, costs that are no number of units, and which rows are written out.
    codes: Vec<Vec<u32>>,
    numbers: Vec<u32>,
    amounts: Vec<i64>,
    odd: Vec<(u32, Option<Bytes>)>,
    selected: Vec<u32>,
    kinds: Kinds,
    row: TextRow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_is_no_text_is_not_made_into_another() {
        let mut out = Vec::new();
        let text = |text: &'static [u8]| Bytes::from_static(text);
        write_map(
            &[
                (0, text(b"k"), text(b"a\"b")),
                (0, text(b"l"), text(b"\xff")),
            ],
            &mut out,
        );
        assert_eq!(out, b"{\"k\":\"a\\\"b\" ,\"l\":\xff }");
    }
}
