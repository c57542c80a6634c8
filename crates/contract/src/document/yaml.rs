//! The document as a tree in which every node knows where it is and how it was written.
//!
//! Scalars keep their source text: `0.10` stays `0.10`, and `007` is not seven until a rule says so.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// Where a node is.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The 1-based line; 0 when unknown.
    pub line: u32,
    /// The 1-based column in characters; 0 when unknown.
    pub column: u32,
    /// The way to the node from the top of the document.
    pub path: Path,
}

/// The way to a node, shared with all nodes below it: `schema[0].properties[3].name`.
#[derive(Clone, Debug, Default)]
pub struct Path(Option<Arc<PathStep>>);

#[derive(Debug)]
struct PathStep {
    parent: Path,
    at: At,
}

#[derive(Debug)]
enum At {
    Key(String),
    Index(usize),
}

/// Characters of one key that a path shows at most.
const KEY_CHARACTERS: usize = 60;

impl Path {
    /// Returns the way to the value of a key below this node.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let key = key.chars().take(KEY_CHARACTERS).filter(|character| !character.is_control()).collect();
        Self(Some(Arc::new(PathStep { parent: self.clone(), at: At::Key(key) })))
    }

    /// Returns the way to an item below this node.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(Some(Arc::new(PathStep { parent: self.clone(), at: At::Index(index) })))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(step) = &self.0 else { return Ok(()) };
        step.parent.fmt(formatter)?;
        match &step.at {
            At::Index(index) => write!(formatter, "[{index}]"),
            At::Key(key) if step.parent.0.is_none() => formatter.write_str(key),
            At::Key(key) => write!(formatter, ".{key}"),
        }
    }
}

/// A node of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) yaml: Yaml,
}

#[derive(Clone, Debug)]
pub(crate) enum Yaml {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<MappingEntry>),
}

/// A scalar as YAML 1.2's core schema reads it, with its source text.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) kind: ScalarKind,
    /// The content of a text; the source digits of a number; the word of a boolean or null.
    pub(crate) text: String,
    /// Written without quotes.
    pub(crate) plain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    Null,
    Boolean(bool),
    Number,
    Text,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct MappingEntry {
    pub(crate) key: String,
    /// Where the key is.
    pub(crate) place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// Returns the scalar, if it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.yaml {
            Yaml::Scalar(scalar) => Some(scalar),
            Yaml::Sequence(_) | Yaml::Mapping(_) => None,
        }
    }

    /// Returns whether the node is null.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.kind == ScalarKind::Null)
    }

    /// Returns what was found, for a message.
    pub(crate) fn describe(&self) -> String {
        match &self.yaml {
            Yaml::Sequence(_) => "a list".to_owned(),
            Yaml::Mapping(_) => "a mapping".to_owned(),
            Yaml::Scalar(scalar) => match scalar.kind {
                ScalarKind::Null => "nothing".to_owned(),
                ScalarKind::Boolean(_) => format!("the boolean {}", crate::finding::quoted(&scalar.text)),
                ScalarKind::Number => format!("the number {}", crate::finding::quoted(&scalar.text)),
                ScalarKind::Text => crate::finding::quoted(&scalar.text),
            },
        }
    }
}

/// What went wrong before there was a tree: a message and its place.
pub(crate) struct Unreadable {
    pub(crate) place: Place,
    pub(crate) message: String,
}

/// Reads one YAML document.
pub(crate) fn parse(source: &str) -> Result<Node, Unreadable> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! {
            max_depth: 40,
            max_documents: 1,
            max_nodes: 250_000,
            max_total_scalar_bytes: 4 * 1024 * 1024,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
        },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(source, options) {
        Ok(raw) => Ok(build(raw, Path::default(), source)),
        Err(error) => {
            let location = error.location();
            let error = error.without_snippet();
            let place = location.map(|at| place(at, Path::default())).unwrap_or_default();
            Err(Unreadable { place, message: reason(&error.to_string()) })
        }
    }
}

/// Returns the parser's own words, without the position (the finding has it) and without advice to programmers.
fn reason(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.rsplit_once(" at line ").map_or(line, |(before, _)| before);
    let line = line.split_once(", set DuplicateKeyPolicy").map_or(line, |(before, _)| before);
    line.chars().filter(|character| !character.is_control()).take(200).collect()
}

fn place(location: Location, path: Path) -> Place {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Place { line: narrow(location.line()), column: narrow(location.column()), path }
}

/// Gives every node its path and every scalar its source text.
fn build(raw: Spanned<Raw>, path: Path, source: &str) -> Node {
    let defined = raw.defined;
    let place = place(raw.referenced, path);
    let path = &place.path;
    let yaml = match raw.value {
        Raw::Scalar(kind, text) => Yaml::Scalar(scalar(kind, text, defined, source)),
        Raw::Sequence(items) => Yaml::Sequence(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| build(item, path.index(index), source))
                .collect(),
        ),
        Raw::Mapping(entries) => Yaml::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let path = path.key(&key.value);
                    let place = self::place(key.referenced, path.clone());
                    MappingEntry { key: key.value, place, value: build(value, path, source) }
                })
                .collect(),
        ),
    };
    Node { place, yaml }
}

fn scalar(kind: ScalarKind, text: String, defined: Location, source: &str) -> Scalar {
    let span = defined.span();
    let written = span
        .byte_offset()
        .zip(span.byte_len())
        .and_then(|(from, length)| {
            let from = usize::try_from(from).ok()?;
            source.get(from..from.checked_add(usize::try_from(length).ok()?)?)
        })
        .map_or("", str::trim);
    // A block scalar's span is its content, which differs from the text at least by the line end.
    let plain = !written.starts_with(['\'', '"']) && (kind != ScalarKind::Text || written == text);
    // A number is kept as it was written; the reader's own rendering went through a float.
    let text = if kind == ScalarKind::Number && written.starts_with(|c: char| c.is_ascii_graphic()) {
        written.to_owned()
    } else {
        text
    };
    Scalar { kind, text, plain }
}

/// The tree as the deserializer delivers it.
enum Raw {
    Scalar(ScalarKind, String),
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(ScalarKind::Null, "null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(ScalarKind::Boolean(value), value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(ScalarKind::Number, value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(ScalarKind::Number, value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(ScalarKind::Number, value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(ScalarKind::Text, value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(source: &str) -> Node {
        parse(source).map_err(|unreadable| unreadable.message).unwrap()
    }

    fn value<'a>(node: &'a Node, key: &str) -> &'a Node {
        let Yaml::Mapping(entries) = &node.yaml else { panic!("not a mapping") };
        &entries.iter().find(|entry| entry.key == key).unwrap().value
    }

    #[test]
    fn a_number_keeps_the_digits_that_were_written() {
        let digits = "0.10000000000000000000000000000000000001";
        for text in [digits, "007", "1e999", "-0", "340282366920938463463374607431768211456"] {
            let node = parsed(&format!("a: {text} # remark\n"));
            assert_eq!(value(&node, "a").scalar().unwrap().text, text);
        }
    }

    #[test]
    fn quotes_make_a_text_of_a_number_and_plain_words_are_not_booleans() {
        let node = parsed("a: '007'\nb: no\nc: true\nd: \"x\"\ne: |\n  block\n");
        let scalar = |key| value(&node, key).scalar().unwrap();
        assert!(scalar("a").kind == ScalarKind::Text && !scalar("a").plain);
        assert!(scalar("b").kind == ScalarKind::Text && scalar("b").plain);
        assert!(scalar("c").kind == ScalarKind::Boolean(true));
        assert!(!scalar("d").plain);
        assert!(!scalar("e").plain && scalar("e").text == "block\n");
    }

    #[test]
    fn every_node_knows_its_line_column_and_path() {
        let node = parsed("schema:\n  - name: a\n    properties:\n      - name: b\n");
        let schema = value(&node, "schema");
        let Yaml::Sequence(objects) = &schema.yaml else { panic!("not a list") };
        let Yaml::Sequence(properties) = &value(&objects[0], "properties").yaml else { panic!("not a list") };
        let place = &value(&properties[0], "name").place;
        assert_eq!(
            (place.line, place.column, place.path.to_string().as_str()),
            (4, 15, "schema[0].properties[0].name")
        );
    }

    #[test]
    fn an_alias_bomb_is_rejected() {
        let mut source = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            let line = format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", "));
            source.push_str(&line);
        }
        assert!(parse(&source).is_err());
    }

    #[test]
    fn a_key_that_stands_twice_is_rejected_with_its_line() {
        let Err(unreadable) = parse("a: 1\nb: 2\na: 3\n") else { panic!("accepted") };
        assert_eq!(unreadable.place.line, 3);
    }
}
