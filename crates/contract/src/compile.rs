//! From a document to a [`Contract`]: every name resolved, every pattern compiled, every rule in one table.
//!
//! Compilation goes on after an error, so that one run shows all of them; what cannot be compiled is replaced by
//! something harmless, and the result is thrown away in the end.

mod bounds;
mod column;
mod example;
mod expectation;
mod feed;
mod key;
mod mask;
mod options;
mod pattern;
mod quality;
mod row_rule;
mod server;
mod spelling;
mod step;
mod transform;
mod within;

pub(crate) use quality::METRICS;
pub(crate) use server::FORMATS;

use sha2::{Digest, Sha256};

use crate::compiled::{Column, Contract, Gate, Identity, NotRun, Status, TupleRule};
use crate::document::{self, ApiVersion, Document, Place, SchemaObject};
use crate::finding::{Finding, Findings, did_you_mean, one_of, quoted};
use crate::lint;
use crate::rule::{Code, Rule, RuleIndex, Severity, Structure};

/// Properties of a contract at most, nested ones included; as many as a header may have columns.
const MOST_PROPERTIES: usize = 4_096;

/// Characters of [`Rule::expected`] at most, so that a message stays one line.
const EXPECTED_CHARACTERS: usize = 80;

/// Where a document is published, as far as that is known: what it says of itself is compared with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Published<'a> {
    /// The feed, which is the name of the file before `.odcs.yaml`.
    pub feed: Option<&'a str>,
    /// The stack's inbox bucket.
    pub inbox: Option<&'a str>,
}

/// Reads, lints and compiles a document. The findings returned with the contract are warnings.
///
/// # Errors
///
/// Every finding of the document in its order, when one of them is an error.
pub fn compile(source: &str) -> Result<(Contract, Vec<Finding>), Vec<Finding>> {
    compile_for(source, Published::default(), CompiledFor::Arrival)
}

/// As [`compile`], for a document that is to be published: with warnings about what it says of its feed and its place.
///
/// # Errors
///
/// Those of [`compile`], and data about people of which the document does not say what is stored: a document that was
/// published before this was asked goes on with a warning.
pub fn compile_published(
    source: &str,
    published: Published<'_>,
) -> Result<(Contract, Vec<Finding>), Vec<Finding>> {
    compile_for(source, published, CompiledFor::Publication)
}

/// What a document is compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CompiledFor {
    /// Files come under it.
    #[default]
    Arrival,
    /// Someone wants to publish it.
    Publication,
}

fn compile_for(
    source: &str,
    published: Published<'_>,
    purpose: CompiledFor,
) -> Result<(Contract, Vec<Finding>), Vec<Finding>> {
    let mut compilation = Compilation { purpose, source: source.to_owned(), ..Compilation::default() };
    let document =
        document::read_into(source, &mut compilation.findings).map_err(|unreadable| vec![unreadable])?;
    compilation.api_version = Some(document.api_version);
    lint::document(&document, published, &mut compilation.findings);
    let contract = contract(&document, source, &mut compilation);
    if compilation.rules.overflow {
        compilation.findings.error(
            &document.place,
            format!("more than {} rules", u16::MAX),
            "fewer rules",
            "split the feed, or use fewer limits",
        );
    }
    match contract {
        Some(contract) if !compilation.findings.any_error() => {
            Ok((contract, compilation.findings.into_sorted()))
        }
        _ => Err(compilation.findings.into_sorted()),
    }
}

/// What one compilation gathers.
#[derive(Default)]
struct Compilation {
    purpose: CompiledFor,
    /// The document's text, in which places within a value are found.
    source: String,
    findings: Findings,
    rules: RuleTable,
    gates: Vec<Gate>,
    unique: Vec<TupleRule>,
    not_run: Vec<NotRun>,
    patterns: pattern::Budget,
    api_version: Option<ApiVersion>,
}

impl Compilation {
    /// Lists something that is kept and not run.
    fn not_run(&mut self, place: &Place, what: impl Into<String>, why: impl Into<String>) {
        self.not_run.push(NotRun { path: place.path.to_string(), what: what.into(), why: why.into() });
    }

    /// Lists something that a reader would expect to run, and warns.
    fn not_run_with_warning(&mut self, place: &Place, what: &str, why: &str) {
        self.findings.warning(place, what, "a rule that runs when a file arrives", why);
        self.not_run(place, what, why);
    }
}

fn contract(document: &Document, source: &str, compilation: &mut Compilation) -> Option<Contract> {
    let identity = identity(document, source, &mut compilation.findings);
    let reading = server::compile(document, &mut compilation.findings);
    let feed = document.schema.first()?;
    let choices = feed::compile(&feed.settings, &mut compilation.findings);
    let expectation = expectation::compile(choices.expect, &document.service_levels, compilation);
    for place in &feed.relationships {
        compilation.not_run(place, "relationship", "other data is not read when a file arrives");
    }
    check_size(feed, compilation);
    let columns: Vec<_> = feed
        .properties
        .iter()
        .zip(0_u16..)
        .take(MOST_PROPERTIES)
        .map(|(property, index)| {
            column::compile(property, &column::ColumnScope::top(index, &reading.format), compilation)
        })
        .collect();
    feed::warn_of_returned_values(&feed.settings, &choices.policy, &columns, &mut compilation.findings);
    key::check_names(feed, &columns, &reading.format, &mut compilation.findings);
    key::check_synonyms(&feed.properties, &reading.format, &mut compilation.findings);
    let primary_key = key::primary(feed, &columns, &mut compilation.findings);
    lint::key(feed, &primary_key, &mut compilation.findings);
    key::unique(feed, &columns, &primary_key, compilation);
    quality::on_table(&feed.quality, &columns, compilation);
    let row_rules = row_rule::compile(feed, &columns, compilation);
    let drop_if =
        choices.drop_if.map(|node| row_rule::drop_if(node, &columns, compilation)).unwrap_or_default();
    let version_from =
        choices.version_from.and_then(|node| key::version_from(node, &columns, &mut compilation.findings));
    mask::check_uses(&feed.properties, &columns, &primary_key, version_from, &mut compilation.findings);
    mask::check_said(&feed.properties, compilation);
    let indexes = |wanted: fn(&Column) -> bool| {
        (0_u16..).zip(&columns).filter(|(_, column)| wanted(column)).map(|(index, _)| index).collect()
    };
    Some(Contract {
        identity,
        drop_if,
        transformed: indexes(|column| !column.transform.is_empty()),
        format: reading.format,
        encoding: reading.encoding,
        limits: reading.limits,
        columns,
        primary_key,
        unique: std::mem::take(&mut compilation.unique),
        policy: choices.policy,
        row_rules,
        gates: std::mem::take(&mut compilation.gates),
        version_from,
        expectation,
        rules: std::mem::take(&mut compilation.rules.rules),
        not_run: std::mem::take(&mut compilation.not_run),
    })
}

fn check_size(feed: &SchemaObject, compilation: &mut Compilation) {
    fn count(properties: &[document::Property]) -> usize {
        let below = |property: &document::Property| {
            count(&property.properties)
                + property.items.as_deref().map_or(0, |items| count(std::slice::from_ref(items)))
                + property.map_value.as_deref().map_or(0, |value| count(std::slice::from_ref(value)))
        };
        properties.iter().map(|property| 1 + below(property)).sum()
    }
    let properties = count(&feed.properties);
    if properties > MOST_PROPERTIES {
        compilation.findings.error(
            &feed.place,
            format!("{properties} properties"),
            format!("at most {MOST_PROPERTIES}"),
            "split the feed",
        );
    }
    if properties == 0 {
        compilation.findings.error(
            &feed.place,
            "no `properties`",
            "at least one property",
            "list the columns",
        );
    }
}

/// The values of `status`. A contract with any other word accepts no files.
pub(crate) const STATUSES: [(&str, Status, &str); 5] = [
    ("proposed", Status::Inactive, "Accepts no files."),
    ("draft", Status::Inactive, "Accepts no files."),
    ("active", Status::Active, "Accepts files."),
    ("deprecated", Status::Deprecated, "Accepts files. Receipts say that the contract is deprecated."),
    ("retired", Status::Inactive, "Accepts no files."),
];

fn identity(document: &Document, source: &str, findings: &mut Findings) -> Identity {
    let names = STATUSES.map(|(word, _, _)| word);
    let status = if let Some(given) = &document.status {
        let known = STATUSES.iter().find(|(word, _, _)| *word == given.value);
        if known.is_none() {
            findings.warning(
                &given.place,
                quoted(&given.value),
                one_of(&names),
                did_you_mean(&given.value, &names, "the contract accepts no files"),
            );
        }
        known.map_or(Status::Inactive, |(_, status, _)| *status)
    } else {
        findings.warning(&document.place, "no `status`", "`status: active`", "the contract accepts no files");
        Status::Inactive
    };
    let text = |located: Option<&document::Located<String>>| located.map(|located| located.value.clone());
    let id = text(document.id.as_ref()).unwrap_or_default();
    Identity {
        name: text(document.name.as_ref()).unwrap_or_else(|| id.clone()),
        id,
        version: text(document.version.as_ref()).unwrap_or_default(),
        status,
        hash: Sha256::digest(source.as_bytes()).into(),
    }
}

/// The rules of a contract while it is compiled. Ids are unique.
struct RuleTable {
    rules: Vec<Rule>,
    ids: std::collections::HashSet<String>,
    overflow: bool,
}

impl Default for RuleTable {
    fn default() -> Self {
        let rules: Vec<Rule> = Structure::ALL.iter().map(|structure| structure.rule()).collect();
        let ids = rules.iter().map(|rule| rule.id.clone()).collect();
        Self { rules, ids, overflow: false }
    }
}

impl RuleTable {
    /// Adds a rule. An id that is taken gets the first free number behind it.
    fn add(&mut self, id: &str, code: Code, severity: Severity, expected: &str) -> RuleIndex {
        let mut unique = id.to_owned();
        let mut number = 2_u32;
        while self.ids.contains(&unique) {
            unique = format!("{id}-{number}");
            number += 1;
        }
        let Ok(index) = u16::try_from(self.rules.len()) else {
            self.overflow = true;
            return RuleIndex(0);
        };
        self.ids.insert(unique.clone());
        self.rules.push(Rule {
            id: unique,
            code,
            severity,
            expected: shorten(expected, EXPECTED_CHARACTERS),
        });
        RuleIndex(index)
    }

    /// Adds a rule that rejects.
    fn fail(&mut self, id: &str, code: Code, expected: &str) -> RuleIndex {
        self.add(id, code, Severity::Fail, expected)
    }

    fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    fn get(&self, index: RuleIndex) -> Option<&Rule> {
        self.rules.get(usize::from(index.0))
    }
}

/// Returns a text on one line, cut to this number of characters.
fn shorten(text: &str, most: usize) -> String {
    let one_line = |character: char| if character.is_control() { ' ' } else { character };
    if text.chars().count() <= most {
        return text.chars().map(one_line).collect();
    }
    text.chars().take(most - 1).map(one_line).chain(['…']).collect()
}

/// Returns the tokens of a JSON Pointer (RFC 6901), unescaped; `None` when it is none.
fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let tokens = text.strip_prefix('/')?.split('/');
    tokens
        .map(|token| {
            let stray = token.replace("~0", "").replace("~1", "");
            (!stray.contains('~')).then(|| token.replace("~1", "/").replace("~0", "~"))
        })
        .collect()
}

#[cfg(test)]
mod tests;
