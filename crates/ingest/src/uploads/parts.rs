//! An upload in parts. Each part is signed with its length and SHA-256; all of them become one object, or none does.

use serde::{Deserialize, Serialize};
use store::{Condition, Current, Landed, SignedPart, UploadKind, UploadPart, UploadRecord};

use super::{SignedRequest, closed, has_landed, land_of, read_sha256, record};
use crate::ApiStore;
use crate::call::ApiCall;
use crate::event::ApiRequest;
use crate::files::{self, KeyState, key_state, name_conflict};
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// Minimum length of a part but the last, bytes; S3 asks for at least 5 MiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LEAST_PART_BYTES: u64 = 8 * MIB;

/// Maximum number of parts of an object, by the same page.
const MOST_PARTS: u64 = 10_000;

const MIB: u64 = 1024 * 1024;

/// Maximum number of parts that are signed at once.
const MOST_SIGNED: usize = 100;

/// Maximum number of attempts when another upload under the name finishes first.
const ROUNDS: u32 = 4;

/// How an upload is cut: every part has `part_bytes`, the last what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartPlan {
    pub(super) part_bytes: u64,
    pub(super) parts: u64,
    last_bytes: u64,
}

/// Plans an upload. The plan depends on the length alone, so it is not stored.
pub(super) fn plan(bytes: u64) -> PartPlan {
    let part_bytes = bytes.div_ceil(MOST_PARTS).div_ceil(MIB).saturating_mul(MIB).max(LEAST_PART_BYTES);
    let parts = bytes.div_ceil(part_bytes).max(1);
    PartPlan { part_bytes, parts, last_bytes: bytes - part_bytes * (parts - 1) }
}

impl PartPlan {
    fn bytes_of(&self, number: u16) -> Option<u64> {
        match u64::from(number) {
            0 => None,
            number if number < self.parts => Some(self.part_bytes),
            number if number == self.parts => Some(self.last_bytes),
            _ => None,
        }
    }
}

/// Parts to sign
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedParts {
    /// At most 100 parts
    #[cfg_attr(test, schemars(length(min = 1, max = MOST_SIGNED)))]
    parts: Vec<WantedPart>,
}

/// A part to sign
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct WantedPart {
    /// The number of the part, from 1
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_PARTS)))]
    number: u16,
    /// The length of the part: `partBytes` of the promise, less for the last part
    #[cfg_attr(test, schemars(range(max = super::MOST_BYTES)))]
    bytes: u64,
    /// SHA-256 of the part, 64 hexadecimal digits
    #[cfg_attr(test, schemars(with = "crate::openapi::Sha256"))]
    sha256: String,
}

/// Signed parts
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SignedParts {
    /// One for each part asked for
    parts: Vec<NumberedPart>,
}

/// The signed PUT of a part
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SignedPart"))]
struct NumberedPart {
    /// The number of the part
    number: u16,
    #[serde(flatten)]
    signed: SignedRequest,
}

/// Every part of an upload
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SentParts {
    /// All parts, in order
    parts: Vec<SentPart>,
}

/// A part that was sent
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct SentPart {
    /// The number of the part, from 1
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_PARTS)))]
    number: u16,
    /// The header `etag` of the answer to the PUT of the part
    #[cfg_attr(test, schemars(with = "crate::openapi::EntityTag"))]
    etag: String,
    /// SHA-256 of the part, 64 hexadecimal digits
    #[cfg_attr(test, schemars(with = "crate::openapi::Sha256"))]
    sha256: String,
}

/// Handles `POST /v1/uploads/{upload}/parts`.
pub(crate) async fn sign_parts<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let wanted: WantedParts =
        ApiRequest::json(&call.body, "`parts`, a list of objects with `number`, `bytes` and `sha256`")?;
    if wanted.parts.is_empty() || wanted.parts.len() > MOST_SIGNED {
        let detail = format!(
            "`parts` lists {} parts; 1 to {MOST_SIGNED} are allowed in a request",
            wanted.parts.len()
        );
        return Err(ProblemDetails::new(ProblemCode::InvalidBody, detail).into());
    }
    let record = record(call).await?;
    let multipart = multipart(&record)?.to_owned();
    if record.version.is_some() {
        return Err(closed("has landed").into());
    }
    let left = record.expires_ms.saturating_sub(call.now_ms) / 1_000;
    if record.aborted || left == 0 {
        return Err(closed("was aborted or has expired").into());
    }
    let seconds = u32::try_from(left).unwrap_or(u32::MAX).min(call.settings.signed_seconds);
    let plan = plan(record.bytes);
    let mut parts = Vec::with_capacity(wanted.parts.len());
    for part in &wanted.parts {
        let signed = SignedPart {
            key: record.key.clone(),
            multipart: multipart.clone(),
            number: part.number,
            bytes: fits(plan, part)?,
            sha256: checksum(&part.sha256, part.number)?,
        };
        let signed = call.store.sign_part(&signed, seconds).await?.into();
        parts.push(NumberedPart { number: part.number, signed });
    }
    Ok(ApiResponse::json(200, &SignedParts { parts }))
}

fn fits(plan: PartPlan, part: &WantedPart) -> Result<u64, ProblemDetails> {
    let PartPlan { part_bytes, parts, last_bytes } = plan;
    plan.bytes_of(part.number).filter(|bytes| *bytes == part.bytes).ok_or_else(|| {
        let detail = format!(
            "part {} with {} bytes does not belong to this upload: expected parts 1 to {parts}, each of {part_bytes} bytes, the last \
             of {last_bytes}",
            part.number, part.bytes
        );
        ProblemDetails::new(ProblemCode::PartsRejected, detail)
    })
}

fn checksum(text: &str, number: u16) -> Result<[u8; 32], ProblemDetails> {
    read_sha256(text).ok_or_else(|| {
        let detail = format!("`sha256` of part {number} is malformed: expected 64 hexadecimal digits");
        ProblemDetails::new(ProblemCode::InvalidBody, detail)
    })
}

fn multipart(record: &UploadRecord) -> Result<&str, ProblemDetails> {
    match &record.kind {
        UploadKind::Multipart(multipart) => Ok(multipart),
        UploadKind::Single => {
            let detail = "the upload has no parts: send it with its signed PUT; nothing has to be completed";
            Err(ProblemDetails::new(ProblemCode::UploadClosed, detail))
        }
    }
}

/// Handles `POST /v1/uploads/{upload}/complete`. Sent again, it finds the object that it made.
pub(crate) async fn complete<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let sent: SentParts =
        ApiRequest::json(&call.body, "`parts`, a list of objects with `number`, `etag` and `sha256`")?;
    let record = record(call).await?;
    let multipart = multipart(&record)?;
    if let Some(current) = has_landed(call, &record).await? {
        return Ok(files::landed(call, &record, &current).await);
    }
    if record.aborted || call.now_ms >= record.expires_ms {
        return Err(closed("was aborted or has expired").into());
    }
    let parts = all_parts(plan(record.bytes), sent)?;
    let current = assemble(call, &record, multipart, &parts).await?;
    Ok(files::landed(call, &record, &current).await)
}

async fn assemble<S: ApiStore>(
    call: &ApiCall<'_, S>,
    record: &UploadRecord,
    multipart: &str,
    parts: &[UploadPart],
) -> Result<Current, RequestError> {
    // The media type was given when the upload was begun.
    let mut land = land_of(record, "", Condition::Absent);
    for _ in 0..ROUNDS {
        match key_state(call, &record.key, &record.id, true).await? {
            KeyState::Ours(current) => return Ok(current),
            KeyState::Under(condition) => land.condition = condition,
        }
        match call.store.complete_parts(&land, multipart, parts).await? {
            Landed::Version { version, etag } => {
                return Ok(Current { version, etag, upload: Some(record.id.clone()), bytes: record.bytes });
            }
            Landed::Conflict => {}
            Landed::Rejected(_) => {
                // An earlier attempt may have made the object, and S3 then knows the upload no more.
                if let Some(current) = call.store.landed_as(&record.key, &record.id).await? {
                    return Ok(current);
                }
                let detail = "a part is missing, or its `etag` or `sha256` differs from what was sent: send that part \
                              again, then complete with the `etag` of the answer";
                return Err(ProblemDetails::new(ProblemCode::PartsRejected, detail).into());
            }
        }
    }
    Err(name_conflict().into())
}

/// Checks that every part is listed once, in order.
fn all_parts(plan: PartPlan, sent: SentParts) -> Result<Vec<UploadPart>, ProblemDetails> {
    let expected = plan.parts;
    let numbered = (1_u64..).zip(&sent.parts).all(|(number, part)| u64::from(part.number) == number);
    if sent.parts.len() as u64 != expected || !numbered {
        let detail = format!(
            "`parts` lists {} parts; expected each of 1 to {expected} once, in ascending order",
            sent.parts.len()
        );
        return Err(ProblemDetails::new(ProblemCode::PartsRejected, detail));
    }
    sent.parts
        .into_iter()
        .map(|part| {
            let etag = part.etag.trim_matches('"');
            if etag.is_empty()
                || etag.len() > 128
                || !etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            {
                let detail = format!(
                    "`etag` of part {} is malformed: expected the header `etag` of the answer to that part",
                    part.number
                );
                return Err(ProblemDetails::new(ProblemCode::InvalidBody, detail));
            }
            let sha256 = checksum(&part.sha256, part.number)?;
            Ok(UploadPart { number: part.number, etag: part.etag, sha256 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plan_covers_every_byte_within_the_limits(bytes in 1_u64..=5 * 1024 * 1024 * 1024 * 1024) {
            let plan = plan(bytes);
            prop_assert!(plan.parts <= MOST_PARTS && plan.part_bytes >= LEAST_PART_BYTES);
            prop_assert_eq!(plan.part_bytes * (plan.parts - 1) + plan.last_bytes, bytes);
            prop_assert!((1..=plan.part_bytes).contains(&plan.last_bytes));
            let last = u16::try_from(plan.parts).expect("at most 10,000");
            prop_assert_eq!(plan.bytes_of(last), Some(plan.last_bytes));
            prop_assert_eq!((plan.bytes_of(0), plan.bytes_of(last + 1)), (None, None));
        }
    }
}
