//! DynamoDB's limits and its formula for the size of an item.
//!
//! Sources, all in the Amazon DynamoDB Developer Guide: "Quotas", "Naming rules and data types" and "DynamoDB item
//! sizes and formats". <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

/// Maximum significant digits of a number.
pub const DIGITS: u32 = 38;

/// Power of ten of the first significant digit of the number closest to zero.
pub const SMALLEST_EXPONENT: i64 = -130;

/// Power of ten of the first significant digit of the largest number.
pub const LARGEST_EXPONENT: i64 = 125;

/// Maximum nesting of maps and lists.
pub const DEPTH: u32 = 32;

/// Maximum bytes of an item, names and values: 400 KB.
pub const ITEM_BYTES: usize = 400 * 1024;

/// Maximum bytes of a partition key.
pub const PARTITION_KEY_BYTES: usize = 2048;

/// Maximum number of items in a `BatchWriteItem` call.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
pub const BATCH_ITEMS: usize = 25;

/// Maximum bytes of a `BatchWriteItem` call: 16 MB by the same page.
pub const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of a null or a boolean.
pub const WORD_BYTES: usize = 1;

/// Bytes of a map or list, whatever it holds.
pub const CONTAINER_BYTES: usize = 3;

/// Bytes of each element of a map or list, besides its name and its value.
pub const ELEMENT_BYTES: usize = 1;

/// Returns the bytes of a number, given as decimal text.
///
/// The guide says "approximately" one byte for two significant digits and one more. One byte is added for a minus sign.
#[must_use]
pub fn number_bytes(text: &[u8]) -> usize {
    let minus = usize::from(text.first() == Some(&b'-'));
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit());
    let mut significant = 0;
    let mut zeros = 0;
    for digit in digits {
        if *digit == b'0' {
            zeros += usize::from(significant > 0);
        } else {
            significant += zeros + 1;
            zeros = 0;
        }
    }
    usize::div_ceil(significant, 2) + 1 + minus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_two_significant_digits_a_byte() {
        for (text, bytes) in
            [("0", 1), ("7", 2), ("-7", 3), ("0012.50", 3), ("1e9", 2), ("12345", 4), ("100", 2)]
        {
            assert_eq!(number_bytes(text.as_bytes()), bytes, "{text}");
        }
    }
}
