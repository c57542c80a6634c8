//! What contracts say of whole records: business rules, by their ids.

use super::{Affected, BeforeAfter, Changes};
use crate::{Contract, Program, RowRule, Severity};

pub(super) fn compare(older: &Contract, newer: &Contract, changes: &mut Changes) {
    conditions(older, newer, changes);
    for row_rule in &newer.row_rules {
        let rule = newer.rule(row_rule.rule);
        let fails = rule.severity == Severity::Fail;
        let known = counterpart(older, newer, row_rule);
        let known_fails = known.is_some_and(|known| older.rule(known.rule).severity == Severity::Fail);
        if known.is_some_and(|known| is_same(known, row_rule)) {
            if known_fails != fails {
                let word = |fails| if fails { "it rejects" } else { "it warns" };
                changes.strict(
                    BeforeAfter::of(&rule.id, word(known_fails), word(fails)),
                    fails,
                    "a record that was accepted with a warning is rejected",
                    "a record that breaks it is accepted with a warning",
                );
            }
            continue;
        }
        let said = BeforeAfter {
            what: &rule.id,
            before: known.map(|known| known.program.source().to_owned()),
            after: Some(row_rule.program.source().to_owned()),
        };
        changes.strict(
            said,
            fails,
            "it may reject records that were accepted",
            "it is counted and rejects nothing",
        );
    }
    for row_rule in &older.row_rules {
        if counterpart(newer, older, row_rule).is_none() {
            let before = Some(row_rule.program.source().to_owned());
            let said = BeforeAfter { what: &older.rule(row_rule.rule).id, before, after: None };
            changes.add(said, &[], "the rule is no longer checked");
        }
    }
}

/// Compares what leaves records out.
fn conditions(older: &Contract, newer: &Contract, changes: &mut Changes) {
    let said = |before: Option<&Program>, after: Option<&Program>| {
        let source = |program: Option<&Program>| program.map(|program| program.source().to_owned());
        BeforeAfter { what: "dropIf", before: source(before), after: source(after) }
    };
    let has = |all: &[Program], one: &Program| all.iter().any(|other| other.is_written_as(one));
    for added in newer.drop_if.iter().filter(|condition| !has(&older.drop_if, condition)) {
        changes.add(
            said(None, Some(added)),
            &[Affected::Readers],
            "records that were loaded can be left out",
        );
    }
    for gone in older.drop_if.iter().filter(|condition| !has(&newer.drop_if, condition)) {
        let why = "records that were left out are checked, and can be rejected";
        changes.add(said(Some(gone), None), &[Affected::Senders], why);
    }
}

/// Returns the rule of `contract` that has the id of a rule of the other one, or else the same expression.
fn counterpart<'a>(contract: &'a Contract, other: &Contract, row_rule: &RowRule) -> Option<&'a RowRule> {
    let id = &other.rule(row_rule.rule).id;
    let by_id = contract.row_rules.iter().find(|known| contract.rule(known.rule).id == *id);
    by_id.or_else(|| contract.row_rules.iter().find(|known| is_same(known, row_rule)))
}

/// Returns whether two rules have the same expression.
fn is_same(one: &RowRule, other: &RowRule) -> bool {
    one.program.is_written_as(&other.program)
}
