//! Business rules: the check of one record as a whole.

use contract::{Contract, Found, Program, ProgramOutcome, RowRule, Violation};

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

/// Returns the place of the first condition of `dropIf` that the record makes true.
#[inline]
pub(crate) fn left_out_by(contract: &Contract, record: &Record<'_>) -> Option<usize> {
    let holds = |condition: &Program| {
        condition.holds(&contract.columns, |column| record.cell(column)) == ProgramOutcome::True
    };
    contract.drop_if.iter().position(holds)
}

/// Returns whether the record's cell is not of its column's type.
fn is_unreadable(contract: &Contract, column: u16, violations: &[Violation]) -> bool {
    let type_rule = contract.columns.get(usize::from(column)).map(|column| column.type_rule);
    violations.iter().any(|violation| violation.column == Some(column) && Some(violation.rule) == type_rule)
}
