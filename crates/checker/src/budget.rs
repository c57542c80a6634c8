//! How many records of a file may be rejected, and how many of them are kept.
//!
//! The decision needs only totals, which both passes know exactly and in whatever order a rule finds a reject. What
//! is kept is the beginning of the rejects in the order of the file.

use contract::{Contract, OnError};

use crate::{Counts, FaultCode, FileFault};

/// The most bytes of rejected records, as sent, that are kept of one file. A reject is written twice, as a line of
/// JSON and as a row of CSV, each with its reason next to it: 64 MiB become about 200 MiB, which one invocation
/// writes in about a minute. A file with more of them is looked into at its source, not record by record.
pub(crate) const KEPT_BYTES: u64 = 64 << 20;

/// Returns what the totals of a file decide about it: nothing, or that it is quarantined.
pub(crate) fn decide(contract: &Contract, counts: &Counts, rejected_bytes: u64) -> Option<FileFault> {
    let Counts { rows, rejects, .. } = *counts;
    let records = counts.checked();
    let on_error = contract.policy.on_error;
    if rows == 0 && rejects > 0 {
        let found = match rejects {
            1 => "no record can be loaded: the only one was rejected".to_owned(),
            _ => format!("no record can be loaded: all {} were rejected", grouped(rejects)),
        };
        return Some(fault(found, "at least one must be good"));
    }
    if on_error.quarantines(rejects, records) {
        let were = if rejects == 1 { "was" } else { "were" };
        let found = format!("{} of {} records {were} rejected", grouped(rejects), grouped(records));
        return Some(fault(found, &allowed(on_error)));
    }
    let most = contract.limits.rejects;
    let (found, kept) = if rejects > most {
        (format!("more than {} records were rejected", grouped(most)), format!("the first {}", grouped(most)))
    } else if rejected_bytes > KEPT_BYTES {
        let found = format!("more than {} MiB of records were rejected", KEPT_BYTES >> 20);
        (found, format!("the first {} MiB", KEPT_BYTES >> 20))
    } else {
        return None;
    };
    Some(fault(found, &format!("{kept} are kept as rejects, and the original file has all of them")))
}

/// Returns whether one more reject is kept, of this many bytes, in addition to those that are.
pub(crate) fn keeps(contract: &Contract, kept: u64, kept_bytes: u64, bytes: u64) -> bool {
    kept < contract.limits.rejects && kept_bytes + bytes <= KEPT_BYTES
}

fn fault(found: String, expected: &str) -> FileFault {
    FileFault::new(FaultCode::ErrorBudget, found, expected)
}

fn allowed(on_error: OnError) -> String {
    match on_error {
        OnError::Continue => "any number may be rejected".to_owned(),
        OnError::Abort => "none may be rejected".to_owned(),
        OnError::SkipFile(records) => format!("fewer than {} may be rejected", grouped(records)),
        OnError::SkipFilePercent(percent) => format!("at most {percent} percent may be rejected"),
    }
}

/// Returns a number with a comma between each three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
