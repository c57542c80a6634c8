//! A web server on this machine that gives every request the same answer and keeps what it was sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::harness::PATIENCE;

/// A request that came.
pub(super) struct Heard {
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Heard {
    /// Returns a header by its lower-case name; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// The server. Its thread ends with the test's process.
pub(super) struct Loopback {
    /// `http://127.0.0.1:<port>`.
    pub(super) url: String,
    heard: Receiver<Heard>,
}

impl Loopback {
    pub(super) fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (sender, heard) = channel();
        let answer = answer.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serve(stream, &answer, &sender).is_none() {
                    eprintln!("a connection to the test's server broke off");
                }
            }
        });
        Self { url, heard }
    }

    /// Returns every request that arrived and was not read yet.
    pub(super) fn all(&self) -> Vec<Heard> {
        self.heard.try_iter().collect()
    }

    /// Waits for the next request.
    pub(super) fn next(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("a request")
    }
}

/// `None` when the connection breaks off.
fn serve(stream: TcpStream, answer: &str, requests: &Sender<Heard>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    let mut request = Heard { headers, body: Vec::new() };
    let length = request.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = body;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let mut stream = reader.into_inner();
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()?;
    requests.send(request).ok()
}
