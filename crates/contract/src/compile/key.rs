//! What ties columns together: names, the primary key, unique columns, the order of versions.

use std::collections::HashMap;

use crate::compiled::{Column, Format, HeaderMatch, Kind, TupleRule};
use crate::document::{Node, Property, SchemaObject, text_of};
use crate::finding::{Findings, did_you_mean, quoted};
use crate::rule::Code;

use super::Compilation;

/// Rejects names that stand twice, as attributes or as labels.
pub(super) fn check_names(feed: &SchemaObject, columns: &[Column], format: &Format, findings: &mut Findings) {
    let form = label_form(format);
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut labels: HashMap<String, usize> = HashMap::new();
    for (index, (column, property)) in columns.iter().zip(&feed.properties).enumerate() {
        if let Some(first) = names.insert(&column.name, index) {
            findings.error(
                property.name.as_ref().map_or(&property.place, |name| &name.place),
                format!("{} a second time", quoted(&column.name)),
                "each name once",
                format!("it is the name of properties[{first}] already"),
            );
        }
        if column.source_path.is_some() {
            continue;
        }
        if labels.insert(form.form(&column.physical_name).into_owned(), index).is_some()
            && let Some(place) = property.physical_name.as_ref().map(|name| &name.place)
        {
            findings.error(
                place,
                format!("the label {} a second time", quoted(&column.physical_name)),
                "each label once in a file",
                "",
            );
        }
    }
}

/// Returns how the labels of the format are compared. Field names of JSON are compared exactly.
fn label_form(format: &Format) -> HeaderMatch {
    match format {
        Format::Separated(dialect) => dialect.header_match,
        Format::JsonLines | Format::Json { .. } => HeaderMatch::Exact,
    }
}

/// Rejects synonyms that could mean two properties of one object, at any depth, and warns of those that mean nothing.
pub(super) fn check_synonyms(properties: &[Property], format: &Format, findings: &mut Findings) {
    let form = label_form(format);
    let mut taken: HashMap<String, usize> = HashMap::new();
    for (index, property) in properties.iter().enumerate() {
        for name in [&property.name, &property.physical_name].into_iter().flatten() {
            taken.entry(form.form(&name.value).into_owned()).or_insert(index);
        }
    }
    for (index, property) in properties.iter().enumerate() {
        for synonym in &property.synonyms {
            if synonym.value.trim().is_empty() {
                findings.error(&synonym.place, "an empty synonym", "a label or field name", "");
                continue;
            }
            let first = *taken.entry(form.form(&synonym.value).into_owned()).or_insert(index);
            if first != index {
                findings.error(
                    &synonym.place,
                    format!("the synonym {} of two properties", quoted(&synonym.value)),
                    "a synonym that is no name, physical name or synonym of another property",
                    format!("it also means properties[{first}]: remove one of them"),
                );
            }
        }
        if let (Some(synonym), true) = (property.synonyms.first(), has_source_path(property)) {
            findings.warning(
                &synonym.place,
                "`synonyms` of a property with `sourcePath`",
                "one of them",
                "the value is read at `sourcePath` only",
            );
        }
        check_synonyms(&property.properties, format, findings);
        for part in [&property.items, &property.map_value].into_iter().flatten() {
            check_synonyms(&part.properties, format, findings);
        }
    }
}

fn has_source_path(property: &Property) -> bool {
    property.settings.iter().any(|setting| setting.key.value == "sourcePath")
}

/// Returns the columns of the primary key in the order of their positions, which run from 1 without a gap.
pub(super) fn primary(feed: &SchemaObject, columns: &[Column], findings: &mut Findings) -> Vec<u16> {
    let mut parts: Vec<(Option<i64>, u16)> = Vec::new();
    for ((property, column), index) in feed.properties.iter().zip(columns).zip(0_u16..) {
        let position = property.primary_key_position.as_ref();
        let Some(place) = &property.primary_key else {
            if let Some(position) = position {
                findings.warning(
                    &position.place,
                    "a position without `primaryKey: true`",
                    "`primaryKey: true`",
                    "the property is not part of the key",
                );
            }
            continue;
        };
        if matches!(column.kind, Kind::Object(_) | Kind::Array(_) | Kind::Map(_)) {
            findings.error(place, "a nested type in the primary key", "a scalar type", "");
        }
        if let Some(position) = position
            && parts.iter().any(|(taken, _)| *taken == Some(position.value))
        {
            findings.error(
                &position.place,
                format!("position {} a second time", position.value),
                "each position once",
                "",
            );
        }
        parts.push((position.map(|position| position.value), index));
    }
    let alone = parts.len() == 1;
    for (part, index) in &parts {
        let property = &feed.properties[usize::from(*index)];
        let place =
            property.primary_key_position.as_ref().map_or(&property.place, |position| &position.place);
        let most = i64::try_from(parts.len()).unwrap_or(i64::MAX);
        match part {
            None if !alone => findings.error(
                place,
                "a part of a composite primary key without a position",
                format!("`primaryKeyPosition` from 1 to {most}"),
                "the order of the parts is part of the key",
            ),
            Some(position) if *position > most => findings.error(
                place,
                format!("position {position} in a key of {most}"),
                format!("a position from 1 to {most}"),
                "positions run from 1 without a gap",
            ),
            _ => {}
        }
    }
    parts.sort_by_key(|(position, _)| *position);
    parts.into_iter().map(|(_, index)| index).collect()
}

/// `unique: true`. A column that is the whole key repeats nothing anyway.
pub(super) fn unique(
    feed: &SchemaObject,
    columns: &[Column],
    primary_key: &[u16],
    compilation: &mut Compilation,
) {
    for ((property, column), index) in feed.properties.iter().zip(columns).zip(0_u16..) {
        if property.unique.is_none() || primary_key == [index] {
            continue;
        }
        let rule = compilation.rules.fail(
            &format!("{}.unique", column.name),
            Code::UniqueError,
            "a value that no earlier record of the file has",
        );
        compilation.unique.push(TupleRule { rule, columns: vec![index] });
    }
}

/// Returns the column that orders the versions of one key.
pub(super) fn version_from(node: &Node, columns: &[Column], findings: &mut Findings) -> Option<u16> {
    let name = text_of(node, findings)?;
    let Some((index, column)) = find(columns, &name.value) else {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        findings.error(
            &name.place,
            quoted(&name.value),
            "the name of a property",
            did_you_mean(&name.value, &names, ""),
        );
        return None;
    };
    if !matches!(
        column.kind,
        Kind::Integer | Kind::Number { .. } | Kind::Date(_) | Kind::Timestamp { .. } | Kind::Time(_)
    ) {
        findings.error(
            &name.place,
            quoted(&name.value),
            "a property of type integer, number, date, timestamp or time",
            "",
        );
    } else if column.required.is_none() {
        findings.warning(
            &name.place,
            format!("{}, which may be null", quoted(&name.value)),
            "a required property",
            "a record without it has no place in the order; say `required: true`",
        );
    }
    Some(index)
}

/// Returns the column of this name.
pub(super) fn find<'a>(columns: &'a [Column], name: &str) -> Option<(u16, &'a Column)> {
    (0_u16..).zip(columns).find(|(_, column)| column.name == name)
}
