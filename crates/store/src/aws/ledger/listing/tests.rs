use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, assert_well_formed};
use crate::{FileId, FileVersion, ReadLedger, State};

fn shown(number: u32, state: &str) -> String {
    let id = FileId::of(&FileVersion {
        bucket: "inbox".into(),
        key: number.to_string(),
        version: "v".into(),
        etag: None,
    });
    format!(
        r#"{{"pk":{{"S":"file#{id}"}},"partner":{{"S":"north"}},"order":{{"S":"2026-11-{number:02}/1"}},
        "feed":{{"S":"labs"}},"state":{{"S":"{state}"}},"bucket":{{"S":"inbox"}},"key":{{"S":"{number}"}},
        "version":{{"S":"v"}}}}"#
    )
}

fn page(items: &[String], last: Option<&String>) -> ReplayedResponse {
    let last = last.map_or_else(String::new, |last| format!(r#","LastEvaluatedKey":{last}"#));
    answer(200, format!(r#"{{"Items":[{}]{last}}}"#, items.join(",")))
}

#[tokio::test]
async fn files_are_one_query_of_the_index_under_the_callers_name() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([page(&[shown(5, "COMPLETE"), shown(4, "COMPLETE")], None)]);
    let file = FileId::parse("r5g61a45bnmyhnp8sgqw0ymkjv").unwrap();
    let query = FileQuery {
        partner: "north".into(),
        from: Some("2026-11-01".into()),
        before: Some("2026-11-05/1".into()),
        limit: 20,
        after: Some(FilePlace { order: "2026-11-04/9".into(), file: file.clone() }),
        ..FileQuery::default()
    };
    let found = store.files(&query).await?;
    assert_eq!(found.files.len(), 1, "the upper bound is left out");
    assert_eq!((found.files[0].state, &found.files[0].outcome), (State::Complete, &None));
    let seen = replay.seen().remove(0);
    assert_well_formed(&seen);
    let json = seen.json();
    assert_eq!((&json["IndexName"], &json["ScanIndexForward"]), (&"by-partner".into(), &false.into()));
    assert_eq!(json["ExpressionAttributeValues"][":partner"]["S"], "north");
    assert_eq!(json["ExclusiveStartKey"]["partner"]["S"], "north");
    assert_eq!(json["ExclusiveStartKey"]["pk"]["S"], format!("file#{file}"));
    Ok(())
}

#[tokio::test]
async fn a_filter_looks_through_few_pages_and_tells_where_to_go_on() -> Result<(), Error> {
    let last = |number| shown(number, "COMPLETE");
    let answers = (0..5).map(|number| page(&[], Some(&last(9 - number))));
    let (store, replay) = ScriptedService::store(answers);
    let query = FileQuery {
        partner: "north".into(),
        state: Some(State::Gone),
        feed: Some("labs".into()),
        limit: 10,
        ..FileQuery::default()
    };
    let found = store.files(&query).await?;
    assert!(found.files.is_empty());
    assert_eq!(found.next.map(|next| next.order).as_deref(), Some("2026-11-05/1"));
    let seen = replay.seen();
    assert_eq!(seen.len(), 5);
    seen.iter().for_each(assert_well_formed);
    assert_eq!(seen[0].json()["Limit"], 100);

    let (store, _) = ScriptedService::store([page(&[shown(5, "GONE"), shown(4, "GONE")], None)]);
    let found = store.files(&FileQuery { limit: 1, ..query }).await?;
    assert_eq!(
        found.next.map(|next| next.order).as_deref(),
        Some("2026-11-05/1"),
        "more was found than asked for"
    );
    Ok(())
}

#[tokio::test]
async fn bounds_that_dynamodb_would_reject_find_nothing() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([]);
    let place =
        FilePlace { order: "2025/1".into(), file: FileId::parse("r5g61a45bnmyhnp8sgqw0ymkjv").unwrap() };
    let all = FileQuery { partner: "north".into(), limit: 1, ..FileQuery::default() };
    let query = |from: &str, before: &str| FileQuery {
        from: Some(from.into()),
        before: Some(before.into()),
        ..all.clone()
    };
    let behind = FileQuery { from: Some("2026".into()), after: Some(place), ..all.clone() };
    for query in [query("2026", "2025"), query("", ""), behind] {
        assert!(store.files(&query).await?.files.is_empty());
    }
    assert!(replay.seen().is_empty());
    Ok(())
}
