//! The whole path in memory.
//!
//! * `harness`: a processor on a store in memory, with a clock and events to deliver
//! * `files`: where each kind of file ends
//! * `measures`: what is measured of a file
//! * `names`: feeds whose names are taken once
//! * `verdicts`: files of which nothing can be loaded, and the bound of what is kept of rejects
//! * `versions`: what a second version of a key means, in every order of delivery
//! * `schedules`: redeliveries, leases, take-overs, deadlines
//! * `deaths`: what is poison, and what is only a service that fails
//! * `handovers`: files that take longer than an invocation
//! * `orders`: the order of versions, which is the bucket's
//! * `hold`: files that wait because their feed is held
//! * `replays`: a decided file that is processed again
//! * `clean_up`: rows that nobody sees are deleted, and no others
//! * `crashes`: a failure before or after every effect changes nothing
//! * `promises`: the invariants of the protocol, one by one

mod clean_up;
mod corrections;
mod crashes;
mod deaths;
mod files;
mod handovers;
mod harness;
mod hold;
mod measures;
mod names;
mod open;
mod orders;
mod promises;
mod replays;
mod schedules;
mod senders;
mod verdicts;
mod versions;
