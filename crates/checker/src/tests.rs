//! Whole files through the engine.

mod advice;
mod business_rules;
pub(crate) mod contracts;
mod decisions;
mod kept;
mod left_out;
mod preparation;
mod repeats;
mod round_trip;
mod values;
mod verdicts;

use std::sync::Arc;

use contract::{Contract, Violation};

use crate::{ContentHash, FileCheck, Finished, Reject, Row, Sink, Summary};

pub(crate) use self::contracts::{COLUMNS, contract};

/// Keeps what it is given, in order.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct KeptCalls {
    /// Record number and key.
    pub(crate) rows: Vec<(u64, Option<String>)>,
    /// Record number and what it broke.
    pub(crate) rejects: Vec<(u64, Vec<Violation>)>,
    pub(crate) labels: Vec<String>,
}

impl Sink for KeptCalls {
    fn row(&mut self, row: Row<'_>) {
        self.rows.push((row.record.position.record, row.key()));
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.rejects.push((reject.position.record, reject.violations.to_vec()));
        self.labels = reject.labels.to_vec();
    }
}

/// Pushes a file in chunks of some size and ends it.
pub(crate) fn run(check: &mut FileCheck, file: &[u8], chunk: usize, sink: &mut impl Sink) -> Summary {
    for chunk in file.chunks(chunk) {
        let mut rest = chunk;
        loop {
            let pushed = check.push(rest, sink);
            rest = &rest[pushed.consumed..];
            if rest.is_empty() && !pushed.pending {
                break;
            }
        }
    }
    loop {
        if let Finished::Done(summary) = check.finish(sink) {
            return summary;
        }
    }
}

/// Both passes over a file: what each gave its sink, and its summary.
pub(crate) fn passes(contract: Contract, file: &[u8]) -> [(KeptCalls, Summary); 2] {
    let contract = Arc::new(contract);
    // Pieces of a few bytes for small files, and not more than a thousand for large ones.
    let piece = 5 + file.len() / 1000;
    let mut first = KeptCalls::default();
    let summary = run(
        &mut FileCheck::new(Arc::clone(&contract), [3; 16], ContentHash::Sha256),
        file,
        piece,
        &mut first,
    );
    let mut second = KeptCalls::default();
    let again = run(&mut FileCheck::again(contract, [3; 16], &summary), file, 13 * piece, &mut second);
    [(first, summary), (second, again)]
}

/// The first pass over a file.
pub(crate) fn pass(contract: Contract, file: &[u8]) -> (KeptCalls, Summary) {
    let [first, _] = passes(contract, file);
    first
}
