//! Opens exports: plain text, gzip and zip, told apart by their first bytes.

mod unpacked;

use self::unpacked::{Counted, DENSITY, TooDense, Unpacked};
use std::{
    borrow::Cow,
    cell::Cell,
    fmt,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use flate2::read::MultiGzDecoder;
use zip::CompressionMethod;

use super::{
    ImportError, Watch,
    rows::{Line, Rows},
    stranger::Stranger,
    utf16,
};

/// No row of an export comes near this. It bounds memory where a quote is never closed.
const ROW_LIMIT: u64 = 16 * 1024 * 1024;
/// The command line joins all pages of an answer into one document.
const DOCUMENT_LIMIT: u64 = 256 * 1024 * 1024;
/// Rows between two calls of the watch.
const ROWS_PER_TICK: u64 = 4096;
const CHUNK: usize = 256 * 1024;
/// Names of an archive that are looked at to tell a workbook.
const WORKBOOK_NAMES: usize = 100;

/// The text of one export, ready to be recognised.
pub(super) struct Text<'r> {
    pub(super) stream: Stream<'r>,
    pub(super) reader: Guarded<'r>,
    /// How it begins.
    pub(super) head: Vec<u8>,
    /// Lines end in carriage return and line feed.
    pub(super) is_crlf: bool,
    /// The first character that is not white space is a brace.
    pub(super) is_json: bool,
}

/// What is being read, for errors, and for those who watch.
pub(super) struct Stream<'r> {
    name: String,
    path: &'r Path,
    watch: &'r dyn Watch,
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
    since_record: Rc<Cell<u64>>,
    line: u64,
    /// How long a record may be.
    limit: u64,
}

impl Stream<'_> {
    /// Returns the file, and the entry of the archive.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name without directories.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name)
    }

    /// Starts to measure the next record.
    pub(super) fn begin_record(&mut self) {
        self.since_record.set(0);
    }

    /// Takes the next row.
    pub(super) fn row<'l>(
        &mut self,
        rows: &'l mut Rows<Guarded<'_>>,
    ) -> Result<Option<Line<'l>>, ImportError> {
        self.begin_record();
        match rows.next() {
            Ok(Some((line, row))) => {
                self.line = line;
                Ok(Some(row))
            }
            Ok(None) => Ok(None),
            Err((line, source)) => {
                self.line = line;
                Err(self.error(source))
            }
        }
    }

    /// Returns the line at which the record began.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reports the progress now and then, and stops when asked to.
    pub(super) fn tick(&self, rows: u64) -> Result<(), ImportError> {
        if rows.is_multiple_of(ROWS_PER_TICK) {
            self.report(rows)?;
        }
        Ok(())
    }

    /// Reports the progress, and stops when asked to.
    pub(super) fn report(&self, rows: u64) -> Result<(), ImportError> {
        let bytes_read = self.bytes_read.load(Ordering::Relaxed);
        self.watch
            .progress(self.path, bytes_read, self.bytes_total, rows);
        if self.watch.cancelled() {
            return Err(ImportError::Cancelled);
        }
        Ok(())
    }

    /// Says why reading failed.
    pub(super) fn error(&self, source: io::Error) -> ImportError {
        let inner = source.get_ref();
        if inner
            .and_then(|inner| inner.downcast_ref())
            .is_some_and(|TooLong| true)
        {
            return ImportError::RecordTooLong {
                file: self.name.clone(),
                line: self.line,
                limit: self.limit,
            };
        }
        if inner
            .and_then(|inner| inner.downcast_ref())
            .is_some_and(|TooDense| true)
        {
            return ImportError::Bomb {
                file: self.name.clone(),
                claims: format!("more than {DENSITY} times its size"),
                bytes: self.bytes_total.unwrap_or_default(),
            };
        }
        read_error(&self.name, self.bytes_read.load(Ordering::Relaxed), source)
    }
}

fn read_error(file: &str, offset: u64, source: io::Error) -> ImportError {
    let file = file.to_owned();
    match source.kind() {
        io::ErrorKind::UnexpectedEof => ImportError::Truncated { file, offset },
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ImportError::Damaged {
            file,
            offset,
            reason: source.to_string(),
        },
        io::ErrorKind::IsADirectory => ImportError::Directory { file },
        _ => ImportError::Read { file, source },
    }
}

#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("record too long")
    }
}

impl std::error::Error for TooLong {}

/// Text that fails once a record has no end.
pub(super) struct Guarded<'r> {
    inner: Box<dyn Read + 'r>,
    since_record: Rc<Cell<u64>>,
    limit: u64,
}

impl Read for Guarded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record.get() > self.limit {
            return Err(io::Error::other(TooLong));
        }
        let count = self.inner.read(buffer)?;
        self.since_record
            .set(self.since_record.get() + count as u64);
        Ok(count)
    }
}

/// Takes a text, or why it is none.
pub(super) type EachText<'e> =
    dyn FnMut(Result<Text<'_>, ImportError>) -> Result<(), ImportError> + 'e;

/// Calls `each` with every text in a file: one, or each CSV file of a zip archive. With a core to
/// `spare` it is unpacked by a thread of its own.
pub(super) fn each_text<R: Read + Seek + Send>(
    path: &Path,
    mut input: R,
    spare: bool,
    watch: &dyn Watch,
    each: &mut EachText<'_>,
) -> Result<(), ImportError> {
    let file = path.display().to_string();
    let fail = |source| read_error(&file, 0, source);
    let bytes_total = input.seek(SeekFrom::End(0)).ok();
    input.seek(SeekFrom::Start(0)).map_err(fail)?;
    let mut magic = Vec::new();
    input
        .by_ref()
        .take(4)
        .read_to_end(&mut magic)
        .map_err(fail)?;
    input.seek(SeekFrom::Start(0)).map_err(fail)?;
    let bytes_read = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        inner: input,
        count: bytes_read.clone(),
    };
    let text = |name: String, reader: Box<dyn Read + '_>, each: &mut EachText<'_>| {
        let stream = Stream {
            name,
            path,
            watch,
            bytes_read: bytes_read.clone(),
            bytes_total,
            since_record: Rc::default(),
            line: 1,
            limit: ROW_LIMIT,
        };
        stream.report(0)?;
        each(text_of(stream, reader))
    };
    if magic.starts_with(&[0x1f, 0x8b]) {
        let packed = BufReader::with_capacity(CHUNK, counted);
        let unpacked = Unpacked {
            inner: MultiGzDecoder::new(packed),
            count: Arc::default(),
            packed: bytes_read.clone(),
            size: bytes_total.unwrap_or(u64::MAX),
        };
        if !spare {
            return text(file.clone(), Box::new(unpacked), each);
        }
        let (sender, receiver) = sync_channel(4);
        return thread::scope(|scope| {
            scope.spawn(move || pump(unpacked, &sender));
            text(file.clone(), Box::new(Chunks::new(receiver)), each)
        });
    }
    if magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06") {
        return each_entry(
            &file,
            (&bytes_read, bytes_total.unwrap_or(u64::MAX)),
            BufReader::new(counted),
            &mut |name, reader| text(name, reader, each),
        );
    }
    text(file.clone(), Box::new(counted), each)
}

type EachEntry<'e> = dyn FnMut(String, Box<dyn Read + '_>) -> Result<(), ImportError> + 'e;

fn each_entry<R: Read + Seek>(
    file: &str,
    (bytes_read, size): (&Arc<AtomicU64>, u64),
    input: R,
    each: &mut EachEntry<'_>,
) -> Result<(), ImportError> {
    let damaged = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(source) => {
            read_error(file, bytes_read.load(Ordering::Relaxed), source)
        }
        other => ImportError::Damaged {
            file: file.to_owned(),
            offset: bytes_read.load(Ordering::Relaxed),
            reason: other.to_string(),
        },
    };
    let mut archive = zip::ZipArchive::new(input).map_err(damaged)?;
    let names = archive.file_names().take(WORKBOOK_NAMES).flatten();
    let names: Vec<String> = names.map(Cow::into_owned).collect();
    if let Some(what) = Stranger::of_archive(&names) {
        let file = file.to_owned();
        return Err(ImportError::Stranger { file, what });
    }
    let mut found = false;
    let count = Arc::default();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let short = name.rsplit('/').next().unwrap_or(&name);
        let is_a = |ending: &str| {
            let extension = Path::new(short).extension();
            extension.is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
        };
        // What macOS adds to archives has the name of a CSV file too, and begins with a dot.
        if short.starts_with('.') {
            continue;
        }
        if ["gz", "parquet", "zip"].into_iter().any(is_a) {
            return Err(ImportError::PackedTwice {
                file: file.to_owned(),
                entry: name,
            });
        }
        if is_a("csv") {
            let packing = match entry.compression() {
                _ if entry.encrypted() => Some("a password"),
                CompressionMethod::Stored | CompressionMethod::Deflated => None,
                _ => Some("another method than deflate"),
            };
            if let Some(packing) = packing {
                let file = format!("{file}/{name}");
                return Err(ImportError::Packing { file, packing });
            }
            drop(entry);
            let entry = archive.by_index(at).map_err(damaged)?;
            found = true;
            each(
                format!("{file}/{name}"),
                Box::new(Unpacked {
                    inner: entry,
                    count: Arc::clone(&count),
                    packed: bytes_read.clone(),
                    size,
                }),
            )?;
        }
    }
    if found {
        Ok(())
    } else {
        Err(ImportError::NoCsvInZip {
            file: file.to_owned(),
        })
    }
}

/// Looks at the beginning of a text and refuses what is none.
fn text_of<'r>(
    mut stream: Stream<'r>,
    mut reader: Box<dyn Read + 'r>,
) -> Result<Text<'r>, ImportError> {
    let mut head = beginning(&stream, &mut reader)?;
    if let Some(order) = utf16::Order::of(&head) {
        let rest = Cursor::new(head).chain(reader);
        reader = Box::new(utf16::Decoded::new(rest, order));
        head = beginning(&stream, &mut reader)?;
    }
    let file = || stream.name.clone();
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).to_vec();
    if let Some(what) = Stranger::of_bytes(&body) {
        return Err(ImportError::Stranger { file: file(), what });
    }
    let what = if head.starts_with(b"PAR1") {
        Some("an Apache Parquet file")
    } else if head[..head.len().min(8192)].contains(&0) {
        Some("a binary file")
    } else {
        None
    };
    if let Some(what) = what {
        return Err(ImportError::NotText { file: file(), what });
    }
    let Some(first) = body.trim_ascii_start().first().copied() else {
        return Err(ImportError::Empty { file: file() });
    };
    let is_json = matches!(first, b'{' | b'[');
    if let Some(what) = Stranger::of_text(&body).filter(|_| !is_json) {
        return Err(ImportError::Stranger { file: file(), what });
    }
    let line_feed = body.iter().position(|&byte| byte == b'\n');
    let is_crlf = line_feed.is_some_and(|at| body[..at].ends_with(b"\r"));
    if is_json {
        stream.limit = DOCUMENT_LIMIT;
    }
    let (since_record, limit) = (stream.since_record.clone(), stream.limit);
    Ok(Text {
        stream,
        head: if is_json { body.clone() } else { Vec::new() },
        reader: Guarded {
            inner: Box::new(Cursor::new(body).chain(reader)),
            since_record,
            limit,
        },
        is_crlf,
        is_json,
    })
}

fn beginning(stream: &Stream<'_>, reader: &mut dyn Read) -> Result<Vec<u8>, ImportError> {
    let mut head = Vec::new();
    reader
        .take(CHUNK as u64)
        .read_to_end(&mut head)
        .map_err(|source| stream.error(source))?;
    Ok(head)
}

type Chunk = io::Result<Vec<u8>>;

fn pump(mut reader: impl Read, sender: &SyncSender<Chunk>) {
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let end = match reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
            Ok(0) => return,
            Ok(_) => sender.send(Ok(chunk)).is_err(),
            Err(error) => {
                // What was unpacked before the fault is of no use: the import fails as a whole.
                let _ = sender.send(Err(error));
                true
            }
        };
        // The other side hangs up when it stops early.
        if end {
            return;
        }
    }
}

/// Reads what a pump sends.
struct Chunks {
    receiver: Receiver<Chunk>,
    current: Cursor<Vec<u8>>,
}

impl Chunks {
    fn new(receiver: Receiver<Chunk>) -> Self {
        Self {
            receiver,
            current: Cursor::default(),
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.receiver.recv() {
                Ok(chunk) => self.current = Cursor::new(chunk?),
                Err(_) => return Ok(0),
            }
        }
    }
}
