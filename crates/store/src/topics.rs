//! The topic of outcomes, and the topic that becomes mail.

use std::future::Future;

use crate::Error;

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

/// Sends plain text to e-mail subscribers.
pub trait Mail: Sync {
    /// Sends one. The subject is at most 100 printable ASCII characters, as SNS asks.
    /// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
    fn mail(&self, subject: &str, text: &str) -> impl Future<Output = Result<(), Error>> + Send;
}
