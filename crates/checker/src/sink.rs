//! Where checked records go, and what is known when all were read.

use contract::{Contract, Violation};

use crate::{Position, Record, Slot};

/// Takes what the check decides, record by record, in file order.
pub trait Sink {
    /// A record that will be loaded.
    fn row(&mut self, row: Row<'_>);
    /// A record that is rejected.
    fn reject(&mut self, reject: Reject<'_>);
    /// A record that the contract leaves out.
    fn dropped(&mut self, _: Position) {}
}

/// Takes nothing: for a pass that only counts.
impl Sink for () {
    fn row(&mut self, _: Row<'_>) {}
    fn reject(&mut self, _: Reject<'_>) {}
}

/// A record that will be loaded.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The contract under which it was checked.
    pub contract: &'a Contract,
    /// The record.
    pub record: Record<'a>,
}

/// A record that is rejected. May hold content: it goes to the quarantine and nowhere else.
#[derive(Clone, Copy)]
pub struct Reject<'a> {
    /// The contract under which it was checked.
    pub contract: &'a Contract,
    /// CSV: the header's labels in the sender's order; empty for JSON and for a file without a header.
    pub labels: &'a [String],
    /// Where it is.
    pub position: Position,
    /// The record as sent (decoded to UTF-8 where that was possible).
    pub raw: &'a [u8],
    /// What the cells' spans point into.
    pub text: &'a [u8],
    /// CSV: the cells in the sender's order, none when they cannot be told apart; JSON: the slots in the contract's
    /// order.
    pub cells: &'a [Slot],
    /// All rules that it broke, at least one of severity fail, in column order.
    pub violations: &'a [Violation],
}
