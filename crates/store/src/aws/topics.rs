//! The topic of outcomes, and the topic that becomes mail.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use super::client::Late;
use super::failure::failure;
use crate::{Announcement, Error, Mail, Operation, Outcomes};

/// The topic of outcomes.
#[derive(Clone)]
pub struct OutcomeTopic {
    sns: Late<Client>,
    arn: String,
}

/// The topic that becomes mail.
#[derive(Clone)]
pub struct MailTopic {
    sns: Late<Client>,
    arn: String,
}

impl OutcomeTopic {
    /// Makes the topic of this ARN.
    #[must_use]
    pub fn new(sns: &Late<Client>, arn: &str) -> Self {
        Self { sns: sns.clone(), arn: arn.to_owned() }
    }
}

impl MailTopic {
    /// Makes the topic of this ARN.
    #[must_use]
    pub fn new(sns: &Late<Client>, arn: &str) -> Self {
        Self { sns: sns.clone(), arn: arn.to_owned() }
    }
}

impl<T: AsRef<OutcomeTopic> + Sync> Outcomes for T {
    async fn publish(&self, announcement: &Announcement) -> Result<(), Error> {
        let OutcomeTopic { sns, arn } = self.as_ref();
        let mut request = sns.get().publish().topic_arn(arn).message(&announcement.body);
        // SNS rejects an attribute without a value; a filter sees it as absent, which it is.
        for (name, value) in announcement.attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|_| Error::new(Operation::Announce, "request not built"))?;
            request = request.message_attributes(*name, value);
        }
        request.send().await.map_err(|error| failure(Operation::Announce, &error))?;
        Ok(())
    }
}

impl<T: AsRef<MailTopic> + Sync> Mail for T {
    async fn mail(&self, subject: &str, text: &str) -> Result<(), Error> {
        let MailTopic { sns, arn } = self.as_ref();
        let answer = sns.get().publish().topic_arn(arn).subject(subject).message(text).send().await;
        answer.map_err(|error| failure(Operation::SendMail, &error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::replay::{ScriptedService, answer};

    #[tokio::test]
    async fn an_outcome_is_published_with_the_attributes_that_have_a_value() -> Result<(), Error> {
        let published =
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
        let (store, replay) = ScriptedService::store([answer(200, published)]);
        let attributes = vec![("partner", "clinic".to_owned()), ("fault", String::new())];
        store.publish(&Announcement { body: "{\"a\":1}".into(), attributes }).await?;
        let body = replay.seen()[0].body.clone();
        assert!(body.contains("Message=%7B%22a%22%3A1%7D"), "{body}");
        assert!(body.contains("MessageAttributes.entry.1.Name=partner"), "{body}");
        assert!(!body.contains("fault"), "{body}");
        Ok(())
    }
}
