//! The record of a check of a caller of the partner API.

use serde_json::json;

use crate::{
    Label, Metrics,
    metric::{MetricValue, float, line, metric_names as names},
};

/// One decision on a caller. Holds names and codes of this system, never what the caller sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessRecord {
    /// `allow`, `deny`, `unauthorized` or `failed`; a metric dimension.
    pub decision: &'static str,
    /// The kind of credential: `key`, `token`, or `none`; a metric dimension.
    pub kind: &'static str,
    /// Why the caller was not allowed.
    pub reason: Option<&'static str>,
    /// The partner, once known.
    pub partner: Label,
    /// The public name of the credential, once known.
    pub credential: Label,
    /// From the request to the decision, milliseconds.
    pub duration: u64,
}

impl AccessRecord {
    /// One log line.
    pub fn log(&self) {
        tracing::info!(
            decision = self.decision,
            kind = self.kind,
            reason = self.reason.unwrap_or_default(),
            partner = self.partner.as_str(),
            credential = self.credential.as_str(),
            duration_ms = self.duration,
            "caller checked"
        );
    }

    /// Returns the metric record: one line without its line end. Dimensions: none (for alarms), and decision with
    /// kind. The partner is a member and not a dimension, which would cost by the caller.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let is = |holds: bool| if holds { 1.0 } else { 0.0 };
        let metrics: [MetricValue; 4] = [
            (names::ACCESSES, 1.0),
            (names::ACCESSES_REJECTED, is(matches!(self.decision, "deny" | "unauthorized"))),
            (names::ACCESSES_FAILED, is(self.decision == "failed")),
            (names::ACCESS_DURATION, float(self.duration)),
        ];
        let members = [
            ("decision", json!(self.decision)),
            ("kind", json!(self.kind)),
            ("reason", json!(self.reason)),
            ("partner", json!(self.partner)),
            ("credential", json!(self.credential)),
        ];
        line(published, now_ms, &[&[], &["decision", "kind"]], &metrics, &members, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_decision_is_counted_by_what_it_was() {
        let read = |decision: &'static str| {
            let record = AccessRecord {
                decision,
                kind: "key",
                reason: (decision != "allow").then_some("revoked"),
                partner: Label::new("north-clinic"),
                credential: Label::new("abcdefghijkl"),
                duration: 7,
            };
            serde_json::from_str::<Value>(&record.metric(&Metrics::all("Space"), 1_000)).expect("JSON")
        };
        let counts = |decision| {
            let line = read(decision);
            ["Accesses", "AccessesRejected", "AccessesFailed"].map(|name| line[name].as_u64().unwrap())
        };
        assert_eq!(counts("allow"), [1, 0, 0]);
        assert_eq!(counts("deny"), [1, 1, 0]);
        assert_eq!(counts("unauthorized"), [1, 1, 0]);
        assert_eq!(counts("failed"), [1, 0, 1]);
        let line = read("deny");
        assert_eq!((&line["AccessDuration"], &line["reason"]), (&json!(7), &json!("revoked")));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([[], ["decision", "kind"]]));
        assert_eq!((&directive["Namespace"], &line["partner"]), (&json!("Space"), &json!("north-clinic")));
    }
}
