//! The steps of a worker, each one call to a service.

use super::faults::{self, DeathCounts};
use super::{
    EntryState, Good, IDLE, ModelEntry, ModelStep, Mutant, ROWS, Worker, World, give_back, hold, is_complete,
    is_retracted, is_terminal, operator,
};

/// Takes one step of one worker.
pub(super) fn step(world: &World, index: usize, good: Good, mutant: Mutant) -> World {
    let mut next = *world;
    let worker = next.workers[index];
    let version = usize::from(worker.version);
    let load = usize::from(worker.load);
    match worker.step {
        ModelStep::Idle => {}
        ModelStep::AskHold => hold::ask(&mut next, index),
        ModelStep::Wait => hold::wait(&mut next, index, mutant),
        ModelStep::LetWait => hold::let_wait(&mut next, index),
        ModelStep::Claim if worker.replays.is_some() => operator::claim(&mut next, index, mutant),
        ModelStep::Claim => claim(&mut next, index, good, mutant),
        ModelStep::Write { row } => {
            next.rows[version][load] |= 1 << row;
            next.workers[index].step = ModelStep::Checkpoint { rows: row + 1 };
        }
        ModelStep::Checkpoint { rows } => {
            if mine(&next, worker) {
                next.entries[version].checkpoint = (worker.load, rows);
                next.entries[version].tally.begin_anew(worker.fence);
                next.workers[index].step =
                    if rows < ROWS { ModelStep::Write { row: rows } } else { ModelStep::ReadHead };
            } else {
                give_back(&mut next, index);
            }
        }
        ModelStep::ReadHead => {
            let retracted = next.head.is_some_and(|head| is_retracted(&next, head))
                && mutant != Mutant::LetsARetractedVersionStandInTheWay;
            let older = next.head.is_some_and(|head| head > worker.version && !retracted);
            next.workers[index].step = match next.head.filter(|_| older) {
                Some(by) if mutant != Mutant::IgnoresTheOrderOfVersions => ModelStep::Supersede { by },
                _ => ModelStep::Commit { seen: next.head, retracted },
            };
        }
        ModelStep::Commit { seen, retracted } => commit(&mut next, index, (seen, retracted), mutant),
        ModelStep::Supersede { by } => supersede(&mut next, index, by, mutant),
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
            next.acknowledged[version] |= worker.replays.is_none();
            next.workers[index] = IDLE;
        }
        ModelStep::HandOver | ModelStep::LetGo => faults::hand_over(&mut next, index, mutant),
    }
    next
}

/// Announces the outcome of the worker's version, after the older one that it replaced.
pub(super) fn tell(world: &mut World, index: usize, ended: EntryState, mutant: Mutant) {
    let Worker { version, replays, .. } = world.workers[index];
    let is_absent = world.operator.is_absent();
    let entry = &mut world.entries[usize::from(version)];
    // Nobody asks any more who held the claim and how far he came: fewer states to tell apart.
    if is_absent {
        *entry = ModelEntry {
            fence: 0,
            lease: false,
            checkpoint: (0, 0),
            tally: DeathCounts::default(),
            ..*entry
        };
    }
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
    world.workers[index] = Worker { step, version, replays, ended: Some(ended), ..IDLE };
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

pub(super) fn mine(world: &World, worker: Worker) -> bool {
    let entry = world.entries[usize::from(worker.version)];
    let is_open = match worker.replays {
        None => entry.state == EntryState::Processing,
        Some(_) => entry.replay == Some(worker.load),
    };
    is_open && entry.fence == worker.fence
}

fn claim(world: &mut World, index: usize, good: Good, mutant: Mutant) {
    let worker = world.workers[index];
    let version = usize::from(worker.version);
    let entry = &mut world.entries[version];
    if entry.state == EntryState::Held && mutant == Mutant::LeavesFilesThatWaited {
        world.workers[index].step = ModelStep::LetWait;
        return;
    }
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
    let (load, rows) = entry.checkpoint;
    let trusted = load == worker.load || mutant == Mutant::KeepsTheCheckpointOfAnotherParser;
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

fn commit(world: &mut World, index: usize, (seen, retracted): (Option<u8>, bool), mutant: Mutant) {
    let worker = world.workers[index];
    if !mine(world, worker) && mutant != Mutant::CommitsWithoutFence {
        give_back(world, index);
        return;
    }
    let shown_again = retracted
        && mutant != Mutant::MovesTheHeadOverALoadThatIsShownAgain
        && seen.is_some_and(|head| !is_retracted(world, head));
    if (world.head != seen || shown_again) && mutant != Mutant::MovesTheHeadUnseen {
        world.workers[index].step = ModelStep::ReadHead;
        return;
    }
    let older = seen.filter(|old| *old != worker.version);
    let ended = EntryState::Complete { load: worker.load };
    let entry = &mut world.entries[usize::from(worker.version)];
    *entry = ModelEntry {
        state: ended,
        lease: false,
        announced: false,
        // A replay keeps what its first load replaced: that may not be announced yet.
        replaced: older.or(entry.replaced),
        load: worker.load,
        loaded: true,
        replay: None,
        ..*entry
    };
    world.operator.decided(worker.version, true);
    if let Some(old) = older.filter(|_| mutant != Mutant::LeavesTheOlderVersionComplete) {
        let older = &mut world.entries[usize::from(old)];
        if is_complete(older.state) {
            older.state = EntryState::Superseded;
            older.announced &= mutant == Mutant::KeepsTheOlderAnnouncement;
            older.replay = older.replay.filter(|_| mutant == Mutant::SupersedesWithoutEndingAReplay);
        }
    }
    world.head = Some(worker.version);
    tell(world, index, ended, mutant);
}

/// Ends a version that a newer one supersedes, unless that one was retracted since it was seen.
fn supersede(world: &mut World, index: usize, by: u8, mutant: Mutant) {
    let unseen = [Mutant::SupersedesByWhateverWasSeen, Mutant::LetsARetractedVersionStandInTheWay];
    if mine(world, world.workers[index]) && is_retracted(world, by) && !unseen.contains(&mutant) {
        world.workers[index].step = ModelStep::ReadHead;
    } else {
        finish(world, index, EntryState::Superseded, mutant);
    }
}

fn finish(world: &mut World, index: usize, state: EntryState, mutant: Mutant) {
    let worker = world.workers[index];
    if mine(world, worker) {
        if worker.replays.is_some_and(|from| operator::keeps(from, mutant)) {
            operator::keep(world, index);
            return;
        }
        let entry = &mut world.entries[usize::from(worker.version)];
        *entry = ModelEntry {
            state,
            lease: false,
            announced: false,
            load: worker.load,
            loaded: false,
            replay: None,
            ..*entry
        };
        world.operator.decided(worker.version, state == EntryState::Superseded);
        tell(world, index, state, mutant);
    } else {
        give_back(world, index);
    }
}
