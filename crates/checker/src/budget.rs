//! How many records of a file may be rejected.

use contract::{Contract, OnError};

use crate::{Counts, FaultCode, FileFault};

/// What the totals of a file decide about it: nothing, or that it is rejected as a whole.
pub(crate) fn decide(contract: &Contract, counts: &Counts) -> Option<FileFault> {
    let Counts { records, rows, rejects, .. } = *counts;
    let on_error = contract.policy.on_error;
    if rows == 0 && rejects > 0 {
        let found = match rejects {
            1 => "no record can be loaded: the only one was rejected".to_owned(),
            _ => format!("no record can be loaded: all {} were rejected", grouped(rejects)),
        };
        return Some(fault(found, "at least one must be good"));
    }
    if on_error.refuses(rejects, records) {
        let were = if rejects == 1 { "was" } else { "were" };
        let found = format!("{} of {} records {were} rejected", grouped(rejects), grouped(records));
        return Some(fault(found, &allowed(on_error)));
    }
    None
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

/// A number with a comma between each three digits.
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
