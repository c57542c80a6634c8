//! The record of a message about an incident to an operator.

use serde_json::json;

use crate::metric::{MetricValue, line, metric_names as names};
use crate::{Label, Metrics};

/// The result of one message on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeResult {
    /// The channel accepted it.
    Sent,
    /// The channel did not accept it; it is tried again.
    Failed,
    /// The alarm belongs to an incident whose message was sent already.
    Folded,
}

/// One attempt to notify operators of an incident. Has no field for an address or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRecord {
    /// The incident. In the log only.
    pub incident: Label,
    /// The alarm. In the log only.
    pub alarm: Label,
    /// The channel, of this repository; a metric dimension. `none` for a folded change.
    pub channel: &'static str,
    /// The result.
    pub notice: NoticeResult,
    /// Why it was not accepted; empty when it was.
    pub reason: &'static str,
}

impl NoticeRecord {
    /// One log line, with names and codes.
    pub fn log(&self) {
        let (incident, alarm) = (self.incident.as_str(), self.alarm.as_str());
        let (channel, reason) = (self.channel, self.reason);
        match self.notice {
            NoticeResult::Sent => tracing::info!(incident, alarm, channel, "incident notified"),
            NoticeResult::Failed => tracing::warn!(incident, alarm, channel, reason, "incident not notified"),
            NoticeResult::Folded => tracing::info!(incident, alarm, "folded into its incident"),
        }
    }

    /// Returns the metric record: one line without its line end. Dimensions: none, and the channel.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let is = |notice: NoticeResult| if self.notice == notice { 1.0 } else { 0.0 };
        let metrics: [MetricValue; 3] = [
            (names::NOTICES_SENT, is(NoticeResult::Sent)),
            (names::NOTICES_FAILED, is(NoticeResult::Failed)),
            (names::NOTICES_FOLDED, is(NoticeResult::Folded)),
        ];
        let members = [("channel", json!(self.channel))];
        let details = vec![
            ("incident", json!(self.incident)),
            ("alarm", json!(self.alarm)),
            ("reason", json!(self.reason)),
        ];
        line(published, now_ms, &[&[], &["channel"]], &metrics, &members, details)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_notice_is_one_line_that_counts_one_thing() {
        for notice in [NoticeResult::Sent, NoticeResult::Failed, NoticeResult::Folded] {
            let record = NoticeRecord {
                incident: Label::new("stack-api"),
                alarm: Label::new("stack-api-errors"),
                channel: "slack",
                notice,
                reason: "timeout",
            };
            let root: Value = serde_json::from_str(&record.metric(&Metrics::all("n"), 1)).expect("JSON");
            let counts = ["Sent", "Failed", "Folded"].map(|name| root[format!("Notices{name}")].clone());
            assert_eq!(counts.iter().filter_map(Value::as_u64).sum::<u64>(), 1);
            assert_eq!(root[format!("Notices{notice:?}")], 1);
            assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["channel"]]));
        }
    }
}
