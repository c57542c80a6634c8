//! Which files a backfill means, by when they were last modified.

use crate::arguments::BackfillArguments;
use crate::error::CommandError;
use crate::reading::since;

/// From an instant on, and before another one: milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ModifiedRange {
    from_ms: Option<u64>,
    until_ms: Option<u64>,
}

impl ModifiedRange {
    /// Reads the words of a command.
    pub(super) fn of(arguments: &BackfillArguments, now_ms: u64) -> Result<Self, CommandError> {
        let read = |text: &Option<String>| {
            let moment = |text: &String| {
                since(text, now_ms).ok_or_else(|| CommandError::NotATime { found: text.clone() })
            };
            text.as_ref().map(moment).transpose()
        };
        Ok(Self { from_ms: read(&arguments.since)?, until_ms: read(&arguments.until)? })
    }

    pub(super) fn contains(self, modified_ms: u64) -> bool {
        self.from_ms.is_none_or(|from| from <= modified_ms)
            && self.until_ms.is_none_or(|until| modified_ms < until)
    }

    /// Returns its bounds as instants.
    pub(super) fn instants(self) -> [Option<String>; 2] {
        [self.from_ms, self.until_ms].map(|bound| bound.map(runtime::format_second))
    }

    /// Returns what follows a place in a sentence; nothing for all files.
    pub(super) fn words(self) -> String {
        match self.instants() {
            [None, None] => String::new(),
            [Some(from), None] => format!(", last modified since {from}"),
            [None, Some(until)] => format!(", last modified before {until}"),
            [Some(from), Some(until)] => format!(", last modified since {from} and before {until}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_its_first_instant_and_not_its_last() {
        let range = |from_ms, until_ms| ModifiedRange { from_ms, until_ms };
        for (range, contained) in [
            (range(None, None), [true, true, true]),
            (range(Some(2), None), [false, true, true]),
            (range(None, Some(2)), [true, false, false]),
            (range(Some(2), Some(3)), [false, true, false]),
            (range(Some(3), Some(2)), [false, false, false]),
        ] {
            assert_eq!([1, 2, 3].map(|ms| range.contains(ms)), contained, "{range:?}");
        }
        assert_eq!(range(None, None).words(), "");
        assert_eq!(
            range(Some(0), Some(1_000)).words(),
            ", last modified since 1970-01-01T00:00:00Z and before 1970-01-01T00:00:01Z"
        );
    }
}
