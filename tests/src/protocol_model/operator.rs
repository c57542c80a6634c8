//! What an operator does: has a version processed again under a corrected contract, retracts one, takes that back.
//!
//! A request is a message, delivered at least once as any other. Retracting and taking that back are one transaction
//! each, at any moment; a version that would be shown again without its rows is asked for as a replay. What the
//! operator sees and what is written is one step here: the transaction fails where something is not as it was seen.

use super::clean_up::{self, Cleaner};
use super::faults::{DeathCounts, Faults};
use super::hold::ModelHold;
use super::steps::{mine, tell};
use super::{
    EntryState, Good, IDLE, ModelEntry, ModelStep, Mutant, ROWS, Weather, Worker, World, explore,
    is_complete, is_terminal, schedule,
};

/// What a load of the next generation adds to the number of one: by generation, then by parser epoch.
const GENERATION: u8 = 2;

/// What the operator may still do, what was asked for, and what was decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct ModelOperator {
    asks_left: u8,
    retractions_left: u8,
    undos_left: u8,
    pub(super) clean_ups_left: u8,
    pub(super) cleaner: Option<Cleaner>,
    /// Whether anything could be done from the beginning.
    present: bool,
    /// Which versions follow the contract by which they are replayed.
    good: Good,
    /// The replay of each version that was asked for.
    requests: [Option<Request>; 2],
    /// What the last decision on each version said: whether it is good.
    verdicts: [Option<bool>; 2],
}

/// A request for a replay, until every copy of it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Request {
    /// The state and the load that were seen.
    seen: (EntryState, u8),
    /// Copies that can be received now.
    visible: u8,
}

impl ModelOperator {
    pub(super) const ABSENT: Self = Self {
        asks_left: 0,
        retractions_left: 0,
        undos_left: 0,
        clean_ups_left: 0,
        cleaner: None,
        present: false,
        good: [true; 2],
        requests: [None; 2],
        verdicts: [None; 2],
    };

    /// Returns the same with this number of clean-ups.
    pub(super) const fn with_clean_ups(self, clean_ups_left: u8) -> Self {
        Self { clean_ups_left, ..self }
    }

    pub(super) fn is_absent(self) -> bool {
        !self.present
    }

    /// Returns whether no request can be received, and no clean-up is under way.
    pub(super) fn is_answered(self) -> bool {
        self.cleaner.is_none() && self.requests.iter().flatten().all(|request| request.visible == 0)
    }

    /// Notes what was decided of a version's content. Without an operator it is not asked for: fewer states.
    pub(super) fn decided(&mut self, version: u8, good: bool) {
        if self.present {
            self.verdicts[usize::from(version)] = Some(good);
        }
    }

    /// Returns whether a replay of this version can be asked for: the model keeps one request of each, with all its
    /// copies.
    fn can_ask(self, version: u8, entry: ModelEntry) -> bool {
        let seen = (entry.state, entry.load);
        self.requests[usize::from(version)].is_none_or(|request| request.seen == seen)
    }

    fn ask(&mut self, version: u8, entry: ModelEntry) {
        let seen = (entry.state, entry.load);
        let request = self.requests[usize::from(version)].get_or_insert(Request { seen, visible: 0 });
        request.visible = one_more(request.visible);
    }
}

/// Counts one more copy of a message. More than two copies show nothing that two do not show.
pub(super) fn one_more(copies: u8) -> u8 {
    (copies + 1).min(2)
}

/// Makes the message of a worker visible again.
pub(super) fn redeliver(world: &mut World, worker: Worker) {
    let version = usize::from(worker.version);
    let request = world.operator.requests[version].as_mut();
    let copies = match request.filter(|_| worker.replays.is_some()) {
        Some(request) => &mut request.visible,
        None => &mut world.visible[version],
    };
    *copies = one_more(*copies);
}

/// Forgets the requests of which every copy was acknowledged.
pub(super) fn forget_answered(world: &mut World) {
    for version in 0..2u8 {
        let is_held = |worker: &Worker| worker.replays.is_some() && worker.version == version;
        let held = world.workers.iter().any(is_held);
        let request = &mut world.operator.requests[usize::from(version)];
        *request = request.filter(|request| held || request.visible > 0);
    }
}

/// Adds the worlds in which an idle worker receives a request.
pub(super) fn deliveries(world: &World, index: usize, next: &mut Vec<World>) {
    for version in 0..2u8 {
        let mut received = *world;
        let request = received.operator.requests[usize::from(version)].as_mut();
        let Some(request) = request.filter(|request| request.visible > 0) else { continue };
        request.visible -= 1;
        let (seen, before) = request.seen;
        let load = world.epoch + GENERATION * (before / GENERATION + 1);
        received.workers[index] =
            Worker { step: ModelStep::Claim, version, load, replays: Some(seen), ..IDLE };
        next.push(received);
    }
}

/// Adds the worlds to which the operator can lead.
pub(super) fn acts(world: &World, mutant: Mutant, next: &mut Vec<World>) {
    clean_up::acts(world, mutant, next);
    for version in 0..2u8 {
        let entry = world.entries[usize::from(version)];
        let can_ask = world.operator.asks_left > 0 && world.operator.can_ask(version, entry);
        if can_ask && is_terminal(entry.state) {
            let mut asked = *world;
            asked.operator.asks_left -= 1;
            asked.operator.ask(version, entry);
            next.push(asked);
        }
        if world.operator.retractions_left > 0 && is_complete(entry.state) {
            let mut retracted = *world;
            retracted.operator.retractions_left -= 1;
            next.extend(retract(&mut retracted, version, mutant).then_some(retracted));
        }
        if world.operator.undos_left > 0 && entry.state == EntryState::Retracted && entry.loaded {
            let mut undone = *world;
            undone.operator.undos_left -= 1;
            undo(&mut undone, version, mutant);
            next.push(undone);
        }
    }
}

/// Changes an entry, which is to be announced again by a notification. A replay that is under way loses its claim.
fn change(world: &mut World, version: u8, state: EntryState, mutant: Mutant) {
    let entry = &mut world.entries[usize::from(version)];
    entry.state = state;
    entry.announced = false;
    entry.replay = entry.replay.filter(|_| mutant == Mutant::ReversesWithoutEndingAReplay);
    let copies = &mut world.visible[usize::from(version)];
    *copies = one_more(*copies);
}

/// Retracts a load, unless it would need a replay of a version of which another one is asked for: the operator waits.
fn retract(world: &mut World, version: u8, mutant: Mutant) -> bool {
    change(world, version, EntryState::Retracted, mutant);
    let older =
        (0..version).rev().find(|older| world.entries[usize::from(*older)].state == EntryState::Superseded);
    let (Some(older), true) = (older, world.head == Some(version)) else { return true };
    let entry = world.entries[usize::from(older)];
    if entry.loaded || mutant == Mutant::ShowsALoadWithoutItsRows {
        change(world, older, EntryState::Complete { load: entry.load }, mutant);
        world.head = Some(older);
        return true;
    }
    let can_ask = world.operator.can_ask(older, entry);
    if can_ask {
        world.operator.ask(older, entry);
    }
    can_ask
}

fn undo(world: &mut World, version: u8, mutant: Mutant) {
    let load = world.entries[usize::from(version)].load;
    let shown = EntryState::Complete { load };
    let Some(head) = world.head.filter(|head| is_complete(world.entries[usize::from(*head)].state)) else {
        world.head = Some(version);
        return change(world, version, shown, mutant);
    };
    if head > version {
        return change(world, version, EntryState::Superseded, mutant);
    }
    change(world, head, EntryState::Superseded, mutant);
    change(world, version, shown, mutant);
    world.head = Some(version);
}

/// Claims the replay that was asked for.
pub(super) fn claim(world: &mut World, index: usize, mutant: Mutant) {
    let worker = world.workers[index];
    let version = usize::from(worker.version);
    let seen = world.operator.requests[version].map(|request| request.seen);
    let entry = &mut world.entries[version];
    let is_current = seen == Some((entry.state, entry.load)) && is_terminal(entry.state);
    if !is_current && mutant != Mutant::ReplaysWhateverWasSeen {
        let ended = entry.state;
        tell(world, index, ended, mutant);
        return;
    }
    if entry.replay.is_some() && entry.lease {
        super::give_back(world, index);
        return;
    }
    if entry.replay != Some(worker.load) {
        if mutant != Mutant::ReplaysFromTheCheckpointOfAnotherLoad {
            entry.checkpoint = (worker.load, 0);
        } else if entry.loaded {
            entry.checkpoint = (worker.load, ROWS);
        }
        entry.tally = DeathCounts::default();
    }
    entry.replay = Some(worker.load);
    entry.fence += 1;
    entry.lease = true;
    if mutant == Mutant::HidesTheOldLoadWhileItReplays {
        entry.state = EntryState::Processing;
    }
    let (fence, (_, done)) = (entry.fence, entry.checkpoint);
    let step = if !world.operator.good[version] {
        ModelStep::Report
    } else if done < ROWS {
        ModelStep::Write { row: done }
    } else {
        ModelStep::ReadHead
    };
    world.workers[index] = Worker { step, fence, ..worker };
}

/// Returns whether a replay that does not make rows visible leaves the version as it was.
pub(super) fn keeps(from: EntryState, mutant: Mutant) -> bool {
    from != EntryState::Quarantined && mutant != Mutant::TakesRowsAwayUnasked
}

/// Ends a replay that leaves the version as it was.
pub(super) fn keep(world: &mut World, index: usize) {
    let worker = world.workers[index];
    let entry = &mut world.entries[usize::from(worker.version)];
    entry.replay = None;
    entry.lease = false;
    let unloaded = !entry.loaded;
    if unloaded && !world.operator.good[usize::from(worker.version)] {
        // Nothing is visible of it, and nothing would be under the contract in force.
        world.operator.decided(worker.version, false);
    }
    world.workers[index] = Worker { step: ModelStep::Acknowledge, ..worker };
}

/// Returns whether the operator, or a replay that was asked for, may have changed this terminal entry.
pub(super) fn acted(before: &World, world: &World, version: usize) -> bool {
    let (old, new) = (before.operator, world.operator);
    let by_hand = old.retractions_left != new.retractions_left || old.undos_left != new.undos_left;
    let index = u8::try_from(version).unwrap_or_default();
    let replayed = before.workers.iter().any(|worker| {
        let claims = worker.replays.is_some() && worker.version == index;
        claims && mine(before, *worker)
    });
    by_hand || replayed
}

/// Returns which promise to the operator an action broke.
pub(super) fn broken_promise(before: &World, world: &World) -> Option<&'static str> {
    let by_hand = before.operator.retractions_left != world.operator.retractions_left;
    for version in 0..2 {
        let (old, new) = (before.entries[version].state, world.entries[version].state);
        let gone = is_complete(old) && matches!(new, EntryState::Processing | EntryState::Quarantined);
        if gone {
            return Some("rows were taken away unasked");
        }
        let shown = old == EntryState::Retracted && is_complete(new);
        let undone = before.operator.undos_left != world.operator.undos_left;
        let request = world.operator.requests[version];
        let asked = request.is_some_and(|request| request.seen.0 == EntryState::Retracted);
        if shown && !undone && !asked && !by_hand {
            return Some("a retracted version came back by itself");
        }
    }
    None
}

/// Returns what is wrong when nothing is left to do.
pub(super) fn wrong_end(world: &World) -> Option<&'static str> {
    let states = world.entries.map(|entry| entry.state);
    if world.entries.iter().any(|entry| entry.replay.is_some()) {
        return Some("a replay was never decided");
    }
    if !states.into_iter().all(is_terminal) {
        return Some("a version was never decided");
    }
    // The newest version that is good and was not retracted is visible, and no other one.
    let is_wanted = |version: &usize| {
        world.operator.verdicts[*version] == Some(true) && states[*version] != EntryState::Retracted
    };
    let wanted = (0..2).rev().find(is_wanted);
    for (version, state) in states.into_iter().enumerate() {
        if is_complete(state) != (wanted == Some(version)) {
            return Some("the newest good version that was not retracted is not the visible one");
        }
        if !world.entries[version].announced {
            return Some("a version was not announced in the state in which it ended");
        }
    }
    let head = world.head.map(usize::from);
    if wanted.is_some() && head != wanted {
        return Some("the head is not the visible version");
    }
    None
}

/// A zombie and a death while a version is replayed.
const REPLAYING: Weather = Weather {
    deaths: 1,
    duplicates: 0,
    zombies: 1,
    release: false,
    faults: Faults::NONE,
    operator: ModelOperator { asks_left: 1, present: true, ..ModelOperator::ABSENT },
    hold: ModelHold::ABSENT,
};

/// A release between two attempts at a replay.
const RELEASED: Weather = Weather { zombies: 0, release: true, ..REPLAYING };

/// A retraction and a replay, in any order, with a zombie and a death.
const RETRACTING: Weather = Weather {
    operator: ModelOperator { asks_left: 1, retractions_left: 1, present: true, ..ModelOperator::ABSENT },
    ..REPLAYING
};

/// A retraction that is taken back, with a zombie and a death.
pub(super) const UNDOING: Weather = Weather {
    operator: ModelOperator { retractions_left: 1, undos_left: 1, present: true, ..ModelOperator::ABSENT },
    ..REPLAYING
};

/// All three acts, with a death.
pub(super) const BUSY: Weather =
    Weather { zombies: 0, operator: ModelOperator { asks_left: 1, ..UNDOING.operator }, ..REPLAYING };

/// The weathers in which each mutant is caught, the quickest first.
const MUTANT_WEATHERS: [Weather; 4] =
    [Weather { deaths: 0, ..UNDOING }, Weather { zombies: 0, ..RETRACTING }, RELEASED, REPLAYING];

/// Which versions follow the contract at first, and when they are replayed.
pub(super) const CONTRACTS: [(Good, Good); 4] = [
    ([true, true], [true, true]),
    ([true, false], [true, true]),
    ([false, true], [true, false]),
    ([true, true], [false, false]),
];

pub(super) fn with_good(weather: Weather, good: Good) -> Weather {
    Weather { operator: ModelOperator { good, ..weather.operator }, ..weather }
}

/// Explores a weather under all contracts. The number of states may only grow.
pub(super) fn holds(name: &str, weather: Weather, least: usize) {
    let mut states = 0;
    for (first, again) in CONTRACTS {
        let explored = explore(with_good(weather, again), first, Mutant::None);
        if let Some(broken) = explored.broken {
            let schedule = schedule(with_good(weather, again), first);
            panic!("{name} with good versions {first:?}, then {again:?}: {broken}\n{schedule}");
        }
        assert!(explored.ends > 0, "{name}: no schedule came to an end");
        states += explored.states;
    }
    println!("{name}: {states} states");
    assert!(states >= least, "{name}: only {states} states were reached");
}

#[test]
fn no_schedule_of_a_replay_breaks_a_promise() {
    holds("replay", REPLAYING, 600_000);
    holds("replay and release", RELEASED, 250_000);
}

#[test]
fn no_schedule_of_a_replay_and_a_retraction_breaks_a_promise() {
    holds("replay and retraction", RETRACTING, 9_000_000);
}

#[test]
fn no_schedule_of_a_retraction_that_is_taken_back_breaks_a_promise() {
    holds("retraction and undo", UNDOING, 1_500_000);
}

#[test]
fn no_schedule_of_all_three_acts_breaks_a_promise() {
    holds("replay, retraction and undo", BUSY, 5_000_000);
}

#[test]
fn the_explorer_catches_every_protection_of_an_operators_acts_that_is_taken_away() {
    for mutant in [
        Mutant::HidesTheOldLoadWhileItReplays,
        Mutant::ReplaysWhateverWasSeen,
        Mutant::ReplaysFromTheCheckpointOfAnotherLoad,
        Mutant::TakesRowsAwayUnasked,
        Mutant::SupersedesWithoutEndingAReplay,
        Mutant::ReversesWithoutEndingAReplay,
        Mutant::ShowsALoadWithoutItsRows,
        Mutant::LetsARetractedVersionStandInTheWay,
        Mutant::SupersedesByWhateverWasSeen,
        Mutant::MovesTheHeadOverALoadThatIsShownAgain,
        Mutant::CommitsWithoutFence,
    ] {
        let is_caught = |weather: &Weather| {
            let broken = |(first, again): &(Good, Good)| {
                explore(with_good(*weather, *again), *first, mutant).broken.is_some()
            };
            CONTRACTS.iter().any(broken)
        };
        assert!(MUTANT_WEATHERS.iter().any(is_caught), "{mutant:?} went unnoticed");
    }
}
