//! Files that wait while their feed is held, the command that releases the feed, and the watcher that sends what a
//! release left behind.
//!
//! Both versions are of the feed. A worker asks whether it is held, and notes in a transaction with the hold that its
//! version waits. The release ends the hold, then lists what waits and sends it, until it finds nothing. It may die
//! anywhere, and somebody may hold the feed again meanwhile.

use super::faults::Faults;
use super::operator::{ModelOperator, one_more};
use super::steps::tell;
use super::{
    EntryState, Good, IDLE, ModelStep, Mutant, Weather, Worker, World, explore, give_back, is_terminal,
    schedule,
};

/// How far the release got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum ModelRelease {
    /// None is under way. The last one, if there was one, ended well or met another hold.
    Idle,
    /// Ends the hold.
    Ends,
    /// Looks what waits.
    Lists,
    /// Sends these versions.
    Sends([bool; 2]),
    /// It died.
    Died,
}

/// What operators may still do, and what they did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct ModelHold {
    holds_left: u8,
    /// Releases that may still die.
    deaths_left: u8,
    /// Whether anything could be done from the beginning.
    present: bool,
    held: bool,
    release: ModelRelease,
    /// What the release has sent: it sends nothing twice.
    sent: [bool; 2],
}

impl ModelHold {
    pub(super) const ABSENT: Self = Self {
        holds_left: 0,
        deaths_left: 0,
        present: false,
        held: false,
        release: ModelRelease::Idle,
        sent: [false; 2],
    };

    /// Returns the first step of a worker that received a notification. Without operators nothing is asked: fewer
    /// states.
    pub(super) fn first_step(self) -> ModelStep {
        if self.present { ModelStep::AskHold } else { ModelStep::Claim }
    }
}

fn waits(world: &World, version: u8) -> bool {
    world.entries[usize::from(version)].state == EntryState::Held
}

/// Returns whether something will still be done about files that wait.
pub(super) fn is_busy(world: &World) -> bool {
    let left = (0..2).any(|version| waits(world, version)) && !world.hold.held;
    match world.hold.release {
        ModelRelease::Idle => false,
        // The watcher, or the next release.
        ModelRelease::Died => left,
        ModelRelease::Ends | ModelRelease::Lists | ModelRelease::Sends(_) => true,
    }
}

/// Returns what is wrong with files that wait when nothing is left to do; `None` also where they wait for a release.
pub(super) fn wrong_end(world: &World) -> Option<&'static str> {
    let left = (0..2).any(|version| waits(world, version)) && !world.hold.held;
    left.then_some("a file waits after its release")
}

/// Returns whether files wait for a release.
pub(super) fn is_waiting(world: &World) -> bool {
    world.hold.held && (0..2).any(|version| waits(world, version))
}

/// Asks whether the feed is held.
pub(super) fn ask(world: &mut World, index: usize) {
    world.workers[index].step = if world.hold.held { ModelStep::Wait } else { ModelStep::Claim };
}

/// Notes that the version waits, unless the feed was released.
pub(super) fn wait(world: &mut World, index: usize, mutant: Mutant) {
    let worker = world.workers[index];
    let entry = world.entries[usize::from(worker.version)];
    if !world.hold.held && mutant != Mutant::WaitsWithoutTheHold {
        world.workers[index].step = ModelStep::Claim;
    } else if is_terminal(entry.state) {
        tell(world, index, entry.state, mutant);
    } else if entry.lease {
        give_back(world, index);
    } else {
        world.entries[usize::from(worker.version)].state = EntryState::Held;
        world.workers[index].step = ModelStep::LetWait;
    }
}

/// Returns whether a message of the version can be received, or was.
fn is_delivered(world: &World, version: u8) -> bool {
    let works = |worker: &Worker| worker.step != ModelStep::Idle && worker.version == version;
    world.visible[usize::from(version)] > 0 || world.workers.iter().any(works)
}

/// Adds the worlds to which operators and the watcher can lead.
pub(super) fn acts(world: &World, mutant: Mutant, next: &mut Vec<World>) {
    if !world.hold.present {
        return;
    }
    let with = |change: &dyn Fn(&mut ModelHold)| {
        let mut after = *world;
        change(&mut after.hold);
        after
    };
    if world.hold.holds_left > 0 && !world.hold.held {
        next.push(with(&|hold| {
            hold.holds_left -= 1;
            hold.held = true;
        }));
    }
    let some_wait = (0..2).any(|version| waits(world, version));
    let is_alive = !matches!(world.hold.release, ModelRelease::Idle | ModelRelease::Died);
    if !is_alive && (world.hold.held || some_wait) {
        let sends_first = mutant == Mutant::SendsBeforeTheHoldEnds;
        let first = if world.hold.held && !sends_first { ModelRelease::Ends } else { ModelRelease::Lists };
        next.push(with(&|hold| hold.release = first));
    }
    if is_alive {
        let before = next.len();
        release(world, mutant, next);
        if world.hold.deaths_left > 0 {
            // Before its next call, and after it.
            let after: Vec<World> = next[before..].to_vec();
            for mut died in [*world].into_iter().chain(after) {
                died.hold.deaths_left -= 1;
                died.hold.release = ModelRelease::Died;
                died.hold.sent = [false; 2];
                next.push(died);
            }
        }
    }
    if !world.hold.held && world.hold.release != ModelRelease::Idle {
        sweep(world, next);
    }
}

/// The release makes its next call.
fn release(world: &World, mutant: Mutant, next: &mut Vec<World>) {
    let mut after = *world;
    match world.hold.release {
        ModelRelease::Idle | ModelRelease::Died => return,
        ModelRelease::Ends => {
            after.hold.held = false;
            after.hold.release = ModelRelease::Lists;
            if mutant == Mutant::SendsBeforeTheHoldEnds {
                after.hold.release = ModelRelease::Idle;
            }
        }
        ModelRelease::Lists => {
            let is_left = |version: u8| waits(world, version) && !world.hold.sent[usize::from(version)];
            let waiting = [0, 1].map(is_left);
            if world.hold.held && mutant != Mutant::SendsBeforeTheHoldEnds {
                // Somebody holds the feed again.
                after.hold.release = ModelRelease::Idle;
            } else if (0..2).any(|version| waits(world, version) && is_delivered(world, version)) {
                // What was sent is waited for.
                return;
            } else if waiting == [false; 2] {
                after.hold.release = if world.hold.held { ModelRelease::Ends } else { ModelRelease::Idle };
            } else {
                after.hold.release = ModelRelease::Sends(waiting);
            }
        }
        ModelRelease::Sends(mut left) => {
            let version = usize::from(!left[0]);
            left[version] = false;
            after.hold.sent[version] = true;
            after.visible[version] = one_more(after.visible[version]);
            let ends = mutant == Mutant::SendsBeforeTheHoldEnds && world.hold.held;
            after.hold.release = match left {
                [false, false] if ends => ModelRelease::Ends,
                [false, false] => ModelRelease::Lists,
                left => ModelRelease::Sends(left),
            };
        }
    }
    if matches!(after.hold.release, ModelRelease::Idle) {
        after.hold.sent = [false; 2];
    }
    next.push(after);
}

/// The watcher sends what waits though its feed is not held.
fn sweep(world: &World, next: &mut Vec<World>) {
    for version in 0..2 {
        if waits(world, version) && !is_delivered(world, version) {
            let mut sent = *world;
            sent.visible[usize::from(version)] = 1;
            next.push(sent);
        }
    }
}

/// A version waits: its message is acknowledged.
pub(super) fn let_wait(world: &mut World, index: usize) {
    world.workers[index] = IDLE;
}

/// Two holds, a release that may die, and with it a worker, a zombie or a doubled message.
const HELD: Weather = Weather {
    deaths: 1,
    duplicates: 1,
    zombies: 0,
    release: false,
    faults: Faults::NONE,
    operator: ModelOperator::ABSENT,
    hold: ModelHold { holds_left: 2, deaths_left: 1, present: true, ..ModelHold::ABSENT },
};

/// One hold and a zombie.
const HELD_WITH_A_ZOMBIE: Weather =
    Weather { duplicates: 0, zombies: 1, hold: ModelHold { holds_left: 1, ..HELD.hold }, ..HELD };

/// One hold, and a release of the code that changes the parser.
const HELD_AND_UPDATED: Weather =
    Weather { duplicates: 0, release: true, hold: HELD_WITH_A_ZOMBIE.hold, ..HELD };

const GOOD: [Good; 3] = [[true, true], [true, false], [false, true]];

fn holds(name: &str, weather: Weather, least: usize) {
    let mut states = 0;
    for good in GOOD {
        let explored = explore(weather, good, Mutant::None);
        if let Some(broken) = explored.broken {
            panic!("{name} with good versions {good:?}: {broken}\n{}", schedule(weather, good));
        }
        assert!(explored.ends > 0, "{name}: no schedule came to an end");
        states += explored.states;
    }
    println!("{name}: {states} states");
    assert!(states >= least, "{name}: only {states} states were reached");
}

#[test]
fn no_schedule_of_holds_and_releases_leaves_a_file_behind() {
    holds("hold, release, hold again", HELD, 4_000_000);
}

#[test]
fn no_schedule_of_a_zombie_or_of_a_new_parser_leaves_a_held_file_behind() {
    holds("hold and release with a zombie", HELD_WITH_A_ZOMBIE, 100_000);
    holds("hold and release with a new parser", HELD_AND_UPDATED, 100_000);
}

#[test]
fn the_explorer_catches_every_protection_of_a_hold_that_is_taken_away() {
    for mutant in [Mutant::WaitsWithoutTheHold, Mutant::SendsBeforeTheHoldEnds, Mutant::LeavesFilesThatWaited]
    {
        let caught = GOOD.iter().any(|good| explore(HELD, *good, mutant).broken.is_some());
        assert!(caught, "{mutant:?} went unnoticed");
    }
}
