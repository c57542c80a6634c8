//! `make bench`: speed, memory, start and size of the check, each beside the thing that it is to be compared with.
//!
//! ```text
//! bench [--quick] [--json]          everything; --quick: a tenth of the rows
//! bench --peak <format> <file>      one check of a file in a process of its own (started by the former)
//! ```

mod input;
mod memory;
mod report;
mod speed;
mod start;

use anyhow::{Context as _, Result, bail};

use input::Format;
use report::Figures;

/// Rows of the large file: about 300 MB as CSV.
const ROWS: u32 = 1_000_000;
/// Of the quick run.
const QUICK_ROWS: u32 = 100_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--peak", format, file] = words[..] {
        return memory::report_own_peak(format.parse()?, file.as_ref());
    }
    if let Some(unknown) = words.iter().find(|word| !["--quick", "--json"].contains(word)) {
        bail!("`{unknown}` found, --quick or --json expected");
    }
    let figures = measure(if words.contains(&"--quick") { QUICK_ROWS } else { ROWS })?;
    figures.print(words.contains(&"--json")).context("print the figures")
}

fn measure(rows: u32) -> Result<Figures> {
    let mut figures = Figures { rows, ..Figures::default() };
    for format in [Format::Csv, Format::JsonLines] {
        let large = input::TemporaryFile::create(format, rows)?;
        let bytes = std::fs::read(&large.path).context("read the input back")?;
        figures.speeds.push(speed::compare(format, &bytes)?);
        drop(bytes);
        let small = input::TemporaryFile::create(format, rows / 10)?;
        figures.peaks.push(memory::peak_of(format, &small)?);
        figures.peaks.push(memory::peak_of(format, &large)?);
    }
    figures.start = start::compare()?;
    figures.binary_bytes = start::binary_bytes()?;
    Ok(figures)
}
