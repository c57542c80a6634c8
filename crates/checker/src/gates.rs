//! Rules on the file as a whole: measured over all its records, decided at its end.

use contract::{Cell, Column, Contract, Metric};
use siphasher::sip128::SipHasher13;

use crate::key_set::KeySet;
use crate::row::{TupleOf, write_tuple};
use crate::summary::GateResult;
use crate::{Counts, Record};

/// The running measure of one gate.
#[derive(Default)]
pub(crate) struct Tally {
    records: u64,
    /// What was seen, for a measure of repeats.
    seen: KeySet,
}

/// Counts one record that follows its format, whether it will be loaded or not.
pub(crate) fn measure(
    contract: &Contract,
    tallies: &mut [Tally],
    record: &Record<'_>,
    hasher: &SipHasher13,
    tuple: &mut Vec<u8>,
) {
    for (gate, tally) in contract.gates.iter().zip(tallies) {
        let counts = match &gate.metric {
            Metric::RowCount => false,
            Metric::NullValues(column) => on(contract, record, *column, Column::is_null),
            Metric::MissingValues(column, missing) => on(contract, record, *column, |column, cell| {
                column.is_null(cell) || missing.contains(column, cell)
            }),
            Metric::InvalidValues(column, checks) => on(contract, record, *column, |column, cell| {
                !column.is_null(cell) && checks.iter().any(|check| !check.passes(column, cell))
            }),
            Metric::DuplicateValues(columns) => {
                write_tuple(contract, record, columns, TupleOf::Sent, tuple)
                    && repeats(&mut tally.seen, hasher, tuple)
            }
        };
        tally.records += u64::from(counts);
    }
}

fn on(
    contract: &Contract,
    record: &Record<'_>,
    column: u16,
    counts: impl Fn(&Column, Cell<'_>) -> bool,
) -> bool {
    let index = usize::from(column);
    contract.columns.get(index).is_some_and(|column| counts(column, record.cell(index)))
}

fn repeats(seen: &mut KeySet, hasher: &SipHasher13, tuple: &[u8]) -> bool {
    let key = hasher.hash(tuple).into();
    let known = seen.get(key).is_some();
    if !known {
        seen.set(key, 1);
    }
    known
}

/// Compares what was measured with what each gate demands.
pub(crate) fn decide(contract: &Contract, tallies: &[Tally], counts: &Counts) -> Vec<GateResult> {
    let decide = |(gate, tally): (&contract::Gate, &Tally)| {
        let records = if matches!(gate.metric, Metric::RowCount) { counts.rows } else { tally.records };
        let measured = gate.measure(records, counts.checked());
        GateResult { rule: gate.rule, records, measured, passed: gate.passes(measured) }
    };
    contract.gates.iter().zip(tallies).map(decide).collect()
}
