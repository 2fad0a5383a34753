//! How much of a Parquet file is taken at once.

use std::{
    io::{self, Cursor, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};

use crate::collect::exports::source::ReadAt;

/// No page of an export comes near this. It bounds memory where a header claims what is not so.
pub(super) const PAGE_LIMIT: i64 = 128 << 20;
/// Longer than the header of any page that carries statistics of texts.
const HEADER: usize = 16 << 10;
/// A page packed by gzip that is no longer than this cannot unpack to much, whatever it claims.
const HARMLESS: usize = 64 << 10;

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
    is_gzip: bool,
    /// What the header of the next page says.
    claim: Mutex<Claim>,
}

impl<R> Pages<R> {
    pub(super) fn new(chunks: &Arc<Chunks<R>>, is_gzip: bool) -> Self {
        Self {
            chunks: chunks.clone(),
            is_gzip,
            claim: Mutex::default(),
        }
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
        let claim = Claim::of(&bytes).ok_or_else(|| {
            ParquetError::General(format!("the header of the page at byte {start} is none"))
        })?;
        if claim.unpacked > PAGE_LIMIT {
            return Err(ParquetError::General(format!(
                "a page at byte {start} claims more than {PAGE_LIMIT} bytes"
            )));
        }
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = claim;
        Ok(Cursor::new(bytes))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.chunks.get_bytes(start, length)?;
        if self.is_gzip && length > HARMLESS {
            let claim = *self.claim.lock().unwrap_or_else(PoisonError::into_inner);
            if !claim.holds(&bytes) {
                return Err(ParquetError::General(format!(
                    "the page at byte {start} unpacks to more than it claims"
                )));
            }
        }
        Ok(bytes)
    }
}

/// What the header of a page claims.
#[derive(Clone, Copy, Default)]
struct Claim {
    /// Its size when it is unpacked.
    unpacked: i64,
    /// How many bytes of levels come first, which are not packed.
    levels: i64,
}

impl Claim {
    /// Reads a header, in Thrift's compact protocol: the type of the page, two sizes, perhaps a checksum,
    /// and what goes with the type. Only the second type of data page has levels apart.
    fn of(header: &[u8]) -> Option<Self> {
        const STRUCTURE: u8 = 0x0c;
        const DATA_PAGE_V2: u8 = 8;
        let mut at = 0;
        number(header, &mut at)?;
        let unpacked = number(header, &mut at)?;
        number(header, &mut at)?;
        // The checksum, if there is one, is field 4.
        let last = if number(header, &mut at).is_some() {
            4
        } else {
            3
        };
        let mut levels = 0;
        if header.get(at) == Some(&((DATA_PAGE_V2 - last) << 4 | STRUCTURE)) {
            at += 1;
            // Values, nulls, rows and their encoding come before the two lengths.
            for place in 0..6 {
                let value = number(header, &mut at)?;
                levels += if place < 4 { 0 } else { value.max(0) };
            }
        }
        Some(Self { unpacked, levels })
    }

    /// Tells whether a page unpacks to no more than it claims.
    fn holds(self, page: &[u8]) -> bool {
        let levels = usize::try_from(self.levels).unwrap_or(usize::MAX);
        let claimed = u64::try_from(self.unpacked.saturating_sub(self.levels)).unwrap_or_default();
        let packed = page.get(levels..).unwrap_or_default();
        let mut unpacked = MultiGzDecoder::new(packed).take(claimed.saturating_add(1));
        // What cannot be unpacked is refused by who unpacks it.
        !io::copy(&mut unpacked, &mut io::sink()).is_ok_and(|count| count > claimed)
    }
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
    fn what_a_header_claims_is_read_off_either_kind_of_page() {
        let common = [0x15, 0x06, 0x15, 0xc8, 0x01, 0x15, 0x14];
        let lengths = [0x15, 2, 0x15, 0, 0x15, 2, 0x15, 0, 0x15, 10, 0x15, 4, 0, 0];
        for (rest, levels) in [
            (&[0x2c][..], 0),
            (&[0x4c], 0),
            (&[0x5c], 7),
            (&[0x15, 2, 0x1c], 0),
            (&[0x15, 2, 0x3c], 0),
            (&[0x15, 2, 0x4c], 7),
        ] {
            let header = [&common, rest, &lengths].concat();
            let claim = Claim::of(&header).expect("a header");
            assert_eq!((claim.unpacked, claim.levels), (100, levels), "{rest:?}");
        }
        assert!(Claim::of(&common[..5]).is_none());
    }
}
