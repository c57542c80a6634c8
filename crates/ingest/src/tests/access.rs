use std::collections::BTreeSet;

use serde_json::json;
use store::{Credential, Feeds, Partner, PartnerLimits, Scope, WritePartners};

use super::harness::{AuthorizerContext, BEGIN, GOOD, Harness};
use crate::route::{RouteAccess, RouteDefinition, TABLE};

/// Returns the path of a route with something in each variable.
fn some_path(definition: &RouteDefinition) -> String {
    let id = "r5g61a45bnmyhnp8sgqw0ymkjv";
    definition
        .path
        .replace("{feed}", "visits")
        .replace("{file}", id)
        .replace("{upload}", id)
        .replace("{key+}", "1")
}

#[tokio::test]
async fn an_unknown_caller_reaches_only_the_two_open_routes() {
    let harness = Harness::with_feeds();
    for definition in &TABLE {
        for tree in ["", "/oauth", "/iam"] {
            let path = format!("{tree}{}", some_path(definition));
            let reply = harness.ask_bare(definition.method, &path).reply().await;
            let expected = match (definition.access, tree) {
                (RouteAccess::Open, _) => 200,
                (RouteAccess::Scopes(_), "/iam") => 403,
                (RouteAccess::Scopes(_), _) => 401,
            };
            assert_eq!(reply.status, expected, "{path}");
        }
    }
    assert_eq!(harness.ask_bare("GET", "/v1/nothing").reply().await.status, 401);
    assert!(harness.memory.calls().is_empty());
}

#[tokio::test]
async fn an_incomplete_authorizer_context_is_unauthorized() {
    let harness = Harness::with_feeds();
    for (word, value) in [("partner", "NORTH"), ("partner", "a/b"), ("rate", "many"), ("bytesPerDay", "")] {
        let reply = harness
            .ask_as(&AuthorizerContext::of("north").with(word, value), "GET", "/v1/files")
            .reply()
            .await;
        assert_eq!(reply.code(), (401, "unauthorized"), "{word}");
    }
}

#[tokio::test]
async fn each_scope_opens_exactly_the_routes_that_the_table_gives_it() {
    for scope in Scope::ALL {
        for definition in &TABLE {
            let harness = Harness::with_feeds();
            let words = AuthorizerContext::of("north").with("scopes", scope.as_str());
            let reply = harness.ask_as(&words, definition.method, &some_path(definition)).reply().await;
            let allowed = match definition.access {
                RouteAccess::Open => true,
                RouteAccess::Scopes(any) => any.contains(&scope),
            };
            assert_eq!(reply.status != 403, allowed, "{scope:?} {}", definition.operation);
            if !allowed {
                assert_eq!(reply.code(), (403, "forbidden"));
                assert_eq!(
                    harness.memory.calls(),
                    [store::Operation::Spend],
                    "nothing is asked of the store"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_right_ones() {
    let harness = Harness::with_feeds();
    let reply = harness.ask("PUT", "/v1/uploads/x").reply().await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, DELETE")));
    for (method, path) in [
        ("get", "/v1/files"),
        ("POST", "/v1/files"),
        ("GET", "/v1/feeds/visits/files"),
        ("HEAD", "/v1/feeds"),
    ] {
        assert_eq!(
            harness.ask(method, path).reply().await.code(),
            (405, "method-not-allowed"),
            "{method} {path}"
        );
    }
    for path in ["/", "/v1", "/v2/files", "/v1/files/x/y", "/v1/feeds/", "/v1//files"] {
        assert_eq!(harness.ask("GET", path).reply().await.code(), (404, "not-found"), "{path}");
    }
    assert_eq!(harness.ask("GET", "/v1/files/%zz").reply().await.code(), (400, "invalid-request"));
}

#[tokio::test]
async fn parameters_that_a_route_does_not_name_are_rejected() {
    let harness = Harness::with_feeds();
    for definition in &TABLE {
        let path = format!("{}?partner=south", some_path(definition));
        assert_eq!(
            harness.ask(definition.method, &path).reply().await.code(),
            (400, "invalid-query"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_event_of_something_else_is_answered_and_not_followed() {
    let harness = Harness::new();
    for event in [json!(null), json!("x"), json!({}), json!({ "Records": [] }), json!({ "path": 1 })] {
        assert_eq!(harness.ingest.handle(event).await.status, 400);
    }
}

#[tokio::test]
async fn requests_above_the_limit_are_answered_with_the_time_to_wait() {
    let harness = Harness::with_feeds();
    let words = AuthorizerContext::of("north").with("rate", "1").with("burst", "2");
    for expected in [200, 200, 429] {
        let reply = harness.ask_as(&words, "GET", "/v1/feeds").reply().await;
        assert_eq!((reply.status, reply.header("retry-after")), (expected, (expected == 429).then_some("1")));
    }
    assert_eq!(
        harness.ask_as(&words, "GET", "/v1/nothing").reply().await.status,
        429,
        "guessing costs as much"
    );
    assert_eq!(harness.ask_as(&AuthorizerContext::of("south"), "GET", "/v1/feeds").reply().await.status, 200);
    harness.wait(1_000);
    assert_eq!(harness.ask_as(&words, "GET", "/v1/feeds").reply().await.status, 200);
}

#[tokio::test]
async fn the_bytes_of_a_day_hold_and_what_does_not_fit_is_not_stored() {
    let harness = Harness::with_feeds();
    let words = AuthorizerContext::of("north").with("bytesPerDay", "30");
    harness.send_as(&words, "/v1/feeds/visits/files", GOOD).await;
    let reply = harness.ask_as(&words, "POST", "/v1/feeds/visits/files").body(GOOD.as_bytes()).reply().await;
    assert_eq!(reply.code(), (429, "too-many-requests"));
    let left: u64 = reply.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=86_400).contains(&left));
    let wish = json!({ "bytes": 31, "sha256": "0".repeat(64) });
    let reply = harness.ask_as(&words, "POST", "/v1/feeds/visits/uploads").json(&wish).reply().await;
    assert_eq!(reply.status, 429);
    assert_eq!(harness.memory.inbox_versions().len(), 1);
    harness.wait(left * 1_000);
    harness.send_as(&words, "/v1/feeds/visits/files", GOOD).await;
}

#[tokio::test]
async fn a_role_is_let_in_where_the_stack_says_so_and_only_while_it_is_named() {
    const ROLE: &str = "arn:aws:iam::123456789012:role/North";
    const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/North/s";
    let harness = Harness::with(|settings| settings.allow_roles = true);
    let credential = Credential {
        id: "role0000000a".to_owned(),
        partner: "north".to_owned(),
        feeds: Feeds::All,
        scopes: BTreeSet::from([Scope::Read]),
        created_ms: 1,
        expires_ms: Some(BEGIN + 1_000),
        revoked_ms: None,
        gateway_key: None,
    };
    let partner =
        Partner { name: "north".to_owned(), active: true, limits: PartnerLimits::DEFAULT, created_ms: 1 };
    let status = async |path: &str, arn: &str| harness.ask_bare("GET", path).signer(arn).reply().await.status;
    assert_eq!(status("/iam/v1/files", SESSION).await, 401);
    harness.memory.put_role(ROLE, Some(&credential)).await.expect("kept");
    assert_eq!(status("/iam/v1/files", SESSION).await, 401, "its partner is not there");
    harness.memory.put_partner(&partner).await.expect("kept");
    assert_eq!(status("/iam/v1/files", SESSION).await, 200);
    for (path, arn) in [
        ("/v1/files", SESSION),
        ("/oauth/v1/files", SESSION),
        ("/iam/v1/files", ROLE),
        ("/iam/v1/files", "arn:aws:iam::123456789012:user/North"),
        ("/iam/v1/files", "arn:aws:sts::999999999999:assumed-role/North/s"),
    ] {
        assert_eq!(status(path, arn).await, 401, "{path} {arn}");
    }
    let reply = harness.ask_as(&AuthorizerContext::of("south"), "GET", "/iam/v1/files").reply().await;
    assert_eq!(reply.status, 401, "an authorizer's words do not count on the tree of roles");
    harness.memory.put_partner(&Partner { active: false, ..partner.clone() }).await.expect("kept");
    assert_eq!(status("/iam/v1/files", SESSION).await, 401, "the partner is not active");
    harness.memory.put_partner(&partner).await.expect("kept");
    harness.wait(1_000);
    assert_eq!(status("/iam/v1/files", SESSION).await, 401, "the credential has ended");
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_read_answers() {
    let harness = Harness::with(|settings| settings.origins = vec!["https://portal.example".to_owned()]);
    for (origin, allowed) in
        [("https://portal.example", true), ("https://evil.example", false), ("null", false)]
    {
        for path in ["/v1/health", "/v1/nothing"] {
            let reply = harness.ask("GET", path).header("origin", origin).reply().await;
            let found = reply.header("access-control-allow-origin");
            assert_eq!(found, allowed.then_some(origin));
            assert_eq!(
                (reply.header("vary"), reply.header("access-control-allow-credentials")),
                (Some("origin"), None)
            );
        }
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_before_it_calls() {
    let harness = Harness::with(|settings| settings.origins = vec!["https://portal.example".to_owned()]);
    for (path, origin, allowed) in [
        ("/v1/feeds/visits/files", "https://portal.example", true),
        ("/iam/v1/files", "https://portal.example", true),
        ("/v1/feeds/visits/files", "https://evil.example", false),
    ] {
        let reply = harness.ask_bare("OPTIONS", path).header("origin", origin).reply().await;
        assert_eq!(reply.status, 204, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), allowed.then_some(origin));
        assert_eq!(reply.header("access-control-allow-methods"), Some("GET, POST, DELETE"));
        let headers = reply.header("access-control-allow-headers").unwrap_or_default();
        for sent in ["x-api-key", "authorization", "idempotency-key", "content-type", "content-digest"] {
            assert!(headers.contains(sent), "{sent}");
        }
    }
    assert!(
        harness.memory.calls().is_empty(),
        "the question carries no credential, and nothing is asked of the store"
    );
}
