//! The end of a file, which says what is where in it.

use std::sync::{Arc, atomic::AtomicU64};

use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::{
        metadata::ParquetMetaData,
        reader::{ChunkReader, Length},
    },
};

use super::pages;
use super::pages::Chunks;
use super::{Job, ROWS_A_BYTE, Source, reason};
use crate::exports::{ImportError, source::ReadAt};

/// Has the stretches of a row group brought here, where each read is a journey.
pub(super) fn fetched(job: &Job<'_>, name: &str) -> Result<Arc<Chunks<Source>>, ImportError> {
    let group = job.file.metadata.row_group(job.group);
    let mut stretches: Vec<(u64, u64)> = job
        .file
        .plan
        .leaves()
        .map(|leaf| group.column(leaf).byte_range())
        .collect();
    stretches.sort_unstable();
    let fetched = job.file.chunks.source.fetch(&stretches);
    let fetched = fetched.map_err(|source| ImportError::Read {
        file: name.to_owned(),
        source,
    })?;
    Ok(match fetched {
        None => job.file.chunks.clone(),
        Some(source) => Arc::new(Chunks {
            source,
            length: job.file.chunks.length,
            bytes_read: AtomicU64::new(0),
        }),
    })
}

pub(super) fn short(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

pub(super) fn footer(file: &str, error: &ParquetError) -> ImportError {
    ImportError::Footer {
        file: file.to_owned(),
        reason: reason(error),
    }
}

/// Returns how many parts a footer claims for its schema, before anybody takes them apart: it stands at
/// its beginning, after the version.
pub(super) fn schema_parts(chunks: &Chunks<Source>) -> Result<Option<i64>, ParquetError> {
    const END: u64 = 8;
    const BEGIN: u64 = 32;
    let Some(end) = chunks.length.checked_sub(END) else {
        // That there is no footer is told by who looks for one.
        return Ok(Some(0));
    };
    let length = chunks.get_bytes(end, 8)?;
    let length = u32::from_le_bytes(length[..4].try_into().expect("four bytes"));
    let Some(start) = end.checked_sub(length.into()) else {
        return Ok(Some(0));
    };
    let bytes = chunks.get_bytes(start, BEGIN.min(end - start).try_into().unwrap_or(0))?;
    Ok(pages::list_after_version(&bytes))
}

/// Refuses a footer that claims what the file cannot hold.
pub(super) fn check(
    file: &str,
    metadata: &ParquetMetaData,
    length: u64,
) -> Result<(), ImportError> {
    let mut rows = 0_u64;
    for group in metadata.row_groups() {
        let negative = |what: &str| ImportError::Footer {
            file: file.to_owned(),
            reason: format!("{what} below zero"),
        };
        let of_group = u64::try_from(group.num_rows()).map_err(|_| negative("rows"))?;
        rows = rows.saturating_add(of_group);
        let is_negative = |column: &parquet::file::metadata::ColumnChunkMetaData| {
            column.compressed_size() < 0
                || column.data_page_offset() < 0
                || column.dictionary_page_offset().is_some_and(|at| at < 0)
        };
        if group.columns().iter().any(is_negative) {
            return Err(negative("an offset"));
        }
    }
    if rows > length.saturating_mul(ROWS_A_BYTE) {
        return Err(ImportError::Bomb {
            file: file.to_owned(),
            claims: format!("{rows} rows"),
            bytes: length,
        });
    }
    Ok(())
}

/// The end of a file, where its footer is.
pub(super) struct FooterOf<'c>(pub(super) &'c Chunks<Source>);

impl Length for FooterOf<'_> {
    fn len(&self) -> u64 {
        self.0.length
    }
}

impl ChunkReader for FooterOf<'_> {
    type T = std::io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let length = usize::try_from(self.0.length.saturating_sub(start)).unwrap_or_default();
        Ok(std::io::Cursor::new(self.0.get_bytes(start, length)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.0.get_bytes(start, length)
    }
}
