//! Taking a mapping apart, key by key: what is not taken in the end is unknown and reported.

use crate::finding::{Findings, did_you_mean, one_of, quoted};

use super::yaml::{MappingEntry, Node, Place, ScalarKind, Yaml};
use crate::words::{Section, Words};

/// A value and where it is.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it is.
    pub place: Place,
}

/// A mapping with the words that are known in it.
pub(crate) struct Fields<'node> {
    pub(crate) place: Place,
    what: &'static str,
    section: &'static Section,
    entries: &'node [MappingEntry],
}

impl<'node> Fields<'node> {
    /// Begins to read a mapping; anything else is reported.
    pub(crate) fn open(
        node: &'node Node,
        section: &'static Section,
        findings: &mut Findings,
    ) -> Option<Self> {
        Self::open_as(node, section, section.name, findings)
    }

    /// Begins to read a mapping that messages call `what`; anything else is reported.
    pub(crate) fn open_as(
        node: &'node Node,
        section: &'static Section,
        what: &'static str,
        findings: &mut Findings,
    ) -> Option<Self> {
        if let Yaml::Mapping(entries) = &node.yaml {
            return Some(Self { place: node.place.clone(), what, section, entries });
        }
        findings.error(&node.place, node.describe(), format!("a mapping ({what})"), "");
        None
    }

    /// Returns the fields of an absent mapping.
    pub(crate) fn none(place: &Place, section: &'static Section) -> Self {
        Self { place: place.clone(), what: section.name, section, entries: &[] }
    }

    /// Returns the value of a key; a null counts as absent.
    pub(crate) fn take(&self, key: &'static str) -> Option<&'node Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// Returns the source text of a scalar.
    pub(crate) fn text(&self, key: &'static str, findings: &mut Findings) -> Option<Located<String>> {
        text_of(self.take(key)?, findings)
    }

    /// Returns `true` or `false`.
    pub(crate) fn boolean(&self, key: &'static str, findings: &mut Findings) -> Option<Located<bool>> {
        let node = self.take(key)?;
        if let Some(ScalarKind::Boolean(value)) = node.scalar().map(|scalar| scalar.kind) {
            return Some(Located { value, place: node.place.clone() });
        }
        findings.error(&node.place, node.describe(), "true or false", "write it without quotes");
        None
    }

    /// Returns a whole number from 0.
    pub(crate) fn whole(&self, key: &'static str, findings: &mut Findings) -> Option<Located<u64>> {
        let node = self.take(key)?;
        let value = node
            .scalar()
            .filter(|scalar| scalar.kind == ScalarKind::Number)
            .and_then(|scalar| scalar.text.parse().ok());
        if let Some(value) = value {
            return Some(Located { value, place: node.place.clone() });
        }
        findings.error(&node.place, node.describe(), "a whole number from 0", "");
        None
    }

    /// Returns one of the given words.
    pub(crate) fn word<T: Copy>(
        &self,
        key: &'static str,
        words: &Words<T>,
        findings: &mut Findings,
    ) -> Option<Located<T>> {
        word_of(self.take(key)?, words, findings)
    }

    /// Returns the items of a list.
    pub(crate) fn list(&self, key: &'static str, findings: &mut Findings) -> &'node [Node] {
        self.take(key).map_or(&[], |node| items_of(node, findings))
    }

    /// Reports the keys that the section does not know.
    pub(crate) fn close(self, findings: &mut Findings) {
        /// A list of more keys than this is a page of the standard, not a message.
        const LISTED: usize = 8;
        let known: Vec<&str> = self.section.names().collect();
        let expected = if known.is_empty() {
            format!("no key in {}", self.what)
        } else if known.len() <= LISTED {
            format!("a key of {}: {}", self.what, known.join(", "))
        } else {
            format!("a key of {}", self.what)
        };
        for entry in self.entries {
            if self.section.knows(&entry.key) {
                continue;
            }
            findings.error(
                &Place { path: entry.value.place.path.clone(), ..entry.place.clone() },
                format!("the unknown key {}", quoted(&entry.key)),
                expected.as_str(),
                did_you_mean(
                    &entry.key,
                    &known,
                    "remove it, or keep it under `customProperties` with the name of your own tool as vendor",
                ),
            );
        }
    }
}

/// Returns the source text of a scalar that is not null.
pub(crate) fn text_of(node: &Node, findings: &mut Findings) -> Option<Located<String>> {
    match node.scalar() {
        Some(scalar) if scalar.kind != ScalarKind::Null => {
            Some(Located { value: scalar.text.clone(), place: node.place.clone() })
        }
        _ => {
            findings.error(&node.place, node.describe(), "a text", "");
            None
        }
    }
}

/// Returns one of the given words.
pub(crate) fn word_of<T: Copy>(node: &Node, words: &Words<T>, findings: &mut Findings) -> Option<Located<T>> {
    let text = node.scalar().map_or("", |scalar| scalar.text.as_str());
    if let Some((_, value, _)) = words.iter().find(|(word, _, _)| *word == text) {
        return Some(Located { value: *value, place: node.place.clone() });
    }
    let names: Vec<&str> = words.iter().map(|(word, _, _)| *word).collect();
    findings.error(&node.place, node.describe(), one_of(&names), did_you_mean(text, &names, ""));
    None
}

/// Returns the items of a list; anything else is reported.
pub(crate) fn items_of<'node>(node: &'node Node, findings: &mut Findings) -> &'node [Node] {
    if let Yaml::Sequence(items) = &node.yaml {
        return items;
    }
    findings.error(&node.place, node.describe(), "a list", "begin each item with `- `");
    &[]
}
