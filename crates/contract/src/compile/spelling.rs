//! `decimalSeparator`, `groupSeparator`, `trueValues` and `falseValues` of a CSV dialect.

use std::sync::Arc;

use crate::Spelling;
use crate::compiled::Dialect;
use crate::document::{Fields, Located, ScalarKind, items_of};
use crate::finding::{Findings, quoted};
use crate::lint;

/// What may stand between groups of digits: point, comma, blank, no-break space, narrow no-break space, apostrophes.
const GROUPS: [char; 7] = ['.', ',', ' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'];

/// Reads what the dialect says of numbers and booleans; `None` when it says nothing.
pub(super) fn compile(
    fields: &mut Fields<'_>,
    dialect: &Dialect,
    findings: &mut Findings,
) -> Option<Arc<Spelling>> {
    let decimal = fields.text("decimalSeparator", findings);
    let group = fields.text("groupSeparator", findings);
    let mut spelling = Spelling::default();
    let words = [
        words(fields, "trueValues", &mut spelling.true_words, findings),
        words(fields, "falseValues", &mut spelling.false_words, findings),
    ];
    if decimal.is_none() && group.is_none() && words.iter().all(Option::is_none) {
        return None;
    }
    if let Some(given) = &decimal {
        match given.value.as_str() {
            "." => spelling.decimal = b'.',
            "," => spelling.decimal = b',',
            _ => findings.error(&given.place, quoted(&given.value), "`.` or `,`", ""),
        }
    }
    if let Some(given) = &group {
        spelling.group = one_character(&given.value).filter(|group| GROUPS.contains(group));
        if spelling.group.is_none() {
            findings.error(
                &given.place,
                quoted(&given.value),
                "one of `.`, `,`, a blank, a no-break space (U+00A0 or U+202F), `'` and `’`",
                "groups are of three digits; other groupings are not read",
            );
        }
    }
    check_separators(&spelling, dialect, [decimal.as_ref(), group.as_ref()], findings);
    check_words(&spelling, &words, findings);
    Some(Arc::new(spelling))
}

fn one_character(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Two roles for one character would make a number, or a file, ambiguous.
fn check_separators(
    spelling: &Spelling,
    dialect: &Dialect,
    [decimal, group]: [Option<&Located<String>>; 2],
    findings: &mut Findings,
) {
    let decimal_character = char::from(spelling.decimal);
    if spelling.group == Some(decimal_character)
        && let Some(given) = group.or(decimal)
    {
        findings.error(
            &given.place,
            format!("{} as decimal and as group separator", quoted(&decimal_character.to_string())),
            "two different characters",
            "set both `decimalSeparator` and `groupSeparator`",
        );
    }
    let delimiter = char::from(dialect.delimiter);
    let used = [(decimal, Some(decimal_character), "decimal"), (group, spelling.group, "group")];
    for (given, character, role) in used {
        let Some(given) = given.filter(|_| character == Some(delimiter)) else { continue };
        let found = format!("{} as delimiter and as {role} separator", quoted(&delimiter.to_string()));
        if dialect.quote.is_none() {
            findings.error(&given.place, found, "two different characters", "set another `delimiter`");
        } else {
            findings.warning(
                &given.place,
                found,
                "two different characters",
                "a number with the separator must be in quotes, or it is read as two cells",
            );
        }
    }
}

/// Replaces the words of a boolean by a list of the dialect; gives the list's place.
fn words(
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &mut Vec<String>,
    findings: &mut Findings,
) -> Option<crate::document::Place> {
    let node = fields.take(key)?;
    let items = items_of(node, findings);
    lint::values(items, true, findings);
    let mut given = Vec::new();
    for item in items {
        match item.scalar() {
            Some(scalar) if scalar.kind != ScalarKind::Null && !scalar.text.is_empty() => {
                given.push(scalar.text.clone());
            }
            _ => findings.error(
                &item.place,
                item.describe(),
                "a word in quotes",
                "an empty cell is null; `nullTokens` of a property lists other words for null",
            ),
        }
    }
    if items.is_empty() {
        findings.error(
            &node.place,
            format!("an empty `{key}`"),
            "at least one word",
            "remove it for the default",
        );
    } else if !given.is_empty() {
        *words = given;
    }
    Some(node.place.clone())
}

/// A word must not mean both.
fn check_words(spelling: &Spelling, places: &[Option<crate::document::Place>; 2], findings: &mut Findings) {
    let Some(place) = places.iter().flatten().last() else { return };
    let both = |word: &&String| spelling.true_words.iter().any(|other| other.eq_ignore_ascii_case(word));
    if let Some(word) = spelling.false_words.iter().find(both) {
        findings.error(
            place,
            format!("{} for true and for false", quoted(word)),
            "a word in one of the lists",
            "letter case does not count; a list that is not given has `true`, `1` or `false`, `0`",
        );
    }
}
