//! Open files: those under wrong keys and those that are quarantined for long are found, and can be acknowledged.

use serde_json::json;
use store::memory::{CALLER, When};
use store::{ActRecord, FileId};

use super::TERMINAL;
use super::harness::{BAD, GOOD, Harness, NOON_MS};
use crate::error::CommandError;
use crate::report::Style;

/// Keys that name no partner and feed.
const WRONG_KEYS: [&str; 5] =
    ["orders.csv", "shop/orders.csv", "ACME/Orders/x.csv", "Ä b/c d/ü+%20.csv", "a/b//\u{1b}[31m'$(x)\n.csv"];

#[tokio::test]
async fn a_file_under_a_wrong_key_is_listed_everywhere() {
    let harness = Harness::new();
    let keys = &WRONG_KEYS[..4];
    for key in keys {
        harness.send(key, GOOD, 5).await;
    }
    assert!(harness.answer("status --check").await.fails_check());
    let status = harness.json("status").await;
    let problem = &status["problems"][0];
    assert_eq!((&problem["weight"], &problem["code"]), (&json!("wrong"), &json!("BAD_KEY")));
    assert_eq!(problem["files"].as_array().map(Vec::len), Some(keys.len()));
    for line in ["files", "files --partner _unknown --state quarantined"] {
        let files = harness.json(line).await["files"].take();
        let listed: Vec<_> = files.as_array().expect("files").iter().map(|file| &file["key"]).collect();
        assert!(keys.iter().all(|key| listed.contains(&&json!(key))), "{line}: {listed:?}");
    }
    let (outcomes, _, _) = harness.tail("tail", 1, async |_| ()).await;
    assert_eq!(outcomes.len(), keys.len());
    assert!(outcomes.iter().all(|outcome| outcome.to_line(false, TERMINAL).contains("  BAD_KEY  ")));
    let text = harness.text("status").await;
    assert!(text.contains("BAD_KEY  4 files under a wrong key"), "{text}");
    for (key, problem) in
        [("shop/orders.csv", "only one folder"), ("ACME/Orders/x.csv", "folder `ACME` is not a name")]
    {
        let text = harness.text(&format!("show {key}")).await;
        assert!(text.replace("\n  ", " ").contains(problem), "{text}");
    }
}

#[tokio::test]
async fn every_file_is_shown_by_its_id_and_by_its_key() {
    let harness = Harness::new();
    let mut keys = WRONG_KEYS.to_vec();
    keys.extend(["north/labs/a b.csv", "north/labs/x/y/ü'$.csv", "r5g61a45bnmyhnp8sgqw0ymkjv"]);
    for key in keys {
        let file = harness.send(key, GOOD, 5).await;
        let address = format!("s3://inbox/{key}");
        let version = harness.memory.inbox_versions();
        let version = version.iter().find(|version| version.file.key == key).expect("it is there");
        for words in [
            vec![file.as_str()],
            vec![key],
            vec![address.as_str()],
            vec![key, "--version", &version.file.version],
        ] {
            let answer = harness.run_words(["scalper", "show"].into_iter().chain(words)).await;
            let answer = answer.unwrap_or_else(|failure| panic!("{key}: {failure}"));
            let story: serde_json::Value = serde_json::from_str(&answer.to_json()).expect("JSON");
            assert_eq!(story["file"], file.as_str(), "{key}");
        }
    }
    let missing = harness.run("show orders.csv --version version-000099").await;
    assert!(matches!(missing, Err(CommandError::NoSuchFile { .. })));
}

#[tokio::test]
async fn an_older_version_of_a_key_is_shown() {
    let harness = Harness::new();
    let first = harness.send("north/labs/a.csv", GOOD, 9).await;
    harness.send("north/labs/a.csv", GOOD, 5).await;
    let versions = harness.memory.inbox_versions();
    let version = versions.iter().find(|version| FileId::of(&version.file) == first).expect("the first");
    let shown = harness.json(&format!("show north/labs/a.csv --version {}", version.file.version)).await;
    assert_eq!(shown["file"], first.as_str());
}

#[tokio::test]
async fn a_quarantined_file_is_wrong_however_old_until_a_good_one_comes() {
    let harness = Harness::new();
    harness.send("north/labs/a.csv", BAD, 60 * 24 * 90).await;
    harness.send("north/labs/b.csv", GOOD, 5).await;
    assert!(harness.answer("status --check").await.fails_check(), "three months old");
    assert!(harness.answer("status --check --partner north").await.fails_check());
    harness.send("north/labs/a.csv", GOOD, 4).await;
    assert!(!harness.answer("status --check").await.fails_check());
}

#[tokio::test]
async fn an_acknowledged_file_is_left_out_and_says_who_and_why() {
    let harness = Harness::new();
    let file = harness.send("shop/orders.csv", GOOD, 60).await;
    let words = ["shop/orders.csv", "--reason", " sent again "];
    let dry = harness
        .ack(&[&words[..], &["--dry-run"]].concat())
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(dry.to_text(TERMINAL).ends_with("nothing was changed\n"));
    assert!(harness.answer("status --check").await.fails_check(), "a dry run writes nothing");

    let noted = harness.ack(&words).await.unwrap_or_else(|failure| panic!("{failure}"));
    let noted: serde_json::Value = serde_json::from_str(&noted.to_json()).expect("JSON");
    assert_eq!(noted["files"][0]["result"], "acknowledged");
    let said = json!({ "at": "2026-11-20T12:00:00Z", "by": CALLER, "reason": "sent again" });
    assert_eq!(noted["files"][0]["acknowledged"], said);
    assert!(!harness.answer("status --check").await.fails_check());
    let story = harness.json(&format!("show {file}")).await;
    assert_eq!((&story["acknowledged"], &story["open"]), (&said, &json!(false)));
    let text = harness.text(&format!("show {file}")).await;
    let by = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(by.contains(&format!("acknowledged by {CALLER} at 2026-11-20T12:00:00Z: sent again")), "{text}");

    harness.now.store(NOON_MS + 1, std::sync::atomic::Ordering::SeqCst);
    let again = harness
        .ack(&[file.as_str(), "--reason", "other"])
        .await
        .unwrap_or_else(|failure| panic!("{failure}"));
    let again: serde_json::Value = serde_json::from_str(&again.to_json()).expect("JSON");
    assert_eq!(
        (&again["files"][0]["result"], &again["files"][0]["acknowledged"]),
        (&json!("alreadyAcknowledged"), &said)
    );
}

#[tokio::test]
async fn only_quarantined_files_are_acknowledged_and_all_or_none_are_looked_at() {
    let harness = Harness::new();
    let bad = harness.send("north/labs/a.csv", BAD, 60).await;
    let good = harness.send("north/labs/b.csv", GOOD, 60).await;
    let rejected = harness.ack(&[bad.as_str(), good.as_str(), "--reason", "x"]).await;
    assert!(rejected.is_err_and(|failure| failure.exit_code() == 1));
    let unknown = harness.ack(&[bad.as_str(), "north/labs/c.csv", "--reason", "x"]).await;
    assert!(unknown.is_err_and(|failure| failure.exit_code() == 3));
    assert!(harness.answer("status --check").await.fails_check(), "nothing was noted");
}

#[tokio::test]
async fn an_acknowledgement_that_is_interrupted_anywhere_is_finished_by_the_next() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1.. {
            let harness = Harness::new();
            let files =
                [harness.send("north/labs/a.csv", BAD, 60).await, harness.send("b.csv", BAD, 60).await];
            let words = [files[0].as_str(), files[1].as_str(), "--reason", "x"];
            harness.memory.fail_at(harness.memory.calls().len() + call, when);
            if harness.ack(&words).await.is_ok() {
                assert!(call > 9, "two reads, who it is, and two writes between two notes each");
                break;
            }
            for entry in harness.memory.entries().iter().filter(|entry| entry.acknowledged.is_some()) {
                let file = FileId::of(&entry.file);
                let begun = |record: &ActRecord| record.act.subject.file.as_ref() == Some(&file);
                assert!(harness.memory.audited().iter().any(begun), "{file} was changed without a trace");
            }
            harness.now.fetch_add(60_000, std::sync::atomic::Ordering::SeqCst);
            harness.ack(&words).await.unwrap_or_else(|failure| panic!("{failure}"));
            assert!(harness.memory.entries().iter().all(|entry| !entry.open && entry.acknowledged.is_some()));
            let whole = harness.memory.audited().into_iter().filter(|record| record.end.is_some()).count();
            assert!(whole >= 2, "each file has an act with its result");
        }
    }
}

#[tokio::test]
async fn many_problems_fit_the_terminal_and_name_what_is_left_out() {
    let harness = Harness::new();
    for number in 0..43 {
        let name = "a-very-long-name-that-a-partner-chose-for-its-daily-export-of-laboratory-results";
        harness.send(&format!("lakeside/visits/{name}-{number:03}.csv"), GOOD, 100 + number).await;
    }
    for number in 0..25 {
        harness.send(&format!("p{number}/labs/day.csv"), BAD, 30).await;
    }
    let text = harness.text("status").await;
    assert!(
        text.starts_with(
            "silent-scalper at 2026-11-20T12:00:00Z: 26 problems\n\nNO_CONTRACT  43 files of lakeside/visits"
        ),
        "{text}"
    );
    let more =
        "    and 40 more:\n        scalper files --partner lakeside --feed visits --state quarantined\n";
    assert!(text.contains(more), "{text}");
    assert!(text.contains("\nand 6 more: --json lists all\n"), "{text}");
    for line in ["status", "files", "files --partner lakeside", "files --state quarantined --limit 100"] {
        for width in [80, 120] {
            let text = harness.answer(line).await.to_text(Style { width: Some(width), ..TERMINAL });
            for line in text.lines().filter(|line| !line.trim_start().starts_with("scalper ")) {
                assert!(line.chars().count() <= width, "{line}");
            }
        }
    }
    assert_eq!(harness.json("status").await["problems"].as_array().map(Vec::len), Some(26));
}

#[tokio::test]
async fn the_stacks_own_probe_is_never_listed() {
    let harness = Harness::new();
    harness.send("heartbeat/heartbeat/2026112011.csv", BAD, 60).await;
    harness.send("north/labs/a.csv", GOOD, 60).await;
    for line in ["status", "files"] {
        let json = harness.answer(line).await.to_json();
        assert!(!json.contains("heartbeat"), "{json}");
    }
    let (outcomes, _, _) = harness.tail("tail", 1, async |_| ()).await;
    assert!(outcomes.iter().all(|outcome| outcome.partner != "heartbeat") && outcomes.len() == 1);
    assert!(!harness.answer("status --check").await.fails_check(), "it has an alarm of its own");
    let asked = harness.json("files --partner heartbeat").await;
    assert_eq!(asked["files"].as_array().map(Vec::len), Some(1), "unless it is asked for, as the alarm says");
}

#[tokio::test]
async fn a_story_says_which_contract_decided_and_which_one_is_the_newest() {
    let harness = Harness::new();
    let file = harness.send("north/labs/a.csv", GOOD, 5).await;
    let show = format!("show {file}");
    let text = harness.text(&show).await;
    let same = "             still in force; the processor caches a contract for up to 60 s\n";
    assert!(text.contains(same), "{text}");
    harness.expect("labs", "schedule: \"0 8 * * *\", grace: 1h");
    let text = harness.text(&show).await;
    assert!(text.contains("in force now: version 1.2.0, SHA-256"), "{text}");
    let story = harness.json(&show).await;
    assert_eq!(story["contractCacheSeconds"], 60);
    assert!(
        story["newestContract"]["hash"].is_string()
            && story["newestContract"]["hash"] != story["contractHash"]
    );
    harness.memory.publish_contract("labs", "no contract");
    let text = harness.text(&show).await;
    assert!(text.contains("the newest version has errors: labs.odcs.yaml:1:1: "), "{text}");
    harness.memory.publish_contract(
        "labs",
        super::harness::CONTRACT.replace("FEED", "labs").replace("status: active", "status: draft"),
    );
    let text = harness.text(&show).await;
    assert!(text.contains("none is in force: a contract that is not active"), "{text}");
}
