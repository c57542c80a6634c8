//! Where a version stands in time among the versions of its key, as the bucket lists them.
//!
//! S3 tells when a version was made in whole seconds, and of an object that was uploaded in parts when the upload
//! began, which may be days before it was there. Only the list of a key's versions has them in the order in which
//! they came to be. So the instant of a version is the latest of its own and those of all older versions, and
//! versions that share an instant are ordered by their place in the list. Both grow from version to version, and both
//! are functions of the bucket.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>

use ledger::Rank;

/// How long an upload in parts may have been under way, milliseconds: the inbox gives it up after 7 days, counted
/// from the next midnight, and the rule may be late.
const LONGEST_UPLOAD_MS: u64 = 10 * 24 * 60 * 60 * 1_000;

/// A version as the list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// As listed, milliseconds since the epoch.
    pub(crate) last_modified_ms: u64,
    /// Whether it was uploaded in parts.
    pub(crate) in_parts: bool,
}

/// Goes down the list from a version to the older ones, and stops where no further one can matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descent {
    rank: Rank,
    depth: u32,
}

impl Descent {
    /// Begins at the version that is asked about.
    pub(crate) fn new(first: Made) -> Self {
        Self { rank: Rank { instant_ms: whole_seconds(first.last_modified_ms), older: 0 }, depth: 0 }
    }

    /// Takes the next older version. `false`: the versions below it do not matter.
    pub(crate) fn take(&mut self, next: Made) -> bool {
        let instant_ms = whole_seconds(next.last_modified_ms);
        self.depth = self.depth.saturating_add(1);
        if instant_ms >= self.rank.instant_ms {
            self.rank = Rank { instant_ms, older: self.depth };
            return true;
        }
        // What was put whole was there at its instant, and everything below it before that. What was uploaded in parts
        // was there some time after its instant.
        let latest_ms = if next.in_parts { instant_ms.saturating_add(LONGEST_UPLOAD_MS) } else { instant_ms };
        latest_ms >= self.rank.instant_ms
    }

    /// Returns what was found.
    pub(crate) fn rank(self) -> Rank {
        self.rank
    }
}

/// Returns the entity tag of an object that was uploaded in parts ends in a hyphen and their number.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
pub(crate) fn is_in_parts(etag: &str) -> bool {
    etag.contains('-')
}

fn whole_seconds(instant_ms: u64) -> u64 {
    instant_ms - instant_ms % 1_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the rank of each version of a list, oldest first.
    fn ranks(oldest_first: &[Made]) -> Vec<Rank> {
        let rank = |place: usize| {
            let mut older = oldest_first[..=place].iter().rev().copied();
            let mut descent = Descent::new(older.next().expect("itself"));
            while older.next().is_some_and(|next| descent.take(next)) {}
            descent.rank()
        };
        (0..oldest_first.len()).map(rank).collect()
    }

    fn put(last_modified_ms: u64) -> Made {
        Made { last_modified_ms, in_parts: false }
    }

    #[test]
    fn versions_of_one_second_are_counted_and_milliseconds_are_left_out() {
        let rank = |instant_ms, older| Rank { instant_ms, older };
        let versions = [put(1_000), put(5_100), put(5_900), put(5_000), put(6_000)];
        assert_eq!(
            ranks(&versions),
            [rank(1_000, 0), rank(5_000, 0), rank(5_000, 1), rank(5_000, 2), rank(6_000, 0)]
        );
    }

    #[test]
    fn an_upload_in_parts_that_began_early_comes_after_what_was_put_meanwhile() {
        let upload = Made { last_modified_ms: 2_000, in_parts: true };
        let found = ranks(&[put(1_000), put(9_000), upload, upload, put(9_500)]);
        let older: Vec<_> = found.iter().map(|rank| (rank.instant_ms, rank.older)).collect();
        assert_eq!(older, [(1_000, 0), (9_000, 0), (9_000, 1), (9_000, 2), (9_000, 3)]);
    }

    #[test]
    fn a_list_is_left_as_soon_as_the_rest_cannot_matter() {
        let mut descent = Descent::new(put(9_000));
        assert!(!descent.take(put(8_000)));
        let parts = |last_modified_ms| Made { last_modified_ms, in_parts: true };
        let mut descent = Descent::new(put(LONGEST_UPLOAD_MS + 9_000));
        assert!(descent.take(parts(9_000)) && !descent.take(parts(8_000)));
    }

    proptest! {
        /// Versions come to be at growing instants; one in parts shows an earlier instant, by less than an upload may
        /// take.
        #[test]
        fn ranks_grow_with_the_list_whatever_the_instants_say(
            steps in proptest::collection::vec((0_u64..3_000, proptest::option::of(0..LONGEST_UPLOAD_MS)), 1..40),
        ) {
            let mut now = 2 * LONGEST_UPLOAD_MS;
            let versions: Vec<_> = steps.into_iter().map(|(step, begun_before)| {
                now += step;
                Made { last_modified_ms: now - begun_before.unwrap_or_default(), in_parts: begun_before.is_some() }
            }).collect();
            let found = ranks(&versions);
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
        }
    }
}
