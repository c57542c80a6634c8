//! One property as one column.

use crate::cell_set::CellSet;
use crate::compiled::{Check, Column, Dialect, Format, HeaderMatch, Kind};
use crate::document::{
    Enumeration, Fields, LogicalType, Node, Property, ScalarKind, Setting, text_of, unknown_setting,
};
use crate::finding::{Findings, quoted};
use crate::lint;
use crate::reject_label;
use crate::rule::Code;
use crate::words;

use super::{Compilation, example, mask, options, pointer, quality, transform};

/// Attributes that the records table uses itself.
const RESERVED: [&str; 4] = ["pk", "sk", "_load", "_line"];

/// Classifications whose values are never shown. They are compared in lower case, blanks and hyphens as `_`.
const CLASSIFIED: [&str; 8] =
    ["pii", "phi", "personal", "personal_data", "confidential", "restricted", "sensitive", "secret"];

/// Where a property is.
#[derive(Clone)]
pub(super) struct ColumnScope<'a> {
    /// What rule ids begin with; empty at the top.
    prefix: String,
    /// The name of a property that needs none of its own: `items`, `values`.
    role: Option<&'static str>,
    /// The column's index at the top.
    index: Option<u16>,
    /// Names that the object around it requires.
    required: Vec<String>,
    format: &'a Format,
}

impl<'a> ColumnScope<'a> {
    /// Returns a property of the schema object.
    pub(super) fn top(index: u16, format: &'a Format) -> Self {
        Self { prefix: String::new(), role: None, index: Some(index), required: Vec::new(), format }
    }

    /// Returns a property, or the items or values, of a nested one.
    pub(super) fn below(&self, id: &str, role: Option<&'static str>, required: Vec<String>) -> Self {
        Self { prefix: format!("{id}."), role, index: None, required, format: self.format }
    }
}

pub(super) fn compile(property: &Property, scope: &ColumnScope<'_>, compilation: &mut Compilation) -> Column {
    let name = name(property, scope, &mut compilation.findings);
    let id = format!("{}{name}", scope.prefix);
    let logical_type = logical_type(property, scope, &mut compilation.findings);
    let section = logical_type.options();
    let mut options = match &property.options {
        Some(node) => Fields::open(node, section, &mut compilation.findings),
        None => None,
    }
    .unwrap_or_else(|| Fields::none(&property.place, section));
    let type_rule = compilation.rules.fail(&format!("{id}.type"), Code::TypeError, "");
    let required = property.required || scope.required.contains(&name);
    let required = required.then(|| {
        compilation.rules.fail(&format!("{id}.required"), Code::MissingCell, "a value that is not null")
    });
    let kind = options::kind(property, logical_type, &mut options, &id, scope, compilation);
    let spelling = match (scope.format, &kind) {
        (
            Format::Separated(Dialect { spelling, .. }),
            Kind::Integer | Kind::Number { .. } | Kind::Boolean,
        ) => spelling.clone(),
        _ => None,
    };
    if let Some(rule) = compilation.rules.rules.get_mut(usize::from(type_rule.0)) {
        rule.expected =
            super::shorten(&options::describe(&kind, spelling.as_deref()), super::EXPECTED_CHARACTERS);
    }
    let mut column = Column::new(&name, kind, type_rule);
    if let Some(given) = &property.physical_name {
        column.physical_name.clone_from(&given.value);
    }
    column.synonyms = property.synonyms.iter().map(|synonym| synonym.value.clone()).collect();
    column.required = required;
    column.spelling = spelling;
    column.classified = property
        .classification
        .as_ref()
        .is_some_and(|given| CLASSIFIED.contains(&classification(&given.value).as_str()));
    options::checks(&mut column, &mut options, &id, compilation);
    if !property.unknown_type {
        options.close(&mut compilation.findings);
    }
    if let Some(enumeration) = &property.enumeration {
        enumerate(&mut column, enumeration, &id, compilation);
    }
    for setting in &property.settings {
        apply(setting, &mut column, scope, compilation);
    }
    check_parts(property, &column.kind, &mut compilation.findings);
    if scope.index.is_some() {
        check_labels(property, &column, &mut compilation.findings);
    }
    list_not_run(property, scope, compilation);
    quality::on_column(&property.quality, &mut column, scope.index, &id, compilation);
    if let (Some(node), Some(index)) = (setting_of(property, "transform"), scope.index) {
        transform::check_texts(node, &column, index, compilation);
    }
    example::check(property, &column, scope.index.unwrap_or_default(), compilation);
    column
}

fn name(property: &Property, scope: &ColumnScope<'_>, findings: &mut Findings) -> String {
    let given = property.name.as_ref().map(|name| (name.value.clone(), &name.place));
    match (given, scope.role) {
        (_, Some(role)) => role.to_owned(),
        (Some((name, place)), None) => {
            if name.trim().is_empty() || name.trim() != name || name.chars().any(char::is_control) {
                findings.error(place, quoted(&name), "a name without blanks at its ends", "");
            }
            if scope.index.is_some() && RESERVED.contains(&name.as_str()) {
                findings.error(
                    place,
                    quoted(&name),
                    "a name that the records table does not use itself",
                    "choose another `name` and keep this one as `physicalName`",
                );
            }
            name
        }
        (None, None) => {
            findings.error(&property.place, "no `name`", "the name of a property", "");
            String::new()
        }
    }
}

fn logical_type(property: &Property, scope: &ColumnScope<'_>, findings: &mut Findings) -> LogicalType {
    let Some(given) = &property.logical_type else {
        if !property.unknown_type {
            findings.warning(
                &property.place,
                "no `logicalType`",
                "a logical type",
                "the values are read as text; say `logicalType: string` if that is meant",
            );
        }
        return LogicalType::String;
    };
    let nested = matches!(given.value, LogicalType::Object | LogicalType::Array | LogicalType::Map);
    if nested && scope.format.has_text_cells() {
        findings.error(
            &given.place,
            "a nested type in a separated format",
            "string, integer, number, boolean, date, timestamp or time",
            "use format `json` or `ndjson`, or `logicalType: string`",
        );
    }
    given.value
}

/// Parts of another type would be dropped, and with them their rules and masks.
fn check_parts(property: &Property, kind: &Kind, findings: &mut Findings) {
    let parts = [
        (property.properties.first(), "properties", "object", matches!(kind, Kind::Object(_))),
        (property.items.as_deref(), "items", "array", matches!(kind, Kind::Array(_))),
        (property.map_value.as_deref(), "map", "map", matches!(kind, Kind::Map(_))),
    ];
    for (part, key, word, fits) in parts {
        if let Some(part) = part.filter(|_| !fits && !property.unknown_type) {
            findings.error(
                &part.place,
                format!("`{key}` on another type"),
                format!("`logicalType: {word}`"),
                "change the type, or remove the part",
            );
        }
    }
}

/// Rejects a name that files of rejected records use for columns of their own: such a file would have it twice.
fn check_labels(property: &Property, column: &Column, findings: &mut Findings) {
    let path = column.source_path.as_ref().and_then(|path| path.first());
    let labels = path.map_or_else(|| column.labels().collect(), |field| vec![field.as_str()]);
    let taken = labels.into_iter().find(|label| {
        let form = HeaderMatch::Loose.form(label);
        reject_label::ALL.contains(&&*form)
    });
    let Some(label) = taken else { return };
    let names = [&property.physical_name, &property.name].into_iter().flatten().chain(&property.synonyms);
    let place = names.into_iter().find(|given| given.value == label).map(|given| &given.place);
    findings.error(
        place.unwrap_or(&property.place),
        quoted(label),
        format!(
            "a name in the files other than {}",
            reject_label::ALL.map(|ours| format!("`{ours}`")).join(", ")
        ),
        "files of rejected records add these columns to the sender's: rename the sender's",
    );
}

/// Returns the value of a setting that a property has.
pub(super) fn setting_of<'document>(property: &'document Property, key: &str) -> Option<&'document Node> {
    property.settings.iter().find(|setting| setting.key.value == key).map(|setting| &setting.value)
}

/// Returns a classification in the form in which it is compared.
pub(super) fn classification(word: &str) -> String {
    word.trim().to_lowercase().replace([' ', '-'], "_")
}

fn enumerate(column: &mut Column, enumeration: &Enumeration, id: &str, compilation: &mut Compilation) {
    lint::enumeration(enumeration, compilation.api_version, &mut compilation.findings);
    let Some(texts) = list(&enumeration.values, &column.kind, &mut compilation.findings) else { return };
    match CellSet::new(texts, &column.kind) {
        Ok(set) => {
            let rule = compilation.rules.fail(&format!("{id}.enum"), Code::ConstraintError, set.words());
            column.checks.push((rule, Check::OneOf(set)));
        }
        Err(reason) => compilation.findings.error(
            &enumeration.place,
            format!("a value that is not of the property's type ({reason})"),
            options::describe(&column.kind, None),
            "",
        ),
    }
}

/// Returns the texts of a value list on a scalar column; `None` after an error.
pub(super) fn list(values: &[Node], kind: &Kind, findings: &mut Findings) -> Option<Vec<String>> {
    lint::values(values, matches!(kind, Kind::String), findings);
    let mut texts = Vec::new();
    let mut good = true;
    for value in values {
        if matches!(kind, Kind::Object(_) | Kind::Array(_) | Kind::Map(_)) {
            findings.error(&value.place, "a list of values on a nested type", "a scalar type", "");
            return None;
        }
        if value.is_null() {
            findings.error(
                &value.place,
                "null",
                "a value",
                "leave it out: `required` says whether null is allowed",
            );
            good = false;
        } else {
            match text_of(value, findings) {
                Some(text) => texts.push(text.value),
                None => good = false,
            }
        }
    }
    good.then_some(texts)
}

fn apply(setting: &Setting, column: &mut Column, scope: &ColumnScope<'_>, compilation: &mut Compilation) {
    let is_top = scope.index.is_some();
    let findings = &mut compilation.findings;
    match setting.key.value.as_str() {
        "nullTokens" => {
            lint::values(crate::document::items_of(&setting.value, &mut Findings::default()), true, findings);
            for token in crate::document::items_of(&setting.value, findings) {
                match token.scalar() {
                    Some(scalar) if scalar.kind != ScalarKind::Null => {
                        column.null_tokens.push(scalar.text.clone().into_bytes());
                    }
                    _ => findings.error(
                        &token.place,
                        token.describe(),
                        "a text",
                        "quote it, such as `\"null\"`",
                    ),
                }
            }
        }
        "sourcePath" => {
            if scope.format.has_text_cells() {
                findings.error(
                    &setting.key.place,
                    "`sourcePath` with a separated format",
                    "`physicalName`, the label in the header",
                    "",
                );
            }
            let path = text_of(&setting.value, findings);
            column.source_path =
                path.as_ref().and_then(|path| pointer(&path.value)).filter(|path| !path.is_empty());
            if let Some(path) = path.filter(|_| column.source_path.is_none()) {
                findings.error(
                    &path.place,
                    quoted(&path.value),
                    "a JSON Pointer (RFC 6901), such as `/patient/name/0`",
                    "this version knows no other kind of path",
                );
            }
        }
        "mask" => mask::compile(&setting.value, column, is_top, findings),
        "transform" => transform::compile(&setting.value, column, is_top, compilation),
        _ => unknown_setting(setting, &words::PROPERTY_SETTINGS, findings),
    }
}

fn list_not_run(property: &Property, scope: &ColumnScope<'_>, compilation: &mut Compilation) {
    for place in &property.relationships {
        compilation.not_run(place, "relationship", "other data is not read when a file arrives");
    }
    if let Some(name) = &property.encrypted_name {
        compilation.not_run(&name.place, "`encryptedName`", "this version writes no ciphertext");
    }
    if scope.index.is_none() {
        if let Some(place) = &property.unique {
            compilation.not_run_with_warning(
                place,
                "`unique` on a nested property",
                "only columns at the top are compared",
            );
        }
        if let Some(place) = &property.primary_key {
            compilation.findings.error(
                place,
                "a nested primary key",
                "`primaryKey` on a property at the top",
                "",
            );
        }
    }
}
