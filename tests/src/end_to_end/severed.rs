//! A proxy on this machine between a command and the emulator, which kills the command at a request that a test names.
//!
//! What the command has done until then depends on the number of the request and on nothing else: not on the time, the
//! machine, or what else runs on it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Between two looks whether the command has ended by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Where a command is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KillPoint {
    /// The request, from 1.
    pub(super) request: usize,
    /// Whether the emulator has carried it out. The command never gets the answer.
    pub(super) carried_out: bool,
}

/// How a command ended.
pub(super) enum Ended {
    /// It was killed.
    Killed,
    /// It ended before that request.
    ByItself(ExitStatus),
}

/// What the connections have in common.
#[derive(Default)]
struct ProxiedRequests {
    requests: usize,
    point: Option<KillPoint>,
}

/// The proxy. Its threads end with the test's process.
pub(super) struct KillingProxy {
    /// `http://127.0.0.1:<port>`.
    pub(super) url: String,
    line: Arc<Mutex<ProxiedRequests>>,
    reached: Receiver<()>,
}

impl KillingProxy {
    pub(super) fn start(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let upstream = endpoint.strip_prefix("http://").expect("a plain endpoint").to_owned();
        let (line, (sender, reached)) = (Arc::new(Mutex::new(ProxiedRequests::default())), channel());
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (upstream, line, sender) = (upstream.clone(), Arc::clone(&shared), sender.clone());
                // A connection that breaks off is that of a command that was killed.
                thread::spawn(move || serve(stream, &upstream, &line, &sender).ok());
            }
        });
        Self { url, line, reached }
    }

    /// Runs a command until this request, or to its end. The number of requests is counted from its beginning.
    pub(super) fn run(&self, mut command: Command, point: Option<KillPoint>) -> Ended {
        *self.line.lock().expect("no thread panicked") = ProxiedRequests { requests: 0, point };
        command.env("AWS_ENDPOINT_URL", &self.url);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("run scalper, which `make build` makes");
        loop {
            match self.reached.recv_timeout(LOOK_AGAIN) {
                Ok(()) => {
                    // SIGKILL.
                    child.kill().expect("kill it");
                    child.wait().expect("it ended");
                    return Ended::Killed;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = child.try_wait().expect("a child") {
                        return Ended::ByItself(status);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("the proxy lives as long as the test"),
            }
        }
    }

    /// Returns how many requests the last command made.
    pub(super) fn requests(&self) -> usize {
        self.line.lock().expect("no thread panicked").requests
    }
}

/// Returns this number of points, spread over all requests of a run: before and after the emulator has carried one out.
pub(super) fn spread(points: usize, requests: usize) -> Vec<KillPoint> {
    let point = |index: usize| {
        let place = index * 2 * requests / points;
        KillPoint { request: place / 2 + 1, carried_out: place % 2 == 1 }
    };
    (0..points).map(point).collect()
}

/// Serves the request of one connection, on a connection of its own to the emulator.
fn serve(
    stream: TcpStream,
    upstream: &str,
    line: &Mutex<ProxiedRequests>,
    reached: &Sender<()>,
) -> std::io::Result<()> {
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::new(stream);
    let Some(request) = read_request(&mut requests)? else { return Ok(()) };
    let at_point = {
        let mut line = line.lock().expect("no thread panicked");
        line.requests += 1;
        line.point.filter(|point| point.request == line.requests)
    };
    if at_point.is_some_and(|point| !point.carried_out) {
        return hold(reached);
    }
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(&request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    if at_point.is_some() {
        return hold(reached);
    }
    answers.write_all(&answer)?;
    // The answer says that the connection ends.
    answers.shutdown(Shutdown::Both)
}

/// Says that the request is there. The command is killed, which ends the connection.
fn hold(reached: &Sender<()>) -> std::io::Result<()> {
    reached.send(()).map_err(std::io::Error::other)
}

/// Reads a request, and asks the emulator to end the connection behind its answer. `None` at the end of the connection.
fn read_request(requests: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut field = String::new();
        if requests.read_line(&mut field)? == 0 {
            return Ok(None);
        }
        if field.trim().is_empty() {
            break;
        }
        let name = field.split(':').next().unwrap_or_default().to_lowercase();
        match name.as_str() {
            "content-length" => {
                length = field.split_once(':').map_or("", |(_, value)| value.trim()).parse().unwrap_or(0);
            }
            "connection" => continue,
            "transfer-encoding" => return Err(std::io::Error::other("a body without a length")),
            _ => {}
        }
        head.extend_from_slice(field.as_bytes());
    }
    head.extend_from_slice(b"connection: close\r\n\r\n");
    let mut body = vec![0; length];
    requests.read_exact(&mut body)?;
    head.extend_from_slice(&body);
    Ok(Some(head))
}
