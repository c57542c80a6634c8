//! Records behind the transforms of their columns.
//!
//! The rules and the row see what the transforms made. Rejects have the record as it was sent.

use contract::{Contract, Found, Structure, Transformed, Untransformed, Violation};

use crate::{Record, Slot, SlotKind};

/// Bytes that the transforms of one record may write: more than two rows hold, whatever the number of columns.
const MOST_MADE: usize = 1 << 20;

/// Makes prepared records, one at a time. Its buffers grow to the longest one.
#[derive(Default)]
pub(crate) struct Preparer {
    /// The text of the record, and behind it what transforms wrote.
    text: Vec<u8>,
    slots: Vec<Slot>,
    violations: Vec<Violation>,
}

impl Preparer {
    /// Runs the transforms of a record's columns. A record of a contract without transforms comes back as it is.
    ///
    /// # Errors
    ///
    /// What rejects the record: a result that cannot be stored. Nothing can be said of the record's other cells then.
    pub(crate) fn prepare<'a>(
        &'a mut self,
        contract: &Contract,
        record: &Record<'a>,
    ) -> Result<Record<'a>, &'a [Violation]> {
        if contract.transformed.is_empty() {
            return Ok(*record);
        }
        let Self { text, slots, violations } = self;
        text.clear();
        text.extend_from_slice(record.text);
        slots.clear();
        slots.extend_from_slice(record.slots);
        violations.clear();
        for index in &contract.transformed {
            let place = usize::from(*index);
            let (Some(column), Some(slot)) = (contract.columns.get(place), slots.get_mut(place)) else {
                continue;
            };
            match column.transformed(record.cell(place)) {
                Ok(Transformed::Sent(_)) => {}
                Ok(Transformed::Null) => *slot = Slot { kind: SlotKind::Null, start: 0, end: 0 },
                Ok(Transformed::Text(made)) => *slot = append(text, SlotKind::Text, made.as_bytes()),
                Ok(Transformed::Number(made)) => *slot = append(text, SlotKind::Number, made.as_bytes()),
                Err(Untransformed::TooLong(bytes)) => violations.push(too_long(*index, bytes)),
                Err(Untransformed::Product(found)) => {
                    violations.push(Violation { rule: column.type_rule, column: Some(*index), found });
                }
            }
            let made = text.len() - record.text.len();
            if made > MOST_MADE {
                violations.push(too_long(*index, made));
                break;
            }
        }
        if violations.is_empty() { Ok(Record { text, slots, ..*record }) } else { Err(violations) }
    }
}

fn too_long(column: u16, bytes: usize) -> Violation {
    Violation { rule: Structure::ItemBytes.index(), column: Some(column), found: Found::Bytes(bytes as u64) }
}

/// Writes what a transform made behind the record's text. An empty text is null, as an empty CSV cell is.
fn append(text: &mut Vec<u8>, kind: SlotKind, made: &[u8]) -> Slot {
    let start = text.len();
    text.extend_from_slice(made);
    let span = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Slot {
        kind: if made.is_empty() { SlotKind::Null } else { kind },
        start: span(start),
        end: span(text.len()),
    }
}
