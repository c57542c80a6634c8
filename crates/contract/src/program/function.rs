//! The functions that an expression may call.

use crate::finding::{did_you_mean, quoted};

use super::constant;
use super::flaw::ExpressionFlaw;
use super::lower::{Lowered, Lowering};
use super::node::{InstantNode, TextNode, TruthNode, WholeNode};
use super::operand::{InstantKind, Operand};
use super::parser::{Expression, Syntax};

/// Each function as it is called, and what it gives. `docs/contract.md` shows them.
pub(crate) const FUNCTIONS: [(&str, &str); 11] = [
    ("has(x)", "`true` when the property is there and not null"),
    ("x.size()", "the characters of a text; also `size(x)`"),
    ("x.startsWith(y)", "whether the text begins with another one"),
    ("x.endsWith(y)", "whether the text ends with another one"),
    ("x.contains(y)", "whether the text contains another one"),
    (
        "x.matches(\"pattern\")",
        "whether the text contains a match of the pattern, as `pattern` of a property",
    ),
    ("date(\"2026-01-31\")", "a date"),
    ("date(x)", "the day of a timestamp: in UTC, or as written when it has no time zone"),
    ("timestamp(\"2026-01-31T08:00:00Z\")", "a timestamp; without an offset, one without time zone"),
    ("time(\"08:00:00\")", "a time of day"),
    ("duration(\"36h\")", "a duration, of the units `h`, `m`, `s`, `ms`, `us` and `ns`"),
];

/// The names of the functions.
const NAMES: [&str; 10] =
    ["has", "size", "startsWith", "endsWith", "contains", "matches", "date", "timestamp", "time", "duration"];

impl Lowering<'_, '_> {
    /// Types a call. A method is a function whose first argument stands before it.
    pub(super) fn call(
        &mut self,
        part: &Expression,
        function: &str,
        target: Option<&Expression>,
        arguments: &[Expression],
    ) -> Lowered<Operand> {
        match (function, target, arguments) {
            ("has", None, [property]) => self.has(property),
            ("size", Some(text), []) | ("size", None, [text]) => {
                Ok(Operand::Whole(WholeNode::Size(Box::new(self.text(text)?))))
            }
            ("startsWith", Some(text), [other]) => self.texts(TruthNode::StartsWith, text, other),
            ("endsWith", Some(text), [other]) => self.texts(TruthNode::EndsWith, text, other),
            ("contains", Some(text), [other]) => self.texts(TruthNode::Contains, text, other),
            ("matches", Some(text), [pattern]) | ("matches", None, [text, pattern]) => {
                self.matches(text, pattern)
            }
            ("date" | "timestamp" | "time" | "duration", None, [value]) => self.instant(function, value),
            _ => Err(unknown_call(part, function, target.is_some())),
        }
    }

    fn has(&mut self, property: &Expression) -> Lowered<Operand> {
        let Syntax::Name(name) = &property.syntax else {
            let found = format!("`has` of {}", self.shown(property));
            return Err(ExpressionFlaw::new(property.at, found, "the name of a property", ""));
        };
        let is_null = TruthNode::IsNull(self.index_of(name, property.at)?);
        Ok(Operand::Truth(TruthNode::Not(Box::new(is_null))))
    }

    fn text(&mut self, part: &Expression) -> Lowered<TextNode> {
        match self.operand(part)? {
            Operand::Text(node) => Ok(node),
            other => {
                Err(self.wrong_kind(part, &other, "a text", "functions on text need `logicalType: string`"))
            }
        }
    }

    fn texts(
        &mut self,
        function: fn(Box<[TextNode; 2]>) -> TruthNode,
        text: &Expression,
        other: &Expression,
    ) -> Lowered<Operand> {
        Ok(Operand::Truth(function(Box::new([self.text(text)?, self.text(other)?]))))
    }

    fn matches(&mut self, text: &Expression, pattern: &Expression) -> Lowered<Operand> {
        let text = self.text(text)?;
        let Syntax::Text(source) = &pattern.syntax else {
            let found = format!("{} as a pattern", self.shown(pattern));
            return Err(ExpressionFlaw::new(pattern.at, found, "a pattern as a constant text", ""));
        };
        let pattern = (self.patterns)(source).map_err(|unusable| {
            ExpressionFlaw::new(pattern.at, unusable.reason, "a regular expression", unusable.advice)
        })?;
        Ok(Operand::Truth(TruthNode::Matches(Box::new(text), Box::new(pattern))))
    }

    /// Types a constant that is written as text, or the day of a timestamp.
    fn instant(&mut self, function: &str, value: &Expression) -> Lowered<Operand> {
        if let Syntax::Text(text) = &value.syntax {
            let (parsed, example, advice) = match function {
                "date" => (constant::date(text).map(|at| (InstantKind::Date, at)), "2026-01-31", ""),
                "time" => (constant::time(text).map(|at| (InstantKind::Time, at)), "08:00:00", ""),
                "timestamp" => (constant::timestamp(text), "2026-01-31T08:00:00Z", ""),
                _ => (
                    constant::duration(text).map(|at| (InstantKind::Duration, at)),
                    "36h",
                    "the units are `h`, `m`, `s`, `ms`, `us` and `ns`; a day is `24h`",
                ),
            };
            return match parsed {
                Some((kind, at)) => Ok(Operand::Instant(kind, InstantNode::Constant(at))),
                None => Err(ExpressionFlaw::new(
                    value.at,
                    self.shown(value),
                    format!("a {function} such as `\"{example}\"`"),
                    advice,
                )),
            };
        }
        let operand = self.operand(value)?;
        match (function, operand) {
            ("date", Operand::Instant(InstantKind::Timestamp | InstantKind::LocalTimestamp, node)) => {
                Ok(Operand::Instant(InstantKind::Date, InstantNode::Day(Box::new(node))))
            }
            ("date", other) => Err(self.wrong_kind(value, &other, "a timestamp, or a constant text", "")),
            (_, other) => Err(self.wrong_kind(
                value,
                &other,
                &format!("a constant text: `{function}(\"…\")`"),
                "a property already has the type of its `logicalType`",
            )),
        }
    }
}

/// Reports a call that no function takes.
fn unknown_call(part: &Expression, function: &str, method: bool) -> ExpressionFlaw {
    let name = if method { format!(".{function}") } else { function.to_owned() };
    if NAMES.contains(&function) {
        let forms: Vec<String> = FUNCTIONS
            .iter()
            .filter(|(form, _)| form.trim_start_matches("x.").split('(').next() == Some(function))
            .map(|(form, _)| format!("`{form}`"))
            .collect();
        let found = format!("{} with other arguments", quoted(&name));
        return ExpressionFlaw::new(part.at, found, forms.join(" or "), "");
    }
    let otherwise = match function {
        "int" | "uint" | "double" | "dyn" => {
            "integers and numbers are compared and computed as they are, exactly"
        }
        "string" | "bool" | "type" | "bytes" => "a property has the type of its `logicalType`",
        "now" | "today" => "no function reads the clock: a record is judged alike at each time it is checked",
        _ => "other functions of the language are not supported",
    };
    ExpressionFlaw::new(
        part.at,
        format!("the function {}", quoted(&name)),
        format!("one of {}", NAMES.join(", ")),
        did_you_mean(function, &NAMES, otherwise),
    )
}
