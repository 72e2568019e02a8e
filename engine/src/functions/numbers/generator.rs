//! Spark's random numbers: the same seed gives the same numbers as there.

/// The seed of the hash that scrambles seeds.
const HASH_SEED: u32 = 0x3c07_4a61;

/// A generator: three shifts of 64 bits.
#[derive(Debug, Clone)]
pub(super) struct Generator {
    bits: u64,
    /// Normal numbers come in pairs.
    second: Option<f64>,
}

impl Generator {
    pub(super) fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur(bytes, HASH_SEED);
        let high = murmur(bytes, low);
        Self {
            bits: u64::from(high) << 32 | u64::from(low),
            second: None,
        }
    }

    fn next(&mut self, count: u32) -> u64 {
        self.bits ^= self.bits << 21;
        self.bits ^= self.bits >> 35;
        self.bits ^= self.bits << 4;
        self.bits & ((1 << count) - 1)
    }

    /// 128 bits.
    pub(super) fn bits(&mut self) -> u128 {
        (0..4).fold(0, |bits, _| bits << 32 | u128::from(self.next(32)))
    }

    /// From 0 to 1, without 1.
    pub(super) fn uniform(&mut self) -> f64 {
        let bits = (self.next(26) << 27) + self.next(27);
        bits as f64 / (1_u64 << 53) as f64
    }

    /// Of the standard normal distribution: a point in the unit circle gives two.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.second = Some(y * factor);
                return x * factor;
            }
        }
    }
}

/// The hash of eight bytes: MurmurHash3 of 32 bits.
fn murmur(bytes: [u8; 8], seed: u32) -> u32 {
    let [a, b, c, d, e, f, g, h] = bytes;
    let words = [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ];
    let mixed = words.into_iter().fold(seed, |hash, word| {
        let word = word
            .wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593);
        (hash ^ word)
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64)
    });
    let hash = mixed ^ 8;
    let hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_spark() {
        assert_eq!(Generator::new(0).uniform(), 0.7604953758285915);
        assert!((Generator::new(0).normal() - 1.6034991609278433).abs() < 1e-15);
    }
}
