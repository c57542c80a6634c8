use super::*;
use crate::aws::replay::{Replay, answer, dynamodb_error};

fn items(count: usize) -> Vec<Item> {
    let item = |number: usize| Item {
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
    let (aws, replay) = Replay::store([answer(200, "{}")]);
    let nested = ItemValue::Map(vec![("l".into(), ItemValue::List(vec![ItemValue::Null]))]);
    let attributes = vec![
        ("text".into(), ItemValue::Text("t".into())),
        ("pk".into(), ItemValue::Text("a property's".into())),
        ("yes".into(), ItemValue::Boolean(true)),
        ("n".into(), ItemValue::Number("12345678901234567890.10".into())),
        ("m".into(), nested),
    ];
    aws.write(vec![Item { partition: "p".into(), sort: "s".into(), attributes }]).await?;
    let expected = serde_json::json!({
        "pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": "t"}, "yes": {"BOOL": true},
        "n": {"N": "12345678901234567890.10"}, "m": {"M": {"l": {"L": [{"NULL": true}]}}},
    });
    assert_eq!(replay.seen()[0].json()["RequestItems"]["records"][0]["PutRequest"]["Item"], expected);
    Ok(())
}

#[tokio::test]
async fn what_is_left_unprocessed_is_written_again_and_nothing_else() -> Result<(), Error> {
    let (aws, replay) =
        Replay::store([answer(200, unprocessed(3)), answer(200, unprocessed(3)), answer(200, "{}")]);
    aws.write(items(5)).await?;
    let written: Vec<_> = replay
        .seen()
        .iter()
        .map(|seen| seen.json()["RequestItems"]["records"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(written, [5, 1, 1]);
    assert!(aws.pace.width() < WIDEST);
    Ok(())
}

#[tokio::test]
async fn rows_that_are_never_taken_are_an_error_and_never_counted_as_written() {
    let (aws, replay) = Replay::store((0..ATTEMPTS).map(|_| answer(200, unprocessed(0))));
    let error = aws.write(items(1)).await.unwrap_err();
    assert_eq!((error.code.as_str(), replay.seen().len()), ("unprocessed", 16));
}

#[tokio::test]
async fn a_throttled_call_is_written_again_at_a_slower_pace() -> Result<(), Error> {
    // Three answers: the SDK's own attempts at one call.
    let throttled = (0..3).map(|_| dynamodb_error("ThrottlingException", ""));
    let (aws, replay) = Replay::store(throttled.chain([answer(200, "{}")]));
    aws.write(items(5)).await?;
    assert_eq!(replay.seen().len(), 4);
    assert!(aws.pace.width() < WIDEST);
    Ok(())
}

#[tokio::test]
async fn a_rejected_call_is_an_error_without_the_services_words() {
    let (aws, _) = Replay::store([dynamodb_error("ValidationException", "")]);
    let error = aws.write(items(1)).await.unwrap_err();
    assert_eq!(error.code, "ValidationException");
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn many_rows_go_in_calls_of_25() -> Result<(), Error> {
    let (aws, replay) = Replay::store((0..9).map(|_| answer(200, "{}")));
    aws.write(items(201)).await?;
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
    let pace = Pace::default();
    for expected in [4, 2, 1, 1] {
        pace.held_back();
        assert_eq!(pace.width(), expected);
    }
    (0..20).for_each(|_| pace.taken_whole());
    assert_eq!(pace.width(), WIDEST);
}
