use contract::{Found, Structure, Violation};
use proptest::prelude::*;

use super::*;
use crate::tests::contract;
use crate::{Position, Slot, SlotKind};

/// Writes one record with these cells under these labels, rejected by this rule, and reads the table back.
fn read_back(labels: &[&str], cells: &[&str], structure: Structure) -> Vec<Vec<String>> {
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
        Violation { rule: structure.index(), column: None, found: Found::Cells { cells: 4, columns: 3 } },
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
    let form = FileForm::declared(&contract);
    let text = TextWriter::new(&form, &contract);
    RejectTable::new(&Dialect::default(), form, text, "f").write(&reject, &mut out);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
    reader.records().map(|record| record.expect("a table").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_rejected_record_has_the_senders_columns_and_its_reasons() {
    let table = read_back(&["z", "a"], &["one", "two"], Structure::Nul);
    assert_eq!(table[0], ["z", "a", "_line", "_column", "_rule", "_reason", "_record", "_file"]);
    assert_eq!(table[1][..5], ["one", "two", "9", "; id", "record.nul; record.primaryKey"]);
    assert_eq!(table[1][5], "4 cells; the header has 3; duplicate primary key: already used on line 7");
    assert_eq!(table[1][6..], ["", "f"]);
}

#[test]
fn a_ragged_record_is_whole_in_a_column_of_its_own() {
    let whole = |cells: &[&str], structure| {
        let line = read_back(&["a", "b"], cells, structure).remove(1);
        assert_eq!(line[..2], ["", ""]);
        line[6].clone()
    };
    assert_eq!(whole(&["one"], Structure::TooFewCells), "the whole record");
    assert_eq!(whole(&["one", "two", "three"], Structure::TooManyCells), "the whole record");
    assert_eq!(whole(&[], Structure::Quoting), "the whole record");
    assert_eq!(whole(&[], Structure::RecordBytes), "the whole record ...");
}

#[test]
fn without_labels_the_contracts_columns_head_the_table() {
    assert_eq!(read_back(&[], &["1", "2", "3"], Structure::Nul)[0][..4], ["id", "count", "note", "_line"]);
}

proptest! {
    #[test]
    fn the_senders_cells_come_back(cells in prop::collection::vec("[ -~é\n\r\t\"',]{0,8}", 3)) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let table = read_back(&["a", "b", "c"], &cells, Structure::Nul);
        prop_assert_eq!(&table[1][..3], &cells[..]);
    }
}
