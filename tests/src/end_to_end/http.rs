//! Plain requests on loopback, for what the SDKs of this crate do not speak: logs, roles, form uploads.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::harness::ACCOUNT;

/// An answer: its status, its headers by lower-case name, and its body.
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl HttpAnswer {
    /// Returns a header by its lower-case name; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("JSON expected ({error}), found {} {}", self.status, self.text()))
    }
}

/// Sends one request. HTTP/1.0, so that the answer ends with the connection and is never chunked.
pub(super) fn send(
    endpoint: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> HttpAnswer {
    let address = endpoint.strip_prefix("http://").expect("a plain endpoint");
    let length = body.len().to_string();
    let own = [("host", address), ("content-length", length.as_str())];
    let fields = own.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n"));
    let fields = fields.collect::<Vec<_>>().concat();
    let head = format!("{method} {path} HTTP/1.0\r\n{fields}\r\n");
    let mut stream = TcpStream::connect(address).expect("connect to the emulator");
    stream.write_all(head.as_bytes()).expect("send the head");
    stream.write_all(body).expect("send the body");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read the answer");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let headers = fields.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    HttpAnswer { status, headers, body: answer[end + 4..].to_vec() }
}

/// Calls one operation of a service that speaks JSON, as the account's owner.
pub(super) fn call(endpoint: &str, service: &str, target: &str, request: &Value) -> Value {
    let owner = owner_of(ACCOUNT, service);
    let kind =
        if service == "monitoring" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
    let headers = [("content-type", kind), ("x-amz-target", target), ("authorization", &owner)];
    let answer = send(endpoint, "POST", "/", &headers, request.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// Returns the header by which the emulator knows the account and the service. The account's owner needs no signature.
pub(super) fn owner_of(account: &str, service: &str) -> String {
    let scope = format!("{account}/20260101/us-east-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00")
}
