use std::sync::Mutex;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const PUBLIC: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(93, 184, 215, 14));
const METADATA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 169, 254));
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Names lead where the test says, one answer after another; each connection ends at the test's own server.
struct Wires {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    server: SocketAddr,
    dialled: Mutex<Vec<SocketAddr>>,
    dead: Vec<IpAddr>,
}

impl Network for Wires {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        self.answers.lock().unwrap().pop().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(address);
        if self.dead.contains(&address.ip()) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        TcpStream::connect(self.server).await
    }
}

/// A server for one connection, which it authenticates as `hooks.example.org`.
struct TlsServer {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    roots: RootCertStore,
}

impl TlsServer {
    async fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["hooks.example.org".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)), roots }
    }

    fn wires(&self, addresses: &[IpAddr]) -> Wires {
        let server = self.listener.local_addr().unwrap();
        let answers = Mutex::new(vec![addresses.to_vec()]);
        Wires { answers, server, dialled: Mutex::default(), dead: Vec::new() }
    }

    fn client(&self, addresses: &[IpAddr]) -> Client<Wires> {
        Client::trusting(self.roots.clone(), self.wires(addresses), AddressPolicy::Public).unwrap()
    }

    /// What one client says, until the server has answered.
    async fn answer(&self, answer: &str) -> String {
        let (stream, _) = self.listener.accept().await.unwrap();
        match self.acceptor.accept(stream).await {
            Ok(stream) => converse_with(stream, answer).await,
            Err(_) => String::new(),
        }
    }

    async fn answer_plainly(&self, answer: &str) -> String {
        let (stream, _) = self.listener.accept().await.unwrap();
        converse_with(stream, answer).await
    }
}

async fn converse_with(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut said = Vec::new();
    while !is_whole(&said) && stream.read_buf(&mut said).await.unwrap() > 0 {}
    // The client may have heard enough before all is said.
    drop(stream.write_all(answer.as_bytes()).await);
    drop(stream.shutdown().await);
    String::from_utf8(said).unwrap()
}

/// Returns whether a request's head and the body that it announces are there.
fn is_whole(said: &[u8]) -> bool {
    let text = String::from_utf8_lossy(said);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

fn answer(status: u16) -> PostResponse {
    PostResponse { status, retry_after: None }
}

fn target(url: &str) -> Target {
    Target::parse(url, AddressPolicy::Public).unwrap()
}

fn hook() -> Target {
    target("https://hooks.example.org/outcomes?for=us")
}

async fn post(client: &Client<Wires>, target: Target) -> Result<PostResponse, PostError> {
    let header = (HeaderName::from_static("webhook-id"), HeaderValue::from_static("id"));
    client.post(&target, vec![header], Bytes::from_static(b"{\"a\":1}")).await
}

#[tokio::test]
async fn a_post_arrives_over_tls_at_the_address_that_was_checked() {
    let server = TlsServer::new().await;
    let client = server.client(&[PUBLIC]);
    let (answered, said) = tokio::join!(post(&client, hook()), server.answer(OK));
    assert_eq!(answered, Ok(answer(200)));
    assert!(said.starts_with("POST /outcomes?for=us HTTP/1.1\r\n"), "{said}");
    for line in
        ["host: hooks.example.org", "webhook-id: id", "connection: close", "accept-encoding: identity"]
    {
        assert!(said.contains(&format!("{line}\r\n")), "{line} in {said}");
    }
    assert!(said.ends_with("{\"a\":1}"), "{said}");
    assert_eq!(*client.network.dialled.lock().unwrap(), [SocketAddr::new(PUBLIC, 443)]);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_rejected_even_when_another_of_its_addresses_is_public() {
    let server = TlsServer::new().await;
    for addresses in [vec![METADATA], vec![PUBLIC, METADATA], vec!["::1".parse().unwrap(), PUBLIC]] {
        let client = server.client(&addresses);
        assert_eq!(post(&client, hook()).await, Err(PostError::TargetError(TargetError::Address)));
        assert_eq!(
            client.get(&hook(), 10).await,
            Err(PostError::Resolve),
            "the name was asked for once more"
        );
        assert!(client.network.dialled.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_second_answer_of_the_name_server_is_never_asked_for() {
    let server = TlsServer::new().await;
    let client = server.client(&[]);
    // Taken from the end: first the public address, then the one inside.
    *client.network.answers.lock().unwrap() = vec![vec![METADATA], vec![PUBLIC]];
    let (answered, _) = tokio::join!(post(&client, hook()), server.answer(OK));
    assert_eq!(answered, Ok(answer(200)));
    assert_eq!(client.network.answers.lock().unwrap().len(), 1);
    assert_eq!(*client.network.dialled.lock().unwrap(), [SocketAddr::new(PUBLIC, 443)]);
}

#[tokio::test]
async fn when_one_address_is_dead_the_next_is_tried_and_ipv4_comes_first() {
    let server = TlsServer::new().await;
    let (sixth, dead) = ("2606:4700::1111".parse().unwrap(), "1.1.1.1".parse().unwrap());
    let mut client = server.client(&[sixth, dead, PUBLIC]);
    client.network.dead.push(dead);
    let (answered, _) = tokio::join!(post(&client, hook()), server.answer(OK));
    assert_eq!(answered, Ok(answer(200)));
    let dialled: Vec<IpAddr> = client.network.dialled.lock().unwrap().iter().map(SocketAddr::ip).collect();
    assert_eq!(dialled, [dead, PUBLIC]);
    client.network.dead.extend([sixth, PUBLIC]);
    *client.network.answers.lock().unwrap() = vec![vec![sixth, PUBLIC]];
    assert_eq!(post(&client, hook()).await, Err(PostError::Connect));
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_an_unknown_authority_is_rejected() {
    let server = TlsServer::new().await;
    let client = server.client(&[PUBLIC]);
    let other = target("https://other.example.org/");
    let (answered, said) = tokio::join!(post(&client, other), server.answer(OK));
    assert_eq!((answered, said.as_str()), (Err(PostError::Tls), ""));
    let client = Client::on(server.wires(&[PUBLIC]), AddressPolicy::Public).unwrap();
    let (answered, said) = tokio::join!(post(&client, hook()), server.answer(OK));
    assert_eq!((answered, said.as_str()), (Err(PostError::Tls), ""));
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let server = TlsServer::new().await;
    for status in [301, 302, 303, 307, 308, 300, 304] {
        let client = server.client(&[PUBLIC]);
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        );
        let (answered, _) = tokio::join!(post(&client, hook()), server.answer(&answer));
        assert_eq!(answered, Err(PostError::Redirect(status)));
        assert_eq!(client.network.dialled.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_status_is_an_answer_to_a_post_and_only_200_to_a_get() {
    let server = TlsServer::new().await;
    for status in [200, 202, 204, 400, 410, 429, 500, 503] {
        let said = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n");
        let client = server.client(&[PUBLIC]);
        let (answered, _) = tokio::join!(post(&client, hook()), server.answer(&said));
        assert_eq!(answered, Ok(answer(status)));
        let (client, hook) = (server.client(&[PUBLIC]), hook());
        let (answered, _) = tokio::join!(client.get(&hook, 10), server.answer(&said));
        let expected = if status == 200 { Ok(Bytes::new()) } else { Err(PostError::Status(status)) };
        assert_eq!(answered, expected);
    }
}

#[tokio::test]
async fn a_host_says_in_seconds_when_to_try_again() {
    let server = TlsServer::new().await;
    for (said, retry_after) in
        [("120", Some(120)), ("Fri, 20 Nov 2026 08:00:00 GMT", None), ("-1", None), ("99999999999", None)]
    {
        let said = format!("HTTP/1.1 503 X\r\nretry-after: {said}\r\ncontent-length: 0\r\n\r\n");
        let client = server.client(&[PUBLIC]);
        let (answered, _) = tokio::join!(post(&client, hook()), server.answer(&said));
        assert_eq!(answered, Ok(PostResponse { status: 503, retry_after }));
    }
}

#[tokio::test]
async fn a_document_is_read_to_its_limit_and_not_beyond() {
    let server = TlsServer::new().await;
    let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{}", "x".repeat(1_000));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\nabc\r\n0\r\n\r\n";
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}";
    for (answer, most_bytes, expected) in [
        (OK, 2, Ok("{}")),
        (OK, 1, Err(PostError::TooLong)),
        (chunked, 5, Ok("{}abc")),
        (chunked, 4, Err(PostError::TooLong)),
        (endless.as_str(), 999, Err(PostError::TooLong)),
        (cut, 9, Err(PostError::Protocol)),
    ] {
        let (client, hook) = (server.client(&[PUBLIC]), hook());
        let (read, said) = tokio::join!(client.get(&hook, most_bytes), server.answer(answer));
        assert_eq!(read, expected.map(Bytes::from), "{answer:.60} within {most_bytes}");
        assert!(said.starts_with("GET /outcomes?for=us HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn what_is_no_http_or_has_an_endless_head_is_a_failure() {
    let server = TlsServer::new().await;
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(HEAD_BYTES));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(HEADERS + 1));
    for answer in
        ["", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 999 X\r\n\r\n", "HTTP/1.1 101 X\r\n\r\n", &long, &many]
    {
        let client = server.client(&[PUBLIC]);
        let (answered, _) = tokio::join!(post(&client, hook()), server.answer(answer));
        assert_eq!(answered, Err(PostError::Protocol), "{answer:.40}");
    }
}

#[tokio::test]
async fn a_host_that_never_answers_costs_bounded_time() {
    let server = TlsServer::new().await;
    let mut client = server.client(&[PUBLIC]);
    client.whole = Duration::from_millis(40);
    // The server's backlog accepts the connection, and nothing is sent on it.
    assert_eq!(post(&client, hook()).await, Err(PostError::TimedOut));
    let mut client = server.client(&[PUBLIC]);
    client.connect = Duration::from_millis(40);
    assert_eq!(post(&client, hook()).await, Err(PostError::TimedOut));
}

#[tokio::test]
async fn only_a_local_stack_talks_in_the_clear_and_only_to_this_machine() {
    let server = TlsServer::new().await;
    let port = server.listener.local_addr().unwrap().port();
    let local = Target::parse(&format!("http://127.0.0.1:{port}/keys"), AddressPolicy::Loopback).unwrap();
    let client = Client::new(AddressPolicy::Loopback).unwrap();
    let (read, _) = tokio::join!(client.get(&local, 10), server.answer_plainly(OK));
    assert_eq!(read, Ok(Bytes::from_static(b"{}")));

    let client = Client::new(AddressPolicy::Public).unwrap();
    assert_eq!(client.get(&local, 10).await, Err(PostError::TargetError(TargetError::Scheme)));
    let named = Target::parse("http://hooks.example.org/", AddressPolicy::Loopback).unwrap();
    let client = Client::on(server.wires(&[PUBLIC]), AddressPolicy::Loopback).unwrap();
    assert_eq!(client.get(&named, 10).await, Err(PostError::TargetError(TargetError::Scheme)));
}

#[test]
fn an_exchange_may_move_between_threads_and_a_failure_names_no_host() {
    fn movable<T: Send>(_: T) {}
    let client = Client::new(AddressPolicy::Public).unwrap();
    movable(client.get(&hook(), 1));
    movable(client.post(&hook(), Vec::new(), Bytes::new()));
    for failure in
        [PostError::TargetError(TargetError::Address), PostError::Redirect(302), PostError::Status(500)]
    {
        assert!(!failure.to_string().contains("example") && !failure.code().is_empty());
    }
}
