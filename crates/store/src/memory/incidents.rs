//! Incidents, secrets and mail in memory.

use super::Memory;
use crate::incident::opens;
use crate::{Error, Incident, Incidents, Mail, Operation, Secrets};

impl Incidents for Memory {
    async fn incident(&self, name: &str) -> Result<Option<Incident>, Error> {
        self.call(Operation::ReadIncident, |world| world.incidents.get(name).cloned()).await
    }

    async fn put_incident(
        &self,
        name: &str,
        incident: &Incident,
        seen: Option<&Incident>,
    ) -> Result<bool, Error> {
        self.call(Operation::WriteIncident, |world| {
            let now = world.incidents.get(name);
            let key =
                |incident: &Incident| (incident.alarm.clone(), incident.changed_ms, incident.lease_until_ms);
            if now.map(key) != seen.map(key) {
                return false;
            }
            let folded = if opens(incident, seen) { 0 } else { now.map_or(0, |now| now.folded) };
            world.incidents.insert(name.to_owned(), Incident { folded, ..incident.clone() });
            true
        })
        .await
    }

    async fn fold(&self, name: &str) -> Result<(), Error> {
        self.call(Operation::WriteIncident, |world| {
            if let Some(incident) = world.incidents.get_mut(name) {
                incident.folded += 1;
            }
        })
        .await
    }
}

impl Secrets for Memory {
    async fn secret(&self, arn: &str) -> Result<String, Error> {
        self.call(Operation::ReadSecret, |world| world.secrets.get(arn).cloned())
            .await?
            .ok_or_else(|| Error::new(Operation::ReadSecret, "ResourceNotFoundException"))
    }
}

impl Mail for Memory {
    async fn mail(&self, subject: &str, text: &str) -> Result<(), Error> {
        self.call(Operation::SendMail, |world| world.mailed.push((subject.to_owned(), text.to_owned()))).await
    }
}

impl Memory {
    /// Keeps a secret. No counted call.
    pub fn keep_secret(&self, arn: &str, text: &str) {
        self.world().secrets.insert(arn.to_owned(), text.to_owned());
    }

    /// What was mailed, subject and text, in order.
    #[must_use]
    pub fn mailed(&self) -> Vec<(String, String)> {
        self.world().mailed.clone()
    }
}
