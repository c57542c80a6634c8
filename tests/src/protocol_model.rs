//! The protocol as a small model, explored state by state.
//!
//! Two versions of one key, two workers. At any point a worker may die, a message may be delivered twice or again
//! while its first receiver still runs, a lease may end under a running worker (a zombie), a new release may change
//! the parser, a service may fail, and a worker's time may end (`faults`). Every reachable state is checked; every
//! state in which nothing is left to do must be the right end, and each version must have been announced in the state
//! in which it ended. Each protection has a mutant without it, which the explorer must catch: a model that cannot
//! fail proves nothing.

mod faults;
mod promises;

use std::collections::{HashSet, VecDeque};

use faults::{DeathCounts, Faults};
use promises::{broken_promise, wrong_end};

/// Rows of a load.
const ROWS: u8 = 2;
const ALL_ROWS: u8 = (1 << ROWS) - 1;
/// A worker that waits for a message. What it did before makes no difference.
const IDLE: Worker = Worker { step: ModelStep::Idle, version: 0, fence: 0, epoch: 0, ended: None };

/// One protection taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutant {
    None,
    AcknowledgesALiveLease,
    CommitsWithoutFence,
    MovesTheHeadUnseen,
    IgnoresTheOrderOfVersions,
    KeepsTheCheckpointOfAnotherParser,
    AcknowledgesBeforeTheCommit,
    LeavesTheOlderVersionComplete,
    FinishesBeforeTheReport,
    AnnouncesOnlyItself,
    KeepsTheOlderAnnouncement,
    NotesWhateverTheStateIs,
    CountsAClaimThatWasNotReleasedAsADeath,
    CountsADeathEachTimeItIsRecorded,
    AcknowledgesBeforeItHandsOver,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum EntryState {
    Absent,
    Processing,
    Complete { epoch: u8 },
    Quarantined,
    Superseded,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct ModelEntry {
    state: EntryState,
    fence: u8,
    lease: bool,
    /// Parser epoch and rows of the last checkpoint.
    checkpoint: (u8, u8),
    announced: bool,
    /// The older version that this one's commit superseded.
    replaced: Option<u8>,
    tally: DeathCounts,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum ModelStep {
    Idle,
    Claim,
    Write {
        row: u8,
    },
    Checkpoint {
        rows: u8,
    },
    ReadHead,
    Commit {
        seen: Option<u8>,
    },
    Supersede,
    Report,
    Finish,
    /// Announces this version's state, as it was read.
    Publish {
        version: u8,
        state: EntryState,
    },
    /// Notes that it was announced.
    Note {
        version: u8,
        state: EntryState,
    },
    Acknowledge,
    /// Sends a fresh message for a file that goes on from its checkpoint.
    HandOver,
    /// Acknowledges the old message of a file that was handed over.
    LetGo,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Worker {
    step: ModelStep,
    version: u8,
    fence: u8,
    epoch: u8,
    /// What the worker knows to have become of its version.
    ended: Option<EntryState>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World {
    entries: [ModelEntry; 2],
    head: Option<u8>,
    /// Rows in the table: by version and parser epoch, one bit a row.
    rows: [[u8; 2]; 2],
    reported: [bool; 2],
    workers: [Worker; 2],
    /// Messages that can be received now, by version.
    visible: [u8; 2],
    acknowledged: [bool; 2],
    /// Whether each version was announced as complete, and as something else.
    notified: [[bool; 2]; 2],
    epoch: u8,
    deaths_left: u8,
    duplicates_left: u8,
    zombies_left: u8,
    faults: Faults,
}

/// Which of the two versions follows its contract.
type Good = [bool; 2];

/// What may go wrong in one exploration, and how often.
#[derive(Clone, Copy)]
struct Weather {
    deaths: u8,
    duplicates: u8,
    zombies: u8,
    /// Whether a new release changes the parser.
    release: bool,
    faults: Faults,
}

/// Deaths, doubled messages, zombies, a release; no evidence of a death is found.
const ROUGH: Weather = Weather { deaths: 1, duplicates: 1, zombies: 1, release: true, faults: Faults::NONE };

fn start(weather: Weather) -> World {
    let entry = ModelEntry {
        state: EntryState::Absent,
        fence: 0,
        lease: false,
        checkpoint: (0, 0),
        announced: false,
        replaced: None,
        tally: DeathCounts::default(),
    };
    World {
        entries: [entry; 2],
        head: None,
        rows: [[0; 2]; 2],
        reported: [false; 2],
        workers: [IDLE; 2],
        visible: [1; 2],
        acknowledged: [false; 2],
        notified: [[false; 2]; 2],
        epoch: u8::from(!weather.release),
        deaths_left: weather.deaths,
        duplicates_left: weather.duplicates,
        zombies_left: weather.zombies,
        faults: weather.faults,
    }
}

fn is_terminal(state: EntryState) -> bool {
    !matches!(state, EntryState::Absent | EntryState::Processing)
}

fn is_complete(state: EntryState) -> bool {
    matches!(state, EntryState::Complete { .. })
}

/// Returns all worlds that one action leads to.
fn successors(world: &World, good: Good, mutant: Mutant) -> Vec<World> {
    let mut next = Vec::new();
    environment(world, &mut next);
    faults::recorded(world, mutant, &mut next);
    for index in 0..world.workers.len() {
        let worker = world.workers[index];
        if worker.step == ModelStep::Idle {
            deliveries(world, index, &mut next);
            continue;
        }
        next.push(step(world, index, good, mutant));
        if world.deaths_left > 0 {
            // Before the step, and (a lost response) after it.
            for mut died in [*world, step(world, index, good, mutant)] {
                died.deaths_left -= 1;
                if died.workers[index].step != ModelStep::Idle {
                    next.extend(faults::evidence_of(&died, index));
                    faults::dies(&mut died, index, mutant);
                    next.push(died);
                }
            }
        }
        faults::failed_or_handed_over(world, index, mutant, &mut next);
        if world.zombies_left > 0 {
            // The message becomes visible and the lease ends while the worker goes on.
            let mut zombie = *world;
            zombie.zombies_left -= 1;
            zombie.visible[usize::from(worker.version)] += 1;
            zombie.entries[usize::from(worker.version)].lease = false;
            next.push(zombie);
        }
    }
    next
}

/// What happens without any worker: leases of the dead end, messages are doubled, a release changes the parser.
fn environment(world: &World, next: &mut Vec<World>) {
    for (index, entry) in world.entries.iter().enumerate() {
        let held = |worker: &Worker| worker.step != ModelStep::Idle && usize::from(worker.version) == index;
        if entry.lease && !world.workers.iter().any(held) {
            let mut ended = *world;
            ended.entries[index].lease = false;
            next.push(ended);
        }
        if world.duplicates_left > 0 {
            let mut doubled = *world;
            doubled.duplicates_left -= 1;
            doubled.visible[index] += 1;
            next.push(doubled);
        }
    }
    if world.epoch == 0 {
        next.push(World { epoch: 1, ..*world });
    }
}

fn deliveries(world: &World, index: usize, next: &mut Vec<World>) {
    for version in 0..2u8 {
        if world.visible[usize::from(version)] > 0 {
            let mut received = *world;
            received.visible[usize::from(version)] -= 1;
            received.workers[index] =
                Worker { step: ModelStep::Claim, version, fence: 0, epoch: world.epoch, ended: None };
            next.push(received);
        }
    }
}

fn give_back(world: &mut World, index: usize) {
    let version = usize::from(world.workers[index].version);
    // More than two copies of a message add nothing that two do not show.
    world.visible[version] = (world.visible[version] + 1).min(2);
    world.workers[index] = IDLE;
}

/// Takes one step of one worker.
fn step(world: &World, index: usize, good: Good, mutant: Mutant) -> World {
    let mut next = *world;
    let worker = next.workers[index];
    let version = usize::from(worker.version);
    let epoch = usize::from(worker.epoch);
    match worker.step {
        ModelStep::Idle => {}
        ModelStep::Claim => claim(&mut next, index, good, mutant),
        ModelStep::Write { row } => {
            next.rows[version][epoch] |= 1 << row;
            next.workers[index].step = ModelStep::Checkpoint { rows: row + 1 };
        }
        ModelStep::Checkpoint { rows } => {
            if mine(&next, worker) {
                next.entries[version].checkpoint = (worker.epoch, rows);
                next.entries[version].tally.begin_anew(worker.fence);
                next.workers[index].step =
                    if rows < ROWS { ModelStep::Write { row: rows } } else { ModelStep::ReadHead };
            } else {
                give_back(&mut next, index);
            }
        }
        ModelStep::ReadHead => {
            let older = next.head.is_some_and(|head| head > worker.version);
            next.workers[index].step = if older && mutant != Mutant::IgnoresTheOrderOfVersions {
                ModelStep::Supersede
            } else {
                ModelStep::Commit { seen: next.head }
            };
        }
        ModelStep::Commit { seen } => commit(&mut next, index, seen, mutant),
        ModelStep::Supersede => finish(&mut next, index, EntryState::Superseded, mutant),
        ModelStep::Report => {
            next.reported[version] = true;
            next.workers[index].step = ModelStep::Finish;
        }
        ModelStep::Finish => finish(&mut next, index, EntryState::Quarantined, mutant),
        ModelStep::Publish { version, state } => {
            next.notified[usize::from(version)][usize::from(!is_complete(state))] = true;
            next.workers[index].step = ModelStep::Note { version, state };
        }
        ModelStep::Note { version, state } => note(&mut next, index, version, state, mutant),
        ModelStep::Acknowledge => {
            next.acknowledged[version] = true;
            next.workers[index] = IDLE;
        }
        ModelStep::HandOver | ModelStep::LetGo => faults::hand_over(&mut next, index, mutant),
    }
    next
}

/// Announces the outcome of the worker's version, after the older one that it replaced.
fn tell(world: &mut World, index: usize, ended: EntryState, mutant: Mutant) {
    let version = world.workers[index].version;
    let entry = &mut world.entries[usize::from(version)];
    // Nobody asks any more who held the claim and how far he came: fewer states to tell apart.
    *entry =
        ModelEntry { fence: 0, lease: false, checkpoint: (0, 0), tally: DeathCounts::default(), ..*entry };
    let entry = *entry;
    world.faults.forget(version);
    let older = entry.replaced.filter(|_| mutant != Mutant::AnnouncesOnlyItself);
    let step = match older.map(|older| (older, world.entries[usize::from(older)])) {
        _ if entry.announced => ModelStep::Acknowledge,
        Some((older, ModelEntry { announced: false, state, .. })) => {
            ModelStep::Publish { version: older, state }
        }
        _ => ModelStep::Publish { version, state: ended },
    };
    world.workers[index] = Worker { step, version, ended: Some(ended), ..IDLE };
}

/// Notes an announcement, unless the state has changed since it was read.
fn note(world: &mut World, index: usize, version: u8, state: EntryState, mutant: Mutant) {
    let entry = &mut world.entries[usize::from(version)];
    if entry.state == state || mutant == Mutant::NotesWhateverTheStateIs {
        entry.announced = true;
    }
    let worker = &mut world.workers[index];
    worker.step = match worker.ended {
        Some(state) if version != worker.version => ModelStep::Publish { version: worker.version, state },
        _ => ModelStep::Acknowledge,
    };
}

fn mine(world: &World, worker: Worker) -> bool {
    let entry = world.entries[usize::from(worker.version)];
    entry.state == EntryState::Processing && entry.fence == worker.fence
}

fn claim(world: &mut World, index: usize, good: Good, mutant: Mutant) {
    let worker = world.workers[index];
    let version = usize::from(worker.version);
    let entry = &mut world.entries[version];
    if is_terminal(entry.state) {
        let ended = entry.state;
        tell(world, index, ended, mutant);
        return;
    }
    if entry.lease {
        if mutant == Mutant::AcknowledgesALiveLease {
            world.workers[index].step = ModelStep::Acknowledge;
        } else {
            give_back(world, index);
        }
        return;
    }
    let was_left = entry.state == EntryState::Processing && !entry.tally.released;
    entry.tally.claimed(was_left && mutant == Mutant::CountsAClaimThatWasNotReleasedAsADeath);
    entry.state = EntryState::Processing;
    entry.fence += 1;
    entry.lease = true;
    let (fence, poison) = (entry.fence, entry.tally.is_poison());
    let (epoch, rows) = entry.checkpoint;
    let trusted = epoch == worker.epoch || mutant == Mutant::KeepsTheCheckpointOfAnotherParser;
    let done = if trusted { rows } else { 0 };
    let step = if mutant == Mutant::AcknowledgesBeforeTheCommit {
        world.acknowledged[version] = true;
        ModelStep::Write { row: 0 }
    } else if poison || !good[version] {
        if mutant == Mutant::FinishesBeforeTheReport { ModelStep::Finish } else { ModelStep::Report }
    } else if done < ROWS {
        ModelStep::Write { row: done }
    } else {
        ModelStep::ReadHead
    };
    world.workers[index] = Worker { step, fence, ..worker };
}

fn commit(world: &mut World, index: usize, seen: Option<u8>, mutant: Mutant) {
    let worker = world.workers[index];
    if !mine(world, worker) && mutant != Mutant::CommitsWithoutFence {
        give_back(world, index);
        return;
    }
    if world.head != seen && mutant != Mutant::MovesTheHeadUnseen {
        world.workers[index].step = ModelStep::ReadHead;
        return;
    }
    let older = seen.filter(|old| *old != worker.version);
    let ended = EntryState::Complete { epoch: worker.epoch };
    let entry = &mut world.entries[usize::from(worker.version)];
    *entry = ModelEntry { state: ended, lease: false, announced: false, replaced: older, ..*entry };
    if let Some(old) = older.filter(|_| mutant != Mutant::LeavesTheOlderVersionComplete) {
        let older = &mut world.entries[usize::from(old)];
        older.state = EntryState::Superseded;
        older.announced &= mutant == Mutant::KeepsTheOlderAnnouncement;
    }
    world.head = Some(worker.version);
    tell(world, index, ended, mutant);
}

fn finish(world: &mut World, index: usize, state: EntryState, mutant: Mutant) {
    let worker = world.workers[index];
    if mine(world, worker) {
        let entry = &mut world.entries[usize::from(worker.version)];
        entry.state = state;
        entry.lease = false;
        tell(world, index, state, mutant);
    } else {
        give_back(world, index);
    }
}

struct Explored {
    states: usize,
    ends: usize,
    broken: Option<&'static str>,
}

fn explore(weather: Weather, good: Good, mutant: Mutant) -> Explored {
    let mut seen = HashSet::from([start(weather)]);
    let mut open = VecDeque::from([start(weather)]);
    let mut ends = 0;
    while let Some(world) = open.pop_front() {
        for next in successors(&world, good, mutant) {
            if let Some(broken) = broken_promise(&world, &next).or_else(|| wrong_end(&next, good)) {
                return Explored { states: seen.len(), ends, broken: Some(broken) };
            }
            // Which of the two workers is which makes no difference.
            let mut next = next;
            next.workers.sort_unstable();
            if seen.insert(next) {
                ends +=
                    usize::from(next.visible == [0; 2] && next.entries.iter().all(|e| is_terminal(e.state)));
                open.push_back(next);
            }
        }
    }
    Explored { states: seen.len(), ends, broken: None }
}

#[test]
fn no_schedule_of_deaths_duplicates_zombies_and_releases_breaks_a_promise() {
    for good in [[true, true], [true, false], [false, true]] {
        let explored = explore(ROUGH, good, Mutant::None);
        assert_eq!(explored.broken, None, "with good versions {good:?}");
        assert!(explored.states > 10_000, "only {} states were reached", explored.states);
        assert!(explored.ends > 0, "no schedule came to an end");
    }
}

#[test]
fn the_explorer_catches_every_protection_that_is_taken_away() {
    for mutant in [
        Mutant::AcknowledgesALiveLease,
        Mutant::CommitsWithoutFence,
        Mutant::MovesTheHeadUnseen,
        Mutant::IgnoresTheOrderOfVersions,
        Mutant::KeepsTheCheckpointOfAnotherParser,
        Mutant::AcknowledgesBeforeTheCommit,
        Mutant::LeavesTheOlderVersionComplete,
        Mutant::FinishesBeforeTheReport,
        Mutant::AnnouncesOnlyItself,
        Mutant::KeepsTheOlderAnnouncement,
        Mutant::NotesWhateverTheStateIs,
    ] {
        let caught =
            [[true, true], [true, false]].iter().any(|good| explore(ROUGH, *good, mutant).broken.is_some());
        assert!(caught, "{mutant:?} went unnoticed");
    }
}
