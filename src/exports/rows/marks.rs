//! Where separators stand in CSV text, as bit masks of 64 bytes.
#![expect(
    clippy::inline_always,
    reason = "what is not inlined into a dispatched call runs without its instructions"
)]

use pulp::{Arch, Simd, WithSimd};
use wide::u8x16;

/// How much text one mask is for.
pub(super) const BLOCK: usize = 64;

/// What stands where in a text.
#[derive(Default)]
pub(super) struct Marks {
    /// Per block: the commas and line ends outside quotes.
    pub(super) seps: Vec<u64>,
    /// How many there were since the text began.
    count: u64,
    /// Line ends outside quotes, and how many separators there were up to and with each.
    pub(super) ends: Vec<(u32, u64)>,
    /// Line ends within quotes.
    pub(super) breaks: Vec<u32>,
    /// A quote, or a carriage return, is not where it belongs.
    pub(super) is_odd: bool,
    /// What the last block leaves to the next.
    carried: Carried,
}

/// What stood before a block, in the lowest bit.
#[derive(Clone, Copy)]
struct Carried {
    /// All ones within quotes.
    inside: u64,
    /// A comma or a line end outside quotes, or nothing.
    sep: u64,
    quote: u64,
    /// A quote that closes.
    close: u64,
    carriage: u64,
}

impl Default for Carried {
    fn default() -> Self {
        Self {
            inside: 0,
            sep: 1,
            quote: 0,
            close: 0,
            carriage: 0,
        }
    }
}

impl Marks {
    /// Splits the next blocks of the text, as far as quotes are where they belong.
    pub(super) fn split(&mut self, blocks: &[[u8; BLOCK]]) {
        Arch::new().dispatch(Split(self, blocks));
    }

    #[inline(always)]
    fn split_here(&mut self, blocks: &[[u8; BLOCK]]) {
        let mut before = self.carried;
        self.seps.reserve(blocks.len());
        for block in blocks {
            let (quote, comma) = (places(block, b'"'), places(block, b','));
            let (feed, carriage) = line_ends(block);
            let inside = parity(quote) ^ before.inside;
            let mut seps = (comma | feed) & !inside;
            let (opens, closes, returns) = (quote & inside, quote & !inside, carriage & !inside);

            // A quote opens at the beginning of a field, or right after one that closed: both are
            // one quote then. After one that closes there is nothing but the end of the field.
            let may_open = seps << 1 | before.sep | quote << 1 | before.quote;
            let is_closed = closes << 1 | before.close;
            let is_returned = returns << 1 | before.carriage;
            let odd =
                opens & !may_open | is_closed & !(seps | quote | carriage) | is_returned & !feed;
            if odd != 0 {
                seps &= (odd & odd.wrapping_neg()) - 1;
                self.is_odd = true;
            }
            before = Carried {
                inside: 0_u64.wrapping_sub(inside >> 63),
                sep: seps >> 63,
                quote: quote >> 63,
                close: closes >> 63,
                carriage: returns >> 63,
            };
            if feed != 0 {
                self.end_lines(feed & inside, feed & seps, seps);
            }
            self.count += u64::from(seps.count_ones());
            self.seps.push(seps);
            if self.is_odd {
                break;
            }
        }
        self.carried = before;
    }

    /// Notes the line ends of a block, those within quotes and those of rows.
    fn end_lines(&mut self, mut breaks: u64, mut ends: u64, seps: u64) {
        let place = short(self.seps.len() * BLOCK);
        while breaks != 0 {
            self.breaks.push(place + breaks.trailing_zeros());
            breaks &= breaks - 1;
        }
        while ends != 0 {
            let end = ends.trailing_zeros();
            let upto = seps & (u64::MAX >> (63 - end));
            let count = self.count + u64::from(upto.count_ones());
            self.ends.push((place + end, count));
            ends &= ends - 1;
        }
    }

    /// Tells whether what was split ends within quotes.
    pub(super) const fn is_inside(&self) -> bool {
        self.carried.inside != 0
    }

    /// Ends the last line where the text does.
    pub(super) fn end(&mut self, place: usize) {
        self.seps[place / BLOCK] |= 1 << (place % BLOCK);
        self.count += 1;
        self.ends.push((short(place), self.count));
    }

    /// Finds where the first separators from a place on stand.
    pub(super) fn locate(&self, start: usize, wanted: usize, found: &mut Vec<u32>) {
        Arch::new().dispatch(Locate(self, start, wanted, found));
    }

    /// Eight at once, whether there are so many or not: the processor cannot guess how many there are.
    #[inline(always)]
    fn locate_here(&self, start: usize, wanted: usize, found: &mut Vec<u32>) {
        let mut count = 0;
        let mut before = u64::MAX << (start % BLOCK);
        for (block, seps) in self.seps.iter().enumerate().skip(start / BLOCK) {
            if count >= wanted {
                return;
            }
            let place = short(block * BLOCK);
            let mut seps = seps & before;
            before = u64::MAX;
            if found.len() < count + BLOCK {
                found.resize(count + 2 * BLOCK, 0);
            }
            let next = count + seps.count_ones() as usize;
            let (eights, _) = found[count..count + BLOCK].as_chunks_mut::<8>();
            for eight in eights {
                for sep in eight {
                    *sep = place + seps.trailing_zeros();
                    seps &= seps.wrapping_sub(1);
                }
                if seps == 0 {
                    break;
                }
            }
            count = next;
        }
    }

    /// Forgets the rows that were handed out.
    pub(super) fn drop_before(&mut self, blocks: usize, breaks: usize) {
        self.ends.clear();
        self.seps.drain(..blocks);
        self.breaks.drain(..breaks);
        let done = short(blocks * BLOCK);
        for place in &mut self.breaks {
            *place -= done;
        }
    }
}

/// Runs with all that this processor has: counting and finding bits takes one instruction there, and
/// a dozen on the least that there is.
struct Split<'m>(&'m mut Marks, &'m [[u8; BLOCK]]);

impl WithSimd for Split<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.split_here(self.1);
    }
}

/// The same for finding separators.
struct Locate<'m>(&'m Marks, usize, usize, &'m mut Vec<u32>);

impl WithSimd for Locate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.locate_here(self.1, self.2, self.3);
    }
}

/// A place in a stretch, in half the memory.
fn short(place: usize) -> u32 {
    u32::try_from(place).expect("whoever reads ends a row long before")
}

/// Returns where a byte stands in a block, its first byte in the lowest bit.
#[inline(always)]
fn places(block: &[u8; BLOCK], byte: u8) -> u64 {
    let (lanes, _) = block.as_chunks::<16>();
    let wanted = u8x16::splat(byte);
    let mut places = 0;
    for (at, lane) in lanes.iter().enumerate() {
        let found = u8x16::from(*lane).simd_eq(wanted).to_bitmask();
        places |= u64::from(found) << (16 * at);
    }
    places
}

/// Returns where line feeds and carriage returns stand: in most blocks there are none, nor any other
/// byte as low.
#[inline(always)]
fn line_ends(block: &[u8; BLOCK]) -> (u64, u64) {
    let (lanes, _) = block.as_chunks::<16>();
    let highest = u8x16::splat(b'\r');
    let lowest = lanes.iter().fold(u8x16::splat(u8::MAX), |lowest, lane| {
        lowest.min(u8x16::from(*lane))
    });
    if lowest.min(highest).simd_eq(lowest).to_bitmask() == 0 {
        return (0, 0);
    }
    (places(block, b'\n'), places(block, b'\r'))
}

/// Returns for each bit whether an odd number of bits is set up to and with it.
#[inline(always)]
const fn parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}
