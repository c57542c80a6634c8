//! Incidents, in the ledger table: what the notifier keeps.

use std::collections::BTreeSet;
use std::future::Future;

use crate::Error;

/// The stored state of an incident: the change that was sent last, or is being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Whether it is open.
    pub open: bool,
    /// The alarm whose change of state opened or closed it.
    pub alarm: String,
    /// When that state changed, milliseconds since the epoch.
    pub changed_ms: u64,
    /// When the incident began, milliseconds since the epoch.
    pub since_ms: u64,
    /// The channels that took the message.
    pub notified: BTreeSet<String>,
    /// Whether all channels took it.
    pub done: bool,
    /// When the lease of the invocation that sends its messages ends, milliseconds since the epoch; 0 without a lease.
    pub lease_until_ms: u64,
    /// Changes of state that were folded into it since it began.
    pub folded: u64,
    /// The alarms that went off in it since it began, by name.
    pub alarms: BTreeSet<String>,
}

/// Keeps incidents, by name.
pub trait Incidents: Sync {
    /// Returns an incident, strongly consistent.
    fn incident(&self, name: &str) -> impl Future<Output = Result<Option<Incident>, Error>> + Send;
    /// Writes an incident if it still is what was seen: its change of state and its lease. `false`: it is not. The
    /// count of folded changes and the alarms are left as they are, but begin anew with an incident that opens.
    fn put_incident(
        &self,
        name: &str,
        incident: &Incident,
        seen: Option<&Incident>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Counts a change of state that was folded into an incident, and keeps the alarm's name.
    fn fold(&self, name: &str, alarm: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Returns whether the change of state that is written opens the incident.
pub(crate) fn opens(incident: &Incident, seen: Option<&Incident>) -> bool {
    incident.open && seen.is_none_or(|seen| !seen.open)
}
