//! A business rule over the records of the benchmark, beside the interpreter of the `cel` crate.
//!
//! Ours begins with the cells as text and reads the values that it needs. The interpreter is given its values, ready
//! and typed, outside of the measured time; dates as text, which sorts alike.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use contract::{Cell, Contract, ProgramOutcome};

use crate::input::{InputFormat, write_file};
use crate::speed::{CONTRACT, median, now};

/// Six clauses, true of every record of the input.
const RULE: &str = "modality in ['CT', 'MR', 'US', 'XR'] && scanned_on <= reported_on && slices <= 5000 \
                    && (modality != 'CT' || dose >= 0.0) && seconds < 900.0 && patient_id.startsWith('MRN')";
/// Records that are evaluated in turn.
const RECORDS: u32 = 1_000;
/// Runs of each side; the median counts.
const RUNS: usize = 5;

/// Times for one record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RuleSpeed {
    pub(crate) program_seconds: f64,
    pub(crate) interpreter_seconds: f64,
}

pub(crate) fn compare(rounds: u32) -> Result<RuleSpeed> {
    let contract = with_rule()?;
    let mut text = Vec::new();
    write_file(&mut text, InputFormat::Csv, 0..RECORDS).context("write the records")?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().context("read the records")?;
    let interpreter = cel::Program::compile(RULE).map_err(|error| anyhow!("the `cel` crate: {error}"))?;
    let contexts = records.iter().map(|record| values(&contract, record)).collect::<Result<Vec<_>>>()?;
    let records: Vec<Vec<Cell<'_>>> = records.iter().map(cells).collect();
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        our_times.push(timed(rounds, || ours(&contract, &records))?);
        their_times.push(timed(rounds, || theirs(&interpreter, &contexts))?);
    }
    let one = |times: &mut [Duration]| median(times).as_secs_f64() / f64::from(rounds) / f64::from(RECORDS);
    Ok(RuleSpeed { program_seconds: one(&mut our_times), interpreter_seconds: one(&mut their_times) })
}

fn with_rule() -> Result<Contract> {
    let quality =
        format!("    quality:\n      - {{engine: cel, implementation: \"{RULE}\"}}\n    properties:\n");
    let text = CONTRACT.replacen("    properties:\n", &quality, 1);
    match contract::compile(&text) {
        Ok((contract, _)) => Ok(contract),
        Err(findings) => Err(anyhow!("the benchmark's rule has errors: {findings:?}")),
    }
}

/// Returns the cells as the reader of a CSV file gives them.
fn cells(record: &csv::StringRecord) -> Vec<Cell<'_>> {
    record.iter().map(cell).collect()
}

fn cell(text: &str) -> Cell<'_> {
    if text.is_empty() { Cell::Null } else { Cell::Text(text.as_bytes()) }
}

/// Evaluates our program over all records and returns how many make it true.
fn ours(contract: &Contract, records: &[Vec<Cell<'_>>]) -> usize {
    let Some(rule) = contract.row_rules.first() else { return 0 };
    let holds = |record: &&Vec<Cell<'_>>| {
        let cell_of = |column: usize| record.get(column).copied().unwrap_or(Cell::Absent);
        rule.program.holds(&contract.columns, cell_of) == ProgramOutcome::True
    };
    records.iter().filter(holds).count()
}

fn theirs(program: &cel::Program, contexts: &[cel::Context<'_, '_>]) -> usize {
    let holds =
        |context: &&cel::Context<'_, '_>| matches!(program.execute(context), Ok(cel::Value::Bool(true)));
    contexts.iter().filter(holds).count()
}

/// Returns a record as the interpreter's variables.
fn values(contract: &Contract, record: &csv::StringRecord) -> Result<cel::Context<'static, 'static>> {
    let mut context = cel::Context::default();
    for (column, text) in contract.columns.iter().zip(record) {
        let value = match column.kind {
            contract::Kind::Integer => cel::Value::Int(text.parse().context("read an integer")?),
            contract::Kind::Number { .. } => cel::Value::Float(text.parse().context("read a number")?),
            contract::Kind::Boolean => cel::Value::Bool(text == "true"),
            _ => cel::Value::from(text),
        };
        context.add_variable_from_value(column.name.as_str(), value);
    }
    Ok(context)
}

fn timed(rounds: u32, work: impl Fn() -> usize) -> Result<Duration> {
    let begun = now();
    for _ in 0..rounds {
        ensure!(black_box(work()) == RECORDS as usize, "a record of the benchmark breaks the rule");
    }
    Ok(begun.elapsed())
}
