//! How much a file may unpack to.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// No export unpacks to more than this many times its size: they come to ten or twenty.
pub(super) const DENSITY: u64 = 200;

/// So much is unpacked before that is looked at.
pub(super) const UNPACKED_FREELY: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct TooDense;

impl fmt::Display for TooDense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unpacks to too much")
    }
}

impl std::error::Error for TooDense {}

/// Unpacked data that fails once there is more of it than an export packs into so few bytes. Entries of
/// an archive may lie in the same bytes, so it is counted for all of them.
pub(super) struct Unpacked<R> {
    pub(super) inner: R,
    pub(super) count: Arc<AtomicU64>,
    pub(super) packed: Arc<AtomicU64>,
    pub(super) size: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packed = self.packed.load(Ordering::Relaxed).min(self.size);
        let allowed = UNPACKED_FREELY + packed.saturating_mul(DENSITY);
        if self.count.load(Ordering::Relaxed) > allowed {
            return Err(io::Error::other(TooDense));
        }
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Counts the bytes of the file, which is what a reader of a progress bar can see the size of.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}
