use super::*;
use crate::aws::ledger::FENCED;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, dynamodb_error};
use crate::{Fence, FileVersion, Head, LoadId, Outcome, WriteLedger};

fn file(version: &str) -> FileVersion {
    FileVersion { bucket: "inbox".into(), key: "a/b/c".into(), version: version.into(), etag: None }
}

fn head(version: &str) -> Head {
    let id = FileId::of(&file(version));
    Head { version: version.into(), load: LoadId::new(&id, &[1; 32], 1, 0), file: id }
}

fn commit() -> Commit {
    Commit {
        fence: Fence { file: FileId::of(&file("new")), fence: 4, owner: "me".into(), replay: None },
        file: file("new"),
        outcome: Outcome {
            counts: checker::Counts { records: 1, rows: 1, rejects: 0, dropped: 0, warnings: 0 },
            sha256: "hash".into(),
            bytes: 9,
            contract_version: "1".into(),
            contract_hash: "c".into(),
            receipt: "r".into(),
            ..Outcome::new(State::Complete)
        },
        head: Some(HeadMove {
            from: Some(head("old")),
            to: head("new"),
            receipt: Some("r-old".into()),
            retracted: false,
        }),
        content: Some(ContentClaim { partner: "a".into(), feed: "b".into(), sha256: "hash".into() }),
        dead: Vec::new(),
        at_ms: 7,
    }
}

/// Returns a cancellation with one reason for each part: entry, content, head, older.
fn cancelled(reasons: [&str; 4]) -> ReplayedResponse {
    let reasons = reasons.map(|reason| match reason {
        "" => r#"{"Code":"None"}"#.to_owned(),
        item if item.starts_with('{') => {
            format!(r#"{{"Code":"ConditionalCheckFailed","Item":{item}}}"#)
        }
        code => format!(r#"{{"Code":"{code}"}}"#),
    });
    dynamodb_error(
        "TransactionCanceledException",
        &format!(r#","CancellationReasons":[{}]"#, reasons.join(",")),
    )
}

/// Returns an entry as DynamoDB shows it.
fn shown(version: &str, state: &str, owner: &str, outcome: Option<&Outcome>) -> String {
    let FileVersion { bucket, key, .. } = file(version);
    let load = head(version).load;
    let outcome = outcome.map_or_else(String::new, |outcome| {
        format!(
            r#","outcome":{{"M":{{"state":{{"S":"{}"}},"records":{{"N":"1"}},"rows":{{"N":"1"}},"rejects":{{"N":"0"}},
            "warnings":{{"N":"0"}},"sha256":{{"S":"hash"}},"bytes":{{"N":"9"}},"contract_version":{{"S":"1"}},
            "contract_hash":{{"S":"c"}},"receipt":{{"S":"r"}}}}}}"#,
            outcome.state.as_str()
        )
    });
    format!(
        r#"{{"bucket":{{"S":"{bucket}"}},"key":{{"S":"{key}"}},"version":{{"S":"{version}"}},"partner":{{"S":"a"}},
        "feed":{{"S":"b"}},"state":{{"S":"{state}"}},"fence":{{"N":"4"}},"owner":{{"S":"{owner}"}},
        "lease_until_ms":{{"N":"0"}},"order":{{"S":"2026-11-21T00:00:00.000Z/1"}},
        "load":{{"S":"{load}"}},"rows_written":{{"N":"0"}}{outcome}}}"#
    )
}

fn tokens(replay: &ScriptedService) -> Vec<String> {
    let of = |seen: &crate::aws::replay::SentRequest| {
        seen.json()["ClientRequestToken"].as_str().map(str::to_owned)
    };
    replay.seen().iter().filter_map(of).collect()
}

#[tokio::test]
async fn one_transaction_moves_entry_content_head_and_the_older_entry() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}")]);
    assert_eq!(store.commit(&commit()).await?, Committed::Done);
    let json = replay.seen()[0].json();
    let items = json["TransactItems"].as_array().unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(items[0]["Update"]["ConditionExpression"], FENCED);
    assert_eq!(items[0]["Update"]["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(items[1]["Put"]["Item"]["pk"]["S"], "content#a/b#hash");
    assert_eq!(items[2]["Put"]["ConditionExpression"], HEAD_AS_SEEN);
    assert_eq!(items[2]["Put"]["ExpressionAttributeValues"][":version"]["S"], "old");
    let older = format!("file#{}", FileId::of(&file("old")));
    assert_eq!(items[3]["Update"]["Key"]["pk"]["S"], older.as_str());
    assert_eq!(items[3]["Update"]["ExpressionAttributeValues"][":receipt"]["S"], "r-old");
    assert_eq!(
        items[3]["Update"]["ExpressionAttributeValues"][":false"]["BOOL"], false,
        "to be announced anew"
    );
    assert_eq!(tokens(&replay)[0].len(), 36);
    Ok(())
}

#[tokio::test]
async fn a_first_head_and_a_replay_of_the_visible_file_touch_no_older_entry() -> Result<(), Error> {
    for from in [None, Some(head("new"))] {
        let (store, replay) = ScriptedService::store([answer(200, "{}")]);
        let mut commit = commit();
        commit.head =
            Some(HeadMove { from, to: head("new"), receipt: Some("r-old".into()), retracted: false });
        assert_eq!(store.commit(&commit).await?, Committed::Done);
        assert_eq!(replay.seen()[0].json()["TransactItems"].as_array().map(Vec::len), Some(3));
    }
    Ok(())
}

#[tokio::test]
async fn a_rejected_entry_is_lost_unless_we_decided_it() -> Result<(), Error> {
    let other = shown("new", "PROCESSING", "you", None);
    let (store, _) = ScriptedService::store([cancelled([&other, "", "ConditionalCheckFailed", ""])]);
    assert_eq!(store.commit(&commit()).await?, Committed::Lost);

    let outcome = commit().outcome;
    for state in ["COMPLETE", "SUPERSEDED"] {
        let ours = shown("new", state, "me", Some(&outcome));
        let (store, _) = ScriptedService::store([cancelled([&ours, "", "ConditionalCheckFailed", ""])]);
        assert_eq!(store.commit(&commit()).await?, Committed::Done, "{state}");
    }
    Ok(())
}

#[tokio::test]
async fn a_moved_head_is_for_the_caller() -> Result<(), Error> {
    let (store, _) =
        ScriptedService::store([cancelled(["", "", "ConditionalCheckFailed", "ConditionalCheckFailed"])]);
    assert_eq!(store.commit(&commit()).await?, Committed::HeadMoved);
    Ok(())
}

#[tokio::test]
async fn a_content_of_a_complete_file_is_a_duplicate() -> Result<(), Error> {
    let holder = FileId::of(&file("first"));
    let taken = format!(r#"{{"file":{{"S":"{holder}"}}}}"#);
    let entry = format!(r#"{{"Item":{}}}"#, shown("first", "COMPLETE", "x", None));
    let (store, _) =
        ScriptedService::store([cancelled(["", &taken, "ConditionalCheckFailed", ""]), answer(200, entry)]);
    assert_eq!(store.commit(&commit()).await?, Committed::Duplicate(holder));
    Ok(())
}

#[tokio::test]
async fn a_head_whose_load_is_not_superseded_moves_alone() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}")]);
    let mut commit = commit();
    commit.head =
        Some(HeadMove { from: Some(head("old")), to: head("new"), receipt: None, retracted: false });
    assert_eq!(store.commit(&commit).await?, Committed::Done);
    assert_eq!(replay.seen()[0].json()["TransactItems"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn a_content_of_a_file_no_longer_complete_is_taken_over() -> Result<(), Error> {
    let holder = FileId::of(&file("first"));
    let taken = format!(r#"{{"file":{{"S":"{holder}"}}}}"#);
    let entry = format!(r#"{{"Item":{}}}"#, shown("first", "RETRACTED", "x", None));
    let (store, replay) =
        ScriptedService::store([cancelled(["", &taken, "", ""]), answer(200, entry), answer(200, "{}")]);
    assert_eq!(store.commit(&commit()).await?, Committed::Done);
    let json = replay.seen()[2].json();
    let put = &json["TransactItems"][1]["Put"];
    assert_eq!(put["ExpressionAttributeValues"][":former"]["S"], holder.as_str());
    let tokens = tokens(&replay);
    assert_ne!(tokens[0], tokens[1], "another body under the same token would be rejected");
    Ok(())
}

#[tokio::test]
async fn an_older_entry_that_was_retracted_is_left_alone() -> Result<(), Error> {
    let (store, replay) =
        ScriptedService::store([cancelled(["", "", "", "ConditionalCheckFailed"]), answer(200, "{}")]);
    assert_eq!(store.commit(&commit()).await?, Committed::Done);
    assert_eq!(replay.seen()[1].json()["TransactItems"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn a_conflict_is_tried_again_under_the_same_token() -> Result<(), Error> {
    let conflict = || cancelled(["", "", "TransactionConflict", ""]);
    let (store, replay) = ScriptedService::store([conflict(), conflict(), answer(200, "{}")]);
    assert_eq!(store.commit(&commit()).await?, Committed::Done);
    let tokens = tokens(&replay);
    assert_eq!((tokens.len(), &tokens[0], &tokens[1]), (3, &tokens[1], &tokens[2]));

    let (store, _) = ScriptedService::store((0..ATTEMPTS).map(|_| conflict()));
    assert_eq!(store.commit(&commit()).await.unwrap_err().code, "TransactionConflict");
    Ok(())
}

#[tokio::test]
async fn another_reason_is_an_error() {
    let (store, _) = ScriptedService::store([cancelled(["ValidationError", "", "", ""])]);
    assert_eq!(store.commit(&commit()).await.unwrap_err().code, "ValidationError");
}
