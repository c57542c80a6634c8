//! Which of a record's fields is which column.

use contract::Contract;

/// The columns that one top-level field feeds.
pub(super) struct RecordField {
    pub(super) name: Vec<u8>,
    /// Whether the name is in a text as it is, without escapes.
    is_literal: bool,
    /// The field of which this one is another name; itself when it is none. A record has one of them.
    pub(super) same_as: u16,
    /// Columns that are the field's value.
    pub(super) columns: Vec<u16>,
    /// Columns that are somewhere within the value: the rest of their path.
    pub(super) nested: Vec<(Vec<Vec<u8>>, u16)>,
}

impl RecordField {
    fn expected(&self, field: u16) -> Option<ExpectedField> {
        match self.columns[..] {
            [column] if self.nested.is_empty() && self.is_literal => Some(ExpectedField {
                field,
                same_as: self.same_as,
                column,
                token: FieldToken::new(&self.name),
            }),
            _ => None,
        }
    }
}

/// A field that can be read at once: its name needs no escape, and its value is that of one column.
pub(super) struct ExpectedField {
    pub(super) field: u16,
    pub(super) same_as: u16,
    pub(super) column: u16,
    token: FieldToken,
}

impl ExpectedField {
    /// Returns the length of the name with its quotes and colon, when the text begins with these.
    #[inline]
    pub(super) fn begins(&self, text: &[u8]) -> Option<usize> {
        self.token.begins(text).then_some(self.token.bytes.len())
    }
}

/// A name with its quotes and its colon, and its beginning once more as a word, so that most names are compared at
/// once.
struct FieldToken {
    bytes: Vec<u8>,
    head: u128,
    /// Which bytes of the head are the token's.
    mask: u128,
}

impl FieldToken {
    fn new(name: &[u8]) -> Self {
        let bytes = [b"\"", name, b"\":"].concat();
        let (mut head, mut mask) = ([0; HEAD_BYTES], [0; HEAD_BYTES]);
        for ((head, mask), byte) in head.iter_mut().zip(&mut mask).zip(&bytes) {
            (*head, *mask) = (*byte, 0xff);
        }
        Self { bytes, head: u128::from_le_bytes(head), mask: u128::from_le_bytes(mask) }
    }

    #[inline]
    fn begins(&self, text: &[u8]) -> bool {
        match text.split_first_chunk() {
            Some((head, rest)) => {
                (u128::from_le_bytes(*head) ^ self.head) & self.mask == 0
                    && self.bytes.get(HEAD_BYTES..).is_none_or(|more| rest.starts_with(more))
            }
            None => text.starts_with(&self.bytes),
        }
    }
}

/// Bytes of a token that are compared at once.
const HEAD_BYTES: usize = size_of::<u128>();

/// All fields that the contract names. Senders mostly keep the order of fields, so each is expected where the records
/// before had it, and looked up only when another one is there.
pub(super) struct RecordFields {
    known: Vec<RecordField>,
    by_name: Vec<u16>,
    /// The fields that can be read at once, in the order in which they are expected.
    pub(super) expected: Vec<ExpectedField>,
    /// For each field its place among those, if it is one of them.
    places: Vec<Option<usize>>,
    /// Columns that are the record itself (an empty path).
    pub(super) whole: Vec<u16>,
}

/// A field that comes late is moved over at most this number of others, which bounds the work on records without any
/// order.
const FARTHEST_MOVE: usize = 64;

impl RecordFields {
    pub(super) fn new(contract: &Contract) -> Self {
        let mut fields = Self {
            known: Vec::new(),
            by_name: Vec::new(),
            expected: Vec::new(),
            places: Vec::new(),
            whole: Vec::new(),
        };
        for (index, column) in (0_u16..).zip(&contract.columns) {
            let Some(path) = &column.source_path else {
                fields.field(column.physical_name.as_bytes()).columns.push(index);
                continue;
            };
            match path.split_first() {
                None => fields.whole.push(index),
                Some((name, [])) => fields.field(name.as_bytes()).columns.push(index),
                Some((name, rest)) => {
                    let rest = rest.iter().map(|token| token.as_bytes().to_vec()).collect();
                    fields.field(name.as_bytes()).nested.push((rest, index));
                }
            }
        }
        fields.add_synonyms(contract);
        fields.by_name = (0_u16..).zip(&fields.known).map(|(index, _)| index).collect();
        let names = &fields.known;
        fields.by_name.sort_by_key(|index| names.get(usize::from(*index)).map(|field| &field.name));
        // At first the contract's order is expected.
        fields.expected = (0_u16..).zip(names).filter_map(|(field, known)| known.expected(field)).collect();
        fields.places = vec![None; fields.known.len()];
        fields.note_places(0, fields.expected.len());
        fields
    }

    /// Adds the columns' other names, behind all fields: most senders write none of them.
    fn add_synonyms(&mut self, contract: &Contract) {
        for (index, column) in
            (0_u16..).zip(&contract.columns).filter(|(_, column)| column.source_path.is_none())
        {
            let name = self.known.iter().position(|field| field.name == column.physical_name.as_bytes());
            for synonym in &column.synonyms {
                let field = self.field(synonym.as_bytes());
                if field.columns.contains(&index) {
                    continue;
                }
                field.columns.push(index);
                if let Some(same_as) = name.and_then(|name| u16::try_from(name).ok()) {
                    field.same_as = same_as;
                }
            }
        }
    }

    /// Returns the field of a name, added when it is new.
    fn field(&mut self, name: &[u8]) -> &mut RecordField {
        let place = self.known.iter().position(|field| field.name == name);
        let at = place.unwrap_or(self.known.len());
        if place.is_none() {
            let is_literal = name.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f));
            self.known.push(RecordField {
                name: name.to_vec(),
                is_literal,
                same_as: u16::try_from(at).unwrap_or(u16::MAX),
                columns: Vec::new(),
                nested: Vec::new(),
            });
        }
        &mut self.known[at]
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    #[inline]
    pub(super) fn get(&self, index: u16) -> Option<&RecordField> {
        self.known.get(usize::from(index))
    }

    /// Notes that a field came where the one at the place `next` was expected, and gives the place of what is expected
    /// behind it. A field that was expected earlier is expected here from now on.
    pub(super) fn came(&mut self, field: u16, next: usize) -> usize {
        let Some(place) = self.places.get(usize::from(field)).copied().flatten() else { return next };
        if place >= next {
            return place + 1;
        }
        if next - place <= FARTHEST_MOVE
            && let Some(moved) = self.expected.get_mut(place..next)
        {
            moved.rotate_left(1);
            self.note_places(place, next);
        }
        next
    }

    fn note_places(&mut self, from: usize, to: usize) {
        for (place, expected) in self.expected.iter().enumerate().take(to).skip(from) {
            if let Some(noted) = self.places.get_mut(usize::from(expected.field)) {
                *noted = Some(place);
            }
        }
    }

    /// Expects nothing from here on, so that each name is read and looked up.
    #[cfg(test)]
    pub(super) fn expect_nothing(&mut self) {
        self.expected.clear();
        self.places.fill(None);
    }

    /// Returns the field of this name.
    pub(super) fn find(&self, name: &[u8]) -> Option<u16> {
        let compare = |index: &u16| self.get(*index).map_or(&[][..], |field| &field.name).cmp(name);
        let at = self.by_name.binary_search_by(compare).ok()?;
        self.by_name.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_begins_a_text_exactly_when_its_bytes_do(
            name in "[a-z]{0,30}", other in "[a-z]{0,30}", more in "[ -~]{0,20}", colon in any::<bool>(),
        ) {
            let token = FieldToken::new(name.as_bytes());
            for name in [&name, &other] {
                let text = format!("\"{name}\"{}{more}", if colon { ":" } else { "" });
                prop_assert_eq!(token.begins(text.as_bytes()), text.as_bytes().starts_with(&token.bytes));
            }
        }
    }
}
