//! The alarms of one incident as CloudWatch has them now: which of them are on and by how much, and what has happened
//! where they are not.

use store::{AlarmNow, ReadMetrics};

use crate::alarm::{AlarmChange, Description, values};
use crate::deliver::LookupError;
use crate::quantity::{Limit, Quantity};

/// An alarm of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub is_on: bool,
    /// Its metric, value and threshold in words, for example `failed invocations: 3 in 5 minutes (alarm above 0)`.
    pub reading: Option<String>,
    /// What has happened when it is resolved.
    pub resolved: String,
}

/// Reads the alarms of a change's incident; none for an alarm that is an incident of its own.
pub(crate) async fn of<D: ReadMetrics>(
    metrics: &D,
    change: &AlarmChange,
    stack: &str,
) -> Result<Vec<Member>, LookupError> {
    if change.state.is_none() || !change.is_part {
        return Ok(Vec::new());
    }
    let alarms = LookupError::within(metrics.alarms_now(&format!("{stack}-"))).await?;
    Ok(alarms.into_iter().filter_map(|alarm| member(alarm, &change.incident)).collect())
}

fn member(alarm: AlarmNow, incident: &str) -> Option<Member> {
    let description = Description::read(&alarm.description);
    if description.incident.as_deref() != Some(incident) {
        return None;
    }
    let limit = Limit::new(&alarm.comparison, alarm.threshold);
    let quantity = Quantity::of(&alarm.queries, alarm.period_seconds, limit);
    let value = values(&alarm.reason).first().copied();
    Some(Member {
        reading: quantity.map(|quantity| format!("{}: {}", quantity.name, quantity.reading(value))),
        name: alarm.name,
        is_on: alarm.is_on,
        resolved: description.resolved,
    })
}
