//! The record of a post of an outcome to a partner's address.

use ledger::State;
use serde_json::json;

use crate::metric::{MetricValue, float, line, metric_names as names};
use crate::{Label, Metrics};

/// The result of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryResult {
    /// The receiver accepted it.
    Delivered,
    /// The receiver wants no more posts.
    Unwanted,
    /// The receiver did not accept it; it is tried again.
    Failed,
    /// The address is not allowed; it is tried again, in case it is changed.
    Rejected,
    /// It was not tried: the circuit breaker of the receiver is open.
    Held,
}

impl DeliveryResult {
    /// Returns the word of the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Unwanted => "unwanted",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Held => "held",
        }
    }
}

/// One attempt to notify a partner of an outcome. Times are milliseconds. Has no field for an address or a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The partner; a metric dimension.
    pub partner: Label,
    /// The file's id. In the log only.
    pub file: Label,
    /// The file's terminal state; `None` for a message that is not an announcement.
    pub state: Option<State>,
    /// The result.
    pub delivery: DeliveryResult,
    /// The class of the answer's status (`2xx`), or why there was none.
    pub answer: &'static str,
    /// From the announcement's arrival to the answer.
    pub duration: u64,
    /// How often the announcement was received, this time included.
    pub receive_count: u32,
}

impl DeliveryRecord {
    /// One log line, with ids and codes; a warning when there is something to warn of, which holds no content.
    pub fn log(&self, warning: Option<&str>) {
        let (partner, file) = (self.partner.as_str(), self.file.as_str());
        let (delivery, answer, duration_ms) = (self.delivery.as_str(), self.answer, self.duration);
        let (state, receive_count) = (self.state.map_or("", State::as_str), self.receive_count);
        match warning {
            None => {
                tracing::info!(
                    partner,
                    file,
                    state,
                    delivery,
                    answer,
                    duration_ms,
                    receive_count,
                    "outcome delivered"
                );
            }
            Some(error) => tracing::warn!(
                partner,
                file,
                state,
                delivery,
                answer,
                duration_ms,
                receive_count,
                error,
                "outcome not delivered"
            ),
        }
    }

    /// Returns the metric record: one line without its line end. Dimensions: none, and the partner.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let is = |delivery: DeliveryResult| if self.delivery == delivery { 1.0 } else { 0.0 };
        let metrics: [MetricValue; 6] = [
            (names::WEBHOOKS_DELIVERED, is(DeliveryResult::Delivered)),
            (names::WEBHOOKS_UNWANTED, is(DeliveryResult::Unwanted)),
            (names::WEBHOOKS_FAILED, is(DeliveryResult::Failed)),
            (names::WEBHOOKS_REJECTED, is(DeliveryResult::Rejected)),
            (names::WEBHOOKS_HELD, is(DeliveryResult::Held)),
            (names::WEBHOOK_DURATION, float(self.duration)),
        ];
        let state = self.state.map_or("", State::as_str);
        let members = [("partner", json!(self.partner)), ("file", json!(self.file)), ("state", json!(state))];
        let details = vec![("answer", json!(self.answer)), ("receiveCount", json!(self.receive_count))];
        line(published, now_ms, &[&[], &["partner"]], &metrics, &members, details)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_delivery_is_one_line_that_counts_one_thing() {
        let all = [
            DeliveryResult::Delivered,
            DeliveryResult::Unwanted,
            DeliveryResult::Failed,
            DeliveryResult::Rejected,
            DeliveryResult::Held,
        ];
        for delivery in all {
            let record = DeliveryRecord {
                partner: Label::new("north"),
                file: Label::new("abc"),
                state: Some(State::Complete),
                delivery,
                answer: "2xx",
                duration: 12,
                receive_count: 3,
            };
            let root: Value = serde_json::from_str(&record.metric(&Metrics::all("n"), 1)).expect("JSON");
            let counted: u64 = ["Delivered", "Unwanted", "Failed", "Rejected", "Held"]
                .map(|name| root[format!("Webhooks{name}")].as_u64().expect("a count"))
                .iter()
                .sum();
            let own = format!("Webhooks{delivery:?}");
            assert_eq!((counted, &root[own.as_str()]), (1, &Value::from(1)));
            assert_eq!(root["WebhookDuration"], 12);
            assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["partner"]]));
        }
    }
}
