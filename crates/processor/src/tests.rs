//! The whole path in memory.
//!
//! * `bench`: a processor on a store in memory, with a clock and events to deliver
//! * `files`: where each kind of file ends
//! * `measures`: what is measured of a file
//! * `names`: feeds whose names are taken once
//! * `versions`: what a second version of a key means, in every order of delivery
//! * `schedules`: redeliveries, leases, take-overs, deadlines, poison
//! * `crashes`: a failure before or after every effect changes nothing
//! * `promises`: the invariants of the protocol, one by one

mod bench;
mod crashes;
mod files;
mod measures;
mod names;
mod promises;
mod schedules;
mod senders;
mod versions;
