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
//!
//! * [`read`] knows the shape of the standard, v3.0 to v3.2: where each key belongs. Unknown keys are errors.
//! * [`compile`] knows what the parts mean together. It is the only way to a [`Contract`]; [`compile_published`] also
//!   compares the document with its place.
//! * A server's `format` is `csv`, `tsv`, `json`, `ndjson` or `jsonl`. For `json` the `delimiter` says how documents
//!   are separated, as in the standard: `new_line` is one object on each line (NDJSON), `array` or none is one
//!   document, which is an array of objects or one object.
//! * Settings that the standard lacks are in `customProperties` with `vendor: ingest`. Those of other vendors are kept.
//! * When files must come is an [`Expectation`], from `expect` or from the service levels. It is asked with a time and
//!   answers with a scheduled one ([`Due`]), which judges the times at which files came ([`Arrival`]).
//! * A business rule (engine `cel`) is a [`Program`]: an expression over one record, typed when the contract compiles.
//! * A rule that cannot run on arrival (`sql`, `text`, other engines, other service levels) is listed in
//!   [`Contract::not_run`], never dropped. A mask or a transform that this version does not know is an error: without
//!   it, a value would be stored in clear.
//! * All findings of a document come at once, each with its line and column; see [`render_findings`].
//! * Rule ids are shown to senders and stay the same: `<column>.type`, `<column>.required`, `<column>.pattern`, and
//!   for a quality rule its own `id` or `name`, or else `<column>.<metric>`.
//!
//! ```
//! let source = r#"
//! apiVersion: v3.2.0
//! kind: DataContract
//! id: scans
//! version: 1.0.0
//! status: active
//! servers:
//!   - { server: inbox, type: s3, location: s3://inbox/acme/scans/, format: csv }
//! schema:
//!   - name: scans
//!     properties:
//!       - { name: mrn, logicalType: string, primaryKey: true, logicalTypeOptions: { pattern: "^MRN[0-9]{6}$" } }
//! "#;
//! let (contract, warnings) = contract::compile(source).map_err(|findings| {
//!     contract::render_findings(&findings, "scans.odcs.yaml", source)
//! })?;
//! assert!(warnings.is_empty());
//! assert_eq!(contract.column_name(0), "mrn");
//! let (pattern, _) = &contract.columns[0].checks[0];
//! assert_eq!(contract.rule(*pattern).id, "mrn.pattern");
//! assert_eq!(contract.rule(*pattern).expected, "text that matches ^MRN[0-9]{6}$");
//!
//! let findings = contract::compile("apiVersion: v3.2.0\nkind: DataContact\n").unwrap_err();
//! assert!(findings.iter().any(|finding| finding.line == 2 && finding.advice == "did you mean `DataContract`"));
//! # Ok::<(), String>(())
//! ```

mod cell;
mod cell_set;
mod column;
mod compile;
mod compiled;
mod decimal;
mod diff;
mod document;
mod expectation;
mod finding;
mod found;
pub mod json;
mod kept;
mod label;
mod lint;
mod mask;
mod nested;
mod policy;
mod program;
pub mod reject_label;
mod rule;
mod simple_pattern;
mod spelling;
mod stored;
mod string_format;
mod temporal;
mod transform;
mod words;

pub use cell::{Cell, Value};
pub use cell_set::CellSet;
pub use compile::{Published, compile, compile_published};
pub use compiled::{
    Bound, Check, Column, Contract, Dialect, Duplicates, EmptyFile, Format, Gate, HeaderMatch, Identity,
    Kind, Limits, Measure, Metric, MissingColumn, Must, NotRun, OnError, OnSameName, Policy, Status,
    StringFormat, TextEncoding, TupleRule, UnknownColumn,
};
pub use decimal::Decimal;
pub use diff::{Affected, ContractChange, diff};
pub use document::{ApiVersion, Document, Located, MOST_DOCUMENT_BYTES, Path, Place, read};
pub use expectation::{Arrival, Due, Expectation};
pub use finding::{Finding, FindingSeverity, render_findings};
pub use found::{DatePart, Found, JsonFlaw, JsonKind, LooksLike, Mismatch, NumberFlaw};
pub use label::{LabelDifference, label_difference, similar_label};
pub use mask::{DateUnit, Mask, REDACTED};
pub use program::{Program, ProgramOutcome, RowRule};
pub use rule::{Code, Rule, RuleIndex, Severity, Structure, Violation};
pub use simple_pattern::TextPattern;
pub use spelling::Spelling;
pub use temporal::{Pattern, PatternError, TemporalKind};
pub use transform::{Transform, Transformed, Untransformed};
pub use words::{Choice, SECTIONS, Section, Values, Word};
