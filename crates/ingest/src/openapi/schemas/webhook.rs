//! What is posted to a partner's webhook.

use super::{Named, count, nullable, object, reference, text, words};

pub(super) fn all() -> Vec<Named> {
    let outcome = object(
        "The outcome of a file. No value of the file is in it. Members may be added",
        vec![
            ("version", count(), "The version of this form: 1"),
            ("fileId", reference("FileId"), "The file's id"),
            ("name", nullable(&text()), "The file's name, as it was sent"),
            ("load", text(), "The name of the load; another one when the file is processed again"),
            ("partner", text(), "The partner: you"),
            ("feed", text(), "The feed"),
            ("state", reference("DecidedState"), "The decision; never `PROCESSING` or `IGNORED`"),
            (
                "verdict?",
                words(&["accepted", "partial", "rejected"]),
                "The verdict on the content, where there is one",
            ),
            ("loaded", count(), "Records of this file that are visible"),
            ("counts", reference("Counts"), "Records by fate"),
            ("fault?", text(), "The code of the fault, when the file is quarantined"),
            ("contractVersion", text(), "The version of the contract; empty when there was none"),
            ("other?", reference("FileId"), "The file that is loaded in place of this one"),
            ("corrects?", reference("FileId"), "The file that this one corrects"),
            (
                "receipt?",
                text(),
                "The address of the receipt in this API: read it with your credential. Missing when there is no receipt",
            ),
        ],
    );
    vec![("Outcome", outcome)]
}
