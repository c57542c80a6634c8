//! The keys of one file: an exact set within a stated memory.
//!
//! A key is kept as 100 bits of its keyed SipHash-1-3 (128 bits, Aumasson and Bernstein), so that two different keys
//! count as one with a chance of 2^-100 for each pair, and nobody without the seed can make them do so. Beside it
//! stand 28 bits for the caller: the line, or the number of the record. Both fit one `u128`.
//!
//! The table is ordered linear probing: entries ascend, an entry is at or after the place that its leading bits
//! give, and a search ends at the first greater entry. That keeps searches short at a load at which plain probing
//! would not be usable. It grows in small steps and in place, over segments that are never moved: no growth needs a
//! second table. Up to 120 million keys the set is never larger than 64 MiB + 16 bytes a key; above that it is
//! 17 bytes a key.
//!
//! A table of millions of keys is larger than every cache, and nearly every key of a file is new. So a [`Filter`] says
//! of most keys that they are new without a look at the table, and these go into it many at a time: the waits for
//! their places in memory then overlap.

mod filter;

use std::hint::black_box;

use siphasher::sip128::Hash128;

use self::filter::Filter;

const WORD_MASK: u128 = (1 << 28) - 1;

/// The greatest word that fits next to a key.
pub(crate) const WORD_MAX: u32 = (1 << 28) - 1;

/// Slots of a segment: 1 MiB.
const SEGMENT: usize = 1 << 16;

const FIRST_CAPACITY: usize = 1 << 10;

/// Below this the table doubles (to 16 MiB at most); above it memory counts for more than the work of growing.
const DOUBLES_BELOW: usize = 1 << 20;

/// Free slots that are always affordable: twice this, rounded to segments, and the filter are 64 MiB.
const AFFORDABLE: usize = 29 << 16;

/// Number of new keys that go into the table at once. Their places are 4 KiB of cache lines.
const WAITING: usize = 64;

/// The part of a key's hash that is kept, in the leading 100 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyHash(u128);

impl From<Hash128> for KeyHash {
    fn from(hash: Hash128) -> Self {
        Self(hash.as_u128() & !WORD_MASK)
    }
}

/// Keys with a word for each.
#[derive(Default)]
pub(crate) struct KeySet {
    /// Slots; 0 is free.
    segments: Vec<Box<[u128]>>,
    /// The slots that hashes are spread over; the slots after it take what the last of them push on.
    capacity: usize,
    /// Keys in the table.
    keys: usize,
    /// Entries that are not yet in the table.
    waiting: Vec<u128>,
    /// All keys, waiting or not.
    filter: Filter,
}

impl KeySet {
    /// Returns the word of a key.
    pub(crate) fn get(&self, key: KeyHash) -> Option<u32> {
        if !self.filter.may_have(key) {
            return None;
        }
        let waiting = self.waiting.iter().find(|entry| is_of(**entry, key)).copied();
        waiting.or_else(|| self.slot(self.seek(key)).filter(|entry| is_of(*entry, key))).map(word_of)
    }

    /// Takes a key with its word (1 to [`WORD_MAX`], cut to it), or gives a known key another word.
    pub(crate) fn set(&mut self, key: KeyHash, word: u32) {
        if self.keys + self.waiting.len() + spare(self.capacity) >= self.capacity {
            self.grow();
        }
        let entry = key.0 | u128::from(word.clamp(1, WORD_MAX));
        if self.filter.may_have(key) {
            match self.waiting.iter_mut().find(|entry| is_of(**entry, key)) {
                Some(waiting) => *waiting = entry,
                None => self.place(entry),
            }
            return;
        }
        self.filter.add(key);
        self.waiting.push(entry);
        if self.waiting.len() == WAITING {
            self.place_waiting();
        }
    }

    fn place_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        // Nothing here depends on what is read, so the processor does not wait for one place before it asks for the
        // next.
        let touch = |read, entry: &u128| read ^ self.slot(self.home(*entry)).unwrap_or(0);
        black_box(waiting.iter().fold(0, touch));
        for entry in waiting.drain(..) {
            self.place(entry);
        }
        self.waiting = waiting;
    }

    /// Puts an entry into the table, which has room for it, in place of the key's other entry if there is one.
    fn place(&mut self, entry: u128) {
        let mut carried = entry;
        let mut at = self.seek(KeyHash(entry & !WORD_MASK));
        if let Some(known) = self.slot_mut(at)
            && is_of(*known, KeyHash(entry & !WORD_MASK))
        {
            *known = entry;
            return;
        }
        while carried != 0 {
            if at == self.slots() {
                self.add_segment();
            }
            if let Some(slot) = self.slot_mut(at) {
                carried = std::mem::replace(slot, carried);
            }
            at += 1;
        }
        self.keys += 1;
    }

    /// Returns the first slot that is free or holds this key or a greater one.
    fn seek(&self, key: KeyHash) -> usize {
        let mut at = self.home(key.0);
        while let Some(entry) = self.slot(at)
            && entry != 0
            && entry & !WORD_MASK < key.0
        {
            at += 1;
        }
        at
    }

    fn home(&self, entry: u128) -> usize {
        let place = ((entry >> 64) * self.capacity as u128) >> 64;
        usize::try_from(place).unwrap_or(0)
    }

    fn grow(&mut self) {
        let step = if self.capacity < DOUBLES_BELOW { self.capacity } else { spare(self.capacity) };
        self.capacity = (self.capacity + step).max(FIRST_CAPACITY);
        while self.slots() < self.capacity {
            self.add_segment();
        }
        while !self.spread() {
            self.add_segment();
        }
        self.filter = Filter::for_slots(self.capacity);
        for entry in self.segments.iter().flatten().chain(&self.waiting).filter(|entry| **entry != 0) {
            self.filter.add(KeyHash(*entry & !WORD_MASK));
        }
    }

    /// Brings every entry to its place for the present capacity. Says no, with order kept, when the slots after the
    /// capacity do not suffice.
    fn spread(&mut self) -> bool {
        let first = self.pack();
        let mut free = 0;
        for from in first..self.slots() {
            let entry = self.slot(from).unwrap_or(0);
            let to = self.home(entry).max(free);
            if to > from {
                return false;
            }
            self.put(from, 0);
            self.put(to, entry);
            free = to + 1;
        }
        true
    }

    /// Moves every entry to the end, in order, and gives the place of the first.
    fn pack(&mut self) -> usize {
        let mut to = self.slots();
        for from in (0..self.slots()).rev() {
            let entry = self.slot(from).unwrap_or(0);
            if entry != 0 {
                to -= 1;
                self.put(from, 0);
                self.put(to, entry);
            }
        }
        to
    }

    fn slots(&self) -> usize {
        self.segments.len() * SEGMENT
    }

    fn slot(&self, at: usize) -> Option<u128> {
        self.segments.get(at / SEGMENT)?.get(at % SEGMENT).copied()
    }

    fn slot_mut(&mut self, at: usize) -> Option<&mut u128> {
        self.segments.get_mut(at / SEGMENT)?.get_mut(at % SEGMENT)
    }

    fn put(&mut self, at: usize, entry: u128) {
        if let Some(slot) = self.slot_mut(at) {
            *slot = entry;
        }
    }

    fn add_segment(&mut self) {
        self.segments.push(vec![0; SEGMENT].into_boxed_slice());
    }
}

/// Returns whether an entry is this key's. A free slot is nobody's: no entry has the word 0.
fn is_of(entry: u128, key: KeyHash) -> bool {
    entry & !WORD_MASK == key.0 && entry != 0
}

fn word_of(entry: u128) -> u32 {
    u32::try_from(entry & WORD_MASK).unwrap_or(WORD_MAX)
}

/// Returns the free slots below which a table of this capacity grows.
fn spare(capacity: usize) -> usize {
    (capacity / 4).min((capacity / 64).max(AFFORDABLE))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use siphasher::sip128::SipHasher13;

    use super::*;

    pub(super) fn hash(key: u64) -> KeyHash {
        SipHasher13::new_with_key(&[7; 16]).hash(&key.to_le_bytes()).into()
    }

    proptest! {
        #[test]
        fn it_answers_as_a_map_does(sets in prop::collection::vec((0_u64..3_000, 1_u32..=WORD_MAX), 0..6_000)) {
            let mut set = KeySet::default();
            let mut map = HashMap::new();
            for (key, word) in sets {
                prop_assert_eq!(set.get(hash(key)), map.get(&key).copied());
                set.set(hash(key), word);
                map.insert(key, word);
            }
            for key in 0..3_000 {
                prop_assert_eq!(set.get(hash(key)), map.get(&key).copied());
            }
            prop_assert_eq!(set.keys + set.waiting.len(), map.len());
        }

        #[test]
        fn keys_that_crowd_one_end_are_all_kept(low in any::<bool>(), count in 1_u128..300) {
            let place = if low { 0 } else { u128::MAX << 64 };
            let mut set = KeySet::default();
            for key in 0..count {
                set.set(KeyHash(place | (key << 28)), 1);
            }
            for key in 0..count {
                prop_assert_eq!(set.get(KeyHash(place | (key << 28))), Some(1));
            }
            prop_assert_eq!(set.get(KeyHash(place | (count << 28))), None);
        }
    }

    #[test]
    fn it_stays_whole_through_growth_in_small_steps() {
        let mut set = KeySet::default();
        for key in 0..600_000 {
            assert_eq!(set.get(hash(key)), None, "{key}");
            set.set(hash(key), 1);
        }
        assert!((0..600_000).all(|key| set.get(hash(key)) == Some(1)));
    }

    #[test]
    fn its_memory_is_16_bytes_a_key_and_64_mib() {
        let mut capacity = FIRST_CAPACITY;
        while capacity < 120_000_000 {
            let keys_at_growth = capacity - spare(capacity);
            capacity += if capacity < DOUBLES_BELOW { capacity } else { spare(capacity) };
            let segments = capacity.div_ceil(SEGMENT) + 1;
            let bytes = segments * SEGMENT * size_of::<u128>() + filter::bytes(capacity);
            assert!(bytes <= (64 << 20) + 16 * keys_at_growth, "{keys_at_growth} keys take {bytes} bytes");
        }
        while capacity < 2_000_000_000 {
            let keys_at_growth = capacity - spare(capacity);
            capacity += spare(capacity);
            assert!(16 * (capacity + 2 * SEGMENT) + filter::bytes(capacity) <= 17 * keys_at_growth);
        }
    }
}
