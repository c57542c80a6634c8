//! The protocol as a small model, explored state by state.
//!
//! Two versions of one key, two workers. At any point a worker may die, a message may be delivered twice or again
//! while its first receiver still runs, a lease may end under a running worker (a zombie), a new release may change
//! the parser, a service may fail, and a worker's time may end (`faults`). An operator may have a version processed
//! again, retract one, and take that back (`operator`), or hold the feed and release it (`hold`); rows that nobody sees
//! are deleted (`clean_up`). Every reachable state is checked; every
//! state in which nothing is left to do must be the right end, and each version must have been announced in the state
//! in which it ended. Each protection has a mutant without it, which the explorer must catch: a model that cannot
//! fail proves nothing.

mod clean_up;
mod explorer;
mod faults;
mod hold;
mod operator;
mod promises;
mod steps;

use explorer::{explore, schedule};
use faults::{DeathCounts, Faults};
use hold::ModelHold;
use operator::ModelOperator;
use steps::step;

/// Rows of a load.
const ROWS: u8 = 2;
const ALL_ROWS: u8 = (1 << ROWS) - 1;
/// Loads of a version: by parser epoch and generation.
const LOADS: usize = 6;
/// A worker that waits for a message. What it did before makes no difference.
const IDLE: Worker =
    Worker { step: ModelStep::Idle, version: 0, fence: 0, load: 0, replays: None, ended: None };

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
    HidesTheOldLoadWhileItReplays,
    ReplaysWhateverWasSeen,
    ReplaysFromTheCheckpointOfAnotherLoad,
    TakesRowsAwayUnasked,
    SupersedesWithoutEndingAReplay,
    ReversesWithoutEndingAReplay,
    ShowsALoadWithoutItsRows,
    LetsARetractedVersionStandInTheWay,
    SupersedesByWhateverWasSeen,
    MovesTheHeadOverALoadThatIsShownAgain,
    GivesUpAVisibleLoad,
    DeletesWithoutGivingUp,
    DeletesTheRowsOfTheFile,
    WaitsWithoutTheHold,
    SendsBeforeTheHoldEnds,
    LeavesFilesThatWaited,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum EntryState {
    Absent,
    Processing,
    Held,
    Complete { load: u8 },
    Quarantined,
    Superseded,
    Retracted,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct ModelEntry {
    state: EntryState,
    fence: u8,
    lease: bool,
    /// The load that was decided last.
    load: u8,
    /// Whether every row of it is in the table.
    loaded: bool,
    /// The load of the replay that is under way.
    replay: Option<u8>,
    /// Load and rows of the last checkpoint.
    checkpoint: (u8, u8),
    announced: bool,
    /// The older version that this one's commit superseded.
    replaced: Option<u8>,
    tally: DeathCounts,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum ModelStep {
    Idle,
    /// Asks whether the feed is held.
    AskHold,
    /// Notes that the version waits.
    Wait,
    /// Acknowledges the message of a version that waits.
    LetWait,
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
        /// Whether the version that has the head was seen to be retracted.
        retracted: bool,
    },
    Supersede {
        /// The newer version that was seen to be visible.
        by: u8,
    },
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
    load: u8,
    /// The state that was seen when a replay was asked for; `None`: the worker has a notification.
    replays: Option<EntryState>,
    /// What the worker knows to have become of its version.
    ended: Option<EntryState>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World {
    entries: [ModelEntry; 2],
    head: Option<u8>,
    /// Rows in the table: by version and load, one bit a row.
    rows: [[u8; LOADS]; 2],
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
    operator: ModelOperator,
    hold: ModelHold,
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
    operator: ModelOperator,
    hold: ModelHold,
}

/// Deaths, doubled messages, zombies, a release; no evidence of a death is found.
const ROUGH: Weather = Weather {
    deaths: 1,
    duplicates: 1,
    zombies: 1,
    release: true,
    faults: Faults::NONE,
    operator: ModelOperator::ABSENT,
    hold: ModelHold::ABSENT,
};

fn start(weather: Weather) -> World {
    let entry = ModelEntry {
        state: EntryState::Absent,
        fence: 0,
        lease: false,
        load: 0,
        loaded: false,
        replay: None,
        checkpoint: (0, 0),
        announced: false,
        replaced: None,
        tally: DeathCounts::default(),
    };
    World {
        entries: [entry; 2],
        head: None,
        rows: [[0; LOADS]; 2],
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
        operator: weather.operator,
        hold: weather.hold,
    }
}

fn is_terminal(state: EntryState) -> bool {
    !matches!(state, EntryState::Absent | EntryState::Processing | EntryState::Held)
}

/// Returns whether no message waits and no worker works.
fn is_quiet(world: &World) -> bool {
    world.visible == [0; 2]
        && world.operator.is_answered()
        && !hold::is_busy(world)
        && world.workers.iter().all(|worker| worker.step == ModelStep::Idle)
}

fn is_retracted(world: &World, version: u8) -> bool {
    world.entries[usize::from(version)].state == EntryState::Retracted
}

fn is_complete(state: EntryState) -> bool {
    matches!(state, EntryState::Complete { .. })
}

/// Adds all worlds that one action leads to.
fn successors(world: &World, good: Good, mutant: Mutant, next: &mut Vec<World>) {
    environment(world, next);
    operator::acts(world, mutant, next);
    hold::acts(world, mutant, next);
    faults::recorded(world, mutant, next);
    for index in 0..world.workers.len() {
        let worker = world.workers[index];
        if worker.step == ModelStep::Idle {
            deliveries(world, index, next);
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
        faults::failed_or_handed_over(world, index, mutant, next);
        if world.zombies_left > 0 {
            // The message becomes visible and the lease ends while the worker goes on.
            let mut zombie = *world;
            zombie.zombies_left -= 1;
            operator::redeliver(&mut zombie, worker);
            zombie.entries[usize::from(worker.version)].lease = false;
            next.push(zombie);
        }
    }
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
                Worker { step: world.hold.first_step(), version, load: world.epoch, ..IDLE };
            next.push(received);
        }
    }
    operator::deliveries(world, index, next);
}

fn give_back(world: &mut World, index: usize) {
    operator::redeliver(world, world.workers[index]);
    world.workers[index] = IDLE;
}

#[test]
fn no_schedule_of_deaths_duplicates_zombies_and_releases_breaks_a_promise() {
    for good in [[true, true], [true, false], [false, true]] {
        let explored = explore(ROUGH, good, Mutant::None);
        assert_eq!(explored.broken, None, "with good versions {good:?}");
        println!("deaths, duplicates, zombies and a release: {} states", explored.states);
        assert!(explored.states > 150_000, "only {} states were reached", explored.states);
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
