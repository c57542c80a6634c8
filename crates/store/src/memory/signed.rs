//! Signed requests: made here, carried out by tests as a sender would.

use aws_smithy_types::base64;
use bytes::Bytes;

use super::{INBOX, Memory};
use crate::quarantine::attachment;
use crate::{Condition, Landed, Presigned, SignedPart, SignedUpload};
use ledger::digest;

/// The request that an address was signed for.
#[derive(Clone)]
pub(super) enum PresignedRequest {
    Upload(SignedUpload),
    Part(SignedPart),
    Download { key: String, file_name: String },
}

/// What a sender gets for a signed request. Deliberately without `Debug`: it may hold content.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// S3's error code; empty when it went well.
    pub code: &'static str,
    /// The entity tag of what was stored.
    pub etag: Option<String>,
    /// The object that was asked for.
    pub body: Bytes,
}

impl SignedAnswer {
    fn rejected(status: u16, code: &'static str) -> Self {
        Self { status, code, etag: None, body: Bytes::new() }
    }

    fn stored(etag: String) -> Self {
        Self { status: 200, code: "", etag: Some(etag), body: Bytes::new() }
    }
}

impl PresignedRequest {
    fn method(&self) -> &'static str {
        match self {
            Self::Upload(_) | Self::Part(_) => "PUT",
            Self::Download { .. } => "GET",
        }
    }

    /// Returns the headers that must be sent, as `aws` signs them.
    fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        match self {
            Self::Upload(SignedUpload { land, bytes, sha256 }) => {
                headers.push(("content-length", bytes.to_string()));
                headers.push(("content-type", land.content_type.clone()));
                headers.push(match &land.condition {
                    Condition::Absent => ("if-none-match", "*".to_owned()),
                    Condition::Replaces(etag) => ("if-match", format!("\"{etag}\"")),
                });
                headers.push(("x-amz-checksum-sha256", base64::encode(sha256)));
                headers.push(("x-amz-meta-upload", land.upload.to_string()));
                if let Some(corrects) = &land.corrects {
                    headers.push(("x-amz-meta-corrects", corrects.clone()));
                }
            }
            Self::Part(SignedPart { bytes, sha256, .. }) => {
                headers.push(("content-length", bytes.to_string()));
                headers.push(("x-amz-checksum-sha256", base64::encode(sha256)));
            }
            Self::Download { .. } => {}
        }
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Bucket, key, and what the query says.
    fn target(&self) -> (&str, &str, String) {
        match self {
            Self::Upload(upload) => (INBOX, &upload.land.key, "x-id=PutObject".to_owned()),
            Self::Part(SignedPart { key, multipart, number, .. }) => {
                (INBOX, key, format!("partNumber={number}&uploadId={multipart}"))
            }
            Self::Download { key, file_name } => {
                ("quarantine", key, format!("response-content-disposition={}", attachment(file_name)))
            }
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Upload(upload) => upload.bytes,
            Self::Part(part) => part.bytes,
            Self::Download { .. } => 0,
        }
    }
}

impl Memory {
    /// Signs: the address holds a hash of all that is signed, and nothing of the time.
    pub(super) fn sign(&self, signed: PresignedRequest, seconds: u32) -> Presigned {
        let headers = signed.headers();
        let (bucket, key, query) = signed.target();
        let all = format!("{} {bucket} {key} {query} {headers:?} {seconds}", signed.method());
        let signature = digest(&[all.as_bytes()], 26);
        let query = query.replace(' ', "%20").replace('"', "%22");
        let path = key.replace('%', "%25").replace(' ', "%20");
        let url = format!(
            "https://{bucket}.s3.memory.invalid/{path}?X-Amz-Expires={seconds}&{query}&X-Amz-Signature={signature}"
        );
        let method = signed.method();
        self.kept().signed.insert(url.clone(), signed);
        Presigned { method, url, headers, expires_seconds: seconds }
    }

    /// Carries out a signed request as S3 would: the address must be one that was signed, every signed header must be
    /// sent as it was signed, length and SHA-256 must be those of the body, and the condition must hold. Not a counted
    /// call: it is the sender's.
    pub fn send_signed(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> SignedAnswer {
        let body = body.into();
        let mut kept = self.kept();
        let Some(signed) = kept.signed.get(url).cloned().filter(|signed| signed.method() == method) else {
            return SignedAnswer::rejected(403, "SignatureDoesNotMatch");
        };
        let sent = |(name, value): &(String, String)| {
            headers.iter().any(|(other, with)| other.eq_ignore_ascii_case(name) && with == value)
        };
        if !signed.headers().iter().all(sent) || signed.bytes() != body.len() as u64 {
            return SignedAnswer::rejected(403, "SignatureDoesNotMatch");
        }
        match signed {
            PresignedRequest::Upload(upload) => match kept.land_checked(&upload.land, &upload.sha256, body) {
                Landed::Version { etag, .. } => SignedAnswer::stored(etag),
                Landed::Conflict => SignedAnswer::rejected(412, "PreconditionFailed"),
                Landed::Rejected(_) => SignedAnswer::rejected(400, "BadDigest"),
            },
            PresignedRequest::Part(part) => match kept.take_part(&part, body) {
                Ok(etag) => SignedAnswer::stored(etag),
                Err("NoSuchUpload") => SignedAnswer::rejected(404, "NoSuchUpload"),
                Err(code) => SignedAnswer::rejected(400, code),
            },
            PresignedRequest::Download { key, .. } => match kept.quarantine.get(&key) {
                Some(object) => {
                    SignedAnswer { status: 200, code: "", etag: None, body: object.bytes.clone() }
                }
                None => SignedAnswer::rejected(404, "NoSuchKey"),
            },
        }
    }
}
