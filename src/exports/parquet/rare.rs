//! Values in the rarer encodings, brought into the plain one.
//!
//! The crate's decoders make room for as many values as a page claims, and four bytes can claim two
//! billion: here nothing is made of a claim that the page has no bytes for.

use bytes::Bytes;
use parquet::basic::Encoding;

use super::Broken;

/// Values that a page in one of these encodings may have: writers end a page long before.
const MOST_VALUES: u64 = 1 << 21;
/// Bytes that they may come to, as each may repeat most of the one before.
const MOST_BYTES: usize = 32 << 20;
/// Values of a block of deltas that writers make: 128 or 256.
const LARGEST_BLOCK: u64 = 1 << 16;

/// Brings values into the plain encoding; of texts, which have no width, each after its length.
pub(super) fn plain(
    encoding: Encoding,
    bytes: &Bytes,
    width: usize,
    most: u32,
) -> Result<Bytes, Broken> {
    let most = MOST_VALUES.min(most.into());
    let mut values = Plain {
        out: Vec::new(),
        width,
    };
    let mut at = 0;
    match encoding {
        Encoding::DELTA_BINARY_PACKED if matches!(width, 4 | 8) => {
            for number in deltas(bytes, &mut at, most)? {
                values.out.extend_from_slice(&number.to_le_bytes()[..width]);
            }
        }
        Encoding::DELTA_LENGTH_BYTE_ARRAY => {
            for length in deltas(bytes, &mut at, most)? {
                values.push(&[], taken(bytes, &mut at, length)?)?;
            }
        }
        Encoding::DELTA_BYTE_ARRAY => {
            let shared = deltas(bytes, &mut at, most)?;
            let lengths = deltas(bytes, &mut at, most)?;
            if shared.len() != lengths.len() {
                return Err(Broken::new("texts without their beginnings"));
            }
            let mut before: Vec<u8> = Vec::new();
            for (shared, length) in shared.into_iter().zip(lengths) {
                let shared = usize::try_from(shared).unwrap_or(usize::MAX);
                if shared > before.len() {
                    return Err(Broken::new("a text shares more than the one before it has"));
                }
                before.truncate(shared);
                before.extend_from_slice(taken(bytes, &mut at, length)?);
                values.push(&before, &[])?;
            }
        }
        Encoding::BYTE_STREAM_SPLIT if width > 0 => {
            let count = bytes.len() / width;
            if count as u64 > most {
                return Err(too_many());
            }
            values.out.reserve(count * width);
            for value in 0..count {
                let parts = (0..width).map(|part| bytes[part * count + value]);
                values.out.extend(parts);
            }
        }
        _ => return Err(Broken::new("an encoding that no export has")),
    }
    Ok(values.out.into())
}

/// Values in the plain encoding.
struct Plain {
    out: Vec<u8>,
    width: usize,
}

impl Plain {
    /// Adds a text, which is in two parts.
    fn push(&mut self, first: &[u8], rest: &[u8]) -> Result<(), Broken> {
        let length = first.len() + rest.len();
        if self.out.len() + length > MOST_BYTES {
            return Err(Broken::new(
                "a page whose texts come to more than a page can have",
            ));
        }
        if self.width == 0 {
            let length = u32::try_from(length).map_err(|_| too_many())?;
            self.out.extend(length.to_le_bytes());
        } else if length != self.width {
            return Err(Broken::new("a value of another width than its column"));
        }
        self.out.extend_from_slice(first);
        self.out.extend_from_slice(rest);
        Ok(())
    }
}

fn too_many() -> Broken {
    Broken::new("a page with more values than a page can have")
}

fn ends_early() -> Broken {
    Broken::new("a page is shorter than its values")
}

/// Takes so many bytes.
fn taken<'b>(bytes: &'b [u8], at: &mut usize, length: i64) -> Result<&'b [u8], Broken> {
    let start = *at;
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| start.checked_add(length));
    let taken = end
        .and_then(|end| bytes.get(start..end))
        .ok_or_else(ends_early)?;
    *at += taken.len();
    Ok(taken)
}

/// Reads whole numbers that are written as the differences between them, in blocks.
fn deltas(bytes: &[u8], at: &mut usize, most: u64) -> Result<Vec<i64>, Broken> {
    let (block, parts) = (varint(bytes, at)?, varint(bytes, at)?);
    let (count, first) = (varint(bytes, at)?, zigzag(varint(bytes, at)?));
    if count > most {
        return Err(too_many());
    }
    let part = block.checked_div(parts).unwrap_or_default();
    if block > LARGEST_BLOCK || part == 0 || part % 8 != 0 {
        return Err(Broken::new("differences in blocks of no size"));
    }
    let size = |count: u64| usize::try_from(count).map_err(|_| too_many());
    let (part, parts) = (size(part)?, size(parts)?);
    let (mut left, mut last) = (size(count)?, first);
    let mut numbers = Vec::new();
    if left > 0 {
        numbers.push(first);
        left -= 1;
    }
    while left > 0 {
        let lowest = zigzag(varint(bytes, at)?);
        let widths = *at;
        *at += parts;
        for width in bytes.get(widths..*at).ok_or_else(ends_early)? {
            let width = usize::from(*width);
            let step = left.min(part);
            if width > 64 || bytes.len() < *at + (step * width).div_ceil(8) {
                return Err(ends_early());
            }
            for value in 0..step {
                let more = bits(bytes, *at * 8 + value * width, width);
                last = last.wrapping_add(lowest).wrapping_add(more.cast_signed());
                numbers.push(last);
            }
            left -= step;
            if left == 0 && step < part {
                // The last part is padded, if anything follows.
                *at = (*at + part / 8 * width).min(bytes.len());
                break;
            }
            *at += part / 8 * width;
            if left == 0 {
                break;
            }
        }
    }
    Ok(numbers)
}

/// Returns a number of so many bits, which may begin in any byte.
fn bits(bytes: &[u8], bit: usize, width: usize) -> u64 {
    let mut word = [0; 16];
    let rest = bytes.get(bit / 8..).unwrap_or_default();
    let length = rest.len().min(word.len());
    word[..length].copy_from_slice(&rest[..length]);
    let mask = (1_u128 << width) - 1;
    let value = (u128::from_le_bytes(word) >> (bit % 8)) & mask;
    u64::try_from(value).unwrap_or_default()
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, Broken> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or_else(ends_early)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(ends_early())
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the format's description of its encodings.
    #[test]
    fn the_published_examples_are_read() {
        // 1, 2, 3, 4, 5: blocks of 128 in 4 parts, 5 values, the first 1; every difference is 1.
        let even = [128, 1, 4, 5, 2, 2, 0, 0, 0, 0];
        let numbers = deltas(&even, &mut 0, 10).map_err(|broken| broken.0);
        assert_eq!(numbers, Ok(vec![1, 2, 3, 4, 5]));
        // 7, 5, 3, 1, 2, 3, 4, 5: the least difference is -2; above it 0, 0, 0, 3, 3, 3, 3 in 2 bits each.
        let packed = [0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0];
        let uneven = [&[128, 1, 4, 8, 14, 3, 2, 0, 0, 0][..], &packed].concat();
        let numbers = deltas(&uneven, &mut 0, 10).map_err(|broken| broken.0);
        assert_eq!(numbers, Ok(vec![7, 5, 3, 1, 2, 3, 4, 5]));
        // "axis", "axle", "babble", "babyhood" share 0, 2, 0 and 3 bytes with the text before.
        let of_three_bits = |first: u8, packed: [u8; 2]| {
            let padding = [0; 10];
            [&[128, 1, 4, 4, first, 3, 3, 0, 0, 0][..], &packed, &padding].concat()
        };
        let texts = [
            of_three_bits(0, [0b0100_0100, 0b0000_0001]),
            of_three_bits(8, [0b0111_0000, 0]),
            b"axislebabbleyhood".to_vec(),
        ];
        let read = plain(Encoding::DELTA_BYTE_ARRAY, &texts.concat().into(), 0, 4);
        let expected = b"\x04\0\0\0axis\x04\0\0\0axle\x06\0\0\0babble\x08\0\0\0babyhood";
        assert_eq!(
            read.map_err(|broken| broken.0),
            Ok(Bytes::from_static(expected))
        );
    }

    #[test]
    fn a_page_that_claims_more_than_it_has_is_refused() {
        let claims = [128, 1, 4, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0, 0];
        for encoding in [
            Encoding::DELTA_BINARY_PACKED,
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BYTE_ARRAY,
        ] {
            let width = if encoding == Encoding::DELTA_BINARY_PACKED {
                8
            } else {
                0
            };
            let bytes = Bytes::copy_from_slice(&claims);
            assert!(plain(encoding, &bytes, width, u32::MAX).is_err());
        }
    }
}
