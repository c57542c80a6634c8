//! Log lines, one metric record for each unit of work, and chains of errors.
//!
//! ```text
//! a file ends    ──▶ FileRecord ──▶ one log line, and one record in CloudWatch's embedded metric format (EMF)
//! an outcome is posted ──▶ DeliveryRecord ──▶ the same
//! a receipt reaches the outbox ──▶ OutboxRecord ──▶ the same
//! operators are notified ──▶ NoticeRecord ──▶ the same
//! a caller is checked ──▶ AccessRecord ──▶ the same
//! a request ends ──▶ RequestRecord ──▶ the same
//! the watcher ran ──▶ WatchRecord, and FeedWatchRecord for each feed ──▶ the same
//! something else ──▶ Occurrence ──▶ one record that counts it
//! a failure      ──▶ chain()    ──▶ one log line, where it is given up
//! ```
//!
//! Each record's line has all its members always. [`Metrics`] says which of them CloudWatch reads as metrics.
//!
//! Nothing that reaches a log or a metric can hold a partner's content: names go through [`Label`], which keeps only
//! the characters of names of this system, and everything else is a number or a text of this repository. A key is
//! never logged, since it may be a patient's name.
//!
//! ```
//! use telemetry::Label;
//!
//! assert_eq!(Label::new("north-clinic").as_str(), "north-clinic");
//! assert_eq!(Label::new("Jane Doe 1980.csv").as_str(), "invalid");
//! ```

mod access;
mod cost;
mod delivery;
mod label;
mod metric;
mod monitoring;
mod notice;
mod outbox;
mod record;
mod recorded;
mod request;
mod watch;

use std::{error::Error, io::Write, panic};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

pub use access::AccessRecord;
pub use cost::Used;
pub use delivery::{DeliveryRecord, DeliveryResult};
pub use label::Label;
pub use metric::{BASIC_METRICS, LINE_BYTES, MetricDefinition, MetricUnit, definition, metric_names};
pub use monitoring::{Metrics, Monitoring};
pub use notice::{NoticeRecord, NoticeResult};
pub use outbox::{OutboxRecord, OutboxResult};
pub use record::{FileRecord, Occurrence, ProcessingStep};
pub use recorded::RecordedLines;
pub use request::RequestRecord;
pub use watch::{FeedWatchRecord, WatchRecord};

/// Sends log lines as JSON to standard output, from this level on: `error`, `warn`, `info`, `debug` or `trace`.
///
/// Other crates log from `warn` on, whatever the level: at `trace` the AWS SDK prints bodies. The message of a
/// panic is left out, only its place is logged: a message of the standard library may quote the text that was sliced.
/// An unknown level is `info`, and a release build has nothing below it. A second call changes nothing.
pub fn start(level: &str) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter(level)));
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        panic::set_hook(Box::new(|panic| {
            let (file, line) = panic.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
            tracing::error!(file, line, "panicked");
        }));
    }
}

/// Returns the level for our own crates, and `warn` for all others.
fn filter(level: &str) -> Targets {
    const OURS: [&str; 13] = [
        "authorizer",
        "checker",
        "contract",
        "ingest",
        "notifier",
        "outbound",
        "outbox",
        "processor",
        "runtime",
        "store",
        "telemetry",
        "watcher",
        "webhook",
    ];
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(OURS.map(|name| (name, level)))
}

/// Writes one line to standard output in a single call, so that lines of two threads do not mix.
/// A closed output is no reason to fail a file, so that failure is dropped.
pub fn write_line(line: &str) {
    let mut bytes = Vec::with_capacity(line.len() + 1);
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    let mut output = std::io::stdout().lock();
    drop(output.write_all(&bytes).and_then(|()| output.flush()));
}

/// Writes an error and its causes, outermost first, separated by `: `.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{chain, filter};

    #[derive(Debug, thiserror::Error)]
    #[error("claim failed")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn a_chain_names_every_cause_once() {
        let inner = std::fmt::Error;
        assert_eq!(chain(&Outer(inner)), format!("claim failed: {inner}"));
    }

    #[test]
    fn the_sdk_stays_at_warn_whatever_level_is_asked_for() {
        let targets = filter("trace");
        assert!(targets.would_enable("processor", &tracing::Level::TRACE));
        assert!(targets.would_enable("aws_smithy_runtime", &tracing::Level::WARN));
        assert!(!targets.would_enable("aws_smithy_runtime", &tracing::Level::INFO));
        assert!(!filter("error").would_enable("aws_smithy_runtime", &tracing::Level::WARN));
    }

    #[test]
    fn an_unknown_level_means_info() {
        let targets = filter("aws_smithy_runtime=trace");
        assert!(targets.would_enable("processor", &tracing::Level::INFO));
        assert!(!targets.would_enable("processor", &tracing::Level::DEBUG));
    }
}
