//! Labels of a header: the form in which they are compared, and in what two labels differ that look alike.

use std::borrow::Cow;
use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::{Column, HeaderMatch};

/// How a label differs from the name that it seems to mean. Holds no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five differences that may come together")]
pub struct LabelDifference {
    /// Blanks at either end, several in a row, or blanks of another kind, such as no-break spaces.
    pub blanks: bool,
    /// Upper and lower case.
    pub letter_case: bool,
    /// Characters of no width, such as zero-width spaces and byte order marks.
    pub invisible: bool,
    /// Letters and their accents as one character or as two (Unicode normalization forms C and D).
    pub accents: bool,
    /// Blanks, underscores and hyphens between words. `headerMatch: loose` does not ignore them.
    pub separators: bool,
}

impl fmt::Display for LabelDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.blanks, "blanks"),
            (self.letter_case, "letter case"),
            (self.invisible, "invisible characters"),
            (self.accents, "the encoding of accents (NFC and NFD)"),
            (self.separators, "the separators of words"),
        ];
        let parts: Vec<&str> =
            parts.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part).collect();
        match parts.split_last() {
            Some((last, [])) => formatter.write_str(last),
            Some((last, before)) => write!(formatter, "{} and {last}", before.join(", ")),
            None => formatter.write_str("nothing"),
        }
    }
}

impl HeaderMatch {
    /// Returns the form in which a label is compared.
    #[must_use]
    pub fn form(self, label: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => Cow::Borrowed(label),
            Self::Loose => {
                Cow::Owned(composed(&squeezed(&composed(&visible(label))).to_lowercase()).into_owned())
            }
        }
    }
}

/// Returns how the label differs from the name; `None` when they are equal or not alike.
#[must_use]
pub fn label_difference(label: &str, name: &str) -> Option<LabelDifference> {
    if label == name || similar_label(label) != similar_label(name) {
        return None;
    }
    let separators = HeaderMatch::Loose.form(label) != HeaderMatch::Loose.form(name);
    let mut difference = LabelDifference { separators, ..LabelDifference::default() };
    let [label, name] = [label, name].map(|text| {
        let seen = visible(text);
        difference.invisible |= seen != text;
        let whole = composed(&seen).into_owned();
        difference.accents |= whole != seen;
        let tight = squeezed(&whole);
        difference.blanks |= tight != whole;
        if separators { joined(&tight) } else { tight }
    });
    difference.letter_case = label != name;
    Some(difference)
}

/// Returns the form of a label in which names of the same words are equal: as `headerMatch: loose`, and without blanks,
/// underscores and hyphens.
#[must_use]
pub fn similar_label(label: &str) -> String {
    joined(&HeaderMatch::Loose.form(label))
}

/// Returns the text without what separates words.
fn joined(text: &str) -> String {
    text.chars().filter(|character| !matches!(character, ' ' | '_' | '-')).collect()
}

impl Column {
    /// Returns the labels and field names that mean this column: its physical name, then its synonyms.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.physical_name.as_str()).chain(self.synonyms.iter().map(String::as_str))
    }
}

/// Returns the text without characters of no width: soft hyphen, zero-width space and joiners, directional marks,
/// word joiner, byte order mark (Unicode, general category Cf).
fn visible(text: &str) -> String {
    let invisible = |character: char| {
        matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
    };
    text.chars().filter(|character| !invisible(*character)).collect()
}

/// Returns the text in Unicode normalization form C.
fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Returns the text without blanks at its ends, and with one space for each row of blanks in it.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loose_label_has_neither_case_nor_blanks_nor_invisible_characters() {
        let form = |label| HeaderMatch::Loose.form(label).into_owned();
        for label in [
            "Ärzte Name",
            " ärzte\u{a0}name ",
            "A\u{308}RZTE  NAME",
            "\u{feff}ärzte na\u{200b}me",
            "ÄRZTE\tNAME",
        ] {
            assert_eq!(form(label), "ärzte name", "{label:?}");
        }
        assert_eq!(HeaderMatch::Exact.form(" Ärzte"), " Ärzte");
        assert_ne!(form("ärztename"), form("ärzte name"));
    }

    #[test]
    fn a_difference_names_each_of_its_kinds() {
        let said =
            |label: &str, name: &str| label_difference(label, name).map(|difference| difference.to_string());
        assert_eq!(said(" Name", "name").as_deref(), Some("blanks and letter case"));
        assert_eq!(said("NAME", "name").as_deref(), Some("letter case"));
        assert_eq!(said("name\u{a0}", "name").as_deref(), Some("blanks"));
        assert_eq!(said("na\u{200b}me", "name").as_deref(), Some("invisible characters"));
        assert_eq!(
            said("Mu\u{308}ller", "M\u{fc}ller").as_deref(),
            Some("the encoding of accents (NFC and NFD)")
        );
        assert_eq!(
            said("\u{feff} NA\u{308}ME", "n\u{e4}me").as_deref(),
            Some("blanks, letter case, invisible characters and the encoding of accents (NFC and NFD)")
        );
        assert_eq!(
            said("Patient Name", "patient_name").as_deref(),
            Some("letter case and the separators of words")
        );
        assert_eq!(said("patient-name", "patient_name").as_deref(), Some("the separators of words"));
        assert_eq!(said("name", "name"), None);
        assert_eq!(said("names", "name"), None);
    }
}
