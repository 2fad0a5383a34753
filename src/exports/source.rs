//! Where the bytes of an export come from: a file, memory, or a place that others bring them from.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;

/// Something that can be read anywhere, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// Reads exactly so many bytes.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes>;

    /// Hears which stretches (start and length) will be read next, and may hand over what has them
    /// at hand.
    fn fetch(&self, _stretches: &[(u64, u64)]) -> io::Result<Option<Box<dyn ReadAt>>> {
        Ok(None)
    }

    /// Hears that its end will be read, sooner or later.
    fn expect_end(&self) {}

    /// Tells whether somebody wrote to it since it was opened.
    fn has_changed(&self) -> bool {
        false
    }

    /// How much is best read at once.
    fn stride(&self) -> usize {
        64 * 1024
    }
}

impl ReadAt for Box<dyn ReadAt> {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        (**self).read_at(offset, length)
    }

    fn fetch(&self, stretches: &[(u64, u64)]) -> io::Result<Option<Box<dyn ReadAt>>> {
        (**self).fetch(stretches)
    }

    fn expect_end(&self) {
        (**self).expect_end();
    }

    fn has_changed(&self) -> bool {
        (**self).has_changed()
    }

    fn stride(&self) -> usize {
        (**self).stride()
    }
}

/// Opens an input, when its turn has come.
type Opener = Box<dyn Fn() -> io::Result<Box<dyn ReadAt>> + Send + Sync>;

/// One file of an import.
pub struct Input {
    /// What it is called.
    pub name: PathBuf,
    /// How long it is.
    pub length: u64,
    /// Each read of it is a journey.
    pub is_far: bool,
    /// Opens it.
    pub open: Opener,
}

impl Input {
    /// Describes a local file.
    pub(super) fn local(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let (length, at) = (metadata.len(), path.to_owned());
        Ok(Self {
            name: path.to_owned(),
            length,
            is_far: false,
            open: Box::new(move || Ok(Box::new(Local::open(&at, &metadata)?))),
        })
    }
}

/// A file on this machine.
struct Local {
    file: File,
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl Local {
    fn open(path: &Path, metadata: &Metadata) -> io::Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            path: path.to_owned(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

impl ReadAt for Local {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        std::os::unix::fs::FileExt::read_exact_at(&self.file, &mut bytes, offset)?;
        Ok(bytes.into())
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, length: usize) -> io::Result<Bytes> {
        use std::os::windows::fs::FileExt;
        let mut bytes = vec![0; length];
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let count = self.file.seek_read(rest, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            offset += count as u64;
            rest = &mut rest[count..];
        }
        Ok(bytes.into())
    }

    fn has_changed(&self) -> bool {
        fs::metadata(&self.path).map_or(true, |now| {
            (now.len(), now.modified().ok()) != (self.length, self.modified)
        })
    }
}

impl ReadAt for Bytes {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start
            .checked_add(length)
            .filter(|end| *end <= self.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(self.slice(start..end))
    }
}

/// Reads a source from its beginning to its end.
pub(super) struct Sequence<'s> {
    pub(super) source: &'s dyn ReadAt,
    pub(super) length: u64,
    position: u64,
    start: u64,
    chunk: Bytes,
}

impl<'s> Sequence<'s> {
    pub(super) fn new(source: &'s dyn ReadAt, length: u64) -> Self {
        Self {
            source,
            length,
            position: 0,
            start: 0,
            chunk: Bytes::new(),
        }
    }
}

impl Read for Sequence<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.position);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let is_in_chunk = self
            .position
            .checked_sub(self.start)
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| *at < self.chunk.len());
        let at = if let Some(at) = is_in_chunk {
            at
        } else {
            let stride = self.source.stride();
            let length = usize::try_from(left).map_or(stride, |left| left.min(stride));
            self.chunk = self.source.read_at(self.position, length)?;
            self.start = self.position;
            0
        };
        let count = buffer.len().min(self.chunk.len() - at);
        buffer[..count].copy_from_slice(&self.chunk[at..at + count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Sequence<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
