//! Contracts by feed.

use aws_sdk_s3::Client;

use super::failure::failure;
use super::objects::{is_gone, require_s3};
use crate::file::NULL_VERSION;
use crate::{ContractObject, Error, Operation};

/// What the key of a contract ends in: `<feed>.odcs.yaml`.
pub(super) const SUFFIX: &str = ".odcs.yaml";

/// The contract of a feed; `None` when there is none.
pub(super) async fn read(
    s3: &Client,
    bucket: &str,
    account: Option<&str>,
    feed: &str,
) -> Result<Option<ContractObject>, Error> {
    let answer = s3
        .get_object()
        .bucket(bucket)
        .key(format!("{feed}{SUFFIX}"))
        .set_expected_bucket_owner(account.map(str::to_owned))
        .send()
        .await;
    let output = match answer {
        Ok(output) => output,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(failure(Operation::ReadContract, &error)),
    };
    require_s3(Operation::ReadContract, &output)?;
    let version = output.version_id().unwrap_or(NULL_VERSION).to_owned();
    let broken_off = |_| Error::new(Operation::ReadContract, "body broke off");
    let bytes = output.body.collect().await.map_err(broken_off)?.into_bytes();
    Ok(Some(ContractObject { bytes, version }))
}
