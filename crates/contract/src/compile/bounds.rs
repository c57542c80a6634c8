//! Ranges: minimum and maximum of numbers, dates and times, and the widths of machine numbers.

use crate::Decimal;
use crate::compiled::{Bound, Check, Column, Kind, Measure};
use crate::document::{Fields, Located, Node, ScalarKind, text_of};
use crate::finding::{did_you_mean, one_of, quoted};
use crate::rule::Code;

use super::Compilation;

/// Machine numbers (v3.2.0 names them after Rust's types) with their least and greatest value. The ranges of `i128`
/// and `u128` reach beyond 38 digits, where the type itself ends; `f64` reaches beyond 10^126, likewise.
const WIDTHS: [(&str, &str, &str); 12] = [
    ("i8", "-128", "127"),
    ("i16", "-32768", "32767"),
    ("i32", "-2147483648", "2147483647"),
    ("i64", "-9223372036854775808", "9223372036854775807"),
    ("i128", "", ""),
    ("u8", "0", "255"),
    ("u16", "0", "65535"),
    ("u32", "0", "4294967295"),
    ("u64", "0", "18446744073709551615"),
    ("u128", "0", ""),
    ("f32", "-3.4028235E38", "3.4028235E38"),
    ("f64", "", ""),
];

/// `format` of an integer or number column: the range of a machine number.
pub(super) fn number_format(
    column: &mut Column,
    options: &mut Fields<'_>,
    id: &str,
    compilation: &mut Compilation,
) {
    let Some(given) = options.text("format", &mut compilation.findings) else { return };
    let fits = |name: &str| !name.starts_with('f') || matches!(column.kind, Kind::Number { .. });
    let Some((name, least, most)) = WIDTHS.iter().find(|(name, _, _)| *name == given.value && fits(name))
    else {
        let names: Vec<&str> = WIDTHS.iter().map(|(name, _, _)| *name).filter(|name| fits(name)).collect();
        compilation.findings.error(
            &given.place,
            quoted(&given.value),
            one_of(&names),
            did_you_mean(&given.value, &names, ""),
        );
        return;
    };
    let bound = |digits: &str| {
        let at = Measure::Number(Decimal::parse(digits.as_bytes())?);
        Some(Bound { at, exclusive: false })
    };
    let checks = [bound(least).map(Check::Minimum), bound(most).map(Check::Maximum)];
    if checks.iter().all(Option::is_none) {
        return;
    }
    let rule = compilation.rules.fail(
        &format!("{id}.format"),
        Code::ConstraintError,
        &match (*least, *most) {
            (least, "") => format!("a number from {least} ({name})"),
            (least, most) => format!("a number from {least} to {most} ({name})"),
        },
    );
    column.checks.extend(checks.into_iter().flatten().map(|check| (rule, check)));
}

/// A limit at one end, as it was written.
struct End {
    text: Located<String>,
    measure: Measure,
    exclusive: bool,
}

/// `minimum`, `maximum` and their exclusive forms: a value of its own (JSON Schema since draft 6), or a boolean
/// with the inclusive key (draft 4, in older documents).
pub(super) fn range(column: &mut Column, options: &mut Fields<'_>, id: &str, compilation: &mut Compilation) {
    let mut ends: [Option<End>; 2] = [None, None];
    for (slot, (key, exclusive_key, lower)) in
        ends.iter_mut().zip([("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)])
    {
        let inclusive = options.take(key);
        let exclusive = options.take(exclusive_key);
        let flag = exclusive.and_then(Node::scalar).and_then(|scalar| match scalar.kind {
            ScalarKind::Boolean(flag) => Some(flag),
            ScalarKind::Null | ScalarKind::Number | ScalarKind::Text => None,
        });
        let given = match (inclusive, exclusive, flag) {
            (Some(node), _, Some(flag)) => Some((node, key, flag)),
            (None, Some(node), Some(true)) => {
                compilation.findings.error(
                    &node.place,
                    format!("`{exclusive_key}: true` without `{key}`"),
                    format!("`{exclusive_key}` with the value itself"),
                    "",
                );
                None
            }
            (Some(_), Some(node), None) => {
                compilation.findings.error(
                    &node.place,
                    format!("`{exclusive_key}` together with `{key}`"),
                    "one of them",
                    "remove the wider one",
                );
                None
            }
            (Some(node), None, None) => Some((node, key, false)),
            (None, Some(node), None) => Some((node, exclusive_key, true)),
            (None, _, _) => None,
        };
        let Some((node, key, exclusive)) = given else { continue };
        let Some((text, measure)) = measure(&column.kind, node, compilation) else { continue };
        let bound = Bound { at: measure, exclusive };
        let at = &text.value;
        let expected = match (measure, lower, exclusive) {
            (Measure::Number(_), true, false) => format!("at least {at}"),
            (Measure::Number(_), true, true) => format!("more than {at}"),
            (Measure::Number(_), false, false) => format!("at most {at}"),
            (Measure::Number(_), false, true) => format!("less than {at}"),
            (Measure::Instant(_), true, false) => format!("{at} or later"),
            (Measure::Instant(_), true, true) => format!("later than {at}"),
            (Measure::Instant(_), false, false) => format!("{at} or earlier"),
            (Measure::Instant(_), false, true) => format!("earlier than {at}"),
        };
        let check = if lower { Check::Minimum(bound) } else { Check::Maximum(bound) };
        let rule = compilation.rules.fail(&format!("{id}.{key}"), Code::ConstraintError, &expected);
        column.checks.push((rule, check));
        *slot = Some(End { text, measure, exclusive });
    }
    if let [Some(least), Some(most)] = &ends {
        check_order(least, most, compilation);
    }
}

/// Rejects a range into which nothing fits.
fn check_order(least: &End, most: &End, compilation: &mut Compilation) {
    let exclusive = least.exclusive || most.exclusive;
    let possible = match (least.measure, most.measure) {
        (Measure::Instant(from), Measure::Instant(to)) => from < to || (from == to && !exclusive),
        (Measure::Number(from), Measure::Number(to)) => from < to || (from == to && !exclusive),
        _ => true,
    };
    if !possible {
        compilation.findings.error(
            &least.text.place,
            format!("a minimum of {} with a maximum of {}", least.text.value, most.text.value),
            "a minimum below the maximum",
            "no value fits both",
        );
    }
}

/// Returns a limit in the column's own order.
fn measure(kind: &Kind, node: &Node, compilation: &mut Compilation) -> Option<(Located<String>, Measure)> {
    let text = text_of(node, &mut compilation.findings)?;
    let (measure, expected) = match kind {
        Kind::Date(pattern) | Kind::Time(pattern) => (
            pattern.parse(text.value.as_bytes(), None).ok().map(Measure::Instant),
            format!("a limit written as the values are: {}", pattern.source()),
        ),
        Kind::Timestamp { pattern, default_zone } => (
            pattern.parse(text.value.as_bytes(), default_zone.as_ref()).ok().map(Measure::Instant),
            format!("a limit written as the values are: {}", pattern.source()),
        ),
        _ => (
            Decimal::parse(text.value.as_bytes()).map(Measure::Number),
            "a number of at most 38 digits".to_owned(),
        ),
    };
    if measure.is_none() {
        compilation.findings.error(&text.place, quoted(&text.value), expected, "");
    }
    measure.map(|measure| (text, measure))
}

/// `multipleOf`: a positive number.
pub(super) fn multiple_of(
    column: &mut Column,
    options: &mut Fields<'_>,
    id: &str,
    compilation: &mut Compilation,
) {
    let Some(text) = options.text("multipleOf", &mut compilation.findings) else { return };
    let Some(step) = Decimal::parse(text.value.as_bytes()).filter(|step| step.coefficient() > 0) else {
        compilation.findings.error(&text.place, quoted(&text.value), "a number above 0", "");
        return;
    };
    let expected = format!("a multiple of {}", text.value);
    let rule = compilation.rules.fail(&format!("{id}.multipleOf"), Code::ConstraintError, &expected);
    column.checks.push((rule, Check::MultipleOf(step)));
}
