//! Clients: one HTTP client for all, explicit timeouts, three attempts.

use std::fmt;
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
use super::{Addresses, Aws, Directory, Door, DoorNames, MessageQueue, Names};

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

/// The store on AWS.
#[must_use]
pub fn connect(names: Names, access: Access) -> Aws {
    Aws::new(&configuration(access), names)
}

/// The partner's door on AWS.
#[must_use]
pub fn connect_door(names: DoorNames, access: Access) -> Door {
    Door::new(&configuration(access), names)
}

/// The partners table on AWS, and nothing else.
#[must_use]
pub fn connect_directory(partners_table: &str, access: Access) -> Directory {
    Directory::new(&configuration(access), partners_table)
}

/// The partners table, names of files and one queue on AWS, behind one HTTP client.
#[must_use]
pub fn connect_webhooks(
    partners_table: &str,
    ledger_table: &str,
    queue_url: &str,
    access: Access,
) -> (Addresses, MessageQueue) {
    let config = configuration(access);
    (Addresses::new(&config, partners_table, ledger_table), MessageQueue::new(&config, queue_url))
}

/// What every client is made of: also those of other services, in binaries that have their own.
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

/// The one HTTP client.
#[must_use]
pub fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(TLS).tls_context(trust()).build_https()
}

/// A connector of the same making, for calls outside an SDK's client.
pub(super) fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ATTEMPT).build();
    let connector = aws_smithy_http_client::Connector::builder().connector_settings(settings);
    SharedHttpConnector::new(connector.tls_provider(TLS).tls_context(trust()).build())
}

const TLS: tls::Provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);

/// A trust store always makes a context, so the default below is never reached.
fn trust() -> tls::TlsContext {
    let trusted =
        ROOTS.iter().fold(tls::TrustStore::empty(), |store, root| store.with_pem_certificate(*root));
    tls::TlsContext::builder().with_trust_store(trusted).build().unwrap_or_default()
}

pub(super) fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(s3_config(config).build())
}

pub(super) fn metered_s3(config: &SdkConfig, meter: Meter) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(s3_config(config).interceptor(meter).build())
}

fn s3_config(config: &SdkConfig) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::from(config)
        .timeout_config(timeouts(FIRST_BYTE, OPERATION))
        .retry_config(retries())
        .stalled_stream_protection(stalled())
}

pub(super) fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(dynamodb_config(config).build())
}

pub(super) fn metered_dynamodb(config: &SdkConfig, meter: Meter) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(dynamodb_config(config).interceptor(meter).build())
}

fn dynamodb_config(config: &SdkConfig) -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::config::Builder::from(config)
        .timeout_config(timeouts(ATTEMPT, OPERATION))
        .retry_config(retries())
}

pub(super) fn sqs(config: &SdkConfig) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::from_conf(sqs_config(config).build())
}

pub(super) fn metered_sqs(config: &SdkConfig, meter: Meter) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::from_conf(sqs_config(config).interceptor(meter).build())
}

fn sqs_config(config: &SdkConfig) -> aws_sdk_sqs::config::Builder {
    aws_sdk_sqs::config::Builder::from(config)
        .timeout_config(timeouts(ATTEMPT, OPERATION))
        .retry_config(retries())
}

pub(super) fn sns(config: &SdkConfig) -> aws_sdk_sns::Client {
    aws_sdk_sns::Client::from_conf(sns_config(config).build())
}

pub(super) fn metered_sns(config: &SdkConfig, meter: Meter) -> aws_sdk_sns::Client {
    aws_sdk_sns::Client::from_conf(sns_config(config).interceptor(meter).build())
}

fn sns_config(config: &SdkConfig) -> aws_sdk_sns::config::Builder {
    aws_sdk_sns::config::Builder::from(config)
        .timeout_config(timeouts(ATTEMPT, OPERATION))
        .retry_config(retries())
}

pub(super) fn secrets(config: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::config::Builder::from(config)
        .timeout_config(timeouts(ATTEMPT, OPERATION))
        .retry_config(retries())
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

pub(super) fn cloudwatch(config: &SdkConfig) -> aws_sdk_cloudwatch::Client {
    let config = aws_sdk_cloudwatch::config::Builder::from(config)
        .timeout_config(timeouts(ATTEMPT, OPERATION))
        .retry_config(retries())
        .build();
    aws_sdk_cloudwatch::Client::from_conf(config)
}

/// What a transfer of many bytes overrides for its own call.
pub(super) fn transfer() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts(TRANSFER_ATTEMPT, TRANSFER))
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
