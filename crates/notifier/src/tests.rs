//! The function against channels on this machine.

mod basic;
mod harness;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use harness::{BEGIN_MS, ChannelReceiver, Harness, SECRET, alarm, event, recovery};
use ledger::State;
use proptest::prelude::*;
use serde_json::Value;
use store::memory::When;
use store::{Incidents as _, MetricMeasure, MetricQuery, Operation};

use super::*;

#[tokio::test]
async fn five_hundred_deliveries_of_an_incident_are_one_page_and_one_recovery() {
    let harness = Arc::<Harness>::default();
    let notifier = harness.notifier(None);
    for number in 0..500_u64 {
        // The same change again and again, and other alarms of the same incident.
        let one = if number % 2 == 0 {
            alarm("s-slow", BEGIN_MS)
        } else {
            alarm("s-dead-letters", BEGIN_MS + number)
        };
        notifier.handle(&one).await.unwrap();
    }
    assert_eq!(harness.subjects(), ["ALARM s-slow"]);
    for _ in 0..500 {
        notifier.handle(&recovery("s-slow", BEGIN_MS + 60_000)).await.unwrap();
        notifier.handle(&recovery("s-processing", BEGIN_MS + 60_000)).await.unwrap();
    }
    assert_eq!(harness.subjects(), ["ALARM s-slow", "RESOLVED s-processing after 1 minute"]);
    assert!(
        harness.memory.mailed()[1].1.contains("further changes: 499"),
        "{}",
        harness.memory.mailed()[1].1
    );
    assert_eq!((harness.counted("NoticesSent"), harness.counted("NoticesFolded")), (2, 499));
}

#[tokio::test]
async fn deliveries_at_the_same_time_are_one_page_too() {
    let harness = Arc::<Harness>::default();
    let notifier = harness.notifier(None);
    let one = alarm("s-slow", BEGIN_MS);
    let all = futures_util::future::join_all((0..100).map(|_| notifier.handle(&one))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(harness.subjects(), ["ALARM s-slow"]);
}

#[tokio::test]
async fn a_channel_is_notified_of_an_incident_once_however_many_deliveries_there_are() {
    let (harness, receiver) = (Arc::<Harness>::default(), ChannelReceiver::new().await);
    let hook = format!(r#"{{"webhook": {{"url": "{}/hook", "secret": "{SECRET}"}}}}"#, receiver.url());
    let notifier = harness.notifier(Some(&hook));
    // At the same time, then one after the other, the same change and other alarms of the incident.
    let one = alarm("s-slow", BEGIN_MS);
    let together = futures_util::future::join_all((0..250).map(|_| notifier.handle(&one)));
    assert!(receiver.during(together, "200 OK").await.iter().all(Result::is_ok));
    for number in 0..250 {
        let other = alarm("s-dead-letters", BEGIN_MS + number);
        receiver.during(notifier.handle(&other), "200 OK").await.unwrap();
    }
    let statuses =
        || -> Vec<Value> { receiver.bodies("/hook").iter().map(|body| body["status"].clone()).collect() };
    assert_eq!(statuses(), ["alarm"]);
    let over = recovery("s-processing", BEGIN_MS + 60_000);
    let together = futures_util::future::join_all((0..250).map(|_| notifier.handle(&over)));
    // A change that arrives while the messages are being sent is delivered again later, and then has nothing to send.
    drop(receiver.during(together, "200 OK").await);
    for _ in 0..250 {
        receiver.during(notifier.handle(&over), "200 OK").await.unwrap();
    }
    assert_eq!(statuses(), ["alarm", "resolved"]);
}

#[tokio::test]
async fn a_change_that_comes_late_opens_and_closes_nothing() {
    let harness = Arc::<Harness>::default();
    let notifier = harness.notifier(None);
    notifier.handle(&recovery("s-processing", BEGIN_MS)).await.unwrap();
    notifier.handle(&alarm("s-slow", BEGIN_MS + 10_000)).await.unwrap();
    notifier.handle(&recovery("s-processing", BEGIN_MS + 5_000)).await.unwrap();
    assert_eq!(harness.subjects(), ["ALARM s-slow"]);
    notifier.handle(&recovery("s-processing", BEGIN_MS + 20_000)).await.unwrap();
    notifier.handle(&alarm("s-dead-letters", BEGIN_MS + 15_000)).await.unwrap();
    assert_eq!(harness.subjects(), ["ALARM s-slow", "RESOLVED s-processing after 10 seconds"]);
    notifier.handle(&alarm("s-slow", BEGIN_MS + 30_000)).await.unwrap();
    assert_eq!(harness.subjects().len(), 3, "it begins again");
}

#[tokio::test]
async fn each_channel_is_notified_of_the_beginning_and_of_the_end() {
    let (harness, receiver) = (Arc::<Harness>::default(), ChannelReceiver::new().await);
    let notifier = harness.notifier(Some(&receiver.channels()));
    receiver.during(notifier.handle(&alarm("s-slow", BEGIN_MS)), "200 OK").await.unwrap();
    receiver
        .during(notifier.handle(&recovery("s-processing", BEGIN_MS + 1_000)), "202 Accepted")
        .await
        .unwrap();
    let mut paths: Vec<String> =
        receiver.said().iter().map(|request| harness::path(request).to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/hook", "/hook", "/pagerduty", "/pagerduty", "/slack", "/slack", "/teams", "/teams"]);
    let actions: Vec<Value> =
        receiver.bodies("/pagerduty").iter().map(|body| body["event_action"].clone()).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(harness.subjects().len(), 2);
    let hook = receiver.said().into_iter().find(|request| harness::path(request) == "/hook").unwrap();
    assert_eq!(harness::header(&hook, "webhook-id"), format!("s-processing-{BEGIN_MS}-ALARM"));
    assert!(harness::header(&hook, "webhook-signature").starts_with("v1,"), "{hook}");
}

#[tokio::test]
async fn a_channel_that_fails_is_notified_again_and_the_others_are_not() {
    let (harness, receiver) = (Arc::<Harness>::default(), ChannelReceiver::new().await);
    let notifier = harness.notifier(Some(&receiver.channels()));
    let one = alarm("s-slow", BEGIN_MS);
    let first = receiver.during(notifier.handle(&one), "503 Service Unavailable").await;
    let Err(NotifyError::Channels(failed)) = first else { panic!("{first:?}") };
    assert_eq!(failed, ["slack", "pagerduty", "teams", "webhook"]);
    receiver.during(notifier.handle(&one), "200 OK").await.unwrap();
    assert_eq!((receiver.said().len(), harness.subjects().len()), (8, 1), "mail had it at once");
    receiver.during(notifier.handle(&one), "200 OK").await.unwrap();
    assert_eq!(receiver.said().len(), 8);
}

#[tokio::test]
async fn a_channel_that_fails_again_and_again_is_left_alone_for_a_while() {
    let (harness, receiver) = (Arc::<Harness>::default(), ChannelReceiver::new().await);
    let slack = format!(r#"{{"slack": {{"url": "{}/slack"}}}}"#, receiver.url());
    let notifier = harness.notifier(Some(&slack));
    let one = alarm("s-slow", BEGIN_MS);
    for _ in 0..7 {
        assert!(receiver.during(notifier.handle(&one), "500 Oops").await.is_err());
    }
    assert_eq!(receiver.said().len(), 5);
    harness.elapsed.store(60_000, Ordering::Relaxed);
    receiver.during(notifier.handle(&one), "200 OK").await.unwrap();
    assert_eq!(receiver.said().len(), 6);
}

#[tokio::test]
async fn without_its_secret_mail_is_sent_and_the_rest_later() {
    let (harness, receiver) = (Arc::<Harness>::default(), ChannelReceiver::new().await);
    let notifier = harness.notifier_of("arn:of-another");
    let one = alarm("s-slow", BEGIN_MS);
    assert!(
        matches!(notifier.handle(&one).await, Err(NotifyError::Channels(failed)) if failed == ["channels"])
    );
    harness.memory.keep_secret("arn:of-another", &receiver.channels());
    receiver.during(notifier.handle(&one), "200 OK").await.unwrap();
    assert_eq!((receiver.said().len(), harness.subjects().len()), (4, 1));
}

#[tokio::test]
async fn an_address_inside_is_not_connected_to() {
    let harness = Arc::<Harness>::default();
    for url in ["https://169.254.169.254/latest", "http://10.0.0.1/", "https://localhost/x"] {
        let notifier = harness
            .notifier_with(Some(&format!(r#"{{"slack": {{"url": "{url}"}}}}"#)), AddressPolicy::Public);
        assert!(
            matches!(notifier.handle(&alarm("s-slow", BEGIN_MS)).await, Err(NotifyError::Channels(_))),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_failure_anywhere_ends_with_every_channel_notified() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        // Read, begun, values read, alarms read, mailed, done.
        for call in 1..=6 {
            let harness = Arc::<Harness>::default();
            let notifier = harness.notifier(None);
            harness.memory.fail_at(call, when);
            let one = alarm("s-slow", BEGIN_MS);
            // Lambda delivers again after one minute and after two more.
            for milliseconds in [0, 60_000, 180_000] {
                harness.elapsed.store(milliseconds, Ordering::Relaxed);
                if notifier.handle(&one).await.is_ok() {
                    break;
                }
            }
            let kept = harness.memory.incident("s-processing").await.unwrap().expect("an incident");
            assert!(kept.done && !harness.subjects().is_empty(), "{when:?} {call}: {kept:?}");
            // Twice only where the ledger was not updated after the message was sent, or the answer of the topic was
            // lost.
            assert!(harness.subjects().len() <= 2, "{when:?} {call}");
        }
    }
}

#[tokio::test]
async fn an_alarm_of_files_names_the_newest_that_are_not_good_and_no_key() {
    let harness = Arc::<Harness>::default();
    harness.add_file("north", "labs", "jane-doe.csv", State::Quarantined, 3).await;
    harness.add_file("north", "labs", "good.csv", State::Complete, 0).await;
    harness.add_file("south", "charges", "half.csv", State::Complete, 2).await;
    let notifier = harness.notifier(None);
    notifier.handle(&harness::quarantine_alarm()).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    assert!(text.contains(" of north/labs: quarantined, HEADER"), "{text}");
    assert!(text.contains(" of south/charges: loaded, 2 of 10 records rejected"), "{text}");
    assert!(!text.contains("jane") && !text.contains("good"), "{text}");
    assert_eq!(text.matches("\nfile: ").count(), 2);
}

#[tokio::test]
async fn the_newest_bad_file_comes_with_the_commands_that_show_it() {
    let harness = Arc::<Harness>::default();
    let rejected = harness.add_file("north", "labs", "a.csv", State::Quarantined, 0).await;
    harness.notifier(None).handle(&harness::quarantine_alarm()).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    assert!(text.contains(&format!("command: scalper --stack s show {rejected}\n")), "{text}");
    assert!(!text.contains(" rejects "), "no record was rejected: {text}");
    let harness = Arc::<Harness>::default();
    let half = harness.add_file("north", "labs", "b.csv", State::Complete, 2).await;
    harness.notifier(None).handle(&harness::quarantine_alarm()).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    for word in ["show", "rejects"] {
        assert!(text.contains(&format!("command: scalper --stack s {word} {half}\n")), "{text}");
    }
}

#[tokio::test]
async fn an_alarm_of_a_file_that_did_not_come_names_the_newest_of_each_partner() {
    let harness = Arc::<Harness>::default();
    let north = harness.add_file("north", "labs", "jane-doe.csv", State::Complete, 1).await;
    harness.add_file("north", "charges", "other.csv", State::Complete, 0).await;
    let south = harness.add_file("south", "labs", "half.csv", State::Quarantined, 3).await;
    for metric in ["FilesVolumeLow", "FilesVolumeHigh", "FilesOverdue"] {
        let again = Arc::<Harness>::default();
        again.notifier(None).handle(&harness::missing_alarm(metric)).await.unwrap();
        assert!(again.memory.mailed()[0].1.contains("newest file: no partner has sent one yet"), "{metric}");
    }
    harness.notifier(None).handle(&harness::missing_alarm("FilesOverdue")).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    for line in [
        format!("newest file: {north} of north, arrived 2026-11-21 06:00:00 UTC, COMPLETE, 9 rows\n"),
        format!("newest file: {south} of south, arrived 2026-11-21 06:00:00 UTC, QUARANTINED, 10 records\n"),
    ] {
        assert!(text.contains(&line), "{text}");
    }
    assert_eq!(text.matches("newest file: ").count(), 2);
    assert!(!text.contains("jane"), "{text}");
}

#[tokio::test]
async fn a_folder_that_is_no_feed_is_not_named() {
    let harness = Arc::<Harness>::default();
    let fault = checker::FaultCode::NoContract.as_str();
    harness.quarantine_file("north", "jane-doe", "a.csv", fault).await;
    harness.notifier(None).handle(&harness::quarantine_alarm()).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    assert!(text.contains(" of north/unknown: quarantined, NO_CONTRACT") && !text.contains("jane"), "{text}");
}

#[tokio::test]
async fn a_file_under_a_wrong_key_is_listed_without_its_key() {
    let harness = Arc::<Harness>::default();
    harness.add_file("north", "labs", "good.csv", State::Complete, 0).await;
    let misplaced = harness.misplace_file("jane-doe.csv").await;
    harness.notifier(None).handle(&harness::quarantine_alarm()).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    let line = format!("{misplaced} under a key that names no partner and feed: quarantined, BAD_KEY");
    assert!(text.contains(&line) && !text.contains("jane"), "{text}");
}

#[tokio::test]
async fn the_stacks_own_probe_is_not_listed() {
    let harness = Arc::<Harness>::default();
    harness.drop_file(runtime::HEARTBEAT, runtime::HEARTBEAT, "probe.csv", State::Quarantined, 0).await;
    harness.notifier(None).handle(&harness::quarantine_alarm()).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    assert!(!text.contains("HEADER"), "{text}");
}

#[tokio::test]
async fn a_folder_of_an_unknown_sender_is_unknown_and_its_files_are_shown() {
    let harness = Arc::<Harness>::default();
    let dropped = harness.drop_file("doe-jane-1970", "labs", "a.csv", State::Complete, 1).await;
    harness.notifier(None).handle(&harness::missing_alarm("FilesOverdue")).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    assert!(text.contains(&format!("newest file: {dropped} of unknown, arrived")), "{text}");
    assert!(!text.contains("jane"), "{text}");
}

#[tokio::test]
async fn the_partner_whose_file_is_overdue_longest_is_named_first() {
    let harness = Arc::<Harness>::default();
    let newer = harness.add_file("north", "labs", "b.csv", State::Complete, 0).await;
    let older = harness.add_file("south", "labs", "a.csv", State::Complete, 0).await;
    harness.add_partner("east", "labs").await;
    harness.add_partner("west", "charges").await;
    harness.notifier(None).handle(&harness::missing_alarm("FilesOverdue")).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    let place = |line: String| text.find(&line).unwrap_or_else(|| panic!("no {line} in {text}"));
    let none = place("newest file: none yet of east\n".to_owned());
    assert!(none < place(format!("newest file: {older} of south")), "{text}");
    assert!(
        place(format!("newest file: {older} of south")) < place(format!("newest file: {newer} of north"))
    );
    assert!(!text.contains("of west"), "{text}");
}

#[tokio::test]
async fn at_most_five_partners_are_named() {
    let harness = Arc::<Harness>::default();
    for number in 0..7 {
        harness.add_file(&format!("clinic-{number}"), "labs", "a.csv", State::Complete, 0).await;
    }
    harness.notifier(None).handle(&harness::missing_alarm("FilesVolumeLow")).await.unwrap();
    assert_eq!(harness.memory.mailed()[0].1.matches("newest file: ").count(), 5);
}

#[tokio::test]
async fn a_message_shows_the_values_of_the_last_periods_and_the_alarms_own_metric_is_asked_for() {
    let harness = Arc::<Harness>::default();
    let minutes = |before: u64| BEGIN_MS - before * 60_000;
    for (before, value) in [(90, 99.0), (20, 0.0), (15, 2.0), (5, 14.5)] {
        harness.memory.measure(minutes(before), value);
    }
    harness.notifier(None).handle(&alarm("s-slow", BEGIN_MS)).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    assert!(
        text.contains(
            "recent values: 0 milliseconds; 2 milliseconds; no data; 14.5 milliseconds (5 minutes each, newest last)\n"
        ),
        "{text}"
    );
    assert!(
        matches!(&harness.memory.asked()[..], [MetricQuery { measure: MetricMeasure::Metric { name, statistic, .. }, .. }]
        if name == "Duration" && statistic == "p95")
    );
    // What is folded asks for nothing.
    harness.notifier(None).handle(&alarm("s-dead-letters", BEGIN_MS + 1)).await.unwrap();
    assert_eq!(harness.memory.asked().len(), 1);
}

#[tokio::test]
async fn without_an_answer_of_cloudwatch_the_values_of_the_reason_are_shown() {
    for fails in [false, true] {
        let harness = Arc::<Harness>::default();
        if fails {
            // Incident read and written, then the values.
            harness.memory.fail_at(3, When::BeforeEffect);
        }
        harness.notifier(None).handle(&alarm("s-slow", BEGIN_MS)).await.unwrap();
        assert_eq!(harness.memory.calls()[2], Operation::ReadMetrics);
        let text = harness.memory.mailed()[0].1.clone();
        assert!(text.contains("time from claim to outcome, 95th percentile: 3 milliseconds"), "{text}");
        assert_eq!(harness.counted("RetryableErrors"), u64::from(fails));
    }
}

#[tokio::test]
async fn failures_of_services_are_counted_for_the_alarms_of_all_functions() {
    let harness = Arc::<Harness>::default();
    harness.memory.fail_at(1, When::BeforeEffect);
    let failed = harness.notifier(None).handle(&alarm("s-slow", BEGIN_MS)).await;
    assert!(matches!(failed, Err(NotifyError::Ledger(_))), "{failed:?}");
    assert_eq!(harness.counted("RetryableErrors"), 1);
    let harness = Arc::<Harness>::default();
    harness.memory.before(1, |_| async { panic!("a defect") });
    let failed = harness.notifier(None).handle(&alarm("s-slow", BEGIN_MS)).await;
    assert!(matches!(failed, Err(NotifyError::Panicked)), "{failed:?}");
    assert_eq!(harness.counted("Panics"), 1);
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_keeps_no_message_back() {
    let harness = Arc::<Harness>::default();
    harness.add_file("north", "labs", "a.csv", State::Quarantined, 3).await;
    let calls = harness.memory.calls().len();
    // Incident read and written, partners read from the table and the inbox, then the files.
    harness.memory.fail_at(calls + 5, When::BeforeEffect);
    harness.notifier(None).handle(&harness::quarantine_alarm()).await.unwrap();
    assert_eq!(harness.memory.calls()[calls + 4], Operation::ListFiles);
    assert!(harness.memory.mailed()[0].1.contains("files: not known, because the ledger did not answer"));
}

#[tokio::test]
async fn a_message_that_is_not_an_alarm_is_sent_once_as_it_is() {
    let harness = Arc::<Harness>::default();
    let notifier = harness.notifier(None);
    let budget = event("AWS Budgets: silent-scalper", "You have spent 80 % of your budget.");
    notifier.handle(&budget).await.unwrap();
    notifier.handle(&budget).await.unwrap();
    let [(subject, text)] = &harness.memory.mailed()[..] else { panic!("one mail") };
    assert_eq!(subject, "NOTE AWS Budgets: silent-scalper");
    assert!(text.contains("80 % of your budget"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in whatever order, each page is followed by its recovery before the next page.
    #[test]
    fn pages_and_recoveries_alternate(changes in proptest::collection::vec((any::<bool>(), 0_u64..20), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let harness = Arc::<Harness>::default();
        let notifier = harness.notifier(None);
        for (is_alarm, second) in changes {
            let at = BEGIN_MS + second * 1_000;
            let one = if is_alarm { alarm("s-slow", at) } else { recovery("s-processing", at) };
            runtime.block_on(notifier.handle(&one)).unwrap();
        }
        for (place, subject) in harness.subjects().iter().enumerate() {
            prop_assert_eq!(subject.starts_with("ALARM"), place % 2 == 0);
        }
    }
}
