use serde_json::{Value, json};

use super::*;
use crate::LoadId;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, dynamodb_error};

fn wanted() -> Claim {
    let file = FileVersion {
        bucket: "inbox".into(),
        key: "north/labs/c.csv".into(),
        version: "v1".into(),
        etag: None,
    };
    Claim {
        load: LoadId::new(&FileId::of(&file), &[1; 32], 1, 0),
        file,
        partner: "north".into(),
        feed: "labs".into(),
        owner: "me".into(),
        order: crate::Order::parse("2026-11-21T00:00:00.000Z/1").expect("an order"),
        now_ms: 1_000,
        lease_until_ms: 2_000,
    }
}

fn held() -> Hold {
    Hold {
        partner: "north".into(),
        feed: "labs".into(),
        since_ms: 1_000,
        by: Arn::parse("arn:aws:iam::123456789012:user/ann").expect("an ARN"),
        reason: "a test".into(),
    }
}

fn shown(since_ms: u64) -> Value {
    json!({"pk": {"S": "hold#north/labs"}, "partner": {"S": "_holds"}, "feed": {"S": "north/labs"},
        "order": {"S": "1970-01-01T00:00:01.000Z"}, "since_ms": {"N": since_ms.to_string()},
        "by": {"S": held().by.as_str()}, "reason": {"S": "a test"}})
}

fn cancelled(reasons: &Value) -> ReplayedResponse {
    dynamodb_error("TransactionCanceledException", &format!(r#","CancellationReasons":{reasons}"#))
}

#[tokio::test]
async fn a_file_waits_by_one_transaction_that_fails_without_the_hold() -> Result<(), Error> {
    let released = cancelled(&json!([{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]));
    let (store, replay) = ScriptedService::store([answer(200, "{}"), released]);
    assert_eq!(store.hold_file(&wanted()).await?, FileHeld::Waits);
    assert_eq!(store.hold_file(&wanted()).await?, FileHeld::Released);
    let seen = replay.seen();
    let json = seen[0].json();
    let parts = json["TransactItems"].as_array().expect("parts");
    let [file, hold] = [&parts[0]["Update"], &parts[1]["Update"]];
    assert_eq!(parts.len(), 2);
    assert_eq!(file["ConditionExpression"], MAY_WAIT);
    assert_eq!(file["ExpressionAttributeValues"][":place"], json!({"S": "north/labs"}));
    assert_eq!(hold["Key"], json!({"pk": {"S": "hold#north/labs"}}));
    assert_eq!(hold["ConditionExpression"], IS_HELD);
    for part in [file, hold] {
        let text = format!("{} {}", part["UpdateExpression"], part["ConditionExpression"]);
        let mut used: Vec<_> = text
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || "_#:".contains(letter)))
            .filter(|word| word.starts_with(['#', ':']))
            .collect();
        used.sort_unstable();
        used.dedup();
        let named = part["ExpressionAttributeNames"].as_object().expect("names").keys();
        let mut defined: Vec<_> =
            named.chain(part["ExpressionAttributeValues"].as_object().expect("values").keys()).collect();
        defined.sort_unstable();
        assert_eq!(used, defined);
    }
    Ok(())
}

#[tokio::test]
async fn a_feed_that_was_released_is_released_whatever_became_of_the_file() -> Result<(), Error> {
    let both = cancelled(&json!([{"Code": "ConditionalCheckFailed"}, {"Code": "ConditionalCheckFailed"}]));
    let (store, replay) = ScriptedService::store([both]);
    assert_eq!(store.hold_file(&wanted()).await?, FileHeld::Released);
    assert_eq!(replay.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn files_that_meet_at_the_hold_try_again() -> Result<(), Error> {
    let conflict = || cancelled(&json!([{"Code": "None"}, {"Code": "TransactionConflict"}]));
    let meets = |times: usize| (0..times).map(|_| conflict());
    let (store, _) = ScriptedService::store(meets(15).chain([answer(200, "{}")]));
    assert_eq!(store.hold_file(&wanted()).await?, FileHeld::Waits);
    let (store, replay) = ScriptedService::store(meets(16));
    let failed = store.hold_file(&wanted()).await.expect_err("contended");
    assert_eq!((failed.code.as_str(), replay.seen().len()), ("TransactionConflict", 16));
    Ok(())
}

#[tokio::test]
async fn holds_are_listed_by_their_partition_of_the_index_and_read_as_they_are_now() -> Result<(), Error> {
    let listed = json!({"Items": [
        {"pk": {"S": "hold#north/labs"}, "partner": {"S": "_holds"}, "feed": {"S": "north/labs"}},
        {"pk": {"S": "hold#north/gone"}, "partner": {"S": "_holds"}, "feed": {"S": "north/gone"}}]});
    let read = json!({"Item": shown(1_000)});
    let (store, replay) = ScriptedService::store([
        answer(200, listed.to_string()),
        answer(200, read.to_string()),
        answer(200, "{}"),
    ]);
    assert_eq!(store.holds().await?, [held()], "one was released since");
    let seen = replay.seen();
    assert_eq!(seen[0].json()["ExpressionAttributeValues"], json!({":holds": {"S": "_holds"}}));
    assert_eq!(seen[1].json()["ConsistentRead"], true);
    Ok(())
}

#[tokio::test]
async fn a_hold_by_anything_but_an_arn_is_malformed() -> Result<(), Error> {
    let mut item = shown(1_000);
    let answers = [item.clone(), {
        item["by"] = json!({"S": "ann"});
        item
    }];
    let answers = answers.map(|item| answer(200, json!({ "Item": item }).to_string()));
    let (store, _) = ScriptedService::store(answers);
    assert_eq!(store.hold("north", "labs").await?, Some(held()));
    assert_eq!(store.hold("north", "labs").await.expect_err("no ARN").code, "malformed item");
    Ok(())
}

#[tokio::test]
async fn a_hold_that_others_made_stays() -> Result<(), Error> {
    let before = |since_ms: u64| {
        dynamodb_error("ConditionalCheckFailedException", &format!(r#","Item":{}"#, shown(since_ms)))
    };
    let (store, replay) = ScriptedService::store([
        answer(200, "{}"),
        before(1_000),
        before(900),
        answer(200, "{}"),
        before(900),
    ]);
    assert_eq!(store.put_hold(&held()).await?, HoldPut::Made);
    assert_eq!(store.put_hold(&held()).await?, HoldPut::Made, "the answer was lost");
    let earlier = Hold { since_ms: 900, ..held() };
    assert_eq!(store.put_hold(&held()).await?, HoldPut::Before(earlier));
    assert!(store.end_hold(&held()).await?);
    assert!(!store.end_hold(&held()).await?);
    let seen = replay.seen();
    assert_eq!(seen[0].json()["Item"], shown(1_000));
    assert_eq!(seen[3].json()["ConditionExpression"], SAME_HOLD);
    Ok(())
}
