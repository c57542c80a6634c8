use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::Operation::{self, KeepUpload, Land, ReadContract, Spend};

use super::harness::{AuthorizerContext, GOOD, Harness, contract};
use crate::event::MOST_BODY_BYTES;

const FILES: &str = "/v1/feeds/visits/files";

#[tokio::test]
async fn a_file_lands_under_its_partner_feed_and_name_as_it_was_sent() {
    let harness = Harness::with_feeds();
    let every: Vec<u8> = (0..=255).collect();
    let reply = harness
        .ask("POST", &format!("{FILES}?name=day 1.csv"))
        .header("content-type", "text/csv")
        .body(&every)
        .reply()
        .await;
    assert_eq!(reply.status, 202);
    let landed = harness.memory.inbox_versions().pop().expect("landed");
    assert_eq!(
        (landed.file.key.as_str(), landed.content_type.as_str()),
        ("north/visits/day 1.csv", "text/csv")
    );
    assert!(landed.bytes == every);
    assert_eq!(reply.body["sha256"], hex::encode(Sha256::digest(&every)));
    assert_eq!((&reply.body["bytes"], &reply.body["name"]), (&json!(256), &json!("day 1.csv")));
    let status = format!("/api/v1/files/{}", reply.body["id"].as_str().expect("an id"));
    assert_eq!((reply.header("location"), &reply.body["status"]), (Some(status.as_str()), &json!(status)));
    assert_eq!(
        Some(reply.body["upload"].as_str().expect("an upload")),
        landed.upload.as_ref().map(store::UploadId::as_str)
    );
}

#[tokio::test]
async fn a_file_without_a_name_is_called_like_its_upload_and_costs_one_call_to_land() {
    let harness = Harness::with_feeds();
    let reply = harness.ask("POST", FILES).body(GOOD.as_bytes()).reply().await;
    assert_eq!(reply.body["name"], reply.body["upload"]);
    assert_eq!(harness.memory.calls(), [Spend, ReadContract, Spend, Land, KeepUpload, KeepUpload]);
}

#[tokio::test]
async fn what_is_rejected_is_rejected_before_anything_is_stored() {
    let harness = Harness::with_feeds();
    let large = vec![b'a'; 3_000_001];
    let too_large = vec![b'a'; MOST_BODY_BYTES + 1];
    for (path, header, body, expected) in [
        ("/v1/feeds/visits/files?name=../x", "x", GOOD.as_bytes(), (400, "invalid-name")),
        ("/v1/feeds/visits/files?name=a\u{202e}b", "x", GOOD.as_bytes(), (400, "invalid-name")),
        ("/v1/feeds/visits/files?name=", "x", GOOD.as_bytes(), (400, "invalid-name")),
        ("/v1/feeds/visits/files", "content-type=no", GOOD.as_bytes(), (400, "invalid-header")),
        ("/v1/feeds/visits/files", "idempotency-key=a b", GOOD.as_bytes(), (400, "invalid-header")),
        ("/v1/feeds/visits/files", "idempotency-key=", GOOD.as_bytes(), (400, "invalid-header")),
        (
            "/v1/feeds/visits/files",
            "content-md5=AUFAKrxLKna5cZ2REBfFkg==",
            GOOD.as_bytes(),
            (400, "checksum-mismatch"),
        ),
        ("/v1/feeds/visits/files", "x", &large, (413, "too-large")),
        ("/v1/feeds/visits/files", "x", &too_large, (413, "too-large")),
        ("/v1/feeds/other/files", "x", GOOD.as_bytes(), (404, "not-found")),
        ("/v1/feeds/..%2Fsouth/files", "x", GOOD.as_bytes(), (404, "not-found")),
        ("/v1/feeds/VISITS/files", "x", GOOD.as_bytes(), (404, "not-found")),
        ("/v1/feeds/visits/files?corrects=none", "x", GOOD.as_bytes(), (422, "unknown-correction")),
    ] {
        let (name, value) = header.split_once('=').unwrap_or((header, "1"));
        let reply = harness.ask("POST", path).header(name, value).body(body).reply().await;
        assert_eq!(reply.code(), expected, "{path} {header}");
    }
    assert!(harness.memory.inbox_versions().is_empty());
    assert!(!harness.memory.calls().contains(&Operation::Land));
}

#[tokio::test]
async fn a_checksum_that_is_right_is_no_obstacle() {
    let harness = Harness::with_feeds();
    let sha256 = STANDARD.encode(Sha256::digest(GOOD));
    let ask = harness.ask("POST", FILES).header("content-digest", &format!("sha-256=:{sha256}:"));
    assert_eq!(ask.header("x-amz-checksum-sha256", &sha256).body(GOOD.as_bytes()).reply().await.status, 202);
}

#[tokio::test]
async fn a_second_file_under_a_name_is_its_next_version() {
    let harness = Harness::with_feeds();
    let first = harness.send(&format!("{FILES}?name=day.csv"), GOOD).await;
    let second = harness.send(&format!("{FILES}?name=day.csv"), "id,name\n9,Zoe\n").await;
    assert_ne!(first, second);
    assert_eq!(harness.memory.inbox_versions().len(), 2);
}

#[tokio::test]
async fn a_file_that_lands_between_looking_and_putting_loses_nothing() {
    let harness = Harness::with_feeds();
    // Calls: requests, contract, look, bytes, put.
    harness.memory.before(5, |memory| async move {
        memory.land(store::memory::INBOX, "north/visits/day.csv", "other");
    });
    harness.send(&format!("{FILES}?name=day.csv"), GOOD).await;
    let bodies: Vec<_> = harness.memory.inbox_versions().into_iter().map(|version| version.bytes).collect();
    assert!(bodies == ["other", GOOD]);
}

#[tokio::test]
async fn a_name_that_never_rests_is_given_up_with_a_problem() {
    let harness = Harness::with_feeds();
    for call in 5..40 {
        harness.memory.before(call, move |memory| async move {
            memory.land(store::memory::INBOX, "north/visits/day.csv", format!("other {call}"));
        });
    }
    let reply = harness.ask("POST", &format!("{FILES}?name=day.csv")).body(GOOD.as_bytes()).reply().await;
    assert_eq!((reply.code(), reply.header("retry-after")), ((409, "name-conflict"), Some("1")));
    assert!(harness.memory.inbox_versions().iter().all(|version| version.upload.is_none()));
}

#[tokio::test]
async fn a_correction_is_of_the_same_partner_and_feed_and_stands_at_the_file() {
    let harness = Harness::with_feeds();
    let wrong = harness.send(&format!("{FILES}?name=wrong.csv"), GOOD).await;
    let rejected = async |words: &AuthorizerContext, feed: &str| {
        let path = format!("/v1/feeds/{feed}/files?corrects={wrong}");
        harness.ask_as(words, "POST", &path).body(GOOD.as_bytes()).reply().await.code()
            == (422, "unknown-correction")
    };
    let north = AuthorizerContext::of("north");
    assert!(rejected(&north, "visits").await, "it is not claimed yet");
    harness.process().await;
    assert!(rejected(&north, "labs").await && rejected(&AuthorizerContext::of("south"), "visits").await);
    let id = harness.send(&format!("{FILES}?corrects={wrong}"), "id,name\n1,Eve\n").await;
    let landed = harness.memory.inbox_versions();
    assert!(landed.iter().any(|version| version.corrects.as_deref() == Some(wrong.as_str())));
    assert_eq!(harness.ask("GET", &format!("/v1/files/{id}")).reply().await.body["corrects"], json!(wrong));
}

#[tokio::test]
async fn a_feed_whose_contract_quarantines_files_takes_them_for_the_processor_to_say_why() {
    let harness = Harness::new();
    harness
        .memory
        .publish_contract("visits", contract("visits", &[("id", "integer")], "").replace("active", "draft"));
    let id = harness.send(FILES, GOOD).await;
    harness.process().await;
    let reply = harness.ask("GET", &format!("/v1/files/{id}")).reply().await;
    assert_eq!(
        (&reply.body["state"], &reply.body["fault"]),
        (&json!("QUARANTINED"), &json!("CONTRACT_INACTIVE"))
    );
}

#[tokio::test]
async fn a_form_is_answered_with_what_to_send_on_every_route_that_takes_a_body() {
    let harness = Harness::with_feeds();
    let before = harness.memory.calls().len();
    for path in [
        "/v1/feeds/visits/files?name=day.csv",
        "/v1/feeds/visits/check",
        "/v1/feeds/visits/uploads",
        "/v1/uploads/7w3k0c9v5n2m4x8b1z6q0s3d5f/parts",
        "/v1/uploads/7w3k0c9v5n2m4x8b1z6q0s3d5f/complete",
    ] {
        for form in
            ["multipart/form-data; boundary=----------------------x", "application/x-www-form-urlencoded"]
        {
            let reply =
                harness.ask("POST", path).header("Content-Type", form).body(GOOD.as_bytes()).reply().await;
            assert_eq!(reply.code(), (415, "unsupported-media-type"), "{path}");
            let detail = reply.body["detail"].as_str().expect("a detail");
            let option = if path.contains("/feeds/") && !path.ends_with("uploads") {
                "-T file"
            } else {
                "application/json"
            };
            assert!(detail.contains("--data-binary @file") && detail.contains(option), "{detail}");
        }
    }
    // Only the rate of requests was looked at.
    let calls = harness.memory.calls();
    assert!(calls[before..].iter().all(|call| *call == Spend), "{calls:?}");
    let promised = json!({ "bytes": 1, "sha256": "0".repeat(64), "contentType": "multipart/form-data" });
    let reply = harness.ask("POST", "/v1/feeds/visits/uploads").json(&promised).reply().await;
    assert_eq!(reply.code(), (415, "unsupported-media-type"));
}
