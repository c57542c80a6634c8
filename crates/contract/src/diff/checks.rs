//! Rules on one value: whether every value that passes one passes another.

use std::cmp::Ordering;

use crate::{Bound, Check, Measure, StringFormat};

/// Returns whether every value of the column that passes the older check passes the newer one. `false` also where
/// that cannot be told.
pub(super) fn implies(older: &Check, newer: &Check) -> bool {
    match (older, newer) {
        (Check::MinLength(older), Check::MinLength(newer)) => newer <= older,
        (Check::MaxLength(older), Check::MaxLength(newer)) => newer >= older,
        (Check::Pattern(older), Check::Pattern(newer)) => older.source() == newer.source(),
        (Check::Format(older), Check::Format(newer)) => older == newer,
        (Check::Minimum(older), Check::Minimum(newer)) => is_looser(newer, older, Ordering::Less),
        (Check::Maximum(older), Check::Maximum(newer)) => is_looser(newer, older, Ordering::Greater),
        (Check::MultipleOf(older), Check::MultipleOf(newer)) => older.is_multiple_of(newer),
        (Check::OneOf(older), Check::OneOf(newer)) => newer.includes(older),
        (Check::NotOneOf(older), Check::NotOneOf(newer)) => older.includes(newer),
        (Check::MinItems(older), Check::MinItems(newer)) => newer <= older,
        (Check::MaxItems(older), Check::MaxItems(newer)) => newer >= older,
        (Check::UniqueItems, Check::UniqueItems) => true,
        _ => false,
    }
}

/// Returns whether any text passes.
pub(super) fn passes_all(check: &Check) -> bool {
    matches!(check, Check::Format(StringFormat::Password | StringFormat::Binary))
}

/// Returns whether the two are rules of one kind, so that one takes the place of the other.
pub(super) fn is_same_kind(one: &Check, other: &Check) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Returns whether an end of a range lies on this side of an older one, or at its value and takes in as much.
fn is_looser(newer: &Bound, older: &Bound, side: Ordering) -> bool {
    let compared = match (&newer.at, &older.at) {
        (Measure::Number(newer), Measure::Number(older)) => newer.cmp(older),
        (Measure::Instant(newer), Measure::Instant(older)) => newer.cmp(older),
        _ => return false,
    };
    compared == side || (compared == Ordering::Equal && (!newer.exclusive || older.exclusive))
}
