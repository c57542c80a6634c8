//! Requests to the partners' API that are rejected, each with planted values in another place.

use serde_json::json;

use super::api::{ApiClient, text, wish};
use super::canary_values::Planter;
use super::http::HttpAnswer;

const FILES: &str = "/v1/feeds/scans/files";
const UPLOADS: &str = "/v1/feeds/scans/uploads";

/// What was asked, and the answer.
type Asked = (String, HttpAnswer);

/// Sends them all.
pub(super) fn odd_requests(north: &ApiClient<'_>, asked: &mut Planter) -> Vec<Asked> {
    let mut answers = odd_paths(north, asked);
    answers.extend(odd_wishes(north, asked));
    answers.extend(odd_bodies(north, asked));
    answers.extend(odd_headers(north, asked));
    answers
}

fn odd_paths(north: &ApiClient<'_>, asked: &mut Planter) -> Vec<Asked> {
    let paths = [
        "/v1/files?<W>=<W>",
        "/v1/files?cursor=<W>",
        "/v1/files?from=<W>",
        "/v1/files?before=<W>",
        "/v1/files?state=<W>",
        "/v1/files?limit=<W>",
        "/v1/files?feed=<W>!",
        "/v1/files/<W>",
        "/v1/files/<W>/receipt",
        "/v1/files/<W>/rejects",
        "/v1/feeds/<W>/contract",
        "/v1/uploads/<W>",
        "/v1/records/scans/<W>",
        "/v1/records/<W>/<W>",
        "/v1/<W>",
        "/v1/<W>/<W>?<W>",
        "/v1/records/scans/AB000001?history=<W>",
        "/v1/feeds/%3C<W>%00/contract",
        "/v1/records/scans/%22<W>%0a",
    ];
    // `%` is a digit to the planter.
    let path = |template: &str, asked: &mut Planter| {
        asked.plant(&template.replace('%', "\u{1}")).replace('\u{1}', "%")
    };
    paths.into_iter().map(|template| (template.to_owned(), north.get(&path(template, asked)))).collect()
}

fn odd_wishes(north: &ApiClient<'_>, asked: &mut Planter) -> Vec<Asked> {
    let zeros = "0".repeat(64);
    let wishes = [
        json!({"<W>": "<W>"}),
        json!({"name": "<W>", "bytes": "<W>", "sha256": "<W>"}),
        json!({"name": "x.csv", "bytes": 3, "sha256": "<W>"}),
        json!({"name": "<W>\n", "bytes": 3, "sha256": zeros}),
        json!({"name": "x.csv", "bytes": 3, "sha256": zeros, "contentType": "<W>", "<W>": 1}),
        json!({"name": ["<W>"], "bytes": 3, "sha256": zeros, "corrects": "<W>"}),
        json!("<W>"),
    ];
    let send = |wish: serde_json::Value| {
        let body = asked.plant(&wish.to_string());
        let headers = [("content-type", "application/json")];
        (wish.to_string(), north.send("POST", UPLOADS, &headers, body.as_bytes()))
    };
    wishes.into_iter().map(send).collect()
}

fn odd_bodies(north: &ApiClient<'_>, asked: &mut Planter) -> Vec<Asked> {
    let upload = text(&north.post(UPLOADS, &wish("parts.csv", b"abc")).json(), "upload");
    let requests = [
        ("POST", format!("/v1/uploads/{upload}/parts"), "{\"parts\":[\"<W>\"]}"),
        (
            "POST",
            format!("/v1/uploads/{upload}/complete"),
            "{\"parts\":[{\"part\":1,\"etag\":\"<W>\"}],\"<W>\":0}",
        ),
        ("POST", "/v1/uploads/<W>/complete".to_owned(), "{<W>"),
        ("PUT", format!("{FILES}?name=<W>"), "<W>"),
        ("POST", format!("{FILES}?name=<W>&corrects=<W>"), "<W>"),
        ("POST", format!("{FILES}?name=..&unknown=<W>"), "<W>"),
        ("POST", "/v1/feeds/scans/check?<W>=<W>".to_owned(), "<W>"),
        ("POST", "/v1/feeds/<W>!/check".to_owned(), "<W>"),
    ];
    let send = |(method, path, body): (&str, String, &str)| {
        let (filled, body) = (asked.plant(&path), asked.plant(body));
        let headers = [("content-type", "application/json")];
        (format!("{method} {path}"), north.send(method, &filled, &headers, body.as_bytes()))
    };
    requests.into_iter().map(send).collect()
}

fn odd_headers(north: &ApiClient<'_>, asked: &mut Planter) -> Vec<Asked> {
    let names = [
        "idempotency-key",
        "user-agent",
        "x-forwarded-for",
        "content-encoding",
        "referer",
        "cookie",
        "x-amzn-trace-id",
        "content-md5",
        "x-odd",
    ];
    let mut answers = Vec::new();
    let mut send = |name: &str, value: String, path: &str| {
        let headers = [("content-type", "text/csv"), (name, value.as_str())];
        answers.push((format!("header {name}"), north.send("POST", path, &headers, b"x")));
    };
    for name in names {
        send(name, asked.word(), &format!("{FILES}?unknown=1"));
    }
    send("idempotency-key", asked.plant("<W> <W>"), &format!("{FILES}?name=k.csv"));
    for shown in ["<W>", "ssk_<W>", "Bearer <W>.<W>.<W>"] {
        for shown in [asked.plant(shown), asked.plant(shown)] {
            let holder = north.harness.holder(&shown).get("/v1/files");
            answers.push(("a key of nobody".to_owned(), holder));
            answers.push(("a token of nobody".to_owned(), north.harness.bearer(&shown).get("/v1/files")));
        }
    }
    answers
}
