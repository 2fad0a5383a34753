//! Exports in S3, read where they lie: a listing, and then only the stretches that are needed, each
//! from the very object that was listed.

mod line;

use self::line::{Line, Pending};
use std::{
    collections::VecDeque,
    io, mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    thread,
    time::Duration,
};

use bytes::Bytes;
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt,
    aws::AmazonS3,
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path as Key,
};
use tokio::sync::oneshot;

use super::{
    CollectError, Login,
    s3::{self, S3Error},
    s3_url::S3Url,
    session,
};
use crate::exports::{Entry, ImportError, Input, ReadAt, Store};

/// How much of a text is asked for at once: large enough that waiting for it is a small part.
const STRIDE: usize = 2 << 20;
/// So many strides are on their way while the one before them is unpacked.
const AHEAD: usize = 4;
/// Stretches of a table that lie nearer to each other are asked for as one.
const GAP: u64 = 256 << 10;
/// Whoever reads a table looks so far beyond the beginning of a page for its header, even where the last
/// page of a stretch is shorter.
const BEYOND: u64 = 16 << 10;
/// What of a row group is brought here at once. Only a footer that lies wants more.
const AT_ONCE: u64 = 64 << 20;
/// The end of a table: its footer is in it, but for files of very many row groups.
const TAIL: u64 = 256 << 10;
/// Nothing beside an export is larger and of use: manifests have some kilobytes.
const SMALL: u64 = 64 << 20;
/// How soon Ctrl-C is heard.
const HEARING: Duration = Duration::from_millis(100);

/// A folder of exports in a bucket.
pub struct Bucket {
    line: Line,
    client: Arc<AmazonS3>,
    url: S3Url,
    failure: Failure,
}

/// The first thing that S3 refused: readers in between have words of their own for it.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<S3Error>>>);

impl Failure {
    fn keep(&self, error: S3Error) -> io::Error {
        let said = io::Error::other(error.to_string());
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        said
    }
}

impl Bucket {
    /// Opens a place in S3. `stop` ends every wait.
    pub fn open(login: &Login, url: &S3Url, stop: &Arc<AtomicBool>) -> Result<Self, CollectError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CollectError::Runtime)?;
        let config = runtime.block_on(session::open(login))?;
        let client = s3::client(&config, url)?;
        let (open, ends) = oneshot::channel();
        let line = Line {
            handle: runtime.handle().clone(),
            stop: stop.clone(),
            _open: Arc::new(open),
        };
        thread::Builder::new()
            .name("s3".to_owned())
            .spawn(move || drop(runtime.block_on(ends)))
            .map_err(CollectError::Runtime)?;
        Ok(Self {
            line,
            client: Arc::new(client),
            url: url.clone(),
            failure: Failure::default(),
        })
    }

    /// Returns what S3 refused, if that is why an import failed.
    pub fn failure(&self) -> Option<S3Error> {
        let first = self.failure.0.lock();
        first.unwrap_or_else(PoisonError::into_inner).take()
    }

    fn failed(&self, file: &str, error: S3Error) -> ImportError {
        ImportError::Open {
            file: file.to_owned(),
            source: self.failure.keep(error),
        }
    }

    /// Returns the key of an entry; the one of a single object is the place itself.
    fn key(&self, entry: &Entry) -> String {
        let prefix = &self.url.prefix;
        let file = prefix.rsplit('/').next().unwrap_or(prefix);
        match prefix.as_str() {
            "" => entry.path.clone(),
            _ if entry.path == file => prefix.clone(),
            _ => format!("{prefix}/{}", entry.path),
        }
    }

    fn object(&self, entry: &Entry) -> Result<Object, ImportError> {
        let key = self.key(entry);
        let name = format!("s3://{}/{key}", self.url.bucket);
        let location = Key::parse(&key).map_err(|error| {
            let (what, why) = (name.clone(), error.to_string());
            self.failed(&name, S3Error::Failed { what, why })
        })?;
        Ok(Object {
            line: self.line.clone(),
            client: self.client.clone(),
            location,
            name,
            size: entry.size,
            etag: entry.tag.clone(),
            failure: self.failure.clone(),
        })
    }
}

impl Store for Bucket {
    fn name(&self) -> String {
        self.url.to_string()
    }

    fn list(&self) -> Result<Vec<Entry>, ImportError> {
        let name = self.name();
        let failed = |error: S3Error| self.failed(&name, error);
        let prefix = match self.url.prefix.as_str() {
            "" => None,
            prefix => Some(format!("{prefix}/")),
        };
        let mut entries = Vec::new();
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions {
                page_token,
                ..PaginatedListOptions::default()
            };
            let (client, below) = (self.client.clone(), prefix.clone());
            let page = async move { client.list_paginated(below.as_deref(), options).await };
            let page = self.line.ask(page).wait(&name).map_err(failed)?;
            for object in page.result.objects {
                let key = object.location.as_ref();
                let path = prefix.as_deref().map_or(Some(key), |p| key.strip_prefix(p));
                if let Some(path) = path {
                    entries.push(Entry {
                        path: path.to_owned(),
                        size: object.size,
                        tag: object.e_tag.unwrap_or_default(),
                    });
                }
            }
            page_token = page.page_token;
            if page_token.is_none() {
                break;
            }
        }
        if entries.is_empty() && !self.url.prefix.is_empty() {
            // It may be the name of one object.
            let location = Key::parse(&self.url.prefix);
            let location = location.map_err(|error| failed(S3Error::of(&name, &error.into())))?;
            let (client, at) = (self.client.clone(), location.clone());
            let head = self.line.ask(async move { client.head(&at).await });
            match head.wait(&name) {
                Ok(object) => entries.push(Entry {
                    path: location.filename().unwrap_or_default().to_owned(),
                    size: object.size,
                    tag: object.e_tag.unwrap_or_default(),
                }),
                Err(S3Error::Gone { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError> {
        let object = self.object(entry)?;
        let bytes = object.read_at(0, entry.size.min(SMALL)).map_err(|source| {
            let file = object.name.clone();
            ImportError::Read { file, source }
        })?;
        Ok(bytes.into())
    }

    fn input(&self, entry: &Entry) -> Result<Input, ImportError> {
        let object = self.object(entry)?;
        Ok(Input {
            name: PathBuf::from(&object.name),
            length: entry.size,
            is_far: true,
            open: Box::new(move || Ok(Box::new(Opened::new(object.clone())))),
        })
    }
}

/// An object as it was when it was listed.
#[derive(Clone)]
struct Object {
    line: Line,
    client: Arc<AmazonS3>,
    location: Key,
    name: String,
    size: u64,
    etag: String,
    failure: Failure,
}

impl Object {
    /// Asks for a stretch.
    fn ask(&self, offset: u64, length: u64) -> Pending<Bytes> {
        let options = GetOptions {
            if_match: Some(self.etag.clone()).filter(|etag| !etag.is_empty()),
            range: Some(GetRange::Bounded(offset..offset.saturating_add(length))),
            ..GetOptions::default()
        };
        let (client, location) = (self.client.clone(), self.location.clone());
        self.line
            .ask(async move { client.get_opts(&location, options).await?.bytes().await })
    }

    fn wait(&self, pending: Pending<Bytes>, length: u64) -> io::Result<Bytes> {
        let bytes = pending.wait(&self.name);
        let bytes = bytes.map_err(|error| self.failure.keep(error))?;
        if bytes.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    fn read_at(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        self.wait(self.ask(offset, length), length)
    }
}

/// An object that is being read.
struct Opened {
    object: Object,
    strides: Mutex<Strides>,
    tail: Mutex<Tail>,
}

/// The end of a table, and where it begins.
#[derive(Default)]
enum Tail {
    #[default]
    Unasked,
    Coming(u64, Pending<Bytes>),
    Here(u64, Bytes),
}

/// The strides of a text.
#[derive(Default)]
struct Strides {
    /// Those that are on their way: where each begins, and how long it is.
    coming: VecDeque<(u64, u64, Pending<Bytes>)>,
    /// The last that came, and where it begins: who has looked at the end of an archive comes back.
    last: (u64, Bytes),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Opened {
    fn new(object: Object) -> Self {
        Self {
            object,
            strides: Mutex::default(),
            tail: Mutex::default(),
        }
    }

    /// Asks for the end of a table, once.
    fn ask_for(&self, tail: &mut Tail) {
        let size = self.object.size;
        if let Tail::Unasked = tail
            && size > 0
        {
            let start = size.saturating_sub(TAIL);
            *tail = Tail::Coming(start, self.object.ask(start, size - start));
        }
    }

    /// Reads a stride of a text, and asks for those after it.
    fn stride_at(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        let mut strides = lock(&self.strides);
        let Strides { coming, last } = &mut *strides;
        if let Some(found) = part(last.0, &last.1, offset, length) {
            return Ok(found);
        }
        if coming.front().is_none_or(|(start, ..)| *start != offset) {
            coming.clear();
            coming.push_back((offset, length, self.object.ask(offset, length)));
        }
        while coming.len() <= AHEAD
            && let Some((start, length, _)) = coming.back()
            && start + length < self.object.size
        {
            let next = start + length;
            let length = (self.object.size - next).min(STRIDE as u64);
            coming.push_back((next, length, self.object.ask(next, length)));
        }
        let (_, length, first) = coming.pop_front().ok_or(io::ErrorKind::UnexpectedEof)?;
        *last = (offset, self.object.wait(first, length)?);
        Ok(last.1.clone())
    }
}

impl ReadAt for Opened {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let (size, length) = (self.object.size, length as u64);
        let is_last = offset.checked_add(length) == Some(size);
        if length == STRIDE as u64 || is_last && offset.is_multiple_of(STRIDE as u64) {
            return self.stride_at(offset, length);
        }
        let mut tail = lock(&self.tail);
        if is_last && length <= TAIL {
            self.ask_for(&mut tail);
        }
        if let Tail::Coming(..) = &*tail
            && let Tail::Coming(start, pending) = mem::take(&mut *tail)
        {
            *tail = Tail::Here(start, self.object.wait(pending, size - start)?);
        }
        if let Tail::Here(start, bytes) = &*tail
            && let Some(found) = part(*start, bytes, offset, length)
        {
            return Ok(found);
        }
        drop(tail);
        self.object.read_at(offset, length)
    }

    fn expect_end(&self) {
        self.ask_for(&mut lock(&self.tail));
    }

    fn fetch(&self, stretches: &[(u64, u64)]) -> io::Result<Option<Box<dyn ReadAt>>> {
        let size = self.object.size;
        let is_inside = |(start, length): &(u64, u64)| {
            let end = start.checked_add(*length);
            end.is_some_and(|end| end <= size)
        };
        if !stretches.iter().all(is_inside) {
            // Its footer lies: who reads it says so.
            return Ok(None);
        }
        let longer = |&(start, length): &(u64, u64)| {
            let rest = size.saturating_sub(start);
            (start, length.saturating_add(BEYOND).min(rest))
        };
        let stretches: Vec<_> = stretches.iter().map(longer).collect();
        let stretches = joined(&stretches);
        let total = stretches
            .iter()
            .fold(0_u64, |sum, s| sum.saturating_add(s.1));
        if total > AT_ONCE {
            return Ok(None);
        }
        let mut parts = Vec::new();
        let mut asked = Vec::new();
        let tail = match &*lock(&self.tail) {
            Tail::Here(from, bytes) => (*from, bytes.clone()),
            _ => (size, Bytes::new()),
        };
        for (start, length) in stretches {
            match part(tail.0, &tail.1, start, length) {
                Some(found) => parts.push((start, found)),
                None => asked.push((start, length, self.object.ask(start, length))),
            }
        }
        for (start, length, pending) in asked {
            parts.push((start, self.object.wait(pending, length)?));
        }
        let object = self.object.clone();
        Ok(Some(Box::new(Fetched { object, parts })))
    }

    fn stride(&self) -> usize {
        STRIDE
    }
}

/// Takes a stretch out of a longer one that begins at `start`.
fn part(start: u64, bytes: &Bytes, offset: u64, length: u64) -> Option<Bytes> {
    let at = usize::try_from(offset.checked_sub(start)?).ok()?;
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    (end <= bytes.len()).then(|| bytes.slice(at..end))
}

/// Joins stretches that are near each other; they come sorted.
fn joined(stretches: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for &(start, length) in stretches {
        let end = start.saturating_add(length);
        match joined.last_mut() {
            Some((first, so_far)) if start <= *first + *so_far + GAP => {
                *so_far = end.max(*first + *so_far) - *first;
            }
            _ => joined.push((start, length)),
        }
    }
    joined
}

/// Stretches of an object that are here already.
struct Fetched {
    object: Object,
    parts: Vec<(u64, Bytes)>,
}

impl ReadAt for Fetched {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let length = length as u64;
        let mut parts = self.parts.iter();
        if let Some(found) = parts.find_map(|(start, bytes)| part(*start, bytes, offset, length)) {
            return Ok(found);
        }
        self.object.read_at(offset, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_lie_near_each_other_are_asked_for_as_one() {
        assert_eq!(joined(&[]), []);
        assert_eq!(joined(&[(4, 10), (14, 6), (30, 5)]), [(4, 31)]);
        assert_eq!(
            joined(&[(0, 10), (5, 2), (GAP * 2, 7)]),
            [(0, 10), (GAP * 2, 7)]
        );
    }
}
