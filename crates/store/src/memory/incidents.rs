//! Incidents, secrets, mail and metrics in memory.

use super::Memory;
use crate::incident::opens;
use crate::{
    AlarmNow, AlarmsNow, Datapoint, Error, Incident, Incidents, Mail, Measured, Operation, Query, Secrets,
    Span,
};

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
            let (folded, alarms) = match now {
                Some(now) if !opens(incident, seen) => (now.folded, now.alarms.clone()),
                _ => (0, incident.alarms.clone()),
            };
            world.incidents.insert(name.to_owned(), Incident { folded, alarms, ..incident.clone() });
            true
        })
        .await
    }

    async fn fold(&self, name: &str, alarm: &str) -> Result<(), Error> {
        self.call(Operation::WriteIncident, |world| {
            if let Some(incident) = world.incidents.get_mut(name) {
                incident.folded += 1;
                incident.alarms.insert(alarm.to_owned());
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

impl Measured for Memory {
    async fn measured(&self, queries: &[Query], span: Span) -> Result<Vec<Datapoint>, Error> {
        self.call(Operation::ReadMetrics, |world| {
            world.asked.extend_from_slice(queries);
            let within = |one: &&Datapoint| (span.from_ms..span.until_ms).contains(&one.at_ms);
            world.measured.iter().filter(within).copied().collect()
        })
        .await
    }
}

impl AlarmsNow for Memory {
    async fn alarms_now(&self, prefix: &str) -> Result<Vec<AlarmNow>, Error> {
        self.call(Operation::ReadAlarms, |world| {
            let named = world.alarms.values().filter(|alarm| alarm.name.starts_with(prefix));
            named.cloned().collect()
        })
        .await
    }
}

impl Memory {
    /// Sets an alarm as CloudWatch has it now. No counted call.
    pub fn set_alarm(&self, alarm: AlarmNow) {
        self.world().alarms.insert(alarm.name.clone(), alarm);
    }

    /// Measures a value, later than those before; whichever metric is asked for, these are its values. No counted call.
    pub fn measure(&self, at_ms: u64, value: f64) {
        self.world().measured.push(Datapoint { at_ms, value });
    }

    /// Which measures were asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Query> {
        self.world().asked.clone()
    }

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
