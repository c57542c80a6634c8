//! What each operation is about, beyond its summary.

use crate::route::Route;

/// The group of an operation, and what to know about it.
pub(super) fn of(route: Route) -> (&'static str, &'static str) {
    match route {
        Route::SendFile => (
            "files",
            "The body is the file, byte by byte: `curl --data-binary @day.csv -H 'content-type: text/csv'`. The answer comes when \
             the bytes are stored; the decision follows within seconds and is read at `status` and `receipt`. A file under the \
             name of an earlier one is a new version of it.",
        ),
        Route::CheckFile => (
            "files",
            "Reads the body as the feed's contract says and answers what would be decided. Use it before the first file, and when \
             a file was quarantined.",
        ),
        Route::OpenUpload => (
            "uploads",
            "For files of more than 4 MiB. Send the bytes to S3 with the method, address and headers of `put`, exactly as they \
             are; the file is then received by itself. One of the headers is `if-none-match` or `if-match`, so that the PUT lands \
             once: sent again it is answered 412. When the current file of the name has the announced bytes, the answer is 200 \
             with that file.",
        ),
        Route::ReadUpload => {
            ("uploads", "`LANDED` comes with the id and address of the file that the upload became.")
        }
        Route::SignParts => (
            "uploads",
            "Each part but the last has `partBytes` of the promise. Parts can be sent in any order, side by side and again.",
        ),
        Route::CompleteUpload => {
            ("uploads", "Makes one file of the parts, once. Sent again, it gives the same answer.")
        }
        Route::AbortUpload => (
            "uploads",
            "Deletes parts that were sent. A signed PUT that was handed out works until it ends by itself.",
        ),
        Route::ListFiles => {
            ("files", "Files of the feeds that the credential opens. Follow `next` to the last page.")
        }
        Route::ReadFile => ("files", "Ask again while the state is `RECEIVED` or `PROCESSING`."),
        Route::ReadReceipt => (
            "files",
            "The decision with all counts, the rules that were broken and the first 100 violations. No value of the file is in it.",
        ),
        Route::ReadRejects => {
            ("files", "The rejected records as they were sent, each with its line and reasons.")
        }
        Route::ListFeeds => ("feeds", "A feed without a contract takes no files and is not listed."),
        Route::ReadContract => {
            ("feeds", "What files of the feed have to look like, as the operator published it.")
        }
        Route::ReadRecord => (
            "records",
            "By the values of the primary key. A version is visible while the load that wrote it is complete.",
        ),
        Route::Health => ("service", "Needs no credential and reads nothing."),
        Route::OpenApi => ("service", "Needs no credential. A client can be generated from it."),
    }
}
