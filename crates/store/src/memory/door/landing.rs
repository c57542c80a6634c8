//! Bytes into the inbox.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::super::{Memory, Version, World};
use super::INBOX;
use super::signed::Signed;
use crate::door::{
    Condition, Current, Land, Landed, Landing, MOST_VERSIONS, Part, Presigned, SignedPart, SignedUpload,
    UploadId,
};
use crate::{Error, Operation};

/// Every part but the last has at least 5 MiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LEAST_PART_BYTES: usize = 5 * 1024 * 1024;

/// An upload in parts.
pub(super) struct Multipart {
    land: Land,
    parts: BTreeMap<u16, SentPart>,
}

/// A part as it was sent.
struct SentPart {
    etag: String,
    sha256: [u8; 32],
    bytes: Bytes,
}

impl Landing for Memory {
    fn inbox(&self) -> &str {
        INBOX
    }

    async fn current(&self, key: &str) -> Result<Option<Current>, Error> {
        self.call(Operation::FindVersion, |world| world.of_key(key).first().map(current)).await
    }

    async fn landed_as(&self, key: &str, upload: &UploadId) -> Result<Option<Current>, Error> {
        self.call(Operation::FindVersion, |world| {
            let mut newest = world.of_key(key).iter().take(MOST_VERSIONS);
            newest.find(|version| version.upload.as_ref() == Some(upload)).map(current)
        })
        .await
    }

    async fn land(&self, land: &Land, sha256: &[u8; 32], bytes: Bytes) -> Result<Landed, Error> {
        self.call(Operation::Land, |world| world.land_checked(land, sha256, bytes)).await
    }

    async fn sign_upload(&self, upload: &SignedUpload, seconds: u32) -> Result<Presigned, Error> {
        Ok(self.sign(Signed::Upload(upload.clone()), seconds))
    }

    async fn begin_parts(&self, land: &Land) -> Result<String, Error> {
        self.call(Operation::LandParts, |world| {
            let id = format!("multipart-{}", world.next_version());
            let multipart = Multipart { land: land.clone(), parts: BTreeMap::new() };
            world.door.multiparts.insert(id.clone(), multipart);
            id
        })
        .await
    }

    async fn sign_part(&self, part: &SignedPart, seconds: u32) -> Result<Presigned, Error> {
        Ok(self.sign(Signed::Part(part.clone()), seconds))
    }

    async fn complete_parts(&self, land: &Land, multipart: &str, parts: &[Part]) -> Result<Landed, Error> {
        self.call(Operation::LandParts, |world| world.complete(land, multipart, parts)).await
    }

    async fn abort_parts(&self, key: &str, multipart: &str) -> Result<(), Error> {
        self.call(Operation::LandParts, |world| {
            if world.door.multiparts.get(multipart).is_some_and(|found| found.land.key == key) {
                world.door.multiparts.remove(multipart);
            }
        })
        .await
    }
}

fn current(version: &Version) -> Current {
    Current {
        version: version.id.clone(),
        etag: version.etag.clone(),
        upload: version.upload.clone(),
        bytes: version.bytes.len() as u64,
    }
}

impl World {
    /// The versions of a key of the inbox, newest first.
    fn of_key(&self, key: &str) -> &[Version] {
        self.inbox.get(&(INBOX.to_owned(), key.to_owned())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn land_checked(&mut self, land: &Land, sha256: &[u8; 32], bytes: Bytes) -> Landed {
        if Sha256::digest(&bytes).as_slice() != sha256 {
            return Landed::Rejected("BadDigest".to_owned());
        }
        self.land_under(land, bytes)
    }

    fn land_under(&mut self, land: &Land, bytes: Bytes) -> Landed {
        let seen = self.of_key(&land.key).first().map(|version| version.etag.as_str());
        let holds = match &land.condition {
            Condition::Absent => seen.is_none(),
            Condition::Replaces(etag) => seen == Some(etag),
        };
        if !holds {
            return Landed::Conflict;
        }
        let file = self.land(INBOX, &land.key, bytes, true);
        let name = (INBOX.to_owned(), land.key.clone());
        if let Some(version) = self.inbox.get_mut(&name).and_then(|versions| versions.first_mut()) {
            version.content_type.clone_from(&land.content_type);
            version.upload = Some(land.upload.clone());
            version.corrects.clone_from(&land.corrects);
        }
        Landed::Version { version: file.version, etag: file.etag.unwrap_or_default() }
    }

    fn complete(&mut self, land: &Land, multipart: &str, parts: &[Part]) -> Landed {
        let rejected = |code: &str| Landed::Rejected(code.to_owned());
        let begun = self.door.multiparts.get(multipart).filter(|begun| begun.land.key == land.key);
        let Some(begun) = begun else { return rejected("NoSuchUpload") };
        if parts.is_empty() {
            return rejected("MalformedXML");
        }
        if !parts.is_sorted_by(|a, b| a.number < b.number) {
            return rejected("InvalidPartOrder");
        }
        let mut whole = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let same = |sent: &&SentPart| sent.etag == part.etag && sent.sha256 == part.sha256;
            let Some(sent) = begun.parts.get(&part.number).filter(same) else {
                return rejected("InvalidPart");
            };
            if index + 1 < parts.len() && sent.bytes.len() < LEAST_PART_BYTES {
                return rejected("EntityTooSmall");
            }
            whole.extend_from_slice(&sent.bytes);
        }
        // The object's type and metadata are those with which the upload was begun.
        let land = Land { condition: land.condition.clone(), ..begun.land.clone() };
        let landed = self.land_under(&land, whole.into());
        if matches!(landed, Landed::Version { .. }) {
            self.door.multiparts.remove(multipart);
        }
        landed
    }

    /// Takes a part; its entity tag, or S3's code.
    pub(super) fn take_part(&mut self, part: &SignedPart, bytes: Bytes) -> Result<String, &'static str> {
        if Sha256::digest(&bytes).as_slice() != part.sha256 {
            return Err("BadDigest");
        }
        let begun = self.door.multiparts.get_mut(&part.multipart);
        let begun = begun.filter(|begun| begun.land.key == part.key).ok_or("NoSuchUpload")?;
        let etag = crate::file::name(&[&bytes], 32);
        begun.parts.insert(part.number, SentPart { etag: etag.clone(), sha256: part.sha256, bytes });
        Ok(etag)
    }
}
