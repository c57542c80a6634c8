//! What contracts say of a file as a whole: status, format, limits, policy, keys, and rules over all records.

use super::Affected::{Readers, Senders};
use super::{BeforeAfter, Changes};
use crate::{
    Contract, Dialect, Duplicates, EmptyFile, Format, Gate, HeaderMatch, Limits, MissingColumn, Must,
    OnError, OnSameName, Policy, Severity, Spelling, Status, UnknownColumn,
};

const READ_OTHERWISE: &str = "a file that was accepted is read otherwise and can be rejected";

pub(super) fn compare(older: &Contract, newer: &Contract, changes: &mut Changes) {
    status(older.identity.status, newer.identity.status, changes);
    format(&older.format, &newer.format, changes);
    let encoding = |contract: &Contract| contract.encoding.map_or("UTF-8", |encoding| encoding.0.name());
    if encoding(older) != encoding(newer) {
        changes.add(
            BeforeAfter::of("encoding", encoding(older), encoding(newer)),
            &[Senders],
            READ_OTHERWISE,
        );
    }
    limits(older.limits, newer.limits, changes);
    policy(&older.policy, &newer.policy, changes);
    let expected = |contract: &Contract| format!("{:?}", contract.expectation);
    if expected(older) != expected(newer) {
        let said = |contract: &Contract| {
            if contract.expectation.is_some() { "a schedule" } else { "no schedule" }
        };
        let why = "it decides when a file is late or missing, not whether it is accepted";
        changes.add(BeforeAfter::of("expect", said(older), said(newer)), &[], why);
    }
}

fn status(older: Status, newer: Status, changes: &mut Changes) {
    if older == newer {
        return;
    }
    let word = |status| match status {
        Status::Active => "active",
        Status::Deprecated => "deprecated",
        Status::Inactive => "not active",
    };
    changes.strict(
        BeforeAfter::of("status", word(older), word(newer)),
        newer == Status::Inactive,
        "every file is quarantined",
        "files are accepted",
    );
}

fn format(older: &Format, newer: &Format, changes: &mut Changes) {
    match (older, newer) {
        (Format::Separated(older), Format::Separated(newer)) => dialect(older, newer, changes),
        (Format::JsonLines, Format::JsonLines) => {}
        (Format::Json { record_path: older }, Format::Json { record_path: newer }) => {
            if older != newer {
                let path = |tokens: &[String]| format!("/{}", tokens.join("/"));
                let why = "the records are searched at another place of the document";
                changes.add(BeforeAfter::of("recordPath", path(older), path(newer)), &[Senders], why);
            }
        }
        _ => {
            let word = |format: &Format| match format {
                Format::Separated(_) => "delimiter-separated values",
                Format::JsonLines => "one JSON object on each line",
                Format::Json { .. } => "a JSON document",
            };
            let why = "files of the older format are rejected";
            changes.add(BeforeAfter::of("format", word(older), word(newer)), &[Senders], why);
        }
    }
}

fn dialect(older: &Dialect, newer: &Dialect, changes: &mut Changes) {
    let byte = |byte: Option<u8>| byte.map_or("none".to_owned(), |byte| format!("{:?}", char::from(byte)));
    let settings = [
        ("csvDialect.header", older.header.to_string(), newer.header.to_string()),
        ("csvDialect.delimiter", byte(Some(older.delimiter)), byte(Some(newer.delimiter))),
        ("csvDialect.quote", byte(older.quote), byte(newer.quote)),
        ("csvDialect.escape", byte(older.escape), byte(newer.escape)),
        ("csvDialect.doubleQuote", older.double_quote.to_string(), newer.double_quote.to_string()),
        ("csvDialect.comment", byte(older.comment), byte(newer.comment)),
        ("csvDialect.trim", older.trim.to_string(), newer.trim.to_string()),
        ("csvDialect.skipRows", older.skip_rows.to_string(), newer.skip_rows.to_string()),
    ];
    for (what, older, newer) in settings {
        if older != newer {
            changes.add(BeforeAfter::of(what, older, newer), &[Senders], READ_OTHERWISE);
        }
    }
    if older.header_match != newer.header_match {
        let word = |header_match| match header_match {
            HeaderMatch::Exact => "exact",
            HeaderMatch::Loose => "loose",
        };
        let why = match newer.header_match {
            HeaderMatch::Exact => {
                "a label in another spelling than the contract's is not recognised any more"
            }
            HeaderMatch::Loose => {
                "two labels of one header that differ only in their spelling name one column"
            }
        };
        let said =
            BeforeAfter::of("csvDialect.headerMatch", word(older.header_match), word(newer.header_match));
        changes.add(said, &[Senders], why);
    }
    let spelling = |dialect: &Dialect| dialect.spelling.as_deref().cloned().unwrap_or_default();
    let (older, newer) = (spelling(older), spelling(newer));
    if older != newer {
        let said = BeforeAfter::of("spelling of numbers and booleans", words(&older), words(&newer));
        changes.add(said, &[Senders, Readers], "a value that was accepted is read otherwise or rejected");
    }
}

fn words(spelling: &Spelling) -> String {
    let group = spelling.group.map_or("none".to_owned(), |group| format!("{group:?}"));
    let decimal = char::from(spelling.decimal);
    let (yes, no) = (spelling.true_words.join(" "), spelling.false_words.join(" "));
    format!("decimal {decimal:?}, groups {group}, true {yes}, false {no}")
}

fn limits(older: Limits, newer: Limits, changes: &mut Changes) {
    let numbers = |limits: Limits| {
        [
            ("limits.maxFileBytes", limits.file_bytes),
            ("limits.maxDecompressedBytes", limits.decompressed_bytes),
            ("limits.maxRatio", u64::from(limits.ratio)),
            ("limits.maxRowBytes", u64::from(limits.record_bytes)),
            ("limits.maxColumns", u64::from(limits.columns)),
            ("limits.maxDepth", u64::from(limits.depth)),
            ("limits.maxRejects", limits.rejects),
        ]
    };
    for ((what, older), (_, newer)) in numbers(older).into_iter().zip(numbers(newer)) {
        if older != newer {
            let (stricter, looser) = ("a file above the new limit is rejected", "the limit is higher");
            changes.strict(BeforeAfter::of(what, older, newer), newer < older, stricter, looser);
        }
    }
}

fn policy(older: &Policy, newer: &Policy, changes: &mut Changes) {
    if older.on_error != newer.on_error {
        changes.strict(
            BeforeAfter::of("onError", on_error(older.on_error), on_error(newer.on_error)),
            !tolerates(older.on_error, newer.on_error),
            "a file with rejected records that was loaded can be quarantined",
            "at least as many records may be rejected",
        );
    }
    if older.unknown_column != newer.unknown_column {
        changes.strict(
            said_words("unknownColumn", older.unknown_column, newer.unknown_column),
            newer.unknown_column == UnknownColumn::Reject,
            "a column or field that the contract does not name was ignored",
            "columns and fields that the contract does not name are ignored",
        );
    }
    if older.missing_column != newer.missing_column {
        changes.strict(
            said_words("missingColumn", older.missing_column, newer.missing_column),
            newer.missing_column == MissingColumn::Reject,
            "a file whose header lacks a column was loaded",
            "a file whose header lacks a column is loaded, with null in that column",
        );
    }
    let strictness = |empty| match empty {
        EmptyFile::Accept => 0,
        EmptyFile::RejectZeroBytes => 1,
        EmptyFile::Reject => 2,
    };
    if older.empty_file != newer.empty_file {
        changes.strict(
            said_words("emptyFile", older.empty_file, newer.empty_file),
            strictness(newer.empty_file) > strictness(older.empty_file),
            "a file without records was accepted",
            "more files without records are accepted",
        );
    }
    same_name(older, newer, changes);
    if older.dedupe_content != newer.dedupe_content {
        let said = BeforeAfter::of("dedupeContent", older.dedupe_content, newer.dedupe_content);
        changes.add(said, &[], "the same bytes again are a duplicate or a load; neither is rejected");
    }
    if older.duplicates != newer.duplicates {
        changes.strict(
            said_words("duplicates", older.duplicates, newer.duplicates),
            older.duplicates != Duplicates::RejectAll,
            "of records with one key, another one or none is accepted",
            "of records with one key, one is accepted and none was before",
        );
    }
}

fn same_name(older: &Policy, newer: &Policy, changes: &mut Changes) {
    if older.on_same_name == newer.on_same_name {
        return;
    }
    let empty = newer.empty_file == EmptyFile::RejectZeroBytes;
    let (breaks, why): (&[_], _) = match newer.on_same_name {
        OnSameName::Reject => (&[Senders], "a second file of a name is quarantined"),
        OnSameName::Supersede if empty => (
            &[Senders, Readers],
            "rows of earlier versions of a name are hidden, and a file without records is rejected",
        ),
        OnSameName::Supersede => (&[Readers], "rows of earlier versions of a name are hidden"),
        OnSameName::Append if older.on_same_name == OnSameName::Supersede => {
            (&[Readers], "rows of earlier versions of a name stay visible")
        }
        OnSameName::Append => (&[], "a second file of a name is loaded"),
    };
    changes.add(said_words("onSameName", older.on_same_name, newer.on_same_name), breaks, why);
}

fn said_words<T: std::fmt::Debug>(what: &str, older: T, newer: T) -> BeforeAfter<'_> {
    // The words of the contract language are the variants, with a small first letter.
    let word = |value: T| {
        let name = format!("{value:?}");
        let mut letters = name.chars();
        letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str())
    };
    BeforeAfter { what, before: word(older), after: word(newer) }
}

fn on_error(policy: OnError) -> String {
    match policy {
        OnError::Continue => "continue".to_owned(),
        OnError::Abort => "abort".to_owned(),
        OnError::SkipFile(records) => format!("skip_file_{records}"),
        OnError::SkipFilePercent(percent) => format!("skip_file_{percent}%"),
    }
}

/// Returns whether the newer policy quarantines no file that the older one loads.
fn tolerates(older: OnError, newer: OnError) -> bool {
    match (older, newer) {
        (_, OnError::Continue) | (OnError::Abort, _) => true,
        (OnError::SkipFile(older), OnError::SkipFile(newer)) => newer >= older,
        (OnError::SkipFile(older), OnError::Abort) => older <= 1,
        (OnError::SkipFilePercent(older), OnError::SkipFilePercent(newer)) => newer >= older,
        _ => false,
    }
}

pub(super) fn compare_keys(older: &Contract, newer: &Contract, changes: &mut Changes) {
    let names = |contract: &Contract, columns: &[u16]| -> Vec<String> {
        columns.iter().map(|index| contract.column_name(*index).to_owned()).collect()
    };
    let shown = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let (old_key, new_key) = (names(older, &older.primary_key), names(newer, &newer.primary_key));
    if old_key != new_key {
        let said = BeforeAfter::of("primary key", shown(&old_key), shown(&new_key));
        if new_key.is_empty() {
            changes.add(said, &[Readers], "rows are stored under their place in the file, not under a key");
        } else {
            let why = "rows are stored under another key, and a record whose new key is null or repeats is rejected";
            changes.add(said, &[Senders, Readers], why);
        }
    }
    let tuples = |contract: &Contract| -> Vec<Vec<String>> {
        let failing =
            contract.unique.iter().filter(|rule| contract.rule(rule.rule).severity == Severity::Fail);
        failing.map(|rule| names(contract, &rule.columns)).collect()
    };
    let (old_unique, new_unique) = (tuples(older), tuples(newer));
    for tuple in new_unique.iter().filter(|tuple| !old_unique.contains(tuple)) {
        let implied = old_unique.iter().any(|known| known.iter().all(|column| tuple.contains(column)));
        let what = format!("unique ({})", tuple.join(", "));
        let said =
            BeforeAfter { what: &what, before: None, after: Some("no value twice in a file".to_owned()) };
        let (stricter, looser) = ("a repeated value is rejected", "a part of it was unique before");
        changes.strict(said, !implied, stricter, looser);
    }
    for tuple in old_unique.iter().filter(|tuple| !new_unique.contains(tuple)) {
        let what = format!("unique ({})", tuple.join(", "));
        let said =
            BeforeAfter { what: &what, before: Some("no value twice in a file".to_owned()), after: None };
        changes.add(said, &[], "a repeated value is accepted");
    }
    let version = |contract: &Contract| {
        contract.version_from.map_or("none".to_owned(), |index| contract.column_name(index).to_owned())
    };
    if version(older) != version(newer) {
        let why = "of two versions of a record another one can be the newest";
        changes.add(BeforeAfter::of("versionFrom", version(older), version(newer)), &[Readers], why);
    }
}

pub(super) fn compare_gates(older: &Contract, newer: &Contract, changes: &mut Changes) {
    let fails = |contract: &Contract, gate: &Gate| contract.rule(gate.rule).severity == Severity::Fail;
    for gate in &newer.gates {
        let rule = newer.rule(gate.rule);
        let known = older.gates.iter().find(|known| older.rule(known.rule).id == rule.id);
        let before = known.map(|known| older.rule(known.rule).expected.clone());
        let same = known.is_some_and(|known| same_gate((older, known), (newer, gate)));
        if same && known.is_some_and(|known| fails(older, known) == fails(newer, gate)) {
            continue;
        }
        let weaker = known.is_some_and(|known| {
            fails(older, known)
                && (same || (measures_alike((older, known), (newer, gate)) && allows(known.must, gate.must)))
        });
        changes.strict(
            BeforeAfter { what: &rule.id, before, after: Some(rule.expected.clone()) },
            fails(newer, gate) && !weaker,
            "a file that breaks the rule is quarantined",
            "every file that the rule let pass still passes",
        );
    }
    for gate in &older.gates {
        let rule = older.rule(gate.rule);
        if !newer.gates.iter().any(|known| newer.rule(known.rule).id == rule.id) {
            let said = BeforeAfter { what: &rule.id, before: Some(rule.expected.clone()), after: None };
            changes.add(said, &[], "the rule is no longer checked");
        }
    }
}

fn same_gate(older: (&Contract, &Gate), newer: (&Contract, &Gate)) -> bool {
    older.1.must == newer.1.must && measures_alike(older, newer)
}

/// Returns whether two gates count the same records. A column is known by its name: its place can change.
fn measures_alike((older, old): (&Contract, &Gate), (newer, new): (&Contract, &Gate)) -> bool {
    use crate::Metric::{DuplicateValues, InvalidValues, MissingValues, NullValues, RowCount};
    let alike = |one: u16, other: u16| older.column_name(one) == newer.column_name(other);
    old.percent == new.percent
        && match (&old.metric, &new.metric) {
            (RowCount, RowCount) => true,
            (NullValues(one), NullValues(other)) => alike(*one, *other),
            (MissingValues(one, values), MissingValues(other, others)) => {
                alike(*one, *other) && values.includes(others) && others.includes(values)
            }
            (InvalidValues(one, checks), InvalidValues(other, others)) => {
                alike(*one, *other)
                    && checks.len() == others.len()
                    && checks.iter().zip(others).all(|(check, other)| {
                        super::checks::implies(check, other) && super::checks::implies(other, check)
                    })
            }
            (DuplicateValues(one), DuplicateValues(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(*one, *other))
            }
            _ => false,
        }
}

/// Returns whether every measure that passes the older comparison passes the newer one.
fn allows(older: Must, newer: Must) -> bool {
    match (older, newer) {
        (Must::BeGreaterThan(older), Must::BeGreaterThan(newer))
        | (Must::BeGreaterOrEqualTo(older), Must::BeGreaterOrEqualTo(newer)) => newer <= older,
        (Must::BeLessThan(older), Must::BeLessThan(newer))
        | (Must::BeLessOrEqualTo(older), Must::BeLessOrEqualTo(newer)) => newer >= older,
        (Must::BeBetween(from, to), Must::BeBetween(new_from, new_to)) => new_from <= from && to <= new_to,
        _ => false,
    }
}
