//! The document as ODCS lays it out, every part with its place.
//!
//! Reading knows the shape of the standard (which key stands where, with what kind of value) and nothing of what
//! the parts mean together; that is compilation. All shape errors of a document are found in one reading.

mod fields;
mod quality;
mod schema;
mod service_level;
mod yaml;

pub use fields::Located;
pub use yaml::{Path, Place};

pub(crate) use fields::{Fields, items_of, text_of, word_of};
pub(crate) use quality::{Comparison, Operator, QualityKind, QualityRule, Unit};
pub(crate) use schema::{Enumeration, LogicalType, Property, SchemaObject};
pub(crate) use service_level::ServiceLevel;
pub(crate) use yaml::{Node, Scalar, ScalarKind, Yaml};

use crate::finding::{Finding, FindingSeverity, Findings, did_you_mean, one_of, quoted};
use crate::lint;

/// The largest document that is read, in bytes. A contract is written by hand; 4,096 properties fit twenty times.
pub const MOST_DOCUMENT_BYTES: usize = 1024 * 1024;

/// The vendor name of our own custom properties.
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

/// A custom property of our vendor.
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
    let Some(fields) = Fields::open(&root, "an ODCS document", &mut Findings::default()) else {
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
    fields.word("kind", &[("DataContract", ())], findings);
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
            .filter_map(|node| service_level::read(node, findings))
            .collect(),
        place,
    };
    no_settings(&mut fields, "the document", findings);
    fields.keep(&[
        "tenant",
        "tags",
        "dataProduct",
        "description",
        "domain",
        "context",
        "support",
        "price",
        "team",
        "roles",
        "slaDefaultElement",
        "authoritativeDefinitions",
        "contractCreatedTs",
    ]);
    fields.close(findings);
    document
}

/// The releases of the standard since 3.0 (bitol-io/open-data-contract-standard, CHANGELOG.md).
fn api_version(fields: &mut Fields<'_>, place: &Place, findings: &mut Findings) -> ApiVersion {
    const VERSIONS: [(&str, ApiVersion); 5] = [
        ("v3.2.0", ApiVersion::V32),
        ("v3.1.0", ApiVersion::V31),
        ("v3.0.2", ApiVersion::V30),
        ("v3.0.1", ApiVersion::V30),
        ("v3.0.0", ApiVersion::V30),
    ];
    if let Some(version) = fields.word("apiVersion", &VERSIONS, findings) {
        return version.value;
    }
    // A wrong one was reported where it stands.
    if fields.take("apiVersion").is_none() {
        findings.error(place, "no `apiVersion`", "`apiVersion: v3.2.0` at the top level", "");
    }
    ApiVersion::V32
}

fn server(node: &Node, findings: &mut Findings) -> Option<Server> {
    let mut fields = Fields::open(node, "a server", findings)?;
    fields.keep(&[
        "id",
        "server",
        "description",
        "environment",
        "roles",
        "endpointUrl",
        "stagingDir",
        "schema",
        "catalog",
        "catalogUrl",
        "namespace",
        "regionName",
        "region",
        "project",
        "dataset",
        "host",
        "port",
        "database",
        "account",
        "serviceName",
        "warehouse",
        "workgroup",
        "path",
        "stream",
    ]);
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

/// The custom properties of our vendor; those of other vendors are theirs.
pub(crate) fn settings(fields: &mut Fields<'_>, findings: &mut Findings) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for node in fields.list("customProperties", findings) {
        let Some(mut entry) = Fields::open(node, "a custom property", findings) else { continue };
        let key = entry.text("property", findings);
        let vendor = entry.text("vendor", findings);
        let value = entry.take("value");
        entry.keep(&["id", "description"]);
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

/// Reports every custom property of our vendor where none is known.
pub(crate) fn no_settings(fields: &mut Fields<'_>, here: &str, findings: &mut Findings) {
    for setting in settings(fields, findings) {
        unknown_setting(&setting, &[], here, findings);
    }
}

/// Reports a custom property of our vendor that nobody knows here.
pub(crate) fn unknown_setting(setting: &Setting, known: &[&str], here: &str, findings: &mut Findings) {
    let expected = if known.is_empty() {
        format!("no custom property of vendor `{VENDOR}` on {here}")
    } else {
        format!("on {here}: {}", one_of(known))
    };
    findings.error(
        &setting.key.place,
        format!("the unknown custom property {} of vendor `{VENDOR}`", quoted(&setting.key.value)),
        expected,
        did_you_mean(&setting.key.value, known, "remove it, or give it a vendor of your own"),
    );
}
