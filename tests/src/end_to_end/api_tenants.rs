//! Three partners over every route: nobody sees anything of another.

use serde_json::{Value, json};

use super::api::{ApiClient, problem, secret_of, sha256, text, wish};
use super::files::HEADER;
use super::harness::Harness;
use super::http::HttpAnswer;

const PARTNERS: [&str; 3] = ["north", "south", "west"];

/// What a partner has, by which another could try to reach it.
struct Belongings<'s> {
    name: &'static str,
    caller: ApiClient<'s>,
    file: String,
    upload: String,
    parts: String,
}

#[tokio::test]
async fn of_three_partners_nobody_reaches_anything_of_another() {
    let harness = Harness::open().await;
    let all: Vec<Belongings<'_>> = PARTNERS.into_iter().map(|name| belongings(&harness, name)).collect();
    let mut asked = 0;
    for own in &all {
        let mut listed: Vec<String> = files_of(own);
        listed.sort();
        assert_eq!(listed, std::slice::from_ref(&own.file), "{} lists its own file", own.name);
        let record = own.caller.get("/v1/records/scans/AB000001").json();
        assert_eq!(
            record["record"]["patient"],
            format!("Patient of {}", own.name),
            "the same key, its own record"
        );
        for other in all.iter().filter(|other| other.name != own.name) {
            asked += nothing_is_there(own, other);
            leaks_nothing(own, other);
        }
    }
    assert_eq!(asked, 6 * 12, "every pair over every route that names something");
    for own in &all {
        let status = own.caller.get(&format!("/v1/uploads/{}", own.upload)).json();
        assert_eq!(status["state"], "OPEN", "nobody gave {}'s upload up", own.name);
    }
}

fn belongings<'s>(harness: &'s Harness, name: &'static str) -> Belongings<'s> {
    let scopes = "--scopes submit,read,operate";
    let added = harness.scalper(&format!("partner add {name} --rate 1000 --burst 1000 {scopes}"));
    let caller = harness.holder(&secret_of(&added));
    let file = format!("{HEADER}AB000001,Patient of {name},CT,,,\nAB1,Rejected of {name},CT,,,\n");
    let sent = caller.file("/v1/feeds/scans/files?name=day.csv", file.as_bytes());
    assert_eq!(sent.status, 202, "{}", sent.text());
    let file = text(&sent.json(), "id");
    assert_eq!(caller.decided(&file)["state"], "COMPLETE");
    let upload = text(&caller.post("/v1/feeds/scans/uploads", &wish("large.csv", b"large")).json(), "upload");
    let mut wanted = wish("parts.csv", b"parts");
    wanted["parts"] = true.into();
    let parts = text(&caller.post("/v1/feeds/scans/uploads", &wanted).json(), "upload");
    Belongings { name, caller, file, upload, parts }
}

fn files_of(own: &Belongings<'_>) -> Vec<String> {
    let page = own.caller.get("/v1/files").json();
    page["files"].as_array().expect("files").iter().map(|file| text(file, "id")).collect()
}

/// Asks every route for what is another's: the answer is that of what is nowhere. How many were asked.
fn nothing_is_there(own: &Belongings<'_>, other: &Belongings<'_>) -> usize {
    let caller = &own.caller;
    let part = json!({ "parts": [{ "number": 1, "bytes": 5, "sha256": sha256(b"parts") }] });
    let sent = json!({ "parts": [{ "number": 1, "etag": "x", "sha256": sha256(b"parts") }] });
    let ask = |file: &str, upload: &str, parts: &str| -> Vec<HttpAnswer> {
        vec![
            caller.get(&format!("/v1/files/{file}")),
            caller.get(&format!("/v1/files/{file}/receipt")),
            caller.get(&format!("/v1/files/{file}/rejects")),
            caller.get(&format!("/v1/files/{file}/rejects?format=ndjson")),
            caller.get(&format!("/v1/files/{file}/history")),
            caller.send("POST", &format!("/v1/files/{file}/replay"), &[], b""),
            caller.get(&format!("/v1/uploads/{upload}")),
            caller.get(&format!("/v1/uploads/{parts}")),
            caller.send("DELETE", &format!("/v1/uploads/{upload}"), &[], b""),
            caller.send("DELETE", &format!("/v1/uploads/{parts}"), &[], b""),
            caller.post(&format!("/v1/uploads/{parts}/parts"), &part),
            caller.post(&format!("/v1/uploads/{parts}/complete"), &sent),
        ]
    };
    let nowhere = "0".repeat(26);
    let theirs = ask(&other.file, &other.upload, &other.parts);
    for (index, (theirs, none)) in theirs.iter().zip(ask(&nowhere, &nowhere, &nowhere)).enumerate() {
        assert_eq!(problem(theirs, 404), "not-found", "route {index} of {} for {}", other.name, own.name);
        assert_eq!(
            without_request(theirs),
            without_request(&none),
            "route {index} tells that something is there"
        );
    }
    let corrects = format!("/v1/feeds/scans/files?corrects={}", other.file);
    assert_eq!(problem(&caller.file(&corrects, b"x"), 422), "unknown-correction");
    theirs.len()
}

fn without_request(answer: &HttpAnswer) -> Value {
    let mut problem = answer.json();
    problem["requestId"].take();
    problem
}

/// What a partner may ask for holds no word of another.
fn leaks_nothing(own: &Belongings<'_>, other: &Belongings<'_>) {
    let paths = [
        "/v1/files".to_owned(),
        "/v1/feeds".to_owned(),
        "/v1/records/scans/AB000001?history=true".to_owned(),
        format!("/v1/files/{}", own.file),
        format!("/v1/files/{}/receipt", own.file),
        format!("/v1/files/{}/rejects", own.file),
        format!("/v1/files/{}/history", own.file),
    ];
    for path in paths {
        let answer = own.caller.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(!answer.text().contains(other.name), "{path} of {} names {}", own.name, other.name);
    }
    // What a caller says of itself counts for nothing.
    let headers = [("x-partner", other.name), ("x-amzn-partner", other.name)];
    let answer = own.caller.send("GET", "/v1/files", &headers, b"");
    assert!(!answer.text().contains(other.name), "{}", answer.text());
}
