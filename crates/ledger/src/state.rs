//! What a file version has come to: its state, its verdict and its counts.

words! {
    /// The state of a file version, as it stands in the ledger.
    State {
        /// Claimed; not terminal.
        Processing = "PROCESSING",
        /// Waits until an operator releases its feed; not terminal.
        Held = "HELD",
        /// Loaded and visible.
        Complete = "COMPLETE",
        /// Not loaded; bytes and report are in the quarantine.
        Quarantined = "QUARANTINED",
        /// A newer version of the key is visible instead.
        Superseded = "SUPERSEDED",
        /// The same content is already complete.
        Duplicate = "DUPLICATE",
        /// The version was deleted before it was read.
        Gone = "GONE",
        /// Not a partner file: a folder marker or an editor's lock file.
        Ignored = "IGNORED",
        /// An operator took the load back.
        Retracted = "RETRACTED",
    }
}

impl State {
    /// Returns whether it is decided. Only an operator or a later commit changes it then.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Processing | Self::Held)
    }
}

words! {
    /// What was decided about a file's content, as it stands in receipt, report and announcement.
    Verdict {
        /// Every record is loaded.
        Accepted = "accepted",
        /// The good records are loaded, the others rejected.
        Partial = "partial",
        /// Nothing is loaded.
        Rejected = "rejected",
    }
}

impl Verdict {
    /// Returns the verdict on a file in this state, the same in receipt, report and announcement. A
    /// quarantined file is rejected whether it was read or not; `None` where nothing became of the content.
    #[must_use]
    pub fn of(state: State, counts: Option<&Counts>) -> Option<Self> {
        match (state, counts) {
            (State::Quarantined, _) => Some(Self::Rejected),
            (State::Complete | State::Superseded | State::Retracted, Some(counts)) => {
                Some(if counts.rejects == 0 { Self::Accepted } else { Self::Partial })
            }
            (State::Complete | State::Superseded | State::Retracted, None)
            | (State::Processing | State::Held | State::Duplicate | State::Gone | State::Ignored, _) => None,
        }
    }
}

/// Records by fate. `records = rows + rejects + dropped`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Records that can be loaded.
    pub rows: u64,
    /// Records rejected.
    pub rejects: u64,
    /// Records that the contract leaves out (`dropIf`): neither loaded nor rejected.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Violations of severity warn.
    pub warnings: u64,
}

impl Counts {
    /// Returns the records that were to be loaded: those that are good and those that are not.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.rows.saturating_add(self.rejects)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back_and_is_serialized_as_its_word() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).expect("a state"), state.as_str());
        }
        assert_eq!(State::parse("complete"), None);
    }

    #[test]
    fn a_loaded_file_is_partial_as_soon_as_a_record_is_rejected() {
        let counts = |rejects| Counts { records: 3, rows: 3 - rejects, rejects, dropped: 0, warnings: 0 };
        for state in [State::Complete, State::Superseded, State::Retracted] {
            assert_eq!(Verdict::of(state, Some(&counts(0))), Some(Verdict::Accepted));
            assert_eq!(Verdict::of(state, Some(&counts(1))), Some(Verdict::Partial));
            assert_eq!(Verdict::of(state, None), None);
        }
        assert_eq!(Verdict::of(State::Quarantined, None), Some(Verdict::Rejected));
        assert_eq!(Verdict::of(State::Gone, Some(&counts(0))), None);
    }
}
