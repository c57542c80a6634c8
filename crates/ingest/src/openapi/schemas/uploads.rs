//! Uploads: what is asked for, and what is promised.

use serde_json::{Value, json};

use super::super::operations::name_schema;
use super::{Member, Named, count, list, nullable, object, reference, sha256, text, words};
use crate::uploads::{MOST_BYTES, MOST_SIGNED};

const STATUS: &str = "Where the file's state is read: a path on the same host";
const RECEIPT: &str = "Where its receipt is read once it is decided: a path on the same host";

pub(super) fn all() -> Vec<Named> {
    let mut all = requests();
    all.extend(answers());
    all
}

fn requests() -> Vec<Named> {
    let number = || json!({ "type": "integer", "minimum": 1, "maximum": 10_000 });
    let bytes = || json!({ "type": "integer", "minimum": 0, "maximum": MOST_BYTES });
    let media = r"^[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}$";
    let media = json!({ "type": "string", "pattern": media, "examples": ["text/csv"] });
    let etag = json!({ "type": "string", "pattern": r#"^"?[0-9A-Za-z-]{1,128}"?$"# });
    let part_sha256 = "SHA-256 of the part, 64 hexadecimal digits";
    let wanted = object(
        "A part to sign",
        vec![
            ("number", number(), "The number of the part, from 1"),
            ("bytes", bytes(), "The length of the part: `partBytes` of the promise, less for the last part"),
            ("sha256", sha256(), part_sha256),
        ],
    );
    let sent = object(
        "A part that was sent",
        vec![
            ("number", number(), "The number of the part, from 1"),
            ("etag", etag, "The header `etag` of the answer to the PUT of the part"),
            ("sha256", sha256(), part_sha256),
        ],
    );
    let mut wanted_parts = object("Parts to sign", vec![("parts", list(&wanted), "At most 100 parts")]);
    wanted_parts["properties"]["parts"]["minItems"] = json!(1);
    wanted_parts["properties"]["parts"]["maxItems"] = json!(MOST_SIGNED);
    let wish = object(
        "A file that is to be uploaded",
        vec![
            ("bytes", bytes(), "The exact length of the file. Above 5 GiB the upload comes in parts"),
            (
                "sha256?",
                nullable(&sha256()),
                "SHA-256 of the file, 64 hexadecimal digits. Required unless the upload comes in parts",
            ),
            ("name?", nullable(&name_schema()), "The file's name; without one the upload's id"),
            ("contentType?", nullable(&media), "The media type of the file; not a form"),
            ("corrects?", nullable(&reference("FileId")), "The file that this one corrects"),
            (
                "parts?",
                json!({ "type": "boolean", "default": false }),
                "Whether to upload in parts, each with a signed PUT of its own",
            ),
        ],
    );
    vec![
        ("UploadWish", wish),
        ("WantedParts", wanted_parts),
        ("SentParts", object("Every part of an upload", vec![("parts", list(&sent), "All parts, in order")])),
    ]
}

/// The members of a signed request.
fn signed(headers: &'static str) -> Vec<Member> {
    let map = json!({ "type": "object", "additionalProperties": { "type": "string", "description": "The header's value" } });
    vec![
        ("method", text(), "The HTTP method"),
        ("url", text(), "The address, with the signature: a secret while it lasts"),
        ("headers", map, headers),
        ("expiresSeconds", count(), "Seconds until the signature ends"),
    ]
}

fn promise() -> Value {
    object(
        "A promised upload: one signed PUT, or parts",
        vec![
            ("upload", reference("UploadId"), "The upload's id"),
            ("feed", reference("FeedName"), "The feed"),
            ("name", text(), "The file's name"),
            ("bytes", count(), "The announced length"),
            ("expiresAt", text(), "When the promise ends, an instant in UTC"),
            ("status", text(), "Where the upload's state is read: a path on the same host"),
            ("put?", reference("SignedRequest"), "The signed PUT; missing when the upload comes in parts"),
            ("partBytes?", count(), "The length of each part but the last; missing with one signed PUT"),
            ("parts?", count(), "The number of parts; missing with one signed PUT"),
        ],
    )
}

fn sent() -> Value {
    object(
        "A file that landed and is going to be decided",
        vec![
            ("id", reference("FileId"), "The file's id"),
            ("upload", reference("UploadId"), "The upload that brought it"),
            ("feed", reference("FeedName"), "The feed"),
            ("name", text(), "The file's name"),
            ("bytes", count(), "The length in bytes"),
            ("sha256", nullable(&sha256()), "SHA-256, when it is known"),
            ("status", text(), STATUS),
            ("receipt", text(), RECEIPT),
        ],
    )
}

fn present() -> Value {
    object(
        "The current file of the name, which has the announced bytes already",
        vec![
            ("id", reference("FileId"), "The file's id"),
            ("feed", reference("FeedName"), "The feed"),
            ("name", text(), "The file's name"),
            ("bytes", count(), "The length in bytes"),
            ("sha256", sha256(), "SHA-256, as announced"),
            ("state", reference("State"), "The file's state"),
            ("status", text(), STATUS),
            ("receipt", text(), RECEIPT),
        ],
    )
}

fn answers() -> Vec<Named> {
    let headers = "Headers to send exactly as they are. One of them is `if-none-match` or `if-match`: the request lands once; \
        sent again, S3 answers 412 (`PreconditionFailed`)";
    let mut part: Vec<Member> = vec![("number", count(), "The number of the part")];
    part.extend(signed("Headers to send exactly as they are"));
    let part = object("The signed PUT of a part", part);
    let status = object(
        "The state of an upload",
        vec![
            ("upload", reference("UploadId"), "The upload's id"),
            ("state", words(&["OPEN", "LANDED", "ABORTED", "EXPIRED"]), "`LANDED` when it became a file"),
            ("feed", reference("FeedName"), "The feed"),
            ("name", text(), "The file's name"),
            ("bytes", count(), "The announced length"),
            ("expiresAt", text(), "When the promise ends, an instant in UTC"),
            ("id", nullable(&reference("FileId")), "The file that it became"),
            ("status", nullable(&text()), "Where that file's state is read: a path on the same host"),
        ],
    );
    vec![
        ("SignedRequest", object("A signed request, which needs no other credential", signed(headers))),
        ("SignedParts", object("Signed parts", vec![("parts", list(&part), "One for each part asked for")])),
        ("Promise", promise()),
        ("UploadStatus", status),
        ("SentFile", sent()),
        ("PresentFile", present()),
        (
            "SignedRejects",
            object(
                "A signed GET of the rejected records",
                vec![
                    ("url", text(), "The address, with the signature: a secret while it lasts"),
                    ("expiresSeconds", count(), "Seconds until the signature ends"),
                    ("fileName", text(), "The file name under which a browser saves it"),
                ],
            ),
        ),
    ]
}
