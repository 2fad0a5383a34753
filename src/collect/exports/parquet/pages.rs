//! Where the bytes of a Parquet file come from, and how much of them is taken at once.

use std::{
    fs::File,
    io::{self, Cursor},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};

/// No page of an export comes near this. It bounds memory where a header claims what is not so.
pub(super) const PAGE_LIMIT: i64 = 128 << 20;
/// Longer than the header of any page that carries statistics of texts.
const HEADER: usize = 16 << 10;

/// Something that can be read anywhere, by several threads at once.
pub(in super::super) trait ReadAt: Send + Sync {
    /// Reads exactly so many bytes.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes>;

    /// Hears which stretches will be read next.
    fn expect(&self, _stretches: &[(u64, u64)]) -> io::Result<Option<Box<dyn ReadAt>>> {
        Ok(None)
    }
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        std::os::unix::fs::FileExt::read_exact_at(self, &mut bytes, offset)?;
        Ok(bytes.into())
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, length: usize) -> io::Result<Bytes> {
        use std::os::windows::fs::FileExt;
        let mut bytes = vec![0; length];
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let count = self.seek_read(rest, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            offset += count as u64;
            rest = &mut rest[count..];
        }
        Ok(bytes.into())
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

/// A file of known length whose pages are checked before they are unpacked.
pub(super) struct Chunks<R> {
    pub(super) source: R,
    pub(super) length: u64,
    pub(super) bytes_read: AtomicU64,
}

impl<R: ReadAt> Length for Chunks<R> {
    fn len(&self) -> u64 {
        self.length
    }
}

impl<R: ReadAt> ChunkReader for Chunks<R> {
    type T = Cursor<Bytes>;

    /// The reader of pages asks so for headers only.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let rest = self.length.saturating_sub(start);
        let length = usize::try_from(rest).map_or(HEADER, |rest| rest.min(HEADER));
        let bytes = self.source.read_at(start, length)?;
        if unpacked_size(&bytes).is_some_and(|size| size > PAGE_LIMIT) {
            return Err(ParquetError::General(format!(
                "a page at byte {start} claims more than {PAGE_LIMIT} bytes"
            )));
        }
        Ok(Cursor::new(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at byte {start} lie beyond the end"
            )));
        }
        self.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(self.source.read_at(start, length)?)
    }
}

/// Returns the unpacked size that the header of a page claims: its second field, in Thrift's
/// compact protocol.
fn unpacked_size(header: &[u8]) -> Option<i64> {
    const NEXT_FIELD_I32: u8 = 0x15;
    let mut at = 0;
    let mut field = || {
        if *header.get(at)? != NEXT_FIELD_I32 {
            return None;
        }
        at += 1;
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = *header.get(at)?;
            at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let magnitude = i64::try_from(value >> 1).ok()?;
                return Some(if value & 1 == 0 {
                    magnitude
                } else {
                    !magnitude
                });
            }
        }
        None
    };
    field()?;
    field()
}
