//! Files and feeds.

use super::{Named, count, list, nullable, object, reference, sha256, text};

pub(super) fn all() -> Vec<Named> {
    let feed = object(
        "A feed that the credential opens",
        vec![
            ("feed", reference("FeedName"), "The feed's name"),
            ("contract", text(), "Where its contract is read: a path on the same host"),
        ],
    );
    let files = list(&reference("FileStatus"));
    vec![
        ("Counts", counts()),
        ("FileStatus", status()),
        (
            "FileList",
            object(
                "A page of files, newest first",
                vec![
                    ("files", files, "The files of the page"),
                    ("next", nullable(&text()), "The `cursor` of the next page; null on the last one"),
                ],
            ),
        ),
        ("FeedList", object("The feeds that the credential opens", vec![("feeds", list(&feed), "By name")])),
    ]
}

fn counts() -> serde_json::Value {
    object(
        "Records by fate",
        vec![
            ("records", count(), "Records that were read"),
            ("rows", count(), "Good records"),
            ("rejects", count(), "Rejected records"),
            ("warnings", count(), "Broken rules that reject nothing"),
        ],
    )
}

fn status() -> serde_json::Value {
    object(
        "The state of a file",
        vec![
            ("id", reference("FileId"), "The file's id"),
            ("feed", reference("FeedName"), "The feed"),
            ("name", text(), "The file's name"),
            ("key", text(), "The key of the object in the inbox"),
            ("state", reference("State"), "Where the file is on its way"),
            (
                "order",
                nullable(&text()),
                "The order among the versions of the name; begins with the instant at which the file landed",
            ),
            ("counts", nullable(&reference("Counts")), "Records by fate; null until the file was read"),
            ("loaded", count(), "Records of this file that are visible now"),
            ("fault", nullable(&text()), "The code of the fault, when the file is quarantined"),
            ("sha256", nullable(&sha256()), "SHA-256 of the file, when it is known"),
            ("bytes", nullable(&count()), "The length in bytes, when it is known"),
            ("contractVersion", nullable(&text()), "The version of the contract under which it was checked"),
            ("other", nullable(&reference("FileId")), "The file that is loaded in place of this one"),
            ("corrects", nullable(&reference("FileId")), "The file that this one corrects"),
            ("status", text(), "Where this state is read: a path on the same host"),
            ("receipt", nullable(&text()), "Where the receipt is read; null until there is one"),
            (
                "rejects",
                nullable(&text()),
                "Where the rejected records are fetched; null when there are none",
            ),
        ],
    )
}
