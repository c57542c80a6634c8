use ledger::{Acknowledgement, HeadMove, Reversal, State, StateChange};
use serde_json::{Value, json};
use store::{Acknowledge, FileId, ReadLedger, ReverseLoads};

use super::harness::{AuthorizerContext, GOOD, Harness, Reply, contract};

const FILES: &str = "/v1/feeds/visits/files";
const FEW: &str = "id,name\nx,Ann\ny,Bob\n";

async fn history(harness: &Harness, file: &str) -> Reply {
    harness.ask("GET", &format!("/v1/files/{file}/history")).reply().await
}

/// Returns what happened, with the state from then on and the other file.
fn events(reply: &Reply) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let all = reply.body["events"].as_array().expect("events").iter();
    all.map(|event| (text(&event["event"]), text(&event["state"]), event["other"].clone())).collect()
}

fn event(word: &str, state: &str) -> (String, String, Value) {
    (word.to_owned(), state.to_owned(), Value::Null)
}

/// Publishes a contract under which the name of a visit may be long.
fn publish_another(harness: &Harness) {
    let wider = contract("visits", &[("id", "string")], "").replace("1.2.0", "1.3.0");
    harness.memory.publish_contract("visits", wider);
}

#[tokio::test]
async fn a_file_that_landed_was_received_and_then_decided() {
    let harness = Harness::with_feeds();
    let file = harness.send(FILES, GOOD).await;
    let landed = history(&harness, &file).await;
    assert_eq!((landed.status, &landed.body["state"]), (200, &json!("RECEIVED")));
    assert_eq!(events(&landed), [event("received", "-")]);
    harness.process().await;
    let decided = history(&harness, &file).await;
    assert_eq!(events(&decided), [event("received", "-"), event("decided", "COMPLETE")]);
    let load = &decided.body["events"][1];
    assert_eq!((&load["generation"], &load["counts"]["rows"]), (&json!(0), &json!(2)));
    assert_eq!(load["contractVersion"], "1.2.0");
    assert!(load["at"].as_str().is_some_and(|at| at.starts_with("2026-11-20T")), "{load}");
    assert_eq!((&decided.body["complete"], &decided.body["replay"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_replay_a_newer_version_and_a_good_file_of_the_name_are_events() {
    let harness = Harness::with_feeds();
    let file = harness.send(&format!("{FILES}?name=day.csv"), FEW).await;
    harness.process().await;
    publish_another(&harness);
    let asked = harness.ask("POST", &format!("/v1/files/{file}/replay")).reply().await;
    harness.work_off().await;
    let replayed = history(&harness, &file).await;
    assert_eq!(
        events(&replayed),
        [event("received", "-"), event("decided", "QUARANTINED"), event("replayed", "COMPLETE")]
    );
    let loads = &replayed.body["events"];
    assert_eq!((&loads[1]["counts"]["rejects"], &loads[1]["contractVersion"]), (&json!(2), &json!("1.2.0")));
    assert_eq!((&loads[2]["counts"]["rows"], &loads[2]["contractVersion"]), (&json!(2), &json!("1.3.0")));
    assert_eq!((&loads[1]["fault"], &loads[2]["fault"]), (&json!("ERROR_BUDGET"), &Value::Null));
    let replay = json!({ "id": asked.body["replay"], "state": "DECIDED", "fault": null });
    assert_eq!(replayed.body["replay"], replay);
}

#[tokio::test]
async fn what_closed_a_file_and_that_it_was_acknowledged_are_events_without_who_and_why() {
    let harness = Harness::with_feeds();
    let bad = harness.send(&format!("{FILES}?name=day.csv"), FEW).await;
    harness.process().await;
    harness.wait(1_000_000);
    let good = harness.send(&format!("{FILES}?name=day.csv"), GOOD).await;
    harness.process().await;
    let id = FileId::parse(&bad).expect("an id");
    let (by, reason) = ("arn:aws:sts::123456789012:assumed-role/operator/ann", "planted reason");
    let said = Acknowledgement { at_ms: 1_795_999_999_000, by: by.to_owned(), reason: reason.to_owned() };
    harness.memory.acknowledge(&id, &said).await.expect("acknowledged");
    let reply = history(&harness, &bad).await;
    let resolved = ("resolved".to_owned(), "-".to_owned(), json!(good));
    assert_eq!(
        events(&reply),
        [event("received", "-"), event("decided", "QUARANTINED"), resolved, event("acknowledged", "-")]
    );
    assert!(!reply.text.contains("ann") && !reply.text.contains("planted"), "{}", reply.text);
}

#[tokio::test]
async fn a_retraction_and_its_end_are_events() {
    let harness = Harness::with_feeds();
    let file = harness.send(FILES, GOOD).await;
    harness.process().await;
    let id = FileId::parse(&file).expect("an id");
    for (from, to, at_ms) in [(State::Complete, State::Retracted, 1), (State::Retracted, State::Complete, 2)]
    {
        let entry = harness.memory.entry(&id).await.expect("read").expect("an entry");
        let change = StateChange {
            file: id.clone(),
            load: entry.load.clone(),
            from,
            to,
            receipt: format!("_receipts/north/visits/{at_ms}.json"),
            other: None,
        };
        let at_ms = 1_795_999_999_000 + at_ms;
        let head: Option<HeadMove> = None;
        let (changes, key, dead) = (vec![change], entry.file.key, Vec::new());
        let reversal = Reversal { changes, key, head, content: None, dead, at_ms };
        harness.memory.reverse(&reversal).await.expect("reversed");
    }
    let reply = history(&harness, &file).await;
    let expected = [
        event("received", "-"),
        event("decided", "COMPLETE"),
        event("retracted", "RETRACTED"),
        event("restored", "COMPLETE"),
    ];
    assert_eq!(events(&reply), expected);
    assert_eq!(reply.body["events"][2]["at"], "2026-11-30T00:53:19.001Z");
}

#[tokio::test]
async fn only_a_credential_that_reads_the_feed_reads_the_history() {
    let harness = Harness::with_feeds();
    let file = harness.send(FILES, GOOD).await;
    harness.process().await;
    let path = format!("/v1/files/{file}/history");
    for (word, value, expected) in
        [("scopes", "submit operate", (403, "forbidden")), ("feeds", "labs", (404, "not-found"))]
    {
        let words = AuthorizerContext::of("north").with(word, value);
        assert_eq!(harness.ask_as(&words, "GET", &path).reply().await.code(), expected, "{word}");
    }
}
