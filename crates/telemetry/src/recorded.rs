//! The log lines of one thread, for tests of what is never logged.
//!
//! One subscriber serves the whole process. With one for each test, a test can lose lines while tests on other threads
//! begin and end.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use tracing_subscriber::filter::LevelFilter;

thread_local! {
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Keeps what the calling thread logs, at every level and by every crate, as lines of JSON.
pub struct RecordedLines(());

impl RecordedLines {
    /// Begins to keep lines. Those of an earlier recording on this thread are gone.
    #[must_use]
    pub fn begin() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .json()
                .with_target(false)
                .with_max_level(LevelFilter::TRACE)
                .with_writer(|| LineWriter)
                .finish();
            // Another subscriber would take the lines, and the tests would find none.
            drop(tracing::subscriber::set_global_default(subscriber));
        });
        LINES.set(Some(Vec::new()));
        Self(())
    }

    /// Ends the recording and returns the lines.
    #[must_use]
    pub fn end(self) -> String {
        String::from_utf8_lossy(&LINES.take().unwrap_or_default()).into_owned()
    }
}

struct LineWriter;

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
