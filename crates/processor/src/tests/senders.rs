//! Who sent a file: a partner, a suspended one, or a folder that no operator knows; and under which contract it is
//! read.

use serde_json::Value;
use store::{Announcement, FileVersion, State};

use super::harness::*;

/// What a sender without a registration called its folder.
const FOLDER: &str = "doe-jane-1970";

fn attribute<'a>(announcement: &'a Announcement, name: &str) -> Option<&'a str> {
    let mut attributes = announcement.attributes.iter();
    attributes.find(|(attribute, _)| *attribute == name).map(|(_, value)| value.as_str())
}

fn body(announcement: &Announcement) -> Value {
    serde_json::from_str(&announcement.body).expect("JSON")
}

/// Nothing that leaves the stack's own tables and buckets has this text.
fn assert_untold(harness: &Harness, text: &str) {
    for line in harness.metrics.lock().expect("lines").iter() {
        assert!(!line.contains(text), "{line}");
    }
    for announcement in harness.memory.published() {
        assert!(!format!("{announcement:?}").contains(text));
    }
}

#[tokio::test]
async fn a_suspended_partners_file_is_kept_and_not_loaded() {
    let harness = Harness::new();
    visits(&harness, &[]);
    harness.memory.register("south", false);
    let file = harness.land("south/visits/a.csv", GOOD);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Quarantined);
    assert_eq!(harness.fault(&file).as_deref(), Some("PARTNER_SUSPENDED"));
    assert!(harness.memory.rows().is_empty());
    assert_eq!(harness.object("original").as_deref(), Some(GOOD.as_bytes()));
    let receipt: Value =
        serde_json::from_slice(&harness.object("quarantined.json").expect("a receipt")).expect("JSON");
    assert_eq!(
        receipt["fault"]["advice"],
        "wait until the operator resumes the partner, then send the file again"
    );
    let published = harness.memory.published();
    assert_eq!(
        (attribute(&published[0], "partner"), attribute(&published[0], "feed")),
        (Some("south"), Some("visits"))
    );
}

#[tokio::test]
async fn a_suspension_holds_within_a_minute_and_so_does_its_end() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let send = async |name: &str| -> Option<String> {
        let file = harness.land(&format!("south/visits/{name}.csv"), GOOD);
        harness.until_terminal(&[&file]).await;
        harness.fault(&file)
    };
    assert_eq!(send("a").await, None);
    harness.memory.register("south", false);
    harness.wait(60_000);
    assert_eq!(send("b").await.as_deref(), Some("PARTNER_SUSPENDED"));
    harness.memory.register("south", true);
    harness.wait(60_000);
    assert_eq!(send("b").await, None, "the same file, sent again");
}

#[tokio::test]
async fn a_suspended_partner_is_named_as_the_reason_whatever_else_is_wrong() {
    let harness = Harness::new();
    harness.memory.publish_contract("broken", "kind: DataContact");
    harness.memory.register("south", false);
    for feed in ["nowhere", "broken"] {
        let file = harness.land(&format!("south/{feed}/a.csv"), GOOD);
        harness.until_terminal(&[&file]).await;
        assert_eq!(harness.fault(&file).as_deref(), Some("PARTNER_SUSPENDED"), "{feed}");
    }
    assert_untold(&harness, "nowhere");
}

#[tokio::test]
async fn a_file_of_an_unknown_sender_is_loaded_and_its_folder_is_shown_nowhere() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let key = format!("{FOLDER}/visits/a.csv");
    let files: Vec<FileVersion> =
        [MIXED, GOOD, "x\n"].iter().map(|bytes| harness.land(&key, bytes)).collect();
    for file in &files {
        harness.until_terminal(&[file]).await;
    }
    let states: Vec<State> = files.iter().map(|file| harness.state(file)).collect();
    assert_eq!(states, [State::Superseded, State::Complete, State::Quarantined]);
    assert_untold(&harness, FOLDER);
    for announcement in harness.memory.published() {
        let told = body(&announcement);
        assert_eq!((&told["partner"], &told["feed"]), (&"unknown".into(), &"visits".into()));
        assert!(told["receipt"].is_null(), "its key has the folder's name: {told}");
        assert_eq!(attribute(&announcement, "partner"), Some("unknown"));
    }
    // The ledger, the receipt and the records keep it, so that its sender and operators find it.
    assert_eq!(harness.entry(&files[1]).partner, FOLDER);
    assert!(
        harness.memory.quarantine().keys().any(|key| key.starts_with(&format!("_receipts/{FOLDER}/visits/")))
    );
    assert!(harness.memory.rows().iter().all(|row| row.partition.starts_with(FOLDER)));
}

#[tokio::test]
async fn a_partner_is_named_as_soon_as_it_is_registered() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let before = harness.land("west/visits/a.csv", GOOD);
    harness.until_terminal(&[&before]).await;
    harness.memory.register("west", true);
    harness.wait(60_000);
    let after = harness.land("west/visits/b.csv", GOOD);
    harness.until_terminal(&[&after]).await;
    let published = harness.memory.published();
    let partners: Vec<_> = published.iter().map(|one| attribute(one, "partner")).collect();
    assert_eq!(partners, [Some("unknown"), Some("west")]);
    assert!(body(&published[1])["receipt"].is_object());
}

#[tokio::test]
async fn a_folder_where_a_feed_should_be_is_shown_nowhere() {
    let harness = Harness::new();
    let file = harness.land(&format!("north/{FOLDER}/a.csv"), GOOD);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.fault(&file).as_deref(), Some("NO_CONTRACT"));
    assert_untold(&harness, FOLDER);
    let announcement = &harness.memory.published()[0];
    assert_eq!(
        (attribute(announcement, "partner"), attribute(announcement, "feed")),
        (Some("north"), Some("unknown"))
    );
}

#[tokio::test]
async fn a_table_that_does_not_answer_quarantines_nothing() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("south/visits/a.csv", GOOD);
    let call = 2;
    harness.memory.fail_at(call, store::memory::When::BeforeEffect);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    assert_eq!(harness.memory.calls()[call - 1], store::Operation::ReadPartner);
    assert!(harness.deliver(&[&file]).await.is_empty());
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn a_contract_that_does_not_compile_stops_no_file() {
    let harness = Harness::new();
    visits(&harness, &[]);
    harness.memory.publish_contract("visits", contract("csv", "active", &[("onEror", "abort")]));
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.until_terminal(&[&file]).await;
    let outcome = harness.entry(&file).outcome.expect("an outcome");
    assert_eq!((outcome.state, outcome.contract_version.as_str()), (State::Complete, "1.2.0"));
    let read = |harness: &Harness| {
        let calls = harness.memory.calls();
        calls.iter().filter(|call| format!("{call:?}").contains("Contract")).count()
    };
    assert_eq!(read(&harness), 3, "the newest, the list, the one before");
    let next = harness.land("north/visits/b.csv", GOOD);
    harness.until_terminal(&[&next]).await;
    assert_eq!(read(&harness), 3, "kept for a minute");
}

/// A retry under another contract is another load, as it is when a good version replaces a good one.
#[tokio::test]
async fn a_retry_with_another_contract_in_force_begins_a_load_of_its_own() {
    let [first, second] = ["1.2.0", "1.3.0"].map(|version| {
        contract("csv", "active", &[]).replace("version: 1.2.0", &format!("version: {version}"))
    });
    let harness = Harness::new();
    harness.memory.publish_contract("visits", first);
    let file = harness.land("north/visits/a.csv", GOOD);
    // Dies after the claim: calls are contract, rank, hold, claim, open.
    harness.memory.die_at(5, store::memory::When::BeforeEffect);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    harness.memory.revive();
    let load = harness.entry(&file).load;
    harness.memory.publish_contract("visits", second);
    harness.memory.publish_contract("visits", "kind: DataContact");
    harness.wait(3_600_000);
    harness.until_terminal(&[&file]).await;
    let entry = harness.entry(&file);
    assert_ne!(entry.load, load);
    assert_eq!(entry.outcome.map(|outcome| outcome.contract_version).as_deref(), Some("1.3.0"));
}
