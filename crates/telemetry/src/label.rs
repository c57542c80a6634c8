//! Names that may be logged.

use serde::Serialize;

/// A name of this system: a partner, a feed, a file id, a load. Cannot hold anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Label(String);

impl Label {
    /// Maximum length of a label, bytes: a partner or feed has at most 63, a load 40.
    pub const BYTES: usize = 64;

    /// Keeps a text of at most [`Label::BYTES`] ASCII lower-case letters, digits, `-`, `_` and `.`; any other becomes
    /// `invalid`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if text.len() <= Self::BYTES && text.bytes().all(plain) {
            Self(text.to_owned())
        } else {
            Self("invalid".to_owned())
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_label_keeps_names_and_nothing_else() {
        for (text, kept) in [
            ("north-clinic_2", "north-clinic_2"),
            ("", ""),
            ("jane doe", "invalid"),
            ("MRN00412", "invalid"),
            ("a\nb", "invalid"),
            ("ü", "invalid"),
        ] {
            assert_eq!(Label::new(text).as_str(), kept);
        }
        assert_eq!(Label::new(&"a".repeat(65)).as_str(), "invalid");
    }
}
