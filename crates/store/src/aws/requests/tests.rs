use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, assert_well_formed, dynamodb_error};

const LIMITS: PartnerLimits = PartnerLimits { requests_per_second: 2, burst: 3, bytes_per_day: 100 };
/// 1 January 1970, 00:01:00.
const NOW_MS: u64 = 60_000;

fn rejected(item: &str) -> ReplayedResponse {
    dynamodb_error("ConditionalCheckFailedException", &format!(r#","Item":{item}"#))
}

#[tokio::test]
async fn a_request_within_the_rate_is_one_conditional_write() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}")]);
    assert_eq!(store.take_request("north", &LIMITS, NOW_MS).await?, Spent::Yes);
    let seen = replay.seen();
    assert_eq!(seen.len(), 1);
    assert_well_formed(&seen[0]);
    let json = seen[0].json();
    assert_eq!(json["Key"]["pk"]["S"], "limit#north");
    assert_eq!(json["ExpressionAttributeValues"][":next"]["N"], "60500000");
    assert_eq!(json["ExpressionAttributeValues"][":ends"]["N"], "86460", "seconds, a day later");
    Ok(())
}

#[tokio::test]
async fn a_burst_takes_a_second_write_and_one_over_it_learns_when_to_come_again() -> Result<(), Error> {
    let due = |arrival: u64| rejected(&format!(r#"{{"arrival_us":{{"N":"{arrival}"}}}}"#));
    let (store, replay) = ScriptedService::store([due(60_500_000), answer(200, "{}")]);
    assert_eq!(store.take_request("north", &LIMITS, NOW_MS).await?, Spent::Yes);
    replay.seen().iter().for_each(assert_well_formed);

    let (store, replay) = ScriptedService::store([due(61_500_000)]);
    let wait = Spent::Wait { milliseconds: 500 };
    assert_eq!(store.take_request("north", &LIMITS, NOW_MS).await?, wait);
    assert_eq!(replay.seen().len(), 1);

    let (store, _) = ScriptedService::store([due(61_000_000), due(61_500_000)]);
    assert_eq!(store.take_request("north", &LIMITS, NOW_MS).await?, wait, "others were first");
    Ok(())
}

#[tokio::test]
async fn bytes_of_a_day_are_one_conditional_write_and_a_whole_day_none() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([answer(200, "{}"), rejected(r#"{"bytes":{"N":"99"}}"#)]);
    let tomorrow = Spent::Wait { milliseconds: 24 * 3_600_000 - NOW_MS };
    assert_eq!(store.take_bytes("north", &LIMITS, 101, NOW_MS).await?, tomorrow);
    assert_eq!(store.take_bytes("north", &LIMITS, 60, NOW_MS).await?, Spent::Yes);
    assert_eq!(store.take_bytes("north", &LIMITS, 2, NOW_MS).await?, tomorrow);
    let seen = replay.seen();
    assert_eq!(seen.len(), 2);
    assert_well_formed(&seen[0]);
    assert_eq!(seen[0].json()["Key"]["sk"]["S"], "day#0");
    assert_eq!(seen[0].json()["ExpressionAttributeValues"][":remaining"]["N"], "40");
    Ok(())
}

#[tokio::test]
async fn a_request_that_was_begun_is_answered_as_it_stands() -> Result<(), Error> {
    let kept = |more: &str| rejected(&format!(r#"{{"fingerprint":{{"S":"print"}}{more}}}"#));
    let answers = [
        answer(200, "{}"),
        kept(r#","attempt":{"S":"another"},"until_ms":{"N":"70000"}"#),
        kept(r#","status":{"N":"202"},"body":{"S":"{}"}"#),
        kept(""),
    ];
    let (store, replay) = ScriptedService::store(answers);
    let key = RequestKey { partner: "north".into(), hash: "h".into() };
    assert_eq!(store.begin(&key, "print", NOW_MS, 70_000).await?, Begun::New);
    assert_eq!(store.begin(&key, "print", NOW_MS, 70_000).await?, Begun::Running);
    let answered = crate::StoredResponse { status: 202, body: "{}".into() };
    assert_eq!(store.begin(&key, "print", NOW_MS, 70_000).await?, Begun::Answered(answered));
    assert_eq!(store.begin(&key, "other", NOW_MS, 70_000).await?, Begun::Differs);
    let seen = replay.seen();
    seen.iter().for_each(assert_well_formed);
    assert_eq!(seen[0].json()["Item"]["pk"]["S"], "request#north");
    assert_eq!(seen[0].json()["Item"]["ends"]["N"], "86470");
    let attempts: Vec<_> = seen.iter().map(|seen| seen.json()["Item"]["attempt"]["S"].to_string()).collect();
    assert_ne!(attempts[0], attempts[1]);
    Ok(())
}
