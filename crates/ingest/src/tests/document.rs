use std::path::Path;

use serde_json::Value;

use super::harness::Harness;
use crate::openapi;
use crate::route::TABLE;

/// Where the document is kept for readers and tools.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/openapi.json");

#[test]
fn the_kept_document_is_that_of_the_code() {
    let text = format!("{}\n", serde_json::to_string_pretty(&openapi::document()).expect("JSON"));
    let kept = std::fs::read_to_string(Path::new(KEPT)).unwrap_or_default();
    if kept != text {
        let fresh = Path::new(KEPT).with_extension("json.new");
        std::fs::write(&fresh, &text).expect("the new document is written");
        panic!(
            "infra/openapi.json differs from the code: compare it with infra/openapi.json.new, then rename the new one"
        );
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_kept() {
    let harness = Harness::new();
    let reply = harness.ask_bare("GET", "/v1/openapi.json").reply().await;
    assert_eq!(reply.text, std::fs::read_to_string(KEPT).expect("the kept document"));
}

#[test]
fn every_route_is_described_once_and_every_reference_leads_somewhere() {
    let document = openapi::document();
    let paths = document["paths"].as_object().expect("paths");
    let operations: usize = paths.values().filter_map(Value::as_object).map(serde_json::Map::len).sum();
    assert_eq!(operations, TABLE.len());
    let mut left = vec![&document];
    let mut references = 0;
    while let Some(value) = left.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            references += 1;
        }
        left.extend(value.as_object().into_iter().flat_map(serde_json::Map::values));
        left.extend(value.as_array().into_iter().flatten());
    }
    assert!(references > 50);
}

#[test]
fn every_example_fits_its_schema() {
    let document = openapi::document();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        for example in schema["examples"].as_array().into_iter().flatten() {
            super::schema::assert_fits(schema, example, name);
        }
    }
}

/// Collects every schema with its path: those of the components and those of the operations.
fn schemas<'d>(place: &str, value: &'d Value, found: &mut Vec<(String, &'d Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{place}/{name}");
                match (name.as_str(), member) {
                    ("example" | "examples" | "enum" | "default" | "required" | "description", _) => {}
                    ("schema" | "items" | "additionalProperties", Value::Object(_)) => {
                        found.push((place.clone(), member));
                        schemas(&place, member, found);
                    }
                    ("schemas" | "properties", Value::Object(all)) => {
                        for (name, schema) in all {
                            let place = format!("{place}/{name}");
                            found.push((place.clone(), schema));
                            schemas(&place, schema, found);
                        }
                    }
                    _ => schemas(&place, member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| schemas(place, item, found)),
        _ => {}
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() > 3)
}

#[test]
fn every_operation_parameter_response_header_and_property_is_described() {
    let document = openapi::document();
    let mut found = Vec::new();
    schemas("", &document, &mut found);
    assert!(found.len() > 200, "{}", found.len());
    for (place, schema) in found {
        // The schema of a parameter or header carries the description on the parameter, and a reference that of its
        // target.
        let elsewhere = place.contains("/parameters/")
            || place.contains("/headers/")
            || place.ends_with("/schema")
            || schema["$ref"].is_string();
        assert!(elsewhere || is_text(&schema["description"]), "{place} has no description");
    }
    let items = [&document["paths"], &document["webhooks"]].into_iter().filter_map(Value::as_object);
    for (path, item) in items.flatten() {
        for (method, operation) in item.as_object().expect("operations") {
            let place = format!("{method} {path}");
            assert!(is_text(&operation["summary"]) && is_text(&operation["description"]), "{place}");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{place}");
            for parameter in operation["parameters"].as_array().expect("parameters") {
                assert!(is_text(&parameter["description"]), "{place}: {}", parameter["name"]);
            }
            for (status, response) in operation["responses"].as_object().expect("responses") {
                assert!(is_text(&response["description"]), "{place}: {status}");
                for (name, header) in response["headers"].as_object().into_iter().flatten() {
                    let described = is_text(&header["description"]) || header["$ref"].is_string();
                    assert!(described, "{place}: {status}: {name}");
                }
            }
            if !operation["requestBody"].is_null() {
                assert!(is_text(&operation["requestBody"]["description"]), "{place}");
            }
        }
    }
    let components = &document["components"];
    for kind in ["headers", "responses", "securitySchemes"] {
        for (name, component) in components[kind].as_object().expect("components") {
            assert!(is_text(&component["description"]), "{kind}/{name}");
        }
    }
}

#[test]
fn every_body_has_an_example_that_fits_its_schema() {
    let document = openapi::document();
    let items = [&document["paths"], &document["webhooks"]].into_iter().filter_map(Value::as_object);
    let mut bodies = 0;
    for (path, item) in items.flatten() {
        for (method, operation) in item.as_object().expect("operations") {
            let responses = operation["responses"].as_object().expect("responses").values();
            for body in responses.chain(std::iter::once(&operation["requestBody"])) {
                for (media_type, content) in body["content"].as_object().into_iter().flatten() {
                    let place = format!("{method} {path} {media_type}");
                    let schema = &content["schema"];
                    let name =
                        schema["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                    let named = &document["components"]["schemas"][name];
                    let bytes = schema["format"] == "binary";
                    let example = !content["example"].is_null() || named["examples"].is_array();
                    assert!(example || bytes || name == "Anything", "{place} has no example");
                    if media_type == "application/json" && !bytes && !content["example"].is_null() {
                        super::schema::assert_fits(schema, &content["example"], &place);
                    }
                    bodies += 1;
                }
            }
        }
    }
    assert!(bodies > 100, "{bodies}");
}

#[test]
fn a_file_is_bytes_in_each_of_its_media_types() {
    let document = openapi::document();
    for path in ["/v1/feeds/{feed}/files", "/v1/feeds/{feed}/check"] {
        let content = document["paths"][path]["post"]["requestBody"]["content"].as_object().expect("content");
        let types: Vec<&str> = content.keys().map(String::as_str).collect();
        for expected in crate::media::FILE_TYPES {
            assert!(types.contains(&expected), "{expected} is not in {types:?}");
            assert_eq!(content[expected]["schema"]["format"], "binary", "{expected}");
        }
        assert!(types.iter().all(|name| !name.contains('*') && !name.contains("form")), "{types:?}");
    }
}
