//! Warm requests at the partner API: from the bytes of an event to the bytes of the answer, on the store in memory.
//!
//! ```text
//! event bytes ─▶ JSON ─▶ handler ─▶ log line and metric (to /dev/null) ─▶ answer ─▶ answer bytes
//!                          └─▶ store in memory: its time counts too, where AWS's would not
//! ```
//!
//! The functions write their lines to standard output, so that they run in a process of their own whose standard output
//! is /dev/null; its figures come back on standard error.

mod authorizer;
mod ingest;

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::speed::now;

/// Whose requests are made.
const PARTNER: &str = "riverside";
/// The feed of the benchmark's contract.
const FEED: &str = "scan-reports";
/// Calls before the first one that counts.
const WARM_UP: u32 = 200;

/// The time of one kind of call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CallTime {
    /// The function.
    pub(crate) function: String,
    /// What is asked of it.
    pub(crate) call: String,
    pub(crate) calls: u32,
    pub(crate) median_seconds: f64,
    /// The time that 99 of 100 calls keep.
    pub(crate) p99_seconds: f64,
}

/// Measures in a process of its own.
pub(crate) fn measure(calls: u32) -> Result<Vec<CallTime>> {
    let program = std::env::current_exe().context("find the benchmark itself")?;
    let output = Command::new(program)
        .args(["--api", &calls.to_string()])
        .stdout(Stdio::null())
        .output()
        .context("start the process to measure")?;
    ensure!(output.status.success(), "the calls failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stderr).context("read the figures of the calls")
}

/// Makes the calls and writes their figures to standard error.
pub(crate) fn report_own_calls(calls: u32) -> Result<()> {
    telemetry::start("info");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("make a runtime")?;
    let figures = runtime.block_on(async {
        let mut figures = Box::pin(ingest::measure(calls)).await?;
        figures.extend(Box::pin(authorizer::measure(calls)).await?);
        anyhow::Ok(figures)
    })?;
    writeln!(std::io::stderr(), "{}", serde_json::to_string(&figures)?).context("write the figures")
}

/// Makes this number of calls, one after the other. Each event is made before its call, and each answer must begin as
/// expected.
async fn time_calls(
    [function, call]: [&str; 2],
    calls: u32,
    expected: &str,
    event: impl Fn(u32) -> Result<Vec<u8>>,
    answer: impl AsyncFn(&[u8]) -> Result<Vec<u8>>,
) -> Result<CallTime> {
    let mut seconds = Vec::with_capacity(calls as usize);
    for number in 0..WARM_UP + calls {
        let event = event(number)?;
        let begun = now();
        let bytes = black_box(answer(&event).await?);
        let spent = begun.elapsed();
        ensure!(
            bytes.starts_with(expected.as_bytes()),
            "{function}, {call}: {expected} expected, found {}",
            String::from_utf8_lossy(&bytes)
        );
        if number >= WARM_UP {
            seconds.push(spent.as_secs_f64());
        }
    }
    seconds.sort_unstable_by(f64::total_cmp);
    let at = |hundredths: usize| seconds.get(seconds.len() * hundredths / 100).copied().unwrap_or_default();
    Ok(CallTime {
        function: function.to_owned(),
        call: call.to_owned(),
        calls,
        median_seconds: at(50),
        p99_seconds: at(99),
    })
}
