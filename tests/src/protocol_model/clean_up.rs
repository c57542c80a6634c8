//! Clean-up: the rows of loads that nobody sees are deleted, at any moment and by a process that may end anywhere.
//!
//! What the index lists may be out of date: between the moment at which a load is found and the one at which it is
//! given up, an operator may show it again.

use super::operator::{BUSY, CONTRACTS, UNDOING, holds, with_good};
use super::{EntryState, Mutant, ROWS, Weather, World, explore, is_complete};

/// A clean-up that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Cleaner {
    version: u8,
    load: u8,
    step: CleanerStep,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum CleanerStep {
    /// The load was found in the index.
    GiveUp,
    Delete {
        row: u8,
    },
}

/// Adds the worlds to which a clean-up can lead.
pub(super) fn acts(world: &World, mutant: Mutant, next: &mut Vec<World>) {
    let Some(cleaner) = world.operator.cleaner else {
        return finds(world, next);
    };
    // The process ends here; the load is found again.
    let mut ended = *world;
    ended.operator.cleaner = None;
    next.push(ended);
    let mut gone_on = *world;
    gone_on.operator.cleaner = step(&mut gone_on, cleaner, mutant);
    next.push(gone_on);
}

/// Finds a load that was noted as dead: of a version that is hidden, or of one that a replay gave another load.
fn finds(world: &World, next: &mut Vec<World>) {
    if world.operator.clean_ups_left == 0 {
        return;
    }
    for version in 0..2u8 {
        let entry = world.entries[usize::from(version)];
        for load in (0u8..).zip(world.rows[usize::from(version)]).filter(|(_, rows)| *rows != 0) {
            let (load, _) = load;
            let is_hidden = matches!(entry.state, EntryState::Superseded | EntryState::Retracted);
            let is_dead = if load == entry.load { is_hidden } else { load < entry.load };
            if is_dead {
                let mut found = *world;
                found.operator.clean_ups_left -= 1;
                found.operator.cleaner = Some(Cleaner { version, load, step: CleanerStep::GiveUp });
                next.push(found);
            }
        }
    }
}

fn step(world: &mut World, cleaner: Cleaner, mutant: Mutant) -> Option<Cleaner> {
    let Cleaner { version, load, step } = cleaner;
    let entry = &mut world.entries[usize::from(version)];
    let is_own = entry.load == load;
    match step {
        CleanerStep::GiveUp => {
            if is_own && is_complete(entry.state) && mutant != Mutant::GivesUpAVisibleLoad {
                return None;
            }
            if is_own && mutant != Mutant::DeletesWithoutGivingUp {
                entry.loaded = false;
            }
            Some(Cleaner { step: CleanerStep::Delete { row: 0 }, ..cleaner })
        }
        CleanerStep::Delete { row } => {
            let load = if mutant == Mutant::DeletesTheRowsOfTheFile { entry.load } else { load };
            world.rows[usize::from(version)][usize::from(load)] &= !(1 << row);
            let next = CleanerStep::Delete { row: row + 1 };
            (row + 1 < ROWS).then_some(Cleaner { step: next, ..cleaner })
        }
    }
}

/// A clean-up beside a retraction that is taken back.
const CLEANING: Weather = Weather { operator: UNDOING.operator.with_clean_ups(1), ..UNDOING };

/// A clean-up beside a replay, a retraction and its end.
const BUSY_CLEANING: Weather = Weather { deaths: 0, operator: BUSY.operator.with_clean_ups(1), ..BUSY };

#[test]
fn no_schedule_of_a_clean_up_hides_a_row_of_a_visible_load() {
    holds("clean-up, retraction and undo", CLEANING, 1_500_000);
    holds("clean-up, replay, retraction and undo", BUSY_CLEANING, 1_000_000);
}

#[test]
fn the_explorer_catches_every_protection_of_a_clean_up_that_is_taken_away() {
    for mutant in
        [Mutant::GivesUpAVisibleLoad, Mutant::DeletesWithoutGivingUp, Mutant::DeletesTheRowsOfTheFile]
    {
        let is_caught = |weather: &Weather| {
            let broken = |(first, again): &(super::Good, super::Good)| {
                explore(with_good(*weather, *again), *first, mutant).broken.is_some()
            };
            CONTRACTS.iter().any(broken)
        };
        let weathers = [Weather { deaths: 0, zombies: 0, ..CLEANING }, BUSY_CLEANING];
        assert!(weathers.iter().any(is_caught), "{mutant:?} went unnoticed");
    }
}
