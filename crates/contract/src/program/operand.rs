//! What a part of an expression is: its kind and its node.

use super::node::{ChoiceNode, InstantNode, NumberNode, TextNode, TruthNode, WholeNode};

/// A typed part of an expression.
pub(super) enum Operand {
    Truth(TruthNode),
    Whole(WholeNode),
    Number(NumberNode),
    Text(TextNode),
    Instant(InstantKind, InstantNode),
    Null,
    /// An object, array or map, of which only its absence can be asked.
    Document,
}

/// What the nanoseconds of an instant count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InstantKind {
    Date,
    /// A point in time.
    Timestamp,
    /// A date and time without time zone.
    LocalTimestamp,
    Time,
    Duration,
}

/// Two parts of one kind.
pub(super) enum OperandPair {
    Truth([TruthNode; 2]),
    Whole([WholeNode; 2]),
    Number([NumberNode; 2]),
    Text([TextNode; 2]),
    Instant(InstantKind, [InstantNode; 2]),
}

impl Operand {
    /// Returns the kind as a noun phrase.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Truth(_) => "a boolean",
            Self::Whole(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Instant(kind, _) => kind.noun(),
            Self::Null => "null",
            Self::Document => "an object or array",
        }
    }
}

impl InstantKind {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Date => "a date",
            Self::Timestamp => "a timestamp",
            Self::LocalTimestamp => "a timestamp without time zone",
            Self::Time => "a time",
            Self::Duration => "a duration",
        }
    }
}

impl OperandPair {
    /// Brings two parts to one kind: an integer next to a number is a number. Otherwise says why they do not fit.
    pub(super) fn of(one: Operand, other: Operand) -> Result<Self, &'static str> {
        let misfit = misfit(&one, &other);
        Ok(match (one, other) {
            (Operand::Truth(one), Operand::Truth(other)) => Self::Truth([one, other]),
            (Operand::Whole(one), Operand::Whole(other)) => Self::Whole([one, other]),
            (Operand::Number(one), Operand::Number(other)) => Self::Number([one, other]),
            (Operand::Whole(one), Operand::Number(other)) => Self::Number([number_of(one), other]),
            (Operand::Number(one), Operand::Whole(other)) => Self::Number([one, number_of(other)]),
            (Operand::Text(one), Operand::Text(other)) => Self::Text([one, other]),
            (Operand::Instant(kind, one), Operand::Instant(same, other)) if kind == same => {
                Self::Instant(kind, [one, other])
            }
            _ => return Err(misfit),
        })
    }

    /// Returns `when ? one : other`.
    pub(super) fn choice(self, when: TruthNode) -> Operand {
        match self {
            Self::Truth([yes, no]) => {
                Operand::Truth(TruthNode::Choice(Box::new(ChoiceNode { when, yes, no })))
            }
            Self::Whole([yes, no]) => {
                Operand::Whole(WholeNode::Choice(Box::new(ChoiceNode { when, yes, no })))
            }
            Self::Number([yes, no]) => {
                Operand::Number(NumberNode::Choice(Box::new(ChoiceNode { when, yes, no })))
            }
            Self::Text([yes, no]) => Operand::Text(TextNode::Choice(Box::new(ChoiceNode { when, yes, no }))),
            Self::Instant(kind, [yes, no]) => {
                Operand::Instant(kind, InstantNode::Choice(Box::new(ChoiceNode { when, yes, no })))
            }
        }
    }
}

/// Returns an integer as a number.
pub(super) fn number_of(whole: WholeNode) -> NumberNode {
    if let WholeNode::Constant(value) = whole
        && let Some(value) = crate::Decimal::new(value, 0)
    {
        return NumberNode::Constant(value);
    }
    NumberNode::Whole(Box::new(whole))
}

/// Returns what to do about two parts of different kinds.
fn misfit(one: &Operand, other: &Operand) -> &'static str {
    use InstantKind::{Date, LocalTimestamp, Timestamp};
    let kinds = match (one, other) {
        (Operand::Instant(one, _), Operand::Instant(other, _)) => Some([*one, *other]),
        _ => None,
    };
    let texts = [one, other].iter().filter(|operand| matches!(operand, Operand::Text(_))).count();
    let instants = [one, other].iter().filter(|operand| matches!(operand, Operand::Instant(..))).count();
    match kinds {
        Some([Date, Timestamp | LocalTimestamp] | [Timestamp | LocalTimestamp, Date]) => {
            "`date(x)` is the day of a timestamp"
        }
        Some([Timestamp, LocalTimestamp] | [LocalTimestamp, Timestamp]) => {
            "write an offset in the constant exactly when the property has a time zone: \
             `timestamp(\"2026-01-31T08:00:00Z\")`"
        }
        _ if matches!(one, Operand::Null) || matches!(other, Operand::Null) => {
            "only a property can be compared with null, by `==` or `!=`"
        }
        _ if texts == 1 && instants == 1 => {
            "write a constant as `date(\"2026-01-31\")`, `timestamp(\"2026-01-31T08:00:00Z\")`, \
             `time(\"08:00:00\")` or `duration(\"36h\")`"
        }
        _ if texts == 1 => {
            "a text is never converted: quote the constant, or change the property's `logicalType`"
        }
        _ => "",
    }
}
