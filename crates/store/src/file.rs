//! Names: of a file version, and of a load of it. Computed from the input, never random.

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

/// The public name of a file version: 26 lower-case base-32 characters of SHA-256 over bucket, key and version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FileId(String);

/// The name of a load: `<file id>-<13 characters>` over contract hash, parser epoch and generation.
/// A row carries it as `_load`; the ledger entry to ask is the part before the hyphen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct LoadId(String);
