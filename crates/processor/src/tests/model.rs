//! The protocol alone, explored: two versions of one key, of which the newer replaces the older, three sandboxes, and
//! a number of accidents (a crash, a failure, a lost answer, a message delivered again, a lease that ends under its
//! holder). Every interleaving is visited. Each protection is then taken away, and something must break: a protection
//! that nothing needs would be dead weight, and a model that cannot fail would prove nothing.

use std::collections::HashSet;

const OLDER: usize = 0;
const NEWER: usize = 1;
/// Rows of each version.
const ROWS: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Entry {
    Absent,
    Processing,
    Complete,
    Superseded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Message {
    Waiting,
    Taken,
    Acknowledged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct File {
    entry: Entry,
    fence: u8,
    leased: bool,
    rows: u8,
    message: Message,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// So many rows are written.
    Loading(u8),
    /// The head was seen.
    Looked(Option<usize>),
    /// The entry is terminal.
    Decided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sandbox {
    file: usize,
    fence: u8,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    files: [File; 2],
    head: Option<usize>,
    sandboxes: [Option<Sandbox>; 3],
    accidents: u8,
}

/// A protection that is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// A message that finds a live lease is acknowledged.
    Deferral,
    /// A message is acknowledged when its file is claimed.
    LateAcknowledgement,
    /// A commit does not compare the head with what was seen.
    HeadComparison,
    /// A commit does not ask which version is newer.
    VersionOrder,
    /// A load is committed before its rows are written.
    RowsFirst,
    /// A lease never ends by itself.
    LeaseExpiry,
}

impl World {
    fn new(accidents: u8) -> Self {
        let file = File { entry: Entry::Absent, fence: 0, leased: false, rows: 0, message: Message::Waiting };
        Self { files: [file; 2], head: None, sandboxes: [None; 3], accidents }
    }

    /// Every world that one step leads to.
    fn next(&self, without: Without) -> Vec<Self> {
        let mut worlds = Vec::new();
        for place in 0..self.sandboxes.len() {
            match self.sandboxes[place] {
                None => self.deliveries(place, without, &mut worlds),
                Some(sandbox) => self.steps(place, sandbox, without, &mut worlds),
            }
        }
        for number in [OLDER, NEWER] {
            self.passing_time(number, without, &mut worlds);
        }
        worlds
    }

    fn deliveries(&self, place: usize, without: Without, worlds: &mut Vec<Self>) {
        // Idle sandboxes are alike: only the first of them is woken.
        if self.sandboxes[..place].contains(&None) {
            return;
        }
        for number in [OLDER, NEWER] {
            if self.files[number].message != Message::Waiting {
                continue;
            }
            let mut world = *self;
            let file = &mut world.files[number];
            let decided = matches!(file.entry, Entry::Complete | Entry::Superseded);
            if !decided && file.leased {
                if without == Without::Deferral {
                    file.message = Message::Acknowledged;
                    worlds.push(world);
                }
                continue;
            }
            let step = if decided {
                Step::Decided
            } else {
                file.entry = Entry::Processing;
                file.fence += 1;
                file.leased = true;
                Step::Loading(0)
            };
            file.message =
                if without == Without::LateAcknowledgement { Message::Acknowledged } else { Message::Taken };
            world.sandboxes[place] = Some(Sandbox { file: number, fence: file.fence, step });
            worlds.push(world);
        }
    }

    fn steps(&self, place: usize, sandbox: Sandbox, without: Without, worlds: &mut Vec<Self>) {
        let mut world = *self;
        let on = |step| Some(Sandbox { step, ..sandbox });
        match sandbox.step {
            Step::Loading(written) if written < ROWS && without != Without::RowsFirst => {
                let rows = &mut world.files[sandbox.file].rows;
                *rows = (*rows).max(written + 1);
                world.sandboxes[place] = on(Step::Loading(written + 1));
            }
            Step::Loading(_) => world.sandboxes[place] = on(Step::Looked(self.head)),
            Step::Looked(seen) => world.commit(place, sandbox, seen, without),
            Step::Decided => {
                world.files[sandbox.file].message = Message::Acknowledged;
                world.sandboxes[place] = None;
            }
        }
        if self.accidents > 0 {
            // The answer is lost: the effect stands, the sandbox gives up.
            worlds.push(world.give_up(place, sandbox, true));
            worlds.push(self.give_up(place, sandbox, true));
            worlds.push(self.give_up(place, sandbox, false));
        }
        worlds.push(world);
    }

    fn commit(&mut self, place: usize, sandbox: Sandbox, seen: Option<usize>, without: Without) {
        let mine = sandbox.file;
        if self.files[mine].fence != sandbox.fence || self.files[mine].entry != Entry::Processing {
            *self = self.back(place, mine);
            return;
        }
        let newer = seen.filter(|head| *head > mine && without != Without::VersionOrder);
        if newer.is_some() {
            self.files[mine].entry = Entry::Superseded;
        } else if self.head != seen && without != Without::HeadComparison {
            self.sandboxes[place] = Some(Sandbox { step: Step::Looked(self.head), ..sandbox });
            return;
        } else {
            if let Some(older) = self.head.filter(|head| *head != mine) {
                self.files[older].entry = Entry::Superseded;
            }
            self.files[mine].entry = Entry::Complete;
            self.head = Some(mine);
        }
        self.files[mine].leased = false;
        self.sandboxes[place] = Some(Sandbox { step: Step::Decided, ..sandbox });
    }

    /// The sandbox ends; its message comes back if it is still its own.
    fn back(&self, place: usize, number: usize) -> Self {
        let mut world = *self;
        world.sandboxes[place] = None;
        if world.files[number].message == Message::Taken {
            world.files[number].message = Message::Waiting;
        }
        world
    }

    /// An accident: with a release as after a failure, without one as after a crash.
    fn give_up(&self, place: usize, sandbox: Sandbox, release: bool) -> Self {
        let mut world = self.back(place, sandbox.file);
        world.accidents -= 1;
        let file = &mut world.files[sandbox.file];
        if release && file.fence == sandbox.fence {
            file.leased = false;
        }
        world
    }

    /// Leases that end and messages that are delivered again.
    fn passing_time(&self, number: usize, without: Without, worlds: &mut Vec<Self>) {
        let file = self.files[number];
        let mine = |sandbox: &&Sandbox| sandbox.file == number;
        let holder = self.sandboxes.iter().flatten().find(|one| mine(one) && one.fence == file.fence);
        let mut world = *self;
        if holder.is_some() {
            // Under a holder that lives it takes a clock that is wrong, or a sandbox that slept.
            let Some(accidents) = self.accidents.checked_sub(1) else { return };
            world.accidents = accidents;
        }
        if file.leased && without != Without::LeaseExpiry {
            let mut expired = world;
            expired.files[number].leased = false;
            worlds.push(expired);
        }
        let busy = self.sandboxes.iter().flatten().any(|one| one.file == number);
        if file.message == Message::Taken && (holder.is_some() || !busy) {
            world.files[number].message = Message::Waiting;
            worlds.push(world);
        }
    }

    /// What must hold in every world.
    fn holds(&self) -> Result<(), &'static str> {
        for (number, file) in self.files.iter().enumerate() {
            if file.entry == Entry::Complete && file.rows < ROWS {
                return Err("a visible load lacks rows");
            }
            if (file.entry == Entry::Complete) != (self.head == Some(number)) {
                return Err("the head and the complete load differ");
            }
            let decided = matches!(file.entry, Entry::Complete | Entry::Superseded);
            if file.message == Message::Acknowledged && !decided {
                return Err("acknowledged and not terminal");
            }
        }
        Ok(())
    }

    /// What must hold of a step.
    fn may_become(&self, next: &Self) -> Result<(), &'static str> {
        if next.head < self.head {
            return Err("the head moved to an older version");
        }
        for (before, after) in self.files.iter().zip(&next.files) {
            let changed = before.entry != after.entry;
            let kept = match before.entry {
                Entry::Absent | Entry::Processing => true,
                Entry::Complete => !changed || after.entry == Entry::Superseded,
                Entry::Superseded => !changed,
            };
            if !kept {
                return Err("a terminal entry changed");
            }
        }
        Ok(())
    }

    /// What must hold where nothing can happen any more.
    fn is_the_end(&self) -> Result<(), &'static str> {
        let entries = self.files.map(|file| file.entry);
        if entries == [Entry::Superseded, Entry::Complete] && self.head == Some(NEWER) {
            Ok(())
        } else {
            Err("the newest version is not what is visible in the end")
        }
    }
}

/// Visits every world; how many there are, or what broke.
fn explore(accidents: u8, without: Without) -> Result<usize, &'static str> {
    let mut seen = HashSet::from([World::new(accidents)]);
    let mut open = vec![World::new(accidents)];
    while let Some(world) = open.pop() {
        world.holds()?;
        let next = world.next(without);
        if next.is_empty() {
            world.is_the_end()?;
        }
        for later in next {
            world.may_become(&later)?;
            if seen.insert(later) {
                open.push(later);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn every_interleaving_ends_with_the_newest_version_visible_and_nothing_partial_on_the_way() {
    let worlds = explore(3, Without::Nothing).expect("the protocol holds");
    assert!(worlds > 10_000, "{worlds} worlds are too few to prove anything");
}

#[test]
fn each_protection_is_needed() {
    for (without, broken) in [
        (Without::Deferral, "acknowledged and not terminal"),
        (Without::LateAcknowledgement, "acknowledged and not terminal"),
        (Without::HeadComparison, "the head moved to an older version"),
        (Without::VersionOrder, "the head moved to an older version"),
        (Without::RowsFirst, "a visible load lacks rows"),
        (Without::LeaseExpiry, "the newest version is not what is visible in the end"),
    ] {
        assert_eq!(explore(2, without), Err(broken), "{without:?}");
    }
}
