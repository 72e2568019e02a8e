//! Which rows share a key, in tables with many rows per key.
//!
//! Such a row's own key is the shared one followed by one more column, its order. Arrow encodes
//! column after column, so the encoded shared key is how the encoded own key begins.

use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::super::{KeyEncoder, Slot};

/// What an order takes at the end of an encoded key: one byte for NULL, eight for the number.
const ORDER_BYTES: usize = 9;

/// An index from shared keys to slots.
#[derive(Debug)]
pub(super) struct Prefixes {
    encoder: Arc<KeyEncoder>,
    groups: HashTable<Group>,
    /// How many rows there are.
    rows: usize,
    /// How often rows were swept away.
    sweeps: u64,
}

#[derive(Debug)]
struct Group {
    hash: u64,
    /// Never empty between calls.
    slots: Vec<Slot>,
    /// The last sweep that looked at the group.
    swept: u64,
}

impl Prefixes {
    /// An index of no rows; `encoder` encodes the shared key.
    pub(super) fn new(encoder: Arc<KeyEncoder>) -> Self {
        Self {
            encoder,
            groups: HashTable::new(),
            rows: 0,
            sweeps: 0,
        }
    }

    /// How many shared keys there are.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// What encodes the shared key.
    pub(super) fn encoder(&self) -> &Arc<KeyEncoder> {
        &self.encoder
    }

    /// The rows that share `key`. `key_of` gives the own key of a row.
    pub(super) fn find<'k>(
        &self,
        hash: u64,
        key: &[u8],
        key_of: impl Fn(Slot) -> &'k [u8],
    ) -> Option<&[Slot]> {
        let group = self.groups.find(hash, |group| group.shares(key, &key_of))?;
        Some(&group.slots)
    }

    /// Adds a row that was not there.
    pub(super) fn insert<'k>(&mut self, slot: Slot, key_of: impl Fn(Slot) -> &'k [u8]) {
        self.rows += 1;
        let key = shared(key_of(slot));
        let hash = self.encoder.hash(key);
        let is_same = |group: &Group| group.shares(key, &key_of);
        match self.groups.entry(hash, is_same, |group| group.hash) {
            Entry::Occupied(mut group) => group.get_mut().slots.push(slot),
            Entry::Vacant(vacant) => {
                vacant.insert(Group {
                    hash,
                    slots: vec![slot],
                    swept: self.sweeps,
                });
            }
        }
    }

    /// Removes the rows at `gone`, which are not live any more; every group is looked through once,
    /// however many of its rows are gone.
    pub(super) fn sweep<'k>(
        &mut self,
        gone: &[Slot],
        is_live: impl Fn(Slot) -> bool,
        key_of: impl Fn(Slot) -> &'k [u8],
    ) {
        self.sweeps += 1;
        self.rows -= gone.len();
        for &slot in gone {
            let key = shared(key_of(slot));
            let hash = self.encoder.hash(key);
            let is_same = |group: &Group| group.shares(key, &key_of);
            let Ok(mut entry) = self.groups.find_entry(hash, is_same) else {
                continue;
            };
            let group = entry.get_mut();
            if group.swept == self.sweeps {
                continue;
            }
            group.swept = self.sweeps;
            group.slots.retain(|&slot| is_live(slot));
            if group.slots.is_empty() {
                entry.remove();
            }
        }
    }

    /// About how many bytes are held in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.rows * size_of::<Slot>() + self.groups.capacity() * size_of::<Group>()
    }
}

impl Group {
    /// Whether its rows share `key`.
    fn shares<'k>(&self, key: &[u8], key_of: impl Fn(Slot) -> &'k [u8]) -> bool {
        self.slots
            .first()
            .is_some_and(|&slot| shared(key_of(slot)) == key)
    }
}

/// The part of an own key that rows share.
fn shared(key: &[u8]) -> &[u8] {
    let split = key.split_last_chunk::<ORDER_BYTES>();
    split.map_or(&[], |(shared, _)| shared)
}
