//! What was published and mailed.

use super::Memory;
use crate::{Announcement, Error, Mail, Operation, Outcomes};

impl Outcomes for Memory {
    async fn publish(&self, announcement: &Announcement) -> Result<(), Error> {
        self.call(Operation::Announce, |kept| kept.published.push(announcement.clone())).await
    }
}

impl Mail for Memory {
    async fn mail(&self, subject: &str, text: &str) -> Result<(), Error> {
        self.call(Operation::SendMail, |kept| kept.mailed.push((subject.to_owned(), text.to_owned()))).await
    }
}

impl Memory {
    /// Returns what was mailed, subject and text, in order.
    #[must_use]
    pub fn mailed(&self) -> Vec<(String, String)> {
        self.kept().mailed.clone()
    }
}
