//! What each operation takes and gives.

use serde_json::{Value, json};

use crate::cursor::{CURSOR_CHARACTERS, MOST_PER_PAGE, USUAL_PER_PAGE};
use crate::idempotency::KEY_CHARACTERS;
use crate::name::{NAME_CHARACTERS, NAME_PATTERN};
use crate::problem::Code;
use crate::route::{Access, Definition, Route};

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Variables of the path, query parameters and headers.
pub(super) fn parameters(definition: &Definition) -> Value {
    let variables = definition.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = variables.map(variable).collect();
    all.extend(definition.query.iter().map(|name| query(name)));
    if matches!(definition.route, Route::SendFile | Route::OpenUpload) {
        all.push(json!({
            "name": "idempotency-key", "in": "header",
            "description": "Sent again with the same key and body, the request is answered as the first time",
            "schema": { "type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS, "pattern": "^[!-~]+$" }
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
                "name": name, "in": "header", "description": "A checksum of the body, verified before it is stored",
                "schema": { "type": "string" }, "example": example
            }));
        }
    }
    Value::Array(all)
}

fn variable(name: &str) -> Value {
    let (schema, example, description) = match name {
        "feed" => (schema("FeedName"), "scan-reports", "The feed"),
        "file" => (schema("FileId"), "r5g61a45bnmyhnp8sgqw0ymkjv", "The file, by its id"),
        "upload" => (schema("UploadId"), "7w3k0c9v5n2m4x8b1z6q0s3d5f", "The upload"),
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
        "feed" => (schema("FeedName"), "Only this feed"),
        "state" => (schema("DecidedState"), "Only this state"),
        "from" => (time(), "Not older than this instant or day (UTC)"),
        "before" => (time(), "Older than this instant or day (UTC)"),
        "limit" => (
            json!({ "type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": USUAL_PER_PAGE }),
            "The most entries of the page",
        ),
        "cursor" => (
            json!({ "type": "string", "maxLength": CURSOR_CHARACTERS }),
            "`next` of the page before, unchanged",
        ),
        "format" => (
            json!({ "type": "string", "enum": ["csv", "ndjson"], "default": "csv" }),
            "The form of the records",
        ),
        _ => (
            json!({ "type": "string", "enum": ["true", "false", ""], "default": "false" }),
            "All visible versions, newest first",
        ),
    };
    json!({ "name": name, "in": "query", "schema": schema, "description": description })
}

pub(super) fn name_schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": NAME_CHARACTERS, "pattern": NAME_PATTERN })
}

fn time() -> Value {
    let day = "^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let hour = r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z)?$";
    json!({
        "type": "string",
        "pattern": format!("{day}{hour}"),
        "examples": ["2026-11-20", "2026-11-20T08:15:00Z"],
        "description": "Other days of a month and other offsets are taken too"
    })
}

/// The body that an operation takes.
pub(super) fn request_body(route: Route) -> Option<Value> {
    let content = match route {
        Route::SendFile | Route::CheckFile => json!({
            "*/*": { "schema": { "type": "string", "format": "binary" }, "example": "report_id,modality\nRPT-00000017,CT\n" }
        }),
        Route::OpenUpload => json!({ "application/json": { "schema": schema("UploadWish") } }),
        Route::SignParts => json!({ "application/json": { "schema": schema("WantedParts") } }),
        Route::CompleteUpload => json!({ "application/json": { "schema": schema("SentParts") } }),
        _ => return None,
    };
    let required = !matches!(route, Route::SendFile | Route::CheckFile);
    Some(json!({ "required": required, "content": content }))
}

/// The status and response of success.
pub(super) fn success(route: Route) -> (&'static str, Value) {
    let json = |status, description: &str, name: &str| {
        let content = json!({ "application/json": { "schema": schema(name) } });
        (status, json!({ "description": description, "content": content, "headers": common() }))
    };
    match route {
        Route::SendFile | Route::CompleteUpload => {
            created(json("202", "The file landed and will be decided", "SentFile"))
        }
        Route::OpenUpload => created(json("201", "The upload is promised", "Promise")),
        Route::CheckFile => json("200", "What would become of the file", "DryRun"),
        Route::ReadUpload => json("200", "Where the upload stands", "UploadStatus"),
        Route::SignParts => json("200", "A signed PUT for each part", "SignedParts"),
        Route::AbortUpload => ("204", json!({ "description": "It is given up", "headers": common() })),
        Route::ListFiles => json("200", "A page of files", "FileList"),
        Route::ReadFile => json("200", "Where the file stands", "FileStatus"),
        Route::ReadReceipt => json("200", "The receipt", "Receipt"),
        Route::ReadRejects => json("200", "A signed GET", "SignedRejects"),
        Route::ListFeeds => json("200", "The feeds", "FeedList"),
        Route::ReadContract => {
            // The schema is of what the text means, not of the text.
            let content = json!({ "application/yaml": { "schema": { "type": "object" } } });
            ("200", json!({ "description": "The contract", "content": content, "headers": common() }))
        }
        Route::ReadRecord => json("200", "A version of the record, or its history", "RecordAnswer"),
        Route::Health => json("200", "It answers", "Health"),
        Route::OpenApi => json("200", "An OpenAPI 3.1 document", "Anything"),
    }
}

fn common() -> Value {
    json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } })
}

fn created((status, mut response): (&'static str, Value)) -> (&'static str, Value) {
    response["headers"]["location"] = json!({ "$ref": "#/components/headers/Location" });
    response["headers"]["idempotency-replayed"] = json!({ "$ref": "#/components/headers/Replayed" });
    (status, response)
}

/// The problems that an operation can answer with, by status.
pub(super) fn refusals(definition: &Definition) -> Vec<Code> {
    let mut codes = vec![Code::InvalidRequest, Code::InvalidQuery];
    if definition.access == Access::Open {
        codes.extend([Code::NotFound, Code::MethodNotAllowed, Code::TooManyRequests, Code::Internal]);
        return codes;
    }
    codes.extend(match definition.route {
        Route::SendFile => &[Code::InvalidName, Code::InvalidHeader, Code::ChecksumMismatch][..],
        Route::OpenUpload => &[Code::InvalidBody, Code::InvalidName, Code::InvalidHeader],
        Route::SignParts | Route::CompleteUpload => &[Code::InvalidBody],
        Route::ReadRecord => &[Code::InvalidKey],
        _ => &[],
    });
    codes.extend([Code::Unauthorized, Code::Forbidden, Code::NotFound, Code::MethodNotAllowed]);
    codes.extend(match definition.route {
        Route::SendFile => &[
            Code::RequestRunning,
            Code::NameConflict,
            Code::TooLarge,
            Code::IdempotencyKeyReused,
            Code::UnknownCorrection,
        ][..],
        Route::OpenUpload => &[
            Code::RequestRunning,
            Code::UploadClosed,
            Code::TooLarge,
            Code::IdempotencyKeyReused,
            Code::UnknownCorrection,
        ],
        Route::CheckFile => &[Code::TooLarge],
        Route::SignParts => &[Code::UploadClosed, Code::TooLarge, Code::PartsRefused],
        Route::CompleteUpload => {
            &[Code::UploadClosed, Code::NameConflict, Code::TooLarge, Code::PartsRefused]
        }
        Route::AbortUpload => &[Code::UploadClosed],
        Route::ReadReceipt | Route::ReadRejects => &[Code::NotTerminal],
        Route::ReadRecord => &[Code::TooManyVersions],
        _ => &[],
    });
    codes.extend([Code::TooManyRequests, Code::Internal, Code::Unavailable]);
    codes
}
