//! What the functions say about themselves: log lines, one metric record for each file, and chains of errors.
//!
//! ```text
//! a file ends    ──▶ FileRecord ──▶ one log line, and one record in CloudWatch's embedded metric format (EMF)
//! something else ──▶ Occurrence ──▶ one record that counts it
//! a failure      ──▶ chain()    ──▶ one log line, where it is given up
//! ```
//!
//! Nothing that reaches a log or a metric can hold a partner's content: names go through [`Label`], which keeps only
//! the characters that our own names are made of, and everything else is a number or text that stands in this
//! repository. A key is never logged, since it may be a patient's name.
//!
//! ```
//! use telemetry::Label;
//!
//! assert_eq!(Label::new("north-clinic").as_str(), "north-clinic");
//! assert_eq!(Label::new("Jane Doe 1980.csv").as_str(), "invalid");
//! ```

mod label;
mod metric;
mod record;

use std::{error::Error, io::Write, panic};

pub use label::Label;
pub use metric::{LINE_BYTES, metric_names};
pub use record::{FileRecord, Occurrence, Step};

/// Sends log lines as JSON to standard output, from this level on: `error`, `warn`, `info`, `debug` or `trace`.
///
/// The crates below us are held at `warn` whatever the level: at `trace` the AWS SDK prints bodies. The message of a
/// panic is left out, only its place is logged: a message of the standard library may quote the text that was sliced.
/// An unknown level is `info`. A second call changes nothing.
pub fn start(level: &str) {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter(level))
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        panic::set_hook(Box::new(|panic| {
            let (file, line) = panic.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
            tracing::error!(file, line, "panicked");
        }));
    }
}

/// The level for our own crates, and `warn` for all others.
fn filter(level: &str) -> tracing_subscriber::EnvFilter {
    const OURS: [&str; 9] = [
        "authorizer",
        "checker",
        "contract",
        "ingest",
        "notifier",
        "processor",
        "store",
        "telemetry",
        "watcher",
    ];
    let level = match level {
        "error" | "warn" | "debug" | "trace" => level,
        _ => "info",
    };
    let others = if level == "error" { "error" } else { "warn" };
    let ours = OURS.iter().map(|name| format!("{name}={level}"));
    let directives: Vec<String> = std::iter::once(others.to_owned()).chain(ours).collect();
    tracing_subscriber::EnvFilter::new(directives.join(","))
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

/// An error and everything that caused it, outermost first, separated by `: `.
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
        let directives = filter("trace").to_string();
        assert!(directives.split(',').any(|part| part == "warn"), "{directives}");
        assert!(directives.contains("processor=trace"), "{directives}");
        assert!(!directives.contains("aws"), "{directives}");
    }

    #[test]
    fn a_level_that_is_none_means_info() {
        assert!(filter("aws_smithy_runtime=trace").to_string().contains("processor=info"));
    }
}
