//! Where the resources of a stack are. Their names are made of the stack's name, account and region (`infra/*.yaml`).

use store::StackQueue;
use store::aws::Home;

use super::plain::shell_word;
use crate::names::Stack;

/// Where the resources are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Partition, region and account.
    pub home: Home,
    /// The bucket into which files land.
    pub inbox: String,
    /// The bucket of receipts, quarantined files and rejects.
    pub quarantine: String,
}

impl Places {
    /// Makes the places of a stack.
    #[must_use]
    pub fn new(stack: &Stack, home: Home) -> Self {
        let bucket = |kind: &str| stack.bucket(kind, &home);
        Self { inbox: bucket("inbox"), quarantine: bucket("quarantine"), home }
    }

    /// Returns the ARN of a queue.
    pub(crate) fn queue_arn(&self, stack: &Stack, queue: StackQueue) -> String {
        let Home { partition, region, account } = &self.home;
        format!("arn:{partition}:sqs:{region}:{account}:{}", queue.name(stack.as_str()))
    }

    /// Returns the ARN of the inbox bucket.
    pub(crate) fn inbox_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.home.partition, self.inbox)
    }

    /// Returns the bucket of contracts.
    #[must_use]
    pub fn contracts(&self, stack: &Stack) -> String {
        stack.bucket("contracts", &self.home)
    }

    /// Returns the command that publishes the contract of a feed.
    pub(crate) fn publish(&self, stack: &Stack, feed: &str) -> String {
        let document = shell_word(&format!("{feed}.odcs.yaml"));
        format!("aws s3 cp --region {} {document} s3://{}/", self.home.region, self.contracts(stack))
    }

    /// Returns an object of the quarantine.
    pub(super) fn kept(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.quarantine)
    }
}
