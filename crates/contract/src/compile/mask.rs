//! `mask` of a property, and what must say one.

use crate::compiled::{Column, Kind};
use crate::document::{Node, Property, word_of};
use crate::finding::{Findings, quoted};
use crate::mask::{DateUnit, Mask};
use crate::words::MASK;

use super::column::{classification, setting_of};
use super::step::Step;
use super::{Compilation, CompiledFor};

/// Classifications of data about people, as [`classification`] writes them.
const PERSONAL: [&str; 4] = ["pii", "phi", "personal", "personal_data"];

/// Reads the mask of a property into its column.
pub(super) fn compile(node: &Node, column: &mut Column, is_top: bool, findings: &mut Findings) {
    let Some(step) = Step::read(node, &MASK, findings) else { return };
    let Some(mask) = one(&step, findings) else { return };
    if mask.hides() && !is_top {
        findings.error(
            &node.place,
            "`mask` on a nested property",
            "`mask` on a property at the top",
            "mask the whole property around it, or take the value out with `sourcePath` of a property of its own",
        );
        return;
    }
    let fits = match mask {
        Mask::None | Mask::Drop | Mask::Redact => true,
        Mask::Last4 | Mask::Truncate(_) => {
            !matches!(column.kind, Kind::Object(_) | Kind::Array(_) | Kind::Map(_) | Kind::Boolean)
        }
        Mask::TruncateDate(_) => matches!(column.kind, Kind::Date(_) | Kind::Timestamp { .. }),
    };
    if !fits {
        let found = format!("`mask: {}` on this type", mask.words());
        findings.error(&node.place, found, "a mask for the type", "`drop` and `redact` fit every type");
        return;
    }
    column.mask = mask;
    column.classified |= mask.hides();
}

fn one(step: &Step<'_>, findings: &mut Findings) -> Option<Mask> {
    match step.word {
        "truncate" => {
            let node = step.value("a number of characters", findings)?;
            let number: Option<u32> = node.scalar().and_then(|scalar| scalar.text.parse().ok());
            let number = number.filter(|number| *number > 0);
            if number.is_none() {
                findings.error(&node.place, node.describe(), "a whole number from 1", "");
            }
            number.map(Mask::Truncate)
        }
        "truncateDate" => {
            let node = step.value("`year`, `month` or `day`", findings)?;
            Some(Mask::TruncateDate(word_of(node, DateUnit::WORDS, findings)?.value))
        }
        word => {
            let alone = step.is_alone(findings);
            let mask = match word {
                "drop" => Mask::Drop,
                "redact" => Mask::Redact,
                "last4" => Mask::Last4,
                _ => Mask::None,
            };
            alone.then_some(mask)
        }
    }
}

/// Rejects masks that take a key or an order away, and warns of one that makes different keys the same.
pub(super) fn check_uses(
    properties: &[Property],
    columns: &[Column],
    primary_key: &[u16],
    version_from: Option<u16>,
    findings: &mut Findings,
) {
    for ((property, column), index) in properties.iter().zip(columns).zip(0_u16..) {
        let Some(place) =
            setting_of(property, "mask").map(|node| &node.place).filter(|_| column.mask.hides())
        else {
            continue;
        };
        let found = |of: &str| format!("`mask: {}` of {of}", column.mask.words());
        if primary_key.contains(&index) {
            if matches!(column.mask, Mask::Drop | Mask::Redact) {
                findings.error(
                    place,
                    found("a part of the primary key"),
                    "a mask that keeps different values apart, or `none`",
                    "all records would have the same value in their key",
                );
            } else {
                findings.warning(
                    place,
                    found("a part of the primary key"),
                    "`mask: none`, or a key without the property",
                    "records whose masked keys are the same are repeats of each other: only one of them is loaded",
                );
            }
        }
        if version_from == Some(index) {
            findings.error(
                place,
                found("the property that orders versions"),
                "`mask: none`",
                "a row has the value that orders it; order by a property that needs no mask",
            );
        }
    }
}

/// Reports data about people that would be stored in clear without a word of it. A contract that is in force already
/// goes on: it is a warning there.
pub(super) fn check_said(properties: &[Property], compilation: &mut Compilation) {
    check_said_at(properties, true, compilation);
}

fn check_said_at(properties: &[Property], is_top: bool, compilation: &mut Compilation) {
    for property in properties {
        if setting_of(property, "mask").is_some() {
            continue;
        }
        let word = property.classification.as_ref().map(|given| (given, classification(&given.value)));
        if let Some((given, _)) = word.filter(|(_, word)| PERSONAL.contains(&word.as_str())) {
            let found = format!("{} without `mask`", quoted(&given.value));
            let expected = "`mask`, which says what is stored of the value";
            let advice = if is_top {
                "`{ property: mask, vendor: ingest, value: none }` stores it in clear; other masks are `drop`, `redact`, `last4`, `truncate` and `truncateDate`"
            } else {
                "`{ property: mask, vendor: ingest, value: none }` stores it in clear; `drop` or `redact` on the property at the top hides all that is in it"
            };
            match compilation.purpose {
                CompiledFor::Publication => compilation.findings.error(&given.place, found, expected, advice),
                CompiledFor::Arrival => compilation.findings.warning(&given.place, found, expected, advice),
            }
        }
        check_said_at(&property.properties, false, compilation);
        for part in [&property.items, &property.map_value].into_iter().flatten() {
            check_said_at(std::slice::from_ref(part), false, compilation);
        }
    }
}
