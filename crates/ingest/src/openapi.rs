//! The description of the interface, OpenAPI 3.1, made from the table of routes.
//!
//! The document in `infra/openapi.json` is this text; a test compares the two and, told so, writes it again.
//! <https://spec.openapis.org/oas/v3.1.1.html>

mod operations;
mod schemas;

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use store::door::Scope;

use crate::route::{Access, Definition, TABLE};

/// The document as JSON, made once.
#[must_use]
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| serde_json::to_string_pretty(&document()).unwrap_or_default())
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for definition in &TABLE {
        let item = paths.entry(path_of(definition)).or_insert_with(|| json!({}));
        if let Value::Object(item) = item {
            item.insert(definition.method.to_lowercase(), operation(definition));
        }
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Silent Scalper: the partner's door",
            "version": "1",
            "description": "Send files of a feed, see where they stand, fetch receipts, refused records and records. \
                The same paths are below /v1 (a key in x-api-key), /oauth/v1 (a bearer token) and /iam/v1 (AWS \
                Signature Version 4). Addresses in answers are paths on the same host.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/api{tree}",
                "variables": {
                    "api": { "default": "api-id" },
                    "region": { "default": "us-east-1" },
                    "tree": { "default": "", "enum": ["", "/oauth", "/iam"] }
                }
            }
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "responses": { "Problem": problem_response("A problem (RFC 9457): what, where, and what to do") },
            "headers": headers(),
            "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "signature": {
                    "type": "apiKey", "in": "header", "name": "authorization",
                    "description": "AWS Signature Version 4 of an IAM role that the operator has named"
                }
            }
        }
    })
}

/// The path without the mark of a greedy variable, which OpenAPI does not know.
fn path_of(definition: &Definition) -> String {
    definition.path.replace("+}", "}")
}

fn operation(definition: &Definition) -> Value {
    let mut operation = json!({
        "operationId": definition.operation,
        "summary": definition.summary,
        "parameters": operations::parameters(definition),
        "responses": responses(definition),
        "security": security(definition.access),
    });
    if let (Some(body), Value::Object(members)) = (operations::request_body(definition.route), &mut operation)
    {
        members.insert("requestBody".to_owned(), body);
    }
    operation
}

/// Any of the three ways, each with the scopes one of which is needed.
fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Scopes(any) => {
            let words: Vec<&str> = any.iter().copied().map(Scope::as_str).collect();
            json!([{ "key": words }, { "token": words }, { "signature": words }])
        }
    }
}

fn responses(definition: &Definition) -> Value {
    let (status, success) = operations::success(definition.route);
    let mut responses = Map::from_iter([(status.to_owned(), success)]);
    let refusals = operations::refusals(definition);
    for code in &refusals {
        let status = code.status().to_string();
        let codes: Vec<&str> = refusals
            .iter()
            .filter(|other| other.status() == code.status())
            .map(|code| code.as_str())
            .collect();
        let mut response = problem_response(&format!("`code` is {}", codes.join(" or ")));
        let headers = match code.status() {
            409 | 429 | 503 => json!({
                "retry-after": { "$ref": "#/components/headers/RetryAfter" },
                "x-request-id": { "$ref": "#/components/headers/RequestId" }
            }),
            405 => json!({ "allow": { "schema": { "type": "string" } } }),
            _ => json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } }),
        };
        response["headers"] = headers;
        responses.entry(status).or_insert(response);
    }
    Value::Object(responses)
}

fn problem_response(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    })
}

fn headers() -> Value {
    json!({
        "RequestId": { "description": "The name of this request, to tell the operator", "schema": { "type": "string" } },
        "Location": { "description": "Where the state is asked for, a path on the same host", "schema": { "type": "string" } },
        "RetryAfter": { "description": "Seconds until the same request may pass", "schema": { "type": "integer", "minimum": 1 } },
        "Replayed": {
            "description": "`true` when this is the answer of an earlier request with the same idempotency key",
            "schema": { "type": "string", "enum": ["true"] }
        }
    })
}
