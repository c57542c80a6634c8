//! Names of the columns that a file of rejected records has in addition to the sender's. In JSON they are members.
//!
//! A contract's own columns have other names. A file that has [`FILE`] is one of corrected rejects.

/// The id of the file that the record was rejected from. It makes the corrected file a correction of that one.
pub const FILE: &str = "_file";
/// The line on which the record began.
pub const LINE: &str = "_line";
/// The columns that broke a rule.
pub const COLUMN: &str = "_column";
/// The rules that were broken.
pub const RULE: &str = "_rule";
/// What was found and expected.
pub const REASON: &str = "_reason";
/// The record as sent, when it cannot be shown in the sender's columns. It is read in place of them.
pub const RECORD: &str = "_record";

/// All of them, in the order of a table.
pub const ALL: [&str; 6] = [LINE, COLUMN, RULE, REASON, RECORD, FILE];
