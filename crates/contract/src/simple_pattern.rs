//! Text patterns: regular expressions, and a small matcher for the anchored ones without choices.

mod ranges;

use regex::bytes::{Regex, RegexBuilder};

use self::ranges::{Fixed, Ranges};
use crate::Mismatch;

/// A compiled `pattern`: searched in the text, unanchored, as JSON Schema says.
///
/// `\d`, `\w` and `\b` know ASCII only, as in the regular expressions that JSON Schema refers to (ECMA-262); `.` is one
/// character. Time is linear in the text; look-around and back-references do not exist.
#[derive(Clone, Debug)]
pub struct TextPattern {
    source: String,
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    /// Characters one after another, from the beginning to the end of the text.
    Simple(Vec<ClassRun>),
    /// The same, where every text that matches has one length; the runs tell where another one stops to fit.
    Fixed(Fixed, Vec<ClassRun>),
    Regex(Regex),
}

/// At least `least` and at most `most` bytes of a set, as many as there are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClassRun {
    set: Set,
    /// The set as the matcher looks it up, by byte.
    has: Box<[bool; 256]>,
    /// The set as the matcher compares it, when it is of few ranges.
    ranges: Option<Ranges>,
    least: usize,
    most: usize,
}

/// A set of ASCII characters, one bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set(u128);

const DIGITS: &str = "[0-9]";
const WORD: &str = "[0-9A-Za-z_]";

impl TextPattern {
    /// Compiles a pattern. The error says in one line why it is none.
    pub fn compile(source: &str) -> Result<Self, String> {
        let regex =
            RegexBuilder::new(&with_ascii_classes(source)).build().map_err(|error| one_line(&error))?;
        let engine = match simplify(source) {
            None => Engine::Regex(regex),
            Some(runs) => match Fixed::new(&runs) {
                None => Engine::Simple(runs),
                Some(fixed) => Engine::Fixed(fixed, runs),
            },
        };
        Ok(Self { source: source.to_owned(), engine })
    }

    /// Returns the pattern as written in the contract.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns whether the text contains a match.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.engine {
            Engine::Simple(runs) => stop(runs, text).is_none(),
            Engine::Fixed(fixed, _) => fixed.is_match(text),
            Engine::Regex(regex) => regex.is_match(text),
        }
    }

    /// Returns where a text stops to match, as far as that is known; `None` when it matches.
    pub(crate) fn mismatch(&self, text: &[u8]) -> Option<Mismatch> {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        match &self.engine {
            Engine::Simple(runs) | Engine::Fixed(_, runs) => stop(runs, text).map(|at| {
                if at < text.len() {
                    Mismatch::Character(position(at).saturating_add(1))
                } else {
                    Mismatch::Ends(position(at))
                }
            }),
            Engine::Regex(regex) if regex.is_match(text) => None,
            Engine::Regex(_) => Some(Mismatch::Somewhere),
        }
    }
}

/// Returns the last line of the engine's message, which names the error without drawing it.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// Writes the Perl classes of a pattern as ASCII classes, which may also stand within brackets.
fn with_ascii_classes(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('d') => out.push_str(DIGITS),
            Some('w') => out.push_str(WORD),
            Some('D') => out.push_str("[^0-9]"),
            Some('W') => out.push_str("[^0-9A-Za-z_]"),
            Some('b') => out.push_str(r"(?-u:\b)"),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}

/// Returns where a text stops to fit, as a 0-based byte; all characters before it are ASCII.
fn stop(runs: &[ClassRun], text: &[u8]) -> Option<usize> {
    let mut rest = text;
    for run in runs {
        let most = rest.get(..run.most).unwrap_or(rest);
        let count = run.count(most);
        rest = rest.get(count..).unwrap_or_default();
        if count < run.least {
            return Some(text.len() - rest.len());
        }
    }
    (!rest.is_empty()).then_some(text.len() - rest.len())
}

impl ClassRun {
    /// Returns how many bytes from the beginning on are of the set.
    fn count(&self, text: &[u8]) -> usize {
        let has = |byte: &u8| self.has[usize::from(*byte)];
        // Eight at a time, without a branch for each.
        let all_have = |chunk: &&[u8; 8]| match &self.ranges {
            Some(ranges) => ranges.hold(u64::from_le_bytes(**chunk)),
            None => chunk.iter().fold(true, |all, byte| all & has(byte)),
        };
        let begin = text.as_chunks().0.iter().take_while(all_have).count() * 8;
        begin + text.iter().skip(begin).take_while(|byte| has(byte)).count()
    }
}

/// Returns the runs of a pattern `^…$` that has no choices: each character or class, with its count, is told from what
/// follows it by its first character. `None` when the pattern is of another form.
fn simplify(source: &str) -> Option<Vec<ClassRun>> {
    let inner = source.strip_prefix('^')?.strip_suffix('$')?;
    let mut rest = inner.as_bytes();
    let mut runs = Vec::new();
    while !rest.is_empty() {
        let (set, after) = one_set(rest)?;
        let (least, most, after) = count(after)?;
        runs.push(ClassRun { set, has: set.table(), ranges: Ranges::all(set), least, most });
        rest = after;
    }
    is_deterministic(&runs).then_some(runs)
}

/// Returns whether taking as many as there are is never wrong: a run of open length shares no character with any run
/// that may come next.
fn is_deterministic(runs: &[ClassRun]) -> bool {
    (0..runs.len()).all(|index| {
        let mut following = runs.iter().skip(index);
        let Some(run) = following.next().filter(|run| run.least < run.most) else { return true };
        for next in following {
            if next.set.0 & run.set.0 != 0 {
                return false;
            }
            if next.least > 0 {
                break;
            }
        }
        true
    })
}

/// Returns one character or class at the beginning of a pattern.
fn one_set(pattern: &[u8]) -> Option<(Set, &[u8])> {
    match pattern {
        [b'[', rest @ ..] => class(rest),
        [b'\\', escaped, rest @ ..] => Some((escape(*escaped)?, rest)),
        // `-`, `_`, `/` and the like stand for themselves; all that means something else is left to the engine.
        [byte, rest @ ..] if byte.is_ascii_alphanumeric() || b" -_/:,;@#%&=!~'\"<>`".contains(byte) => {
            Some((Set::of(*byte), rest))
        }
        _ => None,
    }
}

/// Returns the meaning of an escape: a class, or punctuation.
fn escape(escaped: u8) -> Option<Set> {
    match escaped {
        b'd' => Some(Set::range(b'0', b'9')),
        b'w' => {
            Some(Set::range(b'0', b'9') | Set::range(b'A', b'Z') | Set::range(b'a', b'z') | Set::of(b'_'))
        }
        // `\<` and `\>` are word boundaries.
        b'<' | b'>' => None,
        _ => escaped.is_ascii_punctuation().then(|| Set::of(escaped)),
    }
}

/// Returns a class after its opening bracket, without negation and without operators.
fn class(mut rest: &[u8]) -> Option<(Set, &[u8])> {
    let mut set = Set(0);
    let mut first = true;
    loop {
        let (low, after) = match rest {
            [b']', after @ ..] if !first => return Some((set, after)),
            [b'-', after @ ..] if first || after.first() == Some(&b']') => (Set::of(b'-'), after),
            [b'\\', escaped, after @ ..] => (escape(*escaped)?, after),
            [b'[' | b']' | b'^' | b'&' | b'~' | b'-' | b'\\', ..] | [] => return None,
            [byte, after @ ..] if byte.is_ascii_graphic() || *byte == b' ' => (Set::of(*byte), after),
            _ => return None,
        };
        first = false;
        rest = after;
        match after {
            [b'-', b']', ..] => set = set | low,
            [b'-', high, after @ ..] if high.is_ascii_alphanumeric() => {
                let low = low.single()?;
                if low > *high || !low.is_ascii_alphanumeric() {
                    return None;
                }
                set = set | Set::range(low, *high);
                rest = after;
            }
            [b'-', ..] => return None,
            _ => set = set | low,
        }
    }
}

/// Reads a count after a set: `?`, `+`, `*`, `{n}`, `{n,}`, `{n,m}`, or none.
fn count(pattern: &[u8]) -> Option<(usize, usize, &[u8])> {
    let (least, most, rest) = match pattern {
        [b'?', rest @ ..] => (0, 1, rest),
        [b'+', rest @ ..] => (1, usize::MAX, rest),
        [b'*', rest @ ..] => (0, usize::MAX, rest),
        [b'{', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b'}')?;
            let inside = std::str::from_utf8(rest.get(..end)?).ok()?;
            let (least, most) = match inside.split_once(',') {
                None => (whole(inside)?, whole(inside)?),
                Some((least, "")) => (whole(least)?, usize::MAX),
                Some((least, most)) => (whole(least)?, whole(most)?),
            };
            (least, most, rest.get(end + 1..)?)
        }
        _ => return Some((1, 1, pattern)),
    };
    // A second sign makes a count lazy or repeats it.
    let repeated = matches!(rest.first(), Some(b'?' | b'+' | b'*' | b'{'));
    (least <= most && !repeated).then_some((least, most, rest))
}

fn whole(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl Set {
    fn of(byte: u8) -> Self {
        Self::range(byte, byte)
    }

    fn range(low: u8, high: u8) -> Self {
        Self((low..=high).fold(0, |bits, byte| bits | 1_u128.checked_shl(byte.into()).unwrap_or(0)))
    }

    fn table(self) -> Box<[bool; 256]> {
        Box::new(std::array::from_fn(|byte| byte < 128 && (self.0 >> byte) & 1 == 1))
    }

    fn single(self) -> Option<u8> {
        self.0.is_power_of_two().then(|| self.0.trailing_zeros().to_le_bytes()[0])
    }
}

impl std::ops::BitOr for Set {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests;
