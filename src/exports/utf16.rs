//! Text in UTF-16 with a mark, as spreadsheets on Windows save "Unicode text".

use std::io::{self, Read};

/// Which byte of a unit comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// Tells it by the mark at the beginning.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }
}

/// Units that are read at once.
const UNITS: usize = 32 * 1024;

/// UTF-16 text as UTF-8, its mark left out. What is no character becomes the one that stands for such.
pub(super) struct Decoded<R> {
    inner: R,
    order: Order,
    /// Read and not yet decoded: half a unit, or half a pair.
    rest: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    is_over: bool,
    is_first: bool,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(inner: R, order: Order) -> Self {
        Self {
            inner,
            order,
            rest: Vec::new(),
            text: Vec::new(),
            at: 0,
            is_over: false,
            is_first: true,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        let before = self.rest.len();
        let wanted = 2 * UNITS as u64;
        let count = self
            .inner
            .by_ref()
            .take(wanted)
            .read_to_end(&mut self.rest)?;
        self.is_over = count == 0;
        debug_assert!(self.rest.len() == before + count);
        let (pairs, odd) = self.rest.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| match self.order {
            Order::Little => u16::from_le_bytes(*pair),
            Order::Big => u16::from_be_bytes(*pair),
        };
        let mut units: Vec<u16> = pairs.iter().map(unit).collect();
        let mut kept = odd.to_vec();
        // A pair may be cut in two; at the end it is half a one.
        if !self.is_over
            && let Some(0xd800..0xdc00) = units.last()
        {
            units.pop();
            kept = [&pairs[pairs.len() - 1][..], odd].concat();
        }
        let mut text = String::with_capacity(units.len());
        let characters = char::decode_utf16(units);
        text.extend(characters.map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER)));
        if std::mem::take(&mut self.is_first) {
            let marks = text.len() - text.trim_start_matches('\u{feff}').len();
            text.drain(..marks);
        }
        (self.text, self.at) = (text.into_bytes(), 0);
        self.rest = if self.is_over { Vec::new() } else { kept };
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() && !self.is_over {
            self.decode_more()?;
        }
        let left = &self.text[self.at..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read_across_the_ends_of_what_is_read_at_once() {
        let text = format!("Serviço,{}\u{1f4b0}サービス\n", "x".repeat(UNITS - 9)).repeat(3);
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [little, big] {
            let order = Order::of(&bytes).expect("there is a mark");
            let mut read = String::new();
            let mut decoded = Decoded::new(&bytes[..], order);
            decoded
                .read_to_string(&mut read)
                .expect("memory can be read");
            assert_eq!(read, text);
        }
    }

    #[test]
    fn half_a_pair_is_no_character() {
        let bytes = [0xff, 0xfe, b'a', 0, 0x3d, 0xd8, b'b'];
        let mut read = String::new();
        let mut decoded = Decoded::new(&bytes[..], Order::Little);
        decoded
            .read_to_string(&mut read)
            .expect("memory can be read");
        assert_eq!(read, "a\u{fffd}");
    }
}
