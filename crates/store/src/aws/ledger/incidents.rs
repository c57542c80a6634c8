//! Incidents in the ledger table.
//!
//! ```text
//! pk = incident#<name>    where an incident stands
//! ```

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::LedgerTable;
use crate::aws::dynamodb::{Attributes, ItemKey, ItemReader, Update, attributes, number, text};
use crate::incidents::opens;
use crate::{Error, Incident, Incidents, Operation};

fn key(name: &str) -> ItemKey {
    ItemKey::new(format!("incident#{name}"))
}

fn incident(item: &Attributes) -> Option<Incident> {
    let read = ItemReader(item);
    let set = |name: &str| match item.get(name) {
        Some(AttributeValue::Ss(members)) => members.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    Some(Incident {
        open: read.is_true("open"),
        alarm: read.text("alarm")?,
        changed_ms: read.number("changed_ms")?,
        since_ms: read.number("since_ms")?,
        notified: set("notified"),
        done: read.is_true("done"),
        lease_until_ms: read.number("lease_until_ms")?,
        folded: read.number("folded").unwrap_or_default(),
        alarms: set("alarms"),
    })
}

impl<T: AsRef<LedgerTable> + Sync> Incidents for T {
    async fn incident(&self, name: &str) -> Result<Option<Incident>, Error> {
        self.as_ref().table.read(Operation::ReadIncident, key(name), incident).await
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
        let mut values = attributes([
            (":open", AttributeValue::Bool(incident.open)),
            (":alarm", text(&incident.alarm)),
            (":changed", number(incident.changed_ms)),
            (":since", number(incident.since_ms)),
            (":done", AttributeValue::Bool(incident.done)),
            (":lease", number(incident.lease_until_ms)),
        ]);
        // DynamoDB takes no empty set.
        let mut sets = vec![("notified", &incident.notified)];
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
        let update = Update::new(Operation::WriteIncident, key(name), &update);
        let written = self.as_ref().table.update(update.only_if(condition).values(values)).await?;
        Ok(written.is_made())
    }

    async fn fold(&self, name: &str, alarm: &str) -> Result<(), Error> {
        let update = Update::new(Operation::WriteIncident, key(name), "ADD #folded :one, #alarms :alarm");
        let update = update.values(attributes([
            (":one", number(1_u64)),
            (":alarm", AttributeValue::Ss(vec![alarm.to_owned()])),
        ]));
        self.as_ref().table.update(update).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::replay::{ScriptedService, SentRequest, answer, dynamodb_error};

    fn incident() -> Incident {
        Incident {
            open: true,
            alarm: "slow".to_owned(),
            changed_ms: 5,
            since_ms: 5,
            notified: BTreeSet::new(),
            done: false,
            lease_until_ms: 9,
            folded: 0,
            alarms: BTreeSet::from(["slow".to_owned()]),
        }
    }

    #[tokio::test]
    async fn an_incident_is_written_only_where_nobody_changed_it_since() -> Result<(), Error> {
        let rejected = dynamodb_error("ConditionalCheckFailedException", "");
        let (store, replay) = ScriptedService::store([answer(200, "{}"), rejected, answer(200, "{}")]);
        assert!(store.put_incident("slow", &incident(), None).await?);
        let notified = BTreeSet::from(["slack".to_owned()]);
        let next = Incident { notified, done: true, lease_until_ms: 0, ..incident() };
        assert!(!store.put_incident("slow", &next, Some(&incident())).await?);
        store.fold("slow", "errors").await?;
        let seen: Vec<_> = replay.seen().iter().map(SentRequest::json).collect();
        assert_eq!(seen[0]["Key"], json!({"pk": {"S": "incident#slow"}}));
        assert_eq!(seen[0]["ConditionExpression"], "attribute_not_exists(#alarm)");
        assert!(
            seen[0]["UpdateExpression"]
                .as_str()
                .is_some_and(|update| update.ends_with("#folded = :none, #alarms = :alarms REMOVE #notified"))
        );
        let values = &seen[1]["ExpressionAttributeValues"];
        assert_eq!(
            (&values[":notified"], &values[":seen_lease"]),
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
            "changed_ms": {"N": "5"}, "since_ms": {"N": "4"}, "notified": {"SS": ["mail"]}, "done": {"BOOL": false},
            "lease_until_ms": {"N": "0"}, "folded": {"N": "7"},
            "alarms": {"SS": ["slow"]}}});
        let (store, _) = ScriptedService::store([answer(200, item.to_string()), answer(200, "{}")]);
        let notified = BTreeSet::from(["mail".to_owned()]);
        let expected = Incident { since_ms: 4, notified, lease_until_ms: 0, folded: 7, ..incident() };
        assert_eq!(store.incident("slow").await?, Some(expected));
        assert_eq!(store.incident("slow").await?, None);
        Ok(())
    }
}
