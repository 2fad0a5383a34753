//! Billing exports: files that AWS writes, read into usage records and sums.
//!
//! What a file is shows in its first bytes and its columns, never in its name. Rows are summed as
//! they stream by, so memory follows groups, not rows. A file counts as a whole or not at all.

mod aggregate;
mod charge_rows;
mod choose;
mod console;
mod cost_explorer;
mod deliveries;
mod error;
mod file_names;
mod github_jobs;
mod group;
mod layout;
mod monthly_bill;
mod net_cost;
mod open;
mod options;
#[cfg(feature = "aws")]
mod overlapping_deliveries;
mod parquet;
#[cfg(feature = "aws")]
pub mod query;
mod rows;
mod same;
mod skip;
mod source;
mod stranger;
mod texts;
mod utf16;
mod values;

pub use self::options::{CheckpointStore, ImportOptions, Unwatched, Watch};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Seek},
    path::{Path, PathBuf},
    slice,
};

use chrono::NaiveDate;

pub use self::{
    deliveries::{Entry, Folder, Store},
    error::{ImportError, RowFault},
    same::append,
    source::{Input, ReadAt},
    stranger::Stranger,
};
use crate::domain::{
    catalog::Catalog,
    ci_jobs::CiJob,
    export::{self, ExportKind, FileRead, ImportedPeriod},
    ids::Currency,
    import::{Delivery, FileSummary, Planned},
    money::Money,
    period::Month,
};

/// Reads exports from files and folders on this machine. `is_known` tells of what marked a folder's month
/// at the last import that it need not be read again.
///
/// What is no export is left out and named where there is one beside it; of what was named alone, the
/// error is handed over.
pub fn import_local(
    paths: &[PathBuf],
    is_known: &dyn Fn(&str) -> bool,
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
) -> Result<Delivery, ImportError> {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path.is_dir());
    let mut import = Import::new(catalog, options, watch);
    let mut inputs = Vec::new();
    if !files.is_empty() {
        let notes = &mut import.delivery.notes;
        for path in choose::choose(&files, paths.len() == 1, notes)? {
            inputs.push(Input::local(&path).map_err(|source| ImportError::Open {
                file: path.display().to_string(),
                source,
            })?);
        }
        import.read_all(&inputs, &[])?;
    }
    let mut strangers = std::mem::take(&mut import.strangers);
    let mut delivery = import.finish()?;
    let mut is_any_known = false;
    for folder in folders {
        let name = folder.display().to_string().replace('\\', "/");
        if let Some(what) =
            file_names::beside(name.trim_end_matches('/')).filter(|_| paths.len() > 1)
        {
            delivery.notes.push(format!("{name}: left out, {what}"));
            continue;
        }
        let mut import = Import::new(catalog, options, watch);
        let found = import.read_store(&Folder(folder), is_known, None);
        match found {
            Err(error @ ImportError::NothingDelivered { .. }) => {
                strangers.push(error);
                continue;
            }
            found => found?,
        }
        strangers.append(&mut import.strangers);
        is_any_known |= import.leaves_known;
        append(&mut delivery, import.finish()?)?;
    }
    if delivery.files.is_empty() && !is_any_known && !strangers.is_empty() {
        return Err(strangers.swap_remove(0));
    }
    let has_rows = |file: &FileSummary| file.rows_read > 0;
    if let (Some(first), true) = (delivery.files.first(), delivery.slices.is_empty())
        && !is_any_known
        && !delivery.files.iter().any(has_rows)
    {
        return Err(ImportError::NoRows {
            file: first.path.display().to_string(),
        });
    }
    let left_out = strangers.iter().map(ImportError::as_left_out);
    delivery.notes.extend(left_out);
    Ok(delivery)
}

/// Reads exports from files. Older deliveries and files given twice are left out.
pub fn import_files(
    paths: &[PathBuf],
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
) -> Result<Delivery, ImportError> {
    if let Some(folder) = paths.iter().find(|path| path.is_dir()) {
        let file = folder.display().to_string();
        return Err(ImportError::Directory { file });
    }
    import_local(paths, &|_| false, catalog, options, watch)
}

/// Reads what counts of a folder of exports, but for months that are as they were: `is_known` tells
/// that of what marked them at the last import. Files that an interrupted import had finished are not
/// read again.
pub fn import_store(
    store: &dyn Store,
    is_known: &dyn Fn(&str) -> bool,
    finished: Option<&dyn CheckpointStore>,
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
) -> Result<Delivery, ImportError> {
    let mut import = Import::new(catalog, options, watch);
    import.read_store(store, is_known, finished)?;
    let mut strangers = std::mem::take(&mut import.strangers);
    let leaves_known = import.leaves_known;
    let mut delivery = import.finish()?;
    if delivery.files.is_empty() && !leaves_known && !strangers.is_empty() {
        return Err(strangers.swap_remove(0));
    }
    let left_out = strangers.iter().map(ImportError::as_left_out);
    delivery.notes.extend(left_out);
    Ok(delivery)
}

/// Returns what [`import_store`] would read, and what a reader should know.
pub fn plan_store(
    store: &dyn Store,
    is_known: &dyn Fn(&str) -> bool,
    options: &ImportOptions,
) -> Result<(Vec<Planned>, Vec<String>), ImportError> {
    let (mut plan, mut notes) = (Vec::new(), Vec::new());
    for month in deliveries::choose(store, options.month, &options.fingerprint(), &mut notes)? {
        let is_known = is_known(&month.fingerprint);
        for file in &month.files {
            plan.push(Planned {
                name: store.input(file)?.name.display().to_string(),
                bytes: file.size,
                is_known,
            });
        }
    }
    Ok((plan, notes))
}

/// Reads one export from anything that can be read, such as a sample inside the program.
pub fn import_reader(
    name: &str,
    reader: impl Read + Seek + Send,
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
) -> Result<Delivery, ImportError> {
    let mut import = Import::new(catalog, options, watch);
    for read in import.texts().file(Path::new(name), reader, true, watch)? {
        import.take(read, None);
    }
    import.finish()
}

struct Import<'i> {
    catalog: &'i Catalog,
    options: &'i ImportOptions,
    watch: &'i dyn Watch,
    delivery: Delivery,
    finished: Option<&'i dyn CheckpointStore>,
    /// Months that are there and were not asked for.
    other_months: BTreeSet<Month>,
    /// Files are as they were at the last import.
    leaves_known: bool,
    /// The day to which a sum was said to reach was within one.
    known_until_used: bool,
    /// Why files are no exports.
    strangers: Vec<ImportError>,
}

/// What becomes another as soon as anything of it does, of a file in a folder.
struct Mark {
    /// Of the month that a file is delivered for.
    month: String,
    /// Of the file.
    file: Option<String>,
}

impl<'i> Import<'i> {
    fn new(catalog: &'i Catalog, options: &'i ImportOptions, watch: &'i dyn Watch) -> Self {
        Self {
            catalog,
            options,
            watch,
            delivery: Delivery {
                may_be_smaller: options.allow_smaller,
                ..Delivery::default()
            },
            finished: None,
            other_months: BTreeSet::new(),
            leaves_known: false,
            known_until_used: false,
            strangers: Vec::new(),
        }
    }

    /// Reads what counts of a folder, but for months that are as they were.
    fn read_store(
        &mut self,
        store: &dyn Store,
        is_known: &dyn Fn(&str) -> bool,
        finished: Option<&'i dyn CheckpointStore>,
    ) -> Result<(), ImportError> {
        let (mut inputs, mut marks) = (Vec::new(), Vec::new());
        let mut unchanged = 0;
        let choices = self.options.fingerprint();
        let notes = &mut self.delivery.notes;
        for month in deliveries::choose(store, self.options.month, &choices, notes)? {
            if is_known(&month.fingerprint) {
                unchanged += month.files.len();
                continue;
            }
            for file in &month.files {
                inputs.push(store.input(file)?);
                marks.push(Mark {
                    month: month.fingerprint.clone(),
                    // Where nothing tells a file from one that takes its place, it is read again.
                    file: (!file.tag.is_empty()).then(|| deliveries::mark(store, file, &choices)),
                });
            }
        }
        if unchanged > 0 {
            let read = match unchanged {
                1 => "1 file not read, nothing changed since it was imported".to_owned(),
                more => format!("{more} files not read, nothing changed since they were imported"),
            };
            notes.push(format!("{}: {read}", store.name()));
        }
        self.leaves_known = unchanged > 0;
        self.finished = finished;
        self.read_all(&inputs, &marks)
    }

    /// Reads files, but for those that an interrupted import had finished. Those of a folder have marks.
    fn read_all(&mut self, inputs: &[Input], marks: &[Mark]) -> Result<(), ImportError> {
        let finished = self.finished;
        let mark = |at: usize| Some((finished?, marks.get(at)?.file.as_deref()?));
        let keep = |at: usize, texts: &[FileRead]| {
            if let Some((finished, mark)) = mark(at) {
                finished.keep(mark, texts);
            }
        };
        let (reader, watch) = (self.texts(), self.watch);
        let mut found: Vec<Vec<FileRead>> = Vec::new();
        let (mut texts, mut tables) = (Vec::new(), Vec::new());
        let mut not_again = 0;
        for (place, input) in inputs.iter().enumerate() {
            let file = input.name.display().to_string();
            let kept = mark(place).and_then(|(finished, mark)| finished.get(mark));
            let is_kept = kept.is_some();
            found.push(kept.unwrap_or_default());
            if is_kept {
                not_again += 1;
            } else if file.to_ascii_lowercase().ends_with(".parquet") && input.length > 0 {
                tables.push(place);
            } else {
                texts.push(place);
            }
        }
        let of = |places: &[usize]| places.iter().map(|&at| &inputs[at]).collect::<Vec<_>>();
        // What a file is shows in its first bytes: either reader says which are none of its own.
        let mut strangers = BTreeMap::new();
        let mut read_texts = |places: &[usize], found: &mut Vec<Vec<FileRead>>| {
            let done = |at: usize, read: &[FileRead]| keep(places[at], read);
            let read = texts::read(&of(places), reader, watch, &done)?;
            let mut others = Vec::new();
            for (&place, read) in places.iter().zip(read) {
                match read {
                    Ok(Some(read)) => found[place] = read,
                    Ok(None) => others.push(place),
                    Err(error) => drop(strangers.insert(place, error)),
                }
            }
            Ok::<_, ImportError>(others)
        };
        tables.extend(read_texts(&texts, &mut found)?);
        tables.sort_unstable();
        let done = |at: usize, read: &FileRead| keep(tables[at], slice::from_ref(read));
        let read = parquet::read(&of(&tables), self.catalog, self.options, self.watch, &done)?;
        let (mut others, mut other_tables) = (Vec::new(), Vec::new());
        for (&place, read) in tables.iter().zip(read) {
            match read {
                Ok(Some(read)) => found[place].push(read),
                Ok(None) => others.push(place),
                Err(error) => other_tables.push((place, error)),
            }
        }
        read_texts(&others, &mut found)?;
        strangers.extend(other_tables);
        self.strangers.extend(strangers.into_values());
        if not_again > 0 {
            let files = if not_again == 1 { "file" } else { "files" };
            self.delivery.notes.push(format!(
                "{not_again} {files} not read again: finished when an import was interrupted"
            ));
        }
        for (place, texts) in found.into_iter().enumerate() {
            for read in texts {
                self.take(read, marks.get(place));
            }
        }
        Ok(())
    }

    fn texts(&self) -> texts::Reader<'i> {
        texts::Reader {
            catalog: self.catalog,
            options: self.options,
        }
    }

    fn take(&mut self, mut read: FileRead, mark: Option<&Mark>) {
        let name = read.name;
        if let Some(month) = self.options.month {
            let before = read.slices.len();
            let others = read.slices.iter().map(|slice| slice.month);
            let others: Vec<Month> = others.filter(|other| *other != month).collect();
            read.slices.retain(|slice| slice.month == month);
            if read.slices.len() < before {
                self.other_months.extend(others);
                let notes = &mut self.delivery.notes;
                notes.push(format!("{name}: months other than {month} left out"));
            }
        }
        self.leave_out_jobs_of_other_months(&name, &mut read.jobs);
        self.leave_out_days_to_come(&name, &mut read.slices);
        for slice in &mut read.slices {
            self.reach(slice);
            slice.skipped = read.skipped;
            slice.delivery = mark.map(|mark| mark.month.clone());
        }
        let origin = || (name.clone(), read.grouping.clone());
        let origins = &mut self.delivery.origins;
        origins.extend(read.slices.iter().map(|_| origin()));
        self.delivery.slices.extend(read.slices);
        self.delivery.jobs.extend(read.jobs);
        self.delivery.notes.extend(read.notes);
        self.delivery.bad_rows.extend(read.bad_rows);
        if read.rows == 0 {
            self.delivery.notes.push(format!("{name}: no rows"));
        }
        self.delivery.files.push(FileSummary {
            path: PathBuf::from(name),
            kind: read.kind,
            rows_read: read.rows,
            rows_kept: read.kept,
            rows_skipped: read.skipped,
        });
    }

    fn leave_out_jobs_of_other_months(&mut self, name: &str, jobs: &mut Vec<CiJob>) {
        let Some(month) = self.options.month else {
            return;
        };
        let before = jobs.len();
        jobs.retain(|job| job.when().is_some_and(|at| month.contains(at.date_naive())));
        if jobs.len() < before {
            let left_out = before - jobs.len();
            let notes = &mut self.delivery.notes;
            notes.push(format!(
                "{name}: {left_out} jobs of months other than {month} left out"
            ));
        }
    }

    /// Sets sums of days to come aside: they are what the console expects, not what was charged.
    fn leave_out_days_to_come(&mut self, name: &str, slices: &mut Vec<ImportedPeriod>) {
        let Some(today) = self.options.today else {
            return;
        };
        let is_to_come =
            |slice: &mut ImportedPeriod| !slice.kind.is_by_day() && slice.covers.0 > today;
        let to_come: Vec<ImportedPeriod> = slices.extract_if(.., is_to_come).collect();
        let charged: Vec<&ImportedPeriod> =
            to_come.iter().filter(|slice| slice.has_charges()).collect();
        let first = charged.iter().map(|slice| slice.covers.0).min();
        let last = charged.iter().map(|slice| slice.covers.1).max();
        if let (Some(first), Some(last)) = (first, last) {
            let cost: Vec<String> = export::cost(charged).into_iter().map(shown_cost).collect();
            self.delivery.notes.push(format!(
                "{name}: {} left out: {first} to {last} are after {today}, so they are a forecast \
                 and no charges",
                cost.join(" and "),
            ));
        }
    }

    /// Finds out how far a sum of several days reaches, where those were not over when it was made.
    fn reach(&mut self, slice: &mut ImportedPeriod) {
        let (first, last) = slice.covers;
        if slice.kind.is_by_day() || first == last {
            return;
        }
        if let Some(day) = self.options.known_until
            && (first..last).contains(&day)
        {
            self.known_until_used = true;
            slice.covers.1 = day;
            slice.whole_month = false;
            for record in &mut slice.records {
                record.last_day = day;
            }
        }
        let last = slice.covers.1;
        // Only an answer says itself that it ends today.
        let ends_today = slice.kind == ExportKind::CostExplorerJson;
        let is_open = |today: &NaiveDate| *today < last || (*today == last && !ends_today);
        slice.standing.read_while_open = self.options.today.filter(is_open);
    }

    /// Hands over what was read, unless two files state the same charges.
    fn finish(mut self) -> Result<Delivery, ImportError> {
        let brings_nothing = self.delivery.slices.is_empty() && !self.leaves_known;
        if let (Some(first), true) = (self.delivery.files.first(), brings_nothing)
            && !self.other_months.is_empty()
        {
            return Err(ImportError::NothingDelivered {
                place: first.path.display().to_string(),
                month: self.options.month,
                others: self.other_months.into_iter().collect(),
            });
        }
        if let Some(day) = self.options.known_until
            && !self.known_until_used
        {
            self.delivery.notes.push(format!(
                "--known-until changes nothing: no sum of several days goes beyond {day}"
            ));
        }
        same::check(&self.delivery, 0)?;
        net_cost::settle(&mut self.delivery.slices, &mut self.delivery.notes);
        Ok(self.delivery)
    }
}

fn shown_cost((currency, cost): (Currency, Money)) -> String {
    format!("{cost} {currency}")
}
