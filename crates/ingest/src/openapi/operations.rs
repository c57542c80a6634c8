//! Parameters, bodies and answers of each operation.

use serde_json::{Value, json};

use super::examples;
use super::schemas::reference as schema;
use crate::cursor::{CURSOR_CHARACTERS, MOST_PER_PAGE, USUAL_PER_PAGE};
use crate::idempotency::KEY_CHARACTERS;
use crate::media::FILE_TYPES;
use crate::name::{NAME_CHARACTERS, NAME_PATTERN};
use crate::problem::ProblemCode;
use crate::route::{Route, RouteAccess, RouteDefinition};

/// Returns a body of this media type, with the example of its schema.
fn media(media_type: &str, name: &str) -> Value {
    let mut content = json!({ "schema": schema(name) });
    if let Some(example) = examples::of(name) {
        content["example"] = example;
    }
    json!({ media_type: content })
}

/// Variables of the path, query parameters and headers.
pub(super) fn parameters(definition: &RouteDefinition) -> Value {
    let variables = definition.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = variables.map(variable).collect();
    all.extend(definition.query.iter().map(|name| query(name)));
    if matches!(definition.route, Route::SendFile | Route::OpenUpload) {
        all.push(json!({
            "name": "idempotency-key", "in": "header",
            "description": "A name of your choice for this request. Sent again with the same key and body, within a day, it is \
                answered as the first time and makes nothing new",
            "schema": { "type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS, "pattern": "^[!-~]+$" },
            "example": "0b6c1f0e-8a53-4c1e-9b0d-6f0a8f2f9c11"
        }));
    }
    if definition.route == Route::SendFile {
        for (name, example) in [
            ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
            ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
            ("digest", "sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
            ("content-digest", "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"),
        ] {
            all.push(json!({
                "name": name, "in": "header",
                "description": "A checksum of the body, verified before it is stored; one that does not match is answered 400",
                "schema": { "type": "string" }, "example": example
            }));
        }
    }
    Value::Array(all)
}

fn variable(name: &str) -> Value {
    let (schema, example, description) = match name {
        "feed" => (schema("FeedName"), "scan-reports", "The feed, by its name"),
        "file" => (schema("FileId"), "r5g61a45bnmyhnp8sgqw0ymkjv", "The file, by its id"),
        "upload" => (schema("UploadId"), "7w3k0c9v5n2m4x8b1z6q0s3d5f", "The upload, by its id"),
        _ => (
            json!({ "type": "string", "minLength": 1 }),
            "RPT-00000017",
            "The values of the primary key, each one path segment, percent-encoded, in the contract's order",
        ),
    };
    json!({
        "name": name.trim_end_matches('+'), "in": "path", "required": true, "schema": schema, "example": example,
        "description": description
    })
}

fn query(name: &str) -> Value {
    let (schema, description) = match name {
        "name" => (name_schema(), "The file's name; without one the upload's id"),
        "corrects" => (schema("FileId"), "The file that this one corrects"),
        "feed" => (schema("FeedName"), "Only files of this feed"),
        "state" => (schema("DecidedState"), "Only files in this state"),
        "from" => (time(), "Only files that landed at this instant or day (UTC) or later"),
        "before" => (time(), "Only files that landed before this instant or day (UTC)"),
        "limit" => (
            json!({ "type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": USUAL_PER_PAGE }),
            "The maximum number of entries on the page",
        ),
        "cursor" => (
            json!({ "type": "string", "maxLength": CURSOR_CHARACTERS }),
            "`next` of the previous page, unchanged",
        ),
        "format" => (
            json!({ "type": "string", "enum": ["csv", "ndjson"] }),
            "Leave it out to get the rejected records in the form of the feed, to be corrected and sent back: `csv` for a \
             feed of tables, JSON lines for a JSON feed. `ndjson` gives compressed JSON lines with positions and broken \
             rules",
        ),
        _ => (
            json!({ "type": "string", "enum": ["true", "false", ""], "default": "false" }),
            "Whether to list all visible versions, newest first, in place of the newest one",
        ),
    };
    json!({ "name": name, "in": "query", "schema": schema, "description": description })
}

pub(crate) fn name_schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS, "pattern": NAME_PATTERN })
}

fn time() -> Value {
    let day = "^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let hour = r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z)?$";
    json!({
        "type": "string",
        "pattern": format!("{day}{hour}"),
        "examples": ["2026-11-20", "2026-11-20T08:15:00Z"],
        "description": "Other days of a month and other offsets are accepted too"
    })
}

/// Returns the body that an operation takes.
pub(super) fn request_body(route: Route) -> Option<Value> {
    let content = match route {
        Route::SendFile | Route::CheckFile => files(),
        Route::OpenUpload => media("application/json", "UploadWish"),
        Route::SignParts => media("application/json", "WantedParts"),
        Route::CompleteUpload => media("application/json", "SentParts"),
        _ => return None,
    };
    let file = matches!(route, Route::SendFile | Route::CheckFile);
    let description = if file {
        "The bytes of the file, as they are: not a form. Any media type but a form is accepted, also `application/json`; the contract \
         and the bytes decide what the file is"
    } else {
        "A JSON document"
    };
    Some(json!({ "required": !file, "description": description, "content": content }))
}

/// Returns a file in each of its media types. Generators of clients look for bytes (`format: binary`) under types
/// that they know.
fn files() -> Value {
    let of_type = |media_type: &&str| {
        let bytes = json!({ "type": "string", "format": "binary", "description": "The bytes of the file" });
        let mut content = json!({ "schema": bytes });
        let example = match *media_type {
            "text/csv" => Some("report_id,modality\nRPT-00000017,CT\n"),
            "text/tab-separated-values" => Some("report_id\tmodality\nRPT-00000017\tCT\n"),
            "application/x-ndjson" => Some("{\"report_id\":\"RPT-00000017\",\"modality\":\"CT\"}\n"),
            _ => None,
        };
        if let Some(example) = example {
            content["example"] = json!(example);
        }
        ((*media_type).to_owned(), content)
    };
    Value::Object(FILE_TYPES.iter().map(of_type).collect())
}

/// Returns the statuses and responses of success.
pub(super) fn successes(route: Route) -> Vec<(&'static str, Value)> {
    let mut all = vec![success(route)];
    if route == Route::OpenUpload {
        let there = "The current file of this name has the announced bytes: nothing is to be sent, and nothing is charged";
        all.push(created(success_of("200", there, "PresentFile")));
    }
    all
}

fn success_of(status: &'static str, description: &str, name: &str) -> (&'static str, Value) {
    let content = media("application/json", name);
    (status, json!({ "description": description, "content": content, "headers": common() }))
}

fn success(route: Route) -> (&'static str, Value) {
    let json = success_of;
    match route {
        Route::SendFile | Route::CompleteUpload => {
            created(json("202", "The file landed and is going to be decided", "SentFile"))
        }
        Route::OpenUpload => created(json("201", "The upload is promised", "Promise")),
        Route::CheckFile => json("200", "What would be decided on the file", "DryRun"),
        Route::ReadUpload => json("200", "The state of the upload", "UploadStatus"),
        Route::SignParts => json("200", "A signed PUT for each part", "SignedParts"),
        Route::AbortUpload => ("204", json!({ "description": "The upload is aborted", "headers": common() })),
        Route::ListFiles => json("200", "A page of files", "FileList"),
        Route::ReadFile => json("200", "The state of the file", "FileStatus"),
        Route::ReadReceipt => json("200", "The receipt", "Receipt"),
        Route::ReadRejects => json("200", "A signed GET of the rejected records", "SignedRejects"),
        Route::ReadHistory => json("200", "What happened to the file", "FileHistory"),
        Route::ReplayFile => located(json("202", "The replay was asked for, now or before", "AskedReplay")),
        Route::ListFeeds => json("200", "The feeds", "FeedList"),
        Route::ReadContract => {
            // The schema is of what the text means, not of the text.
            let contract =
                json!({ "type": "object", "description": "An Open Data Contract Standard document" });
            let example =
                "apiVersion: v3.1.0\nkind: DataContract\nid: scan-reports\nversion: 1.2.0\nstatus: active\n";
            let content = json!({ "application/yaml": { "schema": contract, "example": example } });
            (
                "200",
                json!({ "description": "The contract, as it was published", "content": content, "headers": common() }),
            )
        }
        Route::ReadRecord => json("200", "A version of the record, or its history", "RecordAnswer"),
        Route::Health => json("200", "The service answers", "Health"),
        Route::OpenApi => json("200", "An OpenAPI 3.1 document", "Anything"),
    }
}

fn common() -> Value {
    json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } })
}

fn located((status, mut response): (&'static str, Value)) -> (&'static str, Value) {
    response["headers"]["location"] = json!({ "$ref": "#/components/headers/Location" });
    (status, response)
}

fn created(success: (&'static str, Value)) -> (&'static str, Value) {
    let (status, mut response) = located(success);
    response["headers"]["idempotency-replayed"] = json!({ "$ref": "#/components/headers/Replayed" });
    (status, response)
}

/// Returns the problems that an operation can answer with, by status.
pub(super) fn rejections(definition: &RouteDefinition) -> Vec<ProblemCode> {
    let mut codes = vec![ProblemCode::InvalidRequest, ProblemCode::InvalidQuery];
    if definition.access == RouteAccess::Open {
        codes.extend([
            ProblemCode::NotFound,
            ProblemCode::MethodNotAllowed,
            ProblemCode::TooManyRequests,
            ProblemCode::Internal,
        ]);
        return codes;
    }
    codes.extend(match definition.route {
        Route::SendFile => {
            &[ProblemCode::InvalidName, ProblemCode::InvalidHeader, ProblemCode::ChecksumMismatch][..]
        }
        Route::CheckFile => &[ProblemCode::InvalidHeader],
        Route::OpenUpload => {
            &[ProblemCode::InvalidBody, ProblemCode::InvalidName, ProblemCode::InvalidHeader]
        }
        Route::SignParts | Route::CompleteUpload => &[ProblemCode::InvalidBody, ProblemCode::InvalidHeader],
        Route::ReadRecord => &[ProblemCode::InvalidKey],
        _ => &[],
    });
    codes.extend([
        ProblemCode::Unauthorized,
        ProblemCode::Forbidden,
        ProblemCode::NotFound,
        ProblemCode::MethodNotAllowed,
    ]);
    codes.extend(match definition.route {
        Route::SendFile => &[
            ProblemCode::RequestRunning,
            ProblemCode::NameConflict,
            ProblemCode::TooLarge,
            ProblemCode::UnsupportedMediaType,
            ProblemCode::IdempotencyKeyReused,
            ProblemCode::UnknownCorrection,
        ][..],
        Route::OpenUpload => &[
            ProblemCode::RequestRunning,
            ProblemCode::SameBytes,
            ProblemCode::UploadClosed,
            ProblemCode::TooLarge,
            ProblemCode::UnsupportedMediaType,
            ProblemCode::IdempotencyKeyReused,
            ProblemCode::UnknownCorrection,
        ],
        Route::CheckFile => &[ProblemCode::TooLarge, ProblemCode::UnsupportedMediaType],
        Route::SignParts => &[
            ProblemCode::UploadClosed,
            ProblemCode::TooLarge,
            ProblemCode::UnsupportedMediaType,
            ProblemCode::PartsRejected,
        ],
        Route::CompleteUpload => &[
            ProblemCode::UploadClosed,
            ProblemCode::NameConflict,
            ProblemCode::TooLarge,
            ProblemCode::UnsupportedMediaType,
            ProblemCode::PartsRejected,
        ],
        Route::AbortUpload => &[ProblemCode::UploadClosed],
        Route::ReadReceipt | Route::ReadRejects => &[ProblemCode::NotTerminal],
        Route::ReplayFile => &[ProblemCode::NotTerminal, ProblemCode::NotReplayable],
        Route::ReadRecord => &[ProblemCode::TooManyVersions],
        _ => &[],
    });
    codes.extend([ProblemCode::TooManyRequests, ProblemCode::Internal, ProblemCode::Unavailable]);
    codes
}
