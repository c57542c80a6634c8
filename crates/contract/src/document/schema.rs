//! Schema objects and their properties.

use crate::finding::Findings;
use crate::words::{self, word_enum};

use super::quality::{self, QualityRule};
use super::{Fields, Located, Node, Place, Setting, settings};

/// The schema object: one kind of record.
#[derive(Debug)]
pub(crate) struct SchemaObject {
    pub(crate) place: Place,
    pub(crate) properties: Vec<Property>,
    pub(crate) quality: Vec<QualityRule>,
    pub(crate) relationships: Vec<Place>,
    pub(crate) settings: Vec<Setting>,
}

/// A property: one column, field, item or member.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) place: Place,
    pub(crate) name: Option<Located<String>>,
    pub(crate) physical_name: Option<Located<String>>,
    pub(crate) synonyms: Vec<Located<String>>,
    pub(crate) logical_type: Option<Located<LogicalType>>,
    /// A type was written that the standard does not know; it is reported.
    pub(crate) unknown_type: bool,
    pub(crate) physical_type: Option<Located<String>>,
    pub(crate) options: Option<Node>,
    pub(crate) required: bool,
    pub(crate) unique: Option<Place>,
    pub(crate) primary_key: Option<Place>,
    pub(crate) primary_key_position: Option<Located<i64>>,
    pub(crate) classification: Option<Located<String>>,
    pub(crate) encrypted_name: Option<Located<String>>,
    pub(crate) enumeration: Option<Enumeration>,
    pub(crate) examples: Vec<Node>,
    pub(crate) quality: Vec<QualityRule>,
    pub(crate) relationships: Vec<Place>,
    pub(crate) properties: Vec<Property>,
    pub(crate) items: Option<Box<Property>>,
    pub(crate) map_value: Option<Box<Property>>,
    pub(crate) settings: Vec<Setting>,
}

/// The values of an `enum`.
#[derive(Debug)]
pub(crate) struct Enumeration {
    pub(crate) place: Place,
    pub(crate) values: Vec<Node>,
}

word_enum! {
    /// The standard's types.
    pub(crate) enum LogicalType {
        /// Text.
        String = "string",
        /// A whole number of at most 38 digits.
        Integer = "integer",
        /// A decimal number of at most 38 digits.
        Number = "number",
        /// True or false.
        Boolean = "boolean",
        /// A calendar date.
        Date = "date",
        /// A date and time.
        Timestamp = "timestamp",
        /// A time of day.
        Time = "time",
        /// A JSON object with known fields. JSON only.
        Object = "object",
        /// A JSON array. JSON only.
        Array = "array",
        /// A JSON object with any field names. JSON only.
        Map = "map",
    }
}

pub(super) fn object(node: &Node, findings: &mut Findings) -> Option<SchemaObject> {
    let mut fields = Fields::open(node, &words::SCHEMA, findings)?;
    if fields.text("name", findings).is_none() {
        findings.error(&node.place, "no `name`", "the name of a schema object", "");
    }
    fields.word("logicalType", &[("object", (), "")], findings);
    let object = SchemaObject {
        place: node.place.clone(),
        properties: properties(&mut fields, findings),
        quality: quality::rules(&mut fields, findings),
        relationships: relationships(&mut fields, findings),
        settings: settings(&mut fields, findings),
    };
    fields.close(findings);
    Some(object)
}

fn properties(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<Property> {
    let nodes = fields.list("properties", findings);
    nodes.iter().filter_map(|node| property(node, "a property", findings)).collect()
}

fn relationships(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<Place> {
    fields.list("relationships", findings).iter().map(|node| node.place.clone()).collect()
}

fn property(node: &Node, what: &'static str, findings: &mut Findings) -> Option<Property> {
    let mut fields = Fields::open_as(node, &words::PROPERTY, what, findings)?;
    let set = |flag: Option<Located<bool>>| flag.filter(|flag| flag.value).map(|flag| flag.place);
    let logical_type = fields.word("logicalType", LogicalType::WORDS, findings);
    let property = Property {
        place: node.place.clone(),
        name: fields.text("name", findings),
        physical_name: fields.text("physicalName", findings),
        synonyms: synonyms(&mut fields, findings),
        unknown_type: logical_type.is_none() && fields.take("logicalType").is_some(),
        logical_type,
        physical_type: fields.text("physicalType", findings),
        options: fields.take("logicalTypeOptions").cloned(),
        required: set(fields.boolean("required", findings)).is_some(),
        unique: set(fields.boolean("unique", findings)),
        primary_key: set(fields.boolean("primaryKey", findings)),
        primary_key_position: position(&mut fields, findings),
        classification: fields.text("classification", findings),
        encrypted_name: fields.text("encryptedName", findings),
        enumeration: enumeration(&mut fields, findings),
        examples: fields.list("examples", findings).to_vec(),
        quality: quality::rules(&mut fields, findings),
        relationships: relationships(&mut fields, findings),
        properties: properties(&mut fields, findings),
        items: fields.take("items").and_then(|node| property(node, "`items`", findings)).map(Box::new),
        map_value: map_value(&mut fields, findings),
        settings: settings(&mut fields, findings),
    };
    fields.close(findings);
    Some(property)
}

/// Further names of the property in files.
fn synonyms(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<Located<String>> {
    let nodes = fields.list("synonyms", findings);
    nodes.iter().filter_map(|node| super::text_of(node, findings)).collect()
}

/// Returns a position from 1; the standard's default −1 means none.
fn position(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Located<i64>> {
    let text = fields.text("primaryKeyPosition", findings)?;
    match text.value.parse::<i64>() {
        Ok(-1) => None,
        Ok(value) if value >= 1 => Some(Located { value, place: text.place }),
        _ => {
            let found = crate::finding::quoted(&text.value);
            findings.error(&text.place, found, "a position from 1", "");
            None
        }
    }
}

/// Returns the values of `enum`: mappings with a `value` (v3.2.0); a bare scalar is taken with a warning.
fn enumeration(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Enumeration> {
    let node = fields.take("enum")?;
    let mut values = Vec::new();
    for item in super::items_of(node, findings) {
        if item.scalar().is_some() {
            findings.warning(
                &item.place,
                item.describe(),
                "`value: …` in each entry of `enum`",
                "write `- value: …`",
            );
            values.push(item.clone());
            continue;
        }
        let Some(mut entry) = Fields::open(item, &words::ENUM_ENTRY, findings) else { continue };
        super::no_settings(&mut entry, "an entry of `enum`", findings);
        match entry.take("value") {
            Some(value) => values.push(value.clone()),
            None => findings.error(&item.place, "no `value`", "`value: …` in each entry of `enum`", ""),
        }
        entry.close(findings);
    }
    if values.is_empty() && !findings.any_error() {
        findings.error(
            &node.place,
            "an empty list",
            "at least one value",
            "remove `enum`, or list the values",
        );
    }
    Some(Enumeration { place: node.place.clone(), values })
}

/// Returns what the members of a map are. Keys of a JSON object are texts; rules on them are not known to the
/// standard's maps.
fn map_value(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Box<Property>> {
    let node = fields.take("map")?;
    let map = Fields::open(node, &words::MAP_PROPERTY, findings)?;
    if let Some(key) = map.take("key").and_then(|key| property(key, "the key of a map", findings)) {
        check_map_key(&key, findings);
    }
    let value = map.take("value").and_then(|value| property(value, "the value of a map", findings));
    map.close(findings);
    value.map(Box::new)
}

/// Nothing that a key would have to obey may be dropped in silence.
fn check_map_key(key: &Property, findings: &mut Findings) {
    if let Some(kind) = key.logical_type.as_ref().filter(|kind| kind.value != LogicalType::String) {
        findings.error(
            &kind.place,
            "a key that is not a string",
            "`logicalType: string`",
            "JSON keys are texts",
        );
    }
    let ruled = key.options.is_some() || key.enumeration.is_some() || !key.quality.is_empty();
    if ruled || !key.settings.is_empty() {
        findings.error(
            &key.place,
            "rules on the keys of a map",
            "only a type",
            "this version checks values only",
        );
    }
}
