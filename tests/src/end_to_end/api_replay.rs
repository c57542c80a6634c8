//! A partner has a file processed again, and reads what happened to it.

use serde_json::{Value, json};

use super::api::{ApiClient, problem, secret_of, text};
use super::files::{contract, contract_with, csv};
use super::harness::Harness;

/// The pattern of the key column, and one that no record fits.
const PATTERN: (&str, &str) = ("^[A-Z]{2}[0-9]{6}$", "^[A-Z]{3}[0-9]{6}$");

/// Adds a partner whose credential may have files replayed too.
fn operating<'s>(harness: &'s Harness, name: &str) -> ApiClient<'s> {
    let line = format!("partner add {name} --rate 1000 --burst 1000 --scopes submit,read,operate");
    harness.holder(&secret_of(&harness.scalper(&line)))
}

fn words(history: &Value) -> Vec<String> {
    history["events"].as_array().expect("events").iter().map(|event| text(event, "event")).collect()
}

#[tokio::test]
async fn a_partner_has_a_file_replayed_and_reads_what_happened() {
    let harness = Harness::open().await;
    harness.publish(&contract_with(PATTERN.0, PATTERN.1)).await;
    let (north, south) = (operating(&harness, "north"), operating(&harness, "south"));
    let sent = north.file("/v1/feeds/scans/files?name=day.csv", csv(0, 3).as_bytes());
    let file = text(&sent.json(), "id");
    assert_eq!(north.decided(&file)["state"], "QUARANTINED");
    let replay = format!("/v1/files/{file}/replay");
    assert_eq!(problem(&north.post(&replay, &Value::Null), 409), "not-replayable");

    harness.publish(&contract()).await;
    let asked = north.post(&replay, &Value::Null);
    assert_eq!(asked.status, 202, "{}", asked.text());
    let again = north.post(&replay, &Value::Null);
    assert_eq!((again.status, &again.json()["replay"]), (202, &asked.json()["replay"]), "{}", again.text());
    let path = format!("/v1/files/{file}/history");
    let ended = north.until(&path, |answer| answer.json()["replay"]["state"] == "DECIDED").json();
    assert_eq!(words(&ended), ["received", "decided", "replayed"], "{ended}");
    assert_eq!(ended["replay"]["id"], asked.json()["replay"]);
    assert_eq!(
        (&ended["events"][1]["state"], &ended["events"][2]["state"]),
        (&json!("QUARANTINED"), &json!("COMPLETE"))
    );
    assert_eq!(north.get(&format!("/v1/files/{file}")).json()["loaded"], 3);
    assert_eq!(harness.records().await.len(), 3, "one load of the file");

    nothing_of_it_is_anothers(&south, &file);
    the_trail_has_the_partner(&harness, &file);
    a_retraction_is_seen_and_not_undone_by_the_partner(&harness, &north, &file);
    harness.settle().await;
}

/// Another partner gets the answer of a file that is nowhere.
fn nothing_of_it_is_anothers(south: &ApiClient<'_>, file: &str) {
    let nowhere = "0".repeat(26);
    let ask = |file: &str| {
        let base = format!("/v1/files/{file}");
        [south.get(&format!("{base}/history")), south.post(&format!("{base}/replay"), &Value::Null)]
    };
    for (theirs, none) in ask(file).iter().zip(ask(&nowhere)) {
        assert_eq!(problem(theirs, 404), "not-found");
        let detail = |answer: &Value| answer["detail"].clone();
        assert_eq!(detail(&theirs.json()), detail(&none.json()));
    }
}

fn the_trail_has_the_partner(harness: &Harness, file: &str) {
    let acts = harness.scalper(&format!("audit --file {file}"));
    let acts = acts["acts"].as_array().expect("acts").clone();
    assert!((1..=2).contains(&acts.len()), "one for each request that found no replay: {acts:?}");
    for act in &acts {
        assert_eq!((&act["verb"], &act["result"]), (&json!("replay"), &json!("done")), "{act}");
        assert!(text(act, "by").starts_with("partner/north/"), "{act}");
    }
}

fn a_retraction_is_seen_and_not_undone_by_the_partner(harness: &Harness, north: &ApiClient<'_>, file: &str) {
    harness.scalper(&format!("retract {file} --reason planted-reason"));
    let history = north.get(&format!("/v1/files/{file}/history"));
    let document = history.json();
    assert_eq!(words(&document), ["received", "decided", "replayed", "retracted"], "{document}");
    assert!(!history.text().contains("planted-reason") && !history.text().contains("arn:"), "{document}");
    let rejected = north.post(&format!("/v1/files/{file}/replay"), &Value::Null);
    assert_eq!(problem(&rejected, 409), "not-replayable");
    harness.scalper(&format!("retract {file} --undo --reason planted-reason"));
    let document = north.get(&format!("/v1/files/{file}/history")).json();
    assert_eq!(words(&document).last().map(String::as_str), Some("restored"), "{document}");
}
