//! How pages are packed. What the `parquet` crate would unpack without a limit, or by a compiler for C, is
//! unpacked here: to what the header of the page claims, and no further.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::{basic::Compression, column::page::Page};

use super::Broken;

/// As far back as Zstandard refers but at its highest levels: what it keeps besides the page.
const WINDOW: u64 = 8 << 20;

/// A packing that is unpacked here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packing {
    Gzip,
    Zstandard,
    Lz4,
}

impl Packing {
    /// Tells who unpacks: this, or the `parquet` crate; the name of what nobody here does.
    pub(super) fn of(compression: Compression) -> Result<Option<Self>, &'static str> {
        Ok(match compression {
            Compression::UNCOMPRESSED | Compression::SNAPPY => None,
            Compression::GZIP(_) => Some(Self::Gzip),
            Compression::ZSTD(_) => Some(Self::Zstandard),
            Compression::LZ4_RAW => Some(Self::Lz4),
            Compression::LZ4 => return Err("LZ4 as Hadoop has it"),
            Compression::BROTLI(_) => return Err("Brotli"),
            Compression::LZO => return Err("LZO"),
        })
    }

    /// Unpacks what is packed of a page that claims to come to so many bytes.
    pub(super) fn unpack(self, page: &mut Page, claimed: usize) -> Result<(), Broken> {
        let (bytes, levels) = match page {
            Page::DataPageV2 {
                is_compressed: false,
                ..
            } => return Ok(()),
            Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => (
                buf,
                *def_levels_byte_len as usize + *rep_levels_byte_len as usize,
            ),
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => (buf, 0),
        };
        let (Some(packed), Some(length)) = (bytes.get(levels..), claimed.checked_sub(levels))
        else {
            return Err(Broken::new("a page is shorter than its levels"));
        };
        let mut unpacked = Vec::with_capacity(claimed);
        unpacked.extend_from_slice(&bytes[..levels]);
        // A page whose values are all absent may have nothing to unpack.
        if length > 0 {
            self.append(packed, length, &mut unpacked)?;
        }
        *bytes = Bytes::from(unpacked);
        Ok(())
    }

    fn append(self, packed: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), Broken> {
        let start = out.len();
        let end = start + length;
        let damaged = |error: String| Broken(format!("a page cannot be unpacked: {error}"));
        let count = match self {
            Self::Gzip => {
                let limit = u64::try_from(length).unwrap_or(u64::MAX).saturating_add(1);
                let mut reader = MultiGzDecoder::new(packed).take(limit);
                reader
                    .read_to_end(out)
                    .map_err(|error| damaged(error.to_string()))?
            }
            Self::Zstandard => {
                out.resize(end, 0);
                let mut decoder = ruzstd::decoding::FrameDecoder::new();
                decoder.set_max_window_size(WINDOW.max(length as u64));
                let read = decoder.decode_all(packed, &mut out[start..]);
                read.map_err(|error| damaged(error.to_string()))?
            }
            Self::Lz4 => {
                out.resize(end, 0);
                let read = lz4_flex::block::decompress_into(packed, &mut out[start..]);
                read.map_err(|error| damaged(error.to_string()))?
            }
        };
        if count > length {
            return Err(Broken::new("a page unpacks to more than it claims"));
        }
        if count < length {
            return Err(Broken::new("a page unpacks to less than it claims"));
        }
        Ok(())
    }
}
