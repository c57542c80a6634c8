//! Judges freshness and volume of a partner's files of one feed. Pure: it calls no service.

use contract::{Arrival, Due};
use ledger::State;
use runtime::{MINUTE_MS, landed_ms};
use store::ListedFile;

/// How long a late file is reported after its arrival, milliseconds: three runs. A missing file is reported until it
/// arrives.
const LATE_REPORTED_MS: u64 = 15 * MINUTE_MS;
/// Earlier files that a median is made of, at least and at most.
const HISTORY: (usize, usize) = (5, 30);
/// Without a band in the contract: more than this multiple of the median is high, and less than the median divided by
/// it is low.
const FACTOR: u64 = 4;

/// Whether the file of the newest scheduled time arrived in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The file was on time, its delay was reported long enough, or none was due.
    OnTime,
    /// It arrived after the deadline, at most [`LATE_REPORTED_MS`] ago.
    Late,
    /// It has not arrived.
    Missing,
}

/// How many rows the newest complete file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// As many rows as usual, or it is not known what is usual.
    Usual,
    /// Far fewer.
    Low,
    /// Far more.
    High,
}

/// Returns whether a listed file counts as an arrival. Clutter, versions that were deleted unread, and content that
/// arrived before do not count, nor do corrected rejects. A quarantined file does; its own alarm reports it.
fn is_new(file: &ListedFile) -> bool {
    !is_part(file) && !matches!(file.state, State::Ignored | State::Gone | State::Duplicate)
}

/// Returns when new files arrived, milliseconds since the epoch, in the order of the list.
pub(crate) fn arrivals(files: &[ListedFile]) -> impl Iterator<Item = u64> {
    files.iter().filter(|file| is_new(file)).filter_map(|file| landed_ms(&file.order))
}

/// Judges the file of a scheduled time.
pub(crate) fn freshness(due: &Due, arrivals_ms: &[u64], now_ms: u64) -> Freshness {
    match due.judge(arrivals_ms.iter().copied()) {
        Arrival::OnTime => Freshness::OnTime,
        Arrival::Missing => Freshness::Missing,
        Arrival::Late => {
            let after = arrivals_ms.iter().copied().filter(|arrived| *arrived > due.deadline_ms);
            let reported =
                after.min().is_none_or(|arrived| arrived.saturating_add(LATE_REPORTED_MS) < now_ms);
            if reported { Freshness::OnTime } else { Freshness::Late }
        }
    }
}

/// Returns whether a file has corrected rejects only: it says nothing about when files come and how large they are.
fn is_part(file: &ListedFile) -> bool {
    file.outcome.as_ref().is_some_and(|outcome| outcome.corrects_rejects)
}

/// Judges the newest complete file of a list, newest first, by the contract's band, or by the median of the files
/// before it. A version that a newer one replaced is history like any other.
pub(crate) fn size(files: &[ListedFile], band: (Option<u64>, Option<u64>)) -> Size {
    let rows = |file: &ListedFile| file.outcome.as_ref().map(|outcome| outcome.counts.rows);
    let mut rest = files.iter().filter(|file| !is_part(file));
    let newest = rest.find(|file| file.state == State::Complete);
    let Some(newest) = newest.and_then(rows) else { return Size::Usual };
    let (least, most) = match band {
        (None, None) => {
            let loaded = rest.filter(|file| matches!(file.state, State::Complete | State::Superseded));
            let Some(median) = median(loaded.filter_map(rows).take(HISTORY.1).collect()) else {
                return Size::Usual;
            };
            (Some(median.div_ceil(FACTOR)), Some(median.saturating_mul(FACTOR)))
        }
        band => band,
    };
    if least.is_some_and(|least| newest < least) {
        Size::Low
    } else if most.is_some_and(|most| newest > most) {
        Size::High
    } else {
        Size::Usual
    }
}

/// Returns the middle one; of an even number the lower one of the two. `None` when there are too few.
fn median(mut rows: Vec<u64>) -> Option<u64> {
    if rows.len() < HISTORY.0 {
        return None;
    }
    rows.sort_unstable();
    rows.get((rows.len() - 1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use checker::Counts;
    use ledger::{FileId, Outcome};
    use proptest::prelude::*;

    use super::*;
    use runtime::format_instant;

    const DUE: Due = Due { opens_ms: 1_000, due_ms: 2_000, deadline_ms: 3_000 };

    pub(crate) fn file(state: State, rows: u64, landed_ms: u64) -> ListedFile {
        let outcome = Outcome {
            counts: Counts { records: rows, rows, rejects: 0, dropped: 0, warnings: 0 },
            bytes: 1,
            ..Outcome::new(state)
        };
        ListedFile {
            file: FileId::parse(&"a".repeat(26)).expect("an id"),
            feed: "labs".into(),
            key: "north/labs/a".into(),
            state,
            order: format!("{}/0", format_instant(landed_ms)),
            outcome: Some(outcome),
        }
    }

    fn complete(rows: &[u64]) -> Vec<ListedFile> {
        rows.iter().map(|rows| file(State::Complete, *rows, 0)).collect()
    }

    #[test]
    fn corrected_rejects_are_no_arrival_and_have_no_volume() {
        let mut back = file(State::Complete, 2, 9_000);
        back.outcome = back.outcome.map(|outcome| Outcome { corrects_rejects: true, ..outcome });
        let files: Vec<_> = [back].into_iter().chain(complete(&[1_000; 12])).collect();
        assert_eq!(size(&files, (None, None)), Size::Usual);
        assert_eq!(size(&files, (Some(500), None)), Size::Usual);
        assert_eq!(arrivals(&files[..1]).count(), 0);
    }

    #[test]
    fn a_file_is_missing_until_it_arrives_and_late_for_a_short_while() {
        let end = 3_000 + LATE_REPORTED_MS + 500;
        for (arrivals, now, expected) in [
            (vec![], 4_000, Freshness::Missing),
            (vec![900], 4_000, Freshness::Missing),
            (vec![1_001], 4_000, Freshness::OnTime),
            (vec![3_000], 4_000, Freshness::OnTime),
            (vec![3_500], 4_000, Freshness::Late),
            (vec![3_500], end, Freshness::Late),
            (vec![3_500], end + 1, Freshness::OnTime),
            (vec![9_000, 3_500], end + 1, Freshness::OnTime),
            (vec![9_000, 2_500], 9_000, Freshness::OnTime),
        ] {
            assert_eq!(freshness(&DUE, &arrivals, now), expected, "{arrivals:?} at {now}");
        }
    }

    #[test]
    fn a_quarantined_file_counts_as_an_arrival_and_clutter_does_not() {
        let states = [State::Quarantined, State::Processing, State::Ignored, State::Gone, State::Duplicate];
        let files: Vec<_> = states.iter().zip(1..).map(|(state, landed)| file(*state, 1, landed)).collect();
        assert_eq!(arrivals(&files).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn the_band_of_the_contract_decides_and_both_its_ends_are_usual() {
        for (rows, band, expected) in [
            (9, (Some(10), Some(20)), Size::Low),
            (10, (Some(10), Some(20)), Size::Usual),
            (20, (Some(10), Some(20)), Size::Usual),
            (21, (Some(10), Some(20)), Size::High),
            (0, (None, Some(20)), Size::Usual),
            (5_000, (Some(1), None), Size::Usual),
        ] {
            // A history that says otherwise changes nothing.
            assert_eq!(size(&complete(&[rows, 1, 1, 1, 1, 1]), band), expected, "{rows}");
        }
    }

    #[test]
    fn without_a_band_a_quarter_and_four_times_the_median_of_five_are_still_usual() {
        let before = [100, 90, 110, 5_000, 100];
        for (rows, expected) in [(24, Size::Low), (25, Size::Usual), (400, Size::Usual), (401, Size::High)] {
            let files = complete(&[&[rows], &before[..]].concat());
            assert_eq!(size(&files, (None, None)), expected, "{rows}");
        }
        assert_eq!(size(&complete(&[1, 100, 100, 100, 100]), (None, None)), Size::Usual, "four are too few");
    }

    #[test]
    fn only_the_newest_complete_file_is_judged_and_superseded_ones_are_history() {
        let mut files = vec![file(State::Quarantined, 0, 9), file(State::Processing, 0, 8)];
        files.extend(complete(&[1]));
        files.extend((0..5).map(|_| file(State::Superseded, 100, 0)));
        assert_eq!(size(&files, (None, None)), Size::Low);
        assert_eq!(size(&files[..2], (Some(1), None)), Size::Usual, "none is complete");
    }

    proptest! {
        #[test]
        fn a_feed_that_stays_the_same_is_usual(rows in 0_u64..1_000_000, files in 1_usize..40) {
            prop_assert_eq!(size(&complete(&vec![rows; files]), (None, None)), Size::Usual);
        }

        #[test]
        fn no_numbers_make_it_panic(rows: Vec<u64>, arrivals: Vec<u64>, now: u64, band: (Option<u64>, Option<u64>)) {
            size(&complete(&rows), band);
            freshness(&DUE, &arrivals, now);
        }
    }
}
