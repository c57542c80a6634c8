//! The checksums that a sender announces in headers, each verified before anything is stored.
//!
//! `Content-MD5` (RFC 1864), `Digest` (RFC 3230), `Content-Digest` (RFC 9530) and S3's `x-amz-checksum-sha256`. In a
//! list of digests those of a known algorithm count; a list without one is rejected, because its sender relies on it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha512};

use crate::event::ApiRequest;
use crate::problem::{ProblemCode, ProblemDetails};

/// Verifies the body against each checksum header of the request.
pub(crate) fn verify(request: &ApiRequest, body: &[u8], sha256: &[u8; 32]) -> Result<(), ProblemDetails> {
    if let Some(announced) = request.header("content-md5")? {
        compare("content-md5", announced, &Md5::digest(body))?;
    }
    if let Some(announced) = request.header("x-amz-checksum-sha256")? {
        compare("x-amz-checksum-sha256", announced, sha256)?;
    }
    if let Some(list) = request.header("digest")? {
        verify_list("digest", list, body, sha256, |value| Some(value))?;
    }
    if let Some(list) = request.header("content-digest")? {
        verify_list("content-digest", list, body, sha256, |value| {
            value.strip_prefix(':')?.strip_suffix(':')
        })?;
    }
    Ok(())
}

fn verify_list(
    header: &'static str,
    list: &str,
    body: &[u8],
    sha256: &[u8; 32],
    unwrap: impl Fn(&str) -> Option<&str>,
) -> Result<(), ProblemDetails> {
    let mut known = false;
    for member in list.split(',') {
        let Some((algorithm, value)) = member.trim().split_once('=') else { return Err(malformed(header)) };
        let value = unwrap(value.trim()).ok_or_else(|| malformed(header))?;
        match algorithm.to_ascii_lowercase().as_str() {
            "sha-256" => compare(header, value, sha256)?,
            "sha-512" => compare(header, value, &Sha512::digest(body))?,
            "md5" => compare(header, value, &Md5::digest(body))?,
            _ => continue,
        }
        known = true;
    }
    if known { Ok(()) } else { Err(malformed(header)) }
}

fn compare(header: &'static str, announced: &str, found: &[u8]) -> Result<(), ProblemDetails> {
    match STANDARD.decode(announced.trim()) {
        Ok(announced) if announced == found => Ok(()),
        Ok(announced) if announced.len() == found.len() => {
            let detail = format!(
                "the body does not have the checksum in the header {header}: send it again, or correct the header"
            );
            Err(ProblemDetails::new(ProblemCode::ChecksumMismatch, detail))
        }
        _ => Err(malformed(header)),
    }
}

fn malformed(header: &'static str) -> ProblemDetails {
    let detail = format!(
        "the header {header} has no known checksum: expected SHA-256 in base64, in the form of this header"
    );
    ProblemDetails::new(ProblemCode::InvalidHeader, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use sha2::Sha256;

    use super::*;

    fn check(header: &str, value: &str) -> Result<(), ProblemCode> {
        let event = json!({ "path": "/v1", "httpMethod": "POST", "headers": { header: value } });
        let Ok(request) = ApiRequest::decode(event) else { panic!("an event") };
        verify(&request, b"hello", &Sha256::digest(b"hello").into()).map_err(|problem| problem.code)
    }

    const SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    const OTHER: &str = "MPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    const MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";

    #[test]
    fn a_checksum_is_verified_in_each_of_its_forms() {
        assert_eq!(check("Content-MD5", MD5), Ok(()));
        assert_eq!(check("X-Amz-Checksum-Sha256", SHA256), Ok(()));
        assert_eq!(check("Digest", &format!("SHA-256={SHA256}")), Ok(()));
        assert_eq!(check("Digest", &format!("unixsum=30637, MD5={MD5}")), Ok(()));
        assert_eq!(check("Content-Digest", &format!("sha-256=:{SHA256}:, crc32c=:AAAAAA==:")), Ok(()));
        assert_eq!(check("x-other", "what"), Ok(()));
    }

    #[test]
    fn a_wrong_checksum_and_a_missing_one_have_different_codes() {
        for (header, value) in [
            ("content-md5", "AUFAKrxLKna5cZ2REBfFkg==".to_owned()),
            ("x-amz-checksum-sha256", OTHER.to_owned()),
            ("digest", format!("sha-256={OTHER}")),
            ("content-digest", format!("sha-256=:{SHA256}:, sha-256=:{OTHER}:")),
        ] {
            assert_eq!(check(header, &value), Err(ProblemCode::ChecksumMismatch), "{header}");
        }
        for (header, value) in [
            ("content-md5", "5d41402abc4b2a76b9719d911017c592"),
            ("x-amz-checksum-sha256", ""),
            ("digest", ""),
            ("digest", "sha-256"),
            ("digest", "crc32c=AAAAAA=="),
            ("content-digest", "sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
            ("content-digest", "sha-256=:x:"),
        ] {
            assert_eq!(check(header, value), Err(ProblemCode::InvalidHeader), "{header}: {value}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(value: String) {
            for header in ["content-md5", "x-amz-checksum-sha256", "digest", "content-digest"] {
                prop_assert!(check(header, &value).is_err());
            }
        }
    }
}
