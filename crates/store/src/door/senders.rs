//! Who ever sent: the folders of the inbox.

use std::future::Future;

use crate::Error;

/// Folders of one level of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// Their names, in order, without the slash.
    pub names: Vec<String>,
    /// Whether all of them are here: a listing is given up after ten pages.
    pub complete: bool,
}

/// Knows who ever sent, also of those that are in no table.
pub trait Senders: Sync {
    /// The partners that ever dropped files (`None`), or the feeds of one partner: folders of versions, so that those
    /// count whose files were deleted since. Names are as they stand in keys: anybody who may write into the inbox chose
    /// them.
    fn senders(&self, partner: Option<&str>) -> impl Future<Output = Result<Folders, Error>> + Send;
}
