//! The document as ODCS lays it out, every part with its place.
//!
//! Reading knows the shape of the standard (which key belongs where, with what kind of value) and nothing of what
//! the parts mean together; that is compilation. All shape errors of a document are found in one reading.

mod fields;
mod quality;
mod schema;
mod yaml;

pub use fields::Located;
pub use yaml::{Path, Place};

pub(crate) use fields::{Fields, items_of, text_of, word_of};
pub(crate) use quality::{Comparison, QUALITY_TYPES, QualityKind, QualityOperator, QualityRule, Unit};
pub(crate) use schema::{Enumeration, LogicalType, Property, SchemaObject};
pub(crate) use yaml::{MappingEntry, Node, Scalar, ScalarKind, Yaml};

use crate::finding::{Finding, FindingSeverity, Findings, did_you_mean, one_of, quoted};
use crate::lint;
use crate::words::{self, Section};

/// The largest document that is read, in bytes. A contract is written by hand; 4,096 properties fit twenty times.
pub const MOST_DOCUMENT_BYTES: usize = 1024 * 1024;

/// The vendor of the custom properties that this system reads.
pub(crate) const VENDOR: &str = "ingest";

/// The version of the standard that a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    /// v3.0.x.
    V30,
    /// v3.1.0.
    V31,
    /// v3.2.0.
    V32,
}

/// One ODCS document, as it was written.
#[derive(Debug)]
pub struct Document {
    /// Where the document begins.
    pub place: Place,
    /// The version of the standard; the newest when the document does not say.
    pub api_version: ApiVersion,
    /// The stable id of the contract.
    pub id: Option<Located<String>>,
    /// Its name.
    pub name: Option<Located<String>>,
    /// Its version.
    pub version: Option<Located<String>>,
    /// Its status.
    pub status: Option<Located<String>>,
    pub(crate) servers: Vec<Server>,
    pub(crate) schema: Vec<SchemaObject>,
    pub(crate) service_levels: Vec<ServiceLevel>,
}

/// Where and how files come.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) place: Place,
    pub(crate) kind: Option<Located<String>>,
    pub(crate) location: Option<Located<String>>,
    pub(crate) format: Option<Located<String>>,
    pub(crate) encoding: Option<Located<String>>,
    pub(crate) delimiter: Option<Located<String>>,
    pub(crate) settings: Vec<Setting>,
}

/// A service level.
#[derive(Debug)]
pub(crate) struct ServiceLevel {
    /// What is promised: `latency`.
    pub(crate) property: Located<String>,
    /// How much of it.
    pub(crate) value: Option<Node>,
    pub(crate) unit: Option<Located<String>>,
    /// What runs the schedule: `cron`.
    pub(crate) scheduler: Option<Located<String>>,
    pub(crate) schedule: Option<Located<String>>,
}

/// A custom property of vendor `ingest`.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: Located<String>,
    pub(crate) value: Node,
}

/// Reads a document. Findings that leave something to compile come with it; `Err` is a text without any shape.
pub fn read(source: &str) -> Result<(Document, Vec<Finding>), Finding> {
    let mut findings = Findings::default();
    let document = read_into(source, &mut findings)?;
    Ok((document, findings.into_sorted()))
}

/// Reads a document and adds its findings to those of the caller.
pub(crate) fn read_into(source: &str, findings: &mut Findings) -> Result<Document, Finding> {
    if source.len() > MOST_DOCUMENT_BYTES {
        return Err(rejection(
            &Place { line: 1, column: 1, path: Path::default() },
            format!("a document of {} bytes", source.len()),
            format!("at most {MOST_DOCUMENT_BYTES} bytes"),
            "split the feed, or move descriptions elsewhere",
        ));
    }
    let root = yaml::parse(source).map_err(|unreadable| {
        let place = Place {
            line: unreadable.place.line.max(1),
            column: unreadable.place.column.max(1),
            ..unreadable.place
        };
        rejection(
            &place,
            format!("text that is not YAML ({})", unreadable.message),
            "one YAML 1.2 document",
            "",
        )
    })?;
    let Some(fields) = Fields::open(&root, &words::DOCUMENT, &mut Findings::default()) else {
        return Err(rejection(
            &Place { line: root.place.line.max(1), column: root.place.column.max(1), path: Path::default() },
            root.describe(),
            "an ODCS document, which is a mapping",
            "begin with `apiVersion: v3.2.0` and `kind: DataContract`",
        ));
    };
    Ok(document(fields, findings))
}

fn rejection(place: &Place, found: String, expected: impl Into<String>, advice: &str) -> Finding {
    Finding {
        severity: FindingSeverity::Error,
        line: place.line,
        column: place.column,
        path: place.path.to_string(),
        found,
        expected: expected.into(),
        advice: advice.to_owned(),
    }
}

fn document(mut fields: Fields<'_>, findings: &mut Findings) -> Document {
    let place =
        Place { line: fields.place.line.max(1), column: fields.place.column.max(1), ..fields.place.clone() };
    let api_version = api_version(&mut fields, &place, findings);
    fields.word("kind", &[("DataContract", (), "")], findings);
    if fields.take("kind").is_none() {
        findings.error(&place, "no `kind`", "`kind: DataContract` at the top level", "");
    }
    let required = |text: Option<Located<String>>, key: &str, findings: &mut Findings| {
        if text.as_ref().is_none_or(|text| text.value.trim().is_empty()) {
            findings.error(&place, format!("no `{key}`"), format!("`{key}: …` at the top level"), "");
        }
        text
    };
    let id = fields.text("id", findings);
    let id = required(id, "id", findings);
    let version = fields.text("version", findings);
    let version = required(version, "version", findings);
    let document = Document {
        api_version,
        id,
        version,
        name: fields.text("name", findings),
        status: fields.text("status", findings),
        servers: fields.list("servers", findings).iter().filter_map(|node| server(node, findings)).collect(),
        schema: fields
            .list("schema", findings)
            .iter()
            .filter_map(|node| schema::object(node, findings))
            .collect(),
        service_levels: fields
            .list("slaProperties", findings)
            .iter()
            .filter_map(|node| service_level(node, findings))
            .collect(),
        place,
    };
    no_settings(&mut fields, "the document", findings);
    fields.close(findings);
    document
}

/// The releases of the standard since 3.0 (bitol-io/open-data-contract-standard, CHANGELOG.md).
pub(crate) const API_VERSIONS: [(&str, ApiVersion, &str); 5] = [
    ("v3.2.0", ApiVersion::V32, "The newest version."),
    ("v3.1.0", ApiVersion::V31, "Before `enum`, which is read with a warning."),
    ("v3.0.2", ApiVersion::V30, "The arguments of a quality rule are next to its `rule`."),
    ("v3.0.1", ApiVersion::V30, "As v3.0.2."),
    ("v3.0.0", ApiVersion::V30, "As v3.0.2."),
];

/// Reads the version of the standard; a missing or unknown one is reported and read as the newest.
fn api_version(fields: &mut Fields<'_>, place: &Place, findings: &mut Findings) -> ApiVersion {
    if let Some(version) = fields.word("apiVersion", &API_VERSIONS, findings) {
        return version.value;
    }
    // A wrong one was reported where it is.
    if fields.take("apiVersion").is_none() {
        findings.error(place, "no `apiVersion`", "`apiVersion: v3.2.0` at the top level", "");
    }
    ApiVersion::V32
}

fn server(node: &Node, findings: &mut Findings) -> Option<Server> {
    let mut fields = Fields::open(node, &words::SERVER, findings)?;
    let server = Server {
        place: node.place.clone(),
        kind: fields.text("type", findings),
        location: fields.text("location", findings),
        format: fields.text("format", findings),
        encoding: fields.text("encoding", findings),
        delimiter: fields.text("delimiter", findings),
        settings: settings(&mut fields, findings),
    };
    fields.close(findings);
    Some(server)
}

fn service_level(node: &Node, findings: &mut Findings) -> Option<ServiceLevel> {
    let mut fields = Fields::open(node, &words::SERVICE_LEVEL, findings)?;
    let property = fields.text("property", findings);
    if property.is_none() {
        findings.error(&node.place, "no `property`", "the name of a service level", "");
    }
    let value = fields.take("value").cloned();
    let unit = fields.text("unit", findings);
    let scheduler = fields.text("scheduler", findings);
    let schedule = fields.text("schedule", findings);
    no_settings(&mut fields, "a service level", findings);
    fields.close(findings);
    Some(ServiceLevel { property: property?, value, unit, scheduler, schedule })
}

/// Returns the custom properties of vendor `ingest`; those of other vendors are kept.
pub(crate) fn settings(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for node in fields.list("customProperties", findings) {
        let Some(entry) = Fields::open(node, &words::CUSTOM_PROPERTY, findings) else { continue };
        let key = entry.text("property", findings);
        let vendor = entry.text("vendor", findings);
        let value = entry.take("value");
        entry.close(findings);
        let Some(key) = key else {
            findings.error(&node.place, "no `property`", "the name of a custom property", "");
            continue;
        };
        if vendor.as_ref().is_none_or(|vendor| vendor.value != VENDOR) {
            lint::other_setting(&key, vendor.as_ref(), findings);
            continue;
        }
        if settings.iter().any(|setting| setting.key.value == key.value) {
            findings.error(
                &key.place,
                format!("{} a second time", quoted(&key.value)),
                "each custom property once",
                "",
            );
        }
        match value {
            Some(value) => settings.push(Setting { key, value: value.clone() }),
            None => findings.error(&key.place, "no `value`", "a value for the custom property", ""),
        }
    }
    settings
}

/// Reports every custom property of vendor `ingest` in a mapping that has none.
pub(crate) fn no_settings(fields: &mut Fields<'_>, here: &str, findings: &mut Findings) {
    for setting in settings(fields, findings) {
        findings.error(
            &setting.key.place,
            unknown(&setting),
            format!("no custom property of vendor `{VENDOR}` on {here}"),
            REMOVE_IT,
        );
    }
}

/// Reports an unknown custom property of vendor `ingest`.
pub(crate) fn unknown_setting(setting: &Setting, section: &Section, findings: &mut Findings) {
    let known: Vec<&str> = section.names().collect();
    findings.error(
        &setting.key.place,
        unknown(setting),
        format!("on {}: {}", section.name, one_of(&known)),
        did_you_mean(&setting.key.value, &known, REMOVE_IT),
    );
}

const REMOVE_IT: &str = "remove it, or give it the name of your own tool as vendor";

fn unknown(setting: &Setting) -> String {
    format!("the unknown custom property {} of vendor `{VENDOR}`", quoted(&setting.key.value))
}
