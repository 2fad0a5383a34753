//! Random numbers from a seed: xoshiro256++ (Blackman and Vigna, public domain), its state filled by
//! `SplitMix64`. Integer arithmetic only, so every platform draws the same numbers.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: [u64; 4],
}

impl Random {
    /// Starts the stream of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut next = seed;
        let state = [(); 4].map(|()| {
            next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = next;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state }
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let drawn = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        drawn
    }

    /// Starts another stream.
    pub(super) fn fork(&mut self) -> Self {
        Self::new(self.next())
    }

    /// Draws a whole number below `end`, each as likely to within 2⁻³².
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// Draws a number from 0 to 1, 1 excluded.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the reference C code from the state 1, 2, 3, 4.
    #[test]
    fn the_stream_is_that_of_the_reference() {
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        let drawn = [(); 3].map(|()| random.next());
        assert_eq!(drawn, [41_943_041, 58_720_359, 3_588_806_011_781_223]);
    }

    #[test]
    fn draws_stay_in_range() {
        let mut random = Random::new(7);
        for _ in 0..1000 {
            assert!(random.below(26) < 26);
            assert!((0.0..1.0).contains(&random.share()));
        }
    }
}
