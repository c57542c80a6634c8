//! The record of a receipt's way into the outbox.

use ledger::State;
use serde_json::json;

use crate::metric::{MetricValue, float, line, metric_names as names};
use crate::{Label, Metrics};

/// The result of a delivery to the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutboxResult {
    /// A receipt was written.
    Written,
    /// The outbox already has this receipt, or the one of a newer version of the name.
    Unchanged,
    /// There is nothing to write for this file.
    Nothing,
    /// It failed, and is tried again.
    Failed,
}

impl OutboxResult {
    /// Returns the word of the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::Nothing => "nothing",
            Self::Failed => "failed",
        }
    }
}

/// One attempt to bring the outbox up to date for a file. Times are milliseconds. Has no field for a name or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The partner; a metric dimension.
    pub partner: Label,
    /// The file's id. In the log only.
    pub file: Label,
    /// The state that was announced; `None` for a message that is not an announcement.
    pub state: Option<State>,
    /// The result.
    pub result: OutboxResult,
    /// What was written, or why nothing was.
    pub detail: &'static str,
    /// From the announcement's arrival to the result.
    pub duration: u64,
    /// How often the announcement was received, this time included.
    pub receive_count: u32,
}

impl OutboxRecord {
    /// One log line, with ids and codes; a warning when there is something to warn of, which holds no content.
    pub fn log(&self, warning: Option<&str>) {
        let (partner, file) = (self.partner.as_str(), self.file.as_str());
        let (result, detail, duration_ms) = (self.result.as_str(), self.detail, self.duration);
        let (state, receive_count) = (self.state.map_or("", State::as_str), self.receive_count);
        match warning {
            None => {
                tracing::info!(
                    partner,
                    file,
                    state,
                    result,
                    detail,
                    duration_ms,
                    receive_count,
                    "outbox up to date"
                );
            }
            Some(error) => tracing::warn!(
                partner,
                file,
                state,
                result,
                detail,
                duration_ms,
                receive_count,
                error,
                "outbox not up to date"
            ),
        }
    }

    /// Returns the metric record: one line without its line end. Dimensions: none, and the partner.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let is = |result: OutboxResult| if self.result == result { 1.0 } else { 0.0 };
        let metrics: [MetricValue; 3] = [
            (names::OUTBOX_WRITTEN, is(OutboxResult::Written)),
            (names::OUTBOX_FAILED, is(OutboxResult::Failed)),
            (names::OUTBOX_DURATION, float(self.duration)),
        ];
        let state = self.state.map_or("", State::as_str);
        let members = [("partner", json!(self.partner)), ("file", json!(self.file)), ("state", json!(state))];
        let details = vec![
            ("result", json!(self.result.as_str())),
            ("detail", json!(self.detail)),
            ("receiveCount", json!(self.receive_count)),
        ];
        line(published, now_ms, &[&[], &["partner"]], &metrics, &members, details)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_delivery_is_one_line_that_counts_what_was_written_and_what_failed() {
        for (result, counted) in [
            (OutboxResult::Written, (1, 0)),
            (OutboxResult::Unchanged, (0, 0)),
            (OutboxResult::Nothing, (0, 0)),
            (OutboxResult::Failed, (0, 1)),
        ] {
            let record = OutboxRecord {
                partner: Label::new("north"),
                file: Label::new("abc"),
                state: Some(State::Complete),
                result,
                detail: "receipt",
                duration: 12,
                receive_count: 3,
            };
            let root: Value = serde_json::from_str(&record.metric(&Metrics::all("n"), 1)).expect("JSON");
            assert_eq!(
                (&root["OutboxWritten"], &root["OutboxFailed"]),
                (&counted.0.into(), &counted.1.into())
            );
            assert_eq!((&root["OutboxDuration"], &root["result"]), (&12.into(), &result.as_str().into()));
            assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["partner"]]));
        }
    }
}
