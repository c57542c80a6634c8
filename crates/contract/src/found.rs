//! What broke a rule: lengths, positions and kinds, never content.

/// What broke a rule. `Copy` and of at most 16 bytes, so that a violation costs no allocation, and without room for a
/// cell's content. Positions and counts are capped at `u32::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing more to say than that the rule was broken.
    Unspecified,
    /// A null or empty cell.
    Null,
    /// A field that is not there.
    Absent,
    /// A JSON value of another kind than the rule wants.
    JsonKind(JsonKind),
    /// Text of fewer characters (Unicode code points) than the rule wants.
    TooShort {
        /// Its characters.
        characters: u32,
        /// The least number allowed.
        least: u32,
    },
    /// Text of more characters (Unicode code points) than the rule allows.
    TooLong {
        /// Its characters.
        characters: u32,
        /// The greatest number allowed.
        most: u32,
    },
    /// Text that does not match a pattern.
    NoMatch(Mismatch),
    /// Text that has not the well-known form of the rule.
    OtherForm,
    /// A value outside of the rule's list.
    NotListed,
    /// A spelling of a missing value.
    MissingWord,
    /// A value below the smallest allowed.
    Below,
    /// A value above the largest allowed.
    Above,
    /// A number that is not a multiple of the rule's step.
    NotAMultiple,
    /// Fewer items or members than the rule wants.
    TooFew {
        /// How many there are.
        count: u32,
        /// The least number allowed.
        least: u32,
    },
    /// More items or members than the rule allows.
    TooMany {
        /// How many there are.
        count: u32,
        /// The greatest number allowed.
        most: u32,
    },
    /// An array with two equal items.
    RepeatedItem,
    /// Text that is not a number.
    NotANumber {
        /// What is wrong.
        flaw: NumberFlaw,
        /// The 1-based position of the character.
        at: u32,
    },
    /// A number with a fraction where a whole number is wanted.
    Fraction,
    /// More digits before the decimal point than the type has.
    IntegerDigits {
        /// Digits before the point.
        digits: u32,
        /// The greatest number allowed.
        most: u32,
    },
    /// More digits after the decimal point than the type has.
    FractionDigits {
        /// Digits after the point.
        digits: u32,
        /// The greatest number allowed.
        most: u32,
    },
    /// More significant digits than can be stored.
    SignificantDigits {
        /// Significant digits.
        digits: u32,
        /// The greatest number allowed.
        most: u32,
    },
    /// A number that is too far from zero to be stored.
    TooHuge,
    /// A number that is too close to zero to be stored.
    TooTiny,
    /// Text that is not a boolean.
    NotABoolean {
        /// Whether it is one of the words that other systems write for a boolean.
        usual: bool,
    },
    /// Text that does not follow the pattern of a date or time.
    NotADate {
        /// What the pattern has there.
        wanted: DatePart,
        /// The 1-based position of the character.
        at: u32,
        /// Whether the text ends before that position.
        ended: bool,
    },
    /// A day that the month does not have.
    NoSuchDay,
    /// A day of the week that is not the date's.
    OtherWeekday,
    /// A local time that the time zone's clocks skip.
    SkippedTime,
    /// A local time that the time zone's clocks show twice.
    RepeatedTime,
    /// A time that its offset moves out of the years 1 to 9999.
    OutsideYears,
    /// A business rule whose expression is false.
    ExpressionFalse,
    /// A business rule in which a result has more than 38 digits or is out of range.
    ExpressionOverflow,
    /// A business rule that divides by zero.
    ExpressionDivision,
    /// Another number of cells than there are columns.
    Cells {
        /// Cells of the record.
        cells: u32,
        /// Columns.
        columns: u32,
    },
    /// A number of fields.
    Count(u64),
    /// The value of an earlier record, which begins on this 1-based line; 0 when the line is not known.
    LineOfFirst(u64),
    /// The key of a later record, which is loaded instead.
    LaterRecord,
    /// The key of another record; none of them is loaded.
    OtherRecord,
    /// A number of bytes.
    Bytes(u64),
    /// A quote in the wrong place.
    Quote {
        /// The 1-based number of the cell.
        cell: u32,
        /// The 1-based position of the character in the record.
        at: u32,
    },
    /// Bytes that are not UTF-8.
    NotUtf8 {
        /// The 1-based position of the byte in the record.
        at: u32,
        /// The encoding that the bytes look like.
        looks_like: Option<LooksLike>,
    },
    /// A NUL character.
    Nul {
        /// The 1-based position of the character in the record.
        at: u32,
        /// The encoding that the bytes look like.
        looks_like: Option<LooksLike>,
    },
    /// Text that is not the JSON of a record.
    Json {
        /// What is wrong.
        flaw: JsonFlaw,
        /// The 1-based line within the record; 0 when the place is not known.
        line: u32,
        /// The 1-based position of the character in that line.
        at: u32,
    },
}

/// A kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 8259")]
pub enum JsonKind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// Where a text stops to match a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Not known: the pattern has choices.
    Somewhere,
    /// At the character at this 1-based position.
    Character(u32),
    /// The text ends after this number of characters, before the pattern does.
    Ends(u32),
}

/// What is wrong with the text of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFlaw {
    /// Another character that is not part of a number.
    Character,
    /// A letter of ASCII.
    Letter,
    /// The text ends where a digit is wanted.
    Ends,
    /// A blank.
    Blank,
    /// A comma where the decimal point is wanted.
    DecimalComma,
    /// A comma between digits, before a decimal point or another comma.
    GroupComma,
    /// A comma behind a point.
    PointAndComma,
    /// A point, where the contract has another decimal separator.
    Point,
    /// A second decimal separator.
    SecondDecimal,
    /// A group of digits that is not of three.
    Group,
}

/// What a pattern of dates and times has at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePart {
    /// This ASCII character of the contract's pattern.
    Literal(u8),
    /// Another character of the contract's pattern.
    OtherLiteral,
    /// A digit.
    Digit,
    /// A year from 1.
    Year,
    /// A month from 1 to 12.
    Month,
    /// A day from 1 to 31.
    Day,
    /// An hour from 0 to 23.
    Hour,
    /// An hour from 1 to 12.
    HalfDayHour,
    /// A minute or second from 0 to 59.
    Sixty,
    /// An English month name: in full, or its first three letters.
    MonthName {
        /// In full.
        full: bool,
    },
    /// An English name of a day of the week: in full, or its first three letters.
    Weekday {
        /// In full.
        full: bool,
    },
    /// `AM` or `PM`.
    HalfDay,
    /// An offset from UTC.
    Offset,
    /// The end of the text.
    End,
}

/// The encoding that bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksLike {
    /// UTF-16.
    Utf16,
    /// Windows-1252, of which Latin-1 is a part for printed text.
    Windows1252,
}

/// What is wrong with the text of a JSON record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFlaw {
    /// A value is wanted.
    Value,
    /// A word that is not `true`, `false` or `null`.
    Word,
    /// A single quote where a value or a name is wanted.
    SingleQuote,
    /// A comment.
    Comment,
    /// A byte order mark inside of the text.
    ByteOrderMark,
    /// A comma before the closing brace of an object.
    CommaBeforeBrace,
    /// A comma before the closing bracket of an array.
    CommaBeforeBracket,
    /// A comma or a closing brace is wanted.
    CommaOrBrace,
    /// A comma or a closing bracket is wanted.
    CommaOrBracket,
    /// A field name in double quotes is wanted.
    Name,
    /// A colon is wanted.
    Colon,
    /// A control character within a string.
    Control,
    /// A backslash before a character that JSON does not escape.
    Escape,
    /// Half of a surrogate pair.
    Surrogate,
    /// A number with a leading zero.
    LeadingZero,
    /// A digit is wanted.
    Digit,
    /// The text ends within a value.
    Ends,
    /// Text behind the record.
    After,
    /// A field name that occurs twice in one object.
    DuplicateField,
    /// Nesting beyond the limit.
    Depth,
    /// An escaped NUL character.
    Nul,
    /// Not told apart.
    Syntax,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Violation;

    #[test]
    fn a_violation_is_small() {
        assert!(size_of::<Found>() <= 16, "{}", size_of::<Found>());
        assert!(size_of::<Violation>() <= 24, "{}", size_of::<Violation>());
    }
}
