//! Pseudo-random numbers from a seed: splitmix64, the same on every machine.

/// A generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator with this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// The next 32 bits.
    #[allow(clippy::cast_possible_truncation, reason = "the upper half")]
    pub fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.word() % end
    }

    /// True in `of` percent of the calls.
    pub fn percent(&mut self, of: u32) -> bool {
        self.below(100) < of
    }

    /// One of these.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let end = u32::try_from(from.len()).unwrap_or(u32::MAX);
        &from[usize::try_from(self.below(end)).unwrap_or(0)]
    }

    /// Bits of `of`, each set with probability 3/4 (`dense`) or 1/4.
    pub fn bits(&mut self, of: u32, dense: bool) -> u32 {
        let (a, b) = (self.word(), self.word());
        of & if dense { a | b } else { a & b }
    }
}
