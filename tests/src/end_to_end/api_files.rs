//! Files by the partners' API: sent small, signed and in parts, until the partner has receipt, rejects and records.

use serde_json::json;

use super::api::{ApiClient, problem, sha256, text, wish};
use super::files::{HEADER, csv, gzip};
use super::harness::Harness;

const FILES: &str = "/v1/feeds/scans/files";
const UPLOADS: &str = "/v1/feeds/scans/uploads";

#[tokio::test]
async fn a_partner_sends_a_small_file_and_has_receipt_rejects_and_records_of_it() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let file = format!("{}AB1,Bad Key,CT,,,\n", csv(0, 20));
    let sent = north.file(&format!("{FILES}?name=day.csv"), file.as_bytes());
    assert_eq!(sent.status, 202, "{}", sent.text());
    let answer = sent.json();
    assert_eq!(answer["sha256"], sha256(file.as_bytes()));
    assert_eq!(answer["bytes"], file.len());
    assert_eq!(sent.header("location"), answer["status"]);
    let id = text(&answer, "id");

    let status = north.decided(&id);
    assert_eq!(
        (&status["state"], &status["loaded"], &status["name"]),
        (&json!("COMPLETE"), &json!(20), &json!("day.csv"))
    );
    let receipt = north.get(&format!("/v1/files/{id}/receipt"));
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    let entry = harness.ledger().await.into_iter().find(|item| item["pk"]["S"] == format!("file#{id}"));
    let key =
        entry.expect("an entry")["outcome"]["M"]["receipt"]["S"].as_str().expect("a receipt").to_owned();
    assert_eq!(
        receipt.body,
        harness.quarantined(&key).await,
        "the receipt is the object that the processor wrote"
    );
    let rejects = north.get(&format!("/v1/files/{id}/rejects")).json();
    let sheet = north.signed(&rejects, b"");
    assert_eq!(sheet.status, 200, "{}", sheet.text());
    assert!(
        sheet.text().contains("Bad Key") && sheet.text().contains("accession.pattern"),
        "{}",
        sheet.text()
    );

    let record = north.get("/v1/records/scans/AB000007").json();
    assert_eq!(record["record"]["patient"], "Patient 7", "{record}");
    records_have_a_history(&north);
    repeats_change_nothing(&harness, &north).await;
    bytes_of_every_value_land_as_they_are(&harness, &north).await;
    a_dry_run_stores_nothing(&harness, &north).await;
    a_correction_names_the_file_that_it_corrects(&north, &id);
    harness.settle().await;
}

/// The newer file has the same name, because files of different names within one second have no order.
fn records_have_a_history(north: &ApiClient<'_>) {
    let newer = format!("{HEADER}AB000007,Renamed,MR,2026-03-09,1.5,x\n");
    let sent = north.file(&format!("{FILES}?name=day.csv"), newer.as_bytes()).json();
    assert_eq!(north.decided(&text(&sent, "id"))["state"], "COMPLETE");
    let newest = north.get("/v1/records/scans/AB000007").json();
    assert_eq!(newest["record"]["patient"], "Renamed", "{newest}");
    let history = north.get("/v1/records/scans/AB000007?history=true").json();
    let patients: Vec<_> = history["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|one| &one["record"]["patient"])
        .collect();
    assert_eq!(patients, ["Renamed", "Patient 7"]);
    assert_eq!(problem(&north.get("/v1/records/scans/ZZ999999"), 404), "not-found");
}

async fn repeats_change_nothing(harness: &Harness, north: &ApiClient<'_>) {
    let send = |body: &str, key: &str| {
        let headers = [("content-type", "text/csv"), ("idempotency-key", key)];
        north.send("POST", &format!("{FILES}?name=once.csv"), &headers, body.as_bytes())
    };
    let first = send(&csv(500, 3), "key-1");
    let again = send(&csv(500, 3), "key-1");
    assert_eq!((first.status, again.status), (202, 202), "{} {}", first.text(), again.text());
    assert_eq!(first.json(), again.json());
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(problem(&send(&csv(500, 4), "key-1"), 422), "idempotency-key-reused");
    assert_eq!(north.decided(&text(&first.json(), "id"))["state"], "COMPLETE");
    let versions =
        harness.s3.list_object_versions().bucket(&harness.names.inbox).prefix("north/scans/once.csv");
    assert_eq!(versions.send().await.expect("versions").versions.unwrap_or_default().len(), 1);
}

async fn bytes_of_every_value_land_as_they_are(harness: &Harness, north: &ApiClient<'_>) {
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    let sent = north.file(&format!("{FILES}?name=bytes.bin"), &bytes).json();
    assert_eq!(sent["sha256"], sha256(&bytes));
    let stored =
        harness.s3.get_object().bucket(&harness.names.inbox).key("north/scans/bytes.bin").send().await;
    let stored = stored.expect("the file").body.collect().await.expect("its bytes");
    assert_eq!(stored.to_vec(), bytes);
    assert_eq!(north.decided(&text(&sent, "id"))["state"], "QUARANTINED");
    let zipped = north.file(&format!("{FILES}?name=zipped.csv.gz"), &gzip(csv(600, 5).as_bytes())).json();
    assert_eq!(north.decided(&text(&zipped, "id"))["loaded"], 5);
}

async fn a_dry_run_stores_nothing(harness: &Harness, north: &ApiClient<'_>) {
    let before = harness.ledger().await.len();
    let checked = north.file("/v1/feeds/scans/check", format!("{HEADER}AB000001,Jo,CT,,,\n").as_bytes());
    assert_eq!(checked.status, 200, "{}", checked.text());
    assert!(checked.text().contains("patient"), "{}", checked.text());
    assert!(!checked.text().contains("Jo,"), "a dry run tells positions, no values");
    assert_eq!(harness.ledger().await.len(), before);
}

fn a_correction_names_the_file_that_it_corrects(north: &ApiClient<'_>, corrected: &str) {
    let body = format!("{HEADER}AB000099,Corrected Name,CT,,,\n");
    let path = format!("{FILES}?name=corrected.csv&corrects={corrected}");
    let sent = north.file(&path, body.as_bytes()).json();
    let id = text(&sent, "id");
    assert_eq!(north.decided(&id)["corrects"], corrected);
    assert_eq!(north.get(&format!("/v1/files/{id}/receipt")).json()["corrects"], corrected);
    let unknown = format!("{FILES}?corrects={}", "0".repeat(26));
    assert_eq!(problem(&north.file(&unknown, body.as_bytes()), 422), "unknown-correction");
}

#[tokio::test]
async fn a_signed_put_takes_the_announced_bytes_once_and_no_others() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let file = csv(0, 40);
    let open = |name: &str| {
        let promised = north.post(UPLOADS, &wish(name, file.as_bytes()));
        assert_eq!(promised.status, 201, "{}", promised.text());
        promised.json()
    };
    let promise = open("large.csv");
    assert!(
        promise["put"]["expiresSeconds"].as_u64().is_some_and(|seconds| seconds <= 900),
        "{}",
        promise["put"]["expiresSeconds"]
    );

    let longer = north.signed(&promise["put"], format!("{file}\n").as_bytes());
    assert!((400..500).contains(&longer.status), "another length: {} {}", longer.status, longer.text());
    let other = north.signed(&promise["put"], file.replace("Patient 1,", "Patient 9,").as_bytes());
    assert!((400..500).contains(&other.status), "other bytes: {} {}", other.status, other.text());
    let status = format!("/v1/uploads/{}", text(&promise, "upload"));
    assert_eq!(north.get(&status).json()["state"], "OPEN");

    let put = north.signed(&promise["put"], file.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    let second = north.signed(&promise["put"], file.as_bytes());
    assert_eq!(second.status, 412, "a second use: {}", second.text());
    let landed = north.get(&status).json();
    assert_eq!(landed["state"], "LANDED", "{landed}");
    assert_eq!(north.decided(&text(&landed, "id"))["loaded"], 40);

    let given_up = format!("/v1/uploads/{}", text(&open("never.csv"), "upload"));
    assert_eq!(north.send("DELETE", &given_up, &[], b"").status, 204);
    assert_eq!(north.get(&given_up).json()["state"], "ABORTED");
    harness.settle().await;
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_file() {
    const MIB: usize = 1024 * 1024;
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let row = "AB000001,Patient One,CT,2026-03-01,1.25,\"";
    // One record that is too long to load, so that nine mebibytes need no minutes: the API, not the checker, is tested.
    let file = format!("{HEADER}{row}{}\"\n", "x".repeat(9 * MIB));
    let mut wanted = wish("parts.csv", file.as_bytes());
    wanted["parts"] = true.into();
    let promise = north.post(UPLOADS, &wanted).json();
    let (upload, size) =
        (text(&promise, "upload"), promise["partBytes"].as_u64().expect("the size of a part"));
    let chunks: Vec<&[u8]> = file.as_bytes().chunks(usize::try_from(size).expect("small")).collect();
    assert_eq!(promise["parts"], chunks.len());
    let numbered = || chunks.iter().enumerate().map(|(index, chunk)| (index + 1, *chunk));
    let parts: Vec<_> = numbered()
        .map(|(number, chunk)| json!({ "number": number, "bytes": chunk.len(), "sha256": sha256(chunk) }))
        .collect();
    let signed = north.post(&format!("/v1/uploads/{upload}/parts"), &json!({ "parts": parts })).json();
    let sent: Vec<_> = numbered()
        .map(|(number, chunk)| {
            let put = north.signed(&signed["parts"][number - 1], chunk);
            assert_eq!(put.status, 200, "{}", put.text());
            json!({ "number": number, "etag": put.header("etag"), "sha256": sha256(chunk) })
        })
        .collect();
    let complete = format!("/v1/uploads/{upload}/complete");
    let missing = north.post(&complete, &json!({ "parts": [sent[0]] }));
    assert_eq!(problem(&missing, 422), "parts-rejected");
    let completed = north.post(&complete, &json!({ "parts": sent }));
    assert_eq!(completed.status, 202, "{}", completed.text());
    let again = north.post(&complete, &json!({ "parts": sent }));
    assert_eq!(completed.json()["id"], again.json()["id"], "{}", again.text());
    let id = text(&completed.json(), "id");
    assert_eq!(north.decided(&id)["id"], id.as_str());
    let stored =
        harness.s3.get_object().bucket(&harness.names.inbox).key("north/scans/parts.csv").send().await;
    let stored = stored.expect("the file").body.collect().await.expect("its bytes").to_vec();
    assert_eq!(sha256(&stored), sha256(file.as_bytes()));
}
