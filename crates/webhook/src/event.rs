//! What is posted: an announcement as the processor published it, with what a receiver needs besides.

use bytes::Bytes;
use ledger::{FileId, LoadId, State};
use runtime::announcement::AnnouncedOutcome;
use serde_json::{Map, Value};

/// An announcement: the ids that are needed to post it, and its members as they were published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeMessage {
    /// The partner whose file it is; `None` when the key names no registered partner.
    pub partner: Option<String>,
    /// The file.
    pub file: FileId,
    /// Its load: another one after a replay.
    pub load: LoadId,
    /// Its terminal state.
    pub state: State,
    /// The announcement's members, as they were published.
    pub members: Map<String, Value>,
}

impl OutcomeMessage {
    /// Reads an announcement; `None` for any other text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_str(text).ok()?;
        let AnnouncedOutcome { partner, file, state } = AnnouncedOutcome::of(&members)?;
        let load = LoadId::parse(members.get("load")?.as_str()?).filter(|load| load.file() == file)?;
        Some(Self { partner, file, load, state, members })
    }

    /// Returns the body to post: the announcement with the file's name, and with the receipt's address in the partner
    /// API instead of its key in the operator's bucket. It is the same for each delivery of an outcome.
    #[must_use]
    pub fn post_body(&self, name: Option<&str>, api_url: &str) -> Bytes {
        let mut members = self.members.clone();
        members.insert("name".to_owned(), name.into());
        if let Some(receipt) = members.get_mut("receipt") {
            *receipt = format!("{api_url}/v1/files/{}/receipt", self.file).into();
        }
        Value::Object(members).to_string().into()
    }

    /// Returns the value of `webhook-id`: `<load>-<state>`, the same however often the outcome is announced, another
    /// one when the file is processed again, and without a full stop, which separates what is signed.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{}", self.load, self.state.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FILE: &str = "r5g61a45bnmyhnp8sgqw0ymkjv";

    fn announcement() -> Value {
        json!({ "version": 1, "fileId": FILE, "load": format!("{FILE}-ce8hmn7mrjtx6"), "partner": "north-clinic",
            "feed": "visits", "state": "QUARANTINED", "loaded": 0, "fault": "HEADER" })
    }

    #[test]
    fn an_announcement_is_kept_and_named_after_file_and_state() {
        let text = format!(" {}", announcement());
        let notice = OutcomeMessage::read(&text).expect("an announcement");
        assert_eq!(notice.id(), format!("{FILE}-ce8hmn7mrjtx6-QUARANTINED"));
        assert_eq!(notice.partner.as_deref(), Some("north-clinic"));
        assert_eq!(Value::Object(notice.members), announcement());
    }

    #[test]
    fn a_partner_reads_the_files_name_and_the_receipts_address_and_not_the_operators_bucket() {
        let mut announced = announcement();
        announced["receipt"] =
            json!({ "bucket": "silent-scalper-quarantine", "key": "_receipts/north-clinic/x.json" });
        let notice = OutcomeMessage::read(&announced.to_string()).expect("an announcement");
        let posted = notice.post_body(Some("day \"1\".csv"), "https://api.example/api");
        let posted: Value = serde_json::from_slice(&posted).expect("JSON");
        assert_eq!(posted["name"], "day \"1\".csv");
        assert_eq!(posted["receipt"], format!("https://api.example/api/v1/files/{FILE}/receipt"));
        assert_eq!((&posted["fault"], &posted["state"]), (&json!("HEADER"), &json!("QUARANTINED")));
        assert!(!posted.to_string().contains("quarantine\""), "{posted}");
        let bare = OutcomeMessage::read(&announcement().to_string())
            .expect("an announcement")
            .post_body(None, "https://a");
        let bare: Value = serde_json::from_slice(&bare).expect("JSON");
        assert_eq!((&bare["name"], bare.get("receipt")), (&Value::Null, None));
    }

    #[test]
    fn a_file_of_an_unregistered_partner_has_no_receiver() {
        for name in ["", "unknown"] {
            let mut unregistered = announcement();
            unregistered["partner"] = json!(name);
            assert_eq!(
                OutcomeMessage::read(&unregistered.to_string()).map(|notice| notice.partner),
                Some(None),
                "{name}"
            );
        }
    }

    #[test]
    fn anything_but_an_announcement_is_none() {
        for (member, value) in [
            ("fileId", json!("../x")),
            ("fileId", json!(7)),
            ("state", json!("PROCESSING")),
            ("state", json!("complete")),
            ("state", Value::Null),
            ("partner", json!("North Clinic")),
            ("partner", json!("a\r\nx: y")),
        ] {
            let mut changed = announcement();
            changed[member] = value.clone();
            assert_eq!(OutcomeMessage::read(&changed.to_string()), None, "{member} {value}");
        }
        for text in ["", "[]", "null", "\"x\"", "{\"Records\":[]}"] {
            assert_eq!(OutcomeMessage::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_and_an_id_is_always_fit_for_a_header(text: String, state in "[A-Z]{0,12}|COMPLETE") {
            prop_assert!(OutcomeMessage::read(&text).is_none());
            let mut changed = announcement();
            changed["state"] = json!(state);
            if let Some(notice) = OutcomeMessage::read(&changed.to_string()) {
                prop_assert!(notice.id().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            }
        }
    }
}
