//! The words of transforms and masks.

use super::{Section, choice, choices, word};
use crate::mask::DateUnit;

pub(crate) static TRANSFORM: Section = Section {
    name: "a transform",
    title: "Steps of `transform`",
    about: "A step, or a list of steps that run in their order: `[trim, { map: { m: M, f: F } }, { default: U }]`. They run before all rules, on properties at the top that are no object, array or map. Null stays null, but for `default`. What goes through a step is read as a CSV cell: as the property's own type, and nothing as null. `nullTokens` mean null before and after each step. Rejected records are kept as they were sent; the reasons are about the values behind the steps.",
    words: &[
        word("trim", "no value, or `true`", "none", "Removes white space at both ends.", "true"),
        word("upper", "no value, or `true`", "none", "Writes letters as capital ones.", "true"),
        word("lower", "no value, or `true`", "none", "Writes letters as small ones.", "true"),
        word(
            "map",
            "mapping of texts, at most 1000",
            "none",
            "Replaces a whole text by another. A text that is not listed stays.",
            "{ m: M, 'männlich': M, '1': M }",
        ),
        word("default", "text", "none", "Stands in for null.", "unknown"),
        word(
            "replace",
            "mapping, see below",
            "none",
            "Replaces every match of a pattern.",
            "{ pattern: '[^0-9]', with: '' }",
        ),
        word(
            "split",
            "mapping, see below",
            "none",
            "Keeps one of the parts between separators. It is null when there is no such part.",
            "{ by: '^', take: 1 }",
        ),
        word(
            "multiply",
            "number other than 0",
            "none",
            "Multiplies a number, exactly, such as from inches to centimetres. Only on `integer` and `number`. What is no number stays and is rejected by its type; so is a product of more than 38 digits.",
            "2.54",
        ),
        word(
            "dates",
            "list of patterns, see [Patterns](#patterns-of-dates-and-times)",
            "none",
            "Reads a value by the first pattern that fits and writes it in ISO 8601. Only on `date`, `timestamp` and `time` without a `format`. A value that fits none stays.",
            "['dd.MM.yyyy', 'yyyyMMdd']",
        ),
    ],
    kept: &[],
};

pub(crate) static REPLACE: Section = Section {
    name: "`replace`",
    title: "`replace` of a transform",
    about: "What is looked for, and what stands in its place.",
    words: &[
        word(
            "pattern",
            "regular expression without look-around and back-references",
            "required",
            "What is looked for, in the whole text, as often as it occurs.",
            "'([0-9]+) mm'",
        ),
        word(
            "with",
            "text of at most 1000 bytes",
            "required",
            "What stands in the place of a match. `$1` or `${name}` is a group of the match, `$$` is a dollar sign.",
            "'$1'",
        ),
    ],
    kept: &[],
};

pub(crate) static SPLIT: Section = Section {
    name: "`split`",
    title: "`split` of a transform",
    about: "What stands between the parts, and which part is kept.",
    words: &[
        word("by", "text", "required", "What stands between two parts.", "'^'"),
        word(
            "take",
            "whole number other than 0",
            "required",
            "Which part is kept: 1 is the first one, -1 the last one.",
            "1",
        ),
    ],
    kept: &[],
};

pub(crate) static MASK: Section = Section {
    name: "a mask",
    title: "Masks: `mask`",
    about: "What is stored of a value that is not null. A mask comes after all rules and before the key, so that neither a key nor an attribute has the value. Columns for `versionFrom` have none. Rejected records are kept as they were sent, in the quarantine bucket.",
    words: &[
        word(
            "none",
            "no value, or `true`",
            "none",
            "The value itself. A property that is classified as `pii`, `phi`, `personal` or `personal_data` must say so to be published.",
            "true",
        ),
        word(
            "drop",
            "no value, or `true`",
            "none",
            "Nothing: the row has no such attribute. Not in a key.",
            "true",
        ),
        word("redact", "no value, or `true`", "none", "`***`. Not in a key.", "true"),
        word(
            "last4",
            "no value, or `true`",
            "none",
            "`***` and the last four characters; of a value with less than eight characters only `***`. Not on `object`, `array`, `map` and `boolean`.",
            "true",
        ),
        word(
            "truncate",
            "whole number from 1",
            "none",
            "The first characters, this many. A shorter value is stored whole. Not on `object`, `array`, `map` and `boolean`.",
            "3",
        ),
        choice(
            "truncateDate",
            || choices(DateUnit::WORDS),
            "none",
            "The first instant of a year, month or day. Only on `date` and `timestamp`.",
            "year",
        ),
    ],
    kept: &[],
};
