//! Contracts, readers and owned items for the tests of decoder and readers.

use std::sync::Arc;

use contract::{
    Column, Contract, Dialect, Format, HeaderMatch, Identity, Kind, Limits, Policy, RuleIndex, Status,
    Structure,
};

use crate::reader::Reader;
use crate::{FileFault, Item, Slot, SlotKind};

pub(crate) const LIMITS: Limits = Limits {
    file_bytes: 1 << 30,
    decompressed_bytes: 1 << 30,
    ratio: 200,
    record_bytes: 1 << 20,
    columns: 4_096,
    depth: 32,
    rejects: 100_000,
};

pub(crate) const DIALECT: Dialect = Dialect {
    header: true,
    delimiter: b',',
    quote: Some(b'"'),
    escape: None,
    double_quote: true,
    comment: None,
    trim: false,
    skip_rows: 0,
    header_match: HeaderMatch::Exact,
    spelling: None,
};

/// Returns a contract of text columns with these names.
pub(crate) fn contract(format: Format, columns: &[&str]) -> Contract {
    let column = |name: &&str| Column::new(name, Kind::String, RuleIndex(0));
    Contract {
        identity: Identity {
            id: "id".to_owned(),
            name: "name".to_owned(),
            version: "1.0.0".to_owned(),
            status: Status::Active,
            hash: [0; 32],
        },
        format,
        encoding: None,
        limits: LIMITS,
        columns: columns.iter().map(column).collect(),
        drop_if: Vec::new(),
        transformed: Vec::new(),
        primary_key: Vec::new(),
        unique: Vec::new(),
        policy: Policy::default(),
        row_rules: Vec::new(),
        gates: Vec::new(),
        version_from: None,
        expectation: None,
        rules: Structure::ALL.iter().map(|structure| structure.rule()).collect(),
        not_run: Vec::new(),
    }
}

pub(crate) fn separated(columns: &[&str]) -> Contract {
    contract(Format::Separated(DIALECT), columns)
}

/// An item without borrows: everything that a reader said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) record: u64,
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) raw: Vec<u8>,
    /// Slots of a record, or cells of broken bytes.
    pub(crate) slots: Vec<(SlotKind, Vec<u8>)>,
    pub(crate) cells: Vec<(SlotKind, Vec<u8>)>,
    pub(crate) broken: Option<Structure>,
}

impl Owned {
    pub(crate) fn of(item: Item<'_>) -> Self {
        let own = |text: &[u8], slots: &[Slot]| {
            let pair = |slot: &Slot| {
                let bytes = text.get(slot.start as usize..slot.end as usize).expect("a span within the text");
                (slot.kind, bytes.to_vec())
            };
            slots.iter().map(pair).collect::<Vec<_>>()
        };
        match item {
            Item::Record(record) => {
                let text = std::str::from_utf8(record.text).expect("text is UTF-8").as_bytes();
                Self {
                    record: record.position.record,
                    line: record.position.line,
                    offset: record.position.offset,
                    raw: record.raw.to_vec(),
                    slots: own(text, record.slots),
                    cells: own(text, record.cells),
                    broken: None,
                }
            }
            Item::Broken { position, raw, text, cells, violation } => Self {
                record: position.record,
                line: position.line,
                offset: position.offset,
                raw: raw.to_vec(),
                slots: Vec::new(),
                cells: own(text, cells),
                broken: Structure::ALL.get(usize::from(violation.rule.0)).copied(),
            },
        }
    }

    /// Returns the slots as text; what is absent or null as `~`.
    pub(crate) fn texts(&self) -> Vec<String> {
        let shown = |(kind, bytes): &(SlotKind, Vec<u8>)| match kind {
            SlotKind::Absent | SlotKind::Null => "~".to_owned(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        };
        self.slots.iter().map(shown).collect()
    }
}

/// Reads blocks; the items up to the end or the fault.
pub(crate) fn read<'a>(
    contract: Contract,
    blocks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Owned>, Result<Reader, FileFault>) {
    let mut reader = Reader::new(Arc::new(contract));
    let mut items = Vec::new();
    for block in blocks {
        if let Err(fault) = reader.push(block, &mut |item| items.push(Owned::of(item))) {
            return (items, Err(fault));
        }
    }
    match reader.finish(&mut |item| items.push(Owned::of(item))) {
        Ok(()) => (items, Ok(reader)),
        Err(fault) => (items, Err(fault)),
    }
}

/// Returns each record as its slots joined by `|`, each broken one as the rule it breaks with its line.
pub(crate) fn outline(items: &[Owned]) -> Vec<String> {
    let line = |item: &Owned| match item.broken {
        None => item.texts().join("|"),
        Some(structure) => format!("{structure:?}@{}", item.line),
    };
    items.iter().map(line).collect()
}
