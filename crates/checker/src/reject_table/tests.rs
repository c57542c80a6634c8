use contract::{Found, Structure, Violation};
use proptest::prelude::*;

use super::*;
use crate::tests::contract;
use crate::{Position, Slot, SlotKind};

/// Writes one record with these cells under these labels and reads the table back.
fn read_back(labels: &[&str], cells: &[&str]) -> Vec<Vec<String>> {
    let contract = contract();
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    let mut text = Vec::new();
    let mut slots = Vec::new();
    for cell in cells {
        let start = u32::try_from(text.len()).expect("short");
        text.extend_from_slice(cell.as_bytes());
        let end = u32::try_from(text.len()).expect("short");
        slots.push(Slot { kind: SlotKind::Text, start, end });
    }
    let violations = [
        Violation {
            rule: Structure::TooManyCells.index(),
            column: None,
            found: Found::Cells { cells: 4, columns: 3 },
        },
        Violation { rule: Structure::PrimaryKey.index(), column: Some(0), found: Found::LineOfFirst(7) },
    ];
    let reject = Reject {
        contract: &contract,
        labels: &labels,
        position: Position { record: 4, line: 9, offset: 80 },
        raw: b"the whole record",
        text: &text,
        cells: &slots,
        violations: &violations,
    };
    let mut out = Vec::new();
    RejectTable::new().write(&reject, &mut out);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
    reader.records().map(|record| record.expect("a table").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_rejected_record_stands_in_the_senders_columns_beside_its_reasons() {
    let table = read_back(&["z", "a"], &["one", "two"]);
    assert_eq!(table[0], ["z", "a", "_line", "_column", "_rule", "_reason"]);
    assert_eq!(
        table[1],
        [
            "one",
            "two",
            "9",
            "; id",
            "record.tooManyCells; record.primaryKey",
            "4 cells; the header has 3; duplicate primary key: already used on line 7",
        ]
    );
}

#[test]
fn a_ragged_record_keeps_its_columns_and_all_its_cells() {
    assert_eq!(read_back(&["a", "b"], &["one"])[1][..3], ["one", "", "9"]);
    assert_eq!(read_back(&["a", "b"], &["one", "two", "three"])[1][..3], ["one", "two,three", "9"]);
    assert_eq!(read_back(&["a", "b"], &[])[1][..3], ["the whole record", "", "9"]);
}

#[test]
fn without_labels_the_contracts_columns_head_the_table() {
    assert_eq!(read_back(&[], &["1", "2", "3"])[0][..4], ["id", "count", "note", "_line"]);
}

#[test]
fn a_formula_is_defused_and_a_number_is_not_touched() {
    let cells = ["=1+1", "@x", "-5", "+3.25", "-5+cmd|x", "\tx", "-", "a=b"];
    let table = read_back(&["a", "b", "c", "d", "e", "f", "g", "h"], &cells);
    assert_eq!(table[1][..8], ["'=1+1", "'@x", "-5", "+3.25", "'-5+cmd|x", "'\tx", "'-", "a=b"]);
}

proptest! {
    #[test]
    fn the_senders_cells_come_back(cells in prop::collection::vec("[ -~é\n\r\t\"',]{0,8}", 3)) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let table = read_back(&["a", "b", "c"], &cells);
        for (cell, read) in cells.iter().zip(&table[1]) {
            let starts_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let defused = ["'", cell].concat();
            prop_assert!(read == cell || (starts_formula && *read == defused), "a cell came back changed");
        }
    }
}
