//! What is posted to a partner's address, and its signature.

use serde_json::Value;

use super::alarms::signed;
use super::api::{secret_of, text};
use super::files::csv;
use super::harness::Harness;
use super::loopback::Loopback;

#[tokio::test]
async fn a_partner_is_notified_of_its_files_with_a_signature_that_it_can_check() {
    let harness = Harness::open().await;
    let receiver = Loopback::start("{}");
    let (north, south) = (harness.add_partner("north"), harness.add_partner("south"));
    let named = harness.scalper(&format!("partner webhook north --url {}/hook", receiver.url));
    let first = secret_of(&named);

    let unheard = south.file("/v1/feeds/scans/files?name=day.csv", csv(0, 2).as_bytes()).json();
    south.decided(&text(&unheard, "id"));
    let sent = north.file("/v1/feeds/scans/files?name=day.csv", csv(0, 3).as_bytes()).json();
    let heard = receiver.next();
    let posted: Value = serde_json::from_slice(&heard.body).expect("JSON");
    assert_eq!((&posted["fileId"], &posted["state"]), (&sent["id"], &"COMPLETE".into()), "{posted}");
    assert_eq!(posted["name"], "day.csv");
    let receipt = format!("/api/v1/files/{}/receipt", text(&sent, "id"));
    assert!(
        text(&posted, "receipt").starts_with("https://") && text(&posted, "receipt").ends_with(&receipt),
        "{posted}"
    );
    assert!(signed(&heard, &first), "the signature is that of the secret");
    assert_eq!(heard.header("content-type"), "application/json");

    // While a secret is replaced, both sign.
    let second = secret_of(&harness.scalper("partner webhook north --rotate"));
    assert_ne!(first, second);
    north.file("/v1/feeds/scans/files?name=next.csv", csv(10, 3).as_bytes());
    let heard = receiver.next();
    assert!(signed(&heard, &first) && signed(&heard, &second));
    assert!(!signed(&heard, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    while harness.messages(&harness.names.webhook_queue).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
