//! A web page calls the API from a browser, which asks first (CORS).
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>

use super::harness::Harness;
use super::http::{self, HttpAnswer};

const PORTAL: &str = "https://portal.example.org";
const OTHER: &str = "https://other.example.org";
const FOREIGN: &str = "https://evil.example.org";

/// What a browser asks before it sends a file with a key.
fn asks(harness: &Harness, path: &str, origin: &str) -> HttpAnswer {
    let (host, base) = address(&harness.names.api);
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,idempotency-key,x-api-key"),
    ];
    http::send(host, "OPTIONS", &format!("{base}{path}"), &headers, b"")
}

/// Scheme and host of an address, and its path.
fn address(url: &str) -> (&str, &str) {
    let path = url.match_indices('/').nth(2).map_or(url.len(), |(place, _)| place);
    url.split_at(path)
}

#[tokio::test]
async fn pages_of_allowed_origins_call_the_api_and_upload_and_others_do_not() {
    let harness =
        Harness::open_with(&[format!("AllowedOrigins={PORTAL},{OTHER}"), "AllowIam=true".to_owned()]).await;
    let north = harness.add_partner("north");
    for path in ["/v1/feeds/scans/files", "/oauth/v1/files", "/iam/v1/files", "/v1/health"] {
        for (origin, allowed) in [(PORTAL, true), (OTHER, true), (FOREIGN, false)] {
            let answer = asks(&harness, path, origin);
            assert_eq!(answer.status, 204, "{path} {}", answer.text());
            assert_eq!(answer.header("access-control-allow-origin"), if allowed { origin } else { "" });
            assert!(answer.header("access-control-allow-headers").contains("x-api-key"), "{path}");
        }
    }
    let answered = north.send("GET", "/v1/feeds", &[("origin", OTHER)], b"");
    assert_eq!((answered.status, answered.header("access-control-allow-origin")), (200, OTHER));
    // API Gateway's own answer, which is a static text.
    let rejected = harness.anybody().send("GET", "/v1/feeds", &[("origin", PORTAL)], b"");
    assert_eq!((rejected.status, rejected.header("access-control-allow-origin")), (401, "*"));
    for (bucket, method) in [(&harness.names.inbox, "PUT"), (&harness.names.quarantine, "GET")] {
        let rules = harness.s3.get_bucket_cors().bucket(bucket).send().await.expect("rules for pages");
        let [rule] = rules.cors_rules() else { panic!("one rule: {rules:?}") };
        assert_eq!(rule.allowed_origins(), [PORTAL, OTHER]);
        assert!(rule.allowed_methods().contains(&method.to_owned()));
        assert!(rule.expose_headers().contains(&"ETag".to_owned()));
    }
}

#[tokio::test]
async fn without_allowed_origins_no_page_calls_the_api() {
    let harness = Harness::open().await;
    assert_eq!(asks(&harness, "/v1/feeds/scans/files", PORTAL).header("access-control-allow-origin"), "");
    // What is not switched on is closed before any function.
    assert_eq!(asks(&harness, "/iam/v1/files", PORTAL).status, 403);
    assert!(
        harness.s3.get_bucket_cors().bucket(&harness.names.inbox).send().await.is_err(),
        "no rules for pages"
    );
}
