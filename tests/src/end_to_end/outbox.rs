//! The outbox: partners who only use S3 read their own receipts and returned rejects, by roles of their own.

use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder;
use serde_json::{Value, json};

use super::files::{HEADER, contract, contract_with, csv};
use super::harness::{Harness, client};
use super::roles::{assert_denied, assume_role};
use super::s3_partners::partner_role;
use super::tables::LedgerItem;

/// A record whose date is none; it holds a value that no receipt may.
const BAD: &str = "AB999999,Patient Qjxwvz,CT,soon,1.5,x\n";

/// A partner with its role.
pub(super) struct S3Partner {
    name: &'static str,
    s3: aws_sdk_s3::Client,
}

impl S3Partner {
    /// Adds the partner and gives its role S3 uploads.
    pub(super) fn add(harness: &Harness, name: &'static str) -> Self {
        harness.add_partner(name);
        let (arn, role) = partner_role(harness, &format!("{name}-sender"));
        let given = harness.scalper(&format!("partner s3 {name} --principal {arn}"));
        assert_eq!(given["uploads"]["outbox"], harness.names.outbox);
        Self { name, s3: client!(aws_sdk_s3, &harness.emulator.endpoint, role) }
    }

    /// Uploads a file, and waits until its receipt is in the outbox.
    pub(super) async fn send(&self, harness: &Harness, path: &str, bytes: impl Into<Vec<u8>>) -> LedgerItem {
        let key = format!("{}/{path}", self.name);
        let put = self.s3.put_object().bucket(&harness.names.inbox).key(&key);
        let sent = put.body(ByteStream::from(bytes.into())).send().await.expect("its own prefix");
        let entry = harness.outcome(&key, &sent.version_id.expect("a version")).await;
        harness.settle_outbox().await;
        entry
    }

    pub(super) async fn read(&self, harness: &Harness, key: &str) -> Vec<u8> {
        let get = self.s3.get_object().bucket(&harness.names.outbox).key(key).send().await;
        let object = get.unwrap_or_else(|error| panic!("{} reads {key}: {error:?}", self.name));
        object.body.collect().await.expect("read the object").to_vec()
    }

    pub(super) async fn receipt(&self, harness: &Harness, path: &str) -> Value {
        let key = format!("{}/{path}.receipt.json", self.name);
        serde_json::from_slice(&self.read(harness, &key).await).expect("a receipt is JSON")
    }
}

/// Every key of the outbox.
async fn keys(harness: &Harness) -> Vec<String> {
    let list = harness.s3.list_objects_v2().bucket(&harness.names.outbox).send().await;
    let found = list.expect("list the outbox").contents.unwrap_or_default();
    found.into_iter().filter_map(|object| object.key).collect()
}

/// The contract, which returns rejected records.
fn returning() -> String {
    let on_error = "{property: onError, value: continue, vendor: ingest}";
    let returned = "{property: returnRejects, value: true, vendor: ingest}";
    contract_with(on_error, &format!("{on_error}\n      - {returned}"))
}

#[tokio::test]
async fn partners_who_only_use_s3_read_their_own_receipts_and_nothing_of_another() {
    let harness = Harness::open_with(&["Outbox=On".to_owned()]).await;
    let (north, south) = (S3Partner::add(&harness, "north"), S3Partner::add(&harness, "south"));
    harness.add_partner("west");

    let entry = north.send(&harness, "scans/day.csv", csv(0, 3) + BAD).await;
    let receipt = north.receipt(&harness, "scans/day.csv").await;
    assert_eq!(receipt, harness.receipt(&entry).await, "the receipt that the partner API shows");
    assert_eq!((&receipt["state"], &receipt["counts"]["rejects"]), (&json!("COMPLETE"), &json!(1)));
    assert_eq!(receipt.get("rejects"), None, "the contract keeps rejected records");
    let refuted = south.send(&harness, "scans/day.csv", "no header\n".to_owned()).await;
    assert_eq!(
        (refuted.state(), &south.receipt(&harness, "scans/day.csv").await["state"]),
        ("QUARANTINED", &json!("QUARANTINED"))
    );
    // The last decision of a name.
    north.send(&harness, "scans/day.csv", csv(0, 4)).await;
    assert_eq!(north.receipt(&harness, "scans/day.csv").await["counts"]["rows"], 4);
    harness.process("west/scans/day.csv", csv(0, 3)).await;
    harness.settle_outbox().await;
    assert_eq!(
        keys(&harness).await,
        ["north/scans/day.csv.receipt.json", "south/scans/day.csv.receipt.json"]
    );

    let outbox = &harness.names.outbox;
    for (reader, key) in
        [(&south, "north/scans/day.csv.receipt.json"), (&north, "south/scans/day.csv.receipt.json")]
    {
        assert_denied("read another's receipt", &reader.s3.get_object().bucket(outbox).key(key).send().await);
        let head = reader.s3.get_object_attributes().bucket(outbox).key(key);
        let head = head.object_attributes(aws_sdk_s3::types::ObjectAttributes::Etag).send().await;
        assert_denied("look at another's receipt", &head);
    }
    for prefix in ["north/", "north/scans/day"] {
        let list = north.s3.list_objects_v2().bucket(outbox).prefix(prefix).send().await;
        assert_eq!(list.expect("its own prefix").key_count(), Some(1), "{prefix}");
    }
    for prefix in ["south/", "s", ""] {
        let list = north.s3.list_objects_v2().bucket(outbox).prefix(prefix).send().await;
        assert_denied("list what is not its own", &list);
    }
    assert_denied("list everything", &north.s3.list_objects_v2().bucket(outbox).send().await);
    let own = "north/scans/day.csv.receipt.json";
    let put = north.s3.put_object().bucket(outbox).key(own).body(ByteStream::from_static(b"x")).send().await;
    assert_denied("write the outbox", &put);
    assert_denied("delete in the outbox", &north.s3.delete_object().bucket(outbox).key(own).send().await);
    let quarantined =
        north.s3.get_object().bucket(&harness.names.quarantine).key(entry.receipt()).send().await;
    assert_denied("read the quarantine", &quarantined);

    harness.scalper("partner suspend north");
    assert_denied("read while it is suspended", &north.s3.get_object().bucket(outbox).key(own).send().await);
    harness.scalper("partner resume north");
    north.read(&harness, own).await;
    harness.scalper("partner s3 north --remove");
    assert_denied("read after it is taken", &north.s3.get_object().bucket(outbox).key(own).send().await);
    south.receipt(&harness, "scans/day.csv").await;
}

#[tokio::test]
async fn rejected_records_are_returned_only_by_the_contract_and_to_their_sender_only() {
    let harness = Harness::open_with(&["Outbox=On".to_owned()]).await;
    let (north, south) = (S3Partner::add(&harness, "north"), S3Partner::add(&harness, "south"));
    harness.publish(&returning()).await;
    let file = csv(0, 3) + BAD;
    let entry = north.send(&harness, "scans/day.csv", file.clone()).await;
    let receipt = north.receipt(&harness, "scans/day.csv").await;
    let key = receipt["rejects"].as_str().unwrap_or_else(|| panic!("no rejects: {receipt}")).to_owned();
    assert_eq!(key, format!("north/scans/day.csv.{}.rejects.csv", entry.text("load")));
    let rejects = String::from_utf8(north.read(&harness, &key).await).expect("UTF-8");
    assert!(rejects.starts_with(HEADER.trim_end()) && rejects.contains("Qjxwvz"), "{rejects}");
    assert!(!receipt.to_string().contains("Qjxwvz"), "{receipt}");
    let foreign = south.s3.get_object().bucket(&harness.names.outbox).key(&key).send().await;
    assert_denied("read another's rejects", &foreign);

    // A feed whose contract does not return them keeps them, and the receipt names none.
    harness.publish_feed("kept", &contract()).await;
    north.send(&harness, "kept/other.csv", file).await;
    assert_eq!(north.receipt(&harness, "kept/other.csv").await.get("rejects"), None);
    assert_eq!(keys(&harness).await.iter().filter(|key| key.ends_with(".rejects.csv")).count(), 1);
}

#[tokio::test]
async fn the_role_of_the_outbox_reads_no_original_and_writes_and_deletes_nothing_elsewhere() {
    let harness = Harness::open_with(&["Outbox=On".to_owned()]).await;
    let north = S3Partner::add(&harness, "north");
    let entry = north.send(&harness, "scans/bad.csv", "no header\n".to_owned()).await;
    let names = &harness.names;
    let role = assume_role(&harness, &names.outbox_function);
    let s3 = client!(aws_sdk_s3, &harness.emulator.endpoint, role.clone());
    let dynamodb = client!(aws_sdk_dynamodb, &harness.emulator.endpoint, role);
    let read = s3.get_object().bucket(&names.quarantine).key(entry.receipt()).send().await;
    assert!(read.is_ok(), "the role reads receipts, so a rejection below is about the action: {read:?}");
    let folder = entry.quarantine();
    for name in ["original", "report.quarantined.json"] {
        let key = format!("{folder}/{name}");
        assert_denied("read originals", &s3.get_object().bucket(&names.quarantine).key(key).send().await);
    }
    let landed = s3.get_object().bucket(&names.inbox).key("north/scans/bad.csv").send().await;
    assert_denied("read the inbox", &landed);
    for bucket in [&names.inbox, &names.contracts, &names.quarantine] {
        let put = s3.put_object().bucket(bucket).key("x").body(ByteStream::from_static(b"x")).send().await;
        assert_denied("write a bucket", &put);
    }
    for bucket in [&names.inbox, &names.quarantine, &names.outbox] {
        let delete = s3.delete_object().bucket(bucket).key("north/scans/bad.csv.receipt.json").send().await;
        assert_denied("delete", &delete);
    }
    for table in [&names.ledger, &names.records, &names.partners] {
        assert_denied("scan", &dynamodb.scan().table_name(table).send().await);
    }
}
