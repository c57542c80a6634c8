//! Exact decimals: 38 significant digits, as DynamoDB keeps them, never through a float.

mod arithmetic;

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use ledger::dynamodb::{DIGITS, LARGEST_EXPONENT, SMALLEST_EXPONENT};

use crate::{Found, NumberFlaw};

/// An exponent beyond any text's length, so that adding positions to it cannot bring it back into range by overflow.
const EXPONENT_CAP: i64 = 1 << 60;
/// Text of at most this number of bytes has a coefficient below 2^64.
const SMALL: usize = 19;
/// The powers of ten that fit.
pub(crate) const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// A decimal number: `coefficient × 10^exponent`.
///
/// At most 38 significant digits and a magnitude from 1E-130 to 9.99…E+125, the range of a DynamoDB number
/// (Amazon DynamoDB Developer Guide, "Naming rules and data types"). Kept normalised: no trailing zeros in the
/// coefficient, and zero has exponent 0, so that equality is equality of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    coefficient: i128,
    exponent: i16,
}

impl Decimal {
    /// Nought.
    pub const ZERO: Self = Self { coefficient: 0, exponent: 0 };

    /// Returns `coefficient × 10^exponent`; `None` when that has more than 38 significant digits or is out of range.
    #[must_use]
    pub fn new(coefficient: i128, exponent: i32) -> Option<Self> {
        let mut digits = coefficient.unsigned_abs();
        let mut power = i64::from(exponent);
        while digits != 0 && digits.is_multiple_of(10) {
            digits /= 10;
            power += 1;
        }
        let significant = digits.checked_ilog10().map_or(0, |log| log + 1);
        Self::bounded(coefficient < 0, digits, significant, power).ok()
    }

    /// Reads `-?digits[.digits][(e|E)[+-]digits]`. No sign `+` in front, no blanks, no grouping, no `nan`, no `inf`.
    /// Leading zeros are allowed; the JSON reader rejects them before.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::read(text).ok()
    }

    /// As [`Decimal::parse`], and says what is wrong: the first character that does not fit, too many significant
    /// digits, or a number that is too far from zero or too close to it.
    pub fn read(text: &[u8]) -> Result<Self, Found> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        match read_small(unsigned) {
            Some((coefficient, fraction)) => Ok(Self::small(negative, coefficient, fraction)),
            None => match read_any(unsigned) {
                Ok((digits, power)) => Self::bounded(negative, digits.coefficient, digits.significant, power),
                Err(Stopped(at)) => Err(not_a_number(text, at + usize::from(negative))),
            },
        }
    }

    /// Returns the number of at most 19 digits, `fraction` of them after the point.
    fn small(negative: bool, mut coefficient: u64, fraction: u8) -> Self {
        let mut exponent = -i16::from(fraction);
        if coefficient == 0 {
            return Self::ZERO;
        }
        while coefficient.is_multiple_of(10) {
            coefficient /= 10;
            exponent += 1;
        }
        let coefficient = i128::from(coefficient);
        Self { coefficient: if negative { -coefficient } else { coefficient }, exponent }
    }

    /// Checks digits and range. `digits` has no trailing zeros; it is not looked at when there are too many.
    fn bounded(negative: bool, digits: u128, significant: u32, power: i64) -> Result<Self, Found> {
        if significant == 0 {
            return Ok(Self::ZERO);
        }
        if significant > DIGITS {
            return Err(Found::SignificantDigits { digits: significant, most: DIGITS });
        }
        let first = power.saturating_add(i64::from(significant) - 1);
        if first < SMALLEST_EXPONENT {
            return Err(Found::TooTiny);
        }
        if first > LARGEST_EXPONENT {
            return Err(Found::TooHuge);
        }
        // 38 digits are below 2^127 and the power is now within −167 and 125.
        let (Ok(coefficient), Ok(exponent)) = (i128::try_from(digits), i16::try_from(power)) else {
            return Err(Found::TooHuge);
        };
        Ok(Self { coefficient: if negative { -coefficient } else { coefficient }, exponent })
    }

    /// Returns the signed digits, without trailing zeros.
    #[must_use]
    pub fn coefficient(self) -> i128 {
        self.coefficient
    }

    /// Returns the power of ten by which the coefficient is multiplied.
    #[must_use]
    pub fn exponent(self) -> i16 {
        self.exponent
    }

    /// Returns whether the point is the last character.
    #[must_use]
    pub fn is_integer(self) -> bool {
        self.exponent >= 0
    }

    /// Digits after the point.
    #[must_use]
    pub fn scale(self) -> u32 {
        u32::try_from(-i32::from(self.exponent)).unwrap_or(0)
    }

    /// Digits of the number written without an exponent, as SQL's `decimal(precision, scale)` counts them: a lone
    /// zero before the point does not count (0.05 has 2, 1200 has 4, 0 has 0).
    #[must_use]
    pub fn precision(self) -> u32 {
        let zeros = u32::try_from(self.exponent).unwrap_or(0);
        (self.significant() + zeros).max(self.scale())
    }

    /// Returns whether the number is a whole multiple of `step`, exactly. Of zero, only zero is a multiple.
    #[must_use]
    pub fn is_multiple_of(&self, step: &Self) -> bool {
        if self.coefficient == 0 || step.coefficient == 0 {
            return self.coefficient == 0;
        }
        // Both are normalised: below the step's power of ten, the number has a digit that no multiple has.
        let Ok(zeros) = u32::try_from(i32::from(self.exponent) - i32::from(step.exponent)) else {
            return false;
        };
        // The power of ten between the two cancels that many twos and fives of the step.
        let mut divisor = step.coefficient.unsigned_abs();
        for prime in [2, 5] {
            let mut cancelled = 0;
            while cancelled < zeros && divisor.is_multiple_of(prime) {
                divisor /= prime;
                cancelled += 1;
            }
        }
        self.coefficient.unsigned_abs().is_multiple_of(divisor)
    }

    /// Returns the exact product; `None` when that has more than 38 significant digits or is out of range.
    #[must_use]
    pub fn times(self, factor: Self) -> Option<Self> {
        let (mut one, mut other) = (self.coefficient, factor.coefficient);
        let mut exponent = i32::from(self.exponent) + i32::from(factor.exponent);
        if one == 0 || other == 0 {
            return Some(Self::ZERO);
        }
        // A two of one and a five of the other make a trailing zero, which is no significant digit.
        for (two, five) in [(2, 5), (5, 2)] {
            while one % two == 0 && other % five == 0 {
                (one, other, exponent) = (one / two, other / five, exponent + 1);
            }
        }
        Self::new(one.checked_mul(other)?, exponent)
    }

    /// Returns the number as an `i64` when it is one.
    pub(crate) fn to_i64(self) -> Option<i64> {
        let power = POWERS.get(usize::try_from(self.exponent).ok()?)?;
        i64::try_from(self.coefficient).ok()?.checked_mul(*power)
    }

    fn significant(self) -> u32 {
        let digits = self.coefficient.unsigned_abs();
        let log = u64::try_from(digits).map_or_else(|_| digits.checked_ilog10(), u64::checked_ilog10);
        log.map_or(0, |log| log + 1)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::small(value < 0, value.unsigned_abs(), 0)
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        Self::small(false, value, 0)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.exponent == other.exponent || self.coefficient.signum() != other.coefficient.signum() {
            return self.coefficient.cmp(&other.coefficient);
        }
        // At one power of ten, coefficients of 64 bits compare without overflow: 2^63 × 10^18 is below 2^127.
        if let (Ok(one), Ok(two), Some(power)) = (
            i64::try_from(self.coefficient),
            i64::try_from(other.coefficient),
            POWERS.get(usize::from(self.exponent.abs_diff(other.exponent))),
        ) {
            let (one, two, power) = (i128::from(one), i128::from(two), i128::from(*power));
            let below = self.exponent < other.exponent;
            return if below { one.cmp(&(two * power)) } else { (one * power).cmp(&two) };
        }
        let magnitude = |number: &Self| i32::from(number.exponent) + number.significant().cast_signed();
        let by_magnitude = magnitude(self).cmp(&magnitude(other));
        let by_size = by_magnitude.then_with(|| {
            // The first digits stand at the same power of ten, so the longer of the two has at most 38 digits and
            // the shorter, filled up with zeros, as many.
            let (one, two) = (self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs());
            let shift = 10_u128.saturating_pow(u32::from(self.exponent.abs_diff(other.exponent)));
            if self.exponent > other.exponent {
                one.saturating_mul(shift).cmp(&two)
            } else {
                one.cmp(&two.saturating_mul(shift))
            }
        });
        if self.coefficient < 0 { by_size.reverse() } else { by_size }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The canonical text: plain digits when at most 38 of them are needed (`1200`, `-0.05`), else `1.5E-100`.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.coefficient < 0 {
            formatter.write_char('-')?;
        }
        let digits = self.coefficient.unsigned_abs().to_string();
        let scale = self.scale() as usize;
        if self.precision() > DIGITS {
            with_point(formatter, &digits, 1)?;
            return write!(formatter, "E{}", i32::from(self.exponent) + self.significant().cast_signed() - 1);
        }
        if scale == 0 {
            formatter.write_str(&digits)?;
            return (0..self.exponent).try_for_each(|_| formatter.write_char('0'));
        }
        match digits.len().checked_sub(scale).filter(|whole| *whole > 0) {
            Some(whole) => with_point(formatter, &digits, whole),
            None => write!(formatter, "0.{digits:0>scale$}"),
        }
    }
}

/// Writes ASCII digits with a point after the first `whole` of them, if more follow.
fn with_point(formatter: &mut fmt::Formatter<'_>, digits: &str, whole: usize) -> fmt::Result {
    for (index, digit) in digits.chars().enumerate() {
        if index == whole {
            formatter.write_char('.')?;
        }
        formatter.write_char(digit)?;
    }
    Ok(())
}

/// Reads `digits[.digits]` of at most 19 bytes: the digits as one number, and how many stand after the point.
#[inline]
pub(crate) fn read_small(unsigned: &[u8]) -> Option<(u64, u8)> {
    if unsigned.is_empty() || unsigned.len() > SMALL {
        return None;
    }
    let mut coefficient = 0_u64;
    let mut before_point = None;
    for (index, byte) in unsigned.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            coefficient = coefficient * 10 + u64::from(digit);
        } else if *byte == b'.' && index > 0 && before_point.is_none() {
            before_point = Some(index);
        } else {
            return None;
        }
    }
    let fraction = match before_point {
        None => 0,
        Some(index) => unsigned.len() - 1 - index,
    };
    if before_point.is_some() && fraction == 0 {
        return None;
    }
    Some((coefficient, u8::try_from(fraction).ok()?))
}

/// Where reading stopped, 0-based within the unsigned text.
struct Stopped(usize);

/// Returns what is wrong with a text that stops to be a number at a 0-based byte, all before it being ASCII.
pub(crate) fn not_a_number(text: &[u8], at: usize) -> Found {
    let flaw = match text.get(at) {
        None => NumberFlaw::Ends,
        Some(b' ' | b'\t') => NumberFlaw::Blank,
        Some(byte) if byte.is_ascii_alphabetic() => NumberFlaw::Letter,
        Some(_) => NumberFlaw::Character,
    };
    Found::NotANumber { flaw, at: u32::try_from(at).map_or(u32::MAX, |at| at.saturating_add(1)) }
}

/// Digits from the first to the last that is not zero.
#[derive(Default)]
struct Significand {
    coefficient: u128,
    significant: u32,
    /// Zeros since the last digit that is not zero.
    zeros: u32,
}

impl Significand {
    fn push(&mut self, digit: u8) {
        if digit == 0 {
            self.zeros = self.zeros.saturating_add(u32::from(self.significant > 0));
            return;
        }
        let shift = self.zeros.saturating_add(1);
        self.zeros = 0;
        self.significant = self.significant.saturating_add(shift);
        if self.significant <= DIGITS {
            // 38 digits fit; with more of them the coefficient is not used.
            self.coefficient =
                self.coefficient.wrapping_mul(10_u128.wrapping_pow(shift)).wrapping_add(u128::from(digit));
        }
    }
}

/// Reads a number of any length: its significant digits, and the power of ten of the last of them.
fn read_any(unsigned: &[u8]) -> Result<(Significand, i64), Stopped> {
    let mut digits = Significand::default();
    let mut at = read_digits(unsigned, 0, |digit| digits.push(digit))?;
    let mut fraction = 0_i64;
    if unsigned.get(at) == Some(&b'.') {
        at = read_digits(unsigned, at + 1, |digit| {
            digits.push(digit);
            fraction += 1;
        })?;
    }
    let mut power = i64::from(digits.zeros) - fraction;
    if let Some(b'e' | b'E') = unsigned.get(at) {
        at += 1;
        let below_one = unsigned.get(at) == Some(&b'-');
        at += usize::from(matches!(unsigned.get(at), Some(b'-' | b'+')));
        let mut exponent = 0_i64;
        at = read_digits(unsigned, at, |digit| {
            exponent = (exponent.saturating_mul(10).saturating_add(i64::from(digit))).min(EXPONENT_CAP);
        })?;
        power += if below_one { -exponent } else { exponent };
    }
    if at < unsigned.len() { Err(Stopped(at)) } else { Ok((digits, power)) }
}

/// Gives each digit from `at` on and returns the place after the last; stops where there is none.
fn read_digits(text: &[u8], at: usize, mut each: impl FnMut(u8)) -> Result<usize, Stopped> {
    let rest = text.get(at..).unwrap_or_default();
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest.iter().take(count).for_each(|byte| each(byte - b'0'));
    if count == 0 { Err(Stopped(at)) } else { Ok(at + count) }
}

#[cfg(test)]
mod tests;
