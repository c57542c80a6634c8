//! What the notifier has besides the tables: incidents in the ledger table, secrets, mail, metrics.
//!
//! ```text
//! pk = incident#<name>    where an incident stands
//! ```

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;

use super::entry::{Attributes, Reader, names, number, text};
use super::failure::failure;
use super::{clients, measured};
use crate::incident::opens;
use crate::{
    AlarmNow, AlarmsNow, Datapoint, Error, Incident, Incidents, Mail, Measured, Operation, Query, Secrets,
    Span,
};

/// The notifier's own on AWS.
pub struct Desk {
    ledger_table: String,
    mail_topic: String,
    config: SdkConfig,
    dynamodb: aws_sdk_dynamodb::Client,
    sns: OnceLock<aws_sdk_sns::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
}

impl Desk {
    /// A desk with these credentials, region, endpoint and HTTP client. Clients of what not every message needs are made
    /// at their first use.
    #[must_use]
    pub fn new(config: &SdkConfig, ledger_table: &str, mail_topic: &str) -> Self {
        Self {
            ledger_table: ledger_table.to_owned(),
            mail_topic: mail_topic.to_owned(),
            config: config.clone(),
            dynamodb: clients::dynamodb(config),
            sns: OnceLock::new(),
            secrets: OnceLock::new(),
            cloudwatch: OnceLock::new(),
        }
    }
}

fn key(name: &str) -> AttributeValue {
    text(format!("incident#{name}"))
}

fn read(item: &Attributes) -> Option<Incident> {
    let read = Reader(item);
    let set = |name: &str| match item.get(name) {
        Some(AttributeValue::Ss(members)) => members.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    let is = |name: &str| item.get(name) == Some(&AttributeValue::Bool(true));
    Some(Incident {
        open: is("open"),
        alarm: read.text("alarm")?,
        changed_ms: read.number("changed_ms")?,
        since_ms: read.number("since_ms")?,
        told: set("told"),
        done: is("done"),
        lease_until_ms: read.number("lease_until_ms")?,
        folded: read.number("folded").unwrap_or_default(),
        alarms: set("alarms"),
    })
}

impl Incidents for Desk {
    async fn incident(&self, name: &str) -> Result<Option<Incident>, Error> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.ledger_table)
            .key("pk", key(name))
            .consistent_read(true)
            .send()
            .await;
        let item = answer.map_err(|error| failure(Operation::ReadIncident, &error))?.item;
        let malformed = || Error::new(Operation::ReadIncident, "malformed item");
        item.map(|item| read(&item).ok_or_else(malformed)).transpose()
    }

    async fn put_incident(
        &self,
        name: &str,
        incident: &Incident,
        seen: Option<&Incident>,
    ) -> Result<bool, Error> {
        let mut update = "SET #open = :open, #alarm = :alarm, #changed_ms = :changed, #since_ms = :since, \
                          #done = :done, #lease_until_ms = :lease"
            .to_owned();
        let mut values: Attributes = [
            (":open", AttributeValue::Bool(incident.open)),
            (":alarm", text(&incident.alarm)),
            (":changed", number(incident.changed_ms)),
            (":since", number(incident.since_ms)),
            (":done", AttributeValue::Bool(incident.done)),
            (":lease", number(incident.lease_until_ms)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        // DynamoDB takes no empty set.
        let mut sets = vec![("told", &incident.told)];
        if opens(incident, seen) {
            update.push_str(", #folded = :none");
            values.insert(":none".to_owned(), number(0_u64));
            sets.push(("alarms", &incident.alarms));
        }
        let (empty, full): (Vec<_>, Vec<_>) = sets.into_iter().partition(|(_, set)| set.is_empty());
        for (name, set) in full {
            update.extend([", #", name, " = :", name]);
            values.insert(format!(":{name}"), AttributeValue::Ss(set.iter().cloned().collect()));
        }
        let empty: Vec<String> = empty.into_iter().map(|(name, _)| format!("#{name}")).collect();
        if !empty.is_empty() {
            update.push_str(" REMOVE ");
            update.push_str(&empty.join(", "));
        }
        let condition = match seen {
            None => "attribute_not_exists(#alarm)",
            Some(seen) => {
                values.insert(":seen_alarm".to_owned(), text(&seen.alarm));
                values.insert(":seen_changed".to_owned(), number(seen.changed_ms));
                values.insert(":seen_lease".to_owned(), number(seen.lease_until_ms));
                "#alarm = :seen_alarm AND #changed_ms = :seen_changed AND #lease_until_ms = :seen_lease"
            }
        };
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&self.ledger_table)
            .key("pk", key(name))
            .set_expression_attribute_names(Some(names(&[&update, condition])))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure(Operation::WriteIncident, &error)),
        }
    }

    async fn fold(&self, name: &str, alarm: &str) -> Result<(), Error> {
        let update = "ADD #folded :one, #alarms :alarm";
        self.dynamodb
            .update_item()
            .table_name(&self.ledger_table)
            .key("pk", key(name))
            .update_expression(update)
            .set_expression_attribute_names(Some(names(&[update])))
            .expression_attribute_values(":one", number(1_u64))
            .expression_attribute_values(":alarm", AttributeValue::Ss(vec![alarm.to_owned()]))
            .send()
            .await
            .map_err(|error| failure(Operation::WriteIncident, &error))?;
        Ok(())
    }
}

impl Secrets for Desk {
    async fn secret(&self, arn: &str) -> Result<String, Error> {
        let client = self.secrets.get_or_init(|| clients::secrets(&self.config));
        let answer = client.get_secret_value().secret_id(arn).send().await;
        let secret = answer.map_err(|error| failure(Operation::ReadSecret, &error))?.secret_string;
        secret.ok_or_else(|| Error::new(Operation::ReadSecret, "no text"))
    }
}

impl Mail for Desk {
    async fn mail(&self, subject: &str, message: &str) -> Result<(), Error> {
        let client = self.sns.get_or_init(|| clients::sns(&self.config));
        let request = client.publish().topic_arn(&self.mail_topic).subject(subject).message(message);
        request.send().await.map_err(|error| failure(Operation::SendMail, &error))?;
        Ok(())
    }
}

impl AlarmsNow for Desk {
    async fn alarms_now(&self, prefix: &str) -> Result<Vec<AlarmNow>, Error> {
        measured::alarms(self.cloudwatch.get_or_init(|| clients::cloudwatch(&self.config)), prefix).await
    }
}

impl Measured for Desk {
    async fn measured(&self, queries: &[Query], span: Span) -> Result<Vec<Datapoint>, Error> {
        measured::read(self.cloudwatch.get_or_init(|| clients::cloudwatch(&self.config)), queries, span).await
    }
}

/// What the notifier reads and keeps: incidents and secrets at the desk; partners, their files and the contracts
/// through the door, of which it has the two tables, the names of the inbox's folders and the contracts.
#[must_use]
pub fn connect_notifier(
    inbox: &str,
    contracts_bucket: &str,
    ledger_table: &str,
    partners_table: &str,
    mail_topic: &str,
    access: clients::Access,
) -> (Desk, super::Door) {
    let config = clients::configuration(access);
    let names = super::DoorNames {
        inbox: inbox.to_owned(),
        contracts_bucket: contracts_bucket.to_owned(),
        quarantine_bucket: String::new(),
        ledger_table: ledger_table.to_owned(),
        records_table: String::new(),
        partners_table: partners_table.to_owned(),
        account: None,
    };
    (Desk::new(&config, ledger_table, mail_topic), super::Door::new(&config, names))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::replay::{Answer, Replay, Seen, answer, dynamodb_error};

    fn desk(answers: impl IntoIterator<Item = Answer>) -> (Desk, Replay) {
        let (config, replay) = Replay::configuration(answers);
        (Desk::new(&config, "ledger", "arn:aws:sns:eu-central-1:123456789012:mail"), replay)
    }

    fn incident() -> Incident {
        Incident {
            open: true,
            alarm: "slow".to_owned(),
            changed_ms: 5,
            since_ms: 5,
            told: BTreeSet::new(),
            done: false,
            lease_until_ms: 9,
            folded: 0,
            alarms: BTreeSet::from(["slow".to_owned()]),
        }
    }

    #[tokio::test]
    async fn an_incident_is_written_only_where_nobody_changed_it_since() -> Result<(), Error> {
        let rejected = dynamodb_error("ConditionalCheckFailedException", "");
        let (desk, replay) = desk([answer(200, "{}"), rejected, answer(200, "{}")]);
        assert!(desk.put_incident("slow", &incident(), None).await?);
        let told = BTreeSet::from(["slack".to_owned()]);
        let next = Incident { told, done: true, lease_until_ms: 0, ..incident() };
        assert!(!desk.put_incident("slow", &next, Some(&incident())).await?);
        desk.fold("slow", "errors").await?;
        let seen: Vec<_> = replay.seen().iter().map(Seen::json).collect();
        assert_eq!(seen[0]["Key"], json!({"pk": {"S": "incident#slow"}}));
        assert_eq!(seen[0]["ConditionExpression"], "attribute_not_exists(#alarm)");
        assert!(
            seen[0]["UpdateExpression"]
                .as_str()
                .is_some_and(|update| update.ends_with("#folded = :none, #alarms = :alarms REMOVE #told"))
        );
        let values = &seen[1]["ExpressionAttributeValues"];
        assert_eq!(
            (&values[":told"], &values[":seen_lease"]),
            (&json!({"SS": ["slack"]}), &json!({"N": "9"}))
        );
        let kept = ["folded", "alarms", "REMOVE"];
        assert!(
            seen[1]["UpdateExpression"]
                .as_str()
                .is_some_and(|update| kept.iter().all(|word| !update.contains(word)))
        );
        assert_eq!(seen[2]["UpdateExpression"], "ADD #folded :one, #alarms :alarm");
        assert_eq!(seen[2]["ExpressionAttributeValues"][":alarm"], json!({"SS": ["errors"]}));
        Ok(())
    }

    #[tokio::test]
    async fn an_incident_reads_back() -> Result<(), Error> {
        let item = json!({"Item": {"pk": {"S": "incident#slow"}, "open": {"BOOL": true}, "alarm": {"S": "slow"},
            "changed_ms": {"N": "5"}, "since_ms": {"N": "4"}, "told": {"SS": ["mail"]}, "done": {"BOOL": false},
            "lease_until_ms": {"N": "0"}, "folded": {"N": "7"},
            "alarms": {"SS": ["slow"]}}});
        let (desk, _) = desk([answer(200, item.to_string()), answer(200, "{}")]);
        let told = BTreeSet::from(["mail".to_owned()]);
        let expected = Incident { since_ms: 4, told, lease_until_ms: 0, folded: 7, ..incident() };
        assert_eq!(desk.incident("slow").await?, Some(expected));
        assert_eq!(desk.incident("slow").await?, None);
        Ok(())
    }

    #[tokio::test]
    async fn a_secret_is_its_text_and_mail_has_a_subject() -> Result<(), Error> {
        let sent =
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
        let (desk, replay) = desk([answer(200, r#"{"SecretString": "{}"}"#), answer(200, sent)]);
        assert_eq!(desk.secret("arn").await?, "{}");
        desk.mail("a b", "text").await?;
        assert_eq!(replay.seen()[0].json()["SecretId"], "arn");
        assert!(replay.seen()[1].body.contains("Subject=a%20b"), "{}", replay.seen()[1].body);
        Ok(())
    }
}
