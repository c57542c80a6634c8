//! Files dropped into the inbox of a deployed stack. Every test has an emulator, a stack and a folder of its own.
//!
//! ```text
//! emulator  the process: started, and ended with the test, however the test ends
//! harness   the stack on it: drop a file, deliver an event, wait for the outcome, read what is where
//! files     what is dropped: a contract and its records
//! canary_values  values that are found nowhere else, and the search for them in every form
//! planted   where they are planted: columns of every contract, broken files, requests
//! alarms    the states of the stack's alarms, set as CloudWatch would, and who is notified
//! asked     requests that are rejected, with planted values in each part
//! severed   a proxy that kills a command at a request that a test names
//! loopback  a web server of the test: an issuer's keys, a partner's receiver
//! api       the partners' API of the stack, its command line, and requests of a partner
//! ```
//!
//! Nothing sleeps until something "should" have happened: a test waits for the announcement of the outcome (long
//! poll), or for the queue to be empty, and fails after [`harness::PATIENCE`].

mod alarms;
mod api;
mod asked;
mod canary_values;
mod emulator;
mod files;
mod harness;
mod http;
mod loopback;
mod planted;
mod severed;
mod tables;

/// Good files of every format become rows, each value as it was sent.
mod accepted;
/// A client that is generated from the OpenAPI document sends a file.
mod api_client;
/// Files by the partners' API: sent small, signed and in parts, until the partner has receipt, rejects and records.
mod api_files;
/// Keys at API Gateway: none of them opens anything, and lost ones are put back.
mod api_keys;
/// Who is rejected at the partners' API, how soon, and what a role behind it may not do.
mod api_lock;
/// A web page of an allowed origin, and of another.
mod api_pages;
/// The commands on the pages, run as they are written.
mod api_readme;
/// A partner has a file processed again, and reads what happened to it.
mod api_replay;
/// Three partners over every route: nobody sees anything of another.
mod api_tenants;
/// Bearer tokens of an issuer on this machine, and the limits that hold without a usage plan.
mod api_tokens;
/// What is posted to a partner's address, and its signature.
mod api_webhook;
/// A backfill of files that were never announced, killed in the middle.
mod backfill;
/// Files as partners really send them, by S3, by the API and in the dry run: one answer.
mod both_ways;
/// The same event again, late, out of order, after the ledger was lost: the outcome is that of the bucket.
mod deliveries;
/// Files of a held feed, and a release that is killed again and again.
mod hold;
/// Commands that are killed at twenty different requests each, and repeated.
mod killed;
/// Keys, folder markers, empty and vanished objects, every kind of upload.
mod names;
/// The messages that operators receive when alarms change, and how many.
mod notices;
/// The operator's commands: wrong keys, open files, acknowledgements, printed commands pasted into a shell.
mod operator;
/// Receipts and returned rejects for partners who only use S3: each reads its own.
mod outbox;
/// A thousand planted values, and where they are found.
mod privacy;
/// Bad files end in the quarantine with their bytes and a receipt; bad messages in the dead-letter queue.
mod rejected;
/// What the processor's role may not do.
mod roles;
/// Rejects that partners correct with a script and send back, by S3 and by the API.
mod round_trip;
/// Partners that upload by S3 with roles of their own: below their prefix and nowhere else.
mod s3_partners;
/// Suspended partners, folders of nobody, and contracts that do not compile.
mod senders;
/// A lost event, the heartbeat, a file that did not come: what the watcher sees and fixes.
mod watcher;
