//! CPU time from the start of a function's binary to its first request for an event.

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::speed::median;

/// Starts of each binary; the median counts.
const RUNS: usize = 21;
/// Maximum number of looks, [`LOOK_AGAIN`] apart; a start that takes longer has failed.
const LOOKS: u32 = 10_000;
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What Lambda and the template would set, of all functions together. No service is called before the first event.
const ENVIRONMENT: [(&str, &str); 26] = [
    ("AWS_ACCESS_KEY_ID", "bench"),
    ("AWS_SECRET_ACCESS_KEY", "bench"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("INBOX_BUCKET", "inbox"),
    ("CONTRACTS_BUCKET", "contracts"),
    ("QUARANTINE_BUCKET", "quarantine"),
    ("LEDGER_TABLE", "ledger"),
    ("RECORDS_TABLE", "records"),
    ("INBOX_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/inbox"),
    ("OUTCOME_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:outcomes"),
    ("PARTNERS_TABLE", "partners"),
    ("AUDIT_TABLE", "audit"),
    ("WEBHOOK_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/webhook"),
    ("PARTNER_API_URL", "https://api.example.org/api"),
    ("ACCOUNT_ID", "111122223333"),
    ("OAUTH_ISSUER", "https://id.example.org"),
    ("OAUTH_AUDIENCE", "https://scalper.example.org"),
    ("METRIC_NAMESPACE", "bench"),
    ("MONITORING", "Basic"),
    ("PARTNER_METRICS", "false"),
    ("LOG_LEVEL", "info"),
];

/// The function that does nothing.
const EMPTY: &str = "empty";
/// The functions that are held beside it.
const FUNCTIONS: [&str; 4] = ["processor", "ingest", "authorizer", "webhook"];

/// What a start of one binary takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) function: &'static str,
    /// The median of user and system time.
    pub(crate) cpu: Duration,
    /// Size of the release binary, stripped by the profile.
    pub(crate) bytes: u64,
}

/// Starts every binary in turn; the empty function's figures come first.
pub(crate) fn compare() -> Result<Vec<Start>> {
    let functions = [EMPTY].into_iter().chain(FUNCTIONS);
    let mut measured = functions
        .map(|function| Ok((function, beside_us(function)?, Vec::new())))
        .collect::<Result<Vec<(_, PathBuf, Vec<Duration>)>>>()?;
    for _ in 0..RUNS {
        for (_, binary, times) in &mut measured {
            times.push(time_to_first_poll(binary)?);
        }
    }
    let starts = measured.into_iter().map(|(function, binary, mut times)| {
        let bytes = fs::metadata(&binary).with_context(|| format!("measure {}", binary.display()))?.len();
        Ok(Start { function, cpu: median(&mut times), bytes })
    });
    starts.collect()
}

/// Returns a binary of the same build: `cargo lambda build` puts each at `<name>/bootstrap`.
fn beside_us(name: &str) -> Result<PathBuf> {
    let us = std::env::current_exe().context("find the benchmark itself")?;
    let path = us.ancestors().nth(2).context("find the benchmark's folder")?.join(name).join("bootstrap");
    ensure!(path.exists(), "{} does not exist: `make bench` builds it", path.display());
    Ok(path)
}

fn time_to_first_poll(binary: &PathBuf) -> Result<Duration> {
    let runtime = TcpListener::bind("127.0.0.1:0").context("open the runtime API")?;
    runtime.set_nonblocking(true).context("open the runtime API")?;
    let address = runtime.local_addr().context("open the runtime API")?.to_string();
    let mut command = Command::new(binary);
    command.env_clear().envs(ENVIRONMENT).env("AWS_LAMBDA_RUNTIME_API", address);
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("start the function")?;
    let measured = first_poll(&runtime, &mut child).and_then(|()| cpu_time(child.id()));
    // The child waits for an event that never comes.
    child.kill().and_then(|()| child.wait().map(drop)).context("end the function")?;
    measured.with_context(|| format!("start {}", binary.display()))
}

/// Waits until the function asks for its first event.
fn first_poll(runtime: &TcpListener, child: &mut Child) -> Result<()> {
    for _ in 0..LOOKS {
        match runtime.accept() {
            Ok((stream, _)) => return expect_next(stream),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK_AGAIN),
            Err(error) => return Err(error).context("accept the function"),
        }
        if let Some(status) = child.try_wait().context("look at the function")? {
            bail!("it ended before its first poll: {status}");
        }
    }
    bail!("it did not poll")
}

fn expect_next(mut stream: TcpStream) -> Result<()> {
    stream.set_nonblocking(false).context("read the request")?;
    let mut request = [0; 64];
    stream.read_exact(&mut request).context("read the request")?;
    let asked = String::from_utf8_lossy(&request);
    ensure!(asked.contains("/runtime/invocation/next"), "it asked for {asked:?}");
    Ok(())
}

/// User and system time of all threads of a process, in nanoseconds (`/proc/<pid>/task/*/schedstat`, first number).
fn cpu_time(process: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).context("list the threads (Linux only)")? {
        let path = thread.context("list the threads")?.path().join("schedstat");
        let line = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let spent: u64 =
            line.split(' ').next().unwrap_or_default().parse().context("read a thread's time")?;
        nanoseconds += spent;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
