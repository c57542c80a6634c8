//! A cron expression by the clock of a zone.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::Cron;

/// A cron expression and the zone by whose clock it runs.
///
/// A local time that a change of the clock skips runs at that change; one that comes twice runs the first time. So the
/// instant of a local time is the first at which the clock shows it or a later one, and a later local time never has
/// an earlier instant.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) cron: Cron,
    pub(crate) zone: TimeZone,
}

impl Clock {
    /// Returns the last scheduled instant until this one, itself included.
    pub(super) fn latest(&self, until: Timestamp) -> Option<Timestamp> {
        self.instant(self.cron.latest(self.reached(until))?)
    }

    /// Returns the first scheduled instant after this one.
    pub(super) fn earliest_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.instant(self.cron.earliest_after(self.reached(after))?)
    }

    /// Returns the latest local time that the clock has shown or skipped until now: after it was set back, that is
    /// the time before.
    fn reached(&self, now: Timestamp) -> DateTime {
        let shown = self.zone.to_datetime(now);
        let nanosecond = SignedDuration::from_nanos(1);
        let change = now.checked_add(nanosecond).ok().and_then(|after| self.zone.preceding(after).next());
        let before = change.and_then(|change| change.timestamp().checked_sub(nanosecond).ok());
        before.map_or(shown, |before| shown.max(self.zone.to_datetime(before)))
    }

    /// Returns the instant at which a local time runs.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(local).ok()
            }
            // By the later offset a skipped time is an instant shortly before the change.
            AmbiguousOffset::Gap { after, .. } => {
                let before = after.to_timestamp(local).ok()?;
                self.zone.following(before).next().map(|change| change.timestamp())
            }
        }
    }
}
