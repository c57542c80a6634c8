//! Random expressions: the `cel` crate and the program say the same where the language means the same, and an evaluator
//! of three-valued logic says the same of nulls.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Cell, Program, ProgramOutcome, outcome, program};
use crate::Decimal;

/// Takes choices from bytes, so that any bytes are an expression.
struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl Choices<'_> {
    fn below(&mut self, end: u8) -> u8 {
        self.bytes.next().copied().unwrap_or(0) % end
    }

    fn one(&mut self, words: &[&'static str]) -> &'static str {
        words[usize::from(self.below(u8::try_from(words.len()).unwrap()))]
    }

    fn truth(&mut self, depth: u8) -> String {
        let comparison = ["==", "!=", "<", "<=", ">", ">="];
        if depth == 0 {
            return self.one(&["p", "q", "true", "false"]).to_owned();
        }
        match self.below(12) {
            0 => format!("!{}", self.truth_in_brackets(depth)),
            1 | 2 => format!("({} && {})", self.truth(depth - 1), self.truth(depth - 1)),
            3 | 4 => format!("({} || {})", self.truth(depth - 1), self.truth(depth - 1)),
            5 => {
                format!("({} ? {} : {})", self.truth(depth - 1), self.truth(depth - 1), self.truth(depth - 1))
            }
            6 => {
                let (left, right) = (self.whole(depth - 1), self.whole(depth - 1));
                format!("({left} {} {right})", self.one(&comparison))
            }
            7 => {
                let (left, right) = (self.number(depth - 1), self.number(depth - 1));
                format!("({left} {} {right})", self.one(&comparison))
            }
            8 => {
                let (left, right) = (self.text(depth - 1), self.text(depth - 1));
                format!("({left} {} {right})", self.one(&comparison))
            }
            9 => format!("({} in [{}, -3, 7])", self.whole(depth - 1), self.below(9)),
            10 => format!("({} in ['', 'CT', 'Zoë'])", self.text(depth - 1)),
            _ => {
                let (text, other) = (self.text(depth - 1), self.text(depth - 1));
                match self.below(5) {
                    0 => format!("{text}.startsWith({other})"),
                    1 => format!("{text}.endsWith({other})"),
                    2 => format!("{text}.contains({other})"),
                    3 => format!("{text}.matches('{}')", self.one(&["^C", "T$", "^[A-Z]{2}$", "o|M", ""])),
                    _ => format!("({} == {})", self.truth(depth - 1), self.truth(depth - 1)),
                }
            }
        }
    }

    fn truth_in_brackets(&mut self, depth: u8) -> String {
        format!("({})", self.truth(depth - 1))
    }

    fn whole(&mut self, depth: u8) -> String {
        if depth == 0 || self.below(3) == 0 {
            return match self.below(3) {
                0 => "a".to_owned(),
                1 => "b".to_owned(),
                _ => self.below(40).to_string(),
            };
        }
        match self.below(8) {
            0 => format!("-({})", self.whole(depth - 1)),
            1 => format!("size({})", self.text(depth - 1)),
            2 => {
                format!("({} ? {} : {})", self.truth(depth - 1), self.whole(depth - 1), self.whole(depth - 1))
            }
            _ => {
                let (left, right) = (self.whole(depth - 1), self.whole(depth - 1));
                format!("({left} {} {right})", self.one(&["+", "-", "*", "/", "%"]))
            }
        }
    }

    /// Eighths, which a float of 64 bits adds and multiplies exactly.
    fn number(&mut self, depth: u8) -> String {
        if depth == 0 || self.below(3) == 0 {
            return self.one(&["x", "y", "0.125", "2.5", "10.0"]).to_owned();
        }
        match self.below(4) {
            0 => format!("-({})", self.number(depth - 1)),
            1 => format!(
                "({} ? {} : {})",
                self.truth(depth - 1),
                self.number(depth - 1),
                self.number(depth - 1)
            ),
            _ => {
                let (left, right) = (self.number(depth - 1), self.number(depth - 1));
                format!("({left} {} {right})", self.one(&["+", "-", "*"]))
            }
        }
    }

    fn text(&mut self, depth: u8) -> String {
        if depth > 0 && self.below(6) == 0 {
            return format!(
                "({} ? {} : {})",
                self.truth(depth - 1),
                self.text(depth - 1),
                self.text(depth - 1)
            );
        }
        self.one(&["s", "t", "'CT'", "'o'", "''", "'Zoë'"]).to_owned()
    }
}

/// A record without nulls.
#[derive(Clone, Debug)]
struct RandomRecord {
    wholes: [i64; 2],
    eighths: [i32; 2],
    texts: [&'static str; 2],
    truths: [bool; 2],
}

fn values() -> impl Strategy<Value = RandomRecord> {
    let text = || prop::sample::select(vec!["", "CT", "MR", "Zoë", "o", "CTo"]);
    ([-40_i64..40, -3_i64..4], [-80_i32..80, -8_i32..9], [text(), text()], any::<[bool; 2]>())
        .prop_map(|(wholes, eighths, texts, truths)| RandomRecord { wholes, eighths, texts, truths })
}

impl RandomRecord {
    fn ours(&self, program: &Program) -> ProgramOutcome {
        let wholes = self.wholes.map(|value| value.to_string());
        let numbers = self.eighths.map(|value| format!("{:?}", f64::from(value) / 8.0));
        let cells = [
            ("a", Cell::Number(wholes[0].as_bytes())),
            ("b", Cell::Number(wholes[1].as_bytes())),
            ("x", Cell::Number(numbers[0].as_bytes())),
            ("y", Cell::Number(numbers[1].as_bytes())),
            ("s", Cell::String(self.texts[0].as_bytes())),
            ("t", Cell::String(self.texts[1].as_bytes())),
            ("p", Cell::Boolean(self.truths[0])),
            ("q", Cell::Boolean(self.truths[1])),
        ];
        outcome(program, &cells)
    }

    fn theirs(&self, expression: &str) -> ProgramOutcome {
        let program =
            cel::Program::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut context = cel::Context::default();
        let numbers = self.eighths.map(|value| f64::from(value) / 8.0);
        for (name, value) in [
            ("a", cel::Value::Int(self.wholes[0])),
            ("b", cel::Value::Int(self.wholes[1])),
            ("x", cel::Value::Float(numbers[0])),
            ("y", cel::Value::Float(numbers[1])),
            ("s", cel::Value::from(self.texts[0])),
            ("t", cel::Value::from(self.texts[1])),
            ("p", cel::Value::Bool(self.truths[0])),
            ("q", cel::Value::Bool(self.truths[1])),
        ] {
            context.add_variable_from_value(name, value);
        }
        match program.execute(&context) {
            Ok(cel::Value::Bool(true)) => ProgramOutcome::True,
            Ok(cel::Value::Bool(false)) => ProgramOutcome::False,
            Err(cel::ExecutionError::DivisionByZero(_) | cel::ExecutionError::RemainderByZero(_)) => {
                ProgramOutcome::DividedByZero
            }
            other => panic!("{expression}: {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_program_says_what_the_language_says(
        bytes in prop::collection::vec(any::<u8>(), 0..80), records in prop::collection::vec(values(), 1..6),
    ) {
        // Names a property even where the choices did not.
        let expression = format!("(p || !p) && {}", Choices { bytes: bytes.iter() }.truth(4));
        prop_assume!(expression.len() <= super::LONGEST);
        let program = program(&expression);
        for record in records {
            prop_assert_eq!(record.ours(&program), record.theirs(&expression), "{} {:?}", expression, record);
        }
    }
}

proptest! {
    /// The short cuts of a comparison with a whole number say what exact decimals say.
    #[test]
    fn a_limit_is_compared_exactly(
        text in "-?[0-9]{1,20}(\\.[0-9]{1,6})?(e-?[0-9])?", at in prop_oneof![any::<i64>(), -2_000_i64..2_000],
        sign in prop::sample::select(&["==", "!=", "<", "<=", ">", ">="][..]),
    ) {
        let order = Decimal::parse(text.as_bytes()).unwrap().cmp(&Decimal::from(at));
        let holds = match sign {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        };
        let expected = if holds { ProgramOutcome::True } else { ProgramOutcome::False };
        for expression in [format!("x {sign} {at}"), format!("x {sign} y"), format!("(x {sign} {at}.0)")] {
            let program = program(&expression);
            let limit = at.to_string();
            for cell in [Cell::Text(text.as_bytes()), Cell::Number(text.as_bytes())] {
                let cells = [("x", cell), ("y", Cell::Number(limit.as_bytes()))];
                prop_assert_eq!(outcome(&program, &cells), expected, "{} {}", expression, text);
            }
        }
    }
}

/// Logic over nulls: false is -1, unknown 0, true 1.
#[derive(Clone, Debug)]
enum Logic {
    Column(usize),
    IsNull(usize),
    Not(Box<Logic>),
    And(Vec<Logic>),
    Or(Vec<Logic>),
    If(Box<[Logic; 3]>),
    Same(Box<[Logic; 2]>),
}

fn logic() -> impl Strategy<Value = Logic> {
    let leaf = prop_oneof![(0_usize..4).prop_map(Logic::Column), (0_usize..4).prop_map(Logic::IsNull)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Logic::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..5).prop_map(Logic::And),
            prop::collection::vec(inner.clone(), 2..5).prop_map(Logic::Or),
            [inner.clone(), inner.clone(), inner.clone()].prop_map(|parts| Logic::If(Box::new(parts))),
            [inner.clone(), inner].prop_map(|sides| Logic::Same(Box::new(sides))),
        ]
    })
}

/// Columns that are booleans: two of that type, and comparisons of two others.
const COLUMNS: [(&str, &str); 4] = [("p", "p"), ("q", "q"), ("a", "a > 0"), ("s", "s == 'yes'")];

impl Logic {
    fn write(&self, out: &mut String) {
        match self {
            Self::Column(index) => write!(out, "({})", COLUMNS[*index].1).unwrap(),
            Self::IsNull(index) if index % 2 == 0 => write!(out, "({} == null)", COLUMNS[*index].0).unwrap(),
            Self::IsNull(index) => write!(out, "!has({})", COLUMNS[*index].0).unwrap(),
            Self::Not(inner) => {
                out.push('!');
                inner.write(out);
            }
            Self::And(parts) => join(parts, " && ", out),
            Self::Or(parts) => join(parts, " || ", out),
            Self::If(parts) => {
                let [when, yes, no] = &**parts;
                for (sign, part) in [("(", when), (" ? ", yes), (" : ", no)] {
                    out.push_str(sign);
                    part.write(out);
                }
                out.push(')');
            }
            Self::Same(sides) => join(&**sides, " == ", out),
        }
    }

    fn value(&self, record: &[Option<bool>]) -> i8 {
        let number = |value: Option<bool>| value.map_or(0, |value| if value { 1 } else { -1 });
        match self {
            Self::Column(index) => number(record[*index]),
            Self::IsNull(index) => number(Some(record[*index].is_none())),
            Self::Not(inner) => -inner.value(record),
            Self::And(parts) => parts.iter().map(|part| part.value(record)).min().unwrap(),
            Self::Or(parts) => parts.iter().map(|part| part.value(record)).max().unwrap(),
            Self::If(parts) => match parts[0].value(record) {
                0 => 0,
                1 => parts[1].value(record),
                _ => parts[2].value(record),
            },
            Self::Same(sides) => sides[0].value(record) * sides[1].value(record),
        }
    }
}

fn join(parts: &[Logic], sign: &str, out: &mut String) {
    for (place, part) in parts.iter().enumerate() {
        out.push_str(if place == 0 { "(" } else { sign });
        part.write(out);
    }
    out.push(')');
}

proptest! {
    #[test]
    fn nulls_follow_three_valued_logic(
        logic in logic(), records in prop::collection::vec(any::<[Option<bool>; 4]>(), 1..20),
    ) {
        let mut expression = String::new();
        logic.write(&mut expression);
        let program = program(&expression);
        for record in records {
            let truth = |value: Option<bool>| value.map_or(Cell::Null, Cell::Boolean);
            let chosen = |value: Option<bool>, yes, no| value.map_or(Cell::Absent, |value| if value { yes } else { no });
            let cells = [
                ("p", truth(record[0])),
                ("q", truth(record[1])),
                ("a", chosen(record[2], Cell::Number(b"1"), Cell::Number(b"0"))),
                ("s", chosen(record[3], Cell::String(b"yes"), Cell::String(b"no"))),
            ];
            let expected = match logic.value(&record) {
                1 => ProgramOutcome::True,
                0 => ProgramOutcome::NotEvaluated,
                _ => ProgramOutcome::False,
            };
            prop_assert_eq!(outcome(&program, &cells), expected, "{} {:?}", expression, record);
        }
    }
}
