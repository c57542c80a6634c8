//! `make bench`: speed and memory of the check, time of the partner API's answers, start and size of the functions,
//! each next to the figure that it is compared with.
//!
//! ```text
//! bench [--quick] [--json]          everything; --quick: a tenth of the rows and of the calls
//! bench --peak <format> <file>      one check of a file in a process of its own (started by the former)
//! bench --api <calls>               calls of the API in a process of its own (started by the former)
//! ```

mod api;
mod input;
mod memory;
mod report;
mod rules;
mod speed;
mod start;

use anyhow::{Context as _, Result, bail};

use input::InputFormat;
use report::Figures;

/// Rows of the large file: about 300 MB as CSV.
const ROWS: u32 = 1_000_000;
/// Calls of each kind to the partner API.
const CALLS: u32 = 20_000;
/// Evaluations of a business rule over a thousand records.
const RULE_ROUNDS: u32 = 1_000;
/// By which the quick run divides both.
const QUICK: u32 = 10;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--peak", format, file] = words[..] {
        return memory::report_own_peak(format.parse()?, file.as_ref());
    }
    if let ["--api", calls] = words[..] {
        return api::report_own_calls(calls.parse().context("read the number of calls")?);
    }
    if let Some(unknown) = words.iter().find(|word| !["--quick", "--json"].contains(word)) {
        bail!("`{unknown}` found, --quick or --json expected");
    }
    let divisor = if words.contains(&"--quick") { QUICK } else { 1 };
    let figures = measure(ROWS / divisor, CALLS / divisor, RULE_ROUNDS / divisor)?;
    figures.print(words.contains(&"--json")).context("print the figures")
}

fn measure(rows: u32, calls: u32, rule_rounds: u32) -> Result<Figures> {
    let mut figures = Figures { rows, ..Figures::default() };
    for format in [InputFormat::Csv, InputFormat::JsonLines] {
        let large = input::TemporaryFile::create(format, rows)?;
        let bytes = std::fs::read(&large.path).context("read the input back")?;
        figures.speeds.push(speed::compare(format, &bytes)?);
        drop(bytes);
        let small = input::TemporaryFile::create(format, rows / 10)?;
        figures.peaks.push(memory::peak_of(format, &small)?);
        figures.peaks.push(memory::peak_of(format, &large)?);
    }
    figures.rule = rules::compare(rule_rounds)?;
    figures.warm = api::measure(calls)?;
    figures.starts = start::compare()?;
    Ok(figures)
}
