//! Business rules: a boolean expression of the Common Expression Language over one record.
//!
//! An expression is parsed and typed once, against the columns of its contract, and becomes a tree whose leaves are
//! constants and column numbers. Evaluation reads the cells that it needs, allocates nothing, cannot panic, and calls
//! itself at most [`DEEPEST`] times. Numbers are exact decimals, never floats.
//!
//! A null, and a cell that is not of its column's type, is *unknown*. What needs an unknown value is unknown itself,
//! but for `&&` with a false side and `||` with a true one, as in SQL. An unknown rule is not broken. Unknown goes
//! before a fault of arithmetic, so that the order of operands decides nothing.

mod constant;
mod evaluate;
mod flaw;
mod function;
mod lexer;
mod lower;
mod node;
mod operand;
mod parser;

pub(crate) use flaw::ExpressionFlaw;
#[cfg(test)]
pub(crate) use function::FUNCTIONS;
pub(crate) use lower::UnusableText;

use crate::{Cell, Column, RuleIndex, TextPattern};
use node::TruthNode;

/// Bytes of an expression at most.
pub(crate) const LONGEST: usize = 4_096;

/// Expressions within each other at most.
pub(crate) const DEEPEST: usize = 32;

/// Operations and operands of a program at most.
pub(crate) const MOST_STEPS: usize = 1_000;

/// What compiles a pattern.
pub(crate) type PatternCompiler<'a> = dyn FnMut(&str) -> Result<TextPattern, UnusableText> + 'a;

/// A compiled boolean expression.
#[derive(Debug)]
pub struct Program {
    source: String,
    columns: Vec<u16>,
    truth: TruthNode,
}

/// A business rule.
#[derive(Debug)]
pub struct RowRule {
    /// The rule in the table.
    pub rule: RuleIndex,
    /// The expression that each record makes true.
    pub program: Program,
}

/// What a program says of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramOutcome {
    /// The expression is true.
    True,
    /// The expression is false.
    False,
    /// The expression needs a value that is null, or that is not of its column's type.
    NotEvaluated,
    /// A result has more than 38 digits, or is too far from zero or too close to it.
    Overflow,
    /// A division by zero.
    DividedByZero,
}

impl Program {
    /// Compiles an expression over these columns.
    pub(crate) fn compile(
        source: &str,
        columns: &[Column],
        patterns: &mut PatternCompiler<'_>,
    ) -> Result<Self, ExpressionFlaw> {
        let expression = parser::parse(source)?;
        let (truth, columns) = lower::lower(source, &expression, columns, patterns)?;
        Ok(Self { source: source.trim().to_owned(), columns, truth })
    }

    /// Returns the expression as written in the contract.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns whether another program is written with the same words, blanks and comments aside.
    #[must_use]
    pub fn is_written_as(&self, other: &Self) -> bool {
        let words = |program: &Self| -> Option<Vec<lexer::Lexeme>> {
            Some(lexer::lex(&program.source).ok()?.into_iter().map(|word| word.lexeme).collect())
        };
        words(self) == words(other)
    }

    /// Returns the columns that the expression names, in the contract's order.
    #[must_use]
    pub fn columns(&self) -> &[u16] {
        &self.columns
    }

    /// Evaluates the expression over one record. `columns` are those of the contract that it was compiled for, and
    /// `cell` gives the record's cell of a column.
    #[must_use]
    pub fn holds<'a>(&'a self, columns: &'a [Column], cell: impl Fn(usize) -> Cell<'a>) -> ProgramOutcome {
        evaluate::outcome(&self.truth, columns, cell)
    }
}

#[cfg(test)]
mod tests;
