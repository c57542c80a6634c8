//! Sets of lines, by which corrected rejects are compared with the rejects that they came from.

use serde::{Deserialize, Serialize};

/// The lines of some records, as one number: the same for the same lines in any order. A line that stands twice counts
/// twice. Other lines have another number, but for one chance in 2^64; who sends both files gains nothing by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineSum(u64);

impl LineSum {
    /// Adds the line of a record, from 1; 0 stands for one that is not known.
    pub fn add(&mut self, line: u64) {
        // The finaliser of SplitMix64, by Guy Steele, Doug Lea and Christine Flood.
        let mixed = line.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.0 = self.0.wrapping_add(mixed ^ (mixed >> 31));
    }

    /// Returns the sum that has this number.
    #[must_use]
    pub fn of_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(lines: &[u64]) -> LineSum {
        let mut sum = LineSum::default();
        for line in lines {
            sum.add(*line);
        }
        sum
    }

    #[test]
    fn the_same_lines_in_any_order_have_one_sum_and_other_lines_another() {
        assert_eq!(sum(&[2, 3, 9]), sum(&[9, 2, 3]));
        for other in [&[][..], &[2, 3], &[2, 3, 8], &[2, 2, 9], &[2, 3, 9, 9], &[2, 3, 9, 0], &[1, 4, 9]] {
            assert_ne!(sum(other), sum(&[2, 3, 9]), "{other:?}");
        }
    }
}
