//! One example of each body.

use serde_json::{Value, json};

use crate::problem::{ProblemCode, ProblemDetails};

const FILE: &str = "r5g61a45bnmyhnp8sgqw0ymkjv";
const UPLOAD: &str = "7w3k0c9v5n2m4x8b1z6q0s3d5f";
const REPLAY: &str = "6t2n9m4k8h3v7c1x5z0s2d4f6g";
const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const ETAG: &str = "5d41402abc4b2a76b9719d911017c592";
const SIGNED: &str =
    "https://inbox.s3.eu-central-1.amazonaws.com/north/scan-reports/day.csv?X-Amz-Signature=0c7a";

/// Returns the example of a named schema; `None` where its members have theirs.
pub(super) fn of(name: &str) -> Option<Value> {
    request(name).or_else(|| upload(name)).or_else(|| file(name)).or_else(|| decision(name))
}

fn request(name: &str) -> Option<Value> {
    Some(match name {
        "FeedName" => json!("scan-reports"),
        "FileId" => json!(FILE),
        "UploadId" => json!(UPLOAD),
        "DecidedState" | "State" => json!("COMPLETE"),
        "Health" => json!({ "status": "ok" }),
        "Problem" => problem(),
        "UploadWish" => {
            json!({ "name": "day.csv", "bytes": 7_340_032, "sha256": SHA256, "contentType": "text/csv" })
        }
        "WantedParts" => json!({ "parts": [{ "number": 1, "bytes": 8_388_608, "sha256": SHA256 }] }),
        "SentParts" => json!({ "parts": [{ "number": 1, "etag": ETAG, "sha256": SHA256 }] }),
        _ => return None,
    })
}

fn signed() -> Value {
    let headers = json!({
        "content-length": "7340032", "content-type": "text/csv", "if-none-match": "*",
        "x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "x-amz-meta-upload": UPLOAD
    });
    json!({ "method": "PUT", "url": SIGNED, "headers": headers, "expiresSeconds": 900 })
}

fn upload(name: &str) -> Option<Value> {
    let status = format!("/api/v1/files/{FILE}");
    let receipt = format!("{status}/receipt");
    Some(match name {
        "SignedRequest" => signed(),
        "SignedParts" => {
            let headers = json!({ "content-length": "8388608", "x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" });
            let part = json!({ "number": 1, "method": "PUT", "url": SIGNED, "headers": headers, "expiresSeconds": 900 });
            json!({ "parts": [part] })
        }
        "Promise" => json!({
            "upload": UPLOAD, "feed": "scan-reports", "name": "day.csv", "bytes": 7_340_032,
            "expiresAt": "2026-11-20T08:30:00.000Z", "status": format!("/api/v1/uploads/{UPLOAD}"), "put": signed()
        }),
        "UploadStatus" => json!({
            "upload": UPLOAD, "state": "LANDED", "feed": "scan-reports", "name": "day.csv", "bytes": 7_340_032,
            "expiresAt": "2026-11-20T08:30:00.000Z", "id": FILE, "status": status
        }),
        "SentFile" => json!({
            "id": FILE, "upload": UPLOAD, "feed": "scan-reports", "name": "day.csv", "bytes": 5120, "sha256": SHA256,
            "status": status, "receipt": receipt
        }),
        "PresentFile" => json!({
            "id": FILE, "feed": "scan-reports", "name": "day.csv", "bytes": 5120, "sha256": SHA256, "state": "COMPLETE",
            "status": status, "receipt": receipt
        }),
        "SignedRejects" => {
            json!({ "url": SIGNED, "expiresSeconds": 900, "fileName": format!("{FILE}-rejects.csv") })
        }
        _ => return None,
    })
}

fn counts() -> Value {
    json!({ "records": 20, "rows": 19, "rejects": 1, "warnings": 0 })
}

fn status() -> Value {
    let link = format!("/api/v1/files/{FILE}");
    json!({
        "id": FILE, "feed": "scan-reports", "name": "day.csv", "key": "north/scan-reports/day.csv", "state": "COMPLETE",
        "order": "2026-11-20T08:15:00.123Z/0061", "counts": counts(), "loaded": 19, "fault": null, "sha256": SHA256,
        "bytes": 5120, "contractVersion": "1.2.0", "other": null, "corrects": null, "status": link,
        "receipt": format!("{link}/receipt"), "rejects": format!("{link}/rejects")
    })
}

fn history() -> Value {
    let event = |event: &str, at: &str| {
        json!({
            "event": event, "at": at, "state": null, "generation": null, "counts": null, "contractVersion": null,
            "fault": null, "other": null
        })
    };
    let mut decided = event("decided", "2026-11-20T08:15:02.000Z");
    (decided["state"], decided["generation"], decided["counts"]) = ("QUARANTINED".into(), 0.into(), counts());
    (decided["contractVersion"], decided["fault"]) = ("1.1.0".into(), "ERROR_BUDGET".into());
    let mut replayed = event("replayed", "2026-11-20T09:30:00.000Z");
    (replayed["state"], replayed["generation"], replayed["counts"]) = ("COMPLETE".into(), 1.into(), counts());
    replayed["contractVersion"] = "1.2.0".into();
    json!({
        "id": FILE, "state": "COMPLETE", "events": [event("received", "2026-11-20T08:15:00.000Z"), decided, replayed],
        "complete": true, "replay": { "id": REPLAY, "state": "DECIDED", "fault": null }
    })
}

fn file(name: &str) -> Option<Value> {
    let record = json!({ "report_id": "RPT-00000017", "modality": "CT" });
    let version =
        json!({ "record": record, "load": format!("{FILE}-ce8hmn7mrjtx6"), "file": FILE, "line": 2 });
    Some(match name {
        "Counts" => counts(),
        "FileStatus" => status(),
        "FileList" => json!({ "files": [status()], "next": null }),
        "FeedList" => {
            json!({ "feeds": [{ "feed": "scan-reports", "contract": "/api/v1/feeds/scan-reports/contract" }] })
        }
        "FileHistory" => history(),
        "AskedReplay" => {
            let link = format!("/api/v1/files/{FILE}");
            json!({ "id": FILE, "replay": REPLAY, "state": "ASKED", "history": format!("{link}/history"), "status": link })
        }
        "RecordVersion" | "RecordAnswer" => version,
        "RecordHistory" => json!({ "versions": [version], "next": null }),
        _ => return None,
    })
}

fn findings() -> Value {
    json!({
        "verdict": "partial", "fault": null, "counts": counts(), "sha256": SHA256,
        "contract": { "id": "scan-reports", "version": "1.2.0", "hash": SHA256 },
        "rules": [{
            "rule": "modality.enum", "code": "ENUM", "severity": "error", "column": "modality", "count": 1,
            "expected": "one of CT, MR"
        }],
        "violations": [{
            "line": 7, "record": 6, "byteOffset": 412, "column": "modality", "rule": "modality.enum", "code": "ENUM",
            "reason": "not one of CT, MR"
        }],
        "notRun": [], "warnings": []
    })
}

fn decision(name: &str) -> Option<Value> {
    let with_findings = |mut own: Value| {
        if let (Value::Object(own), Value::Object(found)) = (&mut own, findings()) {
            own.extend(found);
        }
        own
    };
    Some(match name {
        "Receipt" => with_findings(json!({
            "formatVersion": 1, "fileId": FILE, "load": format!("{FILE}-ce8hmn7mrjtx6"), "partner": "north",
            "feed": "scan-reports", "key": "north/scan-reports/day.csv", "version": "3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH",
            "order": "2026-11-20T08:15:00.123Z/0061", "state": "COMPLETE", "loaded": 19, "bytes": 5120
        })),
        "DryRun" => with_findings(json!({
            "feed": "scan-reports", "stored": false, "wouldBe": "COMPLETE", "wouldLoad": 19, "bytes": 5120
        })),
        "Outcome" => json!({
            "version": 1, "fileId": FILE, "name": "day.csv", "load": format!("{FILE}-ce8hmn7mrjtx6"), "partner": "north",
            "feed": "scan-reports", "state": "COMPLETE", "verdict": "partial", "loaded": 19, "counts": counts(),
            "contractVersion": "1.2.0",
            "receipt": format!("https://abcdef1234.execute-api.eu-central-1.amazonaws.com/api/v1/files/{FILE}/receipt")
        }),
        _ => return None,
    })
}

fn problem() -> Value {
    let detail =
        "the partner's rate of requests is reached: send the same request again later, and fewer at once";
    let body = ProblemDetails::new(ProblemCode::TooManyRequests, detail)
        .body("c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
    serde_json::from_str(&body).unwrap_or_default()
}
