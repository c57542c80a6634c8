//! Names: of a file version, and of a load of it. Computed from the input, never random.

use std::fmt;

use sha2::{Digest, Sha256};

/// A version id as the bucket lists it.
pub type VersionId = String;

/// The version id that S3 gives to objects of a bucket without versioning.
pub const NULL_VERSION: &str = "null";

/// Characters of a file id: 130 bits.
const FILE_CHARACTERS: usize = 26;
/// Characters of the load's own part: 65 bits, enough among the few loads of one file.
const LOAD_CHARACTERS: usize = 13;

/// One immutable version of one object: the unit of work.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileVersion {
    /// The inbox bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// The version id; `null` in a bucket without versioning, then pinned by `etag`.
    pub version: String,
    /// The entity tag from the event, when it had one.
    pub etag: Option<String>,
}

impl FileVersion {
    /// Returns the entity tag without quotes, when it and not the version id tells this version from others of the key.
    ///
    /// Events have it without quotes, answers of S3 with them (RFC 9110, section 8.8.3): both name one version.
    #[must_use]
    pub fn pinning_etag(&self) -> Option<&str> {
        let etag = self.etag.as_deref().filter(|_| self.version == NULL_VERSION);
        etag.map(|etag| etag.trim_matches('"'))
    }
}

/// The public name of a file version: 26 lower-case base-32 characters of SHA-256 over key and version (and the entity
/// tag where the version id is `null`).
///
/// The bucket's name is left out: S3 replication keeps keys and version ids, so a replica in the bucket of another
/// region has the same name, and the ledger knows it as the same file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct FileId(String);

impl FileId {
    /// Makes the name of a file version.
    #[must_use]
    pub fn of(file: &FileVersion) -> Self {
        let etag = file.pinning_etag().unwrap_or_default();
        Self(digest(&[&file.key, &file.version, etag].map(str::as_bytes), FILE_CHARACTERS))
    }

    /// Reads a name back; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_digest(text, FILE_CHARACTERS).then(|| Self(text.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for FileId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a file id: expected 26 lower-case base-32 characters")
    }
}

/// The name of a load: `<file id>-<13 characters>` over contract hash, parser epoch and generation.
/// A row carries it as `_load`; the ledger entry to ask is the part before the hyphen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct LoadId(String);

impl LoadId {
    /// Makes the name of the load of a file under one contract, one parser epoch and one generation (raised by a
    /// replay).
    #[must_use]
    pub fn new(file: &FileId, contract_hash: &[u8; 32], parser_epoch: u32, generation: u32) -> Self {
        let parts: [&[u8]; 4] =
            [file.0.as_bytes(), contract_hash, &parser_epoch.to_be_bytes(), &generation.to_be_bytes()];
        Self(format!("{file}-{}", digest(&parts, LOAD_CHARACTERS)))
    }

    /// Reads a name back; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (file, own) = text.split_once('-')?;
        let valid = is_digest(file, FILE_CHARACTERS) && is_digest(own, LOAD_CHARACTERS);
        valid.then(|| Self(text.to_owned()))
    }

    /// Returns the file that was loaded.
    #[must_use]
    pub fn file(&self) -> FileId {
        FileId(self.0.chars().take(FILE_CHARACTERS).collect())
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for LoadId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a load id: expected <file id>-<13 lower-case base-32 characters>")
    }
}

/// Douglas Crockford's base-32 alphabet, lower case: no i, l, o, u. <https://www.crockford.com/base32.html>
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Returns the first `characters` (at most 51) base-32 characters of SHA-256 over the parts, each after its length,
/// so that no two lists of parts run together.
#[must_use]
pub fn digest(parts: &[&[u8]], characters: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bits = digest.iter().flat_map(|byte| (0..8).rev().map(move |shift| (byte >> shift) & 1));
    (0..characters)
        .map(|_| {
            let digit = bits.by_ref().take(5).fold(0, |value, bit| value << 1 | usize::from(bit));
            char::from(ALPHABET[digit])
        })
        .collect()
}

/// Returns whether a text could be a [`digest`] of this number of characters.
#[must_use]
pub fn is_digest(text: &str, characters: usize) -> bool {
    text.len() == characters && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn file(bucket: &str, key: &str, version: &str, etag: Option<&str>) -> FileVersion {
        FileVersion {
            bucket: bucket.into(),
            key: key.into(),
            version: version.into(),
            etag: etag.map(Into::into),
        }
    }

    #[test]
    fn names_are_stable_across_releases() {
        let id = FileId::of(&file("inbox", "clinic/labs/day.csv", "v1", None));
        assert_eq!(id.as_str(), "r78c69kajr602vj4sbw2tybqa0");
        assert_eq!(LoadId::new(&id, &[7; 32], 1, 0).as_str(), "r78c69kajr602vj4sbw2tybqa0-x97w78vwpy764");
    }

    #[test]
    fn the_etag_counts_only_where_there_is_no_version() {
        let name = |version, etag| FileId::of(&file("inbox", "a/b/c", version, etag));
        assert_eq!(name("v1", Some("x")), name("v1", Some("y")));
        assert_ne!(name("null", Some("x")), name("null", Some("y")));
        assert_eq!(
            name("null", Some("x")),
            name("null", Some("\"x\"")),
            "an event's and an answer's spelling"
        );
    }

    #[test]
    fn a_replica_in_another_bucket_is_the_same_file() {
        for (version, etag) in [("v1", None), ("v1", Some("x")), ("null", Some("x"))] {
            let of = |bucket| FileId::of(&file(bucket, "a/b/c", version, etag));
            assert_eq!(of("inbox-eu-central-1"), of("inbox-us-east-1"), "{version} {etag:?}");
        }
    }

    #[test]
    fn key_version_and_pinning_etag_each_make_another_file() {
        let files = [
            ("a/b/c", "v1", None),
            ("a/b/d", "v1", None),
            ("a/b/c", "v2", None),
            ("a/b/c", "null", Some("x")),
            ("a/b/c", "null", Some("y")),
        ];
        let ids: HashSet<_> =
            files.map(|(key, version, etag)| FileId::of(&file("inbox", key, version, etag))).into();
        assert_eq!(ids.len(), files.len());
    }

    #[test]
    fn parts_do_not_run_together() {
        let of = |key, version, etag| FileId::of(&file("inbox", key, version, etag));
        assert_ne!(of("a", "bc", None), of("ab", "c", None));
        assert_ne!(of("a", "null", Some("x")), of("anull", "x", None));
        assert_ne!(digest(&[b"a", b"null", b"x"], 26), digest(&[b"a", b"nullx", b""], 26));
    }

    #[test]
    fn contract_epoch_and_generation_each_make_another_load() {
        let id = FileId::of(&file("inbox", "a/b/c", "v", None));
        let loads: HashSet<_> = [([0; 32], 0, 0), ([1; 32], 0, 0), ([0; 32], 1, 0), ([0; 32], 0, 1)]
            .map(|(hash, epoch, generation)| LoadId::new(&id, &hash, epoch, generation))
            .into();
        assert_eq!(loads.len(), 4);
        assert!(loads.iter().all(|load| load.file() == id));
    }

    proptest! {
        #[test]
        fn every_name_reads_back(bucket: String, key: String, version: String, epoch: u32) {
            let id = FileId::of(&file(&bucket, &key, &version, None));
            let load = LoadId::new(&id, &[0; 32], epoch, 0);
            prop_assert_eq!(FileId::parse(id.as_str()), Some(id.clone()));
            prop_assert_eq!(LoadId::parse(load.as_str()), Some(load.clone()));
            prop_assert_eq!(load.file(), id);
        }

        #[test]
        fn other_texts_are_no_names(text: String) {
            prop_assume!(text.len() != 26 && text.len() != 40);
            prop_assert!(FileId::parse(&text).is_none());
            prop_assert!(LoadId::parse(&text).is_none());
        }
    }
}
