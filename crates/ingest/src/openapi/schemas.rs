//! The schemas of bodies, derived by schemars, each with its example. An object lists all its members.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{examples, mirrors};
use crate::problem::{ProblemBody, ProblemCode};
use crate::{check, feeds, files, history, receipts, replay, status, uploads};

/// Returns the reference to a named schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns every schema by its name.
pub(super) fn all() -> Value {
    let mut named = answers();
    named.extend(requests());
    for (name, schema) in &mut named {
        if let Some(example) = examples::of(name) {
            schema["examples"] = json!([example]);
        }
    }
    let codes: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
    let known = format!("The stable code; decide by it. One of: {}", codes.join(", "));
    named["Problem"]["properties"]["code"]["description"] = json!(known);
    Value::Object(named)
}

fn answers() -> Map<String, Value> {
    let mut generator = generator(SchemaSettings::draft2020_12().for_serialize());
    generator.subschema_for::<check::DryRun>();
    generator.subschema_for::<feeds::FeedList>();
    generator.subschema_for::<files::SentFile<'_>>();
    generator.subschema_for::<history::FileHistory>();
    generator.subschema_for::<receipts::SignedRejects>();
    generator.subschema_for::<replay::AskedReplay>();
    generator.subschema_for::<status::FileList<'_>>();
    generator.subschema_for::<uploads::PresentFile<'_>>();
    generator.subschema_for::<uploads::Promise<'_>>();
    generator.subschema_for::<uploads::SignedParts>();
    generator.subschema_for::<uploads::UploadStatus<'_>>();
    generator.subschema_for::<ProblemBody<'_>>();
    generator.subschema_for::<mirrors::Anything>();
    generator.subschema_for::<mirrors::Health>();
    generator.subschema_for::<mirrors::Outcome>();
    generator.subschema_for::<mirrors::Receipt>();
    generator.subschema_for::<mirrors::RecordAnswer>();
    let mut named = generator.take_definitions(true);
    named.values_mut().for_each(without_null);
    named.values_mut().for_each(plain);
    named
}

fn requests() -> Map<String, Value> {
    let mut generator = generator(SchemaSettings::draft2020_12().for_deserialize());
    generator.subschema_for::<uploads::UploadWish>();
    generator.subschema_for::<uploads::WantedParts>();
    generator.subschema_for::<uploads::SentParts>();
    let mut named = generator.take_definitions(true);
    named.values_mut().for_each(plain);
    named
}

fn generator(mut settings: SchemaSettings) -> SchemaGenerator {
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// Takes the null out of members that an answer leaves out instead.
fn without_null(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if required.contains(&json!(name)) {
            continue;
        }
        if let Some([kind, Value::String(null)]) = member["type"].as_array().map(Vec::as_slice)
            && null == "null"
        {
            member["type"] = kind.clone();
        }
        if let Some(words) = member.get_mut("enum").and_then(Value::as_array_mut) {
            words.retain(|word| !word.is_null());
        }
        if let Some([one, null]) = member["anyOf"].as_array().map(Vec::as_slice)
            && null["type"] == "null"
        {
            let (one, description) = (one.clone(), member["description"].clone());
            *member = one;
            member["description"] = description;
        }
    }
}

/// Takes out what only Rust knows (sizes of integers, line ends of comments), and closes each object.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint"))
            {
                members.remove("format");
            }
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if members.get("properties").is_some_and(Value::is_object) {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            members.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
