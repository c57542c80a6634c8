//! What the model promises: in every state, and at the end of every schedule.

use super::{
    ALL_ROWS, EntryState, Good, World, hold, is_complete, is_quiet, is_retracted, is_terminal, operator,
};

/// Which promise an action broke.
pub(super) fn broken_promise(before: &World, world: &World) -> Option<&'static str> {
    for version in 0..2 {
        let (old, new) = (before.entries[version].state, world.entries[version].state);
        if let EntryState::Complete { load } = new
            && world.rows[version][usize::from(load)] != ALL_ROWS
        {
            return Some("complete without all rows of one load");
        }
        if new == EntryState::Quarantined && !world.reported[version] {
            return Some("quarantined without a report");
        }
        let superseded = is_complete(old) && new == EntryState::Superseded;
        let acted = operator::acted(before, world, version);
        if is_terminal(old) && old != new && !superseded && !acted {
            return Some("a terminal entry changed");
        }
        if world.acknowledged[version] && !is_terminal(new) {
            return Some("acknowledged before the end");
        }
    }
    if let Some(head) = world.head {
        let retracted = |version: u8| is_retracted(world, version);
        if before.head.is_some_and(|old| old > head && !retracted(old)) {
            return Some("the head moved to an older version");
        }
        if !is_complete(world.entries[usize::from(head)].state) && !retracted(head) {
            return Some("the visible version is not complete");
        }
    }
    operator::broken_promise(before, world)
}

/// What is wrong when nothing is left to do.
pub(super) fn wrong_end(world: &World, good: Good) -> Option<&'static str> {
    if !is_quiet(world) {
        return None;
    }
    if let Some(wrong) = hold::wrong_end(world) {
        return Some(wrong);
    }
    if hold::is_waiting(world) {
        return None;
    }
    if !world.operator.is_absent() {
        return operator::wrong_end(world);
    }
    let newest = (0..2u8).rev().find(|version| good[usize::from(*version)]);
    if world.head != newest {
        return Some("the newest good version is not the visible one");
    }
    for version in 0..2u8 {
        let state = world.entries[usize::from(version)].state;
        let right = match (good[usize::from(version)], newest == Some(version)) {
            (false, _) => state == EntryState::Quarantined,
            (true, true) => is_complete(state),
            (true, false) => state == EntryState::Superseded,
        };
        if !right {
            return Some("a version ended in the wrong state");
        }
        if !world.notified[usize::from(version)][usize::from(!is_complete(state))] {
            return Some("a version was not announced in the state in which it ended");
        }
    }
    None
}
