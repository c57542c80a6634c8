//! What does not arrive.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use runtime::SqsBatchResponse;
use runtime::announcement::UnknownEvent;
use store::memory::When;
use tokio::net::TcpSocket;

use super::harness::{BEGIN_MS, Harness, WebhookReceiver, announcement, batch, ids, message};
use super::{deliver_to, handle};
use crate::AddressPolicy;

/// Returns a receiver that never answers.
fn no_answer() -> std::future::Pending<()> {
    std::future::pending()
}

#[tokio::test]
async fn a_failure_comes_back_later_each_time_until_the_queue_gives_it_to_the_dead_letters() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set("north", &receiver.url()).await;
    let mut pauses = Vec::new();
    for receive_count in 1..=12 {
        // A sandbox of its own for each attempt, so that no circuit is open.
        let sender = harness.sender(AddressPolicy::Loopback);
        let messages = [message("m", receive_count, &announcement("north"))];
        let response = handle(&sender, &messages, receiver.serve("500 X")).await;
        assert_eq!(ids(&response), ["m"], "never acknowledged");
        pauses.extend(harness.deferred().remove("m"));
    }
    assert_eq!(pauses, [10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800, 28_800, 28_800]);
    assert_eq!((receiver.said().len(), harness.counted("WebhooksFailed")), (12, 12));
}

#[tokio::test]
async fn a_receiver_may_ask_for_a_longer_pause_but_not_for_a_shorter_one_or_for_ever() {
    for (wanted, pause) in [("120", 120), ("1", 10), ("4000000000", 28_800), ("soon", 10)] {
        let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
        let answer = format!("429 Too Many Requests\r\nretry-after: {wanted}");
        assert_eq!(ids(&deliver_to(&harness, &receiver, &answer).await), ["m"]);
        assert_eq!(harness.deferred().get("m"), Some(&pause), "{wanted}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (harness, receiver, other) =
        (Arc::<Harness>::default(), WebhookReceiver::new().await, WebhookReceiver::new().await);
    let answer = format!("307 Temporary Redirect\r\nlocation: {}", other.url());
    harness.set("north", &receiver.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let receivers = async { tokio::join!(receiver.serve(&answer), other.serve("200 OK")) };
    let response = handle(&sender, &[message("m", 1, &announcement("north"))], receivers).await;
    assert_eq!(ids(&response), ["m"]);
    assert_eq!((receiver.said().len(), other.said().len(), harness.counted("WebhooksFailed")), (1, 0, 1));
}

#[tokio::test]
async fn an_address_inside_is_rejected_and_nothing_is_sent_to_it() {
    let receiver = WebhookReceiver::new().await;
    for url in [
        receiver.url().as_str(),
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "https://127.0.0.1:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://user:word@example.org/",
        "no address",
    ] {
        let harness = Arc::<Harness>::default();
        harness.set("north", url).await;
        let sender = harness.sender(AddressPolicy::Public);
        let messages = [message("m", 1, &announcement("north"))];
        let response = handle(&sender, &messages, receiver.serve("200 OK")).await;
        assert_eq!(ids(&response), ["m"], "{url}");
        assert_eq!((harness.counted("WebhooksRejected"), receiver.said().len()), (1, 0), "{url}");
    }
}

#[tokio::test]
async fn a_message_that_is_no_announcement_comes_back_alone() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set("north", &receiver.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let messages = [
        message("poison", 3, "{\"fileId\":7}"),
        message("good", 1, &announcement("north")),
        message("empty", 1, ""),
    ];
    let response = handle(&sender, &messages, receiver.serve("200 OK")).await;
    assert_eq!(ids(&response), ["poison", "empty"]);
    assert_eq!((receiver.said().len(), harness.counted("ForeignMessages")), (1, 2));
    assert_eq!(harness.deferred().get("poison"), Some(&300));
}

#[tokio::test]
async fn an_event_that_is_no_batch_fails_as_a_whole() {
    let sender = Arc::<Harness>::default().sender(AddressPolicy::Public);
    let bare = serde_json::json!({ "fileId": "x" });
    assert_eq!(sender.handle(&bare, BEGIN_MS).await, Err(UnknownEvent));
    assert_eq!(sender.handle(&batch(&[]), BEGIN_MS).await, Ok(SqsBatchResponse::default()));
}

#[tokio::test]
async fn a_failure_of_the_table_or_a_panic_concerns_its_own_message_only() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set("north", &receiver.url()).await;
    // The first call set the webhook. The second reads one and fails, the third gives its message back; the fourth
    // reads the next.
    harness.memory.fail_at(2, When::BeforeEffect);
    harness.memory.before(4, async |_| panic!("in the middle of a call"));
    let sender = harness.sender(AddressPolicy::Loopback);
    let messages =
        ["throttled", "panics", "north"].map(|partner| message(partner, 1, &announcement(partner)));
    let response = handle(&sender, &messages, receiver.serve("200 OK")).await;
    assert_eq!(ids(&response), ["throttled", "panics"]);
    let counted = ["RetryableErrors", "Panics", "WebhooksDelivered"].map(|metric| harness.counted(metric));
    assert_eq!((counted, harness.deferred().len()), ([1, 1, 1], 2));
}

#[tokio::test]
async fn a_secret_that_cannot_sign_sends_nothing() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set_with("north", &receiver.url(), "whsec_short", None).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let messages = [message("m", 1, &announcement("north"))];
    let response = handle(&sender, &messages, receiver.serve("200 OK")).await;
    assert_eq!((ids(&response), receiver.said().len()), (vec!["m"], 0));
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_before_the_invocation_ends() {
    let (harness, receiver) = (Arc::<Harness>::default(), WebhookReceiver::new().await);
    harness.set("north", &receiver.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let event = batch(&[message("m", 1, &announcement("north"))]);
    // 40 ms more than the time that is kept for giving messages back.
    let response = sender.handle(&event, BEGIN_MS + 10_040).await.unwrap();
    assert_eq!((ids(&response), harness.counted("Handovers")), (vec!["m"], 1));
    assert_eq!(harness.deferred().get("m"), Some(&10));
}

#[tokio::test]
async fn a_receiver_that_fails_again_and_again_is_left_alone_for_a_minute() {
    let (harness, broken, sound) =
        (Arc::<Harness>::default(), WebhookReceiver::new().await, WebhookReceiver::new().await);
    harness.set("broken", &broken.url()).await;
    harness.set("sound", &sound.url()).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let both = [message("broken", 1, &announcement("broken")), message("sound", 1, &announcement("sound"))];
    let receivers = || async { tokio::join!(broken.serve("500 X"), sound.serve("200 OK")) };
    for _ in 0..7 {
        let response = handle(&sender, &both, receivers()).await;
        assert_eq!(ids(&response), ["broken"]);
    }
    assert_eq!((broken.said().len(), sound.said().len(), harness.counted("WebhooksHeld")), (5, 7, 2));
    assert_eq!(harness.deferred().get("broken"), Some(&60), "not before the circuit closes");

    harness.elapsed.store(60_000, Ordering::Relaxed);
    let recovered = async { tokio::join!(broken.serve("200 OK"), sound.serve("200 OK")) };
    assert_eq!(ids(&handle(&sender, &both, recovered).await), [""; 0]);
    assert_eq!(ids(&handle(&sender, &both[1..], receivers()).await), [""; 0]);
    assert_eq!(broken.said().len(), 6);
}

#[tokio::test]
async fn a_closed_port_is_a_failure_until_it_opens() {
    let harness = Arc::<Harness>::default();
    // A port that is taken, and on which nothing is accepted.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    harness.set("north", &format!("http://{}/", taken.local_addr().unwrap())).await;
    let sender = harness.sender(AddressPolicy::Loopback);
    let response = handle(&sender, &[message("m", 1, &announcement("north"))], no_answer()).await;
    assert_eq!((ids(&response), harness.counted("WebhooksFailed")), (vec!["m"], 1));
    // When the port is open again, the outcome arrives.
    let receiver = WebhookReceiver::new().await;
    assert_eq!(ids(&deliver_to(&harness, &receiver, "200 OK").await), [""; 0]);
}
