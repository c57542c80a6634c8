//! What is wrong with the text of a record, and where.

use contract::json::{Flaw, Tokens, check_names};
use contract::{Found, JsonFlaw, Structure, Violation};

use crate::reader::violation;

/// Returns the violation of a rule by a mistake in a record's text.
pub(super) fn flawed(raw: &[u8], structure: Structure, flaw: Option<Flaw>) -> Violation {
    let found = flaw.map_or(Found::Unspecified, |flaw| {
        let (line, at) = flaw.place(raw);
        Found::Json { flaw: flaw.flaw, line, at }
    });
    violation(structure, found)
}

/// Returns the violation of a record that has a name twice in one object, and the name when it is one of the record's
/// own. The scan notes it at the end of the object; here the second one is searched for. There is none when two names
/// of one column occur.
pub(super) fn duplicate(raw: &[u8], depth_limit: u32) -> (Violation, Option<Vec<u8>>) {
    let structure = Structure::DuplicateField;
    let flaw = check_names(raw, depth_limit).err().filter(|flaw| flaw.flaw == JsonFlaw::DuplicateField);
    let Some(Flaw { at, depth, .. }) = flaw else {
        let found = Found::Json { flaw: JsonFlaw::DuplicateField, line: 0, at: 0 };
        return (violation(structure, found), None);
    };
    let rest = raw.get(at..).unwrap_or_default();
    let name = Tokens::new(rest, depth_limit).next().filter(|_| depth == 1);
    (flawed(raw, structure, flaw), name.map(|name| name.content(rest).into_owned()))
}

#[cfg(test)]
mod tests;
