//! The words at the top of a document, of custom properties and of service levels.

use super::{Section, choice, choices, word};
use crate::compile::STATUSES;
use crate::document::API_VERSIONS;

pub(crate) static DOCUMENT: Section = Section {
    name: "an ODCS document",
    title: "The document",
    about: "The top level of `<feed>.odcs.yaml`.",
    words: &[
        choice(
            "apiVersion",
            || choices(&API_VERSIONS),
            "required",
            "The version of the standard that the document follows.",
            "v3.2.0",
        ),
        word("kind", "`DataContract`", "required", "The kind of document.", "DataContract"),
        word(
            "id",
            "text",
            "required",
            "The stable id of the contract. The feed's name or a UUID is usual.",
            "scans",
        ),
        word("version", "text", "required", "The version of the contract. Receipts show it.", "1.0.0"),
        word("name", "text", "the `id`", "The name of the contract. Receipts show it.", "Scan reports"),
        choice(
            "status",
            || choices(&STATUSES),
            "no files are accepted",
            "Whether the feed accepts files. Files of an inactive contract are quarantined as `CONTRACT_INACTIVE`.",
            "active",
        ),
        word(
            "servers",
            "list of servers",
            "comma-separated UTF-8 with a header",
            "How files come. The first server of type `s3`, `local` or `custom` is used.",
            "[{ server: inbox, type: s3, location: s3://inbox/acme/scans/, format: csv }]",
        ),
        word(
            "schema",
            "list of one schema object",
            "required",
            "The records of the feed. A feed is one kind of file, so the list has one item.",
            "[{ name: scans, properties: [{ name: id, logicalType: string, primaryKey: true }] }]",
        ),
        word(
            "slaProperties",
            "list of service levels",
            "none",
            "What the parties promise. `frequency`, `latency` and their schedule say when files must come.",
            "[{ property: frequency, value: 1, unit: d }]",
        ),
        word(
            "customProperties",
            "list of custom properties",
            "none",
            "Kept when they are of another vendor. The settings of vendor `ingest` are on servers, schema objects and properties.",
            "[{ property: colour, vendor: catalog, value: blue }]",
        ),
    ],
    kept: &[
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
    ],
};

pub(crate) static CUSTOM_PROPERTY: Section = Section {
    name: "a custom property",
    title: "Custom properties",
    about: "A setting that the standard lacks.",
    words: &[
        word("property", "text", "required", "The name of the setting.", "onError"),
        word("vendor", "text", "none", "`ingest` for a setting of this system. Others are kept.", "ingest"),
        word("value", "any", "required", "The value.", "abort"),
    ],
    kept: &["id", "description"],
};

pub(crate) static SERVICE_LEVEL: Section = Section {
    name: "a service level",
    title: "Service levels: `slaProperties`",
    about: "`expect` on the schema object says when files must come. Without it, the service levels say so. Service levels with other names are kept and not run.",
    words: &[
        word(
            "property",
            "`frequency` (`fy`), `latency` (`ly`, `freshness`); others are not run",
            "required",
            "`frequency` is the longest time between two files. `latency` is how late a file may be.",
            "frequency",
        ),
        word("value", "whole number", "required to run", "How many units.", "1"),
        word(
            "unit",
            "`s`, `min`, `h`, `d`, `w`, `month`, `y`, or the full words",
            "required to run",
            "The unit of `value`. A month counts 31 days, a year 366.",
            "d",
        ),
        word("scheduler", "`cron`; others are not run", "none", "What runs `schedule`.", "cron"),
        word(
            "schedule",
            "cron expression with five fields, in UTC",
            "none",
            "When a file must come. It takes precedence over `frequency`.",
            "'0 6 * * *'",
        ),
        word(
            "customProperties",
            "list of custom properties",
            "none",
            "Kept when they are of another vendor.",
            "[{ property: colour, vendor: catalog, value: blue }]",
        ),
    ],
    kept: &["id", "valueExt", "element", "driver", "description", "authoritativeDefinitions"],
};
