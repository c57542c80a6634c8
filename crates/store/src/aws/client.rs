//! Clients: one HTTP client for all, explicit timeouts, three attempts.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_types::SdkConfig;

use super::meter::Meter;
use super::signed::SigningClient;

/// The SDK's own connect timeout; it has no other by default.
/// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>
const CONNECT: Duration = Duration::from_millis(3_100);
/// One attempt at DynamoDB, SQS or SNS.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Until the first byte of S3's answer; the body after it is guarded by the stalled-stream protection.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// All attempts of one operation.
const OPERATION: Duration = Duration::from_secs(15);
/// One attempt at a server-side copy or an upload of a part, which take as long as the bytes take.
const TRANSFER_ATTEMPT: Duration = Duration::from_mins(1);
/// All attempts of one transfer.
const TRANSFER: Duration = Duration::from_mins(2);
/// One attempt of a copy of up to 5 GiB.
const LONG_ATTEMPT: Duration = Duration::from_mins(10);
/// All attempts of such a copy.
const LONG_COPY: Duration = Duration::from_mins(20);
/// How long a body may be still before it counts as broken off.
const STALLED: Duration = Duration::from_secs(20);
/// Attempts of one operation.
const ATTEMPTS: u32 = 3;

/// Where AWS is and who asks. Lambda sets all of it before a sandbox starts and does not change it while it lives
/// (AWS Lambda Developer Guide, "Defined runtime environment variables"), so that no chain of credential providers, no
/// profile and no metadata service is needed, which would cost size and time at each cold start.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// The region.
    pub region: String,
    /// The role's access key id.
    pub access_key: String,
    /// The role's secret key.
    pub secret_key: String,
    /// The role's session token; `None` for a user's key.
    pub session_token: Option<String>,
    /// Another endpoint than AWS's own: an emulator.
    pub endpoint: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, endpoint, .. } = self;
        formatter
            .debug_struct("Access")
            .field("region", region)
            .field("endpoint", endpoint)
            .finish_non_exhaustive()
    }
}

/// The certificate authorities that sign the endpoints of AWS (Amazon Trust Services repository,
/// <https://www.amazontrust.com/repository/>), valid until 2037. They are compiled in because reading the system's
/// bundle of some 140 authorities costs more than the rest of a cold start.
const ROOTS: [&[u8]; 5] = [
    include_bytes!("roots/amazon-root-ca-1.pem"),
    include_bytes!("roots/amazon-root-ca-2.pem"),
    include_bytes!("roots/amazon-root-ca-3.pem"),
    include_bytes!("roots/amazon-root-ca-4.pem"),
    include_bytes!("roots/starfield-services-root-g2.pem"),
];

/// Returns what every client is made of: also those of other services, in binaries that have their own.
#[must_use]
pub fn configuration(access: Access) -> SdkConfig {
    let http = https();
    let Access { region, access_key, secret_key, session_token, endpoint } = access;
    let credentials = Credentials::new(access_key, secret_key, session_token, None, "environment");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    config.set_endpoint_url(endpoint);
    config.build()
}

/// Returns the one HTTP client.
#[must_use]
pub fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(TLS).tls_context(trust()).build_https()
}

/// Returns a connector of the same making, for calls outside an SDK's client.
pub(super) fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ATTEMPT).build();
    let connector = aws_smithy_http_client::Connector::builder().connector_settings(settings);
    SharedHttpConnector::new(connector.tls_provider(TLS).tls_context(trust()).build())
}

const TLS: tls::Provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);

/// Makes the TLS context. A trust store always gives one, so the default below is never reached.
fn trust() -> tls::TlsContext {
    let trusted =
        ROOTS.iter().fold(tls::TrustStore::empty(), |store, root| store.with_pem_certificate(*root));
    tls::TlsContext::builder().with_trust_store(trusted).build().unwrap_or_default()
}

/// Makes clients with the credentials, region, endpoint and HTTP client of a configuration; timeouts and retries are
/// set here, whatever the configuration says. One meter counts what all of them ask for.
#[derive(Clone)]
pub struct Connection {
    config: SdkConfig,
    meter: Meter,
}

/// A client that not every invocation needs: it is made at its first use. A client parses its table of all AWS
/// partitions when it is made, which is a tenth of a start for each. Clones share it.
pub struct Late<C>(Arc<LateClient<C>>);

struct LateClient<C> {
    connection: Connection,
    make: fn(&Connection) -> C,
    client: OnceLock<C>,
}

/// S3, and the account that must own the buckets.
#[derive(Clone)]
pub struct S3 {
    pub(super) client: aws_sdk_s3::Client,
    pub(super) account: Option<String>,
}

impl<C> Clone for Late<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Late<C> {
    pub(super) fn get(&self) -> &C {
        let LateClient { connection, make, client } = &*self.0;
        client.get_or_init(|| make(connection))
    }
}

/// A client of a service of which each attempt answers at once.
macro_rules! client {
    ($sdk:ident, $connection:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from(&$connection.config)
                .timeout_config(timeouts(ATTEMPT, OPERATION))
                .retry_config(retries())
                .interceptor($connection.meter.clone())
                .build(),
        )
    };
}

impl Connection {
    /// Clients of this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), meter: Meter::default() }
    }

    /// Clients with this access.
    #[must_use]
    pub fn open(access: Access) -> Self {
        Self::new(&configuration(access))
    }

    /// Counts what all clients of this connection ask for.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// S3. The account must own the buckets; `None` leaves the check out.
    #[must_use]
    pub fn s3(&self, account: Option<&str>) -> S3 {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .timeout_config(timeouts(FIRST_BYTE, OPERATION))
            .retry_config(retries())
            .stalled_stream_protection(stalled())
            .interceptor(self.meter.clone())
            .build();
        S3 { client: aws_sdk_s3::Client::from_conf(config), account: account.map(str::to_owned) }
    }

    /// DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        client!(aws_sdk_dynamodb, self)
    }

    /// SQS.
    #[must_use]
    pub fn sqs(&self) -> Late<aws_sdk_sqs::Client> {
        self.late(|connection| client!(aws_sdk_sqs, connection))
    }

    /// SNS.
    #[must_use]
    pub fn sns(&self) -> Late<aws_sdk_sns::Client> {
        self.late(|connection| client!(aws_sdk_sns, connection))
    }

    /// Secrets Manager.
    #[must_use]
    pub fn secrets(&self) -> Late<aws_sdk_secretsmanager::Client> {
        self.late(|connection| client!(aws_sdk_secretsmanager, connection))
    }

    /// CloudWatch.
    #[must_use]
    pub fn cloudwatch(&self) -> Late<aws_sdk_cloudwatch::Client> {
        self.late(|connection| client!(aws_sdk_cloudwatch, connection))
    }

    /// Calls of services without their SDK.
    pub(super) fn signed(&self) -> SigningClient {
        SigningClient::new(&self.config)
    }

    fn late<C>(&self, make: fn(&Self) -> C) -> Late<C> {
        Late(Arc::new(LateClient { connection: self.clone(), make, client: OnceLock::new() }))
    }
}

/// Returns what a transfer of many bytes overrides for its own call.
pub(super) fn transfer() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts(TRANSFER_ATTEMPT, TRANSFER))
}

/// Returns what a copy of up to 5 GiB overrides for its own call. S3 answers at its end.
pub(super) fn long_copy() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts(LONG_ATTEMPT, LONG_COPY))
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

fn stalled() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().grace_period(STALLED).build()
}

#[cfg(test)]
mod tests;
