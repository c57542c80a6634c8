//! Three partners with the same feeds, the same names and the same keys; each asks for everything of the others.

use serde_json::{Value, json};

use super::harness::{AuthorizerContext, Harness, MIXED, Reply};
use crate::route::{Route, RouteAccess, TABLE};

const PARTNERS: [&str; 3] = ["north", "south", "north-2"];

/// What one partner has.
struct PartnerFixture {
    partner: &'static str,
    words: AuthorizerContext,
    file: String,
    received: String,
    upload: String,
    parts: String,
    cursor: String,
    history: String,
}

async fn furnish(harness: &Harness, partner: &'static str) -> PartnerFixture {
    let words = AuthorizerContext::of(partner);
    let body = format!("{MIXED}4,{partner}\n").replace("north-2", "nort2");
    let file = harness.send_as(&words, "/v1/feeds/visits/files?name=day.csv", &body).await;
    harness.send_as(&words, "/v1/feeds/visits/files?name=day-2.csv", &body).await;
    harness.process().await;
    let open = async |body: Value| {
        let reply = harness.ask_as(&words, "POST", "/v1/feeds/visits/uploads").json(&body).reply().await;
        reply.body["upload"].as_str().expect("an upload").to_owned()
    };
    let upload = open(json!({ "bytes": 1, "sha256": "0".repeat(64) })).await;
    let parts = open(json!({ "bytes": 9, "parts": true })).await;
    let next = async |path: &str| {
        let reply = harness.ask_as(&words, "GET", path).reply().await;
        reply.body["next"].as_str().expect("a cursor").to_owned()
    };
    let cursor = next("/v1/files?limit=1").await;
    let history = next("/v1/records/visits/4?history=true&limit=1").await;
    PartnerFixture { partner, words, file, received: String::new(), upload, parts, cursor, history }
}

/// Lands a file that is not processed yet.
async fn receive(harness: &Harness, owned: &mut PartnerFixture) {
    owned.received = harness.send_as(&owned.words, "/v1/feeds/labs/files?name=new.csv", "x").await;
}

/// Returns every request of a route for what another partner has.
fn requests(route: Route, other: &PartnerFixture) -> Vec<(String, Value)> {
    let none = Value::Null;
    let part = json!({ "parts": [{ "number": 1, "bytes": 9, "sha256": "0".repeat(64) }] });
    let sent = json!({ "parts": [{ "number": 1, "etag": "a", "sha256": "0".repeat(64) }] });
    let of = |ids: &[&String], make: &dyn Fn(&str) -> String, body: &Value| -> Vec<(String, Value)> {
        ids.iter().map(|id| (make(id), body.clone())).collect()
    };
    let files = [&other.file, &other.received];
    let uploads = [&other.upload, &other.parts];
    match route {
        Route::ReadFile => of(&files, &|id| format!("/v1/files/{id}"), &none),
        Route::ReadReceipt => of(&files, &|id| format!("/v1/files/{id}/receipt"), &none),
        Route::ReadRejects => of(&files, &|id| format!("/v1/files/{id}/rejects"), &none),
        Route::ReadHistory => of(&files, &|id| format!("/v1/files/{id}/history"), &none),
        Route::ReplayFile => of(&files, &|id| format!("/v1/files/{id}/replay"), &none),
        Route::ReadUpload | Route::AbortUpload => of(&uploads, &|id| format!("/v1/uploads/{id}"), &none),
        Route::SignParts => of(&uploads, &|id| format!("/v1/uploads/{id}/parts"), &part),
        Route::CompleteUpload => of(&uploads, &|id| format!("/v1/uploads/{id}/complete"), &sent),
        Route::SendFile => vec![
            (format!("/v1/feeds/visits/files?corrects={}", other.file), json!("id,name\n")),
            (format!("/v1/feeds/{}%2Fvisits/files", other.partner), json!("id,name\n")),
        ],
        Route::OpenUpload => {
            let wish = json!({ "bytes": 1, "sha256": "0".repeat(64), "corrects": other.file });
            vec![("/v1/feeds/visits/uploads".to_owned(), wish)]
        }
        Route::CheckFile => vec![(format!("/v1/feeds/..%2F{}/check", other.partner), json!("x"))],
        Route::ReadContract => vec![(format!("/v1/feeds/{}%2Fvisits/contract", other.partner), none)],
        Route::ReadRecord => vec![
            (format!("/v1/records/visits/4?history=true&cursor={}", other.history), none.clone()),
            (format!("/v1/records/{}%2Fvisits/4", other.partner), none.clone()),
            ("/v1/records/visits/4".to_owned(), none),
        ],
        Route::ListFiles => vec![
            (format!("/v1/files?cursor={}", other.cursor), none.clone()),
            (format!("/v1/files?feed={}%2Fvisits", other.partner), none.clone()),
            ("/v1/files?feed=visits".to_owned(), none),
        ],
        Route::ListFeeds => vec![("/v1/feeds".to_owned(), none)],
        Route::Health => vec![("/v1/health".to_owned(), none)],
        Route::OpenApi => vec![("/v1/openapi.json".to_owned(), none)],
    }
}

async fn ask(harness: &Harness, words: &AuthorizerContext, method: &str, path: &str, body: &Value) -> Reply {
    let ask = harness.ask_as(words, method, path);
    match body {
        Value::Null => ask.reply().await,
        Value::String(text) => ask.body(text.as_bytes()).reply().await,
        body => ask.json(body).reply().await,
    }
}

#[tokio::test]
async fn no_route_shows_or_changes_anything_of_another_partner() {
    let harness = Harness::with_feeds();
    let mut all = Vec::new();
    for partner in PARTNERS {
        all.push(furnish(&harness, partner).await);
    }
    for owned in &mut all {
        receive(&harness, owned).await;
    }
    let mut asked = 0;
    for caller in &all {
        for other in all.iter().filter(|other| other.partner != caller.partner) {
            for definition in TABLE.iter().filter(|definition| definition.access != RouteAccess::Open) {
                for (path, body) in requests(definition.route, other) {
                    let foreign = ["/files/", "/uploads/", "%2F"]
                        .iter()
                        .any(|mark| path.contains(mark) && !path.contains("/v1/files?"));
                    let reply = ask(&harness, &caller.words, definition.method, &path, &body).await;
                    asked += 1;
                    if foreign {
                        assert_eq!(reply.code(), (404, "not-found"), "{} {path}", caller.partner);
                    }
                    assert_nothing_of(other, &reply, &path);
                }
            }
        }
    }
    assert!(asked >= 3 * 2 * 20, "{asked}");
    for owner in &all {
        assert_untouched(&harness, owner).await;
    }
}

/// Ids, keys, cells and cursors of a partner in an answer to another.
fn assert_nothing_of(other: &PartnerFixture, reply: &Reply, path: &str) {
    let cell = other.partner.replace("north-2", "nort2");
    let headers = serde_json::to_string(&reply.headers).expect("JSON");
    for (part, what) in [
        (&other.file, "file"),
        (&other.received, "received file"),
        (&other.upload, "upload"),
        (&other.parts, "upload in parts"),
        (&format!("{}/", other.partner), "key"),
        (&format!("\"{cell}\""), "cell"),
    ] {
        assert!(
            !reply.text.contains(part.as_str()) && !headers.contains(part.as_str()),
            "a {what} of {} in {path}: {}",
            other.partner,
            reply.text
        );
    }
}

/// After all of it each partner still has what it had.
async fn assert_untouched(harness: &Harness, owner: &PartnerFixture) {
    let get = async |path: String| harness.ask_as(&owner.words, "GET", &path).reply().await;
    assert_eq!(get(format!("/v1/files/{}", owner.file)).await.body["state"], "COMPLETE");
    assert_eq!(get(format!("/v1/files/{}", owner.received)).await.body["state"], "RECEIVED");
    for upload in [&owner.upload, &owner.parts] {
        assert_eq!(get(format!("/v1/uploads/{upload}")).await.body["state"], "OPEN");
    }
    let record = get("/v1/records/visits/4".to_owned()).await;
    assert_eq!(record.body["record"]["name"], owner.partner.replace("north-2", "nort2"));
    let mine = |key: &str| key.starts_with(&format!("{}/", owner.partner));
    assert!(
        harness.memory.take_sent().is_empty() && harness.memory.audited().is_empty(),
        "nothing was asked for"
    );
    let versions = harness.memory.inbox_versions();
    assert_eq!(
        versions.iter().filter(|version| mine(&version.file.key)).count(),
        3,
        "nothing landed for {}",
        owner.partner
    );
}

#[tokio::test]
async fn anothers_id_and_an_id_of_nothing_are_answered_alike_with_as_many_calls() {
    let harness = Harness::with_feeds();
    let mut owned = furnish(&harness, "south").await;
    receive(&harness, &mut owned).await;
    let north = AuthorizerContext::of("north");
    for (method, make) in [
        ("GET", "/v1/files/{}"),
        ("GET", "/v1/files/{}/receipt"),
        ("GET", "/v1/files/{}/rejects"),
        ("GET", "/v1/files/{}/history"),
        ("POST", "/v1/files/{}/replay"),
        ("GET", "/v1/uploads/{}"),
    ] {
        let path = |id: &str| make.replace("{}", id);
        let foreign = if make.contains("uploads") { &owned.upload } else { &owned.received };
        let count = |before: usize| harness.memory.calls().len() - before;
        let before = harness.memory.calls().len();
        let theirs = ask(&harness, &north, method, &path(foreign), &Value::Null).await;
        let (calls, before) = (count(before), harness.memory.calls().len());
        let nothing = ask(&harness, &north, method, &path("r5g61a45bnmyhnp8sgqw0ymkjv"), &Value::Null).await;
        assert_eq!((theirs.text, theirs.headers), (nothing.text, nothing.headers), "{make}");
        assert_eq!(calls, count(before), "{make}");
        if make.contains("history") || make.contains("replay") {
            let decided = ask(&harness, &north, method, &path(&owned.file), &Value::Null).await;
            let nothing =
                ask(&harness, &north, method, &path("r5g61a45bnmyhnp8sgqw0ymkjv"), &Value::Null).await;
            assert_eq!((decided.text, decided.headers), (nothing.text, nothing.headers), "{make}");
        }
    }
}
