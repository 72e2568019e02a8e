//! Where the row of each key stands, and when it expires: as few bytes a key as there can be.

#![expect(
    clippy::indexing_slicing,
    reason = "slots are numbers that are given out here"
)]

use super::super::Slot;
use super::Place;

/// Says of a place that nothing is there any more.
const GONE: u32 = 1 << 31;

/// Of rows that do not expire. As an expiry it is the last moment there is.
const NEVER: i64 = i64::MAX;

/// The slots of a table.
#[derive(Debug, Default)]
pub(super) struct Slots {
    infos: Vec<Info>,
    free: Vec<Slot>,
    /// When each row expires, and where its slot stands in the list of that time. Nothing, as long as no
    /// row expires.
    expiries: Vec<i64>,
    positions: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Info {
    chunk: u32,
    row: u32,
    /// The lower half of the key's hash.
    hash: u32,
}

/// The hash under which a slot is found again, of which a slot keeps half.
pub(super) fn found_by(hash: u64) -> u64 {
    spread(hash as u32)
}

/// A table takes the lowest and the highest bits of a hash.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Slots {
    /// A slot for a row at `place`, whose key has `hash`. It never expires.
    pub(super) fn add(&mut self, place: Place, hash: u64) -> Slot {
        let info = Info {
            chunk: place.0 as u32,
            row: place.1 as u32,
            hash: hash as u32,
        };
        if let Some(slot) = self.free.pop() {
            self.infos[slot as usize] = info;
            return slot;
        }
        grow(&mut self.infos);
        self.infos.push(info);
        if !self.expiries.is_empty() {
            self.have_expiries();
        }
        (self.infos.len() - 1) as Slot
    }

    /// Chunk, and row in it.
    pub(super) fn place(&self, slot: Slot) -> Place {
        let info = &self.infos[slot as usize];
        ((info.chunk & !GONE) as usize, info.row as usize)
    }

    /// The same, if the row is still there.
    pub(super) fn live_place(&self, slot: Slot) -> Option<Place> {
        self.is_live(slot).then(|| self.place(slot))
    }

    /// The row has another place.
    pub(super) fn moved(&mut self, slot: Slot, place: Place) {
        let info = &mut self.infos[slot as usize];
        (info.chunk, info.row) = (place.0 as u32, place.1 as u32);
    }

    pub(super) fn is_live(&self, slot: Slot) -> bool {
        self.infos[slot as usize].chunk & GONE == 0
    }

    /// The hash to find it by.
    pub(super) fn found_by(&self, slot: Slot) -> u64 {
        spread(self.infos[slot as usize].hash)
    }

    /// Its row is gone. Its place is known until it is freed.
    pub(super) fn remove(&mut self, slot: Slot) {
        self.infos[slot as usize].chunk |= GONE;
        if let Some(expiry) = self.expiries.get_mut(slot as usize) {
            *expiry = NEVER;
        }
    }

    /// Slots of rows that are gone are for others.
    pub(super) fn free(&mut self, slots: &[Slot]) {
        self.free.extend_from_slice(slots);
    }

    /// When its row expires.
    pub(super) fn expiry(&self, slot: Slot) -> Option<i64> {
        let expiry = self.expiries.get(slot as usize);
        expiry.copied().filter(|&expiry| expiry != NEVER)
    }

    /// Whether its row does not expire then.
    pub(super) fn expires_otherwise(&self, slot: Slot, expiry: Option<i64>) -> bool {
        self.expiry(slot) != expiry.filter(|&expiry| expiry != NEVER)
    }

    /// Sets when its row expires; gives when it did before if that was another time.
    pub(super) fn set_expiry(&mut self, slot: Slot, expiry: Option<i64>) -> Option<Option<i64>> {
        if !self.expires_otherwise(slot, expiry) {
            return None;
        }
        let old = self.expiry(slot);
        self.have_expiries();
        self.expiries[slot as usize] = expiry.unwrap_or(NEVER);
        Some(old)
    }

    /// Where a slot whose row expires stands in the list of that time.
    pub(super) fn position(&self, slot: Slot) -> usize {
        self.positions[slot as usize] as usize
    }

    pub(super) fn set_position(&mut self, slot: Slot, position: usize) {
        self.positions[slot as usize] = position as u32;
    }

    fn have_expiries(&mut self) {
        let slots = self.infos.len();
        let missing = slots - self.expiries.len();
        if missing > self.expiries.capacity() - self.expiries.len() {
            let more = missing.max(slots / 8);
            self.expiries.reserve_exact(more);
            self.positions.reserve_exact(more);
        }
        self.expiries.resize(slots, NEVER);
        self.positions.resize(slots, 0);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.infos.capacity() * size_of::<Info>()
            + self.free.capacity() * size_of::<Slot>()
            + self.expiries.capacity() * size_of::<i64>()
            // Each stands in a list as well.
            + self.positions.capacity() * (size_of::<u32>() + size_of::<Slot>())
    }
}

/// Room for one more, without much that stays empty.
fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 8).max(64));
    }
}
