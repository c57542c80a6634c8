//! The issuer's keys over https.

use std::sync::OnceLock;

use outbound::{AddressPolicy, Client, PostError, Target};

use crate::issuer::{Fetch, Unreachable};

/// Maximum length of a document, bytes; issuers' are a few thousand.
const MOST_BYTES: usize = 256 * 1024;

/// Reads documents from addresses that the policy allows. The client is made for the first token: a sandbox that sees
/// only API keys never needs it.
pub struct OverHttps {
    policy: AddressPolicy,
    client: OnceLock<Result<Client, PostError>>,
}

impl OverHttps {
    /// Makes a reader, without a client yet.
    #[must_use]
    pub fn new(policy: AddressPolicy) -> Self {
        Self { policy, client: OnceLock::new() }
    }

    async fn document(&self, url: &str) -> Result<Vec<u8>, PostError> {
        let client =
            self.client.get_or_init(|| Client::new(self.policy)).as_ref().map_err(|failure| *failure)?;
        let target = Target::parse(url, self.policy)?;
        Ok(client.get(&target, MOST_BYTES).await?.to_vec())
    }
}

impl Fetch for OverHttps {
    async fn get(&self, url: &str) -> Result<Vec<u8>, Unreachable> {
        self.document(url).await.map_err(|failure| Unreachable(failure.code()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_not_public_is_not_asked() {
        let fetch = OverHttps::new(AddressPolicy::Public);
        for url in ["http://id.example.org/keys", "https://127.0.0.1/keys", "https://169.254.169.254/keys"] {
            let Err(Unreachable(code)) = fetch.get(url).await else { panic!("{url} was asked") };
            assert!(code.starts_with("target."), "{code}");
        }
    }

    #[tokio::test]
    async fn beside_an_emulator_this_machine_is_asked_too() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            tokio::io::AsyncWriteExt::write_all(&mut stream, reply).await.expect("written");
            stream
        };
        let fetch = OverHttps::new(AddressPolicy::Loopback);
        let url = format!("http://127.0.0.1:{port}/keys");
        let (document, _stream) = tokio::join!(fetch.get(&url), answer);
        assert_eq!(document, Ok(b"{}".to_vec()));
    }
}
