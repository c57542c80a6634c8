//! Decides whether a change of an alarm is sent: a pure function of the stored incident and of the time.

use std::collections::BTreeSet;

use store::Incident;

use store::AlarmState;

use crate::alarm::AlarmChange;

/// How long one invocation is at an incident, milliseconds: longer than the function's time-out of 45 s, shorter than
/// the minute after which Lambda tries again at the earliest.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const LEASE_MS: u64 = 55_000;

/// The next step for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IncidentStep {
    /// The change is sent, once the incident is written like this.
    Notify(Incident),
    /// The change belongs to an incident that was sent already, and is counted.
    Fold,
    /// Nothing is sent: the incident is resolved, or the change says nothing new.
    Nothing,
    /// The message of the change before is still being sent: try again later.
    Later,
}

/// Decides on a change.
pub(crate) fn decide(seen: Option<&Incident>, change: &AlarmChange, now_ms: u64) -> IncidentStep {
    match change.state {
        Some(AlarmState::Alarm) | None => on_alarm(seen, change, now_ms),
        // One alarm of several that recovers says nothing of the others: the composite alarm does.
        Some(AlarmState::Ok) if change.alarm == change.incident => on_recovery(seen, change, now_ms),
        Some(AlarmState::Ok | AlarmState::InsufficientData) => IncidentStep::Nothing,
    }
}

fn on_alarm(seen: Option<&Incident>, change: &AlarmChange, now_ms: u64) -> IncidentStep {
    let Some(seen) = seen else { return IncidentStep::Notify(begin(change, now_ms)) };
    if !seen.open {
        // An alarm of before the recovery came late.
        let is_news = seen.changed_ms < change.changed_ms;
        return if is_news { IncidentStep::Notify(begin(change, now_ms)) } else { IncidentStep::Nothing };
    }
    if seen.done || now_ms < seen.lease_until_ms {
        return IncidentStep::Fold;
    }
    // The one that began it did not end: this one notifies the remaining channels.
    IncidentStep::Notify(Incident { lease_until_ms: now_ms.saturating_add(LEASE_MS), ..seen.clone() })
}

fn on_recovery(seen: Option<&Incident>, change: &AlarmChange, now_ms: u64) -> IncidentStep {
    let Some(seen) = seen else { return IncidentStep::Nothing };
    let lease_until_ms = now_ms.saturating_add(LEASE_MS);
    if !seen.open {
        let is_unfinished = !seen.done && now_ms >= seen.lease_until_ms;
        if seen.changed_ms != change.changed_ms || !is_unfinished {
            return IncidentStep::Nothing;
        }
        return IncidentStep::Notify(Incident { lease_until_ms, ..seen.clone() });
    }
    if seen.changed_ms > change.changed_ms {
        return IncidentStep::Nothing;
    }
    if !seen.done && now_ms < seen.lease_until_ms {
        return IncidentStep::Later;
    }
    IncidentStep::Notify(Incident {
        open: false,
        alarm: change.alarm.clone(),
        changed_ms: change.changed_ms,
        notified: BTreeSet::new(),
        done: false,
        lease_until_ms,
        ..seen.clone()
    })
}

fn begin(change: &AlarmChange, now_ms: u64) -> Incident {
    // A composite alarm is the incident itself.
    let is_member = change.alarm != change.incident;
    Incident {
        alarms: is_member.then(|| change.alarm.clone()).into_iter().collect(),
        open: true,
        alarm: change.alarm.clone(),
        changed_ms: change.changed_ms,
        since_ms: change.changed_ms,
        notified: BTreeSet::new(),
        done: false,
        lease_until_ms: now_ms.saturating_add(LEASE_MS),
        folded: 0,
    }
}
