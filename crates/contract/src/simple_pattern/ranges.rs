//! Eight bytes at a time: is each within its ranges?

use super::{ClassRun, Set};

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// For each of eight bytes the ends of two ranges of ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ranges {
    low: [u64; 2],
    high: [u64; 2],
}

impl Ranges {
    /// Returns the same set for each byte; `None` when it needs more than two ranges.
    pub(super) fn all(set: Set) -> Option<Self> {
        Self::of([set; 8])
    }

    fn of(sets: [Set; 8]) -> Option<Self> {
        let (mut low, mut high) = ([[0; 8]; 2], [[0; 8]; 2]);
        for (place, set) in sets.into_iter().enumerate() {
            let ends = two_ranges(set)?;
            for ((low, high), (first, last)) in low.iter_mut().zip(&mut high).zip(ends) {
                (low[place], high[place]) = (first, last);
            }
        }
        Some(Self { low: low.map(u64::from_le_bytes), high: high.map(u64::from_le_bytes) })
    }

    /// Returns whether each byte of the word is in one of its ranges. No subtraction borrows from the next byte: what
    /// is subtracted is below 128, and what it is subtracted from is not.
    #[inline]
    pub(super) fn hold(&self, word: u64) -> bool {
        let within =
            |low: u64, high: u64| ((word | HIGH_BITS) - low) & ((high | HIGH_BITS) - (word & !HIGH_BITS));
        let [low, other_low] = self.low;
        let [high, other_high] = self.high;
        (within(low, high) | within(other_low, other_high)) & !word & HIGH_BITS == HIGH_BITS
    }
}

/// A pattern for texts of one length, of at least eight characters: the set at each place. The last eight bytes
/// overlap those before them where the length is no multiple of eight.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    length: usize,
    first: Vec<Ranges>,
    last: Ranges,
}

impl Fixed {
    /// Returns `None` when the runs are not of this form.
    pub(super) fn new(runs: &[ClassRun]) -> Option<Self> {
        let mut sets = Vec::new();
        for run in runs {
            if run.least != run.most || run.most > MOST {
                return None;
            }
            sets.resize(sets.len() + run.most, run.set);
        }
        if sets.len() > MOST {
            return None;
        }
        let (chunks, _) = sets.as_chunks();
        let first = chunks.iter().map(|chunk| Ranges::of(*chunk)).collect::<Option<_>>()?;
        Some(Self { length: sets.len(), first, last: Ranges::of(*sets.last_chunk()?)? })
    }

    #[inline]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        let holds = |(ranges, chunk): (&Ranges, &[u8; 8])| ranges.hold(u64::from_le_bytes(*chunk));
        text.len() == self.length
            && self.first.iter().zip(text.as_chunks().0).all(holds)
            && text.last_chunk().is_some_and(|chunk| holds((&self.last, chunk)))
    }
}

/// The longest pattern that is checked at once.
const MOST: usize = 64;

/// Returns the first and last characters of the ranges of a set of one or two; the one of one range twice.
fn two_ranges(set: Set) -> Option<[(u8, u8); 2]> {
    let (first, rest) = range(set.0)?;
    let (second, rest) = range(rest).unwrap_or((first, 0));
    (rest == 0).then_some([first, second])
}

/// Returns the lowest range of a set, and what is above it; `None` of an empty set.
fn range(bits: u128) -> Option<((u8, u8), u128)> {
    if bits == 0 {
        return None;
    }
    let low = bits.trailing_zeros();
    let length = (bits >> low).trailing_ones();
    let above = low + length;
    let rest = bits.checked_shr(above).and_then(|rest| rest.checked_shl(above)).unwrap_or(0);
    Some(((u8::try_from(low).ok()?, u8::try_from(above - 1).ok()?), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn two_ranges_at_once_hold_what_the_set_has(
            sets in prop::array::uniform8((0_u8..128, 0_u8..128, 0_u8..128, 0_u8..128)),
            random in any::<[u8; 8]>(),
            at in 0_usize..8,
        ) {
            let sets = sets.map(|(one, two, three, four)| {
                Set::range(one.min(two), one.max(two)) | Set::range(three.min(four), three.max(four))
            });
            let has = |place: usize, byte: u8| byte < 128 && (sets[place].0 >> byte) & 1 == 1;
            let ranges = Ranges::of(sets).unwrap();
            let all = random.iter().enumerate().all(|(place, byte)| has(place, *byte));
            prop_assert_eq!(ranges.hold(u64::from_le_bytes(random)), all);
            // All bytes fit but one, which may.
            let mut word = sets.map(|set| set.0.trailing_zeros().to_le_bytes()[0]);
            word[at] = random[0];
            prop_assert_eq!(ranges.hold(u64::from_le_bytes(word)), has(at, random[0]));
        }

        #[test]
        fn a_set_is_told_apart_into_its_ranges(bits in any::<[u128; 3]>()) {
            let set = Set(bits[0] & bits[1] & bits[2]);
            let borders = (0..128).filter(|at| set.0 >> at & 1 == 1 && (*at == 0 || set.0 >> (at - 1) & 1 == 0)).count();
            prop_assert_eq!(two_ranges(set).is_some(), (1..=2).contains(&borders));
        }
    }
}
