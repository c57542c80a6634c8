//! The typed tree of a program: one kind of node for each kind of value, so that nothing is left to decide but values.

use crate::{Decimal, TextPattern};

use super::parser::{Arithmetic, Relation};

/// A boolean.
#[derive(Debug)]
pub(super) enum TruthNode {
    Constant(bool),
    Column(u16),
    /// Whether a column is null.
    IsNull(u16),
    Not(Box<TruthNode>),
    All(Box<[TruthNode]>),
    Any(Box<[TruthNode]>),
    Choice(Box<ChoiceNode<TruthNode>>),
    /// Whether two booleans are equal.
    Same(Box<[TruthNode; 2]>),
    CompareWhole(Relation, Box<[WholeNode; 2]>),
    CompareNumber(Relation, Box<[NumberNode; 2]>),
    /// A number column and a whole number, which most limits are.
    CompareToWhole(Relation, u16, i64),
    CompareText(Relation, Box<[TextNode; 2]>),
    CompareInstant(Relation, Box<[InstantNode; 2]>),
    /// Whether a value is in a sorted list.
    WholeIn(Box<WholeNode>, Box<[i128]>),
    NumberIn(Box<NumberNode>, Box<[Decimal]>),
    TextIn(Box<TextNode>, Box<[Box<[u8]>]>),
    InstantIn(Box<InstantNode>, Box<[i128]>),
    StartsWith(Box<[TextNode; 2]>),
    EndsWith(Box<[TextNode; 2]>),
    Contains(Box<[TextNode; 2]>),
    Matches(Box<TextNode>, Box<TextPattern>),
}

/// A whole number of at most 38 digits.
#[derive(Debug)]
pub(super) enum WholeNode {
    Constant(i128),
    Column(u16),
    Negative(Box<WholeNode>),
    Compute(Arithmetic, Box<[WholeNode; 2]>),
    /// The characters of a text.
    Size(Box<TextNode>),
    Choice(Box<ChoiceNode<WholeNode>>),
}

/// A decimal.
#[derive(Debug)]
pub(super) enum NumberNode {
    Constant(Decimal),
    Column(u16),
    Whole(Box<WholeNode>),
    Negative(Box<NumberNode>),
    Compute(Arithmetic, Box<[NumberNode; 2]>),
    Choice(Box<ChoiceNode<NumberNode>>),
}

/// A text.
#[derive(Debug)]
pub(super) enum TextNode {
    Constant(Box<[u8]>),
    Column(u16),
    Choice(Box<ChoiceNode<TextNode>>),
}

/// A date, a time or a duration, in nanoseconds as `temporal` counts them.
#[derive(Debug)]
pub(super) enum InstantNode {
    Constant(i128),
    Column(u16),
    Sum(Box<[InstantNode; 2]>),
    Difference(Box<[InstantNode; 2]>),
    /// The beginning of the day.
    Day(Box<InstantNode>),
    Choice(Box<ChoiceNode<InstantNode>>),
}

/// `when ? yes : no`.
#[derive(Debug)]
pub(super) struct ChoiceNode<T> {
    pub(super) when: TruthNode,
    pub(super) yes: T,
    pub(super) no: T,
}
