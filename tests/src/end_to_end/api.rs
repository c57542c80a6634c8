//! The partners' API of a harness: partners made by the command line, requests of theirs, and waiting for an outcome.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::emulator::NOT_INHERITED;
use super::harness::{ACCOUNT, Harness, PATIENCE};
use super::http::{self, HttpAnswer};
use crate::repository::root;

/// Between two questions for a state that nobody announces to a partner.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// How a partner says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    Key(String),
    Token(String),
    Nothing,
}

/// A partner on arrival.
pub(super) struct ApiClient<'s> {
    pub(super) harness: &'s Harness,
    pub(super) shows: Shows,
}

impl Harness {
    /// Runs a command of `scalper` on this stack; its answer.
    pub(super) fn scalper(&self, line: &str) -> Value {
        let output = self.command(&["--json"], line).output().expect("run scalper, which `make build` makes");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "scalper {line}: {said}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("scalper {line}: {error}: {said}"))
    }

    /// Makes a command of `scalper` on this stack, its words separated by blanks.
    pub(super) fn command(&self, options: &[&str], line: &str) -> Command {
        let program = root().join("target/debug/scalper");
        let mut command = Command::new(&program);
        command.args(["--stack", "silent-scalper-dev"]).args(options).args(line.split(' '));
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        let endpoint = self.emulator.endpoint.as_str();
        command.envs([("AWS_ENDPOINT_URL", endpoint), ("AWS_REGION", "us-east-1"), ("NO_COLOR", "1")]);
        command.envs([("AWS_ACCESS_KEY_ID", ACCOUNT), ("AWS_SECRET_ACCESS_KEY", "local")]);
        command
    }

    /// Adds a partner whose limits no test reaches. Returns the client with its first key.
    pub(super) fn add_partner(&self, name: &str) -> ApiClient<'_> {
        let added = self.scalper(&format!("partner add {name} --rate 1000 --burst 1000"));
        self.holder(&secret_of(&added))
    }

    /// Returns a client that sends an API key.
    pub(super) fn holder(&self, key: &str) -> ApiClient<'_> {
        ApiClient { harness: self, shows: Shows::Key(key.to_owned()) }
    }

    /// Returns a client that sends a bearer token.
    pub(super) fn bearer(&self, token: &str) -> ApiClient<'_> {
        ApiClient { harness: self, shows: Shows::Token(token.to_owned()) }
    }

    /// Somebody.
    pub(super) fn anybody(&self) -> ApiClient<'_> {
        ApiClient { harness: self, shows: Shows::Nothing }
    }
}

/// Where a wait begins.
#[expect(clippy::disallowed_methods, reason = "another process is waited for, in real time")]
pub(super) fn from_now() -> Instant {
    Instant::now()
}

/// Returns the secret that a command shows once.
pub(super) fn secret_of(answer: &Value) -> String {
    answer["secret"]
        .as_str()
        .unwrap_or_else(|| panic!("no secret in the answer of {}", answer["did"]))
        .to_owned()
}

impl ApiClient<'_> {
    /// Asks for a path below `/v1` of the tree that fits what is shown.
    pub(super) fn get(&self, path: &str) -> HttpAnswer {
        self.send("GET", path, &[], b"")
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> HttpAnswer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Sends a small file, as some binary type.
    pub(super) fn file(&self, path: &str, bytes: &[u8]) -> HttpAnswer {
        self.send("POST", path, &[("content-type", "application/octet-stream")], bytes)
    }

    pub(super) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpAnswer {
        let (tree, own) = match &self.shows {
            Shows::Key(key) => ("", vec![("x-api-key", key.as_str())]),
            Shows::Token(token) => ("/oauth", vec![("authorization", token.as_str())]),
            Shows::Nothing => ("", Vec::new()),
        };
        let base =
            self.harness.names.api.strip_prefix(&self.harness.emulator.endpoint).expect("an address there");
        let headers = [own.as_slice(), headers].concat();
        http::send(&self.harness.emulator.endpoint, method, &format!("{base}{tree}{path}"), &headers, body)
    }

    /// Carries out a signed request.
    pub(super) fn signed(&self, signed: &Value, body: &[u8]) -> HttpAnswer {
        let url = signed["url"].as_str().unwrap_or_else(|| panic!("no address in {signed}"));
        let path = url.strip_prefix(&self.harness.emulator.endpoint).expect("an address of the emulator");
        let headers = signed["headers"].as_object().cloned().unwrap_or_default();
        let headers: Vec<(String, String)> = headers
            .into_iter()
            // The length is that of what is really sent.
            .filter(|(name, _)| name != "content-length")
            .map(|(name, value)| (name, value.as_str().expect("a header's text").to_owned()))
            .collect();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let method = signed["method"].as_str().unwrap_or("GET");
        http::send(&self.harness.emulator.endpoint, method, path, &headers, body)
    }

    /// Asks for a file's state until it is decided.
    pub(super) fn decided(&self, file: &str) -> Value {
        self.until(&format!("/v1/files/{file}"), |answer| {
            answer.status == 200
                && !["RECEIVED", "PROCESSING"].contains(&answer.json()["state"].as_str().unwrap_or(""))
        })
        .json()
    }

    /// Sends a small file, again while only the rate of requests rejects it.
    pub(super) fn until_sent(&self, path: &str, bytes: &[u8]) -> HttpAnswer {
        let begun = from_now();
        loop {
            let answer = self.file(path, bytes);
            let short = answer.header("retry-after").parse().is_ok_and(|seconds: u64| seconds <= 10);
            if answer.status != 429 || !short || begun.elapsed() > PATIENCE {
                return answer;
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    /// Asks until the answer is as expected.
    pub(super) fn until(&self, path: &str, expected: impl Fn(&HttpAnswer) -> bool) -> HttpAnswer {
        let begun = from_now();
        loop {
            let answer = self.get(path);
            if expected(&answer) {
                return answer;
            }
            let waited = begun.elapsed();
            assert!(
                waited < PATIENCE,
                "GET {path} is still {} {}\n{}",
                answer.status,
                answer.text(),
                self.harness.emulator.log()
            );
            std::thread::sleep(ASK_AGAIN);
        }
    }
}

/// Returns the problem's code, after checks of everything that every problem has.
pub(super) fn problem(answer: &HttpAnswer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text());
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{problem}");
    let code = problem["code"].as_str().expect("a code").to_owned();
    assert_eq!(problem["type"], format!("urn:silent-scalper:problem:{code}"));
    for member in ["title", "detail", "requestId"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {problem}");
    }
    code
}

/// What is asked to get an upload promised.
pub(super) fn wish(name: &str, bytes: &[u8]) -> Value {
    json!({ "name": name, "bytes": bytes.len(), "sha256": sha256(bytes), "contentType": "text/csv" })
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns a text member of an answer.
pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}
