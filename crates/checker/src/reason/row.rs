//! Reasons of business rules.

use contract::{Contract, Found, Violation};

/// Columns that a reason names at most.
const NAMED: usize = 8;

/// Returns which rule is broken, in its owner's words or else as its expression, and the columns that it names.
pub(super) fn sentence(contract: &Contract, violation: &Violation, found: Found) -> String {
    let expected = contract.rule(violation.rule).expected.as_str();
    let rule = if expected.starts_with('`') {
        expected.to_owned()
    } else {
        format!("\"{}\"", expected.trim_end_matches('.'))
    };
    let what = match found {
        Found::ExpressionOverflow => "a result beyond 38 digits or out of range in the rule",
        Found::ExpressionDivision => "a division by zero in the rule",
        _ => "breaks the rule",
    };
    format!("{what} {rule}{}", columns(contract, violation))
}

fn columns(contract: &Contract, violation: &Violation) -> String {
    let row_rule = contract.row_rules.iter().find(|row_rule| row_rule.rule == violation.rule);
    let columns = row_rule.map_or(&[][..], |row_rule| row_rule.program.columns());
    let named: Vec<String> =
        columns.iter().take(NAMED).map(|column| format!("`{}`", contract.column_name(*column))).collect();
    match named.as_slice() {
        [] | [_] => String::new(),
        _ if columns.len() > NAMED => format!(" ({} and {} more)", named.join(", "), columns.len() - NAMED),
        _ => format!(" ({})", named.join(", ")),
    }
}
