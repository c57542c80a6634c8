//! The words of quality rules.

use super::{Section, choice, choices, word};
use crate::compile::METRICS;
use crate::document::{QUALITY_TYPES, Unit};

const NUMBER_OF_RULE: &str = "number from 0; with `unit: percent` from 0 to 100";

pub(crate) static QUALITY: Section = Section {
    name: "a quality rule",
    title: "Quality rules: `quality`",
    about: "A rule needs exactly one comparison. A metric with `mustBe: 0` and a severity that fails rejects each bad record. Every other comparison is a rule on the file: it is decided when all records are read, and quarantines the file or warns.",
    words: &[
        word(
            "id",
            "text",
            "the `name`",
            "The rule id in receipts. Each id is used once in a contract.",
            "no-nulls",
        ),
        word(
            "name",
            "text",
            "`<property>.<metric>`; of a business rule `<property>.rule` or `rule`",
            "The rule id in receipts when there is no `id`.",
            "no-nulls",
        ),
        choice("type", || choices(&QUALITY_TYPES), "library", "The kind of rule.", "library"),
        choice("metric", || choices(&METRICS), "required for `library`", "What is counted.", "nullValues"),
        word("rule", "as `metric`", "none", "The name of `metric` in documents of v3.0.", "nullCheck"),
        word(
            "engine",
            "text",
            "none",
            "The engine of a `custom` rule. `cel`: a [business rule](#business-rules). Others are listed as not run.",
            "soda",
        ),
        word(
            "implementation",
            "text",
            "required for `cel`",
            "The expression of a business rule. On the schema object or a property at the top.",
            "\"c != 'unknown'\"",
        ),
        word(
            "description",
            "text",
            "the expression",
            "What a business rule says, in your own words. Reasons and receipts show it; its first 200 characters count.",
            "The accession number is known.",
        ),
        word("query", "text", "none", "The query of an `sql` rule. Listed as not run.", "'select 1'"),
        word(
            "severity",
            "text; `info`, `warning`, `warn`, `low`, `minor` and `trivial` warn, all others fail",
            "fail",
            "Whether breaking the rule rejects the record or file, or is counted only.",
            "warning",
        ),
        choice("unit", || choices(Unit::WORDS), "rows", "What the numbers count.", "percent"),
        word("mustBe", NUMBER_OF_RULE, "none", "Exactly this number.", "0"),
        word("mustNotBe", NUMBER_OF_RULE, "none", "Any other number.", "0"),
        word("mustBeGreaterThan", NUMBER_OF_RULE, "none", "More than this number.", "0"),
        word("mustBeGreaterOrEqualTo", NUMBER_OF_RULE, "none", "At least this number.", "1"),
        word("mustBeLessThan", NUMBER_OF_RULE, "none", "Less than this number.", "10"),
        word("mustBeLessOrEqualTo", NUMBER_OF_RULE, "none", "At most this number.", "10"),
        word(
            "mustBeBetween",
            "list of two numbers, the smaller first",
            "none",
            "Within the range, both ends included.",
            "[1, 10]",
        ),
        word(
            "mustNotBeBetween",
            "list of two numbers, the smaller first",
            "none",
            "Outside of the range, both ends excluded.",
            "[1, 10]",
        ),
        word(
            "arguments",
            "mapping, see below",
            "none",
            "The arguments of the metric.",
            "{ validValues: ['CT'] }",
        ),
        word(
            "validValues",
            "list of values",
            "none",
            "As in `arguments`; documents of v3.0 have it here.",
            "['CT']",
        ),
        word(
            "missingValues",
            "list of values",
            "none",
            "As in `arguments`; documents of v3.0 have it here.",
            "['n/a']",
        ),
        word(
            "properties",
            "list of names",
            "none",
            "As in `arguments`; documents of v3.0 have it here.",
            "[a]",
        ),
        word(
            "pattern",
            "regular expression",
            "none",
            "As in `arguments`; documents of v3.0 have it here.",
            "'^CT'",
        ),
        word(
            "customProperties",
            "list of custom properties",
            "none",
            "Kept when they are of another vendor.",
            "[{ property: colour, vendor: catalog, value: blue }]",
        ),
    ],
    kept: &[
        "authoritativeDefinitions",
        "businessImpact",
        "dimension",
        "method",
        "schedule",
        "scheduler",
        "tags",
    ],
};

pub(crate) static ARGUMENTS: Section = Section {
    name: "the arguments of a metric",
    title: "`arguments` of a quality rule",
    about: "What a metric compares with.",
    words: &[
        word(
            "validValues",
            "list of values",
            "none",
            "`invalidValues`: the values that are valid.",
            "['CT', 'MR']",
        ),
        word(
            "missingValues",
            "list of values",
            "none",
            "`missingValues`: the values that count as missing, in addition to null.",
            "['n/a']",
        ),
        word(
            "properties",
            "list of names",
            "none",
            "`duplicateValues` on the schema object: the properties whose values together must not repeat.",
            "[a]",
        ),
        word(
            "pattern",
            "regular expression",
            "none",
            "`invalidValues`: what a valid text contains.",
            "'^CT'",
        ),
    ],
    kept: &[],
};
