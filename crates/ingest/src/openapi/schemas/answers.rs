//! Receipts, dry runs and records.

use serde_json::{Value, json};

use super::{Member, Named, count, list, nullable, object, reference, sha256, text, words};

pub(super) fn all() -> Vec<Named> {
    let history = object(
        "The visible versions of a record, newest first",
        vec![
            ("versions", list(&reference("RecordVersion")), "The versions of the page"),
            ("next", nullable(&text()), "The `cursor` of the next page; null on the last one"),
        ],
    );
    let version = object(
        "A version of a record",
        vec![
            ("record", json!({ "type": "object" }), "The record by the contract's column names"),
            ("load", text(), "The load that wrote it"),
            ("file", reference("FileId"), "The file that it came in"),
            ("line", nullable(&count()), "The line of that file on which it begins, from 1"),
        ],
    );
    vec![
        ("Receipt", object("The decision on a file. No value of the file is in it", receipt())),
        (
            "DryRun",
            object(
                "What would be decided on a file. Nothing is stored; no value of the file is in it",
                dry_run(),
            ),
        ),
        ("RecordVersion", version),
        ("RecordHistory", history),
        (
            "RecordAnswer",
            json!({
                "description": "A version of a record, or with `history` its visible versions",
                "anyOf": [reference("RecordVersion"), reference("RecordHistory")]
            }),
        ),
    ]
}

fn receipt() -> Vec<Member> {
    let place = object(
        "Where the bytes of a quarantined file are kept, for the operator",
        vec![
            ("bucket", words(&["inbox", "quarantine"]), "Which bucket"),
            ("key", text(), "The key of the object"),
            ("version?", text(), "The version of the object, when it is not the newest"),
        ],
    );
    let mut members: Vec<Member> = vec![
        ("formatVersion", count(), "The version of this form"),
        ("fileId", text(), "The file's id"),
        ("load", text(), "The name of the load"),
        ("partner", text(), "The partner who sent the file"),
        ("feed", text(), "The feed"),
        ("key", text(), "The key of the object in the inbox"),
        ("version", text(), "The version of the object"),
        ("order", text(), "The order among the versions of the name"),
        ("corrects?", text(), "The file that this one corrects"),
        ("other?", text(), "The file that is loaded in place of this one"),
        ("earlier?", text(), "The key of the receipt before this one, which lists rules and violations"),
        ("original?", place, "Where the bytes of a quarantined file are kept"),
        ("state", reference("DecidedState"), "The decision"),
        ("loaded", count(), "Records that are loaded"),
        ("bytes", nullable(&count()), "The length in bytes; null when the file was not read"),
    ];
    members.extend(findings());
    members
}

fn dry_run() -> Vec<Member> {
    let mut members: Vec<Member> = vec![
        ("feed", reference("FeedName"), "The feed"),
        ("stored", json!({ "type": "boolean", "enum": [false] }), "Always false"),
        ("wouldBe", words(&["COMPLETE", "QUARANTINED"]), "The state that the file would have"),
        ("wouldLoad", count(), "Records that would be loaded"),
        ("bytes", count(), "The length in bytes"),
    ];
    members.extend(findings());
    members
}

fn fault() -> Value {
    object(
        "Why the file as a whole is not loaded",
        vec![
            ("code", text(), "The stable code of the fault"),
            ("line?", count(), "The line, from 1, where one is known"),
            ("column?", count(), "The column of the header, from 1, where one is meant"),
            ("found", text(), "What was found"),
            ("expected", text(), "What was expected"),
            ("message?", text(), "What is wrong, as one sentence"),
            ("advice", text(), "What to do"),
        ],
    )
}

fn rule() -> Value {
    object(
        "A rule that records broke",
        vec![
            ("rule", text(), "The rule's id: the column and what it asks"),
            ("code", text(), "The code of the reason"),
            ("severity", text(), "What breaking it does"),
            ("column", nullable(&text()), "The column, where the rule is about one"),
            ("count", count(), "How often it was broken"),
            ("expected", text(), "What it expects"),
        ],
    )
}

fn violation() -> Value {
    object(
        "A rule that one record broke",
        vec![
            ("line?", count(), "The line on which the record begins, from 1"),
            ("record", count(), "The number of the record, from 1"),
            ("byteOffset?", count(), "Where the record begins in the decoded text, in bytes from 0"),
            ("column", nullable(&text()), "The column, where the rule is about one"),
            ("rule", text(), "The rule's id"),
            ("code", text(), "The code of the reason"),
            ("reason", text(), "What is wrong. No value is in it"),
        ],
    )
}

/// Members that receipt and dry run share.
fn findings() -> Vec<Member> {
    let contract = object(
        "The contract under which the file was checked",
        vec![
            ("id?", text(), "The contract's id"),
            ("version", text(), "Its version"),
            ("hash", text(), "SHA-256 of the document"),
        ],
    );
    let not_run = object(
        "Something in the contract that is not checked",
        vec![
            ("path", text(), "Where the contract says it"),
            ("what", text(), "What it says"),
            ("why", text(), "Why it is not checked"),
        ],
    );
    vec![
        ("verdict", nullable(&words(&["accepted", "partial", "rejected"])), "The verdict on the content"),
        ("fault", nullable(&fault()), "Why the file as a whole is not loaded; null when it is"),
        ("counts", nullable(&reference("Counts")), "Records by fate; null when the file was not read"),
        ("sha256", nullable(&sha256()), "SHA-256 of the file; null when it was not read"),
        ("contract", nullable(&contract), "The contract; null when there is none that can be used"),
        ("rules", list(&rule()), "The rules that were broken, in the contract's order"),
        ("violations", list(&violation()), "The first violations, at most 100"),
        ("notRun", list(&not_run), "What the contract says and is not checked"),
        (
            "warnings",
            list(&json!({ "type": "string", "description": "A warning" })),
            "What the sender should know though it rejects nothing",
        ),
    ]
}
