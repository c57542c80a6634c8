//! Who is rejected at the partners' API, how soon, and what a role behind it may not do.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder;

use super::api::{from_now, problem, secret_of, text};
use super::files::{contract, csv};
use super::harness::{Harness, client};
use super::roles::{assert_denied, assume_role};

/// How long an answer of the authorizer is believed, and a little for the machine.
const BELIEVED: Duration = Duration::from_secs(65);

#[tokio::test]
async fn nobody_comes_in_without_a_key_of_a_partner_that_is_let_in() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    for path in ["/v1/health", "/v1/openapi.json"] {
        assert_eq!(harness.anybody().get(path).status, 200, "{path}");
    }
    let nobody = harness.anybody().get("/v1/files");
    assert_eq!(problem(&nobody, 401), "unauthorized");
    assert!(!nobody.header("www-authenticate").is_empty());
    for wrong in ["x", "", " ", "ssk_0000000000000000000000000000000000000000000"] {
        let answer = harness.holder(wrong).get("/v1/files");
        assert!([401, 403].contains(&answer.status), "{wrong:?}: {}", answer.text());
    }
    let token = harness.bearer("Bearer eyJhbGciOiJub25lIn0.e30.").get("/v1/files");
    assert_eq!(problem(&token, 401), "unauthorized", "without an issuer no token is taken");
    assert_eq!(north.get("/v1/files").status, 200);

    // A key that knows neither another feed nor another scope.
    harness.publish_feed("labs", &contract()).await;
    let narrow = harness.scalper("partner rotate north --feeds labs --scopes read");
    let narrow = harness.holder(&secret_of(&narrow));
    assert_eq!(problem(&narrow.file("/v1/feeds/labs/files", b"x"), 403), "forbidden");
    assert_eq!(problem(&narrow.get("/v1/feeds/scans/contract"), 404), "not-found");
    assert_eq!(problem(&north.get("/v1/feeds/nothing/contract"), 404), "not-found");
    for path in ["/v1/nothing", "/v1/files/x/y", "/v1/feeds/..%2f..%2fx/contract"] {
        assert_eq!(problem(&north.get(path), 404), "not-found", "{path}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_rejected_at_once_and_a_suspended_partner_within_a_minute() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let added = harness.scalper("partner list north");
    let first = text(&added["credentials"][0], "id");
    let second = harness.holder(&secret_of(&harness.scalper("partner rotate north")));
    assert_eq!(
        (north.get("/v1/files").status, second.get("/v1/files").status),
        (200, 200),
        "two keys overlap"
    );

    harness.scalper(&format!("partner revoke north {first}"));
    assert!([401, 403].contains(&north.get("/v1/files").status), "a revoked key");
    assert_eq!(second.get("/v1/files").status, 200, "the other key goes on");

    harness.scalper("partner suspend north");
    let begun = from_now();
    let rejected = second.until("/v1/files", |answer| answer.status != 200);
    assert!(begun.elapsed() < BELIEVED, "{:?}", begun.elapsed());
    assert_eq!(problem(&rejected, 403), "forbidden");
    harness.scalper("partner resume north");
    second.until("/v1/files", |answer| answer.status == 200);
}

#[tokio::test]
async fn the_roles_behind_the_api_can_not_delete_scan_or_write_elsewhere() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let sent = north.file("/v1/feeds/scans/files?name=day.csv", csv(0, 3).as_bytes()).json();
    north.decided(&text(&sent, "id"));
    let names = &harness.names;
    for function in [&names.ingest, &names.authorizer, &names.webhook] {
        let role = assume_role(&harness, function);
        let s3 = client!(aws_sdk_s3, &harness.emulator.endpoint, role.clone());
        let dynamodb = client!(aws_sdk_dynamodb, &harness.emulator.endpoint, role);
        let body = || ByteStream::from_static(b"x");
        for bucket in [&names.contracts, &names.quarantine] {
            assert_denied(
                "write a bucket",
                &s3.put_object().bucket(bucket).key("x").body(body()).send().await,
            );
        }
        for bucket in [&names.inbox, &names.contracts, &names.quarantine] {
            assert_denied("delete", &s3.delete_object().bucket(bucket).key("x").send().await);
        }
        let original = s3.get_object().bucket(&names.quarantine).key("north/scans/x/original").send().await;
        assert_denied("read rejected bytes", &original);
        for table in [&names.ledger, &names.records, &names.partners] {
            assert_denied("scan", &dynamodb.scan().table_name(table).send().await);
        }
        let attribute = || AttributeValue::S("x".to_owned());
        for table in [&names.ledger, &names.records] {
            let put = dynamodb.put_item().table_name(table).item("pk", attribute()).item("sk", attribute());
            assert_denied("write a table", &put.send().await);
        }
    }
}
