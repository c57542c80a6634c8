//! A Bloom filter over the keys of a set (B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors",
//! 1970).
//!
//! All bits of a key are in one word, so that a question costs one access to memory.

use super::KeyHash;

/// Slots of the table for each word: ten bits a key and more at every load of the table. Of the keys that are new, some
/// three of a hundred look known then.
const SLOTS_PER_WORD: usize = 8;

/// 4 MiB. Over more than some ten million keys most look known, and are looked up as if there were no filter.
const MOST_WORDS: usize = 1 << 19;

/// Says of a key that it is new, or that it may be known.
#[derive(Default)]
pub(super) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// Returns a filter without keys, for a table of this number of slots.
    pub(super) fn for_slots(slots: usize) -> Self {
        Self { words: vec![0; words(slots)] }
    }

    pub(super) fn may_have(&self, key: KeyHash) -> bool {
        let bits = bits(key);
        self.words.get(self.place(key)).is_some_and(|word| word & bits == bits)
    }

    pub(super) fn add(&mut self, key: KeyHash) {
        let place = self.place(key);
        if let Some(word) = self.words.get_mut(place) {
            *word |= bits(key);
        }
    }

    /// By the leading bits, as in the table: adding keys in their order walks over the memory.
    fn place(&self, key: KeyHash) -> usize {
        let place = ((key.0 >> 64) * self.words.len() as u128) >> 64;
        usize::try_from(place).unwrap_or(0)
    }
}

/// Three bits, from the end of what is kept of the hash.
fn bits(key: KeyHash) -> u64 {
    let bit = |from: u32| 1_u64 << (key.0 >> from & 63);
    bit(28) | bit(34) | bit(40)
}

fn words(slots: usize) -> usize {
    slots.div_ceil(SLOTS_PER_WORD).min(MOST_WORDS)
}

/// Returns the memory of a filter for a table of this number of slots.
#[cfg(test)]
pub(super) fn bytes(slots: usize) -> usize {
    words(slots) * size_of::<u64>()
}

#[cfg(test)]
mod tests {
    use super::super::tests::hash;
    use super::*;

    #[test]
    fn it_knows_every_key_and_takes_few_others_for_known() {
        let mut filter = Filter::for_slots(4_096);
        (0..3_072).for_each(|key| filter.add(hash(key)));
        assert!((0..3_072).all(|key| filter.may_have(hash(key))));
        let mistaken = (10_000..20_000).filter(|key| filter.may_have(hash(*key))).count();
        assert!(mistaken < 500, "{mistaken} of 10000");
    }

    #[test]
    fn without_slots_it_has_no_key() {
        let mut filter = Filter::default();
        filter.add(hash(1));
        assert!(!filter.may_have(hash(1)));
    }
}
