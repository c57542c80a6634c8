//! Why a record was rejected: the broken rule in its own words, without any content of the record.

mod row;
mod structure;

use contract::{
    Check, Column, Contract, DatePart, Found, JsonKind, Kind, Mismatch, NumberFlaw, Rule, Violation,
};

/// Characters of a pattern that a reason shows.
const PATTERN_CHARACTERS: usize = 80;

/// Returns one sentence for the sender: which rule is broken, where, and what is allowed. Holds contract text,
/// counts, positions and kinds, never content.
#[must_use]
pub fn reason(contract: &Contract, violation: &Violation) -> String {
    let owner = Owner::of(contract, violation);
    let sentence = sentence(contract, violation, owner.as_ref());
    match owner {
        Some(owner) if owner.depth > 0 => format!("in `{}`: {sentence}", owner.path),
        _ => sentence,
    }
}

/// The column, or property within one, whose rule is broken.
struct Owner<'a> {
    column: &'a Column,
    /// The names on the way to it, joined by points.
    path: String,
    /// 0 for a column at the top.
    depth: usize,
}

impl<'a> Owner<'a> {
    fn of(contract: &'a Contract, violation: &Violation) -> Option<Self> {
        let top = contract.columns.get(usize::from(violation.column?))?;
        let way = way_to(top, violation)?;
        let path = way.iter().rev().map(|column| column.name.as_str()).collect::<Vec<_>>().join(".");
        Some(Self { column: way.first()?, path, depth: way.len() - 1 })
    }

    /// Returns the checks of the broken rule.
    fn checks(&self, violation: &Violation) -> impl Iterator<Item = &'a Check> {
        let rule = violation.rule;
        self.column.checks.iter().filter(move |(index, _)| *index == rule).map(|(_, check)| check)
    }
}

/// Returns the property that has the broken rule, and those around it, from within.
fn way_to<'a>(column: &'a Column, violation: &Violation) -> Option<Vec<&'a Column>> {
    let rule = violation.rule;
    let own = column.type_rule == rule
        || column.required == Some(rule)
        || column.checks.iter().any(|(index, _)| *index == rule);
    if own {
        return Some(vec![column]);
    }
    let mut way = match &column.kind {
        Kind::Object(members) => members.iter().find_map(|member| way_to(member, violation)),
        Kind::Array(item) | Kind::Map(item) => item.as_deref().and_then(|item| way_to(item, violation)),
        _ => None,
    }?;
    way.push(column);
    Some(way)
}

fn sentence(contract: &Contract, violation: &Violation, owner: Option<&Owner<'_>>) -> String {
    let rule = contract.rule(violation.rule);
    match violation.found {
        Found::JsonKind(kind) => other_kind(kind, rule, owner),
        Found::TooShort { characters, least } => {
            format!("{}; at least {least} required", counted(characters, "character"))
        }
        Found::TooLong { characters, most } => {
            format!("{}; at most {most} allowed", counted(characters, "character"))
        }
        Found::TooFew { count, least } => {
            format!("{}; at least {least} required", counted(count, item_noun(owner)))
        }
        Found::TooMany { count, most } => {
            format!("{}; at most {most} allowed", counted(count, item_noun(owner)))
        }
        Found::RepeatedItem => "an item occurs more than once".to_owned(),
        Found::NoMatch(mismatch) => no_match(mismatch, violation, owner),
        Found::OtherForm | Found::NotAMultiple => format!("not {}", rule.expected),
        Found::NotListed => format!("not {}", listed(rule, violation, owner)),
        Found::MissingWord => "a spelling of a missing value; a value is required".to_owned(),
        Found::Below => format!("too {}; {} allowed", side(owner, ["small", "early"]), rule.expected),
        Found::Above => format!("too {}; {} allowed", side(owner, ["large", "late"]), rule.expected),
        Found::NotANumber { flaw, at } => not_a_number(flaw, at, owner),
        Found::Fraction => "has a fraction; a whole number is expected".to_owned(),
        Found::IntegerDigits { digits, most } => digits_beyond(digits, " before the decimal point", most),
        Found::FractionDigits { digits, most } => digits_beyond(digits, " after the decimal point", most),
        Found::SignificantDigits { digits, most } => digits_beyond(digits, "", most),
        Found::TooHuge => "too far from zero to be stored; less than 10^126 allowed".to_owned(),
        Found::TooTiny => "too close to zero to be stored; at least 10^-130 required".to_owned(),
        Found::NotABoolean { usual } => not_a_boolean(usual, rule, owner),
        Found::NotADate { wanted, at, ended } => not_a_date(wanted, at, ended, rule),
        Found::NoSuchDay => "a date that does not exist: its month has fewer days".to_owned(),
        Found::OtherWeekday => "a day of the week that is not the date's".to_owned(),
        Found::SkippedTime => {
            "a local time that does not exist: the clocks of the time zone skip it; send an offset".to_owned()
        }
        Found::RepeatedTime => {
            "a local time that exists twice: the clocks of the time zone are set back; send an offset"
                .to_owned()
        }
        Found::OutsideYears => "outside of the years 1 to 9999 when converted to UTC".to_owned(),
        found @ (Found::ExpressionFalse | Found::ExpressionOverflow | Found::ExpressionDivision) => {
            row::sentence(contract, violation, found)
        }
        found @ (Found::Unspecified
        | Found::Null
        | Found::Absent
        | Found::Cells { .. }
        | Found::Count(_)
        | Found::LineOfFirst(_)
        | Found::LaterRecord
        | Found::OtherRecord
        | Found::Bytes(_)
        | Found::Quote { .. }
        | Found::NotUtf8 { .. }
        | Found::Nul { .. }
        | Found::Json { .. }) => structure::sentence(contract, violation, found),
    }
}

/// Returns a count with its noun.
fn counted(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn item_noun(owner: Option<&Owner<'_>>) -> &'static str {
    match owner.map(|owner| &owner.column.kind) {
        Some(Kind::Object(_) | Kind::Map(_)) => "member",
        _ => "item",
    }
}

/// Checks on which side of a limit a value lies: in size, or in time.
fn side(owner: Option<&Owner<'_>>, [size, time]: [&'static str; 2]) -> &'static str {
    match owner.map(|owner| &owner.column.kind) {
        Some(Kind::Date(_) | Kind::Timestamp { .. } | Kind::Time(_)) => time,
        _ => size,
    }
}

fn kind_word(kind: JsonKind) -> &'static str {
    match kind {
        JsonKind::Null => "null",
        JsonKind::Boolean => "a JSON boolean",
        JsonKind::Number => "a JSON number",
        JsonKind::String => "a JSON string",
        JsonKind::Array => "a JSON array",
        JsonKind::Object => "a JSON object",
    }
}

/// Without an owner it is the record itself.
fn other_kind(kind: JsonKind, rule: &Rule, owner: Option<&Owner<'_>>) -> String {
    let expected = match owner.map(|owner| &owner.column.kind) {
        None => return format!("{}; each record is a JSON object", kind_word(kind)),
        Some(Kind::String) => "a string".to_owned(),
        Some(Kind::Integer) => "a whole number".to_owned(),
        Some(Kind::Number { .. }) => "a number".to_owned(),
        Some(Kind::Boolean) => "true or false, without quotes,".to_owned(),
        Some(Kind::Date(_) | Kind::Time(_) | Kind::Timestamp { .. }) => {
            format!("{} in quotes", rule.expected)
        }
        Some(Kind::Object(_) | Kind::Map(_)) => "an object".to_owned(),
        Some(Kind::Array(_)) => "an array".to_owned(),
    };
    format!("{}; {expected} is expected", kind_word(kind))
}

fn no_match(mismatch: Mismatch, violation: &Violation, owner: Option<&Owner<'_>>) -> String {
    let source = owner.into_iter().flat_map(|owner| owner.checks(violation)).find_map(|check| match check {
        Check::Pattern(pattern) => Some(pattern.source()),
        _ => None,
    });
    let source = source.unwrap_or("the pattern");
    let mut shown: String = source
        .chars()
        .take(PATTERN_CHARACTERS)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if source.chars().nth(PATTERN_CHARACTERS).is_some() {
        shown.push('…');
    }
    match mismatch {
        Mismatch::Somewhere => format!("does not match {shown}"),
        Mismatch::Character(at) => format!("character {at} does not match {shown}"),
        Mismatch::Ends(0) => format!("an empty text does not match {shown}"),
        Mismatch::Ends(at) => format!("ends after character {at}, too early to match {shown}"),
    }
}

fn listed<'a>(rule: &'a Rule, violation: &Violation, owner: Option<&Owner<'a>>) -> &'a str {
    let words = owner.into_iter().flat_map(|owner| owner.checks(violation)).find_map(|check| match check {
        Check::OneOf(set) => Some(set.words()),
        _ => None,
    });
    words.unwrap_or(&rule.expected)
}

/// Decimal digits beyond what is allowed; `place` says which digits.
fn digits_beyond(digits: u32, place: &str, most: u32) -> String {
    let allowed = if most == 0 { "none".to_owned() } else { format!("at most {most}") };
    format!("{}{place}; {allowed} allowed", counted(digits, "digit"))
}

fn not_a_number(flaw: NumberFlaw, at: u32, owner: Option<&Owner<'_>>) -> String {
    let noun = match owner.map(|owner| &owner.column.kind) {
        Some(Kind::Integer) => "a whole number",
        _ => "a number",
    };
    let spelling = owner.and_then(|owner| owner.column.spelling.as_deref());
    let shown = |character: Option<char>| {
        character.map_or(String::new(), |separator| match separator {
            ' ' | '\u{a0}' | '\u{202f}' => "a blank".to_owned(),
            other => format!("`{other}`"),
        })
    };
    let decimal = shown(Some(spelling.map_or('.', |spelling| char::from(spelling.decimal))));
    match flaw {
        NumberFlaw::Letter => format!("not {noun}: a letter at position {at}"),
        NumberFlaw::Character => {
            format!(
                "not {noun}: the character at position {at} is not a digit, sign, decimal separator or exponent"
            )
        }
        NumberFlaw::Ends => format!("not {noun}: it ends where a digit is expected, at position {at}"),
        NumberFlaw::Blank => format!("not {noun}: a blank at position {at}"),
        NumberFlaw::DecimalComma => format!(
            "character {at}: a comma where the decimal point is expected (the contract can set `decimalSeparator`)"
        ),
        NumberFlaw::GroupComma => {
            format!("character {at}: a comma between digits (the contract can set `groupSeparator`)")
        }
        NumberFlaw::PointAndComma => format!(
            "character {at}: a comma after a point (the contract can set `decimalSeparator` and `groupSeparator`)"
        ),
        NumberFlaw::Point => {
            format!("character {at}: a point; the contract's decimal separator is {decimal}")
        }
        NumberFlaw::SecondDecimal => format!("character {at}: a second decimal separator ({decimal})"),
        NumberFlaw::Group => format!(
            "character {at}: a group of digits that is not of three; the contract's group separator is {}",
            shown(spelling.and_then(|spelling| spelling.group))
        ),
    }
}

fn not_a_boolean(usual: bool, rule: &Rule, owner: Option<&Owner<'_>>) -> String {
    if owner.is_some_and(|owner| owner.column.spelling.is_some()) {
        return format!("not {}", rule.expected);
    }
    let hint = " (the contract can list other words in `trueValues` and `falseValues`)";
    format!("not one of true, false, 1, 0{}", if usual { hint } else { "" })
}

/// Returns what a pattern has at a place; the place where it is not met; the whole pattern.
fn not_a_date(wanted: DatePart, at: u32, ended: bool, rule: &Rule) -> String {
    let wanted = match wanted {
        DatePart::Literal(b' ') => "a blank is expected".to_owned(),
        DatePart::Literal(byte) => format!("`{}` is expected", char::from(byte)),
        DatePart::OtherLiteral => "the text of the pattern is expected".to_owned(),
        DatePart::Digit => "a digit is expected".to_owned(),
        DatePart::Year => "a year from 1 is expected".to_owned(),
        DatePart::Month => "a month from 1 to 12 is expected".to_owned(),
        DatePart::Day => "a day from 1 to 31 is expected".to_owned(),
        DatePart::Hour => "an hour from 0 to 23 is expected".to_owned(),
        DatePart::HalfDayHour => "an hour from 1 to 12 is expected".to_owned(),
        DatePart::Sixty => "a number from 0 to 59 is expected".to_owned(),
        DatePart::MonthName { full: false } => {
            "an English month of three letters, such as Jan, is expected".to_owned()
        }
        DatePart::MonthName { full: true } => {
            "an English month in full, such as January, is expected".to_owned()
        }
        DatePart::Weekday { full: false } => {
            "an English weekday of three letters, such as Mon, is expected".to_owned()
        }
        DatePart::Weekday { full: true } => {
            "an English weekday in full, such as Monday, is expected".to_owned()
        }
        DatePart::HalfDay => "AM or PM is expected".to_owned(),
        DatePart::Offset => "an offset from UTC is expected".to_owned(),
        DatePart::End => "nothing more is expected".to_owned(),
    };
    let place = if ended { "ends too early, at character" } else { "character" };
    format!("not {}: {place} {at}: {wanted}", rule.expected)
}

#[cfg(test)]
mod tests;
