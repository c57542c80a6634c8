//! Exact decimals: 38 significant digits, as DynamoDB keeps them, never through a float.

/// A decimal number: `coefficient × 10^exponent`.
///
/// At most 38 significant digits and a magnitude from 1E-130 to 9.99…E+125, the range of a DynamoDB number
/// (Amazon DynamoDB Developer Guide, "Naming rules and data types"). Kept normalised: no trailing zeros in the
/// coefficient, and zero has exponent 0, so that equality is equality of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The signed digits.
    pub coefficient: i128,
    /// The power of ten.
    pub exponent: i16,
}
