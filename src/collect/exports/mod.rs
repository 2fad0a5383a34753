//! Billing exports: files that AWS writes, read into usage records and sums.
//!
//! What a file is shows in its first bytes and its columns, never in its name. Rows are summed as
//! they stream by, so memory follows groups, not rows. A file counts as a whole or not at all.

mod charges;
mod choose;
mod cost_explorer;
mod deliveries;
mod error;
mod gather;
mod layout;
mod open;
mod parquet;
#[cfg(feature = "aws")]
pub mod query;
mod rows;
#[cfg(feature = "aws")]
mod side_by_side;
mod skip;
mod source;
mod texts;
mod values;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    io::{Read, Seek},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

pub use self::{
    deliveries::{Entry, Folder, Store},
    error::{ImportError, RowFault},
    skip::BadRow,
    source::{Input, ReadAt},
};
use crate::domain::{
    catalog::Catalog,
    ids::{Currency, ServiceCode},
    money::Money,
    period::Month,
    usage::{ChargeKind, UsageRecord},
};

/// What kind of export usage comes from, the most detailed first: of several that cover the same
/// month, the first one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ExportKind {
    /// Cost and Usage Report 2.0, a Data Export.
    Cur2,
    /// The older Cost and Usage Report, whose columns have slashes.
    LegacyCur,
    /// FOCUS 1.0 or 1.2, a Data Export.
    Focus,
    /// The answer of `get-cost-and-usage`.
    CostExplorerJson,
    /// The file that Cost Explorer's console offers.
    CostExplorerCsv,
    /// A plain table of days, services and usage types.
    DailyCsv,
}

impl ExportKind {
    /// Every kind, in order of precedence.
    pub const ALL: [Self; 6] = [
        Self::Cur2,
        Self::LegacyCur,
        Self::Focus,
        Self::CostExplorerJson,
        Self::CostExplorerCsv,
        Self::DailyCsv,
    ];

    /// Returns the short name used in files and origins.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cur2 => "cur2",
            Self::LegacyCur => "cur",
            Self::Focus => "focus",
            Self::CostExplorerJson => "ce-json",
            Self::CostExplorerCsv => "ce-csv",
            Self::DailyCsv => "daily",
        }
    }

    /// Reads [`ExportKind::name`] back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns what people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cur2 => "Cost and Usage Report 2.0",
            Self::LegacyCur => "legacy Cost and Usage Report",
            Self::Focus => "FOCUS",
            Self::CostExplorerJson => "Cost Explorer JSON",
            Self::CostExplorerCsv => "Cost Explorer CSV",
            Self::DailyCsv => "daily CSV",
        }
    }

    /// Tells whether it states whole billing months of a payer, as a bill does.
    pub const fn is_bill(self) -> bool {
        matches!(self, Self::Cur2 | Self::LegacyCur | Self::Focus)
    }
}

impl fmt::Display for ExportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How to read exports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportOptions {
    /// Leave out rows that cannot be read, and say so, instead of stopping at the first.
    pub skip_bad_rows: bool,
    /// Services whose rows are kept besides the four code services.
    pub include_services: Vec<ServiceCode>,
    /// What to call the source of a file that does not state its payer.
    pub source: Option<String>,
    /// Only this billing month.
    pub month: Option<Month>,
}

impl ImportOptions {
    /// Returns what makes another import of the same files.
    fn fingerprint(&self) -> String {
        // What is read of a file has changed: storage is told apart.
        format!(
            "2 {:?} {:?} {:?}",
            self.skip_bad_rows, self.include_services, self.source
        )
    }
}

/// Watches an import, and may stop it.
pub trait Watch {
    /// Hears how far a file has been read, every few thousand rows.
    fn progress(&self, file: &Path, bytes_read: u64, bytes_total: Option<u64>, rows: u64);
    /// Tells whether to stop.
    fn cancelled(&self) -> bool;
}

/// What a set of files says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivery {
    /// What to put into the ledger.
    pub slices: Vec<Slice>,
    /// The files that count.
    pub files: Vec<FileSummary>,
    /// What a reader should know: what was left out, what is not known.
    pub notes: Vec<String>,
    /// Rows that could not be read.
    pub bad_rows: Vec<BadRow>,
    /// Per slice: the file it is from and what that is grouped by.
    origins: Vec<(String, String)>,
}

impl Delivery {
    /// Adds what another place brought, unless it states charges that are here already.
    pub fn append(&mut self, other: Self) -> Result<(), ImportError> {
        let before = self.slices.len();
        self.slices.extend(other.slices);
        self.files.extend(other.files);
        self.notes.extend(other.notes);
        self.bad_rows.extend(other.bad_rows);
        self.origins.extend(other.origins);
        self.check(before)
    }

    /// Refuses slices that state the same charges; those from `later` on are of another place.
    fn check(&self, later: usize) -> Result<(), ImportError> {
        let mut months: BTreeMap<(ExportKind, &str, Month), Vec<usize>> = BTreeMap::new();
        for (at, slice) in self.slices.iter().enumerate() {
            months
                .entry((slice.kind, &slice.source, slice.month))
                .or_default()
                .push(at);
        }
        for ((_, _, month), slices) in &months {
            for (n, &a) in slices.iter().enumerate() {
                let is_repeated = |b: usize| {
                    let is_read_twice = b < later && later <= a;
                    self.same_charges(a, b, is_read_twice)
                };
                if let Some(&b) = slices[..n].iter().find(|&&b| is_repeated(b)) {
                    return Err(ImportError::SameCharges {
                        first: self.origins[b].0.clone(),
                        second: self.origins[a].0.clone(),
                        month: *month,
                    });
                }
            }
        }
        Ok(())
    }

    /// Tells whether two slices of one source and month are the same money told twice. The files
    /// of one bill differ in their number; sums of one day must be pages of one listing.
    fn same_charges(&self, a: usize, b: usize, is_read_twice: bool) -> bool {
        let (file, grouping) = &self.origins[a];
        let (other_file, other_grouping) = &self.origins[b];
        if file == other_file {
            return is_read_twice;
        }
        let (x, y) = (&self.slices[a], &self.slices[b]);
        if x.kind.is_bill() {
            let export = |file: &str| {
                let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
                choose::stem(x.kind, name).to_owned()
            };
            return x.part == y.part || export(file) != export(other_file);
        }
        let overlap = x.covers.0 <= y.covers.1 && y.covers.0 <= x.covers.1;
        overlap
            && (x.covers != y.covers
                || grouping != other_grouping
                || x.records
                    .iter()
                    .any(|a| y.records.iter().any(|b| same_line(a, b))))
    }
}

/// What one file gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSummary {
    /// The file; an entry of an archive follows its archive after a slash.
    pub path: PathBuf,
    /// What it is.
    pub kind: ExportKind,
    /// Rows read.
    pub rows_read: u64,
    /// Rows of services that are kept in detail.
    pub rows_kept: u64,
    /// Rows that could not be read and were left out.
    pub rows_skipped: u64,
}

/// The charges of one source over a stretch of days: what the ledger replaces as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    /// From what kind of export.
    pub kind: ExportKind,
    /// The payer's account, or the name given to the source; empty where neither is known.
    pub source: String,
    /// The billing month.
    pub month: Month,
    /// First and last day it speaks for: the month of a bill, else the day or month of a sum.
    pub covers: (NaiveDate, NaiveDate),
    /// It speaks for the whole month.
    pub whole_month: bool,
    /// The number of the file among those of its export; 0 where there is but one.
    pub part: u32,
    /// The usage and charges that are kept in detail, sorted.
    pub records: Vec<UsageRecord>,
    /// The sums of all others.
    pub outside: Vec<Outside>,
    /// Of those, what builds and pipelines left in storage, by log group or bucket and month.
    pub storage: Vec<UsageRecord>,
    /// Its source names resources; else nothing can be said of such storage.
    pub names_resources: bool,
    /// Rows of its file that could not be read and are missing here.
    pub skipped: u64,
    /// What marks the delivery it is of, where it comes from a folder of deliveries.
    pub delivery: Option<String>,
}

/// Rows of a service that is not kept in detail: counted and summed, never lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outside {
    /// The service as the source names it.
    pub service: String,
    /// What kind of charge.
    pub kind: ChargeKind,
    /// In what currency.
    pub currency: Currency,
    /// How many rows.
    pub rows: u64,
    /// What they cost together.
    pub cost: Money,
}

/// What reading one text gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRead {
    /// What it is.
    pub kind: ExportKind,
    /// What the sums are by; different groupings of one day are the same money.
    pub grouping: String,
    /// What it says.
    pub slices: Vec<Slice>,
    /// Rows read.
    pub rows: u64,
    /// Rows of services that are kept in detail.
    pub kept: u64,
    /// Rows that could not be read and were left out.
    pub skipped: u64,
    /// Those rows.
    pub bad_rows: Vec<BadRow>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Files that an import has finished, kept until all of them are in the ledger: after an interruption
/// they need not be read again. A mark stands for a file as it is and for how it is read.
pub trait Finished: Sync {
    /// Returns what a file gave, if it was finished.
    fn get(&self, mark: &str) -> Option<FileRead>;
    /// Keeps what a file gave. One that is not kept is read again.
    fn keep(&self, mark: &str, read: &FileRead);
}

/// Reads exports from files. Older deliveries and files given twice are left out.
pub fn import_files(
    paths: &[PathBuf],
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
) -> Result<Delivery, ImportError> {
    let mut import = Import::new(catalog, options, watch);
    let mut inputs = Vec::new();
    for path in choose::choose(paths, &mut import.delivery.notes)? {
        inputs.push(Input::local(&path).map_err(|source| ImportError::Open {
            file: path.display().to_string(),
            source,
        })?);
    }
    import.read_all(&inputs)?;
    import.finish()
}

/// Reads what counts of a folder of exports, but for months that are as they were: `is_known` tells
/// that of what marked them at the last import. Files that an interrupted import had finished are not
/// read again.
pub fn import_store(
    store: &dyn Store,
    is_known: &dyn Fn(&str) -> bool,
    finished: Option<&dyn Finished>,
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
) -> Result<Delivery, ImportError> {
    let mut import = Import::new(catalog, options, watch);
    let (mut inputs, mut marks) = (Vec::new(), HashMap::new());
    let mut unchanged = 0;
    let choices = options.fingerprint();
    for month in deliveries::choose(store, options.month, &choices, &mut import.delivery.notes)? {
        if is_known(&month.fingerprint) {
            unchanged += month.files.len();
            continue;
        }
        for file in &month.files {
            let input = store.input(file)?;
            let mark = Mark {
                month: month.fingerprint.clone(),
                // Where nothing tells a file from one that takes its place, it is read again.
                file: (!file.tag.is_empty()).then(|| deliveries::mark(store, file, &choices)),
            };
            marks.insert(input.name.display().to_string(), mark);
            inputs.push(input);
        }
    }
    if unchanged > 0 {
        import.delivery.notes.push(format!(
            "{}: {unchanged} files not read, nothing changed since they were imported",
            store.name()
        ));
    }
    import.marks = marks;
    import.leaves_known = unchanged > 0;
    import.finished = finished;
    import.read_all(&inputs)?;
    import.finish()
}

/// A file that an import of a folder reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// What it is called.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// It is as it was at the last import, and not read.
    pub is_known: bool,
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
    for (name, read) in import.texts().file(Path::new(name), reader, true, watch)? {
        import.take(name, read);
    }
    import.finish()
}

struct Import<'i> {
    catalog: &'i Catalog,
    options: &'i ImportOptions,
    watch: &'i dyn Watch,
    delivery: Delivery,
    /// Per file of a folder.
    marks: HashMap<String, Mark>,
    finished: Option<&'i dyn Finished>,
    /// Months that are there and were not asked for.
    other_months: BTreeSet<Month>,
    /// Files are as they were at the last import.
    leaves_known: bool,
}

/// What becomes another as soon as anything of it does.
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
            delivery: Delivery::default(),
            marks: HashMap::new(),
            finished: None,
            other_months: BTreeSet::new(),
            leaves_known: false,
        }
    }

    /// Reads files, but for those that an interrupted import had finished.
    fn read_all(&mut self, inputs: &[Input]) -> Result<(), ImportError> {
        let (finished, marks) = (self.finished, &self.marks);
        let mark = |file: &str| Some((finished?, marks.get(file)?.file.as_deref()?));
        let keep = |input: &Input, read: &FileRead| {
            if let Some((finished, mark)) = mark(&input.name.display().to_string()) {
                finished.keep(mark, read);
            }
        };
        let mut found: Vec<Vec<(String, FileRead)>> = Vec::new();
        let (mut texts, mut tables) = (Vec::new(), Vec::new());
        let mut not_again = 0;
        for (place, input) in inputs.iter().enumerate() {
            let file = input.name.display().to_string();
            found.push(Vec::new());
            if let Some(read) = mark(&file).and_then(|(finished, mark)| finished.get(mark)) {
                found[place].push((file, read));
                not_again += 1;
            } else if file.to_ascii_lowercase().ends_with(".parquet") && input.length > 0 {
                tables.push(place);
            } else {
                texts.push(place);
            }
        }
        let of = |places: &[usize]| places.iter().map(|&at| &inputs[at]).collect::<Vec<_>>();
        // What a file is shows in its first bytes: either reader says which are none of its own.
        let read_texts = |places: &[usize], found: &mut Vec<Vec<_>>| {
            let done = |at: usize, read: &FileRead| keep(&inputs[places[at]], read);
            let read = texts::read(&of(places), self.texts(), self.watch, &done)?;
            let mut others = Vec::new();
            for (&place, read) in places.iter().zip(read) {
                match read {
                    Some(read) => found[place] = read,
                    None => others.push(place),
                }
            }
            Ok::<_, ImportError>(others)
        };
        tables.extend(read_texts(&texts, &mut found)?);
        tables.sort_unstable();
        let done = |at: usize, read: &FileRead| keep(&inputs[tables[at]], read);
        let read = parquet::read(&of(&tables), self.catalog, self.options, self.watch, &done)?;
        let mut others = Vec::new();
        for (&place, read) in tables.iter().zip(read) {
            match read {
                Some(read) => found[place].push((inputs[place].name.display().to_string(), read)),
                None => others.push(place),
            }
        }
        read_texts(&others, &mut found)?;
        if not_again > 0 {
            let files = if not_again == 1 { "file" } else { "files" };
            self.delivery.notes.push(format!(
                "{not_again} {files} not read again: finished when an import was interrupted"
            ));
        }
        for (name, read) in found.into_iter().flatten() {
            self.take(name, read);
        }
        Ok(())
    }

    fn texts(&self) -> texts::Reader<'i> {
        texts::Reader {
            catalog: self.catalog,
            options: self.options,
        }
    }

    fn take(&mut self, name: String, mut read: FileRead) {
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
        for slice in &mut read.slices {
            slice.skipped = read.skipped;
            slice.delivery = self.marks.get(&name).map(|mark| mark.month.clone());
        }
        let origin = || (name.clone(), read.grouping.clone());
        let origins = &mut self.delivery.origins;
        origins.extend(read.slices.iter().map(|_| origin()));
        self.delivery.slices.extend(read.slices);
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

    /// Hands over what was read, unless two files state the same charges.
    fn finish(self) -> Result<Delivery, ImportError> {
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
        self.delivery.check(0)?;
        Ok(self.delivery)
    }
}

fn same_line(a: &UsageRecord, b: &UsageRecord) -> bool {
    (&a.key, &a.kind, &a.resource, &a.tags) == (&b.key, &b.kind, &b.resource, &b.tags)
}
