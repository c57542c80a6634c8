use proptest::prelude::*;
use store::{Entry, Fence, FileId, FileVersion, Operation, State, memory::When};

use super::harness::*;
use crate::journal::Journal;

const KEY: &str = "north/visits/a.csv";
/// How often the queue delivers a message before it goes to the dead letters.
const RECEIVES: usize = 10;

/// A stack with a file, and where the processes of one sandbox note their claims.
fn begin(text: &str) -> (Harness, FileVersion, Folder) {
    let folder = Folder::new();
    let harness = Harness::journalling(store::memory::Memory::new(), &folder);
    visits(&harness, &[]);
    let file = harness.land(KEY, text);
    (harness, file, folder)
}

/// The next process of the sandbox, at the same time.
fn next(harness: &Harness, folder: &Folder) -> Harness {
    let next = Harness::journalling(harness.memory.clone(), folder);
    next.wait(harness.now_ms() - next.now_ms());
    next
}

/// Calls before a file's first byte is read: rank, hold, claim, open; the contract before, where the process did not
/// read it yet.
const UNTIL_READ: usize = 6;

#[tokio::test]
async fn a_file_that_kills_three_processes_is_kept_unread() {
    let (mut harness, file, folder) = begin(GOOD);
    for deaths in 1..=3 {
        assert!(harness.killed(&file, UNTIL_READ).await);
        assert_eq!(folder.names().len(), 1, "the evidence");
        harness = next(&harness, &folder);
        // Another file's invocation finds it.
        let other = harness.land(&format!("north/visits/other-{deaths}.csv"), GOOD);
        harness.until_terminal(&[&other]).await;
        let Entry { deaths: recorded, lease_until_ms, .. } = harness.entry(&file);
        assert_eq!((recorded, lease_until_ms), (deaths, 0));
        assert_eq!(folder.names(), [] as [&str; 0], "what is recorded is removed");
    }
    let calls = harness.memory.calls().len();
    assert!(harness.deliver(&[&file]).await.is_empty());
    assert_eq!(harness.fault(&file).as_deref(), Some("POISON"));
    assert_eq!(harness.object("original").as_deref(), Some(GOOD.as_bytes()));
    assert!(!harness.memory.calls()[calls..].contains(&Operation::ReadObject), "not even opened");
}

#[tokio::test]
async fn a_file_whose_deaths_leave_no_evidence_goes_to_the_dead_letters_and_is_good() {
    let (mut harness, file, folder) = begin(GOOD);
    for _ in 0..RECEIVES {
        assert!(harness.killed(&file, UNTIL_READ).await);
        folder.lose();
        harness = next(&harness, &folder);
        harness.wait(3_600_000);
    }
    assert_eq!((harness.state(&file), harness.entry(&file).deaths), (State::Processing, 0));
    // An operator fixes the cause and moves the dead letter back.
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn three_deaths_count_only_at_one_place_of_a_file() {
    let folder = Folder::new();
    let memory = store::memory::Memory::new();
    // More than the head in which a format is recognised, in many chunks.
    memory.chunks_of(1_024);
    let process = || {
        Harness::on(memory.clone(), |settings| {
            settings.journal = Some(folder.0.clone());
            (settings.rows_at_once, settings.rows_per_checkpoint) = (1, 1);
        })
    };
    let rows: Vec<String> = (0..2_600).map(|number| format!("{number},x")).collect();
    visits(&process(), &[]);
    let file = process().land(KEY, format!("id,name\n{}\n", rows.join("\n")));
    // Each process dies some calls after the last checkpoint that it wrote.
    let mut written = Vec::new();
    for death in 1..=4_u64 {
        let harness = process();
        harness.wait(death * 3_600_000);
        assert!(harness.killed(&file, 57).await);
        let entry = harness.entry(&file);
        assert!(entry.deaths <= 1, "{} deaths", entry.deaths);
        written.push(entry.rows_written);
    }
    assert!(written.windows(2).all(|pair| pair[0] < pair[1]), "each went on: {written:?}");
    let harness = process();
    harness.wait(5 * 3_600_000);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn a_panic_concerns_one_file_and_is_recorded_as_a_death() {
    let (harness, bad, folder) = begin(GOOD);
    let good = harness.land("north/visits/good.csv", GOOD);
    harness.memory.before(5, |_| async { panic!("as a bug would") });
    assert_eq!(harness.deliver(&[&bad, &good]).await, ["m0"]);
    assert_eq!((harness.state(&bad), harness.state(&good)), (State::Processing, State::Complete));
    assert_eq!(harness.counted("Panics"), 1);
    let (_, seconds) = harness.memory.deferred().pop().expect("deferred");
    assert!((30..=37).contains(&seconds), "soon, since the lease was released: {seconds}");
    assert_eq!((harness.entry(&bad).deaths, harness.entry(&bad).lease_until_ms), (1, 0));
    assert_eq!(folder.names(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_file_that_panics_three_times_is_poison_and_a_panic_that_could_not_be_recorded_is_found_later() {
    for lost in [false, true] {
        let (harness, file, _folder) = begin(GOOD);
        for attempt in 0..3 {
            let panics = harness.memory.calls().len() + 4 + usize::from(attempt == 0);
            harness.memory.before(panics, |_| async { panic!("as a bug would") });
            if lost {
                harness.memory.fail_at(panics + 1, When::BeforeEffect);
            }
            assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
            let recorded = harness.entry(&file).deaths;
            assert_eq!(recorded, if lost { attempt } else { attempt + 1 }, "attempt {attempt}");
            if lost {
                harness.memory.revive();
                // Another invocation begins.
                harness.idle().await;
                assert_eq!(harness.entry(&file).deaths, attempt + 1);
            }
        }
        assert!(harness.deliver(&[&file]).await.is_empty());
        assert_eq!(harness.fault(&file).as_deref(), Some("POISON"));
    }
}

#[tokio::test]
async fn failures_of_services_never_make_a_file_poison() {
    let (harness, file, _folder) = begin(GOOD);
    for attempt in 0..6 {
        // The file is opened, and the lease cannot be released either.
        let open = harness.memory.calls().len() + 4 + usize::from(attempt == 0);
        harness.memory.die_at(open, When::BeforeEffect);
        assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
        harness.memory.revive();
        harness.wait(3_600_000);
        assert_eq!(harness.entry(&file).deaths, 0);
    }
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn a_claim_that_another_process_works_on_is_no_death() {
    let (harness, file, folder) = begin(GOOD);
    let (memory, other) = (harness.memory.clone(), next(&harness, &folder));
    memory.before(5, move |_| async move {
        // A second process of the machine begins while the first one works.
        other.idle().await;
    });
    harness.until_terminal(&[&file]).await;
    assert_eq!((harness.state(&file), harness.entry(&file).deaths), (State::Complete, 0));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_costs_only_the_evidence() {
    let folder = Folder::new();
    std::fs::write(&folder.0, "a file and no folder").expect("written");
    let harness = Harness::journalling(store::memory::Memory::new(), &folder);
    visits(&harness, &[]);
    let file = harness.land(KEY, GOOD);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Complete);
    std::fs::remove_file(&folder.0).expect("removed");
}

#[test]
fn a_claim_that_is_worked_on_or_ended_is_no_death_and_one_that_was_left_is_one_until_it_is_dealt_with() {
    let folder = Folder::new();
    let [journal, other] = [(); 2].map(|()| Journal::new(Some(folder.0.clone())));
    let file = FileVersion { bucket: INBOX.into(), key: KEY.into(), version: "v".into(), etag: None };
    let fence =
        |owner: &str| Fence { file: FileId::of(&file), fence: 7, owner: owner.to_owned(), replay: None };
    let fences =
        |journal: &Journal| journal.deaths().into_iter().map(|death| death.fence).collect::<Vec<_>>();
    assert_eq!(fences(&journal), [], "no folder yet");
    let ended = journal.begin(&fence("a")).expect("journalled");
    let left = journal.begin(&fence("b")).expect("journalled");
    assert_eq!((fences(&journal), fences(&other)), (vec![], vec![]));
    ended.end();
    drop(left);
    assert_eq!(fences(&other), [fence("b")]);
    let found = journal.deaths();
    assert_eq!(fences(&other), [], "another process deals with it");
    drop(found);
    assert_eq!(fences(&other), [fence("b")], "and did not succeed");
    other.deaths().into_iter().for_each(|death| death.journal.end());
    assert_eq!(folder.names(), [] as [&str; 0]);
    assert!(Journal::new(None).begin(&fence("c")).is_none());
}

#[test]
fn a_journal_file_that_cannot_be_read_is_no_evidence_and_goes_and_one_that_is_being_made_stays() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).expect("made");
    for (name, text) in [("cut", "{\"file\":\"x"), ("long", &"x".repeat(5_000)), ("new", "")] {
        std::fs::write(folder.0.join(name), text).expect("written");
    }
    assert!(Journal::new(Some(folder.0.clone())).deaths().is_empty());
    assert_eq!(folder.names(), ["new"]);
}

/// Texts that end well, and how.
const GOOD_FILES: [&str; 2] = [GOOD, MIXED];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Each delivery of one message meets its own storm, and may lose its sandbox with all evidence.
    #[test]
    fn no_schedule_of_failing_services_makes_a_good_file_poison(
        kind in 0..GOOD_FILES.len(),
        deliveries in proptest::collection::vec(
            (any::<u64>(), prop_oneof![Just(0_u64), Just(20), Just(40), Just(100)], proptest::option::of(1_usize..20), any::<bool>()),
            RECEIVES,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (mut harness, file, folder) = begin(GOOD_FILES[kind]);
            for (seed, percent, place, dies) in deliveries {
                harness.memory.storm(seed, percent);
                match place {
                    Some(n) if dies => {
                        harness.killed(&file, n).await;
                        folder.lose();
                    }
                    _ => {
                        harness.deliver(&[&file]).await;
                    }
                }
                harness = next(&harness, &folder);
                harness.wait(3_600_000);
                harness.memory.calm();
                let fault = harness.entry_of(&file).and_then(|entry| entry.outcome?.fault);
                prop_assert_eq!(fault, None);
            }
            harness.until_terminal(&[&file]).await;
            prop_assert_eq!(harness.state(&file), State::Complete);
            prop_assert_eq!(harness.entry(&file).deaths, 0);
            Ok::<(), TestCaseError>(())
        })?;
    }

    /// Each process dies over the file. Of some the evidence is lost, and it is recorded through a storm.
    #[test]
    fn a_file_that_kills_its_processes_is_poison_after_three_deaths_with_evidence_and_else_a_dead_letter(
        deliveries in proptest::collection::vec((any::<bool>(), any::<u64>(), prop_oneof![Just(0_u64), Just(40)]), RECEIVES),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (mut harness, file, folder) = begin(GOOD);
            let mut known = 0;
            for (kept, seed, percent) in deliveries {
                if known >= 3 {
                    break;
                }
                prop_assert!(harness.killed(&file, UNTIL_READ).await);
                known += u32::from(kept);
                if !kept {
                    folder.lose();
                }
                harness = next(&harness, &folder);
                harness.wait(3_600_000);
                harness.memory.storm(seed, percent);
                harness.idle().await;
                harness.memory.calm();
                harness.idle().await;
                prop_assert_eq!(harness.entry(&file).deaths, known);
            }
            let poison = known >= 3;
            if poison {
                // Nothing of it is read any more, so nothing dies.
                harness.deliver(&[&file]).await;
            }
            prop_assert_eq!(harness.state(&file), if poison { State::Quarantined } else { State::Processing });
            let fault = harness.fault(&file);
            prop_assert_eq!(fault.as_deref(), poison.then_some("POISON"));
            Ok::<(), TestCaseError>(())
        })?;
    }
}
