//! A feed's data contract: an Open Data Contract Standard document, read, linted and compiled once.
//!
//! ```text
//! feed.odcs.yaml ──read──▶ Document ──lint──▶ Finding (file, line, column, found, expected)
//!                              └──compile──▶ Contract ──▶ Column::check(cell) ──▶ Violation
//! ```
//!
//! The crate is pure: no AWS, no tokio, no clock, no environment. A [`Contract`] is immutable, holds every rule with
//! its stable id in one table ([`Contract::rules`]), and checks one cell at a time without allocating.
//! A [`Violation`] names a rule, a column and the *shape* of what was found; it cannot hold a cell's content.

mod cell;
mod cell_set;
mod column;
mod compiled;
mod decimal;
mod nested;
mod rule;
mod simple_pattern;
mod stored;
mod string_format;
mod temporal;
mod value;

pub use cell::Cell;
pub use cell_set::CellSet;
pub use compiled::{
    Bound, Check, Column, Contract, Dialect, Duplicates, EmptyFile, Expectation, Format, Gate, HeaderMatch,
    Identity, Kind, Limits, Measure, Metric, MissingColumn, Must, NotRun, OnError, OnSameName, Policy,
    Status, StringFormat, TextEncoding, TupleRule, UnknownColumn,
};
pub use decimal::Decimal;
pub use rule::{Code, Found, Rule, RuleIndex, Severity, Structure, Violation};
pub use simple_pattern::TextPattern;
pub use temporal::{Pattern, PatternError, TemporalKind};
pub use value::Value;
