//! Files dropped into the inbox of a deployed stack. Every test has an emulator, a stack and a folder of its own.
//!
//! ```text
//! emulator  the process: started, and ended with the test, however the test ends
//! stage     the stack on it: drop a file, deliver an event, wait for the outcome, read what is where
//! files     what is dropped: a contract and its records
//! ```
//!
//! Nothing sleeps until something "should" have happened: a test waits for the announcement of the outcome (long
//! poll), or for the queue to be empty, and fails after [`stage::PATIENCE`].

mod emulator;
mod files;
mod http;
mod stage;
mod tables;

/// Good files of every format become rows, each value as it was sent.
mod accepted;
/// The same event again, late, out of order, after the ledger was lost: the outcome is that of the bucket.
mod deliveries;
/// Keys, folder markers, empty and vanished objects, every kind of upload.
mod names;
/// What a role may not do, and what nobody may ever read in a log.
mod privacy;
/// Bad files end in the quarantine with their bytes and a receipt; bad messages in the dead-letter queue.
mod refused;
