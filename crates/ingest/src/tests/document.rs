use std::path::Path;

use serde_json::Value;

use super::bench::Bench;
use crate::openapi;
use crate::route::TABLE;

/// Where the document is kept for readers and tools.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/openapi.json");

#[test]
fn the_kept_document_is_that_of_the_code() {
    let text = format!("{}\n", openapi::text());
    let kept = std::fs::read_to_string(Path::new(KEPT)).unwrap_or_default();
    if kept != text {
        let fresh = Path::new(KEPT).with_extension("json.new");
        std::fs::write(&fresh, &text).expect("written beside");
        panic!(
            "infra/openapi.json is not what the code says: compare it with openapi.json.new beside it, then rename that"
        );
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_kept() {
    let bench = Bench::new();
    let told = bench.ask_bare("GET", "/v1/openapi.json").told().await;
    assert_eq!(told.text, openapi::text());
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
