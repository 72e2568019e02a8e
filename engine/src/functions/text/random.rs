//! Spark's generator of chance, which gives the same for the same seed.

use super::murmur::murmur3;

/// A generator that shifts a state of 64 bits and folds it onto itself.
pub(super) struct XorShift(u64);

/// The seed of a hash of bytes.
const HASH_SEED: u32 = 0x3c07_4a61;

impl XorShift {
    /// The seed is hashed, so that near seeds are far from each other.
    pub(super) fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur3(&bytes, HASH_SEED);
        let high = murmur3(&bytes, low);
        Self(u64::from(high) << 32 | u64::from(low))
    }

    fn next(&mut self) -> i32 {
        self.0 ^= self.0 << 21;
        self.0 ^= self.0 >> 35;
        self.0 ^= self.0 << 4;
        self.0 as i32
    }

    /// So many digits and letters.
    pub(super) fn letters(&mut self, count: usize) -> String {
        let letter = |_| match (self.next() % 62).unsigned_abs() as u8 {
            digit @ 0..10 => char::from(b'0' + digit),
            small @ 10..36 => char::from(b'a' + small - 10),
            capital => char::from(b'A' + capital - 36),
        };
        (0..count).map(letter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_that_of_spark() {
        assert_eq!(XorShift::new(0).letters(3), "ceV");
    }
}
