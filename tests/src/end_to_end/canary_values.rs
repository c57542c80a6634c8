//! Values that are found nowhere else, and the search for them in every form that a program might give a text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Letters of serial numbers: no vowels, so that they make no words.
const LETTERS: &[u8; 16] = b"bcdfghjklmnpqrst";
/// What `~` stands for: longer than any column may be.
const LONG: usize = 4_100;

/// Fills templates with values of which each is there once.
///
/// ```text
/// <…>   what is searched for; the rest is what stands around it
/// W     a word in `<…>`: the planter's stem and @@@@
/// @ ^   a letter of the serial number, lower and upper case
/// # %   a digit of it, from 0 and from 1
/// ~     more letters than any column takes
/// ```
pub(super) struct Planter {
    /// How its words begin. What quotes the first letters of a value only is found by it.
    stem: &'static str,
    serials: HashMap<String, u32>,
    /// Every value that was planted.
    pub(super) planted: BTreeSet<String>,
    /// Those that were planted in a column whose mask hides them.
    pub(super) masked: BTreeSet<String>,
}

impl Planter {
    pub(super) fn new(stem: &'static str) -> Self {
        Self { stem, serials: HashMap::new(), planted: BTreeSet::new(), masked: BTreeSet::new() }
    }

    /// Returns a search for everything that was planted, and for the beginning of a word.
    pub(super) fn search(&self) -> ValueSearch {
        ValueSearch::new(self.planted.iter().map(String::as_str).chain([self.stem]))
    }

    /// Returns the template's text; what is between its brackets is planted.
    pub(super) fn plant(&mut self, template: &str) -> String {
        let template = template.replace("<W>", &format!("<{}@@@@>", self.stem));
        let mut text = String::new();
        for (index, part) in template.split(['<', '>']).enumerate() {
            let filled = self.fill(part);
            if index % 2 == 1 {
                assert!(self.planted.insert(filled.clone()), "{filled} of {template} was planted before");
            }
            text.push_str(&filled);
        }
        text
    }

    /// As [`Planter::plant`], in a column whose mask hides the values.
    pub(super) fn plant_masked(&mut self, template: &str) -> String {
        let before = self.planted.clone();
        let text = self.plant(template);
        self.masked.extend(self.planted.difference(&before).cloned());
        text
    }

    /// Returns a word of its own.
    pub(super) fn word(&mut self) -> String {
        self.plant("<W>")
    }

    fn fill(&mut self, part: &str) -> String {
        let serial = self.serials.entry(part.to_owned()).or_default();
        let mut rest = *serial;
        *serial += 1;
        let mut text = String::new();
        for mark in part.chars() {
            let base = match mark {
                '@' | '^' => 16,
                '#' => 10,
                '%' => 9,
                '~' => {
                    text.push_str(&"x".repeat(LONG));
                    continue;
                }
                other => {
                    text.push(other);
                    continue;
                }
            };
            let digit = rest % base;
            rest /= base;
            text.push(match mark {
                '@' => char::from(LETTERS[digit as usize]),
                '^' => char::from(LETTERS[digit as usize].to_ascii_uppercase()),
                '#' => char::from_digit(digit, 10).expect("a digit"),
                _ => char::from_digit(digit + 1, 10).expect("a digit"),
            });
        }
        text
    }
}

/// A value that was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) value: String,
    pub(super) form: &'static str,
    around: String,
}

impl fmt::Debug for Hit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` ({}) in …{}…", self.value, self.form, self.around)
    }
}

/// A form of a value: its bytes, the value's number, and what the form is called.
type EncodedValue = (Vec<u8>, usize, &'static str);

/// Every form of every value, by their first four bytes.
pub(super) struct ValueSearch {
    forms: HashMap<[u8; 4], Vec<EncodedValue>>,
    values: Vec<String>,
}

impl ValueSearch {
    /// Makes a search for these values.
    pub(super) fn new<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        let mut forms: HashMap<[u8; 4], Vec<EncodedValue>> = HashMap::new();
        for (index, value) in values.iter().enumerate() {
            for (form, bytes) in all_forms(value) {
                let first = bytes.first_chunk().copied().expect("a form of a value has four bytes and more");
                forms.entry(first).or_default().push((bytes, index, form));
            }
        }
        Self { forms, values }
    }

    /// Returns the values that are in the bytes, each once in each form.
    pub(super) fn hits(&self, bytes: &[u8]) -> Vec<Hit> {
        let mut found = BTreeMap::new();
        for (at, window) in bytes.windows(4).enumerate() {
            let Some(forms) = window.first_chunk().and_then(|first| self.forms.get(first)) else { continue };
            for (form, index, name) in forms {
                if bytes[at..].starts_with(form) {
                    found.entry((*index, *name)).or_insert(at);
                }
            }
        }
        let hit = |((index, form), at): ((usize, &'static str), usize)| {
            let around = &bytes[at.saturating_sub(80)..bytes.len().min(at + 80)];
            let around = String::from_utf8_lossy(around).into_owned();
            Hit { value: self.values[index].clone(), form, around }
        };
        found.into_iter().map(hit).collect()
    }

    /// Returns the values that are in the bytes in any form.
    pub(super) fn found(&self, bytes: &[u8]) -> BTreeSet<String> {
        self.hits(bytes).into_iter().map(|hit| hit.value).collect()
    }
}

/// Returns the bytes in each form that a program might give them, as a whole.
pub(super) fn in_all_forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let digits = |prefix: &str, upper: bool| -> Vec<u8> {
        let digit =
            |byte: u8| if upper { format!("{prefix}{byte:02X}") } else { format!("{prefix}{byte:02x}") };
        bytes.iter().map(|byte| digit(*byte)).collect::<String>().into_bytes()
    };
    vec![
        ("as it is", bytes.to_vec()),
        ("lower case", bytes.to_ascii_lowercase()),
        ("upper case", bytes.to_ascii_uppercase()),
        ("base64", STANDARD_NO_PAD.encode(bytes).into_bytes()),
        ("base64 after one byte", STANDARD_NO_PAD.encode([b"x", bytes].concat()).into_bytes()),
        ("base64 after two bytes", STANDARD_NO_PAD.encode([b"xx", bytes].concat()).into_bytes()),
        ("base64 of upper case", STANDARD_NO_PAD.encode(bytes.to_ascii_uppercase()).into_bytes()),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(bytes).into_bytes()),
        ("hex", digits("", false)),
        ("HEX", digits("", true)),
        ("percent", digits("%", true)),
        ("percent, lower case", digits("%", false)),
        ("JSON escapes", digits("\\u00", false)),
        ("JSON ESCAPES", digits("\\u00", true)),
        ("UTF-16LE", bytes.iter().flat_map(|byte| [*byte, 0]).collect()),
        ("UTF-16BE", bytes.iter().flat_map(|byte| [0, *byte]).collect()),
    ]
}

/// Returns every form of a value, wherever it stands in what is encoded.
fn all_forms(value: &str) -> BTreeSet<(&'static str, Vec<u8>)> {
    let mut forms = BTreeSet::new();
    for cased in [value.to_owned(), value.to_lowercase(), value.to_uppercase()] {
        let plain = in_all_forms(cased.as_bytes());
        forms.extend(plain.into_iter().filter(|(name, _)| !name.starts_with("base64")));
        for before in 0..3 {
            let engines = [("base64", STANDARD_NO_PAD), ("base64 for URLs", URL_SAFE_NO_PAD)];
            forms.extend(engines.map(|(name, engine)| {
                let text = engine.encode([&b"\0\0"[..before], cased.as_bytes()].concat());
                // The digits that are made of nothing but the value.
                let (first, last) = ((before * 8).div_ceil(6), (before + cased.len()) * 8 / 6);
                (name, text.into_bytes()[first..last].to_vec())
            }));
        }
    }
    forms
}

#[test]
fn a_planted_value_is_found_in_every_form_and_nothing_else_is() {
    let mut planter = Planter::new("qjxwvz");
    let templates = ["<W>", "Dr. <W>", "<MRN975####>", "<19##-0%-1%>", "<9753.##%>", "<QJX^^^^>"];
    for template in templates {
        let text = planter.plant(template);
        let search = planter.search();
        for (form, encoded) in in_all_forms(format!("a, {text} und mehr").as_bytes()) {
            let found = search.found(&encoded);
            assert!(
                found.iter().any(|value| text.contains(value.as_str())),
                "{template} as {form}: {found:?}"
            );
        }
    }
    let search = planter.search();
    assert!(search.hits(b"Dr. qjx, MRN9760000, 1970-01-11 and 9754.001").is_empty());
    assert_eq!(
        search.found(b"found `qjxwvz`..."),
        BTreeSet::from(["qjxwvz".to_owned()]),
        "what is cut off is found"
    );
}
