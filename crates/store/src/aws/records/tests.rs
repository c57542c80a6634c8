use super::*;
use crate::aws::replay::{ScriptedService, answer, dynamodb_error};

fn items(count: usize) -> Vec<RecordItem> {
    let item = |number: usize| RecordItem {
        partition: format!("clinic/labs#{number}"),
        sort: "order#load".into(),
        attributes: vec![("n".into(), ItemValue::Number(format!("{number}.50")))],
    };
    (0..count).map(item).collect()
}

fn unprocessed(number: usize) -> String {
    format!(
        r#"{{"UnprocessedItems":{{"records":[{{"PutRequest":{{"Item":{{"pk":{{"S":"clinic/labs#{number}"}}}}}}}}]}}}}"#
    )
}

#[tokio::test]
async fn every_type_has_its_attribute_and_the_keys_win() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}")]);
    let nested = ItemValue::Map(vec![("l".into(), ItemValue::List(vec![ItemValue::Null]))]);
    let attributes = vec![
        ("text".into(), ItemValue::Text("t".into())),
        ("pk".into(), ItemValue::Text("a property's".into())),
        ("yes".into(), ItemValue::Boolean(true)),
        ("n".into(), ItemValue::Number("12345678901234567890.10".into())),
        ("m".into(), nested),
    ];
    store.write(vec![RecordItem { partition: "p".into(), sort: "s".into(), attributes }]).await?;
    let expected = serde_json::json!({
        "pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": "t"}, "yes": {"BOOL": true},
        "n": {"N": "12345678901234567890.10"}, "m": {"M": {"l": {"L": [{"NULL": true}]}}},
    });
    assert_eq!(replay.seen()[0].json()["RequestItems"]["records"][0]["PutRequest"]["Item"], expected);
    Ok(())
}

#[tokio::test]
async fn what_is_left_unprocessed_is_written_again_and_nothing_else() -> Result<(), Error> {
    let (store, replay) =
        ScriptedService::store([answer(200, unprocessed(3)), answer(200, unprocessed(3)), answer(200, "{}")]);
    store.write(items(5)).await?;
    let written: Vec<_> = replay
        .seen()
        .iter()
        .map(|seen| seen.json()["RequestItems"]["records"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(written, [5, 1, 1]);
    let records: &RecordsTable = store.as_ref();
    assert!(records.pace.width() < WIDEST);
    Ok(())
}

#[tokio::test]
async fn rows_that_are_never_taken_are_an_error_and_never_counted_as_written() {
    let (store, replay) = ScriptedService::store((0..ATTEMPTS).map(|_| answer(200, unprocessed(0))));
    let error = store.write(items(1)).await.unwrap_err();
    assert_eq!((error.code.as_str(), replay.seen().len()), ("unprocessed", 16));
}

#[tokio::test]
async fn a_throttled_call_is_written_again_at_a_slower_pace() -> Result<(), Error> {
    // Three answers: the SDK's own attempts at one call.
    let throttled = (0..3).map(|_| dynamodb_error("ThrottlingException", ""));
    let (store, replay) = ScriptedService::store(throttled.chain([answer(200, "{}")]));
    store.write(items(5)).await?;
    assert_eq!(replay.seen().len(), 4);
    let records: &RecordsTable = store.as_ref();
    assert!(records.pace.width() < WIDEST);
    Ok(())
}

#[tokio::test]
async fn a_rejected_call_is_an_error_without_the_services_words() {
    let (store, _) = ScriptedService::store([dynamodb_error("ValidationException", "")]);
    let error = store.write(items(1)).await.unwrap_err();
    assert_eq!(error.code, "ValidationException");
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn many_rows_go_in_calls_of_25() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store((0..9).map(|_| answer(200, "{}")));
    store.write(items(201)).await?;
    let mut written: Vec<_> = replay
        .seen()
        .iter()
        .map(|seen| seen.json()["RequestItems"]["records"].as_array().map_or(0, Vec::len))
        .collect();
    written.sort_unstable();
    assert_eq!(written, [1, 25, 25, 25, 25, 25, 25, 25, 25]);
    Ok(())
}

#[test]
fn the_pace_halves_and_grows_within_its_limits() {
    let pace = BatchConcurrency::default();
    for expected in [4, 2, 1, 1] {
        pace.held_back();
        assert_eq!(pace.width(), expected);
    }
    (0..20).for_each(|_| pace.taken_whole());
    assert_eq!(pace.width(), WIDEST);
}

#[tokio::test]
async fn rows_read_back_with_their_types() -> Result<(), Error> {
    let load = "r5g61a45bnmyhnp8sgqw0ymkjv-ce8hmn7mrjtx6";
    let item = format!(
        r#"{{"pk":{{"S":"north/labs#1"}},"sk":{{"S":"2#{load}"}},"_load":{{"S":"{load}"}},
        "n":{{"N":"12345678901234567890.10"}},"l":{{"L":[{{"NULL":true}},{{"BOOL":false}}]}},
        "m":{{"M":{{"b":{{"S":"x"}},"a":{{"N":"1"}}}}}}}}"#
    );
    let odd = r#"{"Items":[{"pk":{"S":"p"},"sk":{"S":"s"},"x":{"B":"AA=="}}]}"#;
    let whole = format!(r#"{{"Items":[{item}],"LastEvaluatedKey":{{"pk":{{"S":"p"}},"sk":{{"S":"2#x"}}}}}}"#);
    let (store, replay) = ScriptedService::store([answer(200, whole), answer(200, odd)]);
    let page = store.record_versions("north/labs#1", Some("3#x"), 1).await?;
    assert_eq!(page.next.as_deref(), Some("2#x"));
    let version = &page.versions[0];
    assert_eq!(version.load.as_str(), load);
    let RecordItem { attributes, .. } = &version.item;
    let names: Vec<_> = attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["_load", "l", "m", "n"]);
    assert!(attributes[3].1 == crate::ItemValue::Number("12345678901234567890.10".into()));
    let inner = |name: &str, value| (name.to_owned(), value);
    let map = vec![
        inner("a", crate::ItemValue::Number("1".into())),
        inner("b", crate::ItemValue::Text("x".into())),
    ];
    assert!(attributes[2].1 == crate::ItemValue::Map(map));
    let json = replay.seen()[0].json();
    assert_eq!(
        (&json["ConsistentRead"], &json["ExclusiveStartKey"]["sk"]["S"]),
        (&true.into(), &"3#x".into())
    );
    assert!(store.record_versions("north/labs#1", None, 1).await.is_err());
    Ok(())
}
