//! The group, summary and description of each operation.

use crate::route::Route;

/// Returns the group, summary and description of an operation.
pub(super) fn of(route: Route) -> (&'static str, &'static str, &'static str) {
    match route {
        Route::SendFile => (
            "files",
            "Send a file of at most 4 MiB as the body",
            "The body is the file, byte by byte: `curl --data-binary @day.csv -H 'content-type: text/csv'`. The answer comes when \
             the bytes are stored; the decision follows within seconds and is read at `status` and `receipt`. A file under the \
             name of an earlier one is a new version of it.",
        ),
        Route::CheckFile => (
            "files",
            "Check a file of at most 4 MiB against the contract; nothing is stored",
            "Checks the body against the feed's contract, and answers with the decision that a file would get. Use it before the first \
             file, and when a file was quarantined.",
        ),
        Route::OpenUpload => (
            "uploads",
            "Get a signed PUT, or an upload in parts, for a larger file",
            "For files of more than 4 MiB. Send the bytes to S3 with the method, address and headers of `put`, exactly as they \
             are; the file is then received without another request. One of the headers is `if-none-match` or `if-match`, so that the \
             PUT lands once: sent again it is answered 412. When the current file of the name has the announced bytes, the answer is 200 \
             with that file.",
        ),
        Route::ReadUpload => (
            "uploads",
            "Read the state of an upload, and the file that it became",
            "`LANDED` comes with the id and address of the file that the upload became.",
        ),
        Route::SignParts => (
            "uploads",
            "Get a signed PUT for each of at most 100 parts",
            "Each part but the last has `partBytes` of the promise. Parts can be sent in any order, side by side and again.",
        ),
        Route::CompleteUpload => (
            "uploads",
            "Complete an upload in parts",
            "Makes one file of the parts, once. Sent again, it gives the same answer.",
        ),
        Route::AbortUpload => (
            "uploads",
            "Abort an upload",
            "Deletes parts that were sent. A signed PUT that was handed out works until it expires.",
        ),
        Route::ListFiles => (
            "files",
            "List your files, newest first",
            "Files of the feeds that the credential opens. Follow `next` to the last page.",
        ),
        Route::ReadFile => (
            "files",
            "Read the state of a file",
            "Ask again while the state is `RECEIVED`, `PROCESSING` or `HELD`.",
        ),
        Route::ReadReceipt => (
            "files",
            "Read the receipt of a decided file",
            "The decision with all counts, the rules that were broken and the first 100 violations. No value of the file is in it.",
        ),
        Route::ReadRejects => (
            "files",
            "Get a signed GET of the rejected records of a file",
            "The rejected records in the form of the feed, each with its line, its reasons and the file's id in columns that begin with `_`. \
             Corrected and sent back as a file of the feed, with `_file` and `_line` as they are, they are loaded as a correction of this file.",
        ),
        Route::ReadHistory => (
            "files",
            "Read what happened to a file",
            "Each event with its time, oldest first: the decision on each load, replays, newer versions, and what the operator \
                did to the file.",
        ),
        Route::ReplayFile => (
            "files",
            "Have a file processed again under the contract in force",
            "For a file that was decided under another contract, or quarantined for a reason outside of its content. A file \
                that is loaded stays loaded until the new load takes its place, and also where the new load would be \
                quarantined. Repeating the request does not start a second replay. The bytes count towards the limit of the day.",
        ),
        Route::ListFeeds => (
            "feeds",
            "List the feeds that the credential opens and that have a contract",
            "A feed without a contract takes no files and is not listed.",
        ),
        Route::ReadContract => (
            "feeds",
            "Read the contract of a feed, an Open Data Contract Standard document",
            "The rules for files of the feed, as the operator published them.",
        ),
        Route::ReadRecord => (
            "records",
            "Read the newest visible version of a record, or its history",
            "By the values of the primary key. A version is visible while the load that wrote it is complete.",
        ),
        Route::Health => {
            ("service", "Check that the service answers", "Needs no credential and reads nothing.")
        }
        Route::OpenApi => {
            ("service", "Read this document", "Needs no credential. A client can be generated from it.")
        }
    }
}
