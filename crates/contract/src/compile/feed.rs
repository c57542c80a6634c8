//! The choices on the schema object that concern the file: policy words, and where it says when files must come.

use crate::compiled::{
    Column, Duplicates, EmptyFile, Kind, MissingColumn, OnError, OnSameName, Policy, UnknownColumn,
};
use crate::document::{Node, ScalarKind, Setting, text_of, unknown_setting, word_of};
use crate::finding::{Findings, quoted};
use crate::words::{self, Words};

/// What the settings of a feed say.
pub(super) struct Feed<'document> {
    pub(super) policy: Policy,
    pub(super) version_from: Option<&'document Node>,
    pub(super) expect: Option<&'document Node>,
    pub(super) drop_if: Option<&'document Node>,
}

pub(super) fn compile<'document>(settings: &'document [Setting], findings: &mut Findings) -> Feed<'document> {
    let mut feed = Feed { policy: Policy::default(), version_from: None, expect: None, drop_if: None };
    let policy = &mut feed.policy;
    for setting in settings {
        let value = &setting.value;
        match setting.key.value.as_str() {
            "onError" => set(&mut policy.on_error, on_error(value, findings)),
            "unknownColumn" => choose(&mut policy.unknown_column, value, UnknownColumn::WORDS, findings),
            "missingColumn" => choose(&mut policy.missing_column, value, MissingColumn::WORDS, findings),
            "emptyFile" => choose(&mut policy.empty_file, value, EmptyFile::WORDS, findings),
            "onSameName" => choose(&mut policy.on_same_name, value, OnSameName::WORDS, findings),
            "dedupeContent" => set(&mut policy.dedupe_content, on_or_off(value, findings)),
            "returnRejects" => set(&mut policy.return_rejects, on_or_off(value, findings)),
            "duplicates" => choose(&mut policy.duplicates, value, Duplicates::WORDS, findings),
            "versionFrom" => feed.version_from = Some(value),
            "expect" => feed.expect = Some(value),
            "dropIf" => feed.drop_if = Some(value),
            _ => unknown_setting(setting, &words::SCHEMA_SETTINGS, findings),
        }
    }
    reject_lost_contents(settings, &feed.policy, findings);
    warn_of_lost_rows(settings, &feed.policy, findings);
    feed
}

/// A newer version takes the rows of an older one away. It should have rows to put in their place.
fn warn_of_lost_rows(settings: &[Setting], policy: &Policy, findings: &mut Findings) {
    if policy.on_same_name != OnSameName::Supersede {
        return;
    }
    let said = |name: &str| settings.iter().find(|setting| setting.key.value == name);
    if let (OnError::Continue, Some(supersede)) = (policy.on_error, said("onSameName")) {
        findings.warning(
            &supersede.value.place,
            "`onSameName: supersede` with `onError: continue`",
            "a limit on the rejected records",
            "a version of which one record can be loaded replaces a whole one; set `onError: abort` or `onError: skip_file_5%`",
        );
    }
    if let (EmptyFile::RejectZeroBytes, Some(empty)) = (policy.empty_file, said("emptyFile")) {
        findings.warning(
            &empty.value.place,
            "`emptyFile: rejectZeroBytes` with `onSameName: supersede`",
            "`emptyFile: reject` or `emptyFile: accept`",
            "a version without records is rejected, because it would replace the records of an older one by none",
        );
    }
}

/// Of two names with the same content one file would be the other's duplicate; a newer version of the other's name
/// would then take the content away from both.
fn reject_lost_contents(settings: &[Setting], policy: &Policy, findings: &mut Findings) {
    if !policy.dedupe_content || policy.on_same_name != OnSameName::Supersede {
        return;
    }
    if let Some(dedupe) = settings.iter().find(|setting| setting.key.value == "dedupeContent") {
        findings.error(
            &dedupe.value.place,
            "`dedupeContent` with `onSameName: supersede`",
            "one of the two",
            "remove `dedupeContent`: a content that is a duplicate under one name would vanish when the other name is superseded",
        );
    }
}

/// Warns where rejected records leave the quarantine with the values of a classified property. It is allowed: they go
/// to who sent them.
pub(super) fn warn_of_returned_values(
    settings: &[Setting],
    policy: &Policy,
    columns: &[Column],
    findings: &mut Findings,
) {
    let Some(column) = columns.iter().find(|column| policy.return_rejects && has_classified(column)) else {
        return;
    };
    if let Some(said) = settings.iter().find(|setting| setting.key.value == "returnRejects") {
        findings.warning(
            &said.value.place,
            format!("`returnRejects: true` with the classified property `{}`", column.name),
            "`false` where a property is classified",
            "rejected records are returned whole to the partner that sent them, values of classified properties included",
        );
    }
}

fn has_classified(column: &Column) -> bool {
    let below = match &column.kind {
        Kind::Object(members) => members.iter().any(has_classified),
        Kind::Array(item) | Kind::Map(item) => item.as_deref().is_some_and(has_classified),
        _ => false,
    };
    column.classified || below
}

fn on_or_off(node: &Node, findings: &mut Findings) -> Option<bool> {
    if let Some(ScalarKind::Boolean(on)) = node.scalar().map(|scalar| scalar.kind) {
        return Some(on);
    }
    findings.error(&node.place, node.describe(), "true or false", "");
    None
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn choose<T: Copy>(target: &mut T, node: &Node, words: &Words<T>, findings: &mut Findings) {
    set(target, word_of(node, words, findings).map(|word| word.value));
}

/// Returns `continue`, `abort`, `skip_file_<n>`, `skip_file_<n>%`.
fn on_error(node: &Node, findings: &mut Findings) -> Option<OnError> {
    let text = text_of(node, findings)?;
    let policy = match text.value.as_str() {
        "continue" => Some(OnError::Continue),
        "abort" => Some(OnError::Abort),
        other => other.strip_prefix("skip_file_").and_then(|number| match number.strip_suffix('%') {
            None => number.parse().ok().filter(|most| *most >= 1).map(OnError::SkipFile),
            Some(percent) if percent.starts_with(|first: char| first.is_ascii_digit()) => percent
                .parse()
                .ok()
                .filter(|share| (0.0..=100.0).contains(share))
                .map(OnError::SkipFilePercent),
            Some(_) => None,
        }),
    };
    if policy.is_none() {
        findings.error(
            &text.place,
            quoted(&text.value),
            "`continue`, `abort`, `skip_file_<n>` with n from 1, or `skip_file_<n>%` with n from 0 to 100",
            crate::finding::did_you_mean(&text.value, &["continue", "abort"], ""),
        );
    }
    policy
}
