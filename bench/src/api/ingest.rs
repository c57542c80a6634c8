//! The interface: a partner with processed files asks and sends.

use ::ingest::{Ingest, Settings};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use processor::Processor;
use runtime::Host;
use serde_json::{Value, json};
use store::memory::{INBOX, Memory};
use telemetry::Metrics;

use super::{CallTime, FEED, PARTNER, time_calls};
use crate::input::{InputFormat, write_file};
use crate::speed::CONTRACT;

/// What API Gateway sends; path, query and body are put in.
const EVENT: &str = include_str!("../../../events/api-check-file.json");
/// Files that the partner has, each a load of its own.
const FILES: u32 = 50;
/// Records of a file: about 7 KB.
const ROWS: u32 = 20;

pub(super) async fn measure(calls: u32) -> Result<Vec<CallTime>> {
    let memory = Memory::new();
    memory.publish_contract(FEED, CONTRACT);
    let ingest = &Ingest::new(memory.clone(), Settings::new(Metrics::all("Bench")), Host::system());
    let file = send_files(ingest).await?;
    process_files(&memory).await?;
    let check = format!("/v1/feeds/{FEED}/check");
    let record = format!("/v1/records/{FEED}/AC0000000000");
    let (status, receipt) = (format!("/v1/files/{file}"), format!("/v1/files/{file}/receipt"));
    let asks = [
        ("listFiles, 50 files", "GET", "/v1/files", ""),
        ("readFile", "GET", status.as_str(), ""),
        ("readReceipt", "GET", receipt.as_str(), ""),
        ("readRecord", "GET", record.as_str(), ""),
        ("openApi", "GET", "/v1/openapi.json", ""),
        ("checkFile, 7 KB", "POST", check.as_str(), &content(0)?),
    ];
    let mut figures = Vec::new();
    for (call, method, path, body) in asks {
        let event = serde_json::to_vec(&event(method, path, None, body)?)?;
        let label = ["ingest", call];
        let expected = r#"{"statusCode":200,"#;
        let ask = async |event: &[u8]| answer(ingest, event).await;
        figures.push(time_calls(label, calls, expected, |_| Ok(event.clone()), ask).await?);
    }
    let content = content(0)?;
    let send = |number: u32| Ok(serde_json::to_vec(&sending(&format!("warm-{number}.csv"), &content)?)?);
    let ask = async |event: &[u8]| answer(ingest, event).await;
    let label = ["ingest", "sendFile, 7 KB, a new name"];
    figures.push(time_calls(label, calls, r#"{"statusCode":202,"#, send, ask).await?);
    Ok(figures)
}

/// What `main.rs` and `lambda_runtime` do with an event.
async fn answer(ingest: &Ingest<Memory>, event: &[u8]) -> Result<Vec<u8>> {
    let event: Value = serde_json::from_slice(event)?;
    Ok(serde_json::to_vec(&Box::pin(ingest.handle(event)).await)?)
}

/// Sends the partner's files and gives the id of one.
async fn send_files(ingest: &Ingest<Memory>) -> Result<String> {
    let mut last = None;
    for number in 0..FILES {
        let event = sending(&format!("day-{number}.csv"), &content(number)?)?;
        let response = Box::pin(ingest.handle(event)).await;
        ensure!(response.status == 202, "202 expected, found {}: {}", response.status, response.body);
        let body: Value = serde_json::from_str(&response.body)?;
        last = body.get("id").and_then(Value::as_str).map(str::to_owned);
    }
    last.context("no file has an id")
}

/// Lets the processor load every file, as its queue does.
async fn process_files(memory: &Memory) -> Result<()> {
    let settings = processor::Settings::new(INBOX, "quarantine", Metrics::all("Bench"));
    let host = Host::system();
    let deadline_ms = host.now() + 900_000;
    let processor = Processor::new(memory.clone(), settings, host);
    for version in memory.inbox_versions() {
        let file = version.file;
        let event = json!({ "Records": [{
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-20T08:15:00.000Z",
            "s3": { "bucket": { "name": file.bucket }, "object": {
                "key": file.key, "versionId": file.version, "eTag": file.etag, "sequencer": "0061"
            }}
        }]});
        ensure!(Box::pin(processor.handle(&event, deadline_ms)).await.is_ok(), "the processor failed");
    }
    Ok(())
}

/// Returns a file of the feed; each number gives other records.
fn content(number: u32) -> Result<String> {
    let mut bytes = Vec::new();
    write_file(&mut bytes, InputFormat::Csv, number * ROWS..(number + 1) * ROWS)?;
    String::from_utf8(bytes).context("the input is text")
}

fn sending(name: &str, body: &str) -> Result<Value> {
    event("POST", &format!("/v1/feeds/{FEED}/files"), Some(name), body)
}

/// Returns a request as API Gateway hands it on, from a partner whose limits are out of reach.
fn event(method: &str, path: &str, name: Option<&str>, body: &str) -> Result<Value> {
    let mut event: Value = serde_json::from_str(EVENT).context("read the event")?;
    event["httpMethod"] = json!(method);
    event["path"] = json!(path);
    event["requestContext"]["path"] = json!(format!("/api{path}"));
    event["requestContext"]["authorizer"] = json!({
        "principalId": PARTNER, "partner": PARTNER, "feeds": "*", "scopes": "submit read",
        "credential": "k3vq7tz2m5ha", "rate": "1000000", "burst": "1000000", "bytesPerDay": "1000000000000"
    });
    if let Some(name) = name {
        event["queryStringParameters"] = json!({ "name": name });
        event["multiValueQueryStringParameters"] = json!({ "name": [name] });
    }
    event["body"] = if body.is_empty() { Value::Null } else { json!(STANDARD.encode(body)) };
    event["isBase64Encoded"] = json!(!body.is_empty());
    Ok(event)
}
