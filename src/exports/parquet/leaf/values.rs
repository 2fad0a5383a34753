//! The values of a page: by a dictionary, or one after the other.

use bytes::Bytes;

use crate::exports::parquet::{Broken, runs::Runs};

/// Values as they lie one after another: of one width, or each after its length.
#[derive(Default)]
pub(super) struct Table {
    pub(super) bytes: Bytes,
    /// The width, or where each value begins.
    pub(super) width: usize,
    pub(super) starts: Vec<u32>,
}

impl Table {
    pub(super) fn new(bytes: &Bytes, width: usize, count: u32) -> Result<Self, Broken> {
        let mut starts = Vec::new();
        let mut at = 0_usize;
        if width == 0 {
            for _ in 0..count {
                let length = length_at(bytes, at)?;
                starts.push(u32::try_from(at + 4).map_err(|_| too_short())?);
                at += 4 + length;
            }
        } else if bytes.len() / width < count as usize {
            return Err(too_short());
        } else {
            at = width * count as usize;
        }
        let bytes = bytes.slice(..at);
        Ok(Self {
            bytes,
            width,
            starts,
        })
    }

    pub(super) fn len(&self) -> usize {
        match self.width {
            0 => self.starts.len(),
            width => self.bytes.len() / width,
        }
    }

    pub(super) fn span(&self, code: u32) -> Result<(usize, usize), Broken> {
        let code = code as usize;
        if code >= self.len() {
            return Err(Broken::new("a code beyond the dictionary"));
        }
        Ok(match self.width {
            0 => {
                let start = self.starts[code] as usize;
                (start, start + length_at(&self.bytes, start - 4)?)
            }
            width => (code * width, (code + 1) * width),
        })
    }

    pub(super) fn get(&self, code: u32) -> Result<&[u8], Broken> {
        let (start, end) = self.span(code)?;
        Ok(&self.bytes[start..end])
    }
}

/// Returns the length that stands at a place; that many bytes are there.
pub(super) fn length_at(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let prefix = bytes.get(at..at + 4).ok_or_else(too_short)?;
    let length = u32::from_le_bytes(prefix.try_into().expect("four bytes")) as usize;
    if bytes.len() - at - 4 < length {
        return Err(too_short());
    }
    Ok(length)
}

pub(super) fn too_short() -> Broken {
    Broken::new("a page is shorter than its values")
}

/// The values of a page that are there.
pub(super) enum Values {
    Codes(Runs),
    Plain {
        bytes: Bytes,
        at: usize,
        width: usize,
    },
}

impl Values {
    pub(super) fn skip(&mut self, count: usize) -> Result<(), Broken> {
        match self {
            Self::Codes(codes) => codes.skip(count),
            Self::Plain {
                at,
                width: 0,
                bytes,
            } => {
                for _ in 0..count {
                    *at += 4 + length_at(bytes, *at)?;
                }
                Ok(())
            }
            Self::Plain { at, width, .. } => {
                *at = at.saturating_add(count.saturating_mul(*width));
                Ok(())
            }
        }
    }
}

/// Takes the next value off a page in plain encoding.
pub(super) fn next_plain(
    bytes: &Bytes,
    at: &mut usize,
    width: usize,
) -> Result<(usize, usize), Broken> {
    let start = if width == 0 { *at + 4 } else { *at };
    let length = if width == 0 {
        length_at(bytes, *at)?
    } else {
        width
    };
    *at = start.checked_add(length).ok_or_else(too_short)?;
    if *at > bytes.len() {
        return Err(too_short());
    }
    Ok((start, *at))
}
