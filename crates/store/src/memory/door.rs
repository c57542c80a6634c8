//! The partner's door in memory: the same world, so that a file that lands here can be processed.

mod landing;
mod limits;
mod names;
mod partners;
mod reading;
mod requests;
mod senders;
mod signed;

use std::collections::BTreeMap;

use bytes::Bytes;

pub(super) use reading::listed;
pub use signed::SignedAnswer;

use super::Memory;
use crate::door::{Credential, CredentialHash, Limits, Partner, RequestKey, UploadId, UploadRecord, Webhook};
use crate::{FileId, FileVersion};

/// The bucket into which the door lands files.
pub const INBOX: &str = "inbox";

/// What the door keeps.
#[derive(Default)]
pub(super) struct DoorWorld {
    partners: BTreeMap<String, Partner>,
    credentials: BTreeMap<CredentialHash, Credential>,
    roles: BTreeMap<String, Credential>,
    webhooks: BTreeMap<String, Webhook>,
    /// When the next request of a partner is due, microseconds.
    arrivals: BTreeMap<String, u64>,
    /// Bytes of a partner's day.
    days: BTreeMap<(String, u64), u64>,
    requests: BTreeMap<RequestKey, requests::Request>,
    uploads: BTreeMap<(String, UploadId), UploadRecord>,
    multiparts: BTreeMap<String, landing::Multipart>,
    signed: BTreeMap<String, signed::Signed>,
}

/// A version in the inbox, as a test sees it. Deliberately without `Debug`: it holds content.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxVersion {
    /// Which; ready to be processed.
    pub file: FileVersion,
    /// Its bytes.
    pub bytes: Bytes,
    /// Its content type; empty when it did not come through the door.
    pub content_type: String,
    /// The upload that made it, when it came through the door.
    pub upload: Option<UploadId>,
    /// The file that it corrects.
    pub corrects: Option<String>,
}

/// What came through the door.
impl Memory {
    /// The versions in [`INBOX`], by key, each key's oldest first.
    #[must_use]
    pub fn inbox_versions(&self) -> Vec<InboxVersion> {
        let world = self.world();
        let of_inbox = world.inbox.iter().filter(|((bucket, _), _)| bucket == INBOX);
        let versions = of_inbox.flat_map(|((bucket, key), versions)| {
            versions.iter().rev().map(move |version| InboxVersion {
                file: FileVersion {
                    bucket: bucket.clone(),
                    key: key.clone(),
                    version: version.id.clone(),
                    etag: Some(version.etag.clone()),
                },
                bytes: version.bytes.clone(),
                content_type: version.content_type.clone(),
                upload: version.upload.clone(),
                corrects: version.corrects.clone(),
            })
        });
        versions.collect()
    }

    /// Registers a partner or changes whether it is active, as an operator does.
    pub fn register(&self, name: &str, active: bool) {
        let limits = Limits { requests_per_second: 1, burst: 1, bytes_per_day: 1 };
        let partner = Partner { name: name.to_owned(), active, limits, created_ms: 1 };
        self.world().door.partners.insert(name.to_owned(), partner);
    }

    /// How many uploads in parts are neither completed nor given up.
    #[must_use]
    pub fn open_multiparts(&self) -> usize {
        self.world().door.multiparts.len()
    }

    /// The ids of the files in [`INBOX`], by key, each key's oldest first.
    #[must_use]
    pub fn inbox_files(&self) -> Vec<FileId> {
        self.inbox_versions().iter().map(|version| FileId::of(&version.file)).collect()
    }
}

#[cfg(test)]
mod tests;
