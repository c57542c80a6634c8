//! The shapes of bodies, each with a description and an example. An object lists all its members: a member that is not here is a
//! defect.

mod answers;
mod examples;
mod files;
mod uploads;
mod webhook;

use serde_json::{Map, Value, json};

use crate::problem::{Code, Problem};

/// A member of an object: its name (with `?` when it may be left out), its schema, and what it is.
type Member = (&'static str, Value, &'static str);

/// A schema that the document names.
type Named = (&'static str, Value);

/// Every schema by its name.
pub(super) fn all() -> Value {
    let groups = [names(), uploads::all(), files::all(), answers::all(), webhook::all()];
    let named = groups.into_iter().flatten().map(|(name, mut schema)| {
        if let Some(example) = examples::of(name) {
            schema["examples"] = json!([example]);
        }
        (name.to_owned(), schema)
    });
    Value::Object(named.collect())
}

/// The example of a named schema.
pub(super) fn example(name: &str) -> Option<Value> {
    examples::of(name)
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The same schema with a description.
pub(super) fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

fn nullable(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn sha256() -> Value {
    json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" })
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// An object of these members and no others.
fn object(description: &str, members: Vec<Member>) -> Value {
    let required: Vec<&str> =
        members.iter().map(|(name, ..)| *name).filter(|name| !name.ends_with('?')).collect();
    let required = json!(required);
    let properties: Map<String, Value> = members
        .into_iter()
        .map(|(name, schema, what)| (name.trim_end_matches('?').to_owned(), described(schema, what)))
        .collect();
    json!({
        "type": "object", "description": description, "properties": properties, "required": required,
        "additionalProperties": false
    })
}

fn names() -> Vec<Named> {
    let id =
        |what: &str| json!({ "type": "string", "description": what, "pattern": "^[0-9a-hjkmnp-tv-z]{26}$" });
    let decided =
        ["PROCESSING", "COMPLETE", "QUARANTINED", "SUPERSEDED", "DUPLICATE", "GONE", "IGNORED", "RETRACTED"];
    let mut states = vec!["RECEIVED"];
    states.extend(decided);
    let state = "The state of a file: `RECEIVED` (landed, not begun), `PROCESSING`, `COMPLETE` (its good records are loaded), \
        `QUARANTINED` (not loaded; the receipt says why), `SUPERSEDED` (a newer file is loaded instead), `DUPLICATE` (the same \
        content is already loaded), `GONE` (deleted before it was read), `IGNORED` (a desktop's own file), `RETRACTED` (taken \
        back by the operator)";
    vec![
        (
            "FeedName",
            json!({
                "type": "string", "description": "The name of a feed", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"
            }),
        ),
        ("FileId", id("The id of a file: of one version of one object")),
        ("UploadId", id("The id of an upload")),
        ("DecidedState", described(words(&decided), "The state of a file that processing has begun")),
        ("State", described(words(&states), state)),
        ("Anything", json!({ "type": "object", "description": "Any JSON object" })),
        ("Health", object("The service answers", vec![("status", words(&["ok"]), "Always `ok`")])),
        ("Problem", problem()),
    ]
}

fn problem() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let known = format!("The stable code; decide by it. One of: {}", codes.join(", "));
    let mut problem = object(
        "Why a request was not carried out (RFC 9457)",
        vec![
            ("type", text(), "`urn:silent-scalper:problem:<code>`"),
            ("title", text(), "What is wrong, the same for each code"),
            ("status", json!({ "type": "integer", "minimum": 400, "maximum": 599 }), "The HTTP status"),
            ("detail", text(), "What is wrong with this request, where, and what to do"),
            ("code", text(), ""),
            ("requestId", text(), "The id of the request, for the operator"),
        ],
    );
    problem["properties"]["code"]["description"] = json!(known);
    problem
}

/// The example of a problem.
fn problem_example() -> Value {
    let detail =
        "the partner's rate of requests is reached: send the same request again later, and fewer at once";
    let body = Problem::new(Code::TooManyRequests, detail).body("c6af9ac6-7b61-11e6-9a41-93e8deadbeef");
    serde_json::from_str(&body).unwrap_or_default()
}
