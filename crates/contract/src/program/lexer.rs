//! The words of an expression, as the Common Expression Language writes them.

use crate::Decimal;
use crate::finding::quoted;

use super::flaw::ExpressionFlaw;

/// The largest number of digits of a whole number.
pub(super) const WHOLE_DIGITS: u32 = 38;

/// One word, with the bytes that it takes in the expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lexed {
    pub(super) lexeme: Lexeme,
    pub(super) at: usize,
    pub(super) end: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme {
    /// A name or keyword.
    Word(String),
    /// A name in backticks, which is never a keyword.
    Property(String),
    /// A whole number, without sign.
    Whole(i128),
    /// A number with a point or an exponent, without sign.
    Number(Decimal),
    Text(String),
    /// An operator, bracket, comma or point.
    Sign(&'static str),
    End,
}

/// Operators and punctuation; those of two characters come first.
const SIGNS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "(", ")", "[", "]", ",", ".", "+", "-", "*",
    "/", "%",
];

/// Reads all words; the last is [`Lexeme::End`].
pub(super) fn lex(source: &str) -> Result<Vec<Lexed>, ExpressionFlaw> {
    let mut lexer = Lexer { source, at: 0 };
    let mut words = Vec::new();
    loop {
        lexer.skip_blanks();
        let at = lexer.at;
        let lexeme = lexer.next()?;
        let last = lexeme == Lexeme::End;
        words.push(Lexed { lexeme, at, end: lexer.at });
        if last {
            return Ok(words);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    /// Takes characters as long as they fit.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !fits(character)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Passes over blanks, line ends and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|character| matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|character| character != '\n');
        }
    }

    fn next(&mut self) -> Result<Lexeme, ExpressionFlaw> {
        let at = self.at;
        let Some(first) = self.peek() else { return Ok(Lexeme::End) };
        if first.is_ascii_alphabetic() || first == '_' {
            let word = self.take_while(|character| character.is_ascii_alphanumeric() || character == '_');
            return match (word, self.peek()) {
                ("r" | "R", Some('"' | '\'')) => self.text(at, true),
                (_, Some('"' | '\'')) => Err(ExpressionFlaw::new(
                    at,
                    format!("a text with the prefix {}", quoted(word)),
                    "a text in quotes, or `r` and a text in quotes",
                    "texts of bytes are not supported",
                )),
                _ => Ok(Lexeme::Word(word.to_owned())),
            };
        }
        if first.is_ascii_digit() || (first == '.' && self.rest().chars().nth(1).is_some_and(is_digit)) {
            return self.number(at);
        }
        if matches!(first, '"' | '\'') {
            return self.text(at, false);
        }
        if first == '`' {
            return self.property(at);
        }
        if let Some(sign) = SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Lexeme::Sign(sign));
        }
        let advice = match first {
            '=' => "write `==` to compare",
            '&' => "write `&&`",
            '|' => "write `||`",
            '{' | '}' => "maps are not supported",
            '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' => "write straight quotes",
            _ => "a name with other characters than letters, digits and `_` stands in backticks",
        };
        Err(ExpressionFlaw::new(at, quoted(&first.to_string()), "a name, a value or an operator", advice))
    }

    fn property(&mut self, at: usize) -> Result<Lexeme, ExpressionFlaw> {
        self.take();
        let name = self.take_while(|character| character != '`' && !character.is_control());
        if self.take() != Some('`') || name.is_empty() {
            return Err(ExpressionFlaw::new(
                at,
                "a backtick that does not enclose a name",
                "the name of a property between two backticks",
                "",
            ));
        }
        Ok(Lexeme::Property(name.to_owned()))
    }

    fn number(&mut self, at: usize) -> Result<Lexeme, ExpressionFlaw> {
        let whole = self.take_while(is_digit);
        let mut plain = true;
        if self.peek() == Some('.') && self.rest().chars().nth(1).is_some_and(is_digit) {
            self.take();
            self.take_while(is_digit);
            plain = false;
        }
        let behind = self.rest().trim_start_matches(['e', 'E']);
        let sign = usize::from(behind.starts_with(['+', '-']));
        if behind.len() + 1 == self.rest().len() && behind.chars().nth(sign).is_some_and(is_digit) {
            self.at += 1 + sign;
            self.take_while(is_digit);
            plain = false;
        }
        let written = self.source.get(at..self.at).unwrap_or_default();
        if self.peek().is_some_and(|character| character.is_alphanumeric() || character == '_') {
            return Err(ExpressionFlaw::new(
                at,
                format!("a letter behind the number {}", quoted(written)),
                "a decimal number such as `12` or `1.5`",
                "numbers need no suffix, and hexadecimal ones are not supported",
            ));
        }
        let beyond = || {
            ExpressionFlaw::new(at, quoted(written), format!("a number of at most {WHOLE_DIGITS} digits"), "")
        };
        if !plain {
            let padded = if whole.is_empty() { format!("0{written}") } else { written.to_owned() };
            return Decimal::parse(padded.as_bytes()).map(Lexeme::Number).ok_or_else(beyond);
        }
        let value = whole.parse::<i128>().ok().filter(|value| is_whole(*value));
        value.map(Lexeme::Whole).ok_or_else(beyond)
    }

    fn text(&mut self, at: usize, raw: bool) -> Result<Lexeme, ExpressionFlaw> {
        let quote = self.take().unwrap_or('"');
        let mark = quote.to_string();
        if self.rest().starts_with(&mark.repeat(2)) {
            return Err(ExpressionFlaw::new(
                at,
                "three quotes in a row",
                "a text in single or double quotes",
                "texts in three quotes are not supported",
            ));
        }
        let mut text = String::new();
        loop {
            let here = self.at;
            match self.take() {
                Some(character) if character == quote => return Ok(Lexeme::Text(text)),
                None | Some('\n' | '\r') => {
                    return Err(ExpressionFlaw::new(
                        at,
                        "a text without its closing quote",
                        format!("`{quote}` at the end of the text, on the same line"),
                        "",
                    ));
                }
                Some('\\') if !raw => text.push(self.escaped(here)?),
                Some(character) => text.push(character),
            }
        }
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self, at: usize) -> Result<char, ExpressionFlaw> {
        let letter = self.take().unwrap_or(' ');
        let code = match letter {
            '\\' | '"' | '\'' | '`' | '?' => return Ok(letter),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'v' => return Ok('\u{b}'),
            'x' | 'X' => self.digits(2, 16),
            'u' => self.digits(4, 16),
            'U' => self.digits(8, 16),
            '0'..='3' => {
                self.at -= 1;
                self.digits(3, 8)
            }
            _ => None,
        };
        code.and_then(char::from_u32).ok_or_else(|| {
            let known = r#"an escape such as `\\`, `\"`, `\n` or `\u00e4`"#;
            ExpressionFlaw::new(
                at,
                "a backslash that begins no escape",
                known,
                r"double the backslash, or write the pattern as `r'\d'`",
            )
        })
    }

    fn digits(&mut self, count: usize, radix: u32) -> Option<u32> {
        let digits = self.rest().get(..count)?;
        let all_digits = digits.chars().all(|character| character.is_digit(radix));
        self.at += count;
        u32::from_str_radix(digits, radix).ok().filter(|_| all_digits)
    }
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

/// Returns whether a whole number has at most 38 digits.
pub(super) fn is_whole(value: i128) -> bool {
    const END: u128 = 10_u128.pow(WHOLE_DIGITS);
    value.unsigned_abs() < END
}
