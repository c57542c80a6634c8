//! As much of JSON Schema as the document uses.

use std::sync::LazyLock;

use serde_json::Value;

use super::harness::Reply;
use crate::openapi;
use crate::route::RouteDefinition;

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

/// Compares an answer with what the document promises of its route.
pub(super) fn assert_promised(definition: Option<&RouteDefinition>, reply: &Reply) {
    for header in ["x-request-id", "cache-control", "x-content-type-options", "strict-transport-security"] {
        assert!(reply.header(header).is_some(), "{header} is missing");
    }
    let problem = reply.status >= 400;
    assert_eq!(problem, reply.header("content-type") == Some("application/problem+json"), "{}", reply.text);
    if problem {
        assert_eq!(reply.body["status"], reply.status);
        assert_fits(&DOCUMENT["components"]["schemas"]["Problem"], &reply.body, "problem");
        for cause in [" fault", "\"injected", "Exception", "panicked", "arn:", "src/", "memory"] {
            assert!(!reply.text.contains(cause), "a cause is in the reply: {}", reply.text);
        }
        if matches!(reply.status, 429 | 503) {
            assert!(
                reply
                    .header("retry-after")
                    .is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|s| s > 0))
            );
        }
    }
    let Some(definition) = definition else { return };
    let path = definition.path.replace("+}", "}");
    let responses = &DOCUMENT["paths"][path][definition.method.to_lowercase()]["responses"];
    let promised = &responses[reply.status.to_string()];
    assert!(promised.is_object(), "{} may not answer {}: {}", definition.operation, reply.status, reply.text);
    if reply.status == 204 {
        assert!(reply.text.is_empty() && reply.header("content-type").is_none());
        return;
    }
    let content = promised["content"].as_object().expect("content");
    let media = content.get(reply.header("content-type").expect("a content type"));
    let media =
        media.unwrap_or_else(|| panic!("{}: {:?}", definition.operation, reply.header("content-type")));
    if reply.header("content-type").is_some_and(|content_type| content_type.ends_with("json")) {
        assert_fits(&media["schema"], &reply.body, definition.operation);
    }
    if problem {
        let codes = promised["description"].as_str().expect("codes");
        let code = reply.body["code"].as_str().expect("a code");
        assert!(codes.contains(code), "{} may not answer {code}: {codes}", definition.operation);
    }
}

/// Panics where a value breaks its schema.
pub(super) fn assert_fits(schema: &Value, value: &Value, place: &str) {
    if let Err(broken) = fits(schema, value, place) {
        panic!("{broken} in {value}");
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64(),
        other => panic!("{other} is not a type of the document"),
    }
}

fn fits(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target =
            DOCUMENT.pointer(reference.trim_start_matches('#')).ok_or_else(|| format!("no {reference}"))?;
        return fits(target, value, place);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let broken: Vec<String> = any.iter().filter_map(|one| fits(one, value, place).err()).collect();
        return if broken.len() < any.len() { Ok(()) } else { Err(broken.join(" and ")) };
    }
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    if !kinds.iter().filter_map(Value::as_str).any(|kind| is_of(value, kind)) {
        return Err(format!("{place} is not of the type {kinds:?}"));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{place} is not one of the words"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !contract::TextPattern::compile(pattern).expect("a pattern").is_match(text.as_bytes())
    {
        return Err(format!("{place} does not match {pattern}"));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(&schema["items"], item, &format!("{place}[{index}]"))?;
    }
    let bounds = [("minimum", true), ("maximum", false)];
    for (bound, least) in bounds.into_iter().filter(|(bound, _)| schema[bound].is_u64()) {
        let (Some(value), Some(limit)) = (value.as_u64(), schema[bound].as_u64()) else { continue };
        if (least && value < limit) || (!least && value > limit) {
            return Err(format!("{place} is beyond the {bound}"));
        }
    }
    let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return Err(format!("{place} lacks {name}"));
        }
    }
    members.iter().try_for_each(|(name, member)| match properties.get(name) {
        Some(schema) => fits(schema, member, &format!("{place}.{name}")),
        None => Err(format!("{place} has a member {name} that is not promised")),
    })
}
