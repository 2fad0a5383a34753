//! Parquet exports: the columns that tell something, row group by row group on every core.
//!
//! Pages are unpacked by the `parquet` crate; what stands in them is looked at here, because the
//! crate makes a value of every row, and of a bill one row in fifty is wanted.

mod footer;
mod form;
mod leaf;
mod packing;
mod pages;
mod rare;
mod runs;
mod table;

use self::footer::{FooterOf, check, fetched, footer, schema_parts, short};
use std::{
    collections::BTreeMap,
    io,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Arc, Mutex, Once, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use parquet::{
    errors::ParquetError,
    file::metadata::{ParquetMetaData, ParquetMetaDataReader},
};

use self::{
    packing::Packing,
    pages::Chunks,
    table::{Group, Plan},
};
use super::{
    ImportError, ImportOptions, RowFault, Watch,
    charge_rows::Charges,
    choose, deliveries,
    layout::{self, Bound},
    skip::Skipped,
    source::{Input, ReadAt},
};
use crate::domain::{catalog::Catalog, export::FileRead};

/// How every Parquet file begins and ends.
pub(super) const MAGIC: &[u8; 4] = b"PAR1";
/// No export has more rows than this for each of its bytes; what claims them is no export.
const ROWS_A_BYTE: u64 = 64;
/// Parts of a schema, each in one before it, must fit on the stack of who reads them. Reports have some
/// hundreds.
const SCHEMA_LIMIT: i64 = 8192;
/// Stack of the threads that read.
const STACK: usize = 16 << 20;
/// More threads than this wait for memory rather than for each other.
const THREADS: usize = 16;
/// So many more than there are cores wait for what is far away.
const WAITING: usize = 2;
/// The ends of so many files far away are asked for while the one before them is read.
const AHEAD: usize = 4;
/// The name of the threads that read.
const THREAD: &str = "parquet";
/// How often the watch hears of the progress.
const TICK: Duration = Duration::from_millis(50);

/// Bytes that are not what the format says.
#[derive(Debug)]
struct Broken(String);

impl Broken {
    fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<ParquetError> for Broken {
    fn from(error: ParquetError) -> Self {
        Self(reason(&error))
    }
}

fn reason(error: &ParquetError) -> String {
    match error {
        ParquetError::General(reason) | ParquetError::NYI(reason) | ParquetError::EOF(reason) => {
            reason.clone()
        }
        ParquetError::External(source) => source.to_string(),
        other => other.to_string(),
    }
}

type Source = Box<dyn ReadAt>;

/// A file that is being read.
struct Open<'q> {
    at: usize,
    chunks: Arc<Chunks<Source>>,
    metadata: ParquetMetaData,
    bound: &'q Bound,
    plan: Plan,
    charges: Mutex<Charges<'q>>,
    skipped: Mutex<BTreeMap<usize, Skipped>>,
    rows: AtomicU64,
    /// Row groups that are not done.
    left: Mutex<usize>,
}

/// Which row group is next.
struct Queue<'q> {
    file: usize,
    open: Option<Arc<Open<'q>>>,
    group: usize,
    rows_before: u64,
}

struct Job<'q> {
    file: Arc<Open<'q>>,
    group: usize,
    rows_before: u64,
}

/// What a file gave: nothing if it has only the name of such a file, or why it is no export.
pub(super) type Found = Result<Option<FileRead>, ImportError>;

/// Reads files, and returns what each gave, in their order. `finished` hears of each as soon as it is.
pub(super) fn read(
    inputs: &[&Input],
    catalog: &Catalog,
    options: &ImportOptions,
    watch: &dyn Watch,
    finished: &(dyn Fn(usize, &FileRead) + Sync),
) -> Result<Vec<Found>, ImportError> {
    let bounds: Vec<OnceLock<Bound>> = inputs.iter().map(|_| OnceLock::new()).collect();
    let reader = Reader {
        inputs,
        bounds: &bounds,
        catalog,
        options,
        finished,
        queue: Mutex::new(Queue {
            file: 0,
            open: None,
            group: 0,
            rows_before: 0,
        }),
        ahead: Mutex::default(),
        stop: AtomicBool::new(false),
        rows: AtomicU64::new(0),
        reading: AtomicU64::new(0),
        done: Mutex::new(BTreeMap::new()),
        failed: Mutex::new(None),
    };
    quiet_panics();
    let mut threads = thread::available_parallelism().map_or(1, usize::from);
    if inputs.iter().any(|input| input.is_far) {
        threads += WAITING;
    }
    thread::scope(|scope| {
        let (sender, receiver) = channel::<()>();
        for number in 0..threads.min(THREADS) {
            let (reader, sender) = (&reader, sender.clone());
            let thread = thread::Builder::new()
                .name(THREAD.to_owned())
                .stack_size(STACK);
            let work = move || {
                reader.work();
                drop(sender);
            };
            if thread.spawn_scoped(scope, work).is_err() {
                // Fewer threads do as well; without any, this one does the work.
                if number == 0 {
                    reader.work();
                }
                break;
            }
        }
        drop(sender);
        let total: u64 = inputs.iter().map(|input| input.length).sum();
        loop {
            if receiver.recv_timeout(TICK) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
            let at = usize::try_from(reader.reading.load(Ordering::Relaxed)).unwrap_or_default();
            let path = inputs
                .get(at)
                .map_or(Path::new(""), |input| input.name.as_path());
            let before: u64 = inputs.iter().take(at).map(|input| input.length).sum();
            let rows = reader.rows.load(Ordering::Relaxed);
            watch.progress(path, before, Some(total), rows);
            if watch.cancelled() {
                reader.stop.store(true, Ordering::Relaxed);
            }
        }
    });
    if let Some((_, error)) = lock(&reader.failed).take() {
        return Err(error);
    }
    if watch.cancelled() {
        return Err(ImportError::Cancelled);
    }
    let done = std::mem::take(&mut *lock(&reader.done));
    Ok(done.into_values().collect())
}

/// Keeps panics of these threads off the terminal: each becomes the error of its row group.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() != Some(THREAD) {
                others(info);
            }
        }));
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reader<'q> {
    inputs: &'q [&'q Input],
    bounds: &'q [OnceLock<Bound>],
    catalog: &'q Catalog,
    options: &'q ImportOptions,
    finished: &'q (dyn Fn(usize, &FileRead) + Sync),
    queue: Mutex<Queue<'q>>,
    /// Files far away whose turn has not come.
    ahead: Mutex<BTreeMap<usize, Source>>,
    stop: AtomicBool,
    rows: AtomicU64,
    /// The file that was opened last, for the watch.
    reading: AtomicU64,
    done: Mutex<BTreeMap<usize, Found>>,
    /// The first failure in the order of the files, whichever thread met it when.
    failed: Mutex<Option<((usize, usize), ImportError)>>,
}

impl<'q> Reader<'q> {
    fn work(&self) {
        loop {
            match self.next() {
                Ok(None) => return,
                Err((at, error)) => return self.fail((at, 0), error),
                Ok(Some(job)) => {
                    if let Err(mut error) = self.guarded(&job) {
                        // Whatever else is wrong with it then is wrong for that.
                        let is_stopped = matches!(error, ImportError::Cancelled);
                        if !is_stopped && job.file.chunks.source.has_changed() {
                            let file = self.inputs[job.file.at].name.display().to_string();
                            error = ImportError::Changed { file };
                        }
                        self.fail((job.file.at, job.group), error);
                        return;
                    }
                }
            }
        }
    }

    fn fail(&self, place: (usize, usize), error: ImportError) {
        let mut failed = lock(&self.failed);
        if failed.as_ref().is_none_or(|(known, _)| place < *known) {
            *failed = Some((place, error));
        }
        // Nothing after it is begun; what is before it may still fail, and would be named instead.
        lock(&self.queue).file = self.inputs.len();
        lock(&self.queue).open = None;
    }

    /// Takes the next row group, opening the next file where one is done.
    fn next(&self) -> Result<Option<Job<'q>>, (usize, ImportError)> {
        let mut queue = lock(&self.queue);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if let Some(file) = queue.open.clone() {
                let group = queue.group;
                if group < file.metadata.num_row_groups() {
                    let rows_before = queue.rows_before;
                    let rows = file.metadata.row_group(group).num_rows();
                    queue.group += 1;
                    queue.rows_before += u64::try_from(rows).unwrap_or_default();
                    return Ok(Some(Job {
                        file,
                        group,
                        rows_before,
                    }));
                }
                queue.open = None;
            }
            let at = queue.file;
            if at >= self.inputs.len() {
                return Ok(None);
            }
            let file = match self.open(at) {
                Ok(file) => Arc::new(file),
                Err(ImportError::Footer { .. }) if self.is_other(at) => {
                    lock(&self.done).insert(at, Ok(None));
                    queue.file += 1;
                    continue;
                }
                Err(error) if error.is_of_a_stranger() => {
                    lock(&self.done).insert(at, Err(error));
                    queue.file += 1;
                    continue;
                }
                Err(error) => return Err((at, error)),
            };
            self.reading.store(at as u64, Ordering::Relaxed);
            queue.file += 1;
            if file.metadata.num_row_groups() == 0 {
                self.finish(&file);
            } else {
                (queue.open, queue.group, queue.rows_before) = (Some(file), 0, 0);
            }
        }
    }

    /// Tells whether a file does not begin as Parquet does.
    fn is_other(&self, at: usize) -> bool {
        let start = (self.inputs[at].open)().and_then(|source| source.read_at(0, MAGIC.len()));
        start.is_ok_and(|start| start != MAGIC[..])
    }

    /// Opens a file, and those after it that are far away.
    fn source(&self, at: usize) -> io::Result<Source> {
        let mut ahead = lock(&self.ahead);
        for (next, input) in self.inputs.iter().enumerate().skip(at).take(1 + AHEAD) {
            if input.is_far
                && !ahead.contains_key(&next)
                // What is wrong with it is told when its turn has come.
                && let Ok(source) = (input.open)()
            {
                source.expect_end();
                ahead.insert(next, source);
            }
        }
        match ahead.remove(&at) {
            Some(source) => Ok(source),
            None => (self.inputs[at].open)(),
        }
    }

    fn open(&self, at: usize) -> Result<Open<'q>, ImportError> {
        let input = &self.inputs[at];
        let file = input.name.display().to_string();
        let source = self.source(at).map_err(|source| ImportError::Open {
            file: file.clone(),
            source,
        })?;
        let chunks = Chunks {
            source,
            length: input.length,
            bytes_read: AtomicU64::new(0),
        };
        let parts = schema_parts(&chunks).map_err(|error| footer(&file, &error))?;
        if parts.is_none_or(|parts| parts > SCHEMA_LIMIT) {
            let reason = match parts {
                Some(parts) => format!("it claims a schema of {parts} parts"),
                None => "it does not begin with a schema".to_owned(),
            };
            return Err(ImportError::Footer { file, reason });
        }
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&FooterOf(&chunks))
            .map_err(|error| footer(&file, &error))?;
        check(&file, &metadata, input.length)?;
        let schema = metadata.file_metadata().schema_descr();
        let header: Vec<String> = schema
            .root_schema()
            .get_fields()
            .iter()
            .map(|field| field.name().to_owned())
            .collect();
        let bound = layout::recognise(&file, &header)?;
        let bound = self.bounds[at].get_or_init(|| bound);
        let plan = Plan::new(&file, schema, bound)?;
        for group in metadata.row_groups() {
            for leaf in plan.leaves() {
                if let Err(packing) = Packing::of(group.column(leaf).compression()) {
                    return Err(ImportError::Packing { file, packing });
                }
            }
        }
        let origin = format!("{} {}", bound.label(), short(&file));
        let mut charges = Charges::new(bound, &origin, self.catalog, self.options);
        charges.delivered = deliveries::month_of_file(&file);
        Ok(Open {
            at,
            chunks: Arc::new(chunks),
            left: Mutex::new(metadata.num_row_groups()),
            metadata,
            bound,
            plan,
            charges: Mutex::new(charges),
            skipped: Mutex::default(),
            rows: AtomicU64::new(0),
        })
    }

    /// Reads a row group. Some decoders of the crate panic on bytes that are none of theirs.
    fn guarded(&self, job: &Job<'q>) -> Result<(), ImportError> {
        let read = panic::catch_unwind(AssertUnwindSafe(|| self.run(job)));
        read.unwrap_or_else(|_| {
            let group = job.file.metadata.row_group(job.group);
            let starts = group.columns().iter().map(|column| column.byte_range().0);
            Err(ImportError::RowGroup {
                file: self.inputs[job.file.at].name.display().to_string(),
                group: job.group + 1,
                offset: starts.min().unwrap_or_default(),
                column: None,
                reason: "its values cannot be decoded".to_owned(),
            })
        })
    }

    fn run(&self, job: &Job<'q>) -> Result<(), ImportError> {
        let file = &job.file;
        let name = self.inputs[file.at].name.display().to_string();
        let mut skipped = Skipped::new(self.options.skip_bad_rows);
        let chunks = fetched(job, &name)?;
        let group = Group {
            file: &name,
            bound: file.bound,
            plan: &file.plan,
            chunks: &chunks,
            metadata: &file.metadata,
            number: job.group,
            rows_before: job.rows_before,
            rows_read: &self.rows,
            stop: &self.stop,
        };
        group.read(&file.charges, &mut |error, rows, row| {
            skipped.add(error, rows, row)
        })?;
        let rows = file.metadata.row_group(job.group).num_rows();
        let rows = u64::try_from(rows).unwrap_or_default();
        file.rows.fetch_add(rows, Ordering::Relaxed);
        lock(&file.skipped).insert(job.group, skipped);
        if file.chunks.source.has_changed() {
            return Err(ImportError::Changed { file: name });
        }
        let is_last = {
            let mut left = lock(&file.left);
            *left -= 1;
            *left == 0
        };
        if is_last {
            self.finish(file);
        }
        Ok(())
    }

    fn finish(&self, file: &Open<'q>) {
        let name = self.inputs[file.at].name.display().to_string();
        let mut skipped = Skipped::new(self.options.skip_bad_rows);
        for part in std::mem::take(&mut *lock(&file.skipped)).into_values() {
            skipped.append(part);
        }
        let mut notes = Vec::new();
        let (skipped, bad_rows) = skipped.note(&name, &mut notes);
        let kind = file.bound.kind();
        let number = choose::part_number(kind, short(&name));
        let gather = {
            let origin = format!("{} {}", file.bound.label(), short(&name));
            let empty = Charges::new(file.bound, &origin, self.catalog, self.options);
            let charges = std::mem::replace(&mut *lock(&file.charges), empty);
            charges.note_the_month(&mut notes);
            charges.gather
        };
        let read = FileRead {
            name,
            kind,
            grouping: String::new(),
            jobs: Vec::new(),
            rows: file.rows.load(Ordering::Relaxed),
            kept: gather.kept(),
            slices: gather.finish(number, &mut notes),
            skipped,
            bad_rows,
            notes,
        };
        (self.finished)(file.at, &read);
        lock(&self.done).insert(file.at, Ok(Some(read)));
    }
}
