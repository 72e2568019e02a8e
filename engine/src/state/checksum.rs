//! The end of a state file: a mark and a checksum of all before it, so that what a disk has changed
//! or cut off is never taken for state.

use std::io::{self, Read, Write};

use crc32fast::Hasher;

const MARK: &[u8; 8] = b"tidecrc1";
const LENGTH: u64 = MARK.len() as u64 + 4;
const BYTES_AT_ONCE: usize = 64 * 1024;

/// Writes through, and sums up what it writes.
pub(super) struct Summed<W> {
    inner: W,
    sum: Hasher,
}

impl<W: Write> Summed<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            sum: Hasher::new(),
        }
    }

    /// Writes the mark and the sum.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.inner.write_all(MARK)?;
        self.inner.write_all(&self.sum.finalize().to_le_bytes())?;
        self.inner.flush()
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        let written = bytes.get(..count);
        let written = written.ok_or_else(|| io::Error::other("more was written than there is"))?;
        self.sum.update(written);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Why a file of `size` bytes is not what was written, if it is not.
pub(super) fn damage(mut file: impl Read, size: u64) -> io::Result<Option<&'static str>> {
    let Some(content) = size.checked_sub(LENGTH) else {
        return Ok(Some("its end is missing"));
    };
    let mut sum = Hasher::new();
    let mut piece = vec![0; BYTES_AT_ONCE];
    let mut left = content;
    while left > 0 {
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut piece)?;
        sum.update(&piece);
        left -= piece.len() as u64;
    }
    let mut end = [0; LENGTH as usize];
    file.read_exact(&mut end)?;
    let (mark, written) = end.split_at(MARK.len());
    Ok(
        match (mark == MARK, written == sum.finalize().to_le_bytes()) {
            (false, _) => Some("its end is missing"),
            (true, false) => Some("its content does not have the checksum it was written with"),
            (true, true) => None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_changed_or_cut_off_is_noticed() {
        let mut whole = Vec::new();
        let mut summed = Summed::new(&mut whole);
        summed.write_all(&[7; 100]).unwrap();
        summed.finish().unwrap();
        let damage_of = |bytes: Vec<u8>| damage(&bytes[..], bytes.len() as u64).unwrap();
        assert_eq!(damage_of(whole.clone()), None);
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                assert!(damage_of(changed).is_some(), "bit {bit} of byte {at}");
            }
            assert!(damage_of(whole[..at].to_vec()).is_some(), "cut at {at}");
        }
        assert!(damage_of([whole, vec![0]].concat()).is_some());
    }
}
