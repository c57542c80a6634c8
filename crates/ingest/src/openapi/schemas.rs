//! The shapes of bodies. An object lists all its members: a member that is not here is a defect.

use serde_json::{Map, Value, json};

use super::operations::name_schema;
use crate::problem::{Code, Problem};
use crate::uploads::{MOST_BYTES, MOST_SIGNED};

const FILE: &str = "r5g61a45bnmyhnp8sgqw0ymkjv";
const UPLOAD: &str = "7w3k0c9v5n2m4x8b1z6q0s3d5f";
const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn nullable(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn sha256() -> Value {
    json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" })
}

/// An object of these members; those marked with `?` may be left out.
fn object(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> =
        members.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone()))
        .collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn with_example(mut schema: Value, example: &Value) -> Value {
    schema["examples"] = json!([example]);
    schema
}

/// Every schema by its name.
pub(super) fn all() -> Value {
    let mut all = Map::new();
    for (name, schema) in
        names().into_iter().chain(requests()).chain(uploads()).chain(files()).chain(answers())
    {
        all.insert(name.to_owned(), schema);
    }
    Value::Object(all)
}

fn names() -> Vec<(&'static str, Value)> {
    let id = |example: &str| json!({ "type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{26}$", "examples": [example] });
    let decided =
        ["PROCESSING", "COMPLETE", "QUARANTINED", "SUPERSEDED", "DUPLICATE", "GONE", "IGNORED", "RETRACTED"];
    let mut states = vec!["RECEIVED"];
    states.extend(decided);
    vec![
        (
            "FeedName",
            json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$", "examples": ["scan-reports"] }),
        ),
        ("FileId", id(FILE)),
        ("UploadId", id(UPLOAD)),
        ("DecidedState", json!({ "type": "string", "enum": decided })),
        ("State", json!({ "type": "string", "enum": states })),
        ("Anything", json!({ "type": "object" })),
        (
            "Health",
            with_example(
                object(&[("status", json!({ "type": "string", "enum": ["ok"] }))]),
                &json!({ "status": "ok" }),
            ),
        ),
        ("Problem", problem()),
    ]
}

fn problem() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut problem = object(&[
        ("type", text()),
        ("title", text()),
        ("status", json!({ "type": "integer", "minimum": 400, "maximum": 599 })),
        ("detail", text()),
        ("code", text()),
        ("requestId", text()),
    ]);
    problem["properties"]["code"]["examples"] = json!(codes);
    let example =
        Problem::new(Code::TooManyRequests, "the partner's requests are used up for now: send fewer at once");
    let example =
        serde_json::from_str(&example.body("c6af9ac6-7b61-11e6-9a41-93e8deadbeef")).unwrap_or_default();
    with_example(problem, &example)
}

fn requests() -> Vec<(&'static str, Value)> {
    let number = json!({ "type": "integer", "minimum": 1, "maximum": 10_000 });
    let bytes = json!({ "type": "integer", "minimum": 0, "maximum": MOST_BYTES });
    let media = r"^[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}$";
    let media = json!({ "type": "string", "pattern": media, "examples": ["text/csv"] });
    let etag = json!({ "type": "string", "pattern": r#"^"?[0-9A-Za-z-]{1,128}"?$"# });
    let wanted = object(&[("number", number.clone()), ("bytes", bytes.clone()), ("sha256", sha256())]);
    let sent = object(&[("number", number), ("etag", etag), ("sha256", sha256())]);
    let mut wanted_parts = object(&[("parts", list(&wanted))]);
    wanted_parts["properties"]["parts"]["minItems"] = json!(1);
    wanted_parts["properties"]["parts"]["maxItems"] = json!(MOST_SIGNED);
    let wish = object(&[
        ("bytes", bytes),
        ("sha256?", nullable(&sha256())),
        ("name?", nullable(&name_schema())),
        ("contentType?", nullable(&media)),
        ("corrects?", nullable(&reference("FileId"))),
        ("parts?", json!({ "type": "boolean", "default": false })),
    ]);
    let part = |last: &Value| {
        let mut part = json!({ "number": 1, "sha256": SHA256 });
        part[if last.is_number() { "bytes" } else { "etag" }] = last.clone();
        json!({ "parts": [part] })
    };
    vec![
        (
            "UploadWish",
            with_example(wish, &json!({ "name": "day.csv", "bytes": 7_340_032, "sha256": SHA256 })),
        ),
        ("WantedParts", with_example(wanted_parts, &part(&json!(8_388_608)))),
        (
            "SentParts",
            with_example(
                object(&[("parts", list(&sent))]),
                &part(&json!("5d41402abc4b2a76b9719d911017c592")),
            ),
        ),
    ]
}

fn uploads() -> Vec<(&'static str, Value)> {
    let headers = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let signed = [("method", text()), ("url", text()), ("headers", headers), ("expiresSeconds", count())];
    let part: Vec<(&str, Value)> = [("number", count())].into_iter().chain(signed.clone()).collect();
    let state = json!({ "type": "string", "enum": ["OPEN", "LANDED", "ABORTED", "EXPIRED"] });
    vec![
        ("SignedRequest", object(&signed)),
        ("SignedParts", object(&[("parts", list(&object(&part)))])),
        (
            "Promise",
            object(&[
                ("upload", reference("UploadId")),
                ("feed", reference("FeedName")),
                ("name", text()),
                ("bytes", count()),
                ("expiresAt", text()),
                ("status", text()),
                ("put?", reference("SignedRequest")),
                ("partBytes?", count()),
                ("parts?", count()),
            ]),
        ),
        (
            "UploadStatus",
            object(&[
                ("upload", reference("UploadId")),
                ("state", state),
                ("feed", reference("FeedName")),
                ("name", text()),
                ("bytes", count()),
                ("expiresAt", text()),
                ("id", nullable(&reference("FileId"))),
                ("status", nullable(&text())),
            ]),
        ),
        (
            "SentFile",
            object(&[
                ("id", reference("FileId")),
                ("upload", reference("UploadId")),
                ("feed", reference("FeedName")),
                ("name", text()),
                ("bytes", count()),
                ("sha256", nullable(&sha256())),
                ("status", text()),
                ("receipt", text()),
            ]),
        ),
        ("SignedRejects", object(&[("url", text()), ("expiresSeconds", count()), ("fileName", text())])),
    ]
}

fn files() -> Vec<(&'static str, Value)> {
    let counts = ["records", "rows", "rejects", "warnings"].map(|name| (name, count()));
    let status = object(&[
        ("id", reference("FileId")),
        ("feed", reference("FeedName")),
        ("name", text()),
        ("key", text()),
        ("state", reference("State")),
        ("order", nullable(&text())),
        ("counts", nullable(&reference("Counts"))),
        ("loaded", count()),
        ("fault", nullable(&text())),
        ("sha256", nullable(&sha256())),
        ("bytes", nullable(&count())),
        ("contractVersion", nullable(&text())),
        ("other", nullable(&reference("FileId"))),
        ("corrects", nullable(&reference("FileId"))),
        ("status", text()),
        ("receipt", nullable(&text())),
        ("rejects", nullable(&text())),
    ]);
    let feed = object(&[("feed", reference("FeedName")), ("contract", text())]);
    vec![
        ("Counts", object(&counts)),
        ("FileStatus", status),
        ("FileList", object(&[("files", list(&reference("FileStatus"))), ("next", nullable(&text()))])),
        ("FeedList", object(&[("feeds", list(&feed))])),
    ]
}

/// Members that receipt and dry run share.
fn findings() -> Vec<(&'static str, Value)> {
    let contract = object(&[("id?", text()), ("version", text()), ("hash", text())]);
    let fault = object(&[
        ("code", text()),
        ("line?", count()),
        ("column?", count()),
        ("found", text()),
        ("expected", text()),
        ("message?", text()),
        ("advice", text()),
    ]);
    let rule = object(&[
        ("rule", text()),
        ("code", text()),
        ("severity", text()),
        ("column", nullable(&text())),
        ("count", count()),
        ("expected", text()),
    ]);
    let violation = object(&[
        ("line?", count()),
        ("record", count()),
        ("byteOffset?", count()),
        ("column", nullable(&text())),
        ("rule", text()),
        ("code", text()),
        ("reason", text()),
    ]);
    let not_run = object(&[("path", text()), ("what", text()), ("why", text())]);
    let verdict = json!({ "type": "string", "enum": ["accepted", "partial", "rejected"] });
    vec![
        ("verdict", nullable(&verdict)),
        ("fault", nullable(&fault)),
        ("counts", nullable(&reference("Counts"))),
        ("sha256", nullable(&sha256())),
        ("contract", nullable(&contract)),
        ("rules", list(&rule)),
        ("violations", list(&violation)),
        ("notRun", list(&not_run)),
        ("warnings", list(&text())),
    ]
}

fn answers() -> Vec<(&'static str, Value)> {
    let bucket = json!({ "type": "string", "enum": ["inbox", "quarantine"] });
    let mut receipt = vec![
        ("formatVersion", count()),
        ("fileId", text()),
        ("load", text()),
        ("partner", text()),
        ("feed", text()),
        ("key", text()),
        ("version", text()),
        ("order", text()),
        ("corrects?", text()),
        ("other?", text()),
        ("earlier?", text()),
        ("original?", object(&[("bucket", bucket), ("key", text()), ("version?", text())])),
        ("state", reference("DecidedState")),
        ("loaded", count()),
        ("bytes", nullable(&count())),
    ];
    receipt.extend(findings());
    let mut dry_run = vec![
        ("feed", reference("FeedName")),
        ("stored", json!({ "type": "boolean", "enum": [false] })),
        ("wouldBe", json!({ "type": "string", "enum": ["COMPLETE", "QUARANTINED"] })),
        ("wouldLoad", count()),
        ("bytes", count()),
    ];
    dry_run.extend(findings());
    let version = object(&[
        ("record", json!({ "type": "object" })),
        ("load", text()),
        ("file", reference("FileId")),
        ("line", nullable(&count())),
    ]);
    let history = object(&[("versions", list(&reference("RecordVersion"))), ("next", nullable(&text()))]);
    vec![
        ("Receipt", object(&receipt)),
        ("DryRun", object(&dry_run)),
        ("RecordVersion", version),
        ("RecordHistory", history),
        ("RecordAnswer", json!({ "anyOf": [reference("RecordVersion"), reference("RecordHistory")] })),
    ]
}
