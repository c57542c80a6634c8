//! Words that stand alone or have a value: the steps of a transform, and masks.

use crate::document::{MappingEntry, Node, ScalarKind, Yaml};
use crate::finding::{Findings, did_you_mean, one_of, quoted};
use crate::words::Section;

/// A word, with its value where it has one.
pub(super) struct Step<'document> {
    pub(super) word: &'static str,
    pub(super) node: &'document Node,
    value: Option<&'document Node>,
}

impl<'document> Step<'document> {
    /// Reads `word` or `{ word: value }` of a section; anything else is reported.
    pub(super) fn read(node: &'document Node, section: &Section, findings: &mut Findings) -> Option<Self> {
        let (written, value) = match &node.yaml {
            Yaml::Scalar(scalar) if scalar.kind == ScalarKind::Text => (scalar.text.as_str(), None),
            Yaml::Mapping(entries) => match entries.as_slice() {
                [MappingEntry { key, value, .. }] => (key.as_str(), Some(value)),
                _ => ("", None),
            },
            _ => ("", None),
        };
        let known: Vec<&'static str> = section.names().collect();
        if let Some(word) = known.iter().find(|word| **word == written) {
            return Some(Self { word, node, value });
        }
        let found = if written.is_empty() {
            node.describe()
        } else {
            format!("the unknown word {}", quoted(written))
        };
        findings.error(
            &node.place,
            found,
            format!("{}: {}", section.name, one_of(&known)),
            did_you_mean(written, &known, "a word that has a value is a mapping with one key"),
        );
        None
    }

    /// Returns whether the word stands alone, as it should; a value other than `true` is reported.
    pub(super) fn is_alone(&self, findings: &mut Findings) -> bool {
        let said = self.value.and_then(Node::scalar).map(|scalar| scalar.kind);
        let alone = self.value.is_none() || said == Some(ScalarKind::Boolean(true));
        if !alone {
            let place = self.value.map_or(&self.node.place, |value| &value.place);
            findings.error(place, format!("a value of `{}`", self.word), "no value", "write the word alone");
        }
        alone
    }

    /// Returns the value; a word without one is reported.
    pub(super) fn value(&self, expected: &str, findings: &mut Findings) -> Option<&'document Node> {
        if self.value.is_none() {
            let advice = format!("write `{{ {}: … }}`", self.word);
            findings.error(&self.node.place, format!("`{}` without a value", self.word), expected, advice);
        }
        self.value
    }
}
