//! Incidents.

use super::Memory;
use crate::incidents::opens;
use crate::{Error, Incident, Incidents, Operation};

impl Incidents for Memory {
    async fn incident(&self, name: &str) -> Result<Option<Incident>, Error> {
        self.call(Operation::ReadIncident, |kept| kept.incidents.get(name).cloned()).await
    }

    async fn put_incident(
        &self,
        name: &str,
        incident: &Incident,
        seen: Option<&Incident>,
    ) -> Result<bool, Error> {
        self.call(Operation::WriteIncident, |kept| {
            let now = kept.incidents.get(name);
            let key =
                |incident: &Incident| (incident.alarm.clone(), incident.changed_ms, incident.lease_until_ms);
            if now.map(key) != seen.map(key) {
                return false;
            }
            let (folded, alarms) = match now {
                Some(now) if !opens(incident, seen) => (now.folded, now.alarms.clone()),
                _ => (0, incident.alarms.clone()),
            };
            kept.incidents.insert(name.to_owned(), Incident { folded, alarms, ..incident.clone() });
            true
        })
        .await
    }

    async fn fold(&self, name: &str, alarm: &str) -> Result<(), Error> {
        self.call(Operation::WriteIncident, |kept| {
            if let Some(incident) = kept.incidents.get_mut(name) {
                incident.folded += 1;
                incident.alarms.insert(alarm.to_owned());
            }
        })
        .await
    }
}
