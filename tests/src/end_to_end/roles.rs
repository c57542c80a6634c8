//! What the processor's role may not do.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder;
use serde_json::Value;

use super::files::csv;
use super::harness::{ACCOUNT, Harness, client};
use super::http;

#[tokio::test]
async fn the_processors_role_can_not_write_the_inbox_nor_delete_nor_scan() {
    let harness = Harness::open().await;
    harness.process("north/scans/day.csv", csv(0, 3)).await;
    let role = assume_role(&harness, &harness.names.function);
    let endpoint = &harness.emulator.endpoint;
    let s3 = client!(aws_sdk_s3, endpoint, role.clone());
    let dynamodb = client!(aws_sdk_dynamodb, endpoint, role);
    let names = &harness.names;

    let read = s3.get_object().bucket(&names.inbox).key("north/scans/day.csv").send().await;
    assert!(read.is_ok(), "the role reads the inbox, so a rejection below is about the action: {read:?}");

    let body = || ByteStream::from_static(b"x");
    assert_denied(
        "write the inbox",
        &s3.put_object().bucket(&names.inbox).key("north/scans/x.csv").body(body()).send().await,
    );
    assert_denied(
        "delete in the inbox",
        &s3.delete_object().bucket(&names.inbox).key("north/scans/day.csv").send().await,
    );
    assert_denied(
        "publish a contract",
        &s3.put_object().bucket(&names.contracts).key("scans.odcs.yaml").body(body()).send().await,
    );
    assert_denied("list the quarantine", &s3.list_objects_v2().bucket(&names.quarantine).send().await);
    assert_denied(
        "delete in the quarantine",
        &s3.delete_object().bucket(&names.quarantine).key("x").send().await,
    );
    for table in [&names.ledger, &names.records] {
        assert_denied("scan", &dynamodb.scan().table_name(table).send().await);
        let key = || AttributeValue::S("x".to_owned());
        let delete = dynamodb.delete_item().table_name(table).key("pk", key()).key("sk", key());
        assert_denied("delete an item", &delete.send().await);
    }
}

/// Denied, and not failed in another way.
pub(super) fn assert_denied<T, E: std::fmt::Debug>(what: &str, result: &Result<T, E>) {
    match result {
        Ok(_) => panic!("the role may {what}"),
        Err(error) => assert!(format!("{error:?}").contains("AccessDenied"), "{what}: {error:?}"),
    }
}

pub(super) fn assume_role(harness: &Harness, function: &str) -> Credentials {
    let endpoint = &harness.emulator.endpoint;
    let path = format!("/2015-03-31/functions/{function}/configuration");
    let owner = http::owner_of(ACCOUNT, "lambda");
    let answer = http::send(endpoint, "GET", &path, &[("authorization", &owner)], b"");
    let configuration: Value = serde_json::from_slice(&answer.body).expect("the function's configuration");
    let role = configuration["Role"].as_str().expect("a role").replace(':', "%3A").replace('/', "%2F");
    let body = format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=test&RoleArn={role}");
    let owner = http::owner_of(ACCOUNT, "sts");
    let headers = [("authorization", owner.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let answer = http::send(endpoint, "POST", "/", &headers, body.as_bytes());
    let text = String::from_utf8(answer.body).expect("XML");
    assert_eq!(answer.status, 200, "{text}");
    let part = |name: &str| {
        let after = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")).1;
        after.split('<').next().unwrap_or_default().to_owned()
    };
    Credentials::new(
        part("AccessKeyId"),
        part("SecretAccessKey"),
        Some(part("SessionToken")),
        None,
        "the function's role",
    )
}
