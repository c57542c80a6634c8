//! Who sent a file: a partner, a suspended one, or a folder that no operator knows; and under which contract it is read.

use serde_json::Value;
use store::{Announcement, FileVersion, State};

use super::bench::*;

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
fn assert_untold(bench: &Bench, text: &str) {
    for line in bench.metrics.lock().expect("lines").iter() {
        assert!(!line.contains(text), "{line}");
    }
    for announcement in bench.memory.published() {
        assert!(!format!("{announcement:?}").contains(text));
    }
}

#[tokio::test]
async fn a_suspended_partners_file_is_kept_and_not_loaded() {
    let bench = Bench::new();
    visits(&bench, &[]);
    bench.memory.register("south", false);
    let file = bench.land("south/visits/a.csv", GOOD);
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.state(&file), State::Quarantined);
    assert_eq!(bench.fault(&file).as_deref(), Some("PARTNER_SUSPENDED"));
    assert!(bench.memory.rows().is_empty());
    assert_eq!(bench.object("original").as_deref(), Some(GOOD.as_bytes()));
    let receipt: Value =
        serde_json::from_slice(&bench.object("quarantined.json").expect("a receipt")).expect("JSON");
    assert_eq!(
        receipt["fault"]["advice"],
        "wait until the operator resumes the partner, then send the file again"
    );
    let published = bench.memory.published();
    assert_eq!(
        (attribute(&published[0], "partner"), attribute(&published[0], "feed")),
        (Some("south"), Some("visits"))
    );
}

#[tokio::test]
async fn a_suspension_holds_within_a_minute_and_so_does_its_end() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let send = async |name: &str| -> Option<String> {
        let file = bench.land(&format!("south/visits/{name}.csv"), GOOD);
        bench.until_terminal(&[&file]).await;
        bench.fault(&file)
    };
    assert_eq!(send("a").await, None);
    bench.memory.register("south", false);
    bench.wait(60_000);
    assert_eq!(send("b").await.as_deref(), Some("PARTNER_SUSPENDED"));
    bench.memory.register("south", true);
    bench.wait(60_000);
    assert_eq!(send("b").await, None, "the same file, sent again");
}

#[tokio::test]
async fn a_suspended_partner_is_named_as_the_reason_whatever_else_is_wrong() {
    let bench = Bench::new();
    bench.memory.publish_contract("broken", "kind: DataContact");
    bench.memory.register("south", false);
    for feed in ["nowhere", "broken"] {
        let file = bench.land(&format!("south/{feed}/a.csv"), GOOD);
        bench.until_terminal(&[&file]).await;
        assert_eq!(bench.fault(&file).as_deref(), Some("PARTNER_SUSPENDED"), "{feed}");
    }
    assert_untold(&bench, "nowhere");
}

#[tokio::test]
async fn a_file_of_nobody_is_loaded_and_its_folder_is_told_to_nobody() {
    let bench = Bench::new();
    visits(&bench, &[("onSameName", "supersede")]);
    let key = format!("{FOLDER}/visits/a.csv");
    let files: Vec<FileVersion> = [MIXED, GOOD, "x\n"].iter().map(|bytes| bench.land(&key, bytes)).collect();
    for file in &files {
        bench.until_terminal(&[file]).await;
    }
    let states: Vec<State> = files.iter().map(|file| bench.state(file)).collect();
    assert_eq!(states, [State::Superseded, State::Complete, State::Quarantined]);
    assert_untold(&bench, FOLDER);
    for announcement in bench.memory.published() {
        let told = body(&announcement);
        assert_eq!((&told["partner"], &told["feed"]), (&"unknown".into(), &"visits".into()));
        assert!(told["receipt"].is_null(), "its key has the folder's name: {told}");
        assert_eq!(attribute(&announcement, "partner"), Some("unknown"));
    }
    // The ledger, the receipt and the records keep it, so that its sender and operators find it.
    assert_eq!(bench.entry(&files[1]).partner, FOLDER);
    assert!(
        bench.memory.quarantine().keys().any(|key| key.starts_with(&format!("_receipts/{FOLDER}/visits/")))
    );
    assert!(bench.memory.rows().iter().all(|row| row.partition.starts_with(FOLDER)));
}

#[tokio::test]
async fn a_partner_is_named_as_soon_as_it_is_registered() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let before = bench.land("west/visits/a.csv", GOOD);
    bench.until_terminal(&[&before]).await;
    bench.memory.register("west", true);
    bench.wait(60_000);
    let after = bench.land("west/visits/b.csv", GOOD);
    bench.until_terminal(&[&after]).await;
    let published = bench.memory.published();
    let partners: Vec<_> = published.iter().map(|one| attribute(one, "partner")).collect();
    assert_eq!(partners, [Some("unknown"), Some("west")]);
    assert!(body(&published[1])["receipt"].is_object());
}

#[tokio::test]
async fn a_folder_where_a_feed_should_be_is_told_to_nobody() {
    let bench = Bench::new();
    let file = bench.land(&format!("north/{FOLDER}/a.csv"), GOOD);
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.fault(&file).as_deref(), Some("NO_CONTRACT"));
    assert_untold(&bench, FOLDER);
    let announcement = &bench.memory.published()[0];
    assert_eq!(
        (attribute(announcement, "partner"), attribute(announcement, "feed")),
        (Some("north"), Some("unknown"))
    );
}

#[tokio::test]
async fn a_table_that_does_not_answer_quarantines_nothing() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("south/visits/a.csv", GOOD);
    let call = 2;
    bench.memory.fail_at(call, store::memory::When::BeforeEffect);
    assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
    assert_eq!(bench.memory.calls()[call - 1], store::Operation::ReadPartner);
    assert!(bench.deliver(&[&file]).await.is_empty());
    assert_eq!(bench.state(&file), State::Complete);
}

#[tokio::test]
async fn a_contract_that_does_not_compile_stops_no_file() {
    let bench = Bench::new();
    visits(&bench, &[]);
    bench.memory.publish_contract("visits", contract("csv", "active", &[("onEror", "abort")]));
    let file = bench.land("north/visits/a.csv", GOOD);
    bench.until_terminal(&[&file]).await;
    let outcome = bench.entry(&file).outcome.expect("an outcome");
    assert_eq!((outcome.state, outcome.contract_version.as_str()), (State::Complete, "1.2.0"));
    let read = |bench: &Bench| {
        let calls = bench.memory.calls();
        calls.iter().filter(|call| format!("{call:?}").contains("Contract")).count()
    };
    assert_eq!(read(&bench), 3, "the newest, the list, the one before");
    let next = bench.land("north/visits/b.csv", GOOD);
    bench.until_terminal(&[&next]).await;
    assert_eq!(read(&bench), 3, "kept for a minute");
}

/// A retry under another contract is another load, as it is when a good version replaces a good one.
#[tokio::test]
async fn a_retry_with_another_contract_in_force_begins_a_load_of_its_own() {
    let [first, second] = ["1.2.0", "1.3.0"].map(|version| {
        contract("csv", "active", &[]).replace("version: 1.2.0", &format!("version: {version}"))
    });
    let bench = Bench::new();
    bench.memory.publish_contract("visits", first);
    let file = bench.land("north/visits/a.csv", GOOD);
    // Dies after the claim: calls are contract, rank, claim, open.
    bench.memory.die_at(4, store::memory::When::BeforeEffect);
    assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
    bench.memory.revive();
    let load = bench.entry(&file).load;
    bench.memory.publish_contract("visits", second);
    bench.memory.publish_contract("visits", "kind: DataContact");
    bench.wait(3_600_000);
    bench.until_terminal(&[&file]).await;
    let entry = bench.entry(&file);
    assert_ne!(entry.load, load);
    assert_eq!(entry.outcome.map(|outcome| outcome.contract_version).as_deref(), Some("1.3.0"));
}
