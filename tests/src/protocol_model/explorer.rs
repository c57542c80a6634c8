//! Explores every reachable state once.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::promises::{broken_promise, wrong_end};
use super::{Good, Mutant, Weather, World, is_quiet, is_terminal, operator, start, successors};

/// What an exploration found.
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) ends: usize,
    pub(super) broken: Option<&'static str>,
}

/// Explores all that may happen in this weather, until a promise breaks.
pub(super) fn explore(weather: Weather, good: Good, mutant: Mutant) -> Explored {
    let first = start(weather);
    let mut seen = ReachedStates::default();
    seen.insert(fingerprint(&first));
    let mut open = VecDeque::from([first]);
    let mut next = Vec::new();
    let mut ends = 0;
    while let Some(world) = open.pop_front() {
        successors(&world, good, mutant, &mut next);
        for mut after in next.drain(..) {
            if let Some(broken) = broken_promise(&world, &after).or_else(|| wrong_end(&after, good)) {
                return Explored { states: seen.len(), ends, broken: Some(broken) };
            }
            tidy_up(&mut after);
            if seen.insert(fingerprint(&after)) {
                let ended = is_quiet(&after) && after.entries.iter().all(|entry| is_terminal(entry.state));
                ends += usize::from(ended);
                open.push_back(after);
            }
        }
    }
    Explored { states: seen.len(), ends, broken: None }
}

/// Returns the shortest schedule that breaks a promise, one state a line; empty if none does.
pub(super) fn schedule(weather: Weather, good: Good) -> String {
    let mut seen = ReachedStates::default();
    // Each world that was reached, and the place here of the one before it.
    let mut reached = vec![(0, start(weather))];
    let mut next = Vec::new();
    let mut at = 0;
    while let Some((_, world)) = reached.get(at).copied() {
        successors(&world, good, Mutant::None, &mut next);
        for mut after in next.drain(..) {
            let broken = broken_promise(&world, &after).or_else(|| wrong_end(&after, good));
            tidy_up(&mut after);
            if broken.is_some() {
                return lines(&reached, at, &after);
            }
            if seen.insert(fingerprint(&after)) {
                reached.push((at, after));
            }
        }
        at += 1;
    }
    String::new()
}

fn lines(reached: &[(usize, World)], mut at: usize, last: &World) -> String {
    let mut lines = vec![described(last)];
    while at > 0 {
        lines.push(described(&reached[at].1));
        at = reached[at].0;
    }
    lines.reverse();
    lines.join("\n")
}

fn described(world: &World) -> String {
    let entries = world.entries.map(|entry| (entry.state, entry.replay, entry.lease));
    let workers = world.workers.map(|worker| (worker.version, worker.replays, worker.step));
    format!("{entries:?} head {:?} visible {:?} | {workers:?}", world.head, world.visible)
}

/// Makes worlds equal that differ in nothing that matters: which of the two workers is which, and requests that were
/// answered.
fn tidy_up(world: &mut World) {
    world.workers.sort_unstable();
    operator::forget_answered(world);
}

/// The states that were reached, by their fingerprints: a state takes 16 bytes in place of about 150.
///
/// Two states with one fingerprint would be taken for one. For n states the chance is about n² / 2^129: for 20 million
/// of them less than 1 in 10^24.
type ReachedStates = HashSet<u128, BuildHasherDefault<OwnHash>>;

/// The hash of a fingerprint: a part of it.
#[derive(Default)]
struct OwnHash(u64);

impl Hasher for OwnHash {
    fn write(&mut self, _: &[u8]) {}

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = low(fingerprint);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn fingerprint(world: &World) -> u128 {
    let mut bytes = Bytes { word: 0, length: 0, lanes: LANES };
    world.hash(&mut bytes);
    bytes.fingerprint()
}

/// The square roots of 2, 3, 5 and 7 after the point; the factors are odd.
const LANES: [u64; 2] = [0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b];
const FACTORS: [u64; 2] = [0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// Mixes the bytes of a state into two lanes, eight at a time. No field of a state is more than a byte long, so that
/// different states give different bytes.
struct Bytes {
    word: u64,
    length: u32,
    lanes: [u64; 2],
}

impl Bytes {
    fn push(&mut self, byte: u8) {
        self.word = (self.word << 8) | u64::from(byte);
        self.length += 1;
        if self.length.is_multiple_of(8) {
            self.mix();
        }
    }

    fn mix(&mut self) {
        for (lane, factor) in self.lanes.iter_mut().zip(FACTORS) {
            let product = u128::from(*lane ^ self.word) * u128::from(factor);
            *lane = low(product) ^ low(product >> 64);
            *lane = lane.rotate_left(29) ^ self.word;
        }
        self.word = 0;
    }

    fn fingerprint(mut self) -> u128 {
        self.word ^= u64::from(self.length) << 56;
        self.mix();
        self.mix();
        (u128::from(self.lanes[0]) << 64) | u128::from(self.lanes[1])
    }
}

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.push(byte);
    }

    /// Mixes in which variant of an enum follows: none has more than 256.
    fn write_isize(&mut self, variant: isize) {
        self.push(variant.to_le_bytes()[0]);
    }

    /// Leaves out the length of an array: it is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.lanes[0]
    }
}

fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}
