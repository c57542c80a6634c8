//! The words of `logicalTypeOptions`, by logical type.

use super::{Section, Word, choice, choices, word};
use crate::compiled::StringFormat;
use crate::document::LogicalType;

impl LogicalType {
    /// Returns the options of the type.
    pub(crate) fn options(self) -> &'static Section {
        match self {
            Self::String => &STRING,
            Self::Integer | Self::Number => &NUMBER,
            Self::Boolean => &BOOLEAN,
            Self::Date => &DATE,
            Self::Time => &TIME,
            Self::Timestamp => &TIMESTAMP,
            Self::Array => &ARRAY,
            Self::Object => &OBJECT,
            Self::Map => &MAP,
        }
    }
}

const NAME: &str = "`logicalTypeOptions`";
const LIMITS_ONLY: &str = "Limits apply to values that are not null.";

pub(crate) static STRING: Section = Section {
    name: NAME,
    title: "Options of `string`",
    about: "Lengths are in characters (Unicode code points).",
    words: &[
        word("minLength", "whole number from 0", "none", "The least number of characters.", "3"),
        word("maxLength", "whole number from 0", "none", "The greatest number of characters.", "20"),
        word(
            "pattern",
            "regular expression without look-around and back-references",
            "none",
            "The text must contain a match. Write `^…$` for the whole text.",
            "'^MRN[0-9]{6}$'",
        ),
        choice(
            "format",
            || choices(StringFormat::WORDS),
            "none",
            "The form of the text. Other formats of the standard are listed as not run.",
            "email",
        ),
    ],
    kept: &[],
};

pub(crate) static NUMBER: Section = Section {
    name: NAME,
    title: "Options of `integer` and `number`",
    about: "Numbers have at most 38 digits and are never rounded. `1.0` and `1e2` are integers.",
    words: &[
        word(
            "format",
            "`i8`, `i16`, `i32`, `i64`, `i128`, `u8`, `u16`, `u32`, `u64`, `u128`; for `number` also `f32`, `f64`",
            "none",
            "The range of a machine number.",
            "i32",
        ),
        word("minimum", "number", "none", "The smallest allowed value.", "0"),
        word(
            "exclusiveMinimum",
            "number; `true` next to `minimum`",
            "none",
            "Values must be above this one.",
            "0",
        ),
        word("maximum", "number", "none", "The largest allowed value.", "120"),
        word(
            "exclusiveMaximum",
            "number; `true` next to `maximum`",
            "none",
            "Values must be below this one.",
            "1000",
        ),
        word("multipleOf", "number above 0", "none", "Values are a multiple of this one.", "0.05"),
    ],
    kept: &[],
};

pub(crate) static BOOLEAN: Section = Section {
    name: NAME,
    title: "Options of `boolean`",
    about: "`true` or `false`. CSV also has any letter case, `1` and `0`, or the words of `trueValues` and `falseValues`.",
    words: &[],
    kept: &[],
};

const MINIMUM: &str = "The earliest allowed value, written as the values are.";
const EXCLUSIVE_MINIMUM: &str = "Values must be later than this one.";
const MAXIMUM: &str = "The latest allowed value, written as the values are.";
const EXCLUSIVE_MAXIMUM: &str = "Values must be earlier than this one.";

/// Returns the limits of a date or time, with examples.
const fn limit(name: &'static str, does: &'static str, example: &'static str) -> Word {
    word(name, "value in the property's `format`", "none", does, example)
}

pub(crate) static DATE: Section = Section {
    name: NAME,
    title: "Options of `date`",
    about: LIMITS_ONLY,
    words: &[
        word(
            "format",
            "pattern, see [Patterns](#patterns-of-dates-and-times)",
            "`yyyy-MM-dd`",
            "How a date is written.",
            "dd.MM.yyyy",
        ),
        limit("minimum", MINIMUM, "'2020-01-01'"),
        limit("exclusiveMinimum", EXCLUSIVE_MINIMUM, "'2020-01-01'"),
        limit("maximum", MAXIMUM, "'2029-12-31'"),
        limit("exclusiveMaximum", EXCLUSIVE_MAXIMUM, "'2030-01-01'"),
    ],
    kept: &[],
};

pub(crate) static TIME: Section = Section {
    name: NAME,
    title: "Options of `time`",
    about: "A time of day. Times are compared as written, without a time zone.",
    words: &[
        word(
            "format",
            "pattern, see [Patterns](#patterns-of-dates-and-times)",
            "`HH:mm:ss`, a fraction is optional",
            "How a time is written.",
            "HH:mm",
        ),
        word("timezone", "`true` or `false`", "none", "Listed as not run.", "true"),
        word("defaultTimezone", "IANA time zone name", "none", "Listed as not run.", "Etc/UTC"),
        limit("minimum", MINIMUM, "'08:00:00'"),
        limit("exclusiveMinimum", EXCLUSIVE_MINIMUM, "'08:00:00'"),
        limit("maximum", MAXIMUM, "'18:00:00'"),
        limit("exclusiveMaximum", EXCLUSIVE_MAXIMUM, "'18:00:00'"),
    ],
    kept: &[],
};

pub(crate) static TIMESTAMP: Section = Section {
    name: NAME,
    title: "Options of `timestamp`",
    about: "A date and time. It is stored in UTC when its offset or its time zone is known.",
    words: &[
        word(
            "format",
            "pattern, see [Patterns](#patterns-of-dates-and-times)",
            "ISO 8601: `yyyy-MM-dd'T'HH:mm:ss`; a fraction and an offset are optional",
            "How a timestamp is written.",
            "dd.MM.yyyy HH:mm",
        ),
        word(
            "timezone",
            "`true` or `false`",
            "`true`",
            "`false`: a text without an offset is a local time, and is stored as one.",
            "false",
        ),
        word(
            "defaultTimezone",
            "IANA time zone name",
            "UTC",
            "The time zone of a text without an offset.",
            "Europe/Berlin",
        ),
        limit("minimum", MINIMUM, "'2020-01-01T00:00:00Z'"),
        limit("exclusiveMinimum", EXCLUSIVE_MINIMUM, "'2020-01-01T00:00:00Z'"),
        limit("maximum", MAXIMUM, "'2029-12-31T00:00:00Z'"),
        limit("exclusiveMaximum", EXCLUSIVE_MAXIMUM, "'2030-01-01T00:00:00Z'"),
    ],
    kept: &[],
};

pub(crate) static ARRAY: Section = Section {
    name: NAME,
    title: "Options of `array`",
    about: "JSON only. `items` of the property says what an item is.",
    words: &[
        word("minItems", "whole number from 0", "none", "The least number of items.", "1"),
        word("maxItems", "whole number from 0", "none", "The greatest number of items.", "10"),
        word("uniqueItems", "`true` or `false`", "`false`", "Whether an item may occur once.", "true"),
    ],
    kept: &[],
};

pub(crate) static OBJECT: Section = Section {
    name: NAME,
    title: "Options of `object`",
    about: "JSON only. `properties` of the property says what its fields are.",
    words: &[
        word(
            "required",
            "list of names of its properties",
            "none",
            "The fields that must be there and not null.",
            "[zip]",
        ),
        word("minProperties", "whole number from 0", "none", "The least number of fields.", "1"),
        word("maxProperties", "whole number from 0", "none", "The greatest number of fields.", "10"),
    ],
    kept: &[],
};

pub(crate) static MAP: Section = Section {
    name: NAME,
    title: "Options of `map`",
    about: "JSON only. `map` of the property says what its values are.",
    words: &[
        word("minProperties", "whole number from 0", "none", "The least number of fields.", "1"),
        word("maxProperties", "whole number from 0", "none", "The greatest number of fields.", "10"),
    ],
    kept: &[],
};
