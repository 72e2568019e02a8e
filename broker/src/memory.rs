//! The bound on what a broker keeps: everything that stays after a request is reserved here first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes, and how many of them are taken.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    used: AtomicUsize,
}

/// There is no room for what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Memory {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let used = AtomicUsize::new(0);
        Arc::new(Self { limit, used })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes `bytes`, until the reservation is dropped.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Reservation, Full> {
        let mut reservation = Reservation {
            memory: Arc::clone(self),
            bytes: 0,
        };
        reservation.grow(bytes)?;
        Ok(reservation)
    }
}

/// Bytes that somebody holds.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Reservation {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let limit = self.memory.limit;
        let add = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= limit);
        let updated = self
            .memory
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        updated.map_err(|_| Full)?;
        self.bytes += bytes;
        Ok(())
    }

    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.memory.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_again() {
        let memory = Memory::new(100);
        let mut first = memory.reserve(60).expect("room");
        assert_eq!(memory.reserve(41).err(), Some(Full));
        first.grow(40).expect("room");
        assert_eq!(first.grow(usize::MAX), Err(Full));
        first.shrink(10);
        assert_eq!(memory.used(), 90);
        drop(first);
        assert_eq!(memory.used(), 0);
    }
}
