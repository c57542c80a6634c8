//! The inbox queue's messages, and the outcome topic.

use std::future::Future;

use crate::Error;

/// Delays a redelivery.
pub trait Queue: Sync {
    /// Makes the message visible again after so many seconds (0 to 43,200).
    fn defer(&self, receipt_handle: &str, seconds: u32) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Lets another invocation go on with a message's work.
pub trait HandOver: Sync {
    /// Sends a fresh message with this body to the inbox queue. Sent twice when the answer is lost.
    fn hand_over(&self, body: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A terminal file, as published: without any content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The JSON body.
    pub body: String,
    /// Attributes to filter on: partner, feed, state, verdict, fault.
    pub attributes: Vec<(&'static str, String)>,
}

/// Publishes outcomes, at least once.
pub trait Outcomes: Sync {
    /// Publishes one.
    fn publish(&self, announcement: &Announcement) -> impl Future<Output = Result<(), Error>> + Send;
}
