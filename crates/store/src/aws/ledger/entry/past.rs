//! What an entry keeps of the past.
//!
//! ```text
//! outcome.at_ms   when the outcome was decided
//! past_<number>   the outcome of the load of this generation, as it was when a replay took its place
//! moves           the changes of state that no decision made, oldest first
//! kept_ms         when the last replay ended that left the file as it was
//! closed          the good file that closed it
//! ```

use aws_sdk_dynamodb::types::AttributeValue;

use super::{DECIDED, optional_map, outcome};
use crate::aws::dynamodb::{Attributes, ItemReader, attributes, number, text};
use crate::{ClosedBy, FileId, PastOfFile, PastOutcome, State, StateMove};

/// How the names of the attributes begin that keep earlier outcomes.
const PAST: &str = "past_";

/// Returns the name of the attribute that keeps the outcome of a load.
pub(in crate::aws::ledger) fn past_name(generation: u32) -> String {
    format!("{PAST}{generation}")
}

/// Returns what closes a file as an attribute.
pub(in crate::aws::ledger) fn closed_map(by: &FileId, at_ms: u64) -> AttributeValue {
    AttributeValue::M(own([("file", text(by.as_str())), ("at_ms", number(at_ms))]))
}

/// Returns the values of an expression that adds a change of state.
pub(in crate::aws::ledger) fn moved_values(to: State, other: Option<&FileId>, at_ms: u64) -> Attributes {
    let mut change = own([("to", text(to.as_str())), ("at_ms", number(at_ms))]);
    change.extend(other.map(|other| ("other".to_owned(), text(other.as_str()))));
    attributes([
        (":none", AttributeValue::L(Vec::new())),
        (":moved", AttributeValue::L(vec![AttributeValue::M(change)])),
    ])
}

fn own<const N: usize>(members: [(&str, AttributeValue); N]) -> Attributes {
    members.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Reads what an entry keeps of the past; `None` for attributes that do not say it.
pub(super) fn read(item: &Attributes) -> Option<PastOfFile> {
    let mut outcomes: Vec<PastOutcome> =
        item.iter().filter_map(|(name, value)| past_outcome(name, value)).collect::<Option<_>>()?;
    outcomes.sort_by_key(|past| past.generation);
    let moves = match item.get("moves") {
        Some(moves) => moves.as_l().ok()?.iter().map(change).collect::<Option<_>>()?,
        None => Vec::new(),
    };
    Some(PastOfFile {
        decided_ms: item.get("outcome").map_or(Some(0), decided_ms)?,
        kept_ms: if item.contains_key("kept_ms") { ItemReader(item).number("kept_ms")? } else { 0 },
        outcomes,
        moves,
        closed: optional_map(item, "closed", closed)?,
    })
}

/// Outer `None`: an attribute of another kind.
#[expect(clippy::option_option, reason = "malformed and uninteresting are two answers")]
fn past_outcome(name: &str, value: &AttributeValue) -> Option<Option<PastOutcome>> {
    let generation = name.strip_prefix(PAST)?.parse().ok()?;
    let read = || {
        let decided_ms = decided_ms(value)?;
        Some(PastOutcome { generation, outcome: outcome(value.as_m().ok()?)?, decided_ms })
    };
    Some(read())
}

/// Returns when an outcome was decided; 0 for one of a release that did not note it.
fn decided_ms(outcome: &AttributeValue) -> Option<u64> {
    let map = outcome.as_m().ok()?;
    if map.contains_key(DECIDED) { ItemReader(map).number(DECIDED) } else { Some(0) }
}

fn change(value: &AttributeValue) -> Option<StateMove> {
    let map = value.as_m().ok()?;
    let read = ItemReader(map);
    let other = if map.contains_key("other") { Some(read.file("other")?) } else { None };
    Some(StateMove { at_ms: read.number("at_ms")?, to: State::parse(&read.text("to")?)?, other })
}

fn closed(read: ItemReader<'_>) -> Option<ClosedBy> {
    Some(ClosedBy { file: read.file("file")?, at_ms: read.number("at_ms")? })
}
