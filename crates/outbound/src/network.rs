//! Names and connections: what a test replaces.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

/// Resolves names and opens connections.
pub trait Network: Sync {
    /// All addresses of a name.
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
    /// A connection to exactly this address.
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

/// The resolver of the system, and its network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Internet;

impl Network for Internet {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // The port of the answer is not used; the interface wants one.
        Ok(tokio::net::lookup_host((name, 443)).await?.map(|address| address.ip()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}
