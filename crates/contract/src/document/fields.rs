//! Taking a mapping apart, key by key: what is not taken in the end is unknown and reported.

use crate::finding::{Findings, did_you_mean, one_of, quoted};

use super::yaml::{Entry, Node, Place, ScalarKind, Yaml};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A mapping of which some keys were taken.
pub(crate) struct Fields<'node> {
    pub(crate) place: Place,
    what: &'static str,
    entries: &'node [Entry],
    known: Vec<&'static str>,
}

impl<'node> Fields<'node> {
    /// Begins to read a mapping; anything else is reported. `what` names it in messages: `a server`.
    pub(crate) fn open(node: &'node Node, what: &'static str, findings: &mut Findings) -> Option<Self> {
        if let Yaml::Mapping(entries) = &node.yaml {
            return Some(Self { place: node.place.clone(), what, entries, known: Vec::new() });
        }
        findings.error(&node.place, node.describe(), format!("a mapping ({what})"), "");
        None
    }

    /// A mapping that is not there.
    pub(crate) fn none(place: &Place, what: &'static str) -> Self {
        Self { place: place.clone(), what, entries: &[], known: Vec::new() }
    }

    /// The value of a key; a null counts as not there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'node Node> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// Keys that are allowed here and not used.
    pub(crate) fn keep(&mut self, keys: &[&'static str]) {
        self.known.extend_from_slice(keys);
    }

    /// The source text of a scalar.
    pub(crate) fn text(&mut self, key: &'static str, findings: &mut Findings) -> Option<Located<String>> {
        text_of(self.take(key)?, findings)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &'static str, findings: &mut Findings) -> Option<Located<bool>> {
        let node = self.take(key)?;
        if let Some(ScalarKind::Boolean(value)) = node.scalar().map(|scalar| scalar.kind) {
            return Some(Located { value, place: node.place.clone() });
        }
        findings.error(&node.place, node.describe(), "true or false", "write it without quotes");
        None
    }

    /// A whole number from 0.
    pub(crate) fn whole(&mut self, key: &'static str, findings: &mut Findings) -> Option<Located<u64>> {
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

    /// One of the given words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        findings: &mut Findings,
    ) -> Option<Located<T>> {
        word_of(self.take(key)?, words, findings)
    }

    /// The items of a list.
    pub(crate) fn list(&mut self, key: &'static str, findings: &mut Findings) -> &'node [Node] {
        self.take(key).map_or(&[], |node| items_of(node, findings))
    }

    /// Reports the keys that nobody took.
    pub(crate) fn close(self, findings: &mut Findings) {
        /// A list of more keys than this is a page of the standard, not a message.
        const LISTED: usize = 8;
        let expected = if self.known.len() <= LISTED && !self.known.is_empty() {
            format!("a key of {}: {}", self.what, self.known.join(", "))
        } else {
            format!("a key of {}", self.what)
        };
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            findings.error(
                &Place { path: entry.value.place.path.clone(), ..entry.place.clone() },
                format!("the unknown key {}", quoted(&entry.key)),
                expected.as_str(),
                did_you_mean(
                    &entry.key,
                    &self.known,
                    "remove it, or keep it under `customProperties` with a vendor of your own",
                ),
            );
        }
    }
}

/// The source text of a scalar that is not null.
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

/// One of the given words.
pub(crate) fn word_of<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    findings: &mut Findings,
) -> Option<Located<T>> {
    let text = node.scalar().map_or("", |scalar| scalar.text.as_str());
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(Located { value: *value, place: node.place.clone() });
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    findings.error(&node.place, node.describe(), one_of(&names), did_you_mean(text, &names, ""));
    None
}

/// The items of a list; anything else is reported.
pub(crate) fn items_of<'node>(node: &'node Node, findings: &mut Findings) -> &'node [Node] {
    if let Yaml::Sequence(items) = &node.yaml {
        return items;
    }
    findings.error(&node.place, node.describe(), "a list", "begin each item with `- `");
    &[]
}
