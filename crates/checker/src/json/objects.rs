//! One JSON record into column slots.

use contract::json::{Flaw, Token, TokenKind, Tokens, members, plain_value};
use contract::{Contract, Found, JsonFlaw, JsonKind, Structure, UnknownColumn, Violation};
use ledger::dynamodb::DEPTH;

use super::fields::RecordFields;
use super::flaw::{duplicate, flawed};
use super::returned::{AddedMembers, AddedName};
use super::scan::{Buffers, Malformed, Scan, slot};

use crate::reader::{offset32, violation};
use crate::{Slot, SlotKind};

/// Reads records, one at a time.
pub(super) struct Objects {
    fields: RecordFields,
    reject_unknown: bool,
    depth_limit: u32,
    buffers: Buffers,
    slots: Vec<Slot>,
    /// For each field the number of the last record that had it.
    seen: Vec<u64>,
    record: u64,
    unknown: u32,
    added: AddedMembers,
}

impl Objects {
    pub(super) fn new(contract: &Contract) -> Self {
        let fields = RecordFields::new(contract);
        Self {
            seen: vec![0; fields.len()],
            fields,
            reject_unknown: contract.policy.unknown_column == UnknownColumn::Reject,
            depth_limit: contract.limits.depth.min(DEPTH),
            buffers: Buffers::default(),
            slots: vec![Slot::ABSENT; contract.columns.len()],
            record: 0,
            unknown: 0,
            added: AddedMembers::default(),
        }
    }

    /// Returns the slots of the last record.
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns what the slots of the last record point into.
    pub(super) fn text<'a>(&'a self, raw: &'a [u8]) -> &'a [u8] {
        if self.buffers.side.is_empty() { raw } else { &self.buffers.side }
    }

    /// Returns the members of the last record that rejects have in addition to the sender's.
    pub(super) fn added(&self) -> AddedMembers {
        self.added
    }

    /// Fields that the contract does not name, over all records.
    pub(super) fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Reads the record that is the whole of `raw`. `raw` is UTF-8.
    pub(super) fn read(&mut self, raw: &[u8]) -> Result<(), Violation> {
        self.slots.fill(Slot::ABSENT);
        self.record += 1;
        let mut scan = Scan::new(raw, self.depth_limit, &mut self.buffers);
        let mut unknown = 0;
        let mut added = AddedMembers::default();
        let mut target = ColumnTarget {
            fields: &mut self.fields,
            slots: &mut self.slots,
            seen: &mut self.seen,
            record: self.record,
            next: 0,
            unknown: &mut unknown,
            added: &mut added,
        };
        let kind = target.record(&mut scan);
        let (ended, broken) = (scan.tokens.ended(), scan.broken);
        self.added = added;
        let (Ok(kind), true) = (kind, ended) else {
            return Err(flawed(raw, Structure::Json, scan.tokens.flaw()));
        };
        if kind != SlotKind::Object {
            return Err(violation(Structure::NotAnObject, Found::JsonKind(kind_of(kind))));
        }
        if let Some((structure, at)) = broken {
            return Err(self.diagnosed(raw, structure, at));
        }
        let whole = Slot { kind, start: 0, end: offset32(raw.len()) };
        for column in &self.fields.whole {
            set(&mut self.slots, *column, whole);
        }
        self.unknown = self.unknown.saturating_add(unknown);
        if added.record.is_some() {
            return Ok(());
        }
        if self.fields.whole.is_empty() && self.slots.iter().all(|slot| slot.kind == SlotKind::Absent) {
            // An error body, or nothing at all: a row of nulls would be one that nobody wrote.
            return Err(violation(Structure::UnknownField, Found::Absent));
        }
        if self.reject_unknown && unknown > 0 {
            return Err(violation(Structure::UnknownField, Found::Count(u64::from(unknown))));
        }
        Ok(())
    }

    /// Returns the violation of a record that is JSON but breaks a rule at a byte, with its column when a field of
    /// the contract occurs twice.
    #[cold]
    fn diagnosed(&self, raw: &[u8], structure: Structure, at: usize) -> Violation {
        let placed = |flaw| flawed(raw, structure, Some(Flaw { flaw, at, depth: 0 }));
        match structure {
            Structure::Depth => placed(JsonFlaw::Depth),
            Structure::Nul => placed(JsonFlaw::Nul),
            _ => {
                let (violation, name) = duplicate(raw, self.depth_limit);
                let field = name.and_then(|name| self.fields.get(self.fields.find(&name)?));
                Violation { column: field.and_then(|field| field.columns.first().copied()), ..violation }
            }
        }
    }

    /// Returns whether a text is one JSON value that breaks no rule; used for values outside of the records.
    pub(super) fn is_value(&mut self, raw: &[u8]) -> bool {
        let mut scan = Scan::new(raw, self.depth_limit, &mut self.buffers);
        let sound = scan.value(false).is_ok() && scan.tokens.ended();
        sound && matches!(scan.broken, None | Some((Structure::Depth, _)))
    }
}

/// Returns the bytes of a record without the members that rejects have in addition.
pub(super) fn own_bytes(raw: &[u8]) -> usize {
    let added = members(raw).filter(|(name, _)| AddedName::of(&name.content(raw)).is_some());
    let bytes = added.map(|(name, value)| value.source().end - name.source().start + ",".len());
    raw.len().saturating_sub(bytes.sum())
}

/// Returns whether a quoted string is this key; `None` when it is no string.
pub(super) fn is_key(raw: &[u8], key: &[u8]) -> Option<bool> {
    let name = Tokens::new(raw, 0).next()?;
    Some(*name.content(raw) == *key)
}

fn kind_of(kind: SlotKind) -> JsonKind {
    match kind {
        SlotKind::Array => JsonKind::Array,
        SlotKind::String => JsonKind::String,
        SlotKind::Number => JsonKind::Number,
        SlotKind::True | SlotKind::False => JsonKind::Boolean,
        SlotKind::Object => JsonKind::Object,
        SlotKind::Null | SlotKind::Absent | SlotKind::Text => JsonKind::Null,
    }
}

#[inline]
fn set(slots: &mut [Slot], column: u16, slot: Slot) {
    if let Some(place) = slots.get_mut(usize::from(column)) {
        *place = slot;
    }
}

/// Where the members of a record go.
struct ColumnTarget<'a> {
    fields: &'a mut RecordFields,
    slots: &'a mut [Slot],
    seen: &'a mut [u64],
    record: u64,
    /// The place of the field that is expected next.
    next: usize,
    unknown: &'a mut u32,
    added: &'a mut AddedMembers,
}

impl ColumnTarget<'_> {
    /// Reads the record, and returns what it is.
    fn record(&mut self, scan: &mut Scan<'_>) -> Result<SlotKind, Malformed> {
        let first = scan.take()?;
        if first.kind != TokenKind::Object {
            return scan.value_from(first, false).map(|slot| slot.kind);
        }
        loop {
            if scan.tokens.at_name() {
                self.expected_members(scan);
            }
            let token = scan.take()?;
            if token.kind == TokenKind::Close {
                // Keys of known fields are told apart by `seen`; here are the others.
                scan.close_keys(0);
                return Ok(SlotKind::Object);
            }
            self.member(scan, token)?;
        }
    }

    /// Reads members from a name on, for as long as they are the expected ones, have plain values, and have no white
    /// space around them.
    fn expected_members(&mut self, scan: &mut Scan<'_>) {
        let text = scan.tokens.text();
        let mut at = scan.tokens.position();
        for expected in self.fields.expected.get(self.next..).unwrap_or_default() {
            if let Some(length) = expected.begins(text.get(at..).unwrap_or_default())
                && let Some((token, end)) = plain_value(text, at + length)
                && let Some(seen) = self.seen.get_mut(usize::from(expected.same_as))
                && *seen != self.record
            {
                *seen = self.record;
                set(self.slots, expected.column, slot(token));
                self.next += 1;
                scan.tokens.resume_after_value(end);
                at = end + 1;
                if text.get(end) == Some(&b',') {
                    continue;
                }
            }
            break;
        }
    }

    /// Reads any member from behind its name.
    fn member(&mut self, scan: &mut Scan<'_>, name: Token) -> Result<(), Malformed> {
        let key = scan.text(name, true);
        if let Some(field) = self.fields.find(scan.bytes(key)) {
            self.next = self.fields.came(field, self.next);
            return self.known(scan, field);
        }
        scan.buffers.keys.push(key);
        if let Some(name) = AddedName::of(scan.bytes(key)) {
            let value = scan.value(true)?;
            self.added.note(name, value);
            return Ok(());
        }
        *self.unknown = self.unknown.saturating_add(1);
        scan.value(false).map(drop)
    }

    /// Reads the value of a known field into its columns.
    #[inline]
    fn known(&mut self, scan: &mut Scan<'_>, index: u16) -> Result<(), Malformed> {
        let same_as = self.fields.get(index).map_or(index, |field| field.same_as);
        if let Some(seen) = self.seen.get_mut(usize::from(same_as)) {
            if *seen == self.record {
                scan.breaks(Structure::DuplicateField, scan.tokens.position());
            }
            *seen = self.record;
        }
        let Some(field) = self.fields.get(index) else { return scan.value(false).map(drop) };
        let before = (!field.nested.is_empty()).then(|| scan.tokens.clone());
        let slot = scan.value(true)?;
        for column in &field.columns {
            set(self.slots, *column, slot);
        }
        let Some(before) = before.filter(|_| scan.broken.is_none()) else { return Ok(()) };
        let after = scan.tokens.clone();
        for (path, column) in &field.nested {
            scan.tokens = before.clone();
            let slot = locate(scan, path)?;
            set(self.slots, *column, slot);
        }
        scan.tokens = after;
        Ok(())
    }
}

/// Returns the value at a path (JSON Pointer tokens, RFC 6901) within the value that comes next.
fn locate(scan: &mut Scan<'_>, path: &[Vec<u8>]) -> Result<Slot, Malformed> {
    let first = scan.take()?;
    locate_from(scan, first, path)
}

/// Returns the same within the value that begins with a token.
fn locate_from(scan: &mut Scan<'_>, first: Token, path: &[Vec<u8>]) -> Result<Slot, Malformed> {
    let Some((wanted, rest)) = path.split_first() else { return scan.value_from(first, true) };
    if first.kind == TokenKind::Object {
        loop {
            let name = scan.take()?;
            if name.kind == TokenKind::Close {
                return Ok(Slot::ABSENT);
            }
            let key = scan.text(name, true);
            if scan.bytes(key) == wanted {
                return locate(scan, rest);
            }
            scan.value(false)?;
        }
    }
    let Some(mut left) = item_number(wanted).filter(|_| first.kind == TokenKind::Array) else {
        return Ok(Slot::ABSENT);
    };
    loop {
        let item = scan.take()?;
        if item.kind == TokenKind::Close {
            return Ok(Slot::ABSENT);
        }
        if left == 0 {
            return locate_from(scan, item, rest);
        }
        left -= 1;
        scan.value_from(item, false)?;
    }
}

/// Returns the number of an item that a token of a path names: digits without leading zeros (RFC 6901 section 4).
fn item_number(token: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(token).ok()?;
    let canonical = digits == "0" || !digits.starts_with(['0', '+']);
    canonical.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use contract::Format;
    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    /// Returns a record as senders write it, or nearly.
    fn line() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec!["id", "name", "a long enough name", "u", "i\\u0064"]);
        let value = prop_oneof![
            8 => "\"[a-z\\\\]{0,40}\"|-?[0-9]{1,4}(\\.[0-9]{1,3})?|true|false|null",
            1 => prop::sample::select(vec!["{\"a\":[1]}", "[]", "\"\\n\"", "\"\\u0000\"", "01", "tru", "1e", "\"\t\"", ""]).prop_map(str::to_owned),
        ];
        let comma = prop::sample::select(vec![",", ",", ",", ",", ",", ",", " , ", ",,", ""]);
        let colon = prop::sample::select(vec![":", ":", ":", ":", ": ", " :"]);
        let member = (name, colon, value, comma)
            .prop_map(|(name, colon, value, comma)| (format!("\"{name}\"{colon}{value}"), comma));
        let ordered = ("[0-9]{1,3}", "[a-z]{0,20}", any::<bool>()).prop_map(|(id, name, flag)| {
            format!("{{\"id\":{id},\"name\":\"{name}\",\"a long enough name\":{flag}}}")
        });
        let any_order = prop::collection::vec(member, 0..6).prop_map(|members| {
            let mut text = "{".to_owned();
            let last = members.len().saturating_sub(1);
            for (place, (member, comma)) in members.iter().enumerate() {
                text += member;
                text += if place < last { comma } else { "" };
            }
            text + "}"
        });
        prop_oneof![ordered, any_order]
    }

    proptest! {
        #[test]
        fn what_is_expected_changes_nothing(lines in prop::collection::vec(line(), 1..6)) {
            let mut contract = fixture::contract(Format::JsonLines, &["id", "name", "a long enough name"]);
            contract.columns[1].synonyms = vec!["u".to_owned()];
            let (mut expecting, mut other) = (Objects::new(&contract), Objects::new(&contract));
            other.fields.expect_nothing();
            for line in &lines {
                let raw = line.as_bytes();
                let read = expecting.read(raw);
                prop_assert_eq!(&read, &other.read(raw));
                if read.is_ok() {
                    prop_assert_eq!(expecting.slots(), other.slots());
                    prop_assert_eq!(expecting.text(raw), other.text(raw));
                }
                prop_assert_eq!(expecting.unknown(), other.unknown());
            }
        }
    }
}
