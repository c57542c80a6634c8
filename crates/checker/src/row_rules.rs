//! Business rules: the check of one record as a whole.

use contract::{Contract, Found, ProgramOutcome, RowRule, Violation};

use crate::Record;

/// Adds each business rule that the record breaks. `violations` are those of its cells: a rule that names a cell of the
/// wrong type is not evaluated, so that one mistake is reported once. A rule on one column is reported at that column.
#[inline]
pub(crate) fn check(contract: &Contract, record: &Record<'_>, violations: &mut Vec<Violation>) {
    for RowRule { rule, program } in &contract.row_rules {
        let found = match program.holds(&contract.columns, |column| record.cell(column)) {
            ProgramOutcome::True | ProgramOutcome::NotEvaluated => continue,
            ProgramOutcome::False => Found::ExpressionFalse,
            ProgramOutcome::Overflow => Found::ExpressionOverflow,
            ProgramOutcome::DividedByZero => Found::ExpressionDivision,
        };
        if program.columns().iter().any(|column| is_unreadable(contract, *column, violations)) {
            continue;
        }
        let column = match program.columns() {
            [column] => Some(*column),
            _ => None,
        };
        violations.push(Violation { rule: *rule, column, found });
    }
}

/// Returns whether the record's cell is not of its column's type.
fn is_unreadable(contract: &Contract, column: u16, violations: &[Violation]) -> bool {
    let type_rule = contract.columns.get(usize::from(column)).map(|column| column.type_rule);
    violations.iter().any(|violation| violation.column == Some(column) && Some(violation.rule) == type_rule)
}
