//! The figures, as a table for people or as JSON.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::CallTime;
use crate::input::InputFormat;
use crate::memory::Peak;
use crate::rules::RuleSpeed;
use crate::speed::Speed;
use crate::start::Start;

const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// What the set of unique keys holds for each row.
const KEY_BYTES: u64 = 16;

/// What 99 of 100 warm requests to the partner API are to keep, without AWS.
const WARM_GOAL: Duration = Duration::from_millis(1);
/// What a business rule of six clauses is to take at most for a record, in nanoseconds.
const RULE_GOAL: u32 = 150;
/// What a start is to take at most, as a multiple of the empty function's.
const START_GOAL: f64 = 2.0;

/// Everything that one run measures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) rows: u32,
    pub(crate) speeds: Vec<Speed>,
    pub(crate) peaks: Vec<Peak>,
    pub(crate) rule: RuleSpeed,
    pub(crate) warm: Vec<CallTime>,
    /// The empty function's first.
    pub(crate) starts: Vec<Start>,
}

impl Figures {
    pub(crate) fn print(&self, as_json: bool) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if as_json {
            return writeln!(output, "{:#}", self.json());
        }
        self.print_speeds(&mut output)?;
        self.print_peaks(&mut output)?;
        self.print_rule(&mut output)?;
        self.print_warm(&mut output)?;
        self.print_starts(&mut output)
    }

    fn print_speeds(&self, output: &mut impl Write) -> io::Result<()> {
        writeln!(output, "{} rows of 15 columns, one thread, medians of interleaved runs\n", self.rows)?;
        writeln!(output, "{:<28}{:>12}{:>12}{:>10}{:>10}", "speed", "input", "MiB/s", "share", "goal")?;
        for speed in &self.speeds {
            let input = format!("{:.0} MiB", speed.mebibytes());
            writeln!(output, "{:<28}{input:>12}{:>12.0}", speed.parser, speed.parser_rate())?;
            let label = format!("our check, {}", speed.format.word());
            let (share, goal) = (format!("{:.0} %", speed.share()), format!("≥ {:.0} %", goal(speed.format)));
            writeln!(output, "{label:<28}{input:>12}{:>12.0}{share:>10}{goal:>10}", speed.check_rate())?;
            let (label, share) = ("  with the file's SHA-256", format!("{:.0} %", speed.load_share()));
            writeln!(output, "{label:<28}{input:>12}{:>12.0}{share:>10}", speed.load_rate())?;
        }
        Ok(())
    }

    fn print_peaks(&self, output: &mut impl Write) -> io::Result<()> {
        writeln!(output, "\n{:<28}{:>12}{:>12}{:>14}", "peak memory", "rows", "resident", "without keys")?;
        for peak in &self.peaks {
            let label = format!("{}, {:.0} MiB", peak.format.word(), mebibytes(peak.file_bytes));
            let resident = format!("{:.1} MiB", mebibytes(peak.resident_bytes));
            let without = format!("{:.1} MiB", mebibytes(peak.without_keys()));
            writeln!(output, "{label:<28}{:>12}{resident:>12}{without:>14}", peak.rows)?;
        }
        Ok(())
    }

    fn print_rule(&self, output: &mut impl Write) -> io::Result<()> {
        let (ours, theirs) = (self.rule.program_seconds * 1e9, self.rule.interpreter_seconds * 1e9);
        writeln!(output, "\n{:<40}{:>12}{:>12}", "business rule of six clauses", "ns a record", "goal")?;
        writeln!(output, "{:<40}{theirs:>12.0}", "cel, interpreter")?;
        writeln!(output, "{:<40}{ours:>12.0}{:>12}", "our program", format!("≤ {RULE_GOAL} ns"))?;
        writeln!(output, "{:<40}{:>11.1}×", "  faster than the interpreter", theirs / ours)
    }

    fn print_warm(&self, output: &mut impl Write) -> io::Result<()> {
        writeln!(
            output,
            "\n{:<40}{:>8}{:>12}{:>12}{:>12}",
            "partner API, warm, store in memory", "calls", "p50 ms", "p99 ms", "goal, p99"
        )?;
        let goal = format!("≤ {} ms", WARM_GOAL.as_millis());
        for warm in &self.warm {
            let label = format!("{}: {}", warm.function, warm.call);
            let (median, p99) = (warm.median_seconds * 1e3, warm.p99_seconds * 1e3);
            writeln!(output, "{label:<40}{:>8}{median:>12.3}{p99:>12.3}{goal:>12}", warm.calls)?;
        }
        Ok(())
    }

    fn print_starts(&self, output: &mut impl Write) -> io::Result<()> {
        writeln!(
            output,
            "\n{:<28}{:>12}{:>12}{:>10}{:>14}",
            "start to first poll", "CPU ms", "times", "goal", "binary"
        )?;
        for start in &self.starts {
            let (milliseconds, times) = (start.cpu.as_secs_f64() * 1e3, self.times_empty(start));
            let (goal, size) = (format!("≤ {START_GOAL}×"), format!("{:.1} MiB", mebibytes(start.bytes)));
            writeln!(output, "{:<28}{milliseconds:>12.2}{times:>11.2}×{goal:>10}{size:>14}", start.function)?;
        }
        Ok(())
    }

    /// Returns the time of a start as a multiple of the empty function's.
    fn times_empty(&self, start: &Start) -> f64 {
        self.starts.first().map_or(f64::NAN, |empty| start.cpu.as_secs_f64() / empty.cpu.as_secs_f64())
    }

    fn json(&self) -> Value {
        let speeds = self.speeds.iter().map(|speed| {
            json!({
                "format": speed.format.word(), "bytes": speed.bytes, "parser": speed.parser,
                "parser_seconds": speed.parser_seconds, "check_seconds": speed.check_seconds,
                "share_percent": speed.share(), "load_seconds": speed.load_seconds,
                "load_share_percent": speed.load_share(),
            })
        });
        let peaks = self.peaks.iter().map(|peak| {
            json!({
                "format": peak.format.word(), "rows": peak.rows, "file_bytes": peak.file_bytes,
                "resident_bytes": peak.resident_bytes, "without_keys_bytes": peak.without_keys(),
            })
        });
        let starts = self.starts.iter().map(|start| {
            json!({
                "function": start.function, "cpu_seconds": start.cpu.as_secs_f64(),
                "times_empty": self.times_empty(start), "binary_bytes": start.bytes,
            })
        });
        json!({
            "rows": self.rows,
            "speed": speeds.collect::<Vec<_>>(),
            "peak": peaks.collect::<Vec<_>>(),
            "rule": {
                "program_seconds": self.rule.program_seconds,
                "interpreter_seconds": self.rule.interpreter_seconds,
            },
            "api": self.warm,
            "start": starts.collect::<Vec<_>>(),
        })
    }
}

impl Speed {
    fn mebibytes(&self) -> f64 {
        mebibytes(self.bytes)
    }

    fn parser_rate(&self) -> f64 {
        self.mebibytes() / self.parser_seconds
    }

    fn check_rate(&self) -> f64 {
        self.mebibytes() / self.check_seconds
    }

    fn load_rate(&self) -> f64 {
        self.mebibytes() / self.load_seconds
    }

    /// Returns the check's speed as a share of the parser's, in percent.
    fn share(&self) -> f64 {
        self.parser_seconds * 100.0 / self.check_seconds
    }

    /// Returns the same for the check with the file's SHA-256.
    fn load_share(&self) -> f64 {
        self.parser_seconds * 100.0 / self.load_seconds
    }
}

impl Peak {
    /// What the process needed beside the set of unique keys.
    fn without_keys(&self) -> u64 {
        self.resident_bytes.saturating_sub(u64::from(self.rows) * KEY_BYTES)
    }
}

/// Returns the share that the check is to reach, in percent.
fn goal(format: InputFormat) -> f64 {
    match format {
        InputFormat::Csv => 35.0,
        InputFormat::JsonLines => 100.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size for people to read")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}
