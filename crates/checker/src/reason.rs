//! Why a record was refused, in words that name no content.

use contract::{Contract, Duplicates, Found, RuleIndex, Structure, Violation};

/// One sentence for the sender: what was found and what was expected. Holds contract text, lengths, positions and
/// kinds, never content.
#[must_use]
pub fn reason(contract: &Contract, violation: &Violation) -> String {
    format!("{}, expected {}", found(contract, violation), contract.rule(violation.rule).expected)
}

fn found(contract: &Contract, violation: &Violation) -> String {
    match violation.found {
        Found::Unspecified => unspecified(contract, violation.rule).to_owned(),
        Found::Null => "found no value".to_owned(),
        Found::Absent => "found no such field".to_owned(),
        Found::Characters(count) => counted(count.into(), "character"),
        Found::CharacterAt(position) => format!("found another character at position {position}"),
        Found::JsonKind(kind) => format!("found a JSON {kind}"),
        Found::Below => "found a smaller value".to_owned(),
        Found::Above => "found a greater value".to_owned(),
        Found::Count(count) => counted(count, noun(violation.rule)),
        Found::Digits(count) => counted(count.into(), "digit"),
        Found::LineOfFirst(0) => "found the value of an earlier record".to_owned(),
        Found::LineOfFirst(line) => format!("found the value of the record on line {line}"),
        Found::Bytes(count) => counted(count, "byte"),
        Found::AmbiguousTime => "found a local time that its zone skips or repeats".to_owned(),
    }
}

fn unspecified(contract: &Contract, rule: RuleIndex) -> &'static str {
    if rule != Structure::PrimaryKey.index() {
        return "found something else";
    }
    match contract.policy.duplicates {
        Duplicates::KeepLast => "found the key of a later record, which is taken instead",
        Duplicates::RejectAll => "found the key of another record, and of such records none is taken",
        Duplicates::RejectRepeats => "found the key of an earlier record",
    }
}

fn noun(rule: RuleIndex) -> &'static str {
    if [Structure::TooFewCells.index(), Structure::TooManyCells.index()].contains(&rule) {
        "cell"
    } else {
        "element"
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("found {count} {noun}{plural}")
}
