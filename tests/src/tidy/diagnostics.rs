//! What is said about files has no place for their content: records of telemetry hold labels, numbers and words of this
//! repository, errors hold no text that was read, and a log line shows nothing by its `Debug`.

use super::{assert_none, code_matches, regex};
use crate::repository::{rust_files, text};

/// A type that can hold any text.
const ANY_TEXT: &str = r"\b(String|str|Value|Cow|OsString|PathBuf|Bytes|BytesMut|Vec<u8>)\b";

/// Fields of errors that hold text, and whose it is: a service's own code and number for a request, and a contract's
/// pattern for dates.
const TEXT_OF_OTHERS: [(&str, &str); 3] = [
    ("crates/store/src/error.rs", "code"),
    ("crates/store/src/error.rs", "request_id"),
    ("crates/contract/src/temporal.rs", "problem"),
];

#[test]
fn no_record_of_telemetry_has_a_field_for_any_text() {
    let field = regex(&format!(r"^\s+pub (?:\w+): .*{ANY_TEXT}"));
    let fixed_text = regex(r"&'static str");
    let places = code_matches(&field, |path| path.starts_with("crates/telemetry/src/"));
    assert_none(
        "a Label, a number or a &'static str instead",
        places
            .into_iter()
            .filter(|place| regex(ANY_TEXT).is_match(&fixed_text.replace_all(place, "")))
            // The stack's own name, which the template sets.
            .filter(|place| !place.ends_with("pub namespace: String,")),
    );
}

#[test]
fn an_act_of_the_audit_trail_has_no_place_for_any_text() {
    let path = "crates/ledger/src/act.rs";
    let field = regex(&format!(r"^\s+(?:pub )?\w+: .*{ANY_TEXT}"));
    let variant = regex(&format!(r"^\s+[A-Z]\w*\(.*{ANY_TEXT}.*\),$"));
    let mut places = code_matches(&field, |found| found == path);
    places.extend(code_matches(&variant, |found| found == path));
    assert_none("a checked type instead: a word, an ARN, an id, a number, the operator's reason", places);
    let checked = regex(r"^pub struct (\w+)\(String\);$");
    let checked: Vec<String> = text(path)
        .lines()
        .filter_map(|line| Some(checked.captures(line)?.get(1)?.as_str().to_owned()))
        .collect();
    assert_eq!(checked, ["ActId", "Arn", "ActReason", "ActWord"], "the types that hold a text, each checked");
}

#[test]
fn an_error_of_a_function_holds_no_text_that_was_read() {
    let (derived, text_type) = (regex(r"derive\([^)]*thiserror::Error"), regex(ANY_TEXT));
    let named = regex(r"^\s*(?:pub )?(\w+):");
    let mut places = Vec::new();
    // The command line's errors are shown to the operator who typed what they name.
    for path in rust_files()
        .into_iter()
        .filter(|path| path.starts_with("crates/") && !path.starts_with("crates/scalper/"))
    {
        let mut inside = false;
        for (index, line) in text(&path).lines().enumerate() {
            inside = inside || derived.is_match(line);
            let code = line.trim_start();
            let is_field = inside && !code.starts_with("//") && !code.starts_with('#');
            let own = line.replace("&'static str", "");
            let name = named.captures(line).map_or("", |found| found.get(1).map_or("", |name| name.as_str()));
            if is_field && text_type.is_match(&own) && !TEXT_OF_OTHERS.contains(&(path.as_str(), name)) {
                places.push(format!("{path}:{}: {code}", index + 1));
            }
            let ends = line.starts_with('}') || (line.contains("struct ") && line.ends_with(';'));
            inside = inside && !ends;
        }
    }
    assert_none("an error that can hold what was read", places);
}

#[test]
fn a_log_line_shows_an_operation_by_its_debug_and_nothing_else() {
    let shown = regex(r"^\s*(?:tracing::\w+!\()?\w+ = [?%]");
    let known = [" failed = ?error.operation,", "error = %unreachable,"];
    let places = code_matches(&shown, |path| path.starts_with("crates/") && !path.contains("tests"));
    assert_none(
        "a field of a log line by its Debug or Display",
        places.into_iter().filter(|place| !known.iter().any(|known| place.contains(known))),
    );
    let written = regex(r#"(tracing|log)::(trace|debug|info|warn|error)!\(.*"[^"]*\{"#);
    assert_none(
        "a message with something written into it",
        code_matches(&written, |path| path.starts_with("crates/")),
    );
}
