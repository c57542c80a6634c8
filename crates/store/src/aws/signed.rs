//! Signed calls of services of which so little is asked that their SDK, half a minute of compiling each, is not worth
//! it: JSON over HTTPS, three attempts.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use bytes::Bytes;
use serde_json::Value;

use super::failure::is_word;
use super::{client, pause};
use crate::{Error, Operation};

/// One attempt, with its body.
const ATTEMPT: Duration = Duration::from_secs(6);

/// Attempts of one call.
const ATTEMPTS: u32 = 3;

/// A call of an operation that no SDK crate here has.
#[derive(Clone, Copy)]
pub(super) struct SignedCall<'c> {
    /// The operation, for errors.
    pub(super) operation: Operation,
    /// The service, as in its address and its signatures.
    pub(super) service: &'static str,
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    /// Path and query, encoded.
    pub(super) path: &'c str,
    /// `X-Amz-Target`, for services that are called by it.
    pub(super) target: Option<&'static str>,
    /// The JSON document; empty for none.
    pub(super) body: &'c str,
}

/// Signs and sends calls in one region, with one set of credentials.
#[derive(Clone)]
pub(super) struct SigningClient {
    connector: SharedHttpConnector,
    credentials: Option<SharedCredentialsProvider>,
    time: SharedTimeSource,
    region: String,
    endpoint: Option<String>,
}

impl SigningClient {
    /// With the credentials, region and endpoint of a configuration.
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self::over(config, client::connector())
    }

    /// Makes the same over any connector.
    pub(super) fn over(config: &SdkConfig, connector: SharedHttpConnector) -> Self {
        Self {
            connector,
            credentials: config.credentials_provider(),
            time: config.time_source().unwrap_or_default(),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            endpoint: config.endpoint_url().map(|url| url.trim_end_matches('/').to_owned()),
        }
    }

    /// Returns the answer's JSON document; `null` for an empty one.
    pub(super) async fn call(&self, call: SignedCall<'_>) -> Result<Value, Error> {
        let text = self.text(call).await?;
        let json = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
        json.map_err(|_| Error::new(call.operation, "malformed answer"))
    }

    /// Returns the answer as text.
    pub(super) async fn text(&self, call: SignedCall<'_>) -> Result<String, Error> {
        let mut attempt = 1;
        loop {
            let error = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(FailedAttempt { error, again: false }) => return Err(error),
                Err(FailedAttempt { error, again: true }) => error,
            };
            if attempt == ATTEMPTS {
                return Err(error);
            }
            pause(call.operation, attempt + 2).await?;
            attempt += 1;
        }
    }

    async fn once(&self, call: SignedCall<'_>) -> Result<String, FailedAttempt> {
        let request = self.signed(call).await.map_err(FailedAttempt::last)?;
        let again = |code: &str| FailedAttempt { error: Error::new(call.operation, code), again: true };
        let answered = tokio::time::timeout(ATTEMPT, async {
            let response = self.connector.call(request).await.map_err(|_| again("connection"))?;
            whole(response).await.ok_or_else(|| again("body broke off"))
        });
        let answer = answered.await.map_err(|_| again("timeout"))??;
        if answer.status < 300 {
            let text = String::from_utf8(answer.body.to_vec());
            return text.map_err(|_| FailedAttempt::last(Error::new(call.operation, "malformed answer")));
        }
        Err(answer.failed(call.operation))
    }

    async fn signed(&self, call: SignedCall<'_>) -> Result<HttpRequest, Error> {
        let wrong = |what: &str| Error::new(call.operation, what);
        let provider = self.credentials.as_ref().ok_or_else(|| wrong("no credentials"))?;
        let credentials = provider.provide_credentials().await.map_err(|_| wrong("no credentials"))?;
        let url = format!("{}{}", self.address(call.service), call.path);
        let mut headers = vec![("accept", "application/json")];
        if let Some(target) = call.target {
            headers.extend([("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)]);
        }
        let now: SystemTime = self.time.now();
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(call.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| wrong("request not signed"))?
            .into();
        let body = SignableBody::Bytes(call.body.as_bytes());
        let signable = SignableRequest::new(call.method, url.as_str(), headers.iter().copied(), body);
        let signed = signable.and_then(|request| sign(request, &parameters));
        let (signature, _) = signed.map_err(|_| wrong("request not signed"))?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(call.body));
        let built = request.set_method(call.method).is_ok() && request.set_uri(url).is_ok();
        let all = headers.iter().map(|(name, value)| (*name, *value)).chain(signature.headers());
        for (name, value) in all {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        if built { Ok(request) } else { Err(wrong("request not built")) }
    }

    /// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
    fn address(&self, service: &str) -> String {
        let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let own = || format!("https://{service}.{}.{suffix}", self.region);
        self.endpoint.clone().unwrap_or_else(own)
    }
}

/// A failed attempt.
struct FailedAttempt {
    error: Error,
    again: bool,
}

impl FailedAttempt {
    fn last(error: Error) -> Self {
        Self { error, again: false }
    }
}

struct SignedResponse {
    status: u16,
    kind: Option<String>,
    request_id: Option<String>,
    body: Bytes,
}

async fn whole(response: HttpResponse) -> Option<SignedResponse> {
    let header = |name: &str| response.headers().get(name).map(str::to_owned);
    let (kind, request_id) = (header("x-amzn-errortype"), header("x-amzn-requestid"));
    let status = response.status().as_u16();
    let body = ByteStream::new(response.into_body()).collect().await.ok()?.into_bytes();
    Some(SignedResponse { status, kind, request_id, body })
}

impl SignedResponse {
    /// Makes the error of an answer. Its code is in a header, before a colon, or in the document, behind a hash.
    fn failed(self, operation: Operation) -> FailedAttempt {
        let json: Option<Value> = serde_json::from_slice(&self.body).ok();
        let member = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let kind = self.kind.clone().or_else(|| member("__type")).or_else(|| member("code"));
        let code = kind.as_deref().and_then(|kind| kind.split(':').next()?.rsplit('#').next());
        let code = code.filter(|code| is_word(code)).map(str::to_owned);
        let code = code.unwrap_or_else(|| format!("http {}", self.status));
        let throttled = self.status == 429 || code.contains("Throttl") || code.contains("TooManyRequests");
        let again = throttled || self.status >= 500;
        let request_id = self.request_id.filter(|id| is_word(id));
        FailedAttempt { error: Error { operation, code, request_id }, again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::{ReplayedResponse, ScriptedService, answer};

    const CALL: SignedCall<'static> = SignedCall {
        operation: Operation::ReadAccount,
        service: "lambda",
        method: "GET",
        path: "/2016-08-19/account-settings/",
        target: None,
        body: "",
    };

    fn signed(answers: impl IntoIterator<Item = ReplayedResponse>) -> (SigningClient, ScriptedService) {
        let (config, replay) = ScriptedService::configuration(answers);
        let signed = SigningClient::over(&config, SharedHttpConnector::new(replay.clone()));
        (signed, replay)
    }

    #[tokio::test]
    async fn a_call_is_signed_for_its_service_and_region() -> Result<(), Error> {
        let (signed, replay) = signed([answer(200, r#"{"a":1}"#), answer(200, "")]);
        assert_eq!(signed.call(CALL).await?["a"], 1);
        let post =
            SignedCall { service: "kms", method: "POST", path: "/", target: Some("T.X"), body: "{}", ..CALL };
        assert_eq!(signed.call(post).await?, Value::Null);
        let [get, post] = &replay.seen()[..] else { panic!("two requests") };
        assert_eq!(get.uri, "https://lambda.eu-central-1.amazonaws.com/2016-08-19/account-settings/");
        let authorization = |seen: &crate::aws::replay::SentRequest| {
            seen.header("authorization").expect("a signature").to_owned()
        };
        assert!(authorization(get).contains("/eu-central-1/lambda/aws4_request"), "{}", authorization(get));
        assert!(authorization(post).contains("content-type;host;x-amz-date;x-amz-target"));
        assert_eq!((post.method.as_str(), post.body.as_str()), ("POST", "{}"));
        assert_eq!(post.header("x-amz-target"), Some("T.X"));
        Ok(())
    }

    #[tokio::test]
    async fn a_throttled_call_is_made_again_and_a_denied_one_is_not() -> Result<(), Error> {
        let throttled = answer(400, r#"{"__type":"com.amazonaws.kms#ThrottlingException"}"#);
        let (signed, replay) = signed([throttled, answer(500, "busy"), answer(200, "{}")]);
        signed.call(CALL).await?;
        assert_eq!(replay.seen().len(), 3);

        let denied = ReplayedResponse {
            headers: vec![("x-amzn-errortype", "AccessDeniedException:http://internal/".to_owned())],
            ..answer(403, r#"{"Message":"secret"}"#)
        };
        let (signed, replay) = self::signed([denied]);
        let error = signed.call(CALL).await.expect_err("denied");
        assert_eq!((error.code.as_str(), error.is_denied()), ("AccessDeniedException", true));
        assert_eq!(replay.seen().len(), 1);
        Ok(())
    }

    #[tokio::test]
    async fn what_never_answers_as_expected_fails_after_three_attempts() {
        let (signed, replay) = signed([answer(503, ""), answer(503, ""), answer(503, "")]);
        let error = signed.call(CALL).await.expect_err("busy");
        assert_eq!((error.code.as_str(), replay.seen().len()), ("http 503", 3));
        let (signed, _) = self::signed([answer(200, "<html>")]);
        assert_eq!(signed.call(CALL).await.expect_err("no JSON").code, "malformed answer");
    }

    #[test]
    fn an_emulator_is_called_where_it_is_and_china_has_a_name_of_its_own() {
        let (config, _) = ScriptedService::configuration([]);
        let at = |config: &SdkConfig| SigningClient::new(config).address("kms");
        assert_eq!(at(&config), "https://kms.eu-central-1.amazonaws.com");
        let china = config.to_builder().region(aws_types::region::Region::new("cn-north-1")).build();
        assert_eq!(at(&china), "https://kms.cn-north-1.amazonaws.com.cn");
        let local = config.to_builder().endpoint_url("http://127.0.0.1:4566/").build();
        assert_eq!(at(&local), "http://127.0.0.1:4566");
    }
}
