//! What a key says: who sent a file, to which feed, or that it is no file at all.

/// What a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A partner's file.
    File {
        /// The sender.
        partner: String,
        /// The feed.
        feed: String,
    },
    /// Ends in `/`: a folder marker if it is empty, otherwise as the inner key says.
    Folder(Box<Key>),
    /// What a desktop or a tool leaves beside files.
    Clutter,
    /// Neither.
    Bad,
}

/// The longest name of a partner or feed, in bytes.
pub const NAME_BYTES: usize = 63;

/// The partner and the feed of the stack's own heartbeat files, by which the watcher sees that files still get
/// through. No partner of anybody else has this name.
pub const HEARTBEAT: &str = "heartbeat";

/// What logs, metrics and announcements say in place of a name that no operator gave: a folder of a partner that is not
/// registered, or of a feed without a contract. Its sender chose it, and it may be a patient's name.
pub const UNKNOWN: &str = "unknown";

impl Key {
    /// Reads a decoded key: `<partner>/<feed>/<anything>`, where partner and feed are `[a-z0-9][a-z0-9_-]{0,62}`.
    #[must_use]
    pub fn read(key: &str) -> Self {
        if key.ends_with('/') {
            return Self::Folder(Box::new(Self::of_file(key)));
        }
        let name = key.rsplit('/').next().unwrap_or_default();
        if is_clutter(name) { Self::Clutter } else { Self::of_file(key) }
    }

    fn of_file(key: &str) -> Self {
        let mut parts = key.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(partner), Some(feed), Some(name))
                if is_name(partner) && is_name(feed) && !name.is_empty() =>
            {
                Self::File { partner: partner.to_owned(), feed: feed.to_owned() }
            }
            _ => Self::Bad,
        }
    }
}

/// Returns whether a text is a name of a partner or feed.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut bytes = text.bytes();
    text.len() <= NAME_BYTES
        && bytes.next().is_some_and(plain)
        && bytes.all(|byte| plain(byte) || byte == b'_' || byte == b'-')
}

/// Finder and Explorer metadata, Hadoop's folder markers, lock files of Microsoft Office (`~$`) and LibreOffice
/// (`.~lock.<name>#`).
fn is_clutter(name: &str) -> bool {
    matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini")
        || name.ends_with("_$folder$")
        || name.starts_with("~$")
        || name.starts_with(".~lock.")
        || name.starts_with("~lock")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file() -> Key {
        Key::File { partner: "north-clinic".to_owned(), feed: "visits_2".to_owned() }
    }

    #[test]
    fn a_key_names_partner_and_feed_whatever_the_file_is_called() {
        for key in ["north-clinic/visits_2/a.csv", "north-clinic/visits_2/x/y z+ü\n.csv"] {
            assert_eq!(Key::read(key), file());
        }
    }

    #[test]
    fn what_a_desktop_leaves_behind_is_clutter() {
        for key in [
            "p/f/.DS_Store",
            ".DS_Store",
            "p/f/x_$folder$",
            "p/f/.~lock.a.csv#",
            "p/Thumbs.db",
            "p/f/~$a.xlsx",
        ] {
            assert_eq!(Key::read(key), Key::Clutter, "{key}");
        }
    }

    #[test]
    fn a_key_that_ends_in_a_slash_is_a_folder_until_it_proves_to_hold_bytes() {
        assert_eq!(Key::read("north-clinic/visits_2/"), Key::Folder(Box::new(Key::Bad)));
        assert_eq!(Key::read("north-clinic/visits_2/x/"), Key::Folder(Box::new(file())));
    }

    #[test]
    fn names_are_lower_case_and_short() {
        let long = format!("{}/f/x", "p".repeat(64));
        for key in ["x.csv", "p/x.csv", "P/f/x", "p/F/x", "-p/f/x", "p//x", "/p/f/x", "ü/f/x", long.as_str()]
        {
            assert_eq!(Key::read(key), Key::Bad, "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_key_makes_it_panic_and_names_are_always_names(key: String) {
            if let Key::File { partner, feed } = Key::read(&key) {
                prop_assert!(is_name(&partner) && is_name(&feed));
            }
        }
    }
}
