//! Sets of values: enumerations, valid and invalid lists.

/// A closed list of values, compared as the column's type compares.
#[derive(Clone, Debug, Default)]
pub struct CellSet {
    /// The texts, sorted.
    pub texts: Vec<Vec<u8>>,
    /// The numbers, for integer and number columns.
    pub numbers: Vec<crate::Decimal>,
}
