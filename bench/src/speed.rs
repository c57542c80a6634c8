//! Our whole check beside a parser that only reads, over the same bytes in memory, one thread, runs interleaved; and
//! the check with the SHA-256 of the file, which a load takes along and neither the parser nor a check alone does.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use checker::{ContentHash, Counts, FileCheck, Finished, Reject, Row, Sink, Summary};
use contract::Contract;
use serde::Deserialize;

use crate::input::InputFormat;

/// The contract of everything that is measured.
pub(crate) const CONTRACT: &str = include_str!("../scan-reports.odcs.yaml");
/// What S3 gives at a time, about.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;
/// Runs of each side; the median counts.
const RUNS: usize = 5;
/// Keys the set of unique values. Any value will do: the input is our own.
const SEED: [u8; 16] = [7; 16];

/// Medians over the same bytes.
#[derive(Clone, Debug)]
pub(crate) struct Speed {
    pub(crate) format: InputFormat,
    pub(crate) bytes: u64,
    pub(crate) parser: &'static str,
    pub(crate) parser_seconds: f64,
    pub(crate) check_seconds: f64,
    /// With the SHA-256 of the bytes.
    pub(crate) load_seconds: f64,
}

pub(crate) fn compare(format: InputFormat, bytes: &[u8]) -> Result<Speed> {
    let contract = contract_for(format)?;
    let (mut parsing, mut checking, mut loading) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        parsing.push(timed(|| match format {
            InputFormat::Csv => read_csv(bytes),
            InputFormat::JsonLines => read_json_lines(bytes),
        })?);
        let chunks = || bytes.chunks(CHUNK_BYTES).map(Ok);
        checking.push(timed(|| check(&contract, ContentHash::Skipped, chunks()))?);
        loading.push(timed(|| check(&contract, ContentHash::Sha256, chunks()))?);
    }
    let parser = match format {
        InputFormat::Csv => "csv, ByteRecord",
        InputFormat::JsonLines => "serde_json, borrowed struct",
    };
    Ok(Speed {
        format,
        bytes: bytes.len() as u64,
        parser,
        parser_seconds: median(&mut parsing).as_secs_f64(),
        check_seconds: median(&mut checking).as_secs_f64(),
        load_seconds: median(&mut loading).as_secs_f64(),
    })
}

pub(crate) fn contract_for(format: InputFormat) -> Result<Arc<Contract>> {
    let text = CONTRACT.replace("format: csv", &format!("format: {}", format.word()));
    match contract::compile(&text) {
        Ok((contract, _)) => Ok(Arc::new(contract)),
        Err(findings) => Err(anyhow!("the benchmark's contract has {} errors: {findings:?}", findings.len())),
    }
}

/// Checks a file that comes in chunks; every record must be good.
pub(crate) fn check<B: AsRef<[u8]>>(
    contract: &Arc<Contract>,
    content_hash: ContentHash,
    chunks: impl Iterator<Item = Result<B>>,
) -> Result<Counts> {
    let mut file = FileCheck::new(Arc::clone(contract), SEED, content_hash);
    let mut sink = Count::default();
    for chunk in chunks {
        let chunk = chunk?;
        let mut rest = chunk.as_ref();
        loop {
            let pushed = file.push(rest, &mut sink);
            rest = rest.get(pushed.consumed..).unwrap_or_default();
            if rest.is_empty() && !pushed.pending {
                break;
            }
        }
    }
    let summary: Summary = loop {
        if let Finished::Done(summary) = file.finish(&mut sink) {
            break summary;
        }
    };
    let counts = summary.counts;
    if counts.rejects > 0 || counts.rows != sink.rows || counts.rows == 0 {
        bail!("every record is good, but the check found {counts:?}");
    }
    Ok(counts)
}

/// Counts, and looks at each row so that nothing is optimised away.
#[derive(Default)]
struct Count {
    rows: u64,
}

impl Sink for Count {
    fn row(&mut self, row: Row<'_>) {
        self.rows += 1;
        black_box(row.record.slots);
    }

    fn reject(&mut self, reject: Reject<'_>) {
        black_box(reject.raw);
    }
}

fn read_csv(bytes: &[u8]) -> Result<Counts> {
    let mut reader = csv::Reader::from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut counts = Counts::default();
    while reader.read_byte_record(&mut record).context("read the CSV")? {
        black_box(&record);
        counts.rows += 1;
    }
    Ok(counts)
}

/// A record as serde reads it without copying; only texts with escapes are copied.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are what is parsed; the struct as a whole is the result")]
struct ScanReport<'a> {
    accession: &'a str,
    patient_id: &'a str,
    modality: &'a str,
    body_part: &'a str,
    scanned_on: &'a str,
    reported_on: &'a str,
    radiologist: &'a str,
    dose: f64,
    slices: u32,
    seconds: f64,
    urgent: bool,
    priority: u8,
    device: &'a str,
    study_uid: &'a str,
    #[serde(borrow)]
    report: Cow<'a, str>,
}

fn read_json_lines(bytes: &[u8]) -> Result<Counts> {
    let mut counts = Counts::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        black_box(&serde_json::from_slice::<ScanReport<'_>>(line).context("read a line")?);
        counts.rows += 1;
    }
    Ok(counts)
}

fn timed(work: impl FnOnce() -> Result<Counts>) -> Result<Duration> {
    let begun = now();
    black_box(work()?);
    Ok(begun.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns the middle value; of an even number, the upper of the two.
pub(crate) fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}
