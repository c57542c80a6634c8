//! The words of a contract document: each one once, with its values, its default and what it does.
//!
//! The reader takes the known words of a mapping from here, the messages about unknown words suggest from here, and
//! `docs/contract.md` is written from here. A word that is missing here is an unknown word, so none can be forgotten.

mod options;
mod preparation;
mod quality;
mod server;
mod table;
mod top;

pub(crate) use options::{ARRAY, BOOLEAN, DATE, MAP, NUMBER, OBJECT, STRING, TIME, TIMESTAMP};
pub(crate) use preparation::{MASK, REPLACE, SPLIT, TRANSFORM};
pub(crate) use quality::{ARGUMENTS, QUALITY};
pub(crate) use server::{CSV_DIALECT, LIMITS, SERVER, SERVER_SETTINGS};
pub(crate) use table::{
    ENUM_ENTRY, EXPECT, MAP_PROPERTY, PROPERTY, PROPERTY_SETTINGS, ROWS, SCHEMA, SCHEMA_SETTINGS,
};
pub(crate) use top::{CUSTOM_PROPERTY, DOCUMENT, SERVICE_LEVEL};

/// A mapping of the document, with the words that are known in it.
#[derive(Debug)]
pub struct Section {
    /// The mapping as messages name it: `a server`.
    pub name: &'static str,
    /// Its heading in `docs/contract.md`.
    pub title: &'static str,
    /// What it is for, in one or two sentences.
    pub about: &'static str,
    /// The words that this system reads.
    pub words: &'static [Word],
    /// Words of the standard that are accepted and not read.
    pub kept: &'static [&'static str],
}

/// One word of a document.
#[derive(Debug)]
pub struct Word {
    /// The key, or the name of a custom property.
    pub name: &'static str,
    /// The values that it takes.
    pub values: Values,
    /// What applies when the word is absent.
    pub default: &'static str,
    /// What it does.
    pub does: &'static str,
    /// A value as YAML.
    pub example: &'static str,
}

/// The values of a word.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Values of this kind.
    Of(&'static str),
    /// One of these, each with its meaning.
    OneOf(fn() -> Vec<Choice>),
}

/// A value of a closed list and its meaning.
pub type Choice = (&'static str, &'static str);

/// The values of a closed list: each value's word, the value, and its meaning.
pub(crate) type Words<T> = [(&'static str, T, &'static str)];

impl Section {
    /// Returns whether the word is known here.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// Returns the names of all known words: those that are read come first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().map(|word| word.name).chain(self.kept.iter().copied())
    }
}

/// The custom properties of vendor `ingest`, by what they stand on.
pub(crate) static SETTINGS: [&Section; 3] = [&SERVER_SETTINGS, &SCHEMA_SETTINGS, &PROPERTY_SETTINGS];

/// Every section, in the order of `docs/contract.md`.
pub static SECTIONS: [&Section; 30] = [
    &DOCUMENT,
    &CUSTOM_PROPERTY,
    &SERVER,
    &SERVER_SETTINGS,
    &CSV_DIALECT,
    &LIMITS,
    &SCHEMA,
    &SCHEMA_SETTINGS,
    &EXPECT,
    &ROWS,
    &PROPERTY,
    &PROPERTY_SETTINGS,
    &TRANSFORM,
    &REPLACE,
    &SPLIT,
    &MASK,
    &ENUM_ENTRY,
    &MAP_PROPERTY,
    &STRING,
    &NUMBER,
    &BOOLEAN,
    &DATE,
    &TIME,
    &TIMESTAMP,
    &ARRAY,
    &OBJECT,
    &MAP,
    &QUALITY,
    &ARGUMENTS,
    &SERVICE_LEVEL,
];

/// Returns a word that takes values of one kind.
const fn word(
    name: &'static str,
    values: &'static str,
    default: &'static str,
    does: &'static str,
    example: &'static str,
) -> Word {
    Word { name, values: Values::Of(values), default, does, example }
}

/// Returns a word that takes one of several values.
const fn choice(
    name: &'static str,
    values: fn() -> Vec<Choice>,
    default: &'static str,
    does: &'static str,
    example: &'static str,
) -> Word {
    Word { name, values: Values::OneOf(values), default, does, example }
}

/// Returns the words of a list without their values.
pub(crate) fn choices<T>(words: &Words<T>) -> Vec<Choice> {
    words.iter().map(|(word, _, does)| (*word, does.trim())).collect()
}

/// Defines an enum of which each variant is one word of a document. The doc comment of a variant is its meaning in
/// `docs/contract.md`.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident $(, default $default:ident)? {
            $($(#[doc = $does:literal])+ $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[doc = $does])+ $variant,)+
        }

        impl $name {
            /// Each word of a document, its value and its meaning.
            pub(crate) const WORDS: &'static $crate::words::Words<Self> =
                &[$(($word, Self::$variant, concat!($($does),+)),)+];
        }

        $(
            impl Default for $name {
                fn default() -> Self {
                    Self::$default
                }
            }
        )?
    };
}

pub(crate) use word_enum;

#[cfg(test)]
mod tests;
