//! How much of a Parquet file is taken at once.

use std::{
    io::{self, Cursor},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};

use crate::exports::source::ReadAt;

/// No page of an export comes near this. It bounds memory where a header claims what is not so.
pub(super) const PAGE_LIMIT: i64 = 128 << 20;
/// Longer than the header of any page that carries statistics of texts.
const HEADER: usize = 16 << 10;

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

impl<R: ReadAt> Chunks<R> {
    /// Returns the bytes from the header of a page on.
    fn header(&self, start: u64) -> io::Result<Bytes> {
        let rest = self.length.saturating_sub(start);
        let length = usize::try_from(rest).map_or(HEADER, |rest| rest.min(HEADER));
        self.source.read_at(start, length)
    }

    pub(super) fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
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

/// The pages of one column.
pub(super) struct Pages<R> {
    chunks: Arc<Chunks<R>>,
    /// What the header of the last page says that it unpacks to.
    claimed: AtomicUsize,
}

impl<R> Pages<R> {
    pub(super) fn new(chunks: &Arc<Chunks<R>>) -> Self {
        Self {
            chunks: chunks.clone(),
            claimed: AtomicUsize::new(0),
        }
    }

    /// Returns what the last page claims to unpack to, levels included.
    pub(super) fn claimed(&self) -> usize {
        self.claimed.load(Ordering::Relaxed)
    }
}

impl<R: ReadAt> Length for Pages<R> {
    fn len(&self) -> u64 {
        self.chunks.length
    }
}

impl<R: ReadAt> ChunkReader for Pages<R> {
    type T = Cursor<Bytes>;

    /// The reader of pages asks so for headers only.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let bytes = self.chunks.header(start)?;
        // All writers put these fields first, and what cannot be checked is not unpacked.
        let claimed = claim(&bytes).ok_or_else(|| {
            ParquetError::General(format!("the header of the page at byte {start} is none"))
        })?;
        let fitting = usize::try_from(claimed).ok();
        let Some(fitting) = fitting.filter(|_| claimed <= PAGE_LIMIT) else {
            return Err(ParquetError::General(format!(
                "a page at byte {start} claims more than {PAGE_LIMIT} bytes"
            )));
        };
        self.claimed.store(fitting, Ordering::Relaxed);
        Ok(Cursor::new(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.chunks.get_bytes(start, length)
    }
}

/// Reads off a header, in Thrift's compact protocol, what its page claims to unpack to: it follows on the
/// type of the page.
fn claim(header: &[u8]) -> Option<i64> {
    let mut at = 0;
    number(header, &mut at)?;
    number(header, &mut at)
}

/// Reads a number of a header that follows on the field before it.
fn number(header: &[u8], at: &mut usize) -> Option<i64> {
    const NEXT_FIELD_I32: u8 = 0x15;
    if *header.get(*at)? != NEXT_FIELD_I32 {
        return None;
    }
    *at += 1;
    let value = varint(header, at)?;
    let magnitude = i64::try_from(value >> 1).ok()?;
    Some(if value & 1 == 0 {
        magnitude
    } else {
        !magnitude
    })
}

fn varint(header: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = *header.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Returns how many structures are in the list that follows on a version, as at the beginning of a
/// footer.
pub(super) fn list_after_version(footer: &[u8]) -> Option<i64> {
    const NEXT_FIELD_LIST: u8 = 0x19;
    const STRUCTURES: u8 = 0x0c;
    let mut at = 0;
    number(footer, &mut at)?;
    let [field, list] = *footer.get(at..at + 2)? else {
        return None;
    };
    if field != NEXT_FIELD_LIST || list & 0x0f != STRUCTURES {
        return None;
    }
    at += 2;
    match list >> 4 {
        15 => varint(footer, &mut at)?.try_into().ok(),
        few => Some(few.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_claims_is_read_off() {
        let header = [0x15, 0x06, 0x15, 0xc8, 0x01, 0x15, 0x14, 0x2c];
        assert_eq!(claim(&header), Some(100));
        assert_eq!(claim(&header[..4]), None);
    }
}
