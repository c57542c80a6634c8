//! One exchange with an address that a partner or operator chose.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONNECTION, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::target::TargetHost;
use crate::{AddressPolicy, Target, TargetError};

/// Resolves names and opens connections. A test replaces it.
pub trait Network: Sync {
    /// Returns all addresses of a name.
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
    /// Opens a connection to exactly this address.
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

/// The resolver of the system, and its network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Internet;

impl Network for Internet {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // `lookup_host` asks for a port; the port of the answer is not used.
        Ok(tokio::net::lookup_host((name, 443)).await?.map(|address| address.ip()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

/// Time limit for the connection: name, TCP and TLS.
const CONNECT: Duration = Duration::from_secs(3);
/// Time limit for one exchange, including the connection.
const WHOLE: Duration = Duration::from_secs(10);
/// Limits of an answer's head: bytes of status line and headers, and number of headers.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// The value of `user-agent`.
const AGENT: HeaderValue = HeaderValue::from_static("silent-scalper");

/// Why an exchange failed. Holds nothing of the address, the headers or the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The address is not allowed.
    #[error("the address is not allowed")]
    TargetError(#[from] TargetError),
    /// The name has no address.
    #[error("the name of the host has no address in DNS")]
    Resolve,
    /// No address accepts a connection.
    #[error("no address of the host accepts a connection")]
    Connect,
    /// The host's certificate is not valid for its name, or the host has no TLS version in common.
    #[error("TLS with the host failed: its certificate must be valid for its name")]
    Tls,
    /// The host does not speak HTTP/1.1, or broke off.
    #[error("the host's answer is not HTTP/1.1, or the connection ended before the answer was complete")]
    Protocol,
    /// The time limit is reached.
    #[error("the host did not answer within {} seconds", WHOLE.as_secs())]
    TimedOut,
    /// The host answered with a redirect; redirects are never followed.
    #[error("the host answered with a redirect (status {0}), which is never followed: use the final address")]
    Redirect(u16),
    /// The host answered a GET with another status than 200.
    #[error("the host answered with status {0}")]
    Status(u16),
    /// The answer is longer than allowed.
    #[error("the host's answer is longer than allowed")]
    TooLong,
}

impl PostError {
    /// Returns a code for logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TargetError(rejected) => rejected.code(),
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::TimedOut => "timeout",
            Self::Redirect(_) => "redirect",
            Self::Status(_) => "status",
            Self::TooLong => "too-long",
        }
    }
}

/// The response of a host to a post. Its body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostResponse {
    /// The status code, 200 to 299 or 400 to 599.
    pub status: u16,
    /// Seconds after which the host asks to be tried again (`Retry-After`, RFC 9110, 10.2.3; a date is not read).
    pub retry_after: Option<u32>,
}

/// Makes exchanges, each on a new connection. Connections are not reused: one that was open before a sandbox was
/// frozen may be dead after it, and posts to one partner are rare.
pub struct Client<N = Internet> {
    policy: AddressPolicy,
    network: N,
    tls: TlsConnector,
    connect: Duration,
    whole: Duration,
}

impl Client {
    /// Makes a client on the internet. Fails when the TLS library does not know its own protocol versions.
    pub fn new(policy: AddressPolicy) -> Result<Self, PostError> {
        Self::on(Internet, policy)
    }
}

impl<N: Network> Client<N> {
    /// Makes a client on another network.
    pub fn on(network: N, policy: AddressPolicy) -> Result<Self, PostError> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::trusting(roots, network, policy)
    }

    fn trusting(roots: RootCertStore, network: N, policy: AddressPolicy) -> Result<Self, PostError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| PostError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Self { policy, network, tls, connect: CONNECT, whole: WHOLE })
    }

    /// Posts a body. Any status but a redirect is an answer.
    pub async fn post(
        &self,
        target: &Target,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<PostResponse, PostError> {
        let request = request(Method::POST, target, headers, body)?;
        let (answer, _) = self.exchange(target, request, None).await?;
        Ok(answer)
    }

    /// Reads a document of at most `most_bytes` bytes. Any status but 200 is a failure.
    pub async fn get(&self, target: &Target, most_bytes: usize) -> Result<Bytes, PostError> {
        let request = request(Method::GET, target, Vec::new(), Bytes::new())?;
        match self.exchange(target, request, Some(most_bytes)).await? {
            (PostResponse { status: 200, .. }, document) => Ok(document),
            (PostResponse { status, .. }, _) => Err(PostError::Status(status)),
        }
    }

    async fn exchange(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        most_bytes: Option<usize>,
    ) -> Result<(PostResponse, Bytes), PostError> {
        let exchange = async {
            let connected = tokio::time::timeout(self.connect, self.open(target)).await;
            match connected.map_err(|_| PostError::TimedOut)?? {
                Stream::Plain(stream) => converse(TokioIo::new(stream), request, most_bytes).await,
                Stream::Tls(stream) => converse(TokioIo::new(stream), request, most_bytes).await,
            }
        };
        tokio::time::timeout(self.whole, exchange).await.map_err(|_| PostError::TimedOut)?
    }

    async fn open(&self, target: &Target) -> Result<Stream, PostError> {
        if !target.tls && self.policy != AddressPolicy::Loopback {
            return Err(TargetError::Scheme.into());
        }
        let addresses = self.addresses(&target.host).await?;
        // Plain HTTP stays on this machine, whatever address the name has.
        if !target.tls && !addresses.iter().all(IpAddr::is_loopback) {
            return Err(TargetError::Scheme.into());
        }
        let stream = self.reach(&addresses, target.port).await?;
        if !target.tls {
            return Ok(Stream::Plain(stream));
        }
        let name = match &target.host {
            TargetHost::Name(name) => ServerName::try_from(name.clone()).map_err(|_| TargetError::Host)?,
            TargetHost::Address(address) => ServerName::from(*address),
        };
        let stream = self.tls.connect(name, stream).await.map_err(|_| PostError::Tls)?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// Returns the addresses to try, all of which may be reached. IPv4 first: a function outside a VPC has no IPv6.
    async fn addresses(&self, host: &TargetHost) -> Result<Vec<IpAddr>, PostError> {
        let mut addresses = match host {
            TargetHost::Address(address) => vec![*address],
            TargetHost::Name(name) => self.network.resolve(name).await.map_err(|_| PostError::Resolve)?,
        };
        if addresses.is_empty() {
            return Err(PostError::Resolve);
        }
        if !addresses.iter().all(|address| self.policy.allows(*address)) {
            return Err(TargetError::Address.into());
        }
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }

    /// Opens a connection to the first address that accepts one.
    async fn reach(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, PostError> {
        for address in addresses {
            let connected: io::Result<TcpStream> =
                self.network.connect(SocketAddr::new(*address, port)).await;
            if let Ok(stream) = connected {
                return Ok(stream);
            }
        }
        Err(PostError::Connect)
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

fn request(
    method: Method,
    target: &Target,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, PostError> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(target.path.clone());
    let all = request.headers_mut();
    all.extend(headers);
    all.insert(HOST, HeaderValue::from_str(&target.authority).map_err(|_| TargetError::Host)?);
    all.insert(USER_AGENT, AGENT);
    all.insert(CONNECTION, HeaderValue::from_static("close"));
    // A compressed answer could be a bomb: its decoded bytes would not be counted.
    all.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(request)
}

/// Sends the request and reads the answer, while the connection is driven. Without a limit of bytes, or without
/// success, the body is not read.
async fn converse<I>(
    stream: I,
    request: Request<Full<Bytes>>,
    most_bytes: Option<usize>,
) -> Result<(PostResponse, Bytes), PostError>
where
    I: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .handshake(stream)
        .await
        .map_err(|_| PostError::Protocol)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|_| PostError::Protocol)?;
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let answer = PostResponse { status: response.status().as_u16(), retry_after };
        match (answer.status, most_bytes) {
            (redirect @ 300..=399, _) => Err(PostError::Redirect(redirect)),
            (200, Some(most_bytes)) => Ok((answer, read(response.into_body(), most_bytes).await?)),
            (200..=299 | 400..=599, _) => Ok((answer, Bytes::new())),
            _ => Err(PostError::Protocol),
        }
    };
    let (mut exchange, connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        biased;
        taken = &mut exchange => taken,
        // The connection ends first when the answer is complete; what it received is still to be taken.
        _ended = connection => exchange.await,
    }
}

async fn read(mut body: Incoming, most_bytes: usize) -> Result<Bytes, PostError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| PostError::Protocol)?.into_data() else { continue };
        if data.len() > most_bytes.saturating_sub(whole.len()) {
            return Err(PostError::TooLong);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests;
