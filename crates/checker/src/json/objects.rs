//! One JSON record into column slots.

use contract::{Contract, Found, JsonKind, Structure, UnknownColumn, Violation};

use super::fields::Fields;
use super::flaw::diagnose;
use super::scan::{Buffers, Malformed, Scan, plain_value};
use ledger::dynamodb::DEPTH;

use crate::reader::{offset32, violation};
use crate::{Slot, SlotKind};

/// Reads records, one at a time.
pub(super) struct Objects {
    fields: Fields,
    reject_unknown: bool,
    depth_limit: u32,
    buffers: Buffers,
    slots: Vec<Slot>,
    /// For each field the number of the last record that had it.
    seen: Vec<u64>,
    record: u64,
    unknown: u32,
}

impl Objects {
    pub(super) fn new(contract: &Contract) -> Self {
        let fields = Fields::new(contract);
        Self {
            seen: vec![0; fields.len()],
            fields,
            reject_unknown: contract.policy.unknown_column == UnknownColumn::Reject,
            depth_limit: contract.limits.depth.min(DEPTH),
            buffers: Buffers::default(),
            slots: vec![Slot::ABSENT; contract.columns.len()],
            record: 0,
            unknown: 0,
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
        let mut target = Target {
            fields: &mut self.fields,
            slots: &mut self.slots,
            seen: &mut self.seen,
            record: self.record,
            next: 0,
            unknown: &mut unknown,
        };
        let begin = scan.at;
        scan.blank();
        let kind = if scan.peek() == Some(b'{') {
            target.members(&mut scan).map(|()| SlotKind::Object)
        } else {
            scan.value(0, false).map(|slot| slot.kind)
        };
        scan.blank();
        let (end, broken) = (scan.at, scan.broken);
        let Ok(kind) = kind else { return Err(self.diagnosed(raw, Structure::Json)) };
        if end < raw.len() {
            return Err(self.diagnosed(raw, Structure::Json));
        }
        if kind != SlotKind::Object {
            return Err(violation(Structure::NotAnObject, Found::JsonKind(kind_of(kind))));
        }
        if let Some(structure) = broken {
            return Err(self.diagnosed(raw, structure));
        }
        let whole = Slot { kind, start: offset32(begin), end: offset32(raw.len()) };
        for column in &self.fields.whole {
            set(&mut self.slots, *column, whole);
        }
        self.unknown = self.unknown.saturating_add(unknown);
        if self.fields.whole.is_empty() && self.slots.iter().all(|slot| slot.kind == SlotKind::Absent) {
            // An error body, or nothing at all: a row of nulls would be one that nobody wrote.
            return Err(violation(Structure::UnknownField, Found::Absent));
        }
        if self.reject_unknown && unknown > 0 {
            return Err(violation(Structure::UnknownField, Found::Count(u64::from(unknown))));
        }
        Ok(())
    }

    /// Returns the violation of a record that breaks a rule of JSON, with its place, and with its column when a field of the
    /// contract occurs twice.
    #[cold]
    fn diagnosed(&self, raw: &[u8], structure: Structure) -> Violation {
        let diagnosis = diagnose(raw, structure, self.depth_limit);
        let field = diagnosis.duplicate.and_then(|name| self.fields.get(self.fields.find(&name)?));
        let column = field.and_then(|field| field.columns.first().copied());
        Violation { column, ..diagnosis.violation }
    }

    /// Returns whether a text is one JSON value that breaks no rule; used for values outside of the records.
    pub(super) fn is_value(&mut self, raw: &[u8]) -> bool {
        let mut scan = Scan::new(raw, self.depth_limit, &mut self.buffers);
        let sound = scan.value(0, false).is_ok() && scan.at == raw.len();
        sound && matches!(scan.broken, None | Some(Structure::Depth))
    }

    /// Returns whether a quoted string is this key; `None` when it is no string.
    pub(super) fn is_key(&mut self, raw: &[u8], key: &[u8]) -> Option<bool> {
        let mut scan = Scan::new(raw, self.depth_limit, &mut self.buffers);
        let found = scan.string(true).ok()?;
        Some(scan.bytes(found) == key)
    }
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
struct Target<'a> {
    fields: &'a mut Fields,
    slots: &'a mut [Slot],
    seen: &'a mut [u64],
    record: u64,
    /// The place of the field that is expected next.
    next: usize,
    unknown: &'a mut u32,
}

impl Target<'_> {
    /// Reads the record from its brace on.
    fn members(&mut self, scan: &mut Scan<'_>) -> Result<(), Malformed> {
        scan.take(b'{')?;
        scan.blank();
        if scan.peek() == Some(b'}') {
            scan.at += 1;
            return Ok(());
        }
        loop {
            if !self.expected_members(scan) {
                self.member(scan)?;
            }
            scan.blank();
            if scan.peek() == Some(b'}') {
                scan.at += 1;
                // Keys of known fields are told apart by `seen`; here are the others.
                scan.close_keys(0);
                return Ok(());
            }
            scan.take(b',')?;
            scan.blank();
        }
    }

    /// Reads members for as long as they are the expected ones, have plain values, and have no white space around them.
    /// Leaves the scan behind the last of their values; says no when there is none.
    fn expected_members(&mut self, scan: &mut Scan<'_>) -> bool {
        let text = scan.text;
        let mut at = scan.at;
        for expected in self.fields.expected.get(self.next..).unwrap_or_default() {
            if let Some(length) = expected.begins(text.get(at..).unwrap_or_default())
                && let Some((slot, end)) = plain_value(text, at + length)
                && let Some(seen) = self.seen.get_mut(usize::from(expected.same_as))
                && *seen != self.record
            {
                *seen = self.record;
                set(self.slots, expected.column, slot);
                self.next += 1;
                scan.at = end;
                at = end + 1;
                if text.get(end) == Some(&b',') {
                    continue;
                }
                return true;
            }
            break;
        }
        at > scan.at
    }

    /// Reads any member.
    fn member(&mut self, scan: &mut Scan<'_>) -> Result<(), Malformed> {
        let key = scan.key()?;
        if let Some(field) = self.fields.find(scan.bytes(key)) {
            self.next = self.fields.came(field, self.next);
            return self.known(scan, field);
        }
        scan.buffers.keys.push(key);
        *self.unknown = self.unknown.saturating_add(1);
        scan.value(1, false).map(drop)
    }

    /// Reads the value of a known field into its columns.
    #[inline]
    fn known(&mut self, scan: &mut Scan<'_>, index: u16) -> Result<(), Malformed> {
        let same_as = self.fields.get(index).map_or(index, |field| field.same_as);
        if let Some(seen) = self.seen.get_mut(usize::from(same_as)) {
            if *seen == self.record {
                scan.breaks(Structure::DuplicateField);
            }
            *seen = self.record;
        }
        let begin = scan.at;
        let slot = scan.value(1, true)?;
        let Some(field) = self.fields.get(index) else { return Ok(()) };
        for column in &field.columns {
            set(self.slots, *column, slot);
        }
        if field.nested.is_empty() || scan.broken.is_some() {
            return Ok(());
        }
        let end = scan.at;
        for (path, column) in &field.nested {
            scan.at = begin;
            let slot = locate(scan, path)?;
            set(self.slots, *column, slot);
        }
        scan.at = end;
        Ok(())
    }
}

/// Returns the value at a path (JSON Pointer tokens, RFC 6901) within the value that the scan is at.
fn locate(scan: &mut Scan<'_>, path: &[Vec<u8>]) -> Result<Slot, Malformed> {
    let Some((token, rest)) = path.split_first() else { return scan.value(1, true) };
    match scan.peek() {
        Some(b'{') => locate_member(scan, token, rest),
        Some(b'[') => locate_item(scan, token, rest),
        _ => Ok(Slot::ABSENT),
    }
}

fn locate_member(scan: &mut Scan<'_>, token: &[u8], rest: &[Vec<u8>]) -> Result<Slot, Malformed> {
    scan.take(b'{')?;
    scan.blank();
    while scan.peek() == Some(b'"') {
        let key = scan.key()?;
        if scan.bytes(key) == token {
            return locate(scan, rest);
        }
        scan.value(1, false)?;
        scan.blank();
        if scan.peek() == Some(b',') {
            scan.at += 1;
        }
        scan.blank();
    }
    Ok(Slot::ABSENT)
}

fn locate_item(scan: &mut Scan<'_>, token: &[u8], rest: &[Vec<u8>]) -> Result<Slot, Malformed> {
    // RFC 6901 section 4: digits without leading zeros.
    let canonical =
        token == b"0" || matches!(token, [b'1'..=b'9', more @ ..] if more.iter().all(u8::is_ascii_digit));
    let index =
        std::str::from_utf8(token).ok().filter(|_| canonical).and_then(|digits| digits.parse::<usize>().ok());
    let Some(mut left) = index else { return Ok(Slot::ABSENT) };
    scan.take(b'[')?;
    scan.blank();
    while scan.peek() != Some(b']') {
        if left == 0 {
            return locate(scan, rest);
        }
        left -= 1;
        scan.value(1, false)?;
        scan.blank();
        if scan.peek() == Some(b',') {
            scan.at += 1;
        }
        scan.blank();
    }
    Ok(Slot::ABSENT)
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
