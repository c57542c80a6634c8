//! Sums, products, quotients and remainders of decimals. Exact, but for quotients without an end.
//!
//! `None` is a result that a decimal cannot hold: of more than 38 significant digits, or out of range.

use std::cmp::Ordering;

use ledger::dynamodb::DIGITS;

use super::Decimal;

/// The powers of ten of 128 bits.
const WIDE_POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};
/// The lower half of 128 bits.
const LOWER: u128 = (1 << 64) - 1;

/// 256 bits, enough for each product of two coefficients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct WideNumber {
    high: u128,
    low: u128,
}

impl WideNumber {
    fn product(one: u128, other: u128) -> Self {
        let (a, b, c, d) = (one >> 64, one & LOWER, other >> 64, other & LOWER);
        let low = b * d;
        let middle = a * d + (low >> 64);
        let cross = b * c + (middle & LOWER);
        Self { high: a * c + (middle >> 64) + (cross >> 64), low: (cross << 64) | (low & LOWER) }
    }

    /// Adds two numbers below 2^255.
    fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high.wrapping_add(other.high).wrapping_add(u128::from(carry)), low }
    }

    /// Subtracts a number that is not greater.
    fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(u128::from(borrow)), low }
    }

    /// Returns a tenth and the last digit.
    fn tenth(self) -> (Self, u128) {
        let mut rest = 0;
        let mut divided = [0; 4];
        let limbs = [self.high >> 64, self.high & LOWER, self.low >> 64, self.low & LOWER];
        for (limb, out) in limbs.into_iter().zip(&mut divided) {
            let current = (rest << 64) | limb;
            *out = current / 10;
            rest = current % 10;
        }
        let [a, b, c, d] = divided;
        (Self { high: (a << 64) | b, low: (c << 64) | d }, rest)
    }

    /// Returns the decimal of these digits and this power of ten.
    fn into_decimal(mut self, negative: bool, mut power: i64) -> Option<Decimal> {
        if self.high == 0 && self.low == 0 {
            return Some(Decimal::ZERO);
        }
        loop {
            let (tenth, digit) = self.tenth();
            if digit != 0 {
                break;
            }
            self = tenth;
            power += 1;
        }
        // 38 digits have less than 127 bits.
        if self.high != 0 {
            return None;
        }
        let significant = self.low.checked_ilog10().map_or(0, |log| log + 1);
        Decimal::bounded(negative, self.low, significant, power).ok()
    }
}

/// Returns a decimal of digits with or without trailing zeros.
fn normal(coefficient: i128, exponent: i64) -> Option<Decimal> {
    if let (Ok(mut digits), Ok(mut power)) =
        (u64::try_from(coefficient.unsigned_abs()), i16::try_from(exponent))
        && (-100..=100).contains(&power)
    {
        if digits == 0 {
            return Some(Decimal::ZERO);
        }
        while digits.is_multiple_of(10) {
            digits /= 10;
            power += 1;
        }
        let digits = i128::from(digits);
        return Some(Decimal {
            coefficient: if coefficient < 0 { -digits } else { digits },
            exponent: power,
        });
    }
    Decimal::new(coefficient, i32::try_from(exponent).ok()?)
}

/// Returns ten times a remainder, divided by the divisor: the next digit of a quotient and the next remainder. Both
/// are below 10^38, so that no sum of two overflows.
fn next_digit(rest: u128, divisor: u128) -> (u128, u128) {
    if rest <= u128::MAX / 10 {
        return (rest * 10 / divisor, rest * 10 % divisor);
    }
    let (mut digit, mut sum) = (0, 0);
    for _ in 0..10 {
        sum += rest;
        if sum >= divisor {
            sum -= divisor;
            digit += 1;
        }
    }
    (digit, sum)
}

impl Decimal {
    /// Returns the number with the other sign.
    #[must_use]
    pub(crate) fn negated(self) -> Self {
        Self { coefficient: -self.coefficient, exponent: self.exponent }
    }

    /// Returns the exact sum.
    #[must_use]
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        let (upper, lower) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        if upper.coefficient == 0 || lower.coefficient == 0 {
            return Some(if upper.coefficient == 0 { lower } else { upper });
        }
        let places = usize::from(upper.exponent.abs_diff(lower.exponent));
        // Further apart, the sum has more than 38 digits: neither coefficient ends with a zero.
        let power = *WIDE_POWERS.get(places)?;
        let exponent = i64::from(lower.exponent);
        let quick = i128::try_from(power)
            .ok()
            .and_then(|power| upper.coefficient.checked_mul(power))
            .and_then(|upper| upper.checked_add(lower.coefficient));
        if let Some(coefficient) = quick {
            return normal(coefficient, exponent);
        }
        let one = WideNumber::product(upper.coefficient.unsigned_abs(), power);
        let two = WideNumber { high: 0, low: lower.coefficient.unsigned_abs() };
        let (upper_below, lower_below) = (upper.coefficient < 0, lower.coefficient < 0);
        if upper_below == lower_below {
            return one.plus(two).into_decimal(upper_below, exponent);
        }
        match one.cmp(&two) {
            Ordering::Less => two.minus(one).into_decimal(lower_below, exponent),
            Ordering::Equal | Ordering::Greater => one.minus(two).into_decimal(upper_below, exponent),
        }
    }

    /// Returns the exact difference.
    #[must_use]
    pub(crate) fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.negated())
    }

    /// Returns the exact product.
    #[must_use]
    pub(crate) fn checked_mul(self, other: Self) -> Option<Self> {
        let exponent = i64::from(self.exponent) + i64::from(other.exponent);
        if let Some(coefficient) = self.coefficient.checked_mul(other.coefficient) {
            return normal(coefficient, exponent);
        }
        let negative = (self.coefficient < 0) != (other.coefficient < 0);
        WideNumber::product(self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs())
            .into_decimal(negative, exponent)
    }

    /// Returns the quotient: exact where it ends within 38 significant digits, else rounded to 38 of them, half to
    /// even. `None` also for a divisor of zero.
    #[must_use]
    pub(crate) fn checked_div(self, divisor: Self) -> Option<Self> {
        let below = divisor.coefficient.unsigned_abs();
        if below == 0 {
            return None;
        }
        let negative = (self.coefficient < 0) != (divisor.coefficient < 0);
        let mut power = i64::from(self.exponent) - i64::from(divisor.exponent);
        let above = self.coefficient.unsigned_abs();
        let (mut digits, mut rest) = (above / below, above % below);
        let limit = WIDE_POWERS.get(DIGITS as usize - 1).copied().unwrap_or(u128::MAX);
        while rest != 0 && digits < limit {
            let (digit, next) = next_digit(rest, below);
            (digits, rest) = (digits * 10 + digit, next);
            power -= 1;
        }
        match (rest * 2).cmp(&below) {
            Ordering::Greater => digits += 1,
            Ordering::Equal if !digits.is_multiple_of(2) => digits += 1,
            Ordering::Equal | Ordering::Less => {}
        }
        WideNumber { high: 0, low: digits }.into_decimal(negative, power)
    }

    /// Returns the exact remainder of a division whose quotient is cut to a whole number; it has the sign of the
    /// dividend. `None` also for a divisor of zero.
    #[must_use]
    pub(crate) fn checked_rem(self, divisor: Self) -> Option<Self> {
        let below = divisor.coefficient.unsigned_abs();
        if below == 0 {
            return None;
        }
        let (mut rest, mut power) = (self.coefficient.unsigned_abs(), i64::from(self.exponent));
        let places = self.exponent.abs_diff(divisor.exponent);
        if self.exponent >= divisor.exponent {
            rest %= below;
            for _ in 0..places {
                rest = next_digit(rest, below).1;
            }
            power = i64::from(divisor.exponent);
        } else if let Some(below) =
            WIDE_POWERS.get(usize::from(places)).and_then(|power| below.checked_mul(*power))
        {
            rest %= below;
        }
        WideNumber { high: 0, low: rest }.into_decimal(self.coefficient < 0, power)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    fn shown(result: Option<Decimal>) -> String {
        result.map_or_else(|| "none".to_owned(), |number| number.to_string())
    }

    #[test]
    fn sums_are_exact_or_none() {
        let sum = |one: &str, other: &str| shown(decimal(one).checked_add(decimal(other)));
        assert_eq!(sum("0.1", "0.2"), "0.3");
        assert_eq!(sum("-0.5", "0.5"), "0");
        assert_eq!(sum("1e30", "0.00000001"), "none", "39 digits");
        assert_eq!(sum("1e30", "0.0000001"), "1000000000000000000000000000000.0000001");
        assert_eq!(sum("1e125", "1e-130"), "none");
        assert_eq!(sum("0", "1e-130"), "1E-130");
        let nines = "9".repeat(38);
        assert_eq!(sum(&nines, "1"), "1E38");
        assert_eq!(sum(&nines, "2"), "none");
        assert_eq!(sum(&nines, &format!("-{nines}")), "0");
        assert_eq!(sum("95e37", "95e37"), "1.9E39");
        assert_eq!(sum("9e125", "9e125"), "none");
        assert_eq!(shown(decimal("1e38").checked_sub(decimal("1"))), nines);
    }

    #[test]
    fn products_are_exact_or_none() {
        let product = |one: &str, other: &str| shown(decimal(one).checked_mul(decimal(other)));
        assert_eq!(product("1.1", "-1.1"), "-1.21");
        assert_eq!(product("12345678901234567891", "10000000000000000001"), "none");
        // 2^100 and 5^40 have 31 and 28 digits; their product ends with 40 zeros.
        let twos = "1267650600228229401496703205376";
        let fives = "9094947017729282379150390625";
        assert_eq!(product(twos, fives), "1.152921504606846976E58");
        assert_eq!(product("1e100", "1e26"), "none");
        assert_eq!(product("0", "1e125"), "0");
    }

    #[test]
    fn quotients_are_exact_or_rounded_half_to_even() {
        let quotient = |one: &str, other: &str| shown(decimal(one).checked_div(decimal(other)));
        assert_eq!(quotient("1", "8"), "0.125");
        assert_eq!(quotient("-7.5", "2.5"), "-3");
        assert_eq!(quotient("1", "3"), format!("0.{}", "3".repeat(38)));
        assert_eq!(quotient("2", "3"), format!("0.{}7", "6".repeat(37)));
        assert_eq!(quotient("1e125", "1e-5"), "none");
        assert_eq!(quotient("1", "0"), "none");
        assert_eq!(quotient("0", "3"), "0");
        let nines = "9".repeat(38);
        assert_eq!(quotient(&nines, &nines), "1");
        assert_eq!(quotient("1", &nines), format!("0.{}1", "0".repeat(37)));
    }

    #[test]
    fn remainders_have_the_sign_of_the_dividend() {
        let rest = |one: &str, other: &str| shown(decimal(one).checked_rem(decimal(other)));
        assert_eq!(rest("7.5", "2"), "1.5");
        assert_eq!(rest("-7", "2"), "-1");
        assert_eq!(rest("7", "-2"), "1");
        assert_eq!(rest("1e125", "7"), "5", "10^125 is 10^5 modulo 7");
        assert_eq!(rest("0.3", "1e100"), "0.3");
        assert_eq!(rest("1", "0"), "none");
    }

    proptest! {
        #[test]
        fn small_numbers_are_those_of_whole_numbers(
            one in -10_i64.pow(9)..10_i64.pow(9), other in -10_i64.pow(9)..10_i64.pow(9), scale in 0_i32..6,
        ) {
            let of = |value: i64| Decimal::new(value.into(), -scale).unwrap();
            let (a, b) = (of(one), of(other));
            prop_assert_eq!(a.checked_add(b), Decimal::new((one + other).into(), -scale));
            prop_assert_eq!(a.checked_sub(b), Decimal::new((one - other).into(), -scale));
            prop_assert_eq!(a.checked_mul(b), Decimal::new(i128::from(one) * i128::from(other), -2 * scale));
            if other != 0 {
                prop_assert_eq!(a.checked_rem(b), Decimal::new((one % other).into(), -scale));
            }
        }

        /// Whatever the digits: no panic, and what has a result can be taken back.
        #[test]
        fn what_is_added_can_be_subtracted(
            one in any::<i128>(), other in any::<i128>(), up in -167_i32..126, down in -167_i32..126,
        ) {
            let (Some(a), Some(b)) = (Decimal::new(one / 2, up), Decimal::new(other / 2, down)) else {
                return Ok(());
            };
            if let Some(sum) = a.checked_add(b) {
                prop_assert_eq!(sum.checked_sub(b), Some(a));
            }
            if let Some(product) = a.checked_mul(b).filter(|_| b != Decimal::ZERO) {
                prop_assert_eq!(product.checked_div(b), Some(a));
            }
            if let Some(rest) = a.checked_rem(b) {
                prop_assert!(rest.coefficient().unsigned_abs() == 0 || rest.coefficient().signum() == a.coefficient().signum());
                let sized = |number: Decimal| if number.coefficient() < 0 { number.negated() } else { number };
                prop_assert!(sized(rest) < sized(b));
            }
            prop_assert!(b != Decimal::ZERO || a.checked_div(b).is_none());
        }
    }
}
