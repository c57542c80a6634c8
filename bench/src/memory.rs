//! Peak memory of one check, in a process of its own, from the kernel's high-water mark.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use checker::ContentHash;

use crate::input::{InputFormat, TemporaryFile};
use crate::speed::{CHUNK_BYTES, check, contract_for};

/// What one file needed.
#[derive(Clone, Debug)]
pub(crate) struct Peak {
    pub(crate) format: InputFormat,
    pub(crate) rows: u32,
    pub(crate) file_bytes: u64,
    /// Of the whole process, program text included.
    pub(crate) resident_bytes: u64,
}

pub(crate) fn peak_of(format: InputFormat, file: &TemporaryFile) -> Result<Peak> {
    let program = std::env::current_exe().context("find the benchmark itself")?;
    let output = Command::new(program).args(["--peak", format.word()]).arg(&file.path).output();
    let output = output.context("start the process to measure")?;
    ensure!(output.status.success(), "the check failed: {}", String::from_utf8_lossy(&output.stderr));
    let kibibytes: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().context("read the peak")?;
    Ok(Peak { format, rows: file.rows, file_bytes: file.bytes()?, resident_bytes: kibibytes * 1024 })
}

/// Checks the file chunk by chunk and prints this process's peak in KiB.
pub(crate) fn report_own_peak(format: InputFormat, file: &Path) -> Result<()> {
    let contract = contract_for(format)?;
    let mut input = File::open(file).with_context(|| format!("open {}", file.display()))?;
    let chunks = std::iter::from_fn(|| {
        let mut chunk = vec![0; CHUNK_BYTES];
        match input.read(&mut chunk) {
            Ok(0) => None,
            Ok(length) => {
                chunk.truncate(length);
                Some(Ok(chunk))
            }
            Err(error) => Some(Err(error.into())),
        }
    });
    check(&contract, ContentHash::Sha256, chunks)?;
    writeln!(std::io::stdout(), "{}", high_water_mark()?).context("print the peak")
}

/// `VmHWM` of proc(5), in KiB.
fn high_water_mark() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status (Linux only)")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM in /proc/self/status")?;
    line.trim().trim_end_matches("kB").trim().parse().context("read VmHWM")
}
