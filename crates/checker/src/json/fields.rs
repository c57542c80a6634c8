//! Which of a record's fields is which column.

use contract::Contract;

/// The columns that one top-level field feeds.
pub(super) struct Field {
    pub(super) name: Vec<u8>,
    /// The name as it usually stands in the text; `None` when it would have to be escaped there.
    token: Option<Token>,
    /// Columns that are the field's value.
    pub(super) columns: Vec<u16>,
    /// The column, when the field feeds but one and that is its value.
    pub(super) plain: Option<u16>,
    /// Columns that are somewhere within the value: the rest of their path.
    pub(super) nested: Vec<(Vec<Vec<u8>>, u16)>,
}

/// A name with its quotes and its colon, and its beginning once more as a word, so that most names are compared at once.
struct Token {
    bytes: Vec<u8>,
    head: u128,
    /// Which bytes of the head are the token's.
    mask: u128,
}

impl Token {
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

/// All fields that the contract names. Senders mostly keep the order of fields, so the field that followed another one
/// in the last record is expected again, and looked up only when it is another.
pub(super) struct Fields {
    known: Vec<Field>,
    by_name: Vec<u16>,
    /// For each field, and last for the record's beginning, the field that followed.
    followers: Vec<u16>,
    /// Columns that are the record itself (an empty path).
    pub(super) whole: Vec<u16>,
}

impl Fields {
    pub(super) fn new(contract: &Contract) -> Self {
        let mut fields =
            Self { known: Vec::new(), by_name: Vec::new(), followers: Vec::new(), whole: Vec::new() };
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
        fields.by_name = (0_u16..).zip(&fields.known).map(|(index, _)| index).collect();
        for field in &mut fields.known {
            field.plain = match field.columns[..] {
                [column] if field.nested.is_empty() => Some(column),
                _ => None,
            };
        }
        let names = &fields.known;
        fields.by_name.sort_by_key(|index| names.get(usize::from(*index)).map(|field| &field.name));
        // At first the contract's order is expected.
        fields.followers = (0_u16..).zip(names).map(|(index, _)| index + 1).chain([0]).collect();
        fields
    }

    /// The field of a name, added when it is new.
    fn field(&mut self, name: &[u8]) -> &mut Field {
        let place = self.known.iter().position(|field| field.name == name);
        let at = place.unwrap_or(self.known.len());
        if place.is_none() {
            let literal = name.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let token = literal.then(|| Token::new(name));
            self.known.push(Field {
                name: name.to_vec(),
                token,
                columns: Vec::new(),
                plain: None,
                nested: Vec::new(),
            });
        }
        &mut self.known[at]
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    #[inline]
    pub(super) fn get(&self, index: u16) -> Option<&Field> {
        self.known.get(usize::from(index))
    }

    /// When the text begins with the field that is expected behind `previous`: that field, and the length of its name with
    /// quotes and colon.
    #[inline]
    pub(super) fn expected(&self, previous: Option<u16>, text: &[u8]) -> Option<(u16, usize)> {
        let follower = *self.followers.get(self.place(previous))?;
        let token = self.get(follower)?.token.as_ref()?;
        token.begins(text).then_some((follower, token.bytes.len()))
    }

    /// Expects nothing from here on, so that each name is read and looked up.
    #[cfg(test)]
    pub(super) fn expect_nothing(&mut self) {
        self.known.iter_mut().for_each(|field| field.token = None);
    }

    /// Remembers what followed.
    pub(super) fn followed(&mut self, previous: Option<u16>, field: u16) {
        let place = self.place(previous);
        if let Some(follower) = self.followers.get_mut(place) {
            *follower = field;
        }
    }

    /// The field of this name.
    pub(super) fn find(&self, name: &[u8]) -> Option<u16> {
        let compare = |index: &u16| self.get(*index).map_or(&[][..], |field| &field.name).cmp(name);
        let at = self.by_name.binary_search_by(compare).ok()?;
        self.by_name.get(at).copied()
    }

    #[inline]
    fn place(&self, previous: Option<u16>) -> usize {
        previous.map_or(self.known.len(), usize::from)
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
            let token = Token::new(name.as_bytes());
            for name in [&name, &other] {
                let text = format!("\"{name}\"{}{more}", if colon { ":" } else { "" });
                prop_assert_eq!(token.begins(text.as_bytes()), text.as_bytes().starts_with(&token.bytes));
            }
        }
    }
}
