//! The OpenAPI 3.1 document of the partner API, made in a test from the table of routes and the types that serde
//! writes and reads.
//!
//! The function serves the committed `infra/openapi.json`. A test compares the two, and writes a new document beside
//! it where they differ. <https://spec.openapis.org/oas/v3.1.1.html>

mod examples;
mod mirrors;
mod operations;
mod schemas;
mod texts;
mod webhooks;

use serde_json::{Map, Value, json};
use store::Scope;

use crate::route::{RouteAccess, RouteDefinition, TABLE};

pub(crate) use mirrors::*;

/// Returns the document.
pub(crate) fn document() -> Value {
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
            "title": "Silent Scalper: partner API",
            "version": "1",
            "description": "Send files of a feed, read their state, receipts and rejected records, and read records. The same paths \
                are below /v1 (an API key in x-api-key), /oauth/v1 (a bearer token) and /iam/v1 (AWS Signature Version 4). \
                Addresses in answers are paths on the same host. Problems have the media type application/problem+json (RFC 9457): \
                decide by `code`, show `detail`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "tags": [
            { "name": "files", "description": "Send files of at most 4 MiB, and read the decision on each file" },
            { "name": "uploads", "description": "Send larger files straight to S3" },
            { "name": "feeds", "description": "The feeds that the credential opens, and their contracts" },
            { "name": "records", "description": "Records that were loaded" },
            { "name": "service", "description": "The service itself" },
            { "name": "webhooks", "description": "The outcomes that are posted to your own address" }
        ],
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/api{tree}",
                "description": "The operator gives you the address",
                "variables": {
                    "api": { "default": "api-id", "description": "The id of the API" },
                    "region": { "default": "us-east-1", "description": "The AWS region" },
                    "tree": {
                        "default": "", "enum": ["", "/oauth", "/iam"],
                        "description": "Nothing for an API key, `/oauth` for a bearer token, `/iam` for an IAM role"
                    }
                }
            }
        ],
        "webhooks": webhooks::all(),
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "responses": { "Problem": problem_response("A problem (RFC 9457): what, where, and what to do") },
            "headers": headers(),
            "securitySchemes": {
                "key": {
                    "type": "apiKey", "in": "header", "name": "x-api-key",
                    "description": "The API key that the operator gave you, below /v1"
                },
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A token of the issuer that the operator named, below /oauth/v1"
                },
                "signature": {
                    "type": "apiKey", "in": "header", "name": "authorization",
                    "description": "AWS Signature Version 4 of an IAM role that the operator has named, below /iam/v1"
                }
            }
        }
    })
}

/// Returns the path without the mark of a greedy variable, which OpenAPI does not know.
fn path_of(definition: &RouteDefinition) -> String {
    definition.path.replace("+}", "}")
}

fn operation(definition: &RouteDefinition) -> Value {
    let (tag, summary, description) = texts::of(definition.route);
    let mut operation = json!({
        "operationId": definition.operation,
        "tags": [tag],
        "summary": summary,
        "description": description,
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
fn security(access: RouteAccess) -> Value {
    match access {
        RouteAccess::Open => json!([]),
        RouteAccess::Scopes(any) => {
            let words: Vec<&str> = any.iter().copied().map(Scope::as_str).collect();
            json!([{ "key": words }, { "token": words }, { "signature": words }])
        }
    }
}

fn responses(definition: &RouteDefinition) -> Value {
    let successes = operations::successes(definition.route).into_iter();
    let mut responses: Map<String, Value> =
        successes.map(|(status, success)| (status.to_owned(), success)).collect();
    let rejections = operations::rejections(definition);
    for code in &rejections {
        let status = code.status().to_string();
        let codes: Vec<&str> = rejections
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
            405 => json!({
                "allow": { "description": "The methods that the path has", "schema": { "type": "string" } },
                "x-request-id": { "$ref": "#/components/headers/RequestId" }
            }),
            _ => json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } }),
        };
        response["headers"] = headers;
        responses.entry(status).or_insert(response);
    }
    Value::Object(responses)
}

fn problem_response(description: &str) -> Value {
    let body = json!({ "schema": schemas::reference("Problem") });
    json!({ "description": description, "content": { "application/problem+json": body } })
}

fn headers() -> Value {
    json!({
        "RequestId": { "description": "The id of this request, for the operator", "schema": { "type": "string" } },
        "Location": { "description": "The address of the state: a path on the same host", "schema": { "type": "string" } },
        "RetryAfter": { "description": "Seconds until the same request may succeed", "schema": { "type": "integer", "minimum": 1 } },
        "Replayed": {
            "description": "`true` when this is the answer of an earlier request with the same idempotency key",
            "schema": { "type": "string", "enum": ["true"] }
        }
    })
}
