//! Services that fail, processes whose death leaves evidence, and workers whose time ends.
//!
//! A file is poison after two deaths with evidence; of each file one process dies. So a good file that ends in the
//! quarantine was put there by something that is no death.

use super::hold::ModelHold;
use super::operator::ModelOperator;
use super::steps::mine;
use super::{EntryState, IDLE, ModelStep, Mutant, ROWS, Weather, Worker, World, explore, give_back};

/// Deaths at one place after which a file is poison.
const POISON: u8 = 2;

/// What may still go wrong, and what was left behind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Faults {
    /// Calls that fail, and with them the release of the lease.
    failures_left: u8,
    /// Workers whose time ends after a checkpoint.
    hand_overs_left: u8,
    /// Records of a death whose answer is lost, so that the evidence stays.
    lost_records_left: u8,
    /// Whether deaths leave evidence.
    evident: bool,
    /// The claim of a worker that died, by version and fence.
    evidence: Option<(u8, u8)>,
}

impl Faults {
    pub(super) const NONE: Self =
        Self { failures_left: 0, hand_overs_left: 0, lost_records_left: 0, evident: false, evidence: None };

    /// A terminal entry counts no deaths: evidence of one makes no difference any more.
    pub(super) fn forget(&mut self, version: u8) {
        self.evidence = self.evidence.filter(|(of, _)| *of != version);
    }
}

/// What a ledger entry knows of deaths.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct DeathCounts {
    deaths: u8,
    /// The newest claim whose death is counted, or before which none counts.
    counted: u8,
    /// Whether the last claim was released. The ledger does not need it; a mutant does.
    pub(super) released: bool,
}

impl DeathCounts {
    pub(super) fn claimed(&mut self, counts: bool) {
        self.deaths += u8::from(counts);
        self.released = false;
    }

    pub(super) fn is_poison(self) -> bool {
        self.deaths >= POISON
    }

    /// A checkpoint was written under this fence.
    pub(super) fn begin_anew(&mut self, fence: u8) {
        (self.deaths, self.counted) = (0, fence - 1);
    }
}

fn is_working(worker: Worker) -> bool {
    worker.fence > 0 && !matches!(worker.step, ModelStep::HandOver | ModelStep::LetGo)
}

/// Returns the world in which the death of this worker leaves evidence. It leaves none between two attempts.
pub(super) fn evidence_of(world: &World, index: usize) -> Option<World> {
    let worker = world.workers[index];
    if !world.faults.evident || !is_working(worker) {
        return None;
    }
    let mut died = *world;
    died.faults.evidence = Some((worker.version, worker.fence));
    give_back(&mut died, index);
    Some(died)
}

/// The next process finds the evidence and records the death; when the answer is lost, the evidence stays.
pub(super) fn recorded(world: &World, mutant: Mutant, next: &mut Vec<World>) {
    let Some((version, fence)) = world.faults.evidence else { return };
    let mut recorded = *world;
    let entry = &mut recorded.entries[usize::from(version)];
    let is_new = entry.tally.counted < fence || mutant == Mutant::CountsADeathEachTimeItIsRecorded;
    if entry.state == EntryState::Processing && fence <= entry.fence && is_new {
        entry.tally.deaths = (entry.tally.deaths + 1).min(POISON);
        entry.tally.counted = fence;
    }
    if world.faults.lost_records_left > 0 {
        let mut stays = recorded;
        stays.faults.lost_records_left -= 1;
        next.push(stays);
    }
    recorded.faults.evidence = None;
    next.push(recorded);
}

/// A call of the worker fails and its lease is not released either, or its time ends.
pub(super) fn failed_or_handed_over(world: &World, index: usize, mutant: Mutant, next: &mut Vec<World>) {
    let worker = world.workers[index];
    if world.faults.failures_left > 0 && is_working(worker) {
        let mut failed = *world;
        failed.faults.failures_left -= 1;
        give_back(&mut failed, index);
        next.push(failed);
    }
    let ModelStep::Checkpoint { rows } = worker.step else { return };
    if world.faults.hand_overs_left > 0 && rows < ROWS && mine(world, worker) {
        let mut ended = *world;
        ended.faults.hand_overs_left -= 1;
        let entry = &mut ended.entries[usize::from(worker.version)];
        entry.checkpoint = (worker.load, rows);
        entry.tally.begin_anew(worker.fence);
        entry.lease = false;
        entry.tally.released = true;
        ended.workers[index].step = if mutant == Mutant::AcknowledgesBeforeItHandsOver {
            ModelStep::LetGo
        } else {
            ModelStep::HandOver
        };
        next.push(ended);
    }
}

/// A worker dies. Its message comes back, unless it was acknowledged before.
pub(super) fn dies(world: &mut World, index: usize, mutant: Mutant) {
    let acknowledged =
        mutant == Mutant::AcknowledgesBeforeItHandsOver && world.workers[index].step == ModelStep::HandOver;
    if acknowledged {
        world.workers[index] = IDLE;
    } else {
        give_back(world, index);
    }
}

/// Sends the fresh message, then lets the old one go.
pub(super) fn hand_over(world: &mut World, index: usize, mutant: Mutant) {
    let Worker { step, version, .. } = world.workers[index];
    let swapped = mutant == Mutant::AcknowledgesBeforeItHandsOver;
    if step == ModelStep::HandOver {
        let visible = &mut world.visible[usize::from(version)];
        *visible = (*visible + 1).min(2);
    }
    let next = match (step, swapped) {
        (ModelStep::HandOver, false) => ModelStep::LetGo,
        (ModelStep::LetGo, true) => ModelStep::HandOver,
        _ => ModelStep::Idle,
    };
    world.workers[index] =
        if next == ModelStep::Idle { IDLE } else { Worker { step: next, version, ..IDLE } };
}

/// Services fail with the release, one process dies, and the record of its death may be lost.
const FAILING: Weather = Weather {
    deaths: 1,
    duplicates: 0,
    zombies: 1,
    release: false,
    operator: ModelOperator::ABSENT,
    hold: ModelHold::ABSENT,
    faults: Faults { failures_left: 2, lost_records_left: 1, evident: true, ..Faults::NONE },
};

/// Two attempts run out of time, and one process dies.
const SHORT: Weather = Weather {
    deaths: 1,
    duplicates: 1,
    zombies: 0,
    release: true,
    operator: ModelOperator::ABSENT,
    hold: ModelHold::ABSENT,
    faults: Faults { hand_overs_left: 2, ..Faults::NONE },
};

const GOOD: [[bool; 2]; 2] = [[true, true], [true, false]];

#[test]
fn no_failing_service_and_no_single_death_makes_a_good_version_poison() {
    for good in GOOD {
        let explored = explore(FAILING, good, Mutant::None);
        assert_eq!(explored.broken, None, "with good versions {good:?}");
        println!("failing services: {} states", explored.states);
        assert!(explored.states > 250_000 && explored.ends > 0, "{} states", explored.states);
    }
}

#[test]
fn a_file_that_is_handed_over_is_never_lost() {
    for good in GOOD {
        let explored = explore(SHORT, good, Mutant::None);
        assert_eq!(explored.broken, None, "with good versions {good:?}");
        println!("hand-overs: {} states", explored.states);
        assert!(explored.states > 60_000 && explored.ends > 0, "{} states", explored.states);
    }
}

#[test]
fn the_explorer_catches_a_wrong_count_of_deaths_and_a_message_that_is_let_go_too_early() {
    for (weather, mutant) in [
        (FAILING, Mutant::CountsAClaimThatWasNotReleasedAsADeath),
        (FAILING, Mutant::CountsADeathEachTimeItIsRecorded),
        (SHORT, Mutant::AcknowledgesBeforeItHandsOver),
    ] {
        let caught = GOOD.iter().any(|good| explore(weather, *good, mutant).broken.is_some());
        assert!(caught, "{mutant:?} went unnoticed");
    }
}
