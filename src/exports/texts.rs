//! Text exports, file by file on every core.

use std::{
    io::{Read, Seek},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use csv::ByteRecord;

use super::{
    ImportError, ImportOptions, Watch, charge_rows, console, cost_explorer, github_jobs, layout,
    monthly_bill, open, parquet,
    rows::Rows,
    source::{Input, ReadAt, Sequence},
    stranger::Stranger,
};
use crate::domain::{catalog::Catalog, export::FileRead};

/// More threads than this wait for memory rather than for each other.
const THREADS: usize = 16;
/// How often the watch hears of the progress.
const TICK: Duration = Duration::from_millis(50);

/// What the texts of a file gave: none if it turned out to be Parquet, or why it is no export.
pub(super) type Texts = Result<Option<Vec<FileRead>>, ImportError>;

/// Reads what the rows of text are, and what they say.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r> {
    pub(super) catalog: &'r Catalog,
    pub(super) options: &'r ImportOptions,
}

impl Reader<'_> {
    /// Reads every text of one file. `spare` tells whether a core has nothing else to do.
    pub(super) fn file(
        self,
        path: &Path,
        input: impl Read + Seek + Send,
        spare: bool,
        watch: &dyn Watch,
    ) -> Result<Vec<FileRead>, ImportError> {
        let (mut found, mut strangers) = (Vec::new(), Vec::new());
        open::each_text(path, input, spare, watch, &mut |text| {
            match text.and_then(|text| self.text(text)) {
                Ok(read) => found.push(read),
                Err(error) if error.is_of_a_stranger() => strangers.push(error),
                Err(error) => return Err(error),
            }
            Ok(())
        })?;
        // Beside the exports of an archive there may be other files.
        let Some(first) = found.first_mut() else {
            return strangers.pop().map_or(Ok(found), Err);
        };
        first
            .notes
            .extend(strangers.iter().map(ImportError::as_left_out));
        Ok(found)
    }

    fn text(self, text: open::Text<'_>) -> Result<FileRead, ImportError> {
        let Self { catalog, options } = self;
        let open::Text {
            mut stream,
            reader,
            head,
            is_crlf,
            is_json,
        } = text;
        let read = if is_json && github_jobs::is_one(&head) {
            github_jobs::read(&mut stream, reader, options)?
        } else if is_json {
            cost_explorer::read(&mut stream, reader, &head, catalog, options)?
        } else {
            let mut rows = Rows::new(reader, is_crlf);
            let mut header = header_of(&mut stream, &mut rows)?;
            if is_above_the_header(&header) {
                header = header_of(&mut stream, &mut rows)?;
            }
            if monthly_bill::is_one(&header) {
                let read = monthly_bill::read(&mut stream, &mut rows, &header, catalog, options)?;
                stream.report(read.rows)?;
                return Ok(read);
            }
            match layout::recognise(stream.name(), &header) {
                Ok(bound) => charge_rows::read(&mut stream, &mut rows, &bound, catalog, options)?,
                Err(_) if console::header::is_console(&header) => {
                    console::read(&mut stream, &mut rows, &header, catalog, options)?
                }
                Err(error) => {
                    let what = Stranger::of_header(&header);
                    return Err(
                        match what.or_else(|| console::quantities(catalog, &header)) {
                            Some(what) => ImportError::Stranger {
                                file: stream.name().to_owned(),
                                what,
                            },
                            None => error,
                        },
                    );
                }
            }
        };
        stream.report(read.rows)?;
        Ok(read)
    }
}

/// Reads a row as the header.
fn header_of(
    stream: &mut open::Stream<'_>,
    rows: &mut Rows<open::Guarded<'_>>,
) -> Result<Vec<String>, ImportError> {
    let mut header = ByteRecord::new();
    if let Some(row) = stream.row(rows)? {
        row.copy_to(&mut header);
    }
    let names = header.iter();
    Ok(names
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect())
}

/// Tells whether AWS put something above the header: account IDs above their names, or where to choose
/// the tags of a monthly bill.
fn is_above_the_header(row: &[String]) -> bool {
    let is_said = |cell: &String| cell.starts_with("Don't see your tags in the report");
    console::is_above_the_header(row) || row.first().is_some_and(is_said)
}

/// Reads files, and returns what each gave, in their order; `done` hears of each as soon as it is read.
pub(super) fn read(
    inputs: &[&Input],
    reader: Reader<'_>,
    watch: &dyn Watch,
    done: &(dyn Fn(usize, &[FileRead]) + Sync),
) -> Result<Vec<Texts>, ImportError> {
    if inputs.is_empty() {
        return Ok(Vec::new());
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(THREADS).min(inputs.len());
    let work = Work {
        inputs,
        reader,
        done,
        cores,
        threads,
        next: AtomicUsize::new(0),
        bytes: inputs.iter().map(|_| AtomicU64::new(0)).collect(),
        rows: inputs.iter().map(|_| AtomicU64::new(0)).collect(),
        found: inputs.iter().map(|_| Mutex::new(None)).collect(),
        failed: AtomicUsize::new(usize::MAX),
        stop: AtomicBool::new(false),
    };
    let total: u64 = inputs.iter().map(|input| input.length).sum();
    let sum = |of: &[AtomicU64]| of.iter().map(|one| one.load(Ordering::Relaxed)).sum();
    let report = || {
        let begun = work.next.load(Ordering::Relaxed).clamp(1, inputs.len());
        let path = &inputs[begun - 1].name;
        watch.progress(path, sum(&work.bytes), Some(total), sum(&work.rows));
        if watch.cancelled() {
            work.stop.store(true, Ordering::Relaxed);
        }
    };
    report();
    thread::scope(|scope| {
        let (sender, receiver) = channel::<()>();
        for number in 0..threads {
            let (work, sender) = (&work, sender.clone());
            let run = move || {
                work.run();
                drop(sender);
            };
            if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                // Fewer threads do as well; without any, this one does the work.
                if number == 0 {
                    work.run();
                }
                break;
            }
        }
        drop(sender);
        while receiver.recv_timeout(TICK) != Err(RecvTimeoutError::Disconnected) {
            report();
        }
    });
    if watch.cancelled() {
        return Err(ImportError::Cancelled);
    }
    // Of several failures the one of the first file is named, whichever was met first.
    let found = work.found.into_iter().filter_map(|found| {
        let found = found.into_inner();
        found.unwrap_or_else(PoisonError::into_inner)
    });
    found.collect()
}

struct Work<'w> {
    inputs: &'w [&'w Input],
    reader: Reader<'w>,
    done: &'w (dyn Fn(usize, &[FileRead]) + Sync),
    cores: usize,
    threads: usize,
    next: AtomicUsize,
    /// Read so far of each file.
    bytes: Vec<AtomicU64>,
    rows: Vec<AtomicU64>,
    found: Vec<Mutex<Option<Result<Texts, ImportError>>>>,
    /// The first file that failed: those after it need not be read.
    failed: AtomicUsize,
    stop: AtomicBool,
}

impl Work<'_> {
    fn run(&self) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let ear = Ear { work: self, at };
            if at >= self.inputs.len() || ear.cancelled() {
                return;
            }
            let found = self.read(at, &ear);
            if found.is_err() {
                self.failed.fetch_min(at, Ordering::Relaxed);
            }
            let mut place = self.found[at]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *place = Some(found);
        }
    }

    fn read(&self, at: usize, watch: &dyn Watch) -> Result<Texts, ImportError> {
        let input = self.inputs[at];
        let file = || input.name.display().to_string();
        let source = (input.open)().map_err(|source| ImportError::Open {
            file: file(),
            source,
        })?;
        let found = self.read_from(at, &*source, watch);
        // Whatever else is wrong with a file that has changed is wrong for that.
        if !matches!(found, Err(ImportError::Cancelled)) && source.has_changed() {
            return Err(ImportError::Changed { file: file() });
        }
        match found {
            Ok(found) => {
                if let Some(texts) = &found {
                    (self.done)(at, texts);
                }
                Ok(Ok(found))
            }
            Err(error) if error.is_of_a_stranger() => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    fn read_from(&self, at: usize, source: &dyn ReadAt, watch: &dyn Watch) -> Texts {
        let input = self.inputs[at];
        let mut text = Sequence::new(source, input.length);
        let mut start = Vec::new();
        text.by_ref()
            .take(parquet::MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(|source| ImportError::Read {
                file: input.name.display().to_string(),
                source,
            })?;
        if start == parquet::MAGIC {
            return Ok(None);
        }
        // A core has nothing to do, or will have none before the last files are read.
        let spare = self.threads < self.cores || self.inputs.len() - at < self.threads;
        let found = self.reader.file(&input.name, text, spare, watch)?;
        Ok(Some(found))
    }
}

/// Hears of one file for the watch, which lives on another thread.
struct Ear<'w> {
    work: &'w Work<'w>,
    at: usize,
}

impl Watch for Ear<'_> {
    fn progress(&self, _file: &Path, bytes_read: u64, _bytes_total: Option<u64>, rows: u64) {
        self.work.bytes[self.at].store(bytes_read, Ordering::Relaxed);
        self.work.rows[self.at].store(rows, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.work.stop.load(Ordering::Relaxed) || self.at > self.work.failed.load(Ordering::Relaxed)
    }
}
