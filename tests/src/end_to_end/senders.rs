//! Who sends, and under which contract: suspended partners, folders of nobody, and contracts that do not compile.

use serde_json::json;

use super::api::secret_of;
use super::files::{contract_with, csv};
use super::harness::Harness;

#[tokio::test]
async fn a_file_of_a_suspended_partner_is_kept_and_can_be_copied_back() {
    let harness = Harness::open().await;
    for command in ["partner add north", "partner suspend north"] {
        harness.scalper(command);
    }
    let entry = harness.process("north/scans/day.csv", csv(0, 3)).await;
    assert_eq!((entry.state(), entry.fault()), ("QUARANTINED", "PARTNER_SUSPENDED"));
    assert!(harness.records().await.is_empty());
    let original = format!("{}/original", entry.quarantine());
    assert_eq!(harness.quarantined(&original).await, csv(0, 3).into_bytes());
    // As docs/partners-s3.md says; under another partner's key, since this sandbox knows the suspension for a minute.
    let copy = harness.s3.copy_object().bucket(&harness.names.inbox).key("south/scans/day.csv");
    let source = format!("{}/{original}", harness.names.quarantine);
    let copied = copy.copy_source(source).send().await.expect("copy the original back");
    let version = copied.version_id().expect("a version");
    assert_eq!(harness.outcome("south/scans/day.csv", version).await.state(), "COMPLETE");
    harness.settle().await;
}

#[tokio::test]
async fn a_folder_of_nobody_is_unknown_to_everybody_but_the_ledger() {
    let harness = Harness::open().await;
    let entry = harness.process("doe-jane-1970/scans/day.csv", csv(0, 3)).await;
    assert_eq!(entry.state(), "COMPLETE");
    let announcement = harness.announcement(entry.file()).expect("an announcement");
    assert_eq!((&announcement["partner"], &announcement["feed"]), (&json!("unknown"), &json!("scans")));
    assert!(
        announcement["receipt"].is_null() && !announcement.to_string().contains("jane"),
        "{announcement}"
    );
    assert!(!harness.logs_of(&harness.names.logs).contains("jane"));
    assert_eq!(harness.receipt(&entry).await["partner"], "doe-jane-1970");
    harness.settle().await;
}

#[tokio::test]
async fn a_contract_that_does_not_compile_takes_nothing_over_by_either_way() {
    let harness = Harness::open().await;
    let north = harness.holder(&secret_of(&harness.scalper("partner add north")));
    harness.publish(&contract_with("version: ", "verzion: ")).await;
    let entry = harness.process("north/scans/day.csv", csv(0, 3)).await;
    assert_eq!((entry.state(), entry.fault()), ("COMPLETE", ""));
    let checked = north.file("/v1/feeds/scans/check", csv(0, 3).as_bytes()).json();
    assert_eq!((&checked["wouldBe"], &checked["wouldLoad"]), (&json!("COMPLETE"), &json!(3)), "{checked}");
    let document = north.get("/v1/feeds/scans/contract").text();
    assert!(document.contains("\nversion: ") && !document.contains("verzion"), "{document}");
    harness.settle().await;
}
