use serde_json::json;

use super::*;
use crate::LoadId;
use crate::aws::replay::{ReplayedResponse, ScriptedService, SentRequest, answer, dynamodb_error};

fn file() -> FileVersion {
    FileVersion { bucket: "inbox".into(), key: "a/b/c.csv".into(), version: "v1".into(), etag: None }
}

fn load(hash: u8) -> LoadId {
    LoadId::new(&FileId::of(&file()), &[hash; 32], 1, 0)
}

fn claim() -> Claim {
    Claim {
        file: file(),
        partner: "a".into(),
        feed: "b".into(),
        load: load(1),
        owner: "me".into(),
        order: crate::Order::parse("2026-11-21T00:00:00.000Z/1").expect("an order"),
        now_ms: 1_000,
        lease_until_ms: 2_000,
    }
}

fn fence() -> Fence {
    Fence { file: FileId::of(&file()), fence: 4, owner: "me".into(), replay: None }
}

fn outcome(state: State) -> Outcome {
    Outcome::new(state)
}

/// Returns an entry as DynamoDB shows it.
fn shown(state: &str, owner: &str, lease: u64, load: &LoadId) -> String {
    format!(
        r#"{{"pk":{{"S":"p"}},"bucket":{{"S":"inbox"}},"key":{{"S":"a/b/c.csv"}},"version":{{"S":"v1"}},
        "partner":{{"S":"a"}},"feed":{{"S":"b"}},"state":{{"S":"{state}"}},"fence":{{"N":"4"}},
        "owner":{{"S":"{owner}"}},"lease_until_ms":{{"N":"{lease}"}},"deaths":{{"N":"1"}},
        "counted_fence":{{"N":"3"}},"order":{{"S":"2026-11-21T00:00:00.000Z/1"}},"load":{{"S":"{load}"}},"rows_written":{{"N":"7"}},
        "announced":{{"BOOL":false}}}}"#
    )
}

fn written(item: &str) -> ReplayedResponse {
    answer(200, format!(r#"{{"Attributes":{item}}}"#))
}

fn rejected(item: &str) -> ReplayedResponse {
    dynamodb_error("ConditionalCheckFailedException", &format!(r#","Item":{item}"#))
}

/// Every placeholder of the expressions is defined, and none that is defined is unused: DynamoDB rejects both.
fn assert_well_formed(request: &SentRequest) {
    let json = request.json();
    let text = format!("{} {}", json["UpdateExpression"], json["ConditionExpression"]);
    let mut used: Vec<_> = text
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "_#:".contains(letter)))
        .filter(|word| word.starts_with(['#', ':']))
        .collect();
    used.sort_unstable();
    used.dedup();
    let names = json["ExpressionAttributeNames"].as_object().unwrap().keys();
    let values = json["ExpressionAttributeValues"].as_object().unwrap().keys();
    let mut defined: Vec<_> = names.chain(values).collect();
    defined.sort_unstable();
    assert_eq!(used, defined);
    assert_eq!(json["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(json["TableName"], "ledger");
}

#[tokio::test]
async fn the_usual_claim_is_one_conditional_write() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([written(&shown("PROCESSING", "me", 2_000, &load(1)))]);
    let Claimed::Mine(entry) = store.claim(&claim()).await? else { panic!("expected the claim") };
    assert_eq!((entry.fence, entry.rows_written), (4, 7));
    let seen = replay.seen();
    assert_eq!(seen.len(), 1);
    assert_well_formed(&seen[0]);
    let json = seen[0].json();
    assert_eq!(json["Key"]["pk"]["S"], format!("file#{}", FileId::of(&file())));
    assert_eq!(json["ConditionExpression"], FIRST_CONDITION);
    assert_eq!(json["ExpressionAttributeValues"][":now"]["N"], "1000");
    Ok(())
}

#[tokio::test]
async fn a_claim_of_no_partner_is_listed_under_the_reserved_name() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([written(&shown("PROCESSING", "me", 2_000, &load(1)))]);
    store.claim(&Claim { partner: String::new(), feed: String::new(), ..claim() }).await?;
    let seen = replay.seen().remove(0);
    assert_well_formed(&seen);
    let values = &seen.json()["ExpressionAttributeValues"];
    assert_eq!((&values[":partner"]["S"], &values[":feed"]["S"]), (&UNKNOWN.into(), &UNKNOWN.into()));
    Ok(())
}

#[tokio::test]
async fn a_rejected_claim_says_why() -> Result<(), Error> {
    let (store, _) = ScriptedService::store([rejected(&shown("PROCESSING", "you", 1_001, &load(1)))]);
    assert!(matches!(store.claim(&claim()).await?, Claimed::Held { until_ms: 1_001 }));
    let (store, _) = ScriptedService::store([rejected(&shown("GONE", "you", 0, &load(1)))]);
    assert!(matches!(store.claim(&claim()).await?, Claimed::Terminal(entry) if entry.state == State::Gone));
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_ours() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([rejected(&shown("PROCESSING", "me", 2_000, &load(1)))]);
    assert!(matches!(store.claim(&claim()).await?, Claimed::Mine(entry) if entry.fence == 4));
    assert_eq!(replay.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_claim_of_another_load_is_bound_to_the_entry_it_saw() -> Result<(), Error> {
    let raced = rejected(&shown("PROCESSING", "you", 5_000, &load(2)));
    let (store, replay) =
        ScriptedService::store([rejected(&shown("PROCESSING", "dead", 900, &load(2))), raced]);
    assert!(matches!(store.claim(&claim()).await?, Claimed::Held { until_ms: 5_000 }));
    let seen = replay.seen();
    assert_well_formed(&seen[1]);
    let json = seen[1].json();
    assert_eq!(json["ConditionExpression"], RELOAD_CONDITION);
    assert_eq!(json["ExpressionAttributeValues"][":seen"]["S"], "dead");
    assert_eq!(json["ExpressionAttributeValues"][":fence"]["N"], "4");
    Ok(())
}

#[tokio::test]
async fn a_claim_that_others_keep_changing_is_left_to_the_redelivery() {
    let changing = || rejected(&shown("PROCESSING", "dead", 900, &load(2)));
    let (store, replay) = ScriptedService::store((0..=CLAIM_ATTEMPTS).map(|_| changing()));
    assert_eq!(store.claim(&claim()).await.unwrap_err().code, "contended");
    assert_eq!(replay.seen().len(), 5);
}

#[tokio::test]
async fn fenced_writes_are_well_formed_and_lost_when_rejected() -> Result<(), Error> {
    let other = shown("PROCESSING", "you", 5_000, &load(1));
    let (store, replay) = ScriptedService::store((0..3).map(|_| rejected(&other)));
    assert_eq!(store.checkpoint(&fence(), 10, 3_000).await?, Fenced::Lost);
    assert_eq!(store.release(&fence()).await?, Fenced::Lost);
    assert_eq!(store.finish(&fence(), &outcome(State::Gone), 2_000).await?, Fenced::Lost);
    replay.seen().iter().for_each(assert_well_formed);
    Ok(())
}

#[tokio::test]
async fn a_death_is_recorded_once_for_each_claim_and_only_of_an_undecided_file() -> Result<(), Error> {
    let counted = rejected(&shown("PROCESSING", "you", 0, &load(1)));
    let unknown = dynamodb_error("ConditionalCheckFailedException", "");
    let (store, replay) = ScriptedService::store([answer(200, "{}"), counted, unknown]);
    for _ in 0..3 {
        store.died(&fence()).await?;
    }
    assert!(store.died(&fence()).await.is_err(), "an answer that never came is an error");
    let seen = replay.seen().remove(0);
    assert_well_formed(&seen);
    let json = seen.json();
    assert_eq!(json["ConditionExpression"], DIED_CONDITION);
    assert_eq!(json["ExpressionAttributeValues"][":fence"]["N"], "4");
    Ok(())
}

#[tokio::test]
async fn a_checkpoint_forgets_the_deaths_of_earlier_claims() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}")]);
    assert_eq!(store.checkpoint(&fence(), 10, 3_000).await?, Fenced::Kept);
    let values = &replay.seen()[0].json()["ExpressionAttributeValues"];
    assert_eq!((&values[":zero"]["N"], &values[":earlier"]["N"]), (&"0".into(), &"3".into()));
    Ok(())
}

#[tokio::test]
async fn reads_are_strongly_consistent_and_a_malformed_item_is_an_error() {
    let item = format!(r#"{{"Item":{}}}"#, shown("COMPLETE", "me", 0, &load(1)));
    let malformed = r#"{"Item":{"state":{"S":"COMPLETE"}}}"#;
    let (store, replay) =
        ScriptedService::store([answer(200, item), answer(200, "{}"), answer(200, malformed)]);
    let id = FileId::of(&file());
    assert!(matches!(store.entry(&id).await, Ok(Some(entry)) if entry.file == file()));
    assert!(matches!(store.entry(&id).await, Ok(None)));
    assert_eq!(store.entry(&id).await.unwrap_err().code, "malformed item");
    assert!(replay.seen().iter().all(|seen| seen.json()["ConsistentRead"] == true));
}

#[tokio::test]
async fn a_publication_is_noted_only_for_the_state_that_was_published() -> Result<(), Error> {
    let superseded = rejected(&shown("SUPERSEDED", "me", 0, &load(1)));
    let unknown = dynamodb_error("ConditionalCheckFailedException", "");
    let (store, replay) = ScriptedService::store([superseded, unknown, answer(200, "{}")]);
    let id = FileId::of(&file());
    store.announced(&id, State::Complete).await?;
    assert!(store.announced(&id, State::Complete).await.is_err(), "an unknown file");
    let seen = replay.seen();
    assert_well_formed(&seen[0]);
    assert_eq!(seen[0].json()["ExpressionAttributeValues"][":state"]["S"], "COMPLETE");
    Ok(())
}

#[tokio::test]
async fn only_a_quarantined_file_is_put_into_the_index_of_open_files() -> Result<(), Error> {
    for (state, opens) in [(State::Quarantined, true), (State::Gone, false)] {
        let (store, replay) = ScriptedService::store([written(&shown(state.as_str(), "me", 0, &load(1)))]);
        store.finish(&fence(), &outcome(state), 2_000).await?;
        let seen = replay.seen().remove(0);
        assert_well_formed(&seen);
        assert_eq!(seen.json()["UpdateExpression"].to_string().contains("#open_for"), opens, "{state:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_open_files_of_a_name_are_one_query_of_their_index() -> Result<(), Error> {
    let item = r#"{"pk":{"S":"file#r5g61a45bnmyhnp8sgqw0ymkjv"},"order":{"S":"2026-11-21T00:00:00.000Z/1"},"open_for":{"S":"a"}}"#;
    let (store, replay) = ScriptedService::store([answer(200, format!(r#"{{"Items":[{item}]}}"#))]);
    let open = store.open_of_name("a", "a/b/c.csv").await?;
    assert_eq!(
        (open.len(), open[0].file.as_str(), open[0].order.as_str()),
        (1, "r5g61a45bnmyhnp8sgqw0ymkjv", "2026-11-21T00:00:00.000Z/1")
    );
    let json = replay.seen()[0].json();
    assert_eq!(
        (&json["IndexName"], &json["KeyConditionExpression"]),
        (&BY_OPEN.into(), &"#open_for = :open AND #key = :key".into())
    );
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_not_open_is_closed_already() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([
        written(&shown("QUARANTINED", "me", 0, &load(1))),
        rejected(&shown("QUARANTINED", "me", 0, &load(1))),
    ]);
    store.close(&FileId::of(&file()), &FileId::of(&file()), 7).await?;
    store.close(&FileId::of(&file()), &FileId::of(&file()), 7).await?;
    let json = replay.seen()[0].json();
    assert_eq!(json["UpdateExpression"], "SET #closed = :closed REMOVE #open_for");
    let by = FileId::of(&file()).to_string();
    let closed = serde_json::json!({ ":closed": { "M": { "file": { "S": by }, "at_ms": { "N": "7" } } } });
    assert_eq!(json["ExpressionAttributeValues"], closed);
    Ok(())
}

fn item(file: &FileId, state: State) -> serde_json::Value {
    json!({"pk": {"S": format!("file#{file}")}, "bucket": {"S": "inbox"}, "key": {"S": "n/l/a"}, "version": {"S": "v"},
        "partner": {"S": "n"}, "feed": {"S": "l"}, "state": {"S": state.as_str()}, "fence": {"N": "1"},
        "owner": {"S": "o"}, "lease_until_ms": {"N": "0"},
        "order": {"S": "2026-11-21T06:00:00.000Z/0"}, "load": {"S": format!("{file}-ce8hmn7mrjtx6")},
        "rows_written": {"N": "0"}, "announced": {"BOOL": true}})
}

#[tokio::test]
async fn entries_are_read_together_until_none_is_left() -> Result<(), Error> {
    let files = ["a", "b", "c"].map(|name| FileId::parse(&name.repeat(26)).expect("an id"));
    let left = json!({"ledger": {"Keys": [{"pk": {"S": format!("file#{}", files[1])}}]}});
    let first = json!({"Responses": {"ledger": [item(&files[0], State::Complete)]}, "UnprocessedKeys": left});
    let second =
        json!({"Responses": {"ledger": [item(&files[1], State::Processing)]}, "UnprocessedKeys": {}});
    let (store, replay) =
        ScriptedService::store([answer(200, first.to_string()), answer(200, second.to_string())]);
    let found = store.entries(&files).await?;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&files[0], &files[1]], "the third has none");
    assert_eq!((found[&files[0]].announced, found[&files[1]].state), (true, State::Processing));
    let keys = |index: usize| replay.seen()[index].json()["RequestItems"]["ledger"]["Keys"].clone();
    assert_eq!(keys(0).as_array().map(Vec::len), Some(3));
    assert_eq!(keys(1), json!([{"pk": {"S": format!("file#{}", files[1])}}]));
    assert!(store.entries(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_cursor_reads_back_and_is_written_only_over_what_was_seen() -> Result<(), Error> {
    let place = InboxPlace { key: "n/l/a b".into(), version: Some("v1".into()) };
    let cursor = Cursor { revision: 4, begun_ms: 9, place: Some(place) };
    let stored = json!({"Item": {"pk": {"S": "reconciliation"}, "revision": {"N": "4"}, "begun_ms": {"N": "9"},
        "place_key": {"S": "n/l/a b"}, "place_version": {"S": "v1"}}});
    let rejected = dynamodb_error("ConditionalCheckFailedException", "");
    let answers = [answer(200, stored.to_string()), answer(200, "{}"), answer(200, "{}"), rejected];
    let (store, replay) = ScriptedService::store(answers);
    assert!(store.cursor().await?.as_ref() == Some(&cursor));
    assert!(store.cursor().await?.is_none());
    let next = Cursor { revision: 5, place: None, ..cursor.clone() };
    assert!(store.put_cursor(&cursor, None).await?);
    assert!(!store.put_cursor(&next, Some(&cursor)).await?);
    let seen = replay.seen();
    assert_eq!(seen[0].json()["Key"], json!({"pk": {"S": "reconciliation"}}));
    assert_eq!(seen[2].json()["ConditionExpression"], "attribute_not_exists(#revision)");
    assert_eq!(seen[2].json()["Item"], stored["Item"]);
    assert_eq!(seen[3].json()["ExpressionAttributeValues"], json!({":seen": {"N": "4"}}));
    assert!(seen[3].json()["Item"]["place_key"].is_null());
    Ok(())
}
