use ledger::{ActResult, Reversal, State, StateChange, Verb};
use serde_json::{Value, json};
use store::memory::When;
use store::{FileId, ReadLedger, ReverseLoads};

use super::harness::{AuthorizerContext, GOOD, Harness, MIXED, Reply, contract};

const FILES: &str = "/v1/feeds/visits/files";
/// All its records are rejected as long as an id is a number.
const FEW: &str = "id,name\nx,Ann\ny,Bob\n";

async fn ask(harness: &Harness, file: &str) -> Reply {
    harness.ask("POST", &format!("/v1/files/{file}/replay")).reply().await
}

async fn state(harness: &Harness, file: &str) -> Value {
    harness.ask("GET", &format!("/v1/files/{file}")).reply().await.body
}

/// Publishes a contract of which every record of [`FEW`] is good, and of [`MIXED`] all but one.
fn fix_contract(harness: &Harness) {
    let fixed = contract("visits", &[("id", "string")], "").replace("1.2.0", "1.3.0");
    harness.memory.publish_contract("visits", fixed);
}

/// Publishes a contract under which [`GOOD`] would be quarantined.
fn spoil_contract(harness: &Harness) {
    let strict = contract("visits", &[("id", "date")], "").replace("1.2.0", "1.4.0");
    harness.memory.publish_contract("visits", strict);
}

async fn quarantined(harness: &Harness) -> String {
    let file = harness.send(&format!("{FILES}?name=day.csv"), FEW).await;
    harness.process().await;
    assert_eq!(state(harness, &file).await["state"], "QUARANTINED");
    fix_contract(harness);
    file
}

#[tokio::test]
async fn a_quarantined_file_is_loaded_once_its_contract_is_fixed() {
    let harness = Harness::with_feeds();
    let file = quarantined(&harness).await;
    let asked = ask(&harness, &file).await;
    assert_eq!((asked.status, &asked.body["state"]), (202, &json!("ASKED")), "{}", asked.text);
    let history = format!("/api/v1/files/{file}/history");
    assert_eq!((&asked.body["history"], asked.header("location")), (&json!(history), Some(history.as_str())));
    harness.work_off().await;
    let after = state(&harness, &file).await;
    assert_eq!((&after["state"], &after["loaded"]), (&json!("COMPLETE"), &json!(2)));
    let acts = harness.memory.audited();
    let [begun, ended] = acts.as_slice() else { panic!("found {acts:?}") };
    assert_eq!(
        (begun.act.verb, begun.act.by.to_string().as_str()),
        (Verb::Replay, "partner/north/cred0000000a")
    );
    assert_eq!(begun.act.subject.file.as_ref().map(FileId::as_str), Some(file.as_str()));
    assert_eq!((&begun.act, begun.end.is_none()), (&ended.act, true));
    assert_eq!(ended.end.as_ref().map(|end| end.result), Some(ActResult::Done));
    assert!(!format!("{acts:?}").contains("planted"), "no secret is in the trail");
}

#[tokio::test]
async fn the_same_request_twice_is_one_replay() {
    let harness = Harness::with_feeds();
    let file = quarantined(&harness).await;
    let first = ask(&harness, &file).await;
    let again = ask(&harness, &file).await;
    assert_eq!((again.status, &again.body), (202, &first.body), "not begun yet");
    harness.work_off().await;
    for _ in 0..2 {
        let done = ask(&harness, &file).await;
        assert_eq!((done.status, &done.body["state"]), (202, &json!("DECIDED")));
        assert_eq!(done.body["replay"], first.body["replay"]);
    }
    assert!(harness.memory.take_sent().is_empty(), "nothing more was asked for");
    let id = FileId::parse(&file).expect("an id");
    let entry = harness.memory.entry(&id).await.expect("read").expect("an entry");
    assert_eq!((entry.generation, entry.past.outcomes.len()), (1, 1));
}

#[tokio::test]
async fn a_loaded_file_stays_loaded_where_its_replay_would_quarantine_it() {
    let harness = Harness::with_feeds();
    let file = harness.send(FILES, GOOD).await;
    harness.process().await;
    spoil_contract(&harness);
    let asked = ask(&harness, &file).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    harness.work_off().await;
    let after = state(&harness, &file).await;
    assert_eq!((&after["state"], &after["loaded"]), (&json!("COMPLETE"), &json!(2)));
    let history = harness.ask("GET", &format!("/v1/files/{file}/history")).reply().await.body;
    assert_eq!(history["events"][2]["event"], "kept");
    let kept = json!({ "id": asked.body["replay"], "state": "KEPT", "fault": "ERROR_BUDGET" });
    assert_eq!(history["replay"], kept);
    let again = ask(&harness, &file).await;
    assert_eq!((again.status, &again.body["state"]), (202, &json!("KEPT")));
    assert!(harness.memory.take_sent().is_empty(), "the answer is known");
}

#[tokio::test]
async fn a_file_that_cannot_be_replayed_is_rejected_with_the_reason() {
    let harness = Harness::with_feeds();
    let file = harness.send(FILES, GOOD).await;
    assert_eq!(ask(&harness, &file).await.code(), (409, "not-terminal"));
    harness.process().await;
    let same = ask(&harness, &file).await;
    assert_eq!(same.code(), (409, "not-replayable"));
    assert!(same.text.contains("decided under the contract in force"), "{}", same.text);

    fix_contract(&harness);
    let id = FileId::parse(&file).expect("an id");
    let entry = harness.memory.entry(&id).await.expect("read").expect("an entry");
    let receipt = "_receipts/north/visits/r.json".to_owned();
    let (from, to, other) = (State::Complete, State::Retracted, None);
    let change = StateChange { file: id, load: entry.load, from, to, receipt, other };
    let (changes, key) = (vec![change], entry.file.key);
    let hide = Reversal { changes, key, head: None, content: None, dead: Vec::new(), at_ms: 1 };
    harness.memory.reverse(&hide).await.expect("retracted");
    let retracted = ask(&harness, &file).await;
    assert_eq!(retracted.code(), (409, "not-replayable"));
    assert!(retracted.text.contains("the operator took it back"), "{}", retracted.text);

    let unknown = harness.send("/v1/feeds/labs/files", "x").await;
    harness.process().await;
    harness.memory.delete_contract("labs");
    assert!(ask(&harness, &unknown).await.text.contains("no contract that accepts files"));
    assert!(harness.memory.take_sent().is_empty() && harness.memory.audited().is_empty());
}

#[tokio::test]
async fn a_file_that_is_stored_no_longer_is_not_asked_for_again() {
    let harness = Harness::with_feeds();
    let file = quarantined(&harness).await;
    assert_eq!(ask(&harness, &file).await.status, 202);
    for version in harness.memory.inbox_versions() {
        harness.memory.delete(&version.file);
    }
    harness.work_off().await;
    let gone = ask(&harness, &file).await;
    assert_eq!(gone.code(), (409, "not-replayable"));
    assert!(gone.text.contains("stored no longer"), "{}", gone.text);
}

#[tokio::test]
async fn the_bytes_of_a_replay_count_towards_the_day_and_the_scope_is_its_own() {
    let harness = Harness::with_feeds();
    let file = quarantined(&harness).await;
    let path = format!("/v1/files/{file}/replay");
    for (word, value, expected) in [
        ("bytesPerDay", "5", (429, "too-many-requests")),
        ("scopes", "submit read", (403, "forbidden")),
        ("feeds", "labs", (404, "not-found")),
    ] {
        let words = AuthorizerContext::of("north").with(word, value);
        assert_eq!(harness.ask_as(&words, "POST", &path).reply().await.code(), expected, "{word}");
    }
    assert!(harness.memory.take_sent().is_empty() && harness.memory.audited().is_empty());
    let only = AuthorizerContext::of("north").with("scopes", "operate");
    assert_eq!(harness.ask_as(&only, "POST", &path).reply().await.status, 202);
}

/// Checks after any number of failed requests that no message is without an act, and returns how many were sent.
fn assert_traced(harness: &Harness, place: &str) -> usize {
    let begun = harness.memory.audited().iter().filter(|record| record.end.is_none()).count();
    let sent = harness.memory.take_sent();
    assert!(sent.len() <= begun, "{place}: a message without an act");
    for body in &sent {
        harness.memory.return_message(store::StackQueue::Inbox, body);
    }
    sent.len()
}

#[tokio::test]
async fn a_failure_or_death_before_or_after_any_call_ends_as_one_replay() {
    let whole = Harness::with_feeds();
    let file = quarantined(&whole).await;
    let before = whole.memory.calls().len();
    assert_eq!(ask(&whole, &file).await.status, 202);
    let calls = whole.memory.calls().len() - before;
    assert!(calls >= 7, "{calls}");
    for call in 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let harness = Harness::with_feeds();
                let file = quarantined(&harness).await;
                let at = harness.memory.calls().len() + call;
                if deadly {
                    harness.memory.die_at(at, when);
                } else {
                    harness.memory.fail_at(at, when);
                }
                let place = format!("call {call} {when:?} deadly {deadly}");
                let reply = ask(&harness, &file).await;
                assert!([202, 503].contains(&reply.status), "{place}: {}", reply.text);
                harness.memory.revive();
                assert_traced(&harness, &place);
                if reply.status == 503 {
                    assert_eq!(ask(&harness, &file).await.status, 202, "{place}");
                }
                assert!(assert_traced(&harness, &place) >= 1, "{place}: nothing was asked for");
                harness.work_off().await;
                let after = state(&harness, &file).await;
                assert_eq!((&after["state"], &after["loaded"]), (&json!("COMPLETE"), &json!(2)), "{place}");
                let id = FileId::parse(&file).expect("an id");
                let entry = harness.memory.entry(&id).await.expect("read").expect("an entry");
                assert_eq!(entry.generation, 1, "{place}: replayed once");
            }
        }
    }
}

#[tokio::test]
async fn without_the_trail_nothing_is_asked_for() {
    let harness = Harness::with_feeds();
    let file = quarantined(&harness).await;
    let before = harness.memory.calls().len();
    ask(&harness, &file).await;
    let noted =
        harness.memory.calls()[before..].iter().position(|call| *call == store::Operation::WriteAudit);
    let noted = noted.expect("a note");

    let harness = Harness::with_feeds();
    let file = quarantined(&harness).await;
    harness.memory.fail_at(harness.memory.calls().len() + noted + 1, When::BeforeEffect);
    assert_eq!(ask(&harness, &file).await.code(), (503, "unavailable"));
    assert!(harness.memory.take_sent().is_empty() && harness.memory.audited().is_empty());
}

#[tokio::test]
async fn rejected_records_of_a_loaded_file_are_rescued() {
    let harness = Harness::with_feeds();
    let file = harness.send(FILES, MIXED).await;
    harness.process().await;
    assert_eq!(state(&harness, &file).await["loaded"], 1);
    fix_contract(&harness);
    assert_eq!(ask(&harness, &file).await.status, 202);
    harness.work_off().await;
    assert_eq!(state(&harness, &file).await["loaded"], 2);
}
