use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use serde_json::{Value, json};

use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, assert_well_formed};

/// 2026-11-20T12:00:00Z.
const NOON_MS: u64 = 1_795_176_000_000;
const DAY_MS: u64 = 86_400_000;

fn record() -> ActRecord {
    let act = Act {
        id: ActId::of([7; 16]),
        at_ms: NOON_MS,
        by: Actor::parse("arn:aws:iam::123456789012:user/ann").unwrap(),
        verb: Verb::PartnerSuspend,
        subject: ActSubject::partner("north"),
        reason: ActReason::parse("its key leaked").ok(),
    };
    ActRecord { act, end: None }
}

fn stored(record: &ActRecord) -> Value {
    let mut item = json!({});
    for (name, value) in written(record).unwrap() {
        item[name] = match value.as_s() {
            Ok(text) => json!({ "S": text }),
            Err(_) => json!({ "N": value.as_n().unwrap() }),
        };
    }
    item["pk"] = json!({ "S": month(record.act.at_ms) });
    item["sk"] = json!({ "S": sort_key(record) });
    item
}

fn page(items: &[Value], last: Option<&Value>) -> ReplayedResponse {
    let mut body = json!({ "Items": items });
    if let Some(last) = last {
        body["LastEvaluatedKey"] = json!({ "pk": last["pk"], "sk": last["sk"] });
    }
    answer(200, body.to_string())
}

fn query() -> AuditQuery {
    AuditQuery {
        from_ms: NOON_MS - 30 * DAY_MS,
        until_ms: NOON_MS + DAY_MS,
        verb: None,
        by: None,
        partner: None,
        feed: None,
        file: None,
        limit: 20,
    }
}

fn rejected(item: Option<&Value>) -> ReplayedResponse {
    let mut body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" });
    if let Some(item) = item {
        body["Item"] = item.clone();
    }
    answer(400, body.to_string())
}

#[tokio::test]
async fn an_act_is_put_once_and_a_repeated_attempt_is_the_same_item() -> Result<(), Error> {
    let record = record();
    let item = stored(&record);
    let mut other = item.clone();
    other["verb"] = json!({ "S": "partner-resume" });
    let found = answer(200, json!({ "Item": item }).to_string());
    let (store, replay) = ScriptedService::store([
        answer(200, "{}"),
        rejected(Some(&item)),
        rejected(None),
        found,
        rejected(Some(&other)),
    ]);
    for _ in 0..3 {
        store.note(&record).await?;
    }
    assert_eq!(store.note(&record).await.unwrap_err().code, "written before");
    let put = replay.seen()[0].json();
    assert_eq!(put["Item"], item);
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(#pk)");
    assert_eq!(put["Item"]["pk"]["S"], "month#2026-11");
    let sort = put["Item"]["sk"]["S"].as_str().unwrap();
    assert!(sort.starts_with("2026-11-20T12:00:00.000Z#") && sort.ends_with("#begun"), "{sort}");
    assert!(replay.seen()[0].header("x-amz-target").is_some_and(|target| target.ends_with("PutItem")));
    Ok(())
}

#[tokio::test]
async fn a_list_is_a_query_of_each_month_and_stops_when_it_is_full() -> Result<(), Error> {
    let record = record();
    let item = stored(&record);
    let (store, replay) = ScriptedService::store([page(std::slice::from_ref(&item), None), page(&[], None)]);
    let found = store.acts(&AuditQuery { by: Some("ann".to_owned()), ..query() }).await?;
    assert_eq!((found.acts, found.complete), (vec![record], true));
    let seen = replay.seen();
    let of = |index: usize| seen[index].json()["ExpressionAttributeValues"][":of"]["S"].clone();
    assert_eq!((of(0), of(1)), (json!("month#2026-11"), json!("month#2026-10")));
    assert_eq!(seen[0].json()["FilterExpression"], "contains(#by, :by)");
    assert_eq!(seen[0].json()["ScanIndexForward"], false);
    seen.iter().for_each(assert_well_formed);

    let mut older = self::record();
    older.act.id = ActId::of([8; 16]);
    let (store, replay) = ScriptedService::store([page(&[item.clone(), item, stored(&older)], None)]);
    let found = store.acts(&AuditQuery { limit: 1, ..query() }).await?;
    assert_eq!((found.acts.len(), found.complete), (1, false), "an act once, and no other");
    assert_eq!(replay.seen().len(), 1);
    Ok(())
}

#[tokio::test]
async fn acts_on_a_partner_a_feed_or_a_file_are_one_query_of_an_index() -> Result<(), Error> {
    let file = FileId::parse("r5g61a45bnmyhnp8sgqw0ymkjv").unwrap();
    let partner = Some("north".to_owned());
    let feed = Some("labs".to_owned());
    for (asked, index, filter) in [
        (AuditQuery { partner: partner.clone(), ..query() }, "by-partner", json!(null)),
        (AuditQuery { feed: feed.clone(), ..query() }, "by-feed", json!(null)),
        (
            AuditQuery { partner: partner.clone(), feed: feed.clone(), ..query() },
            "by-partner",
            json!("#feed = :feed"),
        ),
        (AuditQuery { file: Some(file), partner, ..query() }, "by-file", json!("#partner = :partner")),
    ] {
        let (store, replay) = ScriptedService::store([page(&[], None)]);
        assert!(store.acts(&asked).await?.complete);
        let seen = replay.seen();
        assert_eq!(seen.len(), 1);
        assert_well_formed(&seen[0]);
        let json = seen[0].json();
        assert_eq!((&json["IndexName"], &json["FilterExpression"]), (&json!(index), &filter));
    }
    Ok(())
}

#[tokio::test]
async fn many_empty_pages_end_and_say_so() -> Result<(), Error> {
    let last = stored(&record());
    let (store, replay) = ScriptedService::store((0..MOST_QUERIES).map(|_| page(&[], Some(&last))));
    let found = store.acts(&query()).await?;
    assert_eq!((found.acts.len(), found.complete), (0, false));
    assert_eq!(replay.seen().len(), MOST_QUERIES);
    Ok(())
}

#[tokio::test]
async fn an_act_of_a_newer_version_is_counted_and_keeps_no_other_from_being_read() -> Result<(), Error> {
    let known = record();
    let mut newer = stored(&record());
    newer["verb"] = json!({ "S": "teleport" });
    newer["sk"] = json!({ "S": format!("2026-11-20T12:00:01.000Z#{}#begun", ActId::of([8; 16]).as_str()) });
    let (store, _) = ScriptedService::store([page(&[newer, stored(&known)], None), page(&[], None)]);
    let found = store.acts(&query()).await?;
    assert_eq!((found.acts, found.unread), (vec![known], 1));
    Ok(())
}

#[test]
fn months_go_back_over_the_new_year() {
    assert_eq!(month_before("month#2027-01").as_deref(), Some("month#2026-12"));
    assert_eq!(month_before("month#2026-12").as_deref(), Some("month#2026-11"));
    assert_eq!(month_before("month#0000-01"), None);
    let empty = AuditQuery { until_ms: 0, ..query() };
    assert_eq!(ranges(&empty).count(), 0);
    let year = AuditQuery { from_ms: NOON_MS - 365 * DAY_MS, ..query() };
    assert_eq!(ranges(&year).count(), 13);
}

#[tokio::test]
async fn the_caller_is_read_from_json_and_from_xml() -> Result<(), Error> {
    let arn = "arn:aws:iam::123456789012:user/a&b/ann";
    let json = json!({ "GetCallerIdentityResponse": { "GetCallerIdentityResult": { "Arn": arn } } });
    let xml = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a&amp;b/ann\
               </Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let answers = [answer(200, json.to_string()), answer(200, xml), answer(200, "<html>"), answer(403, "")];
    let (config, replay) = ScriptedService::configuration(answers);
    let signed = SigningClient::over(&config, SharedHttpConnector::new(replay.clone()));
    let tokens = SecurityTokens { signed };
    for _ in 0..2 {
        assert_eq!(tokens.caller().await?.as_str(), arn);
    }
    assert_eq!(tokens.caller().await.unwrap_err().code, "malformed answer");
    assert!(tokens.caller().await.unwrap_err().is_denied());
    let seen = &replay.seen()[0];
    assert_eq!(
        seen.uri,
        "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    );
    assert!(
        seen.header("authorization").is_some_and(|signed| signed.contains("/eu-central-1/sts/aws4_request"))
    );
    Ok(())
}
