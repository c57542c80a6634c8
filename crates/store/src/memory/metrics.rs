//! Alarms as they are now, and values of the one metric that there is.

use super::Memory;
use crate::{AlarmNow, Datapoint, Error, MetricQuery, Operation, PeriodRange, ReadMetrics};

impl ReadMetrics for Memory {
    async fn alarms_now(&self, prefix: &str) -> Result<Vec<AlarmNow>, Error> {
        self.call(Operation::ReadAlarms, |kept| {
            let named = kept.alarms.values().filter(|alarm| alarm.name.starts_with(prefix));
            named.cloned().collect()
        })
        .await
    }

    async fn measured(&self, queries: &[MetricQuery], span: PeriodRange) -> Result<Vec<Datapoint>, Error> {
        self.call(Operation::ReadMetrics, |kept| {
            kept.asked.extend_from_slice(queries);
            let within = |one: &&Datapoint| (span.from_ms..span.until_ms).contains(&one.at_ms);
            kept.measured.iter().filter(within).copied().collect()
        })
        .await
    }
}

impl Memory {
    /// Sets an alarm as CloudWatch has it now. No counted call.
    pub fn set_alarm(&self, alarm: AlarmNow) {
        self.kept().alarms.insert(alarm.name.clone(), alarm);
    }

    /// Measures a value, later than those before; whichever metric is asked for, these are its values. No counted call.
    pub fn measure(&self, at_ms: u64, value: f64) {
        self.kept().measured.push(Datapoint { at_ms, value });
    }

    /// Returns which measures were asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<MetricQuery> {
        self.kept().asked.clone()
    }
}
