//! Parquet's runs: repeated values and bit-packed ones, as levels and dictionary codes are written.
//!
//! Values are skipped without being decoded: of a bit-packed run any one is found at its bit.

use bytes::Bytes;

use super::Broken;

/// A reader of runs.
pub(super) struct Runs {
    bytes: Bytes,
    at: usize,
    width: u8,
    run: Run,
}

enum Run {
    Same { value: u32, left: usize },
    Packed { bit: usize, left: usize },
}

impl Runs {
    pub(super) fn new(bytes: Bytes, width: u8) -> Result<Self, Broken> {
        if width > 32 {
            return Err(Broken::new("values of more than 32 bits"));
        }
        let run = Run::Same { value: 0, left: 0 };
        Ok(Self {
            bytes,
            at: 0,
            width,
            run,
        })
    }

    /// Runs of which every value is the same; without levels, all values are there.
    pub(super) fn always(value: u32) -> Self {
        Self {
            bytes: Bytes::new(),
            at: 0,
            width: 0,
            run: Run::Same {
                value,
                left: usize::MAX,
            },
        }
    }

    fn load(&mut self) -> Result<(), Broken> {
        if self.width == 0 && self.at >= self.bytes.len() {
            // A dictionary of one entry may be written without any run.
            let left = usize::MAX;
            self.run = Run::Same { value: 0, left };
            return Ok(());
        }
        let header = self.header()?;
        let count = usize::try_from(header >> 1).map_err(|_| ends_early())?;
        self.run = if header & 1 == 0 {
            let mut value = 0;
            for byte in 0..usize::from(self.width).div_ceil(8) {
                value |= u32::from(self.byte()?) << (8 * byte);
            }
            Run::Same { value, left: count }
        } else {
            let bytes = count
                .checked_mul(usize::from(self.width))
                .ok_or_else(ends_early)?;
            let start = self.at;
            // Some writers do not pad the last group.
            let end = start.saturating_add(bytes).min(self.bytes.len());
            self.at = end;
            let left = match self.width {
                0 => count.saturating_mul(8),
                width => ((end - start) * 8 / usize::from(width)).min(count.saturating_mul(8)),
            };
            Run::Packed {
                bit: start * 8,
                left,
            }
        };
        if self.left() == 0 && self.at >= self.bytes.len() {
            return Err(ends_early());
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let byte = *self.bytes.get(self.at).ok_or_else(ends_early)?;
        self.at += 1;
        Ok(byte)
    }

    fn header(&mut self) -> Result<u64, Broken> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ends_early())
    }

    const fn left(&self) -> usize {
        match self.run {
            Run::Same { left, .. } | Run::Packed { left, .. } => left,
        }
    }

    /// Returns the value at a bit, which may begin in any byte.
    fn packed(&self, bit: usize) -> u32 {
        let start = bit / 8;
        let mut word = [0; 8];
        if let Some(bytes) = self.bytes.get(start..start + 8) {
            word.copy_from_slice(bytes);
        } else {
            let bytes = &self.bytes[start.min(self.bytes.len())..];
            word[..bytes.len()].copy_from_slice(bytes);
        }
        let mask = (1_u64 << self.width) - 1;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "masked to 32 bits or fewer"
        )]
        let value = ((u64::from_le_bytes(word) >> (bit % 8)) & mask) as u32;
        value
    }

    /// Returns the next value.
    pub(super) fn next(&mut self) -> Result<u32, Broken> {
        loop {
            match &mut self.run {
                Run::Same { left: 0, .. } | Run::Packed { left: 0, .. } => self.load()?,
                Run::Same { value, left } => {
                    *left -= 1;
                    return Ok(*value);
                }
                Run::Packed { bit, left } => {
                    let at = *bit;
                    *left -= 1;
                    *bit += usize::from(self.width);
                    return Ok(self.packed(at));
                }
            }
        }
    }

    /// Goes on by up to so many values of one run. Returns where they are, and how many.
    fn advance(&mut self, most: usize) -> Result<(Run, usize), Broken> {
        if self.left() == 0 {
            self.load()?;
        }
        let step = most.min(self.left());
        let passed = match &mut self.run {
            Run::Same { value, left } => {
                *left -= step;
                Run::Same {
                    value: *value,
                    left: step,
                }
            }
            Run::Packed { bit, left } => {
                let first = *bit;
                *left -= step;
                *bit += step * usize::from(self.width);
                Run::Packed {
                    bit: first,
                    left: step,
                }
            }
        };
        Ok((passed, step))
    }

    /// Passes over values.
    pub(super) fn skip(&mut self, mut count: usize) -> Result<(), Broken> {
        while count > 0 {
            count -= self.advance(count)?.1;
        }
        Ok(())
    }

    /// Reads the next values.
    pub(super) fn append(&mut self, mut count: usize, out: &mut Vec<u32>) -> Result<(), Broken> {
        while count > 0 {
            let (run, step) = self.advance(count)?;
            count -= step;
            match run {
                Run::Same { value, .. } => out.resize(out.len() + step, value),
                Run::Packed { bit, .. } => self.unpack(bit, step, out),
            }
        }
        Ok(())
    }

    /// Reads values from a bit on: eight at once where they begin with a byte, as of up to 16 bits
    /// each they lie within two words.
    fn unpack(&self, mut bit: usize, mut count: usize, out: &mut Vec<u32>) {
        let width = usize::from(self.width);
        let mask = (1_u64 << width) - 1;
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        while count > 0 {
            let at = bit / 8;
            let second = at + width / 2;
            match self.bytes.get(at..second + 8) {
                Some(bytes) if count >= 8 && bit.is_multiple_of(8) && width <= 16 => {
                    let words = [
                        word(&bytes[..8]),
                        word(&bytes[width / 2..]) >> (4 * width % 8),
                    ];
                    for word in words {
                        for value in 0..4 {
                            #[expect(
                                clippy::cast_possible_truncation,
                                reason = "masked to 16 bits or fewer"
                            )]
                            out.push((word >> (value * width) & mask) as u32);
                        }
                    }
                    (bit, count) = (bit + 8 * width, count - 8);
                }
                _ => {
                    out.push(self.packed(bit));
                    (bit, count) = (bit + width, count - 1);
                }
            }
        }
    }

    /// Calls with each run of the next values: how many, and the value.
    pub(super) fn each(
        &mut self,
        mut count: usize,
        mut each: impl FnMut(usize, u32) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        while count > 0 {
            let (run, step) = self.advance(count)?;
            count -= step;
            match run {
                // A run may say that it has no value.
                Run::Same { .. } if step == 0 => {}
                Run::Same { value, .. } => each(step, value)?,
                Run::Packed { bit, .. } => {
                    for at in 0..step {
                        each(1, self.packed(bit + at * usize::from(self.width)))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Passes over values and counts those that equal another.
    pub(super) fn count(&mut self, count: usize, wanted: u32) -> Result<usize, Broken> {
        let mut found = 0;
        self.each(count, |times, value| {
            found += if value == wanted { times } else { 0 };
            Ok(())
        })?;
        Ok(found)
    }
}

fn ends_early() -> Broken {
    Broken::new("a page ends in the middle of its values")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_and_skipped_alike() {
        // Seven times 5, then 0 to 7 in three bits each, as the format's own example packs them.
        let bytes = Bytes::from_static(&[14, 5, 3, 0x88, 0xc6, 0xfa]);
        let mut runs = Runs::new(bytes.clone(), 3).expect("three bits");
        let all: Vec<u32> = (0..15).map(|_| runs.next().expect("there")).collect();
        assert_eq!(all, [5, 5, 5, 5, 5, 5, 5, 0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(runs.next().is_err());
        for (skipped, expected) in all.iter().enumerate() {
            let mut runs = Runs::new(bytes.clone(), 3).expect("three bits");
            runs.skip(skipped).expect("there");
            assert_eq!(runs.next().expect("there"), *expected);
        }
        let mut runs = Runs::new(bytes, 3).expect("three bits");
        assert_eq!(runs.count(15, 5).expect("there"), 8);
    }

    proptest::proptest! {
        #[test]
        fn values_read_together_are_those_read_one_by_one(
            width in 1_u8..=32,
            packed in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..400),
            steps in proptest::collection::vec(1_usize..40, 1..30),
        ) {
            // More than fit into one byte of a header would need another.
            let groups = u8::try_from(packed.len() / usize::from(width)).map_or(63, |n| n.min(63));
            let mut bytes = vec![groups << 1 | 1];
            bytes.extend(&packed);
            let mut together = Runs::new(Bytes::from(bytes.clone()), width).expect("it is narrow");
            let mut alone = Runs::new(Bytes::from(bytes), width).expect("it is narrow");
            let mut left = 8 * usize::from(groups);
            for step in steps {
                let step = step.min(left);
                left -= step;
                let mut read = Vec::new();
                together.append(step, &mut read).expect("there");
                let expected: Vec<u32> =
                    (0..step).map(|_| alone.next().expect("there")).collect();
                proptest::prop_assert_eq!(read, expected);
            }
        }
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        for bytes in [&[][..], &[0xff; 12], &[3], &[2]] {
            let mut runs = Runs::new(Bytes::from_static(bytes), 3).expect("three bits");
            assert!(runs.skip(9).is_err(), "{bytes:?}");
        }
    }
}
