//! Exports in S3, read where they lie: a listing, and then only the stretches that are needed, each
//! from the very object that was listed.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use object_store::{
    Error as StoreError, GetOptions, GetRange, ObjectStore, ObjectStoreExt,
    aws::AmazonS3,
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path as Key,
};
use tokio::runtime::Runtime;

use super::{
    CollectError, Login,
    s3::{self, S3Error},
    s3_url::S3Url,
    session,
};
use crate::collect::exports::{Entry, ImportError, Input, ReadAt, Store};

/// How much of a text is asked for at once: large enough that waiting for it is a small part.
const STRIDE: usize = 8 << 20;
/// Stretches of a table that lie nearer to each other are asked for as one.
const GAP: u64 = 256 << 10;
/// Nothing beside an export is larger and of use: manifests have some kilobytes.
const SMALL: u64 = 64 << 20;

/// A folder of exports in a bucket.
pub struct Bucket {
    runtime: Arc<Runtime>,
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
    /// Opens a place in S3.
    pub fn open(login: &Login, url: &S3Url) -> Result<Self, CollectError> {
        // One file is read by several threads at once, each waiting for its own stretch.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CollectError::Runtime)?;
        let config = runtime.block_on(session::open(login))?;
        let client = s3::client(&config, url)?;
        Ok(Self {
            runtime: Arc::new(runtime),
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
            runtime: self.runtime.clone(),
            client: self.client.clone(),
            location,
            name,
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
        let failed = |error: &StoreError| self.failed(&name, S3Error::of(&name, error));
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
            let page = self
                .runtime
                .block_on(self.client.list_paginated(prefix.as_deref(), options))
                .map_err(|error| failed(&error))?;
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
            let location = location.map_err(|error| failed(&error.into()))?;
            match self.runtime.block_on(self.client.head(&location)) {
                Ok(object) => entries.push(Entry {
                    path: location.filename().unwrap_or_default().to_owned(),
                    size: object.size,
                    tag: object.e_tag.unwrap_or_default(),
                }),
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError> {
        let object = self.object(entry)?;
        let length = usize::try_from(entry.size.min(SMALL)).unwrap_or_default();
        let bytes = object.read_at(0, length).map_err(|source| {
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
            open: Box::new(move || Ok(Box::new(object.clone()))),
        })
    }
}

/// An object as it was when it was listed.
#[derive(Clone)]
struct Object {
    runtime: Arc<Runtime>,
    client: Arc<AmazonS3>,
    location: Key,
    name: String,
    etag: String,
    failure: Failure,
}

impl ReadAt for Object {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let options = GetOptions {
            if_match: Some(self.etag.clone()).filter(|etag| !etag.is_empty()),
            range: Some(GetRange::Bounded(offset..offset + length as u64)),
            ..GetOptions::default()
        };
        let bytes = self.runtime.block_on(async {
            let answer = self.client.get_opts(&self.location, options).await?;
            answer.bytes().await
        });
        let bytes = bytes.map_err(|error| self.failure.keep(S3Error::of(&self.name, &error)))?;
        if bytes.len() != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    fn fetch(&self, stretches: &[(u64, u64)]) -> io::Result<Option<Box<dyn ReadAt>>> {
        let mut parts = Vec::new();
        for (start, length) in joined(stretches) {
            let length = usize::try_from(length).map_err(|_| io::ErrorKind::UnexpectedEof)?;
            parts.push((start, self.read_at(start, length)?));
        }
        let object = self.clone();
        Ok(Some(Box::new(Fetched { object, parts })))
    }

    fn stride(&self) -> usize {
        STRIDE
    }
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
        for (start, bytes) in &self.parts {
            let at = offset
                .checked_sub(*start)
                .and_then(|at| usize::try_from(at).ok());
            if let Some(at) = at
                && let Some(end) = at.checked_add(length).filter(|end| *end <= bytes.len())
            {
                return Ok(bytes.slice(at..end));
            }
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
