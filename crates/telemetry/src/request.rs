//! The record of a request to the partner API.

use serde_json::json;

use crate::{
    Label, Metrics,
    metric::{MetricValue, float, line, metric_names as names},
};

/// One request that was answered. Holds nothing that was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestRecord {
    /// The operation's id, of this repository; a metric dimension.
    pub operation: &'static str,
    /// The HTTP status; its class is a metric dimension.
    pub status: u16,
    /// The code of the problem; empty when there was none.
    pub code: &'static str,
    /// The partner; empty for an unknown caller. In the log only, as all that follows.
    pub partner: Label,
    /// The credential's public name.
    pub credential: Label,
    /// Bytes of the body.
    pub bytes: u64,
    /// From the event to the response, milliseconds.
    pub duration_ms: u64,
}

impl RequestRecord {
    /// One log line. `request` is API Gateway's name for the request.
    pub fn log(&self, request: &str) {
        tracing::info!(
            request,
            operation = self.operation,
            status = self.status,
            code = self.code,
            partner = self.partner.as_str(),
            credential = self.credential.as_str(),
            bytes = self.bytes,
            duration_ms = self.duration_ms,
            "request answered"
        );
    }

    /// Returns the metric record: one line without its line end. Dimensions: none, and operation with the class of
    /// the status.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let class = match self.status / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        let one_if = |holds: bool| if holds { 1.0 } else { 0.0 };
        let metrics: [MetricValue; 5] = [
            (names::REQUESTS, 1.0),
            (names::REQUESTS_REJECTED, one_if(class == "4xx")),
            (names::REQUESTS_THROTTLED, one_if(self.status == 429)),
            (names::REQUESTS_FAILED, one_if(class == "5xx")),
            (names::REQUEST_DURATION, float(self.duration_ms)),
        ];
        let members = [("operation", json!(self.operation)), ("statusClass", json!(class))];
        let details = vec![
            ("status", json!(self.status)),
            ("code", json!(self.code)),
            ("partner", json!(self.partner)),
            ("credential", json!(self.credential)),
            ("requestBytes", json!(self.bytes)),
        ];
        line(published, now_ms, &[&[], &["operation", "statusClass"]], &metrics, &members, details)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_request_is_one_line_whose_dimensions_are_operation_and_class() {
        let record = RequestRecord {
            operation: "sendFile",
            status: 429,
            code: "too-many-requests",
            partner: Label::new("north"),
            duration_ms: 7,
            ..RequestRecord::default()
        };
        let root: Value = serde_json::from_str(&record.metric(&Metrics::all("n"), 1)).expect("JSON");
        let directive = &root["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([[], ["operation", "statusClass"]]));
        assert_eq!((&root["statusClass"], &root["partner"]), (&json!("4xx"), &json!("north")));
        let counts =
            [names::REQUESTS, names::REQUESTS_REJECTED, names::REQUESTS_THROTTLED, names::REQUESTS_FAILED];
        assert_eq!(counts.map(|metric| root[metric.name].clone()), [json!(1), json!(1), json!(1), json!(0)]);
        for metric in directive["Metrics"].as_array().expect("metrics") {
            assert!(root[metric["Name"].as_str().expect("a name")].is_number());
        }
    }
}
