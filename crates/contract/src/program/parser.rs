//! From the words of an expression to its tree, by the grammar of the Common Expression Language
//! (cel-spec, `doc/langdef.md`, "Syntax").

use crate::Decimal;
use crate::finding::quoted;

use super::flaw::ExpressionFlaw;
use super::lexer::{Lexed, Lexeme, lex};
use super::{DEEPEST, LONGEST};

/// Words that the language keeps for itself; as the name of a property they stand in backticks.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    pub(super) syntax: Syntax,
    /// The bytes that it takes.
    pub(super) at: usize,
    pub(super) end: usize,
    /// The expressions within each other, this one included.
    depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Syntax {
    Name(String),
    Null,
    Boolean(bool),
    Whole(i128),
    Number(Decimal),
    Text(String),
    List(Vec<Expression>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    /// `&&` of all.
    All(Vec<Expression>),
    /// `||` of all.
    Any(Vec<Expression>),
    If(Box<[Expression; 3]>),
    Binary(Binary, Box<[Expression; 2]>),
    Call {
        function: String,
        target: Option<Box<Expression>>,
        arguments: Vec<Expression>,
    },
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Compare(Relation),
    In,
    Compute(Arithmetic),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

const COMPARISONS: [(&str, Binary); 6] = [
    ("==", Binary::Compare(Relation::Equal)),
    ("!=", Binary::Compare(Relation::NotEqual)),
    ("<", Binary::Compare(Relation::Less)),
    ("<=", Binary::Compare(Relation::LessOrEqual)),
    (">", Binary::Compare(Relation::Greater)),
    (">=", Binary::Compare(Relation::GreaterOrEqual)),
];
const SUMS: [(&str, Binary); 2] =
    [("+", Binary::Compute(Arithmetic::Add)), ("-", Binary::Compute(Arithmetic::Subtract))];
const PRODUCTS: [(&str, Binary); 3] = [
    ("*", Binary::Compute(Arithmetic::Multiply)),
    ("/", Binary::Compute(Arithmetic::Divide)),
    ("%", Binary::Compute(Arithmetic::Remainder)),
];

type Parsed = Result<Expression, ExpressionFlaw>;

/// Parses a whole expression.
pub(super) fn parse(source: &str) -> Parsed {
    if source.len() > LONGEST {
        return Err(ExpressionFlaw::new(
            0,
            format!("an expression of {} bytes", source.len()),
            format!("at most {LONGEST} bytes"),
            "write several rules",
        ));
    }
    let words = lex(source)?;
    let mut parser = Parser { words: &words, next: 0, open: 0 };
    let expression = parser.conditional()?;
    match parser.peek() {
        Lexeme::End => Ok(expression),
        _ => Err(parser.unexpected("an operator, or the end of the expression")),
    }
}

struct Parser<'a> {
    words: &'a [Lexed],
    next: usize,
    /// Brackets and conditions that are open.
    open: usize,
}

impl Parser<'_> {
    /// Returns the next word; the last one is [`Lexeme::End`] and is never passed.
    fn word(&self) -> Option<&Lexed> {
        self.words.get(self.next).or(self.words.last())
    }

    fn peek(&self) -> &Lexeme {
        self.word().map_or(&Lexeme::End, |word| &word.lexeme)
    }

    fn at(&self) -> usize {
        self.word().map_or(0, |word| word.at)
    }

    /// Returns the end of the last word that was taken.
    fn end(&self) -> usize {
        self.next.checked_sub(1).and_then(|last| self.words.get(last)).map_or(0, |word| word.end)
    }

    fn take(&mut self, sign: &str) -> bool {
        let taken = matches!(self.peek(), Lexeme::Sign(next) if *next == sign);
        self.next += usize::from(taken);
        taken
    }

    fn expect(&mut self, sign: &str) -> Result<(), ExpressionFlaw> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&quoted(sign))) }
    }

    fn unexpected(&self, expected: &str) -> ExpressionFlaw {
        let found = match self.peek() {
            Lexeme::End => "the end of the expression".to_owned(),
            Lexeme::Word(word) => quoted(word),
            Lexeme::Property(name) => format!("the property {}", quoted(name)),
            Lexeme::Whole(number) => format!("the number {number}"),
            Lexeme::Number(number) => format!("the number {number}"),
            Lexeme::Text(_) => "a text".to_owned(),
            Lexeme::Sign(sign) => quoted(sign),
        };
        ExpressionFlaw::new(self.at(), found, expected, "")
    }

    /// Makes a part of what it consists of, within the limit of nesting.
    fn part(&self, syntax: Syntax, at: usize, below: usize) -> Parsed {
        let depth = below + 1;
        if depth > DEEPEST {
            Err(too_deep(at))
        } else {
            Ok(Expression { syntax, at, end: self.end(), depth })
        }
    }

    /// `condition ? yes : no`, or the condition alone.
    fn conditional(&mut self) -> Parsed {
        let at = self.at();
        self.open += 1;
        if self.open > DEEPEST {
            return Err(too_deep(at));
        }
        let mut parsed = self.any()?;
        if self.take("?") {
            let yes = self.any()?;
            self.expect(":")?;
            let no = self.conditional()?;
            let depth = parsed.depth.max(yes.depth).max(no.depth);
            parsed = self.part(Syntax::If(Box::new([parsed, yes, no])), at, depth)?;
        }
        self.open -= 1;
        Ok(parsed)
    }

    fn any(&mut self) -> Parsed {
        self.several("||", Self::all, Syntax::Any)
    }

    fn all(&mut self) -> Parsed {
        self.several("&&", Self::comparison, Syntax::All)
    }

    fn several(
        &mut self,
        sign: &str,
        one: fn(&mut Self) -> Parsed,
        together: fn(Vec<Expression>) -> Syntax,
    ) -> Parsed {
        let at = self.at();
        let first = one(self)?;
        if !self.take(sign) {
            return Ok(first);
        }
        let mut parts = vec![first];
        loop {
            parts.push(one(self)?);
            if !self.take(sign) {
                let depth = parts.iter().map(|part| part.depth).max().unwrap_or_default();
                return self.part(together(parts), at, depth);
            }
        }
    }

    fn comparison(&mut self) -> Parsed {
        self.binary(&COMPARISONS, Self::sum)
    }

    fn sum(&mut self) -> Parsed {
        self.binary(&SUMS, Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.binary(&PRODUCTS, Self::unary)
    }

    /// Reads operators of one level, from the left.
    fn binary(&mut self, operators: &[(&str, Binary)], one: fn(&mut Self) -> Parsed) -> Parsed {
        let at = self.at();
        let mut left = one(self)?;
        loop {
            let known = operators.iter().find(|(sign, _)| self.take(sign)).map(|(_, binary)| *binary);
            let is_in = operators.len() == COMPARISONS.len()
                && matches!(self.peek(), Lexeme::Word(word) if word == "in");
            let binary = match known {
                Some(binary) => binary,
                None if is_in => {
                    self.next += 1;
                    Binary::In
                }
                None => return Ok(left),
            };
            let right = one(self)?;
            let depth = left.depth.max(right.depth);
            left = self.part(Syntax::Binary(binary, Box::new([left, right])), at, depth)?;
        }
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        let sign = ["!", "-"].into_iter().find(|sign| self.take(sign));
        let Some(sign) = sign else { return self.member() };
        let mut count = 1;
        while self.take(sign) {
            count += 1;
        }
        let mut inner = self.member()?;
        for _ in 0..count {
            let depth = inner.depth;
            let boxed = Box::new(inner);
            let syntax = if sign == "!" { Syntax::Not(boxed) } else { Syntax::Negative(boxed) };
            inner = self.part(syntax, at, depth)?;
        }
        Ok(inner)
    }

    /// A value, and calls on it: `name.startsWith("a")`.
    fn member(&mut self) -> Parsed {
        let at = self.at();
        let mut target = self.primary()?;
        while self.take(".") {
            let name_at = self.at();
            let Lexeme::Word(function) = self.peek().clone() else {
                return Err(self.unexpected("the name of a function"));
            };
            self.next += 1;
            if !self.take("(") {
                return Err(ExpressionFlaw::new(
                    name_at,
                    format!("the member {}", quoted(&function)),
                    "a function, such as `size()`",
                    "members of objects are not supported; a property of the record is written as its name alone",
                ));
            }
            let arguments = self.list(")")?;
            let depth = arguments.iter().map(|part| part.depth).max().unwrap_or_default().max(target.depth);
            let syntax = Syntax::Call { function, target: Some(Box::new(target)), arguments };
            target = self.part(syntax, at, depth)?;
        }
        if matches!(self.peek(), Lexeme::Sign("[")) {
            return Err(self.unexpected("an operator"));
        }
        Ok(target)
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let expected = "a property, a value, a function, `(` or `[`";
        let lexeme = self.peek().clone();
        match lexeme {
            Lexeme::End | Lexeme::Sign(_) => {}
            _ => self.next += 1,
        }
        let syntax = match lexeme {
            Lexeme::Word(word) => return self.word_or_call(word, at),
            Lexeme::Property(name) => Syntax::Name(name),
            Lexeme::Whole(number) => Syntax::Whole(number),
            Lexeme::Number(number) => Syntax::Number(number),
            Lexeme::Text(text) => Syntax::Text(text),
            Lexeme::Sign("(") => {
                self.next += 1;
                let inner = self.conditional()?;
                self.expect(")")?;
                return Ok(Expression { at, end: self.end(), ..inner });
            }
            Lexeme::Sign("[") => {
                self.next += 1;
                let items = self.list("]")?;
                let depth = items.iter().map(|item| item.depth).max().unwrap_or_default();
                return self.part(Syntax::List(items), at, depth);
            }
            Lexeme::End | Lexeme::Sign(_) => return Err(self.unexpected(expected)),
        };
        self.part(syntax, at, 0)
    }

    fn word_or_call(&mut self, word: String, at: usize) -> Parsed {
        let syntax = match word.as_str() {
            "true" => Syntax::Boolean(true),
            "false" => Syntax::Boolean(false),
            "null" => Syntax::Null,
            "in" => {
                self.next -= 1;
                return Err(self.unexpected("a property, a value, a function, `(` or `[`"));
            }
            reserved if RESERVED.contains(&reserved) => {
                return Err(ExpressionFlaw::new(
                    at,
                    format!("the reserved word {}", quoted(reserved)),
                    "the name of a property or function",
                    format!("a property of this name is written in backticks: `` `{reserved}` ``"),
                ));
            }
            _ if self.take("(") => {
                let arguments = self.list(")")?;
                let depth = arguments.iter().map(|part| part.depth).max().unwrap_or_default();
                return self.part(Syntax::Call { function: word, target: None, arguments }, at, depth);
            }
            _ => Syntax::Name(word),
        };
        self.part(syntax, at, 0)
    }

    /// Reads expressions between commas up to a closing bracket.
    fn list(&mut self, close: &str) -> Result<Vec<Expression>, ExpressionFlaw> {
        let mut items = Vec::new();
        if self.take(close) {
            return Ok(items);
        }
        loop {
            items.push(self.conditional()?);
            if self.take(close) {
                return Ok(items);
            }
            if !self.take(",") {
                return Err(self.unexpected(&format!("`,` or `{close}`")));
            }
            // A list may end with a comma.
            if close == "]" && self.take(close) {
                return Ok(items);
            }
        }
    }
}

fn too_deep(at: usize) -> ExpressionFlaw {
    ExpressionFlaw::new(
        at,
        format!("an expression nested deeper than {DEEPEST} levels"),
        format!("at most {DEEPEST} levels"),
        "write several rules; chains of `&&` and of `||` are one level",
    )
}
