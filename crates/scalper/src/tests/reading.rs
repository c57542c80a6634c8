//! What the reading commands find.

use std::sync::atomic::Ordering;

use clap::Parser as _;
use proptest::prelude::*;
use serde_json::json;
use store::memory::{INBOX, When};
use store::{Depth, ReadQuarantine as _, StackQueue};

use super::harness::{BAD, CONTRACT, GOOD, Harness, MIXED, NOON_MS};
use super::{COLOURS, TERMINAL};
use crate::arguments::Arguments;
use crate::error::CommandError;
use crate::reading::{Answer, save};

/// Values of the files of [`Harness::of_every_kind`].
const VALUES: [&str; 3] = ["Ann", "Bob", "Constantine"];

#[tokio::test]
async fn problems_are_listed_until_they_are_fixed() {
    let harness = Harness::of_every_kind().await;
    let status = harness.json("status").await;
    let wrong: Vec<_> = status["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .filter(|problem| problem["weight"] == "wrong")
        .map(|problem| json!([problem["code"], problem["files"][0]["partner"], problem["files"][0]["feed"]]))
        .collect();
    let expected = [json!(["ERROR_BUDGET", "south", "labs"]), json!(["NOT_DECIDED", "south", "charges"])];
    assert_eq!(wrong, expected);
    let feeds: Vec<_> = status["feeds"]
        .as_array()
        .expect("feeds")
        .iter()
        .map(|feed| json!([feed["partner"], feed["feed"], feed["last"]["state"]]))
        .collect();
    assert_eq!(feeds.len(), 6, "{feeds:?}");
    assert_eq!(feeds[0], json!(["south", "charges", "PROCESSING"]), "what is wrong comes first");
    assert!(feeds.contains(&json!(["north", "charges", "COMPLETE"])), "nine days old, and shown");
    assert!(feeds.contains(&json!(["west", null, null])), "a partner that sent nothing");
}

#[tokio::test]
async fn a_check_fails_for_what_is_wrong_and_for_nothing_else() {
    let harness = Harness::new();
    harness.send("north/labs/a.csv", MIXED, 5).await;
    harness.partner("north", false).await;
    assert!(!harness.answer("status --check").await.fails_check(), "notes are no alarm");
    harness.memory.set_depth(StackQueue::InboxDeadLetters, Some(Depth { waiting: 1, in_flight: 0 }));
    assert!(harness.answer("status --check").await.fails_check());
    assert!(!harness.answer("status").await.fails_check());
    harness.memory.set_depth(StackQueue::InboxDeadLetters, Some(Depth::default()));
    harness.memory.set_depth(StackQueue::Inbox, None);
    assert!(harness.answer("status --check").await.fails_check(), "no queue is not an empty one");
}

#[tokio::test]
async fn a_correction_under_another_name_counts_too() {
    let harness = Harness::new();
    let rejected = harness.send("north/labs/a.csv", BAD, 60).await;
    assert!(harness.answer("status --check").await.fails_check());
    let land = store::Land {
        key: "north/labs/b.csv".to_owned(),
        upload: store::UploadId::of(&[b"u"]),
        content_type: "text/csv".to_owned(),
        corrects: Some(rejected.to_string()),
        condition: store::Condition::Absent,
    };
    let sha256 = sha(GOOD);
    store::WriteInbox::land(&harness.memory, &land, &sha256, GOOD.into()).await.expect("landed");
    let versions = harness.memory.inbox_versions();
    let file = versions.iter().find(|version| version.file.key == land.key).expect("landed");
    harness.follow(&file.file, 30).await;
    assert!(!harness.answer("status --check").await.fails_check());
}

fn sha(text: &str) -> [u8; 32] {
    let hash = store::CredentialHash::of(text);
    let mut bytes = [0; 32];
    hex::decode_to_slice(hash.as_str(), &mut bytes).expect("64 digits");
    bytes
}

#[tokio::test]
async fn a_queue_or_a_listing_that_fails_does_not_hide_the_rest() {
    let harness = Harness::of_every_kind().await;
    let before = harness.memory.calls().len();
    harness.answer("status").await;
    let calls = harness.memory.calls().split_off(before);
    for (place, operation) in (1..).zip(&calls) {
        harness.memory.fail_at(harness.memory.calls().len() + place, When::BeforeEffect);
        let ended = harness.run("status").await;
        match operation {
            store::Operation::ReadQueue
            | store::Operation::ListInbox
            | store::Operation::ListOpen
            | store::Operation::ReadHold
            | store::Operation::ListHeld
            | store::Operation::ListContracts
            | store::Operation::ReadContract => {
                let text = ended.unwrap_or_else(|failure| panic!("{failure}")).to_json();
                assert!(text.contains("injected"), "{operation:?}: {text}");
            }
            _ => assert!(matches!(ended, Err(CommandError::Read(_))), "{operation:?}"),
        }
        harness.memory.revive();
    }
}

#[tokio::test]
async fn a_contract_that_does_not_compile_is_wrong_whether_or_not_its_feed_has_files() {
    let harness = Harness::new();
    let broken = CONTRACT.replace("FEED", "labs").replace("kind: DataContract", "kind: DataContact");
    harness.memory.publish_contract("labs", broken.clone());
    harness.memory.publish_contract("visits", broken.clone());
    harness.memory.publish_contract("Visits of no feed", broken);
    harness.send("north/labs/a.csv", GOOD, 60).await;
    let problems = async |line: &str| {
        let mut problems = harness.json(line).await["problems"].take();
        let problems = problems.as_array_mut().expect("problems");
        problems.retain(|problem| problem["weight"] == "wrong");
        problems.clone()
    };
    let found = problems("status").await;
    let whats: Vec<_> = found.iter().map(|problem| &problem["code"]).collect();
    assert_eq!(whats, ["CONTRACT_INVALID", "CONTRACT_INVALID"]);
    let expected = json!([
        "does not compile: labs.odcs.yaml:2:7: found `DataContact`, expected `DataContract`; did you mean `DataContract`",
        "correct the document and publish it; until then version 1.2.0 stays in force",
        "aws s3 cp --region eu-central-1 labs.odcs.yaml s3://silent-scalper-contracts-123456789012-eu-central-1/",
    ]);
    assert_eq!(json!([found[0]["what"], found[0]["todo"], found[0]["next"]]), expected);
    let until_then = "correct the document and publish it; until then files of the feed are quarantined: none of its newest \
                      versions compiles (at most 20 are tried)";
    assert_eq!(found[1]["todo"], until_then);
    assert!(harness.answer("status --check").await.fails_check());
    assert_eq!(problems("status --partner north").await.len(), 1, "of the partner's feeds");

    harness.memory.publish_contract("labs", CONTRACT.replace("FEED", "labs"));
    harness.memory.delete_contract("visits");
    assert!(!harness.answer("status --check").await.fails_check());
}

#[tokio::test]
async fn a_missing_file_is_a_problem_and_a_late_one_is_shown() {
    let harness = Harness::new();
    // Due at 07:00 UTC by the clock of Berlin, until 08:00.
    harness.expect("labs", "schedule: \"0 8 * * *\", timezone: Europe/Berlin, grace: 1h");
    let expected = async || harness.json("status").await["feeds"][0]["expected"].take();
    let by = |day: &str| format!("2026-11-{day}T08:00:00Z");

    harness.send("north/labs/.~lock.tuesday.csv#", "x", 5 * 60).await;
    let first = json!({ "lastBy": null, "last": null, "nextBy": by("21") });
    assert_eq!(expected().await, first, "a feed that has not begun");
    harness.send("north/labs/yesterday.csv", GOOD, 29 * 60).await;
    let missing = json!({ "lastBy": by("20"), "last": "missing", "nextBy": by("21") });
    assert_eq!(expected().await, missing);
    assert!(harness.answer("status --check").await.fails_check());
    let text = harness.text("status").await;
    assert!(text.contains("MISSING  no file of north/labs arrived by 2026-11-20T08:00:00Z\n"), "{text}");
    assert!(text.contains("\n    scalper files --partner north --feed labs\n"), "{text}");
    assert!(text.contains("  missing\n"), "{text}");

    harness.send("north/labs/late.csv", GOOD, 3 * 60).await;
    assert_eq!(expected().await["last"], "late");
    assert!(!harness.answer("status --check").await.fails_check(), "it is here now");

    harness.send("north/labs/today.csv", GOOD, 6 * 60).await;
    let on_time = json!({ "lastBy": by("20"), "last": "onTime", "nextBy": by("21") });
    assert_eq!(expected().await, on_time);
    assert!(harness.text("status").await.contains("by 11-21 08:00"));
}

#[tokio::test]
async fn a_file_at_least_every_day_is_expected_a_day_after_the_newest() {
    let harness = Harness::new();
    harness.promise("labs", "{property: frequency, value: 1, unit: d}");
    harness.send("north/labs/a.csv", GOOD, 23 * 60).await;
    let expected = json!({ "lastBy": null, "last": null, "nextBy": "2026-11-20T13:00:00Z" });
    assert_eq!(harness.json("status").await["feeds"][0]["expected"], expected);
    harness.now.fetch_add(3_600_000, Ordering::SeqCst);
    let expected = json!({ "lastBy": "2026-11-20T13:00:00Z", "last": "missing", "nextBy": null });
    assert_eq!(harness.json("status").await["feeds"][0]["expected"], expected);
}

#[tokio::test]
async fn no_value_of_a_file_is_shown_by_default() {
    let harness = Harness::of_every_kind().await;
    let mut lines = vec!["status".to_owned(), "status --partner south".to_owned()];
    for partner in ["north", "south"] {
        lines.push(format!("files --partner {partner}"));
    }
    for entry in harness.memory.entries() {
        let file = store::FileId::of(&entry.file);
        lines.extend(["show", "rejects", "receipt"].map(|command| format!("{command} {file}")));
    }
    let mut shown = 0;
    for line in lines {
        let Ok(answer) = harness.run(&line).await else { continue };
        for text in [answer.to_text(COLOURS), answer.to_text(TERMINAL), answer.to_json()] {
            assert!(VALUES.iter().all(|value| !text.contains(value)), "{line}: {text}");
            shown += 1;
        }
        assert!(!answer.to_text(TERMINAL).contains('\u{1b}'), "{line}");
    }
    assert!(shown > 40, "{shown}");
}

#[tokio::test]
async fn files_are_newest_first_and_chosen_by_state_time_and_feed() {
    let harness = Harness::of_every_kind().await;
    let names = async |line: &str| -> Vec<String> {
        let files = harness.json(line).await["files"].take();
        let names = files.as_array().expect("files").iter();
        names.map(|file| file["key"].as_str().expect("a key").replace("north/", "")).collect()
    };
    let all = ["labs/tuesday.csv", "labs/monday.csv", "labs/monday.csv", "charges/week.csv"];
    assert_eq!(names("files --partner north").await, all);
    assert_eq!(names("files --partner north --since 1d").await, all[..3]);
    assert_eq!(names("files --partner north --since 10m").await, all[..1]);
    assert_eq!(names("files --partner north --state quarantined").await, ["labs/monday.csv"]);
    assert_eq!(names("files --partner north --feed charges").await, ["charges/week.csv"]);
    let short = harness.json("files --partner north --limit 2").await;
    assert_eq!((short["files"].as_array().map(Vec::len), &short["more"]), (Some(2), &json!(true)));
    let of_all = harness.json("files --limit 2").await;
    let of_all: Vec<_> = (0..2).map(|index| &of_all["files"][index]["key"]).collect();
    assert_eq!(of_all, ["south/charges/running.csv", "north/labs/tuesday.csv"], "of all partners");
}

#[tokio::test]
async fn a_partner_that_is_named_must_be_known() {
    let harness = Harness::new();
    assert_eq!(harness.text("files").await, "no matching file\n");
    harness.send("north/labs/a.csv", GOOD, 5).await;
    assert_eq!(harness.json("files").await["files"][0]["partner"], "north", "it only drops by S3");
    assert!(matches!(harness.run("files --partner nroth").await, Err(CommandError::UnknownPartner { .. })));
    assert!(matches!(harness.run("status --partner nroth").await, Err(CommandError::UnknownPartner { .. })));
    assert!(matches!(harness.run("files --feed lbas").await, Err(CommandError::UnknownFeed { .. })));
    assert_eq!(harness.text("files --feed labs --state quarantined").await, "no matching file\n");
}

#[tokio::test]
async fn a_file_is_found_by_its_id_its_load_and_its_name() {
    let harness = Harness::of_every_kind().await;
    let newest = harness.json("show north/labs/monday.csv").await;
    assert_eq!(newest["state"], "COMPLETE");
    assert_eq!(newest["versions"][0]["state"], "QUARANTINED");
    let (file, load) = (newest["file"].as_str().expect("an id"), newest["load"].as_str().expect("a load"));
    for word in [file, load, "s3://inbox/north/labs/monday.csv"] {
        assert_eq!(harness.json(&format!("show {word}")).await, newest, "{word}");
    }
}

#[tokio::test]
async fn rejected_records_are_copied_whole_and_made_harmless_only_for_a_terminal() {
    let harness = Harness::new();
    let bytes = "id,name\n1,Ann\n2,Bob\n3,\"Const\u{1b}[2Jantine\"\n";
    let file = harness.send("north/labs/a.csv", bytes, 5).await;
    harness.memory.chunks_of(3);
    let Answer::RejectedRecords(records) = harness.answer(&format!("rejects {file} --values")).await else {
        panic!("records")
    };
    let (mut piped, mut shown) = (Vec::new(), Vec::new());
    harness.view.copy(&records, false, &mut piped).await.unwrap_or_else(|failure| panic!("{failure}"));
    harness.view.copy(&records, true, &mut shown).await.unwrap_or_else(|failure| panic!("{failure}"));
    let entry = harness.memory.entries().remove(0);
    let key = entry.outcome.and_then(|outcome| outcome.quarantine).expect("rejects") + "rejects.csv";
    let stored = harness.memory.document(&key).await.expect("read").expect("stored");
    assert_eq!(piped, stored);
    let shown = String::from_utf8(shown).expect("text");
    assert!(shown.contains("Const\\u{1b}[2Jantine") && !shown.contains('\u{1b}'), "{shown}");
}

#[tokio::test]
async fn a_download_makes_a_new_file_or_none() {
    let folder = std::env::temp_dir().join(format!("scalper-download-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("rejects.csv");
    let failed = save(&path, async |_| Err(CommandError::NoRegion)).await;
    assert!(matches!(failed, Err(CommandError::NoRegion)) && !path.exists());
    let write = async |file: &mut std::fs::File| {
        std::io::Write::write_all(file, b"a").expect("written");
        Ok(())
    };
    save(&path, write).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        matches!(save(&path, write).await, Err(CommandError::NotOpened { .. })),
        "nothing is written over"
    );
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test]
async fn tail_begins_with_the_newest_outcomes_and_follows_new_ones() {
    let harness = Harness::of_every_kind().await;
    let (outcomes, failures, ended) = harness
        .tail("tail --lines 2", 4, async |round| match round {
            1 => drop(harness.send("north/labs/wednesday.csv", GOOD, 2).await),
            2 => {
                // It was seen undecided, and landed long before the others.
                let late = harness.memory.inbox_versions();
                let late =
                    late.iter().find(|version| version.file.key.ends_with("stuck.csv")).expect("there");
                harness.follow(&late.file, 200).await;
            }
            _ => harness.now.store(NOON_MS + 4_000, Ordering::SeqCst),
        })
        .await;
    assert!(ended.is_ok() && failures == 0);
    let keys: Vec<_> = outcomes.iter().map(|outcome| outcome.key.as_str()).collect();
    let expected = [
        "south/labs/a\u{1b}[31m b.csv",
        "north/labs/tuesday.csv",
        "north/labs/wednesday.csv",
        "south/charges/stuck.csv",
    ];
    assert_eq!(keys, expected);
    assert!(outcomes.iter().all(|outcome| !outcome.to_line(false, TERMINAL).contains('\u{1b}')));
}

#[tokio::test]
async fn tail_shows_an_outcome_once_and_a_later_change_of_it_again() {
    let harness = Harness::new();
    let (outcomes, _, _) = harness
        .tail("tail", 4, async |round| match round {
            1 => drop(harness.send("north/labs/a.csv", GOOD, 2).await),
            2 => drop(harness.send("north/labs/a.csv", MIXED, 1).await),
            _ => {}
        })
        .await;
    // The partner was not known in the first round: a look around comes with the thirtieth.
    assert!(outcomes.is_empty());
    let (outcomes, _, _) = harness
        .tail("tail --partner north --lines 0", 3, async |round| {
            if round == 1 {
                harness.send("north/labs/a.csv", GOOD, 0).await;
            }
        })
        .await;
    let states: Vec<_> = outcomes.iter().map(|outcome| outcome.state.as_str()).collect();
    assert_eq!(states, ["SUPERSEDED", "COMPLETE"]);
}

#[tokio::test]
async fn tail_makes_up_for_a_failed_round_and_ends_when_nothing_answers() {
    let harness = Harness::new();
    let (outcomes, failures, ended) = harness
        .tail("tail --partner north", 3, async |round| {
            if round == 1 {
                harness.send("north/labs/a.csv", GOOD, 2).await;
                harness.memory.fail_at(harness.memory.calls().len() + 1, When::BeforeEffect);
            }
        })
        .await;
    assert!(ended.is_ok());
    assert_eq!((outcomes.len(), failures), (1, 1));
    let (_, failures, ended) = harness
        .tail("tail --partner north", 100, async |_| {
            harness.memory.die_at(harness.memory.calls().len() + 1, When::BeforeEffect);
        })
        .await;
    assert!(matches!(ended, Err(CommandError::Read(_))));
    assert_eq!(failures, 9);
}

proptest! {
    #[test]
    fn no_odd_word_makes_a_command_panic(word in "[^\0]{1,60}|[a-z]{1,3}/[a-z]{1,3}/.{0,20}|[0-9a-z]{26}(-[0-9a-z]{13})?") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let harness = Harness::new();
            harness.memory.land(INBOX, "north/labs/a.csv", "x");
            for command in ["show", "rejects", "receipt"] {
                let failure = harness.run_words(["scalper", command, "--", &word].into_iter()).await.err();
                let failure = failure.expect("no such file");
                prop_assert!(!failure.to_string().contains(char::is_control), "{failure}");
            }
            let state = format!("--state={word}");
            let state = Arguments::try_parse_from(["scalper", "files", &state]);
            drop(state.map_err(|error| error.to_string()));
            for option in ["--since", "--feed", "--partner"] {
                let line = format!("{option}={word}");
                drop(harness.run_words(["scalper", "files", &line].into_iter()).await);
            }
            Ok(())
        })?;
    }
}
