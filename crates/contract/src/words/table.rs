//! The words of the schema object and its properties.

use super::{Section, choice, choices, word};
use crate::compiled::{Duplicates, EmptyFile, MissingColumn, OnSameName, UnknownColumn};
use crate::document::LogicalType;

pub(crate) static SCHEMA: Section = Section {
    name: "a schema object",
    title: "The schema object: `schema`",
    about: "The records of the feed.",
    words: &[
        word("name", "text", "required", "The name of the records.", "scans"),
        word("logicalType", "`object`", "`object`", "A record is an object.", "object"),
        word(
            "properties",
            "list of properties, at most 4096 with nested ones",
            "required",
            "The columns of a CSV file, or the fields of a JSON record.",
            "[{ name: a, logicalType: string, primaryKey: true }]",
        ),
        word(
            "quality",
            "list of quality rules",
            "none",
            "Rules on the file as a whole: `rowCount`, and `duplicateValues` with `properties`.",
            "[{ metric: rowCount, mustBeGreaterThan: 0 }]",
        ),
        word(
            "relationships",
            "list",
            "none",
            "Listed as not run: other data is not read when a file arrives.",
            "[{ from: a, to: b.c }]",
        ),
        word(
            "customProperties",
            "list of custom properties",
            "none",
            "Settings of vendor `ingest`, and those of other vendors, which are kept.",
            "[{ property: onError, vendor: ingest, value: abort }]",
        ),
    ],
    kept: &[
        "id",
        "description",
        "businessName",
        "authoritativeDefinitions",
        "tags",
        "deprecated",
        "context",
        "physicalName",
        "physicalType",
        "dataGranularityDescription",
        "synonyms",
    ],
};

pub(crate) static SCHEMA_SETTINGS: Section = Section {
    name: "a schema object",
    title: "Settings of the schema object (`vendor: ingest`)",
    about: "Items of `customProperties` on the schema object: `{ property: <name>, vendor: ingest, value: <value> }`.",
    words: &[
        word(
            "onError",
            "`continue`: load the good records · `abort`: quarantine the file at one rejected record · `skip_file_<n>`: at n or more, n from 1 · `skip_file_<n>%`: at more than n percent, n from 0 to 100",
            "`continue`",
            "What happens to a file with rejected records. The words are those of Snowflake. A file from which nothing can be loaded is always quarantined.",
            "skip_file_5%",
        ),
        choice(
            "unknownColumn",
            || choices(UnknownColumn::WORDS),
            "ignore",
            "What happens to a column or field that the contract does not name.",
            "reject",
        ),
        choice(
            "missingColumn",
            || choices(MissingColumn::WORDS),
            "reject",
            "What happens when a CSV header lacks a column of the contract.",
            "'null'",
        ),
        choice(
            "emptyFile",
            || choices(EmptyFile::WORDS),
            "rejectZeroBytes",
            "What happens to a file without records.",
            "accept",
        ),
        choice(
            "onSameName",
            || choices(OnSameName::WORDS),
            "append",
            "What a second file with the same name means.",
            "supersede",
        ),
        word(
            "dedupeContent",
            "`true` or `false`",
            "`false`",
            "Whether a file with the content of a loaded file is a duplicate and not loaded again. Not with `onSameName: supersede`.",
            "true",
        ),
        word(
            "returnRejects",
            "`true` or `false`",
            "`false`",
            "Whether a partner who uploads by S3 finds its rejected records, with their values, in the outbox. Without it the outbox has receipts only.",
            "true",
        ),
        choice(
            "duplicates",
            || choices(Duplicates::WORDS),
            "rejectRepeats",
            "Which of the records with one primary key, within one file, is loaded.",
            "keepLast",
        ),
        word(
            "versionFrom",
            "name of a date, timestamp, integer or number property",
            "the order in which the files landed",
            "The property that orders versions of one record: the greatest is the newest.",
            "changed",
        ),
        word(
            "dropIf",
            "an expression or a list of them, see [Business rules](#business-rules)",
            "none",
            "A record that makes one true is left out: it is neither loaded nor rejected, and no rule sees it. The receipt counts the records of each condition. A condition that needs a null or a value that is not of its type, that divides by zero or whose result has too many digits, leaves nothing out. Shares in percent are those of the other records.",
            "\"a == 'TEST'\"",
        ),
        word(
            "expect",
            "mapping, see below",
            "none",
            "When files must come. A missing or late file raises an alarm.",
            "{ schedule: '0 6 * * 1-5', timezone: Europe/Berlin, grace: 2h, rows: { min: 1, max: 5000 } }",
        ),
    ],
    kept: &[],
};

pub(crate) static EXPECT: Section = Section {
    name: "`expect`",
    title: "`expect`",
    about: "When a file must come.",
    words: &[
        word(
            "schedule",
            "cron expression: minute, hour, day of month, month, day of week; numbers, names, `*`, lists, ranges, steps",
            "required",
            "The scheduled times, at each of which one file must come.",
            "'0 6 * * *'",
        ),
        word("timezone", "IANA time zone name", "UTC", "The time zone of `schedule`.", "Europe/Berlin"),
        word(
            "grace",
            "duration, such as `90m`, `2h`, `PT2H`; at most 400 days",
            "0",
            "How late a file may be.",
            "2h",
        ),
        word(
            "rows",
            "mapping, see below",
            "none",
            "The usual number of records. A file outside of it raises an alarm.",
            "{ min: 1, max: 5000 }",
        ),
    ],
    kept: &[],
};

pub(crate) static ROWS: Section = Section {
    name: "`rows`",
    title: "`rows` of `expect`",
    about: "The usual number of records of a file.",
    words: &[
        word("min", "whole number from 0", "none", "The least number of records.", "1"),
        word("max", "whole number, at least `min`", "none", "The greatest number of records.", "5000"),
    ],
    kept: &[],
};

pub(crate) static PROPERTY: Section = Section {
    name: "a property",
    title: "Properties: `properties`",
    about: "One column of a CSV file, or one field of a JSON record.",
    words: &[
        word(
            "name",
            "text without blanks at its ends; not `pk`, `sk`, `_load`, `_line`",
            "required",
            "The name of the property, and of the attribute in the records table. Rule ids begin with it.",
            "mrn",
        ),
        word(
            "physicalName",
            "text",
            "the `name`",
            "The label in the header, or the name of the field in JSON.",
            "'Patient Name'",
        ),
        word(
            "synonyms",
            "list of texts",
            "none",
            "Other labels and field names of the property.",
            "['MRN', 'Patient ID']",
        ),
        choice(
            "logicalType",
            || choices(LogicalType::WORDS),
            "`string`, with a warning",
            "The type of the values.",
            "string",
        ),
        word(
            "physicalType",
            "`decimal(<precision>,<scale>)`, `numeric`, `number` or `dec` limit the digits of a number; others are kept",
            "none",
            "`decimal(10,3)`: at most 7 digits before the decimal point and 3 after it.",
            "'decimal(10,3)'",
        ),
        word(
            "logicalTypeOptions",
            "mapping, see each type below",
            "none",
            "Limits on the values.",
            "{ maxLength: 20 }",
        ),
        word(
            "required",
            "`true` or `false`",
            "`false`",
            "Whether null is rejected. An empty CSV cell is null. In a CSV file the column must always be there; in JSON the field may be absent when it is not required.",
            "true",
        ),
        word("unique", "`true` or `false`", "`false`", "Whether a value may occur once in a file.", "true"),
        word(
            "primaryKey",
            "`true` or `false`",
            "`false`",
            "Whether the property is a part of the key. A newer record with the same key replaces the older one.",
            "true",
        ),
        word(
            "primaryKeyPosition",
            "whole number from 1",
            "required in a key of several properties",
            "The position within a key of several properties.",
            "1",
        ),
        word(
            "classification",
            "text; `pii`, `phi`, `personal`, `personal_data`, `confidential`, `restricted`, `sensitive` and `secret` hide the values",
            "none",
            "Values of a classified property are in no reason, receipt or log.",
            "phi",
        ),
        word(
            "encryptedName",
            "text",
            "none",
            "Listed as not run: this version writes no ciphertext.",
            "mrn_encrypted",
        ),
        word(
            "enum",
            "list of entries with a `value`",
            "any value",
            "The allowed values. Quote words such as `no` and numbers with leading zeros.",
            "[{ value: CT }, { value: MR }]",
        ),
        word(
            "examples",
            "list of values",
            "none",
            "Each example must satisfy the rules of its property.",
            "['CT']",
        ),
        word(
            "quality",
            "list of quality rules",
            "none",
            "Rules on the values, see below.",
            "[{ metric: nullValues, mustBe: 0 }]",
        ),
        word(
            "relationships",
            "list",
            "none",
            "Listed as not run: other data is not read when a file arrives.",
            "[{ to: b.c }]",
        ),
        word(
            "properties",
            "list of properties",
            "none",
            "The fields of an `object`. Other fields of it are stored as they are.",
            "[{ name: zip, logicalType: string }]",
        ),
        word(
            "items",
            "a property without a name",
            "any items",
            "The items of an `array`.",
            "{ logicalType: string }",
        ),
        word(
            "map",
            "mapping with `key` and `value`",
            "any values",
            "The values of a `map`.",
            "{ value: { logicalType: string } }",
        ),
        word(
            "customProperties",
            "list of custom properties",
            "none",
            "Settings of vendor `ingest`, and those of other vendors, which are kept.",
            "[{ property: nullTokens, vendor: ingest, value: ['n/a'] }]",
        ),
    ],
    kept: &[
        "id",
        "description",
        "businessName",
        "authoritativeDefinitions",
        "tags",
        "deprecated",
        "context",
        "semanticType",
        "partitioned",
        "partitionKeyPosition",
        "transformSourceObjects",
        "transformLogic",
        "transformDescription",
        "criticalDataElement",
    ],
};

pub(crate) static PROPERTY_SETTINGS: Section = Section {
    name: "a property",
    title: "Settings of a property (`vendor: ingest`)",
    about: "Items of `customProperties` on a property: `{ property: <name>, vendor: ingest, value: <value> }`.",
    words: &[
        word(
            "nullTokens",
            "list of texts",
            "none",
            "Texts that mean null, in addition to the empty CSV cell.",
            "['n/a', '-']",
        ),
        word(
            "sourcePath",
            "JSON Pointer (RFC 6901)",
            "the field `physicalName`",
            "Where the value is in a JSON record. Only with a JSON format.",
            "/patient/name/0",
        ),
        word(
            "transform",
            "a step or a list of steps, see [Steps](#steps-of-transform)",
            "none",
            "What becomes of a cell before its rules see it.",
            "[trim, upper]",
        ),
        word(
            "mask",
            "a mask, see [Masks](#masks-mask)",
            "none",
            "What is stored in place of the value.",
            "last4",
        ),
    ],
    kept: &[],
};

pub(crate) static ENUM_ENTRY: Section = Section {
    name: "an entry of `enum`",
    title: "Entries of `enum`",
    about: "One allowed value. A bare value in place of the mapping is read with a warning.",
    words: &[
        word(
            "value",
            "value of the property's type",
            "required",
            "The value. Numbers are compared by value: `1.0` is `1`.",
            "CT",
        ),
        word(
            "customProperties",
            "list of custom properties",
            "none",
            "Kept when they are of another vendor.",
            "[{ property: colour, vendor: catalog, value: blue }]",
        ),
    ],
    kept: &["id", "label", "description", "tags", "authoritativeDefinitions"],
};

pub(crate) static MAP_PROPERTY: Section = Section {
    name: "`map`",
    title: "`map` of a property",
    about: "A JSON object with any field names.",
    words: &[
        word(
            "key",
            "a property of type `string` without rules",
            "`string`",
            "The field names.",
            "{ logicalType: string }",
        ),
        word("value", "a property without a name", "any values", "The values.", "{ logicalType: integer }"),
    ],
    kept: &[],
};
