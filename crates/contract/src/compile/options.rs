//! The type of a column and what `logicalTypeOptions` say of it.

use jiff::tz::TimeZone;

use crate::Spelling;
use crate::compiled::{Check, Column, Kind, StringFormat};
use crate::document::{Fields, Located, LogicalType, Property, text_of};
use crate::finding::{Findings, did_you_mean, quoted};
use crate::rule::Code;
use crate::temporal::{Pattern, TemporalKind};

use super::column::{self, ColumnScope};
use super::{Compilation, bounds, pattern};

/// Returns the type of a column. Nested properties become columns of their own.
pub(super) fn kind(
    property: &Property,
    logical_type: LogicalType,
    options: &mut Fields<'_>,
    id: &str,
    scope: &ColumnScope<'_>,
    compilation: &mut Compilation,
) -> Kind {
    match logical_type {
        LogicalType::String => Kind::String,
        LogicalType::Integer => Kind::Integer,
        LogicalType::Boolean => Kind::Boolean,
        LogicalType::Number => Kind::Number { precision_scale: precision_scale(property, compilation) },
        LogicalType::Date => {
            temporal(options, TemporalKind::Date, compilation).map_or(Kind::String, Kind::Date)
        }
        LogicalType::Time => {
            let pattern = temporal(options, TemporalKind::Time, compilation);
            for (key, given) in
                [("timezone", options.take("timezone")), ("defaultTimezone", options.take("defaultTimezone"))]
            {
                if let Some(node) = given {
                    compilation.not_run(
                        &node.place,
                        format!("`{key}` of a time"),
                        "times of day are compared as written",
                    );
                }
            }
            pattern.map_or(Kind::String, Kind::Time)
        }
        LogicalType::Timestamp => timestamp(options, compilation),
        LogicalType::Object => object(property, options, id, scope, compilation),
        LogicalType::Array => Kind::Array(property.items.as_deref().map(|items| {
            Box::new(column::compile(items, &scope.below(id, Some("items"), Vec::new()), compilation))
        })),
        LogicalType::Map => Kind::Map(property.map_value.as_deref().map(|value| {
            Box::new(column::compile(value, &scope.below(id, Some("values"), Vec::new()), compilation))
        })),
    }
}

/// Returns a type as a noun phrase. `spelling` is that of the column's format.
pub(super) fn describe(kind: &Kind, spelling: Option<&Spelling>) -> String {
    match kind {
        Kind::String => "a text".to_owned(),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Number { precision_scale: None } => "a number".to_owned(),
        Kind::Number { precision_scale: Some((precision, scale)) } => {
            let whole = precision.saturating_sub(*scale);
            format!("a number of at most {whole} digits before the decimal point and {scale} after it")
        }
        Kind::Boolean => match spelling {
            Some(Spelling { true_words, false_words, .. }) => {
                crate::cell_set::listed(&[true_words.as_slice(), false_words].concat())
            }
            None => "true or false".to_owned(),
        },
        Kind::Date(pattern) => format!("a date as {}", pattern.source()),
        Kind::Timestamp { pattern, .. } => format!("a date and time as {}", pattern.source()),
        Kind::Time(pattern) => format!("a time as {}", pattern.source()),
        Kind::Object(_) | Kind::Map(_) => "a JSON object".to_owned(),
        Kind::Array(_) => "a JSON array".to_owned(),
    }
}

/// Returns `decimal(10,3)`, `NUMERIC(5)`: precision and scale, scale 0 when not given (ISO/IEC 9075-2, 6.1).
fn precision_scale(property: &Property, compilation: &mut Compilation) -> Option<(u32, u32)> {
    let given = property.physical_type.as_ref()?;
    let lower = given.value.to_ascii_lowercase();
    let (word, rest) = lower.split_once('(')?;
    if !["decimal", "numeric", "number", "dec"].contains(&word.trim()) {
        return None;
    }
    let inside = rest.trim_end().strip_suffix(')').unwrap_or_default();
    let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
    let parsed = precision.trim().parse().ok().zip(scale.trim().parse().ok());
    let good = parsed.filter(|(precision, scale)| {
        (1..=ledger::dynamodb::DIGITS).contains(precision) && scale <= precision
    });
    if good.is_none() {
        compilation.findings.error(
            &given.place,
            quoted(&given.value),
            "a precision from 1 to 38 and a scale not above it, such as `decimal(10,3)`",
            "",
        );
    }
    good
}

/// Returns the pattern of `format`, or ISO 8601 when the contract gives none.
fn temporal(options: &mut Fields<'_>, kind: TemporalKind, compilation: &mut Compilation) -> Option<Pattern> {
    let Some(given) = options.text("format", &mut compilation.findings) else {
        return Some(Pattern::iso(kind));
    };
    pattern(&given, kind, &mut compilation.findings)
}

/// Compiles a pattern of the document.
pub(super) fn pattern(
    given: &Located<String>,
    kind: TemporalKind,
    findings: &mut Findings,
) -> Option<Pattern> {
    match Pattern::compile(&given.value, kind) {
        Ok(pattern) => {
            if pattern.two_digit_year() {
                findings.warning(
                    &given.place,
                    "a year of two digits",
                    "`yyyy`",
                    "it is read as a year from 2000 to 2099, as the JDK does",
                );
            }
            Some(pattern)
        }
        Err(error) => {
            findings.error(
                &given.place,
                format!("{} ({error})", quoted(&given.value)),
                "a pattern of the JDK's DateTimeFormatter, such as `yyyy-MM-dd`",
                "",
            );
            None
        }
    }
}

/// A text without an offset is in `defaultTimezone`, which is UTC by default (v3.2.0, schema: "If timezone is not
/// defined, the default timezone UTC is used"); it stays local time when `timezone: false` says that there is none.
fn timestamp(options: &mut Fields<'_>, compilation: &mut Compilation) -> Kind {
    let pattern = temporal(options, TemporalKind::Timestamp, compilation);
    let zoned = options.boolean("timezone", &mut compilation.findings).is_none_or(|flag| flag.value);
    let name = options.text("defaultTimezone", &mut compilation.findings);
    let default_zone = match &name {
        Some(name) => TimeZone::get(&name.value).ok(),
        None => zoned.then_some(TimeZone::UTC),
    };
    if let Some(name) = name.filter(|_| default_zone.is_none()) {
        compilation.findings.error(
            &name.place,
            quoted(&name.value),
            "an IANA time zone name, such as `Europe/Berlin` or `Etc/UTC`",
            "",
        );
    }
    pattern.map_or(Kind::String, |pattern| Kind::Timestamp { pattern, default_zone })
}

fn object(
    property: &Property,
    options: &mut Fields<'_>,
    id: &str,
    scope: &ColumnScope<'_>,
    compilation: &mut Compilation,
) -> Kind {
    let names: Vec<&str> = property
        .properties
        .iter()
        .filter_map(|nested| nested.name.as_ref())
        .map(|name| name.value.as_str())
        .collect();
    let mut required = Vec::new();
    for node in options.list("required", &mut compilation.findings) {
        let Some(name) = text_of(node, &mut compilation.findings) else { continue };
        if names.contains(&name.value.as_str()) {
            required.push(name.value);
        } else {
            compilation.findings.error(
                &name.place,
                quoted(&name.value),
                "the name of one of the object's properties",
                did_you_mean(&name.value, &names, "add the property"),
            );
        }
    }
    let scope = scope.below(id, None, required);
    let columns: Vec<Column> =
        property.properties.iter().map(|nested| column::compile(nested, &scope, compilation)).collect();
    for (index, column) in columns.iter().enumerate() {
        let twice = |other: &Column| other.name == column.name || other.physical_name == column.physical_name;
        if columns.iter().take(index).any(twice)
            && let Some(nested) = property.properties.get(index)
        {
            compilation.findings.error(
                &nested.place,
                quoted(&column.name),
                "each property once in an object",
                "",
            );
        }
    }
    Kind::Object(columns)
}

/// The limits of a column, in a fixed order for each type.
pub(super) fn checks(column: &mut Column, options: &mut Fields<'_>, id: &str, compilation: &mut Compilation) {
    match &column.kind {
        Kind::String => {
            lengths(column, options, id, ["minLength", "maxLength"], "characters", compilation);
            text_pattern(column, options, id, compilation);
            text_format(column, options, id, compilation);
        }
        Kind::Integer | Kind::Number { .. } => {
            bounds::number_format(column, options, id, compilation);
            bounds::range(column, options, id, compilation);
            bounds::multiple_of(column, options, id, compilation);
        }
        Kind::Date(_) | Kind::Timestamp { .. } | Kind::Time(_) => {
            bounds::range(column, options, id, compilation);
        }
        Kind::Boolean => {}
        Kind::Object(_) | Kind::Map(_) => {
            lengths(column, options, id, ["minProperties", "maxProperties"], "members", compilation);
        }
        Kind::Array(_) => {
            lengths(column, options, id, ["minItems", "maxItems"], "items", compilation);
            if options.boolean("uniqueItems", &mut compilation.findings).is_some_and(|flag| flag.value) {
                let rule = compilation.rules.fail(
                    &format!("{id}.uniqueItems"),
                    Code::ConstraintError,
                    "an array without equal items",
                );
                column.checks.push((rule, Check::UniqueItems));
            }
        }
    }
}

fn lengths(
    column: &mut Column,
    options: &mut Fields<'_>,
    id: &str,
    keys: [&'static str; 2],
    noun: &str,
    compilation: &mut Compilation,
) {
    let least = options.whole(keys[0], &mut compilation.findings);
    let most = options.whole(keys[1], &mut compilation.findings);
    if let (Some(least), Some(most)) = (&least, &most)
        && least.value > most.value
    {
        compilation.findings.error(
            &least.place,
            format!("{} {} above {} {}", keys[0], least.value, keys[1], most.value),
            format!("`{}` at most `{}`", keys[0], keys[1]),
            "no value fits both",
        );
    }
    let mut add = |key: &str, words: &str, limit: Located<u64>, lower: bool| {
        let characters = u32::try_from(limit.value).unwrap_or(u32::MAX);
        let check = match (&column.kind, lower) {
            (Kind::String, true) => Check::MinLength(characters),
            (Kind::String, false) => Check::MaxLength(characters),
            (_, true) => Check::MinItems(limit.value),
            (_, false) => Check::MaxItems(limit.value),
        };
        let expected = format!("{words} {} {noun}", limit.value);
        let rule = compilation.rules.fail(&format!("{id}.{key}"), Code::ConstraintError, &expected);
        column.checks.push((rule, check));
    };
    if let Some(least) = least {
        add(keys[0], "at least", least, true);
    }
    if let Some(most) = most {
        add(keys[1], "at most", most, false);
    }
}

fn text_pattern(column: &mut Column, options: &mut Fields<'_>, id: &str, compilation: &mut Compilation) {
    let Some(source) = options.text("pattern", &mut compilation.findings) else { return };
    if let Some(check) = pattern_check(&source, compilation) {
        let expected = format!("text that matches {}", source.value);
        let rule = compilation.rules.fail(&format!("{id}.pattern"), Code::ConstraintError, &expected);
        column.checks.push((rule, check));
    }
}

/// Returns the check for a pattern; `None` after an error.
pub(super) fn pattern_check(source: &Located<String>, compilation: &mut Compilation) -> Option<Check> {
    match pattern::compile(&source.value, &mut compilation.patterns) {
        Ok(pattern) => Some(Check::Pattern(pattern)),
        Err(rejected) => {
            compilation.findings.error(
                &source.place,
                format!("{} in {}", rejected.reason, quoted(&source.value)),
                "a regular expression without look-around and back-references",
                rejected.advice,
            );
            None
        }
    }
}

/// The standard leaves the list of text formats open: an unknown one is named, not rejected.
fn text_format(column: &mut Column, options: &mut Fields<'_>, id: &str, compilation: &mut Compilation) {
    let Some(given) = options.text("format", &mut compilation.findings) else { return };
    if let Some((_, format, _)) = StringFormat::WORDS.iter().find(|(name, _, _)| *name == given.value) {
        let rule =
            compilation.rules.fail(&format!("{id}.format"), Code::ConstraintError, format.description());
        column.checks.push((rule, Check::Format(*format)));
        return;
    }
    let names: Vec<&str> = StringFormat::WORDS.iter().map(|(name, _, _)| *name).collect();
    compilation.findings.warning(
        &given.place,
        format!("the text format {}", quoted(&given.value)),
        crate::finding::one_of(&names),
        did_you_mean(&given.value, &names, "it is not checked; use `pattern`"),
    );
    compilation.not_run(
        &given.place,
        format!("text format {}", quoted(&given.value)),
        "not a format that this version knows; use `pattern`",
    );
}
