//! From a pattern's letters to steps.

use super::{DateField, ISO_DATE, ISO_TIME, OffsetForm, Pattern, PatternError, PatternStep, TemporalKind};

/// Returns the standard form of a kind.
pub(super) fn iso(kind: TemporalKind) -> Pattern {
    let mut steps = Vec::with_capacity(8);
    if kind != TemporalKind::Time {
        steps.push(PatternStep::IsoDate);
    }
    if kind == TemporalKind::Timestamp {
        steps.push(PatternStep::Literal(b'T'));
    }
    if kind != TemporalKind::Date {
        steps.extend([PatternStep::IsoTime, PatternStep::Optional(2), PatternStep::Literal(b'.')]);
        steps.push(PatternStep::Fraction { least: 1, most: 9 });
    }
    if kind == TemporalKind::Timestamp {
        steps.extend([
            PatternStep::Optional(1),
            PatternStep::Offset { zulu: true, form: OffsetForm::Extended },
        ]);
    }
    let (source, fraction) = match kind {
        TemporalKind::Date => ("yyyy-MM-dd", 0),
        TemporalKind::Timestamp => ("yyyy-MM-dd'T'HH:mm:ss[.fraction][XXX]", 9),
        TemporalKind::Time => ("HH:mm:ss[.fraction]", 9),
    };
    Pattern {
        source: source.to_owned(),
        kind,
        steps,
        fraction,
        two_digit_year: false,
        has_offset: kind == TemporalKind::Timestamp,
        is_normal: kind == TemporalKind::Date,
    }
}

/// Compiles a JDK pattern.
pub(super) fn compile(source: &str, kind: TemporalKind) -> Result<Pattern, PatternError> {
    let letters: Vec<char> = source.chars().collect();
    let mut compiler = Compiler { kind, steps: Vec::new(), open: Vec::new(), fields: Vec::new() };
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let width = letters.iter().skip(at).take_while(|other| **other == letter).count();
        at = match letter {
            '\'' => compiler.quoted(&letters, at)?,
            'A'..='Z' | 'a'..='z' => {
                compiler.letters(letter, width, at)?;
                at + width
            }
            _ => {
                compiler.other(letter, at)?;
                at + 1
            }
        };
    }
    compiler.finish(source, letters.len())
}

struct Compiler {
    kind: TemporalKind,
    steps: Vec<PatternStep>,
    /// Indexes of the steps that open optional sections.
    open: Vec<usize>,
    /// What was placed so far.
    fields: Vec<Placed>,
}

/// A field of the pattern, and whether it is in an optional section.
struct Placed {
    part: Part,
    optional: bool,
}

/// What a letter gives, whatever its width.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Weekday,
    Hour,
    HalfDayHour,
    HalfDay,
    Minute,
    Second,
    Fraction,
    Offset,
}

impl Compiler {
    fn letters(&mut self, letter: char, width: usize, at: usize) -> Result<(), PatternError> {
        let reject = |advice| Err(unsupported(letter, width, at, advice));
        let number = |field, least| PatternStep::Number { field, least, most: 2 };
        let (part, step) = match (letter, width) {
            ('y' | 'u', 4) => (Part::Year, PatternStep::Number { field: DateField::Year, least: 4, most: 4 }),
            ('y' | 'u', 2) => (Part::Year, number(DateField::ShortYear, 2)),
            ('y' | 'u', _) => return reject("write yyyy for a year of four digits"),
            ('Y', _) => return reject("Y is the year of a week: write yyyy for the year of a date"),
            ('M', 1) => (Part::Month, number(DateField::Month, 1)),
            ('M', 2) => (Part::Month, number(DateField::Month, 2)),
            ('M', 3) => (Part::Month, PatternStep::Month { full: false }),
            ('M', 4) => (Part::Month, PatternStep::Month { full: true }),
            ('d', 1) => (Part::Day, number(DateField::Day, 1)),
            ('d', 2) => (Part::Day, number(DateField::Day, 2)),
            ('D', _) => return reject("D is the day of a year: write dd for the day of a month"),
            ('H', 1) => (Part::Hour, number(DateField::Hour, 1)),
            ('H', 2) => (Part::Hour, number(DateField::Hour, 2)),
            ('h', 1) => (Part::HalfDayHour, number(DateField::HalfDayHour, 1)),
            ('h', 2) => (Part::HalfDayHour, number(DateField::HalfDayHour, 2)),
            ('a', 1) => (Part::HalfDay, PatternStep::HalfDay),
            ('m', 1) => (Part::Minute, number(DateField::Minute, 1)),
            ('m', 2) => (Part::Minute, number(DateField::Minute, 2)),
            ('s', 1) => (Part::Second, number(DateField::Second, 1)),
            ('s', 2) => (Part::Second, number(DateField::Second, 2)),
            ('S', 1..=9) => {
                let digits = u8::try_from(width).unwrap_or(9);
                (Part::Fraction, PatternStep::Fraction { least: digits, most: digits })
            }
            ('S' | 'n' | 'N' | 'A', _) => return reject("write one to nine S for a fraction of a second"),
            ('X' | 'x' | 'Z', _) => match offset(letter, width) {
                Some(step) => (Part::Offset, step),
                None => return reject("write XXX for an offset such as +02:00, or XX for +0200"),
            },
            ('V' | 'v' | 'z' | 'O', _) => {
                return reject(
                    "a zone's name is not read: write XXX for an offset, or give a defaultTimezone",
                );
            }
            ('k' | 'K', _) => return reject("write HH for an hour from 00 to 23"),
            ('E', 1..=3) => (Part::Weekday, PatternStep::Weekday { full: false }),
            ('E', 4) => (Part::Weekday, PatternStep::Weekday { full: true }),
            ('E' | 'e' | 'c', _) => return reject("write EEE for a day such as Mon, or EEEE for Monday"),
            _ => return reject("put literal text in quotes, such as 'T'"),
        };
        self.place(part, step, letter, width, at)
    }

    fn place(
        &mut self,
        part: Part,
        step: PatternStep,
        letter: char,
        width: usize,
        at: usize,
    ) -> Result<(), PatternError> {
        let reject = |advice| Err(unsupported(letter, width, at, advice));
        let is_date = matches!(part, Part::Year | Part::Month | Part::Day | Part::Weekday);
        match self.kind {
            TemporalKind::Date if !is_date => {
                return reject("a date has no time: make the property a timestamp");
            }
            TemporalKind::Time if is_date => {
                return reject("a time has no date: make the property a timestamp");
            }
            TemporalKind::Time if part == Part::Offset => return reject("a time of day has no offset"),
            _ => {}
        }
        // Two optional sections may offer two forms of a fraction or an offset; a text may use one of them.
        let repeatable = matches!(part, Part::Fraction | Part::Offset) && !self.open.is_empty();
        if !repeatable && self.fields.iter().any(|placed| placed.part == part) {
            return reject("use each field once");
        }
        let begins_with_digit = matches!(step, PatternStep::Number { .. } | PatternStep::Fraction { .. });
        let after_open_width = matches!(self.steps.iter().rfind(|step| !matches!(step, PatternStep::Optional(_))),
                Some(PatternStep::Number { least, most, .. }) if least != most);
        if begins_with_digit && after_open_width {
            return reject(
                "a number of one or two digits comes before it: separate them, or double its letter",
            );
        }
        self.fields.push(Placed { part, optional: !self.open.is_empty() });
        self.steps.push(step);
        Ok(())
    }

    /// Takes quoted text from the opening quote; `''` is one quote, inside and outside of quoted text.
    fn quoted(&mut self, letters: &[char], at: usize) -> Result<usize, PatternError> {
        if letters.get(at + 1) == Some(&'\'') {
            self.literal('\'');
            return Ok(at + 2);
        }
        let mut next = at + 1;
        loop {
            match (letters.get(next), letters.get(next + 1)) {
                (Some('\''), Some('\'')) => {
                    self.literal('\'');
                    next += 2;
                }
                (Some('\''), _) => return Ok(next + 1),
                (Some(letter), _) => {
                    self.literal(*letter);
                    next += 1;
                }
                (None, _) => return Err(problem(at, "an open quote", "close it with a second quote")),
            }
        }
    }

    fn other(&mut self, letter: char, at: usize) -> Result<(), PatternError> {
        match letter {
            '[' => {
                self.open.push(self.steps.len());
                self.steps.push(PatternStep::Optional(0));
            }
            ']' => {
                let Some(opened) = self.open.pop() else {
                    return Err(problem(at, "a closing bracket", "open the optional section with ["));
                };
                let inside = self.steps.len() - opened - 1;
                if let Some(step) = self.steps.get_mut(opened) {
                    *step = PatternStep::Optional(inside);
                }
            }
            '{' | '}' | '#' => {
                return Err(problem(at, format!("{letter}, which is reserved"), "put it in quotes"));
            }
            '0'..='9' => return Err(problem(at, "a digit", "put literal digits in quotes")),
            _ => self.literal(letter),
        }
        Ok(())
    }

    fn literal(&mut self, letter: char) {
        let mut buffer = [0; 4];
        self.steps.extend(letter.encode_utf8(&mut buffer).bytes().map(PatternStep::Literal));
    }

    fn finish(self, source: &str, length: usize) -> Result<Pattern, PatternError> {
        let missing = |advice| Err(problem(length, "a pattern without a needed field", advice));
        if !self.open.is_empty() {
            return Err(problem(length, "an open optional section", "close it with ]"));
        }
        let has = |part| self.fields.iter().any(|placed| placed.part == part);
        let always = |part| self.fields.iter().any(|placed| placed.part == part && !placed.optional);
        if self.kind != TemporalKind::Time
            && !(always(Part::Year) && always(Part::Month) && always(Part::Day))
        {
            return missing("name year, month and day outside of optional sections");
        }
        let half_day = always(Part::HalfDayHour) && always(Part::HalfDay);
        if has(Part::HalfDayHour) != half_day || has(Part::HalfDay) != half_day {
            return missing("use h and a together, outside of optional sections");
        }
        if self.kind != TemporalKind::Date && always(Part::Hour) == half_day {
            return missing("name the hour once outside of optional sections, as HH or as hh with a");
        }
        if has(Part::Hour) && half_day {
            return missing("name the hour once, as HH or as hh with a");
        }
        if (has(Part::Second) && !has(Part::Minute)) || (has(Part::Fraction) && !has(Part::Second)) {
            return missing("name minutes before seconds, and seconds before their fraction");
        }
        let fraction = self
            .steps
            .iter()
            .map(|step| if let PatternStep::Fraction { most, .. } = step { *most } else { 0 });
        let steps = joined(&self.steps);
        Ok(Pattern {
            source: source.to_owned(),
            kind: self.kind,
            fraction: fraction.max().unwrap_or(0),
            two_digit_year: self
                .steps
                .iter()
                .any(|step| matches!(step, PatternStep::Number { field: DateField::ShortYear, .. })),
            has_offset: has(Part::Offset),
            is_normal: self.kind == TemporalKind::Date && steps == [PatternStep::IsoDate],
            steps,
        })
    }
}

/// Returns the same steps with the standard date and time of day as one step each, where they stand before any optional
/// section (whose length is a number of steps).
fn joined(steps: &[PatternStep]) -> Vec<PatternStep> {
    let mut out = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while let [step, after @ ..] = rest
        && !matches!(step, PatternStep::Optional(_))
    {
        let (step, after) = if let Some(after) = rest.strip_prefix(&ISO_DATE) {
            (PatternStep::IsoDate, after)
        } else if let Some(after) = rest.strip_prefix(&ISO_TIME) {
            (PatternStep::IsoTime, after)
        } else {
            (step.clone(), after)
        };
        out.push(step);
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// Returns the forms of an offset: `X`, `x` and `Z` as the JDK defines them, without their forms with seconds.
fn offset(letter: char, width: usize) -> Option<PatternStep> {
    let form = match (letter, width) {
        ('X' | 'x', 1) => OffsetForm::Short,
        ('X' | 'x', 2) | ('Z', 1..=3) => OffsetForm::Compact,
        ('X' | 'x', 3) | ('Z', 5) => OffsetForm::Extended,
        _ => return None,
    };
    Some(PatternStep::Offset { zulu: letter == 'X' || width == 5, form })
}

fn unsupported(letter: char, width: usize, at: usize, advice: &'static str) -> PatternError {
    let letters: String = std::iter::repeat_n(letter, width.min(12)).collect();
    problem(at, format!("unsupported {letters}"), advice)
}

fn problem(at: usize, problem: impl Into<String>, advice: &'static str) -> PatternError {
    PatternError { at: at + 1, problem: problem.into(), advice }
}
